"""A tutor corrects a lesson, and everyone who reads of it gets the correction: over the wire."""

import csv
import io
import json
import time
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LESSON = "linear-equations"


def write(place: Place, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and body of a change."""
    bearer = {"Authorization": f"Bearer {place.token(who)}"}
    status, _, answer = place.server.request(method, f"/api/v1{path}", body, headers=bearer)
    return status, json.loads(answer) if answer else None


def correct(place: Place, session: UUID, kind: str, target: str, text: str, why: str) -> Any:
    """The tutor corrects something, and publishes that."""
    path = f"/sessions/{session}/overrides"
    body = {"target": {"kind": kind, "id": target}, "new": {"text": text}, "reasons": [why]}
    status, made = write(place, "tutor", "POST", path, body)
    assert status == 200, made
    status, published = write(place, "tutor", "POST", f"{path}/{made['id']}/publish")
    assert (status, published["state"]) == (200, "published"), published
    return published


def renewed(place: Place, session: UUID, number: int) -> Any:
    """The summary of that number, once it is made."""
    deadline_s = time.monotonic() + 10
    while (summary := place.read(f"/sessions/{session}/summary")).get("number") != number:
        assert time.monotonic() < deadline_s, summary
        time.sleep(0.05)
    return summary


async def test_what_a_tutor_corrects_is_what_everyone_reads(place: Place) -> None:
    tutor, parent = place.token("tutor"), place.token("parent")
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        session = await pupil.begins("text")
        await connection.response.create()
        await pupil.answer()
        await pupil.types("thirtin", id="misheard")
        # While the lesson runs: in the record at once, and known to whoever picks it up.
        correct(place, session, "words", "misheard", "thirteen", "asr_misheard")
        place.server.kill()
    place.start()
    resume = {"session": f"sess_{session.hex}"}
    async with (
        place.client() as client,
        client.realtime.connect(model=LESSON, extra_query=resume) as connection,
    ):
        pupil = Pupil(connection)
        assert await pupil.begins("text") == session
        await pupil.saved("misheard")
        again = pupil.seen("conversation.item.done")[pupil.done.index("misheard")]["item"]
        assert again["content"][0]["text"] == "thirteen"
        assert again["corrected"]["by"] == "Tayo Okafor"
        await pupil.types("7")
        await pupil.finishes()
    path = f"/sessions/{session}"
    summary = renewed(place, session, 1)
    assert "from the corrected transcript" in summary["narrative"][-1]["text"]
    assert summary["stale"] is False
    step = summary["next_steps"][0]
    correct(place, session, "next_step", step["id"], "Solve three more of these.", "not_actionable")
    before = len(place.read(f"/children/{child(place)}/sessions", parent)["items"])
    assert write(place, "tutor", "POST", f"{path}/review", {"reviewed": True})[0] == 200

    for who in ("student", "tutor", "admin"):
        items = place.read(f"{path}/transcript", place.token(who))["items"]
        (item,) = [item for item in items if item["id"] == "misheard"]
        assert (item["said"], item["original"]["said"]) == ("thirteen", "thirtin")
        assert item["correction"]["by"]["name"] == "Tayo Okafor"
    told, *others = place.read(f"/children/{child(place)}/sessions", parent)["items"]
    assert (told["id"], len(others)) == (str(session), before), "shown once it was reviewed"
    assert told["next_steps"][0]["text"] == "Solve three more of these."
    assert {(one["kind"], one["now"]) for one in told["corrections"]} == {
        ("words", "thirteen"),
        ("next_step", "Solve three more of these."),
    }
    assert write(place, "tutor", "POST", f"{path}/summary/renew")[0] == 200
    bearer = {"Authorization": f"Bearer {tutor}"}
    _, _, table = place.server.request("GET", f"/api/v1{path}/export?format=csv", headers=bearer)
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    (row,) = [row for row in rows if row["item"] == "misheard"]
    assert (row["said"], row["recorded_words"]) == ("thirteen", "thirtin")
    status, _, packed = place.server.request(
        "GET", "/api/v1/sessions/export?format=vtt&reviewed=true", headers=bearer
    )
    assert (status, packed[:2]) == (200, b"PK")
    assert place.get(f"{path}/export", place.outsider())[0] == 404


def child(place: Place) -> str:
    (only,) = place.read("/children", place.token("parent"))["items"]
    return str(only["id"])
