"""Opening, standing by, and the end of a stream to Nova Sonic."""

import asyncio
import json
import time
from pathlib import Path

import pytest
import uvloop
from h2.errors import ErrorCodes

from ai.bedrock import h2duplex, stream
from ai.bedrock import nova as engine_module
from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.nova import NovaSettings, NovaSonic, voice_for
from ai.engine import Brief, EngineUnavailable, Utterance
from ai.events import Failed, Used
from tests.ai.bedrock.nova_peer import REGION, WHO, NovaPeer, nova
from tests.ai.bedrock.nova_stage import BRIEF, staged
from tests.ai.bedrock.peer import serving, until


def named(peer: NovaPeer) -> list[str]:
    return [name for name, _ in peer.events]


async def test_the_lesson_is_told_in_novas_order() -> None:
    memory = [
        Utterance("tutor", "Hello. What is a half?"),
        Utterance("student", "Two quarters"),
        Utterance("tutor", "Right."),
    ]
    async with staged(memory=memory, step=2) as stage:
        peer = stage.peer
        await until(lambda: peer.audio_events)
        assert peer.request[":path"] == (
            "/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream"
        )
        assert named(peer)[:2] == ["sessionStart", "promptStart"]
        assert peer.texts("SYSTEM") == ["You are a tutor."]
        assert peer.texts("USER") == [
            "(I have joined the lesson.) (We are at step 3 of the plan.)",
            "Two quarters",
        ]
        assert peer.texts("ASSISTANT") == ["Hello. What is a half?", "Right."]
        assert named(peer)[-1] == "contentStart"
        audio = peer.named("contentStart")[-1]
        assert audio["type"] == "AUDIO"
        assert audio["interactive"] is True
        assert audio["audioInputConfiguration"]["sampleRateHertz"] == 16_000
        names = [fields["contentName"] for fields in peer.named("contentStart")]
        assert len(set(names)) == len(names)
    assert named(peer)[-3:] == ["contentEnd", "promptEnd", "sessionEnd"]
    assert peer.empty_frame
    assert peer.ended


def test_a_lesson_runs_on_the_servers_own_event_loop() -> None:
    async def lesson() -> None:
        async with staged() as stage:
            answer = stage.ask("opening")
            await until(lambda: stage.peer.texts("USER"))
            stage.peer.sentence("Hello.")
            await until(lambda: stage.ended(answer))
            assert stage.said(answer) == "Hello."

    uvloop.run(lesson())


async def test_only_the_lessons_tools_are_declared_and_their_schemas_are_strings() -> None:
    async with staged() as stage:
        assert "toolConfiguration" not in stage.peer.named("promptStart")[0]
    brief = Brief("I", "T", "G", "en", "", "", (), tools=("check_answer", "nonsense"))
    async with staged(brief=brief) as stage:
        (spec,) = stage.peer.named("promptStart")[0]["toolConfiguration"]["tools"]
        assert spec["toolSpec"]["name"] == "check_answer"
        assert json.loads(spec["toolSpec"]["inputSchema"]["json"])["type"] == "object"


async def test_a_long_instruction_is_told_in_parts() -> None:
    brief = Brief("Zwölf Sätze über Brüche. " * 800, "T", "G", "de", "", "", ())
    async with staged(brief=brief) as stage:
        assert stage.peer.texts("SYSTEM") == [brief.instructions]
        assert all(
            len(fields["content"].encode()) <= 4096 for fields in stage.peer.named("textInput")
        )
        assert stage.peer.named("promptStart")[0]["audioOutputConfiguration"]["voiceId"] == "tina"


async def test_no_audio_flows_before_the_lesson_begins() -> None:
    peers: list[NovaPeer] = []
    async with nova(peers) as url:
        engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
        standby = await engine.prepare(BRIEF)
        assert standby.lifetime_s == 480.0
        await asyncio.sleep(0.1)
        await standby.close()
        await peers[0].gone
        assert peers[0].audio_events == 0
        assert named(peers[0])[-2:] == ["promptEnd", "sessionEnd"]
        assert peers[0].empty_frame


async def test_a_leg_lives_no_longer_than_its_credentials() -> None:
    async with nova([]) as url:
        brief_credentials = AwsCredentials(
            WHO.access_key, WHO.secret_key, expires_at=time.time() + 100
        )
        settings = NovaSettings(REGION, endpoint=url.geturl())
        standby = await NovaSonic(settings, fixed(brief_credentials), None).prepare(BRIEF)
        assert standby.lifetime_s is not None
        assert 95 < standby.lifetime_s <= 100
        await standby.close()


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "code", "retry_after_s"),
    [
        (403, "AccessDeniedException", b'{"message":"No."}', "terminal", "unauthorized", None),
        (404, "ResourceNotFoundException", b"{}", "terminal", "model_unknown", None),
        (429, "ThrottlingException", b'{"message":"Slow down."}', "throttled", "throttled", 3.0),
        (
            400,
            "ValidationException:http://internal",
            b'{"message":"The provided model identifier is invalid."}',
            "terminal",
            "model_unknown",
            None,
        ),
        (503, "", b"<html>", "transient", "provider_failed", None),
    ],
)
async def test_what_is_refused_is_told_apart(
    status: int, headers: str, body: bytes, kind: str, code: str, retry_after_s: float | None
) -> None:
    peer = NovaPeer()
    peer.status, peer.error_body = status, body
    peer.error_headers = {"x_amzn_errortype": headers}
    if retry_after_s:
        peer.error_headers["retry_after"] = str(int(retry_after_s))
    async with nova(peers := [peer]) as url:
        engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
        with pytest.raises(EngineUnavailable) as told:
            await engine.prepare(BRIEF)
        await peers[0].gone
    fault = told.value.fault
    assert (fault.kind, fault.code, fault.retry_after_s) == (kind, code, retry_after_s)


async def test_nobody_there_is_told() -> None:
    async with nova([]) as url:
        pass
    engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
    with pytest.raises(EngineUnavailable) as told:
        await engine.prepare(BRIEF)
    assert (told.value.fault.kind, told.value.fault.code) == ("transient", "unreachable")


class Silent(NovaPeer):
    """Takes everything and says nothing."""

    def _data(self, data: bytes) -> None:
        pass


async def test_headers_that_do_not_come_are_waited_for_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "PREPARED_WITHIN_S", 0.2)
    async with nova(peers := [Silent()]) as url:
        engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
        with pytest.raises(EngineUnavailable) as told:
            await engine.prepare(BRIEF)
        await peers[0].gone
    assert (told.value.fault.kind, told.value.fault.code) == ("transient", "no_response")


async def test_an_opening_that_is_not_wanted_any_more_leaves_no_connection() -> None:
    async with nova(peers := [Silent()]) as url:
        engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
        opening = asyncio.create_task(engine.prepare(BRIEF))
        await until(lambda: peers and peers[0].body)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await peers[0].gone


@pytest.mark.parametrize(
    ("name", "text", "kind", "code"),
    [
        (
            "modelTimeoutException",
            "Model has timed out in processing the request. Try your request again.",
            "limit",
            "session_expired",
        ),
        (
            "validationException",
            "RequestId=1-2 : InternalErrorCode=532::Timed out waiting for audio bytes or "
            "interactive content.",
            "limit",
            "idle",
        ),
        ("throttlingException", "Too many requests", "throttled", "throttled"),
        ("internalServerException", "", "transient", "provider_failed"),
    ],
)
async def test_an_exception_ends_the_leg(name: str, text: str, kind: str, code: str) -> None:
    async with staged() as stage:
        stage.peer.refuse(name, text)
        failed = await stage.until(Failed)
        assert failed.answer is None
        assert failed.fault is not None
        assert (failed.fault.kind, failed.fault.code, failed.code) == (kind, code, code)
        stage.speak(640)
        stage.ask("opening")
        await asyncio.sleep(0.05)
        assert len(stage.of(Failed)) == 1


async def test_a_stream_that_breaks_ends_the_leg() -> None:
    async with staged() as stage:
        stage.peer.h2.reset_stream(stage.peer.stream, ErrorCodes.INTERNAL_ERROR)
        stage.peer.flush()
        failed = await stage.until(Failed)
        assert failed.code == "stream_reset"
    async with staged() as stage:
        stage.peer.h2.close_connection()
        stage.peer.flush()
        failed = await stage.until(Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.code) == ("limit", "going_away")
    async with staged() as stage:
        stage.peer.finish()
        assert (await stage.until(Failed)).code == "stream_ended"
    async with staged() as stage:
        stage.peer.write(b"this is no event stream, whatever else")
        assert (await stage.until(Failed)).code == "stream_broken"


async def test_a_standby_that_died_says_so_when_it_begins() -> None:
    peers: list[NovaPeer] = []
    async with nova(peers) as url:
        engine = NovaSonic(NovaSettings(REGION, endpoint=url.geturl()), fixed(WHO), None)
        standby = await engine.prepare(BRIEF)
        peers[0].refuse("validationException", "Timed out waiting for input events")
        await asyncio.sleep(0.05)
        events: list[object] = []
        leg = standby.begin((), events.append)
        assert events == []
        await until(lambda: events)
        assert isinstance(events[0], Failed)
        assert events[0].code == "idle"
        await leg.close()
        await peers[0].gone


async def test_nothing_is_told_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CLOSING_S", 0.3)
    async with staged() as stage:
        stage.peer.on_end = lambda: stage.peer.sentence("Too late")
        before = len(stage.events)
        await stage.leg.close()
        assert len(stage.events) == before
        assert stage.peer.empty_frame


async def test_a_peer_that_takes_no_more_ends_the_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h2duplex, "STALL_S", 0.2)
    async with staged() as stage:
        stage.peer.acknowledge = False
        for _ in range(40):
            stage.speak(1_024)
            await asyncio.sleep(0.01)
        assert (await stage.until(Failed)).code == "peer_stalled"


async def test_events_that_cannot_be_read_are_passed_over() -> None:
    async with staged() as stage:
        stage.peer.say("somethingNew", content=[1, 2])
        stage.peer.say("audioOutput", content="not base64!")
        stage.peer.say("usageEvent", details={"delta": {"input": {"speechTokens": 8}}})
        used = await stage.until(Used)
        assert (used.unit, used.quantity) == ("audio_tokens_in", 8)
        assert used.model == "amazon.nova-2-sonic-v1:0"


async def test_a_server_without_http2_is_no_nova() -> None:
    async with serving(NovaPeer) as url:
        settings = NovaSettings(REGION, endpoint=url._replace(scheme="https").geturl())
        with pytest.raises(EngineUnavailable) as told:
            await NovaSonic(settings, fixed(WHO), None).prepare(BRIEF)
    assert told.value.fault.code == "unreachable"


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_file_of_certificates_that_is_none_is_told(
    tmp_path: Path, text: str | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if text is not None:
        ca_file.write_text(text)
    engine = NovaSonic(NovaSettings(REGION, ca_file=str(ca_file)), fixed(WHO), None)
    with pytest.raises(EngineUnavailable) as told:
        await engine.prepare(BRIEF)
    assert (told.value.fault.kind, told.value.fault.code) == ("terminal", "ca_file_unreadable")


@pytest.mark.parametrize(
    ("language", "wish", "default", "voice"),
    [
        ("en", "", "tiffany", "tiffany"),
        ("en-GB", "Amy", "tiffany", "amy"),
        ("en", "f1", "matthew", "matthew"),
        ("es-MX", "", "tiffany", "lupe"),
        ("es", "", "carlos", "carlos"),
        ("xx", "", "tiffany", "tiffany"),
        ("fr", "", "a_new_voice", "a_new_voice"),
    ],
)
def test_a_voice_speaks_the_lessons_language(
    language: str, wish: str, default: str, voice: str
) -> None:
    brief = Brief("", "", "", language, "", "", (), voice=wish)
    assert voice_for(brief, default) == voice


SAID = (Utterance("student", "Hi."), Utterance("tutor", "A half. And two quarters."))


@pytest.mark.parametrize("heard", ["A half.", ""])
async def test_words_of_an_earlier_leg_that_were_not_heard_end_this_one(heard: str) -> None:
    async with staged(memory=SAID) as stage:
        stage.leg.cancel("of another leg", heard)
        failed = await stage.until(Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.fault.code) == ("limit", "history_outdated")


@pytest.mark.parametrize("heard", ["A half. And two quarters.", "Something else."])
async def test_words_of_an_earlier_leg_that_were_heard_need_no_other(heard: str) -> None:
    async with staged(memory=SAID) as stage:
        stage.leg.cancel("of another leg", heard)
        answer = stage.ask("opening")
        stage.leg.cancel(answer, "")
        stage.leg.cancel("of another leg", "A half.")
        await asyncio.sleep(0.05)
        assert not stage.of(Failed)
