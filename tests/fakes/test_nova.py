"""The simulated Nova over its wire, by a client that writes raw frames."""

import asyncio
import json
from typing import Any

import pytest

from ai.audio import RATE_HZ
from tests.fakes.ears import Recognised, Told
from tests.fakes.faults import KINDS, Fault
from tests.fakes.frames import encode
from tests.fakes.h2_server import Wire
from tests.fakes.mind import Call, Reply, Script
from tests.fakes.nova import Nova
from tests.fakes.nova_out import MARKER
from tests.fakes.nova_rules import INVALID
from tests.fakes.nova_stream import IDLE, STRAY, TIMED_OUT
from tests.fakes.nova_talk import Manners
from tests.fakes.raw_nova import CLOSING, RawNova, audio, audio_start, opening, text
from tests.fakes.voice import say, spoken

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen. And on it goes."
BEGIN = text("T0", "USER", "(begin)", interactive=True)
QUIET = bytes(16_000)  # half a second


def manners(*replies: Reply | str, told: tuple[str, ...] = (), **more: Any) -> Manners:
    usual: dict[str, Any] = {"silence_ms": 300, "think_s": 0.0, "pace": 20.0, "finals": "generated"}
    script = Script("Hello there.", replies)
    return Manners(**{"script": script, "ears": Told(told), **usual, **more})


async def begun(raw: RawNova) -> None:
    """As far as the end of the opening."""
    await raw.begin(*opening(), audio_start(), *BEGIN)
    await raw.until("contentEnd", type="TEXT", stopReason="END_TURN")


async def closed(raw: RawNova) -> None:
    await raw.send(*CLOSING)
    await raw.close()
    assert await raw.until_over() == "end"


@pytest.mark.parametrize("tls", [False, True], ids=["h2c", "tls"])
async def test_a_lesson_is_heard_answered_and_closed(tls: bool) -> None:
    behaviour = manners("Good.", told=("fine thanks",))
    async with Nova(behaviour, tls=tls, wire=Wire(window=900)) as nova, RawNova(nova) as raw:
        await begun(raw)
        await raw.speak(QUIET + say("fine thanks", 16_000) + QUIET, pace=10)
        await raw.until("textOutput", content="Good.")
        await raw.until("contentEnd", type="AUDIO", stopReason="END_TURN")
        while raw.texts("ASSISTANT", "FINAL") != ["Hello there.", "Good."]:
            await raw.wait()
        assert raw.texts("USER", "FINAL") == ["fine thanks"]
        assert raw.texts("ASSISTANT", "SPECULATIVE") == ["Hello there.", "Good."]
        await closed(raw)
        assert raw.events[0][0] == "completionStart"
        assert raw.events[-1][0] == "completionEnd"
        usages = [body for name, body in raw.events if name == "usageEvent"]
        total = usages[-1]["details"]["total"]
        for side in ("input", "output"):
            for kind in ("speechTokens", "textTokens"):
                told = sum(usage["details"]["delta"][side][kind] for usage in usages)
                assert total[side][kind] == told > 0
        assert any("p" in json.loads(message.payload) for message in raw.messages)
        assert nova.violations == []
        assert nova.open_streams == 0


@pytest.mark.slow
async def test_it_understands_speech_and_speaks_itself() -> None:
    behaviour = manners("Photosynthesis.", ears=Recognised(("two quarters", "three eighths")))
    async with Nova(behaviour) as nova, RawNova(nova) as raw:
        await begun(raw)
        said = await spoken("two quarters", 16_000)
        await raw.speak(QUIET + said + QUIET, pace=4)
        await raw.until("textOutput", content="Photosynthesis.")
        await raw.until("completionStart")
        while len(raw.texts("ASSISTANT", "FINAL")) < 2:
            await raw.wait()
        assert raw.texts("USER", "FINAL") == ["two quarters"]
        answer = raw.sound[len(say("Hello there.")) :]
        heard = await Recognised(("photosynthesis", "respiration"))(answer, RATE_HZ, "", [])
        assert heard == "photosynthesis"
        await closed(raw)
    assert nova.violations == []


@pytest.mark.slow
@pytest.mark.parametrize("order", ["end_turn", "interrupted"])
async def test_who_is_interrupted_stops_and_says_so(order: Any) -> None:
    behaviour = manners(told=("stop", "stop"), barge_in=order, finals="played", pace=1.5)
    behaviour.script.when["stop"] = "All right."  # type: ignore[union-attr, index]
    async with Nova(behaviour) as nova, RawNova(nova) as raw:
        nova.manners.script.when["begin"] = LONG  # type: ignore[union-attr, index]
        await raw.begin(*opening(), audio_start(), *text("T", "USER", "begin", interactive=True))
        await raw.until("audioOutput")
        await asyncio.sleep(0.8)
        await raw.speak(say("stop please", 16_000) + QUIET * 2)
        await raw.until("textOutput", content=MARKER)
        names = [
            (name, body.get("stopReason") or body.get("content"))
            for name, body in raw.events
            if name in ("contentEnd", "textOutput")
        ]
        at = names.index(("textOutput", MARKER))
        assert names[at - 1] == ("contentEnd", order.upper())
        assert names[at + 1] == ("contentEnd", "INTERRUPTED")
        await raw.until("textOutput", content="All right.")
        finals = raw.texts("ASSISTANT", "FINAL")
        assert finals[0] == MARKER  # the rest of what was interrupted never comes
        assert not set(finals) & set(raw.texts("ASSISTANT", "SPECULATIVE")[:-1])
        lines = nova.streams[0].talk.lines
        assert LONG.startswith(lines[1].text)
        assert 0 < len(lines[1].text) < len(LONG)
        await closed(raw)
    assert nova.violations == []


async def test_tools_are_called_together_and_the_answer_goes_on_with_all_results() -> None:
    calls = (Call("show", '{"text":"1/2"}'), Call("look_up", '{"q":"half"}'))
    behaviour = manners(Reply("", calls, Reply("There it is.")), told=("show me",))
    async with Nova(behaviour) as nova, RawNova(nova) as raw:
        await begun(raw)
        await raw.speak(QUIET + say("show me", 16_000) + QUIET, pace=10)
        await raw.until("contentEnd", type="TOOL", stopReason="TOOL_USE")
        names = [
            name for name, body in raw.events if body.get("type") == "TOOL" or "toolUseId" in body
        ]
        assert names == ["contentStart", "toolUse"] * 2 + ["contentEnd"] * 2
        used = [body["toolUseId"] for name, body in raw.events if name == "toolUse"]
        for at, call in enumerate(used):
            assert not raw.texts("ASSISTANT", "FINAL")[1:]
            of = {"promptName": "P", "contentName": f"R{at}"}
            media = {"mediaType": "text/plain"}
            given = {"toolUseId": call, "type": "TEXT", "textInputConfiguration": media}
            head = {**of, "interactive": False, "type": "TOOL", "role": "TOOL"}
            await raw.send(
                ("contentStart", {**head, "toolResultInputConfiguration": given}),
                ("toolResult", {**of, "content": "{}"}),
                ("contentEnd", of),
            )
        await raw.until("textOutput", content="There it is.")
        await closed(raw)
    assert nova.violations == []


async def test_history_is_remembered_and_headers_wait_for_the_first_event() -> None:
    async with Nova(manners("No.")) as nova, RawNova(nova) as raw:
        await raw.begin()
        await asyncio.sleep(0.05)
        assert raw.status == 0
        await raw.send(*opening(), *text("1", "USER", "Hi."), *text("2", "ASSISTANT", "Well?"))
        await raw.send(audio_start(), *text("3", "USER", "Is it?", interactive=True))
        await raw.until("textOutput", content="No.")
        assert raw.status == 200
        assert [line.text for line in nova.streams[0].talk.lines] == ["Hi.", "Well?", "Is it?"]
        await closed(raw)


# ---- what is refused -----------------------------------------------------------------------------


async def test_a_rule_broken_ends_the_stream_and_is_counted() -> None:
    async with Nova(manners()) as nova, RawNova(nova) as raw:
        await raw.begin(*opening(), audio(b""))
        assert await raw.until_over() == "end"
        kind, message = raw.problem
        assert kind == "validationException"
        assert message.startswith("RequestId=")
        assert message.endswith(f" : {INVALID}")
    assert nova.violations == ["Stream 0: rule: No AUDIO content of that name is open."]


async def test_a_wrong_signature_is_refused_unless_it_need_not_be_right() -> None:
    async with Nova(manners()) as nova:
        async with RawNova(nova) as raw:
            await raw.begin(secret="another")
            await raw.until_over()
            assert raw.status == 403
            assert raw.headers["x-amzn-errortype"].startswith("InvalidSignatureException")
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
            await raw.write(raw.signed(b"", wrong=True))
            await raw.until_over()
            assert raw.problem[0] == "InvalidSignatureException"
        assert nova.refused == [403]
        assert len(nova.violations) == 2
    async with Nova(manners(strict=False)) as nova, RawNova(nova) as raw:
        await raw.begin(*opening(), audio_start(), secret="another")
        await closed(raw)
        assert nova.violations == [
            "signature: The request signature we calculated does not match the signature you"
            " provided."
        ]


async def test_garbage_unsigned_ends_and_leaving_are_counted() -> None:
    async with Nova(manners()) as nova:
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
            await raw.write(b"x" * 64)
            await raw.until_over()
            assert raw.problem[0] == "validationException"
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
            await raw.write(raw.signed(encode({":event-type": "x"}, b"{}")))
            await raw.until_over()
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
            raw.h2.end_stream(raw.number)
            raw._flush()
            assert await raw.until_over() == "end"
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
        async with asyncio.timeout(5):
            while nova.open_streams:
                await asyncio.sleep(0.01)
    told = " ".join(nova.violations)
    for part in ("frame:", "headers of its own", "signed empty", "sessionEnd", "left without"):
        assert part in told


async def test_no_more_streams_at_once_than_allowed() -> None:
    async with Nova(manners(), max_streams=1) as nova, RawNova(nova) as first:
        await first.begin(*opening())
        async with RawNova(nova) as raw:
            await raw.begin()
            await raw.until_over()
            assert raw.status == 429
            assert raw.headers["x-amzn-errortype"].startswith("ThrottlingException")
        nova.throttles = "stream"
        async with RawNova(nova) as raw:
            await raw.begin(*opening())
            await raw.until_over()
            assert (raw.status, raw.problem[0]) == (200, "throttlingException")
        await first.send(audio_start())
        await closed(first)


async def test_time_runs_out() -> None:
    async with Nova(manners(idle_s=0.2)) as nova, RawNova(nova) as raw:
        await raw.begin(*opening(), audio_start())
        await raw.speak(bytes(16_000))
        await raw.until_over()
        assert raw.problem[0] == "validationException"
        assert raw.problem[1].endswith(f"InternalErrorCode=532::{IDLE.format('0.2')}")
    async with Nova(manners(cap_s=0.2)) as nova, RawNova(nova) as raw:
        await raw.begin(*opening(), audio_start())
        await raw.speak(bytes(16_000))
        await raw.until_over()
        assert raw.problem[0] == "modelTimeoutException"
        assert raw.problem[1].endswith(TIMED_OUT)
        assert nova.violations == []


# ---- faults --------------------------------------------------------------------------------------


async def met(raw: RawNova) -> None:
    """A turn in which faults find their place."""
    await raw.begin(*opening(), audio_start(), *BEGIN)
    await raw.speak(QUIET + say("fine thanks", 16_000) + QUIET * 4, pace=8)


@pytest.mark.parametrize(
    ("fault", "status", "over", "problem"),
    [
        (Fault("throttled"), 429, "end", ""),
        (Fault("server_error"), 500, "end", ""),
        (Fault("server_error", detail="503"), 503, "end", ""),
        (Fault("unauthorized"), 403, "end", ""),
        (Fault("close_mid_utterance"), 200, "lost", ""),
        (Fault("rst_stream_mid_audio"), 200, "reset", ""),
        (Fault("goaway_mid_audio"), 200, "goaway", ""),
        (Fault("close_at_limit"), 200, "end", "modelTimeoutException"),
        (Fault("close_at_limit", after_s=0.1), 200, "end", "modelTimeoutException"),
        (
            Fault("exception", detail="modelStreamErrorException: Oh."),
            200,
            "end",
            "modelStreamErrorException",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_faults_that_end_a_stream(fault: Fault, status: int, over: str, problem: str) -> None:
    async with Nova(manners("Good.", told=("fine thanks",))) as nova:
        nova.fail(fault)
        async with RawNova(nova) as raw:
            await met(raw)
            assert (raw.status, await raw.until_over(), raw.problem[0]) == (status, over, problem)
        async with RawNova(nova) as raw:
            await begun(raw)
            await closed(raw)
        assert nova.violations == []


async def test_a_connection_is_refused() -> None:
    async with Nova(manners()) as nova:
        nova.fail("refuse_connection")
        async with RawNova(nova) as raw:
            assert await raw.until_over() == "lost"
        await nova.stop_listening()
        with pytest.raises(OSError):
            await RawNova(nova).__aenter__()
        await nova.listen()
        async with RawNova(nova) as raw:
            await begun(raw)
            await closed(raw)


@pytest.mark.parametrize("fault", ["hang_before_first_event", "hang_mid_audio"])
async def test_faults_that_hang(fault: str) -> None:
    async with Nova(manners("Good.", told=("fine thanks",))) as nova:
        nova.fail(fault)
        async with RawNova(nova) as raw:
            await met(raw)
            assert not raw.over
            assert raw.status == (200 if fault == "hang_mid_audio" else 0)
            assert 0 <= len(raw.sound) < len(say("Hello there."))


async def test_faults_in_what_is_said() -> None:
    async with Nova(manners("Good.", told=("fine thanks",) * 9)) as nova:
        for fault in KINDS[7:]:
            if fault == "huge_event":
                continue
            nova.fail(fault)
            async with RawNova(nova) as raw:
                if fault == "invalid_json":
                    with pytest.raises(json.JSONDecodeError):
                        await begun(raw)
                    continue
                await begun(raw)
                await raw.speak(QUIET + say("fine thanks", 16_000) + QUIET, pace=10)
                await raw.until("textOutput", content="Good.")
                names = [name for name, _ in raw.events]
                match fault:
                    case "unknown_event":
                        assert "somethingNew" in names
                    case "odd_audio":
                        pieces = [b["content"] for n, b in raw.events if n == "audioOutput"]
                        assert any(len(piece.rstrip("=")) * 3 // 4 % 2 for piece in pieces)
                    case "transcript_out_of_order":
                        texts = [b["content"] for n, b in raw.events if n == "textOutput"]
                        assert texts.index("Good.") < texts.index("fine thanks")
                    case "duplicate_ids":
                        ids = [b["contentId"] for n, b in raw.events if n == "textOutput"]
                        assert len(set(ids)) < len(ids)
                    case "wrong_session":
                        strays = [b for _, b in raw.events if b.get("content") == STRAY]
                        assert nova.streams[-1].mouth.ids.session not in {
                            stray["sessionId"] for stray in strays
                        }
                        assert len(strays) == 2


@pytest.mark.slow
async def test_an_event_of_fifty_megabytes_comes_as_far_as_it_is_taken() -> None:
    async with Nova(manners(), wire=Wire(split=False)) as nova:
        nova.fail("huge_event")
        async with RawNova(nova) as raw:
            raw._decoder.max_payload = 1 << 30
            await raw.begin(*opening(), audio_start(), *BEGIN)
            async with asyncio.timeout(20):
                while raw._decoder.rest < 1 << 20 and not raw.over:
                    await raw.wait()
            assert raw._decoder.rest >= 1 << 20


async def test_a_fault_strikes_a_stream_that_is_open() -> None:
    async with Nova(manners()) as nova, RawNova(nova) as raw:
        await begun(raw)
        nova.strike("unknown_event")
        await raw.until("somethingNew")
        nova.strike(Fault("exception", detail="internalServerException: Oh no."))
        await raw.until_over()
        assert raw.problem[1].endswith(" : Oh no.")
