"""Whose turn it is: speech, answers, and the one cutting the other."""

from ai.engine import TurnDetection
from ai.events import (
    AnswerEnded,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    Transcribed,
)
from sessions.live.actions import (
    Answer,
    Cancel,
    Clear,
    Commit,
    Detect,
    Read,
    Save,
    SaveHeard,
)
from sessions.live.events import (
    AudioDelta,
    CommandRefused,
    CommitAudio,
    CreateItem,
    InputSpeechStarted,
    ItemAdded,
    ItemTruncated,
    Notice,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ReportPlayed,
    ResponseDone,
    TranscriptionFailed,
    TruncateItem,
    TurnDetectionPatch,
    UpdateSession,
)
from sessions.live.watch import FINISHED_IDLE_S
from tests.sessions.live.lesson import Lesson, all_of, names, one, speaking_page, told

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


def test_by_hand_silence_begins_no_turn_and_goes_on_within_one() -> None:
    """A call gives silence where its client lets nothing through."""
    lesson = Lesson()
    lesson.talk.detached(lesson.now)
    lesson.talk.attached(lesson.now, over_call=True)
    lesson.do(UpdateSession(turn_detection="none"))
    assert not lesson.hear(60_000, silent=True)
    assert one(lesson.do(CommitAudio()), CommandRefused).code == "input_audio_buffer_commit_empty"
    assert lesson.hear(500)
    assert lesson.hear(300, silent=True)
    lesson.do(CommitAudio())
    item = lesson.log()[0]
    assert item.ended_ms is not None
    assert item.ended_ms - item.started_ms == 800
    assert not lesson.hear(60_000, silent=True)
    out = lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(type="server_vad")))
    assert not all_of(out, Commit), "the hand is put down, and nothing was being said"


def test_by_hand_what_comes_after_the_commit_is_no_turn() -> None:
    lesson = Lesson()
    lesson.talk.detached(lesson.now)
    lesson.talk.attached(lesson.now, over_call=True)
    lesson.do(UpdateSession(turn_detection="none"))
    lesson.hear(1_000)
    lesson.do(CommitAudio())
    lesson.hear(160)
    lesson.hear(1_000, silent=True)
    assert not lesson.talk.turns.is_remnant
    lesson.hear(1_000, silent=True)
    assert lesson.talk.turns.is_remnant
    one(lesson.talk.forget_remnant(lesson.now), Clear)
    assert not lesson.hear(1_000, silent=True)
    lesson.hear(160)
    out = lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(type="server_vad")))
    assert one(out, Clear)
    assert not all_of(out, Commit)


def test_a_dead_microphone_is_told_of_when_the_hand_is_put_down() -> None:
    for over_call in (True, False):
        lesson = Lesson()
        lesson.talk.detached(lesson.now)
        lesson.talk.attached(lesson.now, over_call=over_call)
        lesson.do(UpdateSession(turn_detection="none"))
        lesson.hear(60_000, silent=True, made_up=True)
        assert not told(lesson.do(CommitAudio()), Notice), "nothing came from a microphone"
        lesson.hear(80, silent=True)
        assert not told(lesson.do(CommitAudio()), Notice), "too short to tell"
        lesson.hear(500, silent=True)
        assert one(lesson.do(CommitAudio()), Notice).code == "microphone_silent"
        lesson.hear(500, silent=True)
        lesson.hear(500)
        assert not told(lesson.do(CommitAudio()), Notice)


def test_by_hand_a_lesson_does_not_end_while_the_student_speaks() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection="none"))
    answer = lesson.ask()
    lesson.say(answer, "Well done.", 200)
    lesson.report(AnswerEnded(answer, finished_lesson=True))
    lesson.wait(FINISHED_IDLE_S - 2)
    for _ in range(10):
        lesson.hear(1_000)
        lesson.wait(0)
    assert not lesson.talk.ended
    lesson.do(CommitAudio())
    lesson.wait(FINISHED_IDLE_S * 2)
    assert not lesson.talk.ended, "the student is owed an answer first"


def test_by_hand_a_lesson_that_is_done_ends_though_a_call_is_silent() -> None:
    lesson = Lesson()
    lesson.talk.detached(lesson.now)
    lesson.talk.attached(lesson.now, over_call=True)
    lesson.do(UpdateSession(turn_detection="none"))
    answer = lesson.ask()
    lesson.say(answer, "Well done.", 200)
    lesson.report(AnswerEnded(answer, finished_lesson=True))
    for _ in range(40):
        lesson.hear(1_000, silent=True, made_up=True)
        lesson.wait(0)
    assert lesson.talk.ended


def test_by_hand_what_was_said_is_kept_when_the_hand_is_put_down() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection="none"))
    lesson.hear(400)
    lesson.hear(5_000, silent=True)  # a pause to think
    assert not lesson.talk.turns.is_remnant
    assert one(
        lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(type="server_vad"))), Commit
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


# ---- barge-in --------------------------------------------------------------------------------


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
