"""A session of a simulated OpenAI Realtime: client events in, the events of the real one out.

Every client event is checked against the `openai` package's own types. Turns are found in the
audio, recognised, answered by `tests.fakes.mind` and spoken; nothing here knows our own client.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, ClassVar

from ai.audio import duration_ms
from tests.fakes.faults import Fault
from tests.fakes.mind import reply
from tests.fakes.openai_answer import Answer, Meter, TooLong, end_item, give
from tests.fakes.openai_effective import at_first, updated
from tests.fakes.openai_hearing import Hearing, Started, Stopped
from tests.fakes.openai_items import Conversation, Item, line_of, made, no_item
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_mishaps import Mishaps
from tests.fakes.openai_outgoing import Outgoing, Violation
from tests.fakes.openai_shapes import Complaint, of_event
from tests.fakes.openai_words import Words

LIMIT_TOKENS = 50_000
GOING_AWAY = 1001


class Session:
    """One connection's session. `take` what the client says; `outgoing` is what it is told."""

    def __init__(
        self,
        manners: Manners,
        model: str,
        violations: list[Violation],
        fault: Fault | None = None,
    ) -> None:
        self.manners = manners
        self.outgoing = Outgoing(violations)
        self.emit, self.error = self.outgoing.emit, self.outgoing.error
        self.new_id = self.outgoing.new_id
        self.mishaps = Mishaps(self.outgoing, fault, self._expire)
        self.before_delta = self.mishaps.before_delta
        self.lifetime_s = self.mishaps.lifetime_s(manners.lifetime_s)
        self.settings = at_first(self.id, model, self.lifetime_s)
        self.conversation = Conversation()
        self.hearing = Hearing(self.settings["audio"]["input"])
        self.received: list[str] = []
        "Types of the client's events, without audio."
        self.answers: list[Answer] = []
        self.turns: list[Item] = []
        "The student's spoken ones."
        self._words = Words(self)
        self._conversation_id = self.new_id("conv")
        self._meter = Meter()
        self._speech = ""
        "The id that the turn under way will have."
        self._tasks: set[asyncio.Task[Any]] = set()
        self._expiry = asyncio.get_running_loop().call_later(self.lifetime_s, self._expire)
        self._idle: asyncio.TimerHandle | None = None
        self.mishaps.at_opening()
        self.emit("session.created", session=self.settings)

    @property
    def id(self) -> str:
        return self.outgoing.session_id

    async def end(self) -> None:
        """The connection is gone."""
        self._expiry.cancel()
        self._stop_idling()
        left = [*self._tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def arm(self, fault: Fault) -> None:
        """Have a fault happen where it has its place: in the next answer, or speech."""
        self.mishaps.arm(fault)

    def strike(self, name: str) -> None:
        """Have a fault happen now. Raises ValueError."""
        self.mishaps.strike(name, self.active())

    def _expire(self) -> None:
        minutes = max(1, round(self.manners.lifetime_s / 60))
        message = f"Your session hit the maximum duration of {minutes} minutes."
        self.error(Complaint(message, "session_expired"), blames=False)
        self.outgoing.close(GOING_AWAY)

    # ---- listening ---------------------------------------------------------------------------

    def take(self, message: str | bytes) -> None:
        """One message of the client's."""
        if isinstance(message, bytes):
            self.error(Complaint("Events are text.", "invalid_event"), message)
            return
        try:
            event = json.loads(message)
        except (ValueError, RecursionError):
            self.error(Complaint("This is not JSON.", "invalid_json"), message)
            return
        if complaint := of_event(event):
            self.error(complaint, event)
            return
        kind = event["type"]
        if kind != "input_audio_buffer.append":
            self.received.append(kind)
        complaint = self._handlers[kind](self, event)
        if complaint is not None:
            self.error(complaint, event)

    def _update(self, event: dict[str, Any]) -> Complaint | None:
        voiced = any(item.spoken and item.audio_ms for item in self.conversation.items)
        new = updated(
            self.settings,
            event["session"],
            voiced=voiced,
            answering=self.active() is not None,
        )
        if isinstance(new, Complaint):
            return new
        self.settings = new
        self.hearing.use(new["audio"]["input"])
        self.emit("session.updated", session=new)
        return None

    def _append(self, event: dict[str, Any]) -> Complaint | None:
        found = self.hearing.append(event["audio"])
        if isinstance(found, Complaint):
            return found
        for one in found:
            match one:
                case Started(at_ms):
                    self._speech_started(at_ms)
                case Stopped(at_ms, pcm):
                    self._speech_stopped(at_ms, pcm)
        self.mishaps.in_speech(self.hearing.spoken_ms)
        return None

    def _speech_started(self, at_ms: int) -> None:
        self._speech = self.new_id("item")
        self._stop_idling()
        self.emit("input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=self._speech)
        active = self.active()
        if active is not None and self._detection("interrupt_response"):
            self._finish(active, "cancelled", "turn_detected")

    def _speech_stopped(self, at_ms: int, pcm: bytes) -> None:
        self.emit("input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=self._speech)
        self._committed(pcm)
        if self._detection("create_response") and (complaint := self._create({})):
            self.error(complaint, blames=False)

    def _detection(self, name: str) -> Any:
        return self.hearing.detection is not None and self.hearing.detection.get(name)

    def _commit(self, event: dict[str, Any]) -> Complaint | None:
        pcm = self.hearing.take()
        if isinstance(pcm, Complaint):
            return pcm
        self._committed(pcm)
        return None

    def _committed(self, pcm: bytes) -> None:
        shown = {
            "id": self._speech or self.new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self._speech = ""
        item = Item(shown, audio_ms=duration_ms(pcm))
        lines = self.conversation.lines()
        self.conversation.add(item)
        before = self.conversation.before(item)
        self.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        self._added(item)
        self.turns.append(item)
        self._words.hear(item, pcm, lines)
        if self.settings["audio"]["input"]["transcription"] is not None:
            self._words.transcribe(item)

    def _clear(self, event: dict[str, Any]) -> Complaint | None:
        self.hearing.clear()
        self.emit("input_audio_buffer.cleared")
        return None

    def _no_output_buffer(self, event: dict[str, Any]) -> Complaint | None:
        return Complaint("This is for WebRTC only.", "invalid_event", "type")

    # ---- items -------------------------------------------------------------------------------

    def _added(self, item: Item) -> None:
        before = self.conversation.before(item)
        for kind in ("added", "done"):
            self.emit(f"conversation.item.{kind}", previous_item_id=before, item=item.shown)

    def _create_item(self, event: dict[str, Any]) -> Complaint | None:
        item = made(event["item"], self.new_id("item"))
        if isinstance(item, Complaint):
            return item
        if item.shown["type"] == "function_call_output" and not self.conversation.called(item):
            call_id = item.shown["call_id"]
            return Complaint(
                f"Tool call ID '{call_id}' not found in conversation.",
                "invalid_tool_call_id",
                "item.call_id",
            )
        sounds = [part["audio"] for part in item.shown.get("content", ()) if part.get("audio")]
        lines = self.conversation.lines()
        if complaint := self.conversation.add(item, event.get("previous_item_id")):
            return complaint
        if sounds:
            for part in item.shown["content"]:
                part.pop("audio", None)
            pcm = b"".join(base64.b64decode(sound) for sound in sounds)
            item.audio_ms = duration_ms(pcm)
            self._words.hear(item, pcm, lines)
        self._added(item)
        return None

    def _truncate(self, event: dict[str, Any]) -> Complaint | None:
        where = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
        if complaint := self.conversation.truncate(**where):
            return complaint
        self.emit("conversation.item.truncated", **where)
        return None

    def _retrieve(self, event: dict[str, Any]) -> Complaint | None:
        item = self.conversation.find(event["item_id"])
        if item is None:
            return no_item("retriev", event["item_id"])
        self.emit("conversation.item.retrieved", item=item.shown)
        return None

    def _delete(self, event: dict[str, Any]) -> Complaint | None:
        item = self.conversation.find(event["item_id"])
        if item is None:
            return no_item("delet", event["item_id"])
        self.conversation.items.remove(item)
        self.emit("conversation.item.deleted", item_id=item.id)
        return None

    # ---- answering ---------------------------------------------------------------------------

    def active(self) -> Answer | None:
        """The response of the conversation that is under way."""
        return next(
            (
                answer
                for answer in reversed(self.answers)
                if answer.status == "in_progress" and answer.conversation_id is not None
            ),
            None,
        )

    def _respond(self, event: dict[str, Any]) -> Complaint | None:
        return self._create(event.get("response") or {})

    def _create(self, wish: dict[str, Any]) -> Complaint | None:
        aside = wish.get("conversation", "auto") == "none"
        if not aside and (active := self.active()) is not None:
            return Complaint(
                "Conversation already has an active response in progress:"
                f" {active.id}. Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        asked = {k: v for k, v in wish.items() if k not in ("conversation", "input", "metadata")}
        new = updated(self.settings, {"type": "realtime", **asked}, voiced=False, answering=False)
        if isinstance(new, Complaint):
            param = (new.param or "").replace("session", "response", 1)
            return replace(new, param=param or None)
        answer = Answer(
            self.new_id("resp"),
            {**new, "metadata": wish.get("metadata")},
            None if aside else self._conversation_id,
        )
        if "input" in wish:
            items = [self._given(one) for one in wish["input"]]
            answer.lines = [line for item in items if (line := line_of(item)) is not None]
        self._stop_idling()
        self.answers.append(answer)
        self.mishaps.at_answer()
        self.emit("response.created", response=answer.shown())
        answer.task = self.start(self._answer(answer))
        return None

    def _given(self, wish: dict[str, Any]) -> Item:
        if wish.get("type") == "item_reference":
            return self.conversation.find(wish["id"]) or Item({"type": ""})
        item = made(wish, self.new_id("item"))
        return item if isinstance(item, Item) else Item({"type": ""})

    async def _answer(self, answer: Answer) -> None:
        manners = self.manners
        if manners.think_s:
            await asyncio.sleep(manners.think_s)
        await self._words.known()
        lines = self.conversation.lines() if answer.lines is None else answer.lines
        said = await asyncio.to_thread(
            reply, manners.script, answer.settings["instructions"], lines, checks=manners.checks
        )
        try:
            await give(self, answer, said, manners.pace, manners.delta_ms)
        except TooLong:
            self._finish(answer, "incomplete", "max_output_tokens")
        else:
            self._finish(answer, "completed")

    def _finish(self, answer: Answer, status: str, reason: str | None = None) -> None:
        whole = status == "completed"
        if answer.items:
            closes = whole or self.manners.closes_parts
            end_item(self, answer, "completed" if whole else "incomplete", closes)
        answer.status = status
        if not whole:
            answer.details = {"type": status, "reason": reason}
            if answer.task is not None and answer.task is not asyncio.current_task():
                answer.task.cancel()
        usage = self._meter.usage(self.conversation, answer)
        self.emit("response.done", response=answer.shown(usage))
        left = LIMIT_TOKENS - usage["total_tokens"]
        limits = [
            {"name": "requests", "limit": 500, "remaining": 499, "reset_seconds": 0.12},
            {"name": "tokens", "limit": LIMIT_TOKENS, "remaining": left, "reset_seconds": 0.06},
        ]
        self.emit("rate_limits.updated", rate_limits=limits)
        self.outgoing.doubled = False
        self._idle_after(answer)

    def _cancel(self, event: dict[str, Any]) -> Complaint | None:
        wanted = event.get("response_id")
        answer = self.active()
        if wanted is not None:
            running = (one for one in self.answers if one.status == "in_progress")
            answer = next((one for one in running if one.id == wanted), None)
        if answer is None:
            return Complaint(
                "Cancellation failed: no active response found", "response_cancel_not_active"
            )
        self._finish(answer, "cancelled", "client_cancelled")
        return None

    # ---- nobody says anything ----------------------------------------------------------------

    def _idle_after(self, answer: Answer) -> None:
        idle_ms = self._detection("idle_timeout_ms")
        if idle_ms and answer.status == "completed":
            sound_ms = sum(item.audio_ms for item in answer.items)
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later((sound_ms + idle_ms) / 1000, self.time_out)

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def time_out(self) -> None:
        """The student has said nothing for `idle_timeout_ms`."""
        self._speech = self.new_id("item")
        end_ms = self.hearing.fed_ms
        self.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=max(0, end_ms - int(self._detection("idle_timeout_ms") or 0)),
            audio_end_ms=end_ms,
            item_id=self._speech,
        )
        self._committed(b"")
        self._create({})

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    _handlers: ClassVar[dict[str, Callable[["Session", dict[str, Any]], Complaint | None]]] = {
        "session.update": _update,
        "input_audio_buffer.append": _append,
        "input_audio_buffer.commit": _commit,
        "input_audio_buffer.clear": _clear,
        "output_audio_buffer.clear": _no_output_buffer,
        "conversation.item.create": _create_item,
        "conversation.item.truncate": _truncate,
        "conversation.item.retrieve": _retrieve,
        "conversation.item.delete": _delete,
        "response.create": _respond,
        "response.cancel": _cancel,
    }
