"""A language model behind OpenAI's Responses."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from openai import AsyncStream

from ai.language import Declared, ModelPiece, ModelTurn
from ai.openai.account import broken, client_of
from ai.openai.responses_wire import ResponsesDecoder, request
from ai.openai.settings import OpenAISettings
from ai.retrying import patiently


class ResponsesModel:
    """A `LanguageModel`."""

    def __init__(self, settings: OpenAISettings) -> None:
        self.name = settings.model
        self._client = client_of(settings)

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        body = request(self.name, instructions, turns, tools, max_tokens)
        async with aclosing(patiently(partial(self._once, body))) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        await self._client.close()

    async def _once(self, body: dict[str, object]) -> AsyncGenerator[ModelPiece, None]:
        begun = False
        decoder = ResponsesDecoder(self.name)
        try:
            opened = await self._client.post(
                "/responses",
                cast_to=object,
                body=body,
                stream=True,
                stream_cls=AsyncStream[object],
            )
            async with opened as events:
                async for event in events:
                    for piece in decoder.decode(event):
                        begun = True
                        yield piece
            decoder.end()
        except Exception as problem:
            raise broken(problem, begun=begun) from problem
