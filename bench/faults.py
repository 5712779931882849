"""`python -m bench.faults`: what a student meets when the provider fails, in fourteen ways.

Whole sessions on a provider as `tests.fakes` has it, each with a simulator of its own that fails
once, or from then on, and another one in reserve. Measured is the longest time in which the student
waited for the tutor, heard nothing and was told nothing; checked are the transcript, what was said
in other sessions, and that the engine is trusted again afterwards.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal

from ai.audio import duration_ms, silence
from ai.chain import BreakerLimits, Breakers, Chain
from ai.engine import Vad
from ai.local.vad import Vad as SileroVad
from bench.failing import PROVIDERS, Provider
from sessions.live.events import (
    AudioDelta,
    CreateResponse,
    Event,
    Notice,
    OutputCleared,
    ResponseDone,
)
from tests.fakes.ears import Known
from tests.fakes.faults import HUGE_BYTES, KINDS
from tests.fakes.mind import Script
from tests.fakes.nova import BEFORE_A_STREAM
from tests.fakes.nova_out import huge_frame
from tests.fakes.voice import say
from tests.sessions.live.room import Door, Room

PHRASES = ("two quarters of the pizza", "maybe three eighths")
RESUMED = "I see. Please go on."
STEP_MS = 40
LOOK_S = 0.02
GIVEN_UP_S = 45.0
DEAF = ("hang_before_first_event", "huge_event")
"Who hangs like this is left without a goodbye, which the simulator else counts as wrong."
GOAL_MS = 3_000.0
COOL_S = 0.5
Lasting = Literal["once", "from then on"]


@dataclass
class Ear(Door):
    """The student's device, and how long it has been silent although something is due."""

    room: Room
    due: bool = False
    "The student waits for words of the tutor."
    longest_s: float = 0.0
    "Without sound and without a word of why."
    voiceless_s: float = 0.0
    "Without sound."
    told: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    dry_at: float = 0.0
    _since: float | None = None
    _knows: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.room.person)

    def tell(self, event: Event) -> None:
        now = time.monotonic()
        match event:
            case AudioDelta():
                self.look()
                self._knows, self._since = False, None  # what it waited for before is over
                self.dry_at = max(self.dry_at, now) + duration_ms(event.pcm) / 1000
            case OutputCleared():
                self.dry_at = now
            case Notice() if event.code.startswith("tutor"):
                self.look()
                self.told.append(event.code)
                self._knows = True
            case ResponseDone():
                self.done[event.response.status] += 1
                if event.response.status == "completed":
                    self.look()
                    self.due = False

    def expect(self) -> None:
        self.due = True
        self._knows = False
        self._since = None

    def look(self) -> None:
        now = time.monotonic()
        if not self.due or self.dry_at > now:
            self._since = None
            return
        if self._since is None:
            self._since = max(self.dry_at, now - LOOK_S)
        self.voiceless_s = max(self.voiceless_s, now - self._since)
        if not self._knows:
            self.longest_s = max(self.longest_s, now - self._since)

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)


@dataclass
class Found:
    """What became of the lessons with one fault."""

    waits_ms: list[float] = field(default_factory=list)
    voiceless_ms: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def lines(number: int) -> tuple[str, ...]:
    """What the tutor says in one lesson, and in no other."""
    of = f"of lesson {number}"
    return (f"Hello. This is the opening {of}.", f"Yes {of}. And more?", f"Good {of}. Well done.")


def provider_of(name: str, number: int) -> Provider:
    opening, *answers = lines(number)
    script = Script(opening, when=dict(zip(PHRASES, answers, strict=True)))
    ears = Known({phrase: say(phrase) for phrase in PHRASES}, like=0.85)
    return PROVIDERS[name](script, ears)


async def lesson(
    provider: str, fault: str, lasting: Lasting, number: int, vad: Vad, found: Found
) -> None:
    """One lesson, and another one when the fault is over."""
    async with AsyncExitStack() as stack:
        made = [provider_of(provider, number) for _ in range(2)]
        first, second = [await stack.enter_async_context(one) for one in made]
        breakers = Breakers(BreakerLimits(cool_s=COOL_S))
        engines = [first.engine(vad, "first"), second.engine(vad, "second")]
        chain = Chain(engines, breakers)
        if fault in BEFORE_A_STREAM:
            first.fail(fault, 1 if lasting == "once" else 100)
        ear = await hold(chain, fault, lasting, first, number, found)
        found.waits_ms.append(ear.longest_s * 1000)
        found.voiceless_ms.append(ear.voiceless_s * 1000)
        told = "told" if ear.told else "bridged"
        found.ends[f"{told}, {first.streams}+{second.streams} streams"] += 1
        first.recover()
        await asyncio.sleep(COOL_S + 0.1)
        opened = second.streams
        await hold(chain, "", "once", first, number, found)
        if breakers.open() or second.streams != opened:
            found.wrong.append("the first engine is not trusted again")
        await settle(first, second, found)
        if fault not in DEAF:
            found.wrong += map(str, (*first.violations, *second.violations))


async def settle(first: Provider, second: Provider, found: Found) -> None:
    for _ in range(100):
        if not first.open_streams + second.open_streams:
            break
        await asyncio.sleep(0.1)
    else:
        found.wrong.append("a stream is left open")


async def hold(
    chain: Chain, fault: str, lasting: Lasting, first: Provider, number: int, found: Found
) -> Ear:
    room = Room(chain=chain)
    ear = Ear(room)
    watching = asyncio.create_task(ear.watch())
    ear.expect()
    try:
        async with asyncio.timeout(4 * GIVEN_UP_S):
            await room.session.open()
            room.session.attach(ear, after=None, resumed=False)
            room.session.receive(ear, CreateResponse())
            await answered(room, ear)
            if fault and fault not in BEFORE_A_STREAM:
                first.arm(fault)
                if lasting == "from then on":
                    first.fail(fault, 100)
            for phrase in PHRASES:
                await speak(room, ear, phrase)
                await answered(room, ear)
    except TimeoutError:
        found.wrong.append("the lesson came to a stop")
    finally:
        watching.cancel()
        await room.session.close(1001, "over")
        await asyncio.gather(watching, return_exceptions=True)
    found.wrong += check(room, number)
    return ear


async def speak(room: Room, ear: Ear, phrase: str) -> None:
    """In real time, once the tutor has finished."""
    wait_ms = round(max(0.0, ear.dry_at - time.monotonic()) * 1000) + 300
    pcm = silence(wait_ms) + say(phrase)
    await give(room, ear, pcm)
    ear.expect()


async def give(room: Room, ear: Ear, pcm: bytes) -> None:
    began = time.monotonic()
    for at in range(0, len(pcm), STEP_MS * 48):
        room.session.hear(ear, pcm[at : at + STEP_MS * 48])
        ahead = began + (at + STEP_MS * 48) / 48_000 - time.monotonic()
        await asyncio.sleep(max(0.0, ahead))


async def answered(room: Room, ear: Ear) -> None:
    """A quiet room, until an answer came whole."""
    async with asyncio.timeout(GIVEN_UP_S):
        while ear.due:
            await give(room, ear, silence(STEP_MS))


def check(room: Room, number: int) -> Iterator[str]:
    """What is wrong with the transcript."""
    items = [item for item in room.session.items if item.role in ("user", "assistant")]
    said = [str(item.said) for item in items if item.role == "user"]
    if said != list(PHRASES):
        yield f"the student's words are {said}"
    for item in items:
        if item.role != "assistant":
            continue
        whole = {*lines(number), RESUMED}
        if str(item.said) not in whole and not any(one.startswith(str(item.said)) for one in whole):
            yield f"the tutor says {item.said!r}"
        if item.heard is not None and not str(item.said).startswith(item.heard):
            yield f"{item.heard!r} was heard of {item.said!r}"


async def run(provider: str, times: int, together: int, faults: Sequence[str]) -> None:
    found: dict[str, Found] = defaultdict(Found)
    places = asyncio.Semaphore(together)
    vad = SileroVad()
    huge_frame(HUGE_BYTES)

    async def one(fault: str, number: int) -> None:
        lasting: Lasting = "from then on" if number % 2 else "once"
        async with places:
            await lesson(provider, fault, lasting, number, vad, found[fault])

    jobs = [one(fault, number) for fault in faults for number in range(times)]
    await asyncio.gather(*jobs)
    vad.close()
    head = f"{provider}, each fault {times} times"
    print(f"| {head:28} | untold wait, p50 | most | silence, most | wrong | how it went on |")
    for fault in faults:
        waits, silent = sorted(found[fault].waits_ms), max(found[fault].voiceless_ms)
        wrong, ends = found[fault].wrong, found[fault].ends
        ways = ", ".join(f"{many} x {way}" for way, many in ends.most_common())
        print(
            f"| {fault:28} | {statistics.median(waits):.0f} ms | {waits[-1]:.0f} ms |"
            f" {silent:.0f} ms | {len(wrong)} | {ways} |"
        )
        for what, many in Counter(wrong).items():
            print(f"    {many} x {what}")
    print(f"Goal: at most {GOAL_MS:.0f} ms, nothing wrong.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--provider", choices=tuple(PROVIDERS), default="nova")
    parser.add_argument("--times", type=int, default=20, help="each fault; every other one lasts")
    parser.add_argument("--together", type=int, default=6, help="lessons at a time")
    parser.add_argument("--fault", action="append", choices=KINDS, help="only these")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.", flush=True)
    faults = options.fault or KINDS
    asyncio.run(run(options.provider, options.times, options.together, faults))


if __name__ == "__main__":
    main()
