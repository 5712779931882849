"""One table of routes: what fits it reaches the handler, what does not gets a sentence."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, Literal, cast

import httpx
import pytest
from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from structlog.testing import capture_logs

from server.api.table import BODY_BYTES, PREFIX, Call, Model, Route, starlette_routes
from server.services import Services
from tenancy.model import Caller, NotSignedIn


class Search(Model):
    status: Literal["live", "ended"] | None = None
    limit: int = Field(20, ge=1, le=100)


class Inner(Model):
    name: str


class Wish(Model):
    title: str = Field(max_length=10)
    count: int = 1
    inner: Inner | None = None


class Found(Model):
    seen: dict[str, Any]


async def search(call: Call) -> Found:
    return Found(seen=call.query.model_dump())


async def wish(call: Call) -> Found:
    return Found(seen=call.body.model_dump())


async def weigh(call: Call) -> Found:
    return Found(seen={"bytes": len(call.body)})


async def nothing(_: Call) -> None:
    return None


async def text(_: Call) -> Response:
    return PlainTextResponse("plain")


async def mine(call: Call) -> Found:
    return Found(seen={"name": call.person.name, "id": call.path["id"]})


async def broken(_: Call) -> None:
    raise RuntimeError("a child's own words")


TABLE = (
    Route("GET", "/search", search, "Search", answer=Found, query=Search, public=True),
    Route("POST", "/wish", wish, "Wish", answer=Found, body=Wish, public=True),
    Route("POST", "/weigh", weigh, "Weigh", answer=Found, takes="text/csv", public=True),
    Route("DELETE", "/wish", nothing, "Drop", public=True),
    Route("GET", "/text", text, "Text", media=("text/plain",), public=True),
    Route("GET", "/mine/{id}", mine, "Mine", answer=Found),
    Route("GET", "/broken", broken, "Broken", public=True),
)


class Door:
    async def caller(self, scope: Any, headers: Any) -> Caller:
        if "authorization" not in headers:
            raise NotSignedIn("Sign in first.")
        return cast(Caller, SimpleNamespace(person=SimpleNamespace(name="Sam")))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    services = cast(Services, SimpleNamespace(door=Door()))
    app = Starlette(routes=starlette_routes(TABLE, lambda _: services))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://localhost{PREFIX}"
    ) as client:
        yield client


def refused(answer: httpx.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail = str(answer.json()["detail"])
    assert detail.endswith(".")
    return detail


async def test_what_fits_reaches_the_handler_as_its_models(client: httpx.AsyncClient) -> None:
    answer = await client.get("/search", params={"status": "live", "limit": "5"})
    assert answer.json() == {"seen": {"status": "live", "limit": 5}}
    answer = await client.post("/wish", json={"title": "A dog", "inner": {"name": "Rex"}})
    assert answer.json()["seen"]["inner"] == {"name": "Rex"}


async def test_no_answer_is_204_and_a_response_goes_out_as_it_is(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/wish")).status_code == 204
    assert (await client.get("/text")).text == "plain"


async def test_a_route_that_is_not_public_wants_a_caller(client: httpx.AsyncClient) -> None:
    assert refused(await client.get("/mine/7"), 401) == "Sign in first."
    answer = await client.get("/mine/7", headers={"Authorization": "Bearer x"})
    assert answer.json() == {"seen": {"name": "Sam", "id": "7"}}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "'limit' can't be used"),
        ("limit=many", "'limit' can't be used"),
        ("status=dead", "'status' can't be used"),
        ("colour=red", "There is no query parameter 'colour' here. There are: status, limit."),
        ("limit=1&limit=2", "stands twice"),
        ("status=%00", "NUL"),
        ("status=%ff", "UTF-8"),
        ("&".join(f"p{n}=1" for n in range(51)), "50 parameters"),
    ],
)
async def test_a_query_that_does_not_fit_gets_a_sentence(
    client: httpx.AsyncClient, query: str, says: str
) -> None:
    assert says in refused(await client.get(f"/search?{query}"))


async def test_a_route_without_a_query_takes_none(client: httpx.AsyncClient) -> None:
    assert "'a'" in refused(await client.get("/text?a=1"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON object"),
        (b"[]", "JSON object"),
        (b"7", "JSON object"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"title": "a", "title": "b"}', "twice"),
        (b'{"title": NaN}', "NaN"),
        (b'{"title": "a", "count": 9007199254740993}', "2^53"),
        (b'{"title": "\\ud800"}', "surrogate"),
        (b'{"title": "\\u0000"}', "NUL"),
        (b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper than 20"),
        (b'{"title": "a", "extra": 1}', "'extra' here. There are: title, count, inner."),
        (b'{"title": "a", "inner": {"name": "b", "x": 1}}', "'inner.x' here. Leave it out."),
        (b'{"count": 1}', "'title' is missing"),
        (b'{"title": 7}', "'title' can't be used"),
        (b'{"title": "a", "count": "1"}', "'count' can't be used"),
        (b'{"title": "a", "count": true}', "'count' can't be used"),
        (b'{"title": "eleven letters"}', "'title' can't be used"),
    ],
)
async def test_a_body_that_does_not_fit_gets_a_sentence(
    client: httpx.AsyncClient, body: bytes, says: str
) -> None:
    assert says in refused(await client.post("/wish", content=body))


async def test_a_backslash_before_u0000_is_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/wish", content=rb'{"title": "\\u0000"}')
    assert answer.json()["seen"]["title"] == r"\u0000"


async def test_a_wrong_name_is_repeated_only_in_part(client: httpx.AsyncClient) -> None:
    answer = await client.post("/wish", json={"title": "a", "x" * 10_000: 1})
    assert len(refused(answer)) < 300


async def test_a_body_is_counted_while_it_is_read(client: httpx.AsyncClient) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 20 * BODY_BYTES:
            sent += 65_536
            yield b"x" * 65_536

    assert "1 MiB" in refused(await client.post("/wish", content=parts()), 413)
    assert sent <= BODY_BYTES + 2 * 65_536


async def test_a_nul_in_an_address_reaches_no_database(client: httpx.AsyncClient) -> None:
    answer = await client.get("/mine/a%00b", headers={"Authorization": "Bearer x"})
    assert "\0" not in answer.json()["seen"]["id"]


@pytest.mark.parametrize("query", ["status=%ff", "status=%ed%a0%80", "%ff=1"])
async def test_a_query_is_utf_8(client: httpx.AsyncClient, query: str) -> None:
    assert "UTF-8" in refused(await client.get(f"/search?{query}"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le", "utf-8-sig"])
async def test_a_nul_hides_in_no_other_encoding(client: httpx.AsyncClient, encoding: str) -> None:
    body = '{"title": "\\u0000"}'.encode(encoding)
    refused(await client.post("/wish", content=body))


async def test_what_nobody_foresaw_tells_an_id_and_nothing_else(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        detail = refused(await client.get("/broken"), 500)
    assert logs[0]["error_id"] in detail
    assert "own words" not in detail


async def test_what_is_no_json_comes_as_bytes_and_is_bounded(client: httpx.AsyncClient) -> None:
    answer = await client.post("/weigh", content=b"\xff,\x00\n")
    assert answer.json() == {"seen": {"bytes": 4}}
    answer = await client.post("/weigh", content=b"x" * (BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
