"""The engine on the simulated OpenAI, which speaks, keeps to its rules, and breaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import duration_ms, silence
from ai.engine import EngineUnavailable, TurnDetection
from ai.events import AnswerEnded, EngineEvent, Failed, Spoke, Transcribed, Used
from ai.openai.realtime import OpenAIRealtime
from ai.openai.settings import OpenAISettings
from tests.ai.openai.stage import BRIEF, Stage
from tests.fakes.faults import Fault
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_mishaps import FOREIGN
from tests.fakes.openai_server import OpenAISimulator, simulate_openai

SECONDS = 25.0  # the first voice is made by a process that has to start, on a busy machine


@pytest.fixture
async def simulator() -> AsyncIterator[OpenAISimulator]:
    async with simulate_openai(Manners(checks=False, pace=None)) as opened:
        yield opened


def engine_on(simulator: OpenAISimulator) -> OpenAIRealtime:
    settings = OpenAISettings(simulator.key, base_url=simulator.base_url)
    return OpenAIRealtime(settings, within_s=1.0)


async def begun(simulator: OpenAISimulator) -> Stage:
    stage = Stage(None)  # type: ignore[arg-type]  # nothing is scripted here
    standby = await engine_on(simulator).prepare(BRIEF)
    stage.leg = standby.begin([], stage.report)
    stage.leg.detect(TurnDetection())
    return stage


async def answered(stage: Stage) -> list[EngineEvent]:
    """What comes of a typed question, until its answer or the leg ends, or nothing comes."""
    stage.leg.read("Is two quarters one half?")
    answer = stage.ask()
    over = (AnswerEnded, Failed)
    try:
        async with asyncio.timeout(SECONDS):
            await stage.until(lambda: any(isinstance(one, over) for one in stage.events))
    except TimeoutError:
        pass
    assert all(getattr(one, "answer", answer) in (answer, None) for one in stage.events)
    return stage.events


async def test_a_question_is_answered_in_words_and_sound(simulator: OpenAISimulator) -> None:
    stage = await begun(simulator)
    events = await answered(stage)
    await stage.leg.close()
    spoke = [event for event in events if isinstance(event, Spoke)]
    assert isinstance(events[-1], AnswerEnded)
    assert len(" ".join(one.text for one in spoke if one.text).split()) > 3
    length_ms = duration_ms(b"".join(one.pcm for one in spoke))
    assert Used("audio_out_ms", length_ms) in stage.used
    assert {one.unit for one in stage.used} >= {"text_tokens_in", "audio_tokens_out"}
    assert simulator.violations == []


async def test_an_answer_is_cut_to_what_was_heard(simulator: OpenAISimulator) -> None:
    stage = await begun(simulator)
    events = await answered(stage)
    said = " ".join(one.text for one in events if isinstance(one, Spoke) and one.text)
    stage.leg.cancel("resp_1", said[: said.index(" ", len(said) // 2)])
    stage.leg.cancel("resp_1", "")
    await stage.leg.close()
    assert simulator.sessions[0].received.count("conversation.item.truncate") == 1
    assert simulator.violations == []
    assert stage.failed == []


async def test_a_spoken_turn_beside_the_microphone_gets_its_words(
    simulator: OpenAISimulator,
) -> None:
    engine = engine_on(simulator)
    stage = Stage(None)  # type: ignore[arg-type]
    stage.leg = (await engine.prepare(BRIEF)).begin([], stage.report)

    async def hear(*about: object) -> str:
        return "two quarters"

    simulator.manners.ears = hear
    stage.leg.listen("item:mine", silence(1_000))
    said = await stage.wait_for(Transcribed)
    await stage.leg.close()
    await engine.close()
    assert said == Transcribed("item:mine", "two quarters")
    assert Used("audio_in_ms", 1_000) in stage.used


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("refuse_connection", "transient"),
        ("throttled", "throttled"),
        ("server_error", "transient"),
        ("hang_before_first_event", "transient"),
    ],
)
async def test_a_session_that_can_t_be_opened(
    simulator: OpenAISimulator, name: str, kind: str
) -> None:
    simulator.faults.plan(Fault(name))
    with pytest.raises(EngineUnavailable) as caught:
        await engine_on(simulator).prepare(BRIEF)
    assert caught.value.fault.kind == kind
    stage = await begun(simulator)  # the next one is well
    assert isinstance((await answered(stage))[-1], AnswerEnded)
    await stage.leg.close()


@pytest.mark.parametrize("name", ["invalid_json", "unknown_event", "odd_audio", "duplicate_ids"])
async def test_what_an_answer_survives(simulator: OpenAISimulator, name: str) -> None:
    stage = await begun(simulator)
    whole = [one for one in await answered(stage) if isinstance(one, Spoke)]
    await stage.leg.close()
    simulator.faults.plan(Fault(name))
    stage = await begun(simulator)
    events = await answered(stage)
    await stage.leg.close()
    spoke = [one for one in events if isinstance(one, Spoke)]
    assert isinstance(events[-1], AnswerEnded)
    assert [one.text for one in spoke if one.text] == [one.text for one in whole if one.text]
    sound, before = (sum(len(one.pcm) for one in pieces) for pieces in (spoke, whole))
    assert abs(sound - before) < before / 10


@pytest.mark.parametrize(
    ("name", "kind"), [("huge_event", "transient"), ("close_at_limit", "limit")]
)
async def test_what_ends_a_leg(simulator: OpenAISimulator, name: str, kind: str) -> None:
    simulator.faults.plan(Fault(name, after_s=0.05 if kind == "limit" else 0.0))
    stage = await begun(simulator)
    if kind != "limit":
        await answered(stage)
    failed = await stage.wait_for(Failed)
    await stage.leg.close()
    assert failed.fault is not None and failed.fault.kind == kind


async def test_what_is_another_session_s_is_never_told(simulator: OpenAISimulator) -> None:
    simulator.faults.plan(Fault("wrong_session"))
    stage = await begun(simulator)
    events = await answered(stage)
    await stage.leg.close()
    assert FOREIGN not in repr(events) and "marmalade" not in repr(events)
    assert isinstance(events[-1], AnswerEnded)
