"""Telephone speech (ITU-T G.711, 8 kHz) at the doors; indoors everything is 24 kHz PCM."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from ai.audio import RATE_HZ
from ai.resample import Resampler

TELEPHONE_HZ = 8_000
Law = Literal["mu", "a"]

MU_BIAS = 0x21  # G.711: added to the 14-bit magnitude before the segment is found
MU_CLIP = 8_158  # one less than in G.711, so that the last segment holds it


def _mu_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 1) + MU_BIAS) << ((code & 0x70) >> 4)) - MU_BIAS
    signed = np.where(code & 0x80, -magnitude, magnitude) << 2
    table: npt.NDArray[np.int16] = signed.astype(np.int16)
    return table


def _a_table() -> npt.NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + 8
    magnitude = np.where(segment > 0, (magnitude + 0x100) << np.maximum(segment - 1, 0), magnitude)
    table: npt.NDArray[np.int16] = np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
    return table


DECODED = {"mu": _mu_table(), "a": _a_table()}


def _segment(magnitude: npt.NDArray[np.int32], first_bits: int) -> npt.NDArray[np.int32]:
    """How many bits longer a magnitude is than those of the first segment."""
    _, bits = np.frexp(magnitude.astype(np.float64))
    segment: npt.NDArray[np.int32] = np.clip(bits - first_bits, 0, 7).astype(np.int32)
    return segment


def _encode_mu(pcm: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm >> 2), MU_CLIP) + MU_BIAS
    segment = _segment(magnitude, first_bits=6)
    mantissa = (magnitude >> (segment + 1)) & 0x0F
    codes: npt.NDArray[np.uint8] = (~(sign | (segment << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


def _encode_a(pcm: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    sign = np.where(pcm >= 0, 0x80, 0)
    # One's complement for negative samples, as G.711's 13-bit a-law does.
    magnitude = np.where(pcm >= 0, pcm, ~pcm)
    segment = _segment(magnitude, first_bits=8)
    mantissa = (magnitude >> np.where(segment > 0, segment + 3, 4)) & 0x0F
    codes: npt.NDArray[np.uint8] = ((sign | (segment << 4) | mantissa) ^ 0x55).astype(np.uint8)
    return codes


def decode(law: Law, data: bytes) -> bytes:
    """One byte a sample to 16-bit PCM, still at 8 kHz."""
    return DECODED[law][np.frombuffer(data, np.uint8)].tobytes()


def encode(law: Law, pcm: bytes) -> bytes:
    """16-bit PCM to one byte a sample."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    return (_encode_mu(samples) if law == "mu" else _encode_a(samples)).tobytes()


class Decoder:
    """A stream of telephone speech becomes one of 24 kHz PCM."""

    def __init__(self, law: Law) -> None:
        self._law: Law = law
        self._resampler = Resampler(TELEPHONE_HZ, RATE_HZ)

    def feed(self, data: bytes) -> bytes:
        return self._resampler.feed(decode(self._law, data))


class Encoder:
    """A stream of 24 kHz PCM becomes one of telephone speech."""

    def __init__(self, law: Law) -> None:
        self._law: Law = law
        self._resampler = Resampler(RATE_HZ, TELEPHONE_HZ)

    def feed(self, pcm: bytes) -> bytes:
        return encode(self._law, self._resampler.feed(pcm))


def decoder(law: Law) -> Decoder:
    return Decoder(law)


def encoder(law: Law) -> Encoder:
    return Encoder(law)
