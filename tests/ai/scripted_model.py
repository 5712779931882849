"""A language model that says what a test has written, and keeps what it was told."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ai.language import Declared, ModelPiece, ModelTurn, Said, Stopped, TextDelta


class ScriptedModel:
    """Each round takes the next script: pieces, exceptions to raise, events to wait for.

    Without a script left it echoes all it was given as JSON-less text, so that a test can see what
    came in which part.
    """

    name = "scripted-1"

    def __init__(self, *scripts: Sequence[ModelPiece | Exception | asyncio.Event]) -> None:
        self.scripts = list(scripts)
        self.asked: list[tuple[str, list[ModelTurn], list[str], int]] = []
        self.open = 0
        self.closed = False

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        self.asked.append((instructions, list(turns), [tool.name for tool in tools], max_tokens))
        self.open += 1
        try:
            if not self.scripts:
                yield TextDelta(f"SYSTEM {instructions} END.\n")
                for turn in turns:
                    yield TextDelta(f"{type(turn).__name__} {turn}\n")
                yield Stopped("end")
                return
            for piece in self.scripts.pop(0):
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                else:
                    yield piece
        finally:
            self.open -= 1

    async def close(self) -> None:
        self.closed = True


def says(text: str) -> list[ModelPiece]:
    """A round of words alone, in pieces of three characters."""
    pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
    return [*map(TextDelta, pieces), Stopped("end")]


def student_side(turns: Sequence[ModelTurn]) -> str:
    return "\n".join(
        turn.text for turn in turns if isinstance(turn, Said) and turn.role == "student"
    )
