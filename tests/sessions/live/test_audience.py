"""Who reads along: a note for each coming and going, and none for a line that broke."""

from typing import Any
from uuid import uuid4

from sessions.live.actions import Answer, Save
from sessions.live.audience import BACK_WITHIN_S, Audience
from sessions.live.conversation import Conversation
from sessions.live.events import (
    AskFloor,
    CommandRefused,
    CreateItem,
    CreateResponse,
    ItemAdded,
    PersonPresent,
    PresenceChanged,
    SessionUpdated,
    UpdateSession,
)
from sessions.record.model import Item
from tenancy.model import Person, Role
from tests.sessions.live.lesson import BRIEF, Lesson, all_of, names, one, told


def person(name: str = "Tayo Okafor", *roles: Role) -> Person:
    return Person(uuid4(), uuid4(), name, "t@example.org", frozenset(roles or ("tutor",)))


TAYO = person()
THERE = (PersonPresent("Tayo Okafor", "tutor"),)


def joined(lesson: Lesson, who: Person = TAYO) -> list[Any]:
    return lesson.did(lesson.talk.joined(who, lesson.now))


def left(lesson: Lesson, who: Person = TAYO) -> list[Any]:
    return lesson.did(lesson.talk.left(who, lesson.now))


def notes(lesson: Lesson) -> list[str | None]:
    return [item.said for item in lesson.log() if item.role == "system"]


def test_a_reader_is_told_to_all_and_kept_in_the_transcript() -> None:
    lesson = Lesson()
    did = joined(lesson)
    item = one(did, ItemAdded).item
    assert (item.role, item.speaker, item.said) == (
        "system",
        "system",
        "Tayo Okafor is reading along.",
    )
    assert one(did, Save).item == item
    assert one(did, PresenceChanged).people == THERE


def test_going_is_told_when_nobody_came_back() -> None:
    lesson = Lesson()
    joined(lesson)
    assert left(lesson) == []
    assert lesson.wait(BACK_WITHIN_S - 0.1) == []
    gone = lesson.wait(0.2)
    assert one(gone, Save).item.said == "Tayo Okafor stopped reading along."
    assert one(gone, PresenceChanged).people == ()
    assert lesson.talk.audience.deadline() is None


def test_who_is_back_soon_was_never_away() -> None:
    lesson = Lesson()
    joined(lesson)
    for _ in range(3):
        left(lesson)
        lesson.wait(BACK_WITHIN_S - 1)
        assert joined(lesson) == []
    lesson.wait(60)
    assert notes(lesson) == ["Tayo Okafor is reading along."]


def test_one_person_in_two_windows_is_one_reader() -> None:
    lesson = Lesson()
    joined(lesson)
    assert joined(lesson) == []
    left(lesson)
    assert lesson.wait(60) == []
    left(lesson)
    assert one(lesson.wait(60), PresenceChanged).people == ()


def test_each_reader_is_told_by_name_and_role() -> None:
    lesson = Lesson()
    joined(lesson)
    head = person("Amara Diallo", "admin", "instructor")
    people = one(joined(lesson, head), PresenceChanged).people
    assert people == (PersonPresent("Amara Diallo", "instructor"), *THERE)


def test_whoever_was_here_when_the_server_stopped_may_come_back_or_has_gone() -> None:
    lesson = Lesson()
    joined(lesson)
    other = person("Amara Diallo")
    joined(lesson, other)
    items = lesson.log()

    back = Lesson(items=items)
    assert back.talk.audience.present().people == (PersonPresent("Amara Diallo", "tutor"), *THERE)
    assert joined(back) == []
    gone = back.wait(BACK_WITHIN_S + 1)
    assert one(gone, Save).item.said == "Amara Diallo stopped reading along."
    assert Audience(back.log(), 0.0).present().people == THERE


def test_the_tutor_knows_nothing_of_readers_and_nothing_waits_for_them() -> None:
    lesson = Lesson()
    joined(lesson)
    lesson.hear(1_000)  # the microphone is on
    assert lesson.talk.memory() == []
    assert "Answer" not in names(lesson.wait(30))
    lesson.ask()
    assert one(lesson.done, Answer).ask.cue == "opening"


def test_who_asked_for_a_person_is_still_remembered() -> None:
    lesson = Lesson()
    lesson.do(AskFloor(reason="I am stuck"))
    (remembered,) = lesson.talk.memory()
    assert (remembered.role, remembered.text) == ("system", "The student asked for a person.")


def test_a_reader_changes_nothing() -> None:
    lesson = Lesson()
    joined(lesson)
    before, options = lesson.log(), lesson.talk.options
    for command in (
        CreateItem(event_id="e", item_id="a", text="Say it!", pcm=None),
        CreateResponse(event_id="e"),
        AskFloor(event_id="e", reason=""),
    ):
        refused = one(lesson.talk.read_along(command, 7), CommandRefused)
        assert (refused.event_id, refused.code) == ("e", "read_only")
    wish = UpdateSession(
        output_modalities=("text",), voice="x", speed=2.0, binary=True, ignored=("tools",)
    )
    (action,) = lesson.talk.read_along(wish, 7)
    updated = told([action], SessionUpdated)[0]
    assert action.to == 7  # type: ignore[union-attr]
    assert updated.locked == (
        "tools",
        "output_modalities",
        "audio.output.voice",
        "audio.output.speed",
        "audio.output.binary",
    )
    assert (lesson.log(), lesson.talk.options) == (before, options)


def test_of_an_answer_under_way_the_words_so_far_are_there() -> None:
    lesson = Lesson()
    answer = lesson.ask(output_modalities=("text",))
    lesson.say(answer, "What part?", 500)
    lesson.say(answer, "Of the pizza.", 500)
    (item,) = lesson.log()
    assert (item.said, lesson.talk.so_far(item).said) == (None, "What part? Of the pizza.")
    assert all_of(lesson.done, Save) == []


def test_a_log_from_before_there_were_readers_has_none() -> None:
    old = Item("a", "system", "system", "text", 1, "completed", "The student asked.", 0)
    talk = Conversation(
        BRIEF, session_id="s", lesson="f", engine="offline", hears_speech=True, items=[old]
    )
    assert talk.audience.present().people == ()
