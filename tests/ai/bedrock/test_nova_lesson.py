"""Turns, answers, interruptions and tools with Nova Sonic."""

import asyncio
import json

import pytest

from ai.bedrock import answering, hearing
from ai.engine import TurnDetection
from ai.events import (
    AnswerEnded,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
    Used,
)
from tests.ai.bedrock.nova_stage import Stage, staged
from tests.ai.bedrock.peer import until

SPEECH = (SpeechStarted, SpeechConfirmed, SpeechDropped, SpeechStopped, Transcribed)


def speech(stage: Stage) -> list[str]:
    return [type(event).__name__ for event in stage.events if isinstance(event, SPEECH)]


async def test_a_turn_is_heard_by_us_and_ended_and_answered_by_nova() -> None:
    async with staged() as stage:
        stage.speak(320, voice=False)
        stage.speak(640)
        assert speech(stage) == ["SpeechStarted", "SpeechConfirmed"]
        stage.speak(960, voice=False)
        assert speech(stage) == ["SpeechStarted", "SpeechConfirmed"]
        stage.peer.student("two")
        stage.peer.student("quarters")
        stage.peer.sentence("Well done.", 400, "PARTIAL_TURN")
        stage.peer.sentence("What is a third of six?", 1_000)
        await stage.until(AnswerEnded)
        assert speech(stage) == [
            *("SpeechStarted", "SpeechConfirmed", "SpeechStopped", "Transcribed")
        ]
        stopped, transcribed = stage.of(SpeechStopped)[0], stage.of(Transcribed)[0]
        assert stage.of(SpeechStarted)[0].at_ms == 320
        assert stopped.at_ms == 960
        assert (transcribed.text, transcribed.sure) == ("two quarters", True)
        assert len({event.turn for event in stage.events if isinstance(event, SPEECH)}) == 1
        assert stage.said("answer_1") == "Well done. What is a third of six?"
        sound = b"".join(event.pcm for event in stage.of(Spoke))
        assert sound == b"\x01\x00" * 24 * 1_400
        assert stage.ended("answer_1") == 1
        out = [event.quantity for event in stage.of(Used) if event.unit == "audio_out_ms"]
        assert out == [1_400]
        heard = [event.quantity for event in stage.of(Used) if event.unit == "audio_in_ms"]
        assert heard == [1_920]


async def test_words_come_with_the_sound_they_are_in() -> None:
    async with staged(vad=False) as stage:
        stage.peer.student("yes")
        stage.peer.sentence("One two three four five six seven eight.", 2_600)
        await stage.until(AnswerEnded)
        pieces = stage.of(Spoke)
        assert len(pieces) > 10
        at_ms, starts = 0, []
        for piece in pieces:
            starts += [at_ms + word.start_ms for word in piece.words]
            at_ms += len(piece.pcm) // 48
        assert len(starts) == 8
        assert starts == sorted(starts)
        assert starts[-1] > 1_500


async def test_a_cough_is_dropped() -> None:
    async with staged() as stage:
        stage.speak(96)
        stage.speak(640, voice=False)
        assert speech(stage) == ["SpeechStarted", "SpeechDropped"]


async def test_without_ears_of_our_own_nova_tells_everything() -> None:
    async with staged(vad=False) as stage:
        stage.speak(3_200)
        stage.peer.student("a half")
        await stage.until(SpeechConfirmed)
        assert speech(stage) == ["SpeechStarted", "SpeechConfirmed"]
        stage.peer.sentence("Good.")
        await stage.until(AnswerEnded)
        assert speech(stage)[2:] == ["SpeechStopped", "Transcribed"]
        assert stage.of(SpeechStarted)[0].at_ms < stage.of(SpeechStopped)[0].at_ms


async def test_words_of_a_suspicion_make_it_speech() -> None:
    async with staged() as stage:
        stage.speak(96)
        stage.peer.student("no")
        await stage.until(SpeechConfirmed)
        assert len(stage.of(SpeechStarted)) == 1


async def test_who_speaks_on_after_our_patience_is_in_the_same_turn() -> None:
    async with staged() as stage:
        stage.speak(640)
        stage.speak(960, voice=False)
        stage.speak(640)
        stage.peer.student("one half")
        stage.peer.sentence("Yes.")
        await stage.until(AnswerEnded)
        assert len(stage.of(SpeechStarted)) == len(stage.of(SpeechStopped)) == 1


async def test_a_turn_that_nova_says_nothing_of_ends_without_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "NOVA_SILENT_S", 0.1)
    async with staged() as stage:
        stage.speak(640)
        stage.speak(960, voice=False)
        transcribed = await stage.until(Transcribed)
        assert (transcribed.text, transcribed.sure) == ("", False)
        await until(lambda: stage.peer.texts("USER"))
        assert "could not be understood" in stage.peer.texts("USER")[0]
        stage.peer.sentence("Say that again, please.")
        await stage.until(AnswerEnded)
        assert stage.said("answer_1") == "Say that again, please."


async def test_a_microphone_that_stops_does_not_hang_the_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "STALL_S", 0.05)
    monkeypatch.setattr(hearing, "NOVA_SILENT_S", 0.1)
    async with staged() as stage:
        stage.speak(96)
        await stage.until(SpeechDropped)
        stage.speak(640)
        await stage.until(Transcribed)


@pytest.mark.parametrize("vad", [True, False])
async def test_words_may_come_after_the_answer_has_begun(vad: bool) -> None:
    async with staged(vad=vad) as stage:
        stage.speak(640)
        stage.speak(960, voice=False)
        stage.peer.text("ASSISTANT", "SPECULATIVE", "Good.")
        content = stage.peer.block("AUDIO", "ASSISTANT")
        stage.peer.sound(content, 400)
        stage.peer.student("two quarters")
        stage.peer.say("contentEnd", contentId=content, type="AUDIO", stopReason="END_TURN")
        await stage.until(AnswerEnded)
        assert [event.text for event in stage.of(Transcribed)] == ["two quarters"]
        assert stage.said("answer_1") == "Good."


async def test_what_is_said_of_another_session_is_not_heard() -> None:
    async with staged() as stage:
        content = stage.peer.block("TEXT", "USER", "FINAL")
        stage.peer.say(
            "textOutput", contentId=content, role="USER", content="stray", promptName="other"
        )
        stage.peer.student("mine")
        await stage.until(SpeechConfirmed)
        stage.peer.text("ASSISTANT", "SPECULATIVE", "Yes.")
        assert (await stage.until(Transcribed)).text == "mine"


# ---- answers -------------------------------------------------------------------------------------


async def test_nothing_of_an_answer_is_told_before_somebody_asks() -> None:
    async with staged() as stage:
        stage.asks = False
        stage.speak(640)
        stage.peer.student("yes")
        stage.peer.sentence("Good.")
        await stage.until(Transcribed)
        await asyncio.sleep(0.05)
        assert not stage.of(Spoke)
        answer = stage.ask("student")
        assert stage.said(answer) == "Good."
        assert stage.ended(answer) == 1


async def test_an_answer_that_nobody_asks_for_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "HOLD_S", 0.05)
    async with staged() as stage:
        stage.asks = False
        stage.speak(640)
        stage.peer.student("yes")
        stage.peer.sentence("Good.")
        await stage.until(Transcribed)
        await asyncio.sleep(0.15)
        answer = stage.ask("student")
        await until(lambda: stage.peer.texts("USER"))
        assert stage.peer.texts("USER") == ["(Please answer now to what I said last.)"]
        stage.peer.sentence("Good, then.")
        await stage.until(AnswerEnded)
        assert stage.said(answer) == "Good, then."


async def test_who_goes_on_is_not_answered_for_half_a_turn() -> None:
    async with staged() as stage:
        stage.asks = False
        stage.speak(640)
        stage.peer.student("I think")
        stage.peer.text("ASSISTANT", "SPECULATIVE", "What do you think?")
        await stage.until(Transcribed)
        stage.speak(640)
        stage.asks = True
        stage.peer.marker()
        stage.peer.student("it is a half")
        stage.peer.sentence("It is.")
        await stage.until(AnswerEnded)
        assert [event.text for event in stage.of(Transcribed)] == ["I think", "it is a half"]
        assert {event.text for event in stage.of(Spoke) if event.text} == {"It", "is."}
        assert len(stage.of(SpeechStarted)) == 2


@pytest.mark.parametrize(
    ("cue", "words"),
    [("opening", "begin the lesson"), ("silence", "said nothing"), ("resumed", "am back")],
)
async def test_a_cue_is_requested_in_words(cue: str, words: str) -> None:
    async with staged() as stage:
        answer = stage.ask(cue)
        await until(lambda: stage.peer.texts("USER"))
        assert words in stage.peer.texts("USER")[0]
        block = stage.peer.named("contentStart")[-1]
        assert (block["type"], block["interactive"]) == ("TEXT", True)
        stage.peer.sentence("Hello there.")
        await stage.until(AnswerEnded)
        assert stage.said(answer) == "Hello there."
        assert not stage.of(SpeechStarted)


async def test_typed_words_are_answered_and_their_echo_is_no_speech() -> None:
    async with staged() as stage:
        stage.leg.read("Is 2/4 right?")
        answer = stage.ask("student", sound=False)
        await until(lambda: stage.peer.texts("USER"))
        assert stage.peer.texts("USER") == ["Is 2/4 right?"]
        stage.peer.student("Is 2/4 right?")
        stage.peer.sentence("Yes, it is.")
        await stage.until(AnswerEnded)
        assert stage.said(answer) == "Yes, it is."
        assert b"".join(event.pcm for event in stage.of(Spoke)) == b""
        assert not stage.of(SpeechStarted)
        assert not [event for event in stage.of(Used) if event.unit == "audio_out_ms"]


async def test_what_was_typed_may_be_said_aloud_later() -> None:
    async with staged(vad=False) as stage:
        stage.leg.read("yes")
        stage.ask("student")
        stage.peer.sentence("Good.")
        await stage.until(AnswerEnded)
        stage.peer.student("yes")
        stage.peer.sentence("I heard you.")
        await stage.until(AnswerEnded, 2)
        assert [event.text for event in stage.of(Transcribed)] == ["yes"]


async def test_no_audio_comes_between_the_events_of_a_text() -> None:
    async with staged() as stage:
        await until(lambda: stage.peer.audio_events)
        order: list[str] = []
        stage.peer.on_event = lambda name, fields: order.append(f"{name}@{stage.peer.audio_events}")
        for number in range(5):
            stage.speak(96)
            stage.leg.read(f"{number} " * 900)
            stage.ask("student")
        await until(lambda: sum(one.startswith("contentEnd") for one in order) == 5)
        assert len(order) == 5 * 4
        for start in range(0, len(order), 4):
            assert len({one.partition("@")[2] for one in order[start : start + 4]}) == 1


async def test_words_that_were_passed_over_are_said_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "REQUEST_S", 1.0)
    async with staged() as stage:
        stage.leg.cancel(stage.ask("opening"), "")
        answer = stage.ask("silence")
        stage.peer.sentence("An answer to both.")
        await until(lambda: len(stage.peer.texts("USER")) == 3)
        stage.peer.sentence("An answer to the second.")
        await stage.until(AnswerEnded)
        assert stage.said(answer) == "An answer to the second."


async def test_our_own_words_interrupt_nobody() -> None:
    async with staged() as stage:
        content = await begun(stage)
        answer = stage.current
        stage.leg.read("What is a half?")
        stage.ask("student")
        stage.peer.say("contentEnd", contentId=content, type="AUDIO", stopReason="INTERRUPTED")
        stage.peer.marker()
        await until(lambda: stage.ended(answer))
        assert not stage.of(SpeechStarted)


async def test_a_turn_that_was_committed_and_is_not_answered_is_asked_for_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "EXPECT_S", 0.1)
    async with staged(detection=None) as stage:
        stage.speak(640)
        stage.leg.commit("mine")
        answer = stage.ask("student")
        await until(lambda: stage.peer.texts("USER"))
        stage.peer.sentence("Here I am.")
        await stage.until(AnswerEnded)
        assert stage.said(answer) == "Here I am."


async def test_what_is_cancelled_before_it_begins_is_not_taken_for_the_next() -> None:
    async with staged() as stage:
        first = stage.ask("silence")
        stage.leg.cancel(first, "")
        stage.leg.read("Hello?")
        second = stage.ask("student")
        await until(lambda: len(stage.peer.texts("USER")) == 2)
        stage.peer.sentence("You are quiet.")
        stage.peer.sentence("Hello!")
        await stage.until(AnswerEnded)
        assert stage.said(first) == ""
        assert stage.said(second) == "Hello!"


async def test_final_texts_are_not_said_twice() -> None:
    async with staged(vad=False) as stage:
        stage.peer.student("yes")
        stage.peer.sentence("Good.", reason="PARTIAL_TURN")
        stage.peer.sentence("Go on.")
        stage.peer.text("ASSISTANT", "FINAL", "Good.")
        stage.peer.text("ASSISTANT", "FINAL", "Go on.", "END_TURN")
        stage.peer.say("completionEnd", stopReason="END_TURN")
        stage.peer.student("and now")
        await stage.until(SpeechConfirmed, 2)
        assert stage.said("answer_1") == "Good. Go on."
        assert stage.ended("answer_1") == 1


# ---- interruptions -------------------------------------------------------------------------------


async def begun(stage: Stage) -> str:
    """An answer that the student is hearing, its audio block still open."""
    stage.ask("opening")
    await until(lambda: stage.peer.texts("USER"))
    stage.peer.text("ASSISTANT", "SPECULATIVE", "Once upon a time there was a number.")
    content = stage.peer.block("AUDIO", "ASSISTANT")
    stage.peer.sound(content, 400)
    await stage.until(Spoke)
    return content


@pytest.mark.parametrize("reason", ["END_TURN", "INTERRUPTED"])
@pytest.mark.parametrize("first", ["ours", "theirs"])
async def test_an_interruption_is_told_once_whoever_notices_first(reason: str, first: str) -> None:
    async with staged() as stage:
        content = await begun(stage)
        if first == "ours":
            stage.speak(640)
            await stage.until(SpeechConfirmed)
        stage.peer.say("contentEnd", contentId=content, type="AUDIO", stopReason=reason)
        stage.peer.marker()
        await stage.until(SpeechConfirmed)
        if first == "theirs":
            stage.speak(640)
        stage.peer.student("Which number?")
        stage.peer.sentence("Seven.")
        await stage.until(Transcribed)
        await until(lambda: stage.ended("answer_2"))
        assert speech(stage) == [
            *("SpeechStarted", "SpeechConfirmed", "SpeechStopped", "Transcribed")
        ]
        assert stage.said("answer_2") == "Seven."
        assert "interrupted" not in "".join(event.text for event in stage.of(Spoke))
        assert "interrupted" not in "".join(event.text for event in stage.of(Transcribed))


async def test_whoever_is_not_to_be_interrupted_hears_an_end_all_the_same() -> None:
    async with staged() as stage:
        content = await begun(stage)
        answer, stage.current = stage.current, ""  # the session does not cancel it
        stage.peer.say("contentEnd", contentId=content, type="AUDIO", stopReason="INTERRUPTED")
        stage.peer.marker()
        await stage.until(SpeechConfirmed)
        assert stage.ended(answer) == 1


async def test_what_we_cancelled_ourselves_is_no_speech_of_the_student() -> None:
    async with staged() as stage:
        content = await begun(stage)
        stage.leg.cancel(stage.current, "Once upon")
        stage.leg.read("Stop, please.")
        answer = stage.ask("student")
        stage.peer.sound(content, 400)
        stage.peer.say("contentEnd", contentId=content, type="AUDIO", stopReason="INTERRUPTED")
        stage.peer.marker()
        stage.peer.sentence("I stop.")
        await until(lambda: stage.ended(answer))
        assert stage.said(answer) == "I stop."
        assert not stage.of(SpeechStarted)
        assert stage.ended("answer_1") == 0


# ---- tools ---------------------------------------------------------------------------------------


async def test_two_tools_are_used_before_either_block_ends() -> None:
    async with staged(vad=False) as stage:
        stage.peer.student("is it a half")
        one = stage.peer.tool("tu-1", "check_answer", '{"said":"a half"}')
        two = stage.peer.tool("tu-2", "show", '{"kind":"fraction"}')
        for content in (one, two):
            stage.peer.say("contentEnd", contentId=content, type="TOOL", stopReason="TOOL_USE")
        await stage.until(ToolCalled, 2)
        calls = [(event.answer, event.call, event.name) for event in stage.of(ToolCalled)]
        assert calls == [("answer_1", "tu-1", "check_answer"), ("answer_1", "tu-2", "show")]
        assert stage.of(ToolCalled)[0].arguments == '{"said":"a half"}'
        stage.leg.give("tu-2", '{"shown":true}')
        stage.leg.give("tu-1", "no JSON")
        stage.leg.give("tu-1", "twice")
        await until(lambda: len(stage.peer.named("toolResult")) == 2)
        results = [json.loads(fields["content"]) for fields in stage.peer.named("toolResult")]
        assert results == [{"shown": True}, {"result": "no JSON"}]
        uses = [
            fields["toolResultInputConfiguration"]["toolUseId"]
            for fields in stage.peer.named("contentStart")
            if fields["type"] == "TOOL"
        ]
        assert uses == ["tu-2", "tu-1"]
        stage.peer.sentence("It is right.")
        await stage.until(AnswerEnded)
        assert stage.said("answer_1") == "It is right."


async def test_an_answer_goes_on_after_its_tool_though_its_sound_had_ended() -> None:
    async with staged(vad=False) as stage:
        stage.peer.student("check this")
        stage.peer.tool("tu-1", "check_answer", "{}")
        stage.peer.sentence("One moment.")
        await stage.until(ToolCalled)
        await asyncio.sleep(0.05)
        assert stage.ended("answer_1") == 0
        stage.leg.give("tu-1", "{}")
        stage.peer.sentence("Right.")
        await stage.until(AnswerEnded)
        assert stage.said("answer_1") == "One moment. Right."


async def test_after_a_tool_nothing_more_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "AFTER_TOOL_S", 0.1)
    async with staged(vad=False) as stage:
        stage.peer.student("show me")
        stage.peer.tool("tu-1", "show", "{}")
        stage.peer.sentence("Look.")
        await stage.until(ToolCalled)
        stage.leg.give("tu-1", "{}")
        await stage.until(AnswerEnded)


async def test_a_tool_of_an_answer_that_nobody_wants_is_answered_for() -> None:
    async with staged() as stage:
        stage.ask("opening")
        stage.leg.cancel(stage.current, "")
        stage.peer.tool("tu-1", "show", "{}")
        await until(lambda: stage.peer.named("toolResult"))
        assert "error" in json.loads(stage.peer.named("toolResult")[0]["content"])
        assert not stage.of(ToolCalled)


async def test_a_tool_that_is_in_use_as_its_answer_is_cut_short_is_answered_for() -> None:
    async with staged(vad=False) as stage:
        stage.peer.student("show me")
        stage.peer.tool("tu-1", "show", "{}")
        answer = (await stage.until(ToolCalled)).answer
        stage.leg.cancel(answer, "")
        await until(lambda: stage.peer.named("toolResult"))
        assert "error" in json.loads(stage.peer.named("toolResult")[0]["content"])
        stage.leg.give("tu-1", "{}")
        await asyncio.sleep(0.05)
        assert len(stage.peer.named("toolResult")) == 1


async def test_a_tool_that_takes_too_long_is_answered_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "TOOL_S", 0.1)
    async with staged(vad=False) as stage:
        stage.peer.student("show me")
        stage.peer.tool("tu-1", "show", "{}")
        await stage.until(ToolCalled)
        await until(lambda: stage.peer.named("toolResult"))
        stage.leg.give("tu-1", "{}")
        await asyncio.sleep(0.05)
        assert len(stage.peer.named("toolResult")) == 1


# ---- who says when a turn is over ----------------------------------------------------------------


async def test_by_hand_audio_is_sent_when_it_is_committed() -> None:
    async with staged(detection=None) as stage:
        await until(lambda: stage.peer.audio_events)
        stage.speak(640)
        await asyncio.sleep(0.05)
        assert not any(stage.peer.audio)
        stage.leg.commit("mine")
        await until(lambda: any(stage.peer.audio))
        stage.peer.student("a third")
        answer = stage.ask("student")
        stage.peer.sentence("Yes.")
        await until(lambda: stage.ended(answer))
        assert speech(stage) == ["Transcribed"]
        assert (stage.of(Transcribed)[0].turn, stage.of(Transcribed)[0].text) == ("mine", "a third")


async def test_by_hand_audio_that_was_cleared_is_never_sent() -> None:
    async with staged(detection=None) as stage:
        stage.speak(640)
        stage.leg.clear()
        stage.leg.commit("empty")
        count = stage.peer.audio_events
        await until(lambda: stage.peer.audio_events > count + 5)
        assert not any(stage.peer.audio)


async def test_a_turn_under_way_may_be_committed() -> None:
    async with staged() as stage:
        stage.speak(640)
        turn = (await stage.until(SpeechConfirmed)).turn
        stage.leg.commit(turn)
        stage.peer.student("a third")
        answer = stage.ask("student")
        stage.peer.sentence("Yes.")
        await until(lambda: stage.ended(answer))
        assert speech(stage) == ["SpeechStarted", "SpeechConfirmed", "Transcribed"]
        assert stage.of(Transcribed)[0].turn == turn


async def test_a_recording_is_a_turn_and_lacks_words_if_nova_says_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "COMMITTED_S", 0.1)
    async with staged() as stage:
        stage.leg.listen("one", b"\1\1" * 24 * 640)
        stage.leg.listen("two", b"\1\1" * 24 * 640)
        stage.peer.student("first")
        stage.peer.text("ASSISTANT", "SPECULATIVE", "Yes?")
        await stage.until(Transcribed, 2)
        told = [(event.turn, event.text, event.sure) for event in stage.of(Transcribed)]
        assert told == [("one", "first", True), ("two", "", False)]


async def test_the_rule_may_change() -> None:
    async with staged() as stage:
        stage.leg.detect(None)
        stage.speak(640)
        assert speech(stage) == []
        stage.leg.detect(TurnDetection())
        stage.leg.playing(True)
        stage.speak(640)
        await stage.until(SpeechConfirmed)
        assert stage.vad.open == 1
