from server.rtc.pace import Bucket


def test_a_bucket_allows_a_burst_and_then_so_many_a_second() -> None:
    bucket = Bucket(per_s=10, burst=5)
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert sum(bucket.take(100.0 + tick / 100) for tick in range(100)) in (9, 10)
    assert [bucket.take(1_000.0) for _ in range(6)] == [True] * 5 + [False]
