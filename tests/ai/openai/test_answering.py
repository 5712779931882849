"""What a leg makes of the end of an answer that an earlier leg gave."""

import pytest

from ai.engine import Utterance
from tests.ai.openai.stage import Stage, staged

MEMORY = (
    Utterance("tutor", "Hello."),
    Utterance("student", "Hi."),
    Utterance("tutor", "A half and two quarters are the same."),
)


async def notes(stage: Stage) -> list[str]:
    """What the provider was told beside the conversation."""
    stage.leg.clear()
    await stage.provider.next("input_audio_buffer.clear")
    items = [event["item"] for event in stage.provider.said("conversation.item.create")]
    return [item["content"][0]["text"] for item in items if item["role"] == "system"]


@pytest.mark.parametrize(
    ("heard", "note"),
    [
        (
            "A half and",
            "The student interrupted you. Of your last words they heard only: A half and",
        ),
        ("", "The student interrupted you before they heard any of your last words."),
    ],
)
async def test_what_was_not_heard_of_an_earlier_leg_is_told(heard: str, note: str) -> None:
    async with staged(memory=MEMORY) as stage:
        stage.leg.cancel("resp_before", heard)
        stage.leg.cancel("resp_before", heard)
        assert await notes(stage) == [note]


@pytest.mark.parametrize("heard", [MEMORY[-1].text, "Something else"])
async def test_what_was_heard_to_its_end_needs_no_word(heard: str) -> None:
    async with staged(memory=MEMORY) as stage:
        stage.leg.cancel("resp_before", heard)
        assert await notes(stage) == []


async def test_the_last_words_are_soon_those_of_this_leg() -> None:
    async with staged(memory=MEMORY) as stage:
        stage.ask()
        stage.leg.cancel("resp_before", "")
        assert await notes(stage) == []
