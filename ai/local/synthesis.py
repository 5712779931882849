"""One sentence as sound, made ready for a lesson. Runs in the worker's child process."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ai.audio import RATE_HZ
from ai.local.espeak import Espeak
from ai.resample import resample
from ai.speakable import Run, speakable

Samples = npt.NDArray[np.float32]

LEVEL = 0.1  # -20 dBFS, RMS where there is voice
PEAK = 0.89  # -1 dBFS
VOICED = 0.006  # of full scale, RMS of 10 ms: quieter is silence
LEAD_MS = 10
TRAIL_MS = 180  # the pause between sentences, without which they run into each other
FADE_MS = 5


class Synthesizer:
    """Says sentences."""

    def __init__(self) -> None:
        self._espeak = Espeak()
        self.phonemes = self._espeak.phonemes

    def speak(self, meta: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The request `speak`: text, language, voices, speed. Answers with word times and sound."""
        said = speakable(meta["text"], meta["language"])
        made = self._espeak.speak(said.text, meta["voices"], meta["speed"])
        rate_hz = self._espeak.rate_hz
        samples, cut = polish(
            np.frombuffer(made.pcm, "<i2").astype(np.float32) / np.float32(32768), rate_hz
        )
        pcm = resample((samples * 32767).astype("<i2").tobytes(), rate_hz, RATE_HZ)
        heard = [
            (position, max(0, round((sample - cut) * 1000 / rate_hz)))
            for position, sample in made.words
        ]
        end_ms = max(0, len(samples) * 1000 // rate_hz - TRAIL_MS)
        return {"words": word_times(said.runs, heard, end_ms)}, pcm


def polish(samples: Samples, rate_hz: int) -> tuple[Samples, int]:
    """Silence cut off, the level evened, no click at the ends; and how much was cut in front."""
    frame = rate_hz // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    loud = np.sqrt((frames**2).mean(axis=1))
    voiced = np.flatnonzero(loud > VOICED)
    if not len(voiced):
        return np.zeros(0, np.float32), 0
    start = max(0, int(voiced[0]) * frame - rate_hz * LEAD_MS // 1000)
    end = min(len(samples), (int(voiced[-1]) + 1) * frame + frame)
    kept = samples[start:end]
    level = float(np.sqrt((frames[voiced] ** 2).mean()))
    kept = kept * min(LEVEL / level, PEAK / float(np.abs(kept).max()))
    fade = min(rate_hz * FADE_MS // 1000, len(kept) // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    kept[:fade] *= ramp
    kept[len(kept) - fade :] *= ramp[::-1]
    pause = np.zeros(rate_hz * TRAIL_MS // 1000, np.float32)
    return np.concatenate((kept, pause)), start


def word_times(
    runs: tuple[Run, ...], heard: list[tuple[int, int]], end_ms: int
) -> list[tuple[str, int, int]]:
    """Each written word and when it sounds, from where the spoken ones begin."""
    starts = [run.start for run in runs]
    begins: dict[int, int] = {}
    for position, at_ms in heard:
        begins.setdefault(max(0, bisect_right(starts, position) - 1), at_ms)
    times: list[tuple[str, int, int]] = []
    until_ms = end_ms
    for place in range(len(runs) - 1, -1, -1):
        from_ms = min(begins.get(place, until_ms), until_ms)
        times.append((runs[place].written, from_ms, until_ms))
        until_ms = from_ms
    return times[::-1]
