"""The tutor's side when it is cut, corrected, broken, or fell silent."""

from ai.events import AnswerEnded, Failed, Kept, SpeechConfirmed, SpeechStarted, Spoke
from sessions.live.actions import Answer, Cancel, Playing, Save, SaveHeard
from sessions.live.events import (
    AudioDelta,
    CreateResponse,
    ItemTruncated,
    OutputCleared,
    ReportPlayed,
    ResponseDone,
    TruncateItem,
    UpdateSession,
)
from tests.sessions.live.lesson import Lesson, all_of, one, speaking_page, told


def said(lesson: Lesson, text: str, ms: int) -> str:
    """A whole answer; returns its item's id."""
    answer = lesson.ask()
    lesson.say(answer, text, ms)
    lesson.report(AnswerEnded(answer))
    return lesson.log()[-1].id


# ---- an engine that breaks -------------------------------------------------------------------


def test_after_an_answer_broke_in_the_middle_the_next_one_sounds() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    first = lesson.ask()
    lesson.say(first, "one two", 1_000)
    lesson.report(Failed("x", "x", first))
    lesson.wait(2)
    assert one(lesson.done, SaveHeard).heard.heard == "one two"
    assert [action.on for action in all_of(lesson.done, Playing)] == [True, False]
    lesson.done.clear()
    said(lesson, "three four", 5_000)
    lesson.wait(6)
    assert sum(len(event.pcm) for event in told(lesson.done, AudioDelta)) == 5_000 * 48
    assert told(lesson.done, ResponseDone)


def test_an_engine_that_breaks_after_its_answer_spoils_nothing() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    said(lesson, "a long answer", 9_000)
    lesson.report(Failed("gone", "x"))
    assert len(all_of(lesson.done, Save)) == 1
    lesson.wait(10)
    assert one(lesson.done, ResponseDone).response.status == "completed"


def test_an_answer_that_failed_long_ago_does_not_fail_this_one() -> None:
    lesson = Lesson()
    lesson.ask()
    assert lesson.report(Failed("x", "x", "resp_of_before")) == []
    assert not told(lesson.done, ResponseDone)


# ---- interruption ----------------------------------------------------------------------------


def test_every_response_that_still_sounds_is_cleared() -> None:
    lesson = Lesson()
    said(lesson, "one two three", 3_000)
    said(lesson, "four five six", 3_000)
    lesson.hear(500)
    lesson.report(SpeechStarted("t1", 400))
    out = lesson.report(SpeechConfirmed("t1"))
    answers = [action.ask.answer for action in all_of(lesson.done, Answer)]
    assert [event.response_id for event in told(out, OutputCleared)] == answers


# ---- truncation ------------------------------------------------------------------------------


def test_truncating_an_answer_leaves_the_one_after_it_playing() -> None:
    lesson = Lesson()
    first = said(lesson, "one two three four", 2_000)
    second = said(lesson, "five six seven eight", 2_000)
    lesson.hear(1_000)
    out = lesson.do(TruncateItem(item_id=first, audio_end_ms=500))
    assert one(out, ItemTruncated).heard == "one"
    lesson.wait(3)
    heard = {action.heard.item_id: action.heard for action in all_of(lesson.done, SaveHeard)}
    assert heard[second].heard == "five six seven eight"


def test_truncating_what_is_being_said_stops_it() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "one two three four", 2_000)
    lesson.hear(1_000)
    out = lesson.do(TruncateItem(item_id=lesson.log()[0].id, audio_end_ms=600))
    assert one(out, ResponseDone).response.status == "cancelled"
    assert one(out, SaveHeard).heard.heard == "one"
    assert one(out, Cancel).heard == "one"
    assert lesson.say(answer, "five", 400) == []


def test_nobody_hears_more_than_there_is() -> None:
    lesson = Lesson()
    item = said(lesson, "one two", 1_000)
    lesson.wait(2)
    out = lesson.do(TruncateItem(item_id=item, audio_end_ms=86_400_000))
    assert one(out, SaveHeard).heard.heard_ms == 1_000
    assert not one(out, SaveHeard).heard.interrupted
    assert lesson.talk.durations(lesson.now).tutor_speech_ms == 1_000


def test_without_word_times_a_truncated_answer_is_still_cut() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.report(Spoke(answer, "one two three four", bytes(48 * 2_000)))
    lesson.report(AnswerEnded(answer))
    lesson.wait(3)
    out = lesson.do(TruncateItem(item_id=lesson.log()[0].id, audio_end_ms=1_000))
    assert one(out, SaveHeard).heard.heard == "one two"


def test_what_was_heard_is_always_the_beginning_of_what_was_said() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.report(Spoke(answer, "So, 3/4 — right? Yes!", bytes(48 * 2_000)))
    item = lesson.log()[0].id
    for ms in range(2_000, -1, -100):
        one(lesson.do(TruncateItem(item_id=item, audio_end_ms=ms)), ItemTruncated)
        heard = lesson.log()[0].heard
        assert heard is not None and "So, 3/4 — right? Yes!".startswith(heard)


# ---- a device that stops telling -------------------------------------------------------------


def test_an_answer_the_device_stopped_playing_is_told_to_be_cut() -> None:
    lesson, item = speaking_page()
    out = lesson.wait(5)
    assert one(out, SaveHeard).heard.interrupted
    assert one(out, ItemTruncated).item_id == item
    assert one(out, Cancel).heard == "one two three four"


def test_a_device_that_no_longer_reports_is_believed_by_the_clock() -> None:
    lesson, _ = speaking_page()
    lesson.do(UpdateSession(binary=False))
    lesson.wait(5)
    assert not one(lesson.done, SaveHeard).heard.interrupted


def test_switching_to_text_in_mid_answer_is_for_the_next_one() -> None:
    lesson = Lesson()
    answer = lesson.ask()
    lesson.say(answer, "one", 300)
    lesson.do(UpdateSession(output_modalities=("text",)))
    assert told(lesson.say(answer, "two", 300), AudioDelta)
    lesson.report(AnswerEnded(answer))
    assert not one(lesson.do(CreateResponse()), Answer).ask.sound


def test_reports_from_the_future_count_no_further_than_what_was_sent() -> None:
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    answer = lesson.ask()
    lesson.report(Kept(answer, {}))
    lesson.say(answer, "one two three four", 8_000)
    item = lesson.log()[0].id
    lesson.do(ReportPlayed(item_id=item, audio_ms=8_000))
    assert lesson.talk.durations(lesson.now).tutor_speech_ms <= 2_000


def test_a_device_that_had_played_all_of_it_corrects_the_tutors_memory_too() -> None:
    lesson, item = speaking_page()
    lesson.report(SpeechStarted("t1", 500))
    lesson.report(SpeechConfirmed("t1"))
    out = lesson.do(TruncateItem(item_id=item, audio_end_ms=1_500))
    assert not one(out, SaveHeard).heard.interrupted
    assert one(out, Cancel).heard == "one two three four five six seven eight nine ten"
