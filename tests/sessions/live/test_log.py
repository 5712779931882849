"""What a session remembers, and tells who comes back: as it is read now."""

from dataclasses import replace

from ai.engine import Utterance
from sessions.live.events import ItemAdded, ItemDone, ItemRetrieved, RetrieveItem
from sessions.live.log import Log
from sessions.record.model import Item
from tests.sessions.live.lesson import Lesson, told
from tests.sessions.review.corrections import override

STATE = {"version": 1, "step": 0}
ASKED = Item(
    "item_1", "assistant", "ai", "audio", 1, "completed", "How many halves?", 0, 900,
    heard="How many halves?", data={"engine": STATE},
)  # fmt: skip
SPOKE = Item(
    "item_2", "user", "student", "audio", 2, "completed", "too", 1_000, 2_000,
    data={"sure": False},
)  # fmt: skip
LOST = Item("item_3", "user", "student", "audio", 3, "completed", None, 3_000, 4_000)


def test_without_corrections_it_remembers_what_was_said_and_heard() -> None:
    unheard = replace(ASKED, id="item_4", position=4, heard="")
    assert Log([ASKED, SPOKE, LOST, unheard]).memory() == [
        Utterance("tutor", "How many halves?", STATE),
        Utterance("student", "too", {"sure": False}),
    ]


def test_the_engine_remembers_corrected_words_and_who_spoke_them() -> None:
    log = Log(
        [ASKED, SPOKE, LOST],
        [override("words", "item_2", "two", "too"), override("words", "item_3", "I mean three")],
    )
    assert log.memory()[1:] == [
        Utterance("student", "two", {"sure": True}),
        Utterance("student", "I mean three", {"sure": True}),
    ]
    log.correct([override("speaker", "item_2", "tutor", "student")])
    assert log.memory()[1:] == [Utterance("tutor", "too", {})]


def test_a_corrected_answer_is_a_note_to_the_engine_beside_what_it_said() -> None:
    better = override("answer", "item_1", "What is a half?", ASKED.said)
    said, note, _ = Log([ASKED, SPOKE], [better]).memory()
    assert said == Utterance("tutor", "How many halves?", STATE)
    assert note.role == "system"
    assert note.text.endswith("It should have been: What is a half?")


def test_of_half_heard_words_that_were_wrong_the_right_ones_are_remembered() -> None:
    fix = override("words", "item_1", "How many quarters?", ASKED.said)
    (said,) = Log([replace(ASKED, heard="How many")], [fix]).memory()
    assert said.text == "How many quarters?"
    assert Log([replace(ASKED, heard="")], [fix]).memory() == []


def test_items_themselves_stay_as_they_were_recorded() -> None:
    log = Log([ASKED, SPOKE], [override("words", "item_2", "two", "too")])
    assert list(log) == [ASKED, SPOKE]
    assert log.read(SPOKE).item.said == "two"


def test_a_client_gets_what_it_asks_for_as_it_is_read_now() -> None:
    lesson = Lesson(items=[ASKED, SPOKE], overrides=[override("words", "item_2", "two", "too")])
    (retrieved,) = told(lesson.do(RetrieveItem(item_id="item_2")), ItemRetrieved)
    assert (retrieved.item.said, retrieved.item.corrected and retrieved.item.corrected.by) == (
        "two",
        "Tayo Okafor",
    )
    assert not told(lesson.done, ItemAdded) and not told(lesson.done, ItemDone)
