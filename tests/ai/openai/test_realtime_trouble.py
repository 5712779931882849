"""The engine on a provider that is interrupted, races with us, breaks or goes away."""

import asyncio
import contextlib

import pytest

from ai.audio import silence
from ai.engine import TurnDetection, Utterance
from ai.events import (
    AnswerEnded,
    Failed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
)
from ai.openai import leg as legs
from ai.openai import their_turns, turns, websocket
from ai.openai.realtime import OpenAIRealtime
from tests.ai.cascade_stage import ScriptedVad, voice
from tests.ai.openai.stage import BRIEF, Provider, Stage, settings, staged

WORDS = "A half and two quarters are the same amount, because both fill the same part."


async def speaking(stage: Stage, ms: int = 2_000) -> str:
    """An answer that is being made; so much of it has come."""
    answer = stage.ask("opening")
    await stage.provider.begin("resp_p", "item_a", answer=answer)
    await stage.provider.text("resp_p", "item_a", WORDS)
    for _ in range(ms // 100):
        await stage.provider.sound("resp_p", "item_a", silence(100))
    await stage.wait_for(Spoke, ms // 100)
    stage.leg.playing(True)
    return answer


# ---- barge-in ------------------------------------------------------------------------------------


async def test_voice_interrupts_a_silent_tutor_at_once() -> None:
    async with staged() as stage:
        await stage.provider.voice()
        await stage.wait_for(SpeechConfirmed)
        assert stage.kinds() == ["SpeechStarted", "SpeechConfirmed"]


async def test_voice_that_goes_on_interrupts_a_tutor_who_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(their_turns, "SURE_S", 0.1)
    async with staged() as stage:
        answer = await speaking(stage)
        await stage.provider.voice()
        await stage.wait_for(SpeechStarted)
        await asyncio.sleep(0.03)
        assert "SpeechConfirmed" not in stage.kinds()
        await stage.wait_for(SpeechConfirmed)
        stage.leg.cancel(answer, "A half and two")
        cancel = await stage.provider.next("response.cancel")
        assert cancel["response_id"] == "resp_p"
        cut = await stage.provider.next("conversation.item.truncate")
        assert (cut["item_id"], cut["content_index"]) == ("item_a", 0)
        assert 700 <= cut["audio_end_ms"] <= 1_100
        spoke = stage.kinds().count("Spoke")
        await stage.provider.sound("resp_p", "item_a", silence(100))
        await stage.provider.done("resp_p", "cancelled")
        await stage.provider.quiet(end_ms=3_000)
        await stage.provider.speak("resp_p2", "item_b", "Yes?", 200)
        await stage.wait_for(AnswerEnded)
        told = [event for event in stage.events[spoke:] if isinstance(event, Spoke)]
        assert {event.answer for event in told if event.answer != answer} == {"resp_2"}
        assert stage.kinds().count("AnswerEnded") == 1
        assert stage.provider.said("response.create") == [stage.provider.heard[3]]


async def test_a_cough_leaves_the_tutor_speaking_and_never_was() -> None:
    async with staged() as stage:
        provider = stage.provider
        stage.leg.hear(silence(3_000))
        answer = await speaking(stage)
        await provider.voice("item_cough", 100)
        await provider.quiet("item_cough", 500 + 900)  # with the patience after it: 100 ms of voice
        await provider.begin("resp_cough", "item_x")
        await provider.sound("resp_cough", "item_x", silence(100))
        deleted = await provider.next("conversation.item.delete")
        assert deleted["item_id"] == "item_cough"
        assert (await provider.next("response.cancel"))["response_id"] == "resp_cough"
        await provider.done("resp_cough", "cancelled")
        assert (await provider.next("conversation.item.delete"))["item_id"] == "item_x"
        await provider.words("hm", "item_cough")
        await provider.sound("resp_p", "item_a", silence(100))
        await provider.done("resp_p")
        await stage.wait_for(AnswerEnded)
        kinds = [kind for kind in stage.kinds() if kind != "Spoke"]
        assert kinds == ["SpeechStarted", "SpeechDropped", "AnswerEnded"]
        assert stage.events[-1] == AnswerEnded(answer)
        assert stage.kinds().count("Spoke") == 22  # the last one is the rest of the words


async def test_our_voice_detection_has_a_look_where_there_is_one() -> None:
    vad = ScriptedVad()
    async with staged(vad=vad) as stage:
        provider = stage.provider
        stage.leg.hear(silence(512))
        await speaking(stage)
        assert vad.open == 0
        await provider.voice()
        await stage.wait_for(SpeechStarted)
        assert vad.open == 1
        stage.leg.hear(voice(256))
        assert "SpeechConfirmed" not in stage.kinds()
        stage.leg.hear(voice(320))
        await stage.wait_for(SpeechConfirmed)
        assert vad.open == 0
        await provider.quiet(end_ms=2_500)
        await stage.wait_for(SpeechStopped)
        assert vad.open == 0


async def test_what_we_do_not_hear_is_taken_back_and_told_again_when_we_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(their_turns, "DOUBT_S", 0.05)
    vad = ScriptedVad()
    async with staged(vad=vad) as stage:
        await speaking(stage)
        await stage.provider.voice()
        dropped = await stage.wait_for(SpeechDropped)
        stage.leg.hear(voice(960))
        await stage.wait_for(SpeechConfirmed)
        told = [event for event in stage.events if not isinstance(event, Spoke)]
        assert isinstance(told[0], SpeechStarted) and told[0].turn == dropped.turn
        assert isinstance(told[2], SpeechStarted) and told[2].turn != dropped.turn
        assert told[3] == SpeechConfirmed(told[2].turn)
        await stage.provider.quiet(end_ms=4_000)
        stopped = await stage.wait_for(SpeechStopped)
        await stage.provider.words("Wait.")
        assert await stage.wait_for(Transcribed) == Transcribed(stopped.turn, "Wait.")


async def test_voice_that_outlasts_the_tutor_is_a_turn() -> None:
    async with staged(vad=ScriptedVad()) as stage:
        await speaking(stage)
        await stage.provider.voice()
        await stage.wait_for(SpeechStarted)
        stage.leg.playing(False)
        await stage.wait_for(SpeechConfirmed)


async def test_an_answer_cut_before_it_was_heard_is_deleted() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = await speaking(stage, 500)
        stage.leg.cancel(answer, "")
        await provider.next("response.cancel")
        assert (await provider.next("conversation.item.delete"))["item_id"] == "item_a"


async def test_an_answer_may_be_cut_before_there_is_anything_of_it() -> None:
    async with staged() as stage:
        provider = stage.provider
        await provider.voice()
        await provider.quiet()
        await stage.wait_for(SpeechStopped)
        stage.leg.cancel("resp_1", "")  # the provider has not begun yet
        await provider.begin("resp_p", "item_a")
        assert (await provider.next("response.cancel"))["response_id"] == "resp_p"
        await provider.done("resp_p", "cancelled")
        assert (await provider.next("conversation.item.delete"))["item_id"] == "item_a"
        assert not {"Spoke", "AnswerEnded"} & set(stage.kinds())


async def test_what_was_made_and_not_heard_is_cut_long_after() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        await provider.speak("resp_p", "item_a", WORDS, 5_000, answer=answer)
        await stage.wait_for(AnswerEnded)
        stage.leg.cancel(answer, WORDS)
        stage.leg.cancel(answer, "A half")
        cut = await provider.next("conversation.item.truncate")
        assert 200 <= cut["audio_end_ms"] <= 700
        assert provider.said("response.cancel") == []
        assert len(provider.said("conversation.item.truncate")) == 1


# ---- races ---------------------------------------------------------------------------------------


async def test_an_answer_waits_for_the_end_of_another() -> None:
    async with staged() as stage:
        provider = stage.provider
        first = await speaking(stage, 500)
        stage.leg.cancel(first, "A half")
        second = stage.ask("resumed")
        await provider.next("conversation.item.truncate")
        assert len(provider.said("response.create")) == 1
        await provider.done("resp_p", "cancelled")
        create = await provider.next("response.create")
        assert create["response"]["metadata"] == {"answer": second}


async def test_an_answer_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.openai.answering.NEXT_WITHIN_S", 0.05)
    async with staged() as stage:
        first = await speaking(stage, 500)
        stage.leg.cancel(first, "A half")
        stage.ask("resumed")
        await stage.provider.next("response.create")
        await stage.provider.next("response.create")


async def test_races_that_are_lost_are_of_no_interest() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = await speaking(stage, 500)
        stage.leg.cancel(answer, "A half")
        cancel = await provider.next("response.cancel")
        cut = await provider.next("conversation.item.truncate")
        await provider.error("response_cancel_not_active", cancel["event_id"])
        await provider.error("response_cancel_not_active")
        await provider.error("invalid_value", cut["event_id"], param="audio_end_ms")
        await provider.error("conversation_already_has_active_response")
        await provider.error("input_audio_buffer_commit_empty")
        await provider.error("something_new", type="invalid_request_error")
        await provider.done("resp_p", "cancelled")
        await provider.voice()
        await stage.wait_for(SpeechConfirmed)
        assert stage.failed == []


async def test_an_answer_that_meets_another_one_is_asked_for_again() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        create = await provider.next("response.create")
        code = "conversation_already_has_active_response"
        await provider.error(code, create["event_id"])
        await provider.done("resp_unknown")
        await provider.begin("resp_other", "item_o")
        await provider.next("response.cancel")
        await provider.done("resp_other", "cancelled")
        again = await provider.next("response.create")
        assert again["response"]["metadata"] == {"answer": answer}


async def test_where_the_provider_is_too_busy_for_its_own_answer_we_ask() -> None:
    async with staged() as stage:
        provider = stage.provider
        await provider.voice()
        await provider.quiet()
        await provider.error("conversation_already_has_active_response")
        await provider.next("response.create")


# ---- what breaks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ({"code": "session_expired", "type": "invalid_request_error"}, "limit", "session_expired"),
        ({"code": "rate_limit_exceeded", "type": "tokens"}, "throttled", "rate_limited"),
        ({"code": "insufficient_quota", "type": "x"}, "terminal", "no_credit"),
    ],
)
async def test_some_errors_end_the_leg(error: dict[str, str], kind: str, code: str) -> None:
    async with staged() as stage:
        await stage.provider.error(**error)
        failed = await stage.wait_for(Failed)
        assert failed.answer is None and failed.fault is not None
        assert (failed.fault.kind, failed.fault.code) == (kind, code)
        with contextlib.suppress(Exception):
            await stage.provider.voice()
            await asyncio.sleep(0.05)
        assert stage.kinds() == ["Failed"]


@pytest.mark.parametrize(
    ("close", "reason", "kind", "code"),
    [
        (1000, "", "transient", "closed"),
        (1011, "oh no", "transient", "provider_error"),
        (1013, "", "throttled", "overloaded"),
        (3000, "invalid_request_error.invalid_api_key", "terminal", "unauthorized"),
    ],
)
async def test_a_connection_that_is_closed_ends_the_leg(
    close: int, reason: str, kind: str, code: str
) -> None:
    async with staged() as stage:
        assert stage.provider.connection is not None
        await stage.provider.connection.close(close, reason)
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.fault.code) == (kind, code)


async def test_a_connection_that_is_cut_ends_the_leg() -> None:
    async with staged() as stage:
        assert stage.provider.connection is not None
        stage.provider.connection.transport.abort()
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None and failed.fault.code == "connection_lost"
        stage.leg.hear(silence(100))
        stage.ask("resumed")
        assert stage.kinds() == ["Failed"]


async def test_a_session_that_was_lost_while_it_waited_is_told_when_it_begins() -> None:
    async with Provider() as provider:
        standby = await OpenAIRealtime(settings(provider)).prepare(BRIEF)
        assert provider.connection is not None
        await provider.connection.close(1001)
        await asyncio.sleep(0.05)
        stage = Stage(provider)
        memory = [Utterance("student", "Hi.")]
        stage.leg = standby.begin(memory, stage.report)
        assert stage.events == []
        await stage.wait_for(Failed)
        await stage.leg.close()


async def test_a_failed_response_is_made_once_more_and_then_told() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        error = {"type": "server_error", "code": "server_error", "message": "sorry"}
        details = {"type": "failed", "error": error}
        for number in range(2):
            await provider.next("response.create")
            await provider.begin(f"resp_p{number}", answer=answer)
            await provider.done(f"resp_p{number}", "failed", status_details=details)
        failed = await stage.wait_for(Failed)
        assert failed == Failed("provider_error", "sorry", answer)
        assert len(provider.said("response.create")) == 2


async def test_a_response_that_says_nothing_is_made_once_more_and_then_told() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        for number in range(2):
            await provider.next("response.create")
            await provider.begin(f"resp_p{number}", answer=answer)
            details = {"type": "incomplete", "reason": "content_filter"}
            await provider.done(f"resp_p{number}", "incomplete", status_details=details)
        assert await stage.wait_for(Failed) == Failed("nothing_said", "content_filter", answer)


async def test_a_response_that_fails_for_want_of_credit_ends_the_leg() -> None:
    async with staged() as stage:
        answer = stage.ask("opening")
        await stage.provider.begin("resp_p", answer=answer)
        error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "pay"}
        await stage.provider.done("resp_p", "failed", status_details={"error": error})
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None and failed.fault.code == "no_credit"


async def test_an_answer_that_is_refused_is_told() -> None:
    async with staged() as stage:
        answer = stage.ask("opening")
        create = await stage.provider.next("response.create")
        await stage.provider.error("invalid_value", create["event_id"])
        assert await stage.wait_for(Failed) == Failed("request_refused", "invalid_value", answer)


async def test_events_that_can_t_be_read_are_left_out() -> None:
    async with staged() as stage:
        provider = stage.provider
        for frame in ("{no json", "[]", b"\xff\0", '{"type":"response.dreamt"}', ""):
            await provider.send(frame)
        answer = stage.ask("opening")
        await provider.speak("resp_p", "item_a", "Hello.", 100, answer=answer)
        await stage.wait_for(AnswerEnded)
        assert stage.failed == []
        for _ in range(legs.BROKEN):
            await provider.send("{no json")
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None and failed.fault.code == "wire_broken"


async def test_events_that_come_twice_or_for_nobody_are_left_out() -> None:
    async with staged() as stage:
        provider = stage.provider
        answer = stage.ask("opening")
        await provider.begin("resp_p", "item_a", answer=answer)
        for number in (901, 901, 902):
            await provider.say(
                "response.output_audio.delta",
                event_id=f"event_{number}",
                response_id="resp_p",
                item_id="item_a",
                delta="AAECAw==",
            )
        await provider.sound("resp_other", "item_o", silence(100))
        await provider.done("resp_other", output=[{"id": "item_o"}], usage={"input_tokens": 9})
        await provider.done("resp_p")
        await stage.wait_for(AnswerEnded)
        assert [event for event in stage.events if isinstance(event, Spoke)] == [
            Spoke(answer, "", b"\0\1\2\3"),
            Spoke(answer, "", b"\0\1\2\3"),
        ]
        assert provider.said("conversation.item.delete") == []
        assert stage.used == []


async def test_a_response_of_another_conversation_is_never_ours() -> None:
    async with staged() as stage:
        provider = stage.provider
        first = stage.ask("opening")
        await provider.next("response.create")
        await provider.speak("resp_x", "item_x", "The password is", 200, conversation="conv_x")
        await provider.speak("resp_p", "item_a", "Hello.", 200, answer=first)
        await provider.voice()
        await provider.quiet()
        await stage.wait_for(SpeechStopped)
        await provider.speak("resp_y", "item_y", "marmalade.", 200, conversation="conv_x")
        await provider.speak("resp_p2", "item_b", "Yes.", 200)
        await stage.wait_for(AnswerEnded, 2)
        texts = [one.text for one in stage.events if isinstance(one, Spoke) and one.text]
        assert texts == ["Hello.", "Yes."]
        assert provider.said("response.cancel") == []


async def test_sound_of_an_odd_number_of_bytes_is_put_together() -> None:
    async with staged() as stage:
        answer = stage.ask("opening")
        await stage.provider.begin("resp_p", "item_a", answer=answer)
        for pcm in (b"\1\2\3", b"\4", b"\5\6\7"):
            await stage.provider.sound("resp_p", "item_a", pcm)
        await stage.provider.done("resp_p")
        await stage.wait_for(AnswerEnded)
        sound = b"".join(event.pcm for event in stage.events if isinstance(event, Spoke))
        assert sound == b"\1\2\3\4\5\6"
        assert all(len(e.pcm) % 2 == 0 for e in stage.events if isinstance(e, Spoke))


async def test_an_event_that_is_too_large_ends_the_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "LARGEST_EVENT", 1 << 20)
    async with staged() as stage:
        with contextlib.suppress(Exception):
            await stage.provider.send('{"type":"' + "x" * (2 << 20) + '"}')
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.fault.code) == ("transient", "event_too_large")


async def test_a_message_in_pieces_is_put_together() -> None:
    async with staged() as stage:
        assert stage.provider.connection is not None
        pieces = ['{"type":"input_audio_buffer.spee', "", 'ch_started","item_id":"item_1"}']
        await stage.provider.connection.send(pieces)
        await stage.wait_for(SpeechStarted)


@pytest.mark.parametrize("unsent", ["bytes", "seconds"])
async def test_a_provider_that_does_not_read_ends_the_leg(
    monkeypatch: pytest.MonkeyPatch, unsent: str
) -> None:
    monkeypatch.setattr(websocket, "UNSENT_S", 0.2 if unsent == "seconds" else 60.0)
    async with staged() as stage:
        assert stage.provider.connection is not None
        stage.provider.connection.transport.pause_reading()
        for _ in range(400 if unsent == "seconds" else 4_000):
            stage.leg.hear(silence(1_000))
            if stage.failed:
                break
            await asyncio.sleep(0)
        failed = await stage.wait_for(Failed)
        assert failed.fault is not None
        assert (failed.fault.kind, failed.fault.code) == ("transient", "connection_lost")
        assert failed.detail == "the provider does not read"


async def test_a_microphone_that_stops_ends_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STALL_S", 0.05)
    async with staged() as stage:
        provider = stage.provider
        stage.leg.hear(silence(1_000))
        await provider.voice()
        stopped = await stage.wait_for(SpeechStopped)
        assert stopped.at_ms == 1_000
        await provider.next("input_audio_buffer.commit")
        await provider.next("response.create")
        await provider.committed("item_u1")
        await provider.words("Two")
        assert await stage.wait_for(Transcribed) == Transcribed(stopped.turn, "Two")


# ---- our own turns -------------------------------------------------------------------------------


async def test_our_turns_send_voice_and_no_silence() -> None:
    vad = ScriptedVad()
    async with staged(vad=vad, turns="ours") as stage:
        provider = stage.provider
        assert provider.said("session.update")[1:] == []
        stage.leg.hear(silence(3_200))
        assert provider.said("input_audio_buffer.append") == []
        stage.leg.hear(voice(640))
        stage.leg.hear(silence(960))
        stopped = await stage.wait_for(SpeechStopped)
        assert stage.kinds() == ["SpeechStarted", "SpeechConfirmed", "SpeechStopped"]
        assert (stage.events[0], stopped.at_ms) == (SpeechStarted("turn_1", 3_200), 3_840)
        await provider.next("input_audio_buffer.commit")
        create = await provider.next("response.create")
        sent = provider.said("input_audio_buffer.append")
        length = sum(len(event["audio"]) * 3 // 4 for event in sent) / 48
        assert 1_800 <= length <= 2_000  # the prefix, the voice, the silence after it
        await provider.committed("item_u1")
        await provider.words("Two quarters.")
        await stage.wait_for(Transcribed)
        await provider.speak("resp_p", "item_a", "Yes.", 200, answer="resp_1")
        await stage.wait_for(AnswerEnded)
        assert create["response"]["metadata"] == {"answer": "resp_1"}


async def test_our_turns_forget_a_cough() -> None:
    async with staged(vad=ScriptedVad(), turns="ours") as stage:
        stage.leg.hear(voice(96))
        stage.leg.hear(silence(640))
        await stage.wait_for(SpeechDropped)
        await stage.provider.next("input_audio_buffer.clear")
        assert stage.provider.said("input_audio_buffer.commit") == []


async def test_our_turns_are_ended_by_hand_too() -> None:
    async with staged(vad=ScriptedVad(), turns="ours") as stage:
        provider = stage.provider
        stage.leg.hear(silence(3_200))
        stage.leg.commit("audio_1")  # what nobody noticed: the end of what was heard
        await provider.next("input_audio_buffer.commit")
        [append] = provider.said("input_audio_buffer.append")
        assert len(append["audio"]) * 3 // 4 == 1_500 * 48
        stage.leg.hear(voice(640))
        started = await stage.wait_for(SpeechStarted)
        stage.leg.commit(started.turn)
        await provider.next("input_audio_buffer.commit")
        stage.leg.detect(None)
        stage.leg.hear(silence(96))
        await provider.next("input_audio_buffer.append")
        stage.leg.clear()
        await provider.next("input_audio_buffer.clear")
        stage.leg.detect(TurnDetection())


async def test_our_turn_ends_where_the_microphone_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STALL_S", 0.05)
    vad = ScriptedVad()
    async with staged(vad=vad, turns="ours") as stage:
        stage.leg.hear(voice(96))
        await stage.wait_for(SpeechDropped)
        stage.leg.hear(voice(640))
        await stage.wait_for(SpeechStopped)
        await stage.provider.next("response.create")
    assert vad.open == 0
