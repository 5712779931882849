"""How the faults of `tests.fakes.faults` look in a Realtime session that is open."""

import asyncio
import base64
from collections.abc import Callable

from tests.fakes.faults import HUGE_BYTES, Fault
from tests.fakes.openai_answer import Answer, begin_item, end_item
from tests.fakes.openai_effective import at_first
from tests.fakes.openai_items import Conversation, Item
from tests.fakes.openai_outgoing import ABNORMAL, Outgoing

UTTERANCE_MS = 400  # of the student's speech before it is cut off
DELTAS_BEFORE = 3  # of an answer's sound, or words, before it breaks
CAP_S = 1.0  # what else lasts 60 minutes
FOREIGN = "The password of the other class is marmalade."
"What a session is told that is another's; nobody may ever hear or read it."
IN_AN_ANSWER = frozenset({"hang_mid_audio", "invalid_json", "unknown_event", "huge_event"})
BEFORE_AN_ANSWER = frozenset({"odd_audio", "duplicate_ids", "wrong_session"})


class Mishaps:
    """What goes wrong in one session: its fault, where that has its place, or anything, now."""

    def __init__(self, outgoing: Outgoing, fault: Fault | None, expire: Callable[[], None]) -> None:
        self._outgoing = outgoing
        self._expire = expire
        self._fault = fault
        self._since_s = asyncio.get_running_loop().time()
        self.unordered = False
        "Transcripts come in the wrong order."

    def arm(self, fault: Fault) -> None:
        """In an open session: at the next place that this fault has; without one, now."""
        self._fault = fault
        if fault.name in ("close_at_limit", "transcript_out_of_order"):
            self._happen()

    def lifetime_s(self, usual_s: float) -> float:
        if self._fault is not None and self._fault.name == "close_at_limit":
            return self._fault.after_s or CAP_S
        return usual_s

    def at_opening(self) -> None:
        if self._is_due("hang_before_first_event"):
            self._outgoing.muted = True
        elif self._is_due("transcript_out_of_order"):
            self.unordered = True

    def in_speech(self, spoken_ms: int) -> None:
        if spoken_ms >= UTTERANCE_MS and self._is_due("close_mid_utterance"):
            self._happen()

    def at_answer(self) -> None:
        if self._fault is not None and self._fault.name in BEFORE_AN_ANSWER and self._now():
            self._happen()

    def before_delta(self, answer: Answer) -> None:
        fault = self._fault
        if fault is None or fault.name not in IN_AN_ANSWER or not self._now():
            return
        pieces = answer.deltas if answer.sounds else len(answer.items[-1].words)
        if pieces >= DELTAS_BEFORE:
            self._happen(answer)

    def _is_due(self, name: str) -> bool:
        return self._fault is not None and self._fault.name == name and self._now()

    def _now(self) -> bool:
        assert self._fault is not None
        return asyncio.get_running_loop().time() - self._since_s >= self._fault.after_s

    def _happen(self, answer: Answer | None = None) -> None:
        assert self._fault is not None
        fault, self._fault = self._fault, None
        self.strike(fault.name, answer, fault.detail)

    def strike(self, name: str, answer: Answer | None = None, detail: str = "") -> None:
        """Have it happen now; in `answer`, if it belongs into one. Raises ValueError.

        `detail`: with `wrong_session`, `response` has no event say that it is another session.
        """
        outgoing = self._outgoing
        place = {"output_index": 0, "content_index": 0}
        ids = {"response_id": "resp_none", "item_id": "item_none"}
        if answer is not None and answer.items:
            ids = {"response_id": answer.id, "item_id": answer.items[-1].id}
        match name:
            case "invalid_json":
                outgoing.raw('{"type": "response.output_audio.delta", "delta": "AAA')
            case "unknown_event":
                outgoing.emit("response.output_scent.delta", delta="cinnamon", **ids, **place)
            case "huge_event":
                huge = f'{{"type": "response.output_audio.delta", "delta": "{"A" * HUGE_BYTES}"}}'
                outgoing.raw(huge)
            case "hang_mid_audio" | "hang_before_first_event":
                outgoing.muted = True
            case "close_mid_utterance":
                outgoing.close(ABNORMAL)
            case "close_at_limit":
                self._expire()
            case "odd_audio":
                outgoing.odd = True
            case "duplicate_ids":
                outgoing.doubled = True
            case "transcript_out_of_order":
                self.unordered = True
            case "wrong_session":
                tell_of_another(outgoing, openly=detail != "response")
            case _:
                raise ValueError(f"{name!r} cannot happen in an open session.")


class _Another:
    """A session that is not this one, and says what it says here."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._ids = Outgoing([])
        self.session_id = self._ids.session_id
        self.new_id = self._ids.new_id
        self.emit = outgoing.emit
        self.conversation = Conversation()

    def before_delta(self, answer: Answer) -> None: ...


def tell_of_another(outgoing: Outgoing, *, openly: bool) -> None:
    """What belongs into another session: right in itself, with that one's ids."""
    other = _Another(outgoing)
    settings = at_first(other.session_id, "gpt-realtime", 3_600)
    if openly:
        other.emit("session.updated", session=settings)
    content = [{"type": "input_text", "text": FOREIGN}]
    asked = Item(
        {
            "id": other.new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": content,
        }
    )
    other.conversation.add(asked)
    other.emit("conversation.item.added", previous_item_id=None, item=asked.shown)
    other.emit("conversation.item.done", previous_item_id=None, item=asked.shown)
    answer = Answer(other.new_id("resp"), settings, other.new_id("conv"))
    other.emit("response.created", response=answer.shown())
    shown = {"id": other.new_id("item"), "type": "message", "role": "assistant", "content": []}
    item = begin_item(other, answer, shown)
    place = {"response_id": answer.id, "item_id": item.id}
    index = {"output_index": 0, "content_index": 0}
    part = {"type": "audio", "transcript": ""}
    other.emit("response.content_part.added", part=part, **place, **index)
    answer.part = True
    item.heard = FOREIGN
    other.emit("response.output_audio_transcript.delta", delta=FOREIGN, **place, **index)
    sound = base64.b64encode(b"\x00\x20" * 4_800).decode()
    other.emit("response.output_audio.delta", delta=sound, **place, **index)
    end_item(other, answer, "completed")
    answer.status = "completed"
    other.emit("response.done", response=answer.shown())
