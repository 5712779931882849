"""Whatever happens, in whatever order, the promises hold."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ai.events import (
    AnswerEnded,
    Failed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
)
from sessions.live.actions import (
    Answer,
    Playing,
    Save,
)
from sessions.live.events import (
    CancelResponse,
    CommitAudio,
    CreateItem,
    CreateResponse,
    ItemAdded,
    ItemDone,
    PauseSession,
    ReportPlayed,
    ResponseCreated,
    ResponseDone,
    TruncateItem,
    TurnDetectionPatch,
    UpdateSession,
)
from tests.sessions.live.lesson import Lesson, all_of, told

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
