"""A session's summary and practice questions, written by the school's language model.

The summary by rules (`sessions.record.summary`) is made first and is what remains where the model
can't be asked, or where too little of what it wrote holds (`sessions.record.checked`). How far the
lesson came, what could not be understood and who made the summary are always told by rules.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import orjson
import structlog

from ai.engine import Brief, EngineError, Spent
from ai.language import LanguageModel, Said, TextDelta
from ai.local.sentences import question_of
from ai.prices import Prices, Tariff
from sessions.record import sessions
from sessions.record.checked import checked_practice, checked_summary
from sessions.record.model import Item, Progress, SessionRow, Summary, Usage, tool_of
from sessions.record.summary import by_model
from tenancy import quota
from tenancy.postgres import Database

WITHIN_S = 45.0
MOST_TOKENS = 3_000  # a summary is some 400; some models think first
MOST_WRITTEN = 20_000  # characters
MOST_SAID = 60_000  # characters of a lesson, from its beginning; an hour is some 30,000
MOST_PRACTICE = 6  # questions, those of the lesson among them

_PROMPTS = files("ai").joinpath("prompts")
_SUMMARY = _PROMPTS.joinpath("summary.md").read_text(encoding="utf-8").strip()
_PRACTICE = _PROMPTS.joinpath("practice.md").read_text(encoding="utf-8").strip()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model answered, and what that cost."""

    text: str
    spent: tuple[Spent, ...]


LanguageModelOf = Callable[[UUID], Awaitable[LanguageModel | None]]
"A school's language model; None: it has none."

OnServer = Callable[[UUID], Awaitable[frozenset[str]]]
"The models that a school uses with the server's own key."

NO_PRICES = Prices("", {}, {})


async def no_model(tenant_id: UUID) -> LanguageModel | None:
    """No school has one."""
    return None


async def none_on_server(tenant_id: UUID) -> frozenset[str]:
    """Every school has its own keys."""
    return frozenset()


class Author:
    """Has a school's language model write what is kept of its sessions, and counts the cost."""

    def __init__(
        self,
        database: Database,
        language_model: LanguageModelOf,
        prices: Prices,
        on_server: OnServer = none_on_server,
    ) -> None:
        self._database = database
        self._language_model = language_model
        self._prices = prices
        self._on_server = on_server

    async def write(
        self,
        tenant_id: UUID,
        row: SessionRow,
        brief: Brief,
        items: Sequence[Item],
        by_rules: Summary,
    ) -> Summary:
        """The summary in the model's words where there is a model, and where they hold.

        By rules too where the school has used up its money for the month.
        """
        try:
            model = await self._language_model(tenant_id)
        except Exception as problem:
            log.warning("summary.no_model", problem=type(problem).__name__)
            return by_rules
        if model is None:
            return by_rules
        if await quota.is_money_used_up(self._database, tenant_id, datetime.now(UTC)):
            return by_rules
        summary, spent = await written(model, brief, items, row.progress, by_rules)
        if spent:
            decided = await quota.limits(self._database, tenant_id)
            tariff = Tariff(self._prices, decided.price_factor_permille)
            used = _usage(spent, tariff, await self._on_server(tenant_id))
            await sessions.add_usage(self._database, tenant_id, row.id, used)
        return summary


def _usage(spent: Sequence[Spent], tariff: Tariff, on_server: frozenset[str]) -> list[Usage]:
    totals: dict[tuple[str, str], int] = {}
    for one in spent:
        totals[one.unit, one.model] = totals.get((one.unit, one.model), 0) + one.quantity
    used = []
    for (unit, model), quantity in totals.items():
        cost, price = tariff.of(model, unit, quantity)
        servers = (quantity, cost or 0) if model in on_server else (0, 0)
        used.append(Usage("summary", unit, quantity, model, cost, price, *servers))
    return used


async def written(
    model: LanguageModel,
    brief: Brief,
    items: Sequence[Item],
    progress: Progress,
    by_rules: Summary,
) -> tuple[Summary, tuple[Spent, ...]]:
    """The summary in the model's words, as far as they hold; and what asking cost."""
    summary = by_rules
    spent: tuple[Spent, ...] = ()
    told = _told(items)
    try:
        answer = await _ask(model, _SUMMARY, _lesson(brief) | {"items": [row for row, _ in told]})
        spent += answer.spent
        said = {row["id"]: (item.id, item.said or "") for row, item in told if "id" in row}
        lesson = [brief.title, brief.goal, *(step.ask for step in brief.steps)]
        if (found := checked_summary(answer.text, said, lesson)) is not None:
            summary = replace(
                by_rules,
                narrative=(*found.narrative, *by_model(model.name, brief, items, progress)),
                next_steps=found.next_steps or by_rules.next_steps,
                done_well=found.done_well or by_rules.done_well,
                engine=model.name,
            )
        else:
            log.warning("summary.not_held", model=model.name)
        questions, more = await practice(model, brief, by_rules.practice)
        spent += more
        whole = tuple(dict.fromkeys((*by_rules.practice, *questions)))[:MOST_PRACTICE]
        summary = replace(summary, practice=whole)
    except (EngineError, TimeoutError) as problem:
        log.warning("summary.model_failed", model=model.name, problem=type(problem).__name__)
    return summary, spent


async def practice(
    model: LanguageModel, brief: Brief, asked: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Spent, ...]]:
    """New questions like those of the lesson that were hard; and what asking cost.

    Raises:
        EngineError, TimeoutError: If the model can't be asked.
    """
    questions = {question_of(step.ask): step for step in brief.steps}
    steps = [questions[question] for question in asked if question in questions]
    if not steps:
        return (), ()
    rows = [
        {
            "number": number,
            "explained": step.say,
            "question": step.ask,
            "accepted": [answer.text for answer in step.answers],
        }
        for number, step in enumerate(steps, start=1)
    ]
    answer = await _ask(model, _PRACTICE, _lesson(brief) | {"questions": rows})
    known = [*questions, *(step.ask for step in brief.steps)]
    return checked_practice(answer.text, [step.ask for step in steps], known), answer.spent


async def _ask(model: LanguageModel, instructions: str, about: dict[str, Any]) -> Asked:
    """The whole answer to one request; the data is a turn, never part of the instructions."""
    turns = [Said("student", orjson.dumps(about).decode())]
    text: list[str] = []
    spent: list[Spent] = []
    length = 0
    async with (
        asyncio.timeout(WITHIN_S),
        aclosing(model.stream(instructions, turns, (), MOST_TOKENS)) as pieces,
    ):
        async for piece in pieces:
            if isinstance(piece, Spent):
                spent.append(piece)
            elif isinstance(piece, TextDelta) and length < MOST_WRITTEN:
                text.append(piece.text)
                length += len(piece.text)
    return Asked("".join(text), tuple(spent))


def _lesson(brief: Brief) -> dict[str, Any]:
    return {"title": brief.title, "goal": brief.goal, "language": brief.language}


def _told(items: Sequence[Item]) -> list[tuple[dict[str, Any], Item]]:
    """What the model is told of the log, and the item of each row; ids are short and its own."""
    rows: list[tuple[dict[str, Any], Item]] = []
    length = 0
    for item in sorted(items, key=lambda each: each.position):
        if (tool := tool_of(item)) is not None:
            result = tool.get("result")
            verdict = result.get("verdict") if isinstance(result, dict) else None
            if verdict in ("right", "wrong", "unclear"):
                rows.append(({"checked": verdict}, item))
            continue
        said = item.heard if item.speaker == "ai" and item.heard is not None else item.said
        if not said or item.speaker == "system":
            continue
        length += len(said)
        if length > MOST_SAID:
            break
        who = "student" if item.speaker == "student" else "tutor"
        rows.append(({"id": f"i{len(rows) + 1}", "who": who, "said": said}, item))
    return rows
