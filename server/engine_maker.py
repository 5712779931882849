"""A school's engines, made of its settings and of the keys that are there.

With `wiring` the only module that imports a vendor's: when a school that uses it is first loaded,
in a thread.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from ai.cascade import Cascade
from ai.engine import Ears, Speaker, Vad, VoiceEngine
from ai.language import LanguageModel
from server.config import EngineConfig
from tenancy import engines
from tenancy.engines import EngineName, EngineSettings

OPENAI = "https://api.openai.com"
_BEDROCK = re.compile(r"bedrock-runtime(-fips)?\.[a-z0-9-]+\.amazonaws\.com")

NO_OPENAI_KEY = (
    "There is no key for OpenAI. Give the school's own; or the operator sets OPENAI_API_KEY for"
    " all schools."
)
NO_AWS_KEY = (
    "There are no AWS credentials. Give the school's own access key; or the operator names"
    " nova-sonic in ENGINE, so that the server's are used."
)

NOT_SERVERS = (
    "The server's own key is for the engines and models that its operator has set. Take those, or"
    " give the school's own key."
)

T = TypeVar("T")


class NotBuilt(Exception):
    """An engine that can't be had; the sentence says what to do."""


class Closes(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What all schools share: it runs here."""

    offline: VoiceEngine
    ears: Ears
    speaker: Speaker
    vad: Vad


class EngineMaker:
    """Makes one school's engines; each that must be closed is put into `closing`."""

    def __init__(
        self,
        config: EngineConfig,
        settings: EngineSettings,
        secrets: Mapping[str, Mapping[str, str]],
        parts: Parts,
        closing: list[Closes],
    ) -> None:
        self._config = config
        self._ca_file = str(config.ca_file) if config.ca_file else None
        self._settings = settings
        self._secrets = secrets
        self._parts = parts
        self._closing = closing
        self.on_server: set[str] = set()
        "Models that are used with the server's own key, ..."
        self.servers: set[str] = set()
        "... and by whom."

    def _on_server(self, by: str, *models: str) -> None:
        self.servers.add(by)
        self.on_server.update(models)

    async def nova(self) -> VoiceEngine:
        settings = self._settings
        credentials, mark = await self._aws(lambda of: of.bedrock_endpoint)
        if self._servers_aws():
            self._check_offered(("nova-sonic",), "nova_model")
            self._on_server("nova-sonic", settings.nova_model)
        vendor = await _vendor("ai.bedrock.nova")
        reached = vendor.NovaSettings(
            region=settings.aws_region,
            model=settings.nova_model,
            endpoint=settings.bedrock_endpoint or None,
            voice=settings.nova_voice,
            ca_file=self._ca_file,
        )
        key = f"nova-sonic:{_mark(mark, settings.nova_model, settings.nova_voice)}"
        made: VoiceEngine = vendor.NovaSonic(reached, credentials, self._parts.vad, key=key)
        return self._keep(made)

    async def realtime(self) -> VoiceEngine:
        models = "openai_realtime_model", "openai_transcription_model"
        reached = await self._openai("openai-realtime", ("openai-realtime",), *models)
        vendor = await _vendor("ai.openai.realtime")
        told = reached.voice, reached.transcription_model, reached.turns
        key = f"openai-realtime:{_mark(reached.key, reached.model, *told)}"
        made: VoiceEngine = vendor.OpenAIRealtime(reached, self._parts.vad, key=key)
        return self._keep(made)

    async def mind(self) -> LanguageModel:
        """The school's language model."""
        settings = self._settings
        made: LanguageModel
        if settings.cascade_mind == "bedrock":
            endpoint = _text_endpoint(settings)
            credentials, _ = await self._aws(_text_endpoint)
            if self._servers_aws():
                self._check_offered(("cascade", "nova-sonic"), "cascade_mind", "bedrock_text_model")
                self._on_server("mind", settings.bedrock_text_model)
            vendor = await _vendor("ai.bedrock.converse")
            reached = vendor.ConverseSettings(
                region=settings.aws_region,
                model=settings.bedrock_text_model,
                endpoint=endpoint or None,
                ca_file=self._ca_file,
            )
            made = vendor.ConverseModel(reached, credentials)
        else:
            names: Sequence[EngineName] = ("cascade", "openai-realtime")
            reached = await self._openai("mind", names, "openai_chat_model", choice="cascade_mind")
            if settings.cascade_mind == "openai-responses":
                made = (await _vendor("ai.openai.responses")).ResponsesModel(reached)
            else:
                made = (await _vendor("ai.openai.chat")).ChatModel(reached)
        return self._keep(made)

    async def cascade(self, mind: LanguageModel) -> VoiceEngine:
        settings = self._settings
        ears, speaker = self._parts.ears, self._parts.speaker
        bedrock = settings.cascade_mind == "bedrock"
        if self._servers_aws() if bedrock else self._servers_openai():
            self._check_offered(("cascade",))
            self.servers.add("cascade")
        if settings.cascade_ears == "openai":
            model = "openai_transcription_model"
            reached = await self._openai("cascade", ("cascade",), model, choice="cascade_ears")
            ears = self._keep((await _vendor("ai.openai.ears")).OpenAIEars(reached))
        if settings.cascade_speaker == "openai":
            model = "openai_speech_model"
            reached = await self._openai("cascade", ("cascade",), model, choice="cascade_speaker")
            speaker = self._keep((await _vendor("ai.openai.speaker")).OpenAISpeaker(reached))
        tutor = (await _vendor("ai.mind")).LanguageTutor(mind)
        key = f"cascade:{_mark(settings, *(sorted(one.items()) for one in self._secrets.values()))}"
        return self._keep(Cascade("cascade", ears, tutor, speaker, self._parts.vad, key=key))

    # ---- whose account -------------------------------------------------------------------------

    async def _openai(
        self, by: str, names: Sequence[EngineName], *models: str, choice: str | None = None
    ) -> Any:
        """How OpenAI is reached. The server's key goes to its own address only.

        Args:
            by: Who uses it, one of the engines `names` or what these share.
            models: Settings that name models, the first the one that is spoken to.
            choice: The setting by which OpenAI was chosen, where there is one.
        """
        settings, server = self._settings, self._config.settings
        self._check_reach(settings.openai_base_url, server.openai_base_url)
        key = self._secrets.get("openai", {}).get("api_key")
        if key is None and settings.openai_base_url == server.openai_base_url:
            key = self._config.openai_key
        if key is None and settings.openai_base_url.startswith(OPENAI):
            raise NotBuilt(NO_OPENAI_KEY)
        vendor = await _vendor("ai.openai.settings")
        reached = [getattr(settings, one) for one in models]
        if self._servers_openai():
            self._check_offered(names, *([choice] if choice else []), *models)
            self._on_server(by, *reached)
        return vendor.OpenAISettings(
            api_key=str(key or ""),  # servers of one's own may want none
            base_url=settings.openai_base_url,
            model=reached[0],
            voice=settings.openai_voice,
            transcription_model=settings.openai_transcription_model,
            turns=settings.openai_turns,
        )

    async def _aws(self, endpoint_of: Callable[[EngineSettings], str]) -> tuple[Any, str]:
        """Where AWS credentials come from for each connection, and the mark of the account."""
        settings, servers_endpoint = self._settings, endpoint_of(self._config.settings)
        place = settings.aws_region, endpoint_of(settings)
        if place[1]:
            self._check_reach(place[1], servers_endpoint)
        own = self._secrets.get("aws")
        if own is not None:
            vendor = await _vendor("ai.bedrock.credentials")
            key = vendor.AwsCredentials(own["access_key"], own["secret_key"], own.get("token"))
            return vendor.fixed(key), _mark(*place, own["access_key"])
        if not self._config.aws_ambient or place[1] not in ("", servers_endpoint):
            raise NotBuilt(NO_AWS_KEY)
        return (await _vendor("ai.bedrock.credentials")).ambient(), _mark(*place)

    def _servers_openai(self) -> bool:
        """Whether the server's OpenAI key is used: its operator pays."""
        same = self._settings.openai_base_url == self._config.settings.openai_base_url
        return same and "openai" not in self._secrets and self._config.openai_key is not None

    def _servers_aws(self) -> bool:
        return "aws" not in self._secrets

    def _check_offered(self, names: Sequence[EngineName], *same: str) -> None:
        """That the operator lets schools have one of these engines on its own account, with
        settings as it made them."""
        server = self._config.settings
        named = any(name in server.order for name in names)
        if not named or any(getattr(self._settings, one) != getattr(server, one) for one in same):
            raise NotBuilt(NOT_SERVERS)

    def _check_reach(self, address: str, servers_own: str) -> None:
        if address != servers_own and not may_reach(address, self._config.endpoints):
            raise NotBuilt(
                f"This server may not send lessons to {address}. Ask its operator to name the"
                " place in ENGINE_ENDPOINTS."
            )

    def _keep(self, made: T) -> T:
        if hasattr(made, "close"):
            self._closing.append(cast(Closes, made))
        return made


def may_reach(address: str, endpoints: Sequence[str]) -> bool:
    """Whether a school may have its lessons sent to an address.

    A school's admin can write any address, also one within the operator's own network; so only the
    operator says which places this server calls.
    """
    parts = urlsplit(address.lower())
    if not engines.is_place(parts.netloc):
        return False
    if parts.scheme == "https" and _BEDROCK.fullmatch(parts.netloc):
        return True
    for place in (OPENAI, *endpoints):
        scheme, _, host = place.lower().rstrip("/").partition("://")
        if parts.scheme != scheme:
            continue
        if parts.netloc == host or (host.startswith("*.") and parts.netloc.endswith(host[1:])):
            return True
    return False


def minds_provider(settings: EngineSettings) -> EngineName:
    """Which engine's provider also thinks for the cascade, and writes summaries."""
    return "nova-sonic" if settings.cascade_mind == "bedrock" else "openai-realtime"


def _text_endpoint(settings: EngineSettings) -> str:
    return settings.bedrock_text_endpoint or settings.bedrock_endpoint


def _mark(*about: object) -> str:
    """Tells apart what fails apart, without telling what it is."""
    return hashlib.sha256("\n".join(map(str, about)).encode()).hexdigest()[:12]


async def _vendor(name: str) -> Any:
    """A module that imports a vendor's package, imported away from the event loop."""
    try:
        return await asyncio.to_thread(import_module, name)
    except ImportError as problem:
        raise NotBuilt(f"{name} can't be loaded: {problem.name} is not installed.") from problem
