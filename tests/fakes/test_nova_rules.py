"""What the simulated Nova refuses, and what it tells whoever did it."""

from typing import Any

import pytest

from tests.fakes import nova_rules as nova
from tests.fakes.nova_rules import (
    BAD_RESULT,
    BAD_RESULT_TYPE,
    BAD_VOICE,
    INVALID,
    OVER_LIMIT,
    TOO_LATE,
    UNEXPECTED,
    Refused,
    Rules,
)
from tests.fakes.raw_nova import (
    CLOSING,
    PROMPT,
    START,
    Event,
    audio,
    audio_start,
    end,
    opening,
    text,
)

P = {"promptName": "P"}
TOOL = {
    "toolSpec": {"name": "look", "description": "d", "inputSchema": {"json": '{"type":"object"}'}}
}


def run(*events: Event, calls: tuple[str, ...] = ()) -> tuple[Rules, list[nova.Fact]]:
    rules = Rules(asked_calls=set(calls))
    facts = [rules.receive({"event": {name: body}}) for name, body in events]
    return rules, [fact for fact in facts if fact is not None]


def tool_result(output: str = "{}", media: str = "text/plain", call: str = "tu-1") -> list[Event]:
    of = {**P, "contentName": "T"}
    given = {"toolUseId": call, "type": "TEXT", "textInputConfiguration": {"mediaType": media}}
    head = {**of, "interactive": False, "type": "TOOL", "role": "TOOL"}
    return [
        ("contentStart", {**head, "toolResultInputConfiguration": given}),
        ("toolResult", {**of, "content": output}),
        ("contentEnd", of),
    ]


def prompt(**changed: Any) -> Event:
    return "promptStart", {**PROMPT, **changed}


def voice(name: str) -> Event:
    sound: Any = PROMPT["audioOutputConfiguration"]
    return prompt(audioOutputConfiguration={**sound, "voiceId": name})


def tools(schema: object) -> Event:
    spec = {**TOOL["toolSpec"], "inputSchema": {"json": schema}}
    return prompt(toolConfiguration={"tools": [{"toolSpec": spec}]})


def test_a_whole_session_is_accepted() -> None:
    rules, facts = run(
        ("sessionStart", START),
        prompt(toolConfiguration={"tools": [TOOL], "toolChoice": {"auto": {}}}),
        *text("S", "SYSTEM", "You are a tutor."),
        *text("1", "USER", "Hello."),
        *text("2", "ASSISTANT", "What is a half?"),
        audio_start(),
        audio(bytes(1_024)),
        *text("3", "USER", "(go on)", interactive=True),
        audio(bytes(1_024)),
        *tool_result(),
        *CLOSING,
        calls=("tu-1",),
    )
    assert facts == [
        nova.PromptOpened("P", 24_000, "tiffany", 1_500, ("look",)),
        nova.SystemSaid("You are a tutor."),
        nova.HistorySaid("USER", "Hello."),
        nova.HistorySaid("ASSISTANT", "What is a half?"),
        nova.AudioOpened(16_000),
        nova.AudioHeard(bytes(1_024)),
        nova.TextAsked("(go on)"),
        nova.AudioHeard(bytes(1_024)),
        nova.ToolAnswered("tu-1", "{}"),
        nova.PromptClosed(),
        nova.SessionClosed(),
    ]
    assert rules.closed_well


SESSION: Event = ("sessionStart", START)
BEGUN = (*opening(), audio_start())
KILOBYTES = [
    event
    for number in range(41)
    for event in text(f"h{number}", "ASSISTANT" if number % 2 else "USER", "x" * 1_024)
]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([prompt()], INVALID),
        ([SESSION, SESSION], INVALID),
        ([SESSION, *text("S", "SYSTEM", "s")], INVALID),
        ([SESSION, prompt(), prompt()], INVALID),
        ([SESSION, voice("nobody")], BAD_VOICE),
        ([SESSION, tools({"type": "object"})], INVALID),
        ([SESSION, tools("{")], INVALID),
        ([("sessionStart", {**START, "endpointingSensitivity": "HIGH"})], INVALID),
        ([("sessionStart", {"inferenceConfiguration": {"maxTokens": 10_001}})], INVALID),
        ([SESSION, prompt(), audio_start()], INVALID),
        ([SESSION, prompt(), *text("H", "USER", "before SYSTEM")], INVALID),
        ([*opening(), *text("S2", "SYSTEM", "again")], INVALID),
        ([*opening(), *text("S", "USER", "a name used before")], INVALID),
        ([*opening(), *text("H", "ASSISTANT", "first")], INVALID),
        ([*opening(), *text("1", "USER", "a"), *text("2", "USER", "b")], INVALID),
        ([*opening(), *text("H", "USER", "x" * 1_025)], OVER_LIMIT),
        ([*opening(), *text("H", "USER", "ß" * 513)], OVER_LIMIT),
        ([*opening(), *KILOBYTES], OVER_LIMIT),
        ([*BEGUN, *text("H", "USER", "too late")], TOO_LATE),
        ([*BEGUN, audio_start("B")], UNEXPECTED),
        ([*BEGUN, end(), audio_start("B")], UNEXPECTED),
        ([*opening(), audio_start(sampleRateHertz=44_100)], INVALID),
        ([*opening(), audio_start(channelCount=2)], INVALID),
        ([*opening(), audio(b"")], INVALID),
        ([*BEGUN, audio(b"", "another")], INVALID),
        ([*BEGUN, audio(b"odd")], INVALID),
        ([*BEGUN, ("audioInput", {**P, "contentName": "A", "content": "?"})], INVALID),
        ([*BEGUN, ("audioInput", {"promptName": "Q", "contentName": "A", "content": ""})], INVALID),
        ([*BEGUN, end(), audio(b"")], INVALID),
        ([*BEGUN, *text("T", "USER", "t", interactive=True)[:2], audio(b"")], INVALID),
        ([*opening(), *text("T", "USER", "no audio yet", interactive=True)], INVALID),
        ([*BEGUN, *tool_result("bare text")], BAD_RESULT),
        ([*BEGUN, *tool_result(media="application/json")], BAD_RESULT_TYPE),
        ([*BEGUN, *tool_result(call="tu-9")], INVALID),
        ([*BEGUN, *tool_result()[::2]], BAD_RESULT),
        ([*BEGUN, ("promptEnd", P)], INVALID),
        ([*BEGUN, end(), ("sessionEnd", {})], INVALID),
        ([*BEGUN, *CLOSING, audio(b"")], INVALID),
        ([*BEGUN, ("sessionStop", {})], INVALID),
        ([SESSION, ("promptStart", {"promptName": 7})], INVALID),
        ([SESSION, prompt(toolConfiguration=[])], INVALID),
    ],
)
def test_what_is_against_the_rules_is_refused_with_its_own_words(
    events: list[Event], message: str
) -> None:
    with pytest.raises(Refused) as refused:
        run(*events, calls=("tu-1",))
    assert refused.value.message == message


@pytest.mark.parametrize("event", [None, {}, {"event": []}, {"event": {"a": {}, "b": {}}}])
def test_what_is_no_event_is_refused(event: object) -> None:
    with pytest.raises(Refused):
        Rules().receive(event)


def test_forty_kilobytes_of_history_are_accepted() -> None:
    _, facts = run(*opening(), *KILOBYTES[: 3 * 40])
    assert len(facts) == 42
