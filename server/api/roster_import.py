"""A school's roster as a file, over HTTP."""

from pydantic import Field

from server.api.office import by, manages
from server.api.table import Call, Model, Route
from tenancy import roster_import
from tenancy.roster_file import COLUMNS, Problem

SHOWN = 200  # problems; who has more of them mends those first


class ImportQuery(Model):
    dry_run: bool = True
    "Only say what would be done, and everything that is wrong."


class FileProblem(Model):
    line: int
    "From 1, as an editor counts; the first one names the columns."
    column: str | None
    sentence: str


class FirstPassword(Model):
    """What somebody new signs in with, shown this once."""

    name: str
    email: str
    password: str


class ImportOutcome(Model):
    """With problems nothing was written."""

    rows: int
    "How many people the file lists."
    create: int
    update: int
    unchanged: int
    new_classes: list[str] = Field(default_factory=list)
    problems: list[FileProblem]
    more_problems: int = 0
    "How many there are besides those that are listed."
    created: list[FirstPassword]
    "In a dry run nobody."


async def import_people(call: Call) -> ImportOutcome:
    """Add people, classes and who belongs to whom; takes nothing away, and touches no password."""
    tenant_id, services = manages(call, "person"), call.services
    if call.query.dry_run:
        outcome = await roster_import.try_(services.database, tenant_id, call.body)
    else:
        outcome = await roster_import.import_(
            services.database, services.identities, tenant_id, call.body, by=by(call)
        )
    return ImportOutcome(
        rows=outcome.lines,
        create=outcome.create,
        update=outcome.update,
        unchanged=outcome.unchanged,
        new_classes=list(outcome.new_classes),
        problems=[_problem(problem) for problem in outcome.problems[:SHOWN]],
        more_problems=max(0, len(outcome.problems) - SHOWN),
        created=[
            FirstPassword(name=new.name, email=new.email, password=new.password)
            for new in outcome.created
        ],
    )


def _problem(problem: Problem) -> FileProblem:
    return FileProblem(line=problem.line, column=problem.column, sentence=problem.sentence)


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/people/import",
        import_people,
        f"Import a roster: CSV in UTF-8 with the columns {', '.join(COLUMNS)}",
        answer=ImportOutcome,
        query=ImportQuery,
        takes="text/csv",
        refuses=(409, 422, 429),
    ),
)
