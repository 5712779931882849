"""What the student's client asks for, and what comes of it. No I/O, no clock, no await."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sessions.live import wording
from sessions.live.actions import Action, Clear, Listen, Read, Save, Tell
from sessions.live.answers import Answers
from sessions.live.events import (
    AskFloor,
    CancelResponse,
    ClearAudio,
    ClearOutput,
    Command,
    CommandRefused,
    CommitAudio,
    CreateItem,
    CreateResponse,
    EndSession,
    FloorChanged,
    InputCleared,
    ItemAdded,
    ItemDone,
    ItemRetrieved,
    Notice,
    PauseSession,
    ReportPlayed,
    ResponseCreated,
    ResponseDone,
    ResponseView,
    RetrieveItem,
    SessionUpdated,
    SessionView,
    TruncateItem,
    UpdateSession,
)
from sessions.live.floor import MAX_UNSAVED, SHORTEST_COMMIT_MS, Floor
from sessions.live.log import Log, fingerprint
from sessions.live.turns import Turns
from sessions.live.watch import Watch
from sessions.record.model import EndReason, Item, Speaker


class Client:
    """Decides the commands of one session. `now` is seconds of the session's steady clock."""

    def __init__(
        self,
        log: Log,
        turns: Turns,
        answers: Answers,
        floor: Floor,
        watch: Watch,
        *,
        ms: Callable[[float], int],
        view: Callable[[], SessionView],
        end: Callable[[EndReason, float], list[Action]],
    ) -> None:
        """`ms(now)` is session time, `view()` the effective session; `end(reason, now)` ends it."""
        self._log = log
        self._turns = turns
        self._answers = answers
        self._floor = floor
        self._watch = watch
        self._ms = ms
        self._view = view
        self._end = end

    def decide(self, command: Command, now: float, to: int | None) -> list[Action]:
        """What comes of a command; refusals go to the connection `to` alone."""
        match command:
            case UpdateSession():
                out = self._update(command, now)
            case CommitAudio():
                out = self._commit(command, now, to)
            case ClearAudio():
                out = [*self._floor.clear(now), Tell(InputCleared())]
            case CreateItem():
                out = self._create_item(command, now, to)
            case RetrieveItem():
                out = self._retrieve(command, to)
            case CreateResponse():
                out = self._create_response(command, now, to)
            case CancelResponse():
                out = self._cancel(command, now, to)
            case TruncateItem():
                out = self._truncate(command, now, to)
            case ClearOutput():
                out = self._floor.interrupt("client_cancelled", now)
            case ReportPlayed():
                self._answers.playout.played(command.item_id, command.audio_ms, now)
                out = []
            case PauseSession():
                out = self._pause(command.on, now)
            case AskFloor():
                out = self._ask_floor(command, now, to)
            case EndSession():
                out = self._end("finished", now)
            case _:
                out = [refused(command, to, "unknown_event", wording.NOT_HERE)]
        return out

    def note(self, text: str, data: Mapping[str, Any], now: float) -> list[Action]:
        """An item of the system."""
        item = self._new_item(None, "system", text, now, data)
        return [*self._added(item), Save(item)]

    def ask_person(self, reason: str, data: Mapping[str, Any], now: float) -> list[Action]:
        """The tutor wishes for a person; why, is for those who are asked."""
        return self._person_wanted(wording.TUTOR_ASKED, data, now)

    def _update(self, command: UpdateSession, now: float) -> list[Action]:
        if self._floor.options.over_call:
            command = command.over_call()
        changes = self._floor.update(command, now)
        return [Tell(SessionUpdated(self._view(), command.ignored)), *changes]

    def _commit(self, command: CommitAudio, now: float, to: int | None) -> list[Action]:
        deaf: list[Action] = []
        if self._floor.options.by_hand and self._turns.only_zeros_ms >= SHORTEST_COMMIT_MS:
            deaf = [Tell(Notice("microphone_silent", wording.MICROPHONE_SILENT))]
        out = self._floor.commit(now)
        if out is None:
            code = "input_audio_buffer_commit_empty"
            out = [refused(command, to, code, wording.NOTHING_TO_COMMIT)]
        return [*out, *deaf]

    def _create_item(self, command: CreateItem, now: float, to: int | None) -> list[Action]:
        print_ = fingerprint(command.text, command.pcm)
        known = self._log.get(command.item_id) if command.item_id else None
        if known is not None and known.data.get("content") == print_:
            previous = self._log.previous(known)
            read = self._log.read(known).item
            again: list[Action] = [Tell(ItemAdded(read, previous), to)]
            if self._log.is_saved(known.id):
                again.append(Tell(ItemDone(read, previous), to))
            return again
        if known is not None or self._turns.awaits(command.item_id or ""):
            return [refused(command, to, "id_reused", wording.ID_REUSED, "item.id")]
        if self._log.unsaved >= MAX_UNSAVED:
            return [refused(command, to, "saving_waits", wording.SAVING_WAITS)]
        self._watch.student_acted()
        self._floor.paused = False
        out = self._floor.commit_speech(now)
        item = self._new_item(command.item_id, "student", command.text, now, {"content": print_})
        if command.pcm is None:
            return [*out, *self._added(item), Save(item), Read(command.text or "")]
        item = replace(item, kind="audio")
        out += self._added(item)
        turn = self._turns.listen(item, command.pcm, now)
        return [*out, Listen(turn.name, command.pcm)]

    def _retrieve(self, command: RetrieveItem, to: int | None) -> list[Action]:
        item = self._log.get(command.item_id)
        if item is None:
            return [refused(command, to, "item_not_found", wording.NO_SUCH_ITEM, "item_id")]
        return [Tell(ItemRetrieved(self._log.read(item).item), to)]

    def _create_response(self, command: CreateResponse, now: float, to: int | None) -> list[Action]:
        if not self._floor.is_open:
            view = ResponseView(
                f"resp_{uuid4().hex}", "in_progress", (self._floor.options.modality,)
            )
            done = replace(view, status="cancelled")
            return [Tell(ResponseCreated(view)), Tell(ResponseDone(done))]
        current, out = self._answers.current, []
        if current is not None and not current.generated:
            code = "conversation_already_has_active_response"
            return [refused(command, to, code, wording.ALREADY_ANSWERING)]
        if current is not None or (self._floor.options.reports and self._answers.playout.current):
            out = self._floor.interrupt("client_cancelled", now)
        out += self._floor.commit_speech(now)
        self._floor.paused = False
        self._watch.busy()
        modality = self._floor.options.modality
        if command.output_modalities:
            modality = "audio" if "audio" in command.output_modalities else "text"
        cue, metadata = self._floor.cue(), command.metadata
        return out + self._floor.answer(cue, now, modality=modality, metadata=metadata)

    def _cancel(self, command: CancelResponse, now: float, to: int | None) -> list[Action]:
        current = self._answers.current
        named = command.response_id
        if current is None or (named is not None and named != current.id):
            code = "response_cancel_not_active"
            return [refused(command, to, code, wording.NOTHING_TO_CANCEL)]
        return self._floor.interrupt("client_cancelled", now)

    def _truncate(self, command: TruncateItem, now: float, to: int | None) -> list[Action]:
        item = self._log.get(command.item_id)
        if item is None or item.role != "assistant":
            return [refused(command, to, "item_not_found", wording.TRUNCATE_WHAT, "item_id")]
        if item.kind == "text":
            return [refused(command, to, "invalid_value", wording.TRUNCATE_TEXT, "item_id")]
        return self._answers.truncate(item, command.audio_end_ms, self._ms(now), now)

    def _pause(self, on: bool, now: float) -> list[Action]:
        if on == self._floor.paused:
            return []
        self._floor.paused = on
        if not on:
            self._watch.student_acted()
            self._floor.remember_owed(now)
            return [Tell(Notice("resumed", wording.RESUMED))]
        out = self._floor.interrupt("client_cancelled", now) + self._floor.hush(now)
        self._floor.forget_owed()
        return [*out, Clear(), Tell(Notice("paused", wording.PAUSED))]

    def _ask_floor(self, command: AskFloor, now: float, to: int | None) -> list[Action]:
        """No person can step in yet; the wish is kept where the teacher sees it."""
        if self._log.unsaved >= MAX_UNSAVED:
            return [refused(command, to, "saving_waits", wording.SAVING_WAITS)]
        return self._person_wanted(wording.asked_for_person(command.reason), {}, now)

    def _person_wanted(self, text: str, data: Mapping[str, Any], now: float) -> list[Action]:
        return [
            *self.note(text, {"asked_for_person": True, **data}, now),
            Tell(FloorChanged("ai", None, self._floor.epoch)),
            Tell(Notice("nobody_free", wording.NOBODY_FREE)),
        ]

    def _new_item(
        self,
        item_id: str | None,
        speaker: Speaker,
        said: str | None,
        now: float,
        data: Mapping[str, Any],
    ) -> Item:
        item_id = item_id or f"item_{uuid4().hex}"
        return Item(
            id=item_id,
            role="user" if speaker == "student" else "system",
            speaker=speaker,
            kind="text",
            position=self._log.take_place(item_id),
            status="completed",
            said=said,
            started_ms=self._ms(now),
            ended_ms=self._ms(now),
            data=data,
        )

    def _added(self, item: Item) -> list[Action]:
        self._log.add(item)
        return [Tell(ItemAdded(item, self._log.previous(item)))]


def refused(
    command: Command, to: int | None, code: str, message: str, param: str | None = None
) -> Action:
    return Tell(CommandRefused(command.event_id, code, message, param), to)
