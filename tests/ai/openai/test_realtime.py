"""The engine on a scripted provider: opening a session, turns, answers, tools."""

import asyncio
import json

import pytest

from ai.audio import silence
from ai.engine import Brief, EngineUnavailable, TurnDetection, Utterance
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
from ai.openai import their_turns, words
from ai.openai.realtime import OpenAIRealtime
from ai.openai.settings import OpenAISettings
from tests.ai.openai.stage import BRIEF, Provider, Stage, settings, staged

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(their_turns, "SURE_S", 0.15)


# ---- opening -------------------------------------------------------------------------------------


async def test_a_session_is_agreed_on_before_it_counts_as_open() -> None:
    async with Provider() as provider:
        engine = OpenAIRealtime(settings(provider))
        standby = await engine.prepare(BRIEF)
        assert provider.paths == ["/v1/realtime?model=gpt-realtime-2.1"]
        assert provider.headers[0]["Authorization"] == "Bearer sk-secret"
        assert standby.lifetime_s == 3600
        [update] = provider.said("session.update")
        assert update["session"]["instructions"] == "You are a tutor."
        await standby.close()
        async with asyncio.timeout(2):
            while provider.open:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "code", "retry_after_s"),
    [
        (401, {}, {"error": {"code": "invalid_api_key"}}, "terminal", "unauthorized", None),
        (404, {}, {"error": {"code": "model_not_found"}}, "terminal", "model_unknown", None),
        (429, {"Retry-After": "7"}, {"error": {}}, "throttled", "rate_limited", 7.0),
        (429, {"Retry-After": "soon"}, "{not json", "throttled", "rate_limited", None),
        (500, {}, "", "transient", "provider_error", None),
        (302, {}, "", "terminal", "wrong_address", None),
    ],
)
async def test_a_refusal_says_what_helps(
    status: int,
    headers: dict[str, str],
    body: object,
    kind: str,
    code: str,
    retry_after_s: float | None,
) -> None:
    async with Provider() as provider:
        text = body if isinstance(body, str) else json.dumps(body)
        provider.answer = (status, headers, text.encode())
        with pytest.raises(EngineUnavailable) as caught:
            await OpenAIRealtime(settings(provider)).prepare(BRIEF)
    fault = caught.value.fault
    assert (fault.kind, fault.code, fault.retry_after_s) == (kind, code, retry_after_s)


async def test_a_provider_that_is_not_there_is_told() -> None:
    engine = OpenAIRealtime(OpenAISettings("sk-secret", base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(EngineUnavailable) as caught:
        await engine.prepare(BRIEF)
    assert (caught.value.fault.kind, caught.value.fault.code) == ("transient", "unreachable")


async def test_a_provider_that_sends_us_on_is_not_followed() -> None:
    async with Provider() as provider, Provider() as elsewhere:
        provider.answer = (307, {"Location": f"ws{elsewhere.url[4:]}/realtime"}, b"")
        with pytest.raises(EngineUnavailable) as caught:
            await OpenAIRealtime(settings(provider)).prepare(BRIEF)
        assert (caught.value.fault.kind, caught.value.fault.code) == ("terminal", "wrong_address")
        assert not elsewhere.paths


async def test_a_provider_that_says_nothing_is_given_up() -> None:
    async with Provider() as provider:
        provider.greets = False
        engine = OpenAIRealtime(settings(provider), within_s=0.3)
        with pytest.raises(EngineUnavailable) as caught:
            await engine.prepare(BRIEF)
        assert caught.value.fault.code == "timed_out"
        async with asyncio.timeout(2):
            while provider.open:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("frame", "kind", "code"),
    [
        (
            '{"type":"error","error":{"type":"invalid_request_error","code":"invalid_value"}}',
            "transient",
            "request_refused",
        ),
        ('{"type":"error","error":{"type":"server_error"}}', "transient", "provider_error"),
        ("{no json", "transient", "wire_broken"),
    ],
)
async def test_a_session_that_is_refused_is_not_open(frame: str, kind: str, code: str) -> None:
    async with Provider() as provider:
        provider.greets = False
        opening = asyncio.create_task(OpenAIRealtime(settings(provider)).prepare(BRIEF))
        while provider.connection is None:
            await asyncio.sleep(0.01)
        await provider.send(frame)
        with pytest.raises(EngineUnavailable) as caught:
            await opening
    assert (caught.value.fault.kind, caught.value.fault.code) == (kind, code)


async def test_another_session_s_agreement_does_not_count() -> None:
    async with Provider() as provider:
        provider.greets = False
        engine = OpenAIRealtime(settings(provider), within_s=0.5)
        opening = asyncio.create_task(engine.prepare(BRIEF))
        while provider.connection is None:
            await asyncio.sleep(0.01)
        await provider.say("session.updated", session={"id": "sess_1"})
        await provider.say("session.created", session={"id": "sess_1"})
        await provider.next("session.update")
        await provider.say("session.updated", session={"id": "sess_2"})
        with pytest.raises(EngineUnavailable):
            await opening


def test_no_secret_is_shown() -> None:
    shown = OpenAISettings("sk-secret", base_url="https://example.org/v1")
    assert "sk-secret" not in repr(shown)
    assert "sk-secret" not in shown.key
    assert shown.key != OpenAISettings("sk-other", base_url="https://example.org/v1").key
    assert shown.realtime_url == "wss://example.org/v1/realtime"


# ---- turns and answers ------------------------------------------------------------------------


async def test_a_spoken_turn_is_answered_by_the_provider_itself() -> None:
    async with staged(clock_ms=10_000) as stage:
        provider = stage.provider
        stage.leg.hear(silence(3_000))
        await provider.next("input_audio_buffer.append")
        await provider.voice(start_ms=200)
        await provider.quiet(end_ms=2_900)
        await provider.speak("resp_p", "item_a", "Two quarters. What else?", 1_000)
        await provider.words("Is it two quarters?")
        await stage.wait_for(Transcribed)
        spoke = [event for event in stage.events if isinstance(event, Spoke)]
        assert stage.events[:3] == [
            SpeechStarted("turn_2", 10_500),
            SpeechConfirmed("turn_2"),
            SpeechStopped("turn_2", 12_000),
        ]
        assert stage.kinds() == [
            "SpeechStarted",
            "SpeechConfirmed",
            "SpeechStopped",
            *["Spoke"] * len(spoke),
            "AnswerEnded",
            "Transcribed",
        ]
        assert " ".join(one.text for one in spoke if one.text) == "Two quarters. What else?"
        assert b"".join(one.pcm for one in spoke) == b"\1\2" * 24_000
        assert {one.answer for one in spoke} == {"resp_1"}
        assert stage.events[-1] == Transcribed("turn_2", "Is it two quarters?")
        assert provider.said("response.create") == []
        assert [event["type"] for event in provider.heard[1:]] == [
            "session.update",
            "input_audio_buffer.append",
        ]


async def test_a_response_that_is_there_before_the_ask_is_held_and_bound() -> None:
    async with staged() as stage:
        provider = stage.provider
        stage.asks_at_once = False
        await provider.voice()
        await provider.quiet()
        await provider.speak("resp_p", "item_a", "Yes, right.", 500)
        await provider.words("Two.")
        await stage.wait_for(Transcribed)
        assert "Spoke" not in stage.kinds()
        answer = stage.ask()
        ended = await stage.wait_for(AnswerEnded)
        assert ended.answer == answer
        assert "Spoke" in stage.kinds()
        assert provider.said("response.create") == []


async def test_a_response_that_nobody_asks_for_never_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.openai.answering.HOLD_S", 0.05)
    async with staged() as stage:
        provider = stage.provider
        stage.asks_at_once = False
        await provider.voice()
        await provider.quiet()
        await provider.begin("resp_p", "item_a")
        await provider.sound("resp_p", "item_a", silence(100))
        cancel = await provider.next("response.cancel")
        assert cancel["response_id"] == "resp_p"
        await provider.done("resp_p", "cancelled")
        assert (await provider.next("conversation.item.delete"))["item_id"] == "item_a"
        answer = stage.ask()  # later it is wanted after all
        create = await provider.next("response.create")
        assert create["response"]["metadata"] == {"answer": answer}
        assert "Spoke" not in stage.kinds()


async def test_a_student_who_goes_on_is_not_answered_yet() -> None:
    async with staged() as stage:
        provider = stage.provider
        stage.asks_at_once = False
        await provider.voice()
        await provider.quiet()
        await provider.begin("resp_p", "item_a")
        await provider.voice("item_u2", 2_500)
        assert (await provider.next("response.cancel"))["response_id"] == "resp_p"


async def test_a_turn_that_brings_no_response_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.openai.answering.THEIRS_WITHIN_S", 0.05)
    async with staged() as stage:
        await stage.provider.voice()
        await stage.provider.quiet()
        create = await stage.provider.next("response.create")
        assert create["response"]["metadata"] == {"answer": "resp_1"}


async def test_where_turns_are_not_to_be_answered_the_provider_is_told() -> None:
    async with staged(detection=TurnDetection(1_200, answers=False)) as stage:
        provider = stage.provider
        update = provider.said("session.update")[-1] if len(provider.heard) > 1 else None
        update = update or await provider.next("session.update")
        await provider.voice()
        await provider.quiet()
        create = await provider.next("response.create")  # the caller asks for itself
        rule = provider.said("session.update")[-1]["session"]["audio"]["input"]["turn_detection"]
        assert rule["create_response"] is False
        assert rule["silence_duration_ms"] == 1_200
        await provider.speak("resp_p", "item_a", "Yes.", 500, answer="resp_1")
        await stage.wait_for(AnswerEnded)
        assert create["response"]["output_modalities"] == ["audio"]


async def test_typed_words_the_opening_and_silence_are_asked_for() -> None:
    async with staged(memory=(Utterance("student", "Hi."),)) as stage:
        provider = stage.provider
        stage.ask("opening")
        await provider.next("response.create")
        await provider.speak("resp_p1", "item_a1", "Hello.", 300, answer="resp_1")
        await stage.wait_for(AnswerEnded)
        stage.leg.read("Is it 2/4?")
        stage.ask(sound=False)
        create = await provider.next("response.create")
        assert create["response"]["output_modalities"] == ["text"]
        await provider.begin("resp_p2", "item_a2", answer="resp_2")
        await provider.part("response.output_text.delta", "resp_p2", "item_a2", "Yes, it")
        await provider.part("response.output_text.delta", "resp_p2", "item_a2", " is.")
        await provider.done("resp_p2")
        await stage.wait_for(AnswerEnded, 2)
        texts = [event for event in stage.events if isinstance(event, Spoke)][-3:]
        assert [one.text for one in texts if one.answer == "resp_2"] == ["Yes,", "it", "is."]
        items = [event["item"] for event in provider.said("conversation.item.create")]
        assert [(item["role"], item["content"][0]["text"]) for item in items] == [
            ("user", "Hi."),
            ("system", items[1]["content"][0]["text"]),
            ("user", "Is it 2/4?"),
        ]


async def test_a_client_may_say_itself_when_a_turn_is_over() -> None:
    async with staged(detection=None) as stage:
        provider = stage.provider
        stage.leg.hear(silence(1_000))
        stage.leg.commit("audio_1")
        stage.ask()
        await provider.next("input_audio_buffer.commit")
        await provider.committed("item_u1")
        await provider.words("Two quarters.")
        await stage.wait_for(Transcribed)
        assert stage.events == [Transcribed("audio_1", "Two quarters.")]
        await provider.next("response.create")
        assert Used("audio_in_ms", 1_000) in stage.used
        stage.leg.commit("audio_2")
        commit = await provider.next("input_audio_buffer.commit")
        await provider.error("input_audio_buffer_commit_empty", commit["event_id"])
        await stage.wait_for(Transcribed, 2)
        assert stage.events[-1] == Transcribed("audio_2", "", sure=False)


async def test_words_go_by_their_item_in_whatever_order_they_come() -> None:
    async with staged() as stage:
        provider = stage.provider
        stage.asks_at_once = False
        stage.leg.hear(silence(6_000))
        await provider.words("one", "item_u1")  # before its turn is over
        await provider.words("of nobody", "item_x")
        await provider.voice("item_u1", 0)
        await provider.quiet("item_u1", 1_500)
        await provider.voice("item_u2", 2_000)
        await provider.quiet("item_u2", 3_500)
        await provider.voice("item_u3", 4_000)
        await provider.quiet("item_u3", 5_500)
        await provider.words("three", "item_u3")
        await provider.words("three", "item_u3")
        kind = "conversation.item.input_audio_transcription.failed"
        await provider.say(kind, item_id="item_u2", content_index=0, error={})
        await stage.wait_for(Transcribed, 3)
        turns = [event.turn for event in stage.events if isinstance(event, SpeechStopped)]
        said = [event for event in stage.events if isinstance(event, Transcribed)]
        assert said == [
            Transcribed(turns[0], "one"),
            Transcribed(turns[2], "three"),
            Transcribed(turns[1], "", sure=False),
        ]
        first = stage.events.index(said[0])
        assert stage.events[first - 1] == SpeechStopped(turns[0], 600)


async def test_words_that_never_come_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "WORDS_WITHIN_S", 0.05)
    async with staged() as stage:
        await stage.provider.voice()
        await stage.provider.quiet()
        said = await stage.wait_for(Transcribed)
        assert (said.text, said.sure) == ("", False)
        await stage.provider.words("too late")
        stage.leg.listen("item:x", silence(500))
        spoken = await stage.provider.next("conversation.item.create")
        assert spoken["item"]["content"][0]["type"] == "input_audio"
        await stage.wait_for(Transcribed, 2)
        assert stage.events[-1] == Transcribed("item:x", "", sure=False)


# ---- tools ---------------------------------------------------------------------------------------


def call(number: int) -> dict[str, str]:
    return {
        "id": f"item_c{number}",
        "type": "function_call",
        "call_id": f"call_{number}",
        "name": "check_answer",
        "arguments": '{"said":"2/4"}',
    }


@pytest.mark.parametrize("early", [True, False], ids=["before its end", "after its end"])
async def test_an_answer_goes_on_with_what_its_tools_brought(early: bool) -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        await provider.next("response.create")
        await provider.begin("resp_p1", answer=answer)
        await provider.item_done("resp_p1", call(1))
        await provider.item_done("resp_p1", call(2))
        await provider.item_done("resp_p1", call(2))
        await stage.wait_for(ToolCalled, 2)
        if not early:
            await provider.done("resp_p1")
        stage.leg.give("call_1", '{"verdict":"right"}')
        stage.leg.give("call_2", "{}")
        stage.leg.give("call_2", "{}")
        if early:
            for _ in range(2):
                await provider.next("conversation.item.create")
            await provider.done("resp_p1")
        await provider.next("response.create")
        await provider.speak("resp_p2", "item_a", "Right.", 500, answer=answer)
        await stage.wait_for(AnswerEnded)
        assert stage.events[:2] == [
            ToolCalled(answer, "call_1", "check_answer", '{"said":"2/4"}'),
            ToolCalled(answer, "call_2", "check_answer", '{"said":"2/4"}'),
        ]
        assert stage.kinds().count("AnswerEnded") == 1
        assert {event.answer for event in stage.events} == {answer}  # type: ignore[union-attr]
        outputs = [event["item"] for event in provider.said("conversation.item.create")][1:]
        assert outputs == [
            {"type": "function_call_output", "call_id": "call_1", "output": '{"verdict":"right"}'},
            {"type": "function_call_output", "call_id": "call_2", "output": "{}"},
        ]


async def test_a_tutor_that_only_uses_tools_has_to_speak_at_last() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        for number in range(9):
            create = await provider.next("response.create")
            choice = create["response"].get("tool_choice")
            assert choice == ("none" if number == 8 else None)
            await provider.begin(f"resp_p{number}", answer=answer)
            await provider.item_done(f"resp_p{number}", call(number))
            await provider.done(f"resp_p{number}")
            await stage.wait_for(ToolCalled, number + 1)
            stage.leg.give(f"call_{number}", "{}")


async def test_the_result_of_a_tool_is_kept_though_the_answer_was_cut() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        await provider.begin("resp_p1", answer=answer)
        await provider.item_done("resp_p1", call(1))
        await provider.done("resp_p1")
        await stage.wait_for(ToolCalled)
        stage.leg.cancel(answer, "")
        stage.leg.give("call_1", "{}")
        await provider.next("conversation.item.create")
        assert (await provider.next("conversation.item.create"))["item"]["call_id"] == "call_1"
        assert len(provider.said("response.create")) == 1


# ---- what it costs -------------------------------------------------------------------------------


async def test_what_was_used_is_told_by_kind() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        await provider.begin("resp_p", "item_a", answer=answer)
        await provider.text("resp_p", "item_a", "Hello.")
        await provider.sound("resp_p", "item_a", silence(500))
        usage = {
            "input_tokens": 130,
            "output_tokens": 120,
            "input_token_details": {
                "text_tokens": 100,
                "audio_tokens": 30,
                "cached_tokens": 60,
                "cached_tokens_details": {"text_tokens": 50, "audio_tokens": 10},
            },
            "output_token_details": {"text_tokens": 40, "audio_tokens": 80},
        }
        await provider.done("resp_p", usage=usage)
        await stage.wait_for(AnswerEnded)
        model = "gpt-realtime-2.1"
        assert stage.used == [
            Used("text_tokens_in", 50, model),
            Used("audio_tokens_in", 20, model),
            Used("cached_tokens_in", 50, model),
            Used("cached_audio_tokens_in", 10, model),
            Used("text_tokens_out", 40, model),
            Used("audio_tokens_out", 80, model),
            Used("audio_out_ms", 500),
        ]
        assert stage.failed == [] and isinstance(stage.events[-1], AnswerEnded | Failed)


async def test_the_language_is_told_to_the_transcription() -> None:
    async with Provider() as provider:
        brief = Brief("", "T", "G", "es-MX", "", "", ())
        standby = await OpenAIRealtime(settings(provider)).prepare(brief)
        session = provider.said("session.update")[0]["session"]
        assert session["audio"]["input"]["transcription"]["language"] == "es"
        await standby.close()


async def closes(stage: Stage) -> "asyncio.Task[None]":
    """The leg, while it hears what is still to be paid."""
    closing = asyncio.create_task(stage.leg.close())
    await asyncio.sleep(0)
    return closing


USED = {"total_tokens": 12, "input_tokens": 5, "output_tokens": 7}
TOKENS = [("text_tokens_in", 5), ("text_tokens_out", 7)]


def tokens(stage: Stage) -> list[tuple[str, int]]:
    return [(used.unit, used.quantity) for used in stage.used if "tokens" in used.unit]


async def test_what_a_cut_answer_cost_is_told_as_the_leg_closes() -> None:
    async with staged(last_cost_s=5.0) as stage:
        stage.ask("opening")
        await stage.provider.next("response.create")
        await stage.provider.begin("r1", "item_1", answer="resp_1")
        await stage.provider.text("r1", "item_1", "Hello")
        await stage.provider.sound("r1", "item_1", b"\1\2" * 2_400)
        await stage.wait_for(Spoke)
        closing = await closes(stage)
        assert (await stage.provider.next("response.cancel"))["response_id"] == "r1"
        assert not closing.done()
        await stage.provider.sound("r1", "item_1", b"\1\2" * 2_400)
        await stage.provider.done("r1", "cancelled", usage=USED)
        await closing
        assert tokens(stage) == TOKENS and stage.kinds()[-1] == "Spoke"
        assert [used.quantity for used in stage.used if used.unit == "audio_out_ms"] == [100]


async def test_what_was_asked_for_and_has_not_begun_is_cancelled_and_paid_for() -> None:
    async with staged(last_cost_s=5.0) as stage:
        stage.ask("opening")
        await stage.provider.next("response.create")
        stage.leg.cancel("resp_1", "")
        closing = await closes(stage)
        await stage.provider.begin("r1", "item_1", answer="resp_1")
        assert (await stage.provider.next("response.cancel"))["response_id"] == "r1"
        await stage.provider.done("r1", "cancelled", usage=USED)
        await closing
        assert tokens(stage) == TOKENS


async def test_a_provider_that_tells_no_cost_is_not_waited_for_for_long() -> None:
    async with staged() as stage:
        stage.ask("opening")
        await stage.provider.next("response.create")
        await stage.provider.begin("r1", "item_1", answer="resp_1")
        await stage.provider.text("r1", "item_1", "Hello")
        async with asyncio.timeout(5):
            await stage.leg.close()
        assert tokens(stage) == []


async def test_a_connection_that_is_lost_has_no_more_to_tell() -> None:
    async with staged(last_cost_s=60.0) as stage:
        stage.ask("opening")
        await stage.provider.next("response.create")
        closing = await closes(stage)
        assert stage.provider.connection is not None
        stage.provider.connection.transport.abort()
        async with asyncio.timeout(5):
            await closing
