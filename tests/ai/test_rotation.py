"""From one leg to the next, by time alone: in silence, in mid-answer, with standbys that fail."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.rotation import KEPT_S, PREPARE_WITHIN_S, Discard, Move, Prepare, Quiet, Rotation, Swap

NOVA_S = 480.0


@dataclass
class Stage:
    """What a rotation makes happen: one active leg, and standbys on their way."""

    lifetime_s: float | None = NOVA_S
    now: float = 0.0
    rotation: Rotation = field(default_factory=lambda: Rotation(lambda: 0.0))
    opening: set[int] = field(default_factory=set)
    open: dict[int, float] = field(default_factory=dict)
    "Standbys, and when they were opened."
    active: bool = True
    swaps: list[tuple[float, bool]] = field(default_factory=list)
    prepared: list[float] = field(default_factory=list)
    discarded: list[float] = field(default_factory=list)
    ends_at: float = 0.0

    def __post_init__(self) -> None:
        self.begin(self.now)

    def begin(self, opened_at: float) -> None:
        self.ends_at = opened_at + (self.lifetime_s or 0.0)
        self.do(self.rotation.began(self.lifetime_s, opened_at))

    def do(self, moves: list[Move]) -> None:
        for move in moves:
            match move:
                case Prepare(standby):
                    assert standby not in self.opening and standby not in self.open
                    self.opening.add(standby)
                    self.prepared.append(self.now)
                case Discard(standby):
                    assert standby in self.opening or standby in self.open
                    self.opening.discard(standby)
                    self.open.pop(standby, None)
                    self.discarded.append(self.now)
                case Swap(standby, forced):
                    assert self.active, "one is active, and it is the one that is replaced"
                    self.swaps.append((self.now, forced))
                    self.begin(self.open.pop(standby))

    def ready(self) -> None:
        """What is being opened, is."""
        for standby in list(self.opening):
            self.opening.discard(standby)
            self.open[standby] = self.now
            self.do(self.rotation.ready(standby, self.lifetime_s, self.now))

    def fail(self) -> None:
        for standby in list(self.opening):
            self.opening.discard(standby)
            self.rotation.failed(standby, self.now)

    def tick(self, quiet: Quiet) -> None:
        self.do(self.rotation.tick(self.now, quiet))

    def wait(self, until: float, quiet: Quiet, opens: bool | None = True) -> None:
        """Time passes; standbys open at once, fail at once (False), or hang (None)."""
        for _ in range(10_000):
            at = self.rotation.deadline()
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            self.tick(quiet)
            if opens:
                self.ready()
                self.tick(quiet)
            elif opens is False:
                self.fail()
        else:
            pytest.fail("it never comes to rest")
        self.now = until


def test_in_silence_it_changes_as_soon_as_the_next_is_warm() -> None:
    stage = Stage()
    stage.wait(479, "silent")
    assert stage.swaps == [(360.0, False)]


def test_a_student_who_never_speaks_is_never_cut_off() -> None:
    stage = Stage()
    for now in range(1, 3_600):
        stage.wait(float(now), "silent")
        assert stage.now < stage.ends_at
    assert len(stage.swaps) == 9


def test_while_the_tutor_is_heard_it_waits_a_while_for_silence() -> None:
    stage = Stage()
    stage.wait(404, "idle")
    assert not stage.swaps
    stage.wait(406, "idle")
    assert stage.swaps == [(405.0, False)]


def test_in_mid_anything_it_waits_until_it_must() -> None:
    stage = Stage()
    stage.wait(449, "busy")
    assert not stage.swaps and stage.rotation.waits
    stage.wait(451, "busy")
    assert stage.swaps == [(450.0, True)]


def test_a_pause_in_between_is_used() -> None:
    stage = Stage()
    stage.wait(400, "busy")
    stage.tick("silent")
    assert stage.swaps == [(400.0, False)]


def test_legs_that_began_at_once_are_not_replaced_at_once() -> None:
    dice = random.Random(3)
    stages = [Stage(rotation=Rotation(dice.random)) for _ in range(50)]
    warm = [stage.rotation.warm_at or 0.0 for stage in stages]
    assert 300 <= min(warm) < 310 and 350 < max(warm) <= 360
    assert {(stage.rotation.idle_at, stage.rotation.must_at) for stage in stages} == {(405, 450)}


@pytest.mark.parametrize(("draw", "warm"), [(0.0, 4.0), (0.5, 3.0), (1.0, 2.0)])
def test_of_a_short_life_less_is_left_to_chance(draw: float, warm: float) -> None:
    assert Stage(8.0, rotation=Rotation(lambda: draw)).rotation.warm_at == pytest.approx(warm)


@pytest.mark.parametrize(("lifetime_s", "warm", "must"), [(8.0, 4.0, 7.0), (1.0, 0.5, 0.875)])
def test_a_short_life_is_scaled(lifetime_s: float, warm: float, must: float) -> None:
    assert Stage(lifetime_s).rotation.warm_at == pytest.approx(warm)
    assert Stage(lifetime_s).rotation.must_at == pytest.approx(must)


def test_a_life_of_nothing_does_not_open_one_standby_after_the_other() -> None:
    stage = Stage(0.0)
    stage.wait(10.0, "silent")
    assert len(stage.prepared) <= 81


def test_a_leg_that_lives_as_long_as_it_likes_is_not_replaced() -> None:
    stage = Stage(None)
    assert stage.rotation.deadline() is None
    stage.now = 1e9
    stage.tick("silent")
    assert not stage.prepared


def test_a_standby_that_fails_is_tried_again_more_and_more_slowly() -> None:
    stage = Stage()
    stage.wait(400, "silent", opens=False)
    gaps = [b - a for a, b in zip(stage.prepared, stage.prepared[1:], strict=False)]
    assert gaps == [2.0, 5.0, 10.0, 20.0] and stage.active and not stage.swaps
    stage.wait(479, "silent")
    assert len(stage.swaps) == 1


def test_a_standby_that_hangs_is_given_up() -> None:
    stage = Stage()
    stage.wait(360 + PREPARE_WITHIN_S + 3, "silent", opens=None)
    assert len(stage.prepared) == 2 and len(stage.opening) == 1


def test_a_standby_that_waited_too_long_is_opened_anew() -> None:
    stage = Stage()
    stage.wait(449, "busy")
    assert stage.prepared == [360.0, 360 + KEPT_S] and stage.discarded == [360 + KEPT_S]
    assert len(stage.open) == 1


def test_one_that_opens_when_nobody_waits_for_it_any_more_is_closed() -> None:
    stage = Stage()
    stage.wait(361, "busy", opens=None)
    (late,) = stage.opening
    stage.do(stage.rotation.began(NOVA_S, 361))
    stage.opening.add(late)
    stage.ready()
    assert not stage.opening and not stage.open


def test_a_leg_that_breaks_may_go_on_with_the_standby_that_is_ready() -> None:
    stage = Stage()
    stage.wait(370, "busy")
    standby = stage.rotation.take()
    assert standby is not None and stage.open.pop(standby) == 360.0
    stage.do(stage.rotation.ended())
    assert not stage.open and stage.rotation.deadline() is None


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["wait", "ready", "fail", "break", "tick"]),
        st.sampled_from(["silent", "idle", "busy"]),
        st.floats(0.01, 200),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([None, 0.0, 5.0, NOVA_S, 3_600.0]), HAPPENINGS)
def test_whatever_happens_one_is_active_and_all_others_are_closed(
    lifetime_s: float | None, story: Any
) -> None:
    stage = Stage(lifetime_s)
    for what, quiet, time_s in story:
        if what == "wait":
            stage.now += time_s
        elif what == "ready":
            stage.ready()
        elif what == "fail":
            stage.fail()
        elif what == "break":
            standby = stage.rotation.take()
            stage.do(stage.rotation.ended())
            stage.begin(stage.now if standby is None else stage.open.pop(standby))
        stage.tick(quiet)
        assert len(stage.opening) + len(stage.open) <= 1, "at most one is on its way"
        assert stage.rotation.waits == bool(stage.open)
        at = stage.rotation.deadline()
        assert at is None or stage.open or at > stage.now or stage.rotation.warm_at is not None
        if stage.open:
            assert stage.now < stage.rotation.must_at, "it is not put off any longer"
    stage.do(stage.rotation.ended())
    assert not stage.opening and not stage.open
    stage.tick("silent")
    assert not stage.opening and not stage.open


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([2.0, NOVA_S]),
    st.lists(st.sampled_from(["silent", "idle", "busy"]), min_size=1, max_size=50),
)
def test_with_standbys_that_open_no_leg_ever_reaches_its_end(
    lifetime_s: float, moods: list[Quiet]
) -> None:
    stage = Stage(lifetime_s)
    for mood in moods:
        stage.wait(stage.now + lifetime_s / 7, mood)
        assert stage.now < stage.ends_at


def test_a_standby_that_was_forgotten_for_too_long_is_not_begun_with() -> None:
    stage = Stage()
    stage.wait(361, "busy")
    assert stage.open and stage.rotation.waits
    stage.now += KEPT_S  # nobody was there, and nobody asked
    stage.tick("silent")
    assert not stage.swaps and stage.discarded == [stage.now] and stage.opening
    stage.ready()
    stage.tick("silent")
    assert [at for at, _ in stage.swaps] == [stage.now]
