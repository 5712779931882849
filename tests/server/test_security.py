"""The outermost layer: headers on every answer, and what is refused before anything looks at it."""

from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from server.identity import COOKIE, FOREIGN_ORIGIN, Site
from server.security import HSTS_S, NOT_JSON, Security, content_security_policy
from tenancy import tokens

APP = "app.example.com"
BEARER = tokens.make("bearer", UUID(int=1)).value
PAGE = tokens.make("cookie", UUID(int=1))
Answer = tuple[int, dict[str, str], bytes]


class Listener:
    """An application behind the layer that counts what reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.app = Security(
            Starlette(
                routes=[
                    Route("/cached", self._cached),
                    Route("/{path:path}", self._any, methods=["GET", "POST", "DELETE", "PUT"]),
                ]
            ),
            Site([APP]),
        )

    async def _any(self, request: Request) -> JSONResponse:
        self.reached.append(f"{request.method} {request.url.path}")
        return JSONResponse({})

    async def _cached(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("", headers={"cache-control": "max-age=60"})

    async def ask(
        self,
        method: str,
        path: str = "/api/v1/sign-in",
        *,
        scheme: str = "https",
        type: str = "http",
        more: Any = (),
        **headers: str | None,
    ) -> Answer:
        sent = {"host": APP, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope: dict[str, Any] = {
            "type": type,
            "method": method,
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode("latin-1"))
                for name, value in (*sent.items(), *more)
                if value is not None
            ],
        }
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, body = messages[0], messages[1]
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], answered, body["body"]


@pytest.fixture
def listener() -> Listener:
    return Listener()


async def test_every_answer_says_what_browsers_may_do(listener: Listener) -> None:
    for answer in (
        await listener.ask("GET", "/"),
        await listener.ask("PATCH", "/cached"),
        await listener.ask("GET", "/", host="evil.example"),
        await listener.ask("GET", "/", type="websocket", host="evil.example"),
    ):
        _, headers, _ = answer
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "microphone=(self)" in headers["permissions-policy"]
        assert headers["strict-transport-security"] == f"max-age={HSTS_S}; includeSubDomains"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
    _, headers, _ = await listener.ask("GET", "/", scheme="http", host="localhost:8000")
    assert "strict-transport-security" not in headers
    assert "connect-src 'self' ws://localhost:8000" in headers["content-security-policy"]


async def test_files_may_be_kept_if_asked_about_and_answers_may_say_more(
    listener: Listener,
) -> None:
    assert (await listener.ask("GET", "/static/page.js"))[1]["cache-control"] == "no-cache"
    assert (await listener.ask("GET", "/cached"))[1]["cache-control"] == "max-age=60"


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    policy = content_security_policy("https", APP)
    directives = dict(d.split(" ", 1) for d in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["worker-src"] == "'self'"
    assert directives["connect-src"] == f"'self' wss://{APP}"
    assert directives["object-src"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in policy and "*" not in policy


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", f"{APP}.evil.example", f"{APP}; script-src *", "a b"]
)
@pytest.mark.parametrize("type", ["http", "websocket"])
async def test_another_host_name_gets_nothing(
    listener: Listener, host: str | None, type: str
) -> None:
    status, headers, body = await listener.ask("GET", "/api/v1/me", host=host, type=type)
    assert status == 400
    assert b"This server is not called that" in body
    assert listener.reached == []
    if host:
        assert host not in headers["content-security-policy"]


async def test_two_host_headers_get_nothing(listener: Listener) -> None:
    for hosts in ((APP, "evil.example"), ("evil.example", APP), (APP, APP)):
        status, _, _ = await listener.ask("GET", "/", host=hosts[0], more=(("host", hosts[1]),))
        assert status == 400
    assert listener.reached == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{APP}.evil"},
        {"origin": f"http://{APP}"},
        {"origin": f"https://{APP}:8443"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": f"https://{APP}", "sec_fetch_site": "cross-site"},
    ],
)
@pytest.mark.parametrize("cookie", [None, f"{COOKIE}={PAGE.value}"], ids=["stranger", "signed in"])
async def test_another_sites_page_posts_nothing(
    listener: Listener, headers: dict[str, str], cookie: str | None
) -> None:
    status, _, body = await listener.ask(
        "POST", content_type="application/json", content_length="2", cookie=cookie, **headers
    )
    assert status == 403
    assert FOREIGN_ORIGIN.encode() in body
    assert listener.reached == []


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
async def test_forms_and_plain_text_are_not_taken(
    listener: Listener, content_type: str | None
) -> None:
    for length in ({"content_length": "2"}, {"transfer_encoding": "chunked"}):
        status, headers, body = await listener.ask("POST", content_type=content_type, **length)
        assert status == 415
        assert headers["content-type"] == "application/problem+json"
        assert NOT_JSON.encode() in body
    assert listener.reached == []


async def test_programs_sign_in_and_pages_of_ours_post(listener: Listener) -> None:
    json = {"content_type": "application/json; charset=utf-8", "content_length": "2"}
    for headers in (
        json,
        {**json, "origin": f"https://{APP}"},
        {**json, "origin": f"https://{APP}", "sec_fetch_site": "same-origin"},
        {"content_length": "0", "origin": f"https://{APP}"},
    ):
        assert (await listener.ask("POST", **headers))[0] == 200
    assert len(listener.reached) == 4


async def test_keys_are_not_a_browsers_doing(listener: Listener) -> None:
    status, _, _ = await listener.ask(
        "POST",
        "/v1/realtime/calls",
        authorization=f"Bearer {BEARER}",
        content_type="application/sdp",
        content_length="2",
        origin="https://their-own.example",
        sec_fetch_site="cross-site",
    )
    assert status == 200


@pytest.mark.parametrize("content_type", ["application/sdp", "application/trickle-ice-sdpfrag"])
async def test_a_page_may_offer_a_call(listener: Listener, content_type: str) -> None:
    """No form of another site can send these either."""
    status, _, _ = await listener.ask(
        "POST", "/v1/realtime/calls", content_type=content_type, content_length="2"
    )
    assert status == 200


async def test_refusals_speak_the_language_of_their_door(listener: Listener) -> None:
    _, headers, body = await listener.ask(
        "POST", "/v1/chat/completions", content_type="text/plain", content_length="2"
    )
    assert headers["content-type"] == "application/json"
    assert body.startswith(b'{"error":{"message":')


async def test_the_lifespan_passes_through() -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    async def nothing(*_: Any) -> Any:
        return {}

    await Security(app, Site())({"type": "lifespan"}, nothing, nothing)
    assert scopes == [{"type": "lifespan"}]
