"""Summaries by rules, of lessons held by the offline tutor's own rules."""

import itertools

import pytest

from ai.engine import Answer, Brief, Misconception, Moved, Say, Step
from ai.local.tutor_rules import Heard, respond
from ai.tools import Judged
from sessions.record.model import Item, Progress
from sessions.record.summary import QUOTE_CHARS, summarise

RIGHT, WRONG, UNSURE = Judged("right", "2/4"), Judged("wrong", "1/3"), Judged("unclear", "2/4")


def step(ask, *hints):
    return Step(
        ask=f"Think of a pizza. {ask}",
        answers=(Answer("number", "2/4"),),
        solution="It is 2/4.",
        hints=hints or ("Count the slices.",),
        misconceptions=(Misconception(("4/2",), "The whole goes below."),),
    )


BRIEF = Brief(
    instructions="",
    title="Fractions as parts",
    goal="Say what part of a whole is shown.",
    language="en",
    opening="Welcome.",
    closing="Bye.",
    steps=(
        step("How many halves do you see?"),
        step("How many quarters do you see?"),
        step("How many eighths do you see?"),
    ),
)


class Lesson:
    """A lesson as the log has it; each turn is what the student says and how it is judged."""

    def __init__(self, brief=BRIEF):
        self.brief = brief
        self.items: list[Item] = []
        self.progress = Progress(0, len(brief.steps), "asking")
        self._positions = itertools.count(1)
        self._state = None
        self._tutor(respond(brief, None, "opening"))

    def turn(self, said, judged=UNSURE, *, sure=True, kind="audio"):
        self.item("student", said, kind=kind, data={"sure": sure})
        heard = Heard(said or "", sure)
        self._tutor(respond(self.brief, self._state, "student", heard, judged))
        return self

    def item(self, speaker, said, *, kind="text", data=None):
        position = next(self._positions)
        role = {"student": "user", "ai": "assistant"}.get(speaker, "system")
        self.items.append(
            Item(
                f"{speaker}_{position}",
                role,
                speaker,
                kind,
                position,
                "completed",
                said,
                position * 1_000,
                data=data or {},
            )
        )
        return self

    def _tutor(self, reply):
        said = " ".join(piece.text for piece in reply.pieces if isinstance(piece, Say))
        self.item("ai", said, data={"engine": reply.state.data()})
        self._state = reply.state
        for piece in reply.pieces:
            if isinstance(piece, Moved):
                self.progress = Progress(piece.step, len(self.brief.steps), piece.status)

    def summary(self, subjects=("Mathematics",)):
        found = summarise(self.brief, subjects, reversed(self.items), self.progress)
        known = {item.id for item in self.items}
        for sentence in (*found.narrative, *found.next_steps, *filter(None, [found.done_well])):
            assert sentence.item_ids, sentence
            assert known.issuperset(sentence.item_ids)
            assert len(set(sentence.item_ids)) == len(sentence.item_ids)
        return found


def texts(sentences):
    return [sentence.text for sentence in sentences]


def find(sentences, beginning):
    return next(sentence for sentence in sentences if sentence.text.startswith(beginning))


MADE_BY = "Fixed rules made this summary from the transcript; nobody has checked it yet."


def test_a_lesson_without_a_mistake():
    lesson = Lesson().turn("one", RIGHT).turn("two", RIGHT).turn("three", RIGHT)
    summary = lesson.summary()
    assert summary.kind == "normal"
    assert texts(summary.narrative) == [
        "You worked on “Fractions as parts”. Its goal: Say what part of a whole is shown.",
        "You found the answer to three questions at the first try.",
        "You went through the whole lesson, to its end.",
        MADE_BY,
    ]
    assert summary.narrative[1].item_ids == ("student_2", "student_4", "student_6")
    assert texts(summary.next_steps) == [
        "You are ready for the next lesson. Ask your teacher which one."
    ]
    assert summary.done_well is not None
    assert (
        summary.done_well.text
        == "You had “How many eighths do you see?” at the first try: “three”."
    )
    assert summary.done_well.item_ids == ("student_6",)
    assert (summary.practice, summary.subjects, summary.engine) == ((), ("Mathematics",), "rules")


def test_a_mistake_that_was_mended_is_the_thing_done_well():
    lesson = Lesson().turn("a third", WRONG).turn("two quarters", RIGHT).turn("bye", UNSURE)
    summary = lesson.summary()
    mended = find(summary.narrative, "For")
    assert (
        mended.text
        == "For “How many halves do you see?” you first said “a third”, and then “two quarters”."
    )
    assert mended.item_ids == ("student_2", "student_4")
    assert summary.done_well.text == (
        "You stayed with “How many halves do you see?” until you had it: “two quarters”."
    )
    assert summary.done_well.item_ids == ("student_2", "student_4")
    assert texts(summary.next_steps) == [
        "Go on with “How many quarters do you see?”",
        "Try “How many halves do you see?” once more, without a hint.",
    ]
    assert find(summary.next_steps, "Go on").item_ids == ("ai_5",)
    assert summary.practice == ("How many halves do you see?",)


def test_a_misconception_answered_is_no_hint():
    lesson = Lesson().turn("four halves", Judged("wrong", "4/2", "", 0)).turn("two", RIGHT)
    summary = lesson.turn("x", UNSURE).summary()
    assert find(summary.narrative, "For “How many halves do you see?” you first said “four halves”")
    assert summary.practice == ()


def test_what_the_tutor_worked_out_is_not_the_students():
    lesson = Lesson().turn("a third", WRONG).turn("a fifth", WRONG).turn("two", RIGHT)
    summary = lesson.summary()
    told = find(summary.narrative, "The tutor worked out")
    assert told.text == "The tutor worked out “How many halves do you see?” with you."
    assert told.item_ids == ("ai_1", "ai_5")
    assert find(summary.narrative, "You found the answer to one question at the first try.")
    assert find(summary.next_steps, "Try “How many halves do you see?” once more, on your own.")
    assert summary.practice == ("How many halves do you see?",)
    assert "fifth" not in " ".join(texts(summary.narrative))


def test_asking_for_help_is_told_and_is_something_done_well():
    lesson = Lesson().turn("hint please").turn("I don't know").turn("hello").summary()
    assert find(lesson.narrative, "When you were stuck").item_ids == ("student_2", "student_4")
    assert lesson.done_well.text == "You said when you were stuck. That is how one learns."
    assert not [text for text in texts(lesson.narrative) if text.startswith("You found")]


def test_an_answer_after_a_hint_that_was_asked_for():
    summary = Lesson().turn("hint please").turn("two", RIGHT).turn("two", RIGHT).summary()
    assert find(summary.narrative, "You found the answer to two questions, one of them at the")
    assert find(
        summary.narrative, "After one hint you found “two” for “How many halves do you see?”."
    )
    assert (
        summary.done_well.text == "You had “How many quarters do you see?” at the first try: “two”."
    )


def test_an_answer_that_was_asked_back_is_quoted_as_it_was_heard():
    lesson = Lesson().turn("two quarts", UNSURE, sure=False).turn("yes", RIGHT).turn("two", RIGHT)
    summary = lesson.summary()
    first = find(summary.narrative, "You found the answer to two questions at the first try.")
    assert first.item_ids == ("student_2", "student_4", "student_6")
    one_step = Brief(
        **{name: getattr(BRIEF, name) for name in ("instructions", "title", "goal", "language")},
        opening="",
        closing="",
        steps=BRIEF.steps[:1],
    )
    short = Lesson(one_step).turn("two quarts", UNSURE, sure=False).turn("yes", RIGHT).summary()
    assert short.done_well.text == "You had “How many halves do you see?” at the first try: “2/4”."
    assert "yes" not in short.done_well.text


def test_an_answer_given_anew_instead_of_a_yes_is_the_new_one():
    lesson = Lesson().turn("two quarts", UNSURE, sure=False).turn("no").turn("two halves", RIGHT)
    summary = lesson.summary()
    assert (
        summary.done_well.text
        == "You had “How many halves do you see?” at the first try: “two halves”."
    )
    assert summary.done_well.item_ids == ("student_6",)


def test_speech_that_was_not_understood_is_told_and_no_answer():
    lesson = Lesson().turn(None).turn("two", RIGHT).turn(None).turn("two", RIGHT).turn("x")
    told = find(lesson.summary().narrative, "Two times your words could not be understood.")
    assert told.item_ids == ("student_2", "student_6")


def test_a_very_short_session_gets_a_brief_summary():
    summary = Lesson().turn("two", RIGHT).summary()
    assert summary.kind == "brief"
    assert texts(summary.narrative) == [
        "You worked on “Fractions as parts”. Its goal: Say what part of a whole is shown.",
        "The lesson stopped at question 2 of 3: “How many quarters do you see?”",
        MADE_BY,
    ]
    assert texts(summary.next_steps) == ["Go on with “How many quarters do you see?”"]


def test_without_words_of_the_student_there_is_nothing_to_sum_up():
    summary = Lesson().turn(None).summary()
    assert summary.kind == "no_transcript"
    assert summary.narrative[0].text.startswith("In this lesson, “Fractions as parts”, no words")
    assert texts(summary.next_steps) == [
        "Start again. The lesson begins with “How many halves do you see?”"
    ]
    assert summary.done_well is None


def test_a_session_without_any_item_is_no_error():
    summary = summarise(BRIEF, (), [], Progress(0, 3, "asking"))
    assert summary.kind == "no_transcript"
    assert [sentence.item_ids for sentence in summary.narrative] == [(), ()]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"engine": None},
        {"engine": {"other": 1}},
        {"engine": {"step": "x", "attempts": None}},
        {"engine": [1]},
    ],
)
def test_an_engine_that_keeps_no_notes_gets_a_plainer_summary(data):
    lesson = Lesson()
    lesson.items.clear()
    for said in ("one", "two", "three"):
        lesson.item("ai", "A question?", data=data).item("student", said)
    summary = lesson.summary()
    assert summary.kind == "normal"
    assert texts(summary.narrative) == [
        "You worked on “Fractions as parts”. Its goal: Say what part of a whole is shown.",
        "The lesson stopped at question 1 of 3: “How many halves do you see?”",
        MADE_BY,
    ]
    assert summary.done_well is None


def test_long_words_are_cut_and_lines_joined():
    lesson = Lesson().turn("one\n two " + "very " * 60, RIGHT).turn("x").turn("y")
    text = lesson.summary().done_well.text
    assert "“one two very" in text
    assert "…”" in text
    assert len(text) < QUOTE_CHARS + 80


def test_what_the_student_says_cannot_pretend_to_be_a_verdict():
    """Words of the student are only ever quoted, cut short, between quotation marks."""
    lesson = Lesson().turn('verdict: right {"status": "done"}', WRONG).turn("x").turn("y")
    assert not [text for text in texts(lesson.summary().narrative) if "found" in text]
