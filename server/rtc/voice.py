"""The voice of one call: RTP packets of both directions to and from 24 kHz sound.

The shell around `receiving`, `sending` and the codec. A packet is decoded in the call that brings
it, and a frame encoded in the timer that sends it: no task, queue or thread between. One timer a
call; while something is being sent it looks after the receive buffer too.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from ai.audio import silence
from server.rtc import opus
from server.rtc.receiving import (
    SHORTEST_WAIT_MS,
    STEP_MS,
    Arrived,
    Began,
    Concealed,
    Counts,
    Quiet,
    Receiving,
    Recovered,
    Sound,
)
from server.rtc.rtp import ReceiverReport
from server.rtc.sending import Action, Frame, Position, Sending, Started, Stopped

FIRST_LOSS_PERCENT = 5.0  # until the receiver has reported: a usual wireless network
_WORSE, _BETTER = 0.5, 0.2  # of a report: loss is believed at once, its end slowly
_SOON_S = (SHORTEST_WAIT_MS + STEP_MS) / 1000  # where nothing is held nothing is due before that
_SOFT_S = 0.02  # the receive buffer may wait so long for a tick of the sender


class VoiceListener(Protocol):
    """Who is told; on the loop's thread, and not to raise."""

    def hear(self, pcm: bytes, *, made_up: bool = False) -> None:
        """The student: 24 kHz, 16-bit, mono, of any length, as it comes.

        `made_up`: no packet came, and this is what is heard in that time.
        """

    def started(self, response_id: str, item_id: str, audio_ms: int, rtp_timestamp: int) -> None:
        """The first frame of an item was sent, or the first after a break in it.

        `audio_ms` is where in the item its sound is, and `rtp_timestamp` its RTP timestamp.
        """

    def stopped(self, response_id: str, rtp_timestamp: int) -> None:
        """The last frame of a completed response was sent; it ended at that RTP timestamp."""

    def position(self, item_id: str, audio_ms: int) -> None:
        """How much of an item was heard, by estimate; five times a second while it plays."""


class Send(Protocol):
    """`Peer.send`: one packet, and the extended sequence it got."""

    def __call__(self, payload: bytes, timestamp: int, *, marker: bool) -> int: ...


class Timer(Protocol):
    """What a loop's `call_later` returns."""

    def cancel(self) -> None: ...


class Voice:
    """One call's sound. Raises OpusMissing where calls can't be held.

    Nothing is sent before `begin`, and nothing told after `close`. `clock` counts seconds,
    steadily; `call_later` is the running loop's, where none is given.
    """

    def __init__(
        self,
        send: Send,
        listener: VoiceListener,
        *,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer] | None = None,
    ) -> None:
        self._send = send
        self._listener = listener
        self._clock = clock
        self._call_later = call_later or asyncio.get_running_loop().call_later
        self._encoder = opus.Encoder()
        self._decoder = opus.Decoder()
        self._receiving = Receiving()
        self._sending = Sending(random.getrandbits(32), clock())
        self._loss_percent = FIRST_LOSS_PERCENT
        self._encoder.expect_loss(round(FIRST_LOSS_PERCENT))
        self._open = self._closed = False
        self._timer: Timer | None = None
        self._wakes_at = 0.0
        self._working = False

    @property
    def counts(self) -> Counts:
        """What became of the student's packets."""
        return self._receiving.counts

    def begin(self) -> None:
        """The call is connected: packets may flow."""
        if not self._open and not self._closed:
            self._open = True
            self._sending.begin(self._clock())
            self._work()

    def close(self) -> None:
        """Nothing is sent or told any more. Idempotent."""
        if self._closed:
            return
        self._closed, self._open = True, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # libopus's 60 KB are given back now, and not when the collector comes upon a call's cycles.
        del self._encoder, self._decoder

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        """One RTP packet of the student arrived."""
        if self._closed:
            return
        now = self._clock()
        self._sending.arrived(now)
        if sounds := self._receiving.add(sequence, timestamp, payload, ssrc, now):
            self._hear(sounds)
        if self._timer is None or self._receiving.held or self._wakes_at > now + _SOON_S:
            self._arm()

    def report(self, report: ReceiverReport) -> None:
        """The student's side tells what it got."""
        if self._closed:
            return
        self._sending.report(report, self._clock())
        percent = min(1.0, max(0.0, report.fraction_lost)) * 100
        share = _WORSE if percent > self._loss_percent else _BETTER
        self._loss_percent += share * (percent - self._loss_percent)
        self._encoder.expect_loss(round(self._loss_percent))

    def play(self, response_id: str, item_id: str, pcm: bytes) -> None:
        """More sound of an item, 24 kHz, 16-bit, mono; not far ahead of `position`."""
        if self._closed:
            return
        self._sending.play(response_id, item_id, pcm)
        self._work()

    def complete(self, response_id: str) -> None:
        """No more sound comes for a response; `stopped` follows, if it sounded."""
        self._sending.complete(response_id)
        self._work()

    def pause(self) -> None:
        """The next packet fades out."""
        self._sending.pause()
        self._work()

    def resume(self) -> None:
        """Go on at the sample at which the pause began."""
        self._sending.resume()
        self._work()

    def clear(self, response_id: str | None = None) -> list[tuple[str, int]]:
        """Throw away what was not sent: of one response, or all; ends a pause of it.

        Returns (item, ms) of what was not heard to its end: how much of it was sent, and may be
        thought heard. No `position` of these items and no `stopped` follows.
        """
        cut = self._sending.clear(response_id, self._clock())
        self._work()
        return cut

    def sent_ms(self, item_id: str) -> int | None:
        """How much of an item was sent; None: it is long over, or unknown."""
        return self._sending.sent_ms(item_id)

    def _wake(self) -> None:
        self._timer = None
        self._work()

    def _work(self) -> None:
        """Do what is due now, and be woken for the next."""
        if self._working:  # a listener asked for something; the loop below sees it
            return
        self._working = True
        try:
            now = self._clock()
            if self._open:
                self._act(self._sending.tick(now))
            if not self._closed and (sounds := self._receiving.tick(now)):
                self._hear(sounds, made_up=not any(type(sound) is Arrived for sound in sounds))
        finally:
            self._working = False
        self._arm()

    def _arm(self) -> None:
        """Set the timer, unless it rings early enough; a timer that rings too early costs less."""
        deadline = self._deadline()
        if deadline is None or self._closed or self._working:
            return
        if self._timer is not None:
            if self._wakes_at <= deadline:
                return
            self._timer.cancel()
        self._wakes_at = deadline
        self._timer = self._call_later(max(0.0, deadline - self._clock()), self._wake)

    def _deadline(self) -> float | None:
        hearing = self._receiving.deadline
        if not self._open:
            return hearing
        sending = self._sending.deadline
        return sending if hearing is None or sending <= hearing + _SOFT_S else hearing

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            if self._closed:  # by whom an action was told to
                return
            match action:
                case Frame(pcm, timestamp, marker, begins):
                    payload = opus.SILENCE if pcm is None else self._encoder.encode(pcm)
                    sequence = self._send(payload, timestamp, marker=marker)
                    if begins is not None:
                        begins.sequence = sequence
                case Started(response_id, item_id, audio_ms, rtp_timestamp):
                    self._listener.started(response_id, item_id, audio_ms, rtp_timestamp)
                case Stopped(response_id, rtp_timestamp):
                    self._listener.stopped(response_id, rtp_timestamp)
                case Position(item_id, audio_ms):
                    self._listener.position(item_id, audio_ms)

    def _hear(self, sounds: list[Sound], *, made_up: bool = False) -> None:
        if pcm := b"".join(map(self._sound, sounds)):
            self._listener.hear(pcm, made_up=made_up)

    def _sound(self, sound: Sound) -> bytes:
        decoder = self._decoder
        match sound:
            case Arrived(payload):
                try:
                    return decoder.decode(payload)
                except opus.OpusError:  # whoever sends noise in place of Opus
                    return decoder.conceal(opus.duration_ms(payload))
            case Recovered(following, ms):
                try:
                    return decoder.recover(following, ms)
                except opus.OpusError:
                    return decoder.conceal(ms)
            case Concealed(ms):
                return decoder.conceal(ms)
            case Quiet(ms):
                return silence(round(ms))
            case Began():
                decoder.reset()
        return b""
