"""Lessons over WebRTC: the whole door, with a client that is not ours, over real sockets."""

import asyncio
import json
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets
from openai import AsyncOpenAI

from ai.events import SpeechConfirmed, SpeechDropped, SpeechStarted, SpeechStopped, Transcribed
from server.config import CallConfig
from server.errors import Refused
from server.rtc.opus import Decoder
from server.rtc.turn import IceServers
from tenancy.ids import new_id
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.callers import SDP, Caller, open_calls
from tests.server.realtime.house import House, closed, eventually, open_house, receive, send, until

JSON = {"Content-Type": "application/json"}
SERVERS = IceServers(("stun:stun.example.org:3478",), ("turn:turn.example.org:3478",), "shared")


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_calls() as calls:
        config = CallConfig(servers=SERVERS)
        async with open_house(database, school, calls=calls, call_config=config) as house:
            yield house


@pytest.fixture
async def caller(house: House) -> AsyncIterator[Caller]:
    caller = Caller(house)
    yield caller
    await caller.close()


async def test_a_lesson_is_opened_and_heard_over_a_call(house: House, caller: Caller) -> None:
    answer = await caller.call()
    assert answer.status_code == 201
    assert answer.headers["content-type"].startswith("application/sdp")
    created = await caller.until("session.created")
    assert answer.headers["x-session-id"] == created["session"]["id"]
    await caller.send("response.create")
    started = await caller.until("output_audio_buffer.started")
    assert started["audio_ms"] == 0 and started["item_id"].startswith("item_")
    await caller.until("output_audio_buffer.stopped", response_id=started["response_id"])
    (done,) = [event for event in caller.events if event["type"] == "response.done"]
    assert done["response"]["status"] == "completed"
    assert caller.client.frames > 5
    kinds = {event["type"] for event in caller.events}
    assert "response.output_audio_transcript.delta" in kinds
    assert "response.output_audio.delta" not in kinds
    await eventually(lambda: house.only_session().items[0].heard == "Hello.")


async def test_the_answer_names_location_etag_and_ice_servers(caller: Caller) -> None:
    headers = (await caller.call()).headers
    assert headers["location"].startswith("/v1/realtime/calls/")
    assert headers["accept-patch"] == "application/trickle-ice-sdpfrag" and headers["etag"]
    stun, turn = headers.get_list("link")
    assert stun == '<stun:stun.example.org:3478>; rel="ice-server"'
    assert turn.startswith("<turn:turn.example.org:3478>") and "credential=" in turn


async def test_the_format_of_sound_is_the_calls(caller: Caller) -> None:
    await caller.call()
    sound = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"binary": True}}
    await caller.send("session.update", session={"type": "realtime", "audio": sound})
    updated = await caller.until("session.updated")
    assert updated["session"]["audio"]["input"]["format"]["type"] == "audio/pcm"
    assert updated["session"]["audio"]["output"]["binary"] is False
    assert set(updated["session"]["locked"]) == {"audio.input.format", "audio.output.binary"}


async def test_what_was_said_before_the_call_may_be_sent_on_the_channel(
    house: House, caller: Caller
) -> None:
    await caller.call()
    await caller.until("session.created")
    loud = b"\x10\x27\xf0\xd8" * 600
    await caller.send("input_audio_buffer.append", audio=b64encode(loud).decode())
    await eventually(lambda: loud in house.engine.legs[-1].heard)


async def test_without_a_channel_the_tutor_opens_by_itself(house: House) -> None:
    caller = Caller(house, events=False)
    try:
        assert (await caller.call()).status_code == 201
        await eventually(lambda: [item.said for item in house.only_session().items] == ["Hello."])
        await eventually(lambda: caller.client.frames > 5)
        async with house.http() as http:
            assert (await http.delete(caller.path)).status_code == 200
        await eventually(lambda: len(house.lobby) == 0)  # they can't say otherwise that it is over
    finally:
        await caller.close()


async def test_a_session_goes_on_by_a_second_call_and_by_a_socket(house: House) -> None:
    first, second = Caller(house), Caller(house)
    try:
        await first.call()
        session = (await first.until("session.created"))["session"]["id"]
        await first.send("response.create")
        await first.until("conversation.item.done")
        await second.call(f"session={session}")
        created = await second.until("session.created")
        assert created["session"]["id"] == session
        assert created["session"]["resumed"] == {"after": None, "complete": True}
        await second.until("conversation.item.done")
        assert (await first.until("notice"))["code"] == "taken_over"
        await first.gone()
        async with house.connect(f"session={session}") as socket:
            assert (await receive(socket))["session"]["resumed"]["complete"]
            assert (await second.until("notice"))["code"] == "taken_over"
            await second.gone()
    finally:
        await first.close()
        await second.close()


async def test_a_call_that_connects_late_takes_nothing_over(house: House, caller: Caller) -> None:
    offer = await caller.client.offer()
    async with house.http() as http:
        answer = await http.post("/v1/realtime/calls?model=halves", content=offer, headers=SDP)
    async with house.connect(f"session={answer.headers['x-session-id']}") as socket:
        await receive(socket)
        await caller.client.accept(answer.text)
        assert (await caller.until("notice"))["code"] == "taken_over"
        await send(socket, "response.create")
        await until(socket, "response.done")


async def test_a_broken_call_leaves_the_session_waiting(house: House, caller: Caller) -> None:
    await caller.call()
    await caller.until("session.created")
    session = house.only_session()
    await caller.close()
    await eventually(lambda: session.orphaned_at is not None)
    assert len(house.services.calls or ()) == 0


async def test_hanging_up_ends_the_call_and_not_the_session(house: House, caller: Caller) -> None:
    await caller.call()
    await caller.until("session.created")
    async with house.http() as http:
        assert (await http.post(f"{caller.path}/hangup")).status_code == 200
        assert (await http.post(f"{caller.path}/hangup")).status_code == 404
    await caller.gone()
    assert house.only_session().orphaned_at is not None


async def test_the_end_is_told_before_the_call_is_closed(house: House, caller: Caller) -> None:
    await caller.call()
    await caller.until("session.created")
    house.only_session()._summary.set()
    await caller.send("session.end")
    assert (await caller.until("session.ended"))["reason"] == "finished"
    await caller.gone()


async def test_signing_out_ends_a_call(house: House, caller: Caller) -> None:
    await caller.call()
    await caller.until("session.created")
    (call,) = house.services.calls or ()
    await house.services.identities.sign_out(call.caller)
    assert (await caller.until("notice"))["code"] == "signed_out"
    await caller.gone()
    assert len(house.services.calls or ()) == 0


async def test_a_second_connection_beside_a_call_commands_without_sound(
    house: House, caller: Caller
) -> None:
    await caller.call()
    await caller.until("session.created")
    call_id = caller.path.rpartition("/")[2]
    async with house.connect(f"call_id={call_id}") as beside:
        await receive(beside)
        await send(beside, "response.create")
        started = await caller.until("output_audio_buffer.started")
        told = await until(beside, "output_audio_buffer.started")
        assert _without_event_id(told) == _without_event_id(started)
        stopped = await caller.until("output_audio_buffer.stopped")
        told = await until(beside, "output_audio_buffer.stopped")
        assert _without_event_id(told) == _without_event_id(stopped)
        await send(beside, "input_audio_buffer.append", audio="AAAA")
        assert (await until(beside, "error"))["error"]["code"] == "sound_is_the_calls"
    async with house.connect(f"call_id={call_id}") as beside:
        await send(beside, "session.update", session={"type": "realtime"})
        await until(beside, "session.updated")
        await caller.send("response.create")  # the first one's leaving has ended nothing
        await until(beside, "response.done")
        async with house.http() as http:
            await http.delete(caller.path)
        code, events = await closed(beside)
        assert code == 1000
        assert not [one for one in events if one["type"] == "response.output_audio.delta"]


def _without_event_id(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event_id"}


async def test_a_call_has_two_further_connections_and_no_third(
    house: House, caller: Caller
) -> None:
    await caller.call()
    await caller.until("session.created")
    beside = f"call_id={caller.path.rpartition('/')[2]}"
    async with house.connect(beside) as one, house.connect(beside) as two:
        await receive(one)
        await receive(two)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with house.connect(beside):
                pass
        assert refused.value.response.status_code == 429


async def test_an_offer_without_its_body_holds_nobody_up(house: House, caller: Caller) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"v=0"
        await asyncio.sleep(60)

    async with house.http() as http:
        slow = [
            asyncio.create_task(
                http.post("/v1/realtime/calls?model=halves", content=never(), headers=SDP)
            )
            for _ in range(2)
        ]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            assert (await caller.call()).status_code == 201
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_the_official_python_client_calls(house: House, caller: Caller) -> None:
    client: AsyncOpenAI = house.client()
    call = await client.realtime.calls.create(
        sdp=await caller.client.offer(),
        session={"type": "realtime", "model": "halves", "output_modalities": ["text"]},
    )
    await caller.client.accept(call.text)
    assert (await caller.until("session.created"))["session"]["model"] == "halves"
    updated = await caller.until("session.updated")
    assert updated["session"]["output_modalities"] == ["text"]
    await client.realtime.calls.hangup(call.response.headers["location"].rpartition("/")[2])
    await caller.gone()
    await client.close()


# ---- refusals --------------------------------------------------------------------------------


async def refusal(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["message"].endswith((".", "…")), error
    return answer.status_code, error["code"]


@pytest.mark.parametrize(
    ("headers", "body", "query", "expected"),
    [
        ({}, "v=0", "model=halves", (415, "unsupported_media_type")),
        (
            {"Content-Type": "application/json"},
            '{"sdp":"v=0"}',
            "",
            (415, "unsupported_media_type"),
        ),
        (SDP, "x" * 70_000, "model=halves", (413, "too_large")),
        (SDP, b"\xff\xfe", "model=halves", (400, "invalid_sdp")),
        ({"Content-Type": "multipart/form-data"}, "x", "", (400, "invalid_form")),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "--b\r\n", "", (400, "invalid_form")),
    ],
)
async def test_what_is_no_offer_is_refused(
    house: House, headers: dict[str, str], body: Any, query: str, expected: tuple[int, str]
) -> None:
    async with house.http() as http:
        answer = await http.post(f"/v1/realtime/calls?{query}", content=body, headers=headers)
    assert await refusal(answer) == expected


async def test_refusals_of_an_offer_and_of_a_lesson(house: House, caller: Caller) -> None:
    async with house.http() as http:
        answer = await http.post("/v1/realtime/calls?model=halves", content="v=0", headers=SDP)
        assert answer.status_code == 400 and answer.json()["error"]["param"] == "sdp"
    offer = await caller.client.offer()
    async with house.http() as http:
        for query, expected in (
            ("", (400, "model_missing")),
            ("model=nothing", (404, "model_not_found")),
        ):
            answer = await http.post(f"/v1/realtime/calls?{query}", content=offer, headers=SDP)
            assert await refusal(answer) == expected
        answer = await http.post("/v1/realtime/calls?model=halves", content=offer, headers=SDP)
        assert await refusal(answer) == (429, "too_many_offers")
        assert answer.headers["retry-after"] == "1"


async def test_two_calls_a_person_and_one_that_leads_nowhere_makes_room(house: House) -> None:
    calls = house.services.calls
    assert calls is not None
    callers = [Caller(house) for _ in range(3)]
    try:
        offers = [await one.client.offer() for one in callers]
        async with house.http() as http:
            for offer in offers:
                made = await http.post(
                    "/v1/realtime/calls?model=halves", content=offer, headers=SDP
                )
                assert made.status_code == 201
        assert len(calls) == 2 and calls.tally.ended == {"replaced": 1}
        for call in calls:
            call.connected = True
        with pytest.raises(Refused) as refused:
            calls.make_room(call.caller, new_id())
        assert (refused.value.status, refused.value.code) == (429, "too_many_calls")
        sessions = len(house.services.lobby)
        calls._paces.clear()
        async with house.http() as http:
            third = await http.post(
                "/v1/realtime/calls?model=halves", content=offers[0], headers=SDP
            )
        assert await refusal(third) == (429, "too_many_calls")
        assert len(house.services.lobby) == sessions, "nothing was begun for it"
    finally:
        for one in callers:
            await one.close()


async def test_a_call_of_somebody_else_is_not_there(
    house: House, caller: Caller, school: School, other_school: School
) -> None:
    await caller.call()
    answers = []
    for person, home in ((school.instructor, school), (other_school.student, other_school)):
        stranger = await house.token_of(person, home.tenant.slug)
        async with house.http(stranger) as http:
            for path in (caller.path, "/v1/realtime/calls/never"):
                answers.append(await http.delete(path))
                answers.append(await http.post(f"{path}/hangup"))
                answers.append(await http.patch(path))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_candidates_that_come_later_are_read(house: House, caller: Caller) -> None:
    answer = await caller.call()
    kind = {"Content-Type": "application/trickle-ice-sdpfrag"}
    fragment = "a=candidate:1 1 udp 2113667327 192.0.2.1 54400 typ host\r\na=end-of-candidates\r\n"
    async with house.http() as http:
        for headers, body, status in (
            (kind, fragment, 204),
            (kind | {"If-Match": answer.headers["etag"]}, fragment, 204),
            (kind | {"If-Match": '"another"'}, fragment, 412),
            ({}, fragment, 415),
            (kind | {"If-Match": "*"}, "a=ice-ufrag:other\r\n", 422),
        ):
            patched = await http.patch(caller.path, content=body, headers=headers)
            assert patched.status_code == status, patched.text


async def test_switched_off_it_says_so(database: Database, school: School) -> None:
    async with open_house(database, school) as house, house.http() as http:
        answer = await http.post("/v1/realtime/calls?model=halves", content="v=0", headers=SDP)
        assert await refusal(answer) == (501, "calls_off")


async def test_a_key_names_the_servers(house: House) -> None:
    async with house.http() as http:
        answer = await http.post("/v1/realtime/client_secrets", json={})
    stun, turn = json.loads(answer.text)["ice_servers"]
    assert stun == {"urls": ["stun:stun.example.org:3478"]} and turn["credential"]


async def test_a_server_that_stops_says_so(house: House, caller: Caller) -> None:
    await caller.call()
    await caller.until("session.created")
    await asyncio.gather(house.lobby.close(2.0), caller.until("notice", code="going_away"))
    await caller.gone()


# ---- interruptions ---------------------------------------------------------------------------


async def test_an_interruption_silences_the_call_at_once(house: House, caller: Caller) -> None:
    house.engine.sound_ms, house.engine.pieces = 500, 8
    await caller.call()
    await caller.send("response.create")
    await caller.until("output_audio_buffer.started")
    (call,) = house.services.calls or ()
    loop, ears = asyncio.get_running_loop(), Decoder()
    sounding: list[float] = []
    send_packet = call.voice._send  # type: ignore[attr-defined]

    def note(payload: bytes, timestamp: int, *, marker: bool) -> int:
        if max(array("h", ears.decode(payload))) > 1_000:
            sounding.append(loop.time())
        return int(send_packet(payload, timestamp, marker=marker))

    call.voice._send = note  # type: ignore[attr-defined]
    await eventually(lambda: len(sounding) > 20)
    session, leg = house.only_session(), house.engine.legs[-1]
    leg.report(SpeechStarted("turn_1", session.conversation.turns.media_ms))
    leg.report(SpeechConfirmed("turn_1"))
    decided = loop.time()
    cut = await caller.until("conversation.item.truncated")
    assert "output_audio_buffer.cleared" in {event["type"] for event in caller.events}
    await asyncio.sleep(0.3)
    late = [at - decided for at in sounding if at > decided]
    assert len(late) <= 2 and max(late, default=0.0) < 0.2  # a fade, and what Opus holds of it
    (said, *_) = [item for item in session.items if item.role == "assistant"]
    assert said.interrupted and said.heard == cut["heard"]
    assert 200 <= cut["audio_end_ms"] < 4_000
    leg.report(SpeechStopped("turn_1", session.conversation.turns.media_ms))
    leg.report(Transcribed("turn_1", "Wait."))
    await caller.until("output_audio_buffer.started")  # the tutor answers


async def test_a_cough_only_pauses_it(house: House, caller: Caller) -> None:
    house.engine.sound_ms, house.engine.pieces = 500, 2
    await caller.call()
    await caller.send("response.create")
    first = await caller.until("output_audio_buffer.started")
    session, leg = house.only_session(), house.engine.legs[-1]
    leg.report(SpeechStarted("turn_1", session.conversation.turns.media_ms))
    await caller.until("output_audio_buffer.paused")
    await asyncio.sleep(0.1)  # resumed within the same frame, there would be no pause at all
    leg.report(SpeechDropped("turn_1"))
    again = await caller.until("output_audio_buffer.started")
    assert again["item_id"] == first["item_id"]
    assert again["rtp_timestamp"] != first["rtp_timestamp"]
    await caller.until("output_audio_buffer.stopped")
    await eventually(lambda: session.items[0].heard == session.items[0].said)
