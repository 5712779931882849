"""Sessions to take away: one, or a list with its filters, as JSON, CSV or WebVTT.

A list is written while it is read, so it may be of any length. It is noted once in the audit, and
each session of it as read, before a word of it is sent.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime

from starlette.responses import Response, StreamingResponse

from server.api import records
from server.api.export_files import Format, Writer, writer
from server.api.overrides import OverrideAs
from server.api.sessions import SessionCard, SessionsFilter, filters_of
from server.api.table import Call, Model, Route
from server.api.transcripts import SessionSummary, TranscriptItem
from sessions.record.listing import Filters
from sessions.review import exports
from tenancy.policy import Thing, may, require

PART_BYTES = 32 * 1024  # of an answer, sent at once


class ExportQuery(Model):
    format: Format = "json"


class ListExportQuery(SessionsFilter):
    format: Format = "json"
    "`vtt` is a ZIP archive with a file for each session."


class ExportedSession(Model):
    """A session with all that is read of it."""

    session: SessionCard
    transcript: list[TranscriptItem]
    summary: SessionSummary | None
    corrections: list[OverrideAs]
    "All published ones, also those that others have replaced."


class SessionsExport(Model):
    """Newest first."""

    exported_at: datetime
    sessions: list[ExportedSession]


async def export_session(call: Call) -> Response:
    """One session, as it is read now."""
    card = await records.find(call, "session", "export")
    database, person, now = call.services.database, call.person, datetime.now(UTC)
    notes = records.is_staff_to(call, await records.about(call, card, "session"))
    writing = writer(call.query.format, now, notes=notes, of_many=False)
    headers = _headers(f"session-{card.row.started_at:%Y-%m-%d}-{card.row.id}", writing)
    if call.request.method == "HEAD":
        return Response(headers=headers)
    how = {"format": call.query.format}
    await exports.begin(database, person, card.row.id, how, address=call.address or None)
    content = writing.begin()
    async for exported in exports.load(database, person, [card], now):
        content += writing.add(exported)
    return Response(content + writing.end(), headers=headers)


async def export_sessions(call: Call) -> Response:
    """The sessions of a list, as they are read now."""
    query: ListExportQuery = call.query
    filters = await filters_of(call, query)
    # Whose sessions these are is settled; whether somebody may take any away hangs on their role.
    require(call.person, "export", _at_best(call, "session"))
    now = datetime.now(UTC)
    notes = bool(may(call.person, "write", _at_best(call, "override")))
    writing = writer(query.format, now, notes=notes, of_many=True)
    headers = _headers(f"sessions-{now:%Y-%m-%d}", writing)
    if call.request.method == "HEAD":
        return Response(headers=headers)
    stream = _written(call, filters, writing, now)
    first = await anext(stream)  # what is refused is refused before it begins

    async def whole() -> AsyncIterator[bytes]:
        async with contextlib.aclosing(stream):
            yield first
            async for part in stream:
                yield part

    return StreamingResponse(whole(), headers=headers)


async def _written(
    call: Call, filters: Filters, writing: Writer, now: datetime
) -> AsyncGenerator[bytes, None]:
    """A list, piece by piece."""
    database, person = call.services.database, call.person
    asked = call.query.model_dump(mode="json", by_alias=True, exclude_none=True)
    async with call.services.exports.turn():
        await exports.begin(database, person, None, asked, address=call.address or None)
        part = writing.begin()
        async for exported in exports.walk(database, person, filters, now):
            part += writing.add(exported)
            if len(part) >= PART_BYTES:
                yield part
                part = b""
        yield part + writing.end()


def _at_best(call: Call, kind: str) -> Thing:
    """A thing of somebody whom the caller looks after."""
    person = call.person
    return Thing(kind, person.tenant_id, student_id=person.id, tutor_ids=frozenset({person.id}))


def _headers(name: str, writing: Writer) -> dict[str, str]:
    return {
        "content-type": writing.media_type,
        "content-disposition": f'attachment; filename="{name}.{writing.suffix}"',
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/sessions/export",
        export_sessions,
        "A list of sessions, to take away",
        answer=SessionsExport,
        query=ListExportQuery,
        media=("text/csv", "application/zip"),
        refuses=(429,),
    ),
    Route(
        "GET",
        "/sessions/{id}/export",
        export_session,
        "One session, to take away",
        answer=SessionsExport,
        query=ExportQuery,
        media=("text/csv", "text/vtt"),
        refuses=(404,),
    ),
)
