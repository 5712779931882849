"""A student who calls: the official client's events on the data channel, and a voice both ways.

The voice is Opus, encoded and decoded as a browser does it: what is lost is recovered from the next
packet or concealed. What came is kept with its timestamps, so that it can be heard afterwards.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any, cast

from openai.resources.realtime.realtime import AsyncRealtimeConnection

from ai.audio import FRAME_MS
from bench.caller import CLOCK_PER_FRAME, Answer, Caller, own_address
from bench.door import Door
from bench.microphone import Microphone
from server.rtc.opus import Encoder
from tests.calls.recording import TICKS_PER_MS, Recording, signed
from tests.fakes.udp_relay import PERFECT, Network, UdpRelay, relay_to
from tests.journeys.pupil import Pupil


class Gone(Exception):
    """The call is over, and somebody still waits for an event."""


class Channel:
    """What the official client takes for its WebSocket: the data channel of a call."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._came: asyncio.Queue[str | None] = asyncio.Queue()
        self._pieces: dict[str, list[str]] = {}
        caller.on_event = self._take
        caller.on_gone = lambda: self._came.put_nowait(None)

    def _take(self, text: str) -> None:
        event = json.loads(text)
        if event["type"] != "event.piece":
            self._came.put_nowait(text)
            return
        pieces = self._pieces.setdefault(event["event_id"], [])
        assert event["index"] == len(pieces), "pieces come in order"
        pieces.append(event["data"])
        if len(pieces) == event["count"]:
            self._came.put_nowait("".join(self._pieces.pop(event["event_id"])))

    async def send(self, data: str | bytes) -> None:
        assert self._caller.tell(data if isinstance(data, str) else data.decode())

    async def recv(self, decode: bool | None = None) -> bytes:
        text = await self._came.get()
        if text is None:
            raise Gone
        return text.encode()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._caller.close()


class Call:
    """One call that is connected; made by `call`."""

    def __init__(self, caller: Caller, door: Door, path: str, relay: UdpRelay | None) -> None:
        self.caller = caller
        self.door = door
        self.path = path
        "Where it can be ended."
        self._relay = relay
        self.recording = Recording()
        caller.on_packet = self.recording.take
        self.pupil = Pupil(AsyncRealtimeConnection(cast(Any, Channel(caller))))
        self.mic = Microphone(self.speak)
        self._encoder = Encoder()
        self._encoder.expect_loss(10)
        self._clock = secrets.randbits(32)
        self._started = False

    @property
    def relay(self) -> UdpRelay:
        assert self._relay is not None, "it goes directly"
        return self._relay

    async def speak(self, pcm: bytes) -> None:
        """A frame of the microphone."""
        self.caller.send(self._encoder.encode(pcm), self._clock, marker=not self._started)
        self._started = True
        self._clock += CLOCK_PER_FRAME

    async def answer(self) -> tuple[str, bytes]:
        """The next answer in sound, to its end: its item and how it was heard."""
        started = await self.pupil.until("output_audio_buffer.started", 20)
        stopped = await self.pupil.until("output_audio_buffer.stopped", 20)
        assert stopped["response_id"] == started["response_id"]
        return started["item_id"], self.heard(started)

    def heard(self, started: dict[str, Any]) -> bytes:
        """From that event on, to the first silence that lasts."""
        first = started["rtp_timestamp"]
        sound = [
            into
            for timestamp, payload in self.recording.packets.items()
            if len(payload) > 2 and (into := signed(timestamp - first)) >= 0
        ]
        end = 0
        for into in sorted(sound):
            if into - end > 300 * TICKS_PER_MS:
                break
            end = into
        return self.recording.sound(first, end / TICKS_PER_MS + FRAME_MS)


@contextlib.asynccontextmanager
async def call(
    door: Door,
    query: str,
    *,
    up: Network = PERFECT,
    down: Network = PERFECT,
    relayed: bool = False,
    seed: int = 1,
    host: str | None = None,
    within_s: float = 15.0,
) -> AsyncIterator[Call]:
    """Call and be connected. `query` as in the door's address; with `relayed`, or a network that is
    not perfect, through a relay on this machine. Raises Refused and NotConnected."""
    host = host or own_address()
    async with contextlib.AsyncExitStack() as stack:
        with door.inside():
            caller = Caller(host=host, events=True, opened=True)
        stack.push_async_callback(caller.close)
        path, answer = await door.offer(caller.offer, query)
        relay = None
        if relayed or (up, down) != (PERFECT, PERFECT):
            candidates = Answer.read(answer).candidates
            server = next(one for one in candidates if (":" in one[0]) == (":" in host))
            relay = await stack.enter_async_context(
                relay_to(server, up=up, down=down, seed=seed, host=host)
            )
            answer = relay.between(answer)
        made = Call(caller, door, path, relay)
        await caller.connect(answer, within_s=within_s)
        async with asyncio.timeout(within_s):
            await caller.channel_open.wait()
        yield made
