"""Turns that the provider finds, and we end."""

import pytest

from ai.audio import silence
from ai.events import SpeechConfirmed, SpeechStarted, SpeechStopped, Transcribed
from ai.openai import turns
from tests.ai.openai.stage import Stage, staged


async def settled(stage: Stage) -> None:
    """What the provider said before has been dealt with, and it has what we say to that."""
    await stage.provider.voice("item_next", 10_000)
    await stage.wait_for(SpeechStarted, 2)
    stage.leg.clear()
    await stage.provider.next("input_audio_buffer.clear")


@pytest.mark.parametrize("asks_first", [True, False], ids=["asked before", "asked after"])
async def test_a_turn_that_both_end_at_once_is_one(asks_first: bool) -> None:
    async with staged() as stage:
        provider = stage.provider
        stage.leg.hear(silence(3_000))
        await provider.voice("item_u1", 100)
        confirmed = await stage.wait_for(SpeechConfirmed)
        stage.leg.commit(confirmed.turn)
        if asks_first:
            stage.ask()
        commit = await provider.next("input_audio_buffer.commit")
        await provider.quiet("item_u1", 2_000)
        await provider.error("input_audio_buffer_commit_empty", commit["event_id"])
        if not asks_first:
            stage.ask()
        await provider.words("Two quarters.", "item_u1")
        said = await stage.wait_for(Transcribed)
        assert said == Transcribed(confirmed.turn, "Two quarters.")
        await settled(stage)
        assert provider.said("conversation.item.delete") == []
        assert len(provider.said("response.create")) == 1


async def test_the_end_of_voice_may_be_told_after_a_microphone_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "STALL_S", 0.05)
    async with staged() as stage:
        provider = stage.provider
        stage.leg.hear(silence(1_000))
        await provider.voice("item_u1")
        stopped = await stage.wait_for(SpeechStopped)
        await provider.next("input_audio_buffer.commit")
        await provider.quiet("item_u1", 1_000)
        await provider.words("Two", "item_u1")
        assert await stage.wait_for(Transcribed) == Transcribed(stopped.turn, "Two")
        await settled(stage)
        assert provider.said("conversation.item.delete") == []


async def test_a_turn_without_end_is_ended() -> None:
    async with staged() as stage:
        provider = stage.provider
        await provider.voice("item_u1")
        started = await stage.wait_for(SpeechStarted)
        for _ in range(59):
            stage.leg.hear(silence(1_000))
        assert stage.kinds() == ["SpeechStarted", "SpeechConfirmed"]
        stage.leg.hear(silence(1_000))
        assert stage.events[2:] == [SpeechStopped(started.turn, 60_000)]
        await provider.next("input_audio_buffer.commit")
        await provider.next("response.create")
        await provider.committed("item_u1")
        await provider.words("And so on", "item_u1")
        assert await stage.wait_for(Transcribed) == Transcribed(started.turn, "And so on")
