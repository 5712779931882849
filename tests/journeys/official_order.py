"""What the official types and clients rely on, in everything that a connection was sent."""

from collections.abc import Sequence
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

WORDS = ("response.output_audio_transcript.delta", "response.output_text.delta")
Event = dict[str, Any]
OFFICIAL: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
OURS = frozenset(
    {
        "lesson.progress",
        "floor.changed",
        "engine.changed",
        "notice",
        "session.summary",
        "session.ended",
        "output_audio_buffer.paused",
        "output_audio_buffer.resumed",
        "board.changed",
    }
)
"Of our own; official clients hand them over untyped."
PLACE = ("response_id", "item_id", "output_index", "content_index")
ENDS = {
    "response.output_audio.done": "response.output_audio.delta",
    "response.output_audio_transcript.done": "response.output_audio_transcript.delta",
    "response.output_text.done": "response.output_text.delta",
}


def check(events: Sequence[Event]) -> None:
    """All of it."""
    for event in events:
        if event["type"] not in OURS:
            OFFICIAL.validate_python(event)
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids)
    _check_items(events)
    _check_speech(events)
    responses = [e["response"]["id"] for e in events if e["type"] == "response.created"]
    assert len(set(responses)) == len(responses)
    for response in responses:
        _check_response(response, [e for e in events if _response(e) == response])
    assert {_response(event) for event in events} - {None} == set(responses)


def _response(event: Event) -> str | None:
    if not event["type"].startswith("response."):
        return None
    return str(event.get("response_id") or event["response"]["id"])


def _check_items(events: Sequence[Event]) -> None:
    """Each is added once, after one that is known, and done afterwards, in the same place."""
    order: list[str] = []
    before: dict[str, str | None] = {}
    done: set[str] = set()
    for event in events:
        if event["type"] == "conversation.item.added":
            item = event["item"]["id"]
            assert item not in before
            before[item] = previous = event["previous_item_id"]
            assert (previous is None) == (not order)
            order.insert(order.index(previous) + 1 if previous else 0, item)
        elif event["type"] == "conversation.item.done":
            item = event["item"]["id"]
            assert before[item] == event["previous_item_id"]
            assert item not in done
            done.add(item)
        elif event["type"].startswith("conversation.item."):
            assert (event.get("item_id") or event["item"]["id"]) in before
    assert done == set(order)


def _check_speech(events: Sequence[Event]) -> None:
    """Begins, ends, is committed and becomes an item, always under one id."""
    kinds = ("speech_started", "speech_stopped", "committed")
    turns: dict[str, list[str]] = {}
    times: list[int] = []
    for event in events:
        room, _, kind = event["type"].partition(".")
        if room == "input_audio_buffer" and kind in kinds:
            turns.setdefault(event["item_id"], []).append(kind)
            times += [event[name] for name in ("audio_start_ms", "audio_end_ms") if name in event]
        elif event["type"] == "conversation.item.added" and event["item"]["id"] in turns:
            assert turns[event["item"]["id"]] == list(kinds)
    assert times == sorted(times)


def _check_response(response: str, events: Sequence[Event]) -> None:
    """One item, one part, every delta between its beginning and its end, and the same words."""
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[0] == "created" and kinds[-1] == "done"
    assert events[0]["response"]["status"] == "in_progress"
    opening = ["output_item.added", "content_part.added"]
    assert kinds[1:3] == opening
    assert kinds[-3:-1] == ["content_part.done", "output_item.done"]
    item = events[1]["item"]["id"]
    for event in events[2:-2]:
        assert [event[name] for name in PLACE] == [response, item, 0, 0]
    open_ = True
    for event in events[3:-3]:
        if event["type"] in ENDS:
            open_ = False
        else:
            assert open_ and event["type"] in ENDS.values()
    (output,) = events[-1]["response"]["output"]
    assert output == events[-2]["item"]
    (part,) = output["content"]
    said = part.get("transcript", part.get("text"))
    deltas = [event["delta"] for event in events if event["type"] in WORDS]
    assert "".join(deltas) == said == _whole(events[-3]["part"])


def _whole(part: dict[str, Any]) -> str:
    return str(part["transcript"] if part["type"] == "audio" else part["text"])
