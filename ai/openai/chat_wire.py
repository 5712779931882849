"""Chat completions, pure: our turns as messages, their chunks as our pieces.

The format is OpenAI's, and that of Ollama, vLLM, llama.cpp and many more, each with its own idea of
it: so whatever comes is read as far as it makes sense, and the rest is ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from ai.engine import Spent
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


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server knows of the protocol."""

    most: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    usage: bool = True
    "`stream_options` with `include_usage`."
    tools: bool = True


def dialect_of(base_url: str) -> Dialect:
    """What to begin with: OpenAI's newer models refuse `max_tokens`, others know no other name."""
    theirs = any(host in base_url for host in ("api.openai.com", "openai.azure.com"))
    return Dialect("max_completion_tokens" if theirs else "max_tokens")


def adapted(dialect: Dialect, refused_for: str) -> Dialect | None:
    """What to try after a request was refused; None: it was refused for something else."""
    if "max_completion_tokens" in refused_for or "max_tokens" in refused_for:
        # Either name may be meant by a message that advises the other one.
        other: Literal["max_completion_tokens", "max_tokens"] = (
            "max_tokens" if dialect.most == "max_completion_tokens" else "max_completion_tokens"
        )
        if f"use '{dialect.most}'" in refused_for:
            return None
        return replace(dialect, most=other)
    if dialect.usage and "stream_options" in refused_for:
        return replace(dialect, usage=False)
    if dialect.tools and "tool" in refused_for and "support" in refused_for:
        return replace(dialect, tools=False)
    return None


def request(
    model: str,
    instructions: str,
    turns: Sequence[ModelTurn],
    tools: Sequence[Declared],
    max_tokens: int,
    dialect: Dialect,
) -> dict[str, Any]:
    """The body of a call."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": instructions}, *_messages(turns)],
        "stream": True,
        dialect.most: max_tokens,
    }
    if dialect.usage:
        body["stream_options"] = {"include_usage": True}
    if tools and dialect.tools:
        body["tools"] = [{"type": "function", "function": declared(tool)} for tool in tools]
    return body


def declared(tool: Declared) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _messages(turns: Sequence[ModelTurn]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for turn in turns:
        match turn:
            case Said("student", text):
                messages.append({"role": "user", "content": text})
            case Said(_, text):
                messages.append({"role": "assistant", "content": text})
            case ToolUse(call, name, arguments, beside):
                if not messages or messages[-1]["role"] != "assistant":
                    messages.append({"role": "assistant", "content": ""})
                function = {"name": name, "arguments": arguments}
                messages[-1].setdefault("tool_calls", []).append(
                    {"id": call, "type": "function", "function": function, **beside}
                )
            case ToolResult(call, output):
                messages.append({"role": "tool", "tool_call_id": call, "content": output})
    return messages


# ---- what comes ----------------------------------------------------------------------------------

_REASONS: Mapping[str, Literal["end", "tools", "length", "filtered"]] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "filtered",
}


@dataclass(slots=True)
class _Use:
    """A tool's use as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    beside: dict[str, Any] = field(default_factory=dict)


class ChatDecoder:
    """The chunks of one answer."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = ""
        self._uses: dict[int, _Use] = {}
        self._reason = ""
        self._usage: Mapping[str, Any] = {}

    def decode(self, chunk: Any) -> Iterator[ModelPiece]:
        """The text of a chunk; what is not text waits for `end`. Never raises."""
        if not isinstance(chunk, Mapping) or not self._is_ours(chunk.get("id")):
            return
        if isinstance(usage := chunk.get("usage"), Mapping):
            self._usage = usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self._reason = reason
        delta = choice.get("delta")
        if not isinstance(delta, Mapping):
            return
        for name in ("content", "refusal"):
            if isinstance(text := delta.get(name), str) and text:
                yield TextDelta(text)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                self._note(call)

    def end(self) -> Iterator[ModelPiece]:
        """The stream is over: tools that are to be used, why it ended, and what it cost.

        Raises:
            EngineFailed: If the answer was cut off.
        """
        if not self._reason:
            raise cut_off()
        uses = [use for use in self._uses.values() if use.name]
        for number, use in enumerate(uses):
            yield ToolUse(use.id or f"call_{number}", use.name, use.arguments or "{}", use.beside)
        yield Stopped("tools" if uses else _REASONS.get(self._reason, "end"))
        yield from spent(self._usage, self._model, "prompt_tokens", "completion_tokens")

    def _is_ours(self, chunk_id: Any) -> bool:
        """Whether a chunk is of this answer: all of one bear the same id."""
        if not isinstance(chunk_id, str) or not chunk_id:
            return True
        self._id = self._id or chunk_id
        return chunk_id == self._id

    def _note(self, call: Mapping[str, Any]) -> None:
        index, call_id = call.get("index"), call.get("id")
        if type(index) is not int:
            index = max(self._uses, default=-1) + (1 if call_id or not self._uses else 0)
        use = self._uses.get(index)
        if use is not None and isinstance(call_id, str) and use.id and call_id not in ("", use.id):
            index, use = max(self._uses) + 1, None  # Ollama gives every call the index 0
        if use is None:
            if len(self._uses) >= MOST_USES:
                return
            use = self._uses[index] = _Use()
        if isinstance(call_id, str):
            use.id = use.id or call_id
        if isinstance(extra := call.get("extra_content"), Mapping):
            use.beside["extra_content"] = extra  # Gemini: its thought's signature
        function = call.get("function")
        if not isinstance(function, Mapping):
            return
        if isinstance(name := function.get("name"), str):
            use.name = use.name or name
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):
            arguments = _json(arguments)
        if isinstance(arguments, str) and len(use.arguments) + len(arguments) <= MOST_ARGUMENTS:
            use.arguments += arguments


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return "{}"


def spent(usage: Mapping[str, Any], model: str, asked: str, said: str) -> Iterator[Spent]:
    """Tokens as they are billed: those that were cached apart from the others."""
    details = usage.get(f"{asked}_details")
    cached = count(details.get("cached_tokens")) if isinstance(details, Mapping) else 0
    whole = count(usage.get(asked))
    cached = min(cached, whole)
    for unit, quantity in (
        ("text_tokens_in", whole - cached),
        ("cached_tokens_in", cached),
        ("text_tokens_out", count(usage.get(said))),
    ):
        if quantity:
            yield Spent(unit, quantity, model)


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return value if type(value) is int and 0 <= value < 1 << 40 else 0
