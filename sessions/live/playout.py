"""What the student hears: generated, sent, played, and cut; without I/O.

Sound is generated faster than it is heard. A `Playout` holds one `Track` an answer, says what may
be sent now, and answers the one question a transcript rests on: how much of this reached the
student? It knows from the device's own reports (`played`), and where there are none, from the
clock of what was sent.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ai.audio import BYTES_PER_MS, duration_ms
from ai.events import Word

LEAD_MS = 2_000  # realtime.md: audio is sent at most 2 s ahead of playout to a device that reports
PIECE_MS = 100  # one delta; small enough to stop, large enough to be cheap
PIECE_BYTES = PIECE_MS * BYTES_PER_MS
REPORT_GRACE_MS = 3_000  # a device that fell silent for so long has stopped playing


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound to send now."""

    item_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Played:
    """A track that is over: what was heard of it."""

    item_id: str
    heard: str
    heard_ms: int
    interrupted: bool


@dataclass(slots=True)
class _Mark:
    """A stretch of text and where its words sound."""

    text: str
    start_ms: int
    words: tuple[Word, ...]


@dataclass(slots=True)
class Track:
    """The sound of one answer."""

    item_id: str
    marks: list[_Mark] = field(default_factory=list)
    waiting: deque[bytes] = field(default_factory=deque)
    total_ms: int = 0
    sent_ms: int = 0
    position_ms: float = 0.0
    "Estimated: where the student is in it."
    reported_ms: int | None = None
    reported_at: float = 0.0
    complete: bool = False
    "Everything was generated."

    def heard_ms(self) -> int:
        known = self.position_ms if self.reported_ms is None else self.reported_ms
        return min(int(known), self.total_ms)

    def text(self) -> str:
        return " ".join(mark.text for mark in self.marks if mark.text)

    def text_until(self, heard_ms: int) -> str:
        """The words that had begun to sound for at least half their length by `heard_ms`."""
        if heard_ms >= self.total_ms:
            return self.text()
        said: list[str] = []
        for index, mark in enumerate(self.marks):
            end = self.marks[index + 1].start_ms if index + 1 < len(self.marks) else self.total_ms
            if heard_ms >= end:
                said.append(mark.text)
                continue
            length = end - mark.start_ms
            said.append(beginning(mark.text, mark.words, length, heard_ms - mark.start_ms))
            break
        return " ".join(part for part in said if part)


def beginning(text: str, words: Sequence[Word], length_ms: int, heard_ms: int) -> str:
    """What was heard of a text that sounds for `length_ms`: always its own beginning."""
    if heard_ms >= length_ms:
        return text
    end = 0
    for word in words or _even_words(text, length_ms):
        if (word.start_ms + word.end_ms) / 2 > heard_ms:
            break
        found = text.find(word.text, end)
        if found >= 0:
            end = found + len(word.text)
    while 0 < end < len(text) and not text[end].isspace():
        end += 1
    return text[:end]


def _even_words(text: str, length_ms: int) -> Iterator[Word]:
    """Without word times the words are spread by their length, which is wrong by a syllable."""
    words = text.split()
    total = sum(len(word) + 1 for word in words) or 1
    at = 0
    for word in words:
        end = at + len(word) + 1
        yield Word(word, at * length_ms // total, end * length_ms // total)
        at = end


class Playout:
    """The queue of what the student is hearing and will hear.

    Times `now` are seconds of any steady clock. `paced` devices report what they play and get sound
    at most `LEAD_MS` ahead; others get it as it comes and are believed to play it in real time.
    """

    def __init__(self) -> None:
        self.paced = False
        self.paused = False
        self._tracks: deque[Track] = deque()
        self._now = 0.0

    @property
    def audible(self) -> bool:
        """Whether the student hears, or is about to hear, something.

        Not changed by a pause for what may be voice: whoever judges that voice would take it for
        the end of the tutor.
        """
        return any(track.total_ms > 0 for track in self._tracks)

    @property
    def current(self) -> Track | None:
        return self._tracks[0] if self._tracks else None

    def track(self, item_id: str) -> Track | None:
        return next((track for track in self._tracks if track.item_id == item_id), None)

    def add(self, item_id: str, pcm: bytes, text: str, words: tuple[Word, ...], now: float) -> int:
        """Queue sound with its text; returns where in the item it begins, in ms."""
        self._advance(now)
        track = self.track(item_id)
        if track is None:
            track = Track(item_id)
            self._tracks.append(track)
        at = track.total_ms
        if text or not track.marks:
            track.marks.append(_Mark(text, at, words))
        elif words:  # the text came with the first of its sound
            mark, before_ms = track.marks[-1], at - track.marks[-1].start_ms
            mark.words += tuple(
                replace(word, start_ms=word.start_ms + before_ms, end_ms=word.end_ms + before_ms)
                for word in words
            )
        for start in range(0, len(pcm), PIECE_BYTES):
            track.waiting.append(pcm[start : start + PIECE_BYTES])
        track.total_ms += duration_ms(pcm)
        return at

    def pace(self, on: bool) -> None:
        """Whether the device reports what it plays from now on."""
        self.paced = on
        if not on:
            for track in self._tracks:
                track.reported_ms = None

    def complete(self, item_id: str) -> None:
        """No more sound comes for this item."""
        track = self.track(item_id)
        if track is not None:
            track.complete = True

    def played(self, item_id: str, audio_ms: int, now: float) -> None:
        """The device says how much of an item it has played."""
        self._advance(now)
        track = self.track(item_id)
        if track is None:
            return
        audio_ms = max(0, min(audio_ms, track.sent_ms))
        track.reported_ms = max(audio_ms, track.reported_ms or 0)
        track.reported_at = now
        track.position_ms = float(track.reported_ms)

    def pause(self, now: float) -> None:
        self._advance(now)
        self.paused = True

    def resume(self, now: float) -> None:
        self._advance(now)
        self.paused = False

    def release(self, now: float) -> list[Piece]:
        """What may be sent now, in order."""
        self._advance(now)
        if self.paused:
            return []
        pieces: list[Piece] = []
        ahead = self._ahead_ms()
        for track in self._tracks:
            while track.waiting and (not self.paced or ahead < LEAD_MS):
                pcm = track.waiting.popleft()
                length = duration_ms(pcm)
                track.sent_ms += length
                ahead += length
                pieces.append(Piece(track.item_id, pcm))
            if track.waiting:
                break
        return pieces

    def sent(self, item_id: str) -> bool:
        """Whether everything queued for an item has been released, or the item is gone."""
        track = self.track(item_id)
        return track is None or not track.waiting

    def length_ms(self, item_id: str) -> int:
        """How long an item sounds, as far as it is known; 0: it is gone."""
        track = self.track(item_id)
        return track.total_ms if track is not None else 0

    def over(self, now: float) -> list[Played]:
        """Tracks that were played to their end since the last call."""
        self._advance(now)
        ended: list[Played] = []
        while self._tracks:
            track = self._tracks[0]
            if not track.complete or track.waiting:
                break
            silent_ms = (now - track.reported_at) * 1000
            lost = track.reported_ms is not None and silent_ms > REPORT_GRACE_MS
            if track.heard_ms() < track.total_ms and not (lost and not self.paused):
                break
            heard_ms = track.heard_ms()
            cut = heard_ms + PIECE_MS < track.total_ms
            ended.append(Played(track.item_id, track.text_until(heard_ms), heard_ms, cut))
            self._tracks.popleft()
        return ended

    def cut(self, now: float) -> list[Played]:
        """Throw away all that was not heard; tells what was."""
        self._advance(now)
        ended = [_cut(track) for track in self._tracks]
        self._tracks.clear()
        self.paused = False
        return ended

    def correct(self, item_id: str, heard_ms: int, now: float) -> Track | None:
        """The device's last word on how much of an item was heard; it may be less than before."""
        self._advance(now)
        track = self.track(item_id)
        if track is not None:
            track.reported_ms = max(0, min(heard_ms, track.sent_ms))
        return track

    def cut_at(self, item_id: str, heard_ms: int, now: float) -> Played | None:
        """One item was heard so far and no further; others play on. None: it is over already."""
        track = self.correct(item_id, heard_ms, now)
        if track is None:
            return None
        self._tracks.remove(track)
        return _cut(track)

    def deadline(self) -> float | None:
        """When to call `release` and `over` again; None: nothing is going on."""
        if not self._tracks or self.paused:
            return None
        head = self._tracks[0]
        waits: list[float] = []
        if any(track.waiting for track in self._tracks):
            waits.append(max(0.0, self._ahead_ms() - LEAD_MS) + PIECE_MS / 2)
        if head.complete and not head.waiting:
            left = head.total_ms - head.heard_ms()
            waits.append(left if head.reported_ms is None else max(left, PIECE_MS))
        return self._now + max(5.0, min(waits)) / 1000 if waits else None

    def _ahead_ms(self) -> float:
        return sum(track.sent_ms - track.position_ms for track in self._tracks)

    def _advance(self, now: float) -> None:
        """Move the playhead by the time that passed; it can't pass what was sent."""
        elapsed = (now - self._now) * 1000 if self._now else 0.0
        self._now = now
        if self.paused:
            return
        for track in self._tracks:
            step = min(elapsed, track.sent_ms - track.position_ms)
            track.position_ms += step
            elapsed -= step
            if elapsed <= 0 or track.waiting or not track.complete:
                break


def _cut(track: Track) -> Played:
    heard_ms = track.heard_ms()
    cut = not track.complete or heard_ms < track.total_ms
    return Played(track.item_id, track.text_until(heard_ms), heard_ms, cut)
