"""When a student is speaking: voice probabilities and the time go in, facts come out. No I/O.

A stretch of voice goes through

    quiet -> suspected -> quiet                        Suspected, Dropped      (a cough)
    quiet -> suspected -> speaking -> quiet            Suspected, Confirmed, Ended

Suspicion is cheap and reversible (the tutor's sound is paused); it takes more voice to confirm it
while the tutor is heard, and more still in the first seconds of that, before the student's echo
canceller has learnt the room. While a pause lasts, `Paused` says that the turn may be over, so that
recognition can begin before patience ends; `Resumed` takes it back.

Times are milliseconds on the student's media clock.
"""

from dataclasses import dataclass

from ai.engine import TurnDetection

WINDOW_MS = 32  # Silero's window: 512 samples at 16 kHz
HYSTERESIS = 0.15  # below the threshold before voice counts as gone; Silero's own value
PAUSE_MS = 200  # silence after which a turn may be over; a plosive's closure lasts up to 120
MAX_TURN_MS = 60_000
ECHO_GUARD_MS = 3_000  # of the tutor's sound; echo cancellers converge within it


@dataclass(frozen=True, slots=True)
class Suspected:
    """Voice is suspected since `at_ms`."""

    at_ms: int
    from_ms: int
    "Where the turn's audio begins: `at_ms` less the prefix, but not inside an earlier turn."


@dataclass(frozen=True, slots=True)
class Confirmed:
    """It is speech."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """It was not speech."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Silence since `at_ms`: the turn may be over; what follows is `Resumed` or `Ended`."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The student speaks on after a pause."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over. `at_ms` is where the voice ended, before the silence."""

    at_ms: int


TurnFact = Suspected | Confirmed | Dropped | Paused | Resumed | Ended


@dataclass(frozen=True, slots=True)
class Caution:
    """How much voice it takes."""

    surer: float
    "Added to the threshold."
    onset_ms: int
    "Unbroken voice that raises suspicion."
    voiced_ms: int
    "Voice that confirms it, ..."
    within_ms: int
    "... when it comes within so long of the onset."


# The shortest answers measured (`no`, `two`, `eight` by three voices) are 320 to 420 ms of voice.
LISTENING = Caution(surer=0.0, onset_ms=64, voiced_ms=192, within_ms=480)
TUTOR_HEARD = Caution(surer=0.15, onset_ms=96, voiced_ms=288, within_ms=640)
ECHO_UNLEARNT = Caution(surer=0.3, onset_ms=128, voiced_ms=448, within_ms=800)
SUREST = 0.9


@dataclass(slots=True)
class _Stretch:
    """The voice under way."""

    start_ms: int
    voice_end_ms: int
    voiced_ms: int
    caution: Caution
    "As it was when suspicion arose: that the tutor pauses for it must not make it surer."
    confirmed: bool = False
    silent: bool = False
    paused: bool = False


class TurnDetector:
    """Finds the turns in one student's voice.

    `detection` None: the client says itself when a turn is over, and no facts come.
    """

    def __init__(self, detection: TurnDetection | None = None) -> None:
        self.detection = detection
        self._tutor_heard = False
        self._tutor_heard_ms = 0
        self._turns_end_ms = 0
        self._run_ms = 0
        self._stretch: _Stretch | None = None

    @property
    def confirmed(self) -> bool:
        """Whether a turn is going on that is known to be speech."""
        return self._stretch is not None and self._stretch.confirmed

    def detect(self, detection: TurnDetection | None) -> None:
        """From now on turns end by this rule. A turn under way goes on by it; None forgets it."""
        self.detection = detection
        if detection is None:
            self._stretch = None
            self._run_ms = 0

    def playing(self, on: bool) -> None:
        """Whether the student hears the tutor now."""
        self._tutor_heard = on

    def forget(self, now_ms: int) -> None:
        """The turn under way is none any more: it was committed by hand, or thrown away."""
        self._turns_end_ms = now_ms
        self._stretch = None
        self._run_ms = 0

    def hear(self, probability: float, now_ms: int) -> list[TurnFact]:
        """The probability of voice in the window that ends at `now_ms`."""
        if self._tutor_heard:
            self._tutor_heard_ms += WINDOW_MS
        if self.detection is None:
            return []
        caution = self._caution()
        voiced = probability >= min(SUREST, self.detection.threshold + caution.surer)
        if self._stretch is None:
            return self._listen(self.detection, voiced, now_ms, caution)
        gone = probability < self.detection.threshold - HYSTERESIS
        _track(self._stretch, voiced, gone, now_ms)
        if not self._stretch.confirmed:
            return self._judge(self._stretch, now_ms)
        return self._follow(self._stretch, self.detection.silence_ms, now_ms)

    def _caution(self) -> Caution:
        if self._stretch is not None:
            return LISTENING if self._stretch.confirmed else self._stretch.caution
        if not self._tutor_heard:
            return LISTENING
        return ECHO_UNLEARNT if self._tutor_heard_ms <= ECHO_GUARD_MS else TUTOR_HEARD

    def _listen(
        self, detection: TurnDetection, voiced: bool, now_ms: int, caution: Caution
    ) -> list[TurnFact]:
        self._run_ms = self._run_ms + WINDOW_MS if voiced else 0
        if self._run_ms < caution.onset_ms:
            return []
        start_ms = max(0, now_ms - self._run_ms)
        self._stretch = _Stretch(start_ms, now_ms, self._run_ms, caution)
        self._run_ms = 0
        from_ms = max(min(self._turns_end_ms, start_ms), start_ms - detection.prefix_ms)
        return [Suspected(start_ms, from_ms)]

    def _judge(self, stretch: _Stretch, now_ms: int) -> list[TurnFact]:
        if stretch.voiced_ms >= stretch.caution.voiced_ms:
            stretch.confirmed = True
            return [Confirmed()]
        late = now_ms - stretch.start_ms >= stretch.caution.within_ms
        if late or now_ms - stretch.voice_end_ms >= PAUSE_MS:
            self._stretch = None
            return [Dropped()]
        return []

    def _follow(self, stretch: _Stretch, patience_ms: int, now_ms: int) -> list[TurnFact]:
        silence_ms = now_ms - stretch.voice_end_ms
        facts: list[TurnFact] = []
        if stretch.paused and silence_ms == 0:
            stretch.paused = False
            facts.append(Resumed())
        if not stretch.paused and silence_ms >= min(PAUSE_MS, patience_ms):
            stretch.paused = True
            facts.append(Paused(stretch.voice_end_ms))
        if silence_ms >= patience_ms or now_ms - stretch.start_ms >= MAX_TURN_MS:
            facts.append(Ended(stretch.voice_end_ms))
            self.forget(now_ms)
        return facts


def _track(stretch: _Stretch, voiced: bool, gone: bool, now_ms: int) -> None:
    """Between the two thresholds nothing changes: what was voice stays it, and silence too."""
    if voiced:
        stretch.voiced_ms += WINDOW_MS
        stretch.silent = False
    elif gone:
        stretch.silent = True
    if not stretch.silent:
        stretch.voice_end_ms = now_ms
