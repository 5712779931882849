"""OpenAI's Responses, pure: our turns as input items, their events as our pieces.

Nothing is stored at OpenAI (`store: false`): each call brings the whole conversation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ai.engine import EngineFailed
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
from ai.openai.chat_wire import declared, spent
from ai.openai.faults import classify


def request(
    model: str,
    instructions: str,
    turns: Sequence[ModelTurn],
    tools: Sequence[Declared],
    max_tokens: int,
) -> dict[str, Any]:
    """The body of a call."""
    body: dict[str, Any] = {
        "model": model,
        "instructions": instructions,
        "input": [_item(turn) for turn in turns],
        "stream": True,
        "store": False,
        "max_output_tokens": max_tokens,
    }
    if tools:
        body["tools"] = [{"type": "function", "strict": False, **declared(tool)} for tool in tools]
    return body


def _item(turn: ModelTurn) -> dict[str, Any]:
    match turn:
        case Said(role, text):
            sender = "user" if role == "student" else "assistant"
            return {"type": "message", "role": sender, "content": text}
        case ToolUse(call, name, arguments):
            about = {"call_id": call, "name": name, "arguments": arguments}
            return {"type": "function_call", **about}
        case ToolResult(call, output):
            return {"type": "function_call_output", "call_id": call, "output": output}


class ResponsesDecoder:
    """The events of one response."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._number = -1
        "Of the last event; one that comes twice has the same."
        self._items: set[str] = set()
        self._uses = 0
        self._over = False

    def decode(self, event: Any) -> Iterator[ModelPiece]:
        """What an event says.

        Raises:
            EngineFailed: If it says that the answer failed.
        """
        if not isinstance(event, Mapping) or self._over or not self._is_ours(event):
            return
        if not self._is_next(event):
            return
        match event.get("type"):
            case "response.output_item.added":
                if isinstance(item := event.get("item"), Mapping):
                    self._items.add(str(item.get("id")))
            case "response.output_text.delta" | "response.refusal.delta":
                if isinstance(text := event.get("delta"), str) and text:
                    yield TextDelta(text)
            case "response.output_item.done":
                yield from self._use(event.get("item"))
            case "response.completed" | "response.incomplete":
                yield from self._end(event.get("response"))
            case "response.failed":
                response = event.get("response")
                raise _failed(response.get("error") if isinstance(response, Mapping) else None)
            case "error":
                raise _failed(event)

    def end(self) -> None:
        """The stream is over.

        Raises:
            EngineFailed: If the answer was cut off.
        """
        if not self._over:
            raise cut_off()

    def _is_next(self, event: Mapping[str, Any]) -> bool:
        number = event.get("sequence_number")
        if type(number) is not int:
            return True
        newer = number > self._number
        self._number = max(self._number, number)
        return newer

    def _is_ours(self, event: Mapping[str, Any]) -> bool:
        """Whether an event that names an item names one of this response."""
        return "item_id" not in event or str(event["item_id"]) in self._items

    def _use(self, item: Any) -> Iterator[ToolUse]:
        if not isinstance(item, Mapping) or item.get("type") != "function_call":
            return
        call, name = item.get("call_id"), item.get("name")
        if not (isinstance(call, str) and isinstance(name, str) and name):
            return
        if self._uses < MOST_USES:
            self._uses += 1
            arguments = item.get("arguments")
            text = arguments if isinstance(arguments, str) else "{}"
            yield ToolUse(call, name, text[:MOST_ARGUMENTS] or "{}")

    def _end(self, response: Any) -> Iterator[ModelPiece]:
        self._over = True
        about: Mapping[str, Any] = response if isinstance(response, Mapping) else {}
        details = about.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        if self._uses:
            yield Stopped("tools")
        elif reason == "content_filter":
            yield Stopped("filtered")
        else:
            yield Stopped("length" if reason == "max_output_tokens" else "end")
        if isinstance(usage := about.get("usage"), Mapping):
            yield from spent(usage, self._model, "input_tokens", "output_tokens")


def _failed(error: Any) -> EngineFailed:
    about: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    fault = classify(
        code=str(about.get("code") or ""),
        detail=str(about.get("message") or "The answer failed."),
    )
    return EngineFailed(fault.code, fault=fault)
