"""A client of the simulated Nova that knows no rules: tests write its events by hand."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.frames import Decoder, Message, encode
from tests.fakes.nova import MODEL, Nova
from tests.fakes.nova_stream import INNER

PROMPT = {
    "promptName": "P",
    "textOutputConfiguration": {"mediaType": "text/plain"},
    "audioOutputConfiguration": {
        "mediaType": "audio/lpcm",
        "sampleRateHertz": 24_000,
        "sampleSizeBits": 16,
        "channelCount": 1,
        "voiceId": "tiffany",
        "encoding": "base64",
        "audioType": "SPEECH",
    },
    "toolUseOutputConfiguration": {"mediaType": "application/json"},
    "toolConfiguration": {"tools": []},
}
SOUND_IN = {
    "mediaType": "audio/lpcm",
    "sampleRateHertz": 16_000,
    "sampleSizeBits": 16,
    "channelCount": 1,
    "audioType": "SPEECH",
    "encoding": "base64",
}
START = {
    "inferenceConfiguration": {"maxTokens": 1_024, "topP": 0.9, "temperature": 0.7},
    "turnDetectionConfiguration": {"endpointingSensitivity": "HIGH"},
}
Event = tuple[str, dict[str, Any]]


def text(name: str, role: str, said: str, *, interactive: bool = False) -> list[Event]:
    """The three events of a text."""
    of = {"promptName": "P", "contentName": name}
    kind = {"type": "TEXT", "interactive": interactive, "role": role}
    media = {"textInputConfiguration": {"mediaType": "text/plain"}}
    return [
        ("contentStart", {**of, **kind, **media}),
        ("textInput", {**of, "content": said}),
        ("contentEnd", of),
    ]


def audio_start(name: str = "A", **sound: Any) -> Event:
    of = {"promptName": "P", "contentName": name, "type": "AUDIO", "interactive": True}
    return "contentStart", {**of, "role": "USER", "audioInputConfiguration": {**SOUND_IN, **sound}}


def audio(pcm: bytes, name: str = "A") -> Event:
    said = base64.b64encode(pcm).decode()
    return "audioInput", {"promptName": "P", "contentName": name, "content": said}


def end(name: str = "A") -> Event:
    return "contentEnd", {"promptName": "P", "contentName": name}


def opening(instructions: str = "You are a tutor.") -> list[Event]:
    return [("sessionStart", START), ("promptStart", PROMPT), *text("S", "SYSTEM", instructions)]


CLOSING: list[Event] = [end(), ("promptEnd", {"promptName": "P"}), ("sessionEnd", {})]


class RawNova(asyncio.Protocol):
    """One connection with one stream; what comes is kept in `events`."""

    def __init__(self, nova: Nova) -> None:
        self.nova = nova
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        )
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.messages: list[Message] = []
        self.over = ""
        "`end`, `reset`, `goaway` or `lost`."
        self.lost = False
        self.changed = asyncio.Event()
        self.before = ""
        self.number = 0
        self.room = asyncio.Event()
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None

    async def __aenter__(self) -> "RawNova":
        context = None
        if self.nova.tls:
            context = ssl.create_default_context(cadata=self.nova.certificate)
            context.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self.nova.port, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()
        while not self.lost:
            await self.wait()

    # ---- sending ---------------------------------------------------------------------------------

    async def begin(self, *events: Event, model: str = MODEL, secret: str = "") -> None:
        """Ask for the stream, and send these events."""
        host = urlsplit(self.nova.endpoint).netloc
        known = self.nova.secret
        path = f"/model/{model.replace(':', '%3A')}/invoke-with-bidirectional-stream"
        request = AWSRequest(
            "POST",
            f"{self.nova.endpoint}{path}",
            headers={
                "content-type": "application/vnd.amazon.eventstream",
                "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-EVENTS",
            },
        )
        credentials = Credentials(known.access_key, secret or known.secret_key, known.token)
        SigV4Auth(credentials, "bedrock", known.region).add_auth(request)
        self.before = request.headers["Authorization"][-64:]
        self.number = self.h2.get_next_available_stream_id()
        scheme = "https" if self.nova.tls else "http"
        pseudo = [(":method", "POST"), (":scheme", scheme), (":path", path), (":authority", host)]
        plain = [(name.lower(), value) for name, value in request.headers.items()]
        self.h2.send_headers(self.number, pseudo + plain)
        self._flush()
        await self.send(*events)

    async def send(self, *events: Event) -> None:
        for name, body in events:
            said = json.dumps({"event": {name: body}}).encode()
            payload = json.dumps({"bytes": base64.b64encode(said).decode()}).encode()
            await self.write(self.signed(encode(INNER, payload)))

    def signed(self, payload: bytes, *, wrong: bool = False) -> bytes:
        """The outer frame, the next of the chain."""
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        date_header = encode({":date": now}, b"")[12:-4]
        hashes = (hashlib.sha256(data).hexdigest() for data in (date_header, payload))
        scope = f"{day}/{self.nova.secret.region}/bedrock/aws4_request"
        chain = ("AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, self.before, *hashes)
        key = self.nova.secret.key(day)
        made = hmac.new(key, "\n".join(chain).encode(), hashlib.sha256).digest()
        self.before = made.hex()
        if wrong:
            made = bytes(32)
        return encode({":date": now, ":chunk-signature": made}, payload)

    async def write(self, data: bytes) -> None:
        while data and not self.over:
            window = self.h2.local_flow_control_window(self.number)
            size = min(len(data), window, self.h2.max_outbound_frame_size)
            if size <= 0:
                self.room.clear()
                await self.room.wait()
                continue
            self.h2.send_data(self.number, data[:size])
            self._flush()
            data = data[size:]

    async def close(self) -> None:
        """As it should be, after CLOSING."""
        await self.write(self.signed(b""))
        self.h2.end_stream(self.number)
        self._flush()

    async def speak(self, pcm: bytes, *, pace: float = 1.0, stop: str = "") -> None:
        """Sound at 16 kHz, in pieces of 32 ms; until `stop` came, if that is named."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for at in range(0, len(pcm), 1_024):
            if self.over or (stop and any(name == stop for name, _ in self.events)):
                return
            await self.send(audio(pcm[at : at + 1_024]))
            due += 0.032 / pace
            await asyncio.sleep(max(0.0, due - loop.time()))

    # ---- receiving -------------------------------------------------------------------------------

    @property
    def events(self) -> list[Event]:
        """The events that came."""
        found: list[Event] = []
        for message in self.messages:
            if message.headers[":message-type"] == "event":
                inner = json.loads(base64.b64decode(json.loads(message.payload)["bytes"]))
                found += inner["event"].items()
        return found

    @property
    def problem(self) -> tuple[str, str]:
        """The exception that came: its type and its message."""
        for message in self.messages:
            headers = message.headers
            if headers[":message-type"] == "exception":
                told = json.loads(message.payload)["message"]
                return str(headers[":exception-type"]), told
            if headers[":message-type"] == "error":
                return str(headers[":error-code"]), str(headers[":error-message"])
        return "", ""

    def texts(self, role: str, stage: str) -> list[str]:
        """The texts of a role."""
        blocks = {
            body["contentId"]
            for name, body in self.events
            if name == "contentStart"
            and body["role"] == role
            and stage in body.get("additionalModelFields", "")
        }
        return [
            body["content"]
            for name, body in self.events
            if name == "textOutput" and body["contentId"] in blocks
        ]

    @property
    def sound(self) -> bytes:
        pieces = (body["content"] for name, body in self.events if name == "audioOutput")
        return b"".join(map(base64.b64decode, pieces))

    async def wait(self) -> None:
        self.changed.clear()
        async with asyncio.timeout(10):
            await self.changed.wait()

    async def until(self, name: str, **fields: Any) -> dict[str, Any]:
        """The first event of that name with these fields."""
        while True:
            for each, body in self.events:
                if each == name and fields.items() <= body.items():
                    return body
            assert not self.over, (self.over, self.problem)
            await self.wait()

    async def until_over(self) -> str:
        while not self.over:
            await self.wait()
        return self.over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.headers = {str(name): str(value) for name, value in event.headers}
                    self.status = int(self.headers[":status"])
                case h2.events.DataReceived():
                    size = event.flow_controlled_length
                    self.h2.acknowledge_received_data(size, event.stream_id)
                    if self.status == 200:
                        self.messages += self._decoder.feed(event.data)
                    else:
                        self.body += event.data
                case h2.events.StreamEnded():
                    self.over = self.over or "end"
                case h2.events.StreamReset():
                    self.over = self.over or "reset"
                case h2.events.ConnectionTerminated():
                    self.over = self.over or "goaway"
        self.room.set()
        self._flush()
        self.changed.set()

    def connection_lost(self, problem: Exception | None) -> None:
        self.lost = True
        self.over = self.over or "lost"
        self.room.set()
        self.changed.set()

    def _flush(self) -> None:
        assert self._transport is not None
        if data := self.h2.data_to_send():
            self._transport.write(data)
