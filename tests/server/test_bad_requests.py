"""Two hundred requests that nobody should send: each is refused in a sentence, none is a 500."""

import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast
from urllib.parse import quote_from_bytes

import httpx
import pytest
from structlog.testing import capture_logs

from server.api import openapi
from server.app import API, build
from server.config import Config, EngineConfig
from server.engine_maker import Parts
from server.engines import Engines
from server.identity import Door, Site
from server.services import Services
from server.sight import Sight
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.live.lobby import Lobby
from tenancy.identities import Identities, issue_token
from tenancy.postgres import Database

NOBODY = "00000000-0000-7000-8000-000000000000"
BROKEN = [
    b"[]",
    b"7",
    b"{",
    b"nul",
    b"\xff\xfe",
    b'"{}"',
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b'{"a": 123456789012345678901234567890}',
    b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"a": "\\ud800"}',
    b'{"a": "' + b"x" * (1 << 20) + b'"}',
    b"{" + b'"a": 1,' * 20_000 + b'"b": 1}',
]
WRONG = {
    ("POST", "/api/v1/sign-in"): [
        b"",
        b"{}",
        b'{"email": 1, "password": []}',
        b'{"email": "a@b", "password": "c", "extra": 1}',
        b'{"email": "a\\u0000@b", "password": "c", "school": "d"}',
        b'{"email": "a@b", "password": "c", "school": "\\u0000"}',
        b'{"email": "a@b", "password": "c", "school": "no-such"}',
        b'{"email": "' + b"x" * 50_000 + b'", "password": "y"}',
    ],
    ("PATCH", "/api/v1/me"): [
        b"",
        b'{"preferences": null}',
        b'{"preferences": {"\\u0000": 1}}',
        b'{"preferences": {"a": "\\u0000"}}',
        b'{"preferences": {"a": "' + b"x" * 20_000 + b'"}}',
        b'{"preferences": {"' + b"x" * 65 + b'": 1}}',
        b'{"email": "a@b"}',
    ],
    ("POST", "/v1/realtime/client_secrets"): [
        b'{"session": 7}',
        b'{"session": {"type": "transcription"}}',
        b'{"session": {"type": "realtime", "model": "\\u0000"}}',
        b'{"session": {"type": "realtime", "model": "no-such"}}',
        b'{"session": {"type": "realtime", "model": 7}}',
        b'{"expires_after": {"anchor": "created_at", "seconds": -1}}',
        b'{"expires_after": {"anchor": "created_at", "seconds": 7201}}',
        b'{"expires_after": {"anchor": "birth", "seconds": 60}}',
        b'{"expires_after": {"seconds": "many"}}',
    ],
    ("POST", "/v1/chat/completions"): [
        b"",
        b"{}",
        b'{"model": 7, "messages": []}',
        b'{"model": "\\u0000", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "no-such", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "no-such", "messages": "x"}',
        b'{"model": "no-such", "messages": []}',
        b'{"model": "no-such", "messages": [{"role": "god", "content": "x"}]}',
        b'{"model": "no-such", "messages": [{"role": "user", "content": null}]}',
        b'{"model": "no-such", "messages": [{"role": "user", "content": [7]}]}',
        b'{"model": "no-such", "messages": [{"role": "user", "content": "x"}], "stream": 7}',
    ],
}
GETS = [
    *(f"/api/v1/lessons?{q}" for q in ("limit=0", "limit=1e3", "cursor=x", "cursor=%00", "x=1")),
    *(f"/api/v1/lessons/{p}" for p in ("%00", "x" * 3_000, "%ff%fe", "..%2f", NOBODY)),
    *(
        f"/api/v1/sessions?{q}"
        for q in (
            "from=yesterday",
            "from=0001-01-01T00:00:00%2B23:59",
            "to=9999-12-31T23:59:59-23:59",
            "student=7",
            "lesson=%ff",
            "status=%00",
            "cursor=" + "A" * 3_000,
            "&".join(f"p{n}=1" for n in range(200)),
        )
    ),
    *(
        f"/api/v1/sessions/{id}{of}"
        for id in ("7", "%00", "%f0%9f%90%88", NOBODY)
        for of in ("", "/transcript", "/summary", "/usage", "/nothing")
    ),
    f"/api/v1/sessions/{NOBODY}/transcript?format=exe",
    *(f"/v1/models/{p}" for p in ("%00", "x" * 3_000, "no-such", NOBODY)),
    *("/v1/realtime", "/v1/x", "/v1/", "/v1", "/api", "/api/v1", "/api/v1/me/", "//", "/%"),
    *("/static/%00", "/static/" + "x" * 300, "/nothing?" + "&" * 5_000, "/student%00"),
]
HEADERS = [
    {"Host": "evil.example"},
    {"Host": "localhost, evil.example"},
    {"Host": "localhost:99999999"},
    {"Host": "[::1"},
    {"Authorization": "Bearer " + "x" * 5_000},
    {"Authorization": "Bearer sk_" + "0" * 32 + "_" + "x" * 43},
    {"Authorization": b"Bearer \xff"},
    {"Authorization": "Basic eDp5"},
    {"Authorization": "", "Cookie": "__Host-sid=" + "a" * 4_000},
    {"Authorization": "", "Cookie": b"\xff=\xfe; __Host-sid=\xff"},
]
ROUTES = ["/api/v1/lessons", "/api/v1/school", "/v1/models", "/v1/realtime", "/student", "/nothing"]
METHODS = ("DELETE", "PUT", "TRACE", "BREW")
LONGEST_QUERY = 60_000  # httpx sends none of 65,537
LEFT_OUT = ("sign_out", "stream_events")
"After the one every answer would be 401, and the other does not end."


@pytest.fixture
async def student(database: Database, school: Any) -> AsyncIterator[httpx.AsyncClient]:
    token = await issue_token(database, school.student.email, school.tenant.slug, 600)
    identities, bus = Identities(database), Bus()
    worker = Worker(database, {})
    services = Services(
        config=Config(),
        database=database,
        identities=identities,
        door=Door(identities, Site()),
        engines=Engines(EngineConfig(), database, Parts(*cast(Any, (None,) * 4))),
        lobby=Lobby(database, cast(Any, None), bus, worker),
        worker=worker,
        bus=bus,
        codecs=cast(Any, None),
        sight=Sight(database),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast(Any, build(services)), raise_app_exceptions=False),
        base_url="http://localhost",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client
    identities.close()


def is_refusal(answer: httpx.Response) -> bool:
    """A status of the client's fault, and a sentence where someone reads it."""
    if not 400 <= answer.status_code < 500:
        return False
    kind = answer.headers["content-type"]
    if kind.startswith("text/html"):
        return not answer.request.url.path.startswith(("/v1/", "/api/"))
    body = json.loads(answer.content)
    said = body["error"]["message"] if "error" in body else body["detail"]
    return ("error" in body) == answer.request.url.path.startswith("/v1/") and said.endswith(".")


async def test_what_nobody_should_send_is_refused_in_a_sentence(
    student: httpx.AsyncClient,
) -> None:
    requests: list[tuple[str, str, bytes, dict[str, Any]]] = [
        *(("GET", path, b"", {}) for path in GETS),
        *((*to, body, {}) for to, wrong in WRONG.items() for body in (*BROKEN, *wrong)),
        *(
            ("GET", path, b"", h)
            for path in ("/api/v1/me", "/api/v1/lessons", "/v1/models")
            for h in HEADERS
        ),
        *((method, path, b"", {}) for path in ROUTES for method in METHODS),
    ]
    passed = []
    with capture_logs() as logs:
        for method, path, body, headers in requests:
            url = httpx.URL("http://localhost", raw_path=path.encode())
            more = {"Content-Type": "application/json"} if body else {}
            answer = await student.request(
                method, url, content=body, headers=cast(Any, {**more, **headers})
            )
            if not is_refusal(answer):
                passed.append((method, path[:80], body[:80], headers, answer.status_code))
    assert len(requests) >= 200
    assert passed == []
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


def garbage(chance: random.Random) -> bytes:
    """A value for anywhere: noise, or what somebody might take for a value."""
    length = chance.choice((0, 1, 20, 2_000))
    kinds = (
        chance.randbytes(length),
        "".join(chr(chance.randrange(1, 0x2FFF)) for _ in range(length)).encode(),
        str(chance.randrange(-(10**20), 10**20)).encode(),
        chance.choice((b"null", b"true", b"\0", b"..", b"%", b"'; DROP TABLE people; --", b"1e9")),
    )
    return chance.choice(kinds)


def anything(chance: random.Random, depth: int = 0) -> Any:
    """A value for a JSON body."""
    made = garbage(chance).decode("utf-8", "replace")
    if depth > 3:
        return made
    several = [anything(chance, depth + 1) for _ in range(chance.randrange(3))]
    return chance.choice((made, None, True, -1, 0.5, several, {made: several}))


def generated(chance: random.Random) -> Iterator[tuple[str, str, bytes]]:
    """Requests for every operation of the API's document, its own names with wrong values."""
    described = openapi.document(API)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if operation["operationId"] in LEFT_OUT:
                continue
            query = []
            address = path
            for parameter in operation.get("parameters", ()):
                value = quote_from_bytes(garbage(chance), safe="")
                if parameter["in"] == "path":
                    address = address.replace(f"{{{parameter['name']}}}", value or "x")
                elif chance.random() < 0.5:
                    query.append(f"{parameter['name']}={value}")
            body = b""
            content = operation.get("requestBody", {"content": {}})["content"]
            if "text/csv" in content:
                body = garbage(chance)
            elif content:
                ref = content["application/json"]["schema"]["$ref"]
                fields = described["components"]["schemas"][ref.rpartition("/")[2]]["properties"]
                body = json.dumps({name: anything(chance) for name in fields}).encode()
            yield method.upper(), f"{address}?{'&'.join(query)[:LONGEST_QUERY]}", body


async def test_no_operation_of_the_document_breaks(student: httpx.AsyncClient) -> None:
    chance = random.Random(20_261_121)
    requests = [one for _ in range(8) for one in generated(chance)]
    with capture_logs() as logs:
        for method, path, body in requests:
            url = httpx.URL("http://localhost", raw_path=path.encode())
            more = {"Content-Type": "application/json"} if body else {}
            answer = await student.request(method, url, content=body, headers=more)
            assert answer.status_code < 500, (method, path, body, answer.text)
    assert len(requests) >= 200
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_the_student_goes_on_after_all_that(student: httpx.AsyncClient) -> None:
    assert (await student.get("/api/v1/me")).status_code == 200
