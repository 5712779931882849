"""A client of calls: aiortc's whole peer connection, as another program would use it."""

import asyncio
import fractions
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame

from server.rtc.peer import Peer, Peers
from server.rtc.rtp import ReceiverReport
from server.rtc.sdp import Offer

PATIENCE_S = 10.0


class Tone(MediaStreamTrack):
    """A loud sound, 20 ms at a time, that never ends."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._next = 0
        self._began = asyncio.get_running_loop().time()

    async def recv(self) -> AudioFrame:
        due = self._began + self._next / 48_000
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(bytes((0, 0x20, 0, 0xE0)) * 480)
        frame.sample_rate = 48_000
        frame.pts, self._next = self._next, self._next + 960
        frame.time_base = fractions.Fraction(1, 48_000)
        return frame


class Heard:
    """A listener of our side that notes everything."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.messages: list[str] = []
        self.packets: list[tuple[int, int, bytes, int]] = []
        self.reports: list[ReceiverReport] = []
        self.reasons: list[str] = []
        self._changed = asyncio.Event()

    def connected(self) -> None:
        self._note("connected")

    def opened(self) -> None:
        self._note("opened")

    def message(self, text: str) -> None:
        self.messages.append(text)
        self._note("message")

    def binary(self) -> None:
        self._note("binary")

    def writable(self) -> None:
        self._note("writable")

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        self.packets.append((sequence, timestamp, payload, ssrc))
        self._changed.set()

    def report(self, report: ReceiverReport) -> None:
        self.reports.append(report)
        self._changed.set()

    def gone(self, reason: str) -> None:
        self.reasons.append(reason)
        self._note("gone")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, wanted: Any) -> None:
        """Wait until `wanted()` is true, or an event of this name was noted."""
        is_so = (lambda: wanted in self.events) if isinstance(wanted, str) else wanted
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


class Client:
    """A peer connection with a microphone, a loudspeaker and the channel `oai-events`."""

    def __init__(
        self,
        *,
        events: bool = True,
        sound: bool = True,
        listens: bool = False,
        configuration: RTCConfiguration | None = None,
    ) -> None:
        self.connection = RTCPeerConnection(configuration)
        self.channel = self.connection.createDataChannel("oai-events") if events else None
        self.messages: list[str] = []
        self.frames = 0
        self._tasks: set[asyncio.Task[None]] = set()
        if self.channel is not None:
            self.channel.on("message", self.messages.append)
        if listens:
            self.connection.addTransceiver("audio", direction="recvonly")
        else:
            self.connection.addTrack(Tone() if sound else AudioStreamTrack())
        self.connection.on("track", self._listen)

    async def offer(self) -> str:
        """The offer, with all candidates."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Connect."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def call(self, peers: Peers, listener: Heard, *, change: Any = None) -> Peer:
        """Offer, and connect to what answers; `change` may rewrite the offer."""
        offer = await self.offer()
        peer = peers.answer(Offer.read(change(offer) if change else offer), listener)
        peer.start()
        await self.accept(peer.answer)
        return peer

    async def say(self, text: str | bytes) -> None:
        """Send a message, as soon as the channel is open."""
        assert self.channel is not None
        async with asyncio.timeout(PATIENCE_S):
            while self.channel.readyState != "open":
                await asyncio.sleep(0.005)
        self.channel.send(text)

    async def close(self) -> None:
        """Hang up. While it connects, aiortc can't: it would leave its tasks behind."""
        async with asyncio.timeout(PATIENCE_S):
            while self.connection.connectionState == "connecting":
                await asyncio.sleep(0.005)
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self, track: MediaStreamTrack) -> None:
        async def hear() -> None:
            while True:
                await track.recv()
                self.frames += 1

        self._tasks.add(asyncio.get_running_loop().create_task(hear()))
