"""Sessions to test the record with: `begin` starts one, `turn` makes an item of it."""

import pytest

from sessions.lessons import store
from sessions.lessons.brief import SchoolPolicy, StudentFacts, brief_text, compile
from sessions.lessons.plan import Plan
from sessions.record import sessions
from sessions.record.model import Item, SessionRef
from tenancy.ids import new_id

GRACE_S = 600.0


def step(ask):
    return {
        "ask": ask,
        "answers": [{"kind": "number", "text": "2/4"}],
        "hints": ["Count the slices."],
        "solution": "It is 2/4.",
    }


PLAN = Plan.model_validate(
    {
        "title": "Fractions as parts",
        "subject": "Mathematics",
        "goal": "Say what part of a whole is shown.",
        "steps": [step("How many halves?"), step("How many quarters?"), step("And eighths?")],
    }
)
BRIEF = compile(PLAN, school=SchoolPolicy(), student=StudentFacts("Zoë Quince"))


@pytest.fixture
def make_lesson(database):
    """Makes another lesson of a school."""

    async def make_lesson(school):
        slug = f"lesson-{new_id().hex}"
        author = school.instructor.id
        return await store.create(database, school.tenant.id, PLAN, slug, author)

    return make_lesson


@pytest.fixture
def lesson_of(make_lesson):
    """A school's lesson, the same at each call."""
    known = {}

    async def lesson_of(school):
        if school.tenant.id not in known:
            known[school.tenant.id] = await make_lesson(school)
        return known[school.tenant.id]

    return lesson_of


@pytest.fixture
def begin(database, lesson_of):
    """Starts a session of a school's student and gives its writer's reference."""

    async def begin(school, **changed):
        row = await sessions.start(
            database,
            **{
                "tenant_id": school.tenant.id,
                "student_id": school.student.id,
                "lesson": changed.get("lesson") or await lesson_of(school),
                "brief_hash": BRIEF.hash,
                "brief_text": brief_text(BRIEF),
                "sandbox": False,
                "mode": "text",
                "engine": "offline",
                "grace_s": GRACE_S,
                **changed,
            },
        )
        return SessionRef(school.tenant.id, row.id, row.epoch)

    return begin


@pytest.fixture
def turn():
    """Makes an item: odd positions are the tutor's, even ones the student's."""

    def turn(position, said="Hello", **changed):
        student = position % 2 == 0
        return Item(
            **{
                "id": f"item_{position}",
                "role": "user" if student else "assistant",
                "speaker": "student" if student else "ai",
                "kind": "text",
                "position": position,
                "status": "completed",
                "said": said,
                "started_ms": position * 1_000,
                "ended_ms": position * 1_000 + 500,
                "engine": None if student else "offline",
                **changed,
            }
        )

    return turn
