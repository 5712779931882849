"""The connections of a session: who hears what happens, and what who comes back has missed.

The student has one, and others beside it, of the same person: who takes a lesson over a call may
have a program listen and act along. Others who may follow the lesson read along. A connection that
resumes hears nothing live until its replay was sent, else events would come before what they
follow.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from sessions.live.conversation import Conversation
from sessions.live.events import (
    AudioDelta,
    Event,
    ItemAdded,
    ItemDone,
    Notice,
    OutputPaused,
    OutputResumed,
    Resumed,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SessionView,
    SummaryReady,
)
from tenancy.model import Person

REPLAY_WITHIN_S = 0.5  # realtime.md: the replay waits so long for the client's first event


Place = Literal["student", "beside", "reader"]
"""`beside`: the student's second connection, next to a call. It hears and commands, without sound;
the lesson neither begins nor breaks with it."""


class Connection(Protocol):
    """What a door gives a session to speak to."""

    person: Person
    over_call: bool
    "The sound goes over a call, which reports by itself what the student hears."

    def tell(self, event: Event) -> None:
        """Send an event. Never blocks, never raises."""

    def close(self, code: int, reason: str) -> None:
        """End the connection; events told before are sent first."""


@dataclass(slots=True)
class Seat:
    """A connection to this session."""

    number: int
    connection: Connection
    after: str | None
    place: Place = "student"
    waiting: asyncio.TimerHandle | None = None
    "Set while the replay has not been sent."

    @property
    def reads(self) -> bool:
        """It reads along with somebody else's lesson."""
        return self.place == "reader"


class Seats:
    """Who is connected to one session: its student, and those who read along."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._seats: dict[int, Seat] = {}
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def readers(self) -> int:
        return sum(seat.reads for seat in self._seats.values())

    @property
    def student_is_here(self) -> bool:
        return any(seat.place == "student" for seat in self._seats.values())

    def of(self, connection: Connection) -> Seat | None:
        for seat in self._seats.values():  # fifty times a second: no generator
            if seat.connection is connection:
                return seat
        return None

    def take(
        self,
        connection: Connection,
        *,
        after: str | None,
        resumed: bool,
        place: Place = "student",
    ) -> None:
        """Greet a connection; one that resumes has its replay, soon."""
        self._numbers += 1
        seat = Seat(self._numbers, connection, after, place)
        self._seats[seat.number] = seat
        replay = None
        if resumed:
            known = after is not None and after in self._conversation.log
            replay = Resumed(after if known else None, not known)
            loop = asyncio.get_running_loop()
            seat.waiting = loop.call_later(REPLAY_WITHIN_S, self.replay, seat)
        _tell(seat, SessionCreated(self._conversation.view(), replay))

    def leave(self, seat: Seat) -> None:
        if seat.waiting is not None:
            seat.waiting.cancel()
        self._seats.pop(seat.number, None)

    def replay(self, seat: Seat) -> None:
        """Send what the client missed; from then on it hears everything."""
        if seat.waiting is None:
            return
        seat.waiting.cancel()
        seat.waiting = None
        log = self._conversation.log
        items, _ = log.after(seat.after)
        for item in items:
            previous, read = log.previous(item), log.read(item).item
            seat.connection.tell(ItemAdded(self._conversation.so_far(read), previous))
            if log.is_saved(item.id):
                seat.connection.tell(ItemDone(read, previous))
        seat.connection.tell(self._conversation.progressed())
        for shown in self._conversation.tools.board():
            seat.connection.tell(shown)
        present = self._conversation.audience.present()
        if present.people:
            seat.connection.tell(present)

    def tell(self, event: Event, to: int | None = None, by: Seat | None = None) -> None:
        """Say it to everyone who listens, or to one seat; `by` may hear it before its replay."""
        always = isinstance(event, Notice | SessionEnded | SummaryReady)
        for seat in tuple(self._seats.values()):
            listens = seat.waiting is None or seat is by or always
            if listens and to in (None, seat.number):
                _tell(seat, event)

    def close(self, code: int, reason: str, notice: Notice | None = None, *places: Place) -> None:
        """End the connections at these places, or all. They keep their seats until they are
        gone."""
        for seat in tuple(self._seats.values()):
            if not places or seat.place in places:
                if notice is not None:
                    seat.connection.tell(notice)
                seat.connection.close(code, reason)

    def clear(self, *places: Place) -> None:
        """They are not heard or told any more."""
        for seat in tuple(self._seats.values()):
            if not places or seat.place in places:
                self.leave(seat)


def _tell(seat: Seat, event: Event) -> None:
    """Say it in the way of this seat: the sound is for the student's own connection."""
    if seat.place != "student":
        match event:
            case AudioDelta() | OutputPaused() | OutputResumed():
                return
    if seat.reads:
        match event:
            case SessionCreated(session, resumed):
                event = SessionCreated(_read_only(session), resumed)
            case SessionUpdated(session, locked):
                event = SessionUpdated(_read_only(session), locked)
    seat.connection.tell(event)


def _read_only(view: SessionView) -> SessionView:
    return replace(view, binary=False, read_only=True)
