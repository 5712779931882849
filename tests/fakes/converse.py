"""Amazon Bedrock's Converse and ConverseStream as a local server, over HTTP/1.1.

It verifies who signs, keeps the rules of `converse_rules`, and cuts its event stream anywhere.
"""

import asyncio
import contextlib
import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from tests.fakes import converse_rules, mind
from tests.fakes.certificates import self_signed
from tests.fakes.converse_rules import Asked, Invalid
from tests.fakes.faults import HUGE_BYTES, KINDS, Fault, Faults
from tests.fakes.frames import encode
from tests.fakes.mind import Reply, Script
from tests.fakes.signatures import Secret, Unsigned, verify_request

MODELS = frozenset({"us.amazon.nova-2-lite-v1:0", "global.amazon.nova-2-lite-v1:0"})
NAMES = (*KINDS, "exception", "unauthorized", "malformed_tool_use")
"Those that concern sound or sessions do nothing here."
_PATH = re.compile(r"/model/([^/]+)/converse(-stream)?$")
_BEFORE = {
    "throttled": (
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
    ),
    "server_error": (500, "InternalServerException", "The server had an error."),
    "unauthorized": (403, "AccessDeniedException", "You don't have access to the model."),
}


class Gone(Exception):
    """The connection is to be cut."""


@dataclass(slots=True)
class Converse:
    """The service. `async with Converse() as converse:` and go to `converse.endpoint`."""

    script: Script | None = None
    secret: Secret = field(default_factory=Secret)
    strict: bool = True
    tls: bool = False
    port: int = 0
    models: frozenset[str] = MODELS
    delta_s: float = 0.0
    "Between two pieces of text."
    split: bool = True
    "The body is cut anywhere, also within a message and within a letter."
    faults: Faults = field(default_factory=Faults)
    asked: list[dict[str, Any]] = field(default_factory=list)
    "The bodies of all requests that were understood."
    violations: list[str] = field(default_factory=list)
    open_requests: int = 0
    certificate: str = ""
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def __aenter__(self) -> "Converse":
        context = None
        if self.tls:
            context, self.certificate = self_signed("http/1.1")
        self._server = await asyncio.start_server(self._come, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def endpoint(self) -> str:
        """The address for clients."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def fail(self, fault: Fault | str, requests: int = 1) -> None:
        """Each of the next requests meets this fault."""
        self.faults.plan(Fault(fault) if isinstance(fault, str) else fault, requests)

    # ---- HTTP ------------------------------------------------------------------------------------

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.faults.next_is("refuse_connection"):
                self.faults.take()
                raise Gone
            while (request := await _read_request(reader)) is not None:
                self.open_requests += 1
                try:
                    await self._serve(writer, *request)
                finally:
                    self.open_requests -= 1
        except (Gone, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # the service ends, or the client is gone
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(
        self,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        found = _PATH.match(path)
        if method != "POST" or not found:
            await _refuse(writer, 404, "UnknownOperationException", path)
            return
        fault = self.faults.take()
        if fault is not None and fault.name in _BEFORE:
            status, kind, message = _BEFORE[fault.name]
            status = int(fault.detail) if fault.detail.isdigit() else status
            await _refuse(writer, status, kind, message)
            return
        try:
            verify_request(self.secret, method, path, headers, body)
        except Unsigned as problem:
            self.violations.append(f"signature: {problem.message}")
            if self.strict:
                await _refuse(writer, 403, problem.kind, problem.message)
                return
        try:
            if unquote(found[1]) not in self.models:
                raise Invalid("The provided model identifier is invalid.")
            asked = converse_rules.read(json.loads(body))
        except (Invalid, ValueError) as problem:
            self.violations.append(str(problem))
            await _refuse(writer, 400, "ValidationException", str(problem))
            return
        self.asked.append(json.loads(body))
        if fault is not None and fault.name == "hang_before_first_event":
            await asyncio.Event().wait()
        began = time.monotonic()
        reply = await asyncio.to_thread(mind.reply, self.script, asked.instructions, asked.lines)
        if found[2]:
            await _Streaming(self, writer, asked, fault, began).tell(reply)
        else:
            await _respond(writer, 200, _whole(asked, reply, began))


async def _read_request(
    reader: asyncio.StreamReader,
) -> tuple[str, str, dict[str, str], bytes] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def _respond(
    writer: asyncio.StreamWriter,
    status: int,
    body: object,
    headers: Mapping[str, str] | None = None,
) -> None:
    content = json.dumps(body).encode()
    lines = {"content-type": "application/json", "content-length": str(len(content))}
    lines |= {"x-amzn-requestid": str(uuid4()), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + content)
    await writer.drain()


async def _refuse(writer: asyncio.StreamWriter, status: int, kind: str, message: str) -> None:
    await _respond(writer, status, {"message": message}, {"x-amzn-errortype": kind})


# ---- answers -------------------------------------------------------------------------------------


def _cut_to(reply: Reply, asked: Asked) -> tuple[str, str]:
    """The words that fit, and the stopReason."""
    words = re.findall(r"\S+\s*", reply.text)
    if len(words) > asked.max_tokens:
        return "".join(words[: asked.max_tokens]), "max_tokens"
    return reply.text, "tool_use" if reply.calls else "end_turn"


def _usage(asked: Asked, text: str) -> dict[str, int]:
    out = len(text.split()) + 1
    return {
        "inputTokens": asked.tokens,
        "outputTokens": out,
        "totalTokens": asked.tokens + out,
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0,
    }


def _whole(asked: Asked, reply: Reply, began: float) -> dict[str, Any]:
    text, stop = _cut_to(reply, asked)
    content: list[dict[str, Any]] = [{"text": text}] if text else []
    for call in reply.calls:
        used = {"toolUseId": f"tooluse_{uuid4().hex[:22]}", "name": call.name}
        content.append({"toolUse": {**used, "input": json.loads(call.arguments)}})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": _usage(asked, text),
        "metrics": {"latencyMs": round((time.monotonic() - began) * 1000)},
    }


@dataclass(slots=True)
class _Streaming:
    """One answer of ConverseStream."""

    service: Converse
    writer: asyncio.StreamWriter
    asked: Asked
    fault: Fault | None
    began: float

    async def tell(self, reply: Reply) -> None:
        self.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        await self._event("messageStart", {"role": "assistant"})
        text, stop = _cut_to(reply, self.asked)
        block = 0
        for at, piece in enumerate(self._pieces(text)):
            if at == 1 and await self._trouble():
                return
            delta = {"contentBlockIndex": 0, "delta": {"text": piece}}
            await self._event("contentBlockDelta", delta)
            await asyncio.sleep(self.service.delta_s)
        if text:
            await self._event("contentBlockStop", {"contentBlockIndex": 0})
            block = 1
        for call in reply.calls:
            used = {"toolUseId": f"tooluse_{uuid4().hex[:22]}", "name": call.name}
            start = {"contentBlockIndex": block, "start": {"toolUse": used}}
            await self._event("contentBlockStart", start)
            arguments = call.arguments
            if self._meets("malformed_tool_use"):
                arguments = arguments[:-1]
            for piece in self._pieces(arguments):
                delta = {"contentBlockIndex": block, "delta": {"toolUse": {"input": piece}}}
                await self._event("contentBlockDelta", delta)
            await self._event("contentBlockStop", {"contentBlockIndex": block})
            block += 1
        await self._event("messageStop", {"stopReason": stop})
        metrics = {"latencyMs": round((time.monotonic() - self.began) * 1000)}
        await self._event("metadata", {"usage": _usage(self.asked, text), "metrics": metrics})
        await self._end()

    async def _trouble(self) -> bool:
        """A fault in the midst of the text; True: nothing follows."""
        fault, self.fault = self.fault, None
        match fault.name if fault is not None else "":
            case "exception" if fault is not None:
                kind, _, message = fault.detail.partition(": ")
                headers = {
                    ":exception-type": kind or "modelStreamErrorException",
                    ":content-type": "application/json",
                    ":message-type": "exception",
                }
                await self._write(encode(headers, json.dumps({"message": message}).encode()))
                await self._end()
                return True
            case "hang_mid_audio":
                await asyncio.Event().wait()
            case "close_mid_utterance":
                raise Gone
            case "invalid_json":
                await self._event("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"te')
            case "unknown_event":
                await self._event("somethingNew", {"of": "a later version"})
            case "huge_event":
                huge = {"contentBlockIndex": 0, "delta": {"text": "x" * HUGE_BYTES}}
                await self._event("contentBlockDelta", huge)
            case _:
                self.fault = fault
        return False

    def _meets(self, name: str) -> bool:
        return self.fault is not None and self.fault.name == name

    def _pieces(self, text: str) -> list[str]:
        """As a model gives it, a few letters at a time."""
        found = []
        while text:
            size = self.service._chance.randint(1, 12)
            found.append(text[:size])
            text = text[size:]
        return found

    async def _event(self, name: str, body: dict[str, Any] | bytes) -> None:
        if isinstance(body, dict):
            padding = "abcdefghijklmnopqrstuvwxyz"[: self.service._chance.randint(0, 26)]
            body = json.dumps({**body, "p": padding}, ensure_ascii=False).encode()
        headers = {
            ":event-type": name,
            ":content-type": "application/json",
            ":message-type": "event",
        }
        await self._write(encode(headers, body))

    async def _write(self, data: bytes) -> None:
        small = self.service.split and len(data) < 1 << 16
        while data:
            size = self.service._chance.randint(1, 90) if small else 1 << 16
            piece, data = data[:size], data[size:]
            self.writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await self.writer.drain()

    async def _end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
