"""A lesson for clients that know only chat: each answer is given once, and then repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from server.realtime import completions
from sessions.record import sessions as record
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import House, eventually, open_house, receive

CHAT = "/v1/chat/completions"


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school) as house:
        yield house


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def tutor(text: str) -> Any:
    return {"role": "assistant", "content": text}


async def said(house: House) -> list[list[str]]:
    """What the record holds of each of the student's live sessions, oldest first."""
    caller = await house.services.identities.verify(house.token)
    tenant_id = caller.person.tenant_id
    sessions = await house.lobby.newest(caller, "halves")
    items = [await record.items(house.services.database, tenant_id, one) for one in sessions]
    return [[item.said or "" for item in log] for log in reversed(items)]


# ---- the official client ---------------------------------------------------------------------


async def test_the_official_client_holds_a_lesson(house: House) -> None:
    async with house.client() as client:
        messages = [{"role": "system", "content": "Be rude"}, user("Hi")]
        first = await client.chat.completions.with_raw_response.create(
            model="halves",
            messages=messages,
            temperature=0.2,
        )
        completion = first.parse()
        choice = completion.choices[0]
        assert (choice.message.content, choice.finish_reason) == ("You said 'Hi'.", "stop")
        assert completion.usage and completion.usage.total_tokens > 0
        assert first.headers["x-locked-by-lesson"] == "temperature, system"
        messages += [tutor("You said 'Hi'."), user("half")]
        second = await client.chat.completions.with_raw_response.create(
            model="halves", messages=messages
        )
        assert second.parse().choices[0].message.content == "You said 'half'."
        assert second.headers["x-session-id"] == first.headers["x-session-id"]
    assert await said(house) == [["Hi", "You said 'Hi'.", "half", "You said 'half'."]]


async def test_a_stream_is_the_same_answer_in_pieces(house: House) -> None:
    house.engine.pieces = 3
    async with house.client() as client:
        stream = await client.chat.completions.create(
            model="halves",
            messages=[user("Hi")],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(piece or "" for piece in pieces) == "You said 'Hi'. More. More."
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_ends_with_done_and_lives_through_silence(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "KEEP_ALIVE_S", 0.01)
    house.engine.held = []
    async with house.http() as http:
        body = {"model": "halves", "messages": [user("Hi")], "stream": True}
        async with http.stream("POST", CHAT, json=body) as answer:
            parts = answer.aiter_lines()
            seen = []
            async for line in parts:
                seen.append(line)
                if line.startswith(":") and house.engine.held:
                    house.engine.held.pop()()
    assert ": keep-alive" in seen
    assert [line for line in seen if line][-1] == "data: [DONE]"
    assert answer.headers["content-type"].startswith("text/event-stream")


# ---- once, and the same again ----------------------------------------------------------------


async def test_the_same_messages_again_give_the_same_answer_and_nothing_doubled(
    house: House,
) -> None:
    async with house.client() as client:
        first = await client.chat.completions.create(model="halves", messages=[user("Hi")])
        again = await client.chat.completions.create(model="halves", messages=[user("Hi")])
        assert (again.id, again.choices[0].message) == (first.id, first.choices[0].message)
        more = [user("Hi"), tutor("You said 'Hi'."), user("half")]
        await client.chat.completions.create(model="halves", messages=more)
        stream = await client.chat.completions.create(model="halves", messages=more, stream=True)
        text = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(text) == "You said 'half'."
        early = await client.chat.completions.create(model="halves", messages=[user("Hi")])
        assert early.choices[0].message.content == "You said 'Hi'."
    assert await said(house) == [["Hi", "You said 'Hi'.", "half", "You said 'half'."]]


async def test_five_at_the_same_instant_get_one_answer(house: House) -> None:
    house.engine.held = []
    async with house.client() as client:
        calls = [
            asyncio.create_task(
                client.chat.completions.create(model="halves", messages=[user("Hi")])
            )
            for _ in range(5)
        ]
        await eventually(lambda: house.engine.held)
        house.engine.held.pop()()
        answers = await asyncio.gather(*calls)
    assert {answer.choices[0].message.content for answer in answers} == {"You said 'Hi'."}
    assert await said(house) == [["Hi", "You said 'Hi'."]]


async def test_a_client_that_went_away_finds_its_answer(house: House) -> None:
    house.engine.held = []
    async with house.http() as http:
        body = {"model": "halves", "messages": [user("Hi")], "stream": True}
        async with http.stream("POST", CHAT, json=body) as answer:
            async for _ in answer.aiter_lines():
                break
    await eventually(lambda: house.engine.held)
    house.engine.held.pop()()
    async with house.client() as client:
        again = await client.chat.completions.create(model="halves", messages=[user("Hi")])
        assert again.choices[0].message.content == "You said 'Hi'."
    assert await said(house) == [["Hi", "You said 'Hi'."]]


async def test_a_student_who_stopped_the_answer_goes_on_in_the_same_lesson(house: House) -> None:
    async with house.client() as client:
        await client.chat.completions.create(model="halves", messages=[user("Hi")])
        cut = [user("Hi"), tutor("You said"), user("wait")]
        answer = await client.chat.completions.create(model="halves", messages=cut)
        assert answer.choices[0].message.content == "You said 'wait'."
    assert len(await said(house)) == 1


async def test_an_item_without_an_answer_is_answered_without_being_said_again(
    house: House,
) -> None:
    house.engine.breaks = True
    async with house.client() as client:
        with pytest.raises(openai.InternalServerError) as failed:
            await client.chat.completions.create(model="halves", messages=[user("Hi")])
        assert failed.value.status_code == 503
        house.engine.breaks = False
        answer = await client.chat.completions.create(model="halves", messages=[user("Hi")])
        assert answer.choices[0].message.content == "You said 'Hi'."
    assert await said(house) == [["Hi", "You said 'Hi'."]]


async def test_another_conversation_is_another_session(house: House) -> None:
    async with house.client() as client:
        for first in ("Hi", "Hello"):
            await client.chat.completions.create(model="halves", messages=[user(first)])
        other = [user("Hello"), tutor("You said 'Hello'."), user("half")]
        await client.chat.completions.create(model="halves", messages=other)
    assert sorted(map(len, await said(house))) == [2, 4]


async def test_a_session_can_be_named(house: House) -> None:
    async with house.client() as client:
        first = await client.chat.completions.with_raw_response.create(
            model="halves", messages=[user("Hi")]
        )
        name = {"X-Session-Id": first.headers["x-session-id"]}
        second = await client.chat.completions.with_raw_response.create(
            model="halves", messages=[user("only this")], extra_headers=name
        )
        assert second.headers["x-session-id"] == name["X-Session-Id"]
        for wrong in ("nonsense", f"sess_{'0' * 32}"):
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(
                    model="halves", messages=[user("x")], extra_headers={"X-Session-Id": wrong}
                )
    assert len(await said(house)) == 1


async def test_a_lesson_begun_by_chat_goes_on_over_the_socket(house: House) -> None:
    async with house.client() as client:
        first = await client.chat.completions.with_raw_response.create(
            model="halves", messages=[user("Hi")]
        )
    async with house.connect(f"session={first.headers['x-session-id']}") as connection:
        assert (await receive(connection))["session"]["resumed"]["complete"]
        items = [(await receive(connection))["item"]["id"] for _ in range(4)]
        assert items[0] == items[1] != items[2] == items[3]


# ---- refusals --------------------------------------------------------------------------------


async def test_a_failure_in_mid_stream_is_told_in_the_stream(house: House) -> None:
    house.engine.held, house.engine.breaks = [], True
    async with house.client() as client:
        stream = await client.chat.completions.create(
            model="halves", messages=[user("Hi")], stream=True
        )
        await eventually(lambda: house.engine.held)
        house.engine.held.pop()()
        with pytest.raises(openai.APIError) as failed:
            async for _ in stream:
                pass
    assert "Send the same messages again" in failed.value.message


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_value"),
        (b"nonsense", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b'{"model":"halves"}', 400, "invalid_value"),
        (b'{"model":"halves","messages":[]}', 400, "invalid_value"),
        (b'{"model":"none","messages":[{"role":"user","content":"x"}]}', 404, "model_not_found"),
        (b'{"model":"","messages":[{"role":"user","content":"x"}]}', 400, "model_missing"),
        (b'{"x":"' + b"y" * 1_100_000 + b'"}', 413, "too_large"),
    ],
)
async def test_a_bad_request_is_refused_in_openais_shape(
    house: House, body: bytes, status: int, code: str
) -> None:
    async with house.http() as http:
        answer = await http.post(CHAT, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) == {"message", "type", "param", "code"} and error["message"].endswith(".")


async def test_a_key_for_another_lesson_is_403(house: House) -> None:
    caller = await house.services.identities.verify(house.token)
    key, _ = await house.services.identities.issue_ephemeral(caller, lesson="thirds", seconds=60)
    async with house.client(key) as client:
        with pytest.raises(openai.PermissionDeniedError):
            await client.chat.completions.create(model="halves", messages=[user("Hi")])


async def test_what_the_wire_says_is_json_of_the_documented_shape(house: House) -> None:
    async with house.http() as http:
        body = {"model": "halves", "messages": [user("Hi")], "stream": True}
        answer = await http.post(CHAT, json=body)
    events = [line[6:] for line in answer.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    for event in map(json.loads, events[:-1]):
        assert event["object"] == "chat.completion.chunk" and event["model"] == "halves"
        assert {"id", "created", "choices"} <= set(event)
