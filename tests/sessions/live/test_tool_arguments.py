"""Whatever a model writes as arguments: a use, or a sentence that helps."""

import json
import random

import pytest

from ai.tools import FIGURES, NAMES, NOTES
from sessions.live.board import CannotDraw, draw
from sessions.live.tool_arguments import (
    AskForHuman,
    CheckAnswer,
    LookUp,
    NoteProgress,
    Show,
    Unusable,
    read_use,
)


def read(name, arguments, allowed=NAMES):
    return read_use(name, arguments, allowed)


@pytest.mark.parametrize(
    ("name", "arguments", "use"),
    [
        ("check_answer", '{"said": " two\\n quarters "}', CheckAnswer("two quarters")),
        ("check_answer", '{"said": 0.5}', CheckAnswer("0.5")),
        ("check_answer", '{"said": 3, "student_id": "7"}', CheckAnswer("3")),
        ("show", '{"kind": "Number Line", "content": "0 to 1"}', Show("number_line", "0 to 1", "")),
        ("look_up", '{"about": "whales"}', LookUp("whales")),
        (
            "note_progress",
            '{"what": "step_done", "step": "2", "which": 1.0}',
            NoteProgress("step_done", 2, 1),
        ),
        ("note_progress", '{"what": "step_done", "step": 2}', NoteProgress("step_done", 2, 0)),
        ("ask_for_human", "", AskForHuman("")),
        ("ask_for_human", '{"reason": null}', AskForHuman("")),
    ],
)
def test_what_can_be_meant_is_taken(name, arguments, use):
    assert read(name, arguments) == use


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("fly", "{}", "There is no such tool"),
        ("check_answer", "", "is a text"),
        ("check_answer", "said: two", "a JSON object with these fields: said"),
        ("check_answer", "[]", "a JSON object"),
        ("check_answer", '{"said": ""}', "is empty"),
        ("check_answer", '{"said": true}', "is a text"),
        ("check_answer", json.dumps({"said": "a" * 501}), "at most 500 characters"),
        ("check_answer", '{"said": "\\ud800"}', "a JSON object"),
        ("check_answer", '{"said": NaN}', "a JSON object"),
        ("check_answer", "[" * 2_000, "a JSON object"),
        ("check_answer", json.dumps({"said": "a" * 5_000}), "at most 4000 characters"),
        ("show", '{"kind": "film", "content": "a", "caption": ""}', "one of: text, formula"),
        ("note_progress", '{"what": "step_done", "step": -1}', "a whole number"),
        ("note_progress", '{"what": "step_done", "step": 1.5}', "a whole number"),
        ("note_progress", '{"what": "step_done", "step": true}', "a whole number"),
        ("note_progress", '{"what": "step_done", "step": 1e300}', "a whole number"),
        ("note_progress", '{"what": "flown", "step": 1}', "one of: step_done"),
    ],
)
def test_the_rest_is_answered_by_a_sentence(name, arguments, sentence):
    with pytest.raises(Unusable, match=sentence):
        read(name, arguments)


def test_invisible_signs_are_left_out():
    assert read("check_answer", '{"said": "a\\u202eb\\u0000c"}') == CheckAnswer("abc")


PIECES = [
    "{", "}", "[", "]", '"', ":", ",", "said", "kind", "content", "caption", "about", "what",
    "step", "which", "reason", *NOTES, *FIGURES, "1", "-2.5", "1e999", "null", "true",
    "\\u0000", "\\ud800",
    "\\", "x^2", "frac", "(", ")", "|", "to", "x from", ";", "1/0", "9" * 30, "√", "é", "\u202e",
    "https://a.b", "$", "{" * 30, "(" * 60, "^", "sin", "\\frac{", "\n", " ",
]  # fmt: skip


def test_a_hundred_thousand_wild_calls_make_uses_or_sentences():
    chance = random.Random(20)
    taken = 0
    for _ in range(100_000):
        name = chance.choice(NAMES)
        wild = "".join(chance.choices(PIECES, k=chance.randrange(1, 14)))
        arguments = wild
        if chance.random() < 0.7:
            arguments = json.dumps(
                {
                    "said": wild,
                    "kind": chance.choice([*FIGURES, wild]),
                    "content": wild,
                    "caption": chance.choice(["", wild]),
                    "about": wild,
                    "what": chance.choice([*NOTES, wild]),
                    "step": chance.choice([1, wild, -1, 1.0, None]),
                    "reason": wild,
                }
            )
        try:
            use = read(name, arguments)
            if isinstance(use, Show):
                json.dumps(draw(use.kind, use.content, use.caption).drawing, allow_nan=False)
            taken += 1
        except (Unusable, CannotDraw) as problem:
            assert str(problem)
    assert taken > 10_000
