"""One sentence to an engine, typed and spoken: what comes back, how fast; or what to mend.

It costs a fraction of a cent. What the student side says is a sentence of ours.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ai.audio import BYTES_PER_MS
from ai.engine import (
    Answer,
    Ask,
    Brief,
    EngineError,
    Leg,
    Speaker,
    Step,
    TurnDetection,
    VoiceEngine,
)
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Failed,
    Fault,
    SpeechStopped,
    Spoke,
    Transcribed,
    Used,
)

OPEN_WITHIN_S = 12.0  # engines give up by themselves at 10 s
ANSWER_WITHIN_S = 20.0
FRAME_MS = 20
SENTENCE = "Hello! Can you hear me?"
LONGEST_QUOTE = 120
NOT_HEARD = "It did not hear the sentence that was said to it."

BRIEF = Brief(
    instructions=(
        "This is a test of the line before lessons begin. Answer every message with one short,"
        " friendly sentence and nothing else."
    ),
    title="A test of the line",
    goal="Hear that the line works.",
    language="en",
    opening="Hello.",
    closing="Goodbye.",
    steps=(
        Step(
            ask="Can you hear me?",
            answers=(Answer("yes_no", "yes"),),
            solution="The line works.",
        ),
    ),
)

MENDS = {
    "unauthorized": "The provider does not accept the key. Give the right one, or a new one.",
    "forbidden": "The key may not do this. Allow it the model in the provider's console.",
    "model_access": "The account may not use this model. Switch it on in the provider's console.",
    "credentials_missing": "No AWS credentials were found. Give the school an access key, or run"
    " the server with a role.",
    "credentials_expired": "The credentials have expired. Give new ones.",
    "no_credit": "The account has no credit left. Look at its billing.",
    "quota_used_up": "The account's quota for today is used up. Ask the provider for a larger one.",
    "quota_exceeded": "The account's quota is used up. Ask the provider for a larger one.",
    "model_unknown": "There is no such model here. Check its name, and the region.",
    "not_found": "There is no such model, or nothing at this address. Check both.",
    "wrong_address": "The provider is not at this address. Check the endpoint.",
    "voice_unknown": "The model has no such voice. Choose another one.",
    "clock_wrong": "This server's clock is wrong. Set it by network time.",
    "request_refused": "The provider refuses what we ask for. Check model and voice.",
    "not_in_this_country": "The provider does not serve this country.",
}
MENDS_BY_KIND = {
    "throttled": "The provider is busy, or the account's rate is used up. Try again in a minute;"
    " if it stays so, ask the provider for a larger quota.",
    "transient": "It may be over soon. Try again; if it stays so, look at the provider's status"
    " page, and whether this server reaches its address.",
    "limit": "The line ended sooner than it should. Try again.",
    "terminal": "Check the key, the model and the address.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe of one engine came to."""

    engine: str
    well: bool
    sentence: str
    "What came back, or what is wrong and how to mend it."
    open_ms: int | None = None
    "Until the line was open."
    text_ms: int | None = None
    "From a typed sentence to the answer's first words."
    voice_ms: int | None = None
    "From the end of a spoken turn, once it was found, to the answer's first sound."
    heard: str | None = None
    "What it understood of the spoken sentence."
    code: str | None = None
    "Of the fault."
    used: tuple[Used, ...] = ()
    "What it cost."

    def __str__(self) -> str:
        took = (
            ("open", self.open_ms),
            ("first words", self.text_ms),
            ("first sound", self.voice_ms),
        )
        times = ", ".join(f"{what} after {ms} ms" for what, ms in took if ms is not None)
        heard = f" It understood {_quoted(self.heard)}." if self.heard else ""
        return f"{self.sentence}{heard}{f' ({times})' if times else ''}"


class Broken(Exception):
    """The engine failed; `fault` says how."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


async def probe(
    engine: VoiceEngine,
    speaker: Speaker | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Say one sentence to an engine, typed; and, with somebody to speak it, aloud."""
    began = clock()
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            standby = await engine.prepare(BRIEF)
    except TimeoutError:
        return _wrong(engine, Fault("transient", "no_answer", "It did not answer in time."))
    except EngineError as problem:
        return _wrong(engine, problem.fault)
    outcome = Outcome(engine.name, True, "", open_ms=_ms(clock() - began))
    line = _Line(clock)
    line.leg = standby.begin((), line.report)
    try:
        outcome = await _said(engine, line, outcome, speaker)
    finally:
        await line.leg.close()  # which tells the last of what it cost
    return replace(outcome, used=tuple(line.used))


async def _said(
    engine: VoiceEngine, line: "_Line", outcome: Outcome, speaker: Speaker | None
) -> Outcome:
    """What came of the sentence."""
    try:
        line.leg.detect(None)
        line.leg.read(SENTENCE)
        said, text_ms = await line.ask(sound=False)
        outcome = replace(outcome, text_ms=text_ms, sentence=f"It said: {_quoted(said)}")
        if speaker is not None:
            heard, voice_ms = await line.speak(speaker)
            outcome = replace(outcome, heard=heard, voice_ms=voice_ms)
    except Broken as problem:
        return replace(
            _wrong(engine, problem.fault), open_ms=outcome.open_ms, text_ms=outcome.text_ms
        )
    return outcome


class _Line:
    """A leg, and what it reports."""

    leg: Leg

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events: asyncio.Queue[EngineEvent] = asyncio.Queue()
        self._asked = 0
        self._heard: str | None = None
        self.used: list[Used] = []

    def report(self, event: EngineEvent) -> None:
        if isinstance(event, Used):
            self.used.append(event)
            return
        self._events.put_nowait(event)

    async def ask(self, *, sound: bool) -> tuple[str, int]:
        """The answer, and how soon it began."""
        self._asked += 1
        name, began, first, said = f"probe_{self._asked}", self._clock(), None, ""
        self.leg.answer(Ask(name, "student", sound))
        while True:
            event = await self._next("It did not answer in time.")
            if isinstance(event, Spoke) and event.answer == name:
                said = f"{said} {event.text}"
                if first is None and (event.pcm or not sound):
                    first = self._clock()
            elif isinstance(event, AnswerEnded) and event.answer == name:
                break
        if first is None:
            what = "It answered without a sound." if sound else "It answered without a word."
            raise Broken(Fault("transient", "empty_answer", what))
        return said.strip(), _ms(first - began)

    async def speak(self, speaker: Speaker) -> tuple[str, int]:
        """What it heard of a spoken sentence, and how soon it answered aloud."""
        pcm = bytearray()
        async for spoken in speaker.speak(SENTENCE, language="en", voice="", speed=1.0):
            pcm += spoken.pcm
        self.leg.detect(TurnDetection())
        talking = asyncio.create_task(self._talk(bytes(pcm)))
        try:
            while not isinstance(await self._next(NOT_HEARD), SpeechStopped):
                pass
            _, voice_ms = await self.ask(sound=True)
            while self._heard is None:  # some tell the words after they have answered them
                await self._next(NOT_HEARD)
            return self._heard, voice_ms
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    async def _talk(self, pcm: bytes) -> None:
        """In real time, as a microphone; then silence, for as long as it is listened to."""
        began, frame = self._clock(), FRAME_MS * BYTES_PER_MS
        sent_ms = 0
        while True:
            at = sent_ms * BYTES_PER_MS
            self.leg.hear(pcm[at : at + frame].ljust(frame, b"\0"))
            sent_ms += FRAME_MS
            await asyncio.sleep(max(0.0, began + sent_ms / 1000 - self._clock()))

    async def _next(self, otherwise: str) -> EngineEvent:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                event = await self._events.get()
        except TimeoutError:
            raise Broken(Fault("transient", "no_answer", otherwise)) from None
        if isinstance(event, Failed):
            raise Broken(event.fault or Fault("transient", event.code, event.detail))
        if isinstance(event, Transcribed):
            self._heard = event.text
        return event


def mend(fault: Fault) -> str:
    """What to do about a fault, in a sentence."""
    return MENDS.get(fault.code) or MENDS_BY_KIND[fault.kind]


def _wrong(engine: VoiceEngine, fault: Fault) -> Outcome:
    told = f" ({fault.detail[:LONGEST_QUOTE].strip(' .')})" if fault.detail else ""
    sentence = f"{mend(fault)} The provider's fault is {fault.code}{told}."
    return Outcome(engine.name, False, sentence, code=fault.code)


def _quoted(said: str) -> str:
    return f"“{said[:LONGEST_QUOTE]}{'…' if len(said) > LONGEST_QUOTE else ''}”"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
