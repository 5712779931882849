"""The student's audio on its way to Nova, which wants sound all the time, at its own pace."""

from collections.abc import Callable

from ai.audio import BYTES_PER_MS
from ai.bedrock.wire import IN_HZ, AudioInput
from ai.resample import Resampler

FRAME_MS = 32  # facts 1.1: about 32 ms, 512 samples at 16 kHz
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
FRAME_S = FRAME_MS / 1000
SENT_BYTES = IN_HZ * 2 * FRAME_MS // 1000
MID_SPEECH_S = 1.0  # in mid-speech, where silence would cut a word in two
TOGETHER = 3  # frames, while nobody speaks: what it costs to send is mostly the sending
QUIET_S = 0.25  # a microphone that is silent for longer is helped out; jitter is shorter
BURST = 10  # frames a beat: audio that waited is sent at most ten times as fast as it was spoken
AHEAD_S = 0.1  # after a burst, silence follows at once, so that Nova notices the end of a turn
MAX_WAITING = 60_000 * BYTES_PER_MS  # what a client may send ahead; beyond it the oldest is dropped
MAX_UNSENT = 64 * 1024  # bytes that the connection holds already: wait until it is rid of some


class Microphone:
    """One session's audio: what was spoken, and silence where nothing comes."""

    def __init__(
        self,
        audio: AudioInput,
        send: Callable[[bytes], None],
        unsent: Callable[[], int],
        now: float,
    ) -> None:
        self._audio = audio
        self._send = send
        self._unsent = unsent
        self._resampler = Resampler(1000 * BYTES_PER_MS // 2, IN_HZ)
        self._silence = audio.chunk(bytes(SENT_BYTES))
        self._waiting = bytearray()
        self._budget = BURST
        self._covered = now
        "Until when Nova has sound, on the loop's clock."
        self._silent = True
        "Silence flows already: there is no jitter to wait for."

    @property
    def waiting_s(self) -> float:
        """How much audio was not sent yet."""
        return len(self._waiting) / (1000 * BYTES_PER_MS)

    def hear(self, pcm: bytes, now: float, *, eager: bool = True) -> None:
        """Student audio, 24 kHz. If not `eager`, it may be sent a little later."""
        self._waiting += pcm
        if len(self._waiting) >= (FRAME_BYTES if eager else TOGETHER * FRAME_BYTES):
            if len(self._waiting) > MAX_WAITING:
                del self._waiting[: len(self._waiting) - MAX_WAITING]
            self._pump(now)

    def forget(self) -> None:
        """What was not sent yet is not wanted."""
        self._waiting.clear()

    def tick(self, now: float, *, mid_speech: bool = False) -> None:
        """Send what waits; else, if nothing was sent for a while, silence."""
        patience_s = MID_SPEECH_S if mid_speech else QUIET_S
        self._budget = BURST
        quiet_s = now - self._covered
        if len(self._waiting) >= TOGETHER * FRAME_BYTES or (
            quiet_s > TOGETHER * FRAME_S and len(self._waiting) >= FRAME_BYTES
        ):
            self._pump(now)
            return
        if quiet_s < TOGETHER * FRAME_S:
            return
        if self._waiting:
            if quiet_s < patience_s:
                return
            self._waiting += bytes(FRAME_BYTES - len(self._waiting))  # the end of a word
            self._pump(now)
            return
        if self._silent or quiet_s >= patience_s:
            self._fill(quiet_s, now)

    def _fill(self, quiet_s: float, now: float) -> None:
        """Silence for the time that passed."""
        self._silent = True
        for _ in range(min(BURST, int(quiet_s / FRAME_S))):
            if self._unsent() > MAX_UNSENT:
                return
            self._send(self._silence)
            self._covered += FRAME_S
        if now - self._covered > BURST * FRAME_S:  # the process slept: that time is over
            self._covered = now

    def _pump(self, now: float) -> None:
        """Send whole frames, as many as may be sent now."""
        frames = min(self._budget, len(self._waiting) // FRAME_BYTES)
        if frames <= 0 or self._unsent() > MAX_UNSENT:
            return
        self._budget -= frames
        made = self._resampler.feed(bytes(self._waiting[: frames * FRAME_BYTES]))
        del self._waiting[: frames * FRAME_BYTES]
        for at in range(0, len(made), SENT_BYTES):
            self._send(self._audio.chunk(made[at : at + SENT_BYTES]))
        until = max(self._covered, now) + frames * FRAME_S
        self._covered = min(until, now + AHEAD_S)
        self._silent = False
