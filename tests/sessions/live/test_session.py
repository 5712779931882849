"""The shell: connections come and go, the database is away, another process takes over."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import silence
from sessions.live.events import (
    CommandRefused,
    CreateItem,
    CreateResponse,
    EngineChanged,
    ItemAdded,
    ItemDone,
    LessonProgressed,
    Notice,
    RetrieveItem,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SummaryReady,
    UpdateSession,
)
from sessions.record.model import SessionTaken
from tests.sessions.live.room import Room, until


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    await room.session.open()
    yield room
    await room.session.close(1001, "test over")


async def test_an_item_is_done_after_it_is_saved(room: Room) -> None:
    door = room.enter()
    room.session.receive(door, CreateItem(item_id="a", text="hi", pcm=None))
    assert not door.of(ItemDone)
    await until(lambda: door.of(ItemDone))
    assert room.keeper.items() == ["a"]


async def test_while_the_database_is_away_the_lesson_goes_on_and_all_is_saved_in_order(
    room: Room,
) -> None:
    door = room.enter()
    room.keeper.trouble = OSError("away")
    for name in "abc":
        room.session.receive(door, CreateItem(item_id=name, text=name, pcm=None))
        await asyncio.sleep(0.02)
    assert len(door.of(ItemAdded)) == 3 and not door.of(ItemDone)
    room.keeper.trouble = None
    await until(lambda: len(door.of(ItemDone)) == 3)
    assert room.keeper.items() == ["a", "b", "c"]


async def test_a_resumed_client_gets_what_it_missed_and_then_what_happens(room: Room) -> None:
    first = room.enter()
    for name in "abc":
        room.session.receive(first, CreateItem(item_id=name, text=name, pcm=None))
    await until(lambda: len(first.of(ItemDone)) == 3)
    room.session.detach(first, finished=False)

    second = room.enter(after="a", resumed=True)
    room.session.receive(second, UpdateSession())
    kinds = [type(event) for event in second.events]
    assert kinds[:2] == [SessionCreated, SessionUpdated]
    created = second.of(SessionCreated)[0]
    assert created.resumed and created.resumed.after == "a" and not created.resumed.complete
    assert [event.item.id for event in second.of(ItemAdded)] == ["b", "c"]
    assert [event.item.id for event in second.of(ItemDone)] == ["b", "c"]
    assert kinds[-1] is LessonProgressed


async def test_an_unknown_after_gives_the_whole_conversation_and_says_so(room: Room) -> None:
    first = room.enter()
    room.session.receive(first, CreateItem(item_id="a", text="a", pcm=None))
    await until(lambda: first.of(ItemDone))
    second = room.enter(after="never", resumed=True)
    created = second.of(SessionCreated)[0]
    assert created.resumed and created.resumed.complete
    await until(lambda: second.of(ItemAdded))
    assert [event.item.id for event in second.of(ItemDone)] == ["a"]


async def test_another_command_than_update_comes_after_the_replay(room: Room) -> None:
    first = room.enter()
    room.session.receive(first, CreateItem(item_id="a", text="a", pcm=None))
    await until(lambda: first.of(ItemDone))
    second = room.enter(resumed=True)
    room.session.receive(second, CreateItem(item_id="b", text="b", pcm=None))
    assert [event.item.id for event in second.of(ItemAdded)] == ["a", "b"]


async def test_a_second_connection_takes_over(room: Room) -> None:
    first = room.enter()
    second = room.enter(resumed=True)
    assert first.closed == 4001
    assert first.of(Notice)[-1].code == "taken_over"
    room.session.receive(first, CreateItem(item_id="x", text="x", pcm=None))
    assert "x" not in room.session.conversation.log
    assert second.closed is None


async def test_a_writer_elsewhere_stops_this_one_without_ending_the_session(room: Room) -> None:
    door = room.enter()
    room.keeper.trouble = SessionTaken()
    room.session.receive(door, CreateItem(item_id="a", text="a", pcm=None))
    await until(lambda: room.session.ended.is_set())
    assert door.closed == 4001
    assert room.keeper.ended is None and room.over == [room.session]


async def test_finishing_saves_tells_and_waits_for_the_summary(room: Room) -> None:
    door = room.enter()
    room.session.receive(door, CreateItem(item_id="a", text="a", pcm=None))
    room.session.end("finished")
    await until(lambda: door.of(SessionEnded))
    assert room.keeper.ended == "finished" and room.keeper.items() == ["a"]
    assert door.closed is None
    room.session.note_summary(SummaryReady("You did well.", ()))
    await until(lambda: door.closed == 1000)
    assert [type(event) for event in door.events][-2:] == [SessionEnded, SummaryReady]


async def test_closing_on_purpose_ends_and_losing_the_network_does_not(room: Room) -> None:
    door = room.enter()
    room.session.detach(door, finished=False)
    await asyncio.sleep(0.02)
    assert room.keeper.ended is None
    door = room.enter(resumed=True)
    room.session.detach(door, finished=True)
    await until(lambda: room.session.ended.is_set())
    assert room.keeper.ended == "finished"


async def test_nobody_coming_back_abandons_the_session() -> None:
    room = Room(grace_s=0.05)
    await room.session.open()
    await until(lambda: room.session.ended.is_set())
    assert room.keeper.ended == "abandoned"
    assert room.engine.legs[0].closed


async def test_a_broken_engine_is_replaced_with_the_same_memory(room: Room) -> None:
    door = room.enter()
    room.session.receive(door, CreateItem(item_id="a", text="hi", pcm=None))
    room.engine.breaks, room.engine.away = True, 1
    room.session.receive(door, CreateResponse())
    await until(lambda: door.of(EngineChanged), within_s=4)
    assert room.engine.legs[0].closed
    assert room.engine.memories == [0, 1]
    room.session.receive(door, CreateResponse())
    await until(lambda: len(room.keeper.items()) == 2)


async def test_letting_go_flushes_and_leaves_the_session_resumable(room: Room) -> None:
    door = room.enter()
    room.session.receive(door, CreateItem(item_id="a", text="a", pcm=None))
    await room.session.close(1001, "restart")
    assert door.closed == 1001
    assert room.keeper.items() == ["a"] and room.keeper.ended is None


async def test_a_refusal_goes_to_the_one_who_asked(room: Room) -> None:
    door = room.enter()
    room.session.receive(door, RetrieveItem(item_id="no", event_id="e1"))
    refused = door.of(CommandRefused)[0]
    assert (refused.event_id, refused.code) == ("e1", "item_not_found")


async def test_audio_far_ahead_of_time_pauses_the_reading(room: Room) -> None:
    door = room.enter()
    assert room.session.hear(door, silence(1_000)) == 0.0
    assert room.session.hear(door, silence(70_000)) > 5
    assert len(room.engine.legs[0].heard) == 71_000 * 48
