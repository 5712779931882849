"""What differs between two states of a lesson."""

from hypothesis import given
from hypothesis import strategies as st

from sessions.lessons.compare import compare
from sessions.lessons.demo import demo_plan
from sessions.lessons.draft import from_plan

LEFT = {
    "title": "Halves",
    "goal": "Know a half.",
    "voice": {"speed": 0.9},
    "steps": [{"id": "a", "ask": "One?"}, {"id": "b", "ask": "Two?"}, {"id": "c", "ask": "Three?"}],
}
A, B, C = LEFT["steps"]


def told(right, left=LEFT):
    return [(one.place, one.kind, one.left, one.right) for one in compare(left, right)]


def test_the_same_differs_in_nothing():
    assert told(LEFT) == []
    plan = demo_plan("fractions-as-parts")
    one, other = from_plan(plan), from_plan(plan)
    assert one["steps"][0]["id"] != other["steps"][0]["id"]
    assert compare(one, other) == []


def test_spaces_and_defaults_mean_nothing():
    content = from_plan(demo_plan("photosynthesis"))
    typed = {**content, "title": f"  {content['title']} ", "level": content.get("level", "")}
    typed["steps"] = [{**typed["steps"][0], "say": typed["steps"][0]["say"] + "  ", "exit": None}]
    left = {**content, "steps": [{**content["steps"][0]}]}
    left["steps"][0].pop("exit")
    typed["steps"][0].pop("exit")
    assert compare(left, typed | {"patience_s": content.get("patience_s", 0.9)}) == []


def test_fields_are_added_taken_out_and_changed():
    right = {
        "title": "Thirds",
        "opening": "Hi",
        "voice": {"rules": ["Slowly."]},
        "steps": [A, B, C],
    }
    assert told(right) == [
        ("Title", "changed", "Halves", "Thirds"),
        ("Goal", "removed", "Know a half.", None),
        ("Opening", "added", None, "Hi"),
        ("Speed of the voice", "removed", 0.9, None),
        ("How the tutor should sound", "added", None, ["Slowly."]),
    ]
    assert [one.path for one in compare(LEFT, right)] == [
        "title", "goal", "opening", "voice.speed", "voice.rules",
    ]  # fmt: skip


def test_a_step_that_moved_is_told_as_moved_and_the_others_stayed():
    assert told({**LEFT, "steps": [C, A, B]}) == [("Step 1", "moved", "Step 3", "Step 1")]
    assert told({**LEFT, "steps": [B, C, A]}) == [("Step 3", "moved", "Step 1", "Step 3")]
    assert told({**LEFT, "steps": [B, {"id": "n"}, C]}) == [
        ("Step 2", "added", None, {}),
        ("Step 1", "removed", {"ask": "One?"}, None),
    ]


def test_what_changed_within_a_step_that_moved_is_told_too():
    changed = {"id": "c", "ask": "Three?", "hints": ["Look."]}
    (moved, hint) = compare(LEFT, {**LEFT, "steps": [changed, A, B]})
    assert (moved.kind, moved.path) == ("moved", "steps.c")
    assert (hint.path, hint.place, hint.kind) == ("steps.c.hints", "Step 1, hints", "added")
    assert (hint.left, hint.right) == (None, ["Look."])


def test_steps_without_an_id_in_common_are_known_by_their_question():
    right = [{"id": "x", "ask": "two?  "}, {"id": "y", "ask": "One?", "say": "Look."}]
    changes = compare(LEFT, {**LEFT, "steps": right})
    assert [(one.path, one.kind) for one in changes] == [
        ("steps.x", "moved"),
        ("steps.x.ask", "changed"),
        ("steps.y.say", "added"),
        ("steps.c", "removed"),
    ]


IDS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(IDS, IDS)
def test_a_step_is_in_one_kind_and_moves_are_as_few_as_can_be(left, right):
    one, other = ({"steps": [{"id": name} for name in ids]} for ids in (left, right))
    changes = compare(one, other)
    kinds = {change.path.split(".")[1]: change.kind for change in changes}
    assert len(kinds) == len(changes)
    assert {name for name, kind in kinds.items() if kind == "added"} == set(right) - set(left)
    assert {name for name, kind in kinds.items() if kind == "removed"} == set(left) - set(right)
    stayed = [name for name in right if name in left and kinds.get(name) != "moved"]
    assert stayed == [name for name in left if name in stayed]
    for name in (name for name, kind in kinds.items() if kind == "moved"):
        more = [*stayed, name]
        assert [n for n in left if n in more] != [n for n in right if n in more]
