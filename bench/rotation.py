"""`python -m bench.rotation`: what a student hears of the change from one leg to the next.

Whole sessions on Nova 2 Sonic as `tests.fakes` has it, over HTTP/2, with a life of a few seconds
instead of eight minutes: students speak, are silent and interrupt, and every leg is replaced again
and again. Counted are turns (each is a sound that the simulator knows), streams, and the gap: for
how long the tutor was silent because of a change, where it should have been heard.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import structlog

from ai.audio import duration_ms, silence
from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.nova import NovaSettings, NovaSonic
from ai.chain import Chain
from ai.local.vad import Vad
from sessions.live.events import (
    AudioDelta,
    CreateResponse,
    Event,
    InputSpeechStarted,
    InputSpeechStopped,
    OutputCleared,
)
from tests.fakes.ears import Known
from tests.fakes.mind import Script
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners
from tests.fakes.signatures import ACCESS_KEY, REGION, SECRET_KEY
from tests.fakes.voice import say
from tests.sessions.live.room import Door, Room

PHRASES = (
    "two quarters of the pizza",
    "I think it is one half",
    "could you say that again please",
    "the denominator tells how many parts there are",
    "maybe three eighths",
    "because both sides grow by the same amount",
    "no idea",
    "what does equivalent mean",
    "seven tenths are more than one half",
    "let me count the pieces first",
)
ANSWERS = (
    "Good. Which part is left?",
    "Look at the picture once more, and count all parts. How many of them are eaten, and how many"
    " are there in all? Take your time, and say it in your own words.",
    "Nearly. Try again.",
)
STEP_MS = 40
SETTLED_S = 6.0
GOAL_MS = 300.0


@dataclass(eq=False)
class Change:
    """From one leg to the next."""

    at: float
    moment: str
    "silence | tutor heard | student speaks | words awaited | answer awaited | answer cut"
    dry_at: float
    "When the sound ends that the student had by then."
    gap_ms: float = 0.0


class Ear(Door):
    """The student's device: plays what comes as it comes, and remembers when it ran dry."""

    def __init__(self, room: Room) -> None:
        super().__init__(room.person)
        self.dry_at = 0.0
        self.stopped_at: float | None = None
        self.latencies: list[tuple[float, float]] = []
        "When the student's voice was judged over, and the first sound after it, in ms."
        self.changes: list[Change] = []
        self.open: list[Change] = []
        "Changes after which no sound came yet."
        talk, lost = room.session.conversation, room.session.lost

        def changes(code: str) -> None:
            change = Change(time.monotonic(), moment(talk), self.dry_at)
            lost(code)
            self.changes.append(change)
            if change.moment.startswith("answer"):
                self.open.append(change)

        room.session.lost = changes  # type: ignore[method-assign]

    def tell(self, event: Event) -> None:
        now = time.monotonic()
        match event:
            case AudioDelta():
                for change in self.open:
                    change.gap_ms = max(0.0, now - max(change.at, change.dry_at)) * 1000
                self.open.clear()
                if self.stopped_at is not None:
                    self.latencies.append((self.stopped_at, (now - self.stopped_at) * 1000))
                    self.stopped_at = None
                self.dry_at = max(self.dry_at, now) + duration_ms(event.pcm) / 1000
            case OutputCleared():
                self.dry_at = now
            case InputSpeechStarted():  # from here on it is the student's turn
                for change in self.open:
                    change.gap_ms = max(0.0, now - max(change.at, change.dry_at)) * 1000
                self.open.clear()
            case InputSpeechStopped():
                self.stopped_at = now

    def judge(self) -> None:
        """A change in mid-speech is heard in the answer: by how much later it came than usual."""
        crossed = {
            change: next((one for one in self.latencies if one[0] >= change.at), None)
            for change in self.changes
            if change.moment in ("student speaks", "words awaited")
        }
        usual = [ms for at, ms in self.latencies if (at, ms) not in crossed.values()]
        for change, answered in crossed.items():
            if answered is not None and answered[0] - change.at < SETTLED_S and usual:
                change.gap_ms = max(0.0, answered[1] - statistics.median(usual))


def moment(talk: Any) -> str:
    """What was going on."""
    response = talk.answers.current
    if talk.turns.speaking is not None:
        return "student speaks"
    if response is not None and not response.generated:
        return "answer awaited" if response.item is None else "answer cut"
    if talk.turns:
        return "words awaited"
    return "tutor heard" if talk.answers.playout.current is not None else "silence"


@dataclass
class Tally:
    """What all students met with."""

    said: int = 0
    lost: int = 0
    doubled: int = 0
    misheard: int = 0
    changes: list[Change] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stories: list[tuple[list[str], list[str]]] = field(default_factory=list)
    "Of students who were not understood as they spoke: what they said, what was heard."


async def study(
    engine: NovaSonic, seed: int, goes_on: Callable[[Room], bool], tally: Tally
) -> None:
    """One student's lesson, as long as it is to go on."""
    dice, room = random.Random(seed), Room(chain=Chain((engine,)))
    await room.session.open()
    ear, said = Ear(room), []
    room.session.attach(ear, after=None, resumed=False)
    room.session.receive(ear, CreateResponse())

    async def give(pcm: bytes) -> None:
        step = STEP_MS * 48
        began = time.monotonic()
        for at in range(0, len(pcm), step):
            room.session.hear(ear, pcm[at : at + step])
            ahead = began + (at + step) / 48_000 - time.monotonic()
            await asyncio.sleep(max(0.0, ahead))

    while goes_on(room):
        wait_ms = dice.choice((300, 800, 1_500, 3_000))
        if dice.random() < 0.5:  # else the tutor is interrupted, or about to speak
            wait_ms += max(0, round((ear.dry_at - time.monotonic()) * 1000))
        await give(silence(wait_ms))
        phrase = dice.choice(PHRASES)
        said.append(phrase)
        await give(say(phrase))
        await give(silence(900))
    await give(silence(round(SETTLED_S * 1000)))
    turns = [str(item.said) for item in room.session.items if item.role == "user"]
    heard = [phrase for turn in turns for phrase in phrases(turn)]
    tally.said += len(said)
    for kind, from_, to, start, end in SequenceMatcher(None, said, heard, False).get_opcodes():
        if kind != "equal":
            tally.lost += max(0, (to - from_) - (end - start))
            tally.doubled += max(0, (end - start) - (to - from_))
            tally.misheard += min(to - from_, end - start)
    if said != heard:
        tally.stories.append((said, turns))
    ear.judge()
    tally.changes += ear.changes
    counts = room.session._line.counts
    for name in ("rotations", "forced", "reopened", "stalled"):
        tally.counts[name] += getattr(counts, name)
    await room.session.close(1001, "over")


def phrases(turn: str) -> list[str]:
    """What was said in a turn; two that follow each other at once may become one turn."""
    found = re.findall("|".join(map(re.escape, PHRASES)), turn)
    return found or [turn]


def rows(tally: Tally) -> Iterator[tuple[str, str, str]]:
    counts = tally.counts
    forced = f"{counts['forced']} in mid-anything"
    yield "rotations", str(counts["rotations"]), forced
    yield "legs that broke, or stalled", f"{counts['reopened']}, {counts['stalled']}", "0, 0"
    yield "turns said", str(tally.said), f"{tally.misheard} of them misheard"
    yield "turns lost, doubled", f"{tally.lost}, {tally.doubled}", "0, 0"
    every = [change.gap_ms for change in tally.changes]
    yield "gap, all rotations: p50, p95", spread(every), f"≤ {GOAL_MS:.0f} ms p95"
    moments: dict[str, list[float]] = defaultdict(list)
    for change in tally.changes:
        moments[change.moment].append(change.gap_ms)
    for name, gaps in sorted(moments.items()):
        yield f"  {name} ({len(gaps)})", spread(gaps), ""


def spread(gaps: list[float]) -> str:
    if not gaps:
        return "none"
    gaps = sorted(gaps)
    return (
        f"{statistics.median(gaps):.0f}, {gaps[min(len(gaps) - 1, len(gaps) * 95 // 100)]:.0f} ms"
    )


async def run(students: int, rotations: int, lifetime_s: float) -> None:
    ears = Known({phrase: say(phrase) for phrase in PHRASES}, like=0.85)
    script = Script("Hello. What part of the pizza is eaten?", ANSWERS * 1_000)
    manners = Manners(script=script, ears=ears, silence_ms=600, cap_s=lifetime_s, think_s=0.2)
    tally, done = Tally(), defaultdict(int)

    def goes_on(room: Room) -> bool:
        done[id(room)] = room.session._line.counts.rotations
        return sum(done.values()) < rotations

    vad = Vad()
    async with Nova(manners, max_streams=2 * students + 2) as nova:
        settings = NovaSettings(REGION, endpoint=nova.endpoint, lifetime_s=lifetime_s)
        engine = NovaSonic(settings, fixed(AwsCredentials(ACCESS_KEY, SECRET_KEY)), vad)
        lessons = (study(engine, seed, goes_on, tally) for seed in range(students))
        await asyncio.gather(*lessons)
        for _ in range(50):
            if not nova.open_streams:
                break
            await asyncio.sleep(0.1)
        table = [*rows(tally)]
        table.append(
            (
                "streams opened, left open",
                f"{len(nova.streams)}, {nova.open_streams}",
                f"{len(nova.violations)} rules broken",
            )
        )
        for name, value, note in table:
            print(f"| {name:34} | {value:>14} | {note}")
        for violation in sorted(set(nova.violations)):
            print(violation)
        for said, heard in tally.stories:
            print("said: ", *said, sep=" / ")
            print("heard:", *heard, sep=" / ")
    with contextlib.suppress(Exception):
        vad.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rotation", description=__doc__)
    parser.add_argument("--students", type=int, default=4)
    parser.add_argument("--rotations", type=int, default=100)
    parser.add_argument("--lifetime", type=float, default=10.0, help="of a leg, in seconds")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.")
    asyncio.run(run(options.students, options.rotations, options.lifetime))


if __name__ == "__main__":
    main()
