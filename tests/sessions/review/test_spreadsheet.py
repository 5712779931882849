"""Sessions as rows of a table, safe to open in a spreadsheet."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.record.listing import Card
from sessions.record.model import Durations, Progress, SessionRow
from sessions.review import spreadsheet
from sessions.review.exports import Exported
from sessions.review.readings import of_items
from sessions.review.spreadsheet import guarded
from tests.sessions.review.corrections import SESSION, override
from tests.sessions.review.test_readings import ASKED, SPOKE

ROW = SessionRow(
    id=SESSION,
    student_id=UUID(int=1),
    lesson_id=UUID(int=2),
    lesson_version_id=UUID(int=3),
    brief_hash="b",
    sandbox=False,
    mode="voice",
    status="ended",
    started_at=datetime(2026, 11, 2, 12, 0, 5, 123, tzinfo=UTC),
    ended_at=datetime(2026, 11, 2, 12, 30, tzinfo=UTC),
    end_reason="finished",
    durations=Durations(),
    progress=Progress(),
    engines=("offline",),
    epoch=1,
    last_seq=2,
    last_seen_at=datetime(2026, 11, 2, 12, 30, tzinfo=UTC),
)
CARD = Card(ROW, "halves", "Halves", 3, "=Zoë, “Q”", True, None, "none", 0)


def exported(items, overrides=()):
    return Exported(CARD, of_items(items, overrides), None, overrides)


def read(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix(spreadsheet.BOM), newline="")))


def test_one_row_an_item_with_what_was_recorded_and_who_corrected_it():
    fix = override("words", "item_2", "two", "too")
    better = override("answer", "item_1", "What is a half?\nAsk.", ASKED.said)
    text = spreadsheet.heading(notes=True) + spreadsheet.rows(
        exported([ASKED, SPOKE], [fix, better]), notes=True
    )
    asked, spoke = read(text)
    assert spoke == {
        "session": str(SESSION),
        "started_at": "2026-11-02T12:00:05+00:00",
        "student": "'=Zoë, “Q”",
        "lesson": "Halves",
        "version": "3",
        "item": "item_2",
        "at": "00:00:01.000",
        "speaker": "Student",
        "said": "two",
        "heard": "",
        "recorded_speaker": "Student",
        "recorded_words": "too",
        "better_answer": "",
        "corrected": "words",
        "corrected_by": "Tayo Okafor",
        "corrected_at": fix.published_at.isoformat(),
        "reasons": "other",
        "notes": "because",
        "tool": "",
    }
    assert (asked["said"], asked["better_answer"]) == ("How many halves?", "What is a half?\nAsk.")
    assert text.startswith("\ufeffsession,started_at,student,")
    assert text.count("\r\n") == 3 and text.endswith("\r\n")


def test_notes_are_for_staff():
    some = exported([SPOKE], [override("words", "item_2", "two", "too")])
    assert "because" not in spreadsheet.rows(some, notes=False)
    assert "notes" not in spreadsheet.heading(notes=False)
    assert "tool" not in spreadsheet.heading(notes=False)
    widths = [
        len(next(csv.reader(io.StringIO(text))))
        for notes in (False, True)
        for text in (spreadsheet.heading(notes), spreadsheet.rows(some, notes))
    ]
    assert widths == [17, 17, 19, 19]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+SUM(A1)",
        "-2+3",
        "@x",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        "-1/2",
        "=",
        "-a",
        "--1",
    ],
)
def test_what_a_spreadsheet_would_take_for_a_formula_is_guarded(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["2", "-2", "+2", "-3,5", "-0.5 ", "1/2", "a=b", "two", "", "“-”"])
def test_numbers_and_words_are_left_alone(text):
    assert guarded(text) == text


def test_nothing_is_an_empty_cell():
    assert guarded(None) == ""


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_whatever_was_said_comes_back_from_the_table(texts):
    items = [
        replace(SPOKE, id=f"item_{n}", said=text or None, position=n)
        for n, text in enumerate(texts)
    ]
    found = read(spreadsheet.heading(False) + spreadsheet.rows(exported(items), False))
    assert [row["said"] for row in found] == [guarded(text) for text in texts]
