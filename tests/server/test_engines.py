"""Which engines a school has, in which order a session tries them, and with whose key."""

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ai.chain import Chain
from server import engine_maker
from server import engines as composition
from server.config import EngineConfig, Secret
from server.engine_maker import Parts
from server.engines import Engines, in_order
from tenancy import engines, quota, usage
from tenancy.audit import By
from tenancy.engines import EngineSettings

OFFLINE: Any = SimpleNamespace(name="offline", key="local", languages=frozenset({"en"}))
EARS: Any = SimpleNamespace(languages=frozenset({"en"}))
NOTHING: Any = SimpleNamespace()
LOCAL = Parts(OFFLINE, EARS, NOTHING, NOTHING)
AT_BEDROCK = ("NovaSonic", "ConverseModel")
SERVERS_KEY, SCHOOLS_KEY = "sk-the-servers-own-key", "sk-the-schools-own-key"


@dataclass
class Vendors:
    """Stands for every vendor's module: notes what is made, with what, and what is closed."""

    made: list[Any] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    "Classes that can't be made of what they are given."
    imported: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        return [one.kind for one in self.made]

    async def module(self, name: str) -> Any:
        self.imported.append(name)
        if name in self.missing:
            raise engine_maker.NotBuilt(f"{name} can't be loaded: it is not installed.")
        return _Module(self, name)


class _Module:
    def __init__(self, vendors: Vendors, name: str) -> None:
        self._vendors, self._name = vendors, name

    def __getattr__(self, kind: str) -> Any:
        if kind.endswith("Settings") or kind == "AwsCredentials":
            return lambda *given, **named: SimpleNamespace(
                given=given, key=f"mark of {named.get('api_key', '')[:6]}", **named
            )
        if kind in ("ambient", "fixed"):
            return lambda *given: (kind, *given)
        return lambda *given, **named: self._make(kind, given, named)

    def _make(self, kind: str, given: Any, named: Any) -> Any:
        if kind in self._vendors.refused:
            raise ValueError("a word of the settings")
        names = {"NovaSonic": "nova-sonic", "OpenAIRealtime": "openai-realtime"}
        made = SimpleNamespace(
            kind=kind, given=given, name=names.get(kind, kind), languages=None, closed=0, **named
        )

        async def close() -> None:
            made.closed += 1

        made.close = close
        self._vendors.made.append(made)
        return made


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Vendors:
    vendors = Vendors()
    monkeypatch.setattr(engine_maker, "_vendor", vendors.module)
    return vendors


@pytest.fixture
async def build(database):
    """Makes the composition for a configuration; closes it in the end."""
    made: list[Engines] = []

    def build(order=("offline",), *, key=None, clock=None, **more):
        settings = EngineSettings(order=order, **more.pop("settings", {}))
        config = EngineConfig(settings=settings, openai_key=key and Secret(key), **more)
        made.append(Engines(config, database, LOCAL, clock=clock or (lambda: 0.0)))
        return made[-1]

    yield build
    for one in made:
        await one.close()


def names(chain: Chain) -> list[str]:
    return [engine.name for engine in chain.engines]


# ---- order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "wishes", "mode", "expected"),
    [
        (["nova-sonic", "cascade", "offline"], [], "voice", ["nova-sonic", "cascade"]),
        (["nova-sonic", "cascade", "offline"], [], "text", ["cascade", "nova-sonic"]),
        (["nova-sonic", "cascade"], ["cascade"], "voice", ["cascade", "nova-sonic"]),
        (["nova-sonic", "cascade"], ["nova-sonic"], "text", ["nova-sonic", "cascade"]),
        (["cascade"], ["openai-realtime", "cascade"], "voice", ["cascade"]),
        (["offline"], ["nova-sonic"], "voice", []),
        (["offline", "cascade"], ["offline", "cascade", "cascade"], "voice", ["cascade"]),
    ],
)
def test_the_lessons_wishes_come_before_the_schools_order(order, wishes, mode, expected):
    assert list(in_order(order, wishes, mode)) == expected


async def test_the_offline_tutor_is_always_there_and_costs_no_import(build, school, vendors):
    before = set(sys.modules)
    chain = await build().choose(school.tenant.id, ["nova-sonic"], "en", "voice")
    assert names(chain) == ["offline"]
    assert vendors.imported == []
    assert not {"openai", "botocore", "h2"} & (set(sys.modules) - before)


async def test_a_school_that_decided_nothing_has_the_servers_engines(
    build, school, other_school, vendors
):
    home = build(("openai-realtime", "cascade", "offline"), key=SERVERS_KEY)
    chains = [await home.choose(one.tenant.id, [], "en", "voice") for one in (school, other_school)]
    assert names(chains[0]) == ["openai-realtime", "cascade", "offline"]
    assert chains[0].engines == chains[1].engines
    assert chains[0].breakers is chains[1].breakers
    assert vendors.names() == ["ChatModel", "OpenAIRealtime", "LanguageTutor"]
    assert vendors.made[1].given[0].api_key == SERVERS_KEY
    assert SERVERS_KEY not in repr(home.config)


async def test_engines_that_do_not_hear_the_language_are_left_out_where_it_is_spoken(
    build, school, vendors
):
    home = build(("cascade", "openai-realtime", "offline"), key=SERVERS_KEY)
    spoken = await home.choose(school.tenant.id, [], "es-MX", "voice")
    assert names(spoken) == ["openai-realtime", "offline"]
    typed = await home.choose(school.tenant.id, [], "es-MX", "text")
    assert names(typed) == ["cascade", "openai-realtime", "offline"]


# ---- keys and addresses -------------------------------------------------------------------------


async def test_a_schools_own_key_is_used_for_it_alone(
    build, database, school, other_school, vendors
):
    home = build(("openai-realtime", "offline"))
    problems = (await home.of(school.tenant.id)).problems
    assert problems == {"openai-realtime": engine_maker.NO_OPENAI_KEY}
    given = {"api_key": SCHOOLS_KEY}
    await engines.put_key(database, school.tenant.id, "openai", given, by=By())
    await home.renew(school.tenant.id)
    chain = await home.choose(school.tenant.id, [], "en", "voice")
    assert names(chain) == ["openai-realtime", "offline"]
    assert [one.given[0].api_key for one in vendors.made if one.kind == "OpenAIRealtime"] == [
        SCHOOLS_KEY
    ]
    assert names(await home.choose(other_school.tenant.id, [], "en", "voice")) == ["offline"]


async def test_the_servers_key_goes_to_no_address_that_a_school_chose(
    build, database, school, vendors
):
    home = build(
        ("openai-realtime", "offline"), key=SERVERS_KEY, endpoints=("https://*.azure.example",)
    )
    for address in ("http://169.254.169.254/latest", "http://localhost:11434/v1"):
        change = {"openai_base_url": address}
        await engines.change(database, school.tenant.id, change, by=By())
        found = await home.renew(school.tenant.id)
        assert "may not send lessons to" in found.problems["openai-realtime"]
    assert vendors.made == []
    change = {"openai_base_url": "https://mine.azure.example/v1"}
    await engines.change(database, school.tenant.id, change, by=By())
    await home.renew(school.tenant.id)
    assert {one.given[0].api_key for one in vendors.made} == {""}


async def test_aws_credentials_are_the_schools_or_where_the_operator_lets_it_the_servers(
    build, database, school, vendors
):
    home = build(("nova-sonic", "offline"))
    assert (await home.of(school.tenant.id)).problems == {"nova-sonic": engine_maker.NO_AWS_KEY}
    lets = build(("nova-sonic", "offline"), aws_ambient=True)
    await lets.of(school.tenant.id)
    assert vendors.made[-1].given[1] == ("ambient",)
    given = {"access_key": "AKIA0123456789ABCDEF", "secret_key": "secret"}
    await engines.put_key(database, school.tenant.id, "aws", given, by=By())
    await lets.renew(school.tenant.id)
    kind, credentials = vendors.made[-1].given[1]
    assert (kind, credentials.given) == ("fixed", ("AKIA0123456789ABCDEF", "secret", None))


@pytest.mark.parametrize("text", ["http://text.example", ""])
async def test_nova_and_the_text_model_may_be_at_different_places(build, school, vendors, text):
    places = {"bedrock_endpoint": "http://nova.example", "bedrock_text_endpoint": text}
    settings = {**places, "cascade_mind": "bedrock"}
    home = build(("nova-sonic", "cascade", "offline"), aws_ambient=True, settings=settings)
    assert not (await home.of(school.tenant.id)).problems
    at = {one.kind: one.given[0].endpoint for one in vendors.made if one.kind in AT_BEDROCK}
    assert at == {
        "NovaSonic": "http://nova.example",
        "ConverseModel": text or "http://nova.example",
    }


async def test_the_servers_credentials_go_to_no_place_that_a_school_chose(
    build, database, school, vendors
):
    settings = {"bedrock_text_endpoint": "http://text.example", "cascade_mind": "bedrock"}
    home = build(("cascade", "offline"), aws_ambient=True, settings=settings,
                 endpoints=("http://other.example",))  # fmt: skip
    change = {"bedrock_text_endpoint": "http://other.example"}
    await engines.change(database, school.tenant.id, change, by=By())
    assert (await home.of(school.tenant.id)).problems == {"cascade": engine_maker.NO_AWS_KEY}


async def test_no_word_of_a_lesson_goes_to_a_provider_that_the_school_did_not_name(
    build, database, school, vendors
):
    home = build(("offline",))
    openai, aws = {"api_key": SCHOOLS_KEY}, {"access_key": "AKIA0123456789AB", "secret_key": "s"}
    await engines.put_key(database, school.tenant.id, "openai", openai, by=By())
    await engines.put_key(database, school.tenant.id, "aws", aws, by=By())
    for order, mind, model in (
        (["nova-sonic"], "openai-chat", None),
        (["nova-sonic"], "bedrock", "ConverseModel"),
        (["openai-realtime"], "openai-responses", "ResponsesModel"),
        (["cascade"], "openai-chat", "ChatModel"),
        ([], "openai-chat", None),
    ):
        change = {"order": order, "cascade_mind": mind}
        await engines.change(database, school.tenant.id, change, by=By())
        await home.renew(school.tenant.id)
        mind = await home.language_model(school.tenant.id)
        assert (mind and mind.kind) == model


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("openai_voice", "cedar"),
        ("openai_turns", "ours"),
    ],
)
async def test_what_one_school_asks_for_on_the_servers_key_fails_for_it_alone(
    build, database, school, other_school, vendors, name, value
):
    home = build(("openai-realtime", "offline"), key=SERVERS_KEY)
    await engines.change(database, school.tenant.id, {name: value}, by=By())
    one, other = [
        (await home.choose(each.tenant.id, [], "en", "voice")).preferred
        for each in (school, other_school)
    ]
    assert one.key != other.key


@pytest.mark.parametrize(
    ("servers", "change", "problems"),
    [
        (["openai-realtime"], {}, set()),
        (["openai-realtime"], {"openai_voice": "cedar", "openai_turns": "ours"}, set()),
        (["openai-realtime"], {"openai_realtime_model": "dearest"}, {"openai-realtime"}),
        (["openai-realtime"], {"openai_transcription_model": "dearest"}, {"openai-realtime"}),
        (["openai-realtime"], {"order": ["cascade", "openai-realtime"]}, {"cascade"}),
        (["cascade"], {"order": ["openai-realtime", "cascade"]}, {"openai-realtime"}),
        (["cascade"], {"openai_chat_model": "dearest"}, {"cascade"}),
        (["cascade"], {"cascade_ears": "openai"}, {"cascade"}),
        (["cascade"], {"cascade_speaker": "openai"}, {"cascade"}),
        (["cascade"], {"cascade_mind": "bedrock"}, {"cascade"}),
        (["nova-sonic"], {"nova_voice": "lupe", "aws_region": "eu-north-1"}, set()),
        (["nova-sonic"], {"nova_model": "dearest"}, {"nova-sonic"}),
        (["offline"], {"order": ["nova-sonic", "openai-realtime"]},
         {"nova-sonic", "openai-realtime"}),
    ],
)  # fmt: skip
async def test_the_servers_key_is_for_the_engines_and_models_that_its_operator_set(
    build, database, school, vendors, servers, change, problems
):
    home = build((*servers, "offline"), key=SERVERS_KEY, aws_ambient=True)
    tenant_id = school.tenant.id
    await engines.change(database, tenant_id, change, by=By())
    found = (await home.renew(tenant_id)).problems
    assert found == dict.fromkeys(problems, engine_maker.NOT_SERVERS)
    openai, aws = {"api_key": SCHOOLS_KEY}, {"access_key": "AKIA0123456789AB", "secret_key": "s"}
    await engines.put_key(database, tenant_id, "openai", openai, by=By())
    await engines.put_key(database, tenant_id, "aws", aws, by=By())
    assert (await home.renew(tenant_id)).problems == {}


# ---- life ---------------------------------------------------------------------------------------


async def test_what_cannot_be_loaded_is_told_and_the_rest_goes_on(build, school, vendors):
    vendors.missing = {"ai.bedrock.nova"}
    home = build(("nova-sonic", "openai-realtime", "offline"), key=SERVERS_KEY, aws_ambient=True)
    found = await home.of(school.tenant.id)
    assert found.problems == {"nova-sonic": "ai.bedrock.nova can't be loaded: it is not installed."}
    chain = await home.choose(school.tenant.id, [], "en", "voice")
    assert names(chain) == ["openai-realtime", "offline"]


async def test_settings_that_make_no_engine_take_no_other(build, school, vendors):
    vendors.refused = {"OpenAIRealtime", "ChatModel"}
    order = ("openai-realtime", "cascade", "nova-sonic", "offline")
    home = build(order, key=SERVERS_KEY, aws_ambient=True)
    found = await home.of(school.tenant.id)
    assert found.problems == dict.fromkeys(("openai-realtime", "cascade"), composition.NOT_MADE)
    chain = await home.choose(school.tenant.id, [], "en", "voice")
    assert names(chain) == ["nova-sonic", "offline"]


async def test_a_school_that_cannot_be_loaded_keeps_no_other_from_teaching(
    build, school, other_school, vendors, monkeypatch
):
    whole = engines.of

    async def of(database, tenant_id):
        if tenant_id != other_school.tenant.id:
            raise ValueError("of a version to come")
        return await whole(database, tenant_id)

    monkeypatch.setattr(engines, "of", of)
    home = build(("openai-realtime", "offline"), key=SERVERS_KEY)
    await home.load_all()
    assert vendors.names() == ["ChatModel", "OpenAIRealtime"], "for that other one"


async def test_what_is_replaced_is_closed_once_no_session_has_it(
    build, database, school, vendors, monkeypatch
):
    monkeypatch.setattr(composition, "LINGER_S", 0.01)
    home = build(("openai-realtime", "offline"), key=SERVERS_KEY)
    tenant_id = school.tenant.id
    await engines.change(database, tenant_id, {"openai_voice": "cedar"}, by=By())
    chain = await home.choose(tenant_id, [], "en", "voice")
    first = vendors.made[-1]
    await engines.change(database, tenant_id, {"openai_voice": "sage"}, by=By())
    assert (await home.of(tenant_id)).engines["openai-realtime"] is first, "a moment old"
    after = await home.renew(tenant_id)
    assert after.engines["openai-realtime"] is not first
    await asyncio.sleep(0.05)
    assert first.closed == 0 and chain.preferred is first
    del chain
    async with asyncio.timeout(2):
        while not first.closed:
            await asyncio.sleep(0.01)
    assert after.engines["openai-realtime"].closed == 0  # type: ignore[attr-defined]
    await home.close()
    assert [one.closed for one in vendors.made if one.kind == "OpenAIRealtime"] == [1, 1]


async def test_all_schools_are_loaded_at_the_start(build, database, school, vendors):
    home = build(("openai-realtime", "offline"), key=SERVERS_KEY)
    await engines.change(database, school.tenant.id, {"openai_voice": "cedar"}, by=By())
    await home.load_all()
    assert "OpenAIRealtime" in vendors.names()
    count = len(vendors.imported)
    await home.choose(school.tenant.id, [], "en", "voice")
    assert len(vendors.imported) == count


async def test_of_many_at_once_one_builds(build, database, school, vendors):
    home = build(("openai-realtime", "offline"), key=SERVERS_KEY)
    await engines.change(database, school.tenant.id, {"openai_voice": "cedar"}, by=By())
    await asyncio.gather(*(home.choose(school.tenant.id, [], "en", "voice") for _ in range(20)))
    assert vendors.names().count("OpenAIRealtime") == 1


# ---- whose money ------------------------------------------------------------------------------


async def spend(database, school, micros):
    """So much of the server's own keys was used this month."""
    since = quota.month_of(datetime.now(UTC))
    used = [usage.OfTest("audio_tokens_in", "m", 1, micros, micros, 1, micros)]
    await usage.add_test(database, school.tenant.id, "nova-sonic", since, used)


async def test_the_servers_keys_are_for_so_much_a_month_and_then_the_next_engine_teaches(
    build, database, school, other_school, vendors
):
    now = [0.0]
    order = ("nova-sonic", "openai-realtime", "offline")
    home = build(
        order, key=SERVERS_KEY, aws_ambient=True, clock=lambda: now[0],
        server_key_money_micros=1_000,
    )  # fmt: skip
    key = {"api_key": SCHOOLS_KEY}
    await engines.put_key(database, school.tenant.id, "openai", key, by=By(None))

    async def chain(of):
        return await home.choose(of.tenant.id, [], "en", "voice")

    await spend(database, school, 999)
    assert names(await chain(school)) == list(order)
    assert await home.language_model(other_school.tenant.id) is not None
    await spend(database, school, 1)
    now[0] += 10
    assert names(await chain(school)) == ["openai-realtime", "offline"], "which the school pays"
    assert names(await chain(other_school)) == list(order)
    await spend(database, other_school, 1_000)
    now[0] += 10
    assert names(await chain(other_school)) == ["offline"]
    assert await home.language_model(other_school.tenant.id) is None
    refused = [one async for one in home.probe(other_school.tenant.id, but=("offline",))]
    assert {(one.well, one.code) for one in refused} == {(False, "key_used_up")}
    assert "server's own key" in refused[0].sentence


async def test_a_session_knows_which_models_the_server_pays(build, database, school, vendors):
    home = build(("nova-sonic", "openai-realtime", "offline"), key=SERVERS_KEY, aws_ambient=True)
    settings = home.config.settings
    nova, realtime = settings.nova_model, settings.openai_realtime_model
    servers = (await home.choose(school.tenant.id, [], "en", "voice")).on_server
    assert {nova, realtime} <= servers
    key = {"api_key": SCHOOLS_KEY}
    await engines.put_key(database, school.tenant.id, "openai", key, by=By(None))
    await home.renew(school.tenant.id)
    servers = (await home.choose(school.tenant.id, [], "en", "voice")).on_server
    assert servers == {nova} == await home.on_server(school.tenant.id)
