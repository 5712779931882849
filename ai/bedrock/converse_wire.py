"""Bedrock's ConverseStream, pure: our turns as messages, its events as our pieces."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson

from ai.bedrock.eventstream import Message
from ai.bedrock.faults import classify
from ai.engine import EngineFailed, Spent
from ai.events import Fault
from ai.language import (
    MOST_ARGUMENTS,
    MOST_USES,
    Declared,
    ModelPiece,
    ModelTurn,
    Said,
    Stopped,
    TextDelta,
    ToolResult,
    ToolUse,
    cut_off,
)

CACHING = ("amazon.nova", "anthropic.claude")
"Models that take a cache point after the system part; others refuse it."

_USE_ID = re.compile(r"[^a-zA-Z0-9_-]")
_SCHEMA = ("type", "properties", "required")  # Nova takes no other field of a schema


def request(
    model: str,
    instructions: str,
    turns: Sequence[ModelTurn],
    tools: Sequence[Declared],
    max_tokens: int,
) -> dict[str, Any]:
    """The body of a call."""
    system: list[dict[str, Any]] = [{"text": instructions}]
    if any(family in model for family in CACHING):
        system.append({"cachePoint": {"type": "default"}})
    body: dict[str, Any] = {
        "messages": _messages(turns),
        "system": system,
        "inferenceConfig": {"maxTokens": max_tokens},
    }
    if tools:
        body["toolConfig"] = {"tools": [{"toolSpec": _declared(tool)} for tool in tools]}
    return body


def _declared(tool: Declared) -> dict[str, Any]:
    schema = {name: tool.parameters[name] for name in _SCHEMA if name in tool.parameters}
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": {"json": schema},
    }


def _messages(turns: Sequence[ModelTurn]) -> list[dict[str, Any]]:
    """Both sides take turns; results of tools come from the student's."""
    messages: list[dict[str, Any]] = []
    block: dict[str, Any]
    for turn in turns:
        match turn:
            case Said("student", text):
                role, block = "user", {"text": text}
            case Said(_, text):
                role, block = "assistant", {"text": text}
            case ToolUse(call, name, arguments):
                use = {"toolUseId": _use_id(call), "name": name, "input": _object(arguments)}
                role, block = "assistant", {"toolUse": use}
            case ToolResult(call, output):
                content = [{"json": found}] if (found := _object(output)) else [{"text": output}]
                result = {"toolUseId": _use_id(call), "content": content}
                role, block = "user", {"toolResult": result}
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"].append(block)
        else:
            messages.append({"role": role, "content": [block]})
    return messages


def _use_id(call: str) -> str:
    return _USE_ID.sub("_", call)[:64] or "_"


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


# ---- what comes ----------------------------------------------------------------------------------

_REASONS: Mapping[str, Literal["end", "length", "filtered"]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "filtered",
    "content_filtered": "filtered",
}


class ConverseDecoder:
    """The messages of one answer's stream."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._uses: dict[object, dict[str, str]] = {}
        "By index of their block."
        self._stopped = False

    def decode(self, message: Message) -> Iterator[ModelPiece]:
        """What a message says; nothing where it is not understood.

        Raises:
            EngineFailed: If it says that the answer failed.
        """
        about = _object_of(message.payload)
        kind = message.text(":message-type")
        if kind in ("exception", "error"):
            raise _failed(message, about)
        match message.text(":event-type"):
            case "contentBlockStart":
                self._begin(about)
            case "contentBlockDelta":
                yield from self._delta(about)
            case "messageStop":
                yield from self._stop(about.get("stopReason"))
            case "metadata":
                if isinstance(usage := about.get("usage"), Mapping):
                    yield from _spent(usage, self._model)

    def end(self) -> None:
        """The stream is over.

        Raises:
            EngineFailed: If the answer was cut off.
        """
        if not self._stopped:
            raise cut_off()

    def _begin(self, about: Mapping[str, Any]) -> None:
        start = about.get("start")
        use = start.get("toolUse") if isinstance(start, Mapping) else None
        if not isinstance(use, Mapping) or len(self._uses) >= MOST_USES:
            return
        call, name = use.get("toolUseId"), use.get("name")
        index = about.get("contentBlockIndex")
        if isinstance(call, str) and isinstance(name, str) and name and type(index) is int:
            self._uses[index] = {"call": call, "name": name, "arguments": ""}

    def _delta(self, about: Mapping[str, Any]) -> Iterator[TextDelta]:
        delta = about.get("delta")
        if not isinstance(delta, Mapping):
            return
        if isinstance(text := delta.get("text"), str) and text:
            yield TextDelta(text)
        part = delta.get("toolUse")
        more = part.get("input") if isinstance(part, Mapping) else None
        index = about.get("contentBlockIndex")
        use = self._uses.get(index) if type(index) is int else None
        if use is None or not isinstance(more, str):
            return
        if len(use["arguments"]) + len(more) <= MOST_ARGUMENTS:
            use["arguments"] += more

    def _stop(self, reason: object) -> Iterator[ModelPiece]:
        if self._stopped:
            return
        self._stopped = True
        if isinstance(reason, str) and reason.startswith("malformed"):
            fault = Fault("transient", "answer_malformed", reason)
            raise EngineFailed(fault.code, fault=fault)
        for use in self._uses.values():
            yield ToolUse(use["call"], use["name"], use["arguments"] or "{}")
        if self._uses:
            yield Stopped("tools")
        else:
            yield Stopped(_REASONS.get(reason, "end") if isinstance(reason, str) else "end")


def refused(name: str, status: int, body: bytes, retry_after_s: float | None) -> Fault:
    """What an answer with another status than 200 means."""
    return classify(name, _message(_object_of(body)), status=status, retry_after_s=retry_after_s)


def _failed(message: Message, about: Mapping[str, Any]) -> EngineFailed:
    name = message.text(":exception-type") or message.text(":error-code")
    fault = classify(name, _message(about) or message.text(":error-message"))
    return EngineFailed(fault.code, fault=fault)


def _message(about: Mapping[str, Any]) -> str:
    found = about.get("message", about.get("Message"))
    return found if isinstance(found, str) else ""


def _object_of(payload: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _spent(usage: Mapping[str, Any], model: str) -> Iterator[Spent]:
    """Tokens as they are billed; those read from the cache are no part of `inputTokens`."""

    def count(name: str) -> int:
        value = usage.get(name)
        return value if type(value) is int and 0 <= value < 1 << 40 else 0

    for unit, quantity in (
        ("text_tokens_in", count("inputTokens") + count("cacheWriteInputTokens")),
        ("cached_tokens_in", count("cacheReadInputTokens")),
        ("text_tokens_out", count("outputTokens")),
    ):
        if quantity:
            yield Spent(unit, quantity, model)
