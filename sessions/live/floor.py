"""Turn-taking: who speaks, who is cut, and who is owed an answer.

A suspicion of speech only pauses the tutor's sound, on devices that can; speech that is confirmed
cuts it. A spoken turn is answered by itself as soon as it is over: at once where silence ended it,
a moment later where the client did, which may want to ask for the answer itself, and after a break
when the student is back. When a leg is lost, an answer that had not begun is asked for again, and
after one that was cut the tutor goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from ai.engine import Brief, Cue, TurnDetection
from ai.events import (
    AnswerEnded,
    AnswerStarted,
    EngineEvent,
    Failed,
    Fault,
    Kept,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
)
from ai.tools import NOTE_PROGRESS
from sessions.live import wording
from sessions.live.actions import Action, Clear, Commit, Detect, Reopen, Tell
from sessions.live.answers import Answers, Reason
from sessions.live.events import (
    InputSpeechStarted,
    LessonProgressed,
    Modality,
    Notice,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    UpdateSession,
)
from sessions.live.log import Log
from sessions.live.options import Options, patience_ms
from sessions.live.turns import Turn, Turns, listen_to
from sessions.live.watch import Watch
from sessions.record.model import Progress

SHORTEST_COMMIT_MS = 100  # OpenAI: a commit of less is `input_audio_buffer_commit_empty`
QUIET_KEPT_MS = 1_500  # so much audio at most counts as speech where no voice was detected
ASKING_S = 0.05  # who commits and asks for the answer sends both at once
BACK_S = 2.0  # our page asks 1.2 s after it is back
MAX_UNSAVED = 1_000  # architecture.md: saving lags at most so many items before the tutor pauses


class Floor:
    """Who may speak now. `now` is seconds of the session's steady clock."""

    def __init__(
        self,
        brief: Brief,
        log: Log,
        turns: Turns,
        answers: Answers,
        watch: Watch,
        *,
        options: Options,
        progress: Progress,
        ms: Callable[[float], int],
        use_tool: Callable[[ToolCalled, float], list[Action]] = lambda call, now: [],
    ) -> None:
        self.brief = brief
        self.options = options
        self.progress = progress
        self.holder: Literal["ai", "human", "awaiting"] = "ai"
        "Who speaks for the tutor's side."
        self.epoch = 1
        "Grows with each change of the holder."
        self.paused = False
        self._log = log
        self._turns = turns
        self._answers = answers
        self._watch = watch
        self._ms = ms
        self._use_tool = use_tool
        self._since: float | None = None
        "When the student's connection began; None: there is none."
        self._media_before_ms = 0
        self._returned = len(log) > 0
        "The student was away, and the tutor has not spoken since."
        last = log.last_said()
        self._owed: float | None = (
            0.0 if last and (last.role, last.kind) == ("user", "audio") else None
        )
        "When a spoken turn is answered at the earliest, or the tutor goes on."
        self._owed_cue: Cue = "student"
        self._broken_answers = 0
        "In a row, on a leg that lives on."
        self._held: list[EngineEvent] = []
        "An answer's first words, while speech is suspected: it may not be wanted any more."
        self._moves: list[Progressed] = []
        "Where an answer takes the lesson, if any of it is said."
        self._told: tuple[int, str] | None = None
        "Where clients were told last that the lesson is."
        self._stopped: str | None = None
        "The item whose sound the device was told to pause."

    # ---- the student's connection ----------------------------------------------------------

    def join(self, now: float, *, over_call: bool) -> None:
        """The student is here."""
        self.options = self.options.connected(over_call=over_call)
        self._answers.playout.pace(self.options.reports)
        self._since = now
        self._media_before_ms = self._turns.media_ms
        if self._owed is not None:
            self._owed = now + BACK_S

    def leave(self, now: float) -> list[Action]:
        """The student is gone: what was being said is kept, on both sides."""
        out = self.interrupt("client_cancelled", now)
        self._since = None
        self._returned = True
        self.paused = False
        self.options = replace(self.options, binary=False, over_call=False)
        self._answers.playout.pace(False)
        return out + self.hush(now)

    def ahead_ms(self, now: float) -> float:
        """How much faster than real time microphone audio has come since the connection began."""
        if self._since is None:
            return 0.0
        return self._turns.media_ms - self._media_before_ms - (now - self._since) * 1000

    # ---- how turns end -----------------------------------------------------------------------

    def update(self, command: UpdateSession, now: float) -> list[Action]:
        """The client changes how it speaks and hears."""
        before, by_hand = self.detection(), self.options.by_hand
        options = self.options.updated(command)
        out: list[Action] = []
        if options.by_hand != by_hand:
            out = self.hush(now)
            self._turns.clear()
            self._owed = None
        self.options = options
        self._answers.playout.pace(options.reports)
        return [*out, *self._detected_by(before)]

    def detection(self) -> TurnDetection | None:
        """How the engine is to find the end of turns; None: the client tells it."""
        return self.options.detection(self.patience_ms())

    def patience_ms(self) -> int:
        return patience_ms(self.brief, self.progress.step)

    def progressed(self) -> LessonProgressed:
        """Where in the plan the session is."""
        at, steps = self.progress, self.progress.steps
        return LessonProgressed(min(at.step + 1, steps), steps, self.brief.goal, at.status)

    def _detected_by(self, before: TurnDetection | None) -> list[Action]:
        after = self.detection()
        return [Detect(after)] if after != before else []

    # ---- what the client says of the student's speech ---------------------------------------

    def commit(self, now: float) -> list[Action] | None:
        """The turn is over, the client says. None: there is nothing to commit."""
        turn, out = self._turns.speaking, []
        if turn is None:
            length_ms = self._turns.buffered_ms
            if length_ms < SHORTEST_COMMIT_MS:
                return None
            if not self.options.by_hand:  # in what was judged by now there was no voice
                length_ms = min(length_ms, QUIET_KEPT_MS + max(0, round(self.ahead_ms(now))))
            turn = self._turns.undetected(length_ms, self._ms(now))
            ended = self._over(turn, self._turns.media_ms, now, detected=False)
        else:
            out = self._confirm(turn, now)
            ended = self._over(turn, self._turns.media_ms, now)
        self._owe(now + ASKING_S)
        return [*out, Commit(turn.name), *ended]

    def commit_speech(self, now: float) -> list[Action]:
        """Typing, or asking for an answer, ends what was being said."""
        turn = self._turns.speaking
        return (self.commit(now) or []) if turn is not None and turn.confirmed else []

    def clear(self, now: float) -> list[Action]:
        """Audio that is not part of a finished turn is not wanted."""
        self._turns.clear()
        return [Clear(), *self._sound_goes_on(now)]

    def hush(self, now: float) -> list[Action]:
        """The student can't speak on: what was being said is kept, a suspicion is not."""
        turn, by_hand = self._turns.speaking, self.options.by_hand
        if (turn is not None and turn.confirmed) or (by_hand and self._turns.may_be_speech):
            return self.commit(now) or []
        unwanted = turn is not None or (by_hand and self._turns.buffered_ms > 0)
        return self.clear(now) if unwanted else []

    # ---- what the engine reports -------------------------------------------------------------

    def report(self, event: EngineEvent, now: float) -> list[Action]:
        """Something the engine heard, said or failed at."""
        if self._not_wanted_yet(event):
            self._held.append(event)
            return []
        match event:
            case SpeechStarted():
                return self._suspect(event, now)
            case SpeechConfirmed():
                turn = self._turns.get(event.turn)
                return self._confirm(turn, now) if turn else []
            case SpeechDropped():
                return self._drop(event, now)
            case SpeechStopped():
                return self._stop(event, now)
            case Transcribed():
                return self._turns.words(event)
            case AnswerStarted():
                return self._answer_started(event, now)
            case Kept():
                self._answers.kept(event, now)
            case Progressed():
                return self._progress(event)
            case Spoke() if self._answers.is_current(event.answer):
                told = [*self._move(), *self._tell_beginning()]
                return [*told, *self._answers.spoke(event, self._ms(now), now)]
            case AnswerEnded() if self._answers.is_current(event.answer):
                self._broken_answers = 0
                if event.finished_lesson:
                    self._watch.lesson_finished(now)
                return [*self._move(), *self._answers.ended(event, self._ms(now), now)]
            case ToolCalled():
                return self._use_tool(event, now)
            case Failed():
                return self._fail(event, now)
        return []

    def _not_wanted_yet(self, event: EngineEvent) -> bool:
        """An answer that has not begun to sound waits while the student may be going on."""
        speaking, response = self._turns.speaking, self._answers.current
        return (
            isinstance(event, Spoke | AnswerEnded | Kept | Progressed | ToolCalled)
            and speaking is not None
            and not speaking.confirmed
            and self.options.interrupt_response
            and response is not None
            and response.item is None
        )

    # ---- speech ------------------------------------------------------------------------------

    def _suspect(self, event: SpeechStarted, now: float) -> list[Action]:
        out: list[Action] = []
        if self._turns.is_other_speech(event.at_ms):
            out = self._end_adrift(now, event.at_ms)
        turn = self._turns.suspect(event.turn, event.at_ms, self._ms(now))
        self._watch.busy()
        playout = self._answers.playout
        if not (self.options.reports and self.options.interrupt_response) or not playout.current:
            return out
        if turn.confirmed:  # to an earlier leg: it has cut what was heard then
            return out
        playout.pause(now)
        if self._stopped is not None:
            return out
        self._stopped = playout.current.item_id
        return [*out, Tell(OutputPaused(self._stopped))]

    def _drop(self, event: SpeechDropped, now: float) -> list[Action]:
        turn = self._turns.get(event.turn)
        if turn is not None and turn.confirmed:  # by an earlier leg: this one began in its middle
            return self._end_adrift(now)
        self._turns.drop(event.turn)
        return self._sound_goes_on(now)

    def _end_adrift(self, now: float, other_ms: int | None = None) -> list[Action]:
        """The turn under way came from a leg that is lost, and the next one hears no such turn.

        Its audio ends where other speech begins, which would be written twice otherwise.
        """
        turn = self._turns.speaking
        if turn is None or not turn.confirmed:
            self._turns.clear_suspicion()
            return self._sound_goes_on(now)
        end_ms = self._turns.media_ms if other_ms is None else min(other_ms, self._turns.media_ms)
        out = self._over(turn, end_ms, now)
        turn.audio_until_ms = min(turn.audio_until_ms, end_ms)
        self._owe(now)
        return [listen_to(turn), *out]

    def _confirm(self, turn: Turn, now: float) -> list[Action]:
        if turn.confirmed:
            return []
        self._turns.confirm(turn)
        self._watch.student_acted()
        self._owed = None
        started = Tell(InputSpeechStarted(turn.item_id, turn.audio_start_ms))
        if not self.options.interrupt_response:
            return [started, *self._sound_goes_on(now)]
        return [started, *self.interrupt("turn_detected", now)]

    def _stop(self, event: SpeechStopped, now: float) -> list[Action]:
        turn = self._turns.get(event.turn)
        if turn is None or turn.words_due is not None:
            return []
        out = self._confirm(turn, now) + self._over(turn, event.at_ms, now)
        self._owe(now)
        return [*out, *self.answer_owed(now)]

    def _over(
        self, turn: Turn, audio_end_ms: int, now: float, *, detected: bool = True
    ) -> list[Action]:
        self._watch.student_acted()
        out = self._turns.over(turn, audio_end_ms, now, detected=detected)
        return [*out, *self._sound_goes_on(now)]

    def _sound_goes_on(self, now: float) -> list[Action]:
        """There is no suspicion any more, and it has cut nothing."""
        self._answers.playout.resume(now)
        out = self._resumed()
        held, self._held = self._held, []
        for event in held:
            out += self.report(event, now)
        return out + self._answers.release(now)

    def _resumed(self) -> list[Action]:
        item_id, self._stopped = self._stopped, None
        return [Tell(OutputResumed(item_id))] if item_id is not None else []

    # ---- answers -----------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the tutor may be asked for an answer."""
        return self.holder == "ai" and self._log.unsaved < MAX_UNSAVED

    def answer(
        self,
        cue: Cue,
        now: float,
        *,
        modality: Modality | None = None,
        metadata: Mapping[str, str] | None = None,
        answer: str | None = None,
    ) -> list[Action]:
        """Have the tutor speak. `answer` names what the engine began by itself."""
        self._held.clear()
        self._moves.clear()
        self._owed = None
        self._returned = False
        return self._answers.begin(
            cue,
            now,
            modality=modality or self.options.modality,
            voice=self.options.voice,
            speed=self.options.speed,
            metadata=metadata,
            answer=answer,
        )

    def interrupt(self, reason: Reason, now: float) -> list[Action]:
        """Cut the tutor short."""
        self._held.clear()
        self._moves.clear()
        out = self._answers.interrupt(reason, self._ms(now), now)
        if any(
            isinstance(action, Tell) and isinstance(action.event, OutputCleared) for action in out
        ):
            self._stopped = None  # a device that throws its sound away is not paused any more
        return [*self._resumed(), *out]

    def cue(self) -> Cue:
        """What an answer that is asked for now is an answer to."""
        last = self._log.last_said()
        if last is None:
            return "opening"
        if last.role == "user":
            return "student"
        return "resumed" if self._returned else "silence"

    def nudge(self, now: float) -> list[Action]:
        """Nobody has said anything for a while."""
        if self.options.by_hand or not self.options.create_response or not self.is_open:
            return []
        if self._answers.current is not None:
            return []
        last = self._log.last_said()
        return self.answer("student" if last and last.role == "user" else "silence", now)

    def owed_at(self) -> float | None:
        """When a spoken turn is answered by itself; None while that can't be."""
        free = (
            self._since is not None
            and not self.paused
            and self._turns.speaking is None
            and self._answers.current is None
        )
        return self._owed if free and self.is_open else None

    def answer_owed(self, now: float) -> list[Action]:
        """Answer a spoken turn, if that is due."""
        due = self.owed_at()
        return self.answer(self._owed_cue, now) if due is not None and now >= due else []

    def _owe(self, at: float, cue: Cue = "student") -> None:
        if self.options.create_response and not self.options.by_hand:
            self._owed, self._owed_cue = at, cue

    def forget_owed(self) -> None:
        """The student does not want to be answered now."""
        self._owed = None

    def remember_owed(self, now: float) -> None:
        """The student does again, where what was said last was not answered."""
        last = self._log.last_said()
        if last is not None and (last.role, last.kind) == ("user", "audio"):
            self._owe(now + ASKING_S)

    def _answer_started(self, event: AnswerStarted, now: float) -> list[Action]:
        if self._answers.current is not None or self.holder != "ai":
            return []
        return self.answer("student", now, answer=event.answer)

    def moved(self, step: int, status: str) -> list[Action]:
        """The lesson moved, whatever the tutor says to it."""
        self._moves.append(Progressed(step, status))
        return self._move()

    def _progress(self, event: Progressed) -> list[Action]:
        response = self._answers.current
        if not self._moves and (event.step, event.status) == self._told:
            return []  # a tool has noted it already
        self._moves.append(event)
        return [] if response is not None and response.item is None else self._move()

    def _move(self) -> list[Action]:
        """The lesson moves on, now that the tutor says so."""
        moves, self._moves = self._moves, []
        out: list[Action] = []
        for move in moves:
            before = self.detection()
            self.progress = Progress(move.step, len(self.brief.steps), move.status)
            self._told = (move.step, move.status)
            out += [Tell(self.progressed()), *self._detected_by(before)]
        return out

    def _tell_beginning(self) -> list[Action]:
        """An engine that notes progress with tools says nothing of where a lesson begins."""
        if self._told is not None or NOTE_PROGRESS.name not in self.brief.tools:
            return []
        self._told = (self.progress.step, self.progress.status)
        return [Tell(self.progressed())]

    # ---- from one leg to the next ------------------------------------------------------------

    def _fail(self, event: Failed, now: float) -> list[Action]:
        if event.answer is None:
            fault = event.fault or Fault("transient", event.code, event.detail)
            return [*self.leg_lost(event.code, now), Reopen(event.code, fault)]
        if not self._answers.is_current(event.answer):
            return []
        if event.fault is None:
            out = self._answers.failed(event.code, self._ms(now))
            return [*out, Tell(Notice("tutor_trouble", wording.TUTOR_TROUBLE))]
        self._broken_answers += 1
        if event.fault.kind != "transient" or self._broken_answers > 1:
            self._broken_answers = 0
            return [*self.leg_lost(event.code, now), Reopen(event.code, event.fault)]
        return [*self._cut_short(event.code, now), *self._answers.ask_again(now)]

    def leg_lost(self, code: str, now: float) -> list[Action]:
        """Whatever the engine was about to say or hear, this leg of it won't."""
        self._turns.leg_lost()
        turn = self._turns.speaking
        out = self._cut_short(code, now)
        if turn is not None and not turn.confirmed:
            out += self._sound_goes_on(now)
        return out

    def leg_found(self, now: float) -> list[Action]:
        """Another leg has the memory, and the audio of what it has not heard."""
        self._turns.leg_found(now)
        return self._answers.ask_again(now)

    def _cut_short(self, code: str, now: float) -> list[Action]:
        """The engine says no more of its answer: one that had begun ends where it is."""
        self._held.clear()
        response = self._answers.current
        if response is None or response.generated:
            return []
        if response.item is None:
            self._moves.clear()
            return []
        out = self._answers.failed(code, self._ms(now))
        self._owe(now, "resumed")
        return [*out, Tell(Notice("tutor_trouble", wording.TUTOR_TROUBLE))]

    def rescue(self, now: float) -> list[Action]:
        """What the new leg should have noticed by now, it won't: the turn is committed by hand."""
        turn = self._turns.speaking
        if turn is None or turn.adrift_due is None or now < turn.adrift_due:
            return []
        if turn.confirmed:
            return self.commit(now) or []
        self._turns.clear_suspicion()
        return self._sound_goes_on(now)

    def replay_from_ms(self, now: float, unheard_ms: int | None = None) -> int:
        """From where on the next leg should hear the student; on the media clock.

        Nobody has listened since `unheard_ms`. What is part of a turn that is over is left out.
        """
        quiet_ms = self._quiet_ms(now)
        if unheard_ms is not None:
            quiet_ms = max(quiet_ms, self._turns.media_ms - unheard_ms)
        return self._turns.wanted_from_ms(quiet_ms)

    def keep_from_ms(self, now: float) -> int:
        """From where on the student's audio may be needed once more."""
        return self._turns.kept_from_ms(self._quiet_ms(now))

    def _quiet_ms(self, now: float) -> int:
        """How far back voice may begin that nobody has noticed yet."""
        if self.options.by_hand:
            return self._turns.buffered_ms
        return QUIET_KEPT_MS + max(0, round(self.ahead_ms(now)))
