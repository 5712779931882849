"""A leg to a scripted Nova, with what it reported; the part of the session is played as well."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from ai.bedrock.credentials import fixed
from ai.bedrock.leg import NovaLeg
from ai.bedrock.nova import NovaSettings, NovaSonic
from ai.engine import Ask, Brief, Step, TurnDetection, Utterance
from ai.events import AnswerEnded, EngineEvent, SpeechConfirmed, SpeechStopped, Spoke
from ai.turns import WINDOW_MS
from tests.ai.bedrock.nova_peer import REGION, WHO, NovaPeer, nova
from tests.ai.bedrock.peer import until
from tests.ai.cascade_stage import ScriptedVad

T = TypeVar("T")
BRIEF = Brief("You are a tutor.", "T", "G", "en", "Hello.", "Bye.", (Step("What?", (), "S"),))
DETECTION = TurnDetection(silence_ms=640)


class Stage:
    """Asks when a turn is over, and cancels when the student speaks, as sessions do."""

    def __init__(self, peer: NovaPeer) -> None:
        self.peer = peer
        self.vad = ScriptedVad()
        self.events: list[EngineEvent] = []
        self.asks = True
        self.leg: NovaLeg
        self.current = ""
        self._asked = 0

    def report(self, event: EngineEvent) -> None:
        self.events.append(event)
        if isinstance(event, SpeechConfirmed) and self.current:
            self.leg.cancel(self.current, "")
            self.current = ""
        if isinstance(event, SpeechStopped) and self.asks:
            self.ask("student")

    def ask(self, cue: str, *, sound: bool = True) -> str:
        self._asked += 1
        self.current = f"answer_{self._asked}"
        self.leg.answer(Ask(self.current, cue, sound))  # type: ignore[arg-type]
        return self.current

    def speak(self, ms: int, voice: bool = True) -> None:
        for _ in range(ms // WINDOW_MS):
            self.leg.hear((b"\1\1" if voice else b"\0\0") * (WINDOW_MS * 24))

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[T], count: int = 1) -> T:
        await until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    def said(self, answer: str) -> str:
        pieces = [event.text for event in self.of(Spoke) if event.answer == answer and event.text]
        return " ".join(pieces)

    def ended(self, answer: str) -> int:
        return sum(event.answer == answer for event in self.of(AnswerEnded))


@asynccontextmanager
async def staged(
    *,
    vad: bool = True,
    memory: Sequence[Utterance] = (),
    brief: Brief = BRIEF,
    step: int = 0,
    detection: TurnDetection | None = DETECTION,
) -> AsyncIterator[Stage]:
    peers: list[NovaPeer] = []
    async with nova(peers) as url:
        settings = NovaSettings(REGION, endpoint=url.geturl())
        stage = Stage(NovaPeer())
        engine = NovaSonic(settings, fixed(WHO), stage.vad if vad else None)
        standby = await engine.prepare(brief)
        stage.peer = peers[0]
        leg = standby.begin(memory, stage.report, step=step)
        assert isinstance(leg, NovaLeg)
        stage.leg = leg
        leg.detect(detection)
        try:
            yield stage
        finally:
            await leg.close()
            await stage.peer.gone
            assert stage.vad.open == 0
