"""What Bedrock's Converse accepts: a request's body goes in, the conversation comes out. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.mind import Line

STAGE_DIRECTION = ("(", "[", "<")
"What a text begins with that is no line of the student."


class Invalid(Exception):
    """A request that is answered by ValidationException with this message."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the model is asked."""

    instructions: str
    lines: tuple[Line, ...]
    max_tokens: int
    tools: tuple[str, ...]
    tokens: int
    "Of the whole request, as words."


def read(body: object) -> Asked:
    """The request. Raises Invalid."""
    try:
        return _read(body)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise Invalid(f"Malformed input request: {problem!r}, please reformat.") from None


def _read(body: Any) -> Asked:
    known = {"messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields"}
    if strange := set(body) - known - {"outputConfig", "requestMetadata", "performanceConfig"}:
        raise Invalid(
            f"Malformed input request: extraneous key {sorted(strange)} is not permitted."
        )
    config = body.get("inferenceConfig", {})
    max_tokens = config.get("maxTokens", 4_096)
    if type(max_tokens) is not int or max_tokens < 1:
        raise Invalid("Value at 'inferenceConfig.maxTokens' failed to satisfy constraint.")
    for name in ("temperature", "topP"):
        if not 0 <= config.get(name, 0.5) <= 1:
            raise Invalid(f"Value at 'inferenceConfig.{name}' failed to satisfy constraint.")
    system = [block["text"] for block in body.get("system", []) if "cachePoint" not in block]
    tools = _tools(body.get("toolConfig"))
    messages = body["messages"]
    lines = _lines(messages)
    used = {name for message in messages for block in message["content"] for name in block}
    if used & {"toolUse", "toolResult"} and not tools:
        raise Invalid(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        )
    words = sum(len(text.split()) for text in [*system, *(line.text for line in lines)])
    return Asked("\n".join(system), lines, max_tokens, tools, words)


def _tools(config: Mapping[str, Any] | None) -> tuple[str, ...]:
    if config is None:
        return ()
    if not config["tools"]:
        raise Invalid("Value at 'toolConfig.tools' failed to satisfy constraint: at least 1.")
    for tool in config["tools"]:
        if not isinstance(tool["toolSpec"]["inputSchema"]["json"], dict):
            raise Invalid("The value at toolConfig.tools.0.toolSpec.inputSchema.json is no object.")
    return tuple(tool["toolSpec"]["name"] for tool in config["tools"])


def _lines(messages: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    if not messages or messages[0]["role"] != "user":
        raise Invalid("A conversation must start with a user message. Try again.")
    if messages[-1]["role"] != "user":
        raise Invalid("A conversation must end with a user message. Try again.")
    lines: list[Line] = []
    owed: set[str] = set()
    for at, message in enumerate(messages):
        role = "user" if at % 2 == 0 else "assistant"
        if message["role"] != role:
            raise Invalid("A conversation must alternate between user and assistant roles.")
        if not message["content"]:
            raise Invalid(f"The content field in the Message object at messages.{at} is empty.")
        given = {
            block["toolResult"]["toolUseId"]
            for block in message["content"]
            if "toolResult" in block
        }
        if role == "user" and given != owed:
            raise Invalid(
                f"Expected toolResult blocks at messages.{at}.content for the following Ids:"
                f" {', '.join(sorted(owed))}"
            )
        owed = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}
        for place, block in enumerate(message["content"]):
            lines += _block(block, role, f"messages.{at}.content.{place}")
    return tuple(lines)


def _block(block: Mapping[str, Any], role: str, place: str) -> list[Line]:
    match block:
        case {"text": str(text)}:
            if not text.strip():
                raise Invalid(f"The text field in the ContentBlock object at {place} is blank.")
            if role == "user" and text.startswith(STAGE_DIRECTION):
                return []
            return [Line("student" if role == "user" else "tutor", text)]
        case {"toolUse": {"toolUseId": str(), "name": str(), "input": dict()}}:
            return []
        case {"toolResult": {"content": list(content)}}:
            if any(set(part) - {"text", "json"} for part in content):
                raise Invalid(f"The value at {place}.toolResult.content is invalid.")
            return [Line("tool", str(content))]
        case {"cachePoint": _}:
            return []
    raise Invalid(f"The content block at {place} is invalid.")
