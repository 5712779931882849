"""The heart of a lesson, as tables of (event, now) -> actions."""

from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from ai.audio import silence
from ai.engine import Brief, Step, TurnDetection
from ai.events import (
    AnswerEnded,
    Failed,
    Kept,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
    Word,
)
from sessions.live.actions import (
    Action,
    Answer,
    Cancel,
    Commit,
    Detect,
    End,
    Playing,
    Read,
    Reopen,
    Save,
    SaveHeard,
    Tell,
)
from sessions.live.conversation import Conversation
from sessions.live.events import (
    AskFloor,
    AudioDelta,
    CancelResponse,
    CommandRefused,
    CommitAudio,
    CreateItem,
    CreateResponse,
    EndSession,
    InputCommitted,
    InputSpeechStarted,
    ItemAdded,
    ItemDone,
    ItemTruncated,
    Notice,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    PauseSession,
    ReportPlayed,
    ResponseCreated,
    ResponseDone,
    SessionUpdated,
    TranscriptionFailed,
    TruncateItem,
    TurnDetectionPatch,
    UpdateSession,
)
from sessions.live.watch import Limits
from sessions.record.model import Item

T = TypeVar("T")

BRIEF = Brief(
    instructions="",
    title="Fractions",
    goal="Name parts of a whole",
    language="en",
    opening="Hello.",
    closing="Goodbye.",
    steps=(
        Step(ask="What part is eaten?", answers=(), solution="Two quarters.", patience_ms=700),
        Step(ask="Say it another way.", answers=(), solution="One half.", patience_ms=3_000),
    ),
)


class Lesson:
    """A conversation with its clock, and what it did so far."""

    def __init__(self, **changes: Any) -> None:
        self.now = 100.0
        self.talk = Conversation(
            BRIEF,
            session_id="sess_1",
            lesson="fractions",
            engine="offline",
            hears_speech=True,
            now=self.now,
            **changes,
        )
        self.done: list[Action] = []
        self.did(self.talk.attached(self.now))

    def did(self, actions: list[Action]) -> list[Action]:
        self.done += actions
        return actions

    def do(self, command: Any) -> list[Action]:
        return self.did(self.talk.receive(command, self.now, 1))

    def report(self, event: Any) -> list[Action]:
        return self.did(self.talk.report(event, self.now))

    def hear(self, ms: int) -> None:
        """The microphone gives `ms` of sound, and as much time passes."""
        for _ in range(ms // 20):
            self.now += 0.02
            self.talk.hear(20, False, self.now)

    def wait(self, seconds: float) -> list[Action]:
        """Time passes; the conversation is woken at its deadlines, as the shell would."""
        end, out = self.now + seconds, []
        for _ in range(10_000):
            at = max(self.talk.deadline(), self.now)
            if at > end or self.talk.ended:
                break
            self.now = at
            out += self.did(self.talk.tick(self.now))
        self.now = end
        return out

    def ask(self, **fields: Any) -> str:
        """The client asks for an answer; returns its id."""
        return one(self.do(CreateResponse(**fields)), Answer).ask.answer

    def say(self, answer: str, text: str, ms: int) -> list[Action]:
        """The engine says `text` in `ms` of sound, all at once."""
        words = text.split()
        step = ms // len(words)
        times = tuple(Word(w, i * step, (i + 1) * step) for i, w in enumerate(words))
        return self.report(Spoke(answer, text, silence(ms), times))

    def speak(self, turn: str, ms: int, words: str | None) -> None:
        """The student speaks for `ms`, then is silent until the turn is over."""
        start = self.talk.turns.media_ms
        self.hear(100)
        self.report(SpeechStarted(turn, start))
        self.hear(ms - 100)
        self.report(SpeechConfirmed(turn))
        self.hear(700)
        self.report(SpeechStopped(turn, start + ms))
        if words is not None:
            self.report(Transcribed(turn, words))

    def save(self) -> list[Action]:
        """Everything on its way to the database is committed."""
        ids = [action.item.id for action in self.done if isinstance(action, Save)]
        return self.did(self.talk.saved(ids))

    def log(self) -> list[Item]:
        return list(self.talk.log)


def told(actions: list[Action], kind: type[T]) -> list[T]:
    return [a.event for a in actions if isinstance(a, Tell) and isinstance(a.event, kind)]


def all_of(actions: list[Action], kind: type[T]) -> list[T]:
    return [a for a in actions if isinstance(a, kind)]


def one(actions: list[Action], kind: type[T]) -> T:
    found = all_of(actions, kind) or told(actions, kind)
    assert len(found) == 1, (kind, actions)
    return found[0]


def names(actions: list[Action]) -> list[str]:
    return [type(a.event if isinstance(a, Tell) else a).__name__ for a in actions]


# ---- a response from beginning to end --------------------------------------------------------


def test_the_server_never_opens_by_itself() -> None:
    lesson = Lesson()
    assert not told(lesson.wait(120), ResponseCreated)


def test_the_first_answer_to_nothing_is_the_opening() -> None:
    assert one(Lesson().do(CreateResponse()), Answer).ask.cue == "opening"


def test_an_answer_is_told_in_the_standard_order() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.done.clear()
    lesson.say(answer, "Hello there.", 300)
    lesson.report(AnswerEnded(answer))
    assert [n for n in names(lesson.done) if n != "Playing"] == [
        "OutputItemAdded",
        "ItemAdded",
        "ContentPartAdded",
        "TextDelta",
        "AudioDelta",
        "AudioDelta",
        "AudioDelta",
        "Save",
        "AudioDone",
        "TextDone",
        "ContentPartDone",
        "OutputItemDone",
        "ResponseDone",
    ]
    assert one(lesson.done, ResponseDone).response.status == "completed"


def test_done_comes_only_after_the_commit() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="a", text="hi", pcm=None))
    assert not told(lesson.done, ItemDone)
    assert [event.item.id for event in told(lesson.save(), ItemDone)] == ["a"]
    assert not told(lesson.save(), ItemDone), "and only once"


def test_a_second_response_while_one_is_made_is_refused_and_answered() -> None:
    lesson = Lesson()
    lesson.ask()
    refused = one(lesson.do(CreateResponse(event_id="e7")), CommandRefused)
    assert (refused.code, refused.event_id) == ("conversation_already_has_active_response", "e7")


def test_words_of_an_answer_that_is_not_current_are_dropped() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.do(CancelResponse())
    assert lesson.say(answer, "Too late.", 500) == []
    assert len(lesson.talk.log) == 0


def test_a_text_answer_has_no_sound_and_is_heard_at_once() -> None:
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    lesson.report(Spoke(answer, "Hello."))
    lesson.report(Spoke(answer, "What is 2/4?"))
    lesson.report(AnswerEnded(answer))
    assert not told(lesson.done, AudioDelta)
    saved = one(lesson.done, Save).item
    assert saved.said == saved.heard == "Hello. What is 2/4?"


def test_what_the_engine_keeps_is_saved_beside_its_answer() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.report(Kept(answer, {"step": 1}))
    lesson.say(answer, "Hello.", 200)
    lesson.do(CancelResponse())
    assert one(lesson.done, Save).item.data == {"engine": {"step": 1}}


# ---- the student's turns ---------------------------------------------------------------------


def test_a_spoken_turn_becomes_an_item_and_is_answered() -> None:
    lesson = Lesson()
    lesson.speak("t1", 800, "two quarters")
    assert names(lesson.done) == [
        "Detect",
        "InputSpeechStarted",
        "InputSpeechStopped",
        "InputCommitted",
        "ItemAdded",
        "ResponseCreated",
        "Answer",
        "TranscriptionCompleted",
        "Save",
    ]
    assert one(lesson.done, Answer).ask.cue == "student"
    assert one(lesson.done, Save).item.said == "two quarters"
    assert lesson.talk.durations(lesson.now).student_speech_ms == 800


def test_a_turn_takes_its_place_when_speech_starts() -> None:
    lesson = Lesson()
    lesson.speak("t1", 800, None)
    answer = one(lesson.done, Answer).ask.answer
    lesson.say(answer, "Yes.", 200)
    lesson.report(AnswerEnded(answer))
    lesson.report(Transcribed("t1", "late words"))
    assert [item.role for item in lesson.log()] == ["user", "assistant"]
    tutor = told(lesson.done, ItemAdded)[1]
    assert tutor.previous_item_id == lesson.log()[0].id


def test_words_that_do_not_come_within_ten_seconds_are_left_out() -> None:
    lesson = Lesson()
    lesson.speak("t1", 800, None)
    out = lesson.wait(9.9)
    assert not told(out, TranscriptionFailed)
    out = lesson.wait(0.2)
    assert one(out, TranscriptionFailed)
    assert one(out, Save).item.said is None
    assert lesson.report(Transcribed("t1", "too late")) == []


def test_a_turn_that_waits_for_create_response_is_not_answered_by_itself() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(create_response=False)))
    lesson.speak("t1", 800, "two quarters")
    assert not all_of(lesson.done, Answer)


def test_by_hand_a_commit_makes_the_turn_and_nothing_answers() -> None:
    lesson = Lesson()
    assert one(lesson.do(UpdateSession(turn_detection="none")), Detect).detection is None
    lesson.hear(1_000)
    out = lesson.do(CommitAudio())
    turn = one(out, Commit).turn
    assert not all_of(out, Answer)
    lesson.report(Transcribed(turn, "one half"))
    item = lesson.log()[0]
    assert (item.said, item.ended_ms - item.started_ms if item.ended_ms else 0) == (
        "one half",
        1_000,
    )


def test_committing_nothing_says_so() -> None:
    refused = one(Lesson().do(CommitAudio(event_id="c1")), CommandRefused)
    assert (refused.code, refused.event_id) == ("input_audio_buffer_commit_empty", "c1")


def test_patience_follows_the_step() -> None:
    lesson = Lesson()
    assert one(lesson.done, Detect).detection == TurnDetection(silence_ms=700)
    out = lesson.report(Progressed(1, "asking"))
    assert one(out, Detect).detection == TurnDetection(silence_ms=3_000)


def test_typing_while_speaking_ends_the_spoken_turn_first() -> None:
    lesson = Lesson()
    lesson.hear(100)
    lesson.report(SpeechStarted("t1", 0))
    lesson.hear(400)
    lesson.report(SpeechConfirmed("t1"))
    out = lesson.do(CreateItem(item_id="typed", text="I mean 1/2", pcm=None))
    assert names(out)[:3] == ["Commit", "InputSpeechStopped", "InputCommitted"]
    assert one(out, Read).text == "I mean 1/2"
    assert [item.id for item in lesson.log()][-1] == "typed"


# ---- the same thing twice --------------------------------------------------------------------


def test_the_same_item_again_is_not_said_again() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="a", text="hi", pcm=None))
    lesson.save()
    out = lesson.do(CreateItem(item_id="a", text="hi", pcm=None))
    assert names(out) == ["ItemAdded", "ItemDone"]
    assert len(lesson.talk.log) == 1


def test_the_same_id_with_other_words_is_refused_and_the_first_kept() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="a", text="hi", pcm=None))
    out = lesson.do(CreateItem(item_id="a", text="ho", pcm=None, event_id="e1"))
    assert (one(out, CommandRefused).code, one(out, CommandRefused).event_id) == (
        "id_reused",
        "e1",
    )
    assert lesson.log()[0].said == "hi"


# ---- barge-in --------------------------------------------------------------------------------


def speaking_page() -> tuple[Lesson, str]:
    """Our page hears ten words in a second and a half, and has played 600 ms of them."""
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    answer = lesson.ask()
    lesson.say(answer, "one two three four five six seven eight nine ten", 1_500)
    lesson.report(AnswerEnded(answer))
    lesson.hear(600)
    item = lesson.log()[0].id
    lesson.do(ReportPlayed(item_id=item, audio_ms=600))
    lesson.done.clear()
    return lesson, item


def test_a_cough_pauses_the_tutor_and_nothing_is_lost() -> None:
    lesson, item = speaking_page()
    assert one(lesson.report(SpeechStarted("t1", 500)), OutputPaused).item_id == item
    out = lesson.report(SpeechDropped("t1"))
    assert one(out, OutputResumed).item_id == item
    assert not told(lesson.done, InputSpeechStarted)
    lesson.do(ReportPlayed(item_id=item, audio_ms=1_500))
    heard = one(lesson.done, SaveHeard).heard
    assert (heard.heard_ms, heard.interrupted) == (1_500, False)


def test_speech_cuts_the_tutor_and_the_transcript_says_what_was_heard() -> None:
    lesson, item = speaking_page()
    lesson.report(SpeechStarted("t1", 500))
    lesson.do(ReportPlayed(item_id=item, audio_ms=640))
    lesson.hear(300)
    out = lesson.report(SpeechConfirmed("t1"))
    assert names(out)[:2] == ["InputSpeechStarted", "OutputCleared"]
    heard = one(out, SaveHeard).heard
    assert (heard.heard, heard.heard_ms, heard.interrupted) == ("one two three four", 640, True)
    assert one(out, Cancel).heard == "one two three four"
    assert one(out, ItemTruncated).audio_end_ms == 640
    assert lesson.talk.memory()[0].text == "one two three four"
    assert lesson.log()[0].said == "one two three four five six seven eight nine ten"


def test_speech_before_the_first_sound_means_the_answer_is_not_wanted() -> None:
    lesson = Lesson()
    lesson.speak("t1", 600, "um")
    answer = one(lesson.done, Answer).ask.answer
    lesson.done.clear()
    lesson.report(SpeechStarted("t2", lesson.talk.turns.media_ms))
    assert lesson.say(answer, "Right!", 400) == []
    lesson.report(SpeechConfirmed("t2"))
    done = one(lesson.done, ResponseDone).response
    assert (done.status, done.reason, done.output) == ("cancelled", "turn_detected", ())
    assert [item.role for item in lesson.log()] == ["user"]


def test_a_held_answer_is_said_when_it_was_only_a_cough() -> None:
    lesson = Lesson()
    lesson.speak("t1", 600, "two quarters")
    answer = one(lesson.done, Answer).ask.answer
    lesson.report(SpeechStarted("t2", lesson.talk.turns.media_ms))
    lesson.say(answer, "Right!", 400)
    lesson.report(AnswerEnded(answer))
    out = lesson.report(SpeechDropped("t2"))
    assert told(out, AudioDelta)
    assert len(all_of(lesson.done, Save)) == 2
    assert lesson.talk.unsaved == 2


def test_without_interrupt_response_speech_does_not_cut() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(interrupt_response=False)))
    answer = lesson.ask()
    lesson.say(answer, "one two three", 1_500)
    lesson.hear(300)
    lesson.report(SpeechStarted("t1", 200))
    out = lesson.report(SpeechConfirmed("t1"))
    assert not told(out, ResponseDone) and not told(out, OutputCleared)


def test_a_client_without_reports_is_believed_by_the_clock() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "one two three four five six seven eight nine ten", 2_000)
    lesson.report(AnswerEnded(answer))
    lesson.hear(1_000)
    lesson.report(SpeechStarted("t1", 900))
    out = lesson.report(SpeechConfirmed("t1"))
    assert one(out, SaveHeard).heard.heard == "one two three four five"


def test_truncate_has_the_last_word_on_what_was_heard() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "one two three four five six seven eight nine ten", 2_000)
    lesson.report(AnswerEnded(answer))
    lesson.hear(1_000)
    item = lesson.log()[0].id
    lesson.report(SpeechStarted("t1", 900))
    lesson.report(SpeechConfirmed("t1"))
    out = lesson.do(TruncateItem(item_id=item, audio_end_ms=620))
    assert one(out, SaveHeard).heard.heard == "one two three"
    assert one(out, ItemTruncated).audio_end_ms == 620
    assert lesson.talk.durations(lesson.now).tutor_speech_ms == 620


# ---- pacing ----------------------------------------------------------------------------------


def sound_ms(actions: list[Action]) -> int:
    return sum(len(event.pcm) for event in told(actions, AudioDelta)) // 48


def test_our_page_gets_sound_two_seconds_ahead_and_no_more() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    answer = lesson.ask()
    lesson.say(answer, "a long explanation", 10_000)
    lesson.report(AnswerEnded(answer))
    assert sound_ms(lesson.done) == 2_000
    assert not told(lesson.done, ResponseDone)
    lesson.wait(3.0)
    assert 4_900 <= sound_ms(lesson.done) <= 5_200
    lesson.wait(6.0)
    assert sound_ms(lesson.done) == 10_000
    assert told(lesson.done, ResponseDone)


def test_official_clients_get_sound_as_it_comes() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "a long explanation", 10_000)
    assert sound_ms(lesson.done) == 10_000


# ---- breaks, pauses, time --------------------------------------------------------------------


def test_a_broken_connection_keeps_what_was_heard_and_resumes_with_a_word() -> None:
    lesson, item = speaking_page()
    out = lesson.did(lesson.talk.detached(lesson.now))
    heard = one(out, SaveHeard).heard
    assert (heard.item_id, heard.heard_ms, heard.interrupted) == (item, 600, True)
    lesson.did(lesson.talk.attached(lesson.now + 30))
    lesson.now += 30
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "resumed"


def test_time_away_is_not_lesson_time() -> None:
    lesson = Lesson()
    lesson.wait(10)
    lesson.talk.detached(lesson.now)
    lesson.now += 100
    lesson.talk.attached(lesson.now)
    lesson.wait(5)
    assert lesson.talk.durations(lesson.now).wall_ms == 15_000


def test_silence_is_asked_into_twice_and_then_left_alone() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "What part?", 500)
    lesson.report(AnswerEnded(answer))
    cues = []
    for _ in range(300):
        lesson.hear(1_000)
        lesson.now -= 1.0
        for action in all_of(lesson.wait(1.0), Answer):
            cues.append(action.ask.cue)
            lesson.say(action.ask.answer, "Take your time.", 500)
            lesson.report(AnswerEnded(action.ask.answer))
    assert cues == ["silence", "silence"]


def test_a_typing_student_is_not_asked_into() -> None:
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    lesson.report(Spoke(answer, "What part?"))
    lesson.report(AnswerEnded(answer))
    assert not all_of(lesson.wait(200), Answer)


def test_a_pause_stops_the_ears_and_the_clock_of_patience() -> None:
    lesson = Lesson()
    lesson.do(PauseSession(on=True))
    assert not lesson.talk.hear(20, False, lesson.now)
    assert not all_of(lesson.wait(300), Answer)
    lesson.do(PauseSession(on=False))
    assert lesson.talk.hear(20, False, lesson.now)


def test_the_time_limit_warns_and_then_ends() -> None:
    lesson = Lesson(limits=Limits(600))
    out = lesson.wait(601)
    assert [event.code for event in told(out, Notice)] == [
        "time_nearly_over",
        "time_nearly_over",
        "time_over",
    ]
    assert one(out, End).reason == "time_limit"
    assert one(lesson.do(CreateResponse()), CommandRefused).code == "session_over"


def test_a_finished_lesson_ends_after_half_a_minute_without_a_question() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "Well done.", 1_000)
    lesson.report(AnswerEnded(answer, finished_lesson=True))
    assert not all_of(lesson.wait(29), End)
    assert one(lesson.wait(4), End).reason == "finished"


def test_finishing_saves_what_still_waits_for_words() -> None:
    lesson = Lesson()
    lesson.speak("t1", 800, None)
    out = lesson.do(EndSession())
    assert one(out, Save).item.said is None
    assert one(out, End).reason == "finished"


def test_a_microphone_that_gives_nothing_is_told_once() -> None:
    lesson = Lesson()
    for _ in range(20):
        lesson.talk.hear(1_000, True, lesson.now)
        lesson.wait(1.0)
    codes = [event.code for event in told(lesson.done, Notice)]
    assert codes == ["microphone_silent"]


def test_asking_for_a_person_is_kept_in_the_transcript() -> None:
    lesson = Lesson()
    out = lesson.do(AskFloor(reason="I am stuck"))
    assert one(out, Save).item.role == "system"
    assert one(out, Notice).code == "nobody_free"


def test_a_broken_leg_is_told_and_reopened() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "One two", 400)
    out = lesson.report(Failed("worker_died", "x"))
    assert one(out, ResponseDone).response.status == "failed"
    assert one(out, Reopen)
    assert one(out, Save).item.status == "incomplete"


# ---- whatever happens ------------------------------------------------------------------------


STEPS = st.sampled_from(
    [
        "ask", "say", "say_long", "end_answer", "hear", "suspect", "confirm", "drop", "stop",
        "words", "type", "commit", "cancel", "truncate", "played", "pause", "go_on", "tick", "save",
        "break",        "by_hand", "vad", "binary", "fail",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_any_story_keeps_the_promises(story: list[str]) -> None:
    lesson = Lesson()
    turns, answers = 0, [""]
    for step in story:
        turn = f"t{turns}"
        if step == "ask":
            answers += [a.ask.answer for a in all_of(lesson.do(CreateResponse()), Answer)]
        elif step in ("say", "say_long"):
            lesson.say(answers[-1], "some words here", 300 if step == "say" else 9_000)
        elif step == "end_answer":
            lesson.report(AnswerEnded(answers[-1]))
        elif step == "hear":
            lesson.hear(500)
        elif step == "suspect":
            turns += 1
            lesson.report(SpeechStarted(f"t{turns}", lesson.talk.turns.media_ms))
        elif step == "confirm":
            lesson.report(SpeechConfirmed(turn))
        elif step == "drop":
            known = lesson.talk.turns.get(turn)
            if known and not known.confirmed:
                lesson.report(SpeechDropped(turn))
        elif step == "stop":
            known = lesson.talk.turns.get(turn)
            if known and known.confirmed:
                out = lesson.report(SpeechStopped(turn, lesson.talk.turns.media_ms))
                answers += [a.ask.answer for a in all_of(out, Answer)]
        elif step == "words":
            known = lesson.talk.turns.get(turn)
            if known and known.words_due:
                lesson.report(Transcribed(turn, "words"))
        elif step == "type":
            lesson.do(CreateItem(item_id=None, text="typed", pcm=None))
        elif step == "commit":
            lesson.do(CommitAudio())
        elif step == "cancel":
            lesson.do(CancelResponse())
        elif step == "truncate":
            tutor = [i for i in lesson.log() if i.role == "assistant"]
            if tutor:
                lesson.do(TruncateItem(item_id=tutor[-1].id, audio_end_ms=100))
        elif step == "played":
            tutor = [i for i in lesson.log() if i.role == "assistant"]
            if tutor:
                lesson.do(ReportPlayed(item_id=tutor[-1].id, audio_ms=250))
        elif step in ("pause", "go_on"):
            lesson.do(PauseSession(on=step == "pause"))
        elif step == "tick":
            lesson.wait(3.0)
        elif step == "save":
            lesson.save()
        elif step == "break":
            lesson.did(lesson.talk.detached(lesson.now))
            lesson.did(lesson.talk.attached(lesson.now))
        elif step == "by_hand":
            lesson.do(UpdateSession(turn_detection="none"))
        elif step == "vad":
            lesson.do(UpdateSession(turn_detection=TurnDetectionPatch()))
        elif step == "binary":
            lesson.do(UpdateSession(binary=True))
        elif step == "fail":
            lesson.report(Failed("x", "x", answers[-1]))
    lesson.did(lesson.talk.end("finished", lesson.now))
    lesson.save()

    saved = [a.item.id for a in lesson.done if isinstance(a, Save)]
    added = [event.item.id for event in told(lesson.done, ItemAdded)]
    done = [event.item.id for event in told(lesson.done, ItemDone)]
    assert len(set(saved)) == len(saved), "nothing is saved twice"
    assert set(added) == set(saved), "what was added is saved"
    assert sorted(done) == sorted(saved), "what is saved is done, once"
    assert lesson.talk.unsaved == 0
    created = [event.response.id for event in told(lesson.done, ResponseCreated)]
    closed = [event.response.id for event in told(lesson.done, ResponseDone)]
    assert sorted(created) == sorted(closed), "every response is answered"
    positions = [item.position for item in lesson.log()]
    assert positions == sorted(set(positions))
    for item in lesson.log():
        if item.heard:
            assert (item.said or "").startswith(item.heard), "nothing was heard that was not said"
    playing = [a.on for a in lesson.done if isinstance(a, Playing)]
    assert all(a != b for a, b in pairwise(playing))


def test_the_view_tells_the_effective_session() -> None:
    lesson = Lesson()
    view = one(lesson.do(UpdateSession(speed=9.0, ignored=("instructions",))), SessionUpdated)
    assert view.session.id == "sess_1"
    assert view.session.speed == 1.5
    assert view.locked == ("instructions",)
    assert view.session.turn_detection and view.session.turn_detection.silence_duration_ms == 700


def test_an_interrupted_answer_that_was_still_made_is_kept_as_far_as_it_was_made() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "one two", 1_000)
    lesson.hear(500)
    lesson.report(SpeechStarted("t1", 400))
    out = lesson.report(SpeechConfirmed("t1"))
    saved = one(out, Save).item
    assert (saved.said, saved.status, saved.interrupted) == ("one two", "incomplete", True)
    assert one(out, OutputCleared)
    assert one(out, ResponseDone).response.status == "cancelled"


def test_a_committed_item_names_the_one_before() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="a", text="hi", pcm=None))
    lesson.speak("t1", 500, "hello")
    assert one(lesson.done, InputCommitted).previous_item_id == "a"
