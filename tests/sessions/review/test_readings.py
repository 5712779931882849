"""What readers get: the record with the corrections that are in force."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from ai.events import Word
from sessions.record.listing import Reviewed
from sessions.record.model import Corrected, Item, Sentence, Summary
from sessions.record.summary_words import ENGLISH, SPANISH
from sessions.record.transcript import as_json, as_text, as_vtt
from sessions.review.override import resolve
from sessions.review.readings import known_to, of_items, of_summary
from tests.sessions.review.corrections import NOON, SESSION, override

ASKED = Item(
    "item_1", "assistant", "ai", "audio", 1, "completed", "How many halves?", 0, 900,
    heard="How many halves?", heard_ms=900, engine="offline",
)  # fmt: skip
SPOKE = Item(
    "item_2", "user", "student", "audio", 2, "completed", "too", 1_000, 2_000,
    words=(Word("too", 0, 300, 0.4),), data={"sure": False, "content": "x"},
)  # fmt: skip
LOST = Item("item_4", "user", "student", "audio", 4, "completed", None, 5_000)
SUMMARY = Summary(
    kind="normal",
    narrative=(Sentence("You worked.", ("item_1",)), Sentence("You said too.", ("item_2",))),
    next_steps=(Sentence("Go on.", ("item_1",)),),
    subjects=("Maths",),
    done_well=Sentence("You tried.", ("item_2",)),
    practice=("How many?",),
)


def test_without_corrections_an_item_is_read_as_it_is():
    (reading,) = of_items([SPOKE], [override("words", "item_2", "two", published=False)])
    assert reading.item is reading.original is SPOKE
    assert (reading.overrides, reading.changed, reading.answer) == ((), False, None)


def test_corrected_words_are_a_persons():
    two = override("words", "item_2", "two", "too")
    (reading,) = of_items([SPOKE], [two])
    assert reading.original == SPOKE
    assert reading.item == replace(
        SPOKE,
        said="two",
        words=(),
        data={"sure": True, "content": "x"},
        corrected=Corrected("Tayo Okafor", two.published_at),
    )
    assert reading.changed


def test_what_could_not_be_understood_gets_its_words():
    (reading,) = of_items([LOST], [override("words", "item_4", "four")])
    assert (reading.item.said, reading.original.said) == ("four", None)
    assert "sure" not in reading.item.data


def test_what_was_heard_in_whole_is_heard_in_whole():
    fix = override("words", "item_1", "How many quarters?", ASKED.said)
    (whole,) = of_items([ASKED], [fix])
    assert whole.item.heard == "How many quarters?"
    (cut,) = of_items([replace(ASKED, heard="How many")], [fix])
    assert (cut.item.said, cut.item.heard) == ("How many quarters?", "How many")


def test_another_speaker_is_on_another_side():
    (reading,) = of_items([ASKED], [override("speaker", "item_1", "student", "ai")])
    assert (reading.item.role, reading.item.speaker, reading.item.heard) == (
        "user",
        "student",
        None,
    )
    (reading,) = of_items([SPOKE], [override("speaker", "item_2", "tutor", "student")])
    assert (reading.item.role, reading.item.speaker) == ("assistant", "tutor")


def test_an_answer_is_corrected_beside_what_was_said():
    better = override("answer", "item_1", "What is a half?", ASKED.said)
    words = override("words", "item_1", "How many halfs?", ASKED.said)
    (reading,) = of_items([ASKED], [better, words])
    assert (reading.item.said, reading.answer) == ("How many halfs?", better)
    assert reading.overrides == (words, better), "newest first"
    assert reading.item.corrected == Corrected("Tayo Okafor", words.published_at, "What is a half?")
    (entry,) = as_json(SESSION, [reading])["items"]
    assert entry["correction"]["kind"] == "answer"
    assert [each["kind"] for each in entry["corrections"]] == ["words", "answer"]
    assert entry["correction"]["note"] is None
    (entry,) = as_json(SESSION, [reading], notes=True)["items"]
    assert entry["correction"]["note"] == "because"


def test_an_answer_alone_changes_no_words():
    (reading,) = of_items([ASKED], [override("answer", "item_1", "What is a half?", ASKED.said)])
    assert (reading.item.said, reading.changed) == ("How many halves?", False)
    (entry,) = as_json(SESSION, [reading])["items"]
    assert (entry["original"], entry["correction"]["text"]) == (None, "What is a half?")


def test_text_and_subtitles_say_what_was_corrected_and_by_whom():
    readings = of_items(
        [ASKED, SPOKE, LOST],
        [
            override("answer", "item_1", "What --> half?", ASKED.said),
            override("speaker", "item_2", "tutor", "student"),
            override("words", "item_4", "four\n\nfive"),
        ],
    )
    assert as_text(readings) == (
        "[00:00:00] Tutor (AI): How many halves?\n"
        "    (Tayo Okafor corrected this answer: “What --> half?”)\n"
        "[00:00:01] Tutor: too\n"
        "    (Tayo Okafor corrected who spoke; recorded was: Student)\n"
        "[00:00:05] Student: four\n"
        "    five\n"
        "    (Tayo Okafor corrected the words; recorded was: “(could not be understood)”)\n"
    )
    vtt = as_vtt(readings)
    assert "NOTE Tayo Okafor corrected this answer: “What → half?”\n\nitem_1\n" in vtt
    assert vtt.count("-->") == 3, "one a cue, none in a note"


def test_a_summary_is_read_with_its_corrections():
    fix = override("sentence", "1.narrative.1", "You said two.", "You said too.")
    well = override("sentence", "1.done_well.0", "You kept at it.", "You tried.")
    reading = of_summary(SUMMARY, 1, NOON, [fix, well])
    assert [(str(s.place), s.text, s.original) for s in reading.narrative] == [
        ("1.narrative.0", "You worked.", "You worked."),
        ("1.narrative.1", "You said two.", "You said too."),
    ]
    assert [sentence.override for sentence in reading.narrative] == [None, fix]
    assert reading.done_well and reading.done_well.text == "You kept at it."
    assert reading.next_steps[0].item_ids == ("item_1",)
    assert (reading.stale, reading.past) == (False, ())


def test_made_anew_a_summary_loses_no_correction_silently():
    fix = override("sentence", "1.narrative.1", "You said two.", "You said too.")
    worked = override("sentence", "1.narrative.0", "You worked hard.", "You worked.")
    step = override("next_step", "1.next_steps.0", "Go on with thirds.", "Go on.")
    anew = replace(SUMMARY, narrative=(Sentence("Hello.", ()), Sentence("You worked.", ())))
    reading = of_summary(anew, 2, NOON, [fix, worked, step])
    assert [sentence.text for sentence in reading.narrative] == ["Hello.", "You worked hard."]
    assert reading.next_steps[0].text == "Go on with thirds."
    assert reading.past == (fix,)
    again = override("sentence", "2.narrative.1", "You toiled.", "You worked.", after=worked)
    reading = of_summary(anew, 2, NOON, [fix, worked, step, again])
    assert reading.narrative[1].text == "You toiled."
    assert reading.past == (fix,), "what was replaced is history of its own"


def test_a_summary_is_stale_until_it_knows_the_corrections_of_items():
    words = override("words", "item_2", "two", "too")
    assert of_summary(SUMMARY, 1, NOON, [words]).stale
    knowing = replace(SUMMARY, overrides=tuple(known_to(resolve([words]))))
    assert not of_summary(knowing, 2, NOON, [words]).stale
    assert of_summary(knowing, 2, NOON, [words, override("answer", "item_1", "x")]).stale
    later = override("words", "item_2", "to", "too", after=words)
    assert of_summary(knowing, 2, NOON, [words, later]).stale


def test_once_somebody_has_been_through_it_a_summary_says_so():
    made_by = Sentence(f"Rules made this; {ENGLISH.unchecked}.", ())
    summary = replace(SUMMARY, narrative=(made_by,))
    marked = Reviewed(NOON, UUID(int=7), "Tayo Okafor")

    def says(made_at, overrides=(), reviewed=marked):
        (sentence,) = of_summary(summary, 1, made_at, overrides, reviewed).narrative
        return sentence.text

    assert says(NOON - timedelta(hours=1)) == "Rules made this; Tayo Okafor has looked through it."
    assert says(NOON - timedelta(hours=1), reviewed=None) == made_by.text
    assert says(NOON + timedelta(hours=1)) == made_by.text, "it was made anew since"
    fix = override("sentence", "1.narrative.0", "I wrote this.", made_by.text)
    assert says(NOON - timedelta(hours=1), [fix]) == "I wrote this."


def test_in_spanish_too():
    made_by = Sentence(f"Unas reglas lo hicieron; {SPANISH.unchecked}.", ())
    marked = Reviewed(NOON, UUID(int=7), "Tayo Okafor")
    reading = of_summary(replace(SUMMARY, narrative=(made_by,)), 1, NOON, (), marked)
    assert reading.narrative[0].text == "Unas reglas lo hicieron; Tayo Okafor lo ha revisado."
