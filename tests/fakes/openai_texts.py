"""What chat completions and responses say, event by event. Pure: the reply is known already."""

import itertools
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.mind import Call, Line, Reply

ARGUMENTS_DELTA = 9  # characters
CHARACTERS_A_TOKEN = 4

Event = dict[str, Any]


def new_id(kind: str) -> str:
    return f"{kind}{random.randbytes(12).hex()}"


def pieces(text: str) -> list[str]:
    """As a model writes: a word at a time, or less."""
    return re.findall(r"\s*\S{1,8}|\s+$", text)


def tokens(*texts: str) -> int:
    return sum(map(len, texts)) // CHARACTERS_A_TOKEN + 1


def plain(content: Any) -> str:
    """The words of a message's content, a string or parts."""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return content or ""


def cut(reply: Reply, most: int | None) -> tuple[list[str], tuple[Call, ...], bool]:
    """The pieces of a reply and its calls, and whether it was longer than `most` tokens."""
    said = pieces(reply.text)
    if most is not None and len(said) > most:
        return said[:most], (), True
    return said, reply.calls, False


# ---- chat completions ----------------------------------------------------------------------------


def of_chat(messages: Sequence[Mapping[str, Any]]) -> tuple[str, list[Line]]:
    """Instructions and conversation."""
    instructions, lines = [], []
    for message in messages:
        text = plain(message.get("content"))
        match message["role"]:
            case "system" | "developer":
                instructions.append(text)
            case "user":
                lines.append(Line("student", text))
            case "assistant" if text:
                lines.append(Line("tutor", text))
            case "tool":
                lines.append(Line("tool", text))
    return "\n\n".join(instructions), lines


def chat_usage(wish: Mapping[str, Any], reply: Reply) -> Event:
    asked = tokens(*(plain(message.get("content")) for message in wish["messages"]))
    said = tokens(reply.text, *(call.arguments for call in reply.calls))
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": asked // 2, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def chat_whole(wish: Mapping[str, Any], reply: Reply) -> Event:
    """The answer to a call without `stream`."""
    said, calls, long = cut(reply, _most(wish))
    message: Event = {"role": "assistant", "content": "".join(said) or None, "refusal": None}
    if calls:
        message["tool_calls"] = [_tool_call(call) for call in calls]
    finish = "length" if long else "tool_calls" if calls else "stop"
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": wish["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": chat_usage(wish, reply),
    }


def chat_chunks(wish: Mapping[str, Any], reply: Reply) -> Iterator[Event]:
    """The chunks of a stream, up to `[DONE]`."""
    counts = bool((wish.get("stream_options") or {}).get("include_usage"))
    frame = {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": wish["model"],
    }

    def chunk(delta: Event, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**frame, "choices": [choice], **({"usage": None} if counts else {})}

    said, calls, long = cut(reply, _most(wish))
    yield chunk({"role": "assistant", "content": "" if said else None})
    for piece in said:
        yield chunk({"content": piece})
    for index, call in enumerate(calls):
        whole = _tool_call(call)
        begun = {**whole, "index": index, "function": {"name": call.name, "arguments": ""}}
        yield chunk({"tool_calls": [begun]})
        for part in _arguments(call):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, "length" if long else "tool_calls" if calls else "stop")
    if counts:
        yield {**frame, "choices": [], "usage": chat_usage(wish, reply)}


def _most(wish: Mapping[str, Any]) -> int | None:
    return wish.get("max_completion_tokens") or wish.get("max_tokens")


def _tool_call(call: Call) -> Event:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": new_id("call_"), "type": "function", "function": function}


def _arguments(call: Call) -> list[str]:
    text = call.arguments
    return [text[at : at + ARGUMENTS_DELTA] for at in range(0, len(text), ARGUMENTS_DELTA)]


# ---- responses -----------------------------------------------------------------------------------


def of_input(given: str | Sequence[Mapping[str, Any]]) -> tuple[str, list[Line]]:
    """Instructions that stand in the input, and conversation."""
    if isinstance(given, str):
        return "", [Line("student", given)]
    instructions, lines = [], []
    for item in given:
        text = plain(item.get("content"))
        match item.get("type", "message"), item.get("role"):
            case "message", "system" | "developer":
                instructions.append(text)
            case "message", "user":
                lines.append(Line("student", text))
            case "message", "assistant":
                lines.append(Line("tutor", text))
            case "function_call_output", _:
                lines.append(Line("tool", plain(item["output"])))
    return "\n\n".join(instructions), lines


class Responses:
    """The events of one response; each has its `sequence_number`."""

    def __init__(self, wish: Mapping[str, Any], reply: Reply, heard: Sequence[Line]) -> None:
        self.id = new_id("resp_")
        self._wish = wish
        self._reply = reply
        self._said, self._calls, self._long = cut(reply, wish.get("max_output_tokens"))
        self._heard = heard
        self._output: list[Event] = []
        self._created = int(time.time())
        self._numbers = itertools.count()

    def whole(self) -> Event:
        """The finished response."""
        for _ in self.events():
            pass
        return self._response("incomplete" if self._long else "completed")

    def events(self) -> Iterator[Event]:
        yield self._event("response.created", response=self._response("in_progress"))
        yield self._event("response.in_progress", response=self._response("in_progress"))
        if self._said:
            yield from self._message()
        for call in self._calls:
            yield from self._call(call)
        status = "incomplete" if self._long else "completed"
        yield self._event(f"response.{status}", response=self._response(status))

    def failed(self, number: int) -> Event:
        """In the place of the rest, from that event on."""
        error = {"code": "server_error", "message": "The model has failed to answer."}
        response = self._response("failed") | {"error": error}
        return {"type": "response.failed", "sequence_number": number, "response": response}

    def _event(self, kind: str, **fields: Any) -> Event:
        return {"type": kind, "sequence_number": next(self._numbers), **fields}

    def _message(self) -> Iterator[Event]:
        item: Event = {"id": new_id("msg_"), "type": "message", "role": "assistant"}
        index = len(self._output)
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        begun = {**item, "status": "in_progress", "content": []}
        yield self._event("response.output_item.added", output_index=index, item=begun)
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        yield self._event("response.content_part.added", part=part, **place)
        for piece in self._said:
            yield self._event("response.output_text.delta", delta=piece, logprobs=[], **place)
        text = "".join(self._said)
        part = {**part, "text": text}
        yield self._event("response.output_text.done", text=text, logprobs=[], **place)
        yield self._event("response.content_part.done", part=part, **place)
        status = "incomplete" if self._long else "completed"
        done = {**item, "status": status, "content": [part]}
        self._output.append(done)
        yield self._event("response.output_item.done", output_index=index, item=done)

    def _call(self, call: Call) -> Iterator[Event]:
        item = {"id": new_id("fc_"), "type": "function_call", "call_id": new_id("call_")}
        item["name"] = call.name
        index = len(self._output)
        place = {"item_id": item["id"], "output_index": index}
        begun = {**item, "status": "in_progress", "arguments": ""}
        yield self._event("response.output_item.added", output_index=index, item=begun)
        for part in _arguments(call):
            yield self._event("response.function_call_arguments.delta", delta=part, **place)
        kind = "response.function_call_arguments.done"
        yield self._event(kind, name=call.name, arguments=call.arguments, **place)
        done = {**item, "status": "completed", "arguments": call.arguments}
        self._output.append(done)
        yield self._event("response.output_item.done", output_index=index, item=done)

    def _response(self, status: str) -> Event:
        wish = self._wish
        asked = tokens(wish.get("instructions") or "", *(line.text for line in self._heard))
        said = tokens(*self._said, *(call.arguments for call in self._calls))
        usage = {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": asked // 2, "cache_write_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + said,
        }
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"}
            if status == "incomplete"
            else None,
            "instructions": wish.get("instructions"),
            "max_output_tokens": wish.get("max_output_tokens"),
            "model": wish["model"],
            "output": list(self._output),
            "parallel_tool_calls": wish.get("parallel_tool_calls", True),
            "previous_response_id": wish.get("previous_response_id"),
            "store": wish.get("store", True),
            "temperature": wish.get("temperature", 1.0),
            "text": wish.get("text") or {"format": {"type": "text"}},
            "tool_choice": wish.get("tool_choice", "auto"),
            "tools": wish.get("tools", []),
            "top_p": wish.get("top_p", 1.0),
            "truncation": wish.get("truncation", "disabled"),
            "usage": usage if status in ("completed", "incomplete") else None,
            "user": None,
            "metadata": wish.get("metadata") or {},
        }
