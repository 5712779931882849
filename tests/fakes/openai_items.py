"""The conversation of a Realtime session: its items, in order, and what the model knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.mind import Line
from tests.fakes.openai_shapes import Complaint

ID_CHARACTERS = 32


@dataclass(slots=True)
class Item:
    """One item."""

    shown: dict[str, Any]
    "As events show it."
    heard: str = ""
    "What the model knows of it, in words: audio is heard, whatever its transcript says."
    audio_ms: int = 0
    words: list[tuple[str, int]] = field(default_factory=list)
    "Of the model's speech: each word, with where it ends."

    @property
    def id(self) -> str:
        return str(self.shown["id"])

    @property
    def spoken(self) -> bool:
        """Whether it is the model's speech."""
        content = self.shown.get("content") or [{}]
        return self.shown.get("role") == "assistant" and content[0].get("type") == "output_audio"

    def cut(self, audio_ms: int) -> None:
        """Nobody has heard what comes after; the transcript goes, as it would say too much."""
        self.words = [(word, end) for word, end in self.words if end <= audio_ms]
        self.heard = " ".join(word for word, _ in self.words)
        self.audio_ms = audio_ms
        self.shown["content"][0].pop("transcript", None)


class Conversation:
    """Items in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """The id of the one before it."""
        at = self.items.index(item)
        return self.items[at - 1].id if at else None

    def add(self, item: Item, after: str | None = None) -> Complaint | None:
        """Last, or after another; `root` is the beginning."""
        if self.find(item.id) is not None:
            return Complaint(
                f"Error adding item: an item with id '{item.id}' exists already.",
                "item_create_invalid_item_id",
                "item.id",
            )
        if after is None:
            self.items.append(item)
        elif after == "root":
            self.items.insert(0, item)
        elif (other := self.find(after)) is None:
            return Complaint(
                f"Error adding item: the previous item with id '{after}' does not exist.",
                "item_create_invalid_previous_item_id",
                "previous_item_id",
            )
        else:
            self.items.insert(self.items.index(other) + 1, item)
        return None

    def called(self, result: Item) -> bool:
        """Whether a result is one of a call that was made."""
        return any(
            one.shown["type"] == "function_call"
            and one.shown.get("call_id") == result.shown["call_id"]
            for one in self.items
        )

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> Complaint | None:
        item = self.find(item_id)
        if item is None or not item.spoken:
            return Complaint(
                "Only model output audio messages can be truncated."
                if item
                else f"Error truncating item: the item with id '{item_id}' does not exist.",
                "item_truncate_invalid_item_id",
                "item_id",
            )
        if content_index != 0:
            return Complaint("There is no such content.", "invalid_value", "content_index")
        if audio_end_ms < 0:
            return Complaint("Less than nothing.", "integer_below_min_value", "audio_end_ms")
        if audio_end_ms > item.audio_ms:
            return Complaint(
                f"Audio content of {item.audio_ms}ms is already shorter than {audio_end_ms}ms",
                "invalid_value",
                "audio_end_ms",
            )
        item.cut(audio_end_ms)
        return None

    def lines(self) -> list[Line]:
        """What the model knows when it answers."""
        return [line for item in self.items if (line := line_of(item)) is not None]


def no_item(doing: str, item_id: str) -> Complaint:
    return Complaint(
        f"Error {doing}ing item: the item with id '{item_id}' does not exist.",
        f"item_{doing}e_invalid_item_id",
        "item_id",
    )


def line_of(item: Item) -> Line | None:
    match item.shown:
        case {"type": "message", "role": "user"}:
            return Line("student", item.heard)
        case {"type": "message", "role": "assistant"}:
            return Line("tutor", item.heard) if item.heard else None
        case {"type": "function_call_output", "output": str(output)}:
            return Line("tool", output)
    return None  # a function call, or a system message: nobody said it


def made(wish: Mapping[str, Any], item_id: str) -> Item | Complaint:
    """An item as a client wishes it; `item_id` where it names none itself."""
    shown = {"id": item_id, "object": "realtime.item", "status": "completed", **wish}
    if len(shown["id"]) > ID_CHARACTERS or not shown["id"]:
        return Complaint(
            f"Invalid 'item.id': expected 1 to {ID_CHARACTERS} characters.",
            "string_above_max_length",
            "item.id",
        )
    if shown["type"] not in ("message", "function_call", "function_call_output"):
        return Complaint("No such item here.", "invalid_value", "item.type")
    heard = []
    for place, part in enumerate(shown.get("content", ())):
        named = part.get("type")
        if named is None:
            path = f"item.content[{place}].type"
            return Complaint(
                f"Missing required parameter: '{path}'.", "missing_required_parameter", path
            )
        key = {"input_text": "text", "output_text": "text", "input_audio": "audio"}.get(named)
        if key is not None and not isinstance(part.get(key), str):
            path = f"item.content[{place}].{key}"
            return Complaint(
                f"Missing required parameter: '{path}'.", "missing_required_parameter", path
            )
        heard.append(part.get("text") or part.get("transcript") or "")
    return Item(shown, " ".join(heard))
