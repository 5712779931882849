"""One sentence to an engine: what came back and how fast, or what to mend."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ai.engine import Ask, EngineUnavailable, Spoken, TurnDetection
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Failed,
    Fault,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
)
from server import probe as probes
from server.probe import MENDS_BY_KIND, mend, probe

SOUND = b"\1\0" * 240


class Engine:
    """Answers at once, unless told how to fail."""

    name, key, languages = "openai-realtime", "k", None
    lifetime_s = None

    def __init__(self, **breaks: Any) -> None:
        self.breaks = breaks
        self.legs: list[Leg] = []

    async def prepare(self, brief: Any) -> "Engine":
        if fault := self.breaks.get("opening"):
            raise EngineUnavailable(fault.detail, fault=fault)
        return self

    def begin(self, memory: Any, report: Any, **_: Any) -> "Leg":
        self.legs.append(Leg(self, report))
        return self.legs[-1]


class Leg:
    def __init__(self, engine: Engine, report: Callable[[EngineEvent], None]) -> None:
        self.breaks, self.report = engine.breaks, report
        self.texts: list[str] = []
        self.heard, self.detection, self.closed = b"", None, False

    def detect(self, detection: TurnDetection | None) -> None:
        self.detection = detection

    def read(self, text: str) -> None:
        self.texts.append(text)

    def hear(self, pcm: bytes) -> None:
        before, self.heard = self.heard, self.heard + pcm
        if self.breaks.get("deaf"):
            return
        if len(before) < 2_400 <= len(self.heard):
            self.report(SpeechStarted("t", 0))
            self.report(Transcribed("t", "hello can you hear me"))
            self.report(SpeechStopped("t", 0))

    def answer(self, ask: Ask) -> None:
        if fault := self.breaks.get("answering"):
            self.report(Failed(fault.code, fault.detail, ask.answer, fault))
            return
        words = "" if self.breaks.get("dumb") else "Hello, loud and clear."
        sound = SOUND if ask.sound and not self.breaks.get("soundless") else b""
        if words:
            self.report(Spoke(ask.answer, words, sound))
        self.report(AnswerEnded(ask.answer))

    async def close(self) -> None:
        self.closed = True


class Voice:
    async def speak(self, text: str, **_: Any) -> Any:
        yield Spoken(SOUND)
        yield Spoken(SOUND * 10)


async def test_a_sentence_is_typed_then_spoken_and_both_are_answered() -> None:
    engine: Any = Engine()
    outcome = await probe(engine, Voice())
    assert outcome.well and outcome.sentence == "It said: “Hello, loud and clear.”"
    assert outcome.heard == "hello can you hear me"
    for took in (outcome.open_ms, outcome.text_ms, outcome.voice_ms):
        assert took is not None and took >= 0
    (leg,) = engine.legs
    assert leg.closed and leg.texts == [probes.SENTENCE] and leg.detection == TurnDetection()
    assert leg.heard.startswith(SOUND * 5)


async def test_without_a_voice_it_is_typed_only() -> None:
    engine: Any = Engine()
    outcome = await probe(engine)
    assert outcome.well and outcome.voice_ms is None and engine.legs[0].heard == b""


@pytest.mark.parametrize(
    ("how", "fault", "told"),
    [
        ("opening", Fault("terminal", "unauthorized", "401"), "does not accept the key"),
        ("opening", Fault("throttled", "rate_limited"), "busy"),
        ("opening", Fault("terminal", "never_heard_of"), "Check the key, the model"),
        (
            "answering",
            Fault("terminal", "model_unknown", "no such model"),
            "There is no such model",
        ),
    ],
)
async def test_what_is_wrong_is_told_with_how_to_mend_it(how: str, fault: Fault, told: str) -> None:
    engine: Any = Engine(**{how: fault})
    outcome = await probe(engine, Voice())
    assert not outcome.well and outcome.code == fault.code
    assert told in outcome.sentence and fault.code in outcome.sentence
    assert fault.detail in outcome.sentence
    assert all(leg.closed for leg in engine.legs)


@pytest.mark.parametrize(
    ("how", "told"),
    [("dumb", "without a word"), ("soundless", "without a sound"), ("deaf", "did not hear")],
)
async def test_an_engine_that_is_alive_and_does_not_work_is_found(
    how: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "ANSWER_WITHIN_S", 0.3)
    engine: Any = Engine(**{how: True})
    outcome = await probe(engine, Voice())
    assert not outcome.well and told in outcome.sentence
    assert engine.legs[0].closed


async def test_an_engine_that_never_opens_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "OPEN_WITHIN_S", 0.05)
    engine: Any = Engine()
    engine.prepare = lambda _: asyncio.sleep(60)
    outcome = await probe(engine)
    assert (outcome.well, outcome.code) == (False, "no_answer")


@pytest.mark.parametrize("kind", ["transient", "throttled", "limit", "terminal"])
def test_every_kind_of_fault_has_something_to_do_about_it(kind: Any) -> None:
    assert mend(Fault(kind, "new")) == MENDS_BY_KIND[kind]
