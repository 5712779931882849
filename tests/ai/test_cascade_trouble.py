"""The cascade where things cross: late judges, turns side by side, answers cut in mid-thought."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import silence
from ai.cascade import MISSES, words_within_s
from ai.engine import Ask, Brief, HeardSpeech, Step, TurnDetection
from ai.events import (
    AnswerEnded,
    Failed,
    Kept,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
)
from ai.turns import WINDOW_MS
from tests.ai.cascade_stage import Stage, voice


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = await Stage().open()
    yield stage
    await stage.leg.close()
    assert stage.vad.open == 0
    assert not stage.leg._tasks


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


# ---- audio that comes faster than it is judged -----------------------------------------------


async def test_a_file_pushed_at_once_is_heard_from_its_beginning(stage: Stage) -> None:
    stage.vad.late = True
    stage.leg.hear(voice(3_200) + silence(960))
    stage.vad.judge()
    await stage.until(Transcribed)
    assert stage.of(SpeechStopped)[0].at_ms == 3_200
    assert stage.ears.asked[-1] >= 3_200


async def test_two_sentences_pushed_at_once_are_two_turns_with_their_own_words(
    stage: Stage,
) -> None:
    stage.vad.late = True
    stage.leg.hear(voice(1_600) + silence(960) + voice(3_200) + silence(960))
    stage.vad.judge()
    await stage.until(Transcribed, 2)
    first, second = stage.ears.asked[-2:]
    assert 1_600 <= first < 3_000
    assert 3_200 <= second < 4_600


async def test_audio_that_was_committed_is_not_heard_a_second_time(stage: Stage) -> None:
    stage.vad.late = True
    stage.leg.hear(voice(3_200))
    stage.leg.commit("mine")
    stage.vad.judge()
    assert not stage.of(SpeechStarted)
    await stage.until(Transcribed)
    assert stage.ears.asked == [3_200]


async def test_cleared_audio_is_not_heard_when_it_is_judged_later(stage: Stage) -> None:
    stage.vad.late = True
    stage.leg.hear(voice(3_200))
    stage.leg.clear()
    stage.vad.judge()
    assert not stage.of(SpeechStarted)


async def test_speech_after_a_commit_is_a_turn_of_its_own(stage: Stage) -> None:
    stage.vad.late = True
    stage.leg.hear(voice(3_200))
    stage.leg.commit("mine")
    stage.leg.hear(voice(1_600) + silence(960))
    stage.vad.judge()
    await stage.until(Transcribed, 2)
    assert 1_600 <= stage.ears.asked[1] < 2_900


async def test_silence_is_kept_no_longer_than_until_it_was_judged(stage: Stage) -> None:
    stage.vad.late = True
    stage.leg.hear(silence(20_000 // WINDOW_MS * WINDOW_MS))
    stage.vad.judge()
    assert stage.leg._sound.end_ms - stage.leg._sound.start_ms <= 1_532


# ---- speech that stops in the middle ---------------------------------------------------------


async def test_a_suspicion_that_ends_with_the_microphone_was_no_speech(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.cascade.STALL_S", 0.02)
    stage.hear(96, True)
    await stage.until(SpeechDropped)
    assert not stage.of(SpeechStopped) and not stage.ears.asked


async def test_committing_a_mere_suspicion_ends_it(stage: Stage) -> None:
    stage.hear(96, True)
    turn = stage.of(SpeechStarted)[0].turn
    stage.leg.commit(turn)
    assert (await stage.until(Transcribed)).turn == turn
    stage.hear(20_000, False)
    assert stage.leg._sound.end_ms - stage.leg._sound.start_ms <= 1_532, "the next is a new turn"


# ---- several turns, and answers that are cut while they wait ---------------------------------


async def test_two_turns_at_the_same_moment_both_get_their_words(stage: Stage) -> None:
    stage.leg.listen("a", silence(320))
    stage.leg.listen("b", silence(320))
    await stage.until(Transcribed, 2)
    assert {event.turn for event in stage.of(Transcribed)} == {"a", "b"}


async def test_an_answer_cut_while_it_waits_for_words_leaves_them_to_come(stage: Stage) -> None:
    stage.ears.wait = asyncio.Event()
    stage.hear(640, True)
    stage.hear(960, False)
    stage.leg.answer(Ask("a1", "student", sound=False))
    await settle()
    stage.leg.cancel("a1", "")
    await settle()
    stage.ears.wait.set()
    assert (await stage.until(Transcribed)).text == "two quarters"
    stage.leg.answer(Ask("a2", "student", sound=False))
    await stage.until(AnswerEnded)
    assert [line.text for line in stage.mind.memories[0]] == ["two quarters"]


async def test_what_was_typed_after_speaking_is_remembered_after_it(stage: Stage) -> None:
    stage.ears.wait = asyncio.Event()
    stage.hear(640, True)
    stage.hear(960, False)
    stage.leg.read("I mean one half")
    stage.ears.wait.set()
    stage.leg.answer(Ask("a1", "student", sound=False))
    await stage.until(AnswerEnded)
    assert [line.text for line in stage.mind.memories[0]] == ["two quarters", "I mean one half"]


async def test_ears_with_a_defect_did_not_understand_either(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> HeardSpeech:
        raise ZeroDivisionError

    monkeypatch.setattr(stage.ears, "transcribe", broken)
    await stage.turn()
    assert (stage.of(Transcribed)[0].text, stage.of(Transcribed)[0].sure) == ("", False)
    stage.leg.answer(Ask("a1", "student", sound=False))
    await stage.until(AnswerEnded)


async def test_ears_that_hang_again_and_again_are_reported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.cascade.words_within_s", lambda _: 0.01)
    stage.ears.wait = asyncio.Event()
    for number in range(MISSES):
        stage.leg.listen(f"turn {number}", silence(320))
    failed = await stage.until(Failed)
    assert (failed.code, failed.answer) == ("ears_slow", None)
    assert len(stage.of(Transcribed)) == MISSES - 1


async def test_a_speaker_with_a_defect_is_reported_like_a_mind_that_fails(stage: Stage) -> None:
    stage.speaker.breaks = ZeroDivisionError()
    stage.leg.answer(Ask("a1", "opening", sound=True))
    assert (await stage.until(Failed)).answer == "a1"


async def test_nothing_is_looked_for_in_no_sound(stage: Stage) -> None:
    stage.leg.commit("mine")
    assert (await stage.until(Transcribed)).text == ""
    assert not stage.ears.asked


# ---- how much voice it takes -----------------------------------------------------------------


async def test_a_suspicion_is_judged_as_it_began_though_the_tutor_pauses(stage: Stage) -> None:
    """The sound stops at the suspicion; that must not make a cough enough to interrupt."""
    stage.leg.playing(True)
    stage.hear(4_000, False)
    stage.hear(96, True)
    assert stage.of(SpeechStarted)
    stage.leg.playing(False)
    stage.hear(128, True)
    assert not stage.of(SpeechConfirmed)
    stage.hear(96, True)
    assert stage.of(SpeechConfirmed)


async def test_detection_taken_away_and_given_back_begins_afresh(stage: Stage) -> None:
    stage.hear(640, True)
    stage.leg.detect(None)
    stage.leg.detect(TurnDetection(silence_ms=640))
    stage.hear(640, True)
    stage.hear(960, False)
    await stage.until(Transcribed)
    assert len(stage.of(SpeechStopped)) == 1
    assert not stage.of(Kept)


async def test_ears_stay_deaf_to_whole_turns_in_a_language_they_do_not_know() -> None:
    spanish = Brief("", "T", "G", "es", "Hola.", "Adiós.", (Step("¿Qué?", (), "S"),))
    stage = await Stage().open(spanish)
    stage.leg.listen("mine", silence(320))
    assert (await stage.until(Transcribed)).text == ""
    assert not stage.ears.asked
    await stage.leg.close()


def test_long_turns_may_take_longer_to_be_understood() -> None:
    assert words_within_s(silence(3_000)) < 7 < words_within_s(silence(60_000)) < 10
