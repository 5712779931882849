"""A language model behind chat completions: OpenAI's, or any server that speaks the same."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from openai import AsyncStream

from ai.language import Declared, ModelPiece, ModelTurn
from ai.openai.account import broken, client_of, refused_for
from ai.openai.chat_wire import ChatDecoder, adapted, dialect_of, request
from ai.openai.settings import OpenAISettings
from ai.retrying import patiently

MOST_ADAPTIONS = 3  # one of each kind


class ChatModel:
    """A `LanguageModel`; learns in its first calls what the server does not know."""

    def __init__(self, settings: OpenAISettings) -> None:
        self.name = settings.model
        self._client = client_of(settings)
        self._dialect = dialect_of(settings.base_url)

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        ask = partial(self._once, instructions, turns, tools, max_tokens)
        async with aclosing(patiently(ask)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        await self._client.close()

    async def _once(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        begun = False
        decoder = ChatDecoder(self.name)
        try:
            async with await self._open(instructions, turns, tools, max_tokens) as chunks:
                async for chunk in chunks:
                    for piece in decoder.decode(chunk):
                        begun = True
                        yield piece
            for piece in decoder.end():
                yield piece
        except Exception as problem:
            raise broken(problem, begun=begun) from problem

    async def _open(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncStream[object]:
        for _ in range(MOST_ADAPTIONS):
            dialect = self._dialect
            body = request(self.name, instructions, turns, tools, max_tokens, dialect)
            try:
                return await self._post(body)
            except Exception as problem:
                known = adapted(dialect, refused_for(problem))
                if known is None:
                    raise
                self._dialect = known
        return await self._post(
            request(self.name, instructions, turns, tools, max_tokens, self._dialect)
        )

    async def _post(self, body: dict[str, object]) -> AsyncStream[object]:
        """The chunks as they come: the package's own types would only be taken apart again."""
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            body=body,
            stream=True,
            stream_cls=AsyncStream[object],
        )
