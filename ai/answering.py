"""The tutor's side of a cascade: an answer is thought and spoken at once, sentence by sentence.

Thinking runs ahead of speaking, within a bound. A mind that is worth it (`prepares`) begins to
think while the student's turn may still go on; such an answer is nobody's yet. It uses no tool and
nothing of it is reported before it is asked for, with just the conversation that it was thought
for; else it is thrown away.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import structlog

from ai.ahead import Ahead
from ai.audio import duration_ms
from ai.engine import (
    Ask,
    Brief,
    ChatEngine,
    Cue,
    EngineError,
    EngineFailed,
    Keep,
    Moved,
    Piece,
    Report,
    Say,
    Speaker,
    Spent,
    Spoken,
    UseTool,
    Utterance,
)
from ai.events import (
    AnswerEnded,
    Failed,
    Fault,
    Kept,
    Progressed,
    Spoke,
    ToolCalled,
    Used,
)

AHEAD = 12  # pieces thought but not spoken; three to six sentences
SOUNDS_AHEAD = 200  # pieces of one sentence's sound, which is some 15 s at most
UNASKED_S = 3.0  # an answer thought ahead that nobody asks for after the turn is over
FAULTS_IN_A_ROW = 2  # transient ones: then it is not the answer's fault but the engine's

Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"Starts a task that ends with the leg at the latest."

log = structlog.get_logger()


class Thinking:
    """An answer as it is thought, from its beginning to `stop`; nothing is lost by waiting."""

    def __init__(
        self, mind: ChatEngine, brief: Brief, memory: Sequence[Utterance], cue: Cue
    ) -> None:
        self.memory = list(memory)
        "What it answers."
        self.first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        "Its first sentence."
        self._use: asyncio.Future[UseTool] = asyncio.get_running_loop().create_future()
        self._ahead = Ahead(self._think(mind, brief, cue), AHEAD)

    async def _think(self, mind: ChatEngine, brief: Brief, cue: Cue) -> AsyncGenerator[Piece, None]:
        reply = mind.reply(brief, self.memory, cue, self._use_tool)
        async with aclosing(reply) as pieces:
            async for piece in pieces:
                if isinstance(piece, Say) and not self.first.done():
                    self.first.set_result(piece.text)
                yield piece

    async def _use_tool(self, name: str, arguments: str) -> str:
        """A tool is used once the answer is asked for: until then it may not be wanted."""
        use = await asyncio.shield(self._use)
        return await use(name, arguments)

    def pieces(self, use: UseTool) -> AsyncGenerator[Piece, None]:
        """The answer, asked for at last. Raises what the mind raised."""
        if not self._use.done():
            self._use.set_result(use)
        return self._ahead.pieces()

    async def stop(self) -> list[Spent]:
        """It is not wanted, or over. Returns what it cost that nobody was told of, once."""
        self._use.cancel()
        self.first.cancel()
        return [piece for piece in await self._ahead.stop() if isinstance(piece, Spent)]


class Prepared:
    """An answer that is thought before anybody asks for it, and its first sentence as sound."""

    def __init__(
        self,
        thinking: Thinking,
        speak: Callable[[Ask, str], Ahead[Spoken]] | None = None,
        like: Ask | None = None,
    ) -> None:
        """`like` is how it will probably be asked for; None, or without sound: only thought."""
        self.thinking = thinking
        self._like = like
        self._speech: tuple[str, Ahead[Spoken]] | None = None
        self._task: asyncio.Task[None] | None = None
        if speak is not None and like is not None and like.sound:
            self._task = asyncio.create_task(self._speak_first(partial(speak, like)))

    async def _speak_first(self, speak: Callable[[str], Ahead[Spoken]]) -> None:
        text = await self.thinking.first
        self._speech = text, speak(text)

    def speech(self, ask: Ask, text: str) -> Ahead[Spoken] | None:
        """The sound of a sentence, if just this was spoken ahead; it is the caller's to stop."""
        if self._speech is None or self._like is None or self._speech[0] != text:
            return None
        if (ask.voice, ask.speed) != (self._like.voice, self._like.speed):
            return None
        (_, speech), self._speech = self._speech, None
        return speech

    async def stop(self) -> list[Spent]:
        """It is not wanted, or over. Returns what it cost that nobody was told of, once."""
        spent = await self.thinking.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._speech is not None:
            spent += _spent(await self._speech[1].stop())
        return spent


class Answering:
    """One session's answers."""

    def __init__(
        self,
        mind: ChatEngine,
        speaker: Speaker,
        brief: Brief,
        memory: list[Utterance],
        report: Report,
        start: Start,
        step: int,
        *,
        prepares: bool,
    ) -> None:
        """`memory` is the leg's own: the student's side is written by who hears."""
        self.step = step
        "Of the plan, as far as the student was told."
        self._mind = mind
        self._speaker = speaker
        self._brief = brief
        self._memory = memory
        self._before = len(memory)
        "How much of it was said before this leg began."
        self._report = report
        self._start = start
        self._prepares = prepares and getattr(mind, "prepares", False)
        self._prepared: Prepared | None = None
        self._asked: Ask | None = None
        "The last one: the next will want the same voice."
        self._dropped: set[asyncio.Task[None]] = set()
        "Thoughts on their way out."
        self._unasked: asyncio.TimerHandle | None = None
        self._said: dict[str, tuple[int, int]] = {}
        "Answer -> its place in the memory, and the step it was asked at."
        self._answer: tuple[str, asyncio.Task[None]] | None = None
        self._calls = 0
        self._results: dict[str, asyncio.Future[str]] = {}
        "Tool calls under way, by their id."
        self._faults = 0

    # ---- thinking ahead ----------------------------------------------------------------------

    def prepare(self, turn: Utterance) -> None:
        """Begin to think of an answer to a turn that may be over; it is not in the memory yet."""
        if self._prepares and self._answer is None and turn.text:
            self.drop_prepared()
            memory = [*self._told(), turn]
            thinking = Thinking(self._mind, self._brief, memory, "student")
            self._prepared = Prepared(thinking, self._speech, self._asked)

    def drop_prepared(self) -> None:
        """The student goes on, or somebody else does."""
        if self._unasked is not None:
            self._unasked.cancel()
            self._unasked = None
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            dropped = asyncio.create_task(self._stop(prepared))
            self._dropped.add(dropped)
            dropped.add_done_callback(self._dropped.discard)

    async def _stop(self, prepared: Prepared) -> None:
        """It is paid for, wanted or not."""
        self._tell(await prepared.stop())

    def _tell(self, spent: Sequence[Spent]) -> None:
        for one in spent:
            self._report(Used(one.unit, one.quantity, one.model))

    def expect(self) -> None:
        """The turn is over: an answer that is not asked for now is not wanted."""
        if self._prepared is not None and self._unasked is None:
            loop = asyncio.get_running_loop()
            self._unasked = loop.call_later(UNASKED_S, self.drop_prepared)

    async def close(self) -> None:
        """What is thought ahead is not wanted any more; answers under way are the leg's tasks."""
        self.drop_prepared()
        await asyncio.gather(*self._dropped)

    def _begun(self, memory: Sequence[Utterance], ask: Ask) -> Prepared:
        """What was thought ahead, if it is this; else a fresh start."""
        prepared = self._prepared
        if prepared is not None and ask.cue == "student" and prepared.thinking.memory == memory:
            self._prepared = None
            return prepared
        self.drop_prepared()
        return Prepared(Thinking(self._mind, self._brief, memory, ask.cue))

    def _told(self) -> list[Utterance]:
        return [line for line in self._memory if line.text]

    # ---- answers -----------------------------------------------------------------------------

    def answer(self, ask: Ask, heard: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Answer, once the words are there that `heard` waits for."""
        if self._unasked is not None:
            self._unasked.cancel()
            self._unasked = None
        self._answer = (ask.answer, self._start(self._answering(ask, heard)))

    def cancel(self, answer: str, heard: str) -> None:
        self.drop_prepared()
        begun = self._answer is not None and self._answer[0] == answer
        if self._answer is not None and begun:
            self._answer[1].cancel()
            self._answer = None
        if answer in self._said:
            place, step = self._said[answer]
            self._memory[place] = replace(self._memory[place], text=heard)
            if not heard:  # it never happened: the ears expect answers to the question before
                self.step = step
        elif not begun:
            self._cut_before(heard)

    def _cut_before(self, heard: str) -> None:
        """An answer of the leg before this one was still playing: of its end nothing was heard."""
        for place in reversed(range(self._before)):
            line = self._memory[place]
            if line.role == "tutor":
                if line.text.startswith(heard):
                    self._memory[place] = replace(line, text=heard)
                return

    def give(self, call: str, output: str) -> None:
        result = self._results.get(call)
        if result is not None and not result.done():
            result.set_result(output)

    async def _answering(self, ask: Ask, heard: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await heard()
        place = len(self._memory)
        begun, self._asked = self._begun(self._told(), ask), ask
        self._said[ask.answer] = (place, self.step)
        self._memory.append(Utterance("tutor", ""))
        try:
            finished = await self._spoken(ask, begun, place)
        except Exception as problem:  # a student must never wait for an answer that broke
            self._forget(ask)
            self._failed(ask, problem)
            return
        finally:
            await self._stop(begun)
        self._forget(ask)
        self._faults = 0
        self._report(AnswerEnded(ask.answer, finished))

    async def _spoken(self, ask: Ask, begun: Prepared, place: int) -> bool:
        """Say it, piece by piece; whether it closes the lesson."""
        finished = False
        said: list[str] = []
        data: dict[str, Any] = {}
        async with aclosing(begun.thinking.pieces(partial(self._use, ask.answer))) as pieces:
            async for piece in pieces:
                match piece:
                    case Spent():
                        self._tell([piece])
                    case Keep():
                        data, finished = dict(piece.data), piece.finished
                        self._report(Kept(ask.answer, data))
                    case Moved():
                        self.step = piece.step
                        self._report(Progressed(piece.step, piece.status))
                    case Say():
                        await self._say(ask, piece.text, begun.speech(ask, piece.text))
                        said.append(piece.text)
                self._memory[place] = Utterance("tutor", " ".join(said), data)
        return finished

    def _forget(self, ask: Ask) -> None:
        if self._answer is not None and self._answer[0] == ask.answer:
            self._answer = None

    def _failed(self, ask: Ask, problem: Exception) -> None:
        """This answer broke; where the engine will not do better with the next one, all of it."""
        fault = problem.fault if isinstance(problem, EngineError) else None
        log.warning(
            "answer.failed",
            problem=type(problem).__name__,
            fault=fault.code if fault else None,
            exc_info=None if fault else problem,
        )
        name = type(problem).__name__
        self._faults += 1
        if fault is None or (fault.kind == "transient" and self._faults < FAULTS_IN_A_ROW):
            code = fault.code if fault else "engine_failed"
            self._report(Failed(code, name, ask.answer, fault))
        else:
            self._report(Failed(fault.code, name, fault=fault))

    async def _use(self, answer: str, name: str, arguments: str) -> str:
        """What a tool came to; the caller carries it out."""
        self._calls += 1
        call = f"call_{self._calls}"
        self._results[call] = asyncio.get_running_loop().create_future()
        self._report(ToolCalled(answer, call, name, arguments))
        try:
            output = await self._results[call]
        finally:
            del self._results[call]
        self.step = _open_step(output, self.step)
        return output

    def _speech(self, ask: Ask, text: str) -> Ahead[Spoken]:
        speech = self._speaker.speak(
            text, language=self._brief.language, voice=ask.voice, speed=ask.speed
        )
        return Ahead(speech, SOUNDS_AHEAD)

    async def _say(self, ask: Ask, text: str, spoken: Ahead[Spoken] | None) -> None:
        """One sentence; its text comes with the first of its sound."""
        if not ask.sound:
            self._report(Spoke(ask.answer, text))
            return
        speech = spoken or self._speech(ask, text)
        try:
            await self._sounded(ask, text, speech)
        finally:
            self._tell(_spent(await speech.stop()))

    async def _sounded(self, ask: Ask, text: str, speech: Ahead[Spoken]) -> None:
        told = ""
        async with aclosing(speech.pieces()) as pieces:
            async for piece in pieces:
                self._tell(piece.spent)
                if not piece.pcm:
                    continue
                self._report(Used("audio_out_ms", duration_ms(piece.pcm), piece.model))
                self._report(Spoke(ask.answer, "" if told else text, piece.pcm, piece.words))
                told = text
        if not told:
            raise EngineFailed(
                "no sound came", fault=Fault("transient", "no_sound", "The voice said nothing.")
            )


def _spent(sounds: Sequence[Spoken]) -> list[Spent]:
    """What sounds that nobody hears cost all the same."""
    return [spent for sound in sounds for spent in sound.spent]


def _open_step(output: str, step: int) -> int:
    """The step that is open after a tool was used, from 0: `open_step` of its result, from 1."""
    try:
        found = orjson.loads(output)
    except orjson.JSONDecodeError:
        return step
    number = found.get("open_step") if isinstance(found, dict) else None
    return number - 1 if type(number) is int and number > 0 else step
