"""The student's side: stretches of speech on their way to being items.

    silent --suspect--> suspected --confirm--> speaking --over--> words awaited --words--> saved
                            |                     |                    |
                            +----drop--> silent <-+ (thrown away)      +--10 s--> saved without

A turn takes its place in the conversation when it is known to be speech, which is a fraction of a
second after it began; however late its words arrive, it keeps that place.

A turn outlives the leg that noticed it. One that is over has its audio read to the next leg; one
under way is adrift until the next leg, to which its audio is replayed, hears it too.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

from ai.audio import duration_ms
from ai.events import Transcribed
from sessions.live import wording
from sessions.live.actions import Action, ListenAgain, Save, Tell
from sessions.live.events import (
    InputCommitted,
    InputSpeechStopped,
    ItemAdded,
    TranscriptionCompleted,
    TranscriptionFailed,
)
from sessions.live.log import Log
from sessions.record.model import Item

ONSET_MS = 300  # before the voice was noticed: a turn's audio begins so much earlier
TAIL_MS = 300  # after the voice ended
ADRIFT_S = 3.0  # a replayed turn that the new leg has not heard by then is committed by hand, ...
SUSPECT_ADRIFT_S = 1.0  # ... and a mere suspicion is dropped
SAME_TURN_MS = 1_500  # what the new leg hears so near to its beginning is the same speech
REMNANT_MS, REMNANT_OVER_MS = 300, 2_000
"""Over a call some sound may come after the commit that its client sent behind it: so much at most,
and then silence."""
WORDS_WITHIN_S = 10.0  # realtime.md: `done` waits so long for a turn's words, then goes out without


@dataclass(slots=True)
class Turn:
    """One stretch of the student's speech."""

    name: str
    "What the engine calls it."
    item_id: str
    started_ms: int
    audio_start_ms: int
    position: int | None = None
    "Its place in the conversation; None while it may be a cough."
    words_due: float | None = None
    "Set when the speech is over and only its words are missing."
    audio_until_ms: int = 0
    "Of a turn that is over: where its audio ends."
    adrift: bool = False
    "The leg that noticed it is gone, and no other has noticed it yet."
    adrift_due: float | None = None
    "Until when the leg to which it was replayed may notice it."

    @property
    def confirmed(self) -> bool:
        """Whether it is known to be speech."""
        return self.position is not None


def listen_to(turn: Turn) -> ListenAgain:
    """All that was heard of a turn that is over."""
    return ListenAgain(turn.name, max(0, turn.audio_start_ms - ONSET_MS), turn.audio_until_ms)


class Turns:
    """The student's turns of one session. `*_ms` of audio are on the student's media clock."""

    def __init__(self, log: Log, spoken_ms: int = 0) -> None:
        self.speaking: Turn | None = None
        "Suspected or confirmed, and not over."
        self.buffered_ms = 0
        "Audio since the last turn."
        self.media_ms = 0
        self._sounded_ms = self._silent_ms = 0
        "Of what is buffered: how much was no silence, and how long it has been silent."
        self._zeros_ms = 0
        self._log = log
        self._turns: dict[str, Turn] = {}
        self._over_ms = spoken_ms
        "The speech of all turns that are over."

    def __bool__(self) -> bool:
        """Whether any turn is not finished."""
        return bool(self._turns)

    @property
    def spoken_ms(self) -> int:
        """How long the student has spoken in all, up to now."""
        turn = self.speaking
        under_way = turn is not None and turn.confirmed
        return self._over_ms + (self.media_ms - turn.audio_start_ms if turn and under_way else 0)

    def get(self, name: str) -> Turn | None:
        return self._turns.get(name)

    def awaits(self, item_id: str) -> bool:
        """Whether a turn under way will be the item of this id."""
        return any(turn.item_id == item_id for turn in self._turns.values())

    def hear(self, length_ms: int, *, silent: bool = False) -> None:
        """The student's audio goes on; `silent`: all of it zeros."""
        self.media_ms += length_ms
        self.buffered_ms += length_ms
        if silent:
            self._silent_ms += length_ms
        else:
            self._sounded_ms += length_ms
            self._silent_ms = 0

    def zeros(self, length_ms: int) -> None:
        """A microphone that is on gave nothing but zeros."""
        self._zeros_ms += length_ms

    @property
    def only_zeros_ms(self) -> int:
        """How long it has given zeros since the last turn; none where there was any sound."""
        return 0 if self._sounded_ms else self._zeros_ms

    @property
    def may_be_speech(self) -> bool:
        """Whether what is buffered is more than what came late of an earlier turn."""
        return self._sounded_ms >= REMNANT_MS

    @property
    def is_remnant(self) -> bool:
        """Whether it was only that, and nothing follows it."""
        return 0 < self._sounded_ms < REMNANT_MS and self._silent_ms >= REMNANT_OVER_MS

    def _empty(self) -> None:
        self.buffered_ms = self._sounded_ms = self._silent_ms = self._zeros_ms = 0

    def suspect(self, name: str, audio_start_ms: int, at_ms: int) -> Turn:
        """Voice is heard; `at_ms` is session time now."""
        if self.speaking is not None and self.speaking.adrift:
            return self._adopt(self.speaking, name)
        if self.speaking is not None:
            self.drop(self.speaking.name)
        lag_ms = max(0, self.media_ms - audio_start_ms)
        turn = Turn(name, f"item_{uuid4().hex}", max(0, at_ms - lag_ms), audio_start_ms)
        self._turns[turn.name] = self.speaking = turn
        return turn

    def _adopt(self, turn: Turn, name: str) -> Turn:
        """The next leg hears it, too: it is the same turn under another name."""
        del self._turns[turn.name]
        turn.name, turn.adrift, turn.adrift_due = name, False, None
        self._turns[name] = turn
        return turn

    def undetected(self, length_ms: int, at_ms: int) -> Turn:
        """The client says that the last `length_ms` were speech, which nobody had noticed."""
        turn = self.suspect(f"audio_{uuid4().hex}", self.media_ms - length_ms, at_ms)
        self.confirm(turn)
        return turn

    def confirm(self, turn: Turn) -> None:
        """It is speech: it has its place."""
        if turn.position is None:
            turn.position = self._log.take_place(turn.item_id)

    def drop(self, name: str) -> None:
        """It was not speech, or is not wanted."""
        turn = self._turns.get(name)
        if turn is None or turn.words_due is not None:
            return
        del self._turns[name]
        if turn.confirmed:
            self._log.leave_place(turn.item_id)
        if self.speaking is turn:
            self.speaking = None

    def clear(self) -> None:
        """Audio that is not part of a finished turn is thrown away."""
        self.clear_suspicion()
        self._empty()

    def clear_suspicion(self) -> None:
        """What was suspected was not speech; the audio may still hold some."""
        if self.speaking is not None:
            self.drop(self.speaking.name)

    def over(self, turn: Turn, audio_end_ms: int, now: float, *, detected: bool) -> list[Action]:
        """A confirmed turn has ended; it becomes an item that lacks only its words."""
        if turn.words_due is not None or turn.position is None:
            return []
        if self.speaking is turn:
            self.speaking = None
        self._empty()
        turn.adrift, turn.adrift_due = False, None
        turn.words_due = now + WORDS_WITHIN_S
        turn.audio_until_ms = min(audio_end_ms + TAIL_MS, self.media_ms)
        length_ms = max(0, audio_end_ms - turn.audio_start_ms)
        self._over_ms += length_ms
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
        if detected:
            told.insert(0, Tell(InputSpeechStopped(item.id, audio_end_ms)))
        return [*told, Tell(ItemAdded(item, previous))]

    def listen(self, item: Item, pcm: bytes, now: float) -> Turn:
        """A whole spoken turn that came as an item; its words are awaited."""
        name = f"item:{item.id}"  # a client chose that id: it must not be the name of another turn
        turn = Turn(name, item.id, item.started_ms, self.media_ms, item.position)
        turn.words_due = now + WORDS_WITHIN_S
        self._turns[turn.name] = turn
        self._over_ms += duration_ms(pcm)
        self._log.change(replace(item, ended_ms=item.started_ms + duration_ms(pcm)))
        return turn

    def words(self, event: Transcribed) -> list[Action]:
        """The words of a turn have come."""
        turn = self._turns.get(event.turn)
        if turn is None or turn.words_due is None:
            return []
        del self._turns[turn.name]
        item = self._log.get(turn.item_id)
        if item is None:
            return []
        data = {**item.data, "sure": event.sure}
        item = self._log.change(replace(item, said=event.text, words=event.words, data=data))
        audio_ms = (item.ended_ms or item.started_ms) - item.started_ms
        return [Tell(TranscriptionCompleted(item.id, event.text, audio_ms)), Save(item)]

    # ---- from one leg to the next ------------------------------------------------------------

    def leg_lost(self) -> None:
        """Nobody listens to the turn under way any more."""
        if self.speaking is not None:
            self.speaking.adrift, self.speaking.adrift_due = True, None

    def leg_found(self, now: float) -> None:
        """The audio of all unfinished turns was given to a leg."""
        turn = self.speaking
        if turn is not None and turn.adrift:
            turn.adrift_due = now + (ADRIFT_S if turn.confirmed else SUSPECT_ADRIFT_S)
        for turn in self._turns.values():
            if turn.words_due is not None:
                turn.words_due = now + WORDS_WITHIN_S

    def is_other_speech(self, audio_start_ms: int) -> bool:
        """Whether voice that begins there can't be the turn that is adrift."""
        turn = self.speaking
        return (
            turn is not None and turn.adrift and audio_start_ms - turn.audio_start_ms > SAME_TURN_MS
        )

    def unheard(self) -> list[ListenAgain]:
        """Turns that are over and lack their words."""
        return [listen_to(turn) for turn in self._turns.values() if turn.words_due is not None]

    def wanted_from_ms(self, quiet_ms: int) -> int:
        """Where the audio begins that another leg would need; `quiet_ms` back without a turn."""
        since_ms = self.media_ms - min(self.buffered_ms, quiet_ms)
        if self.speaking is not None:
            since_ms = min(since_ms, self.speaking.audio_start_ms - ONSET_MS)
        return max(0, since_ms)

    def kept_from_ms(self, quiet_ms: int) -> int:
        """Where the audio begins that another leg would need, with that of turns without words."""
        unheard = (listen.start_ms for listen in self.unheard() if listen.end_ms)
        return min(self.wanted_from_ms(quiet_ms), *unheard, self.media_ms)

    # ---- time --------------------------------------------------------------------------------

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
        """When words are overdue, or a turn that is adrift."""
        dues = [due for t in self._turns.values() for due in (t.words_due, t.adrift_due) if due]
        return min(dues, default=None)
