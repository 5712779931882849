"""A connection breaks, in the middle of whatever; and the student comes back."""

from ai.events import (
    AnswerEnded,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
)
from sessions.live.actions import Answer, Clear, Commit, Save
from sessions.live.events import (
    AudioDelta,
    CreateItem,
    CreateResponse,
    ItemAdded,
    PauseSession,
    ResponseCreated,
    UpdateSession,
)
from sessions.record.model import Item
from tests.sessions.live.lesson import Lesson, all_of, one, told


def breaks(lesson: Lesson) -> None:
    lesson.did(lesson.talk.detached(lesson.now))


def returns(lesson: Lesson) -> None:
    lesson.did(lesson.talk.attached(lesson.now))


def begin_speaking(lesson: Lesson, turn: str = "t1", ms: int = 600) -> None:
    start = lesson.talk.turns.media_ms
    lesson.hear(200)
    lesson.report(SpeechStarted(turn, start))
    lesson.report(SpeechConfirmed(turn))
    lesson.hear(ms - 200)


# ---- the student was speaking ----------------------------------------------------------------


def test_speech_under_way_at_a_break_is_kept_with_its_words() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    breaks(lesson)
    turn = one(lesson.done, Commit).turn
    lesson.report(Transcribed(turn, "two quar"))
    assert one(lesson.done, Save).item.said == "two quar"
    assert lesson.talk.durations(lesson.now).student_speech_ms == 600


def test_nobody_is_answered_while_nobody_is_there() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    breaks(lesson)
    lesson.report(Transcribed("t1", "two quarters"))
    lesson.report(SpeechStarted("t2", 700))
    lesson.report(SpeechConfirmed("t2"))
    lesson.report(SpeechStopped("t2", 900))
    lesson.report(Transcribed("t2", "or one half"))
    lesson.wait(30)
    assert not all_of(lesson.done, Answer)
    assert [item.said for item in lesson.log()] == ["two quarters", "or one half"]


def test_whoever_comes_back_may_ask_for_the_answer() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    breaks(lesson)
    lesson.report(Transcribed("t1", "two quarters"))
    lesson.now += 1
    returns(lesson)
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "student"
    lesson.wait(10)
    assert len(told(lesson.done, ResponseCreated)) == 1


def test_a_client_that_waits_to_be_answered_is_answered_after_a_break_too() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    breaks(lesson)
    lesson.report(Transcribed("t1", "two quarters"))
    lesson.now += 60
    returns(lesson)
    assert not all_of(lesson.wait(1.5), Answer), "the page asks after 1.2 s"
    assert one(lesson.wait(1), Answer).ask.cue == "student"


def test_an_answer_owed_is_given_even_by_another_process() -> None:
    said = Item("i", "user", "student", "audio", 1, "completed", "two quarters", 0, 900)
    lesson = Lesson(items=[said])
    assert one(lesson.wait(3), Answer).ask.cue == "student"


def test_what_was_typed_before_a_break_waits_to_be_asked_about() -> None:
    said = Item("i", "user", "student", "text", 1, "completed", "two quarters", 0, 0)
    assert not all_of(Lesson(items=[said]).wait(30), Answer)


def test_a_cough_at_a_break_is_forgotten_and_holds_nothing_up() -> None:
    lesson = Lesson()
    lesson.hear(200)
    lesson.report(SpeechStarted("t1", 100))
    breaks(lesson)
    assert one(lesson.done, Clear)
    returns(lesson)
    answer = lesson.ask()
    assert told(lesson.say(answer, "Hello.", 300), AudioDelta)


def test_audio_that_was_still_to_be_committed_by_hand_is_committed_by_a_break() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection="none"))
    lesson.hear(1_000)
    breaks(lesson)
    lesson.report(Transcribed(one(lesson.done, Commit).turn, "one half"))
    assert one(lesson.done, Save).item.said == "one half"
    returns(lesson)
    assert not all_of(lesson.wait(10), Answer), "by hand nothing is answered unasked"


# ---- the tutor was speaking ------------------------------------------------------------------


def test_coming_back_is_greeted_once() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "What part?", 500)
    lesson.report(AnswerEnded(answer))
    breaks(lesson)
    returns(lesson)
    cues = []
    for _ in range(2):
        asked = one(lesson.do(CreateResponse()), Answer).ask
        cues.append(asked.cue)
        lesson.say(asked.answer, "Again.", 100)
        lesson.report(AnswerEnded(asked.answer))
        lesson.wait(1)
    assert cues == ["resumed", "silence"]


def test_who_comes_back_with_a_question_is_answered_and_not_greeted_later() -> None:
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    lesson.report(Spoke(answer, "What part?"))
    lesson.report(AnswerEnded(answer))
    breaks(lesson)
    returns(lesson)
    lesson.do(CreateItem(item_id="q", text="Why?", pcm=None))
    answer = lesson.ask(output_modalities=("text",))
    lesson.report(Spoke(answer, "Because."))
    lesson.report(AnswerEnded(answer))
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "silence"


def test_an_answer_that_had_not_begun_to_sound_is_asked_for_again() -> None:
    lesson = Lesson()
    lesson.speak("t1", 600, "two quarters")
    breaks(lesson)
    returns(lesson)
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "student"


# ---- other things that end with a connection -------------------------------------------------


def test_a_pause_ends_with_the_connection_that_asked_for_it() -> None:
    lesson = Lesson()
    lesson.do(PauseSession(on=True))
    breaks(lesson)
    returns(lesson)
    assert lesson.talk.hear(20, False, lesson.now)


def test_a_pause_keeps_what_was_being_said() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    lesson.do(PauseSession(on=True))
    lesson.report(Transcribed(one(lesson.done, Commit).turn, "wait a"))
    assert one(lesson.done, Save).item.said == "wait a"
    assert not all_of(lesson.wait(10), Answer)


def test_who_goes_on_before_the_words_are_there_is_answered() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    lesson.do(PauseSession(on=True))
    lesson.do(PauseSession(on=False))
    lesson.report(Transcribed(one(lesson.done, Commit).turn, "wait a"))
    assert one(lesson.wait(1), Answer).ask.cue == "student"


def test_who_goes_on_and_asks_is_answered_once() -> None:
    lesson = Lesson()
    begin_speaking(lesson)
    lesson.do(PauseSession(on=True))
    lesson.do(PauseSession(on=False))
    lesson.ask()
    assert len(all_of([*lesson.done, *lesson.wait(5)], Answer)) == 1


def test_speech_suspected_when_the_student_pauses_does_not_stay_suspected() -> None:
    lesson = Lesson()
    lesson.hear(200)
    lesson.report(SpeechStarted("t1", 100))
    lesson.do(PauseSession(on=True))
    lesson.report(SpeechDropped("t1"))
    lesson.do(PauseSession(on=False))
    assert told(lesson.say(lesson.ask(), "Hello.", 300), AudioDelta)
    assert len(told(lesson.done, ItemAdded)) == 1
