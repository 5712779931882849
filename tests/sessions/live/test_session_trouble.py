"""The shell in trouble: faults of ours, an engine or a database that is away, ends that cross."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ai.audio import BYTES_PER_MS, silence
from ai.events import Failed, SpeechConfirmed, SpeechStarted, SpeechStopped, Transcribed
from sessions.live.events import (
    CreateItem,
    CreateResponse,
    EngineChanged,
    Event,
    ItemAdded,
    ItemDone,
    Notice,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionEnded,
    UpdateSession,
)
from sessions.record.model import Batch, SessionRef, SessionTaken
from tests.sessions.live.room import Door, Room, until


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    await room.session.open()
    yield room
    await room.session.close(1001, "test over")


def say(room: Room, item_id: str, door: Door) -> None:
    room.session.receive(door, CreateItem(item_id=item_id, text=item_id, pcm=None))


def begin_speaking(room: Room, door: Door) -> None:
    room.session.hear(door, silence(400))
    room.engine.legs[-1].report(SpeechStarted("t1", 100))
    room.engine.legs[-1].report(SpeechConfirmed("t1"))


# ---- faults of ours --------------------------------------------------------------------------


async def test_a_fault_while_a_report_is_judged_reaches_no_one_else(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = room.enter()
    with monkeypatch.context() as broken:
        broken.setattr(room.session.conversation, "report", lambda *_: 1 / 0)
        room.engine.legs[0].report(SpeechStarted("t1", 0))
    say(room, "a", door)
    await until(lambda: door.of(ItemDone))


async def test_a_connection_that_breaks_while_it_is_told_costs_no_item(room: Room) -> None:
    class Broken(Door):
        def tell(self, event: Event) -> None:
            if isinstance(event, ItemAdded):
                raise OSError("gone")

    room.session.attach(door := Broken(room.person), after=None, resumed=False)
    say(room, "a", door)
    await until(lambda: room.keeper.items() == ["a"])


async def test_a_fault_in_the_clock_does_not_stop_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = room.enter()
    room.session.receive(door, CreateResponse())
    with monkeypatch.context() as broken:
        broken.setattr(room.session.conversation, "tick", lambda *_: 1 / 0)
        await asyncio.sleep(0.1)
    await until(lambda: any(batch.heard for batch in room.keeper.batches))


# ---- who is here -----------------------------------------------------------------------------


async def test_coming_and_going_are_signs_of_life_in_the_record(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.live.saver.CHECKPOINT_S", 0.02)
    door = room.enter()
    await until(lambda: len(room.keeper.batches) >= 2)
    room.session.detach(door, finished=False)
    seen = len(room.keeper.batches)
    await until(lambda: len(room.keeper.batches) > seen)
    await asyncio.sleep(0.1)
    quiet = len(room.keeper.batches)
    assert quiet <= seen + 2, "nobody is there: nothing to save"
    room.enter(resumed=True)
    await until(lambda: len(room.keeper.batches) >= quiet + 3)


async def test_a_session_that_ended_on_the_way_in_closes_the_connection(room: Room) -> None:
    room.session.end("time_limit")
    door = room.enter(resumed=True)
    assert door.closed == 1000 and door.of(Notice)[0].code == "session_over"
    assert not door.of(SessionCreated)


async def test_a_session_that_was_let_go_on_the_way_in_sends_the_client_round_again(
    room: Room,
) -> None:
    await room.session.close(1001, "restart")
    door = room.enter(resumed=True)
    assert door.closed == 1001 and not door.of(SessionCreated)


async def test_the_first_sound_of_a_resumed_client_begins_the_replay(room: Room) -> None:
    first = room.enter()
    say(room, "a", first)
    await until(lambda: first.of(ItemDone))
    second = room.enter(resumed=True)
    room.session.hear(second, silence(20))
    assert [event.item.id for event in second.of(ItemAdded)] == ["a"]


async def test_what_was_saved_late_is_replayed_though_it_stands_before(room: Room) -> None:
    first = room.enter()
    begin_speaking(room, first)
    room.engine.legs[0].report(SpeechStopped("t1", 400))
    await until(lambda: first.of(ItemDone))
    (tutor,) = [event.item.id for event in first.of(ItemDone)]
    room.session.detach(first, finished=False)
    room.engine.legs[0].report(Transcribed("t1", "late words"))
    await until(lambda: len(room.keeper.items()) == 2)
    second = room.enter(after=tutor, resumed=True)
    room.session.receive(second, UpdateSession())
    assert [event.item.said for event in second.of(ItemDone)] == ["late words"]


async def test_pieces_of_any_length_add_up_to_the_same_time(room: Room) -> None:
    door = room.enter()
    for _ in range(300):
        room.session.hear(door, bytes(2 * 128))  # an audio worklet's: 5.33 ms
    assert room.session.conversation.turns.media_ms == 300 * 256 // BYTES_PER_MS


# ---- the engine is away ----------------------------------------------------------------------


async def test_a_leg_that_breaks_twice_is_replaced_once(room: Room) -> None:
    room.enter()
    first = room.engine.legs[0]
    first.report(Failed("gone", ""))
    first.report(Failed("gone", ""))
    await until(lambda: len(room.engine.legs) > 1)
    await asyncio.sleep(0.05)
    assert len(room.engine.legs) == 2 and first.closed


async def test_an_answer_asked_for_while_there_is_no_leg_is_given_when_there_is(
    room: Room,
) -> None:
    door = room.enter()
    room.engine.away = 1
    room.engine.legs[0].report(Failed("gone", ""))
    room.session.receive(door, CreateResponse())
    await until(lambda: door.of(ResponseDone))
    assert [event.response.status for event in door.of(ResponseDone)] == ["completed"]


async def test_what_is_said_and_typed_while_there_is_no_leg_reaches_the_next_one_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.chain.BACKOFF_S", (0.05, 0.05))
    door = room.enter()
    room.engine.away = 1
    room.engine.legs[0].report(Failed("gone", ""))
    await asyncio.sleep(0.01)
    say(room, "a", door)
    assert room.session.hear(door, silence(100)) == 0.0, "it is kept"
    await until(lambda: len(room.engine.legs) == 2)
    leg = room.engine.legs[1]
    assert len(leg.heard) == 100 * BYTES_PER_MS
    assert room.engine.memories[1] + len(leg.texts) == 1


async def test_an_engine_that_stays_away_leaves_no_answer_open_and_is_tried_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.chain.BACKOFF_S", (0.01, 0.01))
    door = room.enter()
    monkeypatch.setattr("ai.chain.REST_S", 0.05)
    room.engine.away = 4
    room.engine.legs[0].report(Failed("gone", ""))
    room.session.receive(door, CreateResponse())
    await until(lambda: door.of(ResponseDone))
    assert door.of(ResponseDone)[0].response.status == "failed"
    assert door.of(Notice)[-1].code == "tutor_gone"
    assert room.session.hear(door, silence(100)) == 0.0
    await until(lambda: door.of(EngineChanged))
    room.session.receive(door, CreateResponse())
    await until(lambda: len(door.of(ResponseDone)) == 2)
    assert door.of(ResponseDone)[1].response.status == "completed"
    assert len(door.of(ResponseCreated)) == 2


# ---- the end ---------------------------------------------------------------------------------


async def test_the_end_waits_for_the_last_words(room: Room) -> None:
    door = room.enter()
    begin_speaking(room, door)
    room.session.end("finished")
    await asyncio.sleep(0.02)
    assert not door.of(SessionEnded) and room.engine.legs[0].committed == ["t1"]
    room.engine.legs[0].report(Transcribed("t1", "goodbye"))
    await until(lambda: door.of(SessionEnded))
    assert [item.said for batch in room.keeper.batches for item in batch.items] == ["goodbye"]


async def test_words_that_never_come_do_not_hold_up_the_end(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.live.session.LAST_WORDS_S", 0.02)
    door = room.enter()
    begin_speaking(room, door)
    room.session.end("finished")
    await until(lambda: door.of(SessionEnded))
    assert [item.said for batch in room.keeper.batches for item in batch.items] == [None]


async def test_letting_go_saves_what_is_being_said(room: Room) -> None:
    door = room.enter()
    begin_speaking(room, door)
    closing = asyncio.create_task(room.session.close(1001, "restart"))
    await asyncio.sleep(0.01)
    room.engine.legs[0].report(Transcribed("t1", "I think"))
    await closing
    assert [item.said for batch in room.keeper.batches for item in batch.items] == ["I think"]


async def test_whoever_comes_while_it_is_let_go_is_sent_round_again(room: Room) -> None:
    door = room.enter()
    begin_speaking(room, door)
    closing = asyncio.create_task(room.session.close(1001, "restart"))
    await asyncio.sleep(0.01)
    assert room.enter(resumed=True).closed == 1001
    room.engine.legs[0].report(Transcribed("t1", "I think"))
    await closing


async def test_letting_go_tries_more_than_once_to_save(room: Room) -> None:
    door = room.enter()
    room.keeper.trouble = OSError("away")
    say(room, "a", door)
    closing = asyncio.create_task(room.session.close(1001, "restart"))
    await asyncio.sleep(0.3)
    room.keeper.trouble = None
    await closing
    assert room.keeper.items() == ["a"]


async def test_an_end_waits_as_long_as_the_database_is_away(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.live.session.END_RETRY_S", 0.0)
    monkeypatch.setattr("sessions.live.saver.RETRY_S", (0.0, 0.0))
    door = room.enter()
    tries = 0

    async def end(ref: SessionRef, reason: Any, batch: Batch) -> None:
        nonlocal tries
        tries += 1
        if tries < 1_100:
            raise OSError("away")

    monkeypatch.setattr(room.keeper, "end", end)
    say(room, "a", door)
    room.session.end("finished")
    await until(lambda: door.of(SessionEnded), within_s=10)
    assert room.keeper.items() == ["a"]


async def test_a_database_that_is_away_for_an_hour_does_not_end_saving(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.live.saver.RETRY_S", (0.0, 0.0))
    door, tries, append = room.enter(), 0, room.keeper.append

    async def away(ref: SessionRef, batch: Batch) -> int:
        nonlocal tries
        tries += 1
        if tries < 1_100:
            raise OSError("away")
        return await append(ref, batch)

    monkeypatch.setattr(room.keeper, "append", away)
    room.session.saver._append = away
    say(room, "a", door)
    await until(lambda: door.of(ItemDone), within_s=10)


async def test_an_end_that_another_process_forestalled_is_not_told(room: Room) -> None:
    door = room.enter()
    room.keeper.trouble = SessionTaken()
    room.session.end("finished")
    await until(lambda: room.session.ended.is_set())
    assert door.closed == 4001 and room.over == [room.session]


async def test_letting_go_of_a_session_that_is_ending_lets_it_end(room: Room) -> None:
    room.enter()
    room.session.end("finished")
    await room.session.close(1001, "restart")
    assert room.keeper.ended == "finished"


async def test_asking_again_tries_an_engine_that_is_away_at_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.chain.BACKOFF_S", (0.01, 0.01))
    door = room.enter()
    room.engine.away = 3
    room.engine.legs[0].report(Failed("gone", ""))
    await until(lambda: "tutor_gone" in [event.code for event in door.of(Notice)])
    room.session.receive(door, CreateResponse())
    await until(lambda: door.of(ResponseDone))
    assert door.of(ResponseDone)[0].response.status == "completed"
