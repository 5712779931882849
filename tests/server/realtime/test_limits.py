"""How fast a client may send, and how much may wait for it."""

from server.realtime import limits
from server.realtime.limits import Outbox, Pace


def test_a_burst_costs_nothing_and_what_follows_comes_at_the_allowed_rate() -> None:
    pace = Pace(0.0)
    assert {pace.take(0.0, audio=True) for _ in range(limits.EVENTS_BURST)} == {0.0}
    assert pace.take(0.0, audio=True) == 1 / limits.EVENTS_PER_S
    assert pace.take(1 / limits.EVENTS_PER_S, audio=True) == 1 / limits.EVENTS_PER_S


def test_a_client_within_the_rate_is_never_held() -> None:
    pace = Pace(0.0)
    waits = {pace.take(n / limits.EVENTS_PER_S, audio=False) for n in range(10_000)}
    assert waits == {0.0} and not pace.held


def test_a_pushed_file_of_any_length_is_slowed_but_not_held_against_the_client() -> None:
    pace, now = Pace(0.0), 0.0
    for _ in range(30_000):
        now += pace.take(now, audio=True)
    assert not pace.relentless
    assert now * limits.EVENTS_PER_S >= 30_000 - limits.EVENTS_BURST - 1


def test_a_flood_without_audio_is_relentless_and_a_pause_forgives() -> None:
    pace, now = Pace(0.0), 0.0

    def flood(events: int) -> None:
        nonlocal now
        for _ in range(events):
            now += pace.take(now, audio=False)

    flood(limits.EVENTS_BURST + limits.HELD_EVENTS - 1)
    assert not pace.relentless
    now += limits.EVENTS_BURST / limits.EVENTS_PER_S
    flood(limits.EVENTS_BURST)
    assert not pace.relentless
    flood(limits.HELD_EVENTS + 1)
    assert pace.relentless


def test_what_waits_leaves_in_order_and_is_counted_both_ways() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put(b"one")
    outbox.put_sound("sound", "resp_1", 4_800)
    outbox.put(b"two")
    assert (outbox.unsent, outbox.unsent_sound, len(outbox)) == (6, 4_800, 3)
    assert [outbox.take() for _ in range(3)] == [b"one", "sound", b"two"]
    assert (outbox.unsent, outbox.unsent_sound, len(outbox)) == (0, 0, 0)


def test_events_and_sound_have_bounds_of_their_own_and_a_replay_has_none() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put(bytes(limits.UNSENT_BYTES))
    outbox.put(bytes(10 * limits.UNSENT_BYTES), replay=True)
    outbox.put_sound("s", "r", limits.UNSENT_SOUND_BYTES)
    assert not outbox.over
    outbox.put(b"x")
    assert outbox.over
    outbox.clear()
    outbox.put_sound("s", "r", limits.UNSENT_SOUND_BYTES + 1)
    assert outbox.over


def test_the_sound_of_one_answer_can_be_called_back() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put_sound("old", "resp_1", 10)
    outbox.put(b"text")
    outbox.put_sound("new", "resp_2", 20)
    outbox.drop_sound("resp_1")
    assert (outbox.take(), outbox.take(), outbox.unsent_sound) == (b"text", "new", 0)
    outbox.put_sound("new", "resp_2", 20)
    outbox.drop_sound()
    assert len(outbox) == outbox.unsent_sound == 0
