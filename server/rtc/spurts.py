"""What was sent when: the map between RTP's timestamps and the sound of items. Pure.

Everything that is sent stands on one grid of slots of 20 ms, counted from the beginning of the
call. A `Spurt` is sound of one item that was sent without a break, one frame a slot.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ai.audio import BYTES_PER_MS, SAMPLE_BYTES
from server.rtc.opus import FRAME_SAMPLES, FRAME_TICKS

KEPT = 64  # spurts; a lesson's last minutes
_SAMPLES_PER_MS = BYTES_PER_MS // SAMPLE_BYTES


@dataclass(slots=True)
class Spurt:
    """Sound of one item, sent without a break."""

    response_id: str
    item_id: str
    slot: int
    "Of its first frame."
    begins: int
    "Where in the item that is, in samples."
    samples: int = 0
    frames: int = 0
    sequence: int | None = None
    "The extended RTP sequence of its first frame."
    over: bool = False
    "Its position is not told any more: all of it was heard, or it was cut."

    @property
    def ends(self) -> int:
        """The slot after its last frame."""
        return self.slot + self.frames

    def reached(self, slot: float) -> int:
        """Where in the item a listener is who hears `slot` now, in samples."""
        passed = int((slot - self.slot) * FRAME_SAMPLES)
        return self.begins + max(0, min(passed, self.samples))


class Spurts:
    """The last spurts of a call, in order."""

    def __init__(self, first_timestamp: int) -> None:
        self.first_timestamp = first_timestamp
        self._spurts: deque[Spurt] = deque(maxlen=KEPT)

    def add(self, spurt: Spurt) -> None:
        self._spurts.append(spurt)

    def timestamp(self, slot: int) -> int:
        """The RTP timestamp of a slot, 32 bits."""
        return (self.first_timestamp + slot * FRAME_TICKS) & 0xFFFFFFFF

    def slot_of(self, sequence: int) -> int | None:
        """The slot in which the packet of this extended sequence was sent, if it was sound."""
        for spurt in reversed(self._spurts):
            if spurt.sequence is not None and 0 <= sequence - spurt.sequence < spurt.frames:
                return spurt.slot + sequence - spurt.sequence
        return None

    def unheard(self) -> Iterable[Spurt]:
        """Those whose position is still told."""
        return (spurt for spurt in self._spurts if not spurt.over)

    def advance(self, slot: float, growing: Spurt | None) -> list[tuple[str, int]]:
        """Where a listener is who hears `slot` now: (item, ms), one for each item that moved on."""
        told: dict[str, int] = {}
        for spurt in self.unheard():
            if slot <= spurt.slot:
                break
            told[spurt.item_id] = spurt.reached(slot) // _SAMPLES_PER_MS
            spurt.over = spurt is not growing and slot >= spurt.ends
        return list(told.items())

    def heard(self, item_id: str, slot: float) -> int:
        """How many ms of an item were heard by who has heard all before `slot`."""
        return max(
            (
                spurt.reached(slot) // _SAMPLES_PER_MS
                for spurt in self._spurts
                if spurt.item_id == item_id and spurt.slot < slot
            ),
            default=0,
        )

    def sent_ms(self, item_id: str) -> int | None:
        """How many ms of an item were sent; None where it is not remembered."""
        ends = [one.begins + one.samples for one in self._spurts if one.item_id == item_id]
        return max(ends) // _SAMPLES_PER_MS if ends else None

    def ended(self) -> int:
        """The RTP timestamp at which the last sound ended."""
        return self.timestamp(self._spurts[-1].ends if self._spurts else 0)

    def end(self) -> int | None:
        """The slot after the first spurt whose position is still told."""
        first = next(iter(self.unheard()), None)
        return None if first is None else first.ends

    def sounded(self, after: int, before: float) -> bool:
        """Whether sound was sent in a slot from `after` on, and before `before`."""
        return any(spurt.ends > after and max(spurt.slot, after) < before for spurt in self._spurts)
