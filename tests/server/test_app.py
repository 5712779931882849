"""The whole application's outside: health, what is not there, and what every answer carries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import httpx
import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from server import pages
from server.app import build
from server.config import Config
from server.identity import Site
from server.observe import Counts
from server.services import Services
from tenancy.postgres import Database, DatabaseUnavailable

Browser = httpx.AsyncClient


class Away:
    """A database that went away."""

    @asynccontextmanager
    async def control(self) -> AsyncIterator[Any]:
        raise DatabaseUnavailable("connection refused")
        yield


@asynccontextmanager
async def browsing(database: Any) -> AsyncIterator[Browser]:
    services = SimpleNamespace(
        config=Config(),
        counts=Counts(),
        database=database,
        door=SimpleNamespace(site=Site()),
        calls=None,
        lobby=SimpleNamespace(closing=False),
    )

    async def broken(_: Any) -> Any:
        raise RuntimeError("a child's own words")

    broken_too = [Route("/v1/broken", broken), *pages.routes()]
    with patch.object(pages, "routes", lambda: broken_too):
        app = build(cast(Services, services))
    async with Browser(transport=httpx.ASGITransport(app), base_url="http://localhost") as browser:
        browser.lobby = services.lobby  # type: ignore[attr-defined]
        yield browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing(Away()) as browser:
        yield browser


async def test_it_is_ready_while_its_database_answers(database: Database) -> None:
    async with browsing(database) as browser:
        assert (await browser.get("/readyz")).status_code == 200


async def test_without_its_database_it_is_alive_and_not_ready(browser: Browser) -> None:
    assert (await browser.get("/healthz")).status_code == 200
    answer = await browser.get("/readyz")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_it_is_not_ready_once_it_is_told_to_stop(database: Database) -> None:
    async with browsing(database) as browser:
        browser.lobby.closing = True  # type: ignore[attr-defined]
        assert (await browser.get("/readyz")).status_code == 503


async def test_what_is_not_there_is_told_in_the_tongue_of_its_address(browser: Browser) -> None:
    assert (await browser.get("/nothing")).headers["content-type"].startswith("text/html")
    api = await browser.get("/api/v1/nothing")
    assert (api.status_code, api.json()["code"]) == (404, "not_found")
    assert (await browser.get("/v1/nothing")).json()["error"]["code"] == "not_found"


async def test_a_method_that_is_not_there_names_those_that_are(browser: Browser) -> None:
    answer = await browser.delete("/api/v1/school", headers={"Origin": "http://localhost"})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_what_nobody_foresaw_is_answered_by_an_id(browser: Browser) -> None:
    with capture_logs() as logs:
        answer = await browser.get("/v1/broken")
    assert answer.status_code == 500
    assert logs[0]["error_id"] in answer.json()["error"]["message"]
    assert "own words" not in answer.text
    assert len(logs) == 1


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/student", "/api/v1/docs", "/nothing", "/v1/x", "/v1/broken"]
)
async def test_every_answer_carries_the_policy(browser: Browser, path: str) -> None:
    headers = (await browser.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_so_does_the_answer_to_any_method(browser: Browser, method: str) -> None:
    for path in ("/student", "/api/v1/docs", "/v1/x", "/static/css/tokens.css"):
        answer = await browser.request(method, path)
        assert answer.status_code < 500
        assert "content-security-policy" in answer.headers


async def test_so_does_a_file_that_did_not_change(browser: Browser) -> None:
    file = "/static/css/tokens.css"
    etag = (await browser.get(file)).headers["etag"]
    again = await browser.get(file, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"
    assert "content-security-policy" in again.headers


async def test_the_api_describes_itself(browser: Browser) -> None:
    assert (await browser.get("/api/v1/openapi.json")).json()["openapi"] == "3.1.0"
    assert "openapi.json" in (await browser.get("/api/v1/docs")).text
