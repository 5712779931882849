"""The cascade, with ears, mind and speaker that are scripted."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import duration_ms
from ai.engine import Ask, Brief, Step, Utterance
from ai.events import (
    AnswerEnded,
    Failed,
    Kept,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
    Used,
)
from tests.ai.cascade_stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = await Stage().open()
    yield stage
    await stage.leg.close()
    assert stage.vad.open == 0
    assert not stage.leg._tasks


async def test_a_turn_is_reported_in_order_with_its_words(stage: Stage) -> None:
    await stage.turn()
    kinds = [type(event) for event in stage.events if not isinstance(event, Used)]
    assert kinds == [SpeechStarted, SpeechConfirmed, SpeechStopped, Transcribed]
    assert stage.of(Transcribed)[0].text == "two quarters"
    assert stage.of(SpeechStopped)[0].at_ms == 640


async def test_words_are_looked_for_before_the_turn_is_judged_over(stage: Stage) -> None:
    stage.hear(640, True)
    stage.hear(320, False)
    await asyncio.sleep(0)
    assert len(stage.ears.asked) == 1 and not stage.of(SpeechStopped)
    stage.hear(640, False)
    await stage.until(Transcribed)
    assert len(stage.ears.asked) == 1, "and not a second time"


async def test_going_on_after_a_pause_throws_the_early_words_away(stage: Stage) -> None:
    stage.hear(640, True)
    stage.hear(320, False)
    await asyncio.sleep(0)
    stage.hear(640, True)
    stage.hear(960, False)
    await stage.until(Transcribed)
    assert len(stage.of(Transcribed)) == 1 and len(stage.ears.asked) == 2
    assert stage.ears.asked[1] > stage.ears.asked[0]


async def test_a_cough_is_dropped_and_never_transcribed(stage: Stage) -> None:
    stage.hear(96, True)
    stage.hear(960, False)
    await asyncio.sleep(0)
    assert stage.of(SpeechDropped) and not stage.ears.asked


async def test_an_answer_comes_with_its_state_before_its_sound(stage: Stage) -> None:
    stage.leg.read("hello")
    stage.leg.answer(Ask("a1", "student", sound=True))
    await stage.until(AnswerEnded)
    kinds = [type(event) for event in stage.events if not isinstance(event, Used)]
    assert kinds == [Kept, Progressed, Spoke, Spoke, AnswerEnded]
    assert [duration_ms(event.pcm) for event in stage.of(Spoke)] == [300, 300]
    assert [line.text for line in stage.mind.memories[0]] == ["hello"]


async def test_a_text_answer_has_no_sound(stage: Stage) -> None:
    stage.leg.answer(Ask("a1", "opening", sound=False))
    await stage.until(AnswerEnded)
    assert [event.pcm for event in stage.of(Spoke)] == [b"", b""]


async def test_an_answer_waits_for_the_words_it_answers(stage: Stage) -> None:
    stage.ears.wait = asyncio.Event()
    stage.hear(640, True)
    stage.hear(960, False)
    stage.leg.answer(Ask("a1", "student", sound=False))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not stage.mind.memories
    stage.ears.wait.set()
    await stage.until(AnswerEnded)
    assert [line.text for line in stage.mind.memories[0]] == ["two quarters"]


async def test_a_cancelled_answer_is_remembered_as_far_as_it_was_heard(stage: Stage) -> None:
    stage.leg.answer(Ask("a1", "opening", sound=False))
    await stage.until(AnswerEnded)
    stage.leg.cancel("a1", "First.")
    stage.leg.read("what?")
    stage.leg.answer(Ask("a2", "student", sound=False))
    await stage.until(AnswerEnded, 2)
    assert [line.text for line in stage.mind.memories[1]] == ["First.", "what?"]
    assert stage.mind.memories[1][0].data == {"turns": 1}


@pytest.mark.parametrize(
    ("heard", "remembered"),
    [
        ("Look here.", "Look here."),
        ("Nothing like it.", "Look here. What is it?"),
        ("", None),
    ],
)
async def test_an_answer_of_the_leg_before_is_remembered_as_far_as_it_was_heard(
    heard: str, remembered: str | None
) -> None:
    before = [
        Utterance("tutor", "Look here. And there."),
        Utterance("student", "yes"),
        Utterance("tutor", "Look here. What is it?", {"turns": 7}),
    ]
    stage = await Stage().open(memory=before)
    stage.leg.cancel("of another leg", heard)
    stage.leg.read("what?")
    stage.leg.answer(Ask("a1", "student", sound=False))
    await stage.until(AnswerEnded)
    lines = stage.mind.memories[0]
    said = ["Look here. And there.", "yes", remembered, "what?"]
    assert [line.text for line in lines] == [text for text in said if text is not None]
    assert remembered is None or lines[2].data == {"turns": 7}
    await stage.leg.close()


async def test_an_answer_nobody_heard_never_happened(stage: Stage) -> None:
    stage.speaker.wait = asyncio.Event()
    stage.leg.answer(Ask("a1", "opening", sound=True))
    await stage.until(Kept)
    stage.leg.cancel("a1", "")
    stage.leg.answer(Ask("a2", "opening", sound=False))
    await stage.until(AnswerEnded)
    assert stage.mind.memories[1] == []


async def test_ears_that_fail_did_not_understand(stage: Stage) -> None:
    stage.ears.breaks = True
    await stage.turn()
    heard = stage.of(Transcribed)[0]
    assert (heard.text, heard.sure) == ("", False)


async def test_a_mind_that_fails_is_reported_and_the_leg_goes_on(stage: Stage) -> None:
    stage.mind.breaks = True
    stage.leg.answer(Ask("a1", "opening", sound=False))
    assert (await stage.until(Failed)).answer == "a1"
    stage.mind.breaks = False
    stage.leg.answer(Ask("a2", "opening", sound=False))
    assert (await stage.until(AnswerEnded)).answer == "a2"


async def test_the_end_of_the_lesson_is_told(stage: Stage) -> None:
    stage.mind.finished = True
    stage.leg.answer(Ask("a1", "student", sound=False))
    assert (await stage.until(AnswerEnded)).finished_lesson


async def test_by_hand_a_commit_takes_all_audio_since_the_last_turn(stage: Stage) -> None:
    stage.leg.detect(None)
    stage.hear(3_200, True)
    assert not stage.of(SpeechStarted)
    stage.leg.commit("mine")
    assert (await stage.until(Transcribed)).turn == "mine"
    stage.hear(640, True)
    stage.leg.commit("second")
    await stage.until(Transcribed, 2)
    assert stage.ears.asked == [3_200, 640]


async def test_committing_a_turn_under_way_ends_it(stage: Stage) -> None:
    stage.hear(640, True)
    turn = stage.of(SpeechStarted)[0].turn
    stage.leg.commit(turn)
    assert (await stage.until(Transcribed)).turn == turn
    stage.hear(960, False)
    assert len(stage.of(Transcribed)) == 1


async def test_cleared_audio_is_forgotten(stage: Stage) -> None:
    stage.leg.detect(None)
    stage.hear(3_200, True)
    stage.leg.clear()
    stage.hear(640, True)
    stage.leg.commit("mine")
    await stage.until(Transcribed)
    assert stage.ears.asked == [640]


async def test_a_microphone_that_stops_in_mid_speech_ends_the_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.cascade.STALL_S", 0.02)
    stage.hear(640, True)
    assert (await stage.until(Transcribed)).text == "two quarters"


async def test_ears_stay_deaf_in_a_language_they_do_not_know() -> None:
    spanish = Brief("", "T", "G", "es-MX", "Hola.", "Adiós.", (Step("¿Qué?", (), "S"),))
    stage = await Stage().open(spanish)
    stage.hear(3_200, True)
    assert stage.events == [] and stage.vad.open == 0
    await stage.leg.close()


async def test_silence_is_not_kept(stage: Stage) -> None:
    stage.hear(60_000, False)
    assert stage.leg._sound.end_ms - stage.leg._sound.start_ms <= 1_532
