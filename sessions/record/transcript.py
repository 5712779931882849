"""The items of a session as people read them: JSON, WebVTT and plain text, without I/O.

What the student heard stands beside what was said, wherever the two differ.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sessions.record.model import Item, Speaker

NOT_UNDERSTOOD = "(could not be understood)"
SHORTEST_CUE_MS = 1_000  # typed text takes no time, but a cue must be there long enough to be read
NAMES: Mapping[Speaker, str] = {
    "student": "Student",
    "ai": "Tutor (AI)",
    "tutor": "Tutor",
    "system": "Note",
}


def as_json(session_id: UUID, items: Iterable[Item]) -> dict[str, Any]:
    """`{session_id, items: [...]}` in conversation order.

    `sure` is false where the ears asked back, and null where nothing was listened to.
    """
    return {"session_id": str(session_id), "items": [_entry(item) for item in _in_order(items)]}


def as_vtt(items: Iterable[Item], names: Mapping[Speaker, str] = NAMES) -> str:
    """WebVTT: one cue an item, named by the item's id, its speaker as the voice.

    What was said but not heard has the class `unheard`.
    """
    cues = ["WEBVTT\n"]
    for item in sorted(items, key=lambda item: (item.started_ms, item.position)):
        end_ms = max(item.ended_ms or 0, item.started_ms + SHORTEST_CUE_MS)
        cues.append(
            f"{_one_line(item.id)}\n"
            f"{_clock(item.started_ms)} --> {_clock(end_ms)}\n"
            f"<v {_escaped(names[item.speaker])}>{_vtt_words(item)}</v>\n"
        )
    return "\n".join(cues)


def as_text(items: Iterable[Item], names: Mapping[Speaker, str] = NAMES) -> str:
    """One paragraph an item: when, who, what; and what the student heard, where that was less."""
    lines: list[str] = []
    for item in _in_order(items):
        head = f"[{_clock(item.started_ms)[:8]}] {_one_line(names[item.speaker])}: "
        lines.append(head + _indented(item.said or NOT_UNDERSTOOD))
        if cut_off(item):
            heard = f"“{_indented(item.heard)}”" if item.heard else "nothing of it"
            lines.append(f"    ({_one_line(names['student'])} heard: {heard})")
    return "\n".join(lines) + "\n" if lines else ""


def cut_off(item: Item) -> bool:
    """Whether it is known that less reached the student than was said."""
    return item.heard is not None and item.said is not None and item.heard != item.said


def _entry(item: Item) -> dict[str, Any]:
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
    }


def _in_order(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.position)


def _vtt_words(item: Item) -> str:
    said = item.said or NOT_UNDERSTOOD
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


def _clock(ms: int) -> str:
    """`00:01:02.345`"""
    seconds, ms = divmod(max(ms, 0), 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
