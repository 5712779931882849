"""The addresses of the live doors."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from server.errors import Refused, answer_to, openai_error
from server.realtime import models, websocket
from server.realtime.completions import Chats
from server.realtime.http import endpoint
from server.realtime.secrets import KeyWishes, create_secret
from server.realtime.webrtc import WebRtc
from server.services import Services
from tenancy.model import Caller

ONLY_SOCKETS = (
    "This address speaks WebSocket. Connect with ws:// or wss://, as realtime clients do."
)


def routes(services: Services) -> list[BaseRoute]:
    """All of /v1."""
    wishes, chats = KeyWishes(), Chats()
    calls = WebRtc(services.calls, wishes)

    async def realtime(connection: WebSocket) -> None:
        await websocket.serve(connection, services, wishes)

    async def secret(request: Request, services: Services, caller: Caller) -> Response:
        return await create_secret(request, services, caller, wishes)

    return [
        WebSocketRoute("/v1/realtime", realtime),
        Route("/v1/realtime", _speaks_websocket, methods=["GET"]),
        Route("/v1/realtime/client_secrets", endpoint(secret, services), methods=["POST"]),
        Route("/v1/realtime/calls", endpoint(calls.create, services), methods=["POST"]),
        Route("/v1/realtime/calls/{call}", endpoint(calls.end, services), methods=["DELETE"]),
        Route("/v1/realtime/calls/{call}", endpoint(calls.patch, services), methods=["PATCH"]),
        Route("/v1/realtime/calls/{call}/hangup", endpoint(calls.end, services), methods=["POST"]),
        Route("/v1/models", endpoint(models.list_models, services), methods=["GET"]),
        Route("/v1/models/{model}", endpoint(models.get_model, services), methods=["GET"]),
        Route("/v1/chat/completions", endpoint(chats.complete, services), methods=["POST"]),
    ]


async def _speaks_websocket(request: Request) -> Response:
    return openai_error(answer_to(Refused(426, "upgrade_required", ONLY_SOCKETS)))
