"""The tutor that a language model is: a lesson's brief and conversation in, sentences to say out.

The system part is the compiled brief, and what the platform says of this kind of conversation
(`prompts/conversation.md`); nothing else. What the student said and what tools brought are turns
(`ai.mind_turns`). The model's text is cut into sentences as it comes (`ai.sayable`), and each is
given at once; tools are used between, in rounds. Where the lesson is, the tools know, not the
model's words. Whatever the model does, an answer ends: there are bounds on its length, its rounds,
and the time it may take.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from importlib.resources import files

from ai.engine import (
    Brief,
    Cue,
    EngineError,
    EngineFailed,
    EngineUnavailable,
    Piece,
    Say,
    Spent,
    UseTool,
    Utterance,
)
from ai.events import Fault
from ai.language import (
    LanguageModel,
    ModelPiece,
    ModelTurn,
    Said,
    Stopped,
    TextDelta,
    ToolResult,
    ToolUse,
)
from ai.mind_turns import note, plain, turns_of
from ai.sayable import Sentences
from ai.tools import Tool, named

CONVERSATION = (
    files(__package__).joinpath("prompts", "conversation.md").read_text(encoding="utf-8").strip()
)
MOST_HELD = 20_000  # characters of text in one round, with all that is not to be said
NO_MORE_TOOLS = '{"error":"No more tools in this answer. Speak to the student now."}'
TOO_LATE = '{"error":"The tool took too long. Go on without it."}'
SPEAK = "Speak to the student now, in one to three short sentences."


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an answer may go."""

    tokens: int = 500
    "A round. Three spoken sentences are some 80; formulas and tools take more."
    more_tokens: int = 2_000
    "Once, where a model spent all of them on thinking and said nothing."
    characters: int = 1_200
    "Said in one answer; more than a minute of speech."
    rounds: int = 4
    "Of asking the model; three of them may end in tools."
    calls: int = 4
    "Tools used at once."
    first_s: float = 8.0
    "To the model's first sign of life in a round, and between two of them."
    total_s: float = 60.0
    "Of all the time waited for the model in one answer."
    tool_s: float = 10.0
    cost_s: float = 2.0
    "To what an answer that was cut off cost, which a model tells last; what it says until then is"
    " not wanted, but paid for."


class LanguageTutor:
    """A `ChatEngine` that asks a language model; holds nothing of any lesson."""

    prepares = True
    "Worth asking before the student has certainly finished; see `ai.answering`."

    def __init__(self, model: LanguageModel, limits: Limits | None = None) -> None:
        self.name = model.name
        self._model = model
        self._limits = limits or Limits()

    async def reply(
        self, brief: Brief, memory: Sequence[Utterance], cue: Cue, use: UseTool
    ) -> AsyncGenerator[Piece, None]:
        """The next answer to `memory`.

        Raises:
            EngineUnavailable, EngineFailed: If the model can't be asked, breaks, is too slow or
                says nothing; sentences may have come before.
        """
        turns = turns_of(brief, memory, cue)
        async with aclosing(self._answer(brief, turns, use)) as pieces:
            async for piece in pieces:
                yield piece

    async def _answer(
        self, brief: Brief, turns: list[ModelTurn], use: UseTool
    ) -> AsyncGenerator[Piece, None]:
        instructions = f"{brief.instructions}\n\n{CONVERSATION}"
        tools = named(brief.tools)
        budget = _Budget(self._limits)
        tokens = self._limits.tokens
        for number in range(self._limits.rounds):
            part = _Round()
            async with aclosing(
                self._round(instructions, turns, tools, tokens, budget, part)
            ) as pieces:
                async for piece in pieces:
                    yield piece
            if budget.said_enough or (not part.uses and budget.said):
                return
            if part.uses:
                last = number == self._limits.rounds - 1
                results = await self._results(part.uses, use, last=last)
                turns += [*part.turns(), *results]
            elif part.stopped == "length":
                tokens = self._limits.more_tokens
            else:
                _ask_to_speak(turns)
        if not budget.said:
            raise EngineFailed(
                "the model said nothing",
                fault=Fault("transient", "empty_answer", "The model said nothing."),
            )

    async def _round(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Tool],
        tokens: int,
        budget: "_Budget",
        part: "_Round",
    ) -> AsyncGenerator[Piece, None]:
        """Ask the model once; what it says is given as it comes, the rest is noted in `part`."""
        sentences = Sentences()
        async with aclosing(self._model.stream(instructions, turns, tools, tokens)) as stream:
            while (piece := await budget.next(stream)) is not None:
                match piece:
                    case TextDelta(text):
                        text = text[: MOST_HELD - len(part.text)]
                        part.text += text
                        for sentence in sentences.feed(text):
                            yield budget.say(sentence)
                            if budget.said_enough:
                                for spent in await self._cost(stream):
                                    yield spent
                                return
                    case ToolUse():
                        part.uses.append(piece)
                    case Spent():
                        yield piece
                    case Stopped(reason):
                        part.stopped = reason
                        for sentence in sentences.end():
                            yield budget.say(sentence)
        for sentence in sentences.end():
            yield budget.say(sentence)

    async def _cost(self, stream: AsyncGenerator[ModelPiece, None]) -> list[Spent]:
        """Read on to what the round cost, within bounds."""
        spent: list[Spent] = []
        with suppress(EngineError, TimeoutError):
            async with asyncio.timeout(self._limits.cost_s):
                async for piece in stream:
                    if isinstance(piece, Spent):
                        spent.append(piece)
        return spent

    async def _results(
        self, uses: Sequence[ToolUse], use: UseTool, *, last: bool
    ) -> list[ToolResult]:
        """What the tools came to, all at once; the model is told of each that was refused."""
        allowed = [] if last else uses[: self._limits.calls]

        async def result(call: ToolUse) -> ToolResult:
            try:
                async with asyncio.timeout(self._limits.tool_s):
                    return ToolResult(call.call, plain(await use(call.name, call.arguments)))
            except TimeoutError:
                return ToolResult(call.call, TOO_LATE)

        done = await asyncio.gather(*map(result, allowed))
        return [*done, *(ToolResult(call.call, NO_MORE_TOOLS) for call in uses[len(allowed) :])]


@dataclass(slots=True)
class _Round:
    """What the model did when it was asked once."""

    text: str = ""
    uses: list[ToolUse] = field(default_factory=list)
    stopped: str = ""

    def turns(self) -> list[ModelTurn]:
        """As the model is reminded of it."""
        said = plain(self.text).strip()
        return [*([Said("tutor", said)] if said else []), *self.uses]


class _Budget:
    """What is left of an answer's bounds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left_s = limits.total_s
        self.said = 0

    @property
    def said_enough(self) -> bool:
        return self.said >= self._limits.characters

    def say(self, sentence: str) -> Say:
        self.said += len(sentence)
        return Say(sentence)

    async def next(self, stream: AsyncGenerator[ModelPiece, None]) -> ModelPiece | None:
        """The model's next piece; None: there is none.

        Time counts only while the model is waited for.

        Raises:
            EngineUnavailable: If it is too slow and has said nothing; EngineFailed: if it has.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(min(self._limits.first_s, self._left_s)):
                return await anext(stream, None)
        except TimeoutError as problem:
            kind = EngineFailed if self.said else EngineUnavailable
            fault = Fault("transient", "model_slow", "The model was too slow.")
            raise kind(fault.detail, fault=fault) from problem
        finally:
            self._left_s = max(0.0, self._left_s - (clock() - began))


def _ask_to_speak(turns: list[ModelTurn]) -> None:
    """The model said nothing: it is told to, on the student's side."""
    last = turns[-1]
    if isinstance(last, Said) and last.role == "student":
        turns[-1] = Said("student", f"{last.text}\n{note(SPEAK)}")
    else:
        turns.append(Said("student", note(SPEAK)))
