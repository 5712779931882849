"""What Nova sends: its events with their ids, and how they are written into frames."""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from uuid import UUID

from tests.fakes.frames import encode

TOKEN_MS = 40  # of speech: 25 tokens a second
MARKER = '{ "interrupted" : true }'
Stage = Literal["SPECULATIVE", "FINAL"]


@dataclass(slots=True)
class Ids:
    """The names that events carry."""

    session: str
    prompt: str
    completion: str


@dataclass(slots=True)
class Tokens:
    """What was used since the stream began, and what of it was told."""

    now: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    "Keys as `input.speechTokens`."

    def event(self) -> dict[str, Any]:
        """The body of a usageEvent, without ids."""
        delta = {key: self.now[key] - self.told[key] for key in self.now}
        self.told = Counter(self.now)
        sides = [self._side(self.now, side) for side in ("input", "output")]
        totals = [sum(side.values()) for side in sides]
        return {
            "totalInputTokens": totals[0],
            "totalOutputTokens": totals[1],
            "totalTokens": sum(totals),
            "details": {
                "delta": {side: self._side(delta, side) for side in ("input", "output")},
                "total": {"input": sides[0], "output": sides[1]},
            },
        }

    @staticmethod
    def _side(counts: "Counter[str] | dict[str, int]", side: str) -> dict[str, int]:
        names = ("speechTokens", "textTokens")
        return {name: counts.get(f"{side}.{name}", 0) for name in names}


class Mouth:
    """Writes one stream's events. `send` takes bytes; nothing waits."""

    def __init__(
        self, send: Callable[[bytes], None], chance: random.Random, *, padding: bool
    ) -> None:
        self._send = send
        self._chance = chance
        self._padding = padding
        self.ids = Ids(self.uuid(), "", self.uuid())
        self.tokens = Tokens()
        self.sent: Counter[str] = Counter()
        "Events by name."
        self.mute = False
        "True: everything is swallowed, as by a service that hangs."
        self.twice = False
        "True: text blocks come twice, with the same ids."

    def uuid(self) -> str:
        """A new id."""
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def event(self, name: str, body: dict[str, Any], ids: Ids | None = None) -> None:
        """One event."""
        of = ids or self.ids
        known = {"sessionId": of.session, "promptName": of.prompt, "completionId": of.completion}
        self.sent[name] += 1
        self.raw(json.dumps({"event": {name: {**known, **body}}}).encode())

    def raw(self, event: bytes) -> None:
        """What stands where an event should, in its frame."""
        body = {"bytes": base64.b64encode(event).decode()}
        if self._padding:
            body["p"] = "abcdefghijklmnopqrstuvwxyz"[: self._chance.randint(1, 26)]
        headers = {
            ":event-type": "chunk",
            ":content-type": "application/json",
            ":message-type": "event",
        }
        self._out(encode(headers, json.dumps(body).encode()))

    def huge(self, size: int) -> None:
        """An event with so much text in it; without ids, since nobody reads as far."""
        self._out(huge_frame(size))

    def exception(self, kind: str, message: str) -> None:
        """A modelled exception: the last thing on a stream."""
        headers = {
            ":exception-type": kind,
            ":content-type": "application/json",
            ":message-type": "exception",
        }
        self._out(encode(headers, json.dumps({"message": message}).encode()))

    def error(self, code: str, message: str) -> None:
        """An error that is not modelled."""
        headers = {":message-type": "error", ":error-code": code, ":error-message": message}
        self._out(encode(headers, b""))

    def text(self, role: str, stage: Stage, text: str, stop: str, ids: Ids | None = None) -> None:
        """A whole text block."""
        content = self.uuid()
        for _ in range(2 if self.twice else 1):
            head = {
                "contentId": content,
                "type": "TEXT",
                "role": role,
                "additionalModelFields": json.dumps({"generationStage": stage}),
                "textOutputConfiguration": {"mediaType": "text/plain"},
            }
            self.event("contentStart", head, ids)
            self.event("textOutput", {"contentId": content, "role": role, "content": text}, ids)
            tail = {"contentId": content, "type": "TEXT", "stopReason": stop}
            self.event("contentEnd", tail, ids)
        side = "input" if role == "USER" else "output"
        self.tokens.now[f"{side}.textTokens"] += len(text.split()) if stage == "FINAL" else 0

    def audio_start(self, rate_hz: int, ids: Ids | None = None) -> str:
        """Opens an audio block; gives its id."""
        content = self.uuid()
        sound = {
            "mediaType": "audio/lpcm",
            "sampleRateHertz": rate_hz,
            "sampleSizeBits": 16,
            "encoding": "base64",
            "channelCount": 1,
        }
        head = {"contentId": content, "type": "AUDIO", "role": "ASSISTANT"}
        self.event("contentStart", {**head, "audioOutputConfiguration": sound}, ids)
        return content

    def audio(self, content: str, pcm: bytes, rate_hz: int, ids: Ids | None = None) -> None:
        """A piece of sound."""
        body = {"contentId": content, "content": base64.b64encode(pcm).decode()}
        self.event("audioOutput", body, ids)
        self.tokens.now["output.speechTokens"] += len(pcm) * 500 // rate_hz // TOKEN_MS

    def audio_end(self, content: str, stop: str, ids: Ids | None = None) -> None:
        """Closes it."""
        self.event("contentEnd", {"contentId": content, "type": "AUDIO", "stopReason": stop}, ids)

    def tools(self, calls: Iterable[tuple[str, str, str]]) -> None:
        """Tool calls (id, name, arguments): all of them come before the end of the first block."""
        opened = []
        for call, name, arguments in calls:
            content = self.uuid()
            opened.append(content)
            head = {"contentId": content, "type": "TOOL", "role": "TOOL"}
            used = {"mediaType": "application/json"}
            self.event("contentStart", {**head, "toolUseOutputConfiguration": used})
            body = {"contentId": content, "toolName": name, "toolUseId": call}
            self.event("toolUse", {**body, "content": arguments})
        for content in opened:
            tail = {"contentId": content, "type": "TOOL", "stopReason": "TOOL_USE"}
            self.event("contentEnd", tail)

    def usage(self) -> None:
        """What was used since the last one, and in all."""
        self.event("usageEvent", self.tokens.event())

    def _out(self, frame: bytes) -> None:
        if not self.mute:
            self._send(frame)


@cache
def huge_frame(size: int) -> bytes:
    """Made once: it takes a good part of a second."""
    event = b'{"event":{"textOutput":{"content":"' + b"x" * size + b'"}}}'
    headers = {
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return encode(headers, b'{"bytes":"' + base64.b64encode(event) + b'"}')
