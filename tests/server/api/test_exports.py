"""Sessions to take away: whole, noted, by right only, and however many there are."""

import csv
import io
import json
import zipfile

import pytest

from server.api.exports import SessionsExport
from server.exports import AT_ONCE, BUSY
from sessions.review import exports
from tenancy.ids import new_id

WORDS = {
    "target": {"kind": "words", "id": "item_2"},
    "new": {"text": "two"},
    "reasons": ["asr_misheard"],
    "note": "for staff",
}


@pytest.fixture
async def corrected(school, held, send):
    """The held session, its last words corrected."""
    path = f"/sessions/{held.session_id}/overrides"
    made = (await send(school.tutor, "POST", path, WORDS)).json()
    return (await send(school.tutor, "POST", f"{path}/{made['id']}/publish")).json()


async def audited(database, school):
    async with database.transaction(school.tenant.id) as connection:
        rows = await connection.fetch(
            "SELECT actor, thing_id, detail FROM audit WHERE verb = 'export' ORDER BY seq"
        )
    return [tuple(row) for row in rows]


async def test_one_session_as_json_is_all_that_is_read_of_it(api, school, held, corrected):
    path = f"/sessions/{held.session_id}"
    answer = await api(school.tutor, f"{path}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith('attachment; filename="session-20')
    SessionsExport.model_validate_json(answer.text)
    (exported,) = answer.json()["sessions"]
    assert exported["session"] == (await api(school.tutor, "/sessions")).json()["items"][0]
    assert exported["transcript"] == (await api(school.tutor, f"{path}/transcript")).json()["items"]
    assert exported["summary"] == (await api(school.tutor, f"{path}/summary")).json()
    assert exported["corrections"] == [corrected]
    said = exported["transcript"][1]
    assert (said["said"], said["original"]["said"]) == ("two", "two <b>")
    assert said["correction"]["note"] == "for staff"


async def test_a_student_takes_their_own_without_staffs_notes(api, school, held, corrected):
    for path in (f"/sessions/{held.session_id}/export", "/sessions/export"):
        for how in ("json", "csv"):
            answer = await api(school.student, path, format=how)
            assert answer.status_code == 200
            assert "two" in answer.text and "for staff" not in answer.text
    detail = (await api(school.student, f"/sessions/{held.session_id}")).json()
    assert detail["readers"] == []


async def test_one_session_as_a_table_and_as_subtitles(api, school, held, corrected):
    path = f"/sessions/{held.session_id}/export"
    answer = await api(school.tutor, path, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    asked, spoke = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert (spoke["said"], spoke["recorded_words"]) == ("two", "two <b>")
    assert (spoke["corrected_by"], spoke["notes"]) == (school.tutor.name, "for staff")
    assert (asked["heard"], asked["corrected"]) == ("How many", "")
    answer = await api(school.tutor, path, format="vtt")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.text.startswith("WEBVTT\n")
    assert f"<v {school.student.name}>two</v>" in answer.text


async def test_a_list_goes_out_by_its_filters_in_every_form(
    api, school, other_school, hold, held, corrected, monkeypatch
):
    monkeypatch.setattr(exports, "PAGE", 2)  # several pages
    more = [await hold(school) for _ in range(4)]
    theirs = await hold(school, student=school.instructor)
    await hold(other_school)
    hers = [str(ref.session_id) for ref in reversed([held, *more])]
    answer = await api(school.tutor, "/sessions/export")
    SessionsExport.model_validate_json(answer.text)
    assert [each["session"]["id"] for each in answer.json()["sessions"]] == hers
    everyone = (await api(school.admin, "/sessions/export", status="ended")).json()["sessions"]
    assert [each["session"]["id"] for each in everyone] == [str(theirs.session_id), *hers]
    assert (await api(school.tutor, "/sessions/export", status="live")).json()["sessions"] == []
    table = await api(school.tutor, "/sessions/export", format="csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert [row["session"] for row in rows] == [id_ for id_ in hers for _ in range(2)]
    assert table.text.count("session,started_at") == 1
    packed = await api(school.tutor, "/sessions/export", format="vtt")
    assert packed.headers["content-type"] == "application/zip"
    assert packed.headers["content-disposition"].endswith('.zip"')
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert [name[-40:-4] for name in names] == hers
        assert not any(school.student.name in name for name in names)
        assert b"<v " + school.student.name.encode() in archive.read(names[0])


async def test_an_export_is_in_the_audit_once_and_each_session_read(
    api, database, school, hold, held
):
    await hold(school)
    for _ in range(2):
        await api(school.tutor, "/sessions/export", reviewed="false", format="csv")
    await api(school.admin, f"/sessions/{held.session_id}/export")
    asked = {"reviewed": False, "format": "csv"}
    assert await audited(database, school) == [
        (school.tutor.id, "list", asked),
        (school.tutor.id, "list", asked),
        (school.admin.id, str(held.session_id), {"format": "json"}),
    ]
    readers = (await api(school.student, f"/sessions/{held.session_id}")).json()["readers"]
    assert {(reader["name"], reader["role"]) for reader in readers} == {
        (school.tutor.name, "tutor"),
        (school.admin.name, "admin"),
    }


async def test_nobody_takes_away_what_they_may_not_read(
    api, database, school, other_school, hold, held, problem
):
    theirs = await hold(school, student=school.instructor)
    missing = await api(school.student, f"/sessions/{new_id()}/export")
    problem(missing, 404)
    for person, ref in (
        (school.parent, held),
        (other_school.admin, held),
        (school.tutor, theirs),
        (school.student, theirs),
    ):
        answer = await api(person, f"/sessions/{ref.session_id}/export")
        assert (answer.status_code, answer.content) == (404, missing.content)
    problem(await api(school.parent, "/sessions/export"), 403)
    problem(await api(school.student, "/sessions/export", student=str(school.tutor.id)), 403)
    assert await audited(database, school) == []
    assert (await api(other_school.tutor, "/sessions/export")).json()["sessions"] == []


@pytest.mark.parametrize(
    "query", [{"format": "pdf"}, {"limit": "5"}, {"cursor": "x"}, {"version": 2}]
)
async def test_what_cannot_be_exported_so_is_refused(api, school, held, problem, query):
    problem(await api(school.tutor, "/sessions/export", **query), 400)


async def test_too_many_at_once_are_asked_to_wait(api, send, school, held, problem):
    async with send.services.exports.turn(), send.services.exports.turn():
        answer = await api(school.tutor, "/sessions/export")
        assert (problem(answer, 429), answer.json()["code"]) == (BUSY, "too_many_exports")
        assert (await api(school.tutor, f"/sessions/{held.session_id}/export")).status_code == 200
    for _ in range(AT_ONCE + 1):
        assert (await api(school.tutor, "/sessions/export")).status_code == 200


async def test_to_ask_what_would_come_takes_nothing_away(send, database, school, held):
    for path in (f"/sessions/{held.session_id}/export", "/sessions/export"):
        answer = await send(school.tutor, "HEAD", path, format="csv")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert await audited(database, school) == []


async def test_an_empty_list_is_whole_too(api, school):
    assert json.loads((await api(school.tutor, "/sessions/export")).text)["sessions"] == []
    packed = await api(school.tutor, "/sessions/export", format="vtt")
    assert zipfile.ZipFile(io.BytesIO(packed.content)).namelist() == []
    assert (await api(school.tutor, "/sessions/export", format="csv")).text.count("\r\n") == 1
