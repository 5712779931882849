"""A school's tutor engines over HTTP: which, in what order, with whose key, and whether they work.

A key goes in and never comes out: only that there is one, its last characters, and who gave it.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from server import probe
from server.api.office import by, manages
from server.api.table import Call, Model, Route
from server.engines import KEY_USED_UP, SchoolEngines
from server.errors import Refused
from tenancy import engines, quota
from tenancy.engines import EngineName, Mind, Part, Provider, Turns

Text = Annotated[str, Field(max_length=400)]
Secret = Annotated[str, Field(min_length=1, max_length=engines.LONGEST_KEY)]
NO_PROVIDER = "There is no such provider. There are: openai, aws."
NO_KEY = "The school has given no key for this provider."
BUSY = "A test of these engines is running. Wait for it."
TOO_OFTEN = "Engines are tried once a minute at most, since it costs."
NO_MONEY = (
    "The school has used up what it set aside for this month, and a test costs. Raise the limit of"
    " money first."
)


class EngineState(Model):
    """One of the engines there are."""

    name: EngineName
    allowed: bool
    "It is in the school's order."
    ready: bool
    problem: str | None
    "Why it can't be had though it is allowed, and what to do."


class KeyState(Model):
    """Whether there is a key for a provider; never the key."""

    provider: Provider
    given: bool
    ends_with: str
    set_at: datetime | None
    set_by: str | None
    server: bool
    "The server has one of its own, for schools without."


class EngineValues(Model):
    """How the engines are reached and what they are told."""

    order: list[EngineName]
    openai_base_url: str
    openai_realtime_model: str
    openai_voice: str
    openai_transcription_model: str
    openai_turns: Turns
    openai_chat_model: str
    openai_speech_model: str
    aws_region: str
    bedrock_endpoint: str
    bedrock_text_endpoint: str
    bedrock_text_model: str
    nova_model: str
    nova_voice: str
    cascade_mind: Mind
    cascade_ears: Part
    cascade_speaker: Part


class EngineChange(Model):
    """What is left out stays; null is as the server has it."""

    order: Annotated[list[EngineName], Field(max_length=8)] | None = None
    openai_base_url: Text | None = None
    openai_realtime_model: Text | None = None
    openai_voice: Text | None = None
    openai_transcription_model: Text | None = None
    openai_turns: Turns | None = None
    openai_chat_model: Text | None = None
    openai_speech_model: Text | None = None
    aws_region: Text | None = None
    bedrock_endpoint: Text | None = None
    bedrock_text_endpoint: Text | None = None
    bedrock_text_model: Text | None = None
    nova_model: Text | None = None
    nova_voice: Text | None = None
    cascade_mind: Mind | None = None
    cascade_ears: Part | None = None
    cascade_speaker: Part | None = None


class EnginesView(Model):
    values: EngineValues
    "What holds for the school."
    server: EngineValues
    "What holds where the school has decided nothing."
    decided: list[str]
    "Names of the values that the school has decided itself."
    engines: list[EngineState]
    "In the order in which lessons try them; then those that are not allowed."
    keys: list[KeyState]
    summaries_by: str | None
    "The model that writes summaries; null: they are written here, by rules."
    prices_date: str
    "When the prices were looked up by which cost is counted."


class KeyGiven(Model):
    """For OpenAI an `api_key`; for AWS an `access_key` and `secret_key`, perhaps a `token`."""

    api_key: Secret | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    token: Secret | None = None


class ProbeResult(Model):
    """What came back from one engine."""

    engine: str
    well: bool
    sentence: str
    open_ms: int | None
    text_ms: int | None
    voice_ms: int | None
    heard: str | None
    code: str | None


class ProbeResults(Model):
    results: list[ProbeResult]


async def get_engines(call: Call) -> EnginesView:
    """The school's tutor engines."""
    return await _view(call, await call.services.engines.renew(manages(call, "engine")))


async def change_engines(call: Call) -> EnginesView:
    """Change some of it. Lessons that are running keep the engines they have."""
    tenant_id = manages(call, "engine")
    changes = call.body.model_dump(exclude_unset=True)
    for name, value in changes.items():
        try:
            if value is not None:
                engines.fit(name, value)
        except ValueError as problem:
            message = f"The field {name!r} can't be used: {problem}."
            raise Refused(400, "invalid_field", message, param=name) from problem
    await engines.change(call.services.database, tenant_id, changes, by=by(call))
    return await _view(call, await call.services.engines.renew(tenant_id))


async def put_key(call: Call) -> EnginesView:
    """Give the school's own key for a provider. It can't be read again."""
    tenant_id, provider = manages(call, "engine"), _provider(call)
    given = call.body.model_dump(exclude_none=True)
    try:
        await engines.put_key(call.services.database, tenant_id, provider, given, by=by(call))
    except ValueError as problem:
        raise Refused(400, "invalid_field", f"The key can't be used: {problem}.") from None
    return await _view(call, await call.services.engines.renew(tenant_id))


async def delete_key(call: Call) -> EnginesView:
    """Forget the school's own key."""
    tenant_id, provider = manages(call, "engine"), _provider(call)
    after = await engines.delete_key(call.services.database, tenant_id, provider, by=by(call))
    if after is None:
        raise Refused(404, "no_key", NO_KEY)
    return await _view(call, await call.services.engines.renew(tenant_id))


async def check_engines(call: Call) -> ProbeResults:
    """Say one sentence to each engine, and tell what came back."""
    tenant_id = manages(call, "engine")
    home, database = call.services.engines, call.services.database
    if tenant_id in home.probing:
        raise Refused(409, "busy", BUSY)
    if await quota.is_money_used_up(database, tenant_id, datetime.now(UTC)):
        raise Refused(429, "limit_reached", NO_MONEY)
    if wait_s := home.try_now(tenant_id):
        raise Refused(429, "too_many_tests", f"{TOO_OFTEN} Wait {wait_s} s.")
    home.probing.add(tenant_id)
    try:
        await engines.note_check(database, tenant_id, by=by(call))
        results = [one async for one in home.probe(tenant_id)]
    finally:
        home.probing.discard(tenant_id)
    return ProbeResults(results=[_result(one) for one in results])


def _provider(call: Call) -> Provider:
    for provider in engines.PROVIDERS:
        if call.path["provider"] == provider:
            return provider
    raise Refused(404, "not_found", NO_PROVIDER)


async def _view(call: Call, school: SchoolEngines) -> EnginesView:
    home = call.services.engines
    config = home.config
    closed = school.servers if await home.is_key_used_up(call.person.tenant_id) else frozenset()
    servers: dict[str, bool] = {"openai": config.openai_key is not None, "aws": config.aws_ambient}
    allowed = [*school.settings.order]
    others = [name for name in engines.ENGINES if name not in allowed]
    return EnginesView(
        values=_values(school.settings),
        server=_values(config.settings),
        decided=[name for name, _ in school.decided.changes],
        engines=[
            EngineState(
                name=name,
                allowed=name in allowed,
                ready=name == "offline" or (name in school.engines and name not in closed),
                problem=KEY_USED_UP if name in closed else school.problems.get(name),
            )
            for name in (*allowed, *others)
        ],
        keys=[_key(school, provider, servers[provider]) for provider in engines.PROVIDERS],
        summaries_by=school.mind.name if school.mind is not None else None,
        prices_date=config.prices.date,
    )


def _values(settings: engines.EngineSettings) -> EngineValues:
    found: dict[str, Any] = {name: getattr(settings, name) for name in engines.NAMES}
    return EngineValues(**{**found, "order": list(settings.order)})


def _key(school: SchoolEngines, provider: Provider, server: bool) -> KeyState:
    key = school.decided.key(provider)
    return KeyState(
        provider=provider,
        given=key is not None,
        ends_with=key.ends_with if key else "",
        set_at=key.set_at if key else None,
        set_by=key.set_by if key else None,
        server=server,
    )


def _result(outcome: probe.Outcome) -> ProbeResult:
    names = ProbeResult.model_fields
    return ProbeResult(**{name: getattr(outcome, name) for name in names})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/school/engines", get_engines, "The school's tutor engines", answer=EnginesView),
    Route(
        "PATCH",
        "/school/engines",
        change_engines,
        "Change the school's tutor engines",
        answer=EnginesView,
        body=EngineChange,
    ),
    Route(
        "PUT",
        "/school/engines/keys/{provider}",
        put_key,
        "Give the school's own key for a provider",
        answer=EnginesView,
        body=KeyGiven,
        refuses=(404,),
    ),
    Route(
        "DELETE",
        "/school/engines/keys/{provider}",
        delete_key,
        "Forget the school's own key for a provider",
        answer=EnginesView,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/engines/check",
        check_engines,
        "Say one sentence to each engine",
        answer=ProbeResults,
        refuses=(409, 429),
    ),
)
