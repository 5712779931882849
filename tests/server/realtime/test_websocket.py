"""The live door, from outside: official clients, resumption, refusals, limits and close codes."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from server.realtime import limits
from sessions.bus import session_topic
from sessions.live import seats
from sessions.live.events import SummaryReady
from sessions.live.lobby import LobbySettings
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import (
    House,
    add_lesson,
    closed,
    eventually,
    open_house,
    receive,
    send,
    tone,
    typed,
    until,
)

GOLDEN = Path(__file__).parents[2] / "golden"
BAD = [json.loads(line) for line in (GOLDEN / "realtime_refused.jsonl").read_text().splitlines()]


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school) as house:
        yield house


# ---- official clients ------------------------------------------------------------------------


async def test_the_official_client_holds_a_text_lesson(house: House) -> None:
    client = house.client()
    seen = []
    async with client.realtime.connect(model="halves") as connection:
        await connection.session.update(
            session={"type": "realtime", "output_modalities": ["text"], "instructions": "Be rude"}
        )
        await connection.conversation.item.create(item=typed("Is 2/4 one half?"))  # type: ignore[arg-type]
        await connection.response.create()
        done: set[str] = set()
        async for event in connection:
            seen.append(event)
            if event.type == "conversation.item.done":
                done.add(event.item.role)  # type: ignore[union-attr]
            if event.type == "response.done":
                assert event.response.status == "completed"
                done.add(event.type)
            if len(done) == 3:
                break
    types = [event.type for event in seen]
    assert types[:2] == ["session.created", "session.updated"]
    assert seen[1].session.locked == ["instructions"]  # type: ignore[union-attr]
    (text,) = [event.text for event in seen if event.type == "response.output_text.done"]
    assert text == "You said 'Is 2/4 one half?'."
    assert "".join(e.delta for e in seen if e.type == "response.output_text.delta") == text
    await client.close()


async def test_the_official_client_hears_every_sample(house: House) -> None:
    house.engine.sound_ms = 1_000
    client = house.client()
    heard = b""
    async with client.realtime.connect(model="halves") as connection:
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_audio.delta":
                heard += base64.b64decode(event.delta)
            if event.type == "response.done":
                break
    assert heard == tone(1_000)
    await client.close()


async def test_a_key_in_the_subprotocols_opens_the_door_and_is_never_sent_back(
    house: House,
) -> None:
    async with house.http() as http:
        made = await http.post(
            "/v1/realtime/client_secrets",
            json={"session": {"type": "realtime", "model": "halves"}},
        )
    key = made.json()["value"]
    async with websockets.connect(
        f"ws://{house.address}/v1/realtime",
        subprotocols=["realtime", f"openai-insecure-api-key.{key}", "more"],  # type: ignore[list-item]
    ) as connection:
        assert connection.subprotocol == "realtime"
        assert (await receive(connection))["session"]["model"] == "halves"


async def test_what_the_maker_of_a_key_asked_of_the_session_is_so_from_the_start(
    house: House,
) -> None:
    async with house.http() as http:
        made = await http.post(
            "/v1/realtime/client_secrets",
            json={
                "session": {
                    "type": "realtime",
                    "model": "halves",
                    "output_modalities": ["text"],
                    "tools": [],
                }
            },
        )
    key = made.json()["value"]
    async with house.connect(token=key) as connection:
        updated = await until(connection, "session.updated")
        assert updated["session"]["output_modalities"] == ["text"]
        assert updated["session"]["locked"] == ["tools"]


# ---- refused before the upgrade --------------------------------------------------------------


async def refusal(house: House, query: str, **more: Any) -> httpx.Response:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with house.connect(query, **more):
            pass
    answer = refused.value.response
    headers = [(k, v) for k, v in answer.headers.raw_items() if k.lower() != "transfer-encoding"]
    response = httpx.Response(
        answer.status_code, headers=headers, content=bytes(answer.body or b"")
    )
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"].endswith(".")
    return response


async def test_without_a_good_token_it_is_401(house: House) -> None:
    for token in ("sk_nobody", "x" * 5_000, f"sk_{house.school.tenant.id.hex}_{'A' * 43}"):
        assert (await refusal(house, "model=halves", token=token)).status_code == 401
    assert (await refusal(house, "model=halves", token="x" * 10_000)).status_code == 431


async def test_a_lesson_of_another_school_is_unknown_as_if_there_were_none(
    house: House, database: Database, other_school: School
) -> None:
    theirs = await add_lesson(database, other_school, "theirs")
    answers = [await refusal(house, f"model={name}") for name in ("theirs", str(theirs), "none")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].text.replace("theirs", "none") == answers[2].text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("model=", 400),
        ("model=%00", 404),
        ("model=" + "x" * 200, 404),
        ("model=%ff%fe", 404),
        ("session=nonsense", 404),
        ("session=sess_00000000000000000000000000000000", 404),
        ("model=halves&call_id=rtc_1", 404),
    ],
)
async def test_an_address_that_names_nothing_is_refused(
    house: House, query: str, status: int
) -> None:
    assert (await refusal(house, query)).status_code == status


async def test_a_session_that_is_over_is_409_and_clients_need_not_try_again(house: House) -> None:
    async with house.connect() as connection:
        name = (await receive(connection))["session"]["id"]
    await eventually(lambda: not house.lobby._live)
    answer = await refusal(house, f"session={name}")
    assert (answer.status_code, answer.headers["x-should-retry"]) == (409, "false")


async def test_one_lesson_too_many_is_429_with_a_time_to_come_back(
    database: Database, school: School
) -> None:
    one = LobbySettings(live_per_student=1)
    async with (
        open_house(database, school, lobby_settings=one) as house,
        house.connect() as connection,
    ):
        await receive(connection)
        answer = await refusal(house, "model=halves")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


async def test_plain_http_at_the_sockets_address_is_told_so(house: House) -> None:
    async with house.http() as http:
        answer = await http.get("/v1/realtime?model=halves")
    assert (answer.status_code, answer.json()["error"]["code"]) == (426, "upgrade_required")


# ---- coming and going ------------------------------------------------------------------------


async def test_a_client_that_closes_with_1000_has_finished(house: House) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = house.only_session()
    await asyncio.wait_for(session.ended.wait(), 3)
    assert not house.lobby._live


@pytest.mark.parametrize("how", [1001, 3000, None, "cut"])
async def test_any_other_end_is_a_break_and_the_session_waits(house: House, how: Any) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = house.only_session()
        if how == "cut":
            connection.transport.abort()
        elif how is None:
            connection.protocol.send_close()  # a close frame without a code
            connection.send_data()
        else:
            await connection.close(how)
        await eventually(lambda: session.orphaned_at is not None)
    assert session.id in house.lobby._live


async def test_a_broken_lesson_goes_on_where_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "REPLAY_WITHIN_S", 60.0)  # a client that takes its time has its turn
    async with house.connect() as connection:
        name = (await receive(connection))["session"]["id"]
        await send(connection, "conversation.item.create", item=typed("one", id="first"))
        await until(connection, "conversation.item.done")
        await send(connection, "conversation.item.create", item=typed("two", id="second"))
        await until(connection, "conversation.item.done")
        connection.transport.abort()
    async with house.connect(f"session={name}&after=first") as connection:
        created = await receive(connection)
        assert created["session"]["id"] == name
        assert created["session"]["resumed"] == {"after": "first", "complete": False}
        await send(connection, "session.update", session={"type": "realtime"})
        assert (await receive(connection))["type"] == "session.updated"
        added, done = await receive(connection), await receive(connection)
        assert (added["type"], added["item"]["id"]) == ("conversation.item.added", "second")
        assert (done["type"], done["previous_item_id"]) == ("conversation.item.done", "first")
    async with house.http() as http:  # that was 1000: it is over, and said so here as well
        answer = await http.post(f"/v1/realtime/client_secrets?session={name}", json={})
        assert answer.status_code == 409


async def test_another_connection_takes_the_lesson_over(house: House) -> None:
    async with house.connect() as first:
        name = (await receive(first))["session"]["id"]
        async with house.connect(f"session={name}&after=nothing%20such") as second:
            resumed = (await receive(second))["session"]["resumed"]
            assert resumed == {"after": None, "complete": True}
            code, events = await closed(first)
            assert code == 4001
            assert events[-1]["type"] == "notice"
            await send(second, "conversation.item.create", item=typed("still here"))
            assert await until(second, "conversation.item.done")


async def test_signing_out_ends_the_connection_with_4002(house: House) -> None:
    caller = await house.services.identities.verify(house.token)
    async with house.connect() as connection:
        await receive(connection)
        await house.services.identities.sign_out(caller)
        code, events = await closed(connection)
        assert (code, events[-1]["code"]) == (4002, "signed_out")
    session = house.only_session()
    await eventually(lambda: session.orphaned_at is not None)


async def test_access_withdrawn_elsewhere_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.realtime.websocket.RECHECK_S", 0.02)
    async with house.connect() as connection:
        await receive(connection)

        async def no_more(caller: Any) -> bool:
            return False

        monkeypatch.setattr(house.services.identities, "still_valid", no_more)
        assert (await closed(connection))[0] == 4002


async def test_after_the_end_comes_the_summary_and_then_1000(house: House) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = house.only_session()
        await send(connection, "session.end")
        ended = await until(connection, "session.ended")
        assert ended["reason"] == "finished"
        summary = SummaryReady("You know a half.", ("Practise thirds.",))
        house.services.bus.publish(session_topic(session.id), summary)
        code, events = await closed(connection)
        assert (code, events[-1]["type"]) == (1000, "session.summary")


async def test_a_server_that_stops_says_1001(house: House) -> None:
    async with house.connect() as connection:
        await receive(connection)
        await house.lobby.close(2.0)
        code, events = await closed(connection)
        assert (code, events[-1]["type"]) == (1001, "notice")


# ---- sound -----------------------------------------------------------------------------------


async def test_sound_goes_both_ways_as_binary_frames(house: House) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = {"type": "realtime", "audio": {"output": {"binary": True}}}
        await send(connection, "session.update", session=session)
        assert (await until(connection, "session.updated"))["session"]["audio"]["output"]["binary"]
        await connection.send(tone(20) + b"\x01")
        await connection.send(b"\x02" + tone(20))
        await send(connection, "response.create")
        event = await until(connection, "response.output_audio.delta")
        assert "delta" not in event
        sound = await connection.recv()
        assert isinstance(sound, bytes) and tone(200).startswith(sound)
    await eventually(lambda: len(house.engine.legs[0].heard) == len(tone(40)) + 2)
    assert bytes(house.engine.legs[0].heard) == tone(20) + b"\x01\x02" + tone(20)


async def test_telephones_are_understood_and_spoken_to(house: House) -> None:
    async with house.connect() as connection:
        await receive(connection)
        audio = {
            "input": {"format": {"type": "audio/pcmu"}},
            "output": {"format": {"type": "audio/pcma"}},
        }
        await send(connection, "session.update", session={"type": "realtime", "audio": audio})
        await until(connection, "session.updated")
        second = base64.b64encode(b"\x80" * 8_000).decode()
        await send(connection, "input_audio_buffer.append", audio=second)
        await send(connection, "response.create")
        heard = b""
        while (event := await receive(connection))["type"] != "response.done":
            if event["type"] == "response.output_audio.delta":
                heard += base64.b64decode(event["delta"])
        assert 1_500 <= len(heard) <= 1_600  # 200 ms at 8 kHz, less what the filter keeps
        wish = {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}}}}
        await send(connection, "response.create", response=wish)
        delta = await until(connection, "response.output_audio.delta")
        assert tone(200).startswith(base64.b64decode(delta["delta"]))
    assert len(house.engine.legs[0].heard) == pytest.approx(48_000, abs=200)


# ---- bad input -------------------------------------------------------------------------------


async def test_hundreds_of_bad_events_are_each_answered_and_the_lesson_goes_on(
    house: House,
) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = house.only_session()
        for case in BAD:
            await connection.send(case["frame"])
            event = await receive(connection)
            assert event["type"] == "error", (case, event)
            assert event["error"]["code"] == case["code"]
            assert event["error"]["event_id"] == case.get("event_id")
        await send(connection, "conversation.item.create", item=typed("after all that"))
        assert (await until(connection, "conversation.item.done"))["item"]["role"] == "user"
        assert house.only_session() is session and not session.ended.is_set()
    assert len(BAD) > 200


async def test_a_frame_too_large_is_named_and_the_third_closes(house: House) -> None:
    async with house.connect() as connection:
        name = (await receive(connection))["session"]["id"]
        large = '{"type":"input_audio_buffer.append","event_id":"big","audio":"%s"}'
        await connection.send(large % ("A" * 16_000_000))
        error = (await receive(connection))["error"]
        assert (error["code"], error["event_id"]) == ("too_large", "big")
        assert "1,048,576" in error["message"]
        await connection.send(bytes(limits.AUDIO_EVENT_BYTES + 1))
        assert (await receive(connection))["error"]["code"] == "too_large"
        await connection.send("x" * 2_000_000)
        code, events = await closed(connection)
        assert (code, [event["type"] for event in events]) == (1008, ["error", "notice"])
    async with house.connect(f"session={name}") as connection:
        assert (await receive(connection))["session"]["id"] == name


async def test_a_client_that_floods_is_slowed_told_and_at_last_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EVENTS_BURST", 10)
    monkeypatch.setattr(limits, "HELD_EVENTS", 20)
    async with house.connect() as connection:
        await receive(connection)
        for _ in range(100):
            await send(connection, "input_audio_buffer.clear")
        code, events = await closed(connection)
        notices = [event["code"] for event in events if event["type"] == "notice"]
        assert (code, notices[-1]) == (1008, "too_many_events")
        assert "slow_down" in notices


async def test_a_fault_of_ours_is_an_error_event_and_the_lesson_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.connect() as connection:
        await receive(connection)
        session = house.only_session()
        with monkeypatch.context() as broken:
            broken.setattr(session, "receive", lambda *_: 1 / 0)
            await send(connection, "response.create", event_id="mine")
            error = (await receive(connection))["error"]
        assert (error["type"], error["event_id"]) == ("server_error", "mine")
        await send(connection, "response.create")
        assert await until(connection, "response.done")


# ---- clients that do not read ----------------------------------------------------------------


async def test_a_client_that_does_not_read_is_let_go_and_may_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED_S", 0.2)
    monkeypatch.setattr("server.realtime.uvicorn_socket.LINGER_S", 0.3)
    house.engine.sound_ms, house.engine.pieces = 20_000, 6  # 7.7 MB as base64
    deaf = socket.create_connection(("127.0.0.1", int(house.address.split(":")[1])))
    deaf.setblocking(False)
    try:
        loop = asyncio.get_running_loop()
        head = (
            f"GET /v1/realtime?model=halves HTTP/1.1\r\nHost: {house.address}\r\n"
            f"Authorization: Bearer {house.token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await loop.sock_sendall(deaf, head.encode())
        session = await eventually(lambda: house.lobby._live and house.only_session())
        text = b'{"type":"response.create"}'
        frame = bytes([0x81, 0x80 | len(text)]) + bytes(4) + text
        await loop.sock_sendall(deaf, frame)
        await eventually(lambda: session.orphaned_at is not None)
        received = b""
        with pytest.raises(ConnectionError):  # after LINGER_S nobody waits for it any more
            while True:
                part = await asyncio.wait_for(loop.sock_recv(deaf, 1 << 20), 3)
                if not part:
                    raise ConnectionResetError
                received += part
    finally:
        deaf.close()
    async with house.connect(f"session=sess_{session.id.hex}") as connection:
        assert (await receive(connection))["session"]["resumed"]["complete"]
