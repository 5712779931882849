"""The simulated Realtime keeps the rules of the real one: seen from a raw socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ai.audio import BYTES_PER_MS, duration_ms, silence
from tests.fakes.ears import Told
from tests.fakes.mind import Call, Reply, Script
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_pupil import Event, Pupil, pupil_of
from tests.fakes.openai_server import OpenAISimulator, simulate_openai

SAID = ["hello there", "one half"]
VAD = {"type": "server_vad", "silence_duration_ms": 400}
SLOW = 8.0  # times real time: an answer that can be interrupted
TALK = "Well, now, let me see. A fraction has a top and a bottom. Which one is the bigger one?"
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
]
SPOKEN = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]
WRITTEN = [kind.replace("audio_transcript", "text") for kind in SPOKEN[:-1] if "audio." not in kind]
TRANSCRIPTION = "conversation.item.input_audio_transcription"


@pytest.fixture
async def simulator() -> AsyncIterator[OpenAISimulator]:
    script = Script("Hello.", ["I see.", "Right."], {"long": TALK})
    manners = Manners(script=script, ears=Told(SAID), checks=False, pace=None)
    async with simulate_openai(manners) as running:
        yield running
        assert all(type(one.event) is dict for one in running.violations)


@pytest.fixture
async def pupil(simulator: OpenAISimulator) -> AsyncIterator[Pupil]:
    async with pupil_of(simulator) as connected:
        yield connected


def without_words(order: list[str]) -> list[str]:
    return [kind for kind in order if not kind.startswith(TRANSCRIPTION)]


async def test_a_spoken_turn_has_the_standard_events_in_the_standard_order(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    updated = await pupil.detects(VAD)
    detection = updated["session"]["audio"]["input"]["turn_detection"]
    assert detection["threshold"] == 0.5 and detection["create_response"] is True
    assert updated["session"]["audio"]["output"]["format"]["rate"] == 24_000
    await pupil.says("hello there")
    done = await pupil.until("response.done")
    await pupil.next()
    assert without_words(pupil.order) == ["session.created", "session.updated", *TURN, *SPOKEN]
    started, stopped = pupil.seen(TURN[0])[0], pupil.seen(TURN[1])[0]
    assert started["audio_start_ms"] < 200 < stopped["audio_end_ms"]
    user, tutor = pupil.seen("conversation.item.done")
    assert user["previous_item_id"] is None
    assert user["item"]["id"] == started["item_id"] == stopped["item_id"]
    assert tutor["previous_item_id"] == user["item"]["id"]
    assert tutor["item"]["content"] == [{"type": "output_audio", "transcript": "Hello."}]
    assert done["response"]["output"] == [tutor["item"]]
    ids = {(event["response_id"], event["item_id"]) for event in pupil.seen(SPOKEN[4])}
    assert ids == {(done["response"]["id"], tutor["item"]["id"])}
    assert 300 < duration_ms(pupil.sound) < 1_500
    if not pupil.seen(f"{TRANSCRIPTION}.completed"):
        await pupil.until(f"{TRANSCRIPTION}.completed")
    heard = pupil.seen(f"{TRANSCRIPTION}.completed")[0]
    assert (heard["transcript"], heard["item_id"]) == ("hello there", user["item"]["id"])
    assert len({event["event_id"] for event in pupil.events}) == len(pupil.events)
    assert simulator.violations == []


async def test_text_in_and_text_out(pupil: Pupil) -> None:
    await pupil.set(output_modalities=["text"])
    await pupil.types("hello")
    done = await pupil.until("response.done")
    assert (
        pupil.order[2:]
        == [
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            *(
                kind.replace("audio_transcript", "text")
                for kind in SPOKEN
                if "output_audio." not in kind
            ),
        ][:-1]
    )
    assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Hello."}]


async def test_usage_grows_and_what_was_read_before_is_cached(pupil: Pupil) -> None:
    await pupil.set(instructions="Be kind. " * 100)
    used = []
    for text in ("hello", "and now"):
        await pupil.types(text)
        used.append((await pupil.until("response.done"))["response"]["usage"])
        limits = await pupil.until("rate_limits.updated")
        assert {limit["name"] for limit in limits["rate_limits"]} == {"requests", "tokens"}
    first, second = used
    assert first["input_token_details"]["cached_tokens"] == 0
    assert 128 <= second["input_token_details"]["cached_tokens"] <= first["input_tokens"]
    assert second["input_tokens"] > first["input_tokens"]
    assert first["output_token_details"]["audio_tokens"] > 5
    for usage in used:
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def update(**session: Any) -> Event:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def heard(**input_: Any) -> Event:
    return update(audio={"input": input_})


def said(**output: Any) -> Event:
    return update(audio={"output": output})


def item(*content: Event, after: str | None = None, **fields: Any) -> Event:
    message = {"type": "message", "role": "user", "content": list(content), **fields}
    return {"type": "conversation.item.create", "previous_item_id": after, "item": message}


def result(call_id: str) -> Event:
    output = {"type": "function_call_output", "call_id": call_id, "output": "{}"}
    return {"type": "conversation.item.create", "item": output}


def about(doing: str, **fields: Any) -> Event:
    return {"type": f"conversation.item.{doing}", "item_id": "x", **fields}


def respond(**response: Any) -> Event:
    return {"type": "response.create", "response": response}


AMERICAN = {"model": "gpt-transcribe", "language": "en-US"}
SLOW_PCM = {"type": "audio/pcm", "rate": 16_000}
TOOL = {"type": "function", "name": "a b"}
CUT = {"content_index": 0, "audio_end_ms": 1}
BAD: list[tuple[Event, str, str]] = [
    ({"type": "session.updated"}, "invalid_value", "type"),
    ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
    (update(temperature=1), "unknown_parameter", "session.temperature"),
    (update(output_modalities=["text", "audio"]), "invalid_value", "session.output_modalities"),
    (update(tools=[TOOL]), "invalid_value", "session.tools[0].name"),
    (update(model="gpt-5"), "invalid_value", "session.model"),
    (said(speed=2), "decimal_above_max_value", "session.audio.output.speed"),
    (said(voice="bob"), "invalid_value", "session.audio.output.voice"),
    (heard(format=SLOW_PCM), "invalid_value", "session.audio.input.format.rate"),
    (heard(transcription=AMERICAN), "invalid_value", "session.audio.input.transcription.language"),
    ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "output_audio_buffer.clear"}, "invalid_event", "type"),
    (item({"type": "text", "text": "x"}), "invalid_value", "item.content[0].type"),
    (item({"type": "input_text"}), "missing_required_parameter", "item.content[0].text"),
    (item(id="i" * 33), "string_above_max_length", "item.id"),
    (item(after="x"), "item_create_invalid_previous_item_id", "previous_item_id"),
    (result("none"), "invalid_tool_call_id", "item.call_id"),
    (about("delete"), "item_delete_invalid_item_id", "item_id"),
    (about("retrieve"), "item_retrieve_invalid_item_id", "item_id"),
    (
        about("truncate", content_index=0, audio_end_ms=1),
        "item_truncate_invalid_item_id",
        "item_id",
    ),
    (respond(voice="marin"), "unknown_parameter", "response.voice"),
    (respond(max_output_tokens=0), "decimal_below_min_value", "response.max_output_tokens"),
]
RACES = [
    ("input_audio_buffer.commit", "input_audio_buffer_commit_empty"),
    ("response.cancel", "response_cancel_not_active"),
]


async def test_what_is_wrong_is_answered_and_remembered(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    for number, (event, code, param) in enumerate(BAD):
        await pupil.connection.send(json.dumps({**event, "event_id": f"mine_{number}"}))
        error = (await pupil.until("error"))["error"]
        assert error["type"] == "invalid_request_error"
        assert (error["code"], error["param"], error["event_id"]) == (code, param, f"mine_{number}")
    assert len(simulator.violations) == len(BAD)
    for kind, code in RACES:
        await pupil.send(kind, event_id="mine")
        error = (await pupil.until("error"))["error"]
        assert (error["code"], error["event_id"]) == (code, "mine")
    for message in ("{", b"\x00", "[]", "[" * 5_000):
        await pupil.connection.send(message)
        assert (await pupil.until("error"))["error"]["event_id"] is None
    assert len(simulator.violations) == len(BAD) + 4
    del simulator.violations[-4:]
    await pupil.set()


async def test_an_answer_is_interrupted_and_cut_to_what_was_heard(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    simulator.manners.pace = SLOW
    await pupil.detects(VAD)
    await pupil.types("something long")
    while duration_ms(pupil.sound) < 1_500:
        await pupil.next()
    await pupil.says("hello there")
    await pupil.until("input_audio_buffer.speech_started")
    done = await pupil.until("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    (item,) = done["response"]["output"]
    assert item["status"] == "incomplete"
    audio_ms = duration_ms(pupil.sound)
    cut: dict[str, Any] = {"item_id": item["id"], "content_index": 0}
    await pupil.send("conversation.item.truncate", **cut, audio_end_ms=audio_ms + 1)
    error = (await pupil.until("error"))["error"]
    assert error["message"].startswith(f"Audio content of {audio_ms}ms is already shorter than")
    await pupil.send("conversation.item.truncate", **cut, audio_end_ms=audio_ms // 2)
    await pupil.until("conversation.item.truncated")
    await pupil.send("conversation.item.retrieve", item_id=item["id"])
    kept = (await pupil.until("conversation.item.retrieved"))["item"]
    assert "transcript" not in kept["content"][0]
    (session,) = simulator.sessions
    heard = session.conversation.lines()[1].text
    assert heard and TALK.startswith(heard) and len(heard) < len(TALK)


async def test_only_the_models_speech_can_be_cut(pupil: Pupil) -> None:
    await pupil.types("hello")
    user = (await pupil.until("conversation.item.done"))["item"]
    await pupil.until("rate_limits.updated")
    cut = {"item_id": user["id"], "content_index": 0, "audio_end_ms": 0}
    await pupil.send("conversation.item.truncate", **cut)
    assert (await pupil.until("error"))["error"]["code"] == "item_truncate_invalid_item_id"


async def test_the_student_may_be_let_talk_without_interrupting_or_being_answered(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    simulator.manners.pace = SLOW
    await pupil.detects({**VAD, "interrupt_response": False, "create_response": False})
    await pupil.types("something long")
    await pupil.until("response.output_audio.delta")
    await pupil.says("hello there")
    await pupil.until("input_audio_buffer.committed")
    await pupil.send("response.create")
    error = (await pupil.until("error"))["error"]
    assert error["code"] == "conversation_already_has_active_response"
    await pupil.send("response.cancel", response_id="resp_none")
    assert (await pupil.until("error"))["error"]["code"] == "response_cancel_not_active"
    await pupil.send("response.cancel")
    done = await pupil.until("response.done")
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    await pupil.send("input_audio_buffer.clear")
    await pupil.until("input_audio_buffer.cleared")
    assert len(pupil.seen("response.created")) == 1


@pytest.mark.parametrize("eagerness", ["low", "high"])
async def test_semantic_turns_end_sooner_for_the_eager(pupil: Pupil, eagerness: str) -> None:
    await pupil.detects({"type": "semantic_vad", "eagerness": eagerness})
    await pupil.says("hello there", quiet_ms=700)
    await pupil.until("input_audio_buffer.speech_started")
    await pupil.sounds(silence(100))
    await pupil.send("input_audio_buffer.clear")
    await pupil.until("input_audio_buffer.cleared")
    ended = bool(pupil.seen("input_audio_buffer.speech_stopped"))
    assert ended == (eagerness == "high")


async def test_without_turn_detection_the_client_commits(pupil: Pupil) -> None:
    await pupil.detects(None)
    await pupil.says("hello there")
    await pupil.send("input_audio_buffer.commit")
    committed = await pupil.until("input_audio_buffer.committed")
    completed = await pupil.until(f"{TRANSCRIPTION}.completed")
    assert completed["item_id"] == committed["item_id"]
    assert completed["usage"]["type"] == "tokens"
    assert not pupil.seen("input_audio_buffer.speech_started") and not pupil.seen(
        "response.created"
    )
    await pupil.sounds(silence(99))
    await pupil.send("input_audio_buffer.commit")
    error = (await pupil.until("error"))["error"]
    assert error["code"] == "input_audio_buffer_commit_empty" and "99.00ms" in error["message"]
    await pupil.send("response.create")
    await pupil.until("response.done")


async def test_an_item_goes_where_it_is_put(pupil: Pupil, simulator: OpenAISimulator) -> None:
    for item_id, after in (("one", None), ("three", "one"), ("two", "one"), ("zero", "root")):
        where = {} if after is None else {"previous_item_id": after}
        content = [{"type": "input_text", "text": item_id}]
        item = {"type": "message", "role": "user", "content": content, "id": item_id}
        await pupil.send("conversation.item.create", item=item, **where)
        await pupil.until("conversation.item.done")
    assert [item.id for item in simulator.sessions[0].conversation.items] == [
        "zero",
        "one",
        "two",
        "three",
    ]
    assert pupil.events[-1]["previous_item_id"] is None
    await pupil.send("conversation.item.create", item=item)
    assert (await pupil.until("error"))["error"]["param"] == "item.id"
    await pupil.send("conversation.item.delete", item_id="two")
    assert (await pupil.until("conversation.item.deleted"))["item_id"] == "two"
    assert len(simulator.sessions[0].conversation.items) == 3


async def test_a_tool_is_called_and_what_it_brings_is_answered(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    look = Reply("One moment.", (Call("look_up", '{"word": "half"}'),), Reply("Here it is."))
    simulator.manners.script = Script("Hello.", [], {"look": look})
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object"}}
    await pupil.set(tools=[tool], output_modalities=["text"])
    await pupil.types("look it up")
    done = await pupil.until("response.done")
    said, call = done["response"]["output"]
    assert said["content"][0]["text"] == "One moment."
    deltas = pupil.seen("response.function_call_arguments.delta")
    assert "".join(event["delta"] for event in deltas) == call["arguments"] == '{"word": "half"}'
    assert call["name"] == "look_up"
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"}
    await pupil.send("conversation.item.create", item=item)
    await pupil.send("response.create")
    done = await pupil.until("response.done")
    assert done["response"]["output"][0]["content"][0]["text"] == "Here it is."


async def test_the_voice_stays_once_it_was_heard(pupil: Pupil) -> None:
    await pupil.set(audio={"output": {"voice": "marin"}})
    await pupil.types("hello")
    await pupil.until("rate_limits.updated")
    voice = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    await pupil.send("session.update", session=voice)
    assert (await pupil.until("error"))["error"]["code"] == "cannot_update_voice"
    await pupil.set(audio={"output": {"voice": "marin"}})


async def test_a_session_ends_after_its_time(simulator: OpenAISimulator) -> None:
    simulator.manners.lifetime_s = 0.2
    async with pupil_of(simulator) as pupil:
        assert await pupil.closed() == 1001
        assert pupil.events[-1]["error"]["code"] == "session_expired"
    await _until(lambda: not simulator.open)
    assert simulator.opened == 1


async def test_transcripts_come_when_they_like(simulator: OpenAISimulator) -> None:
    simulator.manners.transcripts = "late"
    async with pupil_of(simulator) as pupil:
        await pupil.detects(VAD)
        await pupil.says("hello there")
        await pupil.until("response.done")
        assert not pupil.seen(f"{TRANSCRIPTION}.delta")
        await pupil.until(f"{TRANSCRIPTION}.completed")
    simulator.manners.transcripts = "reversed"
    simulator.manners.ears = Told(SAID)
    async with pupil_of(simulator) as pupil:
        await pupil.detects({**VAD, "create_response": False})
        for text in SAID:
            await pupil.says(text)
            await pupil.until("input_audio_buffer.committed")
        words = [(await pupil.until(f"{TRANSCRIPTION}.completed"))["transcript"] for _ in SAID]
        assert words == SAID[::-1]
    simulator.manners.transcribes = False
    simulator.manners.transcripts = "soon"
    async with pupil_of(simulator) as pupil:
        await pupil.detects(VAD)
        await pupil.says("hello there")
        await pupil.until(f"{TRANSCRIPTION}.failed")


async def test_an_answer_beside_the_conversation_leaves_no_trace_in_it(
    pupil: Pupil, simulator: OpenAISimulator
) -> None:
    content = [{"type": "input_text", "text": "say something long"}]
    response = {
        "conversation": "none",
        "input": [{"type": "message", "role": "user", "content": content}],
        "metadata": {"what": "summary"},
        "output_modalities": ["text"],
    }
    await pupil.send("response.create", response=response)
    done = await pupil.until("response.done")
    assert done["response"]["metadata"] == {"what": "summary"}
    assert done["response"]["output"][0]["content"][0]["text"] == TALK
    assert not pupil.seen("conversation.item.added")
    assert simulator.sessions[0].conversation.items == []


async def test_an_answer_can_be_too_long(pupil: Pupil) -> None:
    await pupil.set(max_output_tokens=20)
    await pupil.types("something long")
    done = await pupil.until("response.done")
    assert done["response"]["status"] == "incomplete"
    assert done["response"]["status_details"]["reason"] == "max_output_tokens"


async def test_telephone_sound_both_ways(pupil: Pupil) -> None:
    await pupil.set(audio={"output": {"format": {"type": "audio/pcmu"}}})
    await pupil.detects(VAD, format={"type": "audio/pcma"})
    await pupil.types("hello")
    await pupil.until("response.done")
    assert 300 < len(pupil.sound) / 8 < 1_500


async def test_a_long_silence_is_a_turn_too(pupil: Pupil, simulator: OpenAISimulator) -> None:
    await pupil.detects({**VAD, "idle_timeout_ms": 5_000})
    simulator.sessions[0].time_out()
    triggered = await pupil.until("input_audio_buffer.timeout_triggered")
    assert (await pupil.until("input_audio_buffer.committed"))["item_id"] == triggered["item_id"]
    await pupil.until("response.done")


async def test_too_much_sound_at_once_is_refused(pupil: Pupil) -> None:
    audio = base64.b64encode(bytes((15 << 20) + 48 * BYTES_PER_MS)).decode()
    await pupil.send("input_audio_buffer.append", audio=audio)
    assert (await pupil.until("error"))["error"]["param"] == "audio"


async def _until(condition: Any) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)
