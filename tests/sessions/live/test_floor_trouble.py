"""Whose turn it is when things cross: commits, coughs, typing and answers at the same moment."""

import pytest

from ai.events import (
    AnswerEnded,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
)
from sessions.live.actions import Answer, Commit, Detect, ListenAgain, Save, SaveHeard
from sessions.live.events import (
    AskFloor,
    AudioDelta,
    CancelResponse,
    ClearAudio,
    CommandRefused,
    CommitAudio,
    CreateItem,
    CreateResponse,
    InputCommitted,
    InputSpeechStarted,
    InputSpeechStopped,
    ItemAdded,
    LessonProgressed,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ReportPlayed,
    ResponseCreated,
    ResponseDone,
    TurnDetectionPatch,
    UpdateSession,
)
from tests.sessions.live.lesson import Lesson, all_of, names, one, speaking_page, told


def suspect(lesson: Lesson, turn: str = "t1") -> None:
    lesson.hear(200)
    lesson.report(SpeechStarted(turn, lesson.talk.turns.media_ms - 100))


def speaking(lesson: Lesson, turn: str = "t1") -> None:
    suspect(lesson, turn)
    lesson.report(SpeechConfirmed(turn))
    lesson.hear(400)


# ---- the client ends a turn that is only suspected, or throws it away ------------------------


def test_committing_a_suspicion_makes_it_speech_and_the_answer_is_heard() -> None:
    lesson = Lesson()
    suspect(lesson)
    out = lesson.do(CommitAudio())
    assert one(out, InputSpeechStarted) and one(out, InputSpeechStopped)
    assert one(out, Commit).turn == "t1"
    answer = one(lesson.wait(1), Answer).ask.answer
    lesson.report(Transcribed("t1", "no"))
    assert told(lesson.say(answer, "Not quite.", 300), AudioDelta)


def test_clearing_the_microphone_takes_a_suspicion_back() -> None:
    lesson, item = speaking_page()
    suspect(lesson)
    out = lesson.do(ClearAudio())
    assert one(out, OutputResumed).item_id == item
    lesson.do(ReportPlayed(item_id=item, audio_ms=1_500))
    assert told(lesson.say(lesson.ask(), "Go on.", 300), AudioDelta)


def test_clearing_the_microphone_in_mid_speech_ends_that_turn() -> None:
    lesson = Lesson()
    speaking(lesson)
    lesson.do(ClearAudio())
    out = lesson.do(CreateItem(item_id="a", text="I type it", pcm=None))
    assert not all_of(out, Commit)
    lesson.ask()
    assert [item.id for item in lesson.log()] == ["a"]


def test_taking_turns_into_ones_own_hands_keeps_what_was_being_said() -> None:
    lesson = Lesson()
    speaking(lesson)
    out = lesson.do(UpdateSession(turn_detection="none"))
    assert [n for n in names(out) if n in ("Commit", "Detect")] == ["Commit", "Detect"]
    lesson.report(Transcribed("t1", "half a word"))
    assert one(lesson.done, Save).item.said == "half a word"
    assert not all_of(lesson.wait(5), Answer)


# ---- coughs ----------------------------------------------------------------------------------


def test_a_cough_at_the_very_end_of_a_sentence_leaves_the_page_playing() -> None:
    lesson, item = speaking_page()
    assert told(lesson.report(SpeechStarted("t1", 500)), OutputPaused)
    lesson.do(ReportPlayed(item_id=item, audio_ms=1_500))
    assert one(lesson.done, SaveHeard)
    assert one(lesson.report(SpeechDropped("t1")), OutputResumed).item_id == item


def test_speech_at_the_very_end_of_a_sentence_leaves_the_page_playing() -> None:
    lesson, item = speaking_page()
    lesson.report(SpeechStarted("t1", 500))
    lesson.do(ReportPlayed(item_id=item, audio_ms=1_500))
    out = lesson.report(SpeechConfirmed("t1"))
    assert one(out, OutputResumed).item_id == item and not told(out, OutputCleared)


def test_a_cough_does_not_stop_the_clock_of_a_client_that_plays_on() -> None:
    lesson = Lesson()
    lesson.say(lesson.ask(), "one two three four five six seven eight nine ten", 2_000)
    lesson.hear(200)
    lesson.report(SpeechStarted("t1", 100))
    lesson.hear(400)
    lesson.report(SpeechDropped("t1"))
    lesson.hear(400)
    lesson.report(SpeechStarted("t2", 900))
    out = lesson.report(SpeechConfirmed("t2"))
    assert one(out, SaveHeard).heard.heard_ms == pytest.approx(1_000, abs=2)


# ---- who is answered -------------------------------------------------------------------------


def test_a_commit_and_a_request_for_an_answer_make_one_answer() -> None:
    """As OpenAI's clients do who push a file: append, commit, response.create."""
    lesson = Lesson()
    lesson.hear(3_000)
    out = lesson.do(CommitAudio()) + lesson.do(CreateResponse(metadata={"mine": "1"}))
    assert not told(out, CommandRefused)
    assert one(out, Answer).ask.cue == "student"
    assert one(out, ResponseCreated).response.metadata == {"mine": "1"}
    assert not all_of(lesson.wait(5), Answer)


def test_a_commit_alone_is_answered_at_once_while_turns_are_detected() -> None:
    lesson = Lesson()
    speaking(lesson)
    lesson.do(CommitAudio())
    assert one(lesson.wait(0.1), Answer).ask.cue == "student"


def test_typing_in_mid_speech_and_asking_makes_one_answer() -> None:
    lesson = Lesson()
    speaking(lesson)
    out = lesson.do(CreateItem(item_id="a", text="I mean 1/2", pcm=None))
    out += lesson.do(CreateResponse())
    assert not told(out, CommandRefused)
    assert len(all_of(out, Answer)) == 1


def test_speech_during_an_answer_that_it_may_not_cut_is_answered_afterwards() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(interrupt_response=False)))
    first = lesson.ask()
    lesson.say(first, "one two", 400)
    lesson.speak("t1", 600, "two quarters")
    assert len(all_of(lesson.done, Answer)) == 1
    lesson.report(AnswerEnded(first))
    lesson.wait(0.1)
    assert all_of(lesson.done, Answer)[1].ask.cue == "student"


def test_going_on_before_the_answer_began_means_one_answer_to_all_of_it() -> None:
    lesson = Lesson()
    speaking(lesson, "t1")
    lesson.do(CommitAudio())
    suspect(lesson, "t2")
    assert not all_of(lesson.wait(0.2), Answer)
    lesson.report(SpeechConfirmed("t2"))
    lesson.report(SpeechStopped("t2", lesson.talk.turns.media_ms))
    assert len(all_of(lesson.done, Answer)) == 1


def test_a_student_who_was_never_answered_is_not_asked_whether_they_are_there() -> None:
    lesson = Lesson()
    lesson.speak("t1", 600, "two quarters")
    lesson.do(CancelResponse())
    cues = []
    for _ in range(20):
        lesson.hear(1_000)
        lesson.now -= 1.0
        cues += [action.ask.cue for action in all_of(lesson.wait(1.0), Answer)]
    assert cues == ["student"]


def test_a_note_of_the_system_is_nobodys_turn() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="a", text="Why?", pcm=None))
    lesson.do(AskFloor(reason=""))
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "student"


def test_an_answer_in_which_the_engine_falls_silent_is_closed() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.wait(29)
    assert not told(lesson.done, ResponseDone)
    lesson.wait(2)
    assert one(lesson.done, ResponseDone).response.status == "failed"
    assert lesson.say(answer, "Too late.", 300) == []


# ---- places ----------------------------------------------------------------------------------


def final_places(lesson: Lesson) -> None:
    """What `added` said of the item before is still so."""
    log = lesson.talk.log
    for event in told(lesson.done, ItemAdded):
        assert event.previous_item_id == log.previous(event.item), event


def test_by_hand_a_turn_follows_the_question_that_was_asked_meanwhile() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(turn_detection="none"))
    lesson.hear(500)
    answer = lesson.ask()
    lesson.say(answer, "What part?", 300)
    lesson.report(AnswerEnded(answer))
    lesson.hear(1_000)
    lesson.do(CommitAudio())
    assert [item.role for item in lesson.log()] == ["assistant", "user"]
    assert one(lesson.do(CreateResponse()), Answer).ask.cue == "student"


def test_what_is_typed_during_a_suspicion_comes_before_what_was_said() -> None:
    lesson = Lesson()
    suspect(lesson)
    lesson.do(CreateItem(item_id="a", text="typed", pcm=None))
    lesson.report(SpeechConfirmed("t1"))
    lesson.report(SpeechStopped("t1", lesson.talk.turns.media_ms))
    assert [item.kind for item in lesson.log()] == ["text", "audio"]
    final_places(lesson)


def test_what_is_added_while_the_student_speaks_names_the_speech_before_it() -> None:
    lesson = Lesson()
    speaking(lesson)
    lesson.do(AskFloor(reason="I am stuck"))
    lesson.report(SpeechStopped("t1", lesson.talk.turns.media_ms))
    assert [item.role for item in lesson.log()] == ["user", "system"]
    final_places(lesson)
    assert one(lesson.done, InputCommitted).previous_item_id is None


def test_a_client_cant_take_the_id_of_speech_that_is_under_way() -> None:
    lesson = Lesson()
    speaking(lesson)
    taken = one(lesson.done, InputSpeechStarted).item_id
    refused = one(
        lesson.do(CreateItem(item_id=taken, text="mine", pcm=None, event_id="e")), CommandRefused
    )
    assert (refused.code, refused.event_id) == ("id_reused", "e")


def test_a_clients_ids_are_no_names_of_turns() -> None:
    lesson = Lesson()
    lesson.do(CreateItem(item_id="t1", text=None, pcm=bytes(48_000)))
    lesson.speak("t1", 600, "spoken")
    assert [action.item.said for action in all_of(lesson.done, Save)] == ["spoken"]
    lesson.wait(11)
    assert len(all_of(lesson.done, Save)) == 2


# ---- progress --------------------------------------------------------------------------------


def test_the_lesson_moves_when_the_tutor_says_so_and_not_before() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    assert not told(lesson.report(Progressed(1, "asking")), LessonProgressed)
    out = lesson.say(answer, "And now?", 300)
    assert one(out, LessonProgressed).step == 2 and one(out, Detect)


def test_an_answer_nobody_wanted_moves_nothing() -> None:
    lesson = Lesson()
    lesson.speak("t1", 600, "two quarters")
    lesson.report(Progressed(1, "asking"))
    lesson.report(SpeechStarted("t2", lesson.talk.turns.media_ms))
    lesson.report(SpeechConfirmed("t2"))
    assert lesson.talk.progress.step == 0


# ---- how long --------------------------------------------------------------------------------


def test_committing_minutes_of_nothing_is_not_minutes_of_speech() -> None:
    lesson = Lesson()
    lesson.hear(120_000)
    lesson.do(CommitAudio())
    assert lesson.talk.durations(lesson.now).student_speech_ms <= 1_500


def test_committing_a_file_counts_all_of_it() -> None:
    lesson = Lesson()
    lesson.talk.hear(5_000, False, lesson.now)
    lesson.do(CommitAudio())
    assert lesson.talk.turns.spoken_ms == pytest.approx(5_000, abs=20)


def test_speech_under_way_counts_already() -> None:
    lesson = Lesson()
    speaking(lesson)
    lesson.hear(20_000)
    assert lesson.talk.durations(lesson.now).student_speech_ms >= 20_000


def test_a_text_answer_while_voice_is_suspected_is_shown_when_it_was_a_cough() -> None:
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    suspect(lesson)
    lesson.report(Spoke(answer, "Hello."))
    lesson.report(AnswerEnded(answer))
    lesson.report(SpeechDropped("t1"))
    assert one(lesson.done, ResponseDone).response.status == "completed"


def test_a_turn_of_which_the_next_leg_hears_the_end_only_is_written_once() -> None:
    lesson = Lesson()
    lesson.hear(1_000)
    lesson.report(SpeechStarted("1.t1", 1_000))
    lesson.hear(500)
    lesson.report(SpeechConfirmed("1.t1"))
    lesson.hear(3_500)
    lesson.did(lesson.talk.leg_lost("connection_lost", lesson.now))
    lesson.hear(300)
    lesson.did(lesson.talk.leg_found("offline", "returned", lesson.now, hears_speech=True))
    out = lesson.report(SpeechStarted("2.t1", 3_800))
    again = one(out, ListenAgain)
    assert (again.turn, again.start_ms, again.end_ms) == ("1.t1", 700, 3_800)
    assert one(out, InputSpeechStopped).audio_end_ms == 3_800
