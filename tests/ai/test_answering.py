"""Answers of a cascade with a language model: thought ahead, spoken as they are thought."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import duration_ms, silence
from ai.engine import Ask, EngineFailed, EngineUnavailable, Spent, TurnDetection
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Failed,
    Fault,
    Progressed,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
    Used,
)
from ai.language import Stopped, TextDelta, ToolUse
from ai.mind import LanguageTutor
from tests.ai.cascade_stage import BRIEF, Stage
from tests.ai.scripted_model import ScriptedModel, says, student_side

ASK = Ask("a1", "student", sound=True)


class Lesson(Stage):
    """A stage whose mind is a language model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = ScriptedModel()
        self.engine.mind = LanguageTutor(self.model)

    def speak(self) -> None:
        """The student says something and falls silent, but the turn may still go on."""
        self.hear(640, True)
        self.hear(320, False)

    def script(self, *scripts) -> None:
        self.model.scripts += scripts


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
async def lesson() -> AsyncIterator[Lesson]:
    lesson = Lesson()
    await lesson.open(BRIEF)
    yield lesson
    await lesson.leg.close()
    assert lesson.model.open == lesson.speaker.open == 0, "nothing is left open at the provider"
    left = {str(task.get_coro()) for task in asyncio.all_tasks()}
    assert not any(
        word in name for word in ("Thinking", "Answering", "Ahead", "Prepared") for name in left
    )


def of_answers(events: list[EngineEvent]) -> list[EngineEvent]:
    kinds = Spoke | AnswerEnded | Progressed | ToolCalled | Failed
    return [event for event in events if isinstance(event, kinds)]


# ---- spoken as it is thought -----------------------------------------------------------------


async def test_speech_starts_with_the_first_sentence(lesson: Lesson) -> None:
    rest = asyncio.Event()
    lesson.script([TextDelta("Good! N"), rest, TextDelta("ow add."), Stopped("end")])
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    assert (await lesson.until(Spoke)).text == "Good!"
    assert not lesson.of(AnswerEnded)
    rest.set()
    await lesson.until(AnswerEnded)
    assert [event.text for event in lesson.of(Spoke)] == ["Good!", "Now add."]


async def test_thinking_goes_on_while_a_sentence_is_made_sound(lesson: Lesson) -> None:
    lesson.speaker.wait = asyncio.Event()
    lesson.script([*says("One. Two. Three."), Spent("text_tokens_out", 9, "m")])
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    await settle()
    assert lesson.model.asked and lesson.model.open == 0, "all of it is thought"
    assert not lesson.of(Spoke)
    lesson.speaker.wait.set()
    await lesson.until(AnswerEnded)
    assert Used("text_tokens_out", 9, "m") in lesson.events


async def test_a_sentence_that_comes_in_pieces_has_its_text_with_the_first(lesson: Lesson) -> None:
    lesson.speaker.pieces = 3
    lesson.script(says("Good. Now?"))
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    await lesson.until(AnswerEnded)
    spoke = lesson.of(Spoke)
    assert [event.text for event in spoke] == ["Good.", "", "", "Now?", "", ""]
    assert [duration_ms(event.pcm) for event in spoke] == [100] * 6


async def test_tools_are_used_through_the_caller(lesson: Lesson) -> None:
    lesson.script([ToolUse("x", "check_answer", '{"said":"two"}')], says("Right!"))
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    call = await lesson.until(ToolCalled)
    assert (call.answer, call.name, call.arguments) == ("a1", "check_answer", '{"said":"two"}')
    lesson.leg.give(call.call, '{"noted":true,"open_step":4}')
    await lesson.until(AnswerEnded)
    assert [type(event) for event in of_answers(lesson.events)] == [
        ToolCalled, Spoke, AnswerEnded,
    ]  # fmt: skip
    assert lesson.leg._answering.step == 3, "whose answers the ears expect now"


@pytest.mark.parametrize("output", ["", "no JSON", "[1]", "{}", '{"open_step":true}'])
async def test_a_result_that_is_odd_is_the_models_to_read(lesson: Lesson, output: str) -> None:
    lesson.script([ToolUse("x", "show", "{}")], says("So."))
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    lesson.leg.give((await lesson.until(ToolCalled)).call, output)
    await lesson.until(AnswerEnded)
    assert lesson.leg._answering.step == 0


# ---- thought ahead -----------------------------------------------------------------------------


async def test_an_answer_is_thought_while_the_turn_may_still_end(lesson: Lesson) -> None:
    lesson.script(says("Right! What is next?"))
    lesson.speak()
    await settle()
    assert len(lesson.model.asked) == 1
    assert student_side(lesson.model.asked[0][1]).endswith("two quarters")
    assert not lesson.of(SpeechStopped) and not of_answers(lesson.events)
    lesson.hear(640, False)
    lesson.leg.answer(ASK)
    await lesson.until(AnswerEnded)
    assert len(lesson.model.asked) == 1, "what was thought is said"
    assert [event.text for event in lesson.of(Spoke)] == ["Right!", "What is next?"]


async def test_it_is_thrown_away_if_the_student_goes_on(lesson: Lesson) -> None:
    lesson.script([TextDelta("Wrong! "), asyncio.Event()], says("Right!"))
    lesson.speak()
    await settle()
    assert lesson.model.open == 1
    lesson.hear(640, True)
    await settle()
    assert lesson.model.open == 0, "the provider is told to stop"
    lesson.ears.words = "two quarters, no, one half"
    lesson.hear(960, False)
    lesson.leg.answer(ASK)
    await lesson.until(AnswerEnded)
    assert [event.text for event in lesson.of(Spoke)] == ["Right!"]
    assert student_side(lesson.model.asked[-1][1]).endswith("one half")


async def test_a_tool_waits_until_the_answer_is_asked_for(lesson: Lesson) -> None:
    lesson.script([ToolUse("x", "note_progress", "{}")], says("Right!"))
    lesson.speak()
    await settle()
    assert len(lesson.model.asked) == 1 and not lesson.of(ToolCalled)
    lesson.hear(640, False)
    await lesson.until(Transcribed)
    assert not lesson.of(ToolCalled)
    lesson.leg.answer(ASK)
    lesson.leg.give((await lesson.until(ToolCalled)).call, "{}")
    assert (await lesson.until(AnswerEnded)).answer == "a1"


async def test_a_tool_of_an_answer_thrown_away_is_never_used(lesson: Lesson) -> None:
    lesson.script([ToolUse("x", "note_progress", "{}")], says("Right!"))
    lesson.speak()
    await settle()
    lesson.leg.read("wait")
    lesson.hear(640, False)
    await lesson.until(Transcribed)
    lesson.leg.answer(ASK)
    await lesson.until(AnswerEnded)
    assert not lesson.of(ToolCalled) and len(lesson.model.asked) == 2


async def test_only_what_it_answers_is_answered_by_it(lesson: Lesson) -> None:
    """Something was typed after the turn: what was thought ahead does not know of it."""
    lesson.script(says("Old."), says("New."))
    lesson.speak()
    await settle()
    lesson.hear(640, False)
    lesson.leg.read("I mean three")
    lesson.leg.answer(ASK)
    await lesson.until(AnswerEnded)
    assert [event.text for event in lesson.of(Spoke)] == ["New."]


async def spoken_once(lesson: Lesson) -> None:
    """The tutor has spoken, so it is known how it will be asked to speak."""
    lesson.script(says("Hello."))
    lesson.leg.answer(Ask("a0", "opening", sound=True, voice="coral"))
    await lesson.until(AnswerEnded)
    lesson.leg.playing(False)
    lesson.speaker.said.clear()


async def test_its_first_sentence_is_spoken_ahead_too(lesson: Lesson) -> None:
    await spoken_once(lesson)
    lesson.script(says("Right! What is next?"))
    lesson.speak()
    await settle()
    assert lesson.speaker.said == ["Right!"] and len(lesson.of(Spoke)) == 1
    lesson.speaker.pieces = 2
    lesson.hear(640, False)
    lesson.leg.answer(Ask("a1", "student", sound=True, voice="coral"))
    await lesson.until(AnswerEnded, 2)
    assert lesson.speaker.said == ["Right!", "What is next?"]
    assert [event.text for event in lesson.of(Spoke)] == ["Hello.", "Right!", "What is next?", ""]


async def test_in_another_voice_it_is_spoken_anew(lesson: Lesson) -> None:
    await spoken_once(lesson)
    lesson.script(says("Right!"))
    lesson.speak()
    await settle()
    lesson.hear(640, False)
    lesson.leg.answer(Ask("a1", "student", sound=True, voice="sage"))
    await lesson.until(AnswerEnded, 2)
    assert lesson.speaker.said == ["Right!", "Right!"]
    assert [event.text for event in lesson.of(Spoke)] == ["Hello.", "Right!"]


async def test_a_sentence_nobody_wants_is_spoken_no_further(lesson: Lesson) -> None:
    await spoken_once(lesson)
    lesson.speaker.wait = asyncio.Event()
    lesson.script(says("Right!"), says("Wrong!"))
    lesson.speak()
    await settle()
    assert lesson.speaker.open == 1
    lesson.hear(640, True)
    await settle()
    assert lesson.speaker.open == 0


async def test_what_is_thrown_away_is_paid_for(lesson: Lesson) -> None:
    await spoken_once(lesson)
    lesson.speaker.spent = (Spent("characters", 6, "v"),)
    lesson.script([*says("Wrong!"), Spent("text_tokens_out", 9, "m")])
    lesson.speak()
    await settle()
    lesson.hear(640, True)
    await settle()
    assert lesson.of(Used)[-2:] == [Used("text_tokens_out", 9, "m"), Used("characters", 6, "v")]
    assert len(lesson.of(Spoke)) == 1


async def test_nobody_asks_for_it(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.answering.UNASKED_S", 0.01)
    lesson.script([TextDelta("Right! "), asyncio.Event()])
    lesson.speak()
    await settle()
    lesson.hear(640, False)
    await lesson.until(Transcribed)
    async with asyncio.timeout(1):
        while lesson.model.open:
            await asyncio.sleep(0.01)
    assert not of_answers(lesson.events)


async def test_turns_that_are_not_answered_are_not_thought_of(lesson: Lesson) -> None:
    lesson.leg.detect(TurnDetection(silence_ms=640, answers=False))
    lesson.speak()
    await settle()
    assert not lesson.model.asked


async def test_thinking_ahead_can_be_switched_off() -> None:
    lesson = Lesson()
    lesson.engine.prepares = False
    await lesson.open()
    lesson.speak()
    await settle()
    assert not lesson.model.asked
    await lesson.leg.close()


async def test_words_that_were_not_understood_are_not_answered_ahead(lesson: Lesson) -> None:
    lesson.ears.words = ""
    lesson.speak()
    await settle()
    assert not lesson.model.asked


async def test_closing_ends_what_is_thought_ahead() -> None:
    lesson = Lesson()
    await lesson.open()
    lesson.script([asyncio.Event()])
    lesson.speak()
    await settle()
    assert lesson.model.open == 1
    await lesson.leg.close()
    assert lesson.model.open == 0


async def test_cutting_the_tutor_short_stops_the_model(lesson: Lesson) -> None:
    lesson.script([TextDelta("Long ago. There "), asyncio.Event()])
    lesson.leg.read("hello")
    lesson.leg.answer(ASK)
    await lesson.until(Spoke)
    lesson.leg.cancel("a1", "Long")
    await settle()
    assert lesson.model.open == 0
    lesson.leg.read("what?")
    lesson.leg.answer(Ask("a2", "student", sound=False))
    await lesson.until(AnswerEnded)
    assert [turn.text for turn in lesson.model.asked[1][1]][-2:] == ["Long", "what?"]


async def test_an_answer_that_is_cut_short_is_paid_for_once(lesson: Lesson) -> None:
    lesson.speaker.wait = asyncio.Event()
    lesson.script([*says("One. Two."), Spent("text_tokens_out", 9, "m")])
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    await settle()
    assert not lesson.of(Used), "the voice has not begun"
    lesson.leg.cancel("a1", "")
    await settle()
    assert lesson.of(Used) == [Used("text_tokens_out", 9, "m")]


# ---- what breaks ---------------------------------------------------------------------------------


async def test_a_passing_fault_is_the_answers_a_second_one_the_engines(lesson: Lesson) -> None:
    fault = Fault("transient", "provider_failed")
    for _ in range(2):
        lesson.script([EngineFailed("x", fault=fault)])
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    assert await lesson.until(Failed) == Failed("provider_failed", "EngineFailed", "a1", fault)
    lesson.leg.answer(Ask("a2", "student", sound=False))
    assert await lesson.until(Failed, 2) == Failed("provider_failed", "EngineFailed", None, fault)


@pytest.mark.parametrize("kind", ["terminal", "throttled", "limit"])
async def test_other_faults_are_the_engines_at_once(lesson: Lesson, kind: str) -> None:
    fault = Fault(kind, "unauthorized")  # type: ignore[arg-type]
    lesson.script([EngineUnavailable("x", fault=fault)])
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    assert await lesson.until(Failed) == Failed("unauthorized", "EngineUnavailable", None, fault)


async def test_an_answer_that_went_well_makes_good(lesson: Lesson) -> None:
    fault = Fault("transient", "provider_failed")
    lesson.script([EngineFailed("x", fault=fault)], says("Hi."), [EngineFailed("x", fault=fault)])
    lesson.leg.read("two")
    for number, kind in enumerate((Failed, AnswerEnded, Failed)):
        lesson.leg.answer(Ask(f"a{number}", "student", sound=False))
        await lesson.until(kind, 1 + number // 2)
    assert [event.answer for event in lesson.of(Failed)] == ["a0", "a2"]


async def test_a_voice_that_makes_no_sound_has_failed(lesson: Lesson) -> None:
    lesson.speaker.pieces = 0
    lesson.script(says("Hi."))
    lesson.leg.read("two")
    lesson.leg.answer(ASK)
    assert (await lesson.until(Failed)).code == "no_sound"


async def test_ears_without_a_right_to_hear_fail_the_engine(lesson: Lesson) -> None:
    fault = Fault("terminal", "unauthorized")
    lesson.ears.fault = fault
    lesson.leg.listen("t", silence(320))
    assert await lesson.until(Failed) == Failed("unauthorized", "ears", fault=fault)
    assert not lesson.of(Transcribed), "the turn's audio is for the next leg to hear"


async def test_ears_that_fail_three_times_fail_the_engine(lesson: Lesson) -> None:
    lesson.ears.breaks = True
    for number in range(3):
        assert not lesson.of(Failed)
        lesson.leg.listen(f"t{number}", silence(320))
        await lesson.until(Transcribed if number < 2 else Failed, number + 1 if number < 2 else 1)
    assert lesson.of(Failed)[0].answer is None and len(lesson.of(Transcribed)) == 2
