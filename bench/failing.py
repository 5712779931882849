"""Providers of `bench.faults`: each a simulator and an engine that uses it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.nova import NovaSettings, NovaSonic
from ai.engine import Vad, VoiceEngine
from ai.openai.realtime import OpenAIRealtime
from ai.openai.settings import OpenAISettings
from tests.fakes.ears import Recognise
from tests.fakes.faults import Fault
from tests.fakes.h2_server import Wire
from tests.fakes.mind import Script
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners
from tests.fakes.openai_manners import Manners as OpenAIManners
from tests.fakes.openai_server import OpenAISimulator
from tests.fakes.signatures import ACCESS_KEY, REGION, SECRET_KEY


class Provider(Protocol):
    """A simulator, while it runs as a context."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: Any) -> None: ...

    @property
    def streams(self) -> int:
        """That were ever opened."""

    @property
    def open_streams(self) -> int: ...

    @property
    def violations(self) -> Sequence[Any]:
        """What the client did that the provider does not allow."""

    def fail(self, fault: str, streams: int) -> None:
        """Each of the next streams meets it."""

    def arm(self, fault: str) -> None:
        """Each open stream meets it where it has its place."""

    def recover(self) -> None:
        """From now on all is well."""

    def engine(self, vad: Vad, key: str) -> VoiceEngine: ...


class NovaProvider:
    """Nova 2 Sonic."""

    def __init__(self, script: Script, ears: Recognise) -> None:
        manners = Manners(script=script, ears=ears, silence_ms=500, speed=1.4)
        self._nova = Nova(manners, wire=Wire(split=False))

    async def __aenter__(self) -> Self:
        await self._nova.__aenter__()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._nova.__aexit__(None, None, None)

    @property
    def streams(self) -> int:
        return len(self._nova.streams)

    @property
    def open_streams(self) -> int:
        return self._nova.open_streams

    @property
    def violations(self) -> Sequence[Any]:
        return self._nova.violations

    def fail(self, fault: str, streams: int) -> None:
        self._nova.fail(fault, streams)

    def arm(self, fault: str) -> None:
        self._nova.arm(fault)

    def recover(self) -> None:
        self._nova.faults.clear()

    def engine(self, vad: Vad, key: str) -> VoiceEngine:
        settings = NovaSettings(REGION, endpoint=self._nova.endpoint)
        return NovaSonic(settings, fixed(AwsCredentials(ACCESS_KEY, SECRET_KEY)), vad, key=key)


class OpenAIProvider:
    """OpenAI Realtime."""

    def __init__(self, script: Script, ears: Recognise) -> None:
        self._openai = OpenAISimulator(OpenAIManners(script=script, ears=ears))

    async def __aenter__(self) -> Self:
        await self._openai.listen("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._openai.end()

    @property
    def streams(self) -> int:
        return self._openai.opened

    @property
    def open_streams(self) -> int:
        return len(self._openai.open)

    @property
    def violations(self) -> Sequence[Any]:
        return self._openai.violations

    def fail(self, fault: str, streams: int) -> None:
        self._openai.faults.plan(Fault(fault), streams)

    def arm(self, fault: str) -> None:
        for session in self._openai.open:
            session.arm(Fault(fault))

    def recover(self) -> None:
        self._openai.faults.clear()

    def engine(self, vad: Vad, key: str) -> VoiceEngine:
        settings = OpenAISettings(self._openai.key, self._openai.base_url)
        return OpenAIRealtime(settings, vad, key=key)


PROVIDERS: dict[str, Callable[[Script, Recognise], Provider]] = {
    "nova": NovaProvider,
    "openai": OpenAIProvider,
}
