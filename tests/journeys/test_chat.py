"""A lesson for a client that knows only chat: it sends the whole conversation each time."""

from typing import Any
from uuid import UUID

import pytest

from tests.journeys.conftest import Place

pytestmark = pytest.mark.slow

LESSON = "photosynthesis"


async def test_a_chat_goes_on_in_one_lesson_and_asking_again_changes_nothing(place: Place) -> None:
    async with place.client() as client:
        messages: list[Any] = [{"role": "user", "content": "Hello!"}]

        first = await client.chat.completions.with_raw_response.create(
            model=LESSON, messages=messages, temperature=0.2
        )
        session = first.headers["x-session-id"]
        assert first.headers["x-locked-by-lesson"] == "temperature"
        opening = first.parse().choices[0].message.content or ""
        assert "photosynthesis" in opening

        messages += [
            {"role": "assistant", "content": opening},
            {"role": "user", "content": "The sun."},
        ]
        pieces, usage = [], None
        async with client.chat.completions.with_streaming_response.create(
            model=LESSON,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
        ) as response:
            assert response.headers["x-session-id"] == session
            async for chunk in await response.parse():
                pieces += [choice.delta.content or "" for choice in chunk.choices]
                usage = chunk.usage or usage
        answer = "".join(pieces)
        assert len(answer) > 20
        assert usage is not None and usage.total_tokens > 0

        again = await client.chat.completions.with_raw_response.create(
            model=LESSON, messages=messages
        )
        assert again.headers["x-session-id"] == session
        assert again.parse().choices[0].message.content == answer

    transcript = place.read(f"/sessions/{UUID(session.removeprefix('sess_'))}/transcript")["items"]
    assert [(item["role"], item["said"]) for item in transcript] == [
        ("user", "Hello!"),
        ("assistant", opening),
        ("user", "The sun."),
        ("assistant", answer),
    ]
