"""Sessions as rows of a table, for spreadsheets: RFC 4180, one row an item. No I/O.

In UTF-8 with a byte order mark, without which Excel takes é for Ã©; others pass over it. What a
spreadsheet would take for a formula has an apostrophe before it: students type what they like.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable

from sessions.record.listing import Card
from sessions.record.tool_words import tool_words
from sessions.record.transcript import NAMES, clock
from sessions.review.exports import Exported
from sessions.review.override import Override
from sessions.review.readings import Reading

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+\-]?\d+(?:[.,]\d+)?\s*")

Cell = Callable[[Reading], object]


def _joined(part: Callable[[Override], object]) -> Cell:
    """Something of each correction of an item that is in force."""
    return lambda reading: "; ".join(str(part(one)) for one in reading.overrides)


SESSION: dict[str, Callable[[Card], object]] = {
    "session": lambda card: card.row.id,
    "started_at": lambda card: card.row.started_at.isoformat(timespec="seconds"),
    "student": lambda card: card.student_name,
    "lesson": lambda card: card.lesson_title,
    "version": lambda card: card.version,
}
ITEM: dict[str, Cell] = {
    "item": lambda reading: reading.item.id,
    "at": lambda reading: clock(reading.item.started_ms),
    "speaker": lambda reading: NAMES[reading.item.speaker],
    "said": lambda reading: reading.item.said,
    "heard": lambda reading: reading.item.heard,
    "recorded_speaker": lambda reading: NAMES[reading.original.speaker],
    "recorded_words": lambda reading: reading.original.said,
    "better_answer": lambda reading: reading.answer.new.text if reading.answer else None,
    "corrected": _joined(lambda one: one.target.kind),
    "corrected_by": _joined(lambda one: one.author.name),
    "corrected_at": _joined(
        lambda one: one.published_at.isoformat(timespec="seconds") if one.published_at else ""
    ),
    "reasons": _joined(lambda one: " ".join(one.reasons)),
}
NOTES: dict[str, Cell] = {
    "notes": _joined(lambda one: one.note),
    "tool": lambda reading: tool_words(reading.original),
}
"For staff."


def heading(notes: bool) -> str:
    """The first row."""
    return BOM + written([[*SESSION, *ITEM, *(NOTES if notes else ())]])


def rows(exported: Exported, notes: bool) -> str:
    """A row for each item of a session, in conversation order."""
    first = [guarded(cell(exported.card)) for cell in SESSION.values()]
    cells = [*ITEM.values(), *(NOTES.values() if notes else ())]
    return written(
        [*first, *(guarded(cell(reading)) for cell in cells)] for reading in exported.readings
    )


def guarded(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; plain numbers are left alone."""
    text = "" if value is None else str(value)
    if text[:1].isalnum():
        return text
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def written(cells: Iterable[Iterable[str]]) -> str:
    """Rows as text."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(cells)
    return written.getvalue()
