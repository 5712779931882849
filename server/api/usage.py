"""What a school uses and lets itself use, over HTTP. Money is millionths of a US dollar."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from starlette.responses import Response

from server.api.office import by, manages
from server.api.table import Call, Model, Route
from sessions.review.spreadsheet import BOM, guarded, written
from tenancy import quota, usage
from tenancy.policy import Thing, require
from tenancy.quota import LimitName, State
from tenancy.usage import OfEngine, OfOne, PaidBy


def _month(text: str) -> str:
    usage.month(text)
    return text


Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$"), AfterValidator(_month)]


class UsageQuery(Model):
    month: Month | None = None
    "As 2026-11; the present one where it is left out. Months are UTC's."
    by: Literal["engine", "lesson", "student"] = "engine"
    "What rows of a CSV are of. JSON has all."
    format: Literal["json", "csv"] = "json"


class EngineUse(Model):
    """What one engine used of one thing; null where nobody knows the price."""

    kind: Literal["lesson", "test"]
    "test: a sentence that was said to try the engine; `sessions` counts these."
    engine: str
    model: str
    "Empty for what runs on this server."
    unit: str
    sessions: int
    quantity: int
    cost_micros: int | None
    price_micros: int | None
    paid_by: PaidBy
    "Whose key paid the provider; nobody: it runs on this server."


class OneUse(Model):
    """What the sessions of one lesson, or of one person, used."""

    id: UUID
    name: str
    sessions: int
    lesson_ms: int
    cost_micros: int
    price_micros: int
    in_part: bool
    "There is use besides whose price nobody knows."


class LimitState(Model):
    name: LimitName
    limit: int
    used: int
    state: State
    "near: from 80 % on; reached: new lessons are refused."


class UsageMonth(Model):
    month: str
    sessions: int
    lesson_ms: int
    cost_micros: int
    "The providers', as far as it is known."
    price_micros: int
    "At the school's own prices, as far as it is known."
    in_part: bool
    "There is use besides whose price nobody knows."
    server_cost_micros: int
    "So much of `cost_micros` was paid with the server's own keys."
    server_limit_micros: int | None
    "What the school may use of those in a month; then lessons go on without them. null: no limit."
    engines: list[EngineUse]
    lessons: list[OneUse]
    "The dearest first."
    students: list[OneUse]
    limits: list[LimitState]
    "As they stand now, whatever the month."


class Limits(Model):
    """null: no limit."""

    sessions: int | None
    "Running at once."
    minutes_day: int | None
    "Of all lessons together, in a day of UTC."
    money_month_micros: int | None
    "In a month of UTC, at the school's own prices."
    price_factor_permille: int
    "The school's own price of what costs a provider's 1,000."


class LimitsChange(Model):
    """What is left out stays; null takes a limit away."""

    sessions: Annotated[int, Field(ge=0, le=quota.MOST["sessions"])] | None = None
    minutes_day: Annotated[int, Field(ge=0, le=quota.MOST["minutes_day"])] | None = None
    money_month_micros: Annotated[int, Field(ge=0, le=quota.MOST["money_month_micros"])] | None = (
        None
    )
    price_factor_permille: (
        Annotated[int, Field(ge=0, le=quota.MOST["price_factor_permille"])] | None
    ) = None


class LimitsView(Model):
    limits: Limits
    standings: list[LimitState]


async def get_school_usage(call: Call) -> UsageMonth | Response:
    """What the school used in a month, and what it cost."""
    person, database, query = call.person, call.services.database, call.query
    require(person, "list", Thing("usage", person.tenant_id))
    tenant_id, now = person.tenant_id, datetime.now(UTC)
    since = usage.month(query.month) if query.month else quota.month_of(now)
    name = f"{since:%Y-%m}"
    if query.format == "csv":
        match query.by:
            case "engine":
                text = _engines_csv((await usage.of_month(database, tenant_id, since)).engines)
            case "lesson":
                text = _ones_csv("lesson", await usage.by_lesson(database, tenant_id, since))
            case _:
                text = _ones_csv("student", await usage.by_student(database, tenant_id, since))
        disposition = f'attachment; filename="usage-{name}-by-{query.by}.csv"'
        return Response(
            BOM + text,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": disposition},
        )
    found = await usage.of_month(database, tenant_id, since)
    return UsageMonth(
        month=name,
        sessions=found.sessions,
        lesson_ms=found.lesson_ms,
        cost_micros=found.cost_micros,
        price_micros=found.price_micros,
        in_part=found.in_part,
        server_cost_micros=found.server_cost_micros,
        server_limit_micros=call.services.engines.config.server_key_money_micros,
        engines=[EngineUse(**_fields(one, EngineUse)) for one in found.engines],
        lessons=_ones(await usage.by_lesson(database, tenant_id, since)),
        students=_ones(await usage.by_student(database, tenant_id, since)),
        limits=await _standings(call, now),
    )


async def get_limits(call: Call) -> LimitsView:
    """What the school lets itself use, and how far that is used up."""
    tenant_id = manages(call, "setting")
    return await _limits(call, await quota.limits(call.services.database, tenant_id))


async def change_limits(call: Call) -> LimitsView:
    """Change some of it. A limit keeps new lessons from beginning and ends none."""
    tenant_id = manages(call, "setting")
    changes = call.body.model_dump(exclude_unset=True)
    after = await quota.change(call.services.database, tenant_id, changes, by=by(call))
    call.services.lobby.quota.forget(tenant_id)
    return await _limits(call, after)


async def _limits(call: Call, found: quota.Limits) -> LimitsView:
    return LimitsView(
        limits=Limits(**_fields(found, Limits)), standings=await _standings(call, datetime.now(UTC))
    )


async def _standings(call: Call, now: datetime) -> list[LimitState]:
    found = await quota.standings(call.services.database, call.person.tenant_id, now)
    return [LimitState(**_fields(one, LimitState)) for one in found]


def _ones(found: Iterable[OfOne]) -> list[OneUse]:
    return [OneUse(**_fields(one, OneUse)) for one in found]


def _fields(one: object, model: type[Model]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in model.model_fields}


def _engines_csv(found: Iterable[OfEngine]) -> str:
    names = ("kind", "engine", "model", "unit", "paid_by", "sessions", "quantity")
    return written(
        [
            [*names, "cost_usd", "price_usd"],
            *(
                [
                    *(guarded(getattr(one, name)) for name in names),
                    _dollars(one.cost_micros),
                    _dollars(one.price_micros),
                ]
                for one in found
            ),
        ]
    )


def _ones_csv(what: str, found: Iterable[OfOne]) -> str:
    return written(
        [
            [what, "sessions", "minutes", "cost_usd", "price_usd", "all_known"],
            *(
                [
                    guarded(one.name),
                    str(one.sessions),
                    f"{one.lesson_ms / 60_000:.1f}",
                    _dollars(one.cost_micros),
                    _dollars(one.price_micros),
                    "no" if one.in_part else "yes",
                ]
                for one in found
            ),
        ]
    )


def _dollars(micros: int | None) -> str:
    """Exact; empty where nobody knows."""
    return "" if micros is None else f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school/usage",
        get_school_usage,
        "What the school used in a month",
        answer=UsageMonth,
        query=UsageQuery,
        media=("text/csv",),
    ),
    Route("GET", "/school/limits", get_limits, "The school's limits", answer=LimitsView),
    Route(
        "PATCH",
        "/school/limits",
        change_limits,
        "Change the school's limits",
        answer=LimitsView,
        body=LimitsChange,
    ),
)
