"""Short-lived keys, and the reasons a page could not read otherwise."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai.types.realtime import ClientSecretCreateResponse

from server.realtime.secrets import KeyWishes
from sessions.live.events import UpdateSession
from sessions.live.lobby import LobbySettings
from tenancy import quota
from tenancy.audit import By
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import House, closed, eventually, open_house, receive

SECRETS = "/v1/realtime/client_secrets"


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school) as house:
        yield house


async def test_the_official_client_makes_a_key_and_enters_with_it(house: House) -> None:
    async with house.client() as client:
        made = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={
                "type": "realtime",
                "model": "halves",
                "output_modalities": ["text"],
                "instructions": "Be rude",
            },
        )
    assert made.value.startswith("ek_")
    assert made.expires_at == pytest.approx(time.time() + 60, abs=5)
    session: Any = made.session
    assert (session.model, session.output_modalities) == ("halves", ["text"])
    assert session.locked == ["instructions"]
    async with house.connect("", token=made.value) as connection:
        assert (await receive(connection))["session"]["model"] == "halves"


async def test_everything_may_be_left_out(house: House) -> None:
    async with house.http() as http:
        for body in (b"", b"{}", b'{"session":{}}', b'{"session":{"type":"realtime"}}'):
            answer = await http.post(SECRETS, content=body)
            assert answer.status_code == 200, answer.text
            made = answer.json()
            assert made["ice_servers"] == []
            assert made["expires_at"] == pytest.approx(time.time() + 600, abs=5)
            assert ClientSecretCreateResponse.model_validate(made).session.type == "realtime"
    async with house.connect("model=halves", token=made["value"]) as connection:
        assert await receive(connection)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"no json", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b"\xff", 400, "invalid_json"),
        (b'{"session":{"model":"\\ud800"}}', 400, "invalid_json"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, 400, "invalid_json"),
        (b'{"session":7}', 400, "invalid_value"),
        (b'{"session":{"type":"transcription"}}', 400, "invalid_value"),
        (b'{"session":{"model":7}}', 400, "invalid_value"),
        (b'{"session":{"audio":{"output":{"speed":"fast"}}}}', 400, "invalid_value"),
        (b'{"expires_after":7}', 400, "invalid_value"),
        (b'{"expires_after":{"anchor":"now","seconds":60}}', 400, "invalid_value"),
        (b'{"expires_after":{"seconds":9}}', 400, "invalid_value"),
        (b'{"expires_after":{"seconds":7201}}', 400, "invalid_value"),
        (b'{"expires_after":{"seconds":60.5}}', 400, "invalid_value"),
        (b'{"session":{"model":"none"}}', 404, "model_not_found"),
        (b'{"session":{"model":"a\\u0000b"}}', 404, "model_not_found"),
        (b'{"pad":"' + b"x" * 1_100_000 + b'"}', 413, "too_large"),
    ],
)
async def test_a_bad_request_is_refused_with_a_sentence(
    house: House, body: bytes, status: int, code: str
) -> None:
    async with house.http() as http:
        answer = await http.post(SECRETS, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"].endswith(".")


async def test_it_tells_what_the_socket_could_not(database: Database, school: School) -> None:
    settings = LobbySettings(live_per_student=1)
    async with open_house(database, school, lobby_settings=settings) as house, house.http() as http:
        lesson = {"session": {"model": "halves"}}
        async with house.connect() as connection:
            name = (await receive(connection))["session"]["id"]
            full = await http.post(SECRETS, json=lesson)
            assert (full.status_code, full.json()["error"]["code"]) == (429, "too_many_sessions")
            assert int(full.headers["retry-after"]) > 0
            mine = await http.post(f"{SECRETS}?session={name}", json=lesson)
            assert mine.json()["session"]["id"] == name
            connection.transport.abort()
            await closed(connection)
        session = house.only_session()
        await eventually(lambda: session.orphaned_at is not None)
        assert (await http.post(SECRETS, json=lesson)).status_code == 200  # it would go on
        unknown = await http.post(f"{SECRETS}?session=sess_{'0' * 32}", json=lesson)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "session_not_found")


async def test_where_a_schools_limit_is_reached_every_door_says_so(
    database: Database, school: School
) -> None:
    await quota.change(database, school.tenant.id, {"minutes_day": 0}, by=By())
    chat = {"model": "halves", "messages": [{"role": "user", "content": "Hi"}]}
    async with open_house(database, school) as house, house.http() as http:
        for path, body in (
            (SECRETS, {"session": {"model": "halves"}}),
            ("/v1/chat/completions", chat),
        ):
            refused = await http.post(path, json=body)
            assert refused.status_code == 429
            error = refused.json()["error"]
            assert (error["code"], error["type"]) == ("limit_reached", "rate_limit_error")
            assert error["message"].startswith("Your school has used up its lesson time")
            assert int(refused.headers["retry-after"]) > 0


async def test_a_key_cannot_make_keys(house: House) -> None:
    async with house.http() as http:
        key = (await http.post(SECRETS, json={})).json()["value"]
    async with house.http(key) as http:
        assert (await http.post(SECRETS, json={})).status_code == 403


def test_wishes_are_forgotten_with_their_key() -> None:
    wishes_of = KeyWishes()
    wish = UpdateSession(binary=True)
    wishes_of.remember("ek_1", wish, time.time() + 60)
    wishes_of.remember("ek_2", wish, time.time() - 1)
    wishes_of.remember("ek_3", UpdateSession(ignored=("tools",)), time.time() + 60)
    assert [wishes_of.of(f"ek_{n}") for n in (1, 2, 3)] == [wish, None, None]
