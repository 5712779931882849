"""A server that answers with just the bytes a test has written, cut where the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

CUT = object()
"In an answer: the connection breaks off here."
HANG = object()
"In an answer: nothing more comes."

Part = Any
"Bytes of one piece, `CUT` or `HANG`."


@dataclass
class Asked:
    """A request, with its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RawHttp:
    """One server; `answers` are given in order, and the last one again and again."""

    answers: list[tuple[int, Mapping[str, str], Sequence[Part]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    open: int = 0
    "Connections."

    def says(self, *parts: Part, status: int = 200, **headers: str) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, names, parts))

    def refuses(self, status: int, error: Mapping[str, Any], **headers: str) -> None:
        body = json.dumps({"error": error}).encode()
        self.says(body, status=status, content_type="application/json", **headers)

    async def until_closed(self) -> None:
        async with asyncio.timeout(2):
            while self.open:
                await asyncio.sleep(0.005)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(head[0].split(" ")[1], headers, body))
        status, more, parts = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        lines = [f"HTTP/1.1 {status} X", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in more.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for part in parts:
            if part is CUT:
                writer.transport.abort()
                return False
            if part is HANG:
                await writer.drain()
                await reader.read()
                return False
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def raw_http() -> AsyncIterator[RawHttp]:
    server = RawHttp()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    yield server
    listening.close()
    for task in asyncio.all_tasks():
        if task.get_coro().__qualname__.startswith("RawHttp"):  # type: ignore[union-attr]
            task.cancel()


def sse(*events: Any, done: bool = True, name: Callable[[Any], str] | None = None) -> bytes:
    """Events as one body."""
    lines = []
    for event in events:
        if name is not None:
            lines.append(f"event: {name(event)}\n")
        lines.append(f"data: {json.dumps(event, ensure_ascii=False)}\n\n")
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def bytewise(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]
