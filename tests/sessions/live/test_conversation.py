"""The heart of a lesson, as tables of (event, now) -> actions."""

from ai.events import (
    AnswerEnded,
    Failed,
    Kept,
    SpeechConfirmed,
    SpeechStarted,
    Spoke,
    Transcribed,
)
from sessions.live.actions import (
    Action,
    Answer,
    Commit,
    End,
    Reopen,
    Save,
    SaveHeard,
)
from sessions.live.events import (
    AskFloor,
    AudioDelta,
    CancelResponse,
    CommandRefused,
    CreateItem,
    CreateResponse,
    EndSession,
    InputCommitted,
    ItemDone,
    Notice,
    OutputCleared,
    PauseSession,
    ResponseCreated,
    ResponseDone,
    SessionUpdated,
    UpdateSession,
)
from sessions.live.floor import MAX_UNSAVED
from sessions.live.watch import Limits
from tests.sessions.live.lesson import Lesson, all_of, names, one, speaking_page, told

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
    assert one(lesson.do(EndSession()), End).reason == "finished"
    assert one(lesson.did(lesson.talk.last_words()), Save).item.said is None


def test_the_last_words_are_kept_when_they_come_after_the_end() -> None:
    lesson = Lesson()
    lesson.speak("t1", 800, None)
    lesson.do(EndSession())
    assert one(lesson.report(Transcribed("t1", "goodbye")), Save).item.said == "goodbye"
    assert lesson.talk.last_words() == []


def test_the_time_limit_keeps_what_is_being_said() -> None:
    lesson = Lesson(limits=Limits(600))
    lesson.wait(599)
    lesson.hear(200)
    lesson.report(SpeechStarted("t1", 100))
    lesson.report(SpeechConfirmed("t1"))
    assert one(lesson.wait(2), Commit).turn == "t1"
    assert one(lesson.report(Transcribed("t1", "I think it is")), Save).item.said


def test_a_file_that_ends_in_silence_is_no_dead_microphone() -> None:
    lesson = Lesson()
    lesson.talk.hear(500, True, lesson.now)
    assert not told(lesson.wait(60), Notice)


def test_while_too_much_waits_to_be_saved_nothing_is_added_to_it() -> None:
    lesson = Lesson()
    for number in range(MAX_UNSAVED + 1):
        lesson.do(CreateItem(item_id=f"i{number}", text="x", pcm=None))
    refused = one(lesson.done, CommandRefused)
    assert refused.code == "saving_waits" and len(lesson.talk.log) == MAX_UNSAVED
    lesson.speak("t1", 600, "and I say")
    assert not all_of(lesson.done, Answer)
    assert one(lesson.do(CreateResponse()), ResponseDone).response.status == "cancelled"
    lesson.save()
    assert one(lesson.wait(1), Answer).ask.cue == "student", "it is answered when there is room"


def test_a_microphone_that_gives_nothing_is_told_once() -> None:
    lesson = Lesson()
    for _ in range(20):
        lesson.talk.hear(1_000, True, lesson.now)
        lesson.wait(1.0)
    assert [event.code for event in told(lesson.done, Notice)] == ["microphone_silent"]
    for silent in (False, True):  # the student speaks, and thinks: this microphone's quiet is zeros
        for _ in range(20):
            lesson.hear(1_000, silent=silent)
            lesson.wait(0)
    assert len(told(lesson.done, Notice)) == 1
    for _ in range(100):
        lesson.hear(1_000, silent=True)
        lesson.wait(0)
    assert len(told(lesson.done, Notice)) == 2, "so long a quiet is none: it is off once more"
    lesson.talk.detached(lesson.now)
    lesson.talk.attached(lesson.now)
    for _ in range(20):
        lesson.hear(1_000, silent=True)
        lesson.wait(0)
    assert len(told(lesson.done, Notice)) == 3


def test_who_has_muted_the_microphone_is_not_asked_again_nor_told_that_it_is_silent() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "What is it?", 200)
    lesson.report(AnswerEnded(answer))
    for _ in range(60):
        lesson.hear(1_000, silent=True, made_up=True)
        lesson.wait(0)
    assert len(all_of(lesson.done, Answer)) == 1
    assert not told(lesson.done, Notice)
    for _ in range(20):
        lesson.hear(1_000)
        lesson.wait(0)
    assert len(all_of(lesson.done, Answer)) == 2, "an open microphone is"


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
