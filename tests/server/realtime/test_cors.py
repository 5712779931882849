"""Pages of other origins."""

from collections.abc import AsyncIterator

import pytest

from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import House, open_house

PAGE = "https://app.example.org"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,x-stainless-lang,x-evil",
}


@pytest.fixture
async def house(database: Database, school: School) -> AsyncIterator[House]:
    async with open_house(database, school, origins=(PAGE,)) as house:
        yield house


async def test_a_configured_origin_may_ask_and_read(house: House) -> None:
    async with house.http() as http:
        asked = await http.options("/v1/chat/completions", headers=PREFLIGHT)
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == PAGE
        assert asked.headers["access-control-allow-headers"] == "authorization, x-stainless-lang"
        answer = await http.get("/v1/models", headers={"Origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        refused = await http.get("/v1/models/none", headers={"Origin": PAGE})
        assert refused.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", ["https://evil.example", f"{PAGE}.evil.example", "null"])
async def test_others_may_not(house: House, origin: str) -> None:
    async with house.http() as http:
        asked = await http.options("/v1/models", headers={**PREFLIGHT, "Origin": origin})
        assert asked.status_code != 204
        answer = await http.get("/v1/models", headers={"Origin": origin})
        for response in (asked, answer):
            assert not [name for name in response.headers if name.startswith("access-control")]


async def test_it_is_off_unless_configured(database: Database, school: School) -> None:
    async with open_house(database, school) as house, house.http() as http:
        answer = await http.get("/v1/models", headers={"Origin": PAGE})
        assert "access-control-allow-origin" not in answer.headers
