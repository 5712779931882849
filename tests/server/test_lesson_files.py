"""Lessons as files, from the command line."""

from pathlib import Path
from typing import Any

import pytest

from sessions.lessons.plan import read_plan
from tests.server.api.test_authoring import YAML
from tests.server.test_cli import Run, bare, make_school, run

__all__ = ["bare", "run"]
DEMO = Path(__file__).parents[2] / "sessions" / "lessons" / "demo"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "doubling.yaml") -> str:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(file)

    return write


def test_plans_are_linted_without_a_database(bare: Run, write: Any) -> None:
    good, warned = write(YAML), write(YAML.replace("Take three twice.", "It is six."), "hint.yaml")
    code, lines, errors = bare("lessons", "lint", good, warned)
    assert (code, errors) == (0, "")
    assert lines[0] == f"{good}: well"
    assert lines[1].startswith(f"{warned}:9: Step 1, hint 1: warning: This hint gives the answer")
    code, lines, _ = bare("lessons", "lint", *map(str, DEMO.glob("*.yaml")))
    assert code == 0 and {line.split(": ")[1] for line in lines} == {"well"}


def test_what_is_wrong_is_told_by_line_and_fails(bare: Run, write: Any) -> None:
    broken = write(YAML.replace("goal", "gaol"), "broken.yaml")
    open_end = write(YAML.replace("Double a number.", "Double {{ it."), "open.yaml")
    code, lines, errors = bare("lessons", "lint", write(YAML), broken, open_end)
    assert (code, errors) == (1, "")
    assert f"{broken}:5: gaol: there is no `gaol` here; did you mean `goal`?" in lines
    assert any(line.startswith(f"{open_end}:5: Goal: error: `{{{{it") for line in lines)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "this is not UTF-8"),
        (b"", "the plan is empty"),
        (b"x" * (10 << 20), "256 KiB at most"),
        (b"title: x\nsteps:\n" + b"- ask: x?\n" * 10_000, "split the lesson"),
        (b"a: " + b"[" * 5_000, "nested more than 8 deep"),
    ],
)
def test_files_that_are_no_plan_are_told_in_a_sentence(
    bare: Run, write: Any, content: bytes, sentence: str
) -> None:
    code, lines, errors = bare("lessons", "lint", write(content))
    assert code == 1 and errors == ""
    assert any(sentence in line for line in lines), lines


def test_a_file_that_is_not_there_is_named(bare: Run, tmp_path: Path) -> None:
    code, _, errors = bare("lessons", "lint", str(tmp_path / "none.yaml"))
    assert code == 1 and "none.yaml: No such file" in errors
    code, _, errors = bare("lessons", "lint", str(tmp_path))
    assert code == 1 and "Is a directory" in errors


def test_lessons_go_in_and_come_out(run: Run, write: Any) -> None:
    school = make_school(run, "--admin", "ana@school.example")
    other = make_school(run, "--admin", "bo@school.example")
    file = write(YAML)
    code, lines, errors = run(
        "lessons", "import", file, file, "--tenant", school, "--author", "Ana@school.example"
    )
    assert (code, errors) == (0, "")
    assert lines == [
        f"{file}: lesson doubling, a draft of ana",
        f"{file}: lesson doubling-2, a draft of ana",
    ]
    for more in ([], ["--format", "json"]):
        code, lines, errors = run("lessons", "export", "doubling", "--tenant", school, *more)
        assert (code, errors) == (0, "")
        assert read_plan("\n".join(lines)) == read_plan(YAML)
    code, _, errors = run("lessons", "export", "doubling", "--tenant", other)
    assert (code, errors) == (1, f"School {other} has no lesson 'doubling'.\n")


def test_nothing_is_imported_where_anything_is_wrong(run: Run, write: Any) -> None:
    school = make_school(run, "--admin", "ana@school.example")
    good, bad = write(YAML), write("title: x", "bad.yaml")
    start = ("lessons", "import", good)
    to = ("--tenant", school, "--author")
    code, lines, errors = run(*start, bad, *to, "ana@school.example")
    assert code == 1 and "Nothing is imported" in errors
    assert any("bad.yaml" in line for line in lines)
    code, _, errors = run(*start, *to, "nobody@school.example")
    assert (code, errors) == (1, "Nobody at this school has the e-mail 'nobody@school.example'.\n")
    code, _, errors = run("lessons", "import", good, "--tenant", "none", "--author", "a@b.c")
    assert code == 1 and errors
    code, _, errors = run("lessons", "export", f"none-{school}")
    assert (code, errors) == (1, f"No school has a lesson 'none-{school}'.\n")
    assert run("lessons", "import", good)[0] == 2
