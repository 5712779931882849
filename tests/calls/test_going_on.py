"""A session goes on over breaks of its call; and a call ends with the right to it."""

import asyncio
import json
import time
from uuid import UUID

import pytest

from bench.caller import own_address
from bench.door import Door
from tests.calls.calling import Call, Gone, call
from tests.calls.place import Place
from tests.journeys.spoken_lesson import OPENING, TURNS, transcript

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(own_address() == "127.0.0.1", reason="this machine is in no network"),
]

SIGNED_OUT_WITHIN_S = 5.0  # promised


async def begun(one: Call) -> str:
    """The session's id, as an address has it; the tutor has said the opening."""
    session = await one.pupil.begins("text")
    await one.pupil.connection.response.create()
    assert await one.pupil.answer() == OPENING
    return str(session)


async def check_nothing_lost_or_doubled(place: Place, door: Door, session: str) -> None:
    items = [
        (item["role"], item["said"])
        for item in await transcript(place.server, door.token, session)  # type: ignore[arg-type]
        if item["role"] != "system"
    ]
    expected = [("assistant", OPENING)]
    for turn in TURNS[:2]:
        expected += [("user", turn.words), ("assistant", turn.answer)]
    assert items == expected


async def test_a_rebound_address_goes_on_with_the_same_call(place: Place) -> None:
    door = place.door(0)
    async with call(door, place.query, relayed=True) as one:
        session = await begun(one)
        one.relay.rebind()
        one.caller._consent()
        assert await one.pupil.types(TURNS[0].words) == TURNS[0].answer
        one.relay.rebind()
        one.caller._consent()
        assert await one.pupil.types(TURNS[1].words) == TURNS[1].answer
        assert len(one.pupil.seen("session.created")) == 1
        await one.pupil.finishes()
    await check_nothing_lost_or_doubled(place, door, session)


async def test_a_line_that_is_cut_for_some_seconds_goes_on_by_itself(place: Place) -> None:
    door = place.door(1)
    async with call(door, place.query, relayed=True) as one:
        session = await begun(one)
        asking = asyncio.create_task(one.pupil.types(TURNS[0].words))
        await asyncio.sleep(0.01)
        one.relay.cut()
        await asyncio.sleep(1.5)
        one.relay.mend()
        assert await asyncio.wait_for(asking, 20) == TURNS[0].answer
        assert await one.pupil.types(TURNS[1].words) == TURNS[1].answer
        await one.pupil.finishes()
    await check_nothing_lost_or_doubled(place, door, session)


async def test_a_new_call_takes_the_session_on_when_the_old_one_has_vanished(place: Place) -> None:
    door = place.door(2)
    async with call(door, place.query, relayed=True) as one:
        session = await begun(one)
        assert await one.pupil.types(TURNS[0].words, id="item_first") == TURNS[0].answer
        one.relay.cut()
        last = one.pupil.done[-1]
        async with call(door, f"session=sess_{session}&after={last}") as two:
            created = await two.pupil.until("session.created")
            assert UUID(created["session"]["id"].removeprefix("sess_")) == UUID(session)
            assert created["session"]["resumed"]["complete"] is False
            assert await two.pupil.types(TURNS[1].words) == TURNS[1].answer
            await two.pupil.finishes()
    await check_nothing_lost_or_doubled(place, door, session)


async def test_what_is_sent_twice_over_two_calls_is_said_once(place: Place) -> None:
    door = place.door(3)
    async with call(door, place.query) as one:
        session = await begun(one)
        assert await one.pupil.types(TURNS[0].words, id="item_mine") == TURNS[0].answer
        one.caller.vanish()
        async with call(door, f"session=sess_{session}") as two:
            await two.pupil.until("session.created")
            content = [{"type": "input_text", "text": TURNS[0].words}]
            item = {"id": "item_mine", "type": "message", "role": "user", "content": content}
            await two.pupil.connection.conversation.item.create(item=item)  # type: ignore[arg-type]
            await two.pupil.until("conversation.item.done")
            assert await two.pupil.types(TURNS[1].words) == TURNS[1].answer
            await two.pupil.finishes()
    await check_nothing_lost_or_doubled(place, door, session)


async def test_signing_out_ends_the_call_within_five_seconds(offline: Place) -> None:
    server = offline.server
    origin = f"http://{server.address}"
    password = (server.data_dir / "demo-password").read_text().strip()
    who = {"school": "demo", "email": "student@demo.school", "password": password}
    status, headers, body = await asyncio.to_thread(
        server.request, "POST", "/api/v1/sign-in", who, {"Origin": origin}
    )
    assert status == 200, body
    cookie = headers["set-cookie"].split(";")[0]
    csrf = json.loads(body)["person"]["csrf"]
    signed = (("Cookie", cookie), ("Origin", origin), ("X-CSRF-Token", csrf))
    door = Door(server.address, headers=signed)
    async with call(door, offline.query) as one:
        session = await one.pupil.begins("audio")
        began_s = time.monotonic()
        status, _, said = await door.ask("POST", "/api/v1/sign-out", "{}", "application/json")
        assert status == 204, said
        with pytest.raises(Gone):
            async with asyncio.timeout(SIGNED_OUT_WITHIN_S):
                while True:
                    await one.pupil.next(SIGNED_OUT_WITHIN_S)
        assert time.monotonic() - began_s < SIGNED_OUT_WITHIN_S
        assert one.pupil.seen("notice")[-1]["code"] == "signed_out"
        packets = one.caller.reception.packets
        await asyncio.sleep(0.6)  # longer than silence is silent
        assert one.caller.reception.packets == packets
    status, _, _ = await door.ask("POST", f"/v1/realtime/calls?session=sess_{session}", "v=0")
    assert status == 401
