"""Our own voice detection finds the turns of a Realtime session."""

from ai.audio import BYTES_PER_MS
from ai.engine import TurnDetection, Vad, VoiceActivity
from ai.events import SpeechConfirmed, SpeechDropped, SpeechStarted, SpeechStopped, Used
from ai.openai import client_events, wire
from ai.openai.link import Link
from ai.openai.turns import Stall
from ai.openai.words import Words
from ai.turns import Confirmed, Dropped, Ended, Suspected, TurnDetector

KEPT_MS = 1_500  # audio before the onset is told, and before a commit by hand


class OurTurns:
    """Our voice detection finds the turns; the provider gets voice, and no silence around it."""

    def __init__(self, link: Link, words: Words, vad: Vad, clock_ms: int) -> None:
        self._link = link
        self._words = words
        self._vad = vad
        self._detector = TurnDetector()
        self._activity: VoiceActivity | None = None
        self._kept = bytearray()
        "The end of what was heard."
        self._end_ms = clock_ms
        self._sent = 0
        "Bytes of audio that the provider has and that are not part of a turn yet."
        self._turn = ""
        self._stall = Stall(lambda: self._end_ms, self._stalled)

    def hear(self, pcm: bytes) -> None:
        self._kept += pcm
        excess = len(self._kept) - KEPT_MS * BYTES_PER_MS
        if excess > KEPT_MS * BYTES_PER_MS:  # seldom, and then much: moving bytes is not free
            del self._kept[:excess]
        self._end_ms += len(pcm) // BYTES_PER_MS
        if self._turn or self._activity is None:
            self._append(pcm)
        if self._activity is not None:
            self._activity.feed(pcm)

    def detect(self, detection: TurnDetection | None) -> None:
        if (detection is None) != (self._detector.detection is None):
            self.clear()
            self._end_activity()
            if detection is not None:
                self._activity = self._vad.session(self._judged, clock_ms=self._end_ms)
        self._detector.detect(detection)

    def commit(self, turn: str) -> None:
        if not self._sent:
            self._append(bytes(self._kept[-KEPT_MS * BYTES_PER_MS :]))
        self._commit(turn)
        self._words.expect(turn)

    def clear(self) -> None:
        if self._sent:
            self._link.say(client_events.CLEAR)
        self._over()

    def playing(self, on: bool) -> None:
        self._detector.playing(on)

    def began(self, fact: wire.VoiceBegan) -> None:
        """They were not asked."""

    def ended(self, fact: wire.VoiceEnded) -> None:
        """They were not asked."""

    def close(self) -> None:
        self._stall.stop()
        self._end_activity()

    def _judged(self, probability: float, now_ms: int) -> None:
        for fact in self._detector.hear(probability, now_ms):
            match fact:
                case Suspected(began_ms, from_ms):
                    self._turn = self._link.id("turn")
                    length = max(0, self._end_ms - from_ms) * BYTES_PER_MS
                    self._append(bytes(self._kept[-length:]) if length else b"")
                    self._stall.watch()
                    self._link.report(SpeechStarted(self._turn, began_ms))
                case Confirmed():
                    self._link.report(SpeechConfirmed(self._turn))
                case Dropped():
                    turn, self._turn = self._turn, ""
                    self.clear()
                    self._link.report(SpeechDropped(turn))
                case Ended(ended_ms):
                    self._stop(ended_ms)

    def _stop(self, ended_ms: int) -> None:
        turn = self._turn
        self._commit(turn)
        self._link.report(SpeechStopped(turn, ended_ms))
        self._words.expect(turn)

    def _commit(self, turn: str) -> None:
        self._link.say(self._words.commit(turn))
        self._link.report(Used("audio_in_ms", self._sent // BYTES_PER_MS))
        self._over()

    def _stalled(self) -> None:
        if self._detector.confirmed:
            self._detector.forget(self._end_ms)
            self._stop(self._end_ms)
        else:
            turn, self._turn = self._turn, ""
            self.clear()
            self._link.report(SpeechDropped(turn))

    def _append(self, pcm: bytes) -> None:
        if pcm:
            self._sent += len(pcm)
            self._link.say(client_events.append(pcm))

    def _over(self) -> None:
        self._turn, self._sent = "", 0
        self._kept.clear()
        self._stall.stop()
        self._detector.forget(self._end_ms)

    def _end_activity(self) -> None:
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()
