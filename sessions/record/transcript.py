"""The items of a session as people read them: JSON, WebVTT and plain text, without I/O.

What the student heard stands beside what was said, wherever the two differ; and what was corrected
says so, and by whom.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sessions.record.model import Item, Speaker, tool_of
from sessions.record.tool_words import tool_words
from sessions.review.override import Override
from sessions.review.readings import Reading

NOT_UNDERSTOOD = "(could not be understood)"
SHORTEST_CUE_MS = 1_000  # typed text takes no time, but a cue must be there long enough to be read
NAMES: Mapping[Speaker, str] = {
    "student": "Student",
    "ai": "Tutor (AI)",
    "tutor": "Tutor",
    "system": "Note",
}


def as_json(
    session_id: UUID, readings: Iterable[Reading], *, notes: bool = False
) -> dict[str, Any]:
    """`{session_id, items: [...]}` in conversation order.

    `sure` is false where the ears asked back, and null where nothing was listened to. `said` and
    `speaker` are what readers get; where that was corrected, `original` has what was recorded.
    `corrections` are all that are in force, newest first, and `correction` is the one to show: the
    answer that should have been given, else the newest.

    Args:
        notes: Whether to show why something was corrected, and what came of the tools that the
            tutor used; for staff.
    """
    return {
        "session_id": str(session_id),
        "items": [_entry(reading, notes) for reading in _in_order(readings)],
    }


def as_vtt(
    readings: Iterable[Reading], names: Mapping[Speaker, str] = NAMES, *, notes: bool = False
) -> str:
    """WebVTT: one cue an item, named by the item's id, its speaker as the voice.

    What was said but not heard has the class `unheard`; a NOTE before a cue tells of corrections.
    `notes` as for `as_json`.
    """
    blocks = ["WEBVTT\n"]
    for reading in sorted(
        readings, key=lambda each: (each.item.started_ms, each.original.position)
    ):
        item = reading.item
        end_ms = max(item.ended_ms or 0, item.started_ms + SHORTEST_CUE_MS)
        if reading.overrides:
            note = "; ".join(_one_line(line) for line in _corrections(reading))
            blocks.append(f"NOTE {note.replace('-->', '→')}\n")
        blocks.append(
            f"{_one_line(item.id)}\n"
            f"{clock(item.started_ms)} --> {clock(end_ms)}\n"
            f"<v {_escaped(names[item.speaker])}>{_vtt_words(item, notes)}</v>\n"
        )
    return "\n".join(blocks)


def as_text(
    readings: Iterable[Reading], names: Mapping[Speaker, str] = NAMES, *, notes: bool = False
) -> str:
    """One paragraph an item: when, who, what; what the student heard, where that was less; and
    what was corrected. `notes` as for `as_json`.
    """
    lines: list[str] = []
    for reading in _in_order(readings):
        item = reading.item
        head = f"[{clock(item.started_ms)[:8]}] {_one_line(names[item.speaker])}: "
        lines.append(head + _indented(told(item, notes) or NOT_UNDERSTOOD))
        if cut_off(item):
            heard = f"“{_indented(item.heard)}”" if item.heard else "nothing of it"
            lines.append(f"    ({_one_line(names['student'])} heard: {heard})")
        lines += [f"    ({_indented(line)})" for line in _corrections(reading)]
    return "\n".join(lines) + "\n" if lines else ""


def cut_off(item: Item) -> bool:
    """Whether it is known that less reached the student than was said."""
    return item.heard is not None and item.said is not None and item.heard != item.said


def told(item: Item, notes: bool) -> str | None:
    """What is read of an item's words; of a tool's use staff reads more."""
    return (tool_words(item) if notes else None) or item.said


def correction(override: Override, notes: bool) -> dict[str, Any]:
    """A correction in force, as readers are told of it."""
    return {
        "id": override.id,
        "kind": override.target.kind,
        "text": override.new.text,
        "by": {"id": override.author.id, "name": override.author.name},
        "at": override.published_at,
        "reasons": list(override.reasons),
        "note": (override.note or None) if notes else None,
    }


def _entry(reading: Reading, notes: bool) -> dict[str, Any]:
    item, original = reading.item, reading.original
    shown = reading.answer or next(iter(reading.overrides), None)
    return {
        "id": item.id,
        "role": item.role,
        "speaker": item.speaker,
        "kind": item.kind,
        "said": item.said,
        "heard": item.heard,
        "status": item.status,
        "interrupted": item.interrupted,
        "started_ms": item.started_ms,
        "ended_ms": item.ended_ms,
        "position": item.position,
        "sure": item.data.get("sure"),
        "tool": _tool(item, notes),
        "original": {"said": original.said, "speaker": original.speaker}
        if reading.changed
        else None,
        "correction": correction(shown, notes) if shown else None,
        "corrections": [correction(each, notes) for each in reading.overrides],
    }


def _tool(item: Item, notes: bool) -> dict[str, Any] | None:
    tool = tool_of(item)
    if tool is None:
        return None
    return {"name": tool["name"], "words": tool_words(item) if notes else None}


def _corrections(reading: Reading) -> Iterable[str]:
    """A sentence for each correction of an item, newest first."""
    original = reading.original
    for override in reading.overrides:
        by = override.author.name
        match override.target.kind:
            case "words":
                yield f"{by} corrected the words; recorded was: “{original.said or NOT_UNDERSTOOD}”"
            case "speaker":
                yield f"{by} corrected who spoke; recorded was: {NAMES[original.speaker]}"
            case "answer":
                yield f"{by} corrected this answer: “{override.new.text}”"


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda reading: reading.item.position)


def _vtt_words(item: Item, notes: bool) -> str:
    said = told(item, notes) or NOT_UNDERSTOOD
    if not cut_off(item) or item.heard is None:
        return _escaped(said)
    rest = said.removeprefix(item.heard)
    if rest == said:  # what was heard is no beginning of it: show both
        rest = f"[said: {said}]"
    heard = _escaped(item.heard)
    return f"{heard}{' ' if heard else ''}<c.unheard>{_escaped(rest)}</c>"


def _escaped(text: str) -> str:
    """As WebVTT wants cue text: one line, so that no blank line ends the cue."""
    return _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _indented(text: str) -> str:
    return "\n    ".join(line.strip() for line in text.strip().splitlines() if line.strip())


def clock(ms: int) -> str:
    """A time as `00:01:02.345`."""
    seconds, ms = divmod(max(ms, 0), 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
