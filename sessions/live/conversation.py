"""The heart of a lesson: who may speak, what was said, what was heard. No I/O, no clock, no await.

Commands of the student, reports of the engine and the time go in; actions come out. `floor` decides
whose turn it is, `turns` is the student's side, `answers` the tutor's, `client` what is asked for,
`watch` what time alone brings about; here they meet with the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ai.engine import Brief, Utterance
from ai.events import AnswerEnded, EngineEvent, Transcribed
from ai.rotation import Quiet
from sessions.live import wording
from sessions.live.actions import (
    Action,
    Detect,
    End,
    Playing,
    Reopen,
    Save,
    Tell,
)
from sessions.live.answers import Answers
from sessions.live.audience import Audience, Note
from sessions.live.client import Client, refused
from sessions.live.events import (
    Command,
    EngineChanged,
    ItemDone,
    LessonProgressed,
    Notice,
    SessionUpdated,
    SessionView,
    UpdateSession,
)
from sessions.live.floor import Floor
from sessions.live.log import Log
from sessions.live.options import Options
from sessions.live.tools import Outcome, Tools
from sessions.live.turns import Turns
from sessions.live.watch import Limits, Watch
from sessions.record.model import Durations, EndReason, Item, Progress
from sessions.review.override import Override
from tenancy.model import Person


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
        overrides: Iterable[Override] = (),
        progress: Progress | None = None,
        durations: Durations | None = None,
        options: Options | None = None,
        limits: Limits | None = None,
        elapsed_ms: int = 0,
        expires_at: int = 0,
        now: float = 0.0,
    ) -> None:
        stored = durations or Durations()
        self.brief = brief
        self.session_id = session_id
        self.lesson = lesson
        self.engine = engine
        self.hears_speech = hears_speech
        self.sandbox = sandbox
        self.expires_at = expires_at
        self.ended = False
        self.log = Log(items, overrides)
        self.answers = Answers(self.log, engine)
        self.answers.spoken_ms = stored.tutor_speech_ms
        self.turns = Turns(self.log, stored.student_speech_ms)
        self._origin = now - elapsed_ms / 1000
        self.watch = Watch(limits or Limits(), self._origin)
        self.floor = Floor(
            brief,
            self.log,
            self.turns,
            self.answers,
            self.watch,
            options=options or Options(voice=brief.voice, speed=brief.speed),
            progress=progress or Progress(steps=len(brief.steps)),
            ms=self._ms,
            use_tool=lambda call, now: self.tools.called(call, now),
        )
        self.client = Client(
            self.log,
            self.turns,
            self.answers,
            self.floor,
            self.watch,
            ms=self._ms,
            view=self.view,
            end=self._end,
        )
        self.tools = Tools(
            brief,
            self.log,
            self.answers,
            ms=self._ms,
            move=self.floor.moved,
            ask_person=self.client.ask_person,
        )
        self.answers.beside = self.tools.beside
        self.audience = Audience(self.log, now)
        self._attached_at: float | None = None
        self._attached_ms = stored.wall_ms
        self._playing = False
        self._engine_gone = False

    @property
    def options(self) -> Options:
        """What the client chose."""
        return self.floor.options

    @property
    def progress(self) -> Progress:
        """Where in the plan the session is."""
        return self.floor.progress

    @property
    def unsaved(self) -> int:
        """Items on their way to the database."""
        return self.log.unsaved

    # ---- the student's connection ----------------------------------------------------------

    def attached(self, now: float, *, over_call: bool = False) -> list[Action]:
        """The student is here, for the first time or again."""
        if self._attached_at is None:
            self._attached_at = now
            self.floor.join(now, over_call=over_call)
        return self._after([Detect(self.floor.detection())], now)

    def detached(self, now: float) -> list[Action]:
        """The student's connection broke: what was not heard by now never will be."""
        if self._attached_at is not None:
            self._attached_ms += round((now - self._attached_at) * 1000)
            self._attached_at = None
        self.watch.mic_gone()
        out = self.floor.leave(now)
        return self._after(out, now)

    # ---- those who read along ----------------------------------------------------------------

    def joined(self, reader: Person, now: float) -> list[Action]:
        """Somebody who may follow the lesson opened it; the student is told."""
        note = self.audience.join(reader)
        return self._after(self._noted([note] if note else [], now), now)

    def left(self, reader: Person, now: float) -> list[Action]:
        """They closed it. That is told if they are not back soon."""
        self.audience.leave(reader.id, now)
        return []

    def read_along(self, command: Command, to: int) -> list[Action]:
        """A command of somebody who reads along: it changes nothing."""
        if isinstance(command, UpdateSession):
            return [Tell(SessionUpdated(self.view(), command.asked_for()), to)]
        return [refused(command, to, "read_only", wording.READ_ONLY)]

    def _noted(self, notes: Sequence[Note], now: float) -> list[Action]:
        out: list[Action] = []
        for note in notes:
            out += self.client.note(note.text, note.data, now)
        return [*out, Tell(self.audience.present())] if notes else []

    # ---- what it looks like ------------------------------------------------------------------

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
            turn_detection=options.effective_detection(self.floor.patience_ms()),
            voice=options.voice,
            speed=options.speed,
            engine=self.engine,
            hears_speech=self.hears_speech,
            sandbox=self.sandbox,
            expires_at=self.expires_at,
        )

    def progressed(self) -> LessonProgressed:
        """Where in the plan the session is, as clients are told."""
        return self.floor.progressed()

    def memory(self) -> list[Utterance]:
        """The conversation as an engine remembers it."""
        memory, state = self.log.memory(), self.tools.state()
        last = next((i for i, line in enumerate(reversed(memory)) if line.role == "tutor"), None)
        if state is not None and last is not None:
            line = memory[-1 - last]
            memory[-1 - last] = replace(line, data={**line.data, **state})
        course = self.tools.course
        if course.has_begun and last is not None:
            memory.insert(len(memory) - last, Utterance("system", course.told()))
        return memory

    def so_far(self, item: Item) -> Item:
        """An item as far as it was said by now: of an answer under way the log has no words yet."""
        response = self.answers.current
        if item.status != "in_progress" or response is None or response.item != item:
            return item
        return replace(item, said=" ".join(response.said) or None)

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

    def hear(self, length_ms: int, silent: bool, now: float, *, made_up: bool = False) -> bool:
        """Microphone audio came; tells whether the engine should have it.

        `silent`: all of it zeros; `made_up`: only to fill the time in which none came.
        """
        if self.floor.paused or self.ended or self.floor.holder != "ai":
            return False
        options = self.options
        if silent and options.by_hand and not made_up:
            self.turns.zeros(length_ms)
        if silent and options.by_hand and options.over_call and not self.turns.buffered_ms:
            return False  # a call whose client lets nothing through is silent; no turn begins so
        self.turns.hear(length_ms, silent=silent)
        if not made_up:
            self.watch.audio(silent, now)
        if options.by_hand and not silent and self.turns.may_be_speech:
            self.watch.student_acted()
        return True

    def forget_remnant(self, now: float) -> list[Action]:
        """What came after a commit by hand was no turn."""
        return self._after(self.floor.clear(now), now)

    def receive(self, command: Command, now: float, to: int | None = None) -> list[Action]:
        """A command of the student's client; refusals go to the connection `to` alone."""
        if self.ended:
            return [refused(command, to, "session_over", wording.SESSION_OVER)]
        return self._after(self.client.decide(command, now, to), now)

    def end(self, reason: EndReason, now: float) -> list[Action]:
        """Something outside the conversation ends it."""
        return [] if self.ended else self._after(self._end(reason, now), now)

    # ---- the engine ------------------------------------------------------------------------

    def report(self, event: EngineEvent, now: float) -> list[Action]:
        """Something the engine heard, said or failed at."""
        if self.ended and not isinstance(event, Transcribed):
            return []
        if isinstance(event, AnswerEnded) and self.tools.finishes(event.answer):
            event = replace(event, finished_lesson=True)
        out = self.floor.report(event, now)
        if any(isinstance(action, Reopen) for action in out):
            out += self.tools.forget()
        return self._after(out, now)

    def tool_done(self, number: int, outcome: Outcome, now: float) -> list[Action]:
        """A tool's job is done, or given up."""
        return [] if self.ended else self._after(self.tools.done(number, outcome, now), now)

    @property
    def playing(self) -> bool:
        """Whether the engine was told that the student hears the tutor."""
        return self._playing

    def quiet(self) -> Quiet:
        """How good a moment this is to go on another leg."""
        response = self.answers.current
        if self.turns or (response is not None and not response.generated):
            return "busy"
        return "idle" if self.answers.playout.current is not None else "silent"

    def leg_lost(self, code: str, now: float) -> list[Action]:
        """The engine's leg is gone, or given up: another follows, or `engine_gone`."""
        if self.ended:
            return []
        return self._after([*self.tools.forget(), *self.floor.leg_lost(code, now)], now)

    def leg_found(
        self, engine: str, reason: str, now: float, *, hears_speech: bool
    ) -> list[Action]:
        """A fresh leg goes on with the memory; it was told how turns end, and what it missed."""
        self._engine_gone = False
        out: list[Action] = [Tell(EngineChanged(self.engine, engine, reason))]
        if engine != self.engine:
            out.append(Tell(Notice("tutor_changed", wording.TUTOR_CHANGED)))
        self.engine = self.answers.engine = engine
        if hears_speech != self.hears_speech:
            self.hears_speech = hears_speech
            out.append(Tell(SessionUpdated(self.view(), ())))
        return self._after([*out, *self.floor.leg_found(now)], now)

    def engine_slow(self, now: float) -> list[Action]:
        """The student has waited for the tutor for a while, and should know that it is at work."""
        return [] if self.ended else [Tell(Notice("tutor_slow", wording.TUTOR_SLOW))]

    def engine_gone(self, now: float) -> list[Action]:
        """No leg can be opened: nobody answers for now. Told once, and to each who asks."""
        out = self.answers.failed("tutor_gone", self._ms(now))
        if out or not self._engine_gone:
            out.append(Tell(Notice("tutor_gone", wording.TUTOR_GONE)))
        self._engine_gone = True
        return self._after(out, now)

    # ---- the record and the time -----------------------------------------------------------

    def saved(self, item_ids: Sequence[str]) -> list[Action]:
        """These items are committed: now, and only now, they are done."""
        news = self.log.mark_saved(item_ids)
        return [Tell(ItemDone(item, self.log.previous(item))) for item in news]

    def tick(self, now: float) -> list[Action]:
        """Time has passed; call it at `deadline`."""
        if self.ended:
            return []
        out = self._noted(self.audience.tick(now), now)
        out += self.turns.give_up(now) + self.answers.give_up(self._ms(now), now)
        out += self.floor.rescue(now)
        for due in self.watch.tick(now):
            match due:
                case "time_over":
                    out += [Tell(Notice("time_over", wording.TIME_OVER))]
                    return self._after(out + self._end("time_limit", now), now)
                case "finished":
                    return self._after(out + self._end("finished", now), now)
                case "warn":
                    minutes = self.watch.minutes_left(now)
                    out.append(Tell(Notice("time_nearly_over", wording.minutes_left(minutes))))
                case "mic_silent":
                    out.append(Tell(Notice("microphone_silent", wording.MICROPHONE_SILENT)))
                case "reprompt":
                    out += self.floor.nudge(now)
        out += self.floor.answer_owed(now)
        return self._after(out + self.answers.release(now), now)

    def deadline(self) -> float:
        """When `tick` wants to be called next."""
        times = (
            self.watch.deadline(),
            self.turns.deadline(),
            self.answers.playout.deadline(),
            self.answers.silent_due(),
            self.floor.owed_at(),
            self.audience.deadline(),
        )
        return min(at for at in times if at is not None)

    def last_words(self) -> list[Action]:
        """Nobody waits for words any more: turns that have none are saved without."""
        return self._counted(self.turns.give_up())

    def _end(self, reason: EndReason, now: float) -> list[Action]:
        out = self.floor.interrupt("client_cancelled", now) + self.floor.hush(now)
        self.ended = True
        return [*out, End(reason)]

    # ---- small parts -----------------------------------------------------------------------

    def _after(self, out: list[Action], now: float) -> list[Action]:
        """What holds after every change: finished tracks are noted, quiet is known as quiet."""
        out = self._counted(out + self.answers.over(now) + self.tools.settle())
        playing = self.answers.playout.audible
        if playing != self._playing:
            self._playing = playing
            out.append(Playing(playing))
        somebody = self.answers.current or self.turns.speaking
        if somebody or self.floor.paused or self._attached_at is None:
            self.watch.busy()
        elif not self.answers.playout.current and not self.turns and self.log.last_said():
            self.watch.waiting(now)
        return out

    def _counted(self, out: list[Action]) -> list[Action]:
        """Note how much is on its way to the database."""
        self.log.unsaved += sum(isinstance(action, Save) for action in out)
        return out

    def _ms(self, now: float) -> int:
        return max(0, round((now - self._origin) * 1000))
