"""A held session to correct: `held` is over and summed up, `correct` corrects it as the tutor."""

import pytest

from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.record import sessions
from sessions.record.model import Batch, Progress
from sessions.record.work import handlers
from sessions.review import overrides
from sessions.review.override import Content, Target
from tests.sessions.record import conftest as record

make_lesson, lesson_of, begin, turn = (
    record.make_lesson,
    record.lesson_of,
    record.begin,
    record.turn,
)


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def worker(database, bus):
    return Worker(database, handlers(database, bus))


@pytest.fixture
def hold(database, begin, turn, worker):
    """Holds a school's session of four items to its end, and has it summed up."""

    async def hold(school, **changed):
        ref = await begin(school, **changed)
        items = (
            turn(1, "How many halves?"),
            turn(2, "too"),
            turn(3, "Yes."),
            turn(4, "four"),
        )
        batch = Batch(items=items, progress=Progress(1, 3, "asking"))
        await sessions.end(database, ref, "finished", batch)
        await worker.run_due()
        return ref

    return hold


@pytest.fixture
async def held(hold, school):
    return await hold(school)


@pytest.fixture
def draft(database, school, held):
    """Begins a correction, as the tutor unless somebody else is named."""

    async def draft(kind="words", target="item_2", new="two", *, replaces=None, author=None):
        return await overrides.draft(
            database,
            author or school.tutor,
            held.session_id,
            Target(kind, target),
            Content(speaker=new) if kind == "speaker" else Content(new),
            ["other"],
            "because",
            replaces,
        )

    return draft


@pytest.fixture
def publish(database, bus, school, held):
    """Publishes a draft of the tutor's, or somebody else's."""

    async def publish(made, author=None):
        return await overrides.publish(
            database, bus, author or school.tutor, held.session_id, made.id
        )

    return publish
