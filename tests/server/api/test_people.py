"""Signing in and out over HTTP, as a browser does and as others would like to."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette

from server.api.people import ROUTES
from server.api.table import starlette_routes
from server.identity import COOKIE, Door, Site
from server.security import Security
from server.services import Services
from tenancy import credentials
from tenancy.guessing import ACCOUNT
from tenancy.identities import WRONG, Identities, issue_token
from tenancy.model import Person
from tenancy.postgres import Database

PASSWORD = "correct horse battery staple"
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
ORIGIN = "https://localhost"


@pytest.fixture
async def browser(database: Database, school: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A page of ours; keeps its cookie."""
    async with database.transaction(school.tenant.id) as connection:
        await credentials.set_password(
            connection, school.tenant.id, school.student.id, CHEAP_HASH, datetime.now(UTC)
        )
    identities = Identities(database, ticks_s=lambda: 0.0)
    site = Site()
    services = cast(
        Services,
        SimpleNamespace(database=database, identities=identities, door=Door(identities, site)),
    )
    app = Security(Starlette(routes=starlette_routes(ROUTES, lambda _: services)), site)
    transport = httpx.ASGITransport(cast(Any, app), client=("203.0.113.20", 50_000))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{ORIGIN}/api/v1", headers={"Origin": ORIGIN}
    ) as client:
        yield client
    identities.close()


async def sign_in(browser: httpx.AsyncClient, person: Person, **more: str) -> httpx.Response:
    school = more.pop("school", None) or person.email.partition("@")[2].removesuffix(".example")
    body = {"school": school, "email": person.email, "password": PASSWORD, **more}
    return await browser.post("/sign-in", json=body)


def is_problem(answer: httpx.Response, status: int) -> str:
    """One sentence or two, in the shape of RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    return str(problem["detail"])


async def test_a_student_signs_in_looks_around_and_signs_out(
    browser: httpx.AsyncClient, school: Any
) -> None:
    answer = await sign_in(browser, school.student)
    assert answer.status_code == 200
    me = answer.json()["person"]
    assert me == {
        "id": str(school.student.id),
        "name": school.student.name,
        "email": school.student.email,
        "roles": ["student"],
        "locale": "en",
        "preferences": {},
        "school": {
            "id": str(school.tenant.id),
            "slug": school.tenant.slug,
            "name": school.tenant.name,
        },
        "csrf": me["csrf"],
    }
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert me["csrf"] not in cookie
    assert (await browser.get("/me")).json() == me

    signed_out = await browser.post("/sign-out", headers={"X-CSRF-Token": me["csrf"]})
    assert signed_out.status_code == 204
    assert "Max-Age=0" in signed_out.headers["set-cookie"]
    is_problem(await browser.get("/me"), 401)
    browser.cookies.set(COOKIE, cookie.partition("=")[2].partition(";")[0])
    assert "signed out" in is_problem(await browser.get("/me"), 401)


async def test_every_answer_is_kept_out_of_caches(browser: httpx.AsyncClient, school: Any) -> None:
    for answer in (await sign_in(browser, school.student), await browser.get("/me")):
        assert answer.headers["cache-control"] == "no-store"


async def test_wrong_passwords_and_unknown_people_get_the_same_answer(
    browser: httpx.AsyncClient, school: Any
) -> None:
    wrong = await sign_in(browser, school.student, password="wrong")
    unknown = await sign_in(browser, school.student, email="nobody@nowhere.example")
    assert is_problem(wrong, 401) == WRONG
    assert wrong.json() == unknown.json()
    assert set(wrong.headers) == set(unknown.headers)
    assert "set-cookie" not in wrong.headers


async def test_too_many_guesses_must_wait(browser: httpx.AsyncClient, school: Any) -> None:
    for _ in range(ACCOUNT.free):
        is_problem(await sign_in(browser, school.tutor, password="guess"), 401)
    answer = await sign_in(browser, school.tutor, password="guess")
    assert "Too many tries" in is_problem(answer, 429)
    assert int(answer.headers["retry-after"]) >= 1


async def change_password(browser: httpx.AsyncClient, current: str, new: str) -> httpx.Response:
    csrf = (await browser.get("/me")).json()["csrf"]
    body = {"current": current, "new": new}
    return await browser.post("/me/password", json=body, headers={"X-CSRF-Token": csrf})


async def test_a_new_password_opens_and_the_old_one_and_other_devices_do_not(
    browser: httpx.AsyncClient, school: Any
) -> None:
    await sign_in(browser, school.student)
    elsewhere = browser.cookies[COOKIE]
    browser.cookies.clear()
    await sign_in(browser, school.student)
    assert (await change_password(browser, PASSWORD, "three quiet green apples")).status_code == 204
    assert (await browser.get("/me")).status_code == 200
    browser.cookies.clear()
    browser.cookies.set(COOKIE, elsewhere)
    assert "signed out" in is_problem(await browser.get("/me"), 401)
    is_problem(await sign_in(browser, school.student), 401)
    again = await sign_in(browser, school.student, password="three quiet green apples")
    assert again.status_code == 200


async def test_a_password_is_changed_only_by_who_knows_it_and_to_a_good_one(
    browser: httpx.AsyncClient, school: Any
) -> None:
    await sign_in(browser, school.student)
    wrong = await change_password(browser, "a guess", "three quiet green apples")
    assert "another one" in is_problem(wrong, 400) and wrong.json()["param"] == "current"
    weak = await change_password(browser, PASSWORD, school.student.email)
    assert "people who know you" in is_problem(weak, 400) and weak.json()["param"] == "new"
    same = await change_password(browser, PASSWORD, PASSWORD)
    assert "already" in is_problem(same, 400)
    assert (await sign_in(browser, school.student)).status_code == 200


async def test_a_password_is_not_found_out_by_changing_it(
    browser: httpx.AsyncClient, school: Any
) -> None:
    await sign_in(browser, school.student)
    statuses = [
        (await change_password(browser, "a guess", "three quiet green apples")).status_code
        for _ in range(12)
    ]
    assert statuses[0] == 400 and statuses[-1] == 429
    is_problem(await change_password(browser, PASSWORD, "three quiet green apples"), 429)


async def test_the_school_is_named_where_there_are_several(
    browser: httpx.AsyncClient, school: Any, other_school: Any, admin_connection: Any
) -> None:
    assert (await browser.get("/school")).json() == {"name": None, "school_field": True}
    person = {"email": school.student.email, "password": PASSWORD}
    assert "which school" in is_problem(await browser.post("/sign-in", json=person), 400)
    is_problem(await browser.post("/sign-in", json={"school": " ", **person}), 400)
    assert "no school" in is_problem(
        await browser.post("/sign-in", json={"school": "nowhere", **person}), 401
    )
    theirs = await sign_in(browser, school.student, school=other_school.tenant.slug)
    assert is_problem(theirs, 401) == WRONG
    ours = await sign_in(browser, school.student, school=f" {school.tenant.slug.upper()} ")
    assert ours.status_code == 200


async def test_the_host_name_may_stand_for_the_school(
    browser: httpx.AsyncClient, school: Any, other_school: Any, admin_connection: Any
) -> None:
    host = f"{school.tenant.slug}.localhost"
    await admin_connection.execute(
        "INSERT INTO control.domains (domain, tenant_id) VALUES ($1, $2)", host, school.tenant.id
    )
    for port in ("", ":8443"):
        own = {"Host": host + port, "Origin": f"https://{host}{port}"}
        answer = await browser.get("/school", headers=own)
        assert answer.json() == {"name": school.tenant.name, "school_field": False}
        person = {"email": school.student.email, "password": PASSWORD}
        assert (await browser.post("/sign-in", json=person, headers=own)).status_code == 200


async def test_signing_in_again_ends_the_cookie_from_before(
    browser: httpx.AsyncClient, school: Any
) -> None:
    await sign_in(browser, school.student)
    before = browser.cookies[COOKIE]
    await sign_in(browser, school.student)
    after = browser.cookies[COOKIE]
    assert before != after
    assert (await browser.get("/me")).status_code == 200
    browser.cookies.clear()
    stale = await browser.get("/me", headers={"Cookie": f"{COOKIE}={before}"})
    assert "signed out" in is_problem(stale, 401)


async def test_a_stale_cookie_does_not_keep_anybody_out(
    browser: httpx.AsyncClient, school: Any
) -> None:
    for stale in ("nonsense", f"{school.tenant.id.hex}_{'A' * 43}"):
        body = {
            "school": school.tenant.slug,
            "email": school.student.email,
            "password": PASSWORD,
        }
        answer = await browser.post("/sign-in", json=body, headers={"Cookie": f"{COOKIE}={stale}"})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "https://localhost:8443"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-CSRF-Token": "wrong"}, 403),
        ({"X-CSRF-Token": ""}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_other_sites_change_nothing(
    browser: httpx.AsyncClient, school: Any, headers: dict[str, str], status: int
) -> None:
    me = (await sign_in(browser, school.student)).json()["person"]
    usual = {"X-CSRF-Token": me["csrf"], "Content-Type": "application/json"}
    body = json.dumps({"preferences": {"theme": "dark"}})
    refused = await browser.patch("/me", content=body, headers={**usual, **headers})
    is_problem(refused, status)
    sign_out = await browser.post("/sign-out", content="{}", headers={**usual, **headers})
    is_problem(sign_out, status)
    assert (await browser.get("/me")).json() == me
    taken = await browser.patch("/me", content=body, headers=usual)
    assert taken.json()["preferences"] == {"theme": "dark"}


async def test_changes_do_not_come_by_get(browser: httpx.AsyncClient, school: Any) -> None:
    await sign_in(browser, school.student)
    for path in ("/sign-out", "/sign-in"):
        assert (await browser.get(path)).status_code == 405
    assert (await browser.get("/me")).status_code == 200


async def test_a_program_with_a_token_needs_no_page(
    browser: httpx.AsyncClient, database: Database, school: Any
) -> None:
    token = await issue_token(database, school.tutor.email, None, 60)
    program = {"Authorization": f"Bearer {token}", "Origin": "https://their-own.example"}
    me = (await browser.get("/me", headers=program)).json()
    assert (me["roles"], me["csrf"]) == (["tutor"], None)
    body = {"preferences": {"speed": 0.8}}
    assert (await browser.patch("/me", json=body, headers=program)).status_code == 200
    assert (await browser.post("/sign-out", headers=program)).status_code == 204
    is_problem(await browser.get("/me", headers=program), 401)


async def test_preferences_are_set_one_by_one_and_bounded(
    browser: httpx.AsyncClient, school: Any
) -> None:
    me = (await sign_in(browser, school.student)).json()["person"]
    browser.headers["X-CSRF-Token"] = me["csrf"]
    await browser.patch("/me", json={"preferences": {"theme": "dark", "text": "large"}})
    changed = await browser.patch("/me", json={"preferences": {"text": None, "speed": 0.8}})
    assert changed.json()["preferences"] == {"theme": "dark", "speed": 0.8}
    bodies: list[dict[str, Any]] = [
        {"preferences": {"long": "x" * 9_000}},
        {"preferences": {f"p{n}": n for n in range(65)}},
        {"preferences": {"x" * 65: 1}},
        {"preferences": []},
        {"name": "Somebody else"},
        {"preferences": {}, "roles": ["admin"]},
        {"preferences": {"a\x00": 1}},
        {"preferences": {"a": ["b\x00"]}},
        {},
    ]
    for bad in bodies:
        is_problem(await browser.patch("/me", json=bad), 400)
    kept = (await browser.get("/me")).json()
    assert kept["preferences"] == {"theme": "dark", "speed": 0.8}
    assert kept["roles"] == ["student"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "nonsense",
        '{"email": "a@b"}',
        '{"email": "", "password": "x"}',
        '{"email": "a@b", "password": ""}',
        '{"email": 1, "password": "x"}',
        '{"email": "a@b", "password": "x", "admin": true}',
        json.dumps({"email": "a" * 255, "password": "x"}),
        json.dumps({"email": "a@b", "password": "x" * 1_025}),
        json.dumps({"email": "a@b", "password": "x", "school": "s" * 65}),
        '{"email": "a@b", "password": "\\ud800"}',
        '{"email": "a\\u0000b@c", "password": "x"}',
        '{"email": "a@b", "password": "x", "school": "\\u0000"}',
        '{"email": "a@b", "password": "\\u0000"}',
    ],
)
async def test_nonsense_is_refused_in_a_sentence(browser: httpx.AsyncClient, body: str) -> None:
    answer = await browser.post(
        "/sign-in", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 401)
    is_problem(answer, answer.status_code)


async def test_a_password_is_never_repeated(browser: httpx.AsyncClient, school: Any) -> None:
    secret = "x" * 1_025
    answer = await sign_in(browser, school.student, password=secret)
    assert "xxxx" not in is_problem(answer, 400)
