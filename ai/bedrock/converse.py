"""A language model on Bedrock, by ConverseStream over HTTP/1.1."""

import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx2
import orjson

from ai.bedrock.converse_wire import ConverseDecoder, refused, request
from ai.bedrock.credentials import CredentialsSource
from ai.bedrock.eventstream import Decoder
from ai.bedrock.signing import sign_request
from ai.engine import EngineError, EngineFailed, EngineUnavailable
from ai.events import Fault
from ai.language import Declared, ModelPiece, ModelTurn
from ai.retrying import patiently

CONNECT_S = 5.0
SILENT_S = 30.0  # between two bytes; callers that can't wait so long give up themselves
MOST_REFUSAL = 64 << 10  # bytes of an error's text that are read


@dataclass(frozen=True, slots=True)
class ConverseSettings:
    """Where a model is reached."""

    region: str
    model: str = "us.amazon.nova-2-lite-v1:0"
    endpoint: str | None = None
    "Another address than the region's."
    ca_file: str | None = None
    "Certificates to trust instead of the system's."


class ConverseModel:
    """A `LanguageModel`."""

    def __init__(self, settings: ConverseSettings, credentials: CredentialsSource) -> None:
        self.name = settings.model
        self._region = settings.region
        self._credentials = credentials
        default = f"https://bedrock-runtime.{settings.region}.amazonaws.com"
        host = (settings.endpoint or default).rstrip("/")
        self._url = f"{host}/model/{quote(settings.model, safe='')}/converse-stream"
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(SILENT_S, connect=CONNECT_S),
            verify=ssl.create_default_context(cafile=settings.ca_file),
        )

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        body = orjson.dumps(request(self.name, instructions, turns, tools, max_tokens))
        async with aclosing(patiently(partial(self._once, body))) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        await self._client.aclose()

    async def _once(self, body: bytes) -> AsyncGenerator[ModelPiece, None]:
        begun = False
        headers = sign_request(
            await self._credentials(),
            self._region,
            "POST",
            self._url,
            {
                "content-type": "application/json",
                "accept": "application/vnd.amazon.eventstream",
            },
            body,
        )
        frames, decoder = Decoder(), ConverseDecoder(self.name)
        try:
            async with self._client.stream(
                "POST", self._url, content=body, headers=headers
            ) as answer:
                if answer.status_code != 200:
                    raise await _refused(answer)
                async for data in answer.aiter_raw():
                    for message in frames.feed(data):
                        for piece in decoder.decode(message):
                            begun = True
                            yield piece
            decoder.end()
        except EngineError:
            raise
        except Exception as problem:
            fault = _fault_of(problem)
            raise (EngineFailed if begun else EngineUnavailable)(
                fault.code, fault=fault
            ) from problem


async def _refused(answer: Any) -> EngineUnavailable:
    body = b""
    async for data in answer.aiter_raw():
        body += data
        if len(body) > MOST_REFUSAL:
            break
    name = answer.headers.get("x-amzn-errortype", "")
    fault = refused(name, answer.status_code, body, _seconds(answer.headers.get("retry-after", "")))
    return EngineUnavailable(fault.code, fault=fault)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) < 6 else None


def _fault_of(problem: Exception) -> Fault:
    if isinstance(problem, httpx2.TimeoutException):
        return Fault("transient", "timed_out", "Bedrock did not answer in time.")
    return Fault("transient", "connection_lost", f"The connection broke: {type(problem).__name__}.")
