"""What an operator types, and what they are told: sentences and exit codes."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from server import check, cli
from server.probe import Outcome
from tenancy import migrate
from tenancy.crypto import Keyring
from tenancy.embedded import Embedded, await_free
from tenancy.identities import Identities
from tenancy.ids import new_id
from tenancy.model import NotSignedIn
from tenancy.postgres import Database

MASTER_KEY = bytes(range(32))  # tests/conftest.py's
Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with no settings but those given; exit code, lines, and what went wrong."""
    monkeypatch.setattr(cli, "set_up_logs", lambda *_: None)

    def run(*arguments: str, **environ: str) -> tuple[int, list[str], str]:
        monkeypatch.setattr(os, "environ", environ)
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out.splitlines(), said.err

    return run


@pytest.fixture
def run(bare: Run, database_urls: Any, tmp_path: Path) -> Run:
    """The same on the tests' database."""
    return on(bare, database_urls, tmp_path)


def on(bare: Run, urls: Any, data_dir: Path) -> Run:
    def run(*arguments: str) -> tuple[int, list[str], str]:
        return bare(
            *arguments,
            DATABASE_URL=urls.app,
            DATABASE_ADMIN_URL=urls.admin,
            MASTER_KEY=MASTER_KEY.hex(),
            DATA_DIR=str(data_dir),
        )

    return run


def make_school(run: Run, *more: str) -> str:
    slug = f"c-{new_id().hex}"
    code, _, errors = run("tenants", "create", slug, "--cell", "pool_1", *more)
    assert code == 0, errors
    return slug


def test_wrong_settings_are_told_together_before_anything_is_done(bare: Run) -> None:
    code, lines, errors = bare("serve", PORT="x", ENGINE="y")
    assert (code, lines) == (2, [])
    assert len(errors.splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["tenants"],
        ["token"],
        ["token", "a@b.example", "--ttl", "soon"],
        ["token", "a@b.example", "--ttl", "0"],
        ["migrate", "--down", "all"],
    ],
)
def test_what_is_no_command_gets_the_usage(bare: Run, arguments: list[str]) -> None:
    code, _, errors = bare(*arguments)
    assert code == 2
    assert errors.startswith("usage: student-connect")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3_600), ("30s", 30), ("90m", 5_400), ("12h", 43_200), ("1d", 86_400)],
)
def test_a_time_is_written_as_people_write_it(text: str, seconds: int) -> None:
    assert cli._duration(text) == seconds


def test_a_certificate_without_its_key_is_refused(bare: Run, tmp_path: Path) -> None:
    code, _, errors = bare("serve", "--tls-cert", str(tmp_path))
    assert code == 2
    assert "--tls-key" in errors


@pytest.mark.parametrize(
    "arguments", [["token", "a@b.example"], ["tenants", "list"], ["audit", "verify"], ["check"]]
)
def test_a_command_that_only_looks_leaves_no_database_behind(
    bare: Run, tmp_path: Path, arguments: list[str]
) -> None:
    code, _, errors = bare(*arguments, DATA_DIR=str(tmp_path / "new"))
    assert code == 2
    assert "Run `student-connect serve` first" in errors
    assert not (tmp_path / "new").exists()


def test_what_nobody_foresaw_is_one_line(bare: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(cli, "_list", fail)
    code, _, errors = bare("tenants", "list")
    assert code == 1
    assert len(errors.splitlines()) == 1
    assert "ZeroDivisionError (test_cli.py, line " in errors


def test_a_school_is_made_listed_and_shown(run: Run) -> None:
    slug = make_school(run, "--name", "Lincoln High")
    code, lines, _ = run("tenants", "list")
    assert code == 0
    assert f"{slug}\tactive\tpool_1\tLincoln High" in lines
    code, lines, _ = run("tenants", "show", slug)
    assert ("slug    " + slug, "status  active") == (lines[0], lines[-1])


def test_a_school_that_is_there_is_not_made_again(run: Run) -> None:
    slug = make_school(run)
    code, _, errors = run("tenants", "create", slug, "--cell", "pool_1")
    assert code == 1
    assert slug in errors
    assert run("tenants", "show", f"{slug}x")[0] == 1


def test_a_school_that_has_no_admin_yet_gets_one(run: Run) -> None:
    slug = make_school(run)
    again = ("tenants", "create", slug, "--cell", "pool_1", "--admin")
    assert run(*again, "no address")[0] == 2
    code, lines, errors = run(*again, "first@c.example")
    assert (code, errors) == (0, "")
    assert lines[0].startswith("Admin first@c.example, password ")
    assert run("token", "first@c.example", "--tenant", slug)[0] == 0
    code, _, errors = run(*again, "second@c.example")
    assert code == 1
    assert "already" in errors


def test_a_new_database_is_the_servers_to_make(
    bare: Run, database_urls: Any, tmp_path: Path
) -> None:
    """`migrate` goes where it is told to; neither it nor a failed restore leaves half of one."""
    here = str(tmp_path / "new")
    assert bare("migrate", DATA_DIR=here)[0] == 2
    assert bare("restore", str(tmp_path / "none"), DATA_DIR=here)[0] == 1
    code, lines, _ = bare("migrate", DATA_DIR=here, DATABASE_ADMIN_URL=database_urls.admin)
    assert (code, lines) == (0, ["Nothing to do."])
    code, _, errors = bare(
        "tenants", "create", "x", DATA_DIR=here, DATABASE_ADMIN_URL=database_urls.admin
    )
    assert code == 2
    assert "DATABASE_URL is missing" in errors
    assert not (tmp_path / "new").exists()


async def test_a_token_is_the_last_line_and_lets_its_person_in(
    run: Run, database: Database
) -> None:
    slug = await asyncio.to_thread(make_school, run, "--admin", f"{new_id().hex}@x.example")
    tenant = await database.tenant_by_slug(slug)
    identities = Identities(database)
    try:
        person = await identities.create_person(
            tenant.id, email=f"{new_id().hex}@x.example", name="Sam", roles=frozenset({"student"})
        )
        code, lines, _ = await asyncio.to_thread(run, "token", person.email, "--ttl", "90m")
        assert code == 0
        assert (await identities.verify(lines[-1])).person.id == person.id
        with pytest.raises(NotSignedIn):
            await identities.verify(lines[-1] + "x")
    finally:
        identities.close()


async def test_who_is_at_several_schools_is_asked_which(run: Run, database: Database) -> None:
    email = f"{new_id().hex}@x.example"
    identities = Identities(database)
    slugs = []
    for _ in range(2):
        slugs.append(await asyncio.to_thread(make_school, run))
        tenant = await database.tenant_by_slug(slugs[-1])
        await identities.create_person(
            tenant.id, email=email, name="Sam", roles=frozenset({"tutor"})
        )
    identities.close()
    code, lines, errors = await asyncio.to_thread(run, "token", email)
    assert (code, lines) == (1, [])
    assert all(slug in errors for slug in slugs)
    assert (await asyncio.to_thread(run, "token", email, "--tenant", slugs[1]))[0] == 0


def test_there_is_no_token_for_a_stranger(run: Run) -> None:
    code, lines, errors = run("token", "nobody@nowhere.example")
    assert (code, lines) == (1, [])
    assert "nobody@nowhere.example" in errors


def test_a_migrated_database_has_nothing_to_do(run: Run) -> None:
    assert run("migrate") == (0, ["Nothing to do."], "")


def test_a_run_of_migrations_shows_how_far_it_is_and_lists_the_cells_that_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def up(_: str, *, progress: migrate.Progress) -> migrate.Outcome:
        for number in range(1, 4):
            progress(number, 4, f"school_{number}: 0002_people")
        failure = migrate.Failure("school_4", "0002_people", "there is no room")
        return migrate.Outcome(3, (failure,))

    monkeypatch.setattr(migrate, "up", up)
    code, lines, errors = run("migrate")
    assert (code, errors) == (1, "")  # no terminal, no bar
    assert lines[0].startswith("3 migrations run.")
    assert lines[1] == "  school_4: 0002_people: there is no room"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert "[######################........] 3/4 school_3: 0002_people" in run("migrate")[2]


def test_a_chain_that_is_whole_is_said_to_be(run: Run) -> None:
    slug = make_school(run)
    assert run("audit", "verify", "--tenant", slug) == (0, [f"{slug}: whole"], "")


async def cold(_: object) -> check.Finding:
    """Warming the real one takes seconds; tests/test_installed.py does it."""
    return check.Finding("engine", "It was not looked at.")


async def test_a_check_tells_of_work_that_was_given_up(
    bare: Run, make_database: Any, keys: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a database of its own: what other tests did to their schools would be told too."""
    monkeypatch.setattr(check, "engine", cold)
    urls = await make_database()
    run = on(bare, urls, tmp_path)
    await asyncio.to_thread(run, "migrate")
    slug = await asyncio.to_thread(make_school, run)
    code, lines, _ = await asyncio.to_thread(run, "check")
    assert code == 0
    assert [line.split()[:2] for line in lines] == [
        ["well", about] for about in ("engine", "database", "audit", "jobs")
    ]
    database = await Database.open(urls.app, keys)
    tenant = await database.tenant_by_slug(slug)
    async with database.control() as connection:
        await connection.execute(
            "INSERT INTO jobs (tenant_id, id, kind, key, payload, due_at, attempts, done_at,"
            " last_error) VALUES ($1, $2, 'summarise', 'k', '{}', now(), 8, now(), 'ValueError')",
            tenant.id,
            new_id(),
        )
    await database.close()
    code, lines, _ = await asyncio.to_thread(run, "check")
    assert code == 1
    (told,) = (line for line in lines if line.startswith("ILL "))
    assert "summarise" in told
    assert "8 attempts (ValueError)" in told


@pytest.mark.parametrize("arguments", [["engines"], ["--tenant", "lincoln"]])
def test_whose_engines_are_tried_must_be_said(run: Run, arguments: list[str]) -> None:
    code, _, errors = run("check", *arguments)
    assert code == 2
    assert "check engines --tenant SLUG" in errors


def test_engines_are_tried_in_order_and_what_is_ill_makes_it_fail(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tried(config: object, database: object, slug: str) -> AsyncIterator[Outcome]:
        yield Outcome("offline", True, "It said: “Hello.”", 1, 20, 300, "can you hear me")
        yield Outcome("nova-sonic", slug != "lincoln", "Give it a key.", code="not_configured")

    monkeypatch.setattr(check, "engines", tried)
    code, lines, _ = run("check", "engines", "--tenant", "springfield")
    assert code == 0
    assert lines[0] == (
        "well  offline          It said: “Hello.” It understood “can you hear me”."
        " (open after 1 ms, first words after 20 ms, first sound after 300 ms)"
    )
    code, lines, _ = run("check", "engines", "--tenant", "lincoln")
    assert code == 1
    assert lines[1] == "ILL   nova-sonic       Give it a key."


def test_a_backup_is_for_its_owner_and_not_restored_over_schools(run: Run, tmp_path: Path) -> None:
    make_school(run)
    file = tmp_path / "backup"
    assert run("backup", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, errors = run("restore", str(file))
    assert code == 1
    assert errors.endswith(".\n")


@pytest.mark.slow
async def test_nothing_is_restored_under_a_running_server(bare: Run, tmp_path: Path) -> None:
    file, here = tmp_path / "backup", tmp_path / "data"
    server = await Embedded.start(here, durable=False)
    await migrate.up(server.place.admin_url)
    saved = await asyncio.to_thread(bare, "backup", str(file), DATA_DIR=str(here))
    assert saved[0] == 0, "a backup may be made beside it"
    code, _, errors = await asyncio.to_thread(bare, "restore", str(file), DATA_DIR=str(here))
    assert code == 1
    assert errors.startswith("A student-connect server ") and "Stop it first" in errors
    await server.stop()
    code, lines, errors = await asyncio.to_thread(bare, "restore", str(file), DATA_DIR=str(here))
    assert (code, errors) == (0, "")
    assert lines[0].startswith("Restored from ")
    await await_free(here)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("@127.0.0.1:1/x", "The database does not"),
        ("@127.0.0.1:abc/x", "{} can't be used as it is written"),
        ("@127.0.0.1/x?sslmode=foo", "{} can't be used as it is written"),
    ],
)
def test_where_no_database_is_a_sentence_says_so(bare: Run, place: str, sentence: str) -> None:
    address = f"postgresql://x:s3cret{place}"
    for arguments, variable in (
        (["migrate"], "DATABASE_ADMIN_URL"),
        (["tenants", "list"], "DATABASE_URL"),
    ):
        code, _, errors = bare(
            *arguments,
            DATABASE_URL=address,
            DATABASE_ADMIN_URL=address,
            MASTER_KEY=MASTER_KEY.hex(),
        )
        assert code == 1
        assert errors.startswith(sentence.format(variable))
        assert "s3cret" not in errors
