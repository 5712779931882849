"""A school's roster as a file: CSV in UTF-8, one person a line. Reading it waits for nothing.

    name,email,role,grade_level,class,guardian_email,tutor_email

The columns come in any order; only the first three must be there. Commas, semicolons or tabs
separate cells, `|` separates several values in one. Whatever is wrong is told with its line.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tenancy import fields, people
from tenancy.errors import OfficeError
from tenancy.model import ROLES, Role

T = TypeVar("T")

MAX_PEOPLE = 5_000
MANY = 20  # values in one cell
SHOWN = 40  # characters of what somebody wrote, repeated in a sentence

NEEDED = ("name", "email", "role")
COLUMNS = (*NEEDED, "grade_level", "class", "guardian_email", "tutor_email")
ALSO_CALLED: Mapping[str, str] = {
    "e-mail": "email",
    "roles": "role",
    "role(s)": "role",
    "grade": "grade_level",
    "classes": "class",
    "guardian": "guardian_email",
    "guardians": "guardian_email",
    "tutor": "tutor_email",
    "tutors": "tutor_email",
}
ROLE_WORDS: Mapping[str, Role] = {
    **{role: role for role in ROLES},
    "teacher": "instructor",
    "guardian": "parent",
    "pupil": "student",
    "administrator": "admin",
}

_SEPARATORS = ",;\t"
_WORDS = re.compile(r"[\s|,;/]+")


class FileRefused(OfficeError):
    """A file that can't be read at all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a line."""

    line: int
    "From 1, as an editor counts."
    column: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody, as the file has them. What is empty there is left as it is at the school."""

    line: int
    name: str
    email: str
    roles: frozenset[Role]
    grade_level: str | None = None
    classes: tuple[str, ...] = ()
    guardians: tuple[str, ...] = ()
    "Their addresses."
    tutors: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """What a file says: rows that are whole, and what is wrong with the others."""

    lines: int = 0
    "How many people it lists."
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    "Addresses on lines that have problems."


def read(data: bytes) -> Reading:
    """The roster in a file.

    Raises:
        FileRefused: If it is no text in UTF-8, too long, or empty.
    """
    text = _text(data)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    reading = Reading()
    lines = _lines(text, separator, reading)
    header = next(lines, None)
    if header is None:
        if reading.problems:
            return reading
        raise FileRefused(f"The file is empty. It begins with a line {','.join(COLUMNS)}.")
    columns = _columns(header[1], header[0], reading)
    if columns is None:
        return reading
    seen: dict[str, int] = {}
    for line, cells in lines:
        reading.lines += 1
        if len(cells) > len(columns):
            told = f"This line has {len(cells)} cells, but the first line names {len(columns)}."
            reading.problems.append(Problem(line, None, told))
            continue
        cells += [""] * (len(columns) - len(cells))
        row = _row(line, dict(zip(columns, cells, strict=True)), reading)
        if row is None:
            reading.broken.add(people.plain_email(cells[columns.index("email")]))
            continue
        if row.email in seen:
            told = (
                f"{row.email} is on line {seen[row.email]} already. Give each person one line;"
                " several roles go into one cell, with | between them."
            )
            reading.problems.append(Problem(line, "email", told))
            continue
        seen[row.email] = line
        reading.rows.append(row)
    return reading


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:1_000]:
        raise FileRefused(
            "The file is in UTF-16. Save it as “CSV UTF-8” (in Excel: Save as) and try again."
        )
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_PEOPLE + 1:
        raise FileRefused(
            f"The file has more than {MAX_PEOPLE:,} lines. Split it, and import the parts."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        line = data.count(b"\n", 0, trouble.start) + 1
        raise FileRefused(
            f"Line {line} is not in UTF-8; it may be in Latin-1 (Windows). Save the file as"
            " “CSV UTF-8” (in Excel: Save as) and try again."
        ) from None
    if "\0" in text:
        raise FileRefused("The file holds signs (NUL) that no text has. Save it as “CSV UTF-8”.")
    return text


def _lines(text: str, separator: str, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """Lines with something in them, each with its number; one may go over several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            told = (
                "A quotation mark opens or closes in the wrong place, so nothing from here on can"
                ' be read. Within quotes a " is written twice.'
            )
            reading.problems.append(Problem(line, None, told))
            return
        while cells and not cells[-1].strip():  # spreadsheets write columns that nobody filled
            cells.pop()
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _columns(cells: Sequence[str], line: int, reading: Reading) -> list[str] | None:
    """The columns' names in their order; None if they are not right."""
    names = [ALSO_CALLED.get(name, name) for name in map(_column, cells)]
    wrong = []
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            shown = f"“{name[:SHOWN]}”" if name else "without a name"
            wrong.append((name, f"There is no column {shown} in a roster. There are: {known}."))
        elif names.count(name) > 1:
            wrong.append((name, f"The column {name} is there twice. Leave one of them out."))
    for name in NEEDED:
        if name not in names:
            wrong.append((name, f"The column {name} is missing. Name it in the first line."))
    reading.problems += [Problem(line, name[:SHOWN] or None, told) for name, told in wrong]
    return None if wrong else names


def _column(cell: str) -> str:
    return "_".join(cell.strip().lower().split())


def _row(line: int, cells: Mapping[str, str], reading: Reading) -> Row | None:
    """Somebody, if all of their cells are right."""
    before = len(reading.problems)

    def cell(column: str, as_: Callable[[str], T], default: T) -> T:
        text = cells.get(column, "")
        if not text.strip() and column not in NEEDED:
            return default
        try:
            return as_(text)
        except ValueError as reason:
            told = f"{str(reason)[:1].upper()}{str(reason)[1:]}."
            reading.problems.append(Problem(line, column, told))
            return default

    nothing: tuple[str, ...] = ()
    row = Row(
        line,
        cell("name", fields.name, ""),
        cell("email", fields.email, ""),
        cell("role", _roles, frozenset()),
        cell("grade_level", fields.grade, None),
        cell("class", _several("|", fields.class_name), nothing),
        cell("guardian_email", _several("|,; ", fields.email), nothing),
        cell("tutor_email", _several("|,; ", fields.email), nothing),
    )
    return row if len(reading.problems) == before else None


def _roles(text: str) -> frozenset[Role]:
    words = [word for word in _WORDS.split(text.strip().lower()) if word]
    if not words:
        raise ValueError(f"it is empty; write {_choices()}")
    for word in words:
        if word not in ROLE_WORDS:
            raise ValueError(f"“{word[:SHOWN]}” is no role; write {_choices()}")
    return frozenset(ROLE_WORDS[word] for word in words)


def _choices() -> str:
    return f"{', '.join(ROLES[:-1])} or {ROLES[-1]}"


def _several(separators: str, one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Several values in one cell, each only once."""
    between = re.compile(f"[{re.escape(separators)}]+")

    def several(text: str) -> tuple[str, ...]:
        parts = [part for part in between.split(text.strip()) if part.strip()]
        if len(parts) > MANY:
            raise ValueError(f"it lists more than {MANY}")
        return tuple(dict.fromkeys(map(one, parts)))

    return several
