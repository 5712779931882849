"""The heart of a lesson: who may speak, what was said, what was heard. No I/O, no clock, no await.

Commands of the student, reports of the engine and the time go in; actions come out. A suspicion
of speech only pauses the tutor's sound; speech that is confirmed cuts it. `turns` is the student's
side, `answers` the tutor's, `watch` what time alone brings about; here they meet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

from ai.engine import Brief, Cue, TurnDetection, Utterance
from ai.events import (
    AnswerEnded,
    AnswerStarted,
    EngineEvent,
    Failed,
    Kept,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
    Used,
)
from sessions.live import wording
from sessions.live.actions import (
    Action,
    Clear,
    Commit,
    Detect,
    End,
    Listen,
    Playing,
    Read,
    Reopen,
    Save,
    Tell,
)
from sessions.live.answers import Answers, Reason
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
    EngineChanged,
    FloorChanged,
    InputCleared,
    InputSpeechStarted,
    ItemAdded,
    ItemDone,
    ItemRetrieved,
    LessonProgressed,
    Modality,
    Notice,
    OutputPaused,
    OutputResumed,
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
from sessions.live.log import Log, fingerprint
from sessions.live.options import Options, patience_ms
from sessions.live.turns import Turn, Turns
from sessions.live.watch import Limits, Watch
from sessions.record.model import Durations, EndReason, Item, Progress

SHORTEST_COMMIT_MS = 100  # OpenAI: a commit of less is `input_audio_buffer_commit_empty`
MAX_UNSAVED = 1_000  # architecture.md: saving lags at most so many items before the tutor pauses


@dataclass(slots=True)
class Floor:
    """Who speaks for the tutor's side. Each change is a new epoch; old words are dropped."""

    holder: Literal["ai", "human", "awaiting"] = "ai"
    epoch: int = 1


class Conversation:
    """One session's turn-taking. `now` is seconds of a steady clock that never jumps."""

    def __init__(
        self,
        brief: Brief,
        *,
        session_id: str,
        lesson: str,
        engine: str,
        hears_speech: bool,
        sandbox: bool = False,
        items: Iterable[Item] = (),
        progress: Progress | None = None,
        durations: Durations | None = None,
        options: Options | None = None,
        limits: Limits | None = None,
        elapsed_ms: int = 0,
        expires_at: int = 0,
        now: float = 0.0,
    ) -> None:
        self.brief = brief
        self.session_id = session_id
        self.lesson = lesson
        self.engine = engine
        self.hears_speech = hears_speech
        self.sandbox = sandbox
        self.options = options or Options(voice=brief.voice, speed=brief.speed)
        self.log = Log(items)
        self.answers = Answers(self.log, engine)
        self.floor = Floor()
        self.progress = progress or Progress(steps=len(brief.steps))
        self.expires_at = expires_at
        self.paused = False
        self.ended = False
        self.unsaved = 0
        self.turns = Turns(self.log, durations.student_speech_ms if durations else 0)
        self._origin = now - elapsed_ms / 1000
        self.answers.spoken_ms = durations.tutor_speech_ms if durations else 0
        self._attached_at: float | None = None
        self._attached_ms = durations.wall_ms if durations else 0
        self._resumed = len(self.log) > 0
        self.watch = Watch(limits or Limits(), self._origin)
        self._media_at_attach_ms = 0
        self._playing = False
        self._held: list[EngineEvent] = []
        "An answer's first words, while speech is suspected: it may not be wanted any more."

    # ---- the student's connection ----------------------------------------------------------

    def attached(self, now: float) -> list[Action]:
        """The student is here, for the first time or again."""
        if self._attached_at is None:
            self._attached_at = now
            self._media_at_attach_ms = self.turns.media_ms
        return [Detect(self._detection())]

    def detached(self, now: float) -> list[Action]:
        """The student's connection broke: what was not heard by now never will be."""
        if self._attached_at is not None:
            self._attached_ms += round((now - self._attached_at) * 1000)
            self._attached_at = None
        self._resumed = True
        self.watch.busy()
        self.watch.heard_audio_at = None
        self.watch.zero_since = None
        out = self._interrupt("client_cancelled", now)
        self.options = replace(self.options, binary=False)
        self.answers.playout.paced = False
        return self._after(out, now)

    def view(self) -> SessionView:
        """The whole effective session."""
        options = self.options
        return SessionView(
            id=self.session_id,
            model=self.lesson,
            instructions=wording.INSTRUCTIONS,
            output_modalities=(options.modality,),
            input_format=options.input_format,
            output_format=options.output_format,
            binary=options.binary,
            turn_detection=options.effective_detection(self._patience_ms()),
            voice=options.voice,
            speed=options.speed,
            engine=self.engine,
            hears_speech=self.hears_speech,
            sandbox=self.sandbox,
            expires_at=self.expires_at,
        )

    def progressed(self) -> LessonProgressed:
        """Where in the plan the session is."""
        step = self.progress.step
        return LessonProgressed(
            min(step + 1, self.progress.steps),
            self.progress.steps,
            self.brief.goal,
            self.progress.status,
        )

    def memory(self) -> list[Utterance]:
        """The conversation as an engine remembers it; of the tutor's words, those heard."""
        return [_utterance(item) for item in self.log if item.said and item.heard != ""]

    def durations(self, now: float) -> Durations:
        """How long it has been so far. What nobody's speech filled is silence."""
        student_ms, wall_ms = self.turns.spoken_ms, self._attached_ms
        if self._attached_at is not None:
            wall_ms += round((now - self._attached_at) * 1000)
        track = self.answers.playout.current
        tutor_ms = self.answers.spoken_ms + (track.heard_ms() if track else 0)
        silence_ms = max(0, wall_ms - student_ms - tutor_ms)
        return Durations(wall_ms, student_ms, tutor_ms, silence_ms)

    # ---- commands --------------------------------------------------------------------------

    def hear(self, length_ms: int, silent: bool, now: float) -> bool:
        """Microphone audio came; tells whether the engine should have it."""
        if self.paused or self.ended or self.floor.holder != "ai":
            return False
        turns = self.turns
        turns.media_ms += length_ms
        turns.buffered_ms += length_ms
        self.watch.audio(silent, now)
        if self.options.by_hand and turns.by_hand is None:
            turns.by_hand = turns.start(None, turns.media_ms - length_ms, self._ms(now))
        return True

    def receive(self, command: Command, now: float, to: int | None = None) -> list[Action]:
        """A command of the student's client; refusals go to the connection `to` alone."""
        if self.ended:
            return [_refuse(command, to, "session_over", wording.SESSION_OVER)]
        match command:
            case UpdateSession():
                out = self._update(command, now)
            case CommitAudio():
                out = self._commit(command, now, to)
            case ClearAudio():
                self.turns.clear()
                out = [Clear(), Tell(InputCleared())]
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
                out = self._interrupt("client_cancelled", now)
            case ReportPlayed():
                self.answers.playout.played(command.item_id, command.audio_ms, now)
                out = []
            case PauseSession():
                out = self._pause(command.on, now)
            case AskFloor():
                out = self._ask_floor(command, now)
            case EndSession():
                return self._end("finished", now)
            case _:
                out = [_refuse(command, to, "unknown_event", wording.NOT_HERE)]
        return self._after(out, now)

    def end(self, reason: EndReason, now: float) -> list[Action]:
        """Something outside the conversation ends it."""
        return [] if self.ended else self._end(reason, now)

    def _update(self, command: UpdateSession, now: float) -> list[Action]:
        before = self._detection()
        self.options = self.options.updated(command)
        self.answers.playout.paced = self.options.binary
        out: list[Action] = [Tell(SessionUpdated(self.view(), command.ignored))]
        if self._detection() != before:
            self.turns.clear()
            out.append(Detect(self._detection()))
        return out

    def _commit(self, command: CommitAudio, now: float, to: int | None) -> list[Action]:
        turns = self.turns
        turn = turns.under_way()
        if turn is None:
            if turns.buffered_ms < SHORTEST_COMMIT_MS:
                code, text = "input_audio_buffer_commit_empty", wording.NOTHING_TO_COMMIT
                return [_refuse(command, to, code, text)]
            turn = turns.start(None, turns.media_ms - turns.buffered_ms, self._ms(now))
        return [Commit(turn.name), *self._turn_over(turn, turns.media_ms, now)]

    def _commit_speech(self, now: float, *, answer: bool) -> list[Action]:
        """Typing, or asking for an answer, ends what was being said."""
        turn = self.turns.speaking
        if turn is None or not turn.confirmed:
            return []
        return [Commit(turn.name), *self._turn_over(turn, self.turns.media_ms, now, answer=answer)]

    def ahead_ms(self, now: float) -> float:
        """How much faster than real time microphone audio has come since the connection began."""
        if self._attached_at is None:
            return 0.0
        heard_ms = self.turns.media_ms - self._media_at_attach_ms
        return heard_ms - (now - self._attached_at) * 1000

    def _create_item(self, command: CreateItem, now: float, to: int | None) -> list[Action]:
        print_ = fingerprint(command.text, command.pcm)
        known = self.log.get(command.item_id) if command.item_id else None
        if known is not None:
            if known.data.get("content") != print_:
                return [_refuse(command, to, "id_reused", wording.ID_REUSED, "item.id")]
            previous = self.log.previous(known)
            again: list[Action] = [Tell(ItemAdded(known, previous), to)]
            if self.log.is_saved(known.id):
                again.append(Tell(ItemDone(known, previous), to))
            return again
        self.watch.student_acted()
        self.paused = False
        out = self._commit_speech(now, answer=True)
        at_ms = self._ms(now)
        spoken = command.pcm is not None
        item = Item(
            id=command.item_id or f"item_{uuid4().hex}",
            role="user",
            speaker="student",
            kind="audio" if spoken else "text",
            position=self.log.take_position(),
            status="completed",
            said=command.text,
            started_ms=at_ms,
            ended_ms=at_ms,
            data={"content": print_},
        )
        self.log.add(item)
        out.append(Tell(ItemAdded(item, self.log.previous(item))))
        if command.pcm is not None:
            turn = self.turns.listen(item, command.pcm, now)
            return [*out, Listen(turn.name, command.pcm)]
        return [*out, Save(item), Read(command.text or "")]

    def _retrieve(self, command: RetrieveItem, to: int | None) -> list[Action]:
        item = self.log.get(command.item_id)
        if item is None:
            return [_refuse(command, to, "item_not_found", wording.NO_SUCH_ITEM, "item_id")]
        return [Tell(ItemRetrieved(item), to)]

    def _create_response(self, command: CreateResponse, now: float, to: int | None) -> list[Action]:
        if self.floor.holder != "ai" or self.unsaved > MAX_UNSAVED:
            view = ResponseView(f"resp_{uuid4().hex}", "in_progress", (self.options.modality,))
            return [
                Tell(ResponseCreated(view)),
                Tell(ResponseDone(replace(view, status="cancelled"))),
            ]
        out: list[Action] = []
        current = self.answers.current
        if current is not None:
            if not current.generated:
                code = "conversation_already_has_active_response"
                return [_refuse(command, to, code, wording.ALREADY_ANSWERING)]
            out += self._interrupt("client_cancelled", now)
        elif self.options.binary and self.answers.playout.current:
            out += self._interrupt("client_cancelled", now)
        out += self._commit_speech(now, answer=False)
        self.paused = False
        self.watch.busy()
        modality = self.options.modality
        if command.output_modalities:
            modality = "audio" if "audio" in command.output_modalities else "text"
        return out + self._answer(self._cue(), modality=modality, metadata=command.metadata)

    def _cancel(self, command: CancelResponse, now: float, to: int | None) -> list[Action]:
        current = self.answers.current
        named = command.response_id
        if current is None or (named is not None and named != current.id):
            code = "response_cancel_not_active"
            return [_refuse(command, to, code, wording.NOTHING_TO_CANCEL)]
        return self._interrupt("client_cancelled", now)

    def _truncate(self, command: TruncateItem, now: float, to: int | None) -> list[Action]:
        item = self.log.get(command.item_id)
        if item is None or item.role != "assistant":
            return [_refuse(command, to, "item_not_found", wording.TRUNCATE_WHAT, "item_id")]
        if item.kind == "text":
            return [_refuse(command, to, "invalid_value", wording.TRUNCATE_TEXT, "item_id")]
        return self.answers.truncate(item, command.audio_end_ms, now)

    def _pause(self, on: bool, now: float) -> list[Action]:
        if on == self.paused:
            return []
        self.paused = on
        if not on:
            self.watch.student_acted()
            return [Tell(Notice("resumed", wording.RESUMED))]
        out = self._interrupt("client_cancelled", now)
        return [*out, Clear(), Tell(Notice("paused", wording.PAUSED))]

    def _ask_floor(self, command: AskFloor, now: float) -> list[Action]:
        """No person can step in yet; the wish is kept where the teacher sees it."""
        at_ms = self._ms(now)
        item = Item(
            id=f"item_{uuid4().hex}",
            role="system",
            speaker="system",
            kind="text",
            position=self.log.take_position(),
            status="completed",
            said=wording.asked_for_person(command.reason),
            started_ms=at_ms,
            ended_ms=at_ms,
            data={"asked_for_person": True},
        )
        self.log.add(item)
        return [
            Tell(ItemAdded(item, self.log.previous(item))),
            Save(item),
            Tell(FloorChanged("ai", None, self.floor.epoch)),
            Tell(Notice("nobody_free", wording.NOBODY_FREE)),
        ]

    # ---- reports of the engine -------------------------------------------------------------

    def report(self, event: EngineEvent, now: float) -> list[Action]:
        """Something the engine heard, said or failed at."""
        if self.ended:
            return []
        if self._unwanted_yet(event):
            self._held.append(event)
            return []
        return self._after(self._reported(event, now), now)

    def _reported(self, event: EngineEvent, now: float) -> list[Action]:
        match event:
            case SpeechStarted():
                out = self._speech_suspected(event, now)
            case SpeechConfirmed():
                out = self._speech_confirmed(event, now)
            case SpeechDropped():
                self.turns.drop(event.turn)
                out = self._let_sound_go_on(now)
            case SpeechStopped():
                turn = self.turns.get(event.turn)
                out = self._turn_over(turn, event.at_ms, now) if turn else []
            case Transcribed():
                out = self.turns.words(event)
            case AnswerStarted():
                out = self._answer_started(event)
            case Spoke():
                out = self.answers.spoke(event, self._ms(now), now)
            case Progressed():
                out = self._progressed(event)
            case Kept():
                self.answers.kept(event)
                out = []
            case AnswerEnded():
                out = self.answers.ended(event, self._ms(now), now)
                if event.finished_lesson:
                    self.watch.lesson_finished(now)
            case Failed():
                out = self._failed(event, now)
            case Used():
                out = []
        return out

    def _unwanted_yet(self, event: EngineEvent) -> bool:
        """An answer that has not begun to sound waits while the student may be going on."""
        speaking, response = self.turns.speaking, self.answers.current
        return (
            isinstance(event, Spoke | AnswerEnded | Kept | Progressed)
            and speaking is not None
            and not speaking.confirmed
            and self.options.interrupt_response
            and response is not None
            and response.item is None
        )

    def _speech_suspected(self, event: SpeechStarted, now: float) -> list[Action]:
        self.turns.speaking = self.turns.start(event.turn, event.at_ms, self._ms(now))
        self.watch.busy()
        playout = self.answers.playout
        if not self.options.interrupt_response or playout.paused:
            return []
        playout.pause(now)
        track = playout.current
        if track is None or not self.options.binary:
            return []
        return [Tell(OutputPaused(track.item_id))]

    def _speech_confirmed(self, event: SpeechConfirmed, now: float) -> list[Action]:
        turn = self.turns.get(event.turn)
        if turn is None:
            return []
        turn.confirmed = True
        self.watch.student_acted()
        started = Tell(InputSpeechStarted(turn.item_id, turn.audio_start_ms))
        if not self.options.interrupt_response:
            return [started]
        return [started, *self._interrupt("turn_detected", now)]

    def _let_sound_go_on(self, now: float) -> list[Action]:
        playout = self.answers.playout
        out: list[Action] = []
        if playout.paused:
            playout.resume(now)
            if playout.current is not None and self.options.binary:
                out.append(Tell(OutputResumed(playout.current.item_id)))
        held, self._held = self._held, []
        for event in held:
            out += self._reported(event, now)
        return out + self.answers.release(now)

    def _turn_over(
        self, turn: Turn, audio_end_ms: int, now: float, *, answer: bool = True
    ) -> list[Action]:
        self.watch.student_acted()
        out = self.turns.over(turn, audio_end_ms, now)
        wanted = answer and not self.options.by_hand and self.options.create_response
        if out and wanted and self.floor.holder == "ai" and self.answers.current is None:
            out += self._answer("student")
        return out + self._let_sound_go_on(now)

    def _answer_started(self, event: AnswerStarted) -> list[Action]:
        if self.answers.current is not None or self.floor.holder != "ai":
            return []
        return self._answer("student", answer=event.answer)

    def _progressed(self, event: Progressed) -> list[Action]:
        before = self._detection()
        self.progress = Progress(event.step, len(self.brief.steps), event.status)
        out: list[Action] = [Tell(self.progressed())]
        if self._detection() != before:
            out.append(Detect(self._detection()))
        return out

    def _failed(self, event: Failed, now: float) -> list[Action]:
        out = self.answers.failed(event.code, self._ms(now))
        out.append(Tell(Notice("tutor_trouble", wording.TUTOR_TROUBLE)))
        if event.answer is None:
            out.append(Reopen(event.code))
        return out

    # ---- the record and the time -----------------------------------------------------------

    def saved(self, item_ids: Sequence[str]) -> list[Action]:
        """These items are committed: now, and only now, they are done."""
        news = self.log.mark_saved(item_ids)
        self.unsaved -= len(news)
        return [Tell(ItemDone(item, self.log.previous(item))) for item in news]

    def reopened(self, reason: str) -> list[Action]:
        """The engine goes on, on a fresh leg."""
        changed = EngineChanged(self.engine, self.engine, reason)
        return [Tell(changed), Detect(self._detection())]

    def tick(self, now: float) -> list[Action]:
        """Time has passed; call it at `deadline`."""
        if self.ended:
            return []
        out = self.turns.give_up(now)
        for due in self.watch.tick(now):
            match due:
                case "time_over":
                    return [
                        *out,
                        Tell(Notice("time_over", wording.TIME_OVER)),
                        *self._end("time_limit", now),
                    ]
                case "finished":
                    return out + self._end("finished", now)
                case "warn":
                    minutes = self.watch.minutes_left(now)
                    out.append(Tell(Notice("time_nearly_over", wording.minutes_left(minutes))))
                case "mic_silent":
                    out.append(Tell(Notice("microphone_silent", wording.MICROPHONE_SILENT)))
                case "reprompt":
                    out += self._reprompt()
        return self._after(out + self.answers.release(now), now)

    def deadline(self) -> float:
        """When `tick` wants to be called next."""
        times = (self.watch.deadline(), self.turns.deadline(), self.answers.playout.deadline())
        return min(at for at in times if at is not None)

    def _reprompt(self) -> list[Action]:
        if self.options.by_hand or not self.options.create_response or self.answers.current:
            return []
        return self._answer("silence")

    def _end(self, reason: EndReason, now: float) -> list[Action]:
        out = self._interrupt("client_cancelled", now) + self.turns.give_up()
        self.ended = True
        return [*_counted(self, out), End(reason)]

    # ---- small parts -----------------------------------------------------------------------

    def _after(self, out: list[Action], now: float) -> list[Action]:
        """What holds after every change: finished tracks are noted, quiet is known as quiet."""
        out = _counted(self, out + self.answers.over(now))
        playing = self.answers.playout.audible
        if playing != self._playing:
            self._playing = playing
            out.append(Playing(playing))
        speaking = self.turns.speaking
        if self.answers.current or speaking or self.paused or self._attached_at is None:
            self.watch.busy()
        elif not self.answers.playout.current and not self.turns and len(self.log):
            self.watch.waiting(now)
        return out

    def _cue(self) -> Cue:
        last = self.log.last()
        if last is None:
            return "opening"
        if last.role == "user":
            return "student"
        if self._resumed:
            self._resumed = False
            return "resumed"
        return "silence"

    def _answer(
        self,
        cue: Cue,
        *,
        modality: Modality | None = None,
        metadata: Mapping[str, str] | None = None,
        answer: str | None = None,
    ) -> list[Action]:
        self._held.clear()
        return self.answers.begin(
            cue,
            modality=modality or self.options.modality,
            voice=self.options.voice,
            speed=self.options.speed,
            metadata=metadata,
            answer=answer,
        )

    def _interrupt(self, reason: Reason, now: float) -> list[Action]:
        self._held.clear()
        return self.answers.interrupt(reason, self._ms(now), now)

    def _patience_ms(self) -> int:
        return patience_ms(self.brief, self.progress.step)

    def _detection(self) -> TurnDetection | None:
        return self.options.detection(self._patience_ms())

    def _ms(self, now: float) -> int:
        return max(0, round((now - self._origin) * 1000))


def _utterance(item: Item) -> Utterance:
    if item.role == "assistant":
        text = item.heard if item.heard is not None else (item.said or "")
        return Utterance("tutor", text, item.data.get("engine", {}))
    role = "student" if item.role == "user" else "system"
    return Utterance(role, item.said or "", {"sure": item.data.get("sure", True)})  # type: ignore[arg-type]


def _counted(conversation: Conversation, out: list[Action]) -> list[Action]:
    """Note how much is on its way to the database."""
    conversation.unsaved += sum(isinstance(action, Save) for action in out)
    return out


def _refuse(
    command: Command, to: int | None, code: str, message: str, param: str | None = None
) -> Action:
    return Tell(CommandRefused(command.event_id, code, message, param), to)
