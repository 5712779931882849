"""Corrections: what may be corrected, by what rules, and which of them counts. No I/O.

What was recorded never changes. An override stands beside it: a draft that only its author sees,
then published and unchangeable. Published overrides of one target form a chain: the first follows
nothing (NIL), each later one the one before, and the last one is what readers get.

OverrideError
+-- OverrideInvalid     it breaks a rule; `param` names the field
+-- TargetUnknown       the session holds no such thing
+-- SummaryMadeAnew     it holds a newer summary than the one that is corrected
+-- OverrideUnknown     no such override, or somebody else's draft
+-- OverridePublished   it can be changed no more
+-- OverrideConflict    somebody published another one first; `published` is that one, or None
+-- TooManyDrafts       of one author in one session
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sessions.errors import SessionsError
from sessions.record.model import Item, Speaker
from sessions.review.reasons import BY_CODE, OTHER, Kind, codes_for

TEXT_CHARACTERS = 8_000  # realtime.md: as much as one may type at once
NOTE_CHARACTERS = 2_000
DRAFTS = 200  # of one author in one session: more than there is to correct in an hour
NIL = UUID(int=0)
SPEAKERS: tuple[Speaker, ...] = ("student", "ai", "tutor")  # nobody speaks as the system
Section = Literal["narrative", "next_steps", "done_well"]
State = Literal["draft", "published", "superseded"]
_SECTIONS: Mapping[Section, Kind] = {
    "narrative": "sentence",
    "done_well": "sentence",
    "next_steps": "next_step",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is corrected: an item by its id, or a sentence by its place (`Place`)."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands: in which summary of the session, in what part, from 0."""

    number: int
    section: Section
    index: int

    def __str__(self) -> str:
        return f"{self.number}.{self.section}.{self.index}"

    @property
    def target(self) -> Target:
        return Target(_SECTIONS[self.section], str(self))


@dataclass(frozen=True, slots=True)
class Content:
    """What stood there, or what is right: a text, or for `speaker` who spoke."""

    text: str | None = None
    "Of an original: None where nothing could be understood."
    speaker: Speaker | None = None


@dataclass(frozen=True, slots=True)
class Author:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Override:
    """One correction."""

    id: UUID
    session_id: UUID
    target: Target
    original: Content
    "As it was recorded, whatever was corrected since."
    new: Content
    reasons: tuple[str, ...]
    note: str
    "For staff."
    author: Author
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None = None
    replaces: UUID | None = None
    "The override it was made on; None: on the original."
    succeeds: UUID | None = None
    "Once published: the one before it in its target's chain, or NIL."


class OverrideError(SessionsError):
    """Base of what corrections raise."""


class OverrideInvalid(OverrideError):
    """It breaks a rule."""

    def __init__(self, param: str, sentence: str) -> None:
        super().__init__(sentence)
        self.param = param


class TargetUnknown(OverrideError):
    """The session holds no such thing."""

    def __init__(self, target: Target) -> None:
        what, where = ("item", "transcript") if _is_item(target.kind) else ("sentence", "summary")
        super().__init__(
            f"There is no {what} {target.id[:80]!r} in this session that could be corrected like"
            f" this. Its {where} names those there are."
        )


class SummaryMadeAnew(OverrideError):
    """The sentence is one of an earlier summary, which nobody reads any more."""

    def __init__(self) -> None:
        super().__init__(
            "The summary was made anew meanwhile. Look at the new one, and correct its sentence if"
            " that is still needed."
        )


class OverrideUnknown(OverrideError):
    """No such override in this session, or somebody else's draft."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such correction for you. GET /api/v1/sessions/{id}/overrides lists those"
            " that you may see."
        )


class OverridePublished(OverrideError):
    """It can be changed no more."""

    def __init__(self) -> None:
        super().__init__(
            "This correction is published and stays as it is. Make another one that replaces it."
        )


class OverrideConflict(OverrideError):
    """Another one is in force than this one was made on."""

    def __init__(self, published: Override | None) -> None:
        self.published = published
        super().__init__(
            f"{published.author.name} has published a correction of this meanwhile. Look at it, and"
            " publish yours in its place if it is still needed."
            if published
            else "The correction that this one replaces is not in force here. Leave `replaces` out."
        )


class TooManyDrafts(OverrideError):
    def __init__(self) -> None:
        super().__init__(
            f"You have {DRAFTS} unpublished corrections in this session. Publish or drop some."
        )


# ---- what may be corrected, and how -----------------------------------------------------------


def check(target: Target, new: Content, reasons: Sequence[str], note: str) -> None:
    """Whether a correction is whole and its reasons fit. Raises OverrideInvalid."""
    if target.kind == "speaker":
        if new.speaker not in SPEAKERS or new.text is not None:
            raise OverrideInvalid("new.speaker", f"Say who spoke: {', '.join(SPEAKERS)}.")
    elif new.text is None or new.speaker is not None or not new.text.strip():
        raise OverrideInvalid("new.text", "Write what should stand there.")
    elif len(new.text) > TEXT_CHARACTERS:
        raise OverrideInvalid(
            "new.text",
            f"The new text has {len(new.text):,} characters; at most {TEXT_CHARACTERS:,} are kept.",
        )
    if not reasons or len(set(reasons)) != len(reasons):
        raise OverrideInvalid("reasons", "Give at least one reason, and each only once.")
    for code in reasons:
        if code not in BY_CODE:
            raise OverrideInvalid(
                "reasons", f"There is no reason {code[:80]!r}. GET /api/v1/reasons lists them."
            )
        if target.kind not in BY_CODE[code].kinds:
            fitting = ", ".join(codes_for(target.kind))
            raise OverrideInvalid(
                "reasons", f"The reason {code!r} does not fit here. These do: {fitting}."
            )
    if OTHER in reasons and not note.strip():
        raise OverrideInvalid("note", "For `other` the note has to say why.")
    if len(note) > NOTE_CHARACTERS:
        raise OverrideInvalid("note", f"A note may have {NOTE_CHARACTERS:,} characters.")


def original_of(kind: Kind, item: Item) -> Content | None:
    """What an item holds that a kind of correction is about; None: it can't be corrected so.

    `answer` is about what the AI should have said, `words` about what was said.
    """
    if item.role == "system":
        return None
    match kind:
        case "words":
            return Content(text=item.said)
        case "speaker":
            return Content(speaker=item.speaker)
        case "answer":
            return Content(text=item.said) if item.speaker == "ai" else None
        case _:
            return None


def place_of(target: Target) -> Place | None:
    """Where a sentence stands; None where the target names no sentence of its kind."""
    number, _, rest = target.id.partition(".")
    section, _, index = rest.partition(".")
    for known, kind in _SECTIONS.items():
        if known == section and kind == target.kind and _counts(number) and _counts(index):
            return Place(int(number), known, int(index)) if number != "0" else None
    return None


def _is_item(kind: Kind) -> bool:
    return kind in ("words", "speaker", "answer")


def _counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and str(int(text)) == text


# ---- which one counts -------------------------------------------------------------------------


def resolve(overrides: Iterable[Override]) -> dict[Target, Override]:
    """The end of each target's chain: at most one override a target. Drafts count for nothing."""
    published = [one for one in overrides if one.published_at is not None]
    followed = {(one.target, one.succeeds) for one in published}
    return {one.target: one for one in published if (one.target, one.id) not in followed}


def in_force(target: Target, original: Content, ends: Mapping[Target, Override]) -> Override | None:
    """What readers get in place of `original`; None: the original itself.

    A summary made anew has sentences of its own. Where it says again what an earlier one said, the
    correction of that counts on, until the new sentence is corrected itself.
    """
    own = ends.get(target)
    here = place_of(target)
    if own is not None or here is None:
        return own
    earlier = [
        (place.number, place.index, end)
        for end in ends.values()
        if (place := place_of(end.target)) is not None
        and place.section == here.section
        and place.number < here.number
        and end.original == original
    ]
    return max(earlier, key=lambda each: each[:2])[2] if earlier else None


def successor(draft: Override, ends: Mapping[Target, Override]) -> UUID:
    """What a draft will follow in its target's chain once it is published.

    Raises:
        OverrideConflict: If it was made on something else than what is in force now.
    """
    now = in_force(draft.target, draft.original, ends)
    if draft.replaces != (now.id if now else None):
        raise OverrideConflict(now)
    return now.id if now and now.target == draft.target else NIL


def states(overrides: Iterable[Override]) -> dict[UUID, State]:
    """What each of a session's overrides is now."""
    known = list(overrides)
    followed = {one.replaces for one in known if one.published_at is not None}
    return {
        one.id: "draft"
        if one.published_at is None
        else "superseded"
        if one.id in followed
        else "published"
        for one in known
    }
