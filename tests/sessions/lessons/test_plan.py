import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sessions.errors import PlanInvalid
from sessions.lessons.demo import SLUGS, demo_plan
from sessions.lessons.plan import Plan, read_plan

GOOD = """title: Doubling
subject: Mathematics
goal: Double a number.
steps:
  - ask: What is two times three?
    answers:
      - kind: number
        text: 6
        also: [six]
    hints:
      - Take three twice.
    solution: Three and three is six.
"""


def problems(text):
    with pytest.raises(PlanInvalid) as refused:
        read_plan(text)
    return refused.value.problems


def test_a_plan_is_read_from_yaml_and_from_json():
    plan = read_plan(GOOD)
    assert plan.steps[0].answers[0].text == "6"
    assert (plan.language, plan.patience_s) == ("en", 0.9)
    assert read_plan(json.dumps(plan.plain())) == plan
    assert read_plan(json.dumps(plan.model_dump(mode="json"), indent="\t")) == plan


@pytest.mark.parametrize("slug", SLUGS)
def test_the_demo_lessons_survive_a_round_trip(slug):
    plan = demo_plan(slug)
    assert read_plan(plan.to_yaml()) == plan
    assert Plan.model_validate(plan.plain()) == plan


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="<‪‫‬‭‮"),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS, WORDS, st.lists(WORDS, min_size=1, max_size=3), WORDS)
def test_any_words_survive_a_round_trip(title, ask, hints, text):
    plan = Plan.model_validate(
        {
            "title": title, "subject": "Art", "goal": ask,
            "steps": [{"ask": ask, "hints": hints, "solution": ask,
                       "answers": [{"kind": "words", "text": text, "also": hints}]}],
            "material": [{"source": title, "text": f"{ask}\n{text}"}],
        }
    )  # fmt: skip
    assert read_plan(plan.to_yaml()) == plan
    assert read_plan(json.dumps(plan.plain())) == plan


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "sentence"),
    [
        ("title: Doubling\n", "", 1, "title", "give the lesson a title"),
        ("title: Doubling", "titel: Doubling", 1, "titel", "did you mean `title`?"),
        ("    hints:", "    hnts:", 10, "steps[0].hnts", "did you mean `hints`?"),
        ("      - Take three twice.\n", "", 10, "steps[0].hints", "give at least one hint, or"),
        ("    hints:\n      - Take three twice.\n", "", 5, "steps[0].hints", "at least one hint"),
        ("    solution: Three and three is six.\n", "", 5, "steps[0].solution", "worked solution"),
        ("kind: number", "kind: nummer", 7, "steps[0].answers[0].kind", "Did you mean `number`?"),
        ("text: 6", "text: a lot", 8, "steps[0].answers[0].text", "can't be read as a number"),
        ("text: 6", "text:", 8, "steps[0].answers[0].text", "write the text"),
        ("[six]", "six", 9, "steps[0].answers[0].also", "write a list here"),
        ("kind: number", "kind: choice", 5, "steps[0].choices", "at least two choices"),
        ("kind: number", "kind: yes_no", 8, "steps[0].answers[0].text", "write `yes` or `no`"),
        ("kind: number", "kind: equation", 7, None, None),
        ("goal: Double a number.", "goal: [a]", 3, "goal", "write text here"),
        ("subject: Mathematics", "subject: ''", 2, "subject", "say which subject"),
        ("subject: Mathematics", "subject: M\nlanguage: English", 3, "language", "such as `en`"),
        ("subject: Mathematics", "subject: M\npatience_s: soon", 3, "patience_s", "write a number"),
        ("subject: Mathematics", "subject: M\npatience_s: 60", 3, "patience_s", "at most 10"),
        ("subject: Mathematics", "subject: M\npatience_s: nan", 3, "patience_s", ""),
        ("subject: Mathematics", "subject: M\nvoice: loud", 3, "voice", "`key: value` lines"),
        ("subject: Mathematics", "subject: M\nengines: [gpt]", 3, "engines[0]", "write one of"),
        ("Take three twice.", "<script>alert(1)</script>", 11, "steps[0].hints[0]", "HTML"),
        ("Take three twice.", "<ScRiPt src=x>", 11, "steps[0].hints[0]", "HTML"),
        ("Take three twice.", '"a\\x1bb"', 11, "steps[0].hints[0]", "control characters"),
        ("Take three twice.", "x" * 601, 11, "steps[0].hints[0]", "601 characters long"),
    ],
)  # fmt: skip
def test_each_fault_is_named_by_line_path_and_mend(old, new, line, path, sentence):
    assert old in GOOD
    text = GOOD.replace(old, new)
    if path is None:
        assert read_plan(text)
        return
    assert [
        (found_line, found_path)
        for found_line, found_path, found in problems(text)
        if sentence in found
    ] == [(line, path)]


def test_all_faults_are_told_at_once_in_the_order_of_the_text():
    text = GOOD.replace("goal: Double a number.\n", "").replace("text: 6", "txt: 6")
    found = problems(text)
    assert [path for _, path, _ in found] == ["goal", "steps[0].answers[0].txt"]


def test_only_so_many_faults_are_told():
    assert len(problems(GOOD + "".join(f"x{n}: 1\n" for n in range(500)))) == 20


@pytest.mark.parametrize(
    "answers", ["[{kind: open}, {kind: words, text: a}]", "[{kind: open, text: a}]"]
)
def test_an_open_question_takes_anything_and_nothing_else(answers):
    head = GOOD.partition("    answers:")[0]
    assert problems(f"{head}    answers: {answers}\n")
    assert read_plan(head + "    answers: [{kind: open}]\n").steps[0].hints == ()


def test_a_choice_must_be_among_the_choices():
    head = GOOD.partition("    answers:")[0]
    text = head + "    choices: [five, six]\n    answers: [{kind: choice, text: 6}]\n"
    assert [(line, path) for line, path, _ in problems(text)] == [(7, "steps[0].answers")]


def test_maths_with_signs_is_no_html():
    plan = read_plan(GOOD.replace("Take three twice.", '"If a<b and b>c, then x<y and p>q."'))
    assert "a<b" in plan.steps[0].hints[0]


@pytest.mark.parametrize("text", ["just words", "- a\n- b", "[]", "{}", "null", "3"])
def test_what_is_no_plan_at_all_is_refused(text):
    assert problems(text)


def test_ten_thousand_steps_are_refused_quickly():
    step = "  - {ask: a, answers: [{kind: open}]}\n"
    begun = time.process_time()
    found = problems(GOOD.partition("  - ask")[0] + step * 4_000)
    assert "split" in found[0][2]
    plain = read_plan(GOOD).plain()
    with pytest.raises(ValidationError, match="at most 60 entries"):
        Plan.model_validate({**plain, "steps": [{"ask": "a"}] * 10_000})
    assert time.process_time() - begun < 1.5


def test_the_schema_names_every_field_and_takes_no_others():
    schema = Plan.json_schema()
    assert set(schema["required"]) == {"title", "subject", "goal", "steps"}
    assert schema["additionalProperties"] is False
    assert set(schema["$defs"]["StepPlan"]["properties"]) >= {"ask", "hints", "misconceptions"}
