"""What readers get: the record with the corrections that are in force. No I/O.

Everyone reads by these functions: people the transcript and the summary, engines their memory, and
the rules that make a summary anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sessions.record.listing import Reviewed
from sessions.record.model import Corrected, Item, Role, Sentence, Speaker, Summary
from sessions.record.summary_words import checked_by
from sessions.review.override import (
    Content,
    Override,
    Place,
    Section,
    Target,
    in_force,
    place_of,
    resolve,
)
from sessions.review.reasons import Kind

_ROLES: Mapping[Speaker, Role] = {
    "student": "user",
    "ai": "assistant",
    "tutor": "assistant",
    "system": "system",
}
_OF_ITEMS: tuple[Kind, ...] = ("words", "speaker", "answer")


@dataclass(frozen=True, slots=True)
class Reading:
    """An item as it is read now, and as it was recorded."""

    item: Item
    original: Item
    overrides: tuple[Override, ...] = ()
    "Those in force, newest first."

    @property
    def changed(self) -> bool:
        """Whether other words or another speaker stand here than were recorded."""
        return any(one.target.kind != "answer" for one in self.overrides)

    @property
    def answer(self) -> Override | None:
        """What the tutor should have said, where somebody wrote that."""
        return next((one for one in self.overrides if one.target.kind == "answer"), None)


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """A sentence of a summary as it is read now."""

    place: Place
    text: str
    item_ids: tuple[str, ...]
    original: str
    "What would stand here without the correction."
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class SummaryReading:
    """A summary as it is read now."""

    summary: Summary
    "As it was made."
    number: int
    made_at: datetime
    narrative: tuple[SentenceReading, ...]
    next_steps: tuple[SentenceReading, ...]
    done_well: SentenceReading | None
    stale: bool
    "Something of the transcript was corrected that it does not know of."
    past: tuple[Override, ...]
    "Corrections of earlier summaries' sentences that this one says no more, in order."


def of_items(items: Iterable[Item], overrides: Iterable[Override]) -> list[Reading]:
    """Items as they are read now, in the order they came."""
    ends = resolve(overrides)
    return [of_item(item, ends) for item in items]


def of_item(item: Item, ends: Mapping[Target, Override]) -> Reading:
    """One item as it is read now; `ends` as `resolve` gives them."""
    if not ends:
        return Reading(item, item)
    found = [end for kind in _OF_ITEMS if (end := ends.get(Target(kind, item.id))) is not None]
    if not found:
        return Reading(item, item)
    found.sort(key=_published_at, reverse=True)
    read = item
    answer: str | None = None
    for one in found:
        match one.target.kind, one.new:
            case "words", Content(text=str() as text):
                read = _with_words(read, text)
            case "speaker", Content(speaker=str() as speaker):
                read = _with_speaker(read, speaker)
            case "answer", Content(text=str() as text):
                answer = text
    corrected = Corrected(found[0].author.name, _published_at(found[0]), answer)
    return Reading(replace(read, corrected=corrected), item, tuple(found))


def of_summary(
    summary: Summary,
    number: int,
    made_at: datetime,
    overrides: Sequence[Override],
    reviewed: Reviewed | None = None,
) -> SummaryReading:
    """A session's newest summary as it is read now.

    Args:
        overrides: All of the session; those of other summaries' sentences count where this one
            says the same.
        reviewed: Who went through the session; if that was after this summary was made, it does
            not say any more that nobody has.
    """
    ends = resolve(overrides)
    by = reviewed.by if reviewed is not None and reviewed.at >= made_at else None

    def read(section: Section, sentences: Iterable[Sentence]) -> tuple[SentenceReading, ...]:
        return tuple(
            _sentence(Place(number, section, index), sentence, ends, by)
            for index, sentence in enumerate(sentences)
        )

    narrative = read("narrative", summary.narrative)
    next_steps = read("next_steps", summary.next_steps)
    done_well = read("done_well", (summary.done_well,) if summary.done_well else ())
    shown = {each.override.id for each in (*narrative, *next_steps, *done_well) if each.override}
    replaced = {one.replaces for one in overrides if one.published_at is not None}
    past = [
        (place.number, _published_at(end), end)
        for end in ends.values()
        if (place := place_of(end.target)) is not None
        and place.number < number
        and end.id not in shown
        and end.id not in replaced
    ]
    return SummaryReading(
        summary=summary,
        number=number,
        made_at=made_at,
        narrative=narrative,
        next_steps=next_steps,
        done_well=done_well[0] if done_well else None,
        stale=not known_to(ends) <= set(summary.overrides),
        past=tuple(end for *_, end in sorted(past, key=lambda each: each[:2])),
    )


def known_to(ends: Mapping[Target, Override]) -> set[str]:
    """The ids of the corrections that a summary made now takes into account."""
    return {str(end.id) for end in ends.values() if end.target.kind in _OF_ITEMS}


def _sentence(
    place: Place, sentence: Sentence, ends: Mapping[Target, Override], by: str | None
) -> SentenceReading:
    override = in_force(place.target, Content(text=sentence.text), ends)
    said = sentence.text if by is None else checked_by(by, sentence.text)
    text = said if override is None else (override.new.text or said)
    return SentenceReading(place, text, sentence.item_ids, said, override)


def _with_words(item: Item, text: str) -> Item:
    """Other words, which a person vouches for; what was heard in whole is heard in whole."""
    heard = text if item.heard is not None and item.heard == item.said else item.heard
    data = {**item.data, "sure": True} if "sure" in item.data else item.data
    return replace(item, said=text, heard=heard, words=(), data=data)


def _with_speaker(item: Item, speaker: Speaker) -> Item:
    """Another speaker; what reached the student is known of the tutor's side only."""
    heard = item.heard if _ROLES[speaker] == "assistant" else None
    return replace(item, speaker=speaker, role=_ROLES[speaker], heard=heard)


def _published_at(override: Override) -> datetime:
    assert override.published_at is not None, "only published ones are in force"
    return override.published_at
