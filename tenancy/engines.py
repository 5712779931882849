"""What a school has decided of its tutor engines, and the keys it has given us for them.

Each decision is a setting of the school's layer under its own name; what is not decided is as the
server has it. A key is written and used: it is sealed with the school's data key, bound to school
and provider, and nothing here gives it out but `secret`, for whoever opens the engine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from tenancy import audit
from tenancy.audit import By
from tenancy.postgres import Connection, Database
from tenancy.sql import load

EngineName = Literal["nova-sonic", "openai-realtime", "cascade", "offline"]
Provider = Literal["openai", "aws"]
Turns = Literal["theirs", "ours"]
Mind = Literal["openai-chat", "openai-responses", "bedrock"]
Part = Literal["local", "openai"]

ENGINES: tuple[EngineName, ...] = get_args(EngineName)
PROVIDERS: tuple[Provider, ...] = get_args(Provider)
LONGEST_KEY = 4_096  # a session token of AWS has some 1,000 characters
SHOWN = 4  # of a key that is long enough to have that many to spare

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_VOICE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_KEY = re.compile(r"[!-~]+")
_PLACE = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
_QUERIES = load(__package__, "engines.sql")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How tutor engines are reached and what they are told; `config.py` has the server's own."""

    order: tuple[EngineName, ...] = ("offline",)
    "Those that may teach, the preferred one first; the offline one always comes last."
    openai_base_url: str = "https://api.openai.com/v1"
    openai_realtime_model: str = "gpt-realtime-2.1"
    openai_voice: str = "marin"
    openai_transcription_model: str = "gpt-transcribe"
    openai_turns: Turns = "theirs"
    "Who finds the end of a student's turn: the provider, or our own voice detection."
    openai_chat_model: str = "gpt-5.4-mini"
    openai_speech_model: str = "gpt-4o-mini-tts"
    aws_region: str = "us-east-1"
    bedrock_endpoint: str = ""
    "Empty: the region's own."
    bedrock_text_endpoint: str = ""
    "Where the text model is, if it is elsewhere; empty: `bedrock_endpoint`."
    bedrock_text_model: str = "us.amazon.nova-2-lite-v1:0"
    nova_model: str = "amazon.nova-2-sonic-v1:0"
    nova_voice: str = "tiffany"
    cascade_mind: Mind = "openai-chat"
    cascade_ears: Part = "local"
    cascade_speaker: Part = "local"


NAMES = tuple(one.name for one in fields(EngineSettings))
CHOICES: Mapping[str, tuple[str, ...]] = {
    "openai_turns": get_args(Turns),
    "cascade_mind": get_args(Mind),
    "cascade_ears": get_args(Part),
    "cascade_speaker": get_args(Part),
}


@dataclass(frozen=True, slots=True)
class Key:
    """That a school has given a key for a provider."""

    provider: Provider
    ends_with: str
    "Its last characters; empty where it is too short to show any."
    set_at: datetime
    set_by: str | None
    "Who gave it; None: the operator."
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a school has decided, at one time; two that are equal make the same engines."""

    changes: tuple[tuple[str, Any], ...] = ()
    "Names and values of what is otherwise than the server has it."
    keys: tuple[Key, ...] = ()

    def settings(self, server: EngineSettings) -> EngineSettings:
        """What holds for the school."""
        return replace(server, **dict(self.changes))

    def key(self, provider: Provider) -> Key | None:
        return next((key for key in self.keys if key.provider == provider), None)


def fit(name: str, value: Any) -> Any:
    """A setting's value as it is kept.

    Raises:
        ValueError: If the setting can't have it; the message says what it must be.
    """
    if name == "order":
        return _order(value)
    if not isinstance(value, str):
        raise ValueError("it must be a text")
    value = value.strip()
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"it must be one of: {', '.join(CHOICES[name])}")
        return value
    if name in ("openai_base_url", "bedrock_endpoint", "bedrock_text_endpoint"):
        return _address(value, empty=name != "openai_base_url")
    pattern, what = {
        "aws_region": (_REGION, "a region, as us-east-1"),
        "openai_voice": (_VOICE, "a voice's name: letters, digits, - and _"),
        "nova_voice": (_VOICE, "a voice's name: letters, digits, - and _"),
    }.get(name, (_MODEL, "a model's name, without spaces, 128 characters at most"))
    if not pattern.fullmatch(value):
        raise ValueError(f"it must be {what}")
    return value


def is_place(netloc: str) -> bool:
    """Whether this is a host and perhaps a port, which all who read addresses read alike.

    Of `[::1].example.org` some take the part in brackets for the host, and some all of it.
    """
    return _PLACE.fullmatch(netloc) is not None


async def of(database: Database, tenant_id: UUID) -> Decided:
    """What a school has decided; what it cannot be any more is left out."""
    async with database.transaction(tenant_id) as connection:
        return await _of(connection, tenant_id)


async def change(
    database: Database, tenant_id: UUID, changes: Mapping[str, Any], *, by: By
) -> Decided:
    """Decide some settings; None: as the server has it. What is as before is not noted.

    Raises:
        ValueError: If a setting can't have its value.
    """
    wanted = {name: None if value is None else fit(name, value) for name, value in changes.items()}

    async def work(connection: Connection) -> Decided:
        before = dict((await _of(connection, tenant_id)).changes)
        different = {name: now for name, now in wanted.items() if before.get(name) != now}
        for name, now in sorted(different.items()):
            if now is None:
                await connection.execute(_QUERIES["put_back"], tenant_id, _named(name))
            else:
                kept = list(now) if isinstance(now, tuple) else now
                await connection.execute(
                    _QUERIES["put"],
                    *(tenant_id, _named(name), kept, by.person_id, datetime.now(UTC)),
                )
        after = await _of(connection, tenant_id)
        for name, now in sorted(different.items()):
            detail = {"was": before.get(name), "now": now}
            await _note(connection, tenant_id, by, "change", "setting", _named(name), detail)
        return after

    return await database.run(tenant_id, work)


async def put_key(
    database: Database, tenant_id: UUID, provider: Provider, secret: Mapping[str, str], *, by: By
) -> Decided:
    """Keep a school's key for a provider in place of an earlier one.

    Args:
        secret: For `openai` an `api_key`; for `aws` `access_key`, `secret_key`, perhaps `token`.

    Raises:
        ValueError: If it can't be one.
    """
    shown = _check_key(provider, secret)
    text = orjson.dumps(dict(secret), option=orjson.OPT_SORT_KEYS).decode()

    async def work(connection: Connection) -> Decided:
        sealed = connection.keys.seal(tenant_id, "engine_keys", provider, text)
        now = datetime.now(UTC)
        await connection.execute(
            _QUERIES["put_key"], tenant_id, provider, sealed, shown, by.person_id, now
        )
        after = await _of(connection, tenant_id)
        await _note(connection, tenant_id, by, "save", "engine_key", provider)
        return after

    return await database.run(tenant_id, work)


async def delete_key(
    database: Database, tenant_id: UUID, provider: Provider, *, by: By
) -> Decided | None:
    """Forget a school's key; None: there is none."""

    async def work(connection: Connection) -> Decided | None:
        if await connection.fetchval(_QUERIES["delete_key"], tenant_id, provider) is None:
            return None
        after = await _of(connection, tenant_id)
        await _note(connection, tenant_id, by, "delete", "engine_key", provider)
        return after

    return await database.run(tenant_id, work)


def secret(database: Database, tenant_id: UUID, key: Key) -> Mapping[str, str]:
    """The key itself, as `put_key` was given it.

    Raises:
        CryptoError: If it does not open.
    """
    text = database.unseal(tenant_id, "engine_keys", key.provider, key.sealed)
    return cast(Mapping[str, str], orjson.loads(text))


async def note_check(database: Database, tenant_id: UUID, *, by: By) -> None:
    """Note that somebody had the engines tried, which costs a little."""

    async def work(connection: Connection) -> None:
        await _note(connection, tenant_id, by, "try", "engines", "engines")

    await database.run(tenant_id, work)


async def _of(connection: Connection, tenant_id: UUID) -> Decided:
    names = [_named(name) for name in NAMES]
    rows = await connection.fetch(_QUERIES["settings"], tenant_id, datetime.now(UTC), names)
    found: dict[str, Any] = {}
    for row in rows:
        name = row["name"].removeprefix("engine_")
        try:
            found[name] = fit(name, row["value"])
        except ValueError:
            continue  # of a version that knew other ones
    keys = await connection.fetch(_QUERIES["keys"], tenant_id)
    return Decided(tuple(sorted(found.items())), tuple(Key(**row) for row in keys))


async def _note(
    connection: Connection,
    tenant_id: UUID,
    by: By,
    verb: str,
    thing: str,
    thing_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    await audit.write(
        connection,
        tenant_id,
        actor=by.person_id,
        verb=verb,
        thing=thing,
        thing_id=thing_id,
        detail=detail,
        address=by.address,
    )


def _named(name: str) -> str:
    """What the setting is called among all of the school's."""
    return f"engine_{name}"


def _order(value: Any) -> tuple[EngineName, ...]:
    if not isinstance(value, list | tuple) or not all(one in ENGINES for one in value):
        raise ValueError(f"it must name engines out of: {', '.join(ENGINES)}")
    if len(set(value)) != len(value):
        raise ValueError("it names an engine twice")
    return (*(one for one in value if one != "offline"), "offline")


def _address(value: str, *, empty: bool) -> str:
    if not value and empty:
        return ""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("https", "http") and parts.hostname and (parts.port or 1)
    except ValueError:
        whole = None
    odd = not whole or not is_place(parts.netloc) or parts.query or parts.fragment
    if odd or len(value) > 200 or not _KEY.fullmatch(value):
        raise ValueError("it must be an address, as https://api.openai.com/v1")
    return value.rstrip("/")


def _check_key(provider: Provider, secret: Mapping[str, str]) -> str:
    """What is shown of a key. Raises ValueError, which does not repeat it."""
    needed, also = {
        "openai": (("api_key",), ()),
        "aws": (("access_key", "secret_key"), ("token",)),
    }[provider]
    missing = [name for name in needed if not secret.get(name)]
    if missing or set(secret) - {*needed, *also}:
        raise ValueError(f"a key for {provider} has {', '.join(needed)}")
    for name, value in secret.items():
        if len(value) > LONGEST_KEY or not _KEY.fullmatch(value):
            raise ValueError(f"{name} holds signs that no key has, or is too long")
    first = secret[needed[0]]
    return first[-SHOWN:] if len(first) >= 3 * SHOWN else ""
