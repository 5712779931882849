"""Staff at the live door: they read along with a student's lesson, and can do nothing to it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import websockets

from server.realtime import websocket
from sessions.live import seats
from sessions.live.audience import MOST
from sessions.record import reads
from tenancy import accounts
from tenancy.accounts import By
from tenancy.model import Person
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import (
    House,
    closed,
    eventually,
    open_house,
    receive,
    send,
    typed,
    until,
)


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school) as house:
        yield house


async def token(house: House, person: Person) -> str:
    slug = (await house.services.database.tenant(person.tenant_id)).slug
    return await house.token_of(person, slug)


async def begun(connection: Any) -> str:
    """The session of a student who has said something."""
    name = (await receive(connection))["session"]["id"]
    await send(connection, "conversation.item.create", item=typed("one half", id="mine"))
    await until(connection, "conversation.item.done")
    return str(name)


async def refusal(house: House, query: str, bearer: str) -> httpx.Response:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with house.connect(query, token=bearer):
            pass
    answer = refused.value.response
    headers = [(k, v) for k, v in answer.headers.raw_items() if k.lower() != "transfer-encoding"]
    return httpx.Response(answer.status_code, headers=headers, content=bytes(answer.body or b""))


async def test_a_tutor_reads_along_and_the_student_knows(
    house: House, database: Database, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "REPLAY_WITHIN_S", 60.0)  # a client that takes its time has its turn
    async with house.connect() as student:
        name = await begun(student)
        bearer = await token(house, school.tutor)
        async with house.connect(f"session={name}", token=bearer) as tutor:
            created = (await receive(tutor))["session"]
            assert (created["id"], created["read_only"]) == (name, True)
            await send(tutor, "session.update", session={"type": "realtime"})
            assert (await receive(tutor))["type"] == "session.updated"
            assert (await receive(tutor))["item"]["id"] == "mine"

            note = (await until(student, "conversation.item.done"))["item"]
            assert note["role"] == "system"
            text = f"{school.tutor.name} is reading along."
            assert note["content"] == [{"type": "input_text", "text": text}]
            people = (await until(tutor, "presence"))["people"]
            assert people == [{"name": school.tutor.name, "role": "tutor"}]

            await send(student, "conversation.item.create", item=typed("two quarters", id="b"))
            while (await until(tutor, "conversation.item.done"))["item"]["id"] != "b":
                pass
            await send(tutor, "response.create", event_id="e1")
            error = (await until(tutor, "error"))["error"]
            assert (error["code"], error["event_id"]) == ("read_only", "e1")
        session = house.only_session()
        await eventually(lambda: session.readers == 0)
        assert session.orphaned_at is None and not session.conversation.ended
    (read,) = await reads.of(database, school.tenant.id, session.id)
    assert (read.name, read.role) == (school.tutor.name, "tutor")


async def test_sound_in_any_form_is_refused_by_its_id(house: House, school: School) -> None:
    async with house.connect() as student:
        name = await begun(student)
        bearer = await token(house, school.admin)
        async with house.connect(f"session={name}", token=bearer) as admin:
            await send(admin, "input_audio_buffer.append", audio="AAAA", event_id="e2")
            await admin.send(b"\0" * 960)
            ids = [(await until(admin, "error"))["error"]["event_id"] for _ in range(2)]
        assert ids == ["e2", None]


async def test_to_whom_it_is_not_given_there_is_no_such_session(
    house: House, school: School, other_school: School
) -> None:
    nobody = UUID(int=7)
    async with house.connect() as student:
        name = (await begun(student)).removeprefix("sess_")
        for person in (school.parent, *other_school.people):
            bearer = await token(house, person)
            answers = [await refusal(house, f"session={one}", bearer) for one in (name, nobody)]
            assert [answer.status_code for answer in answers] == [404, 404], person.name
            assert answers[0].text.replace(str(UUID(name)), str(nobody)) == answers[1].text
            async with house.http(bearer) as http:
                keys = [
                    await http.post(f"/v1/realtime/client_secrets?session={one}", json={})
                    for one in (name, nobody)
                ]
            assert [key.status_code for key in keys] == [404, 404]
            assert keys[0].text.replace(str(UUID(name)), str(nobody)) == keys[1].text
        assert house.only_session().readers == 0


async def test_a_lesson_that_is_over_or_waits_is_not_followed(house: House, school: School) -> None:
    bearer = await token(house, school.tutor)
    async with house.connect() as student:
        name = await begun(student)
    await eventually(lambda: not house.lobby._live)
    over = await refusal(house, f"session={name}", bearer)
    assert (over.status_code, over.json()["error"]["code"]) == (409, "session_over")

    async with house.connect() as student:
        name = await begun(student)
        session = house.only_session()
        await session.close(1001, "as after a restart")
    waits = await refusal(house, f"session={name}", bearer)
    assert (waits.status_code, waits.json()["error"]["code"]) == (409, "session_waits")
    async with house.http(bearer) as http:
        key = await http.post(f"/v1/realtime/client_secrets?session={name}", json={})
    assert (key.status_code, key.json()["error"]["code"]) == (409, "session_waits")
    assert not house.lobby._live


async def test_a_key_made_for_it_opens_it(house: House, school: School) -> None:
    async with house.connect() as student:
        name = await begun(student)
        async with house.http(await token(house, school.tutor)) as http:
            made = await http.post(f"/v1/realtime/client_secrets?session={name}", json={})
        assert made.json()["session"]["id"] == name
        async with house.connect(f"session={name}", token=made.json()["value"]) as tutor:
            assert (await receive(tutor))["session"]["read_only"] is True


@pytest.mark.parametrize("how", ["sign_out", "deactivate", "assignment"])
async def test_who_may_follow_no_longer_is_out_and_the_lesson_goes_on(
    house: House, school: School, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "assignment":
        monkeypatch.setattr(websocket, "RECHECK_S", 0.05)
    identities, bearer = house.services.identities, await token(house, school.tutor)
    async with house.connect() as student:
        name = await begun(student)
        async with house.connect(f"session={name}", token=bearer) as tutor:
            await receive(tutor)
            if how == "sign_out":
                await identities.sign_out(await identities.verify(bearer))
            elif how == "deactivate":
                tenant_id, tutor_id = school.tenant.id, school.tutor.id
                await accounts.deactivate(
                    house.services.database, identities, tenant_id, tutor_id, by=By()
                )
            else:
                async with house.services.database.transaction(school.tenant.id) as connection:
                    await connection.execute(
                        "UPDATE assignments SET status = 'paused' WHERE tenant_id = $1",
                        school.tenant.id,
                    )
            code, events = await closed(tutor)
        assert code == 4002
        assert events[-1]["code"] == "signed_out" and "goes on without you" in events[-1]["text"]
        await send(student, "conversation.item.create", item=typed("I am here", id="still"))
        while (await until(student, "conversation.item.done"))["item"]["id"] != "still":
            pass


async def test_one_reader_too_many_is_429(house: House, school: School) -> None:
    bearer = await token(house, school.instructor)
    async with house.connect() as student:
        name = await begun(student)
        readers = [await house.connect(f"session={name}", token=bearer) for _ in range(MOST)]
        full = await refusal(house, f"session={name}", bearer)
        assert (full.status_code, int(full.headers["retry-after"]) > 0) == (429, True)
        await asyncio.gather(*(reader.close() for reader in readers))


async def test_when_the_student_finishes_readers_are_told_and_let_go(
    house: House, school: School
) -> None:
    async with house.connect() as student:
        name = await begun(student)
        tutor = await house.connect(f"session={name}", token=await token(house, school.tutor))
        await receive(tutor)
        session = house.only_session()
        await send(student, "session.end")
        await until(tutor, "session.ended")
        session._summary.set()
        code, _ = await closed(tutor)
        assert code == 1000
