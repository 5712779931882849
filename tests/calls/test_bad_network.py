"""A lesson by voice over a network that loses a tenth and shakes the rest, beside a good one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bench import speech
from bench.caller import own_address
from tests.calls.calling import Call, Gone, call
from tests.calls.place import Place, open_place
from tests.calls.recording import likeness
from tests.fakes import voice
from tests.fakes.ears import Known
from tests.fakes.openai_manners import Manners
from tests.fakes.udp_relay import PERFECT, Network
from tests.journeys.spoken_lesson import OPENING, TURNS, transcript

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),  # two lessons in real time, whatever else the machine does
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
    pytest.mark.skipif(own_address() == "127.0.0.1", reason="this machine is in no network"),
]

SHAKEN = Network(loss=0.1, delay_ms=30, jitter_ms=100)
SAID = TURNS[:4]
SENTENCES = (OPENING, *(turn.answer for turn in TURNS))
SPEED = 1.4  # the plan's
LIKE = 0.7
"""How well the loudness of what is heard must fit that of what was said: 1 is the same. Whether
words are recognised is the matter of `test_lossy_sound`."""


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    sounds = {turn.words: speech.say(turn.words, "slt", 0) for turn in TURNS}
    manners = Manners(ears=Known(sounds, like=LIKE), checks=False)
    async with open_place(tmp_path_factory.mktemp("calls"), manners=manners) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a lesson."""

    words: list[str]
    "Of the student, as the provider's ears understood them."
    answers: list[str]
    "Of the tutor, in writing."
    sounds: list[bytes]
    "The same, as they were heard."


async def hold(place: Place, student: int, network: Network) -> Held:
    """Four turns."""
    door = place.door(student)
    async with call(door, place.query, up=network, down=network, relayed=True) as one:
        session = await one.pupil.begins("audio")
        await one.pupil.connection.response.create()
        sounds = []
        async with one.mic:
            sounds.append((await one.answer())[1])
            for turn in SAID:
                await one.mic.say(speech.say(turn.words, "slt", 100))
                sounds.append((await one.answer())[1])
            assert one.relay.up.lost == 0 or network.loss
        await finished(one)
    items = await transcript(place.server, door.token, session)
    said = {role: [i["said"] for i in items if i["role"] == role] for role in ("user", "assistant")}
    return Held(said["user"], said["assistant"], sounds)


async def test_both_understand_each_other_as_well_as_without_loss(place: Place) -> None:
    good, bad = await asyncio.gather(hold(place, 0, PERFECT), hold(place, 1, SHAKEN))
    assert good.words == [turn.words for turn in SAID]
    assert bad.words == good.words
    assert bad.answers == good.answers
    for held in (good, bad):
        for text, sound in zip(held.answers, held.sounds, strict=True):
            await check_sound(text, sound)


async def check_sound(text: str, sound: bytes) -> None:
    """It is that sentence, and no other one of the tutor's."""
    like = {
        each: likeness(await voice.spoken(each, speed=SPEED), sound)
        for each in dict.fromkeys(SENTENCES)
    }
    assert max(like, key=lambda each: like[each]) == text, like
    assert like[text] > LIKE, like


async def test_a_barge_in_stops_the_tutor_at_once(place: Place) -> None:
    async with call(place.door(2), place.query, up=SHAKEN, down=SHAKEN) as one:
        await one.pupil.begins("audio")
        await one.pupil.connection.response.create()
        async with one.mic:
            await interrupted(one)
        await finished(one)


async def finished(one: Call) -> None:
    """The call may be over before its last words came through such a network."""
    with contextlib.suppress(Gone):
        await one.pupil.finishes()


async def interrupted(one: Call) -> None:
    started = await one.pupil.until("output_audio_buffer.started", 20)
    saying = asyncio.create_task(one.mic.say(speech.say("two quarters", "slt", 0)))
    cleared = await one.pupil.until("output_audio_buffer.cleared", 20)
    assert cleared["response_id"] == started["response_id"]
    await saying
