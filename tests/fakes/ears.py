"""Hears students: finds their turns by energy, and recognises their words.

Finding turns is cheap and blocks nobody; recognising takes a tenth of a second or more, in another
process (`recognised`), or next to nothing where a test knows what it says (`Told`, `Known`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from ai.audio import RATE_HZ, silence
from ai.local.vocabulary import expected
from ai.resample import resample
from tests.fakes.children import child
from tests.fakes.mind import UNCLEAR, Line, brief_of, open_step, read_lesson

WINDOW_MS = 10
LOUD = 300  # of 32,767, RMS; a quiet room is 6, speech 1,000 and more
ONSET_MS = 60  # of loud sound within ONSET_WITHIN_MS: a click is shorter
ONSET_WITHIN_MS = 120
PREFIX_MS = 300
NEAR = 0.5  # how much of a known phrase must have been heard to be taken for it
AROUND = silence(200)  # a first word without a pause before it is often missed


@dataclass(frozen=True, slots=True)
class Began:
    """The student speaks, since `at_ms` of the audio that was fed."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The silence after the student's voice lasted as long as it must."""

    at_ms: int
    "Where the voice ended."
    pcm: bytes
    "The turn with a little before it, at the finder's rate."


@dataclass(slots=True)
class TurnFinder:
    """Finds the turns in one student's audio. All times count from the first sample fed."""

    rate_hz: int
    silence_ms: int = 500
    threshold: int = LOUD
    prefix_ms: int = PREFIX_MS
    fed_ms: int = 0
    speaking: bool = False
    _held: bytearray = field(default_factory=bytearray)
    "Audio that may still become part of a turn; ends at `fed_ms`, in whole windows."
    _odd: bytearray = field(default_factory=bytearray)
    _recent: list[bool] = field(default_factory=list)
    _voice_end_ms: int = 0

    def feed(self, pcm: bytes) -> list[Began | Ended]:
        """What became of the student's turns with this audio, of any length."""
        self._odd += pcm
        size = self.rate_hz * WINDOW_MS // 1000 * 2
        found: list[Began | Ended] = []
        whole = len(self._odd) // size * size
        if whole:
            windows = np.frombuffer(bytes(self._odd[:whole]), "<i2").reshape(-1, size // 2)
            levels = np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1))
            for at, level in enumerate(levels):
                self._held += self._odd[at * size : (at + 1) * size]
                self.fed_ms += WINDOW_MS
                found += self._judge(bool(level >= self.threshold))
            del self._odd[:whole]
        return found

    def take(self) -> bytes:
        """The audio held, as one turn: the client says itself that it is over."""
        pcm = bytes(self._held + self._odd)
        self.clear()
        return pcm

    def clear(self) -> None:
        """Forget what was not yet part of a turn that ended."""
        self._held.clear()
        self._odd.clear()
        self._recent.clear()
        self.speaking = False

    def _judge(self, loud: bool) -> list[Began | Ended]:
        if loud:
            self._voice_end_ms = self.fed_ms
        if self.speaking:
            if self.fed_ms - self._voice_end_ms < self.silence_ms:
                return []
            ended = Ended(self._voice_end_ms, bytes(self._held))
            self._held.clear()
            self._recent.clear()
            self.speaking = False
            return [ended]
        self._recent = [*self._recent, loud][-ONSET_WITHIN_MS // WINDOW_MS :]
        if sum(self._recent) * WINDOW_MS >= ONSET_MS:
            self.speaking = True
            first = len(self._recent) - self._recent.index(True)
            return [Began(self.fed_ms - first * WINDOW_MS)]
        keep = (self.prefix_ms + ONSET_WITHIN_MS) * self.rate_hz // 1000 * 2
        del self._held[: max(0, len(self._held) - keep)]
        return []


Recognise = Callable[[bytes, int, str, Sequence[Line]], Awaitable[str]]
"A turn, its rate in Hz, the instructions and the conversation so far; gives the words."


@dataclass(frozen=True, slots=True)
class Recognised:
    """Real recognition: pocketsphinx, told the answers of the lesson and `phrases`."""

    phrases: tuple[str, ...] = ()

    async def __call__(
        self, pcm: bytes, rate_hz: int, instructions: str, lines: Sequence[Line]
    ) -> str:
        brief = brief_of(instructions, self.phrases)
        step = -1 if self.phrases else open_step(read_lesson(instructions), lines)
        what = expected(brief, max(0, step))
        meta = {"key": what.key, "expected": asdict(what)}
        turn = AROUND + resample(pcm, rate_hz, RATE_HZ) + AROUND
        found, _ = await child("ears").asked("transcribe", meta, turn)
        text = str(found["text"]) or UNCLEAR
        return next(iter(get_close_matches(text, self.phrases, 1, NEAR)), text)


@dataclass(slots=True)
class Told:
    """What is said is known, in order."""

    texts: Sequence[str]
    heard: int = 0

    async def __call__(
        self, pcm: bytes, rate_hz: int, instructions: str, lines: Sequence[Line]
    ) -> str:
        self.heard += 1
        return self.texts[self.heard - 1] if self.heard <= len(self.texts) else UNCLEAR


@dataclass(frozen=True, slots=True)
class Known:
    """Who speaks is known by the loudness of each sound, 24 kHz: for hundreds of turns."""

    sounds: Mapping[str, bytes]
    like: float = 0.9
    "How well the loudness must fit; less is not understood."

    async def __call__(
        self, pcm: bytes, rate_hz: int, instructions: str, lines: Sequence[Line]
    ) -> str:
        heard = _loudness(pcm, rate_hz)
        fits = {
            text: _likeness(heard, _loudness(sound, RATE_HZ)) for text, sound in self.sounds.items()
        }
        best = max(fits, key=lambda text: fits[text])
        return best if fits[best] >= self.like else UNCLEAR


def _loudness(pcm: bytes, rate_hz: int) -> npt.NDArray[np.float64]:
    """Every 10 ms, from the first that is loud to the last."""
    size = rate_hz * WINDOW_MS // 1000
    samples = np.frombuffer(pcm[: len(pcm) // (2 * size) * 2 * size], "<i2").astype(np.float64)
    levels = np.sqrt((samples.reshape(-1, size) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels >= LOUD)
    return levels[loud[0] : loud[-1] + 1] if len(loud) else np.zeros(0)


def _likeness(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """1: the same up to the volume; a sound that is cut off is no longer the same."""
    size = max(len(one), len(other))
    if not len(one) or not len(other):
        return 0.0
    best = 0.0
    for shift in range(-3, 4):
        first = np.zeros(size + 6)
        second = np.zeros(size + 6)
        first[3 : 3 + len(one)] = one
        second[3 + shift : 3 + shift + len(other)] = other
        best = max(best, float(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))
    return best
