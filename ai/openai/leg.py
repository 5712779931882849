"""One conversation over a Realtime session.

The student's side is `their_turns` or `our_turns` with `words`, the tutor's is `answering`; here
they meet with the provider. What it says comes as facts, one after the other.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from ai.audio import duration_ms
from ai.engine import (
    Ask,
    Brief,
    Ears,
    EngineError,
    Report,
    TurnDetection,
    Utterance,
    Vad,
)
from ai.events import EngineEvent, Failed, Fault, Used
from ai.openai import client_events, wire
from ai.openai.answering import Answering
from ai.openai.faults import classify
from ai.openai.link import Link
from ai.openai.our_turns import OurTurns
from ai.openai.settings import OpenAISettings
from ai.openai.their_turns import TheirTurns
from ai.openai.turns import Turns
from ai.openai.websocket import Socket
from ai.openai.words import Words

EVENT_IDS = 256  # remembered, to know an event that comes twice
BROKEN = 20  # events in a row that can't be read: this is no provider
NO_TURNS = 16
OF_NO_INTEREST = ("response_cancel_not_active", "input_audio_buffer_commit_empty")
"Races that are lost; what they were about is over anyhow."
ABOUT_NOTHING = ("cancel", "cut", "detect")
"Events of ours whose refusal changes nothing."
FATAL = ("no_credit", "unauthorized")
LAST_COST_S = 2.0  # at the end: a cancelled response's cost comes with its end, mostly in 0.1 s

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What all legs of an engine share."""

    settings: OpenAISettings
    vad: Vad | None
    ears: Ears | None


class RealtimeLeg:
    """Implements `ai.engine.Leg`."""

    def __init__(
        self,
        socket: Socket,
        parts: Parts,
        brief: Brief,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int,
        clock_ms: int,
    ) -> None:
        self._socket = socket
        self._settings = settings = parts.settings
        self._ears = parts.ears
        self._brief = brief
        self._step = step
        self._tell = report
        self._closed = False
        self._last_cost: asyncio.Event | None = None
        "While it closes: set when nothing more is to be paid."
        self._link = Link(socket.say, self._report)
        self._words = Words(self._link)
        last = next((line.text for line in reversed(memory) if line.role == "tutor"), "")
        self._answers = Answering(self._link, settings.model, self._fail, last)
        self._turns: Turns
        if settings.turns == "ours" and parts.vad is not None:
            self._turns = OurTurns(self._link, self._words, parts.vad, clock_ms)
        else:
            over = self._voice_over
            self._turns = TheirTurns(self._link, self._words, parts.vad, clock_ms, over)
        self._they_answer = False
        "The provider answers the end of a turn by itself."
        self._no_turns: OrderedDict[str, None] = OrderedDict()
        "Items of the student that were no turns."
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._unreadable = 0
        self._listening: set[asyncio.Task[None]] = set()
        for line in client_events.remember(memory):
            socket.say(line)
        socket.listen(self._heard, self._gone)
        if socket.lost is not None:
            asyncio.get_running_loop().call_soon(self._gone, *socket.lost)

    # ---- what the caller says ------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        self._turns.hear(pcm)

    def detect(self, detection: TurnDetection | None) -> None:
        theirs = isinstance(self._turns, TheirTurns)
        self._they_answer = theirs and detection is not None and detection.answers
        self._turns.detect(detection)

    def commit(self, turn: str) -> None:
        self._turns.commit(turn)

    def clear(self) -> None:
        self._turns.clear()

    def playing(self, on: bool) -> None:
        self._turns.playing(on)

    def listen(self, turn: str, pcm: bytes) -> None:
        item = self._link.id("spoken")
        self._report(Used("audio_in_ms", duration_ms(pcm)))
        self._socket.say(client_events.spoken(item, pcm))
        self._words.expect(turn, item)
        if self._ears is not None:
            task = asyncio.create_task(self._transcribe(self._ears, item, pcm))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)

    async def _transcribe(self, ears: Ears, item: str, pcm: bytes) -> None:
        """A session transcribes the microphone only."""
        try:
            heard = await ears.transcribe(pcm, self._brief, self._step)
        except EngineError as problem:
            log.warning("ears.failed", problem=problem.fault.code)
            self._words.came(item, None)
            return
        for spent in heard.spent:
            self._report(Used(spent.unit, spent.quantity, spent.model))
        self._words.came(item, heard.text)

    def read(self, text: str) -> None:
        self._answers.drop_theirs()  # it answers to less than was said
        self._socket.say(client_events.message("user", text))

    def answer(self, ask: Ask) -> None:
        self._answers.answer(ask)

    def give(self, call: str, output: str) -> None:
        self._answers.give(call, output)

    def cancel(self, answer: str, heard: str) -> None:
        self._answers.cancel(answer, heard)

    async def close(self) -> None:
        self._end()
        await self._pay()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self._socket.leave()

    async def _pay(self) -> None:
        """Stop what is being made, and hear what it cost."""
        if self._last_cost is not None:
            return
        self._last_cost = asyncio.Event()
        self._answers.stop()
        if not self._answers.done and self._socket.lost is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_COST_S):
                    await self._last_cost.wait()
        self._last_cost.set()

    # ---- what the provider says ----------------------------------------------------------------

    def _heard(self, data: bytes | memoryview) -> None:
        try:
            event_id, fact = wire.decode(data)
        except wire.WireBroken as problem:
            self._unreadable += 1
            log.warning("provider.unreadable", problem=str(problem))
            if self._unreadable >= BROKEN:
                self._fail(Fault("transient", "wire_broken", str(problem)))
            return
        self._unreadable = 0
        if self._came_before(event_id):
            return
        if not self._closed:
            self._deal(fact)
        elif self._last_cost is not None:
            self._cost(fact, self._last_cost)

    def _cost(self, fact: wire.Fact, paid: asyncio.Event) -> None:
        """The last that is of interest as it closes."""
        match fact:
            case wire.Began() | wire.Done():
                self._answers.hear(fact)
            case wire.Worded(_, _, cost):
                self._link.spent(cost, self._settings.transcription_model)
            case wire.Trouble():
                self._answers.refused(fact)
        if self._answers.done:
            paid.set()

    def _came_before(self, event_id: str) -> bool:
        if not event_id:
            return False
        if event_id in self._seen:
            return True
        self._seen[event_id] = None
        if len(self._seen) > EVENT_IDS:
            self._seen.popitem(last=False)
        return False

    def _deal(self, fact: wire.Fact) -> None:
        match fact:
            case (
                wire.Sound()
                | wire.Text()
                | wire.Began()
                | wire.ItemOut()
                | wire.ItemSaid()
                | wire.Called()
                | wire.Done()
            ):
                self._answers.hear(fact)
            case wire.VoiceBegan():
                self._answers.go_on()
                self._turns.began(fact)
            case wire.VoiceEnded():
                self._turns.ended(fact)
            case wire.Committed(item) if item in self._no_turns:
                self._answers.take_back(item)
            case wire.Committed(item):
                self._words.committed(item)
            case wire.Worded(item, text, cost):
                self._link.spent(cost, self._settings.transcription_model)
                self._words.came(item, text)
            case wire.Unworded(item):
                self._words.came(item, None)
            case wire.Trouble():
                self._trouble(fact)

    def _voice_over(self, item: str, is_turn: bool) -> None:
        """Their detection came to an end of voice, which may have been a cough."""
        if not is_turn:
            self._no_turns[item] = None
            if len(self._no_turns) > NO_TURNS:
                self._no_turns.popitem(last=False)
        if self._they_answer:
            self._answers.expect_theirs(is_turn)

    # ---- trouble and the end ---------------------------------------------------------------------

    def _trouble(self, trouble: wire.Trouble) -> None:
        """An error. Most are about races that are lost; few end the session."""
        what, _, _ = trouble.event_id.partition("_")
        if self._words.refused(trouble.event_id) or self._answers.refused(trouble):
            return
        if what in ABOUT_NOTHING or trouble.code in OF_NO_INTEREST:
            return
        fault = classify(code=trouble.code, type=trouble.type, detail=trouble.message)
        if fault.kind in ("limit", "throttled") or fault.code in FATAL:
            self._fail(fault)
        else:
            log.warning("provider.error", code=trouble.code, type=trouble.type, about=what)

    def _gone(self, code: int, reason: str) -> None:
        if self._last_cost is not None:
            self._last_cost.set()
        self._fail(classify(close=code, detail=reason))

    def _fail(self, fault: Fault) -> None:
        """The whole leg is of no use any more."""
        if self._closed:
            return
        log.warning("provider.gone", code=fault.code, kind=fault.kind)
        self._report(Failed(fault.code, fault.detail, fault=fault))
        self._end()

    def _report(self, event: EngineEvent) -> None:
        paying = self._last_cost is not None and not self._last_cost.is_set()
        if not self._closed or (paying and isinstance(event, Used)):
            self._tell(event)

    def _end(self) -> None:
        self._closed = True
        self._turns.close()
        self._words.close()
        self._answers.close()
