"""One connection, as a session speaks to it and as a client's events reach a session.

    session --tell--> outbox --> client        client --take--> command --> session

What both doors share: `socket_connection` writes to a WebSocket, `call_connection` to a call.
`tell` and `close` return at once. `take` is given one event after the other. A client that does not
read is let go: what it missed is in the record, and it may resume.
"""

import itertools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol

import orjson
import structlog

from server.realtime import limits, wire
from server.realtime.limits import Outbox, Pace
from sessions.live.events import (
    AudioFormat,
    Command,
    CommandRefused,
    CreateItem,
    Event,
    ItemAdded,
    ItemDone,
    Notice,
    SessionView,
)
from sessions.live.seats import Connection
from tenancy.model import Person

ENDED = 1000
LIMIT_PASSED = 1008
OUR_FAULT = 1011
SIGNED_OUT = 4002

SLOW_DOWN = (
    f"Events come faster than {limits.EVENTS_PER_S} a second, so they are read more slowly now."
)
TOO_MANY_EVENTS = (
    f"Events kept coming faster than {limits.EVENTS_PER_S} a second, so this connection is closed."
    " The session waits for you; connect again with session=… and send fewer."
)
TOO_LARGE_AGAIN = (
    "Too many events were larger than allowed, so this connection is closed. The session waits for"
    " you; connect again with session=…."
)
NOT_READING = (
    "Your connection is too slow for what the tutor says, so it is closed. The lesson waits for"
    " you; connect again with session=…."
)
OUR_TROUBLE = "Something went wrong on our side. The lesson is saved; connect again to go on."
WITHDRAWN = "You were signed out, so the lesson stops here. Sign in again to go on with it."
FOLLOW_WITHDRAWN = (
    "You were signed out, or may follow this lesson no longer. It goes on without you."
)
BROKEN_COMMAND = "We could not do this; it is our fault and was noted. The lesson goes on."

log = structlog.get_logger()


class Converter(Protocol):
    def feed(self, data: bytes, /) -> bytes:
        """A stream, piece by piece."""


class Codecs(Protocol):
    """Other formats than 24 kHz PCM; `ai.g711` is one."""

    def decoder(self, law: Literal["mu", "a"]) -> Converter: ...

    def encoder(self, law: Literal["mu", "a"]) -> Converter: ...


class Talk(Protocol):
    """What a door needs of a live session."""

    def receive(self, connection: Connection, command: Command) -> None: ...

    def hear(
        self, connection: Connection, pcm: bytes, event_id: str | None, *, made_up: bool = False
    ) -> float: ...


class WholeSamples:
    """24 kHz PCM as it comes; a sample cut in two by a client's chunks is put together again."""

    def __init__(self) -> None:
        self._half = b""

    def feed(self, data: bytes, /) -> bytes:
        if self._half or len(data) % 2:
            data = self._half + data
            whole = len(data) & ~1
            self._half = data[whole:]
            return data[:whole]
        return data


class ClientConnection(ABC):
    """Implements `sessions.live.seats.Connection`."""

    over_call: bool = False

    def __init__(
        self,
        person: Person,
        codecs: Codecs,
        *,
        reads: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            reads: It reads along with somebody else's lesson.
        """
        self.person = person
        self.reads = reads
        self.closing: tuple[int, str] | None = None
        self._codecs = codecs
        self._clock = clock
        self._appended_at = -math.inf
        "When the client sent sound in an event last."
        self._outbox: Outbox[Any] = Outbox()
        self._numbers = itertools.count(1)
        self._pace = Pace(clock())
        self._slowed = False
        self._oversize = 0
        self._replayed = 0
        self._input_format: AudioFormat = "audio/pcm"
        self._decoder: Converter = WholeSamples()

    # ---- what the session says ---------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Queue an event for the client. Never blocks, never raises."""
        if self.closing is not None:
            return
        try:
            self._queue(event)
        except Exception:
            log.exception("connection.tell_failed", event_type=type(event).__name__)
            self._give_up(OUR_FAULT, "fault", OUR_TROUBLE)

    def close(self, code: int, reason: str) -> None:
        """Close after what was told; the first close counts."""
        if self.closing is not None:
            return
        self.closing = (code, reason)
        if code != ENDED:
            self._outbox.drop_sound()
        self._close_within(limits.STALLED_S if code == ENDED else limits.CLOSING_S)

    def withdraw(self) -> None:
        """The caller signed out, or may no longer be here."""
        self.tell(Notice("signed_out", FOLLOW_WITHDRAWN if self.reads else WITHDRAWN))
        self.close(SIGNED_OUT, "signed out")

    def fail(self) -> None:
        """Something of ours broke."""
        self.tell(Notice("fault", OUR_TROUBLE))
        self.close(OUR_FAULT, "server error")

    def expect_replay(self, items: int) -> None:
        """So many items come again at once; they are not held against the client."""
        self._replayed = 2 * items

    @abstractmethod
    def announce(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Queue an event of a call, of which the session knows nothing. Never blocks or raises."""

    @abstractmethod
    def _queue(self, event: Event) -> None:
        """Have an event reach the client, in the way of this door."""

    @abstractmethod
    def _close_within(self, patience_s: float) -> None:
        """`closing` was set: send what waits, for so long at most, and end."""

    def _put(self, event: Event) -> None:
        """Let an event wait to be sent, unless too much waits already."""
        replay = self._replayed > 0 and isinstance(event, ItemAdded | ItemDone)
        self._replayed -= replay
        self._outbox.put(wire.encode(event, self._event_id()), replay=replay)
        self._check_outbox()

    def _put_own(self, kind: str, fields: Mapping[str, Any]) -> None:
        """The same with an event that is none of the session's."""
        self._outbox.put(orjson.dumps({"type": kind, "event_id": self._event_id(), **fields}))
        self._check_outbox()

    def _check_outbox(self) -> None:
        if self._outbox.over:
            self._give_up(LIMIT_PASSED, "too_slow", NOT_READING)

    def _adopt(self, view: SessionView) -> None:
        """The session is another one from now on."""
        if view.input_format != self._input_format:
            self._input_format = view.input_format
            self._decoder = self._new_decoder()

    def _new_decoder(self) -> Converter:
        law = law_of(self._input_format)
        return self._codecs.decoder(law) if law else WholeSamples()

    def _give_up(self, code: int, notice: str, text: str) -> None:
        """Forget what is unsent, say why, close."""
        self._outbox.clear()
        self._outbox.put(wire.encode(Notice(notice, text), self._event_id()))
        self.close(code, notice)

    def _event_id(self) -> str:
        return f"event_{next(self._numbers)}"

    # ---- what the client sends ---------------------------------------------------------------

    def take(self, session: Talk, frame: str | bytes) -> float:
        """Hand one frame to the session. Returns for how many seconds to stop reading."""
        command = wire.decode(frame)
        is_audio = isinstance(command, wire.Append)
        wait_s = self._pace.take(self._clock(), audio=is_audio)
        try:
            if isinstance(command, wire.Append):
                self._appended_at = self._clock()
                pcm = self._decoder.feed(command.audio)
                wait_s = max(wait_s, session.hear(self, pcm, command.event_id) if pcm else 0.0)
            elif isinstance(command, CommandRefused):
                self._refuse(command)
            else:
                self._pass_on(session, command)
        except Exception:
            log.exception("connection.command_failed", command=type(command).__name__)
            code = "internal_error"
            event_id = command.event_id
            self.tell(CommandRefused(event_id, code, BROKEN_COMMAND, None, "server_error"))
        self._judge_pace(wait_s)
        return wait_s

    def _pass_on(self, session: Talk, command: Command) -> None:
        match command:
            case CreateItem(pcm=bytes() as audio):
                pcm = self._new_decoder().feed(audio)
                session.receive(self, replace(command, pcm=pcm))
            case _:
                session.receive(self, command)

    def _refuse(self, refusal: CommandRefused) -> None:
        self.tell(refusal)
        self._oversize += refusal.code == "too_large" and refusal.param is None
        if self._oversize >= limits.OVERSIZE_FRAMES:
            self.tell(Notice("too_large", TOO_LARGE_AGAIN))
            self.close(LIMIT_PASSED, "too many events were too large")

    def _judge_pace(self, wait_s: float) -> None:
        if self._pace.relentless:
            self.tell(Notice("too_many_events", TOO_MANY_EVENTS))
            self.close(LIMIT_PASSED, "too many events a second")
        elif self._pace.held and not self._slowed:
            self._slowed = True
            self.tell(Notice("slow_down", SLOW_DOWN))


def law_of(kind: AudioFormat) -> Literal["mu", "a"] | None:
    """The law of G.711 that a format follows; None: it is 24 kHz PCM."""
    if kind == "audio/pcm":
        return None
    return "mu" if kind == "audio/pcmu" else "a"
