"""What a caller's ear knows of the packets that come: losses, jitter, and gaps. No I/O."""

from dataclasses import dataclass, field

from aiortc.rtp import RtcpReceiverInfo

CLOCK_HZ = 48_000  # RFC 7587: Opus, whatever the sound's own rate
SOUND_BYTES = 10
"A payload as long as this is sound; what is sent in silence is shorter."
GAP_MS = 60.0
PAUSE_MS = 500.0
"Where the sender's own time went on by so much between two packets with sound, it was silent."


@dataclass(frozen=True, slots=True)
class Arrival:
    """One RTP packet."""

    at_s: float
    "Unix seconds, by the kernel."
    sequence: int
    timestamp: int
    size: int
    "Bytes of payload."
    marker: bool = False


@dataclass(slots=True)
class Reception:
    """All packets of a call, in the order in which they came."""

    packets: int = 0
    sound: int = 0
    "Those with sound in them."
    gaps_ms: list[float] = field(default_factory=list)
    "Times between two packets of the same stretch of sound, if longer than `GAP_MS`."
    talk_ms: float = 0.0
    "Sound, by the sender's time."
    highest: int = 0
    "Extended sequence number."
    _ssrc: int = 0
    _base: int = 0
    _jitter: float = 0.0
    _transit: float | None = None
    _last_sound: Arrival | None = None
    _lsr: int = 0
    _lsr_at_s: float = 0.0
    _reported: tuple[int, int] = (0, 0)

    def add(self, arrival: Arrival, ssrc: int) -> None:
        if self._transit is None:
            self._ssrc = ssrc
            self._base = self.highest = arrival.sequence
        self.packets += 1
        step = (arrival.sequence - self.highest) & 0xFFFF
        newer = step < 0x8000
        if newer:
            self.highest += step
        transit = arrival.at_s * CLOCK_HZ - arrival.timestamp
        if self._transit is not None:  # RFC 3550, appendix A.8
            moved = abs(transit - self._transit) % (1 << 32)
            self._jitter += (min(moved, CLOCK_HZ) - self._jitter) / 16
        self._transit = transit
        if arrival.size >= SOUND_BYTES and newer:
            self._add_sound(arrival)

    def begin_anew(self) -> None:
        """What was counted so far is forgotten, but not where the call is."""
        self._base = self.highest + 1
        self._reported = (0, 0)
        self.packets = self.sound = 0
        self.talk_ms = 0.0
        self.gaps_ms = []

    def _add_sound(self, arrival: Arrival) -> None:
        self.sound += 1
        last, self._last_sound = self._last_sound, arrival
        if last is None:
            return
        sent_ms = ((arrival.timestamp - last.timestamp) & 0xFFFF_FFFF) / CLOCK_HZ * 1000
        if sent_ms >= PAUSE_MS:
            return
        self.talk_ms += sent_ms
        came_ms = (arrival.at_s - last.at_s) * 1000
        if came_ms > GAP_MS:
            self.gaps_ms.append(came_ms)

    def heard_from_sender(self, ntp: int, now_s: float) -> None:
        """A sender's report: the next one of ours says how old it is."""
        self._lsr, self._lsr_at_s = (ntp >> 16) & 0xFFFF_FFFF, now_s

    def report(self, now_s: float) -> RtcpReceiverInfo | None:
        """What goes into RTCP: RFC 3550, section 6.4.1."""
        if self._transit is None:
            return None
        expected = self.highest - self._base + 1
        lost = max(0, expected - self.packets)
        before = self._reported
        self._reported = (expected, self.packets)
        new = expected - before[0]
        missing = max(0, new - (self.packets - before[1]))
        return RtcpReceiverInfo(
            ssrc=self._ssrc,
            fraction_lost=min(255, missing * 256 // new) if new > 0 else 0,
            packets_lost=min(lost, (1 << 23) - 1),
            highest_sequence=self.highest & 0xFFFF_FFFF,
            jitter=int(self._jitter),
            lsr=self._lsr,
            dlsr=int((now_s - self._lsr_at_s) * 65_536) & 0xFFFF_FFFF if self._lsr else 0,
        )
