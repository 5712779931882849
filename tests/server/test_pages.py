"""The pages and their files, as a browser asks for them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from server import pages


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=pages.routes(), exception_handlers={404: pages.not_found})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as browser:
        yield browser


@pytest.mark.parametrize(
    "path",
    [
        *("/home", "/sign-in", "/student", "/student/lessons/fractions-as-parts"),
        *("/student/sessions/1", "/instructor", "/instructor/lessons/1", "/tutor/sessions/1"),
        *("/family", "/admin/people/1"),
    ],
)
async def test_an_address_of_the_page_gets_the_page(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text


async def test_the_first_page_sends_everyone_to_their_own(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/home")


@pytest.mark.parametrize("path", ["/studentship", "/sign-ins", "/office", "/static", "/static/"])
async def test_what_is_not_there_is_told_kindly(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, follow_redirects=True)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1" in answer.text


async def test_a_file_is_asked_for_again_and_sent_only_when_it_changed(
    browser: httpx.AsyncClient,
) -> None:
    first = await browser.get("/static/css/tokens.css")
    assert first.headers["cache-control"] == "no-cache"
    again = await browser.get(
        "/static/css/tokens.css", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("ending", [".css", ".js", ".woff2"])
async def test_files_have_the_type_that_browsers_insist_on(
    browser: httpx.AsyncClient, ending: str
) -> None:
    file = next(pages.STATIC.rglob(f"*{ending}"))
    answer = await browser.get(f"/static/{file.relative_to(pages.STATIC)}")
    assert answer.headers["content-type"].partition(";")[0] == pages.TYPES[ending]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/static/css/..%5c..%5cpyproject.toml",
        "/static/css%00.css",
        "/static/" + "x" * 5_000,
        "/static/css/tokens.css/x",
    ],
)
async def test_no_path_leads_out_of_the_folder(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(httpx.URL("http://localhost", raw_path=path.encode()))
    assert answer.status_code == 404
    assert "[project]" not in answer.text


async def test_ten_thousand_ranges_of_a_file_are_not_served(browser: httpx.AsyncClient) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000))
    answer = await browser.get("/static/css/tokens.css", headers={"Range": ranges})
    assert answer.status_code in (200, 206, 400, 416)
    assert len(answer.content) < 1 << 20
