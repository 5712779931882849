"""Lessons as models."""

from collections.abc import AsyncIterator

import openai
import pytest

from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import House, add_lesson, open_house


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school) as house:
        yield house


async def test_the_official_client_lists_the_lessons_of_its_school_only(
    house: House, database: Database, other_school: School
) -> None:
    await add_lesson(database, house.school, "thirds")
    theirs = await add_lesson(database, other_school, "theirs")
    async with house.client() as client:
        models = [model async for model in client.models.list()]
        assert {model.id for model in models} == {"halves", "thirds"}
        assert all(model.owned_by == house.school.tenant.slug for model in models)
        assert all(1_700_000_000 < model.created < 4_000_000_000 for model in models)
        assert (await client.models.retrieve("thirds")).model_dump()["title"] == "Halves"
        for name in ("theirs", str(theirs), "none", "%00", "a b", "x" * 300):
            with pytest.raises(openai.NotFoundError) as refused:
                await client.models.retrieve(name)
            assert refused.value.code == "model_not_found"


async def test_a_key_for_one_lesson_sees_that_lesson(house: House, database: Database) -> None:
    await add_lesson(database, house.school, "thirds")
    caller = await house.services.identities.verify(house.token)
    key, _ = await house.services.identities.issue_ephemeral(caller, lesson="halves", seconds=60)
    async with house.client(key) as client:
        assert [model.id async for model in client.models.list()] == ["halves"]
        assert (await client.models.retrieve("halves")).id == "halves"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("thirds")


async def test_a_parent_takes_no_lessons(house: House) -> None:
    token = await house.token_of(house.school.parent, house.school.tenant.slug)
    async with house.client(token) as client:
        assert [model async for model in client.models.list()] == []


async def test_without_a_token_there_is_nothing(house: House) -> None:
    async with house.http("sk_nobody") as http:
        answer = await http.get("/v1/models")
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
