"""STUN and TURN servers for the clients: who they are, and credentials that soon expire. Pure.

Credentials are those of "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00,
2.2), which coturn knows as `use-auth-secret`. The server itself uses neither STUN nor TURN.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TTL_S = 300
_URL = re.compile(r"(stuns?|turns?):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(\?[a-z=]+)?")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens a TURN server for some minutes."""

    username: str
    credential: str


@dataclass(frozen=True, slots=True)
class IceServers:
    """What clients may use to find a way through their network."""

    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    secret: str = ""
    "Shared with the TURN servers; empty: they ask for no credentials."
    ttl_s: int = TTL_S

    def __bool__(self) -> bool:
        return bool(self.stun_urls or self.turn_urls)


def check_url(text: str, schemes: Sequence[str]) -> str:
    """A server's address of RFC 7064 or 7065.

    Raises:
        ValueError: If it is none, or of another scheme.
    """
    match = _URL.fullmatch(text)
    if match is None or match[1] not in schemes:
        raise ValueError(
            f"{text!r} is no address; write {schemes[0]}:{schemes[0]}.example.org:3478"
        )
    return text


def credentials(secret: str, user: str, ttl_s: int, now_s: float) -> Credentials:
    """Credentials for one user, until `ttl_s` after now (in seconds since 1970)."""
    username = f"{int(now_s) + ttl_s}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, base64.b64encode(digest).decode())


def ice_servers(servers: IceServers, user: str, now_s: float) -> list[dict[str, Any]]:
    """The servers as a list of `RTCIceServer` (W3C WebRTC, 4.2.4)."""
    found: list[dict[str, Any]] = []
    if servers.stun_urls:
        found.append({"urls": list(servers.stun_urls)})
    if servers.turn_urls:
        entry: dict[str, Any] = {"urls": list(servers.turn_urls)}
        if servers.secret:
            made = credentials(servers.secret, user, servers.ttl_s, now_s)
            entry |= {"username": made.username, "credential": made.credential}
        found.append(entry)
    return found


def links(servers: list[dict[str, Any]]) -> list[str]:
    """The values of `Link` headers that name the same servers (RFC 9725, 4.6)."""
    values = []
    for server in servers:
        for url in server["urls"]:
            value = f'<{url}>; rel="ice-server"'
            if "username" in server:
                value += (
                    f"; username={_quoted(server['username'])}"
                    f"; credential={_quoted(server['credential'])}"
                    '; credential-type="password"'
                )
            values.append(value)
    return values


def _quoted(text: str) -> str:
    """A quoted-string of RFC 9110, 5.6.4; signs that no header may have are left out."""
    kept = "".join(sign for sign in text if " " <= sign <= "~")
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'
