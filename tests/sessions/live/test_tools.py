"""What each tool comes to, and that none outlives its answer."""

from dataclasses import replace

import pytest

from ai.engine import Say
from ai.events import AnswerEnded, Failed, Kept, Progressed
from ai.local.tutor_rules import respond
from ai.local.tutor_state import State, recall
from ai.tools import Judged
from sessions.live.actions import DropTool, Give, RunTool, Save
from sessions.live.events import (
    BoardShown,
    CancelResponse,
    CreateItem,
    FloorChanged,
    ItemAdded,
    LessonProgressed,
    Notice,
)
from sessions.live.passages import Passage
from sessions.live.tools import MOST_AN_ANSWER, MOST_AT_ONCE, ON_BOARD
from sessions.record.summary import summarise
from tests.sessions.live.lesson import Lesson, all_of, one, told
from tests.sessions.live.tool_lesson import BRIEF, ToolLesson, given

RIGHT, WRONG = Judged("right", "two quarters"), Judged("wrong", "three quarters")
HALVED = Judged("wrong", "two", "", 0)


def opened(**changes):
    """The first question is asked, and the student has answered it."""
    lesson = ToolLesson(**changes)
    answer = lesson.ask(output_modalities=("text",))
    lesson.say(answer, "What part is eaten?", 500)
    lesson.report(AnswerEnded(answer))
    answered(lesson, "Two quarters")
    return lesson, lesson.ask(output_modalities=("text",))


def answered(lesson, text):
    lesson.do(CreateItem(item_id=None, text=text, pcm=None))


def spoken(lesson, answer, text="Yes. And why?"):
    lesson.say(answer, text, 500)
    return lesson.report(AnswerEnded(answer))


def checked(lesson, answer, judged, said="two quarters"):
    run = one(lesson.use(answer, "check_answer", said=said), RunTool)
    return lesson.did(lesson.talk.tool_done(run.number, judged, lesson.now))


def noted(lesson, answer, what, step, which=0):
    return lesson.use(answer, "note_progress", what=what, step=step, which=which)


# ---- check_answer ----------------------------------------------------------------------------


def test_an_answer_is_judged_against_the_open_step():
    lesson, answer = opened()
    run = one(lesson.use(answer, "check_answer", said="two quarters"), RunTool)
    assert (run.job.step, run.job.said, run.job.language) == (BRIEF.steps[0], "two quarters", "en")
    out = lesson.did(lesson.talk.tool_done(run.number, RIGHT, lesson.now))
    assert given(out) == {
        "verdict": "right",
        "understood": "two quarters",
        "now": "It is right. Note step_done, say what was done well, and go on.",
    }
    assert one(out, Give).call == "call_1" and one(out, Give).answer == answer


def test_a_wrong_answer_is_met_with_its_misconception_else_with_the_next_hint():
    lesson, answer = opened()
    result = given(checked(lesson, answer, HALVED, "two"))
    assert result["misconception"] == 1
    assert result["now"] == "Speak to this first: That is more than a pizza."
    assert given(checked(lesson, answer, WRONG))["now"] == "Give hint 1: How many slices are there?"


def test_one_wrong_answer_counts_once_however_often_it_is_checked():
    lesson, answer = opened()
    checked(lesson, answer, WRONG)
    checked(lesson, answer, WRONG)
    assert lesson.talk.tools.course.state.attempts == 1
    spoken(lesson, answer)
    answered(lesson, "two")
    checked(lesson, lesson.ask(output_modalities=("text",)), HALVED)
    state = lesson.talk.tools.course.state
    assert (state.attempts, state.misconceptions) == (2, (0,))


@pytest.mark.parametrize("note", ["two values", "negated", "unfinished", "too long", ""])
def test_what_is_unclear_is_asked_back(note):
    lesson, answer = opened()
    result = given(checked(lesson, answer, Judged("unclear", "", note)))
    assert result["verdict"] == "unclear"
    assert result["now"]
    assert lesson.talk.tools.course.state.attempts == 0


@pytest.mark.parametrize("outcome", [Judged(), None])
def test_where_nothing_can_be_told_twice_the_tutor_judges(outcome):
    lesson, answer = opened()
    checked(lesson, answer, outcome)
    checked(lesson, answer, outcome)
    assert "error" in given(noted(lesson, answer, "step_done", 1)), "that was one turn"
    spoken(lesson, answer)
    answered(lesson, "the half of it")
    answer = lesson.ask(output_modalities=("text",))
    checked(lesson, answer, outcome)
    assert given(noted(lesson, answer, "step_done", 1))["open_step"] == 2
    spoken(lesson, answer)
    answered(lesson, "because")
    answer = lesson.ask(output_modalities=("text",))
    assert lesson.talk.tools.course.state.misses == 0


def test_the_student_sees_that_something_was_checked_and_not_what():
    lesson, answer = opened()
    out = checked(lesson, answer, WRONG, "three quarters")
    item = one(out, ItemAdded).item
    assert (item.role, item.speaker, item.said) == (
        "system", "system", "The tutor checked the answer.",
    )  # fmt: skip
    tool = item.data["tool"]
    assert tool["name"] == "check_answer"
    assert tool["arguments"] == {"said": "three quarters"}
    assert tool["result"]["verdict"] == "wrong"
    assert tool["step"] == 1
    assert one(out, Save).item == item


# ---- note_progress ---------------------------------------------------------------------------


def test_a_step_is_done_when_its_answer_was_checked_and_right():
    lesson, answer = opened()
    assert "check_answer" in given(noted(lesson, answer, "step_done", 1))["error"]
    checked(lesson, answer, RIGHT)
    out = noted(lesson, answer, "step_done", 1)
    assert given(out) == {
        "noted": True, "progress": {"step": 1, "status": "asking"},
        "open_step": 2, "of": 3, "ask": "Why is that a half?", "hints_left": 1,
    }  # fmt: skip
    assert [(event.step, event.status) for event in told(out, LessonProgressed)] == [
        (1, "done"),
        (2, "asking"),
    ]
    assert lesson.talk.progress.step == 1
    assert lesson.tools()[-1].said == "Step 1 is done."


def test_where_the_lesson_begins_is_told_once_whoever_teaches():
    lesson = ToolLesson()
    answer = lesson.ask(output_modalities=("text",))
    spoken(lesson, answer)
    (event,) = told(lesson.done, LessonProgressed)
    assert (event.step, event.steps, event.status) == (1, 3, "asking")
    offline = ToolLesson()
    answer = offline.ask(output_modalities=("text",))
    offline.report(Progressed(0, "asking"))
    spoken(offline, answer)
    assert len(told(offline.done, LessonProgressed)) == 1


def test_what_a_tool_noted_and_the_engine_reports_too_is_told_once():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    lesson.done.clear()
    lesson.report(Progressed(1, "asking"))
    spoken(lesson, answer)
    assert told(lesson.done, LessonProgressed) == []


def test_the_next_step_needs_a_turn_of_the_students_own():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    assert "not answered this step" in given(noted(lesson, answer, "step_done", 2))["error"]
    spoken(lesson, answer)
    answered(lesson, "because it is")
    answer = lesson.ask(output_modalities=("text",))
    assert given(noted(lesson, answer, "step_done", 2))["open_step"] == 3, "words are judged by it"


@pytest.mark.parametrize("what", ["step_done", "hint_given", "solved_for_them"])
def test_only_the_open_step_can_be_noted_and_what_is_noted_stays(what):
    lesson, answer = opened()
    assert given(noted(lesson, answer, what, 3, 1)) == {
        "error": "Step 1 is open; only that can be noted."
    }
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    before = len(lesson.log())
    assert given(noted(lesson, answer, what, 1, 1))["open_step"] == 2
    assert len(lesson.log()) == before, "nothing happened, so nothing is written"


def test_hints_are_given_in_order_and_one_a_turn():
    lesson, answer = opened()
    assert "Hint 1 of 2 is next" in given(noted(lesson, answer, "hint_given", 1, 2))["error"]
    assert given(noted(lesson, answer, "hint_given", 1, 0))["hints_left"] == 1
    assert given(noted(lesson, answer, "hint_given", 1, 1))["hints_left"] == 1, "noted already"
    assert "One hint a turn" in given(noted(lesson, answer, "hint_given", 1, 2))["error"]
    spoken(lesson, answer)
    answered(lesson, "three?")
    answer = lesson.ask(output_modalities=("text",))
    assert given(noted(lesson, answer, "hint_given", 1, 2))["hints_left"] == 0
    assert lesson.talk.progress.status == "hinting"
    assert "All hints" in given(noted(lesson, answer, "hint_given", 1, 3))["error"]


def test_a_solution_is_given_only_when_the_hints_are_used_up():
    lesson, answer = opened()
    assert "Hint 1" in given(noted(lesson, answer, "solved_for_them", 1))["error"]
    for number in (1, 2):
        noted(lesson, answer, "hint_given", 1, number)
        spoken(lesson, answer)
        answered(lesson, "three?")
        answer = lesson.ask(output_modalities=("text",))
    out = noted(lesson, answer, "solved_for_them", 1)
    assert told(out, LessonProgressed)[0].status == "solved_for_them"
    (result,) = lesson.talk.tools.course.state.results
    assert (result.status, result.hints) == ("solved_for_them", 2)


def test_a_misconception_is_one_of_the_steps_own():
    lesson, answer = opened()
    out = noted(lesson, answer, "misconception_seen", 1, 4)
    assert "lists 1 for this step" in given(out)["error"]
    assert given(noted(lesson, answer, "misconception_seen", 1, 1))["noted"]
    assert lesson.tools()[-1].said == "The tutor made a note on step 1."
    assert not all_of(noted(lesson, answer, "misconception_seen", 1, 1), Save)


def test_the_last_step_closes_the_lesson():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    for step in (2, 3):
        spoken(lesson, answer)
        answered(lesson, "so it is")
        answer = lesson.ask(output_modalities=("text",))
        out = noted(lesson, answer, "step_done", step)
    assert "closing" in given(out)["now"]
    assert lesson.talk.progress.status == "lesson_done"
    assert "over" in given(noted(lesson, answer, "hint_given", 4))["error"]
    assert "over" in given(lesson.use(answer, "check_answer", said="x"))["error"]
    spoken(lesson, answer, "Goodbye.")
    lesson.wait(600)
    assert lesson.talk.ended


# ---- what is kept ----------------------------------------------------------------------------


def test_progress_is_kept_beside_the_tutors_words_as_the_offline_tutor_keeps_it():
    lesson, answer = opened()
    checked(lesson, answer, WRONG)
    noted(lesson, answer, "hint_given", 1, 1)
    lesson.report(Kept(answer, {"model": "small"}))
    spoken(lesson, answer)
    item = lesson.log()[-1]
    assert item.role == "assistant"
    assert item.data["engine"]["model"] == "small"
    state = recall(lesson.talk.memory())
    assert (state.step, state.attempts, state.hints_used) == (0, 1, 1)


def test_what_moved_before_the_tutor_said_so_is_known_to_the_next_engine():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    lesson.do(CancelResponse())
    memory = lesson.talk.memory()
    assert recall(memory).step == 1
    assert [line.text for line in memory if line.role == "system"] == [
        "Step 2 of 3 is open; 0 of its 1 hints were given."
    ]


def test_the_offline_tutor_takes_over_at_the_open_step():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    spoken(lesson, answer, "Yes!")
    state = recall(lesson.talk.memory())
    reply = respond(BRIEF, state, "resumed")
    said = " ".join(piece.text for piece in reply.pieces if isinstance(piece, Say))
    assert BRIEF.steps[1].ask in said
    assert reply.state.results == state.results


def test_a_lesson_that_is_picked_up_goes_on_where_it_was():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    later = ToolLesson(items=lesson.log(), progress=lesson.talk.progress)
    answer = later.ask(output_modalities=("text",))
    assert "not answered this step" in given(noted(later, answer, "step_done", 2))["error"]
    answered(later, "because")
    assert given(noted(later, answer, "hint_given", 2, 1))["open_step"] == 2
    assert later.talk.tools.course.state.results[0].status == "done"


def test_the_offline_tutors_own_notes_stand_above_all():
    lesson, answer = opened()
    theirs = State(step=1, hints_used=1, turns=4, verdict_of_last="right").data()
    lesson.report(Kept(answer, theirs))
    spoken(lesson, answer)
    assert lesson.log()[-1].data["engine"] == theirs
    answer = lesson.ask(output_modalities=("text",))
    assert "hints" in given(noted(lesson, answer, "hint_given", 2, 2))["error"]


def test_the_summary_is_the_one_the_offline_tutor_would_have():
    lesson, answer = opened()
    checked(lesson, answer, WRONG)
    noted(lesson, answer, "hint_given", 1, 1)
    spoken(lesson, answer, "How many slices are there?")
    answered(lesson, "Oh, it is one half")
    answer = lesson.ask(output_modalities=("text",))
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    spoken(lesson, answer)
    answered(lesson, "because two is half of four")
    answer = lesson.ask(output_modalities=("text",))
    noted(lesson, answer, "step_done", 2)
    spoken(lesson, answer)
    summary = summarise(BRIEF, ["Mathematics"], lesson.log(), lesson.talk.progress)
    texts = [sentence.text for sentence in (*summary.narrative, *summary.next_steps)]
    assert (
        "For “What part is eaten?” you first said “Two quarters”, and then “Oh, it is one half”."
    ) in texts
    assert "You found the answer to two questions, one of them at the first try." in texts
    assert texts[-2] == "Go on with “What did you like?”"
    assert summary.practice == ("What part is eaten?",)
    used = {item.id for item in lesson.tools()}
    told = [*summary.narrative, *summary.next_steps]
    assert not used.intersection(item_id for sentence in told for item_id in sentence.item_ids)


def test_a_lesson_without_tools_keeps_what_its_engine_keeps_and_no_more():
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    lesson.report(Kept(answer, {"a": 1}))
    spoken(lesson, answer)
    assert lesson.log()[-1].data == {"engine": {"a": 1}}


def test_tools_are_no_turns_and_no_words_of_the_engines_memory():
    lesson, answer = opened()
    before = [line.text for line in lesson.talk.memory()]
    lesson.use(answer, "show", kind="text", content="Look", caption="")
    lesson.use(answer, "ask_for_human", reason="upset")
    assert [line.text for line in lesson.talk.memory()] == before
    assert lesson.talk.log.last_said().said == "Two quarters"


# ---- show ------------------------------------------------------------------------------------


def test_what_is_shown_goes_to_the_board_and_into_the_transcript():
    lesson, answer = opened()
    out = lesson.use(answer, "show", kind="fraction", content="2/4", caption="A pizza")
    shown, item = one(out, BoardShown), one(out, ItemAdded).item
    assert shown.item_id == item.id
    assert shown.drawing == {"fractions": [{"top": 2, "bottom": 4}]}
    assert shown.says == "A pizza. 2 of 4 equal parts are filled."
    assert item.said == "On the board: A pizza. 2 of 4 equal parts are filled."
    assert given(out) == {"shown": True}


def test_what_can_not_be_drawn_is_told_to_the_model_alone():
    lesson, answer = opened()
    out = lesson.use(answer, "show", kind="plot", content="import os", caption="")
    assert "Write functions of x" in given(out)["error"]
    assert len(out) == 1


def test_the_board_is_made_again_from_the_items_of_the_open_step():
    lesson, answer = opened()
    for number in range(6):
        lesson.use(answer, "show", kind="text", content=f"Text {number}", caption="")
    again = ToolLesson(items=lesson.log(), progress=lesson.talk.progress)
    assert [shown.drawing["text"] for shown in again.talk.tools.board()] == [
        f"Text {number}" for number in range(6 - ON_BOARD, 6)
    ]
    checked(lesson, answer, RIGHT)
    noted(lesson, answer, "step_done", 1)
    assert lesson.talk.tools.board() == []


# ---- look_up and ask_for_human ---------------------------------------------------------------


def test_passages_go_to_the_model_and_not_to_the_student():
    lesson, answer = opened()
    run = one(lesson.use(answer, "look_up", about="pizza slices"), RunTool)
    assert run.job.material == BRIEF.material
    found = [Passage("Pizza book", "Four slices make a whole.")]
    out = lesson.did(lesson.talk.tool_done(run.number, found, lesson.now))
    assert given(out)["passages"] == [{"source": "Pizza book", "text": "Four slices make a whole."}]
    assert "slices" not in one(out, ItemAdded).item.said
    run = one(lesson.use(answer, "look_up", about="whales"), RunTool)
    out = lesson.did(lesson.talk.tool_done(run.number, [], lesson.now))
    assert "says nothing" in given(out)["now"]


def test_a_person_is_asked_for_as_the_student_would():
    lesson, answer = opened()
    out = lesson.use(answer, "ask_for_human", reason="The student is upset.")
    item = one(out, ItemAdded).item
    assert item.data["asked_for_person"] is True
    assert item.data["tool"]["arguments"] == {"reason": "The student is upset."}
    assert "upset" not in item.said
    assert one(out, FloorChanged).holder == "ai"
    assert one(out, Notice).code == "nobody_free"
    assert given(out)["asked"] is True


# ---- bounds ----------------------------------------------------------------------------------


def test_an_answer_uses_only_so_many_tools():
    lesson, answer = opened()
    for _ in range(MOST_AN_ANSWER):
        out = lesson.use(answer, "show", kind="text", content="a", caption="")
        assert "error" not in given(out)
    assert "enough tools" in given(lesson.use(answer, "ask_for_human", reason=""))["error"]
    spoken(lesson, answer)
    answer = lesson.ask(output_modalities=("text",))
    assert "error" not in given(lesson.use(answer, "ask_for_human", reason=""))


def test_only_so_many_are_waited_for_at_once():
    lesson, answer = opened()
    for _ in range(MOST_AT_ONCE):
        lesson.use(answer, "look_up", about="pizza")
    assert "at once" in given(lesson.use(answer, "look_up", about="pizza"))["error"]


def test_a_tool_that_takes_too_long_leaves_the_answer_going_on():
    lesson, answer = opened()
    run = one(lesson.use(answer, "check_answer", said="a half"), RunTool)
    out = lesson.did(lesson.talk.tool_done(run.number, None, lesson.now))
    assert "can't be checked now" in given(out)["error"]
    assert lesson.tools()[-1].data["tool"]["result"] == given(out)
    assert spoken(lesson, answer)


@pytest.mark.parametrize("how", ["cancel", "fail", "gone", "leave", "speech"])
def test_a_tool_that_outlives_its_answer_is_dropped_without_a_trace(how):
    lesson, answer = opened()
    run = one(lesson.use(answer, "check_answer", said="a half"), RunTool)
    before = len(lesson.log())
    if how == "cancel":
        out = lesson.do(CancelResponse())
    elif how == "fail":
        out = lesson.report(Failed("x", "", answer))
    elif how == "gone":
        out = lesson.report(Failed("x", ""))
    elif how == "leave":
        out = lesson.did(lesson.talk.detached(lesson.now))
    else:
        lesson.done.clear()
        lesson.speak("turn_1", 600, "no, three")
        out, before = lesson.done, before + 1
    assert one(out, DropTool).number == run.number
    assert lesson.talk.tool_done(run.number, RIGHT, lesson.now) == []
    assert len(lesson.log()) == before
    assert lesson.talk.tools.course.state.verdict_of_last == ""


def test_a_fresh_leg_does_not_get_what_the_old_one_asked_for():
    lesson, answer = opened()
    run = one(lesson.use(answer, "look_up", about="pizza"), RunTool)
    out = lesson.did(lesson.talk.leg_lost("limit", lesson.now))
    assert one(out, DropTool).number == run.number
    assert lesson.talk.tool_done(run.number, [], lesson.now) == []


def test_a_use_for_another_answer_is_not_listened_to():
    lesson, answer = opened()
    assert lesson.use("resp_old", "show", kind="text", content="a", caption="") == []
    spoken(lesson, answer)
    assert lesson.use(answer, "show", kind="text", content="a", caption="") == []


def test_tools_the_lesson_does_not_have_are_refused_by_a_sentence():
    lesson, answer = opened(brief=replace(BRIEF, tools=("show",)))
    assert given(lesson.use(answer, "check_answer", said="a")) == {
        "error": "There is no such tool. The tools of this lesson: show."
    }
    assert lesson.tools() == []


def test_whatever_the_model_asks_for_it_acts_in_this_lesson_only():
    lesson, answer = opened()
    others = {"student_id": "7", "tenant": "other", "session": "sess_2", "lesson": "x", "step": 3}
    run = one(lesson.use(answer, "look_up", about="pizza", material="other", **others), RunTool)
    assert run.job.material is BRIEF.material
    run = one(lesson.use(answer, "check_answer", said="2/4", answers=["9"], **others), RunTool)
    assert run.job.step is BRIEF.steps[0]
    lesson.use(answer, "ask_for_human", reason="x", to="everyone", **others)
    assert lesson.tools()[-1].data["tool"]["arguments"] == {"reason": "x"}


# ---- a tutor that notes nothing ----------------------------------------------------------------


def test_a_right_answer_that_was_not_noted_is_when_the_next_one_is_to_be_checked():
    lesson, answer = opened()
    checked(lesson, answer, RIGHT)
    checked(lesson, answer, RIGHT)
    assert lesson.talk.progress.step == 0, "the student has said nothing since"
    spoken(lesson, answer, "Right. Why is that a half?")
    answered(lesson, "Two is half of four")
    answer = lesson.ask(output_modalities=("text",))
    out = lesson.use(answer, "check_answer", said="two is half of four")
    assert one(out, RunTool).job.step == BRIEF.steps[1]
    assert [event.step for event in told(out, LessonProgressed)][-1] == 2
    out = lesson.did(lesson.talk.tool_done(one(out, RunTool).number, RIGHT, lesson.now))
    result = given(out)
    assert (result["open_step"], result["progress"]["step"]) == (2, 1)
    assert lesson.talk.progress.step == 1
    noted(lesson, answer, "step_done", 1)
    assert lesson.talk.progress.step == 1, "it is noted already"


def test_after_a_wrong_answer_nothing_is_noted_for_the_tutor():
    lesson, answer = opened()
    checked(lesson, answer, WRONG)
    spoken(lesson, answer, "Not quite. How many slices are there?")
    answered(lesson, "Four")
    answer = lesson.ask(output_modalities=("text",))
    out = lesson.use(answer, "check_answer", said="four")
    assert one(out, RunTool).job.step == BRIEF.steps[0] and lesson.talk.progress.step == 0


def test_a_tutor_that_notes_nothing_comes_to_the_end():
    lesson, answer = opened()
    for _ in BRIEF.steps:
        checked(lesson, answer, RIGHT)
        spoken(lesson, answer)
        answered(lesson, "And so on")
        answer = lesson.ask(output_modalities=("text",))
    out = lesson.use(answer, "check_answer", said="and so on")
    assert given(out) == {"error": "The lesson is over. Say the closing."}
    assert lesson.talk.progress.status == "lesson_done"
