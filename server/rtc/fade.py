"""Where sound is cut: 5 ms from full to nothing, so that it does not click. 16-bit mono."""

import sys
from array import array

from ai.audio import BYTES_PER_MS, FRAME_BYTES

FADE_MS = 5  # shorter is heard as a click, longer eats of a word
_FADE_BYTES = FADE_MS * BYTES_PER_MS
_SAMPLES = _FADE_BYTES // 2
_SWAPPED = sys.byteorder == "big"


def fade_out(pcm: bytes) -> bytes:
    """One frame: the first 5 ms of `pcm` growing quieter, then silence."""
    return _scaled(pcm[:_FADE_BYTES], down=True).ljust(FRAME_BYTES, b"\0")


def fade_in(pcm: bytes) -> bytes:
    """`pcm` with its first 5 ms growing louder."""
    return _scaled(pcm[:_FADE_BYTES], down=False) + pcm[_FADE_BYTES:]


def settle(pcm: bytes) -> bytes:
    """One frame that goes from the last sample of `pcm` to silence."""
    return fade_out(pcm[-2:] * _SAMPLES)


def _scaled(pcm: bytes, *, down: bool) -> bytes:
    """At most 120 samples, and only where sound is cut: the one loop over samples there is."""
    samples = array("h", pcm)
    if _SWAPPED:
        samples.byteswap()
    last = len(samples)
    steps = range(last - 1, -1, -1) if down else range(last)
    scaled = array(
        "h", (sample * step // last for sample, step in zip(samples, steps, strict=True))
    )
    if _SWAPPED:
        scaled.byteswap()
    return scaled.tobytes()
