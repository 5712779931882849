"""What every answer says to browsers, and what is refused before anything looks at it.

Plain ASGI around the whole application. The content security policy allows our own files and
nothing else: no inline script, no other site, no frame around us.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from server.errors import Answer, openai_error, problem
from server.identity import FOREIGN_ORIGIN, SAFE_METHODS, Site, foreign, presented

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HSTS_S = 365 * 24 * 3600  # ASVS 3.4.1: a year at least

UNKNOWN_HOST = "This server is not called that. Use its proper address, or name this one in HOSTS."
NOT_JSON = "Send the data as JSON, with the header `Content-Type: application/json`."
TAKEN = frozenset(
    {"application/json", "text/csv", "application/sdp", "application/trickle-ice-sdpfrag"}
)
"What a page may send; none of it can a form of another site send."

NOTHING = "default-src 'none'; frame-ancestors 'none'"

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}


def content_security_policy(scheme: str, host: str) -> str:
    """Our own files only. `host` was checked before; 'self' does not cover sockets everywhere."""
    socket = "wss" if scheme == "https" else "ws"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            f"connect-src 'self' {socket}://{host}",
            "media-src 'self' blob:",
            "img-src 'self' data:",
            "style-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


class Security:
    """The outermost layer."""

    def __init__(self, app: App, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        app = _spell(scope["path"], refused) if refused else self._app
        said = dict(ALWAYS)
        if scope["scheme"] in ("https", "wss"):
            said["strict-transport-security"] = f"max-age={HSTS_S}; includeSubDomains"
        said["content-security-policy"] = (
            NOTHING if refused else content_security_policy(scope["scheme"], headers["host"])
        )
        static = scope["path"].startswith("/static/")
        said["cache-control"] = "no-cache" if static else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                answer = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in said.items():
                    answer.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Answer | None:
        """What nobody needs to look at."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._site.answers_to(hosts[0]):
            return Answer(400, "unknown_host", UNKNOWN_HOST)
        if scope["type"] == "websocket" or scope["method"] in SAFE_METHODS:
            return None
        credential = presented(headers)
        if credential is not None and credential.by != "cookie":
            return None
        if foreign(headers, scope["scheme"], self._site):
            return Answer(403, "foreign_origin", FOREIGN_ORIGIN)
        if _has_body(headers) and _content_type(headers) not in TAKEN:
            return Answer(415, "not_json", NOT_JSON)
        return None


def _spell(path: str, answer: Answer) -> JSONResponse:
    return (openai_error if path.startswith("/v1/") else problem)(answer)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _content_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
