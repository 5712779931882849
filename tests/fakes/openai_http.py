"""The HTTP doors of a simulated OpenAI: models, chat completions, responses, ears and voice."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.faults import Fault
from tests.fakes.openai_chat import Texts
from tests.fakes.openai_desk import Desk, House, Refused, error, exists
from tests.fakes.openai_sounds import Sounds


class OpenAIHttp:
    """The doors."""

    def __init__(self, house: House) -> None:
        self.desk = desk = Desk(house)
        self.manners, self.faults, self.calls = desk.manners, desk.faults, desk.calls
        texts, sounds = Texts(desk), Sounds(desk)
        doors: dict[str, tuple[str, Callable[[Request, Fault | None], Any]]] = {
            "/v1/models": ("GET", self._models),
            "/v1/models/{model}": ("GET", self._model),
            "/v1/chat/completions": ("POST", texts.chat),
            "/v1/responses": ("POST", texts.responses),
            "/v1/audio/transcriptions": ("POST", sounds.transcribe),
            "/v1/audio/speech": ("POST", sounds.speak),
        }
        self.app = Starlette(
            routes=[
                Route(path, partial(self._door, work), methods=[method])
                for path, (method, work) in doors.items()
            ],
            exception_handlers={404: _not_found, 405: _not_found},
        )

    async def _door(
        self, work: Callable[[Request, Fault | None], Any], request: Request
    ) -> Response:
        fault = self.faults.take()
        try:
            if fault is not None:
                await self._before(fault, request)
            if request.headers.get("authorization") != f"Bearer {self.desk.house.key}":
                raise Refused(401, "Incorrect API key provided.", "invalid_api_key")
            found: Response = await work(request, fault)
        except Refused as refused:
            found = error(refused.status, str(refused), refused.code, refused.param)
            if refused.status == 429:
                found.headers["retry-after"] = (fault.detail if fault else "") or "1"
        found.headers["x-request-id"] = f"req_{random.randbytes(8).hex()}"
        return found

    async def _before(self, fault: Fault, request: Request) -> None:
        match fault.name:
            case "refuse_connection":
                self.desk.house.cut(request)
                raise Refused(503, "Refused.")
            case "throttled":
                raise Refused(429, "Rate limit reached.", "rate_limit_exceeded")
            case "server_error":
                raise Refused(int(fault.detail or 503), "The server is overloaded.", "server_error")
            case "hang_before_first_event":
                await asyncio.Event().wait()

    # ---- models ------------------------------------------------------------------------------

    async def _models(self, request: Request, fault: Fault | None) -> Response:
        names = ("gpt-realtime-2.1", "gpt-5.6-terra", "gpt-transcribe", "gpt-4o-mini-tts")
        return JSONResponse({"object": "list", "data": [_model_card(name) for name in names]})

    async def _model(self, request: Request, fault: Fault | None) -> Response:
        exists(request.path_params["model"])
        return JSONResponse(_model_card(request.path_params["model"]))


async def _not_found(request: Request, _error: Exception) -> Response:
    return error(404, f"Invalid URL ({request.method} {request.url.path})", None)


def _model_card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "simulator"}
