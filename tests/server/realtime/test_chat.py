"""Chat requests, and where they stand in a lesson's conversation."""

from typing import Any

import pytest

from server.realtime import chat
from server.realtime.chat import Asked, AtTheEnd, Line
from server.realtime.reading import Bad, Fields
from sessions.record.model import Item


def read(**body: Any) -> chat.ChatRequest:
    return chat.read_request(Fields({"model": "halves", **body}))


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def told(*said: str) -> list[Item]:
    """Items from `student: words`, `ai: words`, `system: words`; `…` is not known yet."""
    items = []
    for position, line in enumerate(said, 1):
        speaker, _, text = line.partition(": ")
        role = {"student": "user", "ai": "assistant", "tutor": "assistant"}.get(speaker, "system")
        known = text != "…"
        items.append(
            Item(
                id=f"item_{position}",
                role=role,  # type: ignore[arg-type]
                speaker=speaker,  # type: ignore[arg-type]
                kind="text",
                position=position,
                status="completed" if known else "in_progress",
                said=text if known else None,
                started_ms=position,
            )
        )
    return items


def lines(*said: str) -> list[Line]:
    return [
        Line("user" if text.startswith("student") else "assistant", text.partition(": ")[2])
        for text in said
    ]


# ---- requests --------------------------------------------------------------------------------


def test_a_request_is_reduced_to_what_was_said() -> None:
    request = read(
        messages=[
            {"role": "system", "content": "Be a pirate"},
            {"role": "developer", "content": [{"type": "text", "text": "Arr"}]},
            user("Hi"),
            {"role": "assistant", "content": None, "tool_calls": [{}]},
            {"role": "tool", "content": "42", "tool_call_id": "c"},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Hello"}, {"type": "refusal"}],
            },
            user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ],
        temperature=0.3,
        tools=[],
        stop=None,
        stream=True,
        stream_options={"include_usage": True},
        user="mia",
        **{"bad header\n": 1},
    )
    assert request.before == (Line("user", "Hi"), Line("assistant", "Hello"))
    assert request.last == "a\nb"
    assert request.stream and request.include_usage
    assert request.locked == ("temperature", "tools", "system", "developer", "tool")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": "hi"},
        {"messages": []},
        {"messages": ["hi"]},
        {"messages": [{}]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": 1, "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [user(None)]},
        {"messages": [user(1)]},
        {"messages": [user("  ")]},
        {"messages": [user([1])]},
        {"messages": [user([{}])]},
        {"messages": [user([{"type": "text"}])]},
        {"messages": [user([{"type": "text", "text": 1}])]},
        {"messages": [user([{"type": "image_url", "image_url": {"url": "x"}}])]},
        {"messages": [user([{"type": "input_audio", "input_audio": {}}])]},
        {"messages": [user("x" * 8_001)]},
        {"messages": [user("hi"), {"role": "assistant", "content": "hello"}]},
        {"messages": [{"role": "system", "content": "hi"}]},
        {"messages": [{"role": "assistant", "content": 7}, user("hi")]},
        {"messages": [user("hi")] * 2_001},
        {"messages": [user("hi")], "stream": "yes"},
        {"messages": [user("hi")], "stream_options": []},
        {"messages": [user("hi")], "model": 7},
        {"messages": [user("hi")], "model": None},
        {"messages": [user("hi")], "model": "x" * 129},
    ],
)
def test_a_bad_request_is_refused_in_a_sentence(body: dict[str, Any]) -> None:
    with pytest.raises(Bad) as refused:
        read(**body)
    assert refused.value.message.endswith(".") and refused.value.param


# ---- the place in a session ------------------------------------------------------------------

TALK = told("student: Hi", "ai: Hello.  What part?", "student: half", "ai: Yes!")


@pytest.mark.parametrize(
    ("items", "before", "last", "place"),
    [
        ([], [], "Hi", AtTheEnd()),
        (TALK[:2], ["student: Hi", "ai: Hello. What part?"], "half", AtTheEnd()),
        (TALK[:2], ["student: Hi", "ai: Hello."], "half", AtTheEnd()),  # it stopped reading
        (TALK, ["student: Hi", "ai: Hello. What part?"], "half", Asked("item_3", "Yes!")),
        (TALK, [], "Hi", Asked("item_1", "Hello.  What part?")),
        (TALK[:3], ["student: Hi", "ai: Hello. What part?"], "half", Asked("item_3", None)),
        (TALK, ["student: Hi", "ai: Hello. What part?"], "third", None),
        (TALK, [], "half", None),
        (TALK[:2], ["student: Hi", "ai: Something else"], "half", None),
        (TALK[:2], ["student: Hi", "student: Hello. What part?"], "half", None),
        (TALK[:2], [], "new", None),
        (TALK[:2], ["student: Hi", "ai: Hello. What part?", "student: x"], "half", None),
        (told("ai: Welcome.", "student: a", "ai: …"), ["ai: Welcome."], "a", Asked("item_2", None)),
        (
            told("student: Hi", "system: Ms Ito joined.", "ai: Hello.", "tutor: Hi Mia."),
            ["student: Hi", "ai: Hello. Hi Mia."],
            "half",
            AtTheEnd(),
        ),
        (
            told("student: a", "ai: b", "system: x", "tutor: c", "student: d"),
            [],
            "a",
            Asked("item_1", "b\nc"),
        ),
    ],
)
def test_the_place_of_a_request(
    items: list[Item], before: list[str], last: str, place: object
) -> None:
    assert chat.place(items, lines(*before), last) == place


def test_tokens_are_the_engines_or_estimated() -> None:
    request = read(messages=[user("12345")])
    counted = {"input_tokens": 7, "output_tokens": 3}
    assert chat.usage(request, "xyz", counted)["total_tokens"] == 10
    assert chat.usage(request, "123", None) == {
        "prompt_tokens": 2,
        "completion_tokens": 1,
        "total_tokens": 3,
    }
