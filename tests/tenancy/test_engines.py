"""What a school decides of its engines is its own; its keys are never seen again."""

import orjson
import pytest

from tenancy import audit, engines
from tenancy.audit import By
from tenancy.crypto import SealBroken
from tenancy.engines import Decided, EngineSettings

SERVER = EngineSettings(order=("openai-realtime", "offline"), aws_region="eu-north-1")
OPENAI = {"api_key": "sk-proj-0123456789abcdef"}


async def test_what_is_not_decided_is_as_the_server_has_it(database, school):
    decided = await engines.of(database, school.tenant.id)
    assert decided == Decided()
    assert decided.settings(SERVER) == SERVER


async def test_a_school_decides_for_itself_and_may_take_it_back(database, school, other_school):
    by = By(school.admin.id)
    wanted = {"order": ["nova-sonic", "cascade"], "nova_voice": "lupe", "aws_region": "us-west-2"}
    decided = await engines.change(database, school.tenant.id, wanted, by=by)
    assert decided == await engines.of(database, school.tenant.id)
    holds = decided.settings(SERVER)
    assert holds.order == ("nova-sonic", "cascade", "offline")
    assert (holds.nova_voice, holds.aws_region) == ("lupe", "us-west-2")
    assert holds.openai_voice == SERVER.openai_voice
    assert await engines.of(database, other_school.tenant.id) == Decided()
    back = await engines.change(
        database, school.tenant.id, {"order": None, "nova_voice": "lupe"}, by=by
    )
    assert back.settings(SERVER).order == SERVER.order
    entries, _ = await audit.list_(database, school.tenant.id, audit.Filters(), limit=50)
    noted = [(one.thing_id, one.detail) for one in entries if one.verb == "change"]
    order = ["nova-sonic", "cascade", "offline"]
    assert noted == [
        ("engine_order", {"was": order, "now": None}),
        ("engine_order", {"was": None, "now": order}),
        ("engine_nova_voice", {"was": None, "now": "lupe"}),
        ("engine_aws_region", {"was": None, "now": "us-west-2"}),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order", ["gpt"]),
        ("order", "offline"),
        ("order", ["cascade", "cascade"]),
        ("openai_base_url", "ftp://x"),
        ("openai_base_url", ""),
        ("openai_base_url", "https://user:password@x.example/v1"),
        ("openai_base_url", "https://x.example/v1?key=1"),
        ("openai_base_url", "https://x.example:99999"),
        ("openai_base_url", "https://[::1].x.example/v1"),
        ("openai_base_url", "http://[::ffff:10.0.0.5].x.example:80/v1"),
        ("openai_base_url", "http://10.0.0.5\\.x.example/v1"),
        ("openai_base_url", "http://%5b::1%5d.x.example/v1"),
        ("bedrock_endpoint", "bedrock"),
        ("aws_region", "the moon"),
        ("openai_voice", "a b"),
        ("openai_realtime_model", "a model"),
        ("openai_realtime_model", 5),
        ("cascade_mind", "horse"),
    ],
)
async def test_what_cannot_be_is_refused(database, school, name, value):
    with pytest.raises(ValueError, match="it "):
        await engines.change(database, school.tenant.id, {name: value}, by=By())
    assert await engines.of(database, school.tenant.id) == Decided()


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.5:8000/v1",
        "http://[fd00::5]:8000/v1",
        "http://my_llm/v1",
        "https://X.example",
    ],
)
def test_any_host_and_port_is_an_address(address):
    assert engines.fit("openai_base_url", address) == address


async def test_a_key_is_sealed_for_its_school_and_provider(
    database, school, other_school, admin_connection
):
    tenant_id, by = school.tenant.id, By(school.admin.id)
    decided = await engines.put_key(database, tenant_id, "openai", OPENAI, by=by)
    (key,) = decided.keys
    assert (key.provider, key.ends_with, key.set_by) == ("openai", "cdef", school.admin.name)
    assert engines.secret(database, tenant_id, key) == OPENAI
    assert OPENAI["api_key"] not in repr(decided)
    async with database.transaction(other_school.tenant.id) as connection:
        assert await connection.fetch("SELECT * FROM engine_keys") == []
        with pytest.raises(SealBroken):
            database.unseal(other_school.tenant.id, "engine_keys", "openai", key.sealed)
    with pytest.raises(SealBroken):
        database.unseal(tenant_id, "engine_keys", "aws", key.sealed)
    async with database.transaction(tenant_id) as connection:
        for table in ("engine_keys", "settings", "audit"):
            rows = await connection.fetch(f"SELECT to_jsonb(t) AS row FROM {table} t")
            assert OPENAI["api_key"].encode() not in orjson.dumps([row["row"] for row in rows])


async def test_a_new_key_replaces_the_old_one_and_it_can_be_taken_back(database, school):
    tenant_id, by = school.tenant.id, By(school.admin.id)
    first = await engines.put_key(database, tenant_id, "openai", OPENAI, by=by)
    second = await engines.put_key(database, tenant_id, "openai", {"api_key": "short"}, by=by)
    assert first != second
    assert [key.ends_with for key in second.keys] == [""]
    assert await engines.delete_key(database, tenant_id, "openai", by=by) == Decided()
    assert await engines.delete_key(database, tenant_id, "openai", by=by) is None
    entries, _ = await audit.list_(database, tenant_id, audit.Filters(), limit=50)
    noted = [(one.verb, one.thing, one.thing_id, one.detail) for one in entries]
    assert noted[:3] == [
        ("delete", "engine_key", "openai", None),
        ("save", "engine_key", "openai", None),
        ("save", "engine_key", "openai", None),
    ]


@pytest.mark.parametrize(
    ("provider", "secret"),
    [
        ("openai", {}),
        ("openai", {"api_key": ""}),
        ("openai", {"api_key": "has space"}),
        ("openai", {"api_key": "x" * 5_000}),
        ("openai", {"api_key": "x", "more": "y"}),
        ("aws", {"access_key": "A"}),
        ("aws", {"access_key": "A", "secret_key": "B\n"}),
    ],
)
async def test_what_is_no_key_is_refused_without_repeating_it(database, school, provider, secret):
    with pytest.raises(ValueError, match=r"key|signs") as refused:
        await engines.put_key(database, school.tenant.id, provider, secret, by=By())
    assert "has space" not in str(refused.value)
