"""Which correction counts, and what may be one: by pure rules, whatever is done in what order."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.record.model import Item
from sessions.review.override import (
    Content,
    Override,
    OverrideConflict,
    OverrideInvalid,
    Place,
    Target,
    check,
    in_force,
    original_of,
    place_of,
    resolve,
    states,
    successor,
)
from sessions.review.reasons import BY_CODE, KINDS, REASONS, codes_for
from tests.sessions.review.corrections import NOON, override

ORIGINALS = {
    Target("words", "item_2"): Content("too"),
    Target("speaker", "item_2"): Content(speaker="student"),
    Target("answer", "item_1"): Content("How many?"),
    Target("sentence", "1.narrative.0"): Content("You did it."),
    Target("sentence", "2.narrative.1"): Content("You did it."),
    Target("sentence", "2.narrative.0"): Content("You did more."),
    Target("next_step", "1.next_steps.0"): Content("Go on."),
}
TARGETS = list(ORIGINALS)
CODES = """
asr_misheard speaker_swap factual_error revealed_answer missed_mistake false_mistake wrong_location
weak_guidance not_actionable tone off_plan age_inappropriate unsafe privacy summary_omits
summary_overstates next_step_wrong confidence_wrong bias other
"""


def made_on(target: Target, text: str, after: Override | None) -> Override:
    draft = override(target.kind, target.id, text, published=False)
    return replace(
        draft, original=ORIGINALS[target], replaces=after.id if after is not None else None
    )


# ---- the property ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    target: int
    stale: bool
    "Made as if nothing had been published."


@dataclass(frozen=True)
class Publish:
    draft: int


STEPS = st.lists(
    st.one_of(
        st.builds(Draft, st.integers(0, len(TARGETS) - 1), st.booleans()),
        st.builds(Publish, st.integers(0, 12)),
    ),
    max_size=40,
)


@given(STEPS)
def test_any_series_of_publishes_leaves_one_current_text_for_each_target(steps):
    """Drafts made on anything, published in any order: each goes in or is refused, and what is in
    force changes by those that went in only."""
    drafts: list[Override] = []
    published: list[Override] = []
    texts: dict[Target, Content] = {}
    for step in steps:
        ends = resolve(published)
        if isinstance(step, Draft):
            target = TARGETS[step.target]
            now = in_force(target, ORIGINALS[target], ends)
            drafts.append(made_on(target, f"text {len(drafts)}", None if step.stale else now))
            continue
        if step.draft >= len(drafts) or drafts[step.draft].published_at is not None:
            continue
        draft = drafts[step.draft]
        try:
            succeeds = successor(draft, ends)
        except OverrideConflict as conflict:
            assert conflict.published == in_force(draft.target, draft.original, ends)
            assert draft.replaces != (conflict.published.id if conflict.published else None)
            continue
        at = NOON.replace(year=2027 + len(published))
        drafts[step.draft] = replace(draft, published_at=at, succeeds=succeeds)
        published.append(drafts[step.draft])
        texts[draft.target] = draft.new
    ends = resolve([*published, *drafts])
    for target in TARGETS:
        chain = {one.id: one for one in published if one.target == target}
        followed = {one.succeeds for one in chain.values()}
        assert len(followed) == len(chain), "nothing is followed by two"
        last = [one for id_, one in chain.items() if id_ not in followed]
        assert len(last) == (1 if chain else 0), "a chain has one end"
        assert ends.get(target) == (last[0] if last else None)
        assert (ends[target].new if chain else None) == texts.get(target)
    known = states(drafts)
    for draft in drafts:
        followed_by = [one for one in published if one.replaces == draft.id]
        expected = "superseded" if followed_by else "published"
        assert known[draft.id] == ("draft" if draft.published_at is None else expected)


# ---- one by one --------------------------------------------------------------------------------


def test_drafts_count_for_nothing():
    assert resolve([override("words", "item_2", "two", published=False)]) == {}


def test_a_sentence_said_again_keeps_its_correction_until_it_is_corrected_itself():
    first = override("sentence", "1.narrative.0", "You did well.", "You did it.")
    again, said = Target("sentence", "2.narrative.3"), Content("You did it.")
    ends = resolve([first])
    assert in_force(again, said, ends) == first
    assert in_force(again, Content("You did more."), ends) is None
    assert in_force(Target("sentence", "2.done_well.0"), said, ends) is None
    assert in_force(Target("next_step", "2.next_steps.0"), said, ends) is None
    second = override("sentence", "2.narrative.3", "You excelled.", "You did it.", after=first)
    ends = resolve([first, second])
    assert in_force(again, said, ends) == second
    assert in_force(Target("sentence", "3.narrative.0"), said, ends) == second
    assert states([first, second]) == {first.id: "superseded", second.id: "published"}


def test_whoever_was_made_on_what_is_gone_is_told_what_came_instead():
    first = override("words", "item_2", "two")
    second = override("words", "item_2", "to", after=first)
    late = made_on(Target("words", "item_2"), "tu", first)
    with pytest.raises(OverrideConflict, match="Tayo Okafor has published") as conflict:
        successor(late, resolve([first, second]))
    assert conflict.value.published == second
    with pytest.raises(OverrideConflict, match="Leave `replaces` out"):
        successor(replace(late, target=Target("words", "item_4")), resolve([first, second]))
    assert successor(replace(late, replaces=second.id), resolve([first, second])) == second.id


@pytest.mark.parametrize("place", [Place(1, "narrative", 0), Place(12, "next_steps", 3)])
def test_a_place_is_read_as_it_is_written(place):
    assert place_of(place.target) == place


@given(st.text("0123456789.narative_stpdowl", max_size=20))
def test_no_other_name_is_a_place(name):
    place = place_of(Target("sentence", name))
    assert place is None or str(place) == name


ITEM = Item("item_1", "assistant", "ai", "audio", 1, "completed", "How many?", 0)


def test_what_an_item_can_be_corrected_in():
    assert original_of("words", ITEM) == original_of("answer", ITEM) == Content("How many?")
    assert original_of("speaker", ITEM) == Content(speaker="ai")
    assert original_of("sentence", ITEM) is None
    human = replace(ITEM, speaker="tutor")
    assert original_of("answer", human) is None, "people's answers are not the AI's"
    assert original_of("words", replace(ITEM, said=None, role="user")) == Content(None)
    note = replace(ITEM, role="system", speaker="system")
    assert {original_of(kind, note) for kind in KINDS} == {None}


@pytest.mark.parametrize("kind", KINDS)
def test_only_reasons_that_fit_are_taken(kind):
    new = Content(speaker="ai") if kind == "speaker" else Content("x")
    for reason in REASONS:
        if kind in reason.kinds:
            check(Target(kind, "x"), new, [reason.code], "why")
        else:
            with pytest.raises(OverrideInvalid, match="does not fit here"):
                check(Target(kind, "x"), new, [reason.code], "why")


def test_the_codes_are_those_of_the_list():
    assert list(BY_CODE) == [
        "asr_misheard",
        "speaker_swap",
        "factual_error",
        "revealed_answer",
        "missed_mistake",
        "false_mistake",
        "wrong_location",
        "weak_guidance",
        "not_actionable",
        "tone",
        "off_plan",
        "age_inappropriate",
        "unsafe",
        "privacy",
        "summary_omits",
        "summary_overstates",
        "next_step_wrong",
        "confidence_wrong",
        "bias",
        "other",
    ]
    assert all(codes_for(kind)[-1] == "other" for kind in KINDS)
    assert len({reason.words for reason in REASONS}) == len(REASONS)
