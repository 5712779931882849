"""The offline tutor, with real checks and the demo lessons."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.engine import Answer, Brief, EngineFailed, Keep, Misconception, Moved, Say, Step, Utterance
from ai.local.checks import check
from ai.local.intents import plain
from ai.local.number_words import words
from ai.local.phrases import ENGLISH, SPANISH, phrases
from ai.local.tutor import OfflineTutor
from ai.local.tutor_rules import Heard, respond, to_check
from ai.local.tutor_state import State, recall
from ai.tools import Judged
from sessions.lessons.brief import SchoolPolicy, StudentFacts, compile
from sessions.lessons.demo import SLUGS, demo_plan

BRIEF = Brief(
    instructions="", title="Fractions", goal="Name a part.", language="en",
    opening="Hello! Today we cut things.", closing="Goodbye for today.",
    steps=(
        Step(
            say="A pizza has four slices.",
            ask="You eat two slices. What part of the pizza is that?",
            answers=(Answer("number", "2/4"),),
            hints=("Count all the slices.", "Count the slices you ate."),
            misconceptions=(Misconception(("2",), "That counts slices only."),),
            solution="Two of four are two quarters.",
            praise="You compared with the whole.",
        ),
        Step(
            ask="Is a part with more pieces always bigger?",
            answers=(Answer("yes_no", "no"),),
            hints=("Think of tiny pieces.",),
            misconceptions=(Misconception(("yes",), "Pieces can be tiny."),),
            solution="Many tiny pieces can be less.",
        ),
    ),
)  # fmt: skip


async def real_check(*claim):
    assert json.loads(json.dumps(claim)) == list(claim)  # it crosses a process border
    return check(*claim)


async def no_tools(name: str, arguments: str) -> str:
    raise AssertionError("the rules use no tools")


class Lesson:
    """A lesson held turn by turn, by nothing but what an engine remembers."""

    def __init__(self, brief, check=real_check):
        self.brief = brief
        self.tutor = OfflineTutor(check)
        self.memory = []
        self.moves = []
        self.finished = False

    async def cue(self, cue):
        pieces = [piece async for piece in self.tutor.reply(self.brief, self.memory, cue, no_tools)]
        (keep,) = [piece for piece in pieces if isinstance(piece, Keep)]
        assert isinstance(pieces[0], Keep)  # kept even if the student interrupts at once
        self.says = [piece.text for piece in pieces if isinstance(piece, Say)]
        self.text = " ".join(self.says)
        self.moves = [(p.step, p.status) for p in pieces if isinstance(p, Moved)]
        self.data = json.loads(json.dumps(keep.data))
        self.finished = keep.finished
        self.memory.append(Utterance("tutor", self.text, self.data))
        return self.text

    async def student(self, text, *, sure=True):
        self.memory.append(Utterance("student", text, {"sure": sure}))
        return await self.cue("student")


async def begun(brief=BRIEF, **more):
    lesson = Lesson(brief, **more)
    await lesson.cue("opening")
    return lesson


def brief_of(slug):
    return compile(demo_plan(slug), school=SchoolPolicy(), student=StudentFacts("Ann Example"))


# ---- walking -------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_student_who_knows_it_walks_a_demo_lesson_to_its_end(slug):
    brief = brief_of(slug)
    lesson = await begun(brief)
    for number, step in enumerate(brief.steps):
        assert step.ask.split(". ")[-1] in lesson.text
        assert not lesson.finished
        await lesson.student(step.answers[0].text)
        assert lesson.moves[0] == (number, "done")
    assert lesson.finished
    assert lesson.moves[-1] == (len(brief.steps) - 1, "lesson_done")
    assert brief.closing.split(". ")[0] in lesson.text
    assert [result["status"] for result in lesson.data["results"]] == ["done"] * len(brief.steps)


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_accepted_wording_of_a_demo_lesson_is_accepted(slug):
    brief = brief_of(slug)
    for number, step in enumerate(brief.steps):
        for answer in step.answers:
            for text in (answer.text, *answer.also):
                lesson = await begun(replace(brief, steps=(step,)))
                await lesson.student(f"um, {text}")
                assert lesson.moves[:1] == [(0, "done")], (number, text)


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_misconception_of_a_demo_lesson_is_met_with_its_response(slug):
    brief = brief_of(slug)
    for step in brief.steps:
        for index, wrong in enumerate(step.misconceptions):
            for text in wrong.says:
                lesson = await begun(replace(brief, steps=(step,)))
                await lesson.student(text)
                assert lesson.data["misconceptions"] == [index], (text, lesson.text)
                assert wrong.response.split(". ")[0] in lesson.text


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_student_who_never_knows_is_led_through_by_hints_and_solutions(slug):
    brief = brief_of(slug)
    lesson = await begun(brief)
    for number, step in enumerate(brief.steps):
        for hint in step.hints:
            await lesson.student("I don't know")
            assert hint.split(". ")[0] in lesson.text
            assert step.solution not in lesson.text
            assert lesson.moves == [(number, "hinting")]
        await lesson.student("I don't know")
        assert step.solution.split(". ")[0] in lesson.text
        assert lesson.moves[0] == (number, "solved_for_them")
    assert lesson.finished
    assert {result["hints"] for result in lesson.data["results"]} <= {2, 3}


# ---- the order of help ---------------------------------------------------------------------


async def test_a_misconception_is_met_first_then_the_hints_then_the_solution():
    lesson = await begun()
    assert "That counts slices only." in await lesson.student("two")
    assert "Count all the slices." in await lesson.student("two")
    assert "Count the slices you ate." in await lesson.student("five")
    text = await lesson.student("six")
    assert "Two of four are two quarters." in text
    assert lesson.moves == [(0, "solved_for_them"), (1, "asking")]
    assert lesson.data["results"] == [
        {"step": 0, "status": "solved_for_them", "attempts": 4, "hints": 2, "misconceptions": [0]}
    ]


async def test_a_right_answer_is_praised_for_what_was_done():
    lesson = await begun()
    assert (await lesson.student("um, two quarters please")).startswith(
        "You compared with the whole. Is a part"
    )
    assert (await lesson.student("no")).startswith("That is right.")


@pytest.mark.parametrize(
    "said", ["tell me the answer", "just tell me", "what's the answer", "I give up", "skip this"]
)
async def test_who_asks_for_the_answer_gets_a_hint(said):
    lesson = await begun()
    text = await lesson.student(said)
    assert "Count all the slices." in text
    assert lesson.data["attempts"] == 0


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("hint please", "Count all the slices."),
        ("can you help me", "Count all the slices."),
        ("I don't know", "Count all the slices."),
        ("repeat that please", "A pizza has four slices."),
        ("what do you mean", "A pizza has four slices."),
        ("why", ENGLISH.why),
        ("give me a minute", ENGLISH.wait),
        ("are you a robot?", "I am a computer program, not a person."),
        ("are you human", "I am a computer program, not a person."),
        ("hello", ENGLISH.greeting),
        ("thank you", ENGLISH.thanks),
        ("ready", "What part of the pizza is that?"),
        ("what's your favourite football team", "lesson"),
        ("we watched a really funny movie yesterday", "lesson"),
        ("this is so stupid", ENGLISH.rude),
        ("una pista por favor", "Count all the slices."),
    ],
)
async def test_wishes_are_understood_and_change_nothing_else(said, part):
    lesson = await begun()
    assert part in await lesson.student(said)
    assert (lesson.data["step"], lesson.data["attempts"], lesson.finished) == (0, 0, False)


async def test_why_after_a_right_answer_explains_the_step_that_is_done():
    lesson = await begun()
    await lesson.student("half")
    assert "Two of four are two quarters." in await lesson.student("why?")
    assert lesson.data["step"] == 1


async def test_a_right_answer_within_a_wish_counts():
    lesson = await begun()
    await lesson.student("I don't know, a half?")
    assert lesson.moves[0] == (0, "done")


async def test_yes_to_a_yes_or_no_question_is_an_answer_and_no_courtesy():
    lesson = await begun()
    await lesson.student("half")
    assert "Pieces can be tiny." in await lesson.student("yes")
    assert lesson.data["attempts"] == 1


# ---- not sure ------------------------------------------------------------------------------


async def test_an_unsure_answer_is_asked_back_and_counts_after_a_yes():
    lesson = await begun()
    assert await lesson.student("two quarters", sure=False) == "I heard two quarters, right?"
    assert (lesson.data["awaiting"], lesson.data["pending_text"]) == ("confirm", "two quarters")
    assert lesson.moves == []
    await lesson.student("yes", sure=False)
    assert lesson.moves[0] == (0, "done")


async def test_an_unsure_wrong_answer_is_asked_back_in_the_same_words():
    lesson = await begun()
    assert await lesson.student("three quarters", sure=False) == "I heard three quarters, right?"
    await lesson.student("yes")
    assert lesson.data["attempts"] == 1


async def test_no_to_what_was_heard_costs_nothing():
    lesson = await begun()
    await lesson.student("three quarters", sure=False)
    assert await lesson.student("no") == ENGLISH.say_again
    assert (lesson.data["awaiting"], lesson.data["attempts"]) == ("answer", 0)
    await lesson.student("two quarters")
    assert lesson.moves[0] == (0, "done")


async def test_the_answer_may_be_said_again_instead_of_yes_or_no():
    lesson = await begun()
    await lesson.student("three quarters", sure=False)
    await lesson.student("no, two quarters")
    assert lesson.moves[0] == (0, "done")


async def test_two_answers_at_once_are_not_taken():
    lesson = await begun()
    assert await lesson.student("two or three quarters") == ENGLISH.two_answers
    assert await lesson.student("three no two quarters") == "I heard two quarters, right?"
    await lesson.student("yes")
    assert lesson.moves[0] == (0, "done")


async def test_what_is_not_understood_is_said_in_turns_and_then_points_to_typing():
    lesson = await begun()
    said = [await lesson.student("", sure=False) for _ in range(4)]
    assert len(set(said)) == 4
    assert all("type" in text for text in said[2:])
    assert lesson.data["attempts"] == 0


async def test_a_check_that_does_not_answer_is_a_turn_not_understood():
    async def late(*claim):
        raise TimeoutError

    async def broken(*claim):
        raise EngineFailed("gone")

    for check_ in (late, broken):
        lesson = await begun(check=check_)
        assert await lesson.student("two quarters") == ENGLISH.missed[0]


# ---- pauses and ends -----------------------------------------------------------------------


async def test_silence_is_met_twice_gently_and_then_with_a_pause():
    lesson = await begun()
    said = [await lesson.cue("silence") for _ in range(4)]
    assert len(set(said)) == 4
    assert ENGLISH.break_offer in said[2]
    await lesson.student("ready")
    assert await lesson.cue("silence") == said[0]


async def test_stopping_is_asked_back_and_both_answers_are_kept_to():
    lesson = await begun()
    assert await lesson.student("I want to stop") == ENGLISH.stop
    assert "What part of the pizza" in await lesson.student("no")
    await lesson.student("stop")
    assert await lesson.student("yes") == ENGLISH.goodbye
    assert lesson.finished
    assert lesson.moves == []
    assert await lesson.student("half") == ENGLISH.finished
    assert lesson.finished


async def test_an_answer_instead_of_yes_to_stopping_is_an_answer():
    lesson = await begun()
    await lesson.student("stop")
    await lesson.student("two quarters")
    assert lesson.moves[0] == (0, "done")


@pytest.mark.parametrize(
    "said",
    ["I want to kill myself", "my dad hits me", "nobody cares about me", "I'm scared to go home",
     "two quarters. I want to die", "quiero morirme", "I don’t want to live"],
)  # fmt: skip
async def test_words_of_distress_are_met_with_a_human_written_message(said):
    lesson = await begun()
    text = await lesson.student(said, sure=False)
    assert text == " ".join(ENGLISH.concern)
    assert lesson.data["concern"] is True
    assert (lesson.moves, lesson.data["step"], lesson.data["attempts"]) == ([], 0, 0)
    await lesson.student("two quarters")
    assert "concern" not in lesson.data
    assert lesson.moves[0] == (0, "done")


@pytest.mark.parametrize(
    "said", ["cut the pizza in half", "I killed it", "it hurts my head", "die"]
)
async def test_ordinary_words_are_no_distress(said):
    lesson = await begun()
    await lesson.student(said)
    assert "concern" not in lesson.data


async def test_distress_is_seen_after_the_end_and_before_the_beginning():
    lesson = Lesson(BRIEF)
    assert await lesson.student("I want to die") == " ".join(ENGLISH.concern)
    lesson = await begun()
    await lesson.student("stop")
    await lesson.student("yes")
    assert await lesson.student("I want to die") == " ".join(ENGLISH.concern)
    assert lesson.finished


# ---- memory --------------------------------------------------------------------------------


async def test_the_opening_is_honest_and_ends_on_the_first_question():
    lesson = await begun()
    assert "simple tutor program" in lesson.text
    assert "not a person" in lesson.text
    assert lesson.says[-1] == "What part of the pizza is that?"
    assert lesson.moves == [(0, "asking")]


async def test_who_speaks_first_gets_the_opening():
    lesson = Lesson(BRIEF)
    assert "simple tutor program" in await lesson.student("Is 2/4 the same as 1/2?")
    assert lesson.data["step"] == 0
    await lesson.student("half")
    assert lesson.moves[0] == (0, "done")


async def test_the_last_tutor_item_is_enough_to_go_on():
    lesson = await begun()
    await lesson.student("half")
    await lesson.student("hint")
    resumed = Lesson(BRIEF)
    resumed.memory = [lesson.memory[-1]]
    text = await resumed.cue("resumed")
    assert text.startswith("Welcome back. We were at question 2 of 2. Is a part")
    assert resumed.data["hints_used"] == 1
    await resumed.student("no")
    assert resumed.finished
    assert len(resumed.data["results"]) == 2


@pytest.mark.parametrize(
    "data",
    [{}, {"version": 1}, {"version": 2, "step": 1}, {"version": 1, "step": "x", "results": 3},
     State().data() | {"awaiting": "godot"}, State().data() | {"results": [{}]},
     State().data() | {"misconceptions": None}],
)  # fmt: skip
async def test_without_readable_data_the_lesson_begins_sensibly(data):
    lesson = Lesson(BRIEF)
    lesson.memory = [Utterance("tutor", "Something.", data), Utterance("student", "half")]
    assert "simple tutor program" in await lesson.cue("student")


async def test_a_step_outside_the_plan_becomes_the_last_one():
    lesson = Lesson(BRIEF)
    lesson.memory = [Utterance("tutor", BRIEF.steps[1].ask, State(step=99).data())]
    await lesson.student("no")
    assert lesson.finished


async def test_an_answer_before_the_question_was_heard_is_not_counted():
    lesson = await begun()
    await lesson.student("half")
    lesson.memory[-1] = Utterance("tutor", "You compared", lesson.memory[-1].data)
    text = await lesson.student("seventeen elephants")
    assert text == f"{ENGLISH.not_heard} Is a part with more pieces always bigger?"
    assert lesson.data["attempts"] == 0
    await lesson.student("no")
    assert lesson.finished


@pytest.mark.parametrize(
    ("turns", "status"),
    [(["two quarters", "I think"], "done"), (["three", "hint please"], "hinting")],
)
async def test_turns_that_got_no_answer_are_taken_together(turns, status):
    lesson = await begun()
    lesson.memory += [Utterance("student", text) for text in turns[:-1]]
    await lesson.student(turns[-1])
    assert lesson.moves[0] == (0, status)


async def test_distress_in_an_earlier_turn_is_not_passed_over():
    lesson = await begun()
    lesson.memory.append(Utterance("student", "I want to die"))
    await lesson.student("two quarters")
    assert lesson.data["concern"] is True


def test_the_state_survives_json_and_says_its_version():
    state = State(step=1, results=(), misconceptions=(0, 2), awaiting="confirm", pending_text="2")
    data = json.loads(json.dumps(state.data()))
    assert data["version"] == 1
    assert recall([Utterance("tutor", "", data)]) == state


# ---- language ------------------------------------------------------------------------------


async def test_a_spanish_lesson_is_held_in_spanish():
    lesson = await begun(brief_of("conversacion-en-espanol"))
    assert SPANISH.honest in lesson.text
    assert SPANISH.robot.split(". ")[0] in await lesson.student("are you a robot")
    assert "Es un saludo" in await lesson.student("hint please")
    assert await lesson.student("hola", sure=False) == "Entiendo hola, ¿sí?"
    await lesson.student("sí")
    assert lesson.moves[0] == (0, "done")


def test_languages_without_phrases_fall_back_to_english():
    assert phrases("es-MX") is SPANISH
    assert phrases("fr") is ENGLISH


# ---- whatever is said ----------------------------------------------------------------------

SAYINGS = st.sampled_from(
    ["two", "three", "half", "yes", "no", "hint", "I don't know", "why", "tell me the answer",
     "repeat", "stop", "what do you mean", "um", "", "seven eighths", "carbon dioxide", "oxygen",
     "two or three", "sugar no water", "x equals nine", "hola", "the second one", "ready", "wait",
     "are you a robot", "soil", "I want to go home and play football", "not two quarters", "b"]
)  # fmt: skip
TURNS = st.lists(st.tuples(SAYINGS, st.booleans(), st.booleans()), min_size=1, max_size=14)


def solutions_of(brief):
    return {
        number: sentence
        for number, step in enumerate(brief.steps)
        for sentence in [step.solution.split(". ")[-1]]
    }


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SLUGS), TURNS)
async def test_no_solution_comes_before_its_hints_are_used(slug, turns):
    brief = brief_of(slug)
    lesson = await begun(brief)
    for said, sure, silent in turns:
        before = lesson.data
        if silent:
            await lesson.cue("silence")
        await lesson.student(said, sure=sure)
        over = {result["step"] for result in lesson.data["results"]}
        for number, solution in solutions_of(brief).items():
            assert solution not in lesson.text or number in over
        for result in lesson.data["results"][len(before["results"]) :]:
            used_up = result["hints"] == len(brief.steps[result["step"]].hints)
            assert result["status"] == "done" or used_up
        assert lesson.text.count("?") <= 1
        assert lesson.says and all(len(text) <= 220 for text in lesson.says)
        assert recall(lesson.memory) is not None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["opening", "student", "silence", "resumed"]),
    st.text(max_size=60),
    st.booleans(),
    st.sampled_from(["right", "wrong", "unclear"]),
    st.sampled_from(["", "two values", "negated", "unfinished"]),
    st.sampled_from(words("answer confirm finish")),
    st.integers(-3, 5),
)
def test_the_rules_answer_anything(cue, text, sure, verdict, note, awaiting, step):
    state = State(step=step, awaiting=awaiting, pending_text="two")
    heard = Heard(text, sure)
    assert isinstance(to_check(BRIEF, state, cue, heard), str)
    reply = respond(BRIEF, state, cue, heard, Judged(verdict, "{two}", note))
    assert 0 <= reply.state.step < len(BRIEF.steps)
    spoken = [piece.text for piece in reply.pieces if isinstance(piece, Say)]
    assert spoken and all(text.strip() for text in spoken)


def test_no_phrase_of_the_tutor_claims_to_be_human():
    for table in (ENGLISH, SPANISH):
        for name in table.__slots__:
            value = getattr(table, name)
            for text in (value,) if isinstance(value, str) else value:
                assert not re.search(r"\b(?:i feel|i think|i am human|siento)\b", plain(text))
