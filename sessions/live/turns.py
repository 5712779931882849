"""The student's side: stretches of speech on their way to being items.

    silent --start--> suspected --confirm--> speaking --over--> words awaited --words--> saved
                          |                                          |
                          +--drop--> silent                  10 s: saved without words

A turn takes its place in the conversation when it starts, however late its words arrive.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

from ai.audio import duration_ms
from ai.events import Transcribed
from sessions.live import wording
from sessions.live.actions import Action, Save, Tell
from sessions.live.events import (
    InputCommitted,
    InputSpeechStopped,
    ItemAdded,
    TranscriptionCompleted,
    TranscriptionFailed,
)
from sessions.live.log import Log
from sessions.record.model import Item

WORDS_WITHIN_S = 10.0  # realtime.md: `done` waits so long for a turn's words, then goes out without


@dataclass(slots=True)
class Turn:
    """One stretch of the student's speech."""

    name: str
    "What the engine calls it."
    item_id: str
    position: int
    started_ms: int
    audio_start_ms: int
    confirmed: bool = False
    words_due: float | None = None
    "Set when the speech is over and only its words are missing."


class Turns:
    """The student's turns of one session. `*_ms` of audio are on the student's media clock."""

    def __init__(self, log: Log, spoken_ms: int = 0) -> None:
        self.speaking: Turn | None = None
        "Suspected or confirmed, and not over."
        self.by_hand: Turn | None = None
        "Begun by audio whose end the client will tell."
        self.buffered_ms = 0
        "Audio since the last turn."
        self.media_ms = 0
        self.spoken_ms = spoken_ms
        self._log = log
        self._turns: dict[str, Turn] = {}

    def __bool__(self) -> bool:
        """Whether any turn is not finished."""
        return bool(self._turns)

    def get(self, name: str) -> Turn | None:
        return self._turns.get(name)

    def under_way(self) -> Turn | None:
        """The turn that a commit would end."""
        if self.speaking is not None and self.speaking.confirmed:
            return self.speaking
        return self.by_hand

    def start(self, name: str | None, audio_start_ms: int, at_ms: int) -> Turn:
        """Speech begins, or is suspected; `at_ms` is session time now."""
        item_id = f"item_{uuid4().hex}"
        lag_ms = max(0, self.media_ms - audio_start_ms)
        turn = Turn(
            name or item_id,
            item_id,
            self._log.take_position(),
            max(0, at_ms - lag_ms),
            audio_start_ms,
        )
        self._turns[turn.name] = turn
        return turn

    def drop(self, name: str) -> None:
        """It was not speech."""
        turn = self._turns.pop(name, None)
        if self.speaking is turn:
            self.speaking = None

    def clear(self) -> None:
        """The client throws its buffered audio away."""
        if self.by_hand is not None:
            self.drop(self.by_hand.name)
            self.by_hand = None
        self.buffered_ms = 0

    def over(self, turn: Turn, audio_end_ms: int, now: float) -> list[Action]:
        """The turn has ended; it becomes an item that lacks only its words."""
        if turn.words_due is not None:
            return []
        detected = self.speaking is turn
        if detected:
            self.speaking = None
        if self.by_hand is turn:
            self.by_hand = None
        self.buffered_ms = 0
        turn.words_due = now + WORDS_WITHIN_S
        length_ms = max(0, audio_end_ms - turn.audio_start_ms)
        self.spoken_ms += length_ms
        item = Item(
            id=turn.item_id,
            role="user",
            speaker="student",
            kind="audio",
            position=turn.position,
            status="completed",
            said=None,
            started_ms=turn.started_ms,
            ended_ms=turn.started_ms + length_ms,
        )
        self._log.add(item)
        previous = self._log.previous(item)
        told: list[Action] = [Tell(InputCommitted(item.id, previous))]
        if detected and turn.confirmed:
            told.insert(0, Tell(InputSpeechStopped(item.id, audio_end_ms)))
        return [*told, Tell(ItemAdded(item, previous))]

    def listen(self, item: Item, pcm: bytes, now: float) -> Turn:
        """A whole spoken turn that came as an item; its words are awaited."""
        turn = Turn(item.id, item.id, item.position, item.started_ms, self.media_ms, True)
        turn.words_due = now + WORDS_WITHIN_S
        self._turns[turn.name] = turn
        self.spoken_ms += duration_ms(pcm)
        ended_ms = item.started_ms + duration_ms(pcm)
        self._log.change(replace(item, ended_ms=ended_ms))
        return turn

    def words(self, event: Transcribed) -> list[Action]:
        """The words of a turn have come."""
        turn = self._turns.pop(event.turn, None)
        item = self._log.get(turn.item_id) if turn is not None else None
        if item is None:
            return []
        data = {**item.data, "sure": event.sure}
        item = self._log.change(replace(item, said=event.text, words=event.words, data=data))
        audio_ms = (item.ended_ms or item.started_ms) - item.started_ms
        return [Tell(TranscriptionCompleted(item.id, event.text, audio_ms)), Save(item)]

    def give_up(self, now: float | None = None) -> list[Action]:
        """Save turns without words: the overdue ones, or with no `now` all that are over."""
        out: list[Action] = []
        for turn in list(self._turns.values()):
            if turn.words_due is None or (now is not None and now < turn.words_due):
                continue
            del self._turns[turn.name]
            item = self._log.get(turn.item_id)
            if item is not None:
                out += [Tell(TranscriptionFailed(item.id, wording.NO_WORDS)), Save(item)]
        return out

    def deadline(self) -> float | None:
        """When words are overdue."""
        return min((t.words_due for t in self._turns.values() if t.words_due), default=None)
