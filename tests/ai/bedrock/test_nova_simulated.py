"""Lessons with the simulated Nova Sonic, which listens to real speech and keeps Nova's rules."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ai.bedrock import nova as engine_module
from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.nova import NovaSettings, NovaSonic
from ai.engine import Brief, EngineUnavailable, Leg, TurnDetection, Utterance, Vad
from ai.events import (
    AnswerEnded,
    Failed,
    SpeechConfirmed,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
    Used,
)
from ai.local.vad import Vad as SileroVad
from tests.ai.bedrock.nova_stage import Stage
from tests.ai.bedrock.peer import until
from tests.fakes.ears import Told
from tests.fakes.faults import Fault
from tests.fakes.h2_server import Wire
from tests.fakes.mind import Call, Reply, Script
from tests.fakes.nova import Nova
from tests.fakes.nova_stream import STRAY
from tests.fakes.nova_talk import Manners
from tests.fakes.signatures import ACCESS_KEY, REGION, SECRET_KEY
from tests.fakes.voice import say

WHO = AwsCredentials(ACCESS_KEY, SECRET_KEY)
BRIEF = Brief("You are a tutor.", "T", "G", "en", "Hello.", "Bye.", (), tools=("check_answer",))
QUIET = bytes(48 * 500)
LONG = "One two three four five six seven eight nine ten eleven twelve thirteen. And on it goes."


def manners(*replies: Reply | str, told: Sequence[str] = (), **more: Any) -> Manners:
    usual: dict[str, Any] = {"silence_ms": 300, "think_s": 0.0, "pace": 20.0, "finals": "generated"}
    script = Script("Hello there.", replies)
    return Manners(**{"script": script, "ears": Told(tuple(told)), **usual, **more})


class Pupil(Stage):
    """The session's part, with a simulated Nova on the other side."""

    def __init__(self) -> None:
        self.events = []
        self.asks = True
        self.current = ""
        self._asked = 0
        self.leg: Leg  # type: ignore[assignment]

    def say(self, text: str) -> None:
        self.leg.hear(QUIET + say(text) + QUIET)

    @property
    def lines(self) -> list[str]:
        """What was heard and said, as the session would show it."""
        found: list[str] = []
        for event in self.events:
            if isinstance(event, Transcribed):
                found.append(f"student: {event.text}")
            elif isinstance(event, Spoke) and event.text:
                if found and found[-1].startswith(f"{event.answer}: "):
                    found[-1] += f" {event.text}"
                else:
                    found.append(f"{event.answer}: {event.text}")
        return found


def engine(nova: Nova, vad: Vad | None = None, ca_file: str | None = None) -> NovaSonic:
    return NovaSonic(NovaSettings(REGION, endpoint=nova.endpoint, ca_file=ca_file), fixed(WHO), vad)


@asynccontextmanager
async def lesson(
    nova: Nova,
    vad: Vad | None = None,
    ca_file: str | None = None,
    memory: Sequence[Utterance] = (),
) -> AsyncIterator[Pupil]:
    pupil = Pupil()
    standby = await engine(nova, vad, ca_file).prepare(BRIEF)
    pupil.leg = standby.begin(memory, pupil.report)
    pupil.leg.detect(TurnDetection())
    try:
        yield pupil
    finally:
        await pupil.leg.close()


@pytest.mark.parametrize("tls", [False, True], ids=["h2c", "tls"])
async def test_a_short_lesson(tls: bool, tmp_path: Path) -> None:
    checked = Reply(calls=(Call("check_answer", '{"said":"two quarters"}'),), then=Reply("Right."))
    behaviour = manners("What is a half?", checked, "Bye.", told=["fine", "two quarters"])
    async with Nova(behaviour, tls=tls, wire=Wire(window=1_500)) as nova:
        ca_file = tmp_path / "ca.pem"
        ca_file.write_text(nova.certificate)
        async with lesson(nova, ca_file=str(ca_file) if tls else None) as pupil:
            pupil.ask("opening")
            await pupil.until(AnswerEnded)
            pupil.say("fine")
            await pupil.until(AnswerEnded, 2)
            pupil.say("two quarters")
            called = await pupil.until(ToolCalled)
            assert (called.name, called.arguments) == ("check_answer", '{"said":"two quarters"}')
            pupil.leg.give(called.call, '{"verdict":"right"}')
            await pupil.until(AnswerEnded, 3)
            pupil.leg.read("I must go.")
            pupil.ask("student", sound=False)
            await pupil.until(AnswerEnded, 4)
            assert pupil.lines == [
                "answer_1: Hello there.",
                "student: fine",
                "answer_2: What is a half?",
                "student: two quarters",
                "answer_3: Right.",
                "answer_4: Bye.",
            ]
            assert len(pupil.of(SpeechStarted)) == len(pupil.of(SpeechStopped)) == 2
            used = {event.unit for event in pupil.of(Used)}
            assert used >= {"audio_tokens_in", "text_tokens_out", "audio_in_ms", "audio_out_ms"}
        assert nova.violations == []
        await until(lambda: not nova.open_streams)
        assert nova.streams[0].client_done
        await until(lambda: not nova.connections)


async def test_a_lesson_goes_on_from_its_history() -> None:
    memory = [Utterance("tutor", "Hello."), Utterance("student", "Hi."), Utterance("tutor", LONG)]
    memory = [*memory * 40, Utterance("student", "ü" * 3_000)]
    behaviour = manners(told=["yes"], script=Script(replies=["On we go."] * 60))
    async with Nova(behaviour) as nova:
        async with lesson(nova, memory=memory) as pupil:
            pupil.ask("resumed")
            await pupil.until(AnswerEnded)
        assert nova.violations == []
        assert [line.text for line in nova.streams[0].talk.lines][1] == "Hello."


@pytest.mark.parametrize("order", ["end_turn", "interrupted"])
async def test_the_student_interrupts(order: str) -> None:
    behaviour = manners(
        LONG, LONG, "At last.", told=["go", "stop", "stop it"], barge_in=order, finals="played"
    )
    async with Nova(behaviour) as nova:
        async with lesson(nova) as pupil:
            pupil.ask("opening")
            await pupil.until(AnswerEnded)
            await asyncio.sleep(1.0)  # it is heard
            pupil.say("go")
            await until(lambda: len(pupil.of(Spoke)) > 12)
            pupil.say("stop")
            await pupil.until(Transcribed, 2)
            await until(lambda: pupil.said("answer_3"))
            await asyncio.sleep(0.3)
            pupil.say("stop it")
            await until(lambda: pupil.ended("answer_4"))
            students = [line for line in pupil.lines if line.startswith("student")]
            assert students == ["student: go", "student: stop", "student: stop it"]
            assert pupil.lines[-1] == "answer_4: At last."
            assert LONG.startswith(pupil.said("answer_2"))
            assert len(pupil.of(SpeechStarted)) == len(pupil.of(SpeechConfirmed)) == 3
            assert "interrupted" not in " ".join(pupil.lines)
        assert nova.violations == []
        assert nova.streams[0].talk.interruptions >= 2
        await until(lambda: not nova.open_streams)


@pytest.mark.slow
async def test_our_ears_and_novas_agree() -> None:
    told = ["two quarters please", "stop that now", "three eighths"]
    behaviour = manners(LONG, "I stop.", "Good.", told=told, finals="played", silence_ms=900)
    vad = SileroVad()
    async with Nova(behaviour) as nova:
        async with lesson(nova, vad) as pupil:
            pupil.ask("opening")
            await pupil.until(AnswerEnded)
            for number, text in enumerate(told):
                sound = QUIET + say(text) + bytes(48 * 1_200)
                for at in range(0, len(sound), 960):
                    pupil.leg.hear(sound[at : at + 960])
                    await asyncio.sleep(0.002)
                await pupil.until(Transcribed, number + 1)
                await until(lambda n=number: pupil.said(f"answer_{n + 2}"))  # type: ignore[misc]
            await until(lambda: pupil.ended("answer_4"))
            students = [line for line in pupil.lines if line.startswith("student")]
            assert students == [f"student: {text}" for text in told]
            assert len(pupil.of(SpeechStarted)) == 3
        assert nova.violations == []
    vad.close()


async def test_a_silent_student_is_waited_for() -> None:
    async with Nova(manners(idle_s=0.4)) as nova:
        async with lesson(nova) as pupil:
            await asyncio.sleep(1.2)
            assert not pupil.of(Failed)
            assert nova.streams[0].received_events["audioInput"] > 25
        assert nova.violations == []


async def test_who_stands_by_too_long_is_told_at_the_beginning() -> None:
    async with Nova(manners(idle_s=0.2)) as nova:
        standby = await engine(nova).prepare(BRIEF)
        await asyncio.sleep(0.4)
        events: list[object] = []
        leg = standby.begin((), events.append)
        await until(lambda: events)
        failed = events[0]
        assert isinstance(failed, Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.code) == ("limit", "idle")
        await leg.close()
        await until(lambda: not nova.open_streams)


async def test_eight_minutes_end_it() -> None:
    async with Nova(manners(cap_s=0.5)) as nova:
        async with lesson(nova) as pupil:
            failed = await pupil.until(Failed)
            assert failed.fault is not None
            assert (failed.fault.kind, failed.code) == ("limit", "session_expired")
        await until(lambda: not nova.open_streams)


async def test_hundreds_of_legs_leave_nothing_open() -> None:
    async with Nova(manners(), max_streams=10_000) as nova:
        nova_engine = engine(nova)
        for number in range(100):
            standby = await nova_engine.prepare(BRIEF)
            if number % 3:
                await standby.begin((), lambda event: None).close()
            else:
                await standby.close()
        assert len(nova.streams) == 100
        await until(lambda: not nova.open_streams)
        await until(lambda: not nova.connections)
        assert nova.violations == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("refuse_connection", "transient", None),
        ("throttled", "throttled", "throttled"),
        ("server_error", "transient", "provider_failed"),
        ("unauthorized", "terminal", "model_access"),
        ("model_unknown", "terminal", "model_unknown"),
        ("hang_before_first_event", "transient", "no_response"),
    ],
)
async def test_what_fails_before_it_begins(
    fault: str, kind: str, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "hang_before_first_event":
        monkeypatch.setattr(engine_module, "PREPARED_WITHIN_S", 0.5)
    async with Nova(manners()) as nova:
        nova.fail(fault)
        with pytest.raises(EngineUnavailable) as told:
            await engine(nova).prepare(BRIEF)
        assert told.value.fault.kind == kind
        assert code in (None, told.value.fault.code)
        monkeypatch.undo()
        async with lesson(nova) as pupil:
            pupil.ask("opening")
            await pupil.until(AnswerEnded)
        await until(lambda: not nova.connections)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("close_mid_utterance", "transient"),
        ("close_at_limit", "limit"),
        ("huge_event", "transient"),
        ("rst_stream", "transient"),
        ("rst_stream_mid_audio", "transient"),
        ("goaway_mid_audio", "limit"),
        ("throttled_in_stream", "throttled"),
    ],
)
async def test_what_ends_a_leg(fault: str, kind: str) -> None:
    async with Nova(manners(LONG, told=["go"])) as nova:
        nova.fail(Fault(fault))
        async with lesson(nova) as pupil:
            pupil.ask("opening")
            failed = await pupil.until(Failed)
            assert failed.fault is not None
            assert failed.fault.kind == kind
            assert failed.answer is None
        await until(lambda: not nova.open_streams)
        await until(lambda: not nova.connections)


@pytest.mark.parametrize(
    "fault", ["invalid_json", "unknown_event", "odd_audio", "duplicate_ids", "wrong_session"]
)
async def test_what_a_lesson_survives(fault: str) -> None:
    async with Nova(manners("What is a half?", told=["fine"])) as nova:
        nova.fail(Fault(fault))
        async with lesson(nova) as pupil:
            pupil.ask("opening")
            await pupil.until(AnswerEnded)
            pupil.say("fine")
            await pupil.until(AnswerEnded, 2)
            assert pupil.lines == [
                "answer_1: Hello there.",
                "student: fine",
                "answer_2: What is a half?",
            ]
            assert STRAY not in " ".join(pupil.lines)
            assert not pupil.of(Failed)
        assert nova.violations == []


async def test_words_that_come_late_are_the_turns_words() -> None:
    async with Nova(manners("What is a half?", told=["fine"])) as nova, lesson(nova) as pupil:
        pupil.ask("opening")
        await pupil.until(AnswerEnded)
        nova.strike("transcript_out_of_order")
        pupil.say("fine")
        await until(lambda: pupil.ended("answer_2") or pupil.of(Transcribed))
        assert [event.text for event in pupil.of(Transcribed)] == ["fine"]


async def test_more_streams_than_the_quota_are_throttled() -> None:
    async with Nova(manners(), max_streams=1) as nova, lesson(nova):
        with pytest.raises(EngineUnavailable) as told:
            await engine(nova).prepare(BRIEF)
        assert told.value.fault.kind == "throttled"


async def test_a_wrong_secret_is_told() -> None:
    async with Nova(manners()) as nova:
        wrong = AwsCredentials(ACCESS_KEY, "another secret")
        settings = NovaSettings(REGION, endpoint=nova.endpoint)
        with pytest.raises(EngineUnavailable) as told:
            await NovaSonic(settings, fixed(wrong), None).prepare(BRIEF)
        assert (told.value.fault.kind, told.value.fault.code) == ("terminal", "unauthorized")
