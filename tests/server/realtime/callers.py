"""Calling the house: aiortc's peer connection as a client, over real sockets of this machine."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from server.realtime.calls import Calls
from server.rtc.peer import Peers
from server.rtc.ports import Place
from server.rtc.voice import Voice
from tests.fakes.webrtc_client import Client
from tests.server.realtime.house import House

SDP = {"Content-Type": "application/sdp"}


@asynccontextmanager
async def open_calls(**more: Any) -> AsyncIterator[Calls]:
    """Calls on the loopback address, as `server.wiring` makes them."""
    peers = await Peers.open(Place(addresses=("127.0.0.1",), loopback=True))
    try:
        yield Calls(
            peers.answer,
            lambda peer, connection: Voice(peer.send, connection, clock=time.monotonic),
            **more,
        )
    finally:
        await peers.close()


class Caller:
    """One call of a student."""

    def __init__(self, house: House, *, events: bool = True) -> None:
        self.house = house
        self.client = Client(events=events, sound=False)
        self.path = ""
        self.answer: httpx.Response
        self._read = 0

    async def call(self, query: str = "model=halves", token: str | None = None) -> httpx.Response:
        """Offer; connect, if that was taken."""
        offer = await self.client.offer()
        async with self.house.http(token) as http:
            answer = await http.post(f"/v1/realtime/calls?{query}", content=offer, headers=SDP)
        self.answer = answer
        if answer.status_code == 201:
            self.path = answer.headers["location"]
            await self.client.accept(answer.text)
        return answer

    async def send(self, kind: str, **fields: Any) -> None:
        await self.client.say(json.dumps({"type": kind, **fields}))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(message) for message in self.client.messages]

    async def until(self, kind: str, within_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        """The next event of a type with these fields."""
        async with asyncio.timeout(within_s):
            while True:
                for event in self.events[self._read :]:
                    self._read += 1
                    if event["type"] == kind and fields.items() <= event.items():
                        return event
                await asyncio.sleep(0.01)

    async def gone(self, within_s: float = 5.0) -> None:
        """Wait until the server has ended the call."""
        async with asyncio.timeout(within_s):
            while self.client.connection.connectionState not in ("closed", "failed"):
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.client.close()
