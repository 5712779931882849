"""What a simulated Realtime session says: events with their ids, in order, and the closing."""

import asyncio
import base64
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.fakes.openai_shapes import Complaint

ABNORMAL = 1006
RACES = frozenset(
    {
        "response_cancel_not_active",
        "conversation_already_has_active_response",
        "input_audio_buffer_commit_empty",
    }
)
"Errors that a client which does nothing wrong can get."
SOUND = "response.output_audio.delta"


@dataclass(frozen=True, slots=True)
class Close:
    """The end of the connection, after all that was said before it."""

    code: int
    "ABNORMAL: without a closing handshake."


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that a client must not send."""

    session: str
    event: Any
    complaint: Complaint


class Outgoing:
    """Events for one connection. What is in `queue` is to be sent."""

    def __init__(self, violations: list[Violation]) -> None:
        mark = random.randbytes(4).hex()
        self.session_id = f"sess_{mark}"
        self._mark = mark
        self.queue: asyncio.Queue[str | Close] = asyncio.Queue()
        self.violations = violations
        self.errors: Counter[str] = Counter()
        "That the client was told, by code."
        self.muted = False
        "Nothing is said any more, and the connection stays."
        self.doubled = False
        "Every event is sent twice, with one id."
        self.odd = False
        "The next piece of sound lacks its last byte."
        self._numbers: Counter[str] = Counter()
        self._log: list[str] = []

    def new_id(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}_{self._mark}{self._numbers[kind]:04}"

    def emit(self, kind: str, **fields: Any) -> None:
        if self.muted:
            return
        if self.odd and kind == SOUND:
            fields["delta"] = base64.b64encode(base64.b64decode(fields["delta"])[:-1]).decode()
            self.odd = False
        text = json.dumps({"type": kind, "event_id": self.new_id("event"), **fields})
        for _ in range(2 if self.doubled else 1):
            self.queue.put_nowait(text)
        self._log.append(kind if kind == SOUND else text)

    def raw(self, text: str) -> None:
        """Whatever it is."""
        if not self.muted:
            self.queue.put_nowait(text)

    @property
    def said(self) -> list[dict[str, Any]]:
        """All events so far; of sound, only that it came."""
        return [json.loads(text) if text[0] == "{" else {"type": text} for text in self._log]

    def error(self, complaint: Complaint, event: object = None, *, blames: bool = True) -> None:
        """`event`: the client's that caused it; `blames`: unless it is a mere race."""
        self.errors[complaint.code] += 1
        if blames and complaint.code not in RACES:
            self.violations.append(Violation(self.session_id, event, complaint))
        event_id = event.get("event_id") if isinstance(event, dict) else None
        self.emit(
            "error",
            error={
                "type": "invalid_request_error",
                "code": complaint.code,
                "message": complaint.message,
                "param": complaint.param,
                "event_id": event_id if isinstance(event_id, str) else None,
            },
        )

    def close(self, code: int) -> None:
        self.queue.put_nowait(Close(code))
        self.muted = True
