"""What the HTTP doors of a simulated OpenAI share: reading, refusing, streaming and its faults."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.fakes import openai_shapes
from tests.fakes.faults import HUGE_BYTES, Fault, Faults
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_outgoing import Violation
from tests.fakes.openai_shapes import Complaint

BEFORE = 3  # events of a stream, before it breaks
NO_SUCH_MODEL = "no-such-model"


class House(Protocol):
    """What belongs to the whole simulator."""

    manners: Manners
    key: str
    violations: list[Violation]

    def cut(self, request: Request) -> None:
        """Break the connection of a request off."""


@dataclass(slots=True)
class HttpManners:
    """How the doors behave."""

    first_s: float = 0.0
    "Before the first event."
    event_s: float = 0.0
    "Before each further one."
    split: int | None = None
    "Streams come in pieces of at most so many bytes, cut anywhere; None: event by event."
    line_end: str = "\n"


class Refused(Exception):
    """The call gets an error and nothing else."""

    def __init__(
        self, status: int, message: str, code: str | None = None, *, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


class Desk:
    """Where calls come in."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.manners = HttpManners()
        self.faults = Faults()
        "Of the next calls. Of its own there is one more: error_mid_stream."
        self.calls: list[tuple[str, dict[str, Any]]] = []
        "Paths and what was asked for."

    async def read(
        self, request: Request, shape: Any, completed: Callable[[Any], Any] = lambda wish: wish
    ) -> dict[str, Any]:
        """The body, checked as `completed` makes it. Raises Refused."""
        try:
            wish = json.loads(await request.body())
        except ValueError:
            self.blame(None, Complaint("We could not parse the JSON body.", "invalid_json"))
        self.calls.append((request.url.path, wish))
        if complaint := openai_shapes.of_value(completed(wish), shape, ""):
            self.blame(wish, complaint)
        if "model" in wish:
            exists(wish["model"])
        assert isinstance(wish, dict)
        return wish

    def blame(self, wish: object, complaint: Complaint) -> NoReturn:
        """Refuse, and remember why."""
        self.house.violations.append(Violation("http", wish, complaint))
        raise Refused(400, complaint.message, complaint.code, param=complaint.param)

    def typed(self, event: Mapping[str, Any]) -> bytes:
        """An event whose SSE name is its type."""
        text = json.dumps(event, ensure_ascii=False)
        return sse(event["type"], text, self.manners.line_end)

    def stream(
        self,
        request: Request,
        fault: Fault | None,
        frames: Iterator[bytes],
        last: bytes,
        broken: Mapping[str, str],
        media: str = "text/event-stream",
        before: int = BEFORE,
    ) -> Response:
        """`frames`, then `last`; `broken` has what some faults say in between."""

        async def give() -> AsyncIterator[bytes]:
            for number, frame in enumerate(frames):
                if number == before and fault is not None:
                    match fault.name:
                        case "hang_mid_audio":
                            await asyncio.Event().wait()
                        case "close_mid_utterance":
                            self.house.cut(request)
                            return
                        case "close_at_limit":
                            return
                        case "invalid_json":
                            yield sse(None, '{"type": "', self.manners.line_end)
                        case "huge_event":
                            huge = json.dumps({"type": "x", "delta": "A" * HUGE_BYTES})
                            yield sse(None, huge, self.manners.line_end)
                        case name if name in broken:
                            yield sse(None, broken[name], self.manners.line_end)
                            if name == "error_mid_stream":
                                return
                if number and self.manners.event_s:
                    await asyncio.sleep(self.manners.event_s)
                doubled = fault is not None and fault.name == "duplicate_ids"
                for piece in self._split([frame] * (2 if doubled else 1)):
                    yield piece
            if last:
                for piece in self._split([last]):
                    yield piece

        return StreamingResponse(give(), media_type=media)

    def _split(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        for frame in frames:
            if self.manners.split is None:
                yield frame
                continue
            at = 0
            while at < len(frame):
                size = random.randint(1, self.manners.split)
                yield frame[at : at + size]
                at += size


def sse(name: str | None, data: str, line_end: str) -> bytes:
    lines = [f"event: {name}"] if name else []
    return (line_end.join([*lines, f"data: {data}", "", ""])).encode()


def error_body(
    message: str, kind: str, code: str | None, param: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error(status: int, message: str, code: str | None, param: str | None = None) -> JSONResponse:
    kind = (
        "invalid_request_error" if status < 429 else "requests" if status == 429 else "server_error"
    )
    return JSONResponse(error_body(message, kind, code, param), status)


def exists(model: str) -> None:
    if model == NO_SUCH_MODEL:
        raise Refused(404, f"The model '{model}' does not exist.", "model_not_found", param="model")
