"""Our clients against the simulated OpenAI, which was written without them: two readings agree.

The simulator holds every event and every call against the package's own types; the fixture fails
where it had to complain.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ai.audio import FRAME_BYTES, duration_ms, silence
from ai.engine import Ask, Brief, EngineError, EngineUnavailable, Leg, Step, TurnDetection
from ai.engine import Utterance as Line
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Failed,
    SpeechConfirmed,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
    Used,
)
from ai.language import Said, Stopped, TextDelta, ToolResult, ToolUse
from ai.openai.chat import ChatModel
from ai.openai.ears import OpenAIEars
from ai.openai.realtime import OpenAIRealtime
from ai.openai.responses import ResponsesModel
from ai.openai.settings import OpenAISettings
from ai.openai.speaker import OpenAISpeaker
from ai.tools import TOOLS
from tests.fakes.ears import Told
from tests.fakes.faults import KINDS, Fault
from tests.fakes.mind import Call, Reply, Script
from tests.fakes.openai_mishaps import FOREIGN
from tests.fakes.openai_server import OpenAISimulator
from tests.fakes.voice import spoken

TOOL = TOOLS[0].name
BRIEF = Brief(
    "You are a tutor.", "Halves", "Halves.", "en-GB", "Hello.", "Bye.", (Step("What?", (), "S"),),
    vocabulary=("quarters",), tools=(TOOL,),
)  # fmt: skip
BY_SILENCE = TurnDetection(silence_ms=500)
OPENING = "Hello! Which part is two of four? Take your time."
ANSWER = "Yes, ½ — größer as 1÷3. Go on."
WITHIN_S = 20.0


@pytest.fixture
def simulator(openai_simulator: OpenAISimulator) -> OpenAISimulator:
    use = Reply("One moment.", (Call(TOOL, '{"answer": "½"}'),), Reply("That is right."))
    openai_simulator.manners.script = Script(OPENING, [ANSWER, ANSWER], {"check": use})
    openai_simulator.manners.ears = Told(["two quarters", "one half"])
    return openai_simulator


def settings(simulator: OpenAISimulator, model: str = "gpt-realtime-2.1") -> OpenAISettings:
    return OpenAISettings(simulator.key, simulator.base_url, model)


# ---- Realtime --------------------------------------------------------------------------------


@dataclass(slots=True)
class Talk:
    """One leg; every end of a turn is followed by an `Ask`, as the session does."""

    leg: Any = None
    events: list[EngineEvent] = field(default_factory=list)
    asked: int = 0
    asks: bool = True

    def report(self, event: EngineEvent) -> None:
        self.events.append(event)
        if isinstance(event, SpeechStopped) and self.asks:
            self.ask("student")

    def ask(self, cue: Any = "opening", sound: bool = True) -> str:
        self.asked += 1
        self.leg.answer(Ask(f"a{self.asked}", cue, sound))
        return f"a{self.asked}"

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def words(self, answer: str) -> str:
        pieces = [event.text for event in self.of(Spoke) if event.answer == answer]
        return " ".join(" ".join(pieces).split())

    def sound(self, answer: str) -> bytes:
        return b"".join(event.pcm for event in self.of(Spoke) if event.answer == answer)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def ended(self, answer: str) -> None:
        await self.until(lambda: AnswerEnded(answer) in self.events)

    async def speak(self, text: str) -> None:
        """Faster than it sounds."""
        pcm = silence(300) + await spoken(text) + silence(700)
        for at in range(0, len(pcm), 5 * FRAME_BYTES):
            self.leg.hear(pcm[at : at + 5 * FRAME_BYTES])
            await asyncio.sleep(0.002)


@asynccontextmanager
async def talk(simulator: OpenAISimulator, memory: tuple[Line, ...] = ()) -> AsyncIterator[Talk]:
    engine = OpenAIRealtime(settings(simulator))
    made = Talk()
    standby = await engine.prepare(BRIEF)
    leg: Leg = standby.begin(memory, made.report)
    made.leg = leg
    leg.detect(BY_SILENCE)
    try:
        yield made
    finally:
        await leg.close()
        await made.until(lambda: not simulator.open)


async def test_a_spoken_conversation(simulator: OpenAISimulator) -> None:
    async with talk(simulator) as lesson:
        await lesson.ended(lesson.ask())
        assert lesson.words("a1") == OPENING
        assert duration_ms(lesson.sound("a1")) > 1_000
        for number in (2, 3):
            await lesson.speak("two quarters")
            await lesson.ended(f"a{number}")
        assert lesson.words("a3") == ANSWER
        await lesson.until(lambda: len(lesson.of(Transcribed)) == 2)
        assert [event.text for event in lesson.of(Transcribed)] == ["two quarters", "one half"]
        kinds = [type(event) for event in lesson.events if isinstance(event, SpeechConfirmed)]
        assert len(kinds) == 2
    used = {event.unit for event in lesson.of(Used)}
    assert {"audio_in_ms", "audio_out_ms", "text_tokens_in", "audio_tokens_out"} <= used
    (session,) = simulator.sessions
    assert [line.text for line in session.conversation.lines()][:2] == [OPENING, "two quarters"]
    assert not lesson.of(Failed)


@pytest.mark.parametrize("closes_parts", [True, False])
async def test_an_interrupted_answer_is_cut_at_the_provider_too(
    simulator: OpenAISimulator, closes_parts: bool
) -> None:
    simulator.manners.pace = 6.0
    simulator.manners.closes_parts = closes_parts
    async with talk(simulator) as lesson:
        answer = lesson.ask()
        await lesson.until(lambda: len(lesson.words(answer).split()) > 5)
        heard = " ".join(lesson.words(answer).split()[:4])
        lesson.leg.cancel(answer, heard)
        session = simulator.sessions[0]
        await lesson.until(lambda: "conversation.item.truncate" in session.received)
        await lesson.speak("two quarters")
        await lesson.ended("a2")
        known = session.conversation.lines()[0].text
        assert known and OPENING.startswith(known) and len(known) < len(OPENING)
        lesson.leg.cancel("a2", " ".join(ANSWER.split()[:3]))
        await lesson.until(lambda: session.received.count("conversation.item.truncate") == 2)
        statuses = [one.status for one in session.answers]
        assert statuses == ["cancelled", "completed"]
        assert not lesson.of(Failed)


async def test_what_was_said_before_is_remembered_and_typed_turns_are_read(
    simulator: OpenAISimulator,
) -> None:
    memory = (Line("tutor", "Hello."), Line("student", "two quarters"), Line("system", "Noted."))
    async with talk(simulator, memory) as lesson:
        lesson.leg.read("check this")
        answer = lesson.ask("student", sound=False)
        await lesson.until(lambda: lesson.of(ToolCalled))
        (called,) = lesson.of(ToolCalled)
        assert (called.answer, called.name, called.arguments) == (answer, TOOL, '{"answer": "½"}')
        lesson.leg.give(called.call, '{"verdict": "right"}')
        await lesson.ended(answer)
        assert lesson.words(answer) == "One moment. That is right."
        assert lesson.sound(answer) == b""
    lines = simulator.sessions[0].conversation.lines()
    assert [line.role for line in lines[:3]] == ["tutor", "student", "student"]


async def test_turns_that_are_committed_by_hand(simulator: OpenAISimulator) -> None:
    async with talk(simulator) as lesson:
        await lesson.ended(lesson.ask())
        lesson.leg.detect(None)
        lesson.leg.clear()
        lesson.leg.hear(await spoken("two quarters"))
        lesson.leg.commit("mine")
        await lesson.ended(lesson.ask("student"))
        await lesson.until(lambda: lesson.of(Transcribed))
        assert lesson.of(Transcribed)[0] == Transcribed("mine", "two quarters")
        assert not lesson.of(SpeechStopped)


UNAVAILABLE = {
    "refuse_connection": "transient",
    "throttled": "throttled",
    "server_error": "transient",
    "hang_before_first_event": "transient",
}
ENDS_THE_LEG = {
    "close_mid_utterance": "transient",
    "close_at_limit": "limit",
    "huge_event": "transient",
}
GOES_ON = set(KINDS) - set(UNAVAILABLE) - set(ENDS_THE_LEG) - {"hang_mid_audio"}


@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_a_session_that_does_not_open(simulator: OpenAISimulator, name: str) -> None:
    simulator.faults.plan(Fault(name, detail="7" if name == "throttled" else ""))
    engine = OpenAIRealtime(settings(simulator), within_s=0.3)
    with pytest.raises(EngineUnavailable) as refused:
        await engine.prepare(BRIEF)
    assert refused.value.fault.kind == UNAVAILABLE[name]
    if name == "throttled":
        assert refused.value.fault.retry_after_s == 7
    standby = await engine.prepare(BRIEF)
    await standby.close()


@pytest.mark.parametrize("name", ENDS_THE_LEG)
async def test_a_session_that_ends(simulator: OpenAISimulator, name: str) -> None:
    simulator.faults.plan(Fault(name, after_s=0.3 if name == "close_at_limit" else 0.0))
    async with talk(simulator) as lesson:
        lesson.asks = name not in ("close_mid_utterance", "close_at_limit")
        lesson.ask()
        await lesson.speak("two quarters")
        await lesson.until(lambda: lesson.of(Failed))
    (failed,) = lesson.of(Failed)
    assert failed.answer is None
    assert failed.fault is not None and failed.fault.kind == ENDS_THE_LEG[name]
    assert FOREIGN not in str(lesson.events)


@pytest.mark.parametrize("name", sorted(GOES_ON))
async def test_a_session_that_goes_on(simulator: OpenAISimulator, name: str) -> None:
    simulator.faults.plan(Fault(name))
    async with talk(simulator) as lesson:
        await lesson.ended(lesson.ask())
        for number in (2, 3):
            await lesson.speak("two quarters")
            await lesson.ended(f"a{number}")
        await lesson.until(lambda: len(lesson.of(Transcribed)) == 2)
    assert [lesson.words(f"a{number}") for number in (1, 2, 3)] == [OPENING, ANSWER, ANSWER]
    texts = {event.turn: event.text for event in lesson.of(Transcribed)}
    turns = [event.turn for event in lesson.of(SpeechStopped)]
    assert [texts[turn] for turn in turns] == ["two quarters", "one half"]
    assert not lesson.of(Failed)
    assert FOREIGN not in str(lesson.events)


async def test_a_response_of_another_conversation_is_not_for_us(
    simulator: OpenAISimulator,
) -> None:
    simulator.faults.plan(Fault("wrong_session", 0.2, "response"))
    async with talk(simulator) as lesson:
        await lesson.ended(lesson.ask())
        await asyncio.sleep(0.2)
        await lesson.speak("two quarters")
        await lesson.ended("a2")
    assert lesson.words("a2") == ANSWER
    assert FOREIGN in str(simulator.sessions[0].outgoing.said)
    assert FOREIGN not in str(lesson.events)


# ---- language models, ears and voice ---------------------------------------------------------


@pytest.fixture(params=[ChatModel, ResponsesModel])
async def model(request: pytest.FixtureRequest, simulator: OpenAISimulator) -> AsyncIterator[Any]:
    made = request.param(settings(simulator, "gpt-5.6-terra"))
    yield made
    await made.close()


async def said(model: Any, *turns: Any, most: int = 200) -> tuple[str, list[ToolUse], str]:
    text, uses, end = "", [], ""
    async for piece in model.stream("You are a tutor.", turns, TOOLS[:1], most):
        match piece:
            case TextDelta(more):
                text += more
            case ToolUse():
                uses.append(piece)
            case Stopped(reason):
                end = reason
    return text, uses, end


@pytest.mark.parametrize(("split", "line_end"), [(None, "\n"), (3, "\n"), (5, "\r\n")])
async def test_a_model_answers_and_uses_tools(
    model: Any, simulator: OpenAISimulator, split: int | None, line_end: str
) -> None:
    simulator.http.manners.split, simulator.http.manners.line_end = split, line_end
    hello = (Said("student", "hello"), Said("tutor", OPENING), Said("student", "two quarters"))
    assert await said(model, *hello) == (ANSWER, [], "end")
    assert (await said(model, *hello, most=1))[2] == "length"
    check = (*hello[:2], Said("student", "check this"))
    text, (use,), end = await said(model, *check)
    assert (text, use.name, use.arguments, end) == ("One moment.", TOOL, '{"answer": "½"}', "tools")
    turns = (*check, Said("tutor", text), use, ToolResult(use.call, "{}"))
    assert (await said(model, *turns))[0] == "That is right."


@pytest.mark.parametrize("name", ["throttled", "server_error", "refuse_connection"])
async def test_a_model_is_asked_again(model: Any, simulator: OpenAISimulator, name: str) -> None:
    simulator.http.faults.plan(Fault(name, detail="0.01" if name == "throttled" else ""))
    text, _, _ = await said(model, Said("student", "hello"))
    assert text == OPENING


@pytest.mark.parametrize("name", ["close_mid_utterance", "error_mid_stream", "close_at_limit"])
async def test_a_model_breaks_in_mid_answer(
    model: Any, simulator: OpenAISimulator, name: str
) -> None:
    simulator.http.faults.plan(Fault(name))
    with pytest.raises(EngineError):
        await said(model, Said("student", "hello"))
    assert (await said(model, Said("student", "hello")))[0] == OPENING


async def test_ears_and_voice(simulator: OpenAISimulator) -> None:
    ears = OpenAIEars(settings(simulator))
    heard = await ears.transcribe(await spoken("two quarters"), BRIEF, 0)
    assert heard.text == "two quarters"
    await ears.close()
    for model in ("gpt-4o-mini-tts", "tts-1"):
        speaker = OpenAISpeaker(settings(simulator, model))
        pcm = b""
        async for piece in speaker.speak("Three quarters.", language="en", voice="", speed=1.0):
            pcm += piece.pcm
        assert 500 < duration_ms(pcm) < 2_500 and len(pcm) % 2 == 0
        await speaker.close()
