"""A voice engine made of parts: ears -> mind -> speaker, with our own turn detection.

The words of a turn are looked for while the turn may still be going on, so that the answer can
begin as soon as it is judged over. Nothing here decides who may speak: that is the caller's, who
asks and cancels.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from ai.answering import Answering
from ai.audio import BYTES_PER_MS, duration_ms
from ai.engine import (
    Ask,
    Brief,
    ChatEngine,
    Ears,
    EngineError,
    HeardSpeech,
    Leg,
    Patience,
    Report,
    Speaker,
    TurnDetection,
    Utterance,
    Vad,
    VoiceActivity,
)
from ai.events import (
    Failed,
    Fault,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    Used,
)
from ai.turns import Confirmed, Dropped, Ended, Paused, Resumed, Suspected, TurnDetector

T = TypeVar("T")

log = structlog.get_logger()

KEPT_WITHOUT_SPEECH_MS = 1_500  # onset is told some 100 ms late, and a turn begins before it
STALL_S = 2.0  # a microphone that stops in mid-speech: the turn is over
WORDS_WITHIN_S = 6.0  # ears that take longer are given up, ...
WORDS_WITHIN_MOST_S = 9.5  # ... for long turns later; the caller gives up at 10 s
MISSES = 3  # in a row: ears that fail so often, for passing reasons, don't hear


def words_within_s(pcm: bytes) -> float:
    """How long the words of a turn may take: of a minute of speech, the local ears take 9 s."""
    return min(WORDS_WITHIN_MOST_S, WORDS_WITHIN_S + duration_ms(pcm) / 10_000)


class Cascade:
    """Opens legs that share ears, mind, speaker and voice detection."""

    def __init__(
        self,
        name: str,
        ears: Ears,
        mind: ChatEngine,
        speaker: Speaker,
        vad: Vad,
        *,
        key: str = "local",
        prepares: bool = True,
    ) -> None:
        """`prepares`: answers are thought ahead, by minds that are worth it."""
        self.name = name
        self.key = key
        self.patience = Patience(told_s=None if key == "local" else 2.8)
        self.languages = ears.languages
        self.ears = ears
        self.mind = mind
        self.speaker = speaker
        self.vad = vad
        self.prepares = prepares

    async def prepare(self, brief: Brief) -> "CascadeStandby":
        """There is nothing to open: its parts are asked when they are needed."""
        return CascadeStandby(self, brief)

    async def close(self) -> None:
        """Who made the other parts closes them."""
        self.vad.close()


class CascadeStandby:
    """A leg that can begin."""

    lifetime_s: float | None = None

    def __init__(self, parts: Cascade, brief: Brief) -> None:
        self._parts = parts
        self._brief = brief

    def begin(
        self,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> Leg:
        """A leg; its microphone is deaf where the ears don't know the lesson's language."""
        known = self._parts.languages
        hears = known is None or self._brief.language.split("-")[0] in known
        return CascadeLeg(self._parts, self._brief, memory, report, step, clock_ms, hears)

    async def close(self) -> None: ...


class _Sound:
    """The student's audio that may still belong to a turn, on the media clock."""

    def __init__(self, clock_ms: int) -> None:
        self.end_ms = clock_ms
        self.start_ms = clock_ms
        self._pcm = bytearray()

    def add(self, pcm: bytes) -> None:
        self._pcm += pcm
        self.end_ms = self.start_ms + len(self._pcm) // BYTES_PER_MS

    def between(self, start_ms: int, end_ms: int) -> bytes:
        start = max(0, start_ms - self.start_ms) * BYTES_PER_MS
        return bytes(self._pcm[start : max(0, end_ms - self.start_ms) * BYTES_PER_MS])

    def forget_before(self, at_ms: int) -> None:
        length_ms = min(at_ms, self.end_ms) - self.start_ms
        if length_ms > 0:
            del self._pcm[: length_ms * BYTES_PER_MS]
            self.start_ms += length_ms


class CascadeLeg:
    """One session's conversation with a cascade."""

    def __init__(
        self,
        parts: Cascade,
        brief: Brief,
        memory: Sequence[Utterance],
        report: Report,
        step: int,
        clock_ms: int,
        hears: bool,
    ) -> None:
        self._parts = parts
        self._brief = brief
        self._memory = list(memory)
        self._report = report
        self._answering = Answering(
            parts.mind,
            parts.speaker,
            brief,
            self._memory,
            report,
            self._start,
            step,
            prepares=parts.prepares,
        )
        self._sound = _Sound(clock_ms)
        self._detector = TurnDetector()
        self._hears = hears
        self._activity: VoiceActivity | None = None
        self._turn = ""
        self._turn_from_ms = 0
        self._turns = 0
        self._early: tuple[int, asyncio.Task[HeardSpeech]] | None = None
        "Words looked for while the turn may still go on: where they end, and the search."
        self._words: dict[str, asyncio.Task[None]] = {}
        "Turns that are over, and the search for their words."
        self._deaf: Fault | None = None
        "Why the ears failed last; None: they did not."
        self._misses = 0
        "How often in a row they did."
        self._tasks: set[asyncio.Task[Any]] = set()
        self._alive_at = 0.0
        "When audio last came, or was judged."
        self._stall: asyncio.TimerHandle | None = None
        self._closed = False

    # ---- the student ------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        if not self._hears:
            return
        self._sound.add(pcm)
        self._alive_at = asyncio.get_running_loop().time()
        if self._activity is not None and self._detector.detection is not None:
            self._activity.feed(pcm)

    def detect(self, detection: TurnDetection | None) -> None:
        if (detection is None) != (self._detector.detection is None):
            self.clear()
            self._open_activity()
        self._detector.detect(detection)

    def _open_activity(self) -> None:
        """A fresh ear on the media clock; audio that turns don't need is not judged."""
        if self._activity is not None:
            self._activity.close()
        if self._hears:
            self._activity = self._parts.vad.session(self._judged, clock_ms=self._sound.end_ms)

    def commit(self, turn: str) -> None:
        if turn == self._turn:
            self._turn_over(self._sound.end_ms)
        else:
            self._find_words(turn, self._sound.between(self._sound.start_ms, self._sound.end_ms))
        self.clear()

    def clear(self) -> None:
        self._turn = ""
        self._end_early()
        self._sound.forget_before(self._sound.end_ms)
        self._detector.forget(self._sound.end_ms)

    def listen(self, turn: str, pcm: bytes) -> None:
        self._find_words(turn, pcm)

    def read(self, text: str) -> None:
        self._answering.drop_prepared()
        self._memory.append(Utterance("student", text))

    def playing(self, on: bool) -> None:
        self._detector.playing(on)

    # ---- turns -------------------------------------------------------------------------------

    def _judged(self, probability: float, now_ms: int) -> None:
        """A window of the microphone was judged, perhaps long after it was heard."""
        if self._closed or now_ms <= self._sound.start_ms:
            return  # that audio was committed, or thrown away, in the meantime
        self._alive_at = asyncio.get_running_loop().time()
        for fact in self._detector.hear(probability, now_ms):
            match fact:
                case Suspected(began_ms, from_ms):
                    self._turns += 1
                    self._turn = f"turn_{self._turns}"
                    self._turn_from_ms = from_ms
                    self._watch_for_stall()
                    self._report(SpeechStarted(self._turn, began_ms))
                case Confirmed():
                    self._report(SpeechConfirmed(self._turn))
                case Dropped():
                    turn, self._turn = self._turn, ""
                    self._end_early()
                    self._report(SpeechDropped(turn))
                case Paused(ended_ms):
                    self._begin_early(ended_ms, now_ms)
                case Resumed():
                    self._end_early()
                case Ended(ended_ms):
                    self._turn_over(ended_ms, now_ms)
        if not self._turn:
            self._sound.forget_before(now_ms - KEPT_WITHOUT_SPEECH_MS)

    def _turn_over(self, ended_ms: int, until_ms: int | None = None) -> None:
        """The voice ended at `ended_ms`; audio after `until_ms` is not this turn's."""
        turn, self._turn = self._turn, ""
        if not turn:
            return
        early, self._early = self._early, None
        found = early[1] if early is not None and early[0] == ended_ms else None
        if early is not None and found is None:
            early[1].cancel()
        until_ms = self._sound.end_ms if until_ms is None else until_ms
        pcm = self._sound.between(self._turn_from_ms, until_ms)
        self._sound.forget_before(until_ms)
        if found is None:
            self._answering.drop_prepared()
        self._answering.expect()
        self._report(SpeechStopped(turn, ended_ms))
        self._find_words(turn, pcm, found)

    def _begin_early(self, ended_ms: int, until_ms: int) -> None:
        """The turn may be over: look for its words, and then for an answer."""
        self._end_early()
        pcm = self._sound.between(self._turn_from_ms, until_ms)
        words = self._start(self._transcribe(pcm))
        self._early = (ended_ms, words)
        if self._detector.detection is not None and self._detector.detection.answers:
            words.add_done_callback(self._answer_early)

    def _answer_early(self, words: asyncio.Task[HeardSpeech]) -> None:
        """The words of a turn that may be over are there, unless it went on meanwhile."""
        wanted = self._early is not None and self._early[1] is words and not self._words
        if wanted and not words.cancelled() and not self._closed:
            self._answering.prepare(_utterance(words.result()))

    def _end_early(self) -> None:
        self._answering.drop_prepared()
        early, self._early = self._early, None
        if early is not None:
            early[1].cancel()

    def _watch_for_stall(self) -> None:
        loop = asyncio.get_running_loop()
        if self._stall is not None:
            self._stall.cancel()
        left = self._alive_at + STALL_S - loop.time()
        if not self._turn or self._closed:
            return
        if left > 0:
            self._stall = loop.call_later(left, self._watch_for_stall)
            return
        if self._detector.confirmed:
            self._turn_over(self._sound.end_ms)
        else:
            self._report(SpeechDropped(self._turn))
        self.clear()

    def _find_words(
        self, turn: str, pcm: bytes, found: asyncio.Task[HeardSpeech] | None = None
    ) -> None:
        """Look for a turn's words; its place in the memory is taken now."""
        self._memory.append(Utterance("student", ""))
        place = len(self._memory) - 1
        self._words[turn] = self._start(self._tell_words(turn, place, pcm, found))

    async def _tell_words(
        self, turn: str, place: int, pcm: bytes, found: asyncio.Task[HeardSpeech] | None
    ) -> None:
        heard = await (found if found is not None else self._transcribe(pcm))
        del self._words[turn]
        if self._deaf is not None and (self._deaf.kind != "transient" or self._misses >= MISSES):
            # The turn stays without words: another leg may hear it.
            self._report(Failed(self._deaf.code, "ears", fault=self._deaf))
            return
        self._memory[place] = _utterance(heard)
        self._report(Used("audio_in_ms", duration_ms(pcm), heard.model))
        self._report(Transcribed(turn, heard.text, heard.words, heard.sure))

    async def _transcribe(self, pcm: bytes) -> HeardSpeech:
        """The words, or none: ears that fail, in whatever way, did not understand."""
        if not pcm or not self._hears:
            return HeardSpeech("", sure=False)
        try:
            async with asyncio.timeout(words_within_s(pcm)):
                heard = await self._parts.ears.transcribe(pcm, self._brief, self._answering.step)
        except Exception as problem:
            log.warning("ears.failed", problem=type(problem).__name__)
            self._misses += 1
            code = "ears_slow" if isinstance(problem, TimeoutError) else "engine_failed"
            passing = Fault("transient", code)
            self._deaf = problem.fault if isinstance(problem, EngineError) else passing
            return HeardSpeech("", sure=False)
        self._misses, self._deaf = 0, None
        for spent in heard.spent:
            self._report(Used(spent.unit, spent.quantity, spent.model))
        return heard

    # ---- answers -----------------------------------------------------------------------------

    def answer(self, ask: Ask) -> None:
        self._answering.answer(ask, self._all_heard)

    async def _all_heard(self) -> None:
        if self._words:  # not `gather`: an answer that is cancelled must not take them with it
            await asyncio.wait(list(self._words.values()))

    def cancel(self, answer: str, heard: str) -> None:
        self._answering.cancel(answer, heard)

    def give(self, call: str, output: str) -> None:
        self._answering.give(call, output)

    # ---- the end -----------------------------------------------------------------------------

    async def close(self) -> None:
        self._closed = True
        if self._activity is not None:
            self._activity.close()
        if self._stall is not None:
            self._stall.cancel()
        await self._answering.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _utterance(heard: HeardSpeech) -> Utterance:
    """A spoken turn as it is remembered."""
    return Utterance("student", heard.text, {"sure": heard.sure})
