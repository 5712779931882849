"""The tutor's side: one response at a time, from `response.created` to `response.done`.

Nothing here awaits. Each method returns what is to be done, in the order OpenAI's clients expect:

    response.created, output_item.added, item.added, content_part.added,
    deltas, audio.done, text.done, content_part.done, output_item.done, response.done
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import uuid4

from ai.engine import Ask, Cue
from ai.events import AnswerEnded, Kept, Spoke, Word
from sessions.live.actions import Action, Answer, Cancel, Save, SaveHeard, Tell
from sessions.live.events import (
    AudioDelta,
    AudioDone,
    ContentPartAdded,
    ContentPartDone,
    ItemAdded,
    ItemTruncated,
    Modality,
    OutputCleared,
    OutputItemAdded,
    OutputItemDone,
    ResponseCreated,
    ResponseDone,
    ResponseView,
    TextDelta,
    TextDone,
)
from sessions.live.log import Log
from sessions.live.playout import Played, Playout, beginning
from sessions.record.model import Heard, Item

Reason = Literal["turn_detected", "client_cancelled"]

SILENT_S = 30.0  # an engine that says nothing of an answer for so long has lost it


@dataclass(slots=True)
class Response:
    """An answer under way."""

    ask: Ask
    metadata: Mapping[str, str] | None
    news_at: float
    "When the engine last said something of it."
    item: Item | None = None
    said: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    "What the engine keeps beside the item."
    generated: bool = False
    "The engine has said all of it; sound may still wait to be sent."

    @property
    def id(self) -> str:
        return self.ask.answer

    @property
    def modality(self) -> Modality:
        return "audio" if self.ask.sound else "text"

    def view(
        self,
        status: Literal["in_progress", "completed", "cancelled", "failed"],
        reason: str | None = None,
    ) -> ResponseView:
        return ResponseView(
            id=self.id,
            status=status,
            output_modalities=(self.modality,),
            output=(self.item,) if self.item and status != "in_progress" else (),
            reason=reason,
            metadata=self.metadata,
        )


@dataclass(slots=True)
class _Sound:
    """What is known of an item's sound, also when it is long over."""

    response_id: str
    length_ms: int = 0


class Answers:
    """The tutor's turns of one session."""

    def __init__(self, log: Log, engine: str) -> None:
        self.engine = engine
        self._log = log
        self.playout = Playout()
        self.current: Response | None = None
        self.spoken_ms = 0
        "What the student has heard of the tutor's finished tracks, in all."
        self.beside: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
        "What else to keep beside an item, where the engine keeps this."
        self._sounds: dict[str, _Sound] = {}
        "By item."

    # -- beginning ----------------------------------------------------------------------------

    def begin(
        self,
        cue: Cue,
        now: float,
        *,
        modality: Modality,
        voice: str,
        speed: float,
        metadata: Mapping[str, str] | None = None,
        answer: str | None = None,
    ) -> list[Action]:
        """Ask the engine for an answer; `answer` names one that it began by itself."""
        ask = Ask(answer or f"resp_{uuid4().hex}", cue, modality == "audio", voice, speed)
        self.current = response = Response(ask, metadata, now)
        out: list[Action] = [Tell(ResponseCreated(response.view("in_progress")))]
        return out if answer is not None else [*out, Answer(ask)]

    def ask_again(self, now: float) -> list[Action]:
        """A fresh engine goes on: it does not know of an answer that had not begun."""
        response = self.current
        if response is None or response.generated or response.item is not None:
            return []
        response.news_at = now
        return [Answer(response.ask)]

    def heard_of(self, now: float) -> None:
        """The engine is at work on the current answer."""
        if self.current is not None:
            self.current.news_at = now

    def is_current(self, answer: str) -> bool:
        """Whether the engine is still to say something of this answer."""
        return self.current is not None and self.current.id == answer and not self.current.generated

    # -- while it is made ----------------------------------------------------------------------

    def spoke(self, event: Spoke, at_ms: int, now: float) -> list[Action]:
        """A piece of the current answer; pieces of any other are dropped."""
        response = self.current
        if response is None or not self.is_current(event.answer):
            return []
        response.news_at = now
        out: list[Action] = []
        if response.item is None:
            item_id = f"item_{uuid4().hex}"
            response.item = Item(
                id=item_id,
                role="assistant",
                speaker="ai",
                kind=response.modality,
                position=self._log.take_place(item_id),
                status="in_progress",
                said=None,
                started_ms=at_ms,
                engine=self.engine,
            )
            self._log.add(response.item)
            self._sounds[item_id] = _Sound(response.id)
            out += [
                Tell(OutputItemAdded(response.id, response.item)),
                Tell(ItemAdded(response.item, self._log.previous(response.item))),
                Tell(ContentPartAdded(response.id, response.item.id, response.modality)),
            ]
        item = response.item
        delta = (" " if response.said and event.text else "") + event.text
        lead = len(delta) - len(event.text)
        if event.text:
            response.said.append(event.text)
        if response.modality == "text":
            return [*out, Tell(TextDelta(response.id, item.id, "text", delta))]
        begins = self.playout.add(item.id, event.pcm, event.text, event.words, now)
        self._sounds[item.id].length_ms = self.playout.length_ms(item.id)
        response.words += [
            replace(word, start_ms=word.start_ms + begins, end_ms=word.end_ms + begins)
            for word in event.words
        ]
        if delta:
            offsets = _word_offsets(event.text, event.words, lead, begins)
            out.append(Tell(TextDelta(response.id, item.id, "audio", delta, begins, offsets)))
        return out + self.release(now)

    def kept(self, event: Kept, now: float) -> None:
        """The engine's own notes on the current answer."""
        if self.current is not None and self.current.id == event.answer:
            self.current.data = dict(event.data)
            self.current.news_at = now

    def ended(self, event: AnswerEnded, at_ms: int, now: float) -> list[Action]:
        """The engine has said all of it: it is saved now, whether or not it was heard yet."""
        response = self.current
        if response is None or not self.is_current(event.answer):
            return []
        response.generated = True
        out: list[Action] = []
        if response.item is not None:
            text = response.modality == "text"
            said = " ".join(response.said)
            response.item = self._log.change(
                replace(
                    response.item,
                    status="completed",
                    said=said,
                    heard=said if text else None,
                    words=tuple(response.words),
                    ended_ms=at_ms,
                    data=self._data(response),
                )
            )
            self.playout.complete(response.item.id)
            out.append(Save(response.item))
        return out + self.release(now)

    def failed(self, code: str, at_ms: int) -> list[Action]:
        """The engine broke: what was said stays said, and is heard."""
        response = self.current
        if response is None or response.generated:
            return []
        out = self._keep_unfinished(response, at_ms)
        if response.item is not None:
            self.playout.complete(response.item.id)
        self.current = None
        return [*out, *self._closing(response, "failed", code)]

    def give_up(self, at_ms: int, now: float) -> list[Action]:
        """Close an answer of which the engine has said nothing for too long."""
        due = self.silent_due()
        response = self.current
        if response is None or due is None or now < due:
            return []
        stop = Cancel(response.id, " ".join(response.said))
        return [stop, *self.failed("tutor_silent", at_ms)]

    def silent_due(self) -> float | None:
        """When the engine is given up on, if it says nothing."""
        response = self.current
        return response.news_at + SILENT_S if response and not response.generated else None

    # -- sound ---------------------------------------------------------------------------------

    def release(self, now: float) -> list[Action]:
        """Send what may be sent; close the response when all of it is."""
        out: list[Action] = [
            Tell(AudioDelta(self._sounds[piece.item_id].response_id, piece.item_id, piece.pcm))
            for piece in self.playout.release(now)
        ]
        response = self.current
        if response is None or not response.generated:
            return out
        if response.item is None or self.playout.sent(response.item.id):
            self.current = None
            out += self._closing(response, "completed", None)
        return out

    def over(self, now: float) -> list[Action]:
        """Note what was played to its end, or as far as the device played it."""
        return [action for played in self.playout.over(now) for action in self._played(played)]

    # -- interruption --------------------------------------------------------------------------

    def interrupt(self, reason: Reason, at_ms: int, now: float) -> list[Action]:
        """Stop: keep what was heard, tell the engine, close the response."""
        response = self.current
        out: list[Action] = []
        if response is not None and not response.generated:
            out += self._keep_unfinished(response, at_ms)
        cleared: list[Action] = []
        for played in self.playout.cut(now):
            out += self._played(played)
            cleared += self._cleared(played)
        if response is None:
            return cleared + out
        if not response.generated and (response.item is None or response.modality == "text"):
            out.append(Cancel(response.id, " ".join(response.said)))
        self.current = None
        if response.item is not None:
            response.item = self._log.get(response.item.id)
        return [*cleared, *out, *self._closing(response, "cancelled", reason)]

    def truncate(self, item: Item, audio_end_ms: int, at_ms: int, now: float) -> list[Action]:
        """The client tells how much of an item was heard; its word is the best there is."""
        response = self.current
        if response is not None and response.item is not None and response.item.id == item.id:
            self.playout.correct(item.id, audio_end_ms, now)
            return self.interrupt("client_cancelled", at_ms, now)
        played = self.playout.cut_at(item.id, audio_end_ms, now)
        if played is None:
            self.spoken_ms -= item.heard_ms or 0
            played = self._heard_afterwards(item, audio_end_ms)
            return self._played(played, told=True)
        return [*self._cleared(played), *self._played(played, told=True)]

    # -- small parts ---------------------------------------------------------------------------

    def _cleared(self, played: Played) -> list[Action]:
        """Of what was cut a client may hold more, and a call holds it for the client."""
        sound = self._sounds.get(played.item_id)
        if not played.interrupted or sound is None:
            return []
        return [Tell(OutputCleared(sound.response_id))]

    def _played(self, played: Played, *, told: bool = False) -> list[Action]:
        """Note what was heard; a cut is told to the client (or its own word confirmed)."""
        heard = Heard(played.item_id, played.heard, played.heard_ms, played.interrupted)
        self.spoken_ms += played.heard_ms
        self._log.hear(heard)
        out: list[Action] = [SaveHeard(heard)]
        sound = self._sounds.get(played.item_id)
        if (played.interrupted or told) and sound is not None:
            out.append(Cancel(sound.response_id, played.heard))
        if played.interrupted or told:
            out.append(Tell(ItemTruncated(played.item_id, played.heard_ms, played.heard)))
        return out

    def _heard_afterwards(self, item: Item, audio_end_ms: int) -> Played:
        """What was heard of an item whose sound is over."""
        sound = self._sounds.get(item.id)
        length_ms = max(
            sound.length_ms if sound else 0,
            item.words[-1].end_ms if item.words else 0,
            item.heard_ms or 0,
        )
        heard_ms = min(audio_end_ms, length_ms)
        heard = beginning(item.said or "", item.words, length_ms, heard_ms)
        return Played(item.id, heard, heard_ms, heard_ms < length_ms)

    def _keep_unfinished(self, response: Response, at_ms: int) -> list[Action]:
        """An answer that was cut while it was made is saved as far as it was made."""
        if response.item is None:
            return []
        said = " ".join(response.said)
        response.item = self._log.change(
            replace(
                response.item,
                status="incomplete",
                said=said,
                heard=said if response.modality == "text" else None,
                words=tuple(response.words),
                ended_ms=at_ms,
                interrupted=True,
                data=self._data(response),
            )
        )
        return [Save(response.item)]

    def _data(self, response: Response) -> Mapping[str, Any]:
        return {"engine": {**self.beside(response.data), **response.data}}

    def _closing(
        self,
        response: Response,
        status: Literal["completed", "cancelled", "failed"],
        reason: str | None,
    ) -> list[Action]:
        """The end of a response, as clients expect it, however it ended."""
        events: list[Action] = []
        item, modality = response.item, response.modality
        if item is not None:
            text = " ".join(response.said)
            if modality == "audio":
                events.append(Tell(AudioDone(response.id, item.id)))
            events += [
                Tell(TextDone(response.id, item.id, modality, text)),
                Tell(ContentPartDone(response.id, item.id, modality, text)),
                Tell(OutputItemDone(response.id, item)),
            ]
        return [*events, Tell(ResponseDone(response.view(status, reason)))]


def _word_offsets(
    text: str, words: Sequence[Word], lead: int, begins_ms: int
) -> tuple[tuple[int, int], ...]:
    """Where each timed word begins in the delta, and when it sounds."""
    offsets: list[tuple[int, int]] = []
    at = 0
    for word in words:
        found = text.find(word.text, at)
        if found < 0:
            continue
        offsets.append((found + lead, begins_ms + word.start_ms))
        at = found + len(word.text)
    return tuple(offsets)
