"""Nova Sonic as a script: it notes what it is told, and a test says what it answers.

It checks each signature by the rules that Amazon describes, and takes nothing that is signed wrong.
"""

import base64
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult

from ai.bedrock.credentials import AwsCredentials
from tests.ai.bedrock.peer import Peer, serving

WHO = AwsCredentials("AKIDEXAMPLE", "secret example")
REGION = "eu-north-1"


def frames(data: bytearray) -> list[tuple[dict[str, Any], bytes]]:
    """Takes whole messages off `data`."""
    found = []
    while len(data) >= 16:
        total, length = struct.unpack_from("!II", data)
        if len(data) < total:
            break
        whole = bytes(data[:total])
        del data[:total]
        assert zlib.crc32(whole[:-4]) == struct.unpack("!I", whole[-4:])[0]
        headers, at = {}, 12
        while at < 12 + length:
            end = at + 1 + whole[at]
            name, kind = whole[at + 1 : end].decode(), whole[end]
            if kind == 8:
                headers[name], at = whole[end + 1 : end + 9], end + 9
            else:
                size = struct.unpack_from("!H", whole, end + 1)[0]
                headers[name], at = whole[end + 3 : end + 3 + size], end + 3 + size
        found.append((headers, whole[12 + length : -4]))
    return found


def message(headers: dict[str, str], payload: bytes) -> bytes:
    raw = b"".join(
        bytes((len(name),))
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value))
        + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack("!II", 16 + len(raw) + len(payload), len(raw))
    body = lengths + struct.pack("!I", zlib.crc32(lengths)) + raw + payload
    return body + struct.pack("!I", zlib.crc32(body))


class NovaPeer(Peer):
    """One session with a scripted Nova."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.audio = bytearray()
        self.audio_events = 0
        self.empty_frame = False
        self.status = 200
        self.error_headers: dict[str, str] = {}
        self.error_body = b""
        self.on_event: Callable[[str, dict[str, Any]], None] = lambda name, fields: None
        self.on_data = self._data
        self.on_end = self.finish
        self._bytes = bytearray()
        self._previous = ""
        self._responded = False
        self._count = 0

    # ---- what it was told --------------------------------------------------------------------

    def named(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.events if event == name]

    def texts(self, role: str) -> list[str]:
        """The TEXT blocks of a role, each whole."""
        blocks = {
            fields["contentName"]: ""
            for fields in self.named("contentStart")
            if fields["type"] == "TEXT" and fields["role"] == role
        }
        for fields in self.named("textInput"):
            if fields["contentName"] in blocks:
                blocks[fields["contentName"]] += fields["content"]
        return list(blocks.values())

    def _data(self, data: bytes) -> None:
        if not self._responded:
            self._responded = True
            if self.status != 200:
                self.respond(self.status, **self.error_headers)
                self.write(self.error_body)
                self.finish()
                return
            self.respond(200, content_type="application/vnd.amazon.eventstream")
            self._previous = self.request["authorization"].rpartition("Signature=")[2]
        self._bytes += data
        for headers, payload in frames(self._bytes):
            self._verify(headers, payload)
            if not payload:
                self.empty_frame = True
                continue
            ((_, inner),) = frames(bytearray(payload))
            event = json.loads(base64.b64decode(json.loads(inner)["bytes"]))["event"]
            ((name, fields),) = event.items()
            if name == "audioInput":
                self.audio_events += 1
                self.audio += base64.b64decode(fields["content"])
            else:
                self.events.append((name, fields))
                self.on_event(name, fields)

    def _verify(self, headers: dict[str, Any], payload: bytes) -> None:
        at = datetime.fromtimestamp(int.from_bytes(headers[":date"], "big") / 1000, UTC)
        scope = f"{at:%Y%m%d}/{REGION}/bedrock/aws4_request"
        key = b"AWS4" + WHO.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        date = b"\x05:date\x08" + headers[":date"]
        string = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                f"{at:%Y%m%dT%H%M%SZ}",
                scope,
                self._previous,
                hashlib.sha256(date).hexdigest(),
                hashlib.sha256(payload).hexdigest(),
            )
        )
        signature = hmac.new(key, string.encode(), hashlib.sha256).digest()
        assert signature == headers[":chunk-signature"]
        self._previous = signature.hex()

    # ---- what it says ------------------------------------------------------------------------

    def say(self, name: str, **fields: Any) -> None:
        prompt = self.named("promptStart")[0]["promptName"] if self.events else ""
        event = {"event": {name: {"sessionId": "S", "promptName": prompt, **fields}}}
        wrapped = base64.b64encode(json.dumps(event).encode()).decode()
        payload = json.dumps({"bytes": wrapped, "p": "abcdef"[: self._count % 6]}).encode()
        self._count += 1
        headers = {
            ":message-type": "event",
            ":event-type": "chunk",
            ":content-type": "application/json",
        }
        self.write(message(headers, payload))

    def refuse(self, name: str, text: str) -> None:
        """An exception in the stream, and its end."""
        headers = {":message-type": "exception", ":exception-type": name}
        self.write(message(headers, json.dumps({"message": text}).encode()))
        self.finish()

    def block(self, kind: str, role: str, stage: str = "") -> str:
        self._count += 1
        content = f"c{self._count}"
        more = {"additionalModelFields": json.dumps({"generationStage": stage})} if stage else {}
        self.say("contentStart", contentId=content, type=kind, role=role, **more)
        return content

    def text(self, role: str, stage: str, text: str, reason: str = "PARTIAL_TURN") -> None:
        content = self.block("TEXT", role, stage)
        self.say("textOutput", contentId=content, role=role, content=text)
        self.say("contentEnd", contentId=content, type="TEXT", stopReason=reason)

    def student(self, text: str) -> None:
        self.text("USER", "FINAL", text)

    def sentence(self, text: str, ms: int = 400, reason: str = "END_TURN") -> None:
        """What it is about to say, and its sound."""
        self.text("ASSISTANT", "SPECULATIVE", text)
        content = self.block("AUDIO", "ASSISTANT")
        self.sound(content, ms)
        self.say("contentEnd", contentId=content, type="AUDIO", stopReason=reason)

    def sound(self, content: str, ms: int) -> None:
        for _ in range(ms // 40):
            pcm = base64.b64encode(b"\x01\x00" * 24 * 40).decode()
            self.say("audioOutput", contentId=content, content=pcm)

    def marker(self) -> None:
        self.text("ASSISTANT", "FINAL", '{ "interrupted" : true }', "INTERRUPTED")

    def tool(self, call: str, name: str, arguments: str) -> str:
        content = self.block("TOOL", "TOOL")
        self.say("toolUse", contentId=content, toolName=name, toolUseId=call, content=arguments)
        return content


@asynccontextmanager
async def nova(peers: list[NovaPeer]) -> AsyncIterator[SplitResult]:
    """A server whose sessions are kept in `peers`, those in it first being used."""
    waiting = list(peers)
    peers.clear()

    def make() -> NovaPeer:
        peers.append(waiting.pop(0) if waiting else NovaPeer())
        return peers[-1]

    async with serving(make) as url:
        yield url
