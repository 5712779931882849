"""Changes the sample rate of 16-bit mono PCM as it streams by.

A Kaiser-windowed sinc, laid out so that a run of input becomes a run of output by one matrix
product: every `M` input samples give `L` output samples, where L/M is the ratio of the rates.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

HALF_LOBES = 12  # zero crossings of the sinc on each side; 70 dB down at 0.58 of the lower rate
KAISER_BETA = 7.0
PASSBAND = 0.94  # of the lower Nyquist frequency; the rest is the filter's slope


class Resampler:
    """One stream on its way from one rate to another.

    What comes out lines up with what went in: the filter's delay (HALF_LOBES samples of the lower
    rate, about 1 ms) is waited for, not added.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._odd = b""
        self._fed = self._given = 0
        self._matrix, self._delay = _design(self._up, self._down)
        self._width = self._matrix.shape[0]
        self._kept: npt.NDArray[np.float32] = np.zeros(self._delay, np.float32)

    def feed(self, pcm: bytes) -> bytes:
        """What can be told of the output now that `pcm` (of any length) has arrived."""
        if self._up == self._down:
            return pcm
        if self._odd:
            pcm = self._odd + pcm
            self._odd = b""
        if len(pcm) % 2:
            self._odd = pcm[-1:]
            pcm = pcm[:-1]
        self._fed += len(pcm) // 2
        return self._convert(np.frombuffer(pcm, "<i2").astype(np.float32))

    def flush(self) -> bytes:
        """The end of the stream: what the filter still held back. The resampler is then new."""
        if self._up == self._down:
            return b""
        rest = self._convert(np.zeros(self._width + self._down, np.float32))
        wanted = ceil(self._fed * self._up / self._down)
        rest = rest[: max(0, len(rest) - 2 * (self._given - wanted))]
        self._odd = b""
        self._fed = self._given = 0
        self._kept = np.zeros(self._delay, np.float32)
        return rest

    def _convert(self, samples: npt.NDArray[np.float32]) -> bytes:
        held = np.concatenate((self._kept, samples))
        blocks = (len(held) - self._width) // self._down + 1
        if blocks <= 0:
            self._kept = held
            return b""
        rows: npt.NDArray[np.float32] = np.ndarray(
            (blocks, self._width), np.float32, held, strides=(4 * self._down, 4)
        )
        made = rows @ self._matrix
        self._kept = held[blocks * self._down :].copy()
        self._given += made.size
        pcm: bytes = np.clip(np.rint(made), -32768, 32767).astype("<i2").tobytes()
        return pcm


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """All of `pcm` at once."""
    resampler = Resampler(from_hz, to_hz)
    return resampler.feed(pcm) + resampler.flush()


@lru_cache(maxsize=16)
def _design(up: int, down: int) -> tuple[npt.NDArray[np.float32], int]:
    """The matrix that turns `width` input samples into `up` output samples, and its delay."""
    if up == down:
        return np.ones((1, 1), np.float32), 0
    stretch = max(1.0, down / up)
    delay = ceil(HALF_LOBES * stretch)
    width = 2 * delay + down
    cutoff = PASSBAND / stretch
    sources = np.arange(width)[:, None]
    centres = delay + np.arange(up)[None, :] * down / up
    distance = sources - centres
    window = np.where(
        np.abs(distance) <= delay,
        np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (distance / delay) ** 2)))
        / np.i0(KAISER_BETA),
        0.0,
    )
    matrix = cutoff * np.sinc(cutoff * distance) * window
    matrix /= matrix.sum(axis=0)
    return np.ascontiguousarray(matrix, np.float32), delay
