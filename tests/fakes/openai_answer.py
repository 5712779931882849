"""One response of a simulated Realtime session: from `response.created` to `response.done`."""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any, Protocol

from ai import g711
from ai.audio import BYTES_PER_MS, RATE_HZ, duration_ms
from ai.local.sentences import sentences
from tests.fakes.mind import Call, Line, Reply
from tests.fakes.openai_items import Conversation, Item
from tests.fakes.voice import spoken

CHARACTERS_A_TOKEN = 4
MS_A_TOKEN_HEARD, MS_A_TOKEN_SAID = 100, 50  # of audio; the vendor's own rates
CACHED_TOKENS = 64  # at a time
ARGUMENTS_DELTA = 12  # characters
FEMALE = frozenset({"coral", "marin", "sage", "shimmer", "alloy"})


class Stage(Protocol):
    """What an answer needs of its session."""

    conversation: Conversation

    def new_id(self, kind: str) -> str: ...

    def emit(self, kind: str, **fields: Any) -> None: ...

    def before_delta(self, answer: "Answer") -> None:
        """Faults strike here."""


@dataclass(slots=True)
class Answer:
    """A response under way, or over."""

    id: str
    settings: dict[str, Any]
    "The session's, with what `response.create` said otherwise."
    conversation_id: str | None
    "None: it is in no conversation."
    lines: list[Line] | None = None
    "What it answers to, where that is not the conversation."
    status: str = "in_progress"
    details: dict[str, Any] | None = None
    items: list[Item] = field(default_factory=list)
    part: bool = False
    "Whether the last item has a part that is not done."
    deltas: int = 0
    "Of sound, so far."
    task: asyncio.Task[None] | None = None

    @property
    def sounds(self) -> bool:
        return bool(self.settings["output_modalities"] == ["audio"])

    def shown(self, usage: dict[str, Any] | None = None) -> dict[str, Any]:
        """As events show it."""
        output = self.settings["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self.details,
            "output": [item.shown for item in self.items],
            "conversation_id": self.conversation_id,
            "output_modalities": self.settings["output_modalities"],
            "max_output_tokens": self.settings["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "usage": usage,
            "metadata": self.settings.get("metadata"),
        }

    def said_tokens(self) -> dict[str, int]:
        text = sum(len(item.heard) + len(item.shown.get("arguments", "")) for item in self.items)
        sound = sum(item.audio_ms for item in self.items)
        return {
            "text_tokens": -(-text // CHARACTERS_A_TOKEN),
            "audio_tokens": -(-sound // MS_A_TOKEN_SAID),
        }


class TooLong(Exception):
    """The answer has reached `max_output_tokens`."""


async def give(
    stage: Stage, answer: Answer, reply: Reply, pace: float | None, delta_ms: int
) -> None:
    """Say it all. Raises TooLong."""
    if reply.text:
        await _say(stage, answer, " ".join(reply.text.split()), pace, delta_ms)
    for call in reply.calls:
        await _call(stage, answer, call)


def begin_item(stage: Stage, answer: Answer, shown: dict[str, Any]) -> Item:
    item = Item({"object": "realtime.item", "status": "in_progress", **shown})
    answer.items.append(item)
    index = len(answer.items) - 1
    stage.emit(
        "response.output_item.added", response_id=answer.id, output_index=index, item=item.shown
    )
    if answer.conversation_id is not None:
        stage.conversation.add(item)
        before = stage.conversation.before(item)
        stage.emit("conversation.item.added", previous_item_id=before, item=item.shown)
    return item


def end_item(stage: Stage, answer: Answer, status: str, closes: bool = True) -> None:
    """Close the last item of the answer and its part; `closes`: with all the events of that."""
    item = answer.items[-1]
    if item.shown["status"] != "in_progress":
        return
    place = _place(answer)
    item.shown["status"] = status
    if answer.part:
        answer.part = False
        if answer.sounds:
            item.shown["content"] = [{"type": "output_audio", "transcript": item.heard}]
            part = {"type": "audio", "transcript": item.heard}
        else:
            item.shown["content"] = [{"type": "output_text", "text": item.heard}]
            part = {"type": "text", "text": item.heard}
        if closes:
            if answer.sounds:
                stage.emit("response.output_audio.done", **place)
                stage.emit("response.output_audio_transcript.done", transcript=item.heard, **place)
            else:
                stage.emit("response.output_text.done", text=item.heard, **place)
            stage.emit("response.content_part.done", part=part, **place)
    if closes:
        stage.emit(
            "response.output_item.done",
            response_id=answer.id,
            output_index=len(answer.items) - 1,
            item=item.shown,
        )
    if answer.conversation_id is not None and stage.conversation.find(item.id) is item:
        before = stage.conversation.before(item)
        stage.emit("conversation.item.done", previous_item_id=before, item=item.shown)


async def _say(stage: Stage, answer: Answer, text: str, pace: float | None, delta_ms: int) -> None:
    shown = {"id": stage.new_id("item"), "type": "message", "role": "assistant", "content": []}
    item = begin_item(stage, answer, shown)
    place = _place(answer)
    answer.part = True
    part = {"type": "audio", "transcript": ""} if answer.sounds else {"type": "text", "text": ""}
    stage.emit("response.content_part.added", part=part, **place)
    said = 0
    for sentence in sentences(text):
        pcm = await _sound(answer, sentence) if answer.sounds else b""
        length_ms = duration_ms(pcm)
        until_ms = item.audio_ms
        kind = "output_audio_transcript" if answer.sounds else "output_text"
        for word in sentence.split(" "):
            until_ms += length_ms * (len(word) + 1) // (len(sentence) + 1)
            delta = f" {word}" if said else word
            said += 1
            stage.before_delta(answer)
            stage.emit(f"response.{kind}.delta", delta=delta, **place)
            item.heard += delta
            item.words.append((word, until_ms))
        _check_length(answer)
        await _sound_deltas(stage, answer, item, pcm, pace, delta_ms)
        if item.words:
            item.words[-1] = (item.words[-1][0], item.audio_ms)
    end_item(stage, answer, "completed")


async def _sound(answer: Answer, sentence: str) -> bytes:
    output = answer.settings["audio"]["output"]
    voice = "female" if output["voice"] in FEMALE else "male"
    return await spoken(sentence, RATE_HZ, voice=voice, speed=output["speed"])


async def _sound_deltas(
    stage: Stage, answer: Answer, item: Item, pcm: bytes, pace: float | None, delta_ms: int
) -> None:
    """In pieces, as much faster than it sounds as `pace` says; None: at once."""
    kind = answer.settings["audio"]["output"]["format"]["type"]
    law = {"audio/pcmu": "mu", "audio/pcma": "a"}.get(kind)
    encode = g711.encoder(law).feed if law else bytes  # type: ignore[arg-type]
    place = _place(answer)
    size = delta_ms * BYTES_PER_MS
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at in range(0, len(pcm), size):
        piece = pcm[at : at + size]
        stage.before_delta(answer)
        data = encode(piece)
        stage.emit("response.output_audio.delta", delta=base64.b64encode(data).decode(), **place)
        answer.deltas += 1
        item.audio_ms += duration_ms(piece)
        _check_length(answer)
        if pace is not None:
            due = began + (at + len(piece)) / BYTES_PER_MS / 1000 / pace
            await asyncio.sleep(max(0.0, due - loop.time()))
    await asyncio.sleep(0)


async def _call(stage: Stage, answer: Answer, call: Call) -> None:
    call_id = stage.new_id("call")
    item = begin_item(
        stage,
        answer,
        {
            "id": stage.new_id("item"),
            "type": "function_call",
            "name": call.name,
            "call_id": call_id,
            "arguments": "",
        },
    )
    index = len(answer.items) - 1
    where = {
        "response_id": answer.id,
        "item_id": item.id,
        "output_index": index,
        "call_id": call_id,
    }
    for at in range(0, len(call.arguments), ARGUMENTS_DELTA):
        stage.before_delta(answer)
        piece = call.arguments[at : at + ARGUMENTS_DELTA]
        stage.emit("response.function_call_arguments.delta", delta=piece, **where)
        item.shown["arguments"] += piece
        await asyncio.sleep(0)
    stage.emit(
        "response.function_call_arguments.done",
        name=call.name,
        arguments=call.arguments,
        **where,
    )
    end_item(stage, answer, "completed")


def _place(answer: Answer) -> dict[str, Any]:
    return {
        "response_id": answer.id,
        "item_id": answer.items[-1].id,
        "output_index": len(answer.items) - 1,
        "content_index": 0,
    }


def _check_length(answer: Answer) -> None:
    most = answer.settings["max_output_tokens"]
    if most != "inf" and sum(answer.said_tokens().values()) > most:
        raise TooLong


# ---- what it costs -------------------------------------------------------------------------------


@dataclass(slots=True)
class Meter:
    """Counts the tokens of one session."""

    seen: dict[str, int] = field(default_factory=lambda: {"text_tokens": 0, "audio_tokens": 0})
    "What the last answer read: read again, it comes from the cache."

    def usage(self, conversation: Conversation, answer: Answer) -> dict[str, Any]:
        """Of one answer. Cached tokens are among the input tokens."""
        prompt = len(answer.settings["instructions"]) + 40 * len(answer.settings["tools"])
        mine = {item.id for item in answer.items}
        before = [item for item in conversation.items if item.id not in mine]
        typed = sum(len(item.heard) for item in before if not item.audio_ms)
        sounds = sum(
            item.audio_ms // (MS_A_TOKEN_SAID if item.spoken else MS_A_TOKEN_HEARD)
            for item in before
        )
        read = {
            "text_tokens": (prompt + typed) // CHARACTERS_A_TOKEN,
            "audio_tokens": sounds,
        }
        cached = {
            kind: min(self.seen[kind], count) // CACHED_TOKENS * CACHED_TOKENS
            for kind, count in read.items()
        }
        self.seen = read
        said = answer.said_tokens()
        total_in, total_out = sum(read.values()), sum(said.values())
        return {
            "total_tokens": total_in + total_out,
            "input_tokens": total_in,
            "output_tokens": total_out,
            "input_token_details": {
                **read,
                "image_tokens": 0,
                "cached_tokens": sum(cached.values()),
                "cached_tokens_details": {**cached, "image_tokens": 0},
            },
            "output_token_details": said,
        }
