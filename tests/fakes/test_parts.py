"""What the simulators have in common: ears, mind and voice."""

import pytest

from ai.audio import BYTES_PER_MS, RATE_HZ, duration_ms, silence
from sessions.lessons.brief import SchoolPolicy, StudentFacts, compile
from sessions.lessons.demo import demo_plan
from tests.fakes.ears import Began, Ended, Known, Recognised, Told, TurnFinder
from tests.fakes.mind import UNCLEAR, Call, Line, Reply, Script, open_step, read_lesson, reply
from tests.fakes.voice import say, spoken

PLAN = demo_plan("fractions-as-parts")
INSTRUCTIONS = compile(PLAN, school=SchoolPolicy(), student=StudentFacts("Ann")).instructions
LESSON = read_lesson(INSTRUCTIONS)


def test_the_lesson_is_read_from_the_instructions() -> None:
    assert [step.ask for step in LESSON.steps] == [step.ask for step in PLAN.steps]
    assert [step.hints for step in LESSON.steps] == [step.hints for step in PLAN.steps]
    assert [step.praise for step in LESSON.steps] == [step.praise for step in PLAN.steps]
    for read, plan in zip(LESSON.steps, PLAN.steps, strict=True):
        assert [(a.kind, a.text, a.also) for a in read.answers] == [
            (a.kind, a.text, a.also) for a in plan.answers
        ]
        assert [m.says for m in read.misconceptions] == [m.says for m in plan.misconceptions]
    assert LESSON.closing == PLAN.closing


def test_a_whole_lesson_by_rule() -> None:
    lines: list[Line] = []
    for said in ["", *(step.answers[0].text for step in LESSON.steps)]:
        if said:
            lines.append(Line("student", said))
        lines.append(Line("tutor", reply(None, INSTRUCTIONS, lines).text))
    for line, step in zip(lines[::2], LESSON.steps, strict=False):
        assert step.ask in line.text
    assert LESSON.closing in lines[-1].text


def test_wrong_answers_bring_hints_in_order_and_then_the_solution() -> None:
    step = LESSON.steps[0]
    lines = [Line("tutor", f"Hello. {step.ask}")]
    for words in (*step.hints, step.solution):
        lines.append(Line("student", "purple elephants"))
        said = reply(None, INSTRUCTIONS, lines, checks=False).text
        assert said.startswith(words)
        lines.append(Line("tutor", said))
    assert open_step(LESSON, lines) == 1


def test_a_question_cut_off_after_its_beginning_was_asked() -> None:
    ask = LESSON.steps[0].ask
    assert open_step(LESSON, [Line("tutor", ask[: len(ask) * 2 // 3])]) == 0
    assert open_step(LESSON, [Line("tutor", ask[:5])]) == -1


def test_a_script_goes_before_the_rule_and_waits_for_tools() -> None:
    look = Reply("One moment.", (Call("look_up"), Call("show")), Reply("Here it is."))
    script = Script("Hello.", ["Well.", look], {"stop": "All right."})
    lines = [Line("tutor", reply(script, "", []).text)]
    for said, answer in (("a", "Well."), ("b", "One moment.")):
        lines.append(Line("student", said))
        found = reply(script, "", lines)
        assert found.text == answer
        lines.append(Line("tutor", found.text))
    assert found.calls == look.calls
    lines += [Line("tool", "{}"), Line("tool", "{}")]
    assert reply(script, "", lines).text == "Here it is."
    assert reply(script, "", [*lines[:4], *lines[5:]]).text == "Here it is."
    lines.append(Line("student", "Please stop."))
    assert reply(script, "", lines).text == "All right."
    assert reply(script, "", [Line("tutor", "x"), *[Line("student", "y")] * 9]).text


def test_turns_are_found_by_their_loudness() -> None:
    quiet, loud = silence(1_000), b"\x00\x10\x00\xf0" * (BYTES_PER_MS * 500 // 4)
    pcm = quiet + loud + silence(300) + loud + quiet + loud[: 40 * BYTES_PER_MS] + quiet
    finder = TurnFinder(RATE_HZ, silence_ms=500)
    found = [one for at in range(0, len(pcm), 777) for one in finder.feed(pcm[at : at + 777])]
    began, ended = found
    assert began == Began(1_000)
    assert isinstance(ended, Ended)
    assert ended.at_ms == 2_300
    assert 2_000 < duration_ms(ended.pcm) < 2_300
    finder.feed(quiet + loud)
    assert finder.speaking
    assert duration_ms(finder.take()) >= 500
    assert not finder.speaking


async def test_a_test_that_knows_what_it_says_is_understood_without_effort() -> None:
    told = Told(["two quarters"])
    assert await told(b"", RATE_HZ, "", []) == "two quarters"
    assert await told(b"", RATE_HZ, "", []) == UNCLEAR
    sounds = {text: await spoken(text) for text in ("two quarters", "one half", "the bottom one")}
    known = Known(sounds)
    for text, pcm in sounds.items():
        assert await known(silence(333) + pcm + silence(700), RATE_HZ, "", []) == text
        assert await known(say(text, 16_000), 16_000, "", []) == text
    half = sounds["the bottom one"][: duration_ms(sounds["the bottom one"]) // 2 * BYTES_PER_MS]
    assert await known(half, RATE_HZ, "", []) == UNCLEAR


@pytest.mark.slow
async def test_the_simulators_voice_is_understood_by_their_ears() -> None:
    lines = [Line("tutor", LESSON.steps[0].ask)]
    ears = Recognised()
    heard = await ears(await spoken("two quarters", 16_000), 16_000, INSTRUCTIONS, lines)
    assert heard == "two quarters"
    assert await ears(bytes(32_000), 16_000, INSTRUCTIONS, lines) == UNCLEAR
    ears = Recognised(("what is photosynthesis", "tell me more"))
    asked = "what is photosynthesis"
    assert await ears(await spoken(asked), RATE_HZ, "", []) == asked
