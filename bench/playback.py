"""A loudspeaker that notes where the sound stopped though it should have gone on."""

from dataclasses import dataclass, field

from ai.audio import duration_ms


@dataclass(slots=True)
class Playback:
    """Plays what comes at once, without a lead: harder than any real player. Times in seconds."""

    gaps_ms: list[float] = field(default_factory=list)
    "Silence inside an answer, one entry for each stretch."
    heard_ms: float = 0.0
    _item: str = ""
    _started: float = 0.0
    _ends: float = 0.0
    "When all that came so far will have been played."
    _paused_at: float | None = None

    def add(self, item: str, pcm: bytes, now: float) -> None:
        """A piece of an answer's sound."""
        length_s = duration_ms(pcm) / 1000
        if item != self._item:
            self._item = item
            self._started = max(now, self._ends)
            self._ends = self._started
        elif self._paused_at is None and now > self._ends:
            self.gaps_ms.append((now - self._ends) * 1000)
            self._started += now - self._ends
            self._ends = now
        self._ends += length_s
        self.heard_ms += length_s * 1000

    def pause(self, now: float) -> None:
        """The server suspects that the student speaks."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """It was a cough."""
        if self._paused_at is not None:
            late = now - min(self._paused_at, self._ends)
            self._started += late
            self._ends += late
            self._paused_at = None

    def clear(self, now: float) -> None:
        """The student interrupted: what was not played never will be."""
        self.heard_ms -= max(0.0, self._ends - now) * 1000
        self._ends = min(self._ends, now)
        self._item = ""
        self._paused_at = None

    def left_s(self, now: float) -> float:
        """How long it will go on with what it has."""
        return max(0.0, self._ends - (self._paused_at or now))

    def place(self, now: float) -> tuple[str, int]:
        """The item that is playing, and how much of it was."""
        at = self._paused_at or now
        return self._item, max(0, round((min(at, self._ends) - self._started) * 1000))
