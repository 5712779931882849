"""Open event streams: bounded, few a person, and gone when they end."""

from uuid import uuid4

import pytest

from server.streams import PER_PERSON, WAITING, Stream, Streams

ME, YOU = uuid4(), uuid4()


@pytest.fixture
def wakes() -> list[None]:
    return []


@pytest.fixture
def stream(wakes: list[None]) -> Stream:
    return Stream(ME, lambda: wakes.append(None))


def test_news_comes_in_order(stream: Stream, wakes: list[None]) -> None:
    stream.put("a")
    stream.put("b")
    assert len(wakes) == 2
    assert [stream.take(), stream.take(), stream.take()] == ["a", "b", None]
    assert not stream.missed


def test_of_too_much_news_the_oldest_goes_and_that_is_told(stream: Stream) -> None:
    for number in range(WAITING + 2):
        stream.put(number)
    assert stream.missed
    assert stream.take() == 2


def test_nothing_is_heard_after_the_end_and_its_first_reason_counts(
    stream: Stream, wakes: list[None]
) -> None:
    stream.put("a")
    stream.end("signed_out")
    stream.end("stopping")
    stream.put("b")
    assert stream.take() is None
    assert stream.ended == "signed_out"
    assert len(wakes) == 2


def opened(streams: Streams, person: object = ME) -> Stream:
    stream = Stream(person, lambda: None)  # type: ignore[arg-type]
    streams.add(stream)
    return stream


def test_of_too_many_streams_of_a_person_the_oldest_ends() -> None:
    streams = Streams()
    other = opened(streams, YOU)
    mine = [opened(streams) for _ in range(PER_PERSON + 1)]
    assert [stream.ended for stream in mine] == ["too_many", *[None] * PER_PERSON]
    assert other.ended is None
    streams.remove(mine[0])
    opened(streams)
    assert mine[1].ended == "too_many"
    assert mine[2].ended is None


def test_when_the_server_stops_all_end_and_none_opens() -> None:
    streams = Streams()
    first = opened(streams)
    streams.close()
    late = opened(streams, YOU)
    assert (first.ended, late.ended) == ("stopping", "stopping")
    for stream in (first, late):
        streams.remove(stream)
    assert len(streams) == 0
