"""How long a session was, and who spoke: counted from starts and stops, without I/O.

    wall     while at least one connection is there
    speech   of student and of tutor, each by itself, while connected; both may speak at once
    silence  while connected and neither spoke: wall minus the union of both

A stop is often known late: a turn is judged over after its silence, and a cough was never speech.
So what is younger than `SETTLED_MS` may still change; `read` counts it as it looks now, and is
exact in the end.
"""

from collections.abc import Iterable
from typing import Literal

from sessions.record.model import Durations

SETTLED_MS = 10_000  # realtime.md: a turn's words come within 10 s; its start and stop long before

Span = tuple[int, int]
_Row = Literal["connected", "student", "tutor"]
_ROWS: tuple[_Row, ...] = ("connected", "student", "tutor")


class Meter:
    """Durations of one session, going on from what is stored.

    Times are milliseconds of any one steady clock. Starting what has started, or stopping what has
    not, changes nothing. What is told of times more than `SETTLED_MS` before the last `read` is
    counted only from there on.
    """

    def __init__(self, stored: Durations | None = None) -> None:
        self._settled = stored or Durations()
        self._settled_until: int | None = None
        self._spans: dict[_Row, list[Span]] = {row: [] for row in _ROWS}
        self._since: dict[_Row, int] = {}

    def connect(self, now_ms: int) -> None:
        """The first connection is there: time runs."""
        self._start("connected", now_ms)

    def disconnect(self, now_ms: int) -> None:
        """The last connection is gone: time stands still, and nobody is heard."""
        for row in _ROWS:
            self._stop(row, now_ms)

    def student_started(self, at_ms: int) -> None:
        self._start("student", at_ms)

    def student_stopped(self, at_ms: int) -> None:
        """`at_ms`: where the voice ended, before the silence."""
        self._stop("student", at_ms)

    def student_dropped(self) -> None:
        """What began was not speech."""
        self._since.pop("student", None)

    def student_spoke(self, start_ms: int, end_ms: int) -> None:
        """A stretch of student speech that is known only afterwards."""
        self._add("student", start_ms, end_ms)

    def tutor_started(self, at_ms: int) -> None:
        """The student begins to hear the tutor."""
        self._start("tutor", at_ms)

    def tutor_stopped(self, at_ms: int) -> None:
        self._stop("tutor", at_ms)

    def tutor_spoke(self, start_ms: int, end_ms: int) -> None:
        """A stretch of the tutor's speech that is known only afterwards."""
        self._add("tutor", start_ms, end_ms)

    def read(self, now_ms: int) -> Durations:
        """The durations up to now."""
        self._settle(now_ms - SETTLED_MS)
        rows = {row: self._until(row, now_ms) for row in _ROWS}
        return _plus(self._settled, _measure(rows))

    def _start(self, row: _Row, at_ms: int) -> None:
        self._since.setdefault(row, self._not_settled(at_ms))

    def _stop(self, row: _Row, at_ms: int) -> None:
        since = self._since.pop(row, None)
        if since is not None:
            self._add(row, since, at_ms)

    def _add(self, row: _Row, start_ms: int, end_ms: int) -> None:
        start_ms = self._not_settled(start_ms)
        if start_ms < end_ms:
            self._spans[row].append((start_ms, end_ms))

    def _not_settled(self, at_ms: int) -> int:
        return at_ms if self._settled_until is None else max(at_ms, self._settled_until)

    def _until(self, row: _Row, now_ms: int) -> list[Span]:
        """The row's spans before `now_ms`; what goes on counts up to it."""
        spans = list(self._spans[row])
        if row in self._since:
            spans.append((self._since[row], now_ms))
        return [(start, min(end, now_ms)) for start, end in spans if start < now_ms]

    def _settle(self, cut_ms: int) -> None:
        """Count what is before `cut_ms` for good, and keep the rest."""
        if self._settled_until is not None and cut_ms <= self._settled_until:
            return
        before = {row: self._until(row, cut_ms) for row in _ROWS}
        self._settled = _plus(self._settled, _measure(before))
        self._settled_until = cut_ms
        for row in _ROWS:
            self._spans[row] = [
                (max(start, cut_ms), end) for start, end in self._spans[row] if end > cut_ms
            ]
            if row in self._since:
                self._since[row] = max(self._since[row], cut_ms)


def _measure(rows: dict[_Row, list[Span]]) -> Durations:
    connected = _merged(rows["connected"])
    student = _within(_merged(rows["student"]), connected)
    tutor = _within(_merged(rows["tutor"]), connected)
    wall_ms = _length(connected)
    return Durations(
        wall_ms=wall_ms,
        student_speech_ms=_length(student),
        tutor_speech_ms=_length(tutor),
        silence_ms=wall_ms - _length(_merged([*student, *tutor])),
    )


def _plus(one: Durations, other: Durations) -> Durations:
    return Durations(
        wall_ms=one.wall_ms + other.wall_ms,
        student_speech_ms=one.student_speech_ms + other.student_speech_ms,
        tutor_speech_ms=one.tutor_speech_ms + other.tutor_speech_ms,
        silence_ms=one.silence_ms + other.silence_ms,
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same time, in order and without overlaps."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _within(spans: list[Span], frame: list[Span]) -> list[Span]:
    """The parts of `spans` that lie inside `frame`; both merged."""
    return [
        (max(start, left), min(end, right))
        for start, end in spans
        for left, right in frame
        if max(start, left) < min(end, right)
    ]


def _length(spans: list[Span]) -> int:
    return sum(end - start for start, end in spans)
