"""Whether a leg is alive, by what it does: what goes in must lead to something that comes out.

A leg that was opened and says nothing of a fault may be dead all the same. What is asked of it, the
student's audio and its reports go in; the name of what is missing comes out. No I/O, no clock.
"""

from ai.engine import Ask, Patience, TurnDetection
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Failed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Used,
)

LOUD = 2_000  # of 32,767: speech near a microphone peaks at 3,000 and more
QUIET = 700  # no speech: the noise of a room, or of a microphone
LOUD_WITHIN_MS = 20_000  # what was loud longer ago was no speech, or ears are not deaf
ONSET_MS = 500
OVERDUE_MS = 1_000  # after the silence that ends a turn its end is told within this
LONGEST_TURN_MS = 75_000  # a turn ends by itself after 60 s


class Pulse:
    """The signs of life of one leg. `now` is seconds of a steady clock."""

    def __init__(self, patience: Patience, *, doubts_ears: bool = True) -> None:
        self.patience = patience
        self._doubts_ears = doubts_ears and patience.ears_s is not None
        self._ask: Ask | None = None
        self._moved_at = 0.0
        "When the answer last got on."
        self._told = False
        "That it takes longer."
        self._calls = 0
        self._turn = False
        self._turn_ms = 0
        self._quiet_ms = 0
        "Of the turn under way: how long it is, and how long it has been quiet."
        self._silence_ms: int | None = None
        "That ends a turn; None: the client ends it."
        self._turn_told = False
        "That the turn's end takes longer."
        self._hears_itself = False
        self._since_loud_ms = 0
        "Since loud audio began of which it has said nothing."
        self._loud_ms = 0

    # ---- what goes in ------------------------------------------------------------------------

    def asked(self, ask: Ask, now: float) -> None:
        self._ask, self._moved_at, self._told, self._calls = ask, now, self._turn_told, 0
        self._turn_told = False

    def detect(self, detection: TurnDetection | None) -> None:
        """How turns end from now on."""
        self._silence_ms = detection.silence_ms if detection is not None else None

    def cancelled(self, answer: str) -> None:
        if self._ask is not None and self._ask.answer == answer:
            self._ask = None

    def gave(self, now: float) -> None:
        """A tool call was answered."""
        self._calls = max(0, self._calls - 1)
        self._moved_at = now

    @property
    def listens(self) -> bool:
        """Whether the loudness of the student's audio matters now."""
        return self._turn or self._doubts_ears

    def heard(self, peak: int, length_ms: int) -> bool:
        """Audio of the student was given to the leg. True: something is `missing` by now."""
        if self._turn:
            self._turn_ms += length_ms
            self._quiet_ms = self._quiet_ms + length_ms if peak < QUIET else 0
        elif self._doubts_ears:
            if peak >= LOUD and not self._hears_itself:
                self._loud_ms += length_ms
            if self._loud_ms:
                self._since_loud_ms += length_ms
                if self._since_loud_ms > LOUD_WITHIN_MS:
                    self._since_loud_ms = self._loud_ms = 0
        return self._audio_missing() is not None or self._is_turn_slow()

    def reported(self, event: EngineEvent, now: float) -> None:
        """The leg gave a sign of life."""
        if isinstance(event, Used):
            return
        self._since_loud_ms = self._loud_ms = 0
        match event:
            case SpeechStarted():
                self._turn, self._turn_ms, self._quiet_ms = True, 0, 0
                self._turn_told = False
            case SpeechConfirmed():
                self._quiet_ms = 0
            case SpeechStopped() | SpeechDropped():
                self._turn = False
        ask = self._ask
        if ask is None or getattr(event, "answer", None) != ask.answer:
            return
        match event:
            case AnswerEnded() | Failed():
                self._ask = None
            case ToolCalled():
                self._calls += 1
            case Spoke() if event.pcm or not ask.sound:
                self._moved_at, self._told = now, False

    def playing(self, on: bool) -> None:
        """What is loud while the tutor is heard may be the tutor."""
        self._hears_itself = on

    def committed(self) -> None:
        """The turn under way was ended from outside."""
        self._turn = False

    # ---- what comes out ----------------------------------------------------------------------

    def slow(self, now: float) -> bool:
        """Whether the student should be told now that the answer takes longer; once an answer.

        Also before it is asked for, where the student has been quiet and the turn does not end.
        """
        if self._is_turn_slow():
            self._turn_told = True
            return True
        due = self._slow_due()
        if due is None or now < due:
            return False
        self._told = True
        return True

    def missing(self, now: float) -> str | None:
        """What should have come by now, if it did not: the leg is dead."""
        due = self._answer_due()
        if due is not None and now >= due:
            return "answer_stalled"
        return self._audio_missing()

    def _audio_missing(self) -> str | None:
        if self._turn:
            over = self._quiet_ms >= self.patience.turn_s * 1000
            return "turn_stalled" if over or self._turn_ms >= LONGEST_TURN_MS else None
        ears_s = self.patience.ears_s
        if ears_s is not None and self._doubts_ears and self._loud_ms >= ears_s * 1000:
            return "ears_stalled"
        return None

    def _is_turn_slow(self) -> bool:
        told_s, silence_ms = self.patience.told_s, self._silence_ms
        if not self._turn or self._turn_told or told_s is None or silence_ms is None:
            return False
        return self._quiet_ms >= max(told_s * 1000, silence_ms + OVERDUE_MS)

    @property
    def doubtful_ms(self) -> int:
        """So much of the latest audio holds something loud of which nothing was said."""
        return self._since_loud_ms + ONSET_MS if self._loud_ms else 0

    def deadline(self) -> float | None:
        """When time alone may bring something about. Audio may do so at any time."""
        dues = [due for due in (self._answer_due(), self._slow_due()) if due is not None]
        return min(dues, default=None)

    def _answer_due(self) -> float | None:
        return None if self._ask is None or self._calls else self._moved_at + self.patience.answer_s

    def _slow_due(self) -> float | None:
        told_s = self.patience.told_s
        if self._ask is None or self._calls or self._told or told_s is None:
            return None
        return self._moved_at + told_s
