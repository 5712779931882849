"""A school's engines over HTTP: its office decides, keys only go in, each is tried."""

import pytest

from server.api import engines as api
from server.probe import Outcome
from tenancy import audit, quota
from tenancy.audit import By

KEY = "sk-proj-very-secret-9876"


async def test_the_office_sees_what_holds_and_decides_otherwise(office, school, other_school):
    admin = school.admin
    begun = (await office(admin, "GET", "/school/engines")).json()
    assert begun["decided"] == [] and begun["values"] == begun["server"]
    assert [one["name"] for one in begun["engines"] if one["allowed"]] == ["nova-sonic", "offline"]
    nova = begun["engines"][0]
    assert not nova["ready"] and "no AWS credentials" in nova["problem"]
    assert begun["keys"] == [
        {"provider": "openai", "given": False, "ends_with": "", "set_at": None, "set_by": None,
         "server": True},
        {"provider": "aws", "given": False, "ends_with": "", "set_at": None, "set_by": None,
         "server": False},
    ]  # fmt: skip
    change = {"order": ["nova-sonic"], "nova_voice": " lupe ", "aws_region": "eu-north-1"}
    changed = (await office(admin, "PATCH", "/school/engines", change)).json()
    assert changed["values"] == {
        **begun["server"], "order": ["nova-sonic", "offline"], "nova_voice": "lupe",
        "aws_region": "eu-north-1",
    }  # fmt: skip
    assert changed["decided"] == ["aws_region", "nova_voice", "order"]
    back = (await office(admin, "PATCH", "/school/engines", {"nova_voice": None})).json()
    assert back["decided"] == ["aws_region", "order"]
    assert (await office(other_school.admin, "GET", "/school/engines")).json() == begun


async def test_a_key_goes_in_and_never_comes_out(office, school, database, caplog):
    path = "/school/engines/keys/openai"
    given = await office(school.admin, "PUT", path, {"api_key": KEY})
    (openai, _) = given.json()["keys"]
    assert (openai["given"], openai["ends_with"], openai["set_by"]) == (
        True, "9876", school.admin.name,
    )  # fmt: skip
    seen = await office(school.admin, "GET", "/school/engines")
    log = await office(school.admin, "GET", "/audit")
    for text in (given.text, seen.text, log.text, caplog.text):
        assert KEY not in text
    assert "engine_key" in log.text
    gone = await office(school.admin, "DELETE", path)
    assert gone.json()["keys"][0]["given"] is False
    assert (await office(school.admin, "DELETE", path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/school/engines", {"order": ["gpt"]}, 400),
        ("PATCH", "/school/engines", {"order": ["cascade", "cascade"]}, 400),
        ("PATCH", "/school/engines", {"openai_base_url": "here"}, 400),
        ("PATCH", "/school/engines", {"openai_voice": "x y"}, 400),
        ("PATCH", "/school/engines", {"cascade_mind": "horse"}, 400),
        ("PATCH", "/school/engines", {"price": 1}, 400),
        ("PUT", "/school/engines/keys/openai", {}, 400),
        ("PUT", "/school/engines/keys/openai", {"api_key": "very secret"}, 400),
        ("PUT", "/school/engines/keys/openai", {"access_key": "A", "secret_key": "B"}, 400),
        ("PUT", "/school/engines/keys/aws", {"access_key": "A"}, 400),
        ("PUT", "/school/engines/keys/azure", {"api_key": "x"}, 404),
    ],
)
async def test_what_cannot_be_is_refused_in_a_sentence(
    office, school, problem, method, path, body, status
):
    answer = await office(school.admin, method, path, body)
    told = problem(answer, status)
    assert "very secret" not in told


async def test_each_engine_is_tried_and_what_is_missing_is_told(
    office, school, database, monkeypatch
):
    async def probe(engine, speaker):
        return Outcome(engine.name, True, "It said: “Hello.”", 1, 2, 3, "hello")

    monkeypatch.setattr("server.engines.probe", probe)
    answer = (await office(school.admin, "POST", "/school/engines/check")).json()
    nova, offline = answer["results"]
    assert (nova["engine"], nova["well"], nova["code"]) == ("nova-sonic", False, "not_configured")
    assert offline == {
        "engine": "offline", "well": True, "sentence": "It said: “Hello.”", "open_ms": 1,
        "text_ms": 2, "voice_ms": 3, "heard": "hello", "code": None,
    }  # fmt: skip
    entries, _ = await audit.list_(database, school.tenant.id, audit.Filters(), limit=1)
    assert (entries[0].verb, entries[0].thing) == ("try", "engines")


async def test_a_test_of_engines_is_one_at_a_time(office, school, home, problem):
    home.probing.add(school.tenant.id)
    told = problem(await office(school.admin, "POST", "/school/engines/check"), 409)
    assert told == api.BUSY


async def test_a_test_of_engines_is_one_a_minute(
    office, school, other_school, home, problem, monkeypatch
):
    async def probe(engine, speaker):
        return Outcome(engine.name, True, "It said: “Hello.”", 1, 2, 3, "hello")

    monkeypatch.setattr("server.engines.probe", probe)
    now = [1_000.0]
    monkeypatch.setattr(home, "_clock", lambda: now[0])

    async def check(admin):
        return await office(admin, "POST", "/school/engines/check")

    assert (await check(school.admin)).status_code == 200
    now[0] += 30
    assert problem(await check(school.admin), 429) == f"{api.TOO_OFTEN} Wait 30 s."
    assert (await check(other_school.admin)).status_code == 200
    now[0] += 30
    assert (await check(school.admin)).status_code == 200


async def test_no_engine_is_tried_once_the_months_money_is_used_up(
    office, school, database, problem
):
    limit = {"money_month_micros": 0}
    await quota.change(database, school.tenant.id, limit, by=By(school.admin.id))
    told = problem(await office(school.admin, "POST", "/school/engines/check"), 429)
    assert told == api.NO_MONEY
