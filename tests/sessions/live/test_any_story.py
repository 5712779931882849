"""Whatever happens, in whatever order, the promises hold."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from ai.events import (
    AnswerEnded,
    Failed,
    Fault,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
)
from sessions.live.actions import Answer, Give, Playing, RunTool, Save, SaveHeard, Tell
from sessions.live.audience import is_note
from sessions.live.events import (
    AskFloor,
    AudioDelta,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateItem,
    CreateResponse,
    Event,
    ItemAdded,
    ItemDone,
    PauseSession,
    PresenceChanged,
    ReportPlayed,
    ResponseCreated,
    ResponseDone,
    TruncateItem,
    TurnDetectionPatch,
    UpdateSession,
)
from tenancy.model import Person
from tests.sessions.live.lesson import Lesson, all_of, names, one, told
from tests.sessions.live.tool_lesson import ToolLesson

READER = Person(UUID(int=2), UUID(int=1), "Tayo Okafor", "t@example.org", frozenset({"tutor"}))

# ---- whatever happens ------------------------------------------------------------------------


STEPS = st.sampled_from(
    [
        "ask", "say", "say_long", "end_answer", "hear", "suspect", "confirm", "drop", "stop",
        "words", "type", "commit", "cancel", "truncate", "played", "pause", "go_on", "tick", "save",
        "break", "leave", "return", "by_hand", "vad", "patient", "binary", "standard", "fail",
        "gone", "rotate", "lose", "find", "nobody", "broken",
        "clear", "ask_floor", "speak_item", "move", "show", "look_up", "found", "note",
        "reader_comes", "reader_goes", "reader_asks",
    ]
)  # fmt: skip


def tell(story: list[str]) -> Lesson:
    """A lesson in which all this happens."""
    lesson = ToolLesson()
    turns, answers, readers = 0, [""], 0
    for step in story:
        turn = f"t{turns}"
        if step == "ask":
            lesson.do(CreateResponse())
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
                lesson.report(SpeechStopped(turn, lesson.talk.turns.media_ms))
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
        elif step == "leave":
            lesson.did(lesson.talk.detached(lesson.now))
        elif step == "return":
            lesson.did(lesson.talk.attached(lesson.now))
        elif step == "patient":
            lesson.do(UpdateSession(turn_detection=TurnDetectionPatch(interrupt_response=False)))
        elif step == "standard":
            lesson.do(UpdateSession(binary=False))
        elif step == "fail":
            lesson.report(Failed("x", "x", answers[-1]))
        elif step == "gone":
            lesson.report(Failed("x", "x"))
            lesson.did(lesson.talk.leg_found("offline", "x", lesson.now, hears_speech=True))
        elif step == "rotate":
            lesson.did(lesson.talk.leg_lost("rotated", lesson.now))
            lesson.did(lesson.talk.leg_found("offline", "rotated", lesson.now, hears_speech=True))
        elif step == "lose":
            lesson.did(lesson.talk.leg_lost("x", lesson.now))
        elif step == "find":
            lesson.did(lesson.talk.leg_found("other", "x", lesson.now, hears_speech=True))
        elif step == "nobody":
            lesson.did(lesson.talk.engine_gone(lesson.now))
        elif step == "broken":
            lesson.report(Failed("x", "x", answers[-1], Fault("transient", "x")))
        elif step == "clear":
            lesson.do(ClearAudio())
        elif step == "ask_floor":
            lesson.do(AskFloor(reason=""))
        elif step == "speak_item":
            lesson.do(CreateItem(item_id=None, text=None, pcm=bytes(4_800)))
        elif step == "reader_comes":
            readers += 1
            lesson.did(lesson.talk.joined(READER, lesson.now))
        elif step == "reader_goes" and readers:
            readers -= 1
            lesson.did(lesson.talk.left(READER, lesson.now))
        elif step == "reader_asks":
            lesson.talk.read_along(CreateResponse(), 2)
        elif step == "show":
            lesson.use(answers[-1], "show", kind="text", content="2/4", caption="")
        elif step == "look_up":
            lesson.use(answers[-1], "look_up", about="pizza")
        elif step == "found":
            for run in all_of(lesson.done, RunTool):
                lesson.did(lesson.talk.tool_done(run.number, [], lesson.now))
        elif step == "note":
            lesson.use(answers[-1], "note_progress", what="hint_given", step=1, which=0)
        elif step == "move":
            lesson.report(Progressed(1, "asking"))
        answers += [
            action.ask.answer
            for action in all_of(lesson.done, Answer)
            if action.ask.answer not in answers
        ]
    return lesson


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_any_story_keeps_the_promises(story: list[str]) -> None:
    lesson = tell(story)
    lesson.did(lesson.talk.end("finished", lesson.now))
    lesson.did(lesson.talk.last_words())
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
    for event in told(lesson.done, ItemAdded):
        previous = event.previous_item_id
        thrown_away = previous is not None and previous not in lesson.talk.log
        assert thrown_away or previous == lesson.talk.log.previous(event.item), "places are final"
    assert lesson.talk.turns.speaking is None and not lesson.talk.turns
    for item in lesson.log():
        if item.heard:
            assert (item.said or "").startswith(item.heard), "nothing was heard that was not said"
    given = [a.call for a in all_of(lesson.done, Give)]
    assert len(set(given)) == len(given), "a tool has one result"
    playing = [a.on for a in lesson.done if isinstance(a, Playing)]
    assert all(a != b for a, b in pairwise(playing))


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_whoever_reads_along_the_lesson_is_the_same(story: list[str]) -> None:
    alone = [step for step in story if not step.startswith("reader")]
    assert plot(tell(story)) == plot(tell(alone))


def plot(lesson: Lesson) -> list[str]:
    """What happened in a lesson, but for who read it."""
    notes = {item.id for item in lesson.log() if is_note(item)}
    saved = (a.item for a in lesson.done if isinstance(a, Save))
    happened = [
        action
        for action in lesson.done
        if not (isinstance(action, Save) and action.item.id in notes)
        and not (isinstance(action, Tell) and _is_about(action.event, notes))
    ]
    said = [str(item.said) for item in saved if item.id not in notes]
    return names(happened) + said + [utterance.text for utterance in lesson.talk.memory()]


def _is_about(event: Event, notes: set[str]) -> bool:
    if isinstance(event, ItemAdded | ItemDone):
        return event.item.id in notes
    return isinstance(event, PresenceChanged)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_after_any_story_the_tutor_can_be_asked_and_is_heard(story: list[str]) -> None:
    lesson = tell(story)
    lesson.did(lesson.talk.attached(lesson.now))
    speaking = lesson.talk.turns.speaking
    if speaking is not None and speaking.confirmed:
        lesson.report(SpeechStopped(speaking.name, lesson.talk.turns.media_ms))
    elif speaking is not None:
        lesson.report(SpeechDropped(speaking.name))
    lesson.do(PauseSession(on=False))
    lesson.wait(100)
    lesson.done.clear()

    answer = lesson.ask(output_modalities=("audio",))
    lesson.say(answer, "one two three four", 4_000)
    lesson.report(AnswerEnded(answer))
    lesson.wait(10)
    assert sum(len(event.pcm) for event in told(lesson.done, AudioDelta)) == 4_000 * 48
    assert one(lesson.done, ResponseDone).response.status == "completed"
    assert one(lesson.done, SaveHeard).heard.heard == "one two three four"
