"""A typed lesson with the official client, from its opening to its place in the record."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import websockets

from sessions.lessons.plan import Plan, read_plan
from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "sessions" / "lessons" / "demo"
LESSON = "linear-equations"


def plan() -> Plan:
    return read_plan((DEMO / f"{LESSON}.yaml").read_text())


async def test_a_typed_lesson_is_led_to_its_end_and_stays_in_its_schools_record(
    place: Place,
) -> None:
    began = time.monotonic()
    steps = plan().steps
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        session = await pupil.begins("text")
        await connection.response.create()
        opening = await pupil.answer()
        assert steps[0].ask in opening
        assert pupil.step == 1

        wrong = await pupil.types("13")
        assert steps[0].misconceptions[0].response in wrong
        unsure = await pupil.types("I don't know")
        assert steps[0].hints[0] in unsure
        assert pupil.step == 1

        for number, step in enumerate(steps, start=1):
            assert pupil.step == number
            right = await pupil.types(step.answers[0].text)
            assert step.praise in right
        assert plan().closing.strip() in right
        assert pupil.seen("lesson.progress")[-1]["status"] == "lesson_done"
        ended = await pupil.finishes()
        assert ended["reason"] == "finished"
        with pytest.raises(websockets.ConnectionClosedOK):
            await connection.recv()
    lasted_ms = (time.monotonic() - began) * 1000
    check_record(place, pupil, session, lasted_ms)


def check_record(place: Place, pupil: Pupil, session: UUID, lasted_ms: float) -> None:
    card = place.read(f"/sessions/{session}")
    assert (card["status"], card["end_reason"], card["mode"]) == ("ended", "finished", "text")
    assert 0 < card["wall_ms"] <= lasted_ms
    assert (card["student_speech_ms"], card["tutor_speech_ms"]) == (0, 0)
    assert card["silence_ms"] == card["wall_ms"]
    assert card["engines"] == ["offline"]

    items = place.read(f"/sessions/{session}/transcript")["items"]
    assert [item["id"] for item in items] == pupil.done
    assert [item["said"] for item in items] == [said(event) for event in saved(pupil)]
    assert all(item["heard"] == item["said"] for item in items if item["role"] == "assistant")

    summary = place.read(f"/sessions/{session}/summary")
    assert summary["status"] == "ready"
    linked = {item_id for part in summary["narrative"] for item_id in part["item_ids"]}
    assert linked and linked <= set(pupil.done)
    narrative = pupil.seen("session.summary")[0]["narrative"]
    assert summary["narrative"][0]["text"] in narrative

    assert isinstance(place.read(f"/sessions/{session}/usage")["items"], list)
    for reader in ("instructor", "student"):
        page = place.read("/sessions", place.token(reader))
        assert str(session) in [one["id"] for one in page["items"]]


def saved(pupil: Pupil) -> list[dict[str, Any]]:
    return pupil.seen("conversation.item.done")


def said(event: dict[str, Any]) -> str:
    (part,) = event["item"]["content"]
    return str(part["text"])


async def test_another_school_sees_nothing_of_it(place: Place) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        session = await pupil.begins("text")
        await pupil.types("7")
        outsider = place.outsider()
        assert place.read("/sessions", outsider)["items"] == []
        for part in ("", "/transcript", "/summary", "/usage"):
            assert place.get(f"/sessions/{session}{part}", outsider)[0] == 404
            assert place.get(f"/sessions/{session}{part}")[0] == 200
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(
                f"ws://{place.server.address}/v1/realtime?session=sess_{session.hex}",
                additional_headers={"Authorization": f"Bearer {outsider}"},
            )
        assert refused.value.response.status_code == 404
