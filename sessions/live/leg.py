"""The engine's side of a session: one leg at a time, replaced when it breaks.

What is said to the engine while there is no leg waits, in order, and follows when there is one:
audio, turns, typed words. An answer that was asked for meanwhile is asked for again.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable

import structlog

from ai.audio import BYTES_PER_MS
from ai.engine import Leg, VoiceEngine
from ai.events import EngineEvent
from sessions.live.actions import (
    Action,
    Answer,
    Cancel,
    Clear,
    Commit,
    Detect,
    Give,
    Listen,
    Playing,
    Read,
)
from sessions.live.conversation import Conversation

PATIENCE_S = (0.2, 0.6)  # between the first tries; nobody is told of them
AWAY_S = 15.0  # between later ones
FULL_WAIT_S = 0.25  # the door stops reading audio for so long while there is no leg

log = structlog.get_logger()


class Line:
    """A session's line to its engine. Saying something never waits and never raises."""

    def __init__(
        self,
        engine: VoiceEngine,
        conversation: Conversation,
        *,
        report: Callable[[EngineEvent], None],
        back: Callable[[str], None],
        gone: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._conversation = conversation
        self._report = report
        self._back = back
        self._gone = gone
        self._leg: Leg | None = None
        self._number = 0
        "Of the leg that may report; older ones are not listened to."
        self._waiting: list[bytes | Action] = []
        self._reopening: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        "Somebody asks for an answer: no time to wait."
        self._away = False
        "It was told that there is no leg; what is said now is lost."
        self._closed = False

    async def open(self) -> None:
        """Open a leg that knows what the log holds. Raises EngineUnavailable."""
        conversation = self._conversation
        self._waiting = [one for one in self._waiting if not isinstance(one, Read)]
        waiting_ms = sum(len(one) for one in self._waiting if isinstance(one, bytes))
        self._number += 1
        standby = await self._engine.prepare(conversation.brief)
        self._leg = standby.begin(
            conversation.memory(),
            self._listener(self._number),
            step=conversation.progress.step,
            clock_ms=conversation.turns.media_ms - waiting_ms // BYTES_PER_MS,
        )

    def hear(self, pcm: bytes) -> float:
        """Student audio. Returns for how many seconds it should be read no further."""
        if self._leg is not None:
            self._leg.hear(pcm)
            return 0.0
        if self._away:
            return 0.0
        self._waiting.append(pcm)
        return FULL_WAIT_S

    def say(self, action: Action) -> None:
        """Pass on what was decided."""
        if self._leg is not None:
            _instruct(self._leg, action)
        elif isinstance(action, Answer):
            self._wanted.set()
        elif not self._away and not isinstance(action, Detect | Playing | Give):
            self._waiting.append(action)

    def reopen(self, reason: str) -> None:
        """The leg broke: go on from the log on a fresh one. It is told when that is done."""
        if self._closed or self._leg is None:
            return
        broken, self._leg = self._leg, None
        self._number += 1
        self._reopening = asyncio.create_task(self._open_again(broken, reason))

    async def close(self) -> None:
        """Nothing is reported afterwards."""
        self._closed = True
        self._number += 1
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        leg, self._leg = self._leg, None
        if leg is not None:
            await leg.close()

    async def _open_again(self, broken: Leg | None, reason: str) -> None:
        if broken is not None:
            with contextlib.suppress(Exception):
                await broken.close()
        for wait_s in itertools.chain(PATIENCE_S, itertools.repeat(AWAY_S)):
            self._wanted.clear()
            try:
                await self.open()
            except Exception as problem:
                log.warning("leg.open_failed", problem=type(problem).__name__)
            else:
                self._catch_up(reason)
                return
            if wait_s == AWAY_S:
                self._away = True
                self._waiting.clear()
                self._gone()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wanted.wait()

    def _catch_up(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, []
        self._away = False
        leg = self._leg
        if leg is None:
            return
        leg.detect(self._conversation.floor.detection())
        for one in waiting:
            if isinstance(one, bytes):
                leg.hear(one)
            else:
                _instruct(leg, one)
        log.info("leg.reopened", reason=reason)
        self._back(reason)

    def _listener(self, number: int) -> Callable[[EngineEvent], None]:
        def listen(event: EngineEvent) -> None:
            if number == self._number:
                self._report(event)

        return listen


def _instruct(leg: Leg, action: Action) -> None:
    match action:
        case Detect(detection):
            leg.detect(detection)
        case Commit(turn):
            leg.commit(turn)
        case Clear():
            leg.clear()
        case Listen(turn, pcm):
            leg.listen(turn, pcm)
        case Read(text):
            leg.read(text)
        case Answer(ask):
            leg.answer(ask)
        case Cancel(answer, heard):
            leg.cancel(answer, heard)
        case Give(_, call, output):
            leg.give(call, output)
        case Playing(on):
            leg.playing(on)
