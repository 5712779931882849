"""Who is calling: headers read strictly, and cookies only from pages of ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.identity import (
    COOKIE,
    FOREIGN_ORIGIN,
    KEY_TOO_SMALL,
    NO_CSRF,
    Door,
    Presented,
    Site,
    clear_cookie,
    foreign,
    presented,
    set_cookie,
)
from tenancy import tokens
from tenancy.model import Caller, NotAllowed, NotSignedIn, Person

SCHOOL = uuid4()
APP = "app.example.com"
SITE = Site([APP])
COOKIE_TOKEN = tokens.make("cookie", SCHOOL)
BEARER = tokens.make("bearer", SCHOOL)
KEY = tokens.make("ephemeral", SCHOOL)

FOREIGN_ORIGINS = [
    "null",
    "",
    "https://evil.example",
    f"https://{APP}.evil",
    f"https://evil-{APP}",
    f"https://www.{APP}",
    f"http://{APP}",
    f"https://{APP}:8443",
    f"https://{APP}/",
    f"https://user@{APP}",
    f"{APP}",
    "file://",
]


# ---- where the credential is -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"authorization": "Bearer sk_1"}, Presented("sk_1", "header")),
        ({"authorization": "bearer   sk_1 "}, Presented("sk_1", "header")),
        ({"authorization": "Basic abc"}, None),
        ({"authorization": "Bearer"}, None),
        (
            {"sec-websocket-protocol": "realtime, openai-insecure-api-key.ek_1, openai-beta.x"},
            Presented("ek_1", "subprotocol"),
        ),
        ({"sec-websocket-protocol": "realtime"}, None),
        ({"cookie": f"a=b; {COOKIE}=c_1; d"}, Presented("c_1", "cookie")),
        ({"cookie": f"x{COOKIE}=c_1; __Host-Sid=c_2"}, None),
        (
            {"authorization": "Bearer sk_1", "cookie": f"{COOKIE}=c_1"},
            Presented("sk_1", "header"),
        ),
        (
            {"authorization": "Basic proxy", "cookie": f"{COOKIE}=c_1"},
            Presented("c_1", "cookie"),
        ),
    ],
)
def test_the_credential_is_found_where_it_may_be(
    headers: Mapping[str, str], expected: Presented | None
) -> None:
    assert presented(headers) == expected


def test_the_cookie_is_kept_from_scripts_other_hosts_and_other_sites() -> None:
    assert set(set_cookie("abc", 60).split("; ")) == {
        "__Host-sid=abc",
        "Max-Age=60",
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
    }
    assert "Max-Age=0" in clear_cookie()


# ---- what is ours --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("demo.localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("192.168.7.4:8000", True),
        (APP, True),
        (f"{APP.upper()}:443", True),
        ("north.schools.example.org", True),
        ("schools.example.org", False),
        ("", False),
        ("evil.example", False),
        (f"{APP}.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        (f"{APP}@evil.example", False),
        (f"{APP}/x", False),
        (f"{APP}; script-src *", False),
        (f"{APP}:80:80", False),
        (f"{APP} ", False),
        ("a" * 100_000, False),
    ],
)
def test_hosts_that_are_ours(host: str, ours: bool) -> None:
    assert Site([APP, "*.schools.example.org"]).answers_to(host) is ours


def test_a_star_leaves_names_to_the_proxy() -> None:
    assert Site(["*"]).answers_to("anything.example")
    assert not Site(["*"]).answers_to("any thing")


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_origins_that_are_not_ours(origin: str) -> None:
    assert not SITE.owns(origin, "https", APP)
    assert not SITE.owns(origin, "wss", APP)


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        (f"https://{APP}", "https", APP),
        (f"https://{APP}", "wss", f"{APP}:443"),
        (f"http://{APP}:8000", "ws", f"{APP}:8000"),
        ("http://localhost:8000", "http", "localhost:8000"),
        ("http://[::1]:8000", "ws", "[::1]:8000"),
    ],
)
def test_origins_that_are_ours(origin: str, scheme: str, host: str) -> None:
    assert SITE.owns(origin, scheme, host)


def test_a_page_that_made_its_own_name_point_at_us_is_not_ours() -> None:
    assert not SITE.owns("http://rebound.evil.example", "http", "rebound.evil.example")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": f"https://{APP}"}, False),
        ({"origin": f"https://{APP}", "sec-fetch-site": "same-origin"}, False),
        ({"origin": f"https://{APP}", "sec-fetch-site": "cross-site"}, True),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, True),
    ],
)
def test_all_that_the_browser_says_must_fit(headers: dict[str, str], expected: bool | None) -> None:
    assert foreign({"host": APP, **headers}, "https", SITE) is expected


# ---- the door ------------------------------------------------------------------------------------


class Anyone:
    """Believes every credential, and notes that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def verify(self, value: str) -> Caller:
        self.asked.append(value)
        token = tokens.read(value)
        assert token is not None
        person = Person(UUID(int=1), token.tenant_id, "Ana", "a@x", frozenset({"student"}))
        return Caller(person, UUID(int=2), token.kind, ends_at=datetime.now(UTC))


@pytest.fixture
def anyone() -> Anyone:
    return Anyone()


@pytest.fixture
def door(anyone: Anyone) -> Door:
    return Door(anyone, SITE)  # type: ignore[arg-type]


SOCKET: dict[str, Any] = {"type": "websocket", "scheme": "wss"}
GET: dict[str, Any] = {"type": "http", "scheme": "https", "method": "GET"}
POST: dict[str, Any] = {"type": "http", "scheme": "https", "method": "POST"}
WITH_COOKIE = {"host": APP, "cookie": f"{COOKIE}={COOKIE_TOKEN.value}"}
OWN = {"origin": f"https://{APP}"}
CSRF = {"x-csrf-token": COOKIE_TOKEN.csrf}


@pytest.mark.parametrize("origin", [None, *FOREIGN_ORIGINS])
async def test_another_sites_page_opens_no_socket_with_the_cookie(
    door: Door, anyone: Anyone, origin: str | None
) -> None:
    headers = WITH_COOKIE if origin is None else {**WITH_COOKIE, "origin": origin}
    with pytest.raises(NotAllowed, match=FOREIGN_ORIGIN):
        await door.caller(SOCKET, headers, lessons=True)
    assert anyone.asked == []


async def test_our_page_opens_a_socket_with_the_cookie(door: Door) -> None:
    assert (await door.caller(SOCKET, {**WITH_COOKIE, **OWN})).kind == "cookie"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (CSRF, FOREIGN_ORIGIN),
        ({**CSRF, "origin": "https://evil.example"}, FOREIGN_ORIGIN),
        ({**CSRF, "origin": "null"}, FOREIGN_ORIGIN),
        ({**CSRF, "sec-fetch-site": "cross-site"}, FOREIGN_ORIGIN),
        ({**CSRF, **OWN, "sec-fetch-site": "same-site"}, FOREIGN_ORIGIN),
        (OWN, NO_CSRF),
        ({**OWN, "x-csrf-token": tokens.make("cookie", SCHOOL).csrf}, NO_CSRF),
        ({**OWN, "x-csrf-token": "\ud800"}, NO_CSRF),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MADE-UP"])
async def test_a_cookie_alone_changes_nothing(
    door: Door, anyone: Anyone, headers: dict[str, str], reason: str, method: str
) -> None:
    with pytest.raises(NotAllowed, match=reason.partition(".")[0]):
        await door.caller({**POST, "method": method}, {**WITH_COOKIE, **headers})
    assert anyone.asked == []


@pytest.mark.parametrize("proof", [OWN, {"sec-fetch-site": "same-origin"}])
async def test_our_page_changes_things_with_its_token(door: Door, proof: dict[str, str]) -> None:
    assert (await door.caller(POST, {**WITH_COOKIE, **proof, **CSRF})).kind == "cookie"


async def test_a_link_in_a_mail_still_opens_a_page(door: Door) -> None:
    headers = {**WITH_COOKIE, "sec-fetch-site": "cross-site"}
    assert (await door.caller(GET, headers)).kind == "cookie"


@pytest.mark.parametrize("scope", [SOCKET, GET, POST])
@pytest.mark.parametrize("origin", [{}, {"origin": "https://their-own.example"}])
async def test_keys_need_no_origin(
    door: Door, scope: dict[str, Any], origin: dict[str, str]
) -> None:
    sent = {"authorization": f"Bearer {BEARER.value}", "host": APP, **origin}
    assert (await door.caller(scope, sent)).kind == "bearer"
    offered = {"sec-websocket-protocol": f"realtime, openai-insecure-api-key.{KEY.value}"}
    caller = await door.caller(SOCKET, {**offered, **origin}, lessons=True)
    assert caller.kind == "ephemeral"


async def test_a_short_lived_key_opens_lessons_only(door: Door) -> None:
    headers = {"authorization": f"Bearer {KEY.value}"}
    assert (await door.caller(POST, headers, lessons=True)).kind == "ephemeral"
    with pytest.raises(NotAllowed, match=KEY_TOO_SMALL):
        await door.caller(GET, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": f"Bearer {COOKIE_TOKEN.value}"},
        {"authorization": "Bearer " + "A" * 1_000_000},
        {"cookie": f"{COOKIE}={BEARER.value}"},
        {"cookie": f"{COOKIE}="},
        {"sec-websocket-protocol": f"openai-insecure-api-key.{COOKIE_TOKEN.value}"},
    ],
)
async def test_nobody_is_let_in_without_asking_the_database(
    door: Door, anyone: Anyone, headers: dict[str, str]
) -> None:
    with pytest.raises(NotSignedIn):
        await door.caller(GET, {"host": APP, **headers}, lessons=True)
    assert anyone.asked == []
