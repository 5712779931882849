"""The provider finds the turns of a Realtime session."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ai.audio import BYTES_PER_MS
from ai.engine import TurnDetection, Vad, VoiceActivity
from ai.events import SpeechConfirmed, SpeechDropped, SpeechStarted, SpeechStopped, Used
from ai.openai import client_events, wire
from ai.openai.link import Link
from ai.openai.turns import Stall
from ai.openai.words import Words
from ai.turns import MAX_TURN_MS, Confirmed, Dropped, Suspected, TurnDetector

SURE_S = 0.3  # without our own voice detection: voice that goes on so long interrupts the tutor
SURE_MS = 288  # or so much of it, as `ai.turns` asks for while the tutor is heard
DOUBT_S = 0.8  # with it: no voice of ours within so long of theirs, and it was none
RECENT_MS = 500  # what ours is given to judge theirs by: the onset is told some 200 ms late
NEVER_MS = 3_600_000
ENDED_BY_US = 16


@dataclass(slots=True)
class _Turn:
    """Voice under way."""

    name: str
    item: str
    started_ms: int
    told: bool = True
    "It is suspected, the caller knows; not where our judgement took that back."
    confirmed: bool = False


class TheirTurns:
    """The provider says when there is voice.

    Its word is enough while the tutor is silent. While the tutor is heard it may be an echo or a
    cough: then our own voice detection has a look, at nothing else, or where there is none a short
    time has to pass.
    """

    def __init__(
        self,
        link: Link,
        words: Words,
        vad: Vad | None,
        clock_ms: int,
        over: Callable[[str, bool], None],
    ) -> None:
        """
        Args:
            over: Called with the item of voice that ended and whether it is a turn, before it is
                reported; by what `detect` said, the provider now answers by itself.
        """
        self._link = link
        self._words = words
        self._vad = vad
        self._over = over
        self._clock_ms = clock_ms
        self._bytes = 0
        self._detection: TurnDetection | None = None
        self._speaking: _Turn | None = None
        self._ended_by_us: deque[str] = deque(maxlen=ENDED_BY_US)
        "Items of turns that were committed; that their voice ended may still be told."
        self._last_end_ms = clock_ms
        self._tutor_heard = False
        self._recent: deque[bytes] = deque()
        self._recent_bytes = 0
        self._detector = TurnDetector()
        self._activity: VoiceActivity | None = None
        self._suspected = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall = Stall(self._heard_ms, self._stalled)

    def hear(self, pcm: bytes) -> None:
        self._link.say(client_events.append(pcm))
        self._bytes += len(pcm)
        turn = self._speaking
        long_ago_ms = self._heard_ms() - MAX_TURN_MS
        if turn is not None and turn.confirmed and turn.started_ms <= long_ago_ms:
            self._end(turn)  # the provider lets it go on for ever
        if self._vad is None:
            return
        self._recent.append(pcm)
        self._recent_bytes += len(pcm)
        while self._recent_bytes - len(self._recent[0]) >= RECENT_MS * BYTES_PER_MS:
            self._recent_bytes -= len(self._recent.popleft())
        if self._activity is not None:
            self._activity.feed(pcm)

    def detect(self, detection: TurnDetection | None) -> None:
        before, self._detection = self._detection, detection
        if detection == before:
            return
        if (detection is None) != (before is None) and self._bytes:
            self.clear()
        self._link.say(client_events.detect(self._link.id("detect"), detection))

    def commit(self, turn: str) -> None:
        speaking = self._leave()
        item = speaking.item if speaking is not None and speaking.name == turn else ""
        if item:
            self._ended_by_us.append(item)
        self._link.say(self._words.commit(turn))
        since_ms = speaking.started_ms if item and speaking else self._last_end_ms
        self._last_end_ms = self._heard_ms()
        self._link.report(Used("audio_in_ms", self._last_end_ms - since_ms))
        self._words.expect(turn, item)

    def clear(self) -> None:
        self._leave()
        self._link.say(client_events.CLEAR)
        self._last_end_ms = self._heard_ms()

    def playing(self, on: bool) -> None:
        self._tutor_heard = on
        turn = self._speaking
        if not on and turn is not None and not turn.confirmed:
            self._confirm()  # the tutor came to its end, and there is voice

    def began(self, fact: wire.VoiceBegan) -> None:
        if self._speaking is not None and self._speaking.item == fact.item:
            return
        self._drop()
        prefix_ms = self._detection.prefix_ms if self._detection else 0
        at_ms = self._clock_ms + fact.at_ms + prefix_ms
        at_ms = max(self._last_end_ms, min(at_ms, self._heard_ms()))
        self._speaking = _Turn(self._link.id("turn"), fact.item, at_ms)
        self._stall.watch()
        self._link.report(SpeechStarted(self._speaking.name, at_ms))
        if not self._tutor_heard:
            self._confirm()
        else:
            self._doubt()

    def ended(self, fact: wire.VoiceEnded) -> None:
        turn = self._speaking
        if fact.item in self._ended_by_us:
            return  # it is a turn already
        if turn is None:
            self._over(fact.item, False)
            return
        silence_ms = self._detection.silence_ms if self._detection else 0
        at_ms = self._clock_ms + fact.at_ms - silence_ms
        at_ms = max(turn.started_ms, min(at_ms, self._heard_ms()))
        if not turn.confirmed and self._vad is None and at_ms - turn.started_ms >= SURE_MS:
            self._confirm()
        item = fact.item or turn.item
        if not turn.confirmed:
            self._drop()
            self._over(item, False)
            return
        self._leave()
        self._last_end_ms = at_ms
        self._over(item, True)
        self._link.report(Used("audio_in_ms", at_ms - turn.started_ms))
        self._link.report(SpeechStopped(turn.name, at_ms))
        self._words.expect(turn.name, item)

    def close(self) -> None:
        self._leave()

    # ---- is it voice? ------------------------------------------------------------------------

    def _heard_ms(self) -> int:
        return self._clock_ms + self._bytes // BYTES_PER_MS

    def _confirm(self) -> None:
        turn = self._speaking
        if turn is None or turn.confirmed:
            return
        self._end_doubt()
        turn.confirmed = True
        self._suspect(turn)
        self._link.report(SpeechConfirmed(turn.name))

    def _suspect(self, turn: _Turn) -> None:
        if not turn.told:
            turn.told, turn.name = True, self._link.id("turn")
            self._link.report(SpeechStarted(turn.name, turn.started_ms))

    def _doubt(self) -> None:
        loop = asyncio.get_running_loop()
        if self._vad is None:
            self._timer = loop.call_later(SURE_S, self._confirm)
            return
        threshold = self._detection.threshold if self._detection else 0.5
        self._detector.detect(TurnDetection(NEVER_MS, threshold, 0))
        self._detector.playing(True)
        self._suspected = False
        self._timer = loop.call_later(DOUBT_S, self._take_back)
        clock_ms = self._heard_ms() - self._recent_bytes // BYTES_PER_MS
        self._detector.forget(clock_ms)
        self._activity = self._vad.session(self._judged, clock_ms=clock_ms)
        self._activity.feed(b"".join(self._recent))

    def _judged(self, probability: float, now_ms: int) -> None:
        turn = self._speaking
        if turn is None or turn.confirmed:
            return
        for fact in self._detector.hear(probability, now_ms):
            match fact:
                case Suspected():
                    self._suspected = True
                    self._suspect(turn)
                case Confirmed():
                    self._confirm()
                    return
                case Dropped():
                    self._suspected = False
                    self._take_back()

    def _take_back(self) -> None:
        turn = self._speaking
        if turn is not None and turn.told and not turn.confirmed and not self._suspected:
            turn.told = False
            self._link.report(SpeechDropped(turn.name))

    def _end_doubt(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()

    # ---- the end of it -----------------------------------------------------------------------

    def _leave(self) -> _Turn | None:
        """There is no voice under way any more; nothing is told."""
        self._end_doubt()
        self._stall.stop()
        turn, self._speaking = self._speaking, None
        return turn

    def _drop(self) -> None:
        turn = self._leave()
        if turn is not None and turn.told:
            self._link.report(SpeechDropped(turn.name))

    def _stalled(self) -> None:
        """They hear neither voice nor silence any more."""
        turn = self._speaking
        if turn is None or not turn.confirmed:
            self._drop()
            self._link.say(client_events.CLEAR)
            return
        self._end(turn)

    def _end(self, turn: _Turn) -> None:
        """Their detection does not end this turn, so it is ended here, where it is heard to."""
        self._leave()
        self._last_end_ms = self._heard_ms()
        self._ended_by_us.append(turn.item)
        self._link.say(self._words.commit(turn.name))
        self._link.report(Used("audio_in_ms", self._last_end_ms - turn.started_ms))
        self._link.report(SpeechStopped(turn.name, self._last_end_ms))
        self._words.expect(turn.name, turn.item)
