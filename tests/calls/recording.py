"""What came of a call's sound, heard afterwards as a browser would have played it."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ai.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, silence
from bench.reception import CLOCK_HZ, Arrival
from server.rtc.opus import Decoder

TICKS_PER_MS = CLOCK_HZ // 1000
CONCEALED_MS = 100


@dataclass(slots=True)
class Recording:
    """Every packet that came, by its place in the sender's time."""

    packets: dict[int, bytes] = field(default_factory=dict)
    "By RTP timestamp."
    arrived_s: dict[int, float] = field(default_factory=dict)

    def take(self, arrival: Arrival, payload: bytes) -> None:
        self.packets.setdefault(arrival.timestamp, payload)
        self.arrived_s.setdefault(arrival.timestamp, arrival.at_s)

    def sound(self, first: int, length_ms: float) -> bytes:
        """`length_ms` from that timestamp on, as a browser would have played it."""
        decoder = Decoder()
        played = bytearray()
        inside = sorted(
            (into, payload)
            for timestamp, payload in self.packets.items()
            if (into := signed(timestamp - first)) >= 0 and into < length_ms * TICKS_PER_MS
        )
        for into, payload in inside:
            missing_ms = into / TICKS_PER_MS - len(played) / BYTES_PER_MS
            if missing_ms >= FRAME_MS and played:
                concealed = min(missing_ms, CONCEALED_MS) // FRAME_MS - 1
                for _ in range(int(concealed)):
                    played += decoder.conceal()
                if missing_ms <= CONCEALED_MS and len(payload) > 2:
                    played += decoder.recover(payload)
            played += silence(max(0, round(into / TICKS_PER_MS - len(played) / BYTES_PER_MS)))
            played += decoder.decode(payload)
        return bytes(played)


def signed(ticks: int) -> int:
    return ((ticks + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def likeness(said: bytes, heard: bytes) -> float:
    """How much what was heard is what was said: the correlation of their spectra over time.

    Spectra of 20 ms in 24 bands, in dB; `heard` may be up to a second late. 1: the same.
    """
    one, other = _spectra(said), _spectra(heard)
    best = 0.0
    for shift in range(51):
        late = other[shift:]
        size = min(len(one), len(late))
        if size >= len(one) // 2:
            best = max(best, float(np.corrcoef(one[:size].ravel(), late[:size].ravel())[0, 1]))
    return best


def _spectra(pcm: bytes) -> npt.NDArray[np.float64]:
    samples = np.frombuffer(pcm[: len(pcm) // FRAME_BYTES * FRAME_BYTES], "<i2")
    frames = samples.reshape(-1, FRAME_BYTES // 2).astype(np.float64)
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME_BYTES // 2), axis=1)) ** 2
    edges = np.geomspace(4, power.shape[1] // 2, 25).astype(int)  # 200 Hz to 6 kHz
    bands = [power[:, low : max(high, low + 1)].mean(axis=1) for low, high in pairwise(edges)]
    return 10 * np.log10(np.stack(bands, axis=1) + 1e4)
