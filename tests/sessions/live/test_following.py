"""Reading along with a running session: what a reader gets, and that the lesson does not mind."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ai.audio import silence
from ai.engine import Ask
from ai.events import Spoke
from sessions.live.audience import MOST
from sessions.live.events import (
    AudioDelta,
    CommandRefused,
    CreateItem,
    CreateResponse,
    ItemAdded,
    ItemDone,
    LessonProgressed,
    Notice,
    PresenceChanged,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SummaryReady,
    TextDelta,
    UpdateSession,
)
from sessions.record.model import SessionTaken
from tenancy.model import Person
from tests.sessions.live.room import Door, EchoLeg, Room, until


def reader(name: str = "Tayo Okafor") -> Door:
    return Door(Person(uuid4(), uuid4(), name, "t@example.org", frozenset({"tutor"})))


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    await room.session.open()
    yield room
    await room.session.close(1001, "test over")


def follow(room: Room, door: Door | None = None, after: str | None = None) -> Door:
    """A reader whose page has said its first word, and so has its replay."""
    door = door or reader()
    room.session.follow(door, after=after)
    room.session.receive(door, UpdateSession())
    return door


async def say(room: Room, door: Door, *names: str) -> None:
    for name in names:
        room.session.receive(door, CreateItem(item_id=name, text=name, pcm=None))
    await until(lambda: {e.item.id for e in door.of(ItemDone)} >= set(names))


async def test_a_reader_gets_the_whole_conversation_and_then_what_happens(room: Room) -> None:
    student = room.enter()
    await say(room, student, "a", "b")
    door = follow(room)
    created = door.of(SessionCreated)[0]
    assert created.resumed and created.resumed.complete
    assert created.session.read_only and not created.session.binary
    kinds = [type(event) for event in door.events]
    assert kinds[:2] == [SessionCreated, SessionUpdated]
    assert [event.item.said for event in door.of(ItemAdded)] == [
        "a", "b", "Tayo Okafor is reading along.",
    ]  # fmt: skip
    assert door.of(LessonProgressed)
    assert door.of(PresenceChanged)[-1].people[0].name == "Tayo Okafor"
    await say(room, student, "c")
    await until(lambda: [e.item.id for e in door.of(ItemDone)][-1] == "c")


async def test_a_reader_who_comes_back_gets_what_they_missed(room: Room) -> None:
    student = room.enter()
    await say(room, student, "a", "b")
    first = follow(room)
    room.session.detach(first, finished=True)
    again = Door(first.person)
    follow(room, again, after="a")
    assert "a" not in {event.item.id for event in again.of(ItemAdded)}
    assert [e.item.said for e in student.of(ItemAdded)][2:] == ["Tayo Okafor is reading along."]


async def test_the_student_is_told_and_it_is_kept(room: Room) -> None:
    student = room.enter()
    follow(room)
    (note,) = student.of(ItemAdded)
    assert note.item.said == "Tayo Okafor is reading along."
    await until(lambda: student.of(ItemDone))
    assert room.keeper.items() == [note.item.id]


async def test_a_reader_reads_the_answer_and_hears_nothing(room: Room) -> None:
    student, door = room.enter(), follow(room)
    room.session.receive(student, UpdateSession(binary=True))
    room.session.receive(student, CreateResponse())
    await until(lambda: student.of(AudioDelta))
    assert [delta.delta for delta in door.of(TextDelta)] == ["What part?"]
    assert not door.of(AudioDelta)
    assert student.of(SessionUpdated)[-1].session.binary
    assert not any(event.session.binary for event in door.of(SessionUpdated))


async def test_a_reader_comes_into_the_middle_of_an_answer(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(leg: EchoLeg, ask: Ask) -> None:
        leg.report(Spoke(ask.answer, "What part", b""))

    monkeypatch.setattr(EchoLeg, "answer", begin)
    student = room.enter()
    room.session.receive(student, CreateResponse(output_modalities=("text",)))
    door = follow(room)
    room.engine.legs[0].report(Spoke(student.of(TextDelta)[0].response_id, "is it?", b""))
    assert door.of(ItemAdded)[0].item.said == "What part"
    assert [delta.delta for delta in door.of(TextDelta)] == [" is it?"]


async def test_what_a_reader_sends_is_refused_and_reaches_nobody(room: Room) -> None:
    student, door = room.enter(), follow(room)
    heard = room.engine.legs[0].heard
    room.session.receive(door, CreateItem(event_id="e1", item_id="x", text="Psst!", pcm=None))
    assert room.session.hear(door, silence(100), "e2") == 0.0
    refused = [(event.event_id, event.code) for event in door.of(CommandRefused)]
    assert refused == [("e1", "read_only"), ("e2", "read_only")]
    assert "x" not in room.session.conversation.log
    assert room.engine.legs[0].heard == heard
    assert not student.of(CommandRefused)


async def test_a_readers_wishes_change_nothing_for_the_student(room: Room) -> None:
    student, door = room.enter(), reader()
    room.session.follow(door, after=None)
    room.session.receive(door, UpdateSession(output_modalities=("text",), binary=True))
    assert door.of(SessionUpdated)[0].session.output_modalities == ("audio",)
    assert not student.of(SessionUpdated)


async def test_a_reader_takes_nothing_over_and_a_leaving_one_ends_nothing(room: Room) -> None:
    student, door = room.enter(), follow(room)
    assert student.closed is None
    room.session.detach(door, finished=True)
    await asyncio.sleep(0.02)
    assert room.session.orphaned_at is None and room.keeper.ended is None
    await say(room, student, "a")


async def test_the_student_takes_over_only_their_own_connection(room: Room) -> None:
    student, door = room.enter(), follow(room)
    second = room.enter(resumed=True)
    assert (student.closed, door.closed, second.closed) == (4001, None, None)
    await say(room, second, "a")
    await until(lambda: [e.item.id for e in door.of(ItemDone)][-1:] == ["a"])


async def test_a_session_with_readers_only_is_orphaned_and_ends_as_before() -> None:
    room = Room(grace_s=0.1)
    await room.session.open()
    student, door = room.enter(), follow(room)
    room.session.detach(student, finished=False)
    assert room.session.orphaned_at is not None
    await until(lambda: door.of(SessionEnded))
    assert room.keeper.ended == "abandoned"
    room.session.note_summary(SummaryReady("Well.", ()))
    await until(lambda: door.closed == 1000)
    assert door.of(SummaryReady)


async def test_a_student_whose_first_connection_comes_after_a_readers_gets_the_note(
    room: Room,
) -> None:
    follow(room)
    student = room.enter(resumed=False)
    room.session.receive(student, UpdateSession())
    assert [event.item.said for event in student.of(ItemAdded)] == ["Tayo Okafor is reading along."]


async def test_no_more_read_along_than_may(room: Room) -> None:
    room.enter()
    doors = [follow(room) for _ in range(MOST)]
    late = reader()
    room.session.follow(late, after=None)
    assert late.closed == 1008 and late.of(Notice)[0].code == "too_many_readers"
    assert not late.of(SessionCreated)
    room.session.detach(doors[0], finished=False)
    room.session.follow(late := reader(), after=None)
    assert late.closed is None


async def test_who_comes_too_late_is_turned_away(room: Room) -> None:
    room.enter()
    room.session.end("finished")
    door = reader()
    room.session.follow(door, after=None)
    assert door.closed == 1000 and not door.of(SessionCreated)


async def test_when_another_process_has_the_session_readers_look_for_it_there(room: Room) -> None:
    student, door = room.enter(), follow(room)
    room.keeper.trouble = SessionTaken()
    room.session.receive(student, CreateItem(item_id="a", text="a", pcm=None))
    await until(lambda: room.session.ended.is_set())
    assert (student.closed, door.closed) == (4001, 1001)
