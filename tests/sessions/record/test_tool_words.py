import pytest

from sessions.record import transcript
from sessions.record.model import Item
from sessions.record.tool_words import tool_words
from sessions.review.readings import of_items


def use(name, arguments, result, step=2, said="The tutor used a tool."):
    tool = {"name": name, "arguments": arguments, "result": result, "step": step}
    return Item(
        "item_t", "system", "system", "text", 1, "completed", said, 4_000, 4_000,
        data={"tool": tool},
    )  # fmt: skip


CHECKED = use(
    "check_answer",
    {"said": "two"},
    {"verdict": "wrong", "understood": "two", "misconception": 1, "now": "Speak to this"},
    said="The tutor checked the answer.",
)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (CHECKED, "Checked “two” against step 2: wrong, misconception 1."),
        (
            use("check_answer", {"said": "a half"}, {"verdict": "right", "understood": "1/2"}),
            "Checked “a half” against step 2: right (understood as “1/2”).",
        ),
        (
            use("check_answer", {"said": "a half"}, {"error": "It can't be checked now."}),
            "Checked “a half” against step 2. It could not be done.",
        ),
        (
            use("look_up", {"about": "lions"}, {"passages": [{"source": "Zoo", "text": "Roar."}]}),
            "Looked up “lions”: Zoo: “Roar.”",
        ),
        (use("look_up", {"about": "lions"}, {"passages": []}), "Looked up “lions”: nothing found."),
        (
            use("look_up", {"about": "lions"}, {"error": "It can't be checked now."}),
            "Looked up “lions”. It could not be done.",
        ),
        (
            use("note_progress", {"what": "hint_given", "step": 2, "which": 1}, {"noted": True}),
            "Noted: hint 1 of step 2 was given.",
        ),
        (
            use("note_progress", {"what": "step_done", "step": 2, "which": 0}, {"noted": True}),
            "Noted: step 2 is done.",
        ),
        (use("ask_for_human", {"reason": "Sam cries."}, {}), "Asked for a person: Sam cries."),
        (use("ask_for_human", {"reason": ""}, {}), "Asked for a person."),
        (use("show", {"kind": "text"}, {}, said="On the board: 2/4"), "On the board: 2/4"),
        (use("of_another_version", {}, {}), "The tutor used a tool."),
        (Item("item_1", "user", "student", "text", 1, "completed", "Hi", 0), None),
    ],
)
def test_a_use_is_told_in_plain_words(item, words):
    assert tool_words(item) == words


@pytest.mark.parametrize("broken", [None, 3, [], {"name": "look_up"}, {"name": "check_answer"}])
def test_data_of_another_version_is_no_trouble(broken):
    item = Item("i", "system", "system", "text", 1, "completed", "x", 0, data={"tool": broken})
    assert tool_words(item) is None or isinstance(tool_words(item), str)


def test_students_read_that_something_was_done_and_staff_what():
    (entry,) = transcript.as_json("s", of_items([CHECKED], ()))["items"]
    assert entry["tool"] == {"name": "check_answer", "words": None}
    assert entry["said"] == "The tutor checked the answer."
    (entry,) = transcript.as_json("s", of_items([CHECKED], ()), notes=True)["items"]
    assert entry["tool"]["words"].startswith("Checked “two”")
    for written in (transcript.as_text, transcript.as_vtt):
        assert "two" not in written(of_items([CHECKED], ()))
        assert "Checked “two”" in written(of_items([CHECKED], ()), notes=True)
