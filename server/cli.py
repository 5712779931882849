"""`student-connect`: what an operator types. Every failure is a sentence and an exit code."""

import argparse
import asyncio
import gc
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from server.config import Config, ConfigInvalid, StartFailed
from server.observe import set_up_logs
from tenancy import audit, backup, fields, migrate, people
from tenancy.cells import SchoolRefused, create_tenant
from tenancy.crypto import Keyring, master_key_of
from tenancy.embedded import Embedded, borrowed
from tenancy.identities import Identities, issue_token
from tenancy.model import TenancyError, TenantUnknown
from tenancy.postgres import NO_TABLES, WENT_AWAY, Database

FAILED, MISUSED = 1, 2
INTERRUPTED = 130  # as shells have it: 128 + SIGINT


class Misused(Exception):
    """The command can't be meant so."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    options = _parser().parse_args(arguments)
    try:
        config = Config.from_environ(os.environ)
        set_up_logs(config.log_level, config.log_format)
        sys.exit(options.run(config, options))
    except ConfigInvalid as problem:
        for sentence in problem.problems:
            print(sentence, file=sys.stderr)
        sys.exit(MISUSED)
    except Misused as problem:
        print(problem, file=sys.stderr)
        sys.exit(MISUSED)
    except (StartFailed, TenancyError) as problem:
        print(problem, file=sys.stderr)
        sys.exit(FAILED)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"{where}{problem.strerror or problem or 'it took too long'}.", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except WENT_AWAY:
        print(
            "The database went away meanwhile. See that it runs, and run the command again.",
            file=sys.stderr,
        )
        sys.exit(FAILED)
    except NO_TABLES:
        print("This database has no tables yet. Run `student-connect migrate`.", file=sys.stderr)
        sys.exit(FAILED)
    except Exception as problem:
        print(_unforeseen(problem), file=sys.stderr)
        sys.exit(FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="student-connect",
        description="A real-time voice and chat tutoring server for schools.",
        epilog="Settings come from the environment; docs/running.md lists them.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="start everything and serve")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate, PEM")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, PEM")
    serve.add_argument(
        "--tls-self-signed", action="store_true", help="make a certificate, for development"
    )
    serve.set_defaults(run=_serve)

    up = commands.add_parser("migrate", help="bring every school's tables up to date")
    up.add_argument("--down", type=int, metavar="NNNN", help="roll one migration back instead")
    up.set_defaults(run=lambda config, options: _run(_migrate(config, options)))

    tenants = commands.add_parser("tenants", help="schools: create, list, show")
    verbs = tenants.add_subparsers(required=True, metavar="verb")
    create = verbs.add_parser("create", help="a new school")
    create.add_argument("slug", help="its short name, as lincoln-high")
    create.add_argument("--name", help="its name; default: the short name")
    create.add_argument("--cell", help="a schema to share with others; default: one of its own")
    create.add_argument("--domain", action="append", default=[], help="host name for its sign-in")
    create.add_argument(
        "--admin", type=_email, metavar="EMAIL", help="its first admin; prints a password"
    )
    create.set_defaults(run=lambda config, options: _run(_create(config, options)))
    every = verbs.add_parser("list", help="all schools")
    every.set_defaults(run=lambda config, options: _run(_list(config)))
    show = verbs.add_parser("show", help="one school")
    show.add_argument("slug")
    show.set_defaults(run=lambda config, options: _run(_show(config, options)))

    token = commands.add_parser("token", help="a bearer token for a person")
    token.add_argument("email")
    token.add_argument("--tenant", metavar="SLUG", help="the school, where several have the e-mail")
    token.add_argument(
        "--ttl", type=_duration, default=86_400, metavar="TIME", help="as 3600, 90m, 12h, 30d"
    )
    token.set_defaults(run=lambda config, options: _run(_token(config, options)))

    save = commands.add_parser("backup", help="write the whole database to a file")
    save.add_argument("file", type=Path)
    save.set_defaults(run=lambda config, options: _run(_backup(config, options)))
    load = commands.add_parser("restore", help="read a backup into an empty database")
    load.add_argument("file", type=Path)
    load.set_defaults(run=lambda config, options: _run(_restore(config, options)))

    check = commands.add_parser("check", help="look for what would keep the server from working")
    check.add_argument(
        "what",
        nargs="?",
        choices=("engines", "calls"),
        help="engines: say a sentence to each of a school's; calls: ports, STUN and TURN servers",
    )
    check.add_argument("--tenant", metavar="SLUG", help="the school whose engines are meant")
    check.set_defaults(run=lambda config, options: _run(_check(config, options)))

    simulate = commands.add_parser("simulate", help="be a provider of tutors, for tests and demos")
    simulate.add_argument("provider", choices=("nova", "openai", "converse"))
    simulate.add_argument("--port", type=int, default=0, help="default: any that is free")
    simulate.add_argument("--tls", action="store_true", help="with a certificate made for it")
    simulate.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=DETAIL][@SECONDS]",
        help="what goes wrong; a wrong name lists all; may be given several times",
    )
    simulate.add_argument(
        "--streams", type=int, default=1, metavar="N", help="how many sessions meet each fault"
    )
    simulate.add_argument("--cap", type=float, metavar="SECONDS", help="the longest session")
    simulate.add_argument(
        "--idle", type=float, metavar="SECONDS", help="nova: the longest silence on the wire"
    )
    simulate.set_defaults(run=lambda _, options: _simulate(options))

    lessons = commands.add_parser("lessons", help="lessons as files: lint, import, export")
    verbs = lessons.add_subparsers(required=True, metavar="verb")
    lint = verbs.add_parser("lint", help="check plans, YAML or JSON; no database is needed")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE")
    lint.set_defaults(run=lambda _, options: _lint(options))
    take = verbs.add_parser("import", help="a new lesson, as a draft, for each plan")
    take.add_argument("files", nargs="+", type=Path, metavar="FILE")
    take.add_argument("--tenant", metavar="SLUG", required=True, help="the school")
    take.add_argument("--author", metavar="EMAIL", required=True, help="whose lessons they are")
    take.set_defaults(run=lambda config, options: _run(_import(config, options)))
    give = verbs.add_parser("export", help="print a lesson's draft")
    give.add_argument("slug", help="as in the lesson's address")
    give.add_argument("--tenant", metavar="SLUG", help="the school, where several have the lesson")
    give.add_argument("--format", choices=("yaml", "json"), default="yaml")
    give.set_defaults(run=lambda config, options: _run(_export(config, options)))

    log = commands.add_parser("audit", help="the audit log: verify")
    what = log.add_subparsers(required=True, metavar="verb")
    verify = what.add_parser("verify", help="check every school's chain")
    verify.add_argument("--tenant", metavar="SLUG", help="one school only")
    verify.set_defaults(run=lambda config, options: _run(_verify(config, options)))
    return parser


def _unforeseen(problem: Exception) -> str:
    """A sentence for what has none; with where it happened, for a report."""
    frame = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"Something unforeseen happened: {type(problem).__name__}"
        f" ({Path(frame.filename).name}, line {frame.lineno}): {problem}"
    )


def _run(work: Coroutine[Any, Any, int]) -> int:
    """Whoever ends a command, by whatever signal, has it put away what it began."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
                signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    return asyncio.run(work)


def _email(text: str) -> str:
    try:
        return fields.email(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r}: {problem}") from None


def _duration(text: str) -> int:
    """Seconds of `3600`, `90m`, `12h`, `30d`."""
    units = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not number.isascii() or not number.isdigit() or not int(number[:9]) * units[unit] > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 3600, 90m, 12h or 30d")
    return int(number[:9]) * units[unit]


# ---- serve -----------------------------------------------------------------------------------


def _serve(config: Config, options: argparse.Namespace) -> int:
    if bool(options.tls_cert) != bool(options.tls_key):
        raise Misused("--tls-cert and --tls-key belong together: give both, or neither.")
    if options.tls_cert:
        for file in (options.tls_cert, options.tls_key):
            if not file.is_file():
                raise Misused(f"There is no file {file}.")
        config = replace(config, tls_cert=options.tls_cert, tls_key=options.tls_key)
    gc.disable()  # until it serves: hardly anything of a start is garbage
    from server.serving import serve  # the commands below do without it, and start faster

    return serve(config, self_signed=options.tls_self_signed)


# ---- commands on the database --------------------------------------------------------------------


@asynccontextmanager
async def _admin_url(config: Config) -> AsyncIterator[str]:
    """The admin's address of the database; of the embedded one, running or not."""
    if config.database_admin_url is not None:
        yield config.database_admin_url
    elif config.embedded:
        async with borrowed(config.data_dir) as place:
            yield place.admin_url
    else:
        raise Misused(
            "DATABASE_ADMIN_URL is missing: this command needs the role that owns the tables."
        )


@asynccontextmanager
async def _database(config: Config) -> AsyncIterator[Database]:
    """The database as the server sees it, where there is one."""
    if config.embedded:
        _made(config)
        async with borrowed(config.data_dir) as place:
            _whole(await migrate.up(place.admin_url))
            async with _opened(place.app_url, _keys(config)) as database:
                yield database
    else:
        assert config.database_url is not None
        async with _opened(config.database_url, _keys(config)) as database:
            yield database


@asynccontextmanager
async def _opened(url: str, keys: Keyring) -> AsyncIterator[Database]:
    database = await Database.open(url, keys, size=2)
    try:
        yield database
    finally:
        await database.close()


def _made(config: Config) -> None:
    """A command that only looks must not leave a new database behind."""
    if config.embedded and not (config.data_dir / "postgres" / "PG_VERSION").exists():
        raise Misused(
            f"There is no database in {config.data_dir}. Run `student-connect serve` first, or set"
            " DATA_DIR to the folder that has it."
        )


def _whole(outcome: migrate.Outcome) -> None:
    if outcome.failures:
        raise StartFailed("\n".join(map(str, outcome.failures)))


def _keys(config: Config) -> Keyring:
    return Keyring(config.master_key or master_key_of(config.data_dir)[0])


async def _migrate(config: Config, options: argparse.Namespace) -> int:
    if config.database_admin_url is None:
        _made(config)
    async with _admin_url(config) as url:
        if options.down is not None:
            outcome = await migrate.down(url, options.down, progress=_progress)
        else:
            outcome = await migrate.up(url, progress=_progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if outcome.failures:
        print(f"{outcome.done} migrations run. These cells stopped:")
        for failure in outcome.failures:
            print(f"  {failure}")
        print("Mend what the database says, and run it again: it goes on where it stopped.")
        return FAILED
    print(f"{outcome.done} migrations run." if outcome.done else "Nothing to do.")
    return 0


def _progress(done: int, total: int, what: str) -> None:
    """A bar on a terminal; nothing in a log file."""
    if sys.stderr.isatty():
        filled = 30 * done // total if total else 30
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r[{bar}] {done}/{total} {what[:32]:<32}", end="", file=sys.stderr, flush=True)


async def _create(config: Config, options: argparse.Namespace) -> int:
    if config.embedded and config.database_admin_url is not None:
        raise Misused("DATABASE_URL is missing: this command needs it beside DATABASE_ADMIN_URL.")
    keys, refused = _keys(config), None
    async with _admin_url(config) as url:
        _whole(await migrate.up(url))
        async with migrate.admin(url) as connection:
            try:
                tenant = await create_tenant(
                    connection,
                    keys,
                    slug=options.slug,
                    name=options.name or options.slug,
                    cell=options.cell,
                    domains=options.domain,
                )
                print(f"School {tenant.slug} ({tenant.id}) is in cell {tenant.cell}.")
            except SchoolRefused as problem:
                if not options.admin:
                    raise
                refused = problem
    if options.admin:
        await _first_admin(config, options, refused)
    return 0


async def _first_admin(
    config: Config, options: argparse.Namespace, refused: SchoolRefused | None
) -> None:
    """Also of a school that was `refused` since it is there, and that a broken run left without."""
    password = secrets.token_urlsafe(12)
    async with _database(config) as database:
        try:
            tenant = await database.tenant_by_slug(options.slug)
        except TenantUnknown:
            if refused:
                raise refused from None
            raise
        async with database.transaction(tenant.id) as connection:
            if refused and await people.has_admin(connection, tenant.id):
                raise refused
        identities = Identities(database)
        try:
            await identities.create_person(
                tenant.id,
                email=options.admin,
                name=options.admin.partition("@")[0],
                roles=frozenset({"admin"}),
                password=password,
            )
        finally:
            identities.close()
    print(f"Admin {options.admin}, password {password}")


async def _list(config: Config) -> int:
    async with _database(config) as database:
        for tenant in await database.tenants():
            print(f"{tenant.slug}\t{tenant.status}\t{tenant.cell}\t{tenant.name}")
    return 0


async def _show(config: Config, options: argparse.Namespace) -> int:
    async with _database(config) as database:
        tenant = await database.tenant_by_slug(options.slug)
    for name in ("slug", "name", "id", "cell", "status"):
        print(f"{name:<7} {getattr(tenant, name)}")
    return 0


async def _token(config: Config, options: argparse.Namespace) -> int:
    async with _database(config) as database:
        print(await issue_token(database, options.email, options.tenant, options.ttl))
    return 0


async def _backup(config: Config, options: argparse.Namespace) -> int:
    _made(config)
    async with _admin_url(config) as url:
        await backup.backup(url, options.file)
    print(f"Written to {options.file}. Keep the master key in another place; both are needed.")
    return 0


async def _restore(config: Config, options: argparse.Namespace) -> int:
    """Nobody else may be at the embedded database: a server would serve what is half restored."""
    backup.check(options.file)
    if config.embedded and config.database_admin_url is None:
        postgres = await Embedded.start(config.data_dir, holder="command")
        try:
            await backup.restore(postgres.place.admin_url, options.file)
        finally:
            await postgres.stop()
    else:
        async with _admin_url(config) as url:
            await backup.restore(url, options.file)
    print(f"Restored from {options.file}. Its words open only with the master key of that time.")
    return 0


async def _verify(config: Config, options: argparse.Namespace) -> int:
    failed = False
    async with _database(config) as database:
        if options.tenant:
            tenants = [await database.tenant_by_slug(options.tenant)]
        else:
            tenants = await database.tenants()
        for tenant in tenants:
            problems = await audit.verify(database, tenant.id)
            failed |= bool(problems)
            print(f"{tenant.slug}: {'; '.join(problems) if problems else 'whole'}")
    return FAILED if failed else 0


# ---- lessons -------------------------------------------------------------------------------------


def _lint(options: argparse.Namespace) -> int:
    from server import lesson_files  # as for `check`

    failed = False
    for file in options.files:
        looked = lesson_files.look(file)
        failed |= looked.failed
        print("\n".join(looked.lines) if looked.lines else f"{file}: well")
    return FAILED if failed else 0


async def _import(config: Config, options: argparse.Namespace) -> int:
    from server import lesson_files

    looked = [lesson_files.look(file) for file in options.files]
    for one in looked:
        for line in one.lines:
            print(line)
    if any(one.plan is None for one in looked):
        print("Nothing is imported. Mend what is listed, and try again.", file=sys.stderr)
        return FAILED
    async with _database(config) as database:
        async for line in lesson_files.take_in(database, options.tenant, options.author, looked):
            print(line, flush=True)  # what was broken off shows how far it came
    return 0


async def _export(config: Config, options: argparse.Namespace) -> int:
    from server import lesson_files

    async with _database(config) as database:
        text = await lesson_files.give_out(database, options.slug, options.tenant, options.format)
    print(text, end="")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    try:
        simulators = import_module("tests.fakes.simulate")
    except ModuleNotFoundError as problem:
        raise Misused(
            "The simulators come with the source, not with the installed package: run this in a"
            f" clone of the repository, with what `make test` installs ({problem.name} is missing)."
        ) from None
    try:
        return int(simulators.run(options))
    except simulators.UnknownFault as problem:
        raise Misused(str(problem)) from None


async def _check(config: Config, options: argparse.Namespace) -> int:
    if options.what == "calls" and not options.tenant:
        return await _check_calls(config)
    if (options.what == "engines") != bool(options.tenant):
        raise Misused("To try engines, say whose: `student-connect check engines --tenant SLUG`.")
    if options.what == "engines":
        return await _check_engines(config, options.tenant)
    from server import check  # the other commands do without the engine, and start faster

    well = True

    def show(finding: check.Finding) -> None:
        nonlocal well
        well &= finding.well
        print(f"{'well' if finding.well else 'ILL '}  {finding.about:<8}  {finding.sentence}")

    _made(config)
    show(await check.engine(config))
    async with _database(config) as database:
        async for finding in check.record(database):
            show(finding)
    return 0 if well else FAILED


async def _check_calls(config: Config) -> int:
    from server import check_calls

    well = True
    async for finding in check_calls.look(config):
        well &= finding.well
        print(f"{'well' if finding.well else 'ILL '}  {finding.about:<8}  {finding.sentence}")
    return 0 if well else FAILED


async def _check_engines(config: Config, slug: str) -> int:
    from server import check

    well = True
    async with _database(config) as database:
        async for outcome in check.engines(config, database, slug):
            well &= outcome.well
            print(f"{'well' if outcome.well else 'ILL '}  {outcome.engine:<15}  {outcome}")
    return 0 if well else FAILED
