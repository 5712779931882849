"""What the school hears of a running session, and only once it is saved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest

from sessions.bus import Bus, school_topic
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.plan import read_plan
from sessions.live.choice import alone
from sessions.live.keeper import Announcing, Keeper
from sessions.live.lobby import Lobby
from sessions.news import SessionChanged
from sessions.record.model import Batch, Progress, SessionRef, SessionRow
from tenancy.ids import new_id
from tenancy.model import Caller
from tenancy.postgres import Database
from tests.conftest import School
from tests.sessions.live.room import EchoEngine, MemoryKeeper, until
from tests.sessions.live.test_lobby import PLAN


@dataclass
class Row:
    """As much of a session's row as news are made of."""

    sandbox: bool = False
    id: UUID = field(default_factory=new_id)
    student_id: UUID = field(default_factory=new_id)
    progress: Progress = field(default_factory=lambda: Progress(0, 3))


class Told:
    """A kept session, and what its school heard."""

    def __init__(self, row: Row) -> None:
        self.ref, bus = SessionRef(new_id(), row.id, 1), Bus()
        self.memory = MemoryKeeper()
        self.keeper = Announcing(cast(Keeper, self.memory), bus, cast(SessionRow, row))
        self.heard: list[Any] = []
        bus.subscribe(school_topic(self.ref.tenant_id), self.heard.append)

    async def save(self, step: int) -> None:
        await self.keeper.append(self.ref, Batch(progress=Progress(step, 3)))


async def test_a_new_step_is_told_once() -> None:
    row = Row()
    told = Told(row)
    for step in (0, 1, 1, 2):
        await told.save(step)
    assert told.heard == [SessionChanged(row.id, row.student_id, "live")] * 2


async def test_what_is_not_saved_is_not_told() -> None:
    told = Told(Row())
    told.memory.trouble = OSError("away")
    with pytest.raises(OSError, match="away"):
        await told.save(1)
    with pytest.raises(OSError, match="away"):
        await told.keeper.end(told.ref, "finished", Batch())
    assert told.heard == []
    told.memory.trouble = None
    await told.save(1)
    await told.keeper.end(told.ref, "finished", Batch())
    assert [news.status for news in told.heard] == ["live", "ended"]


async def test_of_a_trial_the_school_hears_nothing() -> None:
    told = Told(Row(sandbox=True))
    await told.save(1)
    await told.keeper.end(told.ref, "finished", Batch())
    assert told.heard == []


@pytest.fixture
async def lobby(database: Database) -> AsyncIterator[tuple[Lobby, Bus]]:
    bus = Bus()
    lobby = Lobby(database, alone(EchoEngine()), bus, Worker(database, {}))
    yield lobby, bus
    await lobby.close(5.0)


async def test_a_school_hears_of_its_own_sessions_from_the_start_to_the_end(
    database: Database, school: School, other_school: School, lobby: tuple[Lobby, Bus]
) -> None:
    live, bus = lobby
    heard: dict[UUID, list[object]] = {}
    for one in (school, other_school):
        author = one.instructor.id
        made = await store.create(database, one.tenant.id, read_plan(PLAN), "halves", author)
        await store.publish(database, one.tenant.id, made.lesson_id, made.version_id, author)
        await store.assign(database, one.tenant.id, made.lesson_id, author)
        heard[one.tenant.id] = []
        bus.subscribe(school_topic(one.tenant.id), heard[one.tenant.id].append)
    caller = Caller(school.student, UUID(int=1), "bearer")
    session, _ = await live.enter(caller, lesson="halves")
    started = SessionChanged(session.id, school.student.id, "live")
    assert heard == {school.tenant.id: [started], other_school.tenant.id: []}
    session.end("finished")
    await until(session.ended.is_set)
    ended = SessionChanged(session.id, school.student.id, "ended")
    assert heard == {school.tenant.id: [started, ended], other_school.tenant.id: []}
