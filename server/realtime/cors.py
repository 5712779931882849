"""Pages of other origins at /v1: off, unless origins are configured.

They come with a token, never with our cookie, so credentials are not allowed.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
HEADERS = {"authorization", "content-type", "if-match", "x-openai-agents-sdk", "x-session-id"}
HEADER_PREFIX = "x-stainless-"
EXPOSED = "Location, Link, ETag, Accept-Patch, Retry-After, X-Session-Id, X-Locked-By-Lesson"
REMEMBER_S = "600"


class Cors:
    """A layer around the application."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._origins or scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if origin.lower() not in self._origins:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers, origin)(scope, receive, send)
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(raw=message.setdefault("headers", []))
                answer["Access-Control-Allow-Origin"] = origin
                answer["Access-Control-Expose-Headers"] = EXPOSED
                answer.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_allowed)


def _preflight(headers: Headers, origin: str) -> Response:
    asked = headers.get("access-control-request-headers", "").lower().split(",")
    allowed = sorted(
        name
        for name in {part.strip() for part in asked}
        if name in HEADERS or name.startswith(HEADER_PREFIX)
    )
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": ", ".join(allowed or sorted(HEADERS)),
            "Access-Control-Max-Age": REMEMBER_S,
            "Vary": "Origin",
        },
    )
