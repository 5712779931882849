"""One WebRTC call, as a session speaks to it: sound as Opus, events on the data channel.

    session --tell--> voice --packets--> peer          peer --packets--> voice --> session
                  \\-> outbox --messages--> peer        peer --messages--> command --> session

Implements what a peer and a voice tell. Nothing here waits: what the channel can't take now goes
when it says that it can, and a client that does not read is let go.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import orjson
import structlog

from server.realtime import limits
from server.realtime.connection import (
    LIMIT_PASSED,
    NOT_READING,
    ClientConnection,
    Codecs,
    Talk,
)
from server.rtc.rtp import ReceiverReport
from sessions.live.events import (
    AudioDelta,
    AudioDone,
    Command,
    CommandRefused,
    CreateResponse,
    Event,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ReportPlayed,
    SessionCreated,
    SessionUpdated,
    TruncateItem,
)
from tenancy.model import Person

CHANNEL_BYTES = 64 * 1024
"So much may wait in the channel; what lies there can't be taken back."
CHANNEL_WITHIN_S = 2.0
"The data channel opens this soon after the call is connected; else the lesson begins without."
APPENDED_S = 0.2  # so long after an event with sound, another may be on its way
EARLY_BYTES = 3 * 48_000
"Of the microphone, kept until the lesson listens: 3 s."
HELD_BYTES = 4 * 1024 * 1024
"Of messages that came faster than they are read: a minute of sound in base64."
LAST_WORDS_S = 0.1
"What the channel has sent, and the other side has, gets so long to be read before the call ends."
REPORTED = 16
PIECE_BYTES = 256
"What a piece of an event has besides its data, at most."

BINARY = "The data channel takes text only: one JSON object a message."
TOO_MUCH = (
    "Messages kept coming faster than they are read, so this call is closed. The session waits for"
    " you; call again with session=…."
)

log = structlog.get_logger()


class Peer(Protocol):
    """What a call is sent through; `server.rtc.peer.Peer`."""

    events: bool
    max_message: int

    @property
    def buffered(self) -> int: ...

    @property
    def arrived(self) -> bool: ...

    def tell(self, text: str) -> bool: ...

    async def close(self) -> None: ...


class Voice(Protocol):
    """What makes packets of sound and sound of packets; `server.rtc.voice.Voice`."""

    def begin(self) -> None: ...

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None: ...

    def report(self, report: ReceiverReport) -> None: ...

    def play(self, response_id: str, item_id: str, pcm: bytes) -> None: ...

    def complete(self, response_id: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def clear(self, response_id: str | None = None) -> list[tuple[str, int]]: ...

    def sent_ms(self, item_id: str) -> int | None: ...

    def close(self) -> None: ...


class CallConnection(ClientConnection):
    """A connection over a call. `use` gives it what it speaks through."""

    over_call = True

    def __init__(
        self,
        person: Person,
        codecs: Codecs,
        session: Talk,
        *,
        ready: Callable[[], None],
        ended: Callable[[str], None],
        beside: Callable[[], Iterable[ClientConnection]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            ready: Called once, when the call is connected: the session may have it.
            ended: Called once, when the call is over, with the reason.
            beside: The further connections that are told when sound begins and ends.
        """
        super().__init__(person, codecs, clock=clock)
        self.loss = (0, 0)
        "Packets of ours that did not arrive, as the other side tells; those that it tells of."
        self._session = session
        self._ready = ready
        self._ended = ended
        self._beside = beside
        self._loop = asyncio.get_running_loop()
        self._peer: Peer
        self._voice: Voice
        self._begun = self._open = self._over = False
        self._reported: deque[str] = deque(maxlen=REPORTED)
        "Items of which the client itself told what was heard; it knows better."
        self._early = bytearray()
        self._hears_at = 0.0
        "Sound before that is ahead of its time, and dropped."
        self._held: deque[str] = deque()
        self._held_bytes = 0
        self._waiting: asyncio.TimerHandle | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing_task: asyncio.Task[None] | None = None

    def use(self, peer: Peer, voice: Voice) -> None:
        """Speak through these."""
        self._peer, self._voice = peer, voice

    @property
    def events(self) -> bool:
        """Whether the client wished for a data channel."""
        return self._peer.events

    async def closed(self) -> None:
        """Wait until the last word was sent, where the call is ending."""
        if self._closing_task is not None:
            await self._closing_task

    # ---- what the peer tells -----------------------------------------------------------------

    def connected(self) -> None:
        """Sound may flow."""
        self._voice.begin()
        if self._peer.events:
            self._later("channel", CHANNEL_WITHIN_S, self._begin)
        else:
            self._begin()

    def opened(self) -> None:
        """The data channel is open."""
        self._open = True
        self._begin()
        self._flush()

    def message(self, text: str) -> None:
        """An event of the client; what comes too fast is read later."""
        if self.closing is not None:
            return
        if self._waiting is None:
            self._read(text)
            return
        self._held.append(text)
        self._held_bytes += len(text)
        if self._held_bytes > HELD_BYTES:
            self._give_up(LIMIT_PASSED, "too_many_events", TOO_MUCH)

    def binary(self) -> None:
        """Something that is no event."""
        self.tell(CommandRefused(None, "binary_not_taken", BINARY))

    def writable(self) -> None:
        """The channel takes more."""
        self._flush()

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        """Sound of the student, as it comes."""
        self._voice.packet(sequence, timestamp, payload, ssrc)

    def report(self, report: ReceiverReport) -> None:
        """What arrived of ours."""
        self.loss = (max(0, report.packets_lost), report.highest_sequence)
        self._voice.report(report)

    def gone(self, reason: str) -> None:
        """The call is over."""
        self._end(reason)

    # ---- what the voice tells ----------------------------------------------------------------

    def hear(self, pcm: bytes, *, made_up: bool = False) -> None:
        """The student speaks."""
        if self._begun:
            now = self._clock()
            if made_up and now - self._appended_at < APPENDED_S:
                return  # these words come in events, and silence does not belong between them
            # Who sends more than there is time for can't be made to wait, as a socket can.
            if self.closing is None and now >= self._hears_at:
                self._hears_at = now + self._session.hear(self, pcm, None, made_up=made_up)
        elif len(self._early) + len(pcm) <= EARLY_BYTES:
            self._early += pcm

    def started(self, response_id: str, item_id: str, audio_ms: int, rtp_timestamp: int) -> None:
        """An item begins to sound, or goes on."""
        fields = {
            "response_id": response_id,
            "item_id": item_id,
            "audio_ms": audio_ms,
            "rtp_timestamp": rtp_timestamp,
        }
        self._sounds("output_audio_buffer.started", fields)

    def stopped(self, response_id: str, rtp_timestamp: int) -> None:
        """A response has sounded to its end."""
        fields = {"response_id": response_id, "rtp_timestamp": rtp_timestamp}
        self._sounds("output_audio_buffer.stopped", fields)

    def _sounds(self, kind: str, fields: Mapping[str, Any]) -> None:
        for connection in (self, *self._beside()):
            connection.announce(kind, fields)

    def position(self, item_id: str, audio_ms: int) -> None:
        """So much of an item was heard, it seems."""
        if item_id not in self._reported and self.closing is None:
            self._session.receive(self, ReportPlayed(item_id=item_id, audio_ms=audio_ms))

    # ---- what the session says ---------------------------------------------------------------

    def _queue(self, event: Event) -> None:
        match event:
            case AudioDelta():
                self._voice.play(event.response_id, event.item_id, event.pcm)
                return
            case AudioDone():
                self._voice.complete(event.response_id)
            case OutputPaused():
                self._voice.pause()
            case OutputResumed():
                self._voice.resume()
            case OutputCleared():
                self._voice.clear(event.response_id)
            case SessionCreated() | SessionUpdated():
                self._adopt(event.session)
        if self._peer.events:
            self._put(event)
            self._flush()

    def announce(self, kind: str, fields: Mapping[str, Any]) -> None:
        if self.closing is None and self._peer.events:
            self._put_own(kind, fields)
            self._flush()

    def _close_within(self, patience_s: float) -> None:
        self._voice.clear()
        self._held.clear()
        if not self._open or not self._begun:
            self._end("closed")
            return
        self._closing_task = self._loop.create_task(self._say_last(patience_s))

    async def _say_last(self, patience_s: float) -> None:
        """Wait until what was told is sent, and end the call."""
        deadline = self._loop.time() + patience_s
        while not self._over and self._loop.time() < deadline:
            self._flush()
            if not self._outbox and self._peer.arrived:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(LAST_WORDS_S)
        self._end("closed")
        await self._peer.close()

    # ---- inside ------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The session may have this connection, and what was said until now."""
        if self._begun or self._over:
            return
        self._begun = True
        self._cancel("channel")
        self._ready()
        if self.closing is not None:
            return
        if self._early:
            self._session.hear(self, bytes(self._early), None)
            self._early.clear()
        if not self._peer.events:
            self._session.receive(self, CreateResponse())

    def _read(self, text: str) -> None:
        wait_s = self.take(self._session, text)
        if wait_s > 0 and self.closing is None:
            self._waiting = self._loop.call_later(wait_s, self._read_on)

    def _read_on(self) -> None:
        """Read what was held, until it comes too fast again."""
        self._waiting = None
        while self._held and self._waiting is None and self.closing is None:
            text = self._held.popleft()
            self._held_bytes -= len(text)
            self._read(text)

    def _pass_on(self, session: Talk, command: Command) -> None:
        match command:
            case ReportPlayed(item_id=item_id, audio_ms=audio_ms):
                if item_id not in self._reported:
                    self._reported.append(item_id)
                command = replace(command, audio_ms=self._at_most(item_id, audio_ms))
            case TruncateItem(item_id=item_id, audio_end_ms=audio_ms):
                command = replace(command, audio_end_ms=self._at_most(item_id, audio_ms))
        super()._pass_on(session, command)

    def _at_most(self, item_id: str, audio_ms: int) -> int:
        """Nobody has heard what was not sent; a client that is told late reckons too far."""
        sent_ms = self._voice.sent_ms(item_id)
        return audio_ms if sent_ms is None else min(audio_ms, sent_ms)

    def _flush(self) -> None:
        """Send what the channel takes now."""
        if not self._open or self._over:
            return
        wrote = False
        while self._outbox and self._peer.buffered <= CHANNEL_BYTES:
            for message in pieces(self._outbox.take(), self._peer.max_message):
                self._peer.tell(message)
            wrote = True
        if not self._outbox:
            self._cancel("stalled")
        elif self.closing is None and (wrote or "stalled" not in self._timers):
            self._later("stalled", limits.STALLED_S, self._stall)

    def _stall(self) -> None:
        self._give_up(LIMIT_PASSED, "too_slow", NOT_READING)

    def _end(self, reason: str) -> None:
        """It is over: told once."""
        if self._over:
            return
        self._over = True
        self.closing = self.closing or (1006, reason)
        self._outbox.clear()
        self._held.clear()
        for timer in (*self._timers.values(), *([self._waiting] if self._waiting else ())):
            timer.cancel()
        self._voice.close()
        if self._closing_task is None:
            self._closing_task = self._loop.create_task(self._peer.close())
        self._ended(reason)

    def _later(self, name: str, after_s: float, do: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._loop.call_later(after_s, do)

    def _cancel(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()


def pieces(event: bytes, most: int) -> Iterator[str]:
    """An event as messages of at most `most` bytes; whole, where it fits.

    A piece's `data` is a part of the event's JSON, in order; put together it is the event. Each
    byte takes two at most, where it is a quote or a backslash, which JSON writes with another.
    """
    if len(event) <= most:
        yield event.decode()
        return
    size = max(16, (most - PIECE_BYTES) // 2)
    parts: list[str] = []
    at = 0
    while at < len(event):
        end = min(at + size, len(event))
        while end < len(event) and event[end] & 0xC0 == 0x80:  # within a character of UTF-8
            end -= 1
        parts.append(event[at:end].decode())
        at = end
    event_id = orjson.loads(event)["event_id"]
    for index, data in enumerate(parts):
        yield orjson.dumps(
            {
                "type": "event.piece",
                "event_id": event_id,
                "index": index,
                "count": len(parts),
                "data": data,
            }
        ).decode()
