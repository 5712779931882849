"""What the rules find in a lesson, and what they leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.lessons import draft
from sessions.lessons.demo import SLUGS, demo_plan
from sessions.lessons.lint import MAX_FINDINGS, RULES, check
from sessions.lessons.lint_words import FEELINGS, HUMAN, PERSONAL
from sessions.lessons.templates import template, templates

STEP = {
    "id": "a",
    "ask": "What is two times three?",
    "answers": [{"kind": "number", "text": "6"}],
    "hints": ["Take three twice."],
    "solution": "Three and three is six.",
}
LESSON = {"title": "Doubling", "subject": "Maths", "goal": "Double a number.", "steps": [STEP]}


def found(lesson=None, **step):
    """What is found in a lesson with one step: rules and paths."""
    content = {**LESSON, **(lesson or {})}
    if step:
        content["steps"] = [{**STEP, **step}]
    return [(one.rule, one.path) for one in check(content)]


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_is_to_be_said_of_the_demo_lessons(slug):
    assert check(draft.from_plan(demo_plan(slug))) == []


@pytest.mark.parametrize("name", [one.name for one in templates()])
def test_nothing_is_to_be_said_of_the_templates(name):
    assert check(draft.from_plan(template(name))) == []


def test_nothing_is_to_be_said_of_a_good_lesson():
    assert found() == []


def test_each_finding_says_where_why_and_what_to_do():
    content = {**LESSON, "goal": None, "steps": [STEP, {**STEP, "id": "b", "hints": ["It is 6."]}]}
    first, second = check(content)
    assert (first.rule, first.severity, first.path, first.place) == (
        "plan",
        "error",
        "goal",
        "Goal",
    )
    assert (first.reason, first.mend) == (
        "This is still missing.", "Say in one sentence what the student can do afterwards.",
    )  # fmt: skip
    assert (second.rule, second.severity, second.path, second.place) == (
        "hint_reveals", "warning", "steps.b.hints.0", "Step 2, hint 1",
    )  # fmt: skip
    assert second.reason == "This hint gives the answer away: “6”."
    assert second.mend.startswith("Point to the next thing")


def test_what_no_plan_can_have_is_told_once():
    assert found(solution="", hints=[]) == [
        ("no_solution", "steps.a.solution"),
        ("no_hint", "steps.a.hints"),
    ]
    assert found(answers=[]) == [("plan", "steps.a.answers")]
    assert found(ask="x" * 601, patience_s="soon") == [
        ("plan", "steps.a.ask"),
        ("plan", "steps.a.patience_s"),
    ]
    assert found({"steps": []}) == [("plan", "steps")]
    assert found(answers=[{"kind": "number", "text": "six x"}])[0] == (
        "plan",
        "steps.a.answers.0.text",
    )
    (finding,) = check({**LESSON, "steps": [{**STEP, "ask": "x" * 601}]})
    assert finding.reason == "This is 601 characters long."
    assert finding.mend == "Keep it within 600, in sentences that can be said aloud."


def test_an_open_question_needs_to_say_when_it_is_done():
    what = {"answers": [{"kind": "open"}], "hints": [], "solution": ""}
    assert found(**what) == [("no_exit", "steps.a.exit")]
    assert found(**what, exit="Gives a reason.") == []


@pytest.mark.parametrize(
    ("answer", "hint", "more"),
    [
        ({"kind": "number", "text": "6"}, "It is six.", {}),
        ({"kind": "number", "text": "1/2"}, "Think of 2/4.", {}),
        ({"kind": "number", "text": "7", "also": ["9"]}, "Nine, perhaps.", {}),
        ({"kind": "equation", "text": "x = 3"}, "Then x = 3 comes out.", {}),
        ({"kind": "expression", "text": "3x + 2"}, "Write 3x+2 now.", {}),
        ({"kind": "words", "text": "the lighthouse"}, "Look at the Lighthouse!", {}),
        ({"kind": "words", "text": "photosynthesis"}, "It is called photosynthesis.", {}),
        ({"kind": "choice", "text": "top"}, "Look at the top.", {"choices": ["top", "bottom"]}),
    ],
)
def test_a_hint_that_says_the_answer_is_found(answer, hint, more):
    assert found(answers=[answer], hints=[hint], **more) == [("hint_reveals", "steps.a.hints.0")]


@pytest.mark.parametrize(
    ("answer", "hint", "more"),
    [
        ({"kind": "number", "text": "6"}, "Take three twice. It is not six yet.", {}),
        ({"kind": "number", "text": "3"}, "Think of the three.", {}),
        ({"kind": "number", "text": "6"}, "Sixteen is too many.", {}),
        ({"kind": "equation", "text": "x = 3"}, "Take 3 from both sides.", {}),
        ({"kind": "words", "text": "times"}, "It is one of the words times and plus.", {}),
        ({"kind": "words", "text": "a"}, "It is a small word.", {}),
        ({"kind": "yes_no", "text": "yes"}, "Yes or no?", {}),
        (
            {"kind": "choice", "text": "top"},
            "Compare the top with the bottom.",
            {"choices": ["top", "bottom"]},
        ),
    ],
)
def test_a_hint_that_only_helps_is_left_alone(answer, hint, more):
    assert found(answers=[answer], hints=[hint], **more) == []


@pytest.mark.parametrize(
    ("field", "text", "is_found"),
    [
        ("ask", "What is it? And why?", True),
        ("ask", "What is it and why is it so?", True),
        ("ask", "¿Qué es y por qué es así?", True),
        ("ask", "How do you ask “Where is it?” and “Who is it?” in English?", False),
        ("ask", "What is two and three?", False),
        ("say", "Do you remember halves?", True),
        ("say", "You remember halves.", False),
        ("praise", "Right, wasn't it easy?", True),
        ("solution", "What is it? Is it six?", True),
        ("solution", "Why six? Because it is twice three.", False),
    ],
)
def test_two_questions_in_one_turn(field, text, is_found):
    assert (("two_questions", f"steps.a.{field}") in found(**{field: text})) is is_found


def test_an_opening_does_not_ask():
    assert found({"opening": "Hello, how are you?"}) == [("two_questions", "opening")]


def test_half_a_minute_is_long_enough():
    long, short = "word " * 81, "word " * 80
    assert found(hints=[long]) == [("too_long", "steps.a.hints.0")]
    assert found(hints=[short]) == []
    assert found(say="word " * 78) == [("too_long", "steps.a.say")]
    assert found({"opening": long, "closing": long}) == [
        ("too_long", "opening"),
        ("too_long", "closing"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "What is your address?",
        "Tell me your full name.",
        "Where do you live?",
        "What's your phone number?",
        "Please write down your e-mail.",
        "When were you born?",
        "Send me a photo of yourself.",
        "¿Cuál es tu dirección?",
        "Dime tu apellido.",
        "¿Dónde vives?",
        "Ask the student for their last name.",
    ],
)
def test_what_a_child_should_not_tell_is_found(text):
    assert PERSONAL.search(text.lower())
    assert ("personal_data", "steps.a.say") in found(say=text)


@pytest.mark.parametrize(
    "text",
    [
        "What is your answer?",
        "Where does Ana live?",
        "Say “Where do you live?” in Spanish.",
        "Tell me how you found it.",
        "Write the address of the house in the picture.",
        "¿Dónde vive Ana?",
    ],
)
def test_other_questions_may_be_asked(text):
    assert not any(rule == "personal_data" for rule, _ in found(say=text))


@pytest.mark.parametrize(
    "text",
    [
        "I'm a real person.",
        "I am a human being, like you.",
        "I am not a robot.",
        "When I was little, I liked halves.",
        "You are talking to a person.",
        "Soy una persona.",
        "No soy un robot.",
        "Cuando era niña me gustaba.",
    ],
)
def test_who_claims_to_be_human_is_found(text):
    assert HUMAN.search(text.lower())
    assert ("claims_human", "closing") in found({"closing": text})


def test_a_rule_that_asks_to_pretend_is_found():
    rules = {"voice": {"rules": ["Pretend to be a human."]}}
    assert found(rules) == [("claims_human", "voice.rules.0")]


@pytest.mark.parametrize("text", ["I am not a human.", "No soy una persona.", "Say “I am a girl”."])
def test_who_is_honest_is_left_alone(text):
    assert not any(rule == "claims_human" for rule, _ in found({"closing": text}))


@pytest.mark.parametrize("text", ["I'm so proud of you!", "I love it.", "Estoy muy contenta."])
def test_feelings_are_found(text):
    assert FEELINGS.search(text.lower())
    assert found({"closing": text}) == [("claims_feelings", "closing")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("opening", {"opening": "Hello {{nmae}}"}),
        ("opening", {"opening": "Hello {{"}),
        ("title", {"title": "{{student_name}}"}),
        ("goal", {"goal": "{{ what"}),
    ],
)
def test_a_variable_that_can_not_be_filled_is_an_error(path, content):
    (finding,) = check({**LESSON, **content})
    assert (finding.rule, finding.severity, finding.path) == ("variable", "error", path)
    assert "{{" in finding.reason and finding.mend.endswith(".")


def test_material_may_have_braces_of_its_own():
    assert found({"material": [{"source": "A book", "text": "{{ template"}]}) == []


def test_html_is_an_error():
    (finding,) = check({**LESSON, "goal": "<script>alert(1)</script>"})
    assert (finding.severity, finding.path) == ("error", "goal")


def test_errors_come_first_then_the_lessons_order():
    content = {
        **LESSON,
        "opening": "How are you?",
        "steps": [{**STEP, "hints": ["6"]}, {"id": "b"}],
        "closing": "{{x}}",
    }
    assert [(one.severity, one.path) for one in check(content)] == [
        ("error", "steps.b.ask"),
        ("error", "steps.b.answers"),
        ("error", "closing"),
        ("warning", "opening"),
        ("warning", "steps.a.hints.0"),
    ]


def test_no_more_is_told_than_is_read():
    assert len(check({**LESSON, "steps": [{"id": f"s{n}"} for n in range(60)]})) == MAX_FINDINGS
    assert len({rule.name for rule in RULES}) == len(RULES)


TYPED = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("ab{}?<$\\ 1/x=", max_size=12)
)
LISTS = st.none() | st.lists(TYPED, max_size=3)
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "say": TYPED,
        "ask": TYPED,
        "answers": st.lists(
            st.fixed_dictionaries(
                {}, optional={"kind": st.sampled_from(["number", "equation", "choice", "x", 1]),
                              "text": TYPED, "also": LISTS},
            ),
            max_size=3,
        ),
        "choices": LISTS,
        "hints": LISTS,
        "misconceptions": st.lists(
            st.fixed_dictionaries({}, optional={"says": LISTS, "response": TYPED}), max_size=2
        ),
        "patience_s": TYPED,
    },
)  # fmt: skip


@given(
    st.lists(STEPS, max_size=3),
    st.dictionaries(st.sampled_from(["title", "goal", "language"]), TYPED),
)
def test_whatever_was_typed_can_be_checked(steps, fields):
    content = {**fields, "steps": [{"id": f"s{n}", **step} for n, step in enumerate(steps)]}
    for finding in check(content):
        assert finding.place and finding.reason.endswith(".") and finding.mend
