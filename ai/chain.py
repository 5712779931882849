"""The next engine when one fails: which to try, how soon, and when to leave one in peace.

A `Chain` is what a school and a lesson prefer, in order; its last engine is the offline one. A
`Breaker` knows how an engine fares in all sessions of the process, by its key; a `Course` is one
session's way through its chain. Nothing here waits or has a clock: `now` is seconds of any steady
clock, the same for all.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ai.engine import VoiceEngine
from ai.events import OF_ONE_CONVERSATION, Fault

BACKOFF_S = (0.0, 0.3, 0.7)  # before the same engine is tried again; nobody is told of it
SAME_WITHIN_S = 2.0  # promises.md: told or bridged within 3 s, so by then it is another's turn
OPEN_WITHIN_S = 2.5  # a session that begins waits so long for an engine that is not its last
SHORTEST_TRY_S = 0.5
LAST_WITHIN_S = 15.0  # after the last engine comes nobody; engines give up by themselves at 10 s
REST_S = 15.0  # between rounds, while all engines are away
PROVEN_S = 10.0  # a leg that lived so long has proved its engine, if it answered or not; the last
# engine's need not: where nobody comes after it, any life is better than a rest
STALLED = "_stalled"  # how faults of legs end that were waited for in vain: that was no life
SHORTEST_LIFE_S = 1.0  # of a leg of the last engine
OF_ONE_LESSON = OF_ONE_CONVERSATION | {
    "history_refused",
    "request_refused",
    "tool_result_refused",
    "voice_unknown",
}  # a lesson's voice, tools or past: it goes on with another engine, and others stay on this one


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens, and for how long."""

    failures: int = 5
    window_s: float = 60.0
    cool_s: float = 30.0
    "Until one session may try again; doubled each time that this fails, too, ..."
    cool_most_s: float = 300.0
    "... up to here."


class Breaker:
    """Whether an engine that has been failing should be tried.

    closed --failures, or a terminal one--> open --cool-down--> half open: one session may try
      ^                                      ^                         |
      +---- success ------------------------ | ------------------------+
                                             +------- failure ---------+
    """

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self.limits = limits or BreakerLimits()
        self._failures: deque[float] = deque()
        "When the latest ones were, since the last success."
        self._cool_at: float | None = None
        "When it has cooled down; None: it is closed."
        self._cool_s = self.limits.cool_s
        self._trial_until: float | None = None
        "One session tries; if nothing was heard of it by then, another may."

    @property
    def closed(self) -> bool:
        return self._cool_at is None

    def allows(self, now: float) -> bool:
        """Whether a session may try now."""
        if self._cool_at is None:
            return True
        return now >= self._cool_at and (self._trial_until is None or now >= self._trial_until)

    def tried(self, now: float) -> None:
        """A session tries: while it is half open no other may."""
        if self._cool_at is not None:
            self._trial_until = now + self.limits.cool_s

    def failed(self, fault: Fault, now: float) -> None:
        """An attempt, or a leg, failed.

        An end that was to be expected is no failure, nor is what one lesson brings about.
        """
        if fault.kind == "limit" or fault.code in OF_ONE_LESSON:
            return
        if self._cool_at is not None:
            if now >= self._cool_at:  # earlier ones are of sessions that were on it already
                self._cool_s = min(2 * self._cool_s, self.limits.cool_most_s)
                self._open(fault, now)
            return
        while self._failures and now - self._failures[0] > self.limits.window_s:
            self._failures.popleft()
        self._failures.append(now)
        if fault.kind == "terminal" or len(self._failures) >= self.limits.failures:
            self._open(fault, now)

    def succeeded(self, now: float) -> None:
        """An answer came whole."""
        if self._cool_at is not None and now < self._cool_at:
            return  # of a session that was on it already: new ones still fail
        self._failures.clear()
        self._cool_at = self._trial_until = None
        self._cool_s = self.limits.cool_s

    def _open(self, fault: Fault, now: float) -> None:
        self._failures.clear()
        self._trial_until = None
        self._cool_at = now + max(self._cool_s, fault.retry_after_s or 0.0)


class Breakers:
    """The breakers of a process, by `VoiceEngine.key`."""

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self._limits = limits
        self._breakers: dict[str, Breaker] = {}

    def of(self, key: str) -> Breaker:
        return self._breakers.setdefault(key, Breaker(self._limits))

    def open(self) -> list[str]:
        """Keys of what is not tried freely now."""
        return [key for key, breaker in self._breakers.items() if not breaker.closed]


class Chain:
    """Engines in the order in which a session wants them; the last is the offline one."""

    def __init__(
        self,
        engines: Sequence[VoiceEngine],
        breakers: Breakers | None = None,
        *,
        on_server: frozenset[str] = frozenset(),
    ) -> None:
        """`on_server`: the models of them that are paid with the server's own key."""
        if not engines:
            raise ValueError("A chain needs an engine.")
        self.engines = tuple(engines)
        self.breakers = breakers or Breakers()
        self.on_server = on_server

    @property
    def preferred(self) -> VoiceEngine:
        return self.engines[0]

    def likely(self, now: float) -> VoiceEngine:
        """The one on which a session would begin now: the first that is not left in peace."""
        wanted = self.engines[:-1]
        allowed = (one for one in wanted if self.breakers.of(one.key).allows(now))
        return next(allowed, self.engines[-1])

    def hears(self, language: str) -> bool:
        """Whether the preferred engine understands speech in a language, by its BCP 47 tag."""
        return hears(self.preferred, language)


def hears(engine: VoiceEngine, language: str) -> bool:
    """Whether an engine understands speech in a language, by its BCP 47 tag."""
    return engine.languages is None or language.split("-")[0] in engine.languages


@dataclass(frozen=True, slots=True)
class Try:
    """Open a leg on this engine."""

    engine: VoiceEngine
    after_s: float
    within_s: float
    "Then it has failed."


@dataclass(frozen=True, slots=True)
class Rest:
    """All engines are away: ask `Course.begin` again after this time."""

    for_s: float


class Course:
    """One session's way through its chain.

    A fault of a leg or an attempt goes in, what to try next comes out: the same engine at once
    (its end was to be expected), the same after a moment, or the next one. Once on a later engine
    a session stays there; the next session begins with the preferred one again.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._at = 0
        self._tries = 0
        "Since the engine last proved itself."
        self._trouble_at: float | None = None
        "When the first of them was."
        self._began_at: float | None = None
        "When the engine was first tried; None: it has been open since."
        self._opened_at: float | None = None
        self._proved = False

    @property
    def engine(self) -> VoiceEngine:
        """The one the session is on, or is trying."""
        return self.chain.engines[self._at]

    def begin(self, now: float) -> Try:
        """The first attempt: the first engine that is not to be left in peace."""
        return self._go(0, now, OPEN_WITHIN_S)

    def opened(self, now: float) -> None:
        """The attempt succeeded: there is a leg."""
        self._opened_at = now
        self._began_at = None
        self._proved = False

    def proved(self, now: float) -> None:
        """The leg brought an answer, whole."""
        self._proved = True
        self._breaker().succeeded(now)

    def standby_failed(self, fault: Fault, now: float) -> None:
        """Another leg of the same engine could not be opened, while this one still lives.

        That it is busy is no failure: each session holds two legs for a moment, and tries again.
        """
        if fault.kind != "throttled":
            self._breaker().failed(fault, now)

    def failed(self, fault: Fault, now: float) -> Try | Rest:
        """The leg ended, or the attempt to open one failed."""
        self._breaker().failed(fault, now)
        opened_at, self._opened_at = self._opened_at, None
        lived_s = 0.0 if opened_at is None else now - opened_at
        lasts_s = SHORTEST_LIFE_S if self._is_last() else PROVEN_S
        lived = lived_s >= lasts_s and not fault.code.endswith(STALLED)
        # Who ends leg after leg by its limit may well have said a sentence on each.
        worked = lived or (self._proved and fault.kind != "limit")
        if worked or self._trouble_at is None:
            self._tries = 0
            self._trouble_at = now
        self._proved = False
        if fault.kind == "limit" and worked:
            return self._same(0.0, now)
        if fault.kind == "terminal" or self._tries >= len(BACKOFF_S):
            return self._next(now)
        after_s = BACKOFF_S[self._tries]
        if fault.kind == "throttled":
            after_s = max(after_s, BACKOFF_S[1], fault.retry_after_s or 0.0)
        self._tries += 1
        since = self._trouble_at if self._began_at is None else self._began_at
        over = now + after_s + SHORTEST_TRY_S > since + SAME_WITHIN_S
        if self._is_last() or (not over and self._breaker().allows(now)):
            return self._same(min(after_s, REST_S), now)
        return self._next(now)

    def _breaker(self) -> Breaker:
        return self.chain.breakers.of(self.engine.key)

    def _is_last(self) -> bool:
        return self._at == len(self.chain.engines) - 1

    def _same(self, after_s: float, now: float) -> Try:
        self._breaker().tried(now)
        if self._is_last():
            return Try(self.engine, after_s, LAST_WITHIN_S)
        assert self._trouble_at is not None, "only after trouble"
        left_s = self._trouble_at + SAME_WITHIN_S - now - after_s
        return Try(self.engine, after_s, max(SHORTEST_TRY_S, left_s))

    def _next(self, now: float) -> Try | Rest:
        return Rest(REST_S) if self._is_last() else self._go(self._at + 1, now, SAME_WITHIN_S)

    def _go(self, at: int, now: float, within_s: float) -> Try:
        """The first engine from here on that may be tried; the last one always may."""
        self._at = at
        while not self._is_last() and not self._breaker().allows(now):
            self._at += 1
        self._tries = 0
        self._trouble_at = None
        self._began_at = now
        self._opened_at = None
        self._proved = False
        self._breaker().tried(now)
        return Try(self.engine, 0.0, LAST_WITHIN_S if self._is_last() else within_s)
