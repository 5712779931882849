"""`python -m bench.ahead`: how soon an answer sounds, thought ahead or not.

A cascade whose ears, model and voice take as long as providers do. Students speak for a second and
fall silent; what is measured is from the end of their voice to the first of the tutor's sound.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

from ai.audio import silence
from ai.cascade import Cascade
from ai.engine import Ask, Brief, HeardSpeech, Leg, Spoken, Step, TurnDetection
from ai.events import AnswerEnded, EngineEvent, SpeechStopped, Spoke
from ai.language import Declared, ModelPiece, ModelTurn, Stopped, TextDelta
from ai.mind import LanguageTutor
from ai.turns import WINDOW_MS
from bench.percentile import percentile
from tests.ai.cascade_stage import ScriptedVad

BRIEF = Brief("", "T", "G", "en", "Hello.", "Bye.", (Step("What?", (), "S"),))
EARS_S, SENTENCE_S, VOICE_S = 0.35, 0.6, 0.3
"Transcription of a short turn; a model's first sentence; the first of its sound."


class Ears:
    languages = None

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        await asyncio.sleep(EARS_S)
        return HeardSpeech("two quarters")


class Model:
    name = "bench"

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        await asyncio.sleep(SENTENCE_S)
        yield TextDelta("Right! What")
        yield TextDelta(" comes next?")
        yield Stopped("end")

    async def close(self) -> None: ...


class Voice:
    async def speak(
        self, text: str, *, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        await asyncio.sleep(VOICE_S)
        yield Spoken(silence(300))


class Student:
    """Speaks, is answered, and notes how long that took."""

    def __init__(self) -> None:
        self.leg: Leg
        self.quiet_at = 0.0
        self.took_ms: list[float] = []
        self.answers = 0
        self.answered = asyncio.Event()

    def report(self, event: EngineEvent) -> None:
        match event:
            case SpeechStopped():
                self.answers += 1
                self.leg.answer(Ask(f"a{self.answers}", "student", sound=True))
            case Spoke() if self.quiet_at:
                self.took_ms.append((time.monotonic() - self.quiet_at) * 1000)
                self.quiet_at = 0.0
            case AnswerEnded():
                self.answered.set()

    async def hold(self, engine: Cascade, turns: int, patience_ms: int) -> None:
        self.leg = (await engine.prepare(BRIEF)).begin((), self.report)
        self.leg.detect(TurnDetection(silence_ms=patience_ms))
        for _ in range(turns):
            self.answered.clear()
            await self._hear(b"\1\1", 1_024)
            self.quiet_at = time.monotonic()
            await self._hear(b"\0\0", patience_ms + 200)
            await self.answered.wait()
        await self.leg.close()

    async def _hear(self, sample: bytes, ms: int) -> None:
        began = time.monotonic()
        for number in range(ms // WINDOW_MS):
            self.leg.hear(sample * (WINDOW_MS * 24))
            await asyncio.sleep(max(0.0, began + number * WINDOW_MS / 1000 - time.monotonic()))


async def measure(students: int, turns: int, patience_ms: int, *, ahead: bool) -> list[float]:
    engine = Cascade(
        "cascade", Ears(), LanguageTutor(Model()), Voice(), ScriptedVad(), prepares=ahead
    )
    held = [Student() for _ in range(students)]
    await asyncio.gather(*(student.hold(engine, turns, patience_ms) for student in held))
    # Of a first turn nobody knows yet in which voice it will be answered.
    return sorted(took for student in held for took in student.took_ms[1:])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ahead", description=__doc__)
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--patience-ms", type=int, default=900)
    options = parser.parse_args()
    for ahead in (False, True):
        found = asyncio.run(
            measure(options.students, options.turns, options.patience_ms, ahead=ahead)
        )
        name = "thought ahead" if ahead else "one after the other"
        middle, worst = percentile(found, 0.5), percentile(found, 0.95)
        print(f"{name:<22} median {middle:.0f} ms, 95 % {worst:.0f} ms, {len(found)} answers")


if __name__ == "__main__":
    main()
