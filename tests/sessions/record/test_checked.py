"""What remains of what a language model wrote of a session."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.record.checked import checked_practice, checked_summary, read_object
from sessions.record.model import Sentence

SAID = {
    "i1": ("item_1", "How many quarters do you see?"),
    "i2": ("item_2", "Um, three quarters I think"),
    "i3": ("item_3", "¡Dos medios!"),
}
LESSON = ["Fractions as parts"]
GOOD = [
    {"text": "You worked on “Fractions as parts”.", "items": ["i1"]},
    {"text": "You said “three quarters”.", "items": ["i2"]},
]


def summary(narrative=GOOD, **more):
    return checked_summary(json.dumps({"narrative": narrative, **more}), SAID, LESSON)


def kept(text, *items):
    """Whether a sentence is kept, and resting on what."""
    found = summary([*GOOD, {"text": text, "items": list(items)}])
    return found.narrative[2].item_ids if len(found.narrative) == 3 else None


def test_sentences_that_rest_on_items_are_kept():
    found = summary(
        done_well={"text": "You counted them all.", "items": ["i2", "i3"]},
        next_steps=[{"text": "Try eighths.", "items": ["i1"]}],
    )
    assert found.narrative == (
        Sentence("You worked on “Fractions as parts”.", ("item_1",)),
        Sentence("You said “three quarters”.", ("item_2",)),
    )
    assert found.done_well == Sentence("You counted them all.", ("item_2", "item_3"))
    assert found.next_steps == (Sentence("Try eighths.", ("item_1",)),)


def test_items_that_do_not_exist_are_dropped_and_a_sentence_without_any_too():
    assert kept("You counted the slices.", "i2", "i9", "item_3", "i2") == ("item_2",)
    assert kept("You counted the slices.", "i9") is None
    assert kept("You counted the slices.") is None


@pytest.mark.parametrize(
    "text",
    [
        "You said “four quarters”.",
        'You said "plutonium".',
        "You said «three halves».",
        "You said “quarters three”.",
        "You said “three” and then “a lie”.",
        "You said ‘four quarters’ first.",
    ],
)
def test_a_quotation_that_nobody_said_is_refused(text):
    assert kept(text, "i2") is None


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("You said “Three  quarters, I think”.", "i2"),
        ('You said "¡dos medios!".', "i3"),
        ("It's what you've said: ‘um’ isn't a word you'd use.", "i2"),
        ("In “Fractions as parts” you did well.", "i3"),
    ],
)
def test_a_quotation_that_was_said_is_kept(text, item):
    assert kept(text, item)


def test_what_another_item_says_may_not_be_quoted():
    assert kept("You said “three quarters”.", "i3") is None


@pytest.mark.parametrize(
    "text",
    ["See https://example.org for more.", "You <b>did</b> it well.", "As i2 shows, you did it.",
     "Short.", "long " * 80, "It is **well** done."],
)  # fmt: skip
def test_what_is_no_plain_sentence_is_dropped(text):
    assert kept(text, "i2") is None


@pytest.mark.parametrize(
    "text",
    ["", "I can't do that.", "{", '{"narrative": 7}', '{"narrative": [7, null, {}]}', "[]",
     '{"narrative": [{"text": 7, "items": ["i1"]}, {"text": "You did it.", "items": "i1"}]}',
     json.dumps({"narrative": GOOD[:1]})],
)  # fmt: skip
def test_of_too_little_no_summary_is_made(text):
    assert checked_summary(text, SAID, LESSON) is None


def test_an_object_may_stand_among_words():
    assert read_object('Sure!\n```json\n{"a": {"b": 1}}\n```\nDone.') == {"a": {"b": 1}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["i1", "i2"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["narrative", "text", "items", "done_well", "next_steps", "practice",
                             "of", "question", "answer"]), inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(JSON)
def test_whatever_was_written_only_items_that_exist_are_named(value):
    text = json.dumps(value)
    found = checked_summary(text, SAID, LESSON)
    ids = {item_id for item_id, _ in SAID.values()}
    for sentence in (*found.narrative, *found.next_steps) if found else ():
        assert sentence.item_ids and set(sentence.item_ids) <= ids
    assert all(one.endswith("?") for one in checked_practice(text, ["What?"], []))


# ---- practice questions --------------------------------------------------------------------------


def practice(*rows):
    text = json.dumps({"practice": [dict(zip(("of", "question", "answer"), row, strict=True))
                                    for row in rows]})  # fmt: skip
    return checked_practice(text, ["What is 2/4 of 8?", "And 3/4?"], ["What is a half?"])


def test_one_new_question_for_each_in_their_order():
    assert practice(
        (2, "What is 3/5 of 10?", "6"), (1, "What is 2/6 of 12?", "4"), (1, "What is it now?", "1")
    ) == ("What is 2/6 of 12?", "What is 3/5 of 10?")  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        (3, "What is 2/6 of 12?", "4"),
        (0, "What is 2/6 of 12?", "4"),
        (True, "What is 2/6 of 12?", "4"),
        (1, "What is 2/6 of 12? It is 4, isn't it?", "4"),
        (1, "what is a half ?", "1/2"),
        (1, "What is 2/4 of 8?", "4"),
        (1, "Say something.", "4"),
        (1, "What is 2/6 of 12?", ""),
        (1, "Look at http://x.example, what is it?", "4"),
        (1, 7, "4"),
    ],
)
def test_questions_that_do_not_hold_are_left_out(row):
    assert practice(row) == ()
