"""Who gets into which session, with a real record behind it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ai.engine import Ask
from ai.events import Used
from ai.prices import Prices
from sessions.bus import Bus
from sessions.errors import (
    ServerIsFull,
    SessionIsOver,
    SessionUnknown,
    SessionWaits,
    TooManyReaders,
    TooManySessions,
)
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.plan import read_plan
from sessions.live.audience import MOST
from sessions.live.choice import alone
from sessions.live.events import (
    CreateItem,
    CreateResponse,
    ItemDone,
    SummaryReady,
    UpdateSession,
)
from sessions.live.lobby import Lobby, LobbySettings
from sessions.live.saver import CHECKPOINT_S
from sessions.live.session import Session
from sessions.record import sessions as record
from sessions.record.model import Usage
from sessions.review import overrides
from sessions.review.override import Content, Target
from tenancy import quota
from tenancy.audit import By
from tenancy.errors import LimitReached
from tenancy.ids import new_id
from tenancy.model import Caller, NotAllowed, Person
from tenancy.postgres import Connection, Database
from tests.conftest import School
from tests.sessions.live.room import Door, EchoEngine, EchoLeg, until

PLAN = """
title: Halves
subject: maths
level: year 4
language: en
goal: Know a half when you see one.
opening: Hello.
closing: Well done.
steps:
  - ask: What part is two of four?
    answers: [{kind: number, text: 2/4}]
    hints: [Count all the slices first.]
    solution: Two of four is 2/4.
"""


class Place:
    """A school with a lesson, and processes that serve it."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        self.student = school.student
        self.lobbies: list[Lobby] = []
        self.engines: list[EchoEngine] = []

    def process(self, settings: LobbySettings | None = None, **more: Any) -> Lobby:
        """A server process; to kill one, just forget it."""
        self.engines.append(EchoEngine())
        worker = Worker(self.database, {})
        lobby = Lobby(self.database, alone(self.engines[-1]), Bus(), worker, settings, **more)
        self.lobbies.append(lobby)
        return lobby

    def caller(self, person: Person | None = None, lesson: str | None = None) -> Caller:
        return Caller(person or self.student, UUID(int=1), "bearer", lesson=lesson)

    async def enter(self, lobby: Lobby, session: UUID | None = None) -> tuple[Session, Door, bool]:
        """Connect the student."""
        entered, resumed = await lobby.enter(self.caller(), lesson="halves", session=session)
        door = Door(self.student)
        entered.attach(door, after=None, resumed=resumed)
        return entered, door, resumed


@pytest.fixture
async def place(database: Database, school: School) -> AsyncIterator[Place]:
    author = school.instructor.id
    made = await store.create(database, school.tenant.id, read_plan(PLAN), "halves", author)
    await store.publish(database, school.tenant.id, made.lesson_id, made.version_id, author)
    await store.assign(database, school.tenant.id, made.lesson_id, author)
    place = Place(database, school)
    yield place
    for lobby in place.lobbies:
        await lobby.close(5.0)


async def test_a_late_sign_of_life_is_no_absence(place: Place) -> None:
    """A session with the shortest grace is closed by nobody else while its student is there."""
    session, _, _ = await place.enter(place.process(LobbySettings(grace_s=CHECKPOINT_S)))
    row = await record.get(place.database, place.school.tenant.id, session.id)

    async def due(connection: Connection) -> datetime:
        due_at = await connection.fetchval(
            "SELECT due_at FROM control.jobs WHERE tenant_id = $1 AND kind = $2 AND key = $3",
            place.school.tenant.id,
            record.CLOSE_ABANDONED,
            str(session.id),
        )
        assert isinstance(due_at, datetime)
        return due_at

    waits = await place.database.run(place.school.tenant.id, due) - row.started_at
    assert waits >= timedelta(seconds=3 * CHECKPOINT_S)


def cues(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the tutor is asked for from now on."""
    seen: list[str] = []
    answer = EchoLeg.answer

    def listen(leg: EchoLeg, ask: Ask) -> None:
        seen.append(ask.cue)
        answer(leg, ask)

    monkeypatch.setattr(EchoLeg, "answer", listen)
    return seen


async def test_after_a_kill_the_item_is_there_and_the_lesson_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = cues(place, monkeypatch)
    killed = place.process()
    session, door, _ = await place.enter(killed)
    session.receive(door, CreateResponse(output_modalities=("text",)))
    session.receive(door, CreateItem(item_id="mine", text="One half", pcm=None))
    await until(lambda: len(door.of(ItemDone)) == 2)

    after, back, resumed = await place.enter(place.process(), session.id)
    after.receive(back, UpdateSession())
    assert resumed and after is not session
    assert [event.item.said for event in back.of(ItemDone)] == ["What part?", "One half"]
    assert place.engines[1].memories == [2]
    after.receive(back, CreateResponse(output_modalities=("text",)))
    after.receive(back, CreateResponse(output_modalities=("text",)))
    assert asked == ["opening", "student", "silence"]
    await until(lambda: len(back.of(ItemDone)) == 4)

    session.receive(door, CreateItem(item_id="late", text="I am a ghost", pcm=None))
    await until(lambda: door.closed == 4001)
    kept = await record.items(place.database, place.student.tenant_id, session.id)
    assert [item.id for item in kept].count("late") == 0 and len(kept) == 4


async def test_after_a_kill_in_the_tutors_turn_the_student_is_welcomed_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = cues(place, monkeypatch)
    session, door, _ = await place.enter(place.process())
    session.receive(door, CreateResponse())
    await until(lambda: door.of(ItemDone))
    after, back, _ = await place.enter(place.process(), session.id)
    after.receive(back, CreateResponse())
    assert asked == ["opening", "resumed"]


async def corrected(place: Place, lobby: Lobby, session: Session) -> None:
    """The instructor corrects what the student typed."""
    author = place.school.instructor
    draft = await overrides.draft(
        place.database, author, session.id, Target("words", "mine"), Content("One third"),
        ["asr_misheard"],
    )  # fmt: skip
    await overrides.publish(place.database, lobby._bus, author, session.id, draft.id)


async def test_a_correction_is_known_to_who_comes_back_and_to_the_next_leg(place: Place) -> None:
    lobby = place.process()
    session, door, _ = await place.enter(lobby)
    session.receive(door, CreateItem(item_id="mine", text="One half", pcm=None))
    await until(lambda: door.of(ItemDone))
    await corrected(place, lobby, session)
    for where in (lobby, place.process()):
        again, back, _ = await place.enter(where, session.id)
        again.receive(back, UpdateSession())
        (done,) = back.of(ItemDone)
        assert done.item.said == "One third"
        assert done.item.corrected and done.item.corrected.by == place.school.instructor.name
        (said,) = again.conversation.memory()
        assert said.text == "One third"
        assert [item.said for item in again.items] == ["One half"], "the record stays"


async def test_a_correction_while_a_session_is_picked_up_is_not_missed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, door, _ = await place.enter(place.process())
    session.receive(door, CreateItem(item_id="mine", text="One half", pcm=None))
    await until(lambda: door.of(ItemDone))
    lobby, brief_text = place.process(), record.brief_text

    async def late(*args: Any) -> str:
        await corrected(place, lobby, session)
        return await brief_text(*args)

    monkeypatch.setattr("sessions.live.lobby.record.brief_text", late)
    again, _, _ = await place.enter(lobby, session.id)
    (said,) = again.conversation.memory()
    assert said.text == "One third"


async def test_two_resumes_at_once_share_one_session(place: Place) -> None:
    session, _, _ = await place.enter(place.process())
    lobby = place.process()
    (one, first, _), (two, second, _) = await asyncio.gather(
        place.enter(lobby, session.id), place.enter(lobby, session.id)
    )
    assert one is two and one.ref.epoch == session.ref.epoch + 1
    assert {first.closed, second.closed} == {4001, None}


async def test_the_end_of_a_session_that_was_taken_is_not_the_end_of_its_successor(
    place: Place,
) -> None:
    lobby = place.process()
    old, door, _ = await place.enter(lobby)
    lobby._live.clear()  # as if it had come back from another process
    new, _, _ = await place.enter(lobby, old.id)
    old.receive(door, CreateItem(item_id="x", text="x", pcm=None))
    await until(lambda: old.ended.is_set())
    assert lobby.live(old.id) is new and not new.ended.is_set()


async def test_whoever_is_still_coming_in_when_the_server_stops_is_sent_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby = place.process()
    at_the_door, go = asyncio.Event(), asyncio.Event()
    start = record.start

    async def slow(*args: object, **more: object) -> object:
        row = await start(*args, **more)  # type: ignore[arg-type]
        at_the_door.set()
        await go.wait()
        return row

    monkeypatch.setattr("sessions.live.lobby.record.start", slow)
    coming = asyncio.create_task(place.enter(lobby))
    await at_the_door.wait()
    await lobby.close(5.0)
    go.set()
    with pytest.raises(ServerIsFull):
        await coming
    assert len(lobby) == 0 and place.engines[0].legs[0].closed


async def test_being_there_keeps_a_quiet_session_alive(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.live.saver.CHECKPOINT_S", 0.02)
    lobby = place.process()
    session, door, _ = await place.enter(lobby)
    session.detach(door, finished=False)
    await place.enter(lobby, session.id)

    async def seen() -> float:
        row = await record.get(place.database, place.student.tenant_id, session.id)
        return row.last_seen_at.timestamp()

    before = await seen()
    await asyncio.sleep(0.2)
    assert await seen() > before


async def test_an_orphan_goes_on_unless_a_fresh_one_is_wanted_and_one_connected_is_left_alone(
    place: Place,
) -> None:
    lobby = place.process()
    first, door, resumed = await place.enter(lobby)
    assert not resumed
    second, other, resumed = await place.enter(lobby)
    assert second is not first and not resumed, "the first is in use"
    first.detach(door, finished=False)
    third, door, resumed = await place.enter(lobby)
    assert third is first and resumed
    third.detach(door, finished=False)
    fresh, resumed = await lobby.enter(place.caller(), lesson="halves", fresh=True)
    assert fresh not in (first, second) and not resumed
    with pytest.raises(TooManySessions):
        await lobby.enter(place.caller(), lesson="halves", fresh=True)
    second.detach(other, finished=True)
    await until(second.ended.is_set)
    with pytest.raises(SessionIsOver):
        await place.enter(lobby, second.id)


async def test_where_the_school_has_reached_a_limit_nobody_begins_and_who_left_comes_back(
    place: Place,
) -> None:
    lobby, tenant_id = place.process(), place.student.tenant_id
    session, door, _ = await place.enter(lobby)
    await quota.change(place.database, tenant_id, {"sessions": 1, "minutes_day": 0}, by=By())
    for limits in ({"sessions": 1}, {"sessions": None}):
        await quota.change(place.database, tenant_id, limits, by=By())
        lobby.quota.forget(tenant_id)
        for begins in (
            lobby.check(place.caller(), lesson="halves"),
            lobby.enter(place.caller(), lesson="halves", fresh=True),
        ):
            with pytest.raises(LimitReached):
                await begins
    session.detach(door, finished=False)
    again, _, resumed = await place.enter(lobby)
    assert again is session and resumed


async def test_use_is_kept_at_the_price_that_the_school_has_set(place: Place) -> None:
    prices = Prices("", {"text_tokens_in": 1}, {"m": {"text_tokens_in": 3}})
    lobby = place.process(prices=prices)
    tenant_id = place.student.tenant_id
    await quota.change(place.database, tenant_id, {"price_factor_permille": 2_000}, by=By())
    session, door, _ = await place.enter(lobby)
    place.engines[-1].legs[-1].report(Used("text_tokens_in", 5, "m"))
    session.detach(door, finished=True)
    await until(session.ended.is_set)
    used = await record.usage_of(place.database, tenant_id, session.id)
    assert [one for one in used if one.model] == [
        Usage("offline", "text_tokens_in", 5, "m", 15, 30)
    ]


async def test_a_session_is_its_students_own_and_a_key_its_lessons(
    place: Place, other_school: School
) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(lobby)
    for person in (place.school.instructor, other_school.student):
        with pytest.raises(SessionUnknown):
            await lobby.enter(place.caller(person), lesson=None, session=session.id)
    with pytest.raises(NotAllowed):
        await lobby.enter(place.caller(lesson="photosynthesis"), lesson=None, session=session.id)


async def test_a_check_refuses_what_entering_would_and_begins_nothing(
    place: Place, other_school: School
) -> None:
    lobby = place.process(LobbySettings(live_per_student=1, sessions=2))
    version = await lobby.check(place.caller(), lesson="halves")
    assert version is not None and version.slug == "halves"
    assert await lobby.check(place.caller(), lesson=None) is None
    assert len(lobby) == 0
    with pytest.raises(store.LessonUnknown):
        await lobby.check(place.caller(), lesson="quarters")
    with pytest.raises(NotAllowed):
        await lobby.check(place.caller(lesson=str(new_id())), lesson="halves")

    session, door, _ = await place.enter(lobby)
    for lesson in ("halves", None):
        with pytest.raises(TooManySessions):
            await lobby.check(place.caller(), lesson=lesson)
    await lobby.check(place.caller(), lesson=None, session=session.id)
    await lobby.check(place.caller(place.school.tutor), lesson=None, session=session.id)
    for person in (place.school.parent, other_school.student):
        with pytest.raises(SessionUnknown):
            await lobby.check(place.caller(person), lesson=None, session=session.id)
    session.detach(door, finished=False)
    await lobby.check(place.caller(), lesson="halves")  # it would go on

    full = place.process(LobbySettings(sessions=0))
    for named in (None, session.id):
        with pytest.raises(ServerIsFull):
            await full.check(place.caller(), lesson=None, session=named)
    full.closing = True
    with pytest.raises(ServerIsFull):
        await full.check(place.caller(), lesson="halves")

    _, door, resumed = await place.enter(lobby)
    assert resumed
    session.detach(door, finished=True)
    for here in (lobby, full):
        full.closing = False
        await until(session.ended.is_set)
        with pytest.raises(SessionIsOver):
            await here.check(place.caller(), lesson=None, session=session.id)


# ---- reading along -----------------------------------------------------------------------------


async def test_who_looks_after_a_student_reads_along_and_nobody_else_knows_of_it(
    place: Place, school: School, other_school: School
) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(lobby)
    for person in (school.tutor, school.instructor, school.admin):
        assert await lobby.follow(place.caller(person), session.id) is session
    assert await lobby.follow(place.caller(), session.id) is None
    for person in (school.parent, *other_school.people):
        sentences = set()
        for wanted in (session.id, UUID(int=7)):
            with pytest.raises(SessionUnknown) as refused:
                await lobby.follow(place.caller(person), wanted)
            sentences.add(str(refused.value).replace(str(wanted), "…"))
            with pytest.raises(SessionUnknown) as refused:
                await lobby.enter(place.caller(person), lesson=None, session=wanted)
            sentences.add(str(refused.value).replace(str(wanted), "…"))
        assert len(sentences) == 1, person.name


async def test_an_own_session_is_gone_on_with_not_followed(place: Place, school: School) -> None:
    lobby = place.process()
    mine, _ = await lobby.enter(place.caller(school.tutor), lesson="halves")
    assert await lobby.follow(place.caller(school.tutor), mine.id) is None


async def test_a_key_for_another_lesson_follows_none(place: Place, school: School) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(lobby)
    assert await lobby.follow(place.caller(school.tutor, "halves"), session.id) is session
    with pytest.raises(NotAllowed):
        await lobby.follow(place.caller(school.tutor, "thirds"), session.id)


async def test_a_reader_wakes_no_session(place: Place, school: School) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(place.process())
    before = await record.get(place.database, school.tenant.id, session.id)
    with pytest.raises(SessionWaits):
        await lobby.follow(place.caller(school.tutor), session.id)
    assert len(lobby) == 0
    after = await record.get(place.database, school.tenant.id, session.id)
    assert (after.epoch, after.status) == (before.epoch, "live")


async def test_what_is_over_is_not_followed(place: Place, school: School) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(lobby)
    session.end("finished")
    with pytest.raises(SessionIsOver):
        await lobby.follow(place.caller(school.tutor), session.id)
    session.note_summary(SummaryReady("Well done.", ()))
    await until(lambda: len(lobby) == 0)
    with pytest.raises(SessionIsOver, match="finished"):
        await lobby.follow(place.caller(school.tutor), session.id)


async def test_one_reader_too_many_is_asked_to_come_later(place: Place, school: School) -> None:
    lobby = place.process()
    session, _, _ = await place.enter(lobby)
    for _ in range(MOST):
        session.follow(Door(school.tutor), after=None)
    with pytest.raises(TooManyReaders):
        await lobby.follow(place.caller(school.admin), session.id)


async def test_an_author_tries_a_draft_beside_their_lessons(place: Place) -> None:
    school, lobby = place.school, place.process()
    (lesson,) = await store.list_for(place.database, school.instructor)
    trial = await store.keep_trial(
        place.database, school.tenant.id, lesson.lesson_id, lesson.plan, school.instructor.id
    )
    first = await lobby.begin_trial(school.instructor, trial, "text")
    assert first.view().sandbox and first.orphaned_at is not None
    entered, resumed = await lobby.enter(
        place.caller(school.instructor), lesson=None, session=first.id
    )
    assert entered is first and resumed
    again = await lobby.begin_trial(school.instructor, trial, "voice")
    await first.ended.wait()
    assert (await record.get(place.database, school.tenant.id, first.id)).status == "ended"
    assert lobby.live(again.id) is again
    assert await record.count_live(place.database, school.tenant.id, school.instructor.id) == 0
    for person in (school.student, school.tutor, school.parent):
        with pytest.raises(NotAllowed, match="tried by teachers"):
            await lobby.begin_trial(person, trial, "text")
