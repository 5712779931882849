"""Settings, read once at the front door; all wrong ones are told at once, each in a sentence."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ai import prices
from ai.prices import Prices
from server.rtc.turn import TTL_S, IceServers, check_url
from tenancy import engines
from tenancy.crypto import MasterKeyUnusable, parse_master_key
from tenancy.engines import EngineSettings

T = TypeVar("T")
SECRET = ("MASTER_KEY", "DATABASE_URL", "DATABASE_ADMIN_URL", "OPENAI_API_KEY", "TURN_SECRET")
ENGINE_VARIABLES = {
    "openai_base_url": "OPENAI_BASE_URL",
    "openai_realtime_model": "OPENAI_REALTIME_MODEL",
    "openai_voice": "OPENAI_VOICE",
    "openai_transcription_model": "OPENAI_TRANSCRIPTION_MODEL",
    "openai_turns": "OPENAI_TURNS",
    "openai_chat_model": "OPENAI_CHAT_MODEL",
    "openai_speech_model": "OPENAI_SPEECH_MODEL",
    "aws_region": "AWS_REGION",
    "bedrock_endpoint": "BEDROCK_ENDPOINT",
    "bedrock_text_endpoint": "BEDROCK_TEXT_ENDPOINT",
    "bedrock_text_model": "BEDROCK_TEXT_MODEL",
    "nova_model": "NOVA_MODEL",
    "nova_voice": "NOVA_VOICE",
    "cascade_mind": "CASCADE_MIND",
    "cascade_ears": "CASCADE_EARS",
    "cascade_speaker": "CASCADE_SPEAKER",
}
"A setting of `EngineSettings`, and what it is called in the environment."


class ConfigInvalid(Exception):
    """Settings that can't be used; `problems` are sentences."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class StartFailed(Exception):
    """The server can't start; the sentence says what to do."""


class Secret(str):
    """A value that does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The server's own tutor engines, and what schools may do with theirs."""

    settings: EngineSettings = field(default_factory=EngineSettings)
    "What holds where a school has decided nothing."
    openai_key: Secret | None = None
    "For schools without a key of their own, and for no address but the server's."
    aws_ambient: bool = False
    "Whether schools without a key of their own use the AWS credentials found around the server."
    endpoints: tuple[str, ...] = ()
    "Further addresses that schools may name: a scheme and host, `*.` before it for all below."
    ca_file: Path | None = None
    "Certificates of a Bedrock endpoint of one's own."
    prices: Prices = field(default_factory=prices.load)
    server_key_money_micros: int | None = None
    "What a school may use in a month of the server's own keys, in millionths of a dollar."


@dataclass(frozen=True, slots=True)
class CallConfig:
    """Voice over WebRTC."""

    on: bool = True
    port: int | None = None
    "Of UDP, for all calls; None: the number of the server's own port."
    addresses: tuple[str, ...] = ()
    "Announced in place of the machine's own, which stands behind a 1:1 NAT."
    servers: IceServers = field(default_factory=IceServers, repr=False)
    "STUN and TURN servers, for the clients."


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the server is told from outside."""

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("data")
    database_url: Secret | None = None
    "None: an embedded PostgreSQL in `data_dir`."
    database_admin_url: Secret | None = None
    database_connections: int = 10
    master_key: bytes | None = field(default=None, repr=False)
    "32 bytes; None with the embedded database, which keeps its own."
    hosts: tuple[str, ...] = ()
    "Names this server is called, besides localhost and addresses in digits."
    origins: tuple[str, ...] = ()
    "Further origins whose pages may call, with CORS."
    trusted_proxies: tuple[str, ...] = ()
    "Addresses and networks whose X-Forwarded-For and -Proto are believed."
    engines: EngineConfig = field(default_factory=EngineConfig)
    session_limit_s: float = 3_600.0
    session_grace_s: float = 600.0
    live_sessions_per_student: int = 3
    live_sessions: int = 400
    local_workers: int = 2
    calls: CallConfig = field(default_factory=CallConfig)
    metrics_port: int | None = None
    "Prometheus on 127.0.0.1; None: off."
    log_level: str = "info"
    log_format: str = "console"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    demo: bool = True
    "Whether a new embedded folder gets a demo school."

    @property
    def embedded(self) -> bool:
        return self.database_url is None

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read all settings.

        Raises:
            ConfigInvalid: If any can't be used; it names all of them.
        """
        problems: list[str] = []

        def read(name: str, convert: Callable[[str], T], default: T) -> T:
            text = environ.get(name, "").strip()
            if not text:
                return default
            try:
                return convert(text)
            except ValueError as problem:
                problems.append(f"{name}={_shown(name, text)} can't be used: {problem}.")
                return default

        database_url = read("DATABASE_URL", _database, None)
        master_key = read("MASTER_KEY", _key, None)
        config = cls(
            host=environ.get("HOST", "").strip() or "127.0.0.1",
            port=read("PORT", _number(0, 65_535), 8000),
            data_dir=Path(environ.get("DATA_DIR", "").strip() or "data").expanduser().absolute(),
            database_url=database_url,
            database_admin_url=read("DATABASE_ADMIN_URL", _database, None),
            database_connections=read("DATABASE_CONNECTIONS", _number(2, 500), 10),
            master_key=master_key,
            hosts=read("HOSTS", _list, ()),
            origins=read("ORIGINS", _origins, ()),
            trusted_proxies=read("TRUSTED_PROXIES", _networks, ()),
            engines=_engines(environ, read),
            session_limit_s=float(read("SESSION_LIMIT_S", _number(60, 6 * 3600), 3_600)),
            session_grace_s=float(read("SESSION_GRACE_S", _number(5, 24 * 3600), 600)),
            live_sessions_per_student=read("LIVE_SESSIONS_PER_STUDENT", _number(1, 100), 3),
            live_sessions=read("LIVE_SESSIONS", _number(1, 100_000), 400),
            local_workers=read("LOCAL_WORKERS", _number(2, 64), 2),
            calls=_calls(read),
            metrics_port=read("METRICS_PORT", _number(0, 65_535), None),
            log_level=read("LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info"),
            log_format=read("LOG_FORMAT", _one_of("console", "json"), "console"),
            tls_cert=read("TLS_CERT", _file, None),
            tls_key=read("TLS_KEY", _file, None),
            demo=read("DEMO", _one_of("yes", "no"), "yes") == "yes",
        )
        problems += _together(config, environ)
        if problems:
            raise ConfigInvalid(problems)
        return config


def _together(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Settings that are right by themselves and wrong together."""
    problems = []
    if environ.get("DATABASE_URL", "").strip() and not environ.get("MASTER_KEY", "").strip():
        problems.append(
            "MASTER_KEY is missing: with DATABASE_URL the key that protects transcripts must be"
            " given. Make one with `openssl rand -hex 32`, keep a copy of it, and set it."
        )
    if (config.tls_cert is None) != (config.tls_key is None):
        problems.append("TLS_CERT and TLS_KEY belong together: set both, or neither.")
    return problems


def _shown(name: str, text: str) -> str:
    """Secrets are not repeated."""
    return "…" if name in SECRET else repr(text)


def _engines(environ: Mapping[str, str], read: Callable[..., Any]) -> EngineConfig:
    """The settings of the server's tutor engines."""
    found = {
        name: read(variable, partial(engines.fit, name), None)
        for name, variable in ENGINE_VARIABLES.items()
    }
    order = read("ENGINE", lambda text: engines.fit("order", _list(text.lower())), None)
    known = {name: value for name, value in found.items() if value is not None}
    settings = replace(EngineSettings(), **known, **({"order": order} if order else {}))
    table = prices.load()
    more = read("ENGINE_PRICES", _prices, None)
    uses_aws = "nova-sonic" in settings.order or settings.cascade_mind == "bedrock"
    return EngineConfig(
        settings=settings,
        openai_key=read("OPENAI_API_KEY", _api_key, None),
        aws_ambient=read("AWS_AMBIENT", _one_of("yes", "no"), "yes") == "yes" and uses_aws,
        endpoints=read("ENGINE_ENDPOINTS", _endpoints, ()),
        ca_file=read("BEDROCK_CA_FILE", _file, None),
        prices=table.with_(more) if more else table,
        server_key_money_micros=read("SERVER_KEY_MONEY_A_MONTH", _dollars, None),
    )


def _dollars(text: str) -> int:
    """Millionths of a dollar."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", text):
        raise ValueError("it must be dollars, as 50 or 12.50")
    whole, _, cents = text.partition(".")
    return int(whole) * 1_000_000 + int(cents.ljust(2, "0")) * 10_000


def _calls(read: Callable[..., Any]) -> CallConfig:
    secret = read("TURN_SECRET", Secret, None)
    return CallConfig(
        on=read("WEBRTC", _one_of("on", "off"), "on") == "on",
        port=read("WEBRTC_PORT", _number(0, 65_535), None),
        addresses=read("WEBRTC_ADDRESSES", _addresses, ()),
        servers=IceServers(
            read("STUN_URLS", _urls("stun", "stuns"), ()),
            read("TURN_URLS", _urls("turn", "turns"), ()),
            secret or "",
            read("TURN_TTL_S", _number(30, 86_400), TTL_S),
        ),
    )


def _urls(*schemes: str) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(check_url(one, schemes) for one in _list(text))


def _addresses(text: str) -> tuple[str, ...]:
    for part in _list(text):
        try:
            ip_address(part)
        except ValueError as problem:
            raise ValueError(f"{part!r} is no address; write it in digits") from problem
    return _list(text)


def _api_key(text: str) -> Secret:
    if not text.isascii() or " " in text:
        raise ValueError("it holds signs that no key has")
    return Secret(text)


def _prices(text: str) -> Prices:
    path = Path(text).expanduser()
    try:
        return prices.read(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ValueError(f"the file can't be read ({problem.strerror})") from problem
    except UnicodeDecodeError as problem:
        raise ValueError("the file is not UTF-8") from problem


def _endpoints(text: str) -> tuple[str, ...]:
    for place in _list(text):
        parts = urlsplit(place.replace("*.", "", 1))
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise ValueError(f"{place!r} is no place; write it as https://llm.example.org")
    return _list(text)


def _number(low: int, high: int) -> Callable[[str], Any]:
    def convert(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= 12
        if not digits or not low <= int(text) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return convert


def _one_of(*choices: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"it must be one of: {', '.join(choices)}")
        return text.lower()

    return convert


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _origins(text: str) -> tuple[str, ...]:
    for origin in _list(text):
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise ValueError(f"{origin!r} is no origin; write it as https://school.example.org")
    return _list(text)


def _networks(text: str) -> tuple[str, ...]:
    for part in _list(text):
        try:
            ip_network(part)
        except ValueError as problem:
            raise ValueError(
                f"{part!r} is neither an address nor a network; write 10.0.0.7 or 10.0.0.0/24"
            ) from problem
    return _list(text)


def _database(text: str) -> Secret | None:
    if urlsplit(text).scheme not in ("postgresql", "postgres"):
        raise ValueError("it must begin with postgresql://")
    return Secret(text)


def _key(text: str) -> bytes | None:
    try:
        return parse_master_key(text)
    except MasterKeyUnusable as problem:
        raise ValueError(str(problem).rstrip(".")) from problem


def _file(text: str) -> Path | None:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError("there is no such file")
    return path
