"""How exported sessions are written, piece by piece: JSON, CSV, and WebVTT in a ZIP archive.

A writer holds no more than the session it is given, but for the archive's directory.
"""

import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import orjson

from server.api import overrides, sessions, transcripts
from sessions.record import transcript
from sessions.record.transcript import NAMES
from sessions.review import spreadsheet
from sessions.review.exports import Exported
from sessions.review.override import states

Format = Literal["json", "csv", "vtt"]


class Writer(Protocol):
    """One export, from `begin` to `end`."""

    media_type: str
    suffix: str

    def begin(self) -> bytes: ...

    def add(self, exported: Exported) -> bytes:
        """One session."""

    def end(self) -> bytes: ...


def writer(how: Format, now: datetime, *, notes: bool, of_many: bool) -> Writer:
    """What writes a format.

    Args:
        notes: Whether to show the notes of corrections, and what the tutor's tools brought; for
            staff.
        of_many: Whether it is a list; the subtitles of one session need no archive.
    """
    match how:
        case "json":
            return Json(now, notes)
        case "csv":
            return Csv(notes)
        case "vtt":
            return Archive(notes) if of_many else Vtt(notes)


class Json:
    """`{"exported_at", "sessions": [...]}`."""

    media_type = "application/json"
    suffix = "json"

    def __init__(self, now: datetime, notes: bool) -> None:
        self._now = now
        self._notes = notes
        self._comma = b""

    def begin(self) -> bytes:
        return b'{"exported_at":' + _json(self._now) + b',"sessions":['

    def add(self, exported: Exported) -> bytes:
        comma, self._comma = self._comma, b",\n"
        return comma + _json(self._session(exported))

    def end(self) -> bytes:
        return b"]}\n"

    def _session(self, exported: Exported) -> Mapping[str, Any]:
        notes, summary = self._notes, exported.summary
        state = states(exported.overrides)
        shown = sessions.shown(exported.card)
        said = transcript.as_json(shown.id, exported.readings, notes=notes)
        return {
            "session": _fragment(shown),
            "transcript": said["items"],
            "summary": _fragment(transcripts.shown(summary, notes)) if summary else None,
            "corrections": [
                _fragment(overrides.shown(one, state[one.id], notes=notes))
                for one in exported.overrides
            ],
        }


class Csv:
    """One row an item; see `sessions.review.spreadsheet`."""

    media_type = "text/csv; charset=utf-8"
    suffix = "csv"

    def __init__(self, notes: bool) -> None:
        self._notes = notes

    def begin(self) -> bytes:
        return spreadsheet.heading(self._notes).encode()

    def add(self, exported: Exported) -> bytes:
        return spreadsheet.rows(exported, self._notes).encode()

    def end(self) -> bytes:
        return b""


class Vtt:
    """The subtitles of one session."""

    media_type = "text/vtt; charset=utf-8"
    suffix = "vtt"

    def __init__(self, notes: bool) -> None:
        self._notes = notes

    def begin(self) -> bytes:
        return b""

    def add(self, exported: Exported) -> bytes:
        names = {**NAMES, "student": exported.card.student_name}
        return transcript.as_vtt(exported.readings, names, notes=self._notes).encode()

    def end(self) -> bytes:
        return b""


class Archive:
    """Subtitles, a file a session. Names of files name nobody."""

    media_type = "application/zip"
    suffix = "zip"

    def __init__(self, notes: bool) -> None:
        self._written = _Written()
        self._zip = zipfile.ZipFile(self._written, "w", zipfile.ZIP_DEFLATED)
        self._vtt = Vtt(notes)

    def begin(self) -> bytes:
        return b""

    def add(self, exported: Exported) -> bytes:
        started_at = exported.card.row.started_at
        name = f"{started_at:%Y-%m-%d}-{exported.card.lesson_slug}-{exported.card.row.id}.vtt"
        entry = zipfile.ZipInfo(name, started_at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(entry, self._vtt.add(exported))
        return self._written.take()

    def end(self) -> bytes:
        self._zip.close()
        return self._written.take()


class _Written:
    """A file that can only be written, and taken from: what an archive needs of one."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...
    def close(self) -> None: ...

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _fragment(model: Any) -> orjson.Fragment:
    return orjson.Fragment(model.model_dump_json(by_alias=True))


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
