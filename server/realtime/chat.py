"""Chat completions and a lesson's conversation: the same words, told in two ways. Pure.

A chat client sends the whole conversation each time and keeps nothing else; a lesson is one
session that goes on. `place` finds where a request stands in a session: at its end, or where it was
answered before.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.realtime.limits import TEXT_CHARACTERS
from server.realtime.reading import Bad, Fields
from sessions.record.model import Item

ROLES: tuple[str, ...] = ("system", "developer", "user", "assistant", "tool", "function")
MESSAGES = 2_000
HONOURED = {"model", "messages", "stream", "stream_options", "metadata", "user", "store"}
HEADER_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb, for engines that don't count tokens

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Line:
    """What one side said."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request, reduced to what a lesson can answer."""

    model: str
    before: tuple[Line, ...]
    last: str
    stream: bool
    include_usage: bool
    locked: tuple[str, ...]
    "Names of what the lesson sets itself."


# ---- the request -----------------------------------------------------------------------------


def read_request(body: Fields) -> ChatRequest:
    """Raises Bad."""
    model = body.string("model", required=True, limit=128) or ""
    messages = body.list("messages", required=True) or []
    if len(messages) > MESSAGES:
        raise Bad(f"At most {MESSAGES:,} messages are taken.", code="too_large", param="messages")
    locked = [
        name for name, value in body.values.items() if name not in HONOURED and value is not None
    ]
    lines: list[Line] = []
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise Bad(f"`messages[{index}]` must be an object.", param=f"messages[{index}]")
        fields = Fields(message, f"messages[{index}]")
        fields.string("role", required=True, limit=64)
        role = fields.choice("role", ROLES) or ""
        text = _text(fields, role)
        if role == "user" or role == "assistant":
            if text.strip():
                lines.append(Line("user" if role == "user" else "assistant", text))
        elif role not in locked:
            locked.append(role)
    if not lines or lines[-1].role != "user":
        raise Bad("The last message must be the student's: role `user`.", param="messages")
    last = lines[-1].text
    if len(last) > TEXT_CHARACTERS:
        raise Bad(
            f"The last message has {len(last):,} characters; at most {TEXT_CHARACTERS:,} are"
            " taken.",
            code="too_large",
            param="messages",
        )
    options = body.object("stream_options")
    return ChatRequest(
        model=model,
        before=tuple(lines[:-1]),
        last=last,
        stream=body.boolean("stream") or False,
        include_usage=bool(options and options.boolean("include_usage")),
        locked=tuple(name for name in locked if HEADER_NAME.fullmatch(name))[:50],
    )


def _text(message: Fields, role: str) -> str:
    """A message's text; of the tutor's side, other parts are passed over."""
    content = message.values.get("content")
    if content is None or role not in ("user", "assistant"):
        if role == "user":
            raise message.bad("content", "send a string, or an array of text parts")
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise message.bad("content", "send a string, or an array of text parts")
    texts: list[str] = []
    for index, part in enumerate(content):
        path = message.param(f"content[{index}]")
        if not isinstance(part, dict):
            raise Bad(f"`{path}` must be an object with a `type`.", param=path)
        fields = Fields(part, path)
        kind = fields.string("type", required=True, limit=64)
        if kind == "text":
            texts.append(fields.string("text", required=True, limit=10**6) or "")
        elif role == "user":
            raise Bad(f"`{path}` must have type `text`: lessons are typed here.", param=path)
    return "\n".join(texts)


# ---- where it stands in a session ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtTheEnd:
    """The session's items are what the client knows; its last message is new."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The last message is in the session already."""

    item_id: str
    answer: str | None
    "None: there is no finished answer yet."


def place(items: Sequence[Item], before: Sequence[Line], last: str) -> AtTheEnd | Asked | None:
    """Where in a session's conversation a request stands; None: it is another conversation."""
    said = [item for item in items if item.role != "system" and (item.said or "").strip()]
    for index, item in enumerate(said):
        is_last = item.role == "user" and _plain(item.said) == _plain(last)
        if is_last and _same(said[:index], before):
            return Asked(item.id, _answer(items, item))
    return AtTheEnd() if _same(said, before) else None


def _answer(items: Sequence[Item], question: Item) -> str | None:
    """What the tutor said until the student spoke again; None while it is still being said."""
    after = [item for item in items if item.position > question.position and item.role != "system"]
    answers: list[str] = []
    for item in after:
        if item.role == "user":
            break
        if item.status == "in_progress" or item.said is None:
            return None
        answers.append(item.said)
    return "\n".join(answers) or None


def _same(items: Iterable[Item], lines: Iterable[Line]) -> bool:
    ours = _merged((item.role, item.said or "") for item in items)
    theirs = _merged((line.role, line.text) for line in lines)
    return len(ours) == len(theirs) and all(map(_agree, ours, theirs))


def _agree(ours: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """The same words of the same side; an answer that a client stopped reading is its beginning."""
    (role, said), (their_role, known) = ours, theirs
    return role == their_role and (
        said == known or (role == "assistant" and said.startswith(known))
    )


def _merged(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one side as one; spaces made equal."""
    merged: list[tuple[str, str]] = []
    for role, text in lines:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]} {_plain(text)}")
        else:
            merged.append((role, _plain(text)))
    return merged


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


# ---- the answer ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heading:
    """What every piece of one answer begins with."""

    id: str
    created: int
    model: str

    def completion(self, text: str, usage: Mapping[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": dict(usage),
        }

    def first(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> dict[str, Any]:
        return self._chunk({"content": text})

    def last(self) -> dict[str, Any]:
        return self._chunk({}, "stop")

    def used(self, usage: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._chunk({}), "choices": [], "usage": dict(usage)}

    def _chunk(self, delta: Mapping[str, str], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [
                {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
            ],
        }


def usage(request: ChatRequest, answer: str, counted: Mapping[str, int] | None) -> dict[str, Any]:
    """Tokens as the engine counted them, else estimated from the characters."""
    asked = sum(len(line.text) for line in request.before) + len(request.last)
    used = counted or {}
    tokens_in = used.get("input_tokens", _tokens(asked))
    tokens_out = used.get("output_tokens", _tokens(len(answer)))
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
