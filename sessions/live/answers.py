"""The tutor's side: one response at a time, from `response.created` to `response.done`.

Nothing here awaits. Each method returns what is to be done, in the order OpenAI's clients expect:

    response.created, output_item.added, item.added, content_part.added,
    deltas, audio.done, text.done, content_part.done, output_item.done, response.done
"""

from collections.abc import Mapping, Sequence
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
from sessions.live.playout import Played, Playout
from sessions.record.model import Heard, Item

Reason = Literal["turn_detected", "client_cancelled"]


@dataclass(slots=True)
class Response:
    """An answer under way."""

    id: str
    modality: Modality
    metadata: Mapping[str, str] | None
    item: Item | None = None
    said: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    "What the engine keeps beside the item."
    generated: bool = False
    "The engine has said all of it; sound may still wait to be sent."

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


class Answers:
    """The tutor's turns of one session."""

    def __init__(self, log: Log, engine: str) -> None:
        self.engine = engine
        self._log = log
        self.playout = Playout()
        self.current: Response | None = None
        self.spoken_ms = 0
        "What the student has heard of the tutor, in all."
        self._answered_by: dict[str, str] = {}
        "Item -> response, for tracks that still play."

    # -- beginning ----------------------------------------------------------------------------

    def begin(
        self,
        cue: Cue,
        *,
        modality: Modality,
        voice: str,
        speed: float,
        metadata: Mapping[str, str] | None = None,
        answer: str | None = None,
    ) -> list[Action]:
        """Ask the engine for an answer; `answer` names one that it began by itself."""
        response = Response(answer or f"resp_{uuid4().hex}", modality, metadata)
        self.current = response
        out: list[Action] = [Tell(ResponseCreated(response.view("in_progress")))]
        if answer is None:
            ask = Ask(response.id, cue, modality == "audio", voice, speed)
            out.append(Answer(ask))
        return out

    # -- while it is made ----------------------------------------------------------------------

    def spoke(self, event: Spoke, at_ms: int, now: float) -> list[Action]:
        """A piece of the current answer; pieces of any other are dropped."""
        response = self.current
        if response is None or response.id != event.answer or response.generated:
            return []
        out: list[Action] = []
        if response.item is None:
            response.item = Item(
                id=f"item_{uuid4().hex}",
                role="assistant",
                speaker="ai",
                kind=response.modality,
                position=self._log.take_position(),
                status="in_progress",
                said=None,
                started_ms=at_ms,
                engine=self.engine,
            )
            self._log.add(response.item)
            self._answered_by[response.item.id] = response.id
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
        response.words += [
            replace(word, start_ms=word.start_ms + begins, end_ms=word.end_ms + begins)
            for word in event.words
        ]
        if delta:
            offsets = _word_offsets(event.text, event.words, lead, begins)
            out.append(Tell(TextDelta(response.id, item.id, "audio", delta, begins, offsets)))
        return out + self.release(now)

    def kept(self, event: Kept) -> None:
        """The engine's own notes on the current answer."""
        if self.current is not None and self.current.id == event.answer:
            self.current.data = dict(event.data)

    def ended(self, event: AnswerEnded, at_ms: int, now: float) -> list[Action]:
        """The engine has said all of it: it is saved now, whether or not it was heard yet."""
        response = self.current
        if response is None or response.id != event.answer or response.generated:
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
                    data={"engine": response.data},
                )
            )
            self.playout.complete(response.item.id)
            out.append(Save(response.item))
        return out + self.release(now)

    def failed(self, code: str, at_ms: int) -> list[Action]:
        """The engine broke: what was said stays said."""
        response = self.current
        if response is None:
            return []
        out = self._keep_unfinished(response, at_ms)
        self.current = None
        return [*out, Tell(ResponseDone(response.view("failed", code)))]

    # -- sound ---------------------------------------------------------------------------------

    def release(self, now: float) -> list[Action]:
        """Send what may be sent; close the response when all of it is."""
        out: list[Action] = [
            Tell(AudioDelta(self._answered_by.get(piece.item_id, ""), piece.item_id, piece.pcm))
            for piece in self.playout.release(now)
        ]
        response = self.current
        if response is None or not response.generated:
            return out
        if response.item is None or self.playout.sent(response.item.id):
            out += self._close(response, "completed")
        return out

    def over(self, now: float) -> list[Action]:
        """Note what was played to its end."""
        out: list[Action] = []
        for played in self.playout.over(now):
            out += self._note_heard(played)
        return out

    # -- interruption --------------------------------------------------------------------------

    def interrupt(self, reason: Reason, at_ms: int, now: float) -> list[Action]:
        """Stop: keep what was heard, tell the engine, close the response."""
        out: list[Action] = []
        response = self.current
        if response is not None and not response.generated:
            out += self._keep_unfinished(response, at_ms)
        cleared: list[str] = []
        for played in self.playout.cut(now):
            answer = self._answered_by.get(played.item_id, "")
            out += self._note_heard(played)
            if not played.interrupted:
                continue
            cleared.append(answer)
            out.append(Cancel(answer, played.heard))
            out.append(Tell(ItemTruncated(played.item_id, played.heard_ms, played.heard)))
        if response is not None and response.item is None:
            out.append(Cancel(response.id, ""))
        elif response is not None and response.modality == "text" and not response.generated:
            out.append(Cancel(response.id, " ".join(response.said)))
        if cleared:
            out.insert(0, Tell(OutputCleared(cleared[-1])))
        if response is not None:
            self.current = None
            if response.item is not None:
                response.item = self._log.get(response.item.id) or response.item
            out += self._closing(response, "cancelled", reason)
        return out

    def truncate(self, item: Item, audio_end_ms: int, now: float) -> list[Action]:
        """The client tells how much of an item was heard; its word is the best there is."""
        track = self.playout.track(item.id)
        answer = self._answered_by.get(item.id, "")
        if track is not None:
            self.playout.played(item.id, audio_end_ms, now)
            track.reported_ms = audio_end_ms
            out = [
                action for played in self.playout.cut(now) for action in self._note_heard(played)
            ]
            text = (self._log.get(item.id) or item).heard or ""
        else:
            said = [word.text for word in item.words if word.end_ms <= audio_end_ms]
            text = " ".join(said) if item.words else (item.said or "")
            played = Played(item.id, text, audio_end_ms, True)
            self.spoken_ms -= item.heard_ms or 0
            out = self._note_heard(played)
        return [*out, Cancel(answer, text), Tell(ItemTruncated(item.id, audio_end_ms, text))]

    # -- small parts ---------------------------------------------------------------------------

    def _note_heard(self, played: Played) -> list[Action]:
        heard = Heard(played.item_id, played.heard, played.heard_ms, played.interrupted)
        self.spoken_ms += played.heard_ms
        self._log.hear(heard)
        return [SaveHeard(heard)]

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
                data={"engine": response.data},
            )
        )
        return [Save(response.item)]

    def _close(self, response: Response, status: Literal["completed", "cancelled"]) -> list[Action]:
        self.current = None
        return self._closing(response, status, None)

    def _closing(
        self, response: Response, status: Literal["completed", "cancelled"], reason: str | None
    ) -> list[Action]:
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
