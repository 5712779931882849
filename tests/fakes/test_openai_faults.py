"""What goes wrong with a simulated Realtime session, seen from a raw socket."""

import json
from collections.abc import AsyncIterator

import pytest
import websockets

from tests.fakes.ears import Told
from tests.fakes.faults import HUGE_BYTES, KINDS, Fault
from tests.fakes.mind import Script
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_mishaps import FOREIGN
from tests.fakes.openai_pupil import Pupil, connected, pupil_of
from tests.fakes.openai_server import OpenAISimulator, simulate_openai

VAD = {"type": "server_vad", "silence_duration_ms": 400}
HELLO = "Hello. Which one is the bigger one?"
TRANSCRIPTION = "conversation.item.input_audio_transcription.completed"


@pytest.fixture
async def simulator() -> AsyncIterator[OpenAISimulator]:
    manners = Manners(script=Script(HELLO), ears=Told(["one", "two"]), checks=False, pace=None)
    async with simulate_openai(manners) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "status"), [("throttled", 429), ("server_error", 503), ("refuse_connection", 0)]
)
async def test_no_session_opens(simulator: OpenAISimulator, name: str, status: int) -> None:
    simulator.faults.plan(Fault(name, detail="7" if name == "throttled" else ""), 2)
    for _ in range(2):
        with pytest.raises((websockets.InvalidStatus, websockets.InvalidMessage, OSError)) as end:
            async with connected(simulator):
                pass
        if isinstance(end.value, websockets.InvalidStatus):
            assert end.value.response.status_code == status
            assert "error" in json.loads(end.value.response.body or b"{}")
            if status == 429:
                assert end.value.response.headers["Retry-After"] == "7"
        else:
            assert not status
    async with pupil_of(simulator):
        assert simulator.opened == 1
    assert simulator.refused == 2


async def test_who_has_no_key_or_asks_for_no_model_is_refused(simulator: OpenAISimulator) -> None:
    for query, key, status in (("", simulator.key, 404), ("?model=gpt-realtime-2", "x", 401)):
        right, simulator.key = simulator.key, "right"
        with pytest.raises(websockets.InvalidStatus) as refused:
            url = f"ws://127.0.0.1:{simulator.port}/v1/realtime{query}"
            bearer = {"Authorization": f"Bearer {'right' if status == 404 else key}"}
            await websockets.connect(url, additional_headers=bearer)
        assert refused.value.response.status_code == status
        simulator.key = right


async def struck(simulator: OpenAISimulator, name: str) -> Pupil:
    """What came of one spoken turn, in a session with that fault."""
    simulator.faults.plan(Fault(name, after_s=0.3 if name == "close_at_limit" else 0.0))
    async with connected(simulator) as connection:
        pupil = Pupil(connection, checks=False)
        if name != "hang_before_first_event":
            await pupil.until("session.created")
            await pupil.detects(VAD)
            await pupil.says("one")
        try:
            await pupil.until("rate_limits.updated")
        except (websockets.ConnectionClosed, TimeoutError, json.JSONDecodeError) as end:
            pupil.events.append({"type": type(end).__name__})
        return pupil


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never comes. What does, may take its time: 50 MB need seconds on a busy machine."""
    monkeypatch.setattr("tests.fakes.openai_pupil.WITHIN_S", 1.5)


@pytest.mark.usefixtures("impatient")
async def test_it_falls_silent(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "hang_before_first_event")
    assert pupil.order == ["TimeoutError"]
    pupil = await struck(simulator, "hang_mid_audio")
    assert pupil.order[-2:] == ["response.output_audio.delta", "TimeoutError"]
    assert len(pupil.seen("response.output_audio.delta")) == 3


async def test_it_hangs_up(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "close_mid_utterance")
    assert pupil.order[-2:] == ["input_audio_buffer.speech_started", "ConnectionClosedError"]
    simulator.manners.pace = 1.0
    pupil = await struck(simulator, "close_at_limit")
    assert pupil.order[-2:] == ["error", "ConnectionClosedOK"]
    assert pupil.seen("error")[0]["error"]["code"] == "session_expired"


@pytest.mark.usefixtures("impatient")
async def test_it_says_what_nobody_can_read(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "invalid_json")
    assert pupil.order[-1] == "JSONDecodeError"
    pupil = await struck(simulator, "unknown_event")
    assert "response.output_scent.delta" in pupil.order and pupil.order[-2] == "response.done"
    pupil = await struck(simulator, "odd_audio")
    assert len(pupil.sound) % 2 == 1


async def test_it_says_much(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "huge_event")
    assert max(len(e.get("delta", "")) for e in pupil.events) == HUGE_BYTES


async def test_it_says_things_twice(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "duplicate_ids")
    created = pupil.seen("response.created")
    assert len(created) == 2 and created[0] == created[1]
    await pupil.connection.close()


async def test_it_says_what_belongs_to_another(simulator: OpenAISimulator) -> None:
    pupil = await struck(simulator, "wrong_session")
    foreign, _ = (
        pupil.seen("response.created")
        if len(pupil.seen("response.created")) > 1
        else (
            pupil.seen("response.created")[0],
            None,
        )
    )
    assert foreign["response"]["conversation_id"].startswith("conv_")
    words = [e["delta"] for e in pupil.seen("response.output_audio_transcript.delta")]
    assert words[0] == FOREIGN
    assert pupil.seen("session.updated")[-1]["session"]["id"] != simulator.sessions[-1].id


async def test_transcripts_come_in_the_wrong_order(simulator: OpenAISimulator) -> None:
    simulator.faults.plan(Fault("transcript_out_of_order"))
    async with pupil_of(simulator) as pupil:
        await pupil.detects(VAD)
        for _ in range(2):
            await pupil.says("one")
            await pupil.until("rate_limits.updated")
        while len(pupil.seen(TRANSCRIPTION)) < 2:
            await pupil.next()
    assert [event["transcript"] for event in pupil.seen(TRANSCRIPTION)] == ["two", "one"]


async def test_every_kind_can_be_planned_or_struck_now(simulator: OpenAISimulator) -> None:
    before = {"refuse_connection", "throttled", "server_error"}
    async with pupil_of(simulator, checks=False) as pupil:
        for name in (*KINDS, "nonsense"):
            if name in before or name == "nonsense":
                with pytest.raises(ValueError, match=name):
                    simulator.sessions[0].strike(name)
            elif name not in ("hang_before_first_event", "hang_mid_audio", "close_at_limit"):
                simulator.sessions[0].strike(name)
        assert await _ended(pupil) == 1006


async def _ended(pupil: Pupil) -> int:
    while True:
        try:
            await pupil.next()
        except json.JSONDecodeError:
            continue
        except websockets.ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


async def test_the_fixture_for_other_tests(openai_simulator: OpenAISimulator) -> None:
    openai_simulator.manners.script = Script(HELLO)
    async with pupil_of(openai_simulator) as pupil:
        await pupil.set(output_modalities=["text"])
        await pupil.types("hello")
        done = await pupil.until("response.done")
    assert done["response"]["output"][0]["content"][0]["text"] == HELLO
