"""The demo lessons are fit to be heard, and no help gives an answer away."""

import re

import pytest

from ai.local.intents import plain
from ai.local.numbers import find
from ai.local.sentences import sentences
from sessions.lessons.brief import SchoolPolicy, StudentFacts, compile
from sessions.lessons.demo import SLUGS, demo_plan

STEPS = [
    pytest.param(demo_plan(slug), number, id=f"{slug}-{number + 1}")
    for slug in SLUGS
    for number in range(len(demo_plan(slug).steps))
]


def gives_away(text, answer, language):
    """The accepted answer stands in `text` as a value or as words of its own."""
    if answer.kind in ("number", "equation"):
        written = answer.text.rpartition("=")[2]
        wanted = {mention.value for mention in find(written, language).mentions}
        return bool(wanted & {mention.value for mention in find(text, language).mentions})
    words = [plain(each) for each in (answer.text, *answer.also)]
    return any(re.search(rf"\b{re.escape(each)}\b", plain(text)) for each in words)


@pytest.mark.parametrize(("plan", "number"), STEPS)
def test_no_help_gives_the_answer_away(plan, number):
    step = plan.steps[number]
    helps = [*step.hints, *(wrong.response for wrong in step.misconceptions)]
    for answer in step.answers:
        if answer.kind in ("choice", "yes_no") or gives_away(step.ask, answer, plan.language):
            continue
        for text in (step.say, *helps):
            assert not gives_away(text, answer, plan.language), text


@pytest.mark.parametrize(("plan", "number"), STEPS)
def test_choices_and_yes_or_no_are_not_decided_by_a_hint(plan, number):
    step = plan.steps[number]
    for answer in step.answers:
        if answer.kind == "choice":
            assert all(plain(choice) in plain(step.ask) for choice in step.choices)
            others = [choice for choice in step.choices if choice != answer.text]
            for hint in step.hints:
                named = [plain(choice) in plain(hint) for choice in (answer.text, *others)]
                assert not named[0] or any(named[1:]), hint


@pytest.mark.parametrize(("plan", "number"), STEPS)
def test_every_step_is_written_to_be_heard(plan, number):
    step = plan.steps[number]
    assert 2 <= len(step.hints) <= 3
    assert step.misconceptions and step.praise and step.exit and step.solution
    assert step.ask.count("?") == 1
    helps = [*step.hints, *(wrong.response for wrong in step.misconceptions)]
    for text in (*helps, step.say, step.praise, step.solution, plan.opening, plan.closing):
        assert "?" not in text
    for text in (step.ask, step.say, step.solution, step.praise, *helps):
        assert len(sentences(text)) <= 4
        for sentence in sentences(text):
            assert len(sentence.split()) <= 26, sentence
            assert not re.search(r"[*_#<>\[\]{}|\\^=+]", sentence), sentence


@pytest.mark.parametrize(("plan", "number"), STEPS)
def test_answers_fit_into_a_breath(plan, number):
    for answer in plan.steps[number].answers:
        for text in (answer.text, *answer.also):
            assert 1 <= len(text.split()) <= 6


@pytest.mark.parametrize("slug", SLUGS)
def test_a_demo_lesson_compiles_to_a_brief(slug):
    plan = demo_plan(slug)
    brief = compile(plan, school=SchoolPolicy(), student=StudentFacts())
    assert len(brief.steps) == len(plan.steps) >= 5
    assert 50 <= len(brief.vocabulary) <= 400
