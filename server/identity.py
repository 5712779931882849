"""Who is calling: a bearer token, a key among the subprotocols, or the sign-in cookie.

Reading headers is plain code; `Door.caller` then asks the database. A browser sends a cookie along
whoever made it send the request, so a cookie counts only together with an origin of ours, and for
changes with the token that only our pages know. Keys are sent by their holders and need neither.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

from tenancy import tokens
from tenancy.identities import NOBODY, Identities
from tenancy.model import Caller, NotAllowed, NotSignedIn

COOKIE = "__Host-sid"
KEY_PROTOCOL = "openai-insecure-api-key."
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

FOREIGN_ORIGIN = "This request comes from a page of another site, so it is refused."
NO_CSRF = "The X-CSRF-Token header is missing or wrong. Reload the page and try again."
KEY_TOO_SMALL = "A short-lived key opens lessons only. Use your own token here."

_BEARER = re.compile(r"Bearer +([^ ]+) *", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as a request carries it."""

    value: str
    by: Literal["header", "subprotocol", "cookie"]


def presented(headers: Mapping[str, str]) -> Presented | None:
    """The credential of a request; what is sent on purpose goes before the cookie."""
    if match := _BEARER.fullmatch(headers.get("authorization", "").strip()):
        return Presented(match[1], "header")
    for offered in headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(KEY_PROTOCOL):
            return Presented(offered.strip().removeprefix(KEY_PROTOCOL), "subprotocol")
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return Presented(value, "cookie")
    return None


def set_cookie(value: str, max_age_s: int) -> str:
    """The `Set-Cookie` of a sign-in."""
    return f"{COOKIE}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite=Lax"


def clear_cookie() -> str:
    """The `Set-Cookie` of a sign-out."""
    return set_cookie("", 0)


class Site:
    """What this server is called, and so which pages are its own."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """
        Args:
            names: Host names besides `localhost` and addresses in digits, which are always ours: an
                attacker can make a *name* point at us, not an address. `*.example.org` stands for
                all names below it; `*` for any, where a proxy has checked them.
        """
        self._names = frozenset(name.lower() for name in names)

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names this server."""
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return False
        name = match[1].rstrip(".")
        if name == "localhost" or name.endswith(".localhost") or _is_address(name):
            return True
        if name in self._names or "*" in self._names:
            return True
        return any(f"*.{parent}" in self._names for parent in _parents(name))

    def owns(self, origin: str, scheme: str, host: str) -> bool:
        """Whether a page of this origin is a page of ours, for a request to `scheme://host`."""
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        match = _HOST.fullmatch(host.lower())
        if match is None or not self.answers_to(host):
            return False
        port = "" if match[2] in (None, _DEFAULT_PORTS.get(scheme)) else f":{match[2]}"
        return origin.lower() == f"{scheme}://{match[1]}{port}"


def foreign(headers: Mapping[str, str], scheme: str, site: Site) -> bool | None:
    """Whether another site's page sent a request; None if no browser says anything about it."""
    origin, relation = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is None and relation is None:
        return None
    if origin is not None and not site.owns(origin, scheme, headers.get("host", "")):
        return True
    return relation not in (None, "same-origin")


class Door:
    """Tells who is calling."""

    def __init__(self, identities: Identities, site: Site) -> None:
        self.identities = identities
        self.site = site

    async def caller(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], *, lessons: bool = False
    ) -> Caller:
        """Who an HTTP request or a WebSocket handshake comes from.

        Args:
            lessons: Whether short-lived keys are good here.

        Raises:
            NotSignedIn: If nobody we know: 401.
            NotAllowed: If another site's page sent it, or the credential is not for this: 403.
        """
        credential = presented(headers)
        if credential is None:
            raise NotSignedIn(NOBODY)
        token = tokens.read(credential.value)
        if token is None or (token.kind == "cookie") != (credential.by == "cookie"):
            raise NotSignedIn(NOBODY)
        if token.kind == "ephemeral" and not lessons:
            raise NotAllowed(KEY_TOO_SMALL)
        if token.kind == "cookie":
            self._check_page(scope, headers, token)
        return await self.identities.verify(credential.value)

    def _check_page(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], token: tokens.Token
    ) -> None:
        if scope["type"] == "websocket":
            origin = headers.get("origin", "")
            if not self.site.owns(origin, scope["scheme"], headers.get("host", "")):
                raise NotAllowed(FOREIGN_ORIGIN)
        elif scope["method"] not in SAFE_METHODS:
            if foreign(headers, scope["scheme"], self.site) is not False:
                raise NotAllowed(FOREIGN_ORIGIN)
            if not token.csrf_fits(headers.get("x-csrf-token", "")):
                raise NotAllowed(NO_CSRF)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _parents(name: str) -> Iterable[str]:
    labels = name.split(".")
    return (".".join(labels[n:]) for n in range(1, len(labels)))
