"""The student's turns as Nova Sonic and our own ears find them together.

Where we detect voice ourselves, that tells when the student begins to speak, at once. When a turn
is over, and what was said, Nova decides: it transcribes, and begins to answer. A turn of which it
says nothing is ended after a while without words, so that nobody waits for ever.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from ai.audio import BYTES_PER_MS
from ai.engine import Report, TurnDetection, Vad, VoiceActivity
from ai.events import SpeechConfirmed, SpeechDropped, SpeechStarted, SpeechStopped, Transcribed
from ai.turns import Confirmed, Dropped, Ended, Paused, Resumed, Suspected, TurnDetector

NOVA_SILENT_S = 6.0  # its longest patience is 2 s, and it answers within another
COMMITTED_S = 8.0  # a turn that the client ended; the caller gives up at 10 s
STALL_S = 2.0  # a microphone that stops while voice is suspected
LATE_MS = 1_500  # without our own ears: how long after a turn's end Nova tells of it
MS_PER_CHARACTER = 65  # and how long its words took


@dataclass(slots=True)
class _Turn:
    """A stretch of speech that Nova has not answered."""

    name: str
    began_ms: int
    confirmed: bool = False
    texts: list[str] = field(default_factory=list)
    voice_end_ms: int | None = None
    "None: the student is speaking, as far as we can hear."
    quiet_since: float | None = None
    "On the loop's clock; None: it goes on."

    @property
    def text(self) -> str:
        return " ".join(text for text in self.texts if text)


class Hearing:
    """One student's turns."""

    def __init__(
        self, vad: Vad | None, report: Report, clock_ms: int, clock: Callable[[], float]
    ) -> None:
        self._vad = vad
        self._report = report
        self._clock = clock
        self._detector = TurnDetector()
        self._activity: VoiceActivity | None = None
        self._heard_bytes = 0
        self._from_ms = clock_ms
        self._forgot_ms = clock_ms
        "Voice before this was committed or thrown away."
        self._last_end_ms = clock_ms
        self._heard_at = clock()
        self._open: _Turn | None = None
        self._committed: deque[_Turn] = deque()
        "Ended by the client, and without their words."
        self.by_hand = True
        "The client says when a turn is over."
        self.unheard = False
        "Of the last turn no word was understood."

    @property
    def now_ms(self) -> int:
        """The student's media clock."""
        return self._from_ms + self._heard_bytes // BYTES_PER_MS

    @property
    def mid_speech(self) -> bool:
        """Whether the student's voice was heard to the end of the audio that came."""
        turn = self._open
        return turn is not None and turn.voice_end_ms is None and self._activity is not None

    @property
    def eager(self) -> bool:
        """Whether Nova should hear the student without delay."""
        return self._open is not None or self._activity is None

    @property
    def waits_for_nova(self) -> bool:
        """Whether Nova has a turn that it can be expected to answer."""
        return bool(self._committed) or self._open is not None

    # ---- the session tells -------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        """Student audio, 24 kHz."""
        self._heard_bytes += len(pcm)
        self._heard_at = self._clock()
        if self._activity is not None and not self.by_hand:
            self._activity.feed(pcm)

    def detect(self, detection: TurnDetection | None) -> None:
        if (detection is None) != self.by_hand:
            self.clear()
            self._open_activity()
        self.by_hand = detection is None
        self._detector.detect(detection)

    def _open_activity(self) -> None:
        """A fresh ear on the media clock."""
        self.close()
        if self._vad is not None:
            self._activity = self._vad.session(self._judged, clock_ms=self.now_ms)

    def playing(self, on: bool) -> None:
        self._detector.playing(on)

    def commit(self, name: str) -> None:
        """The client says that the turn is over: only its words are awaited."""
        turn = self._open
        if turn is None or turn.name != name:
            turn = _Turn(name, self.now_ms)
        self._open = None
        turn.confirmed = True
        turn.quiet_since = self._clock()
        self._committed.append(turn)
        self._forget()

    def clear(self) -> None:
        """What was heard and is no finished turn is none."""
        self._open = None
        self._forget()

    def _forget(self) -> None:
        self._forgot_ms = self._last_end_ms = self.now_ms
        self._detector.forget(self.now_ms)

    def close(self) -> None:
        if self._activity is not None:
            self._activity.close()
            self._activity = None

    # ---- our own ears tell -------------------------------------------------------------------

    def _judged(self, probability: float, now_ms: int) -> None:
        if now_ms <= self._forgot_ms:
            return
        for fact in self._detector.hear(probability, now_ms):
            match fact:
                case Suspected(at_ms, _):
                    self._suspect(at_ms)
                case Confirmed():
                    self._confirm()
                case Dropped():
                    self._drop()
                case Paused(at_ms):
                    if self._open is not None:
                        self._open.voice_end_ms = at_ms
                case Resumed():
                    if self._open is not None:
                        self._open.voice_end_ms = None
                case Ended(at_ms):
                    if self._open is not None:
                        self._open.voice_end_ms = at_ms
                        self._open.quiet_since = self._clock()

    def _suspect(self, at_ms: int) -> None:
        if self._open is not None:  # after its patience, and before Nova's: the same turn goes on
            self._open.quiet_since = None
            self._open.voice_end_ms = None
            return
        self._open = _Turn(_name(), at_ms)
        self._report(SpeechStarted(self._open.name, at_ms))

    def _confirm(self) -> None:
        turn = self._open
        if turn is not None and not turn.confirmed:
            turn.confirmed = True
            self._report(SpeechConfirmed(turn.name))

    def _drop(self) -> None:
        turn = self._open
        if turn is None:
            return
        if turn.confirmed:  # it was speech before; this last was a cough
            turn.quiet_since = self._clock()
            return
        self._open = None
        self._report(SpeechDropped(turn.name))

    # ---- Nova tells --------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Words of the student: whatever we thought, it was speech."""
        if self._committed:
            self._committed[0].texts.append(text.strip())
            return
        spoken_ms = LATE_MS + MS_PER_CHARACTER * len(text)
        turn = self._open or self._found(spoken_ms)
        self._confirm()
        turn.texts.append(text.strip())
        if self._activity is None and self._open is turn:
            turn.quiet_since = self._clock()

    def interrupted(self) -> None:
        """Nova noticed that the student speaks while the tutor does."""
        if self._open is None:
            self._found(LATE_MS).quiet_since = self._clock()
        self._confirm()

    def _found(self, ago_ms: int) -> _Turn:
        """A turn that only Nova heard."""
        began_ms = max(self._last_end_ms, self.now_ms - ago_ms)
        self._open = turn = _Turn(_name(), began_ms)
        self._report(SpeechStarted(turn.name, began_ms))
        return turn

    def answered(self) -> None:
        """Nova begins to answer: the turn whose words it told is over."""
        if self._committed:
            if self._committed[0].texts:
                self._tell_words(self._committed.popleft())
        elif self._open is not None and self._open.texts:
            self._stop(self._open)

    # ---- time passes -------------------------------------------------------------------------

    def tick(self, now: float, unsent_s: float) -> None:
        """End what waits for nothing. `unsent_s` of the student's audio is yet to be sent."""
        if self._committed:
            since = self._committed[0].quiet_since
            if unsent_s:
                self._committed[0].quiet_since = now
            elif since is not None and now - since >= COMMITTED_S:
                self._tell_words(self._committed.popleft())
        turn = self._open
        if turn is None:
            return
        if self._activity is not None and now - self._heard_at >= STALL_S:
            self._stalled(turn, now)
        elif turn.quiet_since is not None and now - turn.quiet_since >= NOVA_SILENT_S:
            self._stop(turn)

    def _stalled(self, turn: _Turn, now: float) -> None:
        """The microphone gives nothing: our ears will never tell the end."""
        if not turn.confirmed:
            self._drop()
            self._detector.forget(self.now_ms)
        elif turn.quiet_since is None:
            turn.quiet_since = self._heard_at
        elif now - turn.quiet_since >= NOVA_SILENT_S:
            self._stop(turn)

    # ---- small parts -------------------------------------------------------------------------

    def _stop(self, turn: _Turn) -> None:
        """The turn is over."""
        self._open = None
        end_ms = self.now_ms if turn.voice_end_ms is None else turn.voice_end_ms
        end_ms = max(turn.began_ms, end_ms)
        self._last_end_ms = end_ms
        self._detector.forget(self.now_ms)
        # Whoever hears of the end asks for the answer at once, and that wants to know this.
        self.unheard = not turn.text
        self._report(SpeechStopped(turn.name, end_ms))
        self._tell_words(turn)

    def _tell_words(self, turn: _Turn) -> None:
        self.unheard = not turn.text
        self._report(Transcribed(turn.name, turn.text, sure=bool(turn.text)))


def _name() -> str:
    return f"turn_{uuid4().hex}"
