"""How `.sql` files are read, and the rule that every query in them names its school."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy.sql import load, split

ROOT = Path(__file__).parents[2]
QUERY_FILES = sorted(
    path
    for room in ("server", "sessions", "tenancy")
    for path in (ROOT / room).rglob("*.sql")
    if path.parent.name != "migrations"
)
TABLE = re.compile(
    r"\b(?:FROM|JOIN|INTO|(?<!FOR )(?<!DO )(?<!KEY )UPDATE)\s+(?:ONLY\s+)?([a-z_][a-z0-9_.]*)"
)
CTE = re.compile(r"\b([a-z_][a-z0-9_]*)(?:\s*\([^()]*\))?\s+AS\s+(?:MATERIALIZED\s+)?\(")
SET_FUNCTIONS = ("unnest", "jsonb_to_recordset", "generate_series")
FUNCTION_FROM = re.compile(r"\b(?:EXTRACT|SUBSTRING|TRIM|OVERLAY)\s*\([^()]*\)", re.IGNORECASE)
INSERTED = re.compile(
    r"INSERT INTO [a-z_.]+\s*\(\s*tenant_id\b.*?(?:VALUES\s*\(|SELECT)\s*\$1\b", re.S
)


def test_queries_come_without_comments_and_semicolons(tmp_path, monkeypatch):
    package = tmp_path / "shelf"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "books.sql").write_text(
        "-- About books.\n\n-- one(id,\n--     title)\n-- The one; or none.\n"
        "SELECT ';' FROM books; -- end\n\n"
        "-- none()\nDELETE FROM books"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load("shelf", "books.sql") == {
        "one": "SELECT ';' FROM books",
        "none": "DELETE FROM books",
    }


@pytest.mark.parametrize("body", ["", "SELECT 1; SELECT 2;", "-- only a comment"])
def test_a_name_without_exactly_one_statement_is_refused(tmp_path, monkeypatch, body):
    package = tmp_path / f"shelf_{abs(hash(body))}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "books.sql").write_text(f"-- one(id)\n{body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"books\.sql: one holds"):
        load(package.name, "books.sql")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a;b'",
        "SELECT 'it''s; so'",
        r"SELECT E'it\'s; so'",
        'SELECT ";" FROM "a;b"',
        'SELECT "a"";b"',
        "SELECT $$;$$",
        "DO $do$ BEGIN; $$ ; $$ END $do$",
        "SELECT 1 /* ; /* ; */ ; */ + 2",
        "SELECT 1 -- ; '\n + 2",
        "SELECT $1 + $2",
        "SELECT a$b$ FROM c",
        "SELECT '--' || '/*'",
        "SELECT 'a\nb;\n'",
    ],
)
def test_a_semicolon_within_ends_nothing(statement):
    assert split(f"/* ; */ {statement} ;\n-- ;\n{statement};;") == [statement, statement]


QUOTED = st.text("ab;'\"$-/*\n", max_size=12)
PIECES = st.one_of(
    QUOTED.map(lambda text: "'" + text.replace("'", "''") + "'"),
    QUOTED.map(lambda text: '"' + text.replace('"', '""') + '"'),
    QUOTED.map(lambda text: f"$tag${text}$tag$"),
    QUOTED.map(lambda text: "-- " + text.replace("\n", " ") + "\n"),
    QUOTED.map(lambda text: "/* " + text.replace("*", " ").replace("/", " ") + " */"),
    st.sampled_from(["SELECT", "a", "$1", "(", ")", ",", "\n"]),
)


@given(
    st.lists(
        st.lists(PIECES, max_size=6).map(lambda p: "SELECT " + " ".join(p) + "\n1"), max_size=4
    )
)
def test_what_was_joined_by_semicolons_is_split_there(statements):
    assert split(";\n".join(statements)) == statements


def test_an_endless_comment_is_refused():
    with pytest.raises(ValueError, match="never closed"):
        split("SELECT 1 /* and")


def queries() -> list:
    found = []
    for path in QUERY_FILES:
        if not path.read_text().startswith("-- for: control\n"):
            package = ".".join(path.parent.relative_to(ROOT).parts)
            for name, query in load(package, path.name).items():
                found.append(pytest.param(query, id=f"{path.relative_to(ROOT)}:{name}"))
    return found


def names_its_school(query: str) -> bool:
    plain = FUNCTION_FROM.sub("", re.sub(r"--[^\n]*", "", query))
    named = [t for t in TABLE.findall(plain) if t not in (*CTE.findall(plain), *SET_FUNCTIONS)]
    of_cells = [table for table in named if not table.startswith("control.")]
    if not of_cells:
        return True
    by_condition = re.search(r"\btenant_id = \$1(?!\d)", plain)
    each_tied = len(re.findall(r"\btenant_id\b", plain)) >= len(of_cells)
    return bool(by_condition or INSERTED.search(plain)) and each_tied


@pytest.mark.parametrize("query", queries())
def test_every_query_names_its_school(query):
    assert names_its_school(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM people WHERE id = $1",
        "INSERT INTO people (id, tenant_id) VALUES ($1, $2)",
        "SELECT 1 FROM people JOIN roles ON roles.id = people.id WHERE tenant_id = $1",
        "UPDATE people SET name = $2 WHERE tenant_id = $10",
        "DELETE FROM people",
    ],
)
def test_the_rule_sees_a_query_that_forgets_its_school(query):
    assert not names_its_school(query)
