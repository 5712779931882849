"""How calls are asked for: the HTTP side of WebRTC."""

import asyncio
import http.client
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

CALLS = "/v1/realtime/calls"


class Refused(Exception):
    """The server does not take the call."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.headers = headers
        self.error: dict[str, Any] = json.loads(body)["error"] if body.startswith("{") else {}


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server answers, and for whom."""

    address: str
    "host:port"
    token: str = ""
    inside: Callable[[], AbstractContextManager[None]] = nullcontext
    "Where a connection is made: in another network, perhaps."
    headers: tuple[tuple[str, str], ...] = ()

    async def ask(
        self, method: str, path: str, body: str | bytes = "", kind: str = "application/sdp"
    ) -> tuple[int, dict[str, str], str]:
        """One request: status, headers in lower case, body."""
        return await asyncio.to_thread(self._ask, method, path, body, kind)

    def _ask(
        self, method: str, path: str, body: str | bytes, kind: str
    ) -> tuple[int, dict[str, str], str]:
        host, _, port = self.address.partition(":")
        with self.inside():
            connection = http.client.HTTPConnection(host, int(port), timeout=20)
            try:
                headers = {"Content-Type": kind, **dict(self.headers)}
                if self.token:
                    headers["Authorization"] = f"Bearer {self.token}"
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                named = {name.lower(): value for name, value in answer.getheaders()}
                return answer.status, named, answer.read().decode()
            finally:
                connection.close()

    async def offer(self, sdp: str, query: str) -> tuple[str, str]:
        """The call's path and the answer. Raises Refused."""
        status, headers, body = await self.ask("POST", f"{CALLS}?{query}", sdp)
        if status != 201:
            raise Refused(status, headers, body)
        return headers["location"], body
