"""The sending side of a call: sound of items in, frames of 20 ms out, in real time. Pure.

Frames stand on one grid, counted from the beginning of the call: slot n is due at `base + n * 20
ms` and has the RTP timestamp `first + n * 960`. So nothing drifts, silence leaves a hole of the
right length in the timestamps, and whoever is woken late sends what is missing, three frames at
most; what is later than that is moved to now. After speech come two encoded frames of silence, then
one packet of `opus.SILENCE` every 400 ms, which costs no encoding and keeps the path open.

Times `now` are seconds of any steady clock. The queue is bounded by who fills it: a session gives
at most two seconds more than `Position` says was heard.
"""

import math
from collections import deque
from dataclasses import dataclass

from ai.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, SAMPLE_BYTES
from server.rtc.fade import fade_in, fade_out, settle
from server.rtc.rtp import ReceiverReport
from server.rtc.spurts import Spurt, Spurts

FRAME_S = FRAME_MS / 1000
BURST = 3  # frames at once, after a late wake-up: a receiver's buffer holds 60 ms without growing
EARLY_S = 0.001  # a timer's resolution
TAIL = 2  # frames of silence that are encoded, so that the decoder comes to rest
QUIET_SLOTS = 20  # 400 ms, as libopus in discontinuous transmission
REPORT_S = 0.2  # realtime.md: a few times a second
DEFAULT_RTT_MS = 40.0
SHORTEST_BUFFER_MS, LONGEST_BUFFER_MS = 40.0, 500.0
JITTERS = 3  # of RTCP's mean deviation: about the 95 % that NetEQ waits for
BELIEVED_S = 1.0
"""Who was sending and is not heard of for so long hears nothing either, as far as one knows; and
who reports a packet from so long before as the last got nothing after it."""
_NOTHING = bytes(FRAME_BYTES)
MOST_OPEN = 16  # responses that were neither completed nor cleared


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet to send now."""

    pcm: bytes | None
    "To encode; None: `opus.SILENCE`."
    timestamp: int
    marker: bool
    begins: Spurt | None = None
    "It is the first of this: its `sequence` is to be set to that of the packet."


@dataclass(frozen=True, slots=True)
class Started:
    """The frame before this is the first of an item, or the first after a break in it."""

    response_id: str
    item_id: str
    audio_ms: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The last frame of a completed response was sent."""

    response_id: str
    timestamp: int
    "Where its sound ended, as an RTP timestamp."


@dataclass(frozen=True, slots=True)
class Position:
    """How much of an item was heard, as far as one can know."""

    item_id: str
    audio_ms: int


Action = Frame | Started | Stopped | Position


@dataclass(slots=True)
class _Sound:
    """What waits of one item."""

    response_id: str
    item_id: str
    waiting: bytearray
    sent: int = 0
    "Samples."
    complete: bool = False


class Sending:
    """One call. `tick` whenever something was asked of it, and at `deadline`."""

    def __init__(self, first_timestamp: int, now: float) -> None:
        self._base = now
        self._spurts = Spurts(first_timestamp)
        self._queue: deque[_Sound] = deque()
        self._open: dict[str, None] = {}
        self._spurt: Spurt | None = None
        "What the last frame belonged to, if it was sound."
        self._slot = 0
        "The next that may be used."
        self._quiet_slot = 0
        "When the next packet of silence is due."
        self._tail = 0
        self._last_frame = b""
        self._cut: bytes | None = None
        "The frame in which what was cut fades out."
        self._cut_for_good = False
        self._paused = False
        self._silent = True
        "The last packet was no encoded one."
        self._done: list[Action] = []
        self._report_at = now
        self._latency_s = (DEFAULT_RTT_MS / 2 + SHORTEST_BUFFER_MS) / 1000
        self._arrived_at: float | None = None
        "When a packet of theirs last came; None: they need not send any."
        self._reached_slot: int | None = None
        "Where the receiver stopped getting anything, if it did."

    def begin(self, now: float) -> None:
        """The call is connected: here its grid begins."""
        self._base = self._report_at = now

    # What the tutor's side asks for.

    def play(self, response_id: str, item_id: str, pcm: bytes) -> None:
        """More sound of an item: 24 kHz, 16-bit, mono, of any length."""
        pcm = pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES]
        for sound in self._queue:
            if sound.item_id == item_id:
                sound.waiting += pcm
                return
        self._queue.append(_Sound(response_id, item_id, bytearray(pcm)))
        self._open[response_id] = None
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]

    def complete(self, response_id: str) -> None:
        """No more sound comes for this response. One that never sounded does not stop either."""
        if response_id not in self._open:
            return
        waiting = [sound for sound in self._queue if sound.response_id == response_id]
        for sound in waiting:
            sound.complete = True
        if not waiting:
            del self._open[response_id]
            self._done.append(Stopped(response_id, self._spurts.ended()))

    def pause(self) -> None:
        """The next packet fades out, and no sound follows until `resume`."""
        if not self._paused:
            self._paused = True
            if self._cut is None:
                self._cut_for_good = False
                self._fade()

    def resume(self) -> None:
        """Go on at the sample at which the pause began."""
        if self._paused and not self._cut_for_good:
            self._cut = None  # what was to fade in the next packet goes on as if nothing had been
        self._paused = False

    def clear(self, response_id: str | None, now: float) -> list[tuple[str, int]]:
        """Throw away what waits: of one response, or all. The next packet fades out.

        Returns (item, ms) of all that was not heard to its end. The ms are what was sent, since
        that can't be called back, as far as it is believed to arrive. Ends a pause of what is gone.
        """
        slot = self._believed(now)
        responses = set(self._open) if response_id is None else {response_id}
        items: dict[str, None] = {}
        for spurt in self._spurts.unheard():
            if response_id is None or spurt.response_id in responses:
                items[spurt.item_id] = None
                spurt.over = True
        if self._queue and self._queue[0].response_id in responses:
            if self._cut is None and not self._paused:
                self._fade()
            self._cut_for_good = True
            self._paused = False
        kept: deque[_Sound] = deque()
        for sound in self._queue:
            if sound.response_id in responses:
                items[sound.item_id] = None
            else:
                kept.append(sound)
        self._queue = kept
        for one in responses:
            self._open.pop(one, None)
        if response_id is None or not kept:  # all of it may have been sent before the pause
            self._paused = False
        return [(item_id, self._spurts.heard(item_id, slot)) for item_id in items]

    # What is known of the other side.

    def arrived(self, now: float) -> None:
        """A packet of theirs came: they are there."""
        self._arrived_at = now

    def report(self, report: ReceiverReport, now: float) -> None:
        """What the receiver says about our packets."""
        if self._arrived_at is not None and now - self._arrived_at > BELIEVED_S:
            self._arrived_at = None  # they are there, and do not send
        rtt_ms = DEFAULT_RTT_MS if report.rtt_ms is None else report.rtt_ms
        buffer_ms = max(SHORTEST_BUFFER_MS, FRAME_MS + JITTERS * report.jitter_ms)
        self._latency_s = (rtt_ms / 2 + min(buffer_ms, LONGEST_BUFFER_MS)) / 1000
        reached = self._spurts.slot_of(report.highest_sequence)
        overdue = (now - self._base - BELIEVED_S - rtt_ms / 1000) / FRAME_S
        self._reached_slot = None
        if reached is not None and self._spurts.sounded(reached + 1, overdue):
            self._reached_slot = reached + 1

    def sent_ms(self, item_id: str) -> int | None:
        """How much of an item was sent; None: it is long over, or unknown."""
        return self._spurts.sent_ms(item_id)

    # Time.

    @property
    def deadline(self) -> float:
        """When to `tick` again."""
        if self._done:
            return self._base
        if self._cut is not None or self._playable():
            slot = self._slot
        elif self._spurt is not None:  # sound that is late: a little patience
            slot = self._slot + BURST - 1
        else:
            slot = self._slot if self._tail else self._quiet_slot
        return min(self._base + slot * FRAME_S, self._told_at())

    def tick(self, now: float) -> list[Action]:
        """What is to be sent and told now, in order."""
        actions, self._done = self._done, []
        due = math.floor((now + EARLY_S - self._base) / FRAME_S)
        if self._silent and self._slot < due:
            self._slot = due
        elif self._slot < due - BURST + 1:
            self._slot = due - BURST + 1
            self._break()
        while self._slot <= due and self._send(actions, due):
            pass
        if now + EARLY_S >= self._told_at():
            self._tell(now, actions)
        return actions

    def _send(self, actions: list[Action], due: int) -> bool:
        """The packet of one slot; False: none is to be sent in it, or not yet."""
        if self._cut is not None:
            pcm, self._cut = self._cut, None
            self._break()
            self._frame(pcm, actions)
            self._last_frame = pcm
        elif self._playable():
            self._speak(actions)
        elif self._spurt is not None:
            if self._slot > due - BURST + 1:
                return False
            self._cut_for_good = True
            self._fade()
        elif self._tail:
            self._tail -= 1
            self._frame(settle(self._last_frame), actions)
            self._last_frame = bytes(2)
        elif self._slot >= self._quiet_slot:
            actions.append(Frame(None, self._spurts.timestamp(self._slot), False))
            self._silent = True
            self._quiet_slot = self._slot + QUIET_SLOTS
            self._slot += 1
        else:
            self._silent = True
            return False
        return True

    def _playable(self) -> bool:
        """Whether there is a frame of sound, or the rest of an item."""
        if self._paused or not self._queue:
            return False
        head = self._queue[0]
        return len(head.waiting) >= FRAME_BYTES or head.complete or len(self._queue) > 1

    def _speak(self, actions: list[Action]) -> None:
        """A frame of the first item in the queue."""
        head = self._queue[0]
        pcm = bytes(head.waiting[:FRAME_BYTES])
        del head.waiting[:FRAME_BYTES]
        samples = len(pcm) // SAMPLE_BYTES
        if samples:
            begins: Spurt | None = None
            if self._spurt is None or self._spurt.item_id != head.item_id:
                begins = Spurt(head.response_id, head.item_id, self._slot, head.sent)
                self._spurts.add(begins)
                self._spurt = begins
                if head.sent:
                    pcm = fade_in(pcm)
            if len(pcm) < FRAME_BYTES:
                pcm = (pcm + settle(pcm))[:FRAME_BYTES]
            spurt = self._spurt
            timestamp = self._spurts.timestamp(self._slot)
            # A synthesizer's pauses are without any noise; a sixth of what espeak says is.
            if pcm != _NOTHING:
                self._tail = TAIL
                self._frame(pcm, actions, begins)
            elif self._tail:
                self._tail -= 1
                self._frame(pcm, actions, begins)
            else:
                self._frame(None, actions, begins)
            if begins is not None:
                at_ms = head.sent * SAMPLE_BYTES // BYTES_PER_MS
                actions.append(Started(head.response_id, head.item_id, at_ms, timestamp))
            spurt.frames += 1
            spurt.samples += samples
            head.sent += samples
            self._last_frame = pcm
        if not head.waiting and (head.complete or len(self._queue) > 1):
            self._finish(self._queue.popleft(), actions)

    def _finish(self, sound: _Sound, actions: list[Action]) -> None:
        """All of an item was sent."""
        if not self._queue:
            self._break()
        response_id = sound.response_id
        if sound.complete and all(one.response_id != response_id for one in self._queue):
            self._open.pop(response_id, None)
            actions.append(Stopped(response_id, self._spurts.ended()))

    def _frame(self, pcm: bytes | None, actions: list[Action], begins: Spurt | None = None) -> None:
        actions.append(Frame(pcm, self._spurts.timestamp(self._slot), self._silent, begins))
        self._silent = False
        self._slot += 1
        self._quiet_slot = self._slot

    def _fade(self) -> None:
        """What sounds now fades out in the next packet."""
        head = self._queue[0] if self._queue else None
        item_id = None if self._spurt is None else self._spurt.item_id
        if head is not None and head.item_id == item_id and head.waiting:
            self._cut = fade_out(bytes(head.waiting[:FRAME_BYTES]))
        else:
            self._break()

    def _break(self) -> None:
        """What is sent next does not continue what was sent last."""
        self._spurt = None

    # What was heard.

    def _told_at(self) -> float:
        """When a position is to be told; never, where nothing is unheard."""
        ends = self._spurts.end()
        if ends is None:
            return math.inf
        ends_s = self._base + ends * FRAME_S + self._latency_s
        told_before = self._report_at - REPORT_S
        return min(self._report_at, ends_s) if told_before < ends_s else self._report_at

    def _tell(self, now: float, actions: list[Action]) -> None:
        self._report_at = now + REPORT_S
        heard = (now + EARLY_S - self._base - self._latency_s) / FRAME_S
        slot = min(heard, self._believed(now))
        told = self._spurts.advance(slot, self._spurt)
        actions.extend(Position(item_id, ms) for item_id, ms in told)

    def _believed(self, now: float) -> float:
        """The slot before which everything is believed to arrive."""
        slot = float(self._slot)
        if self._reached_slot is not None:
            slot = min(slot, self._reached_slot)
        if self._arrived_at is not None:
            slot = min(slot, (self._arrived_at + BELIEVED_S - self._base) / FRAME_S)
        return slot
