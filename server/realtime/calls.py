"""The WebRTC calls of this process: who has which, how many, and until when.

    offered --connected--> attached to its session --hung up, broken, taken over--> gone

A call is entered here with its session and takes that over only when it is connected: until then a
lesson goes on where it is.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import structlog

from server.errors import Refused
from server.realtime.call_connection import CallConnection, Peer, Voice
from server.realtime.connection import ClientConnection, Codecs
from server.realtime.limits import RECHECK_S
from server.rtc.pace import Bucket
from server.rtc.sdp import Offer
from sessions.live import wording
from sessions.live.events import Notice, UpdateSession
from sessions.live.session import TAKEN_OVER, Session
from tenancy.model import Caller

MOST = 2  # promises.md 3.5: calls of a person
OFFERS_PER_S, OFFERS_BURST = 1.0, 3.0
PEOPLE = 10_000
"So many people's pace is remembered."
DRAIN_S = 3.0

BESIDE = 2
"Second connections of a call."

SLOWER = "You called more often than once a second. Wait a moment, then call again."
ENOUGH = (
    f"You have {MOST} calls already. Hang one up (DELETE on its address) or go on with its session"
    " by `session=`."
)
ENOUGH_BESIDE = f"This call has {BESIDE} further connections already. Close one of them first."
NO_CALL = "There is no such call, or it is over."

log = structlog.get_logger()


class AnsweredPeer(Peer, Protocol):
    """`server.rtc.peer.Peer`, as the door sees it."""

    id: str
    answer: str

    def start(self) -> None: ...

    def candidates(self, fragment: str) -> None: ...

    def send(self, payload: bytes, timestamp: int, *, marker: bool) -> int: ...


class CountedVoice(Voice, Protocol):
    """`server.rtc.voice.Voice`, with what became of the student's packets."""

    @property
    def counts(self) -> "Lost": ...


class Lost(Protocol):
    lost: int
    concealed_ms: float


Answer = Callable[[Offer, CallConnection], AnsweredPeer]
MakeVoice = Callable[[AnsweredPeer, CallConnection], CountedVoice]


@dataclass(slots=True)
class Tally:
    """What is counted of all calls: plain numbers, read when somebody asks for metrics."""

    opened: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    "By code."
    ended: dict[str, int] = field(default_factory=dict)
    "By reason."
    lost_in: int = 0
    lost_out: int = 0
    concealed_ms: float = 0.0


@dataclass(slots=True, eq=False)
class Call:
    """One call, from its offer on."""

    id: str
    caller: Caller
    session: Session
    connection: CallConnection
    peer: AnsweredPeer
    voice: CountedVoice
    after: str | None
    resumed: bool
    wishes: UpdateSession | None
    attachments: int
    "How often the student had come to the session when the call was offered."
    connected: bool = False
    beside: set[ClientConnection] = field(default_factory=set)
    "Further connections of the same person that listen and command."
    stop_listening: Callable[[], None] = lambda: None


class Calls:
    """All calls of the process."""

    def __init__(
        self,
        answer: Answer,
        voice: MakeVoice,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            answer: `Peers.answer`.
            voice: Makes the sound of a call.
        """
        self.tally = Tally()
        self._answer = answer
        self._voice = voice
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._paces: OrderedDict[UUID, Bucket] = OrderedDict()
        self._ending: set[CallConnection] = set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls.values()))

    def of(self, caller: Caller, call_id: str) -> Call:
        """The caller's own call. Raises Refused, also where it is somebody else's."""
        call = self._calls.get(call_id)
        if call is None or call.caller.person.id != caller.person.id:
            raise Refused(404, "call_not_found", NO_CALL)
        if caller.lesson is not None and caller.lesson not in (
            call.session.lesson.slug,
            str(call.session.lesson.lesson_id),
        ):
            raise Refused(404, "call_not_found", NO_CALL)
        return call

    def beside(self, caller: Caller, call_id: str) -> Call:
        """The caller's own call, for a second connection. Raises Refused."""
        call = self.of(caller, call_id)
        if not self.has_room_beside(call):
            raise Refused(429, "too_many_connections", ENOUGH_BESIDE, retry_after_s=5)
        return call

    def has_room_beside(self, call: Call) -> bool:
        """Whether a call is still there, and may have another further connection."""
        return call.id in self._calls and len(call.beside) < BESIDE

    def count_offer(self, caller: Caller) -> None:
        """Raises Refused where somebody offers too often."""
        person_id = caller.person.id
        pace = self._paces.pop(person_id, None) or Bucket(OFFERS_PER_S, OFFERS_BURST)
        self._paces[person_id] = pace
        if len(self._paces) > PEOPLE:
            self._paces.popitem(last=False)
        if not pace.take(self._clock()):
            raise Refused(429, "too_many_offers", SLOWER, retry_after_s=1)

    def check_room(self, caller: Caller, session_id: UUID | None) -> None:
        """Raises Refused where `make_room` would, before a session is begun for the call."""
        self._in_the_way(caller, session_id)

    def make_room(self, caller: Caller, session_id: UUID) -> None:
        """Raises Refused where somebody has too many calls; one that leads nowhere, or to the same
        session, makes room."""
        if (call := self._in_the_way(caller, session_id)) is not None:
            self.hang_up(call, "replaced")

    def _in_the_way(self, caller: Caller, session_id: UUID | None) -> Call | None:
        """What has to end for another call; None: nothing. Raises Refused where nothing may."""
        own = [call for call in self if call.caller.person.id == caller.person.id]
        if len(own) < MOST:
            return None
        for call in own:
            if not call.connected or call.session.id == session_id:
                return call
        raise Refused(429, "too_many_calls", ENOUGH, retry_after_s=5)

    def open(
        self,
        offer: Offer,
        caller: Caller,
        session: Session,
        codecs: Codecs,
        *,
        after: str | None,
        resumed: bool,
        wishes: UpdateSession | None,
        listen: Callable[[Caller, Callable[[], None]], Callable[[], None]],
    ) -> Call:
        """Answer an offer.

        Args:
            listen: Has a function called when the caller signs out; returns what ends that.
        """
        call: Call
        connection = CallConnection(
            caller.person,
            codecs,
            session,
            ready=lambda: self._attach(call),
            ended=lambda reason: self._ended(call, reason),
            beside=lambda: tuple(call.beside),
        )
        peer = self._answer(offer, connection)
        voice = self._voice(peer, connection)
        connection.use(peer, voice)
        call = Call(
            peer.id, caller, session, connection, peer, voice, after, resumed, wishes,
            session.attachments,
        )  # fmt: skip
        call.stop_listening = listen(caller, connection.withdraw)
        self._calls[call.id] = call
        self.tally.opened += 1
        peer.start()
        log.info("call.offered", **_ids(call))
        return call

    def hang_up(self, call: Call, reason: str, *, finished: bool = False) -> None:
        """End a call. Its session waits for its student, unless they have `finished`."""
        if finished and call.connected:
            call.session.detach(call.connection, finished=True)
        call.connection.gone(reason)

    async def close(self) -> None:
        """End all calls; each has said its last word, or has had the time."""
        for call in self:
            call.connection.tell(Notice("going_away", wording.GOING_AWAY))
            call.connection.close(1001, "server going away")
        waits = [asyncio.ensure_future(one.closed()) for one in self._ending]
        waits += [asyncio.ensure_future(call.connection.closed()) for call in self]
        if waits:
            _, late = await asyncio.wait(waits, timeout=DRAIN_S)
            for task in late:
                task.cancel()

    async def recheck(self, still_valid: Callable[[Caller], Awaitable[bool]]) -> None:
        """End the calls of those who may no longer be here. Run as a task."""
        while True:
            await asyncio.sleep(RECHECK_S)
            for call in self:
                try:
                    if not await still_valid(call.caller):
                        call.connection.withdraw()
                except Exception as problem:
                    log.warning("call.recheck_failed", problem=type(problem).__name__)

    # ---- inside ------------------------------------------------------------------------------

    def _attach(self, call: Call) -> None:
        """The call is connected: its session has it from now on."""
        session, connection = call.session, call.connection
        if session.attachments != call.attachments:  # they have come back by another way since
            connection.tell(Notice("taken_over", wording.TAKEN_OVER))
            connection.close(4001, TAKEN_OVER)
            return
        call.connected = True
        if call.resumed:
            connection.expect_replay(len(session.items))
        session.attach(connection, after=call.after, resumed=call.resumed)
        if call.wishes is not None:
            session.receive(connection, call.wishes)
        log.info("call.connected", **_ids(call))

    def _ended(self, call: Call, reason: str) -> None:
        if self._calls.pop(call.id, None) is None:
            return
        tally, counts = self.tally, call.voice.counts
        tally.ended[reason] = tally.ended.get(reason, 0) + 1
        tally.lost_in += counts.lost
        tally.concealed_ms += counts.concealed_ms
        tally.lost_out += call.connection.loss[0]
        call.stop_listening()
        call.session.detach(call.connection, finished=False)
        for beside in tuple(call.beside):
            beside.close(1000, "the call is over")
        self._ending.add(call.connection)
        task = asyncio.ensure_future(call.connection.closed())
        task.add_done_callback(lambda _: self._ending.discard(call.connection))
        log.info("call.ended", reason=reason, **_ids(call))


def _ids(call: Call) -> dict[str, str]:
    return {
        "call_id": call.id,
        "session_id": str(call.session.id),
        "person_id": str(call.caller.person.id),
    }
