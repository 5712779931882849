"""A roster as a file: every way that schools save one, and every mistake by its line."""

import time

import pytest

from tenancy.roster_file import MAX_PEOPLE, FileRefused, Row, read

HEADER = "name,email,role,grade_level,class,guardian_email,tutor_email\n"


def told(text: str) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.sentence) for one in read(text.encode()).problems]


def test_a_whole_roster_is_read() -> None:
    text = (
        HEADER
        + " Zoë  Quince ,Zoe@Quince.example,student,4,Class 4b|Chess,pat@q.example;sam@q.example,"
        "\n\n"
        '"Okafor, Tayo",tayo@school.example,"tutor, Teacher",,Class 4b,,\n'
        "Pat,pat@q.example,parent\n"
    )
    reading = read(text.encode())
    assert reading.problems == []
    assert reading.lines == 3
    assert reading.rows == [
        Row(
            2,
            "Zoë Quince",
            "zoe@quince.example",
            frozenset({"student"}),
            "4",
            ("Class 4b", "Chess"),
            ("pat@q.example", "sam@q.example"),
        ),
        Row(
            4,
            "Okafor, Tayo",
            "tayo@school.example",
            frozenset({"tutor", "instructor"}),
            None,
            ("Class 4b",),
        ),
        Row(5, "Pat", "pat@q.example", frozenset({"parent"})),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfname,email,role\nZo\xc3\xab,z@q.example,student\n",
        b"Name;E-Mail;Role(s)\r\nZo\xc3\xab;z@q.example;student\r\n",
        b"email\trole\tNAME\nz@q.example\tstudent\tZo\xc3\xab",
        b"ROLES,name,email\rpupil,Zo\xc3\xab,Z@Q.EXAMPLE\r",
        b'"name","email","role","tutors",\n"Zo\xc3\xab","z@q.example","student","",""\n',
    ],
    ids=["BOM", "semicolons", "tabs", "old Mac", "quotes"],
)
def test_however_it_was_saved(data: bytes) -> None:
    (row,) = read(data).rows
    assert (row.name, row.email, row.roles) == ("Zoë", "z@q.example", {"student"})


def test_every_mistake_is_told_by_line_and_column() -> None:
    text = (
        HEADER
        + "Ana,ana@school,student,,,,\n"
        + ",bo@s.example,boss,,,,\n"
        + "Cy,cy@s.example,student,,,pat at home,x@y\n"
        + "Di,di@s.example,,,,,\n"
        + "Ed,ed@s.example,student,,,,,,too,many\n"
        + "Ana,DI2@s.example,student,,,,\n"
        + '"A\nB",di2@s.example,student,,,,\n'
        + f"{'x' * 121},f@s.example,student,{'y' * 41},{'z' * 81},,\n"
    )
    problems = told(text)
    assert [(line, column) for line, column, _ in problems] == [
        (2, "email"),
        (3, "name"),
        (3, "role"),
        (4, "guardian_email"),
        (4, "tutor_email"),
        (5, "role"),
        (6, None),
        (8, "email"),
        (10, "name"),
        (10, "grade_level"),
        (10, "class"),
    ]
    said = [sentence for _, _, sentence in problems]
    assert said[0].startswith("It is not an e-mail address; write one like")
    assert said[2] == "“boss” is no role; write student, instructor, tutor, parent or admin."
    assert "10 cells, but the first line names 7" in said[6]
    assert "di2@s.example is on line 7 already" in said[7]
    assert all(sentence.endswith(".") for sentence in said)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("name,email", [("role", "missing")]),
        ("name,name,email,role", [("name", "twice")]),
        ("name,email,role,password", [("password", "no column “password”")]),
        ("name,email,role,,class", [(None, "no column without a name")]),
        ("role,roles,name,email", [("role", "twice")]),
        ("Ana,ana@s.example,student", [("ana", "no column"), ("name", "missing")]),
    ],
)
def test_columns_that_are_not_right(header: str, expected: list[tuple[str | None, str]]) -> None:
    problems = told(header + "\nAna,ana@s.example,nonsense\n")
    assert {line for line, _, _ in problems} == {1}
    for column, words in expected:
        assert any(column == where and words in said for _, where, said in problems)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n,,\n", "is empty"),
        ("name,email,role\n".encode("utf-16"), "UTF-16"),
        ("name,email,role\nZoë,z@q.example,student\n".encode("utf-16-le"), "UTF-16"),
        ("name,email,role\n\nZoë,z@q.example,student\n".encode("latin-1"), "Line 3 is not in UTF"),
        (b"name,email,role\n" + b"x" * 2_000 + b"\0", "NUL"),
        (b"a\n" * 50_000, "more than 5,000 lines"),
        (b"\n" * (1 << 20), "more than 5,000 lines"),
        (b"\r" * 50_000, "more than 5,000 lines"),
        (b"PK\x03\x04" + b"\0" * 900, "UTF-16"),
    ],
)
def test_what_is_no_roster_is_refused_at_once(data: bytes, words: str) -> None:
    began_s = time.process_time()
    with pytest.raises(FileRefused, match=words):
        read(data)
    assert time.process_time() - began_s < 1


def test_a_quotation_mark_out_of_place_ends_the_reading() -> None:
    problems = told(HEADER + 'Ana,a@s.example,student\n"Bo"x,b@s.example,student\n')
    ((line, column, sentence),) = problems
    assert (line, column) == (3, None) and "quotation mark" in sentence
    ((line, _, _),) = told(HEADER + '"never closed,' + "x" * 900_000)
    assert line == 2


def test_the_longest_file_is_read() -> None:
    lines = [f"Person {n},p{n}@school.example,student,4,4b" for n in range(MAX_PEOPLE)]
    reading = read((HEADER + "\n".join(lines) + "\n").encode())
    assert (reading.lines, len(reading.rows), reading.problems) == (MAX_PEOPLE, MAX_PEOPLE, [])
