"""`python -m bench.interrupt`: how soon the tutor falls silent when a student speaks over it.

Students call the server with its offline tutor by WebRTC, on this machine, and interrupt every
answer with a word or some in flite's voices; before, there is the room's faint noise. Measured at
the student, by the kernel's stamps: from the first loud frame of their voice until the last packet
with sound of the tutor's, and the same from `output_audio_buffer.paused`: the server's decision, as
far as it can be seen from outside.
"""

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import speech
from bench.microphone import Microphone
from bench.percentile import percentile
from server.rtc.opus import Decoder
from tests.calls.calling import Call, call
from tests.calls.place import open_place
from tests.calls.recording import signed
from tests.journeys.pupil import Pupil
from tests.server.rtc.house import rms

WORDS = ("two quarters", "wait", "I think it is one half", "no", "stop please", "say that again")
LOUD = 500  # root mean square, of 32,767: -36 dBFS, far above the room's noise
AUDIBLE = 100  # -50 dBFS
HEARD_S = (0.4, 1.2)  # of an answer, before it is interrupted
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """One interruption, in milliseconds."""

    after_voice: float
    after_pause: float
    "Negative: the last sound came before the event."


async def interrupt(one: Call, times: int, chance: random.Random) -> tuple[list[Cut], int]:
    """Let no answer end. Returns also how often the tutor went on, as after a cough."""
    loud_s: list[float] = []

    async def speak(pcm: bytes) -> None:
        if rms(pcm) > LOUD:
            loud_s.append(time.time())
        await one.speak(pcm)

    cuts: list[Cut] = []
    coughs = 0
    pupil = one.pupil
    await pupil.begins("audio")
    await pupil.connection.response.create()
    async with Microphone(speak) as mic:
        while len(cuts) < times:
            started = await pupil.until("output_audio_buffer.started", 20)
            await asyncio.sleep(chance.uniform(*HEARD_S))
            loud_s.clear()
            said = speech.say(chance.choice(WORDS), chance.choice(speech.VOICES), 0)
            saying = asyncio.create_task(mic.say(said))
            await pupil.until("output_audio_buffer.paused", 5)
            paused_s = time.time()
            judged = await judgement(pupil)
            until_s = time.time()
            await saying
            if judged == "output_audio_buffer.resumed":
                coughs += 1
                await pupil.until("output_audio_buffer.stopped", 60)
                await pupil.connection.response.create()
                continue
            last_s = last_sound(one, started["rtp_timestamp"], until_s)
            cuts.append(Cut((last_s - loud_s[0]) * 1000, (last_s - paused_s) * 1000))
    return cuts, coughs


async def judgement(pupil: Pupil) -> str:
    """The event by which it is told whether somebody spoke, or coughed."""
    while True:
        event = await pupil.next(5)
        if event["type"] in ("output_audio_buffer.cleared", "output_audio_buffer.resumed"):
            return str(event["type"])


def last_sound(one: Call, first: int, until_s: float) -> float:
    """When the last packet came in which the tutor can be heard, from that RTP timestamp on."""
    recording, decoder, last_s = one.recording, Decoder(), 0.0
    came = ((signed(timestamp - first), timestamp) for timestamp in recording.packets)
    for into, timestamp in sorted(came):
        if into >= 0 and recording.arrived_s[timestamp] <= until_s:
            heard = decoder.decode(recording.packets[timestamp])
            if rms(heard) > AUDIBLE:
                last_s = recording.arrived_s[timestamp]
    return last_s


async def run(students: int, times: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with open_place(Path(folder), students=students) as place:

            async def student(number: int) -> tuple[list[Cut], int]:
                async with call(place.door(number), place.query) as one:
                    return await interrupt(one, times, random.Random(number))

            held = await asyncio.gather(*map(student, range(students)))
    cuts = [cut for each, _ in held for cut in each]
    coughs = sum(each for _, each in held)
    print(f"{len(cuts)} interruptions; {coughs} more were taken for coughs, and the tutor went on")
    for name, goal, found in (
        ("from the first word", 250, [cut.after_voice for cut in cuts]),
        ("from the server's decision", 40, [cut.after_pause for cut in cuts]),
    ):
        at = ", ".join(f"{percentile(sorted(found), share):4.0f}" for share in (0.5, 0.95, 1.0))
        print(f"| {name:<28} | {at} ms | at most {goal} ms")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.interrupt", description=__doc__)
    parser.add_argument("--students", type=int, default=AT_ONCE, help="at the same time")
    parser.add_argument("--times", type=int, default=15, help="each of them interrupts")
    options = parser.parse_args()
    asyncio.run(run(options.students, options.times))


if __name__ == "__main__":
    main()
