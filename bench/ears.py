"""How well the local ears hear: `python -m bench.ears`.

Speaks the answers of `bench.answers` in three voices, has the worker recognise them as it does in a
lesson, and checks what was heard as the tutor does. Each of the 56 answers is said by one of the
voices in turn; with `--all`, by all three.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai.audio import duration_ms
from ai.engine import Brief
from ai.local.checks import check
from ai.local.ears import LocalEars
from ai.local.workers import Workers
from bench import speech
from bench.answers import HELD_OUT, TUNED, Said
from sessions.lessons.brief import SchoolPolicy, StudentFacts, compile
from sessions.lessons.plan import read_plan

DEMO = Path(__file__).parent.parent / "sessions" / "lessons" / "demo"


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one spoken answer."""

    said: Said
    voice: str
    text: str
    sure: bool
    accepted: bool
    "The tutor would take it as right at once."
    took_s: float
    lasted_s: float


def brief_of(lesson: str) -> Brief:
    """A demo lesson, compiled."""
    plan = read_plan((DEMO / f"{lesson}.yaml").read_text())
    return compile(plan, school=SchoolPolicy(), student=StudentFacts())


def is_right(brief: Brief, step: int, text: str) -> bool:
    """Whether the tutor would call `text` right."""
    asked = brief.steps[step]
    wrong = [text for misconception in asked.misconceptions for text in misconception.says]
    return any(
        check(answer.kind, answer.text, answer.also, text, asked.choices, wrong)["verdict"]
        == "right"
        for answer in asked.answers
    )


async def listen(ears: LocalEars, answers: Sequence[tuple[Said, str]]) -> list[Heard]:
    """Have each answer recognised, one after the other."""
    briefs = {said.lesson: brief_of(said.lesson) for said, _ in answers}
    results = []
    for said, voice in answers:
        pcm = speech.say(said.text, voice)
        start_s = time.perf_counter()
        heard = await ears.transcribe(pcm, briefs[said.lesson], said.step)
        took_s = time.perf_counter() - start_s
        accepted = heard.sure and is_right(briefs[said.lesson], said.step, heard.text)
        lasted_s = duration_ms(pcm) / 1000
        results.append(Heard(said, voice, heard.text, heard.sure, accepted, took_s, lasted_s))
    return results


def in_turn(answers: Sequence[Said]) -> list[tuple[Said, str]]:
    """Each answer in one voice, the voices in turn."""
    return [(said, speech.VOICES[n % len(speech.VOICES)]) for n, said in enumerate(answers)]


def in_all(answers: Sequence[Said]) -> list[tuple[Said, str]]:
    """Each answer in every voice."""
    return [(said, voice) for said in answers for voice in speech.VOICES]


def table(name: str, results: Sequence[Heard]) -> str:
    """The figures of one list of answers, and what went wrong with which."""
    rows = [f"{name}: {len(results)} spoken answers"]
    for heard in results:
        said = heard.said
        falsely = heard.accepted and said.sort != "right"
        missed = said.sort == "right" and not heard.accepted
        if heard.text != said.text or falsely or missed:
            note = "ACCEPTED" if falsely else "" if heard.sure else "unsure"
            rows.append(f"  {note:9}{said.sort:6}{heard.voice:4} {said.text!r} -> {heard.text!r}")
    right = [heard for heard in results if heard.said.sort == "right"]
    others = [heard for heard in results if heard.said.sort != "right"]
    took_s = [heard.took_s for heard in results]
    pace = sum(took_s) / sum(heard.lasted_s for heard in results)
    rows += [
        f"  heard exactly             {sum(h.text == h.said.text for h in results)}",
        f"  others accepted as right  {sum(h.accepted for h in others)} of {len(others)}",
        f"  right accepted at once    {sum(h.accepted for h in right)} of {len(right)}",
        f"  time, of the duration     {pace:.3f}",
        f"  time, median              {statistics.median(took_s) * 1000:.0f} ms",
    ]
    return "\n".join(rows)


async def main(every_voice: bool) -> None:
    """Measure and print."""
    arrange = in_all if every_voice else in_turn
    workers = Workers(ears=1)
    await workers.start()
    try:
        ears = LocalEars(workers)
        for name, answers in (("tuned on", TUNED), ("held out", HELD_OUT)):
            print(table(name, await listen(ears, arrange(answers))), flush=True)
    finally:
        await workers.close()


if __name__ == "__main__":
    asyncio.run(main("--all" in sys.argv))
