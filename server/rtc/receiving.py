"""The receive buffer of a call: packets in, in any order; sound in real time out. Pure.

Who listens here are ears and no loudspeaker, so nothing is held back to be played evenly: a packet
that comes in its turn is released at once. Only a gap waits, for as long as packets were late here
of late, since the missing one may still come. What is lost is recovered from the packet after it,
concealed, or, beyond 100 ms, silence; and where nothing comes at all, silence goes on in real time,
because a turn ends by silence.

A stall is no loss: packets that come in one burst after it are released too, though silence was
heard in their place; sound is then ahead of the sender's clock by up to a second, until it is paid
back out of silence. No word is dropped because it comes late: it may be the sender's clock that
stood still. Times `now` are seconds of any steady clock.
"""

from dataclasses import dataclass

from server.rtc.opus import duration_ms
from server.rtc.rtp import CLOCK_HZ, TICKS_PER_MS, sequence_distance, timestamp_distance

SHORTEST_WAIT_MS, LONGEST_WAIT_MS = 20, 200
CONCEALED_MS = 100  # libopus is silent after so long; NetEQ, too, fades within 100 ms
STEP_MS = 40  # silence that nobody sends comes in pieces of so long: a piece is a wake-up
AHEAD_MS = 1_000  # of the sender's clock, after a stall; beyond that it was none
PAID_AFTER_MS = 2_000  # of unbroken silence, when nobody waits for more of it
ENDLESS_MS = 10_000  # longer than any patience: who sends nothing for so long has stopped sending
MOST_HELD = 64  # packets; 1.3 s of speech
MAX_DROPOUT, MAX_MISORDER = 3_000, 100  # RFC 3550, A.1: beyond them a sender began anew
_DTX_BYTES = 2  # RFC 7587, 3.1.3: a packet so short says that nothing is said
_WINDOW_S = 5.0  # the fastest packet of so long is what the others are late against
_MOST_LATE_S = 0.4
_ANOTHER_CLOCK_S = 2.0  # nothing is on its way for so long
_FIRST_LATE_S = 0.08  # an ordinary bad network; a good one is known after ten seconds
_MARGIN = 1.15  # the latest packet of late is not the latest there will be
_DECAY = 0.9972  # a packet; halves in five seconds of speech


@dataclass(frozen=True, slots=True)
class Began:
    """Another sender, or the same anew: what was decoded before says nothing about it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A packet to decode."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Recovered:
    """A lost packet, to be recovered from what `following` says about it."""

    following: bytes
    ms: float


@dataclass(frozen=True, slots=True)
class Concealed:
    """Lost sound, to be made up."""

    ms: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Silence: nobody speaks, or nobody knows."""

    ms: float


Sound = Began | Arrived | Recovered | Concealed | Quiet


@dataclass(slots=True)
class Counts:
    """What became of the packets of a call."""

    received: int = 0
    lost: int = 0
    "Given up; they may have come later."
    late: int = 0
    "Came twice, or after they were given up."
    recovered_ms: float = 0.0
    concealed_ms: float = 0.0


class Receiving:
    """The packets of one call. `add` each, `tick` at `deadline`; both return sound, in order."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._ssrc: int | None = None
        self._sequence = 0
        "Of the packet that is next, without wrapping."
        self._timestamp = 0
        "Where the sound that was released ends, without wrapping."
        self._covered = 0
        "Ticks that were filled after that, while nothing came."
        self._ahead = 0
        "Ticks of sound that were released beyond the sender's clock."
        self._held: dict[int, tuple[int, bytes]] = {}
        self._gap_at = 0.0
        "When a packet was first held."
        self._anew: int | None = None
        "The sequence that would prove that the sender began anew."
        self._made_up_ms = 0.0
        self._quiet_ms = 0.0
        self._quiet_sender = False
        self._fastest = self._fastest_before = 0.0
        "Arrival less timestamp, in seconds: the least in this window, and in the one before."
        self._window_ends = 0.0
        self._late_s = _FIRST_LATE_S
        self._released_at = 0.0

    @property
    def wait_ms(self) -> float:
        """How long a gap waits for the missing."""
        wait_ms = self._late_s * 1000 * _MARGIN
        return max(SHORTEST_WAIT_MS, min(LONGEST_WAIT_MS, wait_ms))

    @property
    def ahead_ms(self) -> float:
        """How much more was released than the sender's clock says."""
        return self._ahead / TICKS_PER_MS

    @property
    def held(self) -> int:
        """Packets that wait for one before them."""
        return len(self._held)

    @property
    def deadline(self) -> float | None:
        """When to `tick`; None: not before a packet comes."""
        if self._ssrc is None:
            return None
        if self._held:
            due = self._due_at(self._timestamp) + self.wait_ms / 1000
            earliest = self._gap_at + SHORTEST_WAIT_MS / 1000
            return min(max(due, earliest), self._gap_at + LONGEST_WAIT_MS / 1000)
        if self._covered >= ENDLESS_MS * TICKS_PER_MS:
            return None
        return self._silent_at() + (self.wait_ms + STEP_MS) / 1000

    def add(
        self, sequence: int, timestamp: int, payload: bytes, ssrc: int, now: float
    ) -> list[Sound]:
        """One packet arrived; its counters as on the wire."""
        self.counts.received += 1
        if ssrc != self._ssrc:
            return self._begin(sequence, timestamp, payload, ssrc, now)
        distance = sequence_distance(sequence, self._sequence)
        if not -MAX_MISORDER <= distance <= MAX_DROPOUT:
            if sequence == self._anew:
                return self._begin(sequence, timestamp, payload, ssrc, now)
            self._anew = (sequence + 1) & 0xFFFF
            return []
        whole = self._timestamp + timestamp_distance(timestamp, self._timestamp & 0xFFFFFFFF)
        self._arrived(whole, now)
        if distance < 0 or (place := self._sequence + distance) in self._held:
            self.counts.late += 1
            return []
        sounds: list[Sound] = []
        if distance == 0:
            self._released_at = now
            self._release(whole, payload, sounds)
            if self._held:
                self._follow(sounds)
                self._gap_at = now
            return sounds
        if not self._held:
            self._gap_at = now
        self._held[place] = whole, payload
        if len(self._held) > MOST_HELD:
            self._give_up(sounds)
            self._gap_at = self._released_at = now
        return sounds

    def tick(self, now: float) -> list[Sound]:
        """Time has passed: what is given up, and the silence that nobody sent."""
        sounds: list[Sound] = []
        deadline = self.deadline
        if deadline is None or now < deadline:
            return sounds
        if self._held:
            self._give_up(sounds)
            self._gap_at = self._released_at = now
            return sounds
        due_s = now - self._silent_at() - self.wait_ms / 1000
        steps = int(due_s * 1000 / (STEP_MS / 2) + 1e-6)
        ms = steps * STEP_MS / 2
        # Whoever was not woken for a second lets it be: nobody needs that silence any more.
        self._fill(int(min(ms, AHEAD_MS) * TICKS_PER_MS), sounds)
        self._covered += int(ms * TICKS_PER_MS)
        return sounds

    def _begin(
        self, sequence: int, timestamp: int, payload: bytes, ssrc: int, now: float
    ) -> list[Sound]:
        sounds: list[Sound] = []
        while self._held:
            self._give_up(sounds)
        sounds.append(Began())
        self._ssrc, self._sequence, self._timestamp = ssrc, sequence, timestamp
        self._covered, self._anew = 0, None
        self._made_up_ms, self._quiet_sender = 0.0, False
        self._fastest = self._fastest_before = now - timestamp / CLOCK_HZ
        self._window_ends = now + _WINDOW_S
        self._released_at = now
        self._release(timestamp, payload, sounds)
        return sounds

    def _arrived(self, timestamp: int, now: float) -> None:
        """Learn from one arrival how late packets are."""
        transit = now - timestamp / CLOCK_HZ
        if transit - self._fastest > _ANOTHER_CLOCK_S:
            self._fastest = self._fastest_before = transit
        if now >= self._window_ends:
            self._fastest_before, self._fastest = self._fastest, transit
            self._window_ends = now + _WINDOW_S
        elif transit < self._fastest:
            self._fastest = transit
        late = transit - min(self._fastest, self._fastest_before)
        self._late_s = max(self._late_s * _DECAY, min(late, _MOST_LATE_S))

    def _due_at(self, timestamp: int) -> float:
        """When a packet with this timestamp comes if it is not late."""
        return min(self._fastest, self._fastest_before) + timestamp / CLOCK_HZ

    def _silent_at(self) -> float:
        """Until when there was sound; never before the last packet, or a burst were a stall."""
        due = max(self._due_at(self._timestamp), self._released_at)
        return due + self._covered / CLOCK_HZ

    def _give_up(self, sounds: list[Sound]) -> None:
        """What is missing before the first held packet is lost."""
        first = min(self._held)
        self.counts.lost += first - self._sequence
        timestamp, payload = self._held.pop(first)
        self._release(timestamp, payload, sounds, lost=first - self._sequence)
        self._follow(sounds)

    def _follow(self, sounds: list[Sound]) -> None:
        """The held packets that are next now."""
        while (next_one := self._held.pop(self._sequence, None)) is not None:
            self._release(*next_one, sounds)

    def _release(self, timestamp: int, payload: bytes, sounds: list[Sound], lost: int = 0) -> None:
        """The next packet, with what sounds before it. `lost`: how many are missing before it."""
        self._sequence += lost + 1
        ms = duration_ms(payload)
        length = int(ms * TICKS_PER_MS)
        short = timestamp - self._timestamp - self._covered
        covered, self._covered = self._covered, 0
        if short > 0:
            if short <= AHEAD_MS * TICKS_PER_MS:
                self._before(short, length, payload, sounds, lost=lost > 0)
            # A greater jump is the sender's clock, or a time in which nobody was to hear silence.
        elif short < 0:
            # Silence was heard in its place. A timestamp that runs backwards is not to be believed.
            # Beyond what a network holds back it was no stall: the sender's clock stood still, as a
            # browser's does while its track is off. Then nothing is ahead.
            ahead = self._ahead + min(-short, covered)
            self._ahead = ahead if ahead <= AHEAD_MS * TICKS_PER_MS else 0
        self._timestamp = timestamp + length
        if not length:
            return
        self._made_up_ms = 0.0
        self._quiet_sender = len(payload) <= _DTX_BYTES
        if self._quiet_sender:
            self._silence(length, sounds)
        else:
            self._quiet_ms = 0.0
            sounds.append(Arrived(payload))

    def _before(
        self, ticks: int, length: int, payload: bytes, sounds: list[Sound], *, lost: bool
    ) -> None:
        """The `ticks` before a packet, of which it may be able to tell the last itself."""
        recovered = 0
        if lost and len(payload) > _DTX_BYTES and not self._quiet_sender:
            recovered = min(ticks, length)
        self._fill(ticks - recovered, sounds, lost=lost)
        if recovered:
            ms = recovered / TICKS_PER_MS
            self.counts.recovered_ms += ms
            sounds.append(Recovered(payload, ms))

    def _fill(self, ticks: int, sounds: list[Sound], *, lost: bool = True) -> None:
        """Make up sound for a while, and be silent for the rest."""
        ms = ticks / TICKS_PER_MS
        if lost and not self._quiet_sender and (left := CONCEALED_MS - self._made_up_ms) > 0:
            made_up = min(ms, left)
            self._made_up_ms += made_up
            self.counts.concealed_ms += made_up
            ms -= made_up
            if made_up:
                sounds.append(Concealed(made_up))
        if ms > 0:
            self._silence(int(ms * TICKS_PER_MS), sounds)

    def _silence(self, ticks: int, sounds: list[Sound]) -> None:
        """Silence, less what is paid back."""
        ms = ticks / TICKS_PER_MS
        if self._ahead and self._quiet_ms >= PAID_AFTER_MS:
            paid = min(self._ahead, ticks)
            self._ahead -= paid
            ticks -= paid
        self._quiet_ms += ms
        if ticks:
            sounds.append(Quiet(ticks / TICKS_PER_MS))
