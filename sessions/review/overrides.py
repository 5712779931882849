"""Corrections are drafted, changed, dropped and published here.

Who changes a draft or publishes it holds the session's row first, then writes the override, then
the audit: in one session that goes one after the other. The unique `succeeds` of a chain lets
nobody in twice even if that lock were forgotten.

A correction that is published while its session is live is in the record at once, and so in every
transcript; who comes back to the lesson reads it. The tutor engine at work goes on from what it
heard: it gets the corrected words with its next leg, after a fail-over or in another process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sessions import news
from sessions.bus import Bus, school_topic, session_topic
from sessions.jobs import utc_now
from sessions.record import items, summaries
from sessions.review import rows
from sessions.review.override import (
    DRAFTS,
    Author,
    Content,
    Override,
    OverrideConflict,
    OverridePublished,
    OverrideUnknown,
    SummaryMadeAnew,
    Target,
    TargetUnknown,
    TooManyDrafts,
    check,
    in_force,
    original_of,
    place_of,
    resolve,
    successor,
)
from tenancy import audit
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_UNIQUE_VIOLATION = "23505"
_QUERIES = load(__package__, "overrides.sql")


@dataclass(frozen=True, slots=True)
class CorrectionsPublished:
    """All published corrections of a session, for whoever holds it in memory."""

    overrides: tuple[Override, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an author changes of a draft; None stays as it is."""

    new: Content | None = None
    reasons: tuple[str, ...] | None = None
    note: str | None = None
    replaces: UUID | None = None


async def draft(
    database: Database,
    author: Person,
    session_id: UUID,
    target: Target,
    new: Content,
    reasons: Sequence[str],
    note: str = "",
    replaces: UUID | None = None,
    *,
    address: str | None = None,
) -> Override:
    """Begin a correction that only its author sees.

    Raises:
        OverrideInvalid, TargetUnknown, SummaryMadeAnew, TooManyDrafts
        OverrideConflict: If `replaces` is not what is in force now.
    """
    check(target, new, reasons, note)
    tenant_id = author.tenant_id

    async def work(connection: Connection) -> Override:
        original = await _original(database, connection, tenant_id, session_id, target)
        if await _drafts(connection, tenant_id, session_id, author.id) >= DRAFTS:
            raise TooManyDrafts
        now = utc_now()
        made = Override(
            id=new_id(),
            session_id=session_id,
            target=target,
            original=original,
            new=new,
            reasons=tuple(reasons),
            note=note,
            author=Author(author.id, author.name),
            created_at=now,
            changed_at=now,
            replaces=replaces,
        )
        known = await rows.within(database, connection, tenant_id, session_id)
        successor(made, resolve(known))
        await connection.execute(
            _QUERIES["add_draft"],
            tenant_id,
            session_id,
            made.id,
            target.kind,
            target.id,
            rows.seal(database, tenant_id, made, "original"),
            rows.seal(database, tenant_id, made, "content"),
            list(made.reasons),
            rows.seal(database, tenant_id, made, "note"),
            author.id,
            replaces,
            now,
        )
        await _note(connection, author, "draft", made, address)
        return made

    return await database.run(tenant_id, work)


async def change(
    database: Database,
    author: Person,
    session_id: UUID,
    override_id: UUID,
    wanted: Change,
    *,
    address: str | None = None,
) -> Override:
    """Change one's draft.

    Raises:
        OverrideUnknown, OverridePublished, OverrideInvalid
        OverrideConflict: If a new `replaces` is not what is in force now.
    """
    tenant_id = author.tenant_id

    async def work(connection: Connection) -> Override:
        known, mine = await _draft_of(database, connection, author, session_id, override_id)
        made = replace(
            mine,
            new=wanted.new or mine.new,
            reasons=mine.reasons if wanted.reasons is None else wanted.reasons,
            note=mine.note if wanted.note is None else wanted.note,
            replaces=wanted.replaces or mine.replaces,
            changed_at=utc_now(),
        )
        check(made.target, made.new, made.reasons, made.note)
        if wanted.replaces is not None:
            successor(made, resolve(known))
        await connection.execute(
            _QUERIES["change_draft"],
            tenant_id,
            session_id,
            made.id,
            author.id,
            rows.seal(database, tenant_id, made, "content"),
            list(made.reasons),
            rows.seal(database, tenant_id, made, "note"),
            made.replaces,
            made.changed_at,
        )
        await _note(connection, author, "change", made, address)
        return made

    return await database.run(tenant_id, work)


async def drop(
    database: Database,
    author: Person,
    session_id: UUID,
    override_id: UUID,
    *,
    address: str | None = None,
) -> None:
    """Throw one's draft away.

    Raises:
        OverrideUnknown, OverridePublished
    """

    async def work(connection: Connection) -> None:
        _, mine = await _draft_of(database, connection, author, session_id, override_id)
        await connection.execute(
            _QUERIES["drop_draft"], author.tenant_id, session_id, mine.id, author.id
        )
        await _note(connection, author, "drop", mine, address)

    await database.run(author.tenant_id, work)


async def publish(
    database: Database,
    bus: Bus,
    author: Person,
    session_id: UUID,
    override_id: UUID,
    *,
    address: str | None = None,
) -> Override:
    """From now on this is what readers get. Published already: as it is.

    Raises:
        OverrideUnknown
        SummaryMadeAnew: If it is about a sentence of an earlier one.
        OverrideConflict: If somebody else's came first; it stays a draft.
    """
    tenant_id = author.tenant_id

    async def work(connection: Connection) -> _Published:
        session = await connection.fetchrow(_QUERIES["hold_session"], tenant_id, session_id)
        known = await rows.within(database, connection, tenant_id, session_id, author.id)
        mine = _own(known, author, override_id)
        if mine.published_at is not None:
            return _Published(mine)
        await _original(database, connection, tenant_id, session_id, mine.target)
        now = utc_now()
        made = replace(mine, published_at=now, succeeds=successor(mine, resolve(known)))
        await connection.execute(
            _QUERIES["publish_draft"],
            tenant_id,
            session_id,
            made.id,
            author.id,
            made.succeeds,
            now,
        )
        await _note(connection, author, "publish", made, address)
        others = (one for one in known if one.published_at is not None)
        return _Published(made, session["student_id"], session["sandbox"], (*others, made))

    try:
        done = await database.run(tenant_id, work)
    except Exception as problem:
        if getattr(problem, "sqlstate", None) != _UNIQUE_VIOLATION:
            raise
        known = await rows.of(database, tenant_id, session_id, author.id)
        mine = _own(known, author, override_id)
        raise OverrideConflict(in_force(mine.target, mine.original, resolve(known))) from problem
    if done.student_id is not None:
        bus.publish(session_topic(session_id), CorrectionsPublished(done.published))
        if not done.sandbox:
            bus.publish(
                school_topic(tenant_id),
                news.OverridePublished(session_id, done.student_id, override_id),
            )
    return done.override


@dataclass(frozen=True, slots=True)
class _Published:
    """What became of a draft, and who is told."""

    override: Override
    student_id: UUID | None = None
    "None: it was published before, and told."
    sandbox: bool = False
    published: tuple[Override, ...] = ()
    "All of the session."


async def _draft_of(
    database: Database,
    connection: Connection,
    author: Person,
    session_id: UUID,
    override_id: UUID,
) -> tuple[list[Override], Override]:
    """All that the author knows of the session's overrides, and the one to be changed; held."""
    await connection.fetchval(_QUERIES["hold_session"], author.tenant_id, session_id)
    known = await rows.within(database, connection, author.tenant_id, session_id, author.id)
    mine = next((one for one in known if one.id == override_id), None)
    if mine is not None and mine.published_at is not None:
        raise OverridePublished
    return known, _own(known, author, override_id)


def _own(known: Iterable[Override], author: Person, override_id: UUID) -> Override:
    for one in known:
        if one.id == override_id and one.author.id == author.id:
            return one
        if one.id == override_id:
            raise OverridePublished  # somebody else's: only published ones are known
    raise OverrideUnknown


async def _original(
    database: Database, connection: Connection, tenant_id: UUID, session_id: UUID, target: Target
) -> Content:
    """What stands at a target, as it was recorded. Raises TargetUnknown, SummaryMadeAnew."""
    place = place_of(target)
    if place is not None:
        kept = await summaries.newest(database, connection, tenant_id, session_id)
        if kept is not None and kept.number > place.number:
            raise SummaryMadeAnew
        if kept is not None and kept.number == place.number:
            done_well = kept.summary.done_well
            sentences = {
                "narrative": kept.summary.narrative,
                "next_steps": kept.summary.next_steps,
                "done_well": (done_well,) if done_well else (),
            }[place.section]
            if place.index < len(sentences):
                return Content(text=sentences[place.index].text)
    elif target.kind in ("words", "speaker", "answer"):
        item = await items.one(database, connection, tenant_id, session_id, target.id)
        original = original_of(target.kind, item) if item is not None else None
        if original is not None:
            return original
    raise TargetUnknown(target)


async def _drafts(
    connection: Connection, tenant_id: UUID, session_id: UUID, author_id: UUID
) -> int:
    return int(
        await connection.fetchval(_QUERIES["count_drafts"], tenant_id, session_id, author_id)
    )


async def _note(
    connection: Connection, author: Person, verb: str, override: Override, address: str | None
) -> None:
    await audit.write(
        connection,
        author.tenant_id,
        actor=author.id,
        verb=verb,
        thing="override",
        thing_id=str(override.id),
        detail={
            "session": str(override.session_id),
            "kind": override.target.kind,
            "reasons": list(override.reasons),
        },
        address=address,
    )
