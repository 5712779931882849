"""What becomes of a draft when one writes it, and when two do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.errors import DraftRefused, StepUnknown
from sessions.lessons import draft
from sessions.lessons.demo import SLUGS, demo_plan
from sessions.lessons.draft import Change, Changed, Conflict
from sessions.lessons.draft_fields import FIELDS, STEP_FIELDS
from sessions.lessons.findings import read_draft
from sessions.lessons.plan import KEYS, MAX_STEPS, Plan

CONTENT = {
    "title": "Halves",
    "voice": {"speed": 0.9},
    "steps": [{"id": "a", "ask": "One?"}, {"id": "b", "ask": "Two?", "hints": ["Look."]}],
}


def put(content, path, now, was="as it is", after=None):
    """One change; by default of what is there."""
    present = draft.value_at(content, path) if was == "as it is" else was
    return draft.change(content, Change(path, present, now, after))


def test_the_fields_of_a_draft_are_those_of_a_plan():
    fields = [name for name in FIELDS if not name.startswith("voice.")]
    assert sorted([*fields, "voice", "steps"]) == sorted(KEYS[""])
    voice = [name.removeprefix("voice.") for name in FIELDS if name.startswith("voice.")]
    assert tuple(voice) == KEYS["voice"]
    assert tuple(STEP_FIELDS) == KEYS["steps"]
    for name in ("answers", "misconceptions"):
        assert tuple(STEP_FIELDS[name]) == KEYS[name]
    assert tuple(FIELDS["material"]) == KEYS["material"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_plan_comes_back_from_its_draft(slug):
    plan = demo_plan(slug)
    content = draft.from_plan(plan)
    assert read_draft(content) == plan
    ids = draft.order_of(content)
    assert len(set(ids)) == len(plan.steps)
    assert draft.order_of(draft.from_plan(plan, ids)) == ids
    assert draft.digest(draft.from_plan(plan, ids)) == draft.digest(content)


@pytest.mark.parametrize(
    ("path", "now"),
    [
        ("title", "Thirds"),
        ("title", None),
        ("goal", "Know a half"),
        ("voice.speed", 1.1),
        ("voice.speed", "fast"),
        ("voice.name", "Ana"),
        ("engines", ["offline"]),
        ("material", [{"source": "Book", "text": "Text"}]),
        ("steps.a.ask", ""),
        ("steps.a.patience_s", 3),
        ("steps.b.hints", ["Look.", 7, None]),
        ("steps.b.hints", None),
        ("steps.b.answers", [{"kind": "number", "text": "<script>", "also": ["{{"]}]),
        ("steps.a", None),
        ("steps.new", {"ask": "Three?"}),
        ("steps.a", {"ask": "Other?"}),
        ("step_order", ["b", "a"]),
    ],
)
def test_a_change_is_there_afterwards_and_again_it_changes_nothing(path, now):
    outcome = put(CONTENT, path, now)
    assert isinstance(outcome, Changed) and outcome.different
    assert draft.value_at(outcome.content, path) == outcome.value == now
    again = put(outcome.content, path, now, was="whatever was seen")
    assert again == Changed(outcome.content, now, different=False)


def test_what_is_emptied_leaves_nothing_behind():
    assert put({"voice": {"speed": 1}}, "voice.speed", None).content == {}
    assert put({}, "steps.a", {"ask": None, "say": "x"}).content == {
        "steps": [{"id": "a", "say": "x"}]
    }


def test_a_new_step_stands_where_it_was_put():
    for after, order in (
        ("a", ["a", "new", "b"]),
        (None, ["a", "b", "new"]),
        ("gone", ["a", "b", "new"]),
    ):
        assert draft.order_of(put(CONTENT, "steps.new", {}, None, after).content) == order


@pytest.mark.parametrize(
    ("path", "was", "now", "theirs"),
    [
        ("title", "Quarters", "Thirds", "Halves"),
        ("title", None, "Thirds", "Halves"),
        ("goal", "Something", "Other", None),
        ("steps.b.hints", [], ["Think."], ["Look."]),
        ("step_order", ["b", "a", "c"], ["c", "b", "a"], ["a", "b"]),
        ("steps.a", {"ask": "What?"}, None, {"ask": "One?"}),
        ("steps.new", {"ask": "It was here"}, {"ask": "And is changed"}, None),
    ],
)  # fmt: skip
def test_another_text_in_the_same_field_is_a_conflict(path, was, now, theirs):
    assert put(CONTENT, path, now, was) == Conflict(theirs)


def test_a_number_is_the_same_however_it_is_written_and_true_is_none():
    content = {"patience_s": 1}
    assert not put(content, "patience_s", 1.0).different
    assert put(content, "patience_s", True).different
    assert isinstance(put(content, "patience_s", 2, was=True), Conflict)


@pytest.mark.parametrize(
    ("path", "now", "sentence"),
    [
        ("tilte", "x", "no field 'tilte' in this lesson"),
        ("", "x", "no field ''"),
        ("steps", [], "no field 'steps' in this lesson"),
        ("voice", {}, "no field 'voice'"),
        ("voice.pitch", 1, "no field"),
        ("steps.a.id", "b", "no field 'id' in this step"),
        ("steps.a.ask.more", "x", "no field"),
        ("steps.A!", {}, "small letters and digits"),
        ("steps." + "x" * 30, {}, "small letters and digits"),
        ("steps.a", "x", "A step is an object"),
        ("steps.a", {"id": "b"}, "no field 'id'"),
        ("steps.a", {"hints": "one"}, "list"),
        ("title", ["x"], "one value"),
        ("title", {"x": 1}, "one value"),
        ("title", "x" * 20_001, "20,000 characters"),
        ("patience_s", 10**30, "too large"),
        ("steps.a.hints", "x", "list"),
        ("steps.a.hints", ["x"] * 101, "100 entries"),
        ("steps.a.hints", [["x"]], "one value"),
        ("steps.a.answers", ["x"], "object with kind"),
        ("steps.a.answers", [{"kinds": "x"}], "no field 'kinds' in this entry"),
        ("steps.a.answers", [{"also": "x"}], "list"),
        ("step_order", ["a"], "name each step"),
        ("step_order", ["a", "a"], "name each step"),
        ("step_order", [1, {}], "list of the steps' ids"),
        ("step_order", None, "name each step"),
    ],
)
def test_what_no_draft_can_hold_is_refused_by_a_sentence(path, now, sentence):
    was = draft.value_at(CONTENT, path) if path in FIELDS or path == "step_order" else None
    with pytest.raises(DraftRefused, match=sentence):
        put(CONTENT, path, now, was)


def test_a_step_that_is_gone_can_not_be_written_in():
    with pytest.raises(StepUnknown, match="'c'"):
        put(CONTENT, "steps.c.ask", "x", None)


def test_a_lesson_has_bounds():
    content = {"steps": [{"id": f"s{n}"} for n in range(MAX_STEPS)]}
    with pytest.raises(DraftRefused, match="60 steps at most"):
        put(content, "steps.more", {}, None)
    entries = [{"source": "Book", "text": "x" * 19_000}] * 13
    content = put({}, "material", entries, None).content
    with pytest.raises(DraftRefused, match="256 KiB"):
        put(content, "material", [*entries, entries[0]])


# ---- two writers ------------------------------------------------------------------------------

WORDS = st.text("abc ", max_size=4)
ONES = ("title", "goal", "opening", "voice.name", "steps.a.ask", "steps.b.ask", "steps.a.solution")
LISTS = ("prior_knowledge", "steps.a.hints", "steps.b.choices")
TYPED = st.one_of(
    st.tuples(st.sampled_from(ONES), st.none() | WORDS),
    st.tuples(st.sampled_from(LISTS), st.none() | st.lists(WORDS, max_size=2)),
    st.tuples(st.just("steps.a"), st.none()),
    st.tuples(st.sampled_from(("steps.c", "steps.d")), st.builds(dict, ask=WORDS)),
    st.tuples(st.just("step_order"), st.permutations(["a", "b", "c", "d"])),
)
TURNS = st.lists(st.tuples(st.sampled_from("AB"), st.booleans(), TYPED), max_size=30)


@given(TURNS)
def test_of_two_writers_none_loses_a_word(turns):
    """Each sees the draft as it was when they last looked; `booleans`: whether they look first.

    A field never changes under somebody's hands: what is written over is what its writer saw.
    """
    server = CONTENT
    seen = {"A": CONTENT, "B": CONTENT}
    for who, looks, (path, now) in turns:
        if looks:
            seen[who] = server
        if path == "step_order":
            known = draft.order_of(seen[who])
            now = [name for name in now if name in known]
        was = draft.value_at(seen[who], path)
        before = server
        try:
            outcome = draft.change(server, Change(path, was, now))
        except StepUnknown:
            assert path.split(".")[1] not in draft.order_of(server)
            continue
        except DraftRefused:
            assert path == "step_order" and sorted(now) != sorted(draft.order_of(server))
            continue
        there = draft.value_at(before, path)
        if isinstance(outcome, Conflict):
            assert outcome.theirs == there and there not in (was, now)
            continue
        assert there in (was, now)
        server = outcome.content
        for other in (*ONES, *LISTS):
            apart = not (other == path or other.startswith(path + "."))
            if apart:
                assert draft.value_at(server, other) == draft.value_at(before, other)
        seen[who] = draft.change(seen[who], Change(path, was, now)).content if not looks else server
    assert Plan  # the document stays readable, whatever was typed
    assert isinstance(read_draft(server), Plan | list)


@given(st.data())
def test_two_on_different_fields_end_the_same_in_any_order(data):
    one, other = data.draw(
        st.lists(
            st.sampled_from((*ONES, "steps.c", "step_order")), min_size=2, max_size=2, unique=True
        )
    )
    values = {"steps.c": {"ask": "c"}, "step_order": ["b", "a"]}
    changes = {
        path: Change(path, draft.value_at(CONTENT, path), values.get(path) or data.draw(WORDS))
        for path in (one, other)
    }
    ends = []
    for order in ((one, other), (other, one)):
        content = CONTENT
        for path in order:
            outcome = draft.change(content, changes[path])
            if isinstance(outcome, Conflict):  # the order of steps names all of them
                assert {one, other} == {"steps.c", "step_order"}
                return
            content = outcome.content
        ends.append(content)
    assert draft.digest(ends[0]) == draft.digest(ends[1])
