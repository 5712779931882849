"""What a leg asks of whoever finds the student's turns: `their_turns` or `our_turns`."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ai.engine import TurnDetection
from ai.openai import wire

STALL_S = 2.0  # a microphone that stops in mid-speech: the turn is over


class Turns(Protocol):
    """What a leg asks of either kind."""

    def hear(self, pcm: bytes) -> None: ...

    def detect(self, detection: TurnDetection | None) -> None: ...

    def commit(self, turn: str) -> None: ...

    def clear(self) -> None: ...

    def playing(self, on: bool) -> None: ...

    def began(self, fact: wire.VoiceBegan) -> None: ...

    def ended(self, fact: wire.VoiceEnded) -> None: ...

    def close(self) -> None: ...


class Stall:
    """Notices that the microphone stops in mid-speech."""

    def __init__(self, heard_ms: Callable[[], int], stalled: Callable[[], None]) -> None:
        self._heard_ms, self._stalled = heard_ms, stalled
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        self.stop()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(STALL_S, self._look, self._heard_ms())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, before_ms: int) -> None:
        if self._heard_ms() == before_ms:
            self._stalled()
        else:
            self.watch()
