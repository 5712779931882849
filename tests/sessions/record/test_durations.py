import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.record.durations import SETTLED_MS, Meter
from sessions.record.model import Durations

Script = list[tuple[object, ...]]


def play(script: Script, meter: Meter | None = None) -> Meter:
    meter = meter or Meter()
    for name, *times in script:
        getattr(meter, str(name))(*times)
    return meter


@pytest.mark.parametrize(
    ("script", "now_ms", "expected"),
    [
        pytest.param([], 5_000, Durations(), id="nobody is there"),
        pytest.param(
            [("connect", 0)], 5_000, Durations(wall_ms=5_000, silence_ms=5_000), id="silence"
        ),
        pytest.param(
            [("connect", 0), ("student_started", 1_000), ("student_stopped", 3_000)],
            5_000,
            Durations(5_000, 2_000, 0, 3_000),
            id="the student speaks",
        ),
        pytest.param(
            [("connect", 0), ("tutor_started", 1_000)],
            5_000,
            Durations(5_000, 0, 4_000, 1_000),
            id="the tutor still speaks",
        ),
        pytest.param(
            [
                ("connect", 0),
                ("tutor_started", 1_000),
                ("student_started", 3_000),
                ("tutor_stopped", 3_400),
                ("student_stopped", 4_000),
            ],
            5_000,
            Durations(5_000, 1_000, 2_400, 2_000),
            id="both at once is silence for neither",
        ),
        pytest.param(
            [("connect", 0), ("student_started", 1_000), ("student_dropped",)],
            5_000,
            Durations(5_000, 0, 0, 5_000),
            id="a cough is silence",
        ),
        pytest.param(
            [("connect", 0), ("student_spoke", 1_000, 2_000), ("tutor_spoke", 1_500, 4_000)],
            5_000,
            Durations(5_000, 1_000, 2_500, 2_000),
            id="stretches known afterwards",
        ),
        pytest.param(
            [("connect", 0), ("tutor_spoke", 1_000, 9_000)],
            5_000,
            Durations(5_000, 0, 4_000, 1_000),
            id="what will be heard is not counted yet",
        ),
        pytest.param(
            [
                ("connect", 0),
                ("student_started", 1_000),
                ("disconnect", 2_000),
                ("connect", 60_000),
            ],
            61_000,
            Durations(3_000, 1_000, 0, 2_000),
            id="no connection: time stands still and speech ends",
        ),
        pytest.param(
            [("tutor_started", 0), ("connect", 1_000)],
            3_000,
            Durations(2_000, 0, 2_000, 0),
            id="speech that nobody is there to hear does not count",
        ),
        pytest.param(
            [("connect", 0), ("connect", 2_000), ("tutor_stopped", 3_000), ("disconnect", 4_000)],
            5_000,
            Durations(4_000, 0, 0, 4_000),
            id="started twice, stopped without a start",
        ),
        pytest.param(
            [("connect", 0), ("student_spoke", 3_000, 2_000)],
            5_000,
            Durations(5_000, 0, 0, 5_000),
            id="a stretch that ends before it starts",
        ),
    ],
)
def test_durations(script: Script, now_ms: int, expected: Durations) -> None:
    assert play(script).read(now_ms) == expected


def test_a_stop_known_late_takes_back_what_a_read_had_counted() -> None:
    meter = play([("connect", 0), ("student_started", 1_000)])
    assert meter.read(5_000).student_speech_ms == 4_000
    meter.student_stopped(3_000)
    assert meter.read(5_000) == Durations(5_000, 2_000, 0, 3_000)


def test_a_resumed_session_goes_on_from_what_is_stored() -> None:
    stored = Durations(60_000, 10_000, 20_000, 30_000)
    meter = Meter(stored)
    assert meter.read(0) == stored
    meter.connect(1_000_000)
    assert meter.read(1_002_000) == Durations(62_000, 10_000, 20_000, 32_000)


def test_reading_often_keeps_little_and_changes_nothing() -> None:
    meter = Meter()
    meter.connect(0)
    for start in range(0, 3_600_000, 5_000):
        meter.student_spoke(start, start + 1_000)
        meter.tutor_spoke(start + 2_000, start + 4_000)
        meter.read(start + 5_000)
    assert meter.read(3_600_000) == Durations(3_600_000, 720_000, 1_440_000, 1_440_000)
    assert sum(len(spans) for spans in meter._spans.values()) < 10


def test_what_is_told_too_late_counts_only_from_where_it_is_settled() -> None:
    meter = Meter()
    meter.connect(0)
    meter.read(60_000)
    meter.student_spoke(60_000 - SETTLED_MS - 5_000, 60_000 - SETTLED_MS + 1_000)
    assert meter.read(60_000) == Durations(60_000, 1_000, 0, 59_000)


_times = st.integers(0, 8_000)
_span = st.tuples(_times, _times).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_span, max_size=4),
    st.lists(_span, max_size=4),
    st.lists(_span, max_size=4),
    st.lists(_times, max_size=4),
)
def test_it_agrees_with_counting_milliseconds(
    connected: list[list[int]],
    student: list[list[int]],
    tutor: list[list[int]],
    reads: list[int],
) -> None:
    """Coarse times (1/100) against a tally of every tick, with reads in between."""
    meter = Meter()
    moments = sorted(
        [(at // 100, 0, ("read",)) for at in reads]
        + [(stop // 100, 1, ("student_spoke", start // 100)) for start, stop in student]
        + [(stop // 100, 1, ("tutor_spoke", start // 100)) for start, stop in tutor]
        + [(stop // 100, 1, ("_add", "connected", start // 100)) for start, stop in connected]
    )
    for at, _, (name, *arguments) in moments:
        getattr(meter, str(name))(*arguments, at)

    def ticks(spans: list[list[int]]) -> set[int]:
        return {tick for start, stop in spans for tick in range(start // 100, stop // 100)}

    here = ticks(connected)
    spoke, taught = ticks(student) & here, ticks(tutor) & here
    assert meter.read(80) == Durations(
        len(here), len(spoke), len(taught), len(here - spoke - taught)
    )
