"""Which engine is next: breakers open and close, and a course never hangs on a broken engine."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.chain import (
    LAST_WITHIN_S,
    PROVEN_S,
    SAME_WITHIN_S,
    Breaker,
    BreakerLimits,
    Breakers,
    Chain,
    Course,
    Rest,
    Try,
)
from ai.engine import VoiceEngine
from ai.events import Fault

BROKEN, BUSY = Fault("transient", "broken"), Fault("throttled", "busy")
OVER, REFUSED = Fault("limit", "session_expired"), Fault("terminal", "unauthorized")


class Named:
    def __init__(self, name: str, languages: frozenset[str] | None = None) -> None:
        self.name = self.key = name
        self.languages = languages


def chain(*names: str) -> Chain:
    return Chain([cast(VoiceEngine, Named(name)) for name in names], Breakers())


def tried(step: Try | Rest) -> str:
    assert isinstance(step, Try)
    return step.engine.name


# ---- breakers --------------------------------------------------------------------------------


def test_a_breaker_opens_after_five_failures_in_a_minute() -> None:
    breaker = Breaker()
    for now in range(4):
        breaker.failed(BROKEN, now)
    assert breaker.allows(4)
    breaker.failed(BUSY, 4)
    assert not breaker.closed and not breaker.allows(4)


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = Breaker()
    for now in range(0, 200, 20):
        breaker.failed(BROKEN, now)
    assert breaker.closed


def test_an_answer_in_between_shows_that_it_works() -> None:
    breaker = Breaker()
    for now in range(4):
        breaker.failed(BROKEN, now)
    breaker.succeeded(4)
    breaker.failed(BROKEN, 5)
    assert breaker.closed


def test_what_will_not_work_whoever_tries_opens_it_at_once() -> None:
    breaker = Breaker()
    breaker.failed(REFUSED, 0)
    assert not breaker.allows(1)


def test_an_end_that_was_to_be_expected_is_no_failure() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker.failed(OVER, 0)
    assert breaker.closed


@pytest.mark.parametrize(
    "fault",
    [
        Fault("transient", "content_blocked"),
        Fault("transient", "history_refused"),
        Fault("terminal", "request_refused"),
        Fault("terminal", "voice_unknown"),
    ],
)
def test_what_one_lesson_brings_about_takes_the_engine_from_no_other(fault: Fault) -> None:
    ours = chain("a", "offline")
    for _ in range(20):
        course = Course(ours)
        course.begin(0)
        course.failed(fault, 0.5)
    assert ours.breakers.of("a").closed


def test_a_quota_that_is_full_of_standbys_takes_the_engine_from_nobody() -> None:
    ours = chain("a", "offline")
    for _ in range(20):
        course = Course(ours)
        course.begin(0)
        course.opened(0.5)
        course.standby_failed(BUSY, 360)
    assert ours.breakers.of("a").closed
    for _ in range(5):
        course.standby_failed(BROKEN, 361)
    assert not ours.breakers.of("a").closed


def test_a_conversation_that_is_refused_again_and_again_goes_on_with_the_next_engine() -> None:
    course = Course(chain("a", "offline"))
    engines, now = [tried(course.begin(0))], 0.0
    while engines[-1] == "a" and len(engines) < 10:
        course.opened(now)
        now += 0.1
        engines.append(tried(course.failed(Fault("transient", "content_blocked"), now)))
    assert engines[-1] == "offline"


def test_when_it_has_cooled_down_one_session_tries_and_success_closes_it() -> None:
    breaker = Breaker(BreakerLimits(cool_s=30))
    breaker.failed(REFUSED, 0)
    assert breaker.allows(30)
    breaker.tried(30)
    assert not breaker.allows(31), "one is enough"
    breaker.succeeded(33)
    assert breaker.closed and breaker.allows(33)


def test_a_trial_that_fails_makes_it_cool_longer() -> None:
    breaker = Breaker(BreakerLimits(cool_s=30, cool_most_s=100))
    breaker.failed(REFUSED, 0)
    at, waits = 0.0, []
    for _ in range(4):
        start = at
        while not breaker.allows(at):
            at += 1
        waits.append(at - start)
        breaker.tried(at)
        breaker.failed(BROKEN, at)
    assert waits == [30, 60, 100, 100]


def test_a_trial_of_which_nothing_is_heard_makes_room_for_another() -> None:
    breaker = Breaker(BreakerLimits(cool_s=30))
    breaker.failed(REFUSED, 0)
    breaker.tried(30)
    assert not breaker.allows(59) and breaker.allows(60)


def test_sessions_that_were_on_it_when_it_opened_change_nothing() -> None:
    breaker = Breaker(BreakerLimits(cool_s=30))
    breaker.failed(REFUSED, 0)
    breaker.failed(REFUSED, 29)
    breaker.succeeded(29)
    assert not breaker.closed and breaker.allows(30)


def test_a_provider_that_says_when_to_come_again_is_obeyed() -> None:
    breaker = Breaker(BreakerLimits(failures=1, cool_s=30))
    breaker.failed(Fault("throttled", "busy", retry_after_s=90), 0)
    assert not breaker.allows(89) and breaker.allows(90)


FAULTS = st.sampled_from([BROKEN, BUSY, OVER, REFUSED])
STORY = st.lists(
    st.tuples(st.sampled_from(["fail", "succeed", "try"]), FAULTS, st.floats(0, 50)), max_size=60
)


@given(STORY)
def test_whatever_happened_an_hour_later_a_session_may_try_and_close_it(story: Any) -> None:
    breaker, now = Breaker(), 0.0
    for what, fault, after in story:
        now += after
        if what == "fail":
            breaker.failed(fault, now)
        elif what == "succeed":
            breaker.succeeded(now)
        elif breaker.allows(now):
            breaker.tried(now)
    now += 3_600
    assert breaker.allows(now)
    breaker.tried(now)
    assert breaker.closed or not breaker.allows(now)
    breaker.succeeded(now)
    assert breaker.closed


# ---- chains ----------------------------------------------------------------------------------


def test_a_chain_has_an_engine() -> None:
    with pytest.raises(ValueError):
        Chain(())


def test_what_a_chain_hears_is_what_its_preferred_engine_hears() -> None:
    engines = [Named("a", frozenset({"es"})), Named("b")]
    both = Chain([cast(VoiceEngine, engine) for engine in engines])
    assert both.hears("es-MX") and not both.hears("en")


def test_where_a_session_would_begin_is_told_without_a_trial() -> None:
    engines = chain("a", "b", "c")
    engines.breakers.of("a").failed(REFUSED, 0)
    assert engines.likely(1).name == "b" and engines.likely(31).name == "a"
    assert tried(Course(engines).begin(31)) == "a"
    for key in "bc":
        engines.breakers.of(key).failed(REFUSED, 31)
    assert engines.likely(32).name == "c"


def test_breakers_are_shared_by_key() -> None:
    breakers = Breakers()
    breakers.of("a").failed(REFUSED, 0)
    assert not breakers.of("a").allows(1) and breakers.of("b").allows(1)
    assert breakers.open() == ["a"]


# ---- courses ---------------------------------------------------------------------------------


def on(course: Course, now: float = 0.0) -> Course:
    """It has a leg, since now."""
    course.begin(now)
    course.opened(now)
    return course


def test_an_expected_end_reopens_the_same_engine_at_once() -> None:
    course = on(Course(chain("a", "b")))
    for now in (480, 960, 1_440):
        assert course.failed(OVER, now) == Try(course.engine, 0.0, SAME_WITHIN_S)
        assert course.engine.name == "a"
        course.opened(now)


def test_an_end_that_comes_at_once_again_and_again_is_not_expected() -> None:
    course = on(Course(chain("a", "b")))
    names = []
    for now in range(5):
        names.append(tried(course.failed(OVER, now / 10)))
        course.opened(now / 10)
        if names[-1] == "b":
            break
    assert names[-1] == "b"


def test_an_end_that_cuts_each_leg_in_its_first_answer_is_not_expected() -> None:
    course, now, engines = on(Course(chain("a", "b"))), 0.0, []
    while "b" not in engines and len(engines) < 9:
        now += 2.0
        engines.append(tried(course.failed(OVER, now)))
        course.opened(now)
    assert engines[-1] == "b" and len(engines) <= 4


def test_a_transient_fault_is_tried_again_a_few_times_within_three_seconds() -> None:
    course = on(Course(chain("a", "b")))
    now, tries = 100.0, 0
    step = course.failed(BROKEN, now)
    while isinstance(step, Try) and step.engine.name == "a":
        tries += 1
        now += step.after_s
        step = course.failed(BROKEN, now)
    assert tries >= 2 and tried(step) == "b" and now < 100 + SAME_WITHIN_S


def test_an_engine_that_hangs_leaves_the_next_one_its_time() -> None:
    course = on(Course(chain("a", "b")))
    now = 100.0
    step = course.failed(BROKEN, now)
    while isinstance(step, Try) and step.engine.name == "a":
        now += step.after_s + step.within_s
        step = course.failed(BROKEN, now)
    assert tried(step) == "b" and now <= 100 + SAME_WITHIN_S


def test_a_session_that_begins_waits_for_one_that_hangs_once() -> None:
    course = Course(chain("a", "b"))
    step = course.begin(0)
    assert isinstance(step, Try) and step.within_s < 3
    assert tried(course.failed(BROKEN, step.within_s)) == "b"


def test_a_session_that_begins_tries_one_that_refuses_again() -> None:
    course = Course(chain("a", "b"))
    course.begin(0)
    assert tried(course.failed(BROKEN, 0.1)) == "a"


def test_a_leg_that_breaks_soon_after_it_was_opened_gets_its_tries_too() -> None:
    course = Course(chain("a", "b"))
    course.begin(0)
    course.opened(0.3)
    assert tried(course.failed(BROKEN, 5)) == "a"


def test_a_terminal_fault_goes_to_the_next_at_once() -> None:
    course = on(Course(chain("a", "b", "c")))
    assert tried(course.failed(REFUSED, 1)) == "b"
    assert tried(course.failed(REFUSED, 1)) == "c"


def test_a_busy_engine_is_waited_for_only_as_long_as_nobody_notices() -> None:
    course = on(Course(chain("a", "b")))
    step = course.failed(Fault("throttled", "busy", retry_after_s=0.8), 1)
    assert isinstance(step, Try) and (step.engine.name, step.after_s) == ("a", 0.8)
    course = on(Course(chain("a", "b")))
    assert tried(course.failed(Fault("throttled", "busy", retry_after_s=20), 1)) == "b"


def test_after_the_last_there_is_a_rest_and_then_the_preferred_one_again() -> None:
    course = on(Course(chain("a", "b")))
    course.failed(Fault("throttled", "busy", retry_after_s=20), 1)
    now, step = 1.0, course.failed(BROKEN, 1)
    while isinstance(step, Try):
        now += step.after_s
        step = course.failed(BROKEN, now)
    assert tried(course.begin(now + step.for_s)) == "a"


def test_the_last_engine_is_tried_whatever_its_breaker_says() -> None:
    alone = chain("a")
    alone.breakers.of("a").failed(REFUSED, 0)
    step = Course(alone).begin(1)
    assert isinstance(step, Try) and step.within_s == LAST_WITHIN_S


def test_the_next_session_begins_with_the_preferred_one_unless_its_breaker_is_open() -> None:
    engines = chain("a", "b")
    course = on(Course(engines))
    course.failed(REFUSED, 1)
    course.opened(1)
    assert tried(Course(engines).begin(2)) == "b"
    assert tried(Course(engines).begin(32)) == "a", "one tries"
    assert tried(Course(engines).begin(33)) == "b", "the others don't"
    assert course.engine.name == "b", "who is on another stays there"


def test_engines_that_share_a_credential_are_left_in_peace_together() -> None:
    engines = [Named("a"), Named("b"), Named("c")]
    engines[1].key = "a"
    course = on(Course(Chain([cast(VoiceEngine, engine) for engine in engines])))
    assert tried(course.failed(REFUSED, 1)) == "c"


def test_an_engine_that_opens_and_never_answers_is_left_too() -> None:
    course = on(Course(chain("a", "b")))
    now = 50.0
    for _ in range(5):
        step = course.failed(BROKEN, now)
        if tried(step) == "b":
            return
        course.opened(now)
        now += 0.5
    pytest.fail("it hangs on a broken engine")


def test_an_engine_that_has_answered_gets_all_its_tries_again() -> None:
    course = on(Course(chain("a", "b")))
    for now in range(0, 600, 60):
        assert tried(course.failed(BROKEN, now)) == "a"
        course.opened(now)
        course.proved(now + 1)


def test_standbys_that_fail_count_for_the_breaker_and_do_not_move_the_course() -> None:
    engines = chain("a", "b")
    course = on(Course(engines))
    for now in range(5):
        course.standby_failed(BROKEN, now)
    assert course.engine.name == "a" and not engines.breakers.of("a").allows(5)
    assert tried(course.failed(BROKEN, 5)) == "b"


def test_a_leg_that_falls_silent_after_a_while_each_time_is_not_the_engines_proof() -> None:
    stalled = Fault("transient", "answer_stalled")
    course = Course(chain("a", "b"))
    course.begin(0)
    course.opened(0)
    assert tried(course.failed(stalled, PROVEN_S + 2)) == "a"
    course.opened(PROVEN_S + 2)
    assert tried(course.failed(stalled, 2 * PROVEN_S + 4)) == "b"


HAPPENINGS = st.lists(
    st.tuples(st.sampled_from(["fails", "hangs", "lives"]), FAULTS, st.floats(0, 30)),
    min_size=1,
    max_size=60,
)


@given(st.integers(1, 4), HAPPENINGS)
def test_whatever_happens_trouble_soon_ends_on_another_engine_or_in_a_rest(
    length: int, story: Any
) -> None:
    engines = chain(*"abcd"[:length])
    course, now = Course(engines), 0.0
    step: Try | Rest = course.begin(now)
    trouble: tuple[str, float] | None = None
    "Which engine has been in trouble since when, without a proof that it works."
    for what, fault, time_s in story:
        if isinstance(step, Rest):
            now += step.for_s
            step, trouble = course.begin(now), None
            continue
        last = step.engine is engines.engines[-1]
        assert step.engine is course.engine
        assert step.after_s >= 0 and step.within_s > 0
        now += step.after_s
        if trouble is not None and not last and trouble[0] == step.engine.name:
            assert now - trouble[1] <= SAME_WITHIN_S, "it is another's turn by now"
        if what == "lives":
            course.opened(now)
            now += PROVEN_S + time_s
            course.proved(now)
            trouble = None
        else:
            now += step.within_s if what == "hangs" else 0.0
        name = step.engine.name
        step = course.failed(fault, now)
        if isinstance(step, Try) and step.engine.name == name:
            trouble = trouble if trouble is not None and trouble[0] == name else (name, now)
            last = step.engine is engines.engines[-1]
            assert last or fault.kind != "terminal"


def test_an_engine_that_answers_and_ends_each_leg_by_its_limit_at_once_is_left_for_the_next() -> (
    None
):
    course = Course(chain("a", "offline"))
    engines, now = [tried(course.begin(0))], 0.0
    while engines[-1] == "a" and len(engines) < 10:
        course.opened(now)
        course.proved(now + 0.5)
        now += 1.0
        engines.append(tried(course.failed(OVER, now)))
    assert engines == ["a", "a", "a", "offline"] and now <= 3.0
