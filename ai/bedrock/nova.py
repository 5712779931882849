"""Amazon Nova 2 Sonic: a tutor that hears and speaks by itself."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from ai.bedrock.credentials import AwsCredentials, CredentialsSource
from ai.bedrock.h2duplex import tls
from ai.bedrock.leg import NovaLeg
from ai.bedrock.stream import NovaStream
from ai.bedrock.ticker import Ticker
from ai.bedrock.wire import prompt_end, prompt_start, session_end, session_start, text_block
from ai.engine import Brief, EngineUnavailable, Leg, Patience, Report, Utterance, Vad
from ai.events import Fault
from ai.tools import TOOLS

MODEL = "amazon.nova-2-sonic-v1:0"
PREPARED_WITHIN_S = 10.0
# Nova begins to speak 1 to 2 s after it was asked.
PATIENCE = Patience(answer_s=8.0, turn_s=10.0, told_s=2.5)
DEAF_S = 8.0  # of loud audio, where only Nova listens

# Facts 1.1, by primary language subtag; the first is taken where nothing else is wished for.
VOICES: dict[str, tuple[str, ...]] = {
    "en": ("tiffany", "matthew", "amy", "olivia"),
    "es": ("lupe", "carlos"),
    "fr": ("ambre", "florian"),
    "de": ("tina", "lennart"),
    "it": ("beatrice", "lorenzo"),
    "pt": ("carolina", "leo"),
    "hi": ("kiara", "arjun"),
}


@dataclass(frozen=True, slots=True)
class NovaSettings:
    """Where Nova is reached, and how it teaches."""

    region: str
    model: str = MODEL
    endpoint: str | None = None
    "Another address than the region's; `http://` is HTTP/2 without TLS."
    voice: str = "tiffany"
    sensitivity: str = "MEDIUM"
    "How soon it takes a pause for the end of a turn: HIGH 1.5 s, MEDIUM 1.75 s, LOW 2 s."
    max_tokens: int = 4096
    "Of one answer; 1,024 is the samples' and cuts long ones."
    lifetime_s: float = 480.0
    "Nova ends a session after 8 minutes."
    idle_s: float = 55.0
    "Nova ends a session that hears nothing for so long."
    ca_file: str | None = None
    "Certificates to trust instead of the system's."


class NovaSonic:
    """Opens legs; one per school's settings and process."""

    name = "nova-sonic"
    patience = Patience(answer_s=12.0, turn_s=10.0, ears_s=8.0, told_s=2.5)
    "A leg gives Nova 6 s to end a turn or answer it, and then helps itself; this is for that, too."
    languages: frozenset[str] | None = frozenset(VOICES)

    def __init__(
        self,
        settings: NovaSettings,
        credentials: CredentialsSource,
        vad: Vad | None,
        key: str = "nova-sonic",
    ) -> None:
        """`vad` None: Nova alone tells when the student speaks, which is later."""
        self.settings = settings
        self.key = key
        self._credentials = credentials
        self._vad = vad
        self.patience = PATIENCE if vad is not None else replace(PATIENCE, ears_s=DEAF_S)
        self._ticker = Ticker()
        default = f"https://bedrock-runtime.{settings.region}.amazonaws.com"
        self._endpoint = (settings.endpoint or default).rstrip("/")
        self._tls: ssl.SSLContext | None = None

    async def prepare(self, brief: Brief) -> "NovaStandby":
        """Open a stream, tell it of the lesson, and wait until Nova accepts that."""
        stream = NovaStream(str(uuid4()))
        try:
            async with asyncio.timeout(PREPARED_WITHIN_S):
                credentials = await self._credentials()
                await self._trust()
                await stream.open(
                    self._endpoint,
                    self.settings.region,
                    self.settings.model,
                    credentials,
                    self._tls,
                    self._introduction(stream.prompt, brief),
                )
        except TimeoutError as problem:
            stream.abort()
            fault = Fault("transient", "no_response", "Nova did not respond in time.")
            raise EngineUnavailable(fault.detail, fault=fault) from problem
        except BaseException:
            stream.abort()
            raise
        return NovaStandby(self, stream, credentials)

    async def _trust(self) -> None:
        """Read the certificates, once; that takes too long for the event loop."""
        if self._tls is not None or not self._endpoint.startswith("https://"):
            return
        try:
            self._tls = await asyncio.to_thread(tls, self.settings.ca_file)
        except OSError as problem:
            fault = Fault("terminal", "ca_file_unreadable", str(problem))
            raise EngineUnavailable(fault.detail, fault=fault) from problem

    async def close(self) -> None:
        """Nothing is shared that needs an end."""

    def begin(
        self,
        stream: NovaStream,
        memory: Sequence[Utterance],
        report: Report,
        step: int,
        clock_ms: int,
    ) -> Leg:
        """The leg on an open stream."""
        return NovaLeg(
            stream,
            self.settings.model,
            self._vad,
            self._ticker,
            memory,
            report,
            step,
            clock_ms,
        )

    def _introduction(self, prompt: str, brief: Brief) -> list[bytes]:
        """What Nova is told before the conversation."""
        settings = self.settings
        tools = [tool for tool in TOOLS if tool.name in brief.tools]
        events = [
            session_start(max_tokens=settings.max_tokens, sensitivity=settings.sensitivity),
            prompt_start(prompt, voice=voice_for(brief, settings.voice), tools=tools),
        ]
        instructions = brief.instructions or brief.title
        events += text_block(prompt, str(uuid4()), "SYSTEM", instructions, interactive=False)
        return events


class NovaStandby:
    """An open stream that has been told of the lesson, and of nothing that was said in it.

    It can't be kept for long: Nova ends it when no audio comes for `NovaSettings.idle_s`, and audio
    may come only after the history, which `begin` tells.
    """

    def __init__(self, engine: NovaSonic, stream: NovaStream, credentials: AwsCredentials) -> None:
        self._engine = engine
        self._stream = stream
        left_s = credentials.left_s()
        lifetime_s = engine.settings.lifetime_s
        self.lifetime_s: float | None = lifetime_s if left_s is None else min(lifetime_s, left_s)

    def begin(
        self,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> Leg:
        """The leg. If the stream has ended meanwhile, it tells so as its first event."""
        return self._engine.begin(self._stream, memory, report, step, clock_ms)

    async def close(self) -> None:
        await self._stream.close([prompt_end(self._stream.prompt), session_end()])


def voice_for(brief: Brief, default: str) -> str:
    """The lesson's wish where Nova has it, else `default`, unless that speaks another language."""
    of_language = VOICES.get(brief.language.split("-")[0].lower(), ())
    known = {voice for voices in VOICES.values() for voice in voices}
    wish = brief.voice.strip().lower()
    if wish in known:
        return wish
    if default in known and of_language and default not in of_language:
        return of_language[0]
    return default
