"""The application: every route and layer of it, on one screen."""

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from server import pages
from server.api import (
    audit,
    authoring,
    care,
    classes,
    drafts,
    engines,
    events,
    exports,
    families,
    lesson_assignments,
    lessons,
    openapi,
    overrides,
    people,
    reviews,
    roster,
    roster_import,
    sessions,
    settings,
    students,
    transcripts,
    usage,
    versions,
)
from server.api.table import starlette_routes
from server.errors import Answer, LastResort, Refused, answer_to, problem, spelled
from server.observe import Count
from server.realtime.cors import Cors
from server.realtime.routes import routes as realtime_routes
from server.security import Security
from server.services import Services

API = (
    *people.ROUTES,
    *lessons.ROUTES,
    *lesson_assignments.ROUTES,
    *students.ROUTES,
    *authoring.ROUTES,
    *drafts.ROUTES,
    *versions.ROUTES,
    *exports.ROUTES,  # before the others: /sessions/export is no session
    *sessions.ROUTES,
    *transcripts.ROUTES,
    *reviews.ROUTES,
    *overrides.ROUTES,
    *events.ROUTES,
    *roster_import.ROUTES,
    *roster.ROUTES,
    *classes.ROUTES,
    *care.ROUTES,
    *settings.ROUTES,
    *engines.ROUTES,
    *usage.ROUTES,
    *audit.ROUTES,
    *families.ROUTES,
)
READY_WITHIN_S = 2.0  # a load balancer gives up soon after


def build(services: Services) -> ASGIApp:
    """The application on top of what `wiring.open_services` opened.

    Nothing gets around `Security`: it stands outside of Starlette's own answers too.
    """
    routes = Starlette(
        routes=[
            *_health(services),
            *starlette_routes(API, lambda _: services),
            *openapi.routes(API),
            *realtime_routes(services),
            *pages.routes(),
            WebSocketRoute("/{rest:path}", _no_socket),
        ],
        middleware=[Middleware(LastResort)],
        exception_handlers={HTTPException: _http},
    )
    routes.router.redirect_slashes = False  # one address, one answer
    answering = Cors(routes, origins=services.config.origins)
    return Count(Security(answering, site=services.door.site), services.counts)


def _health(services: Services) -> list[BaseRoute]:
    async def healthz(_: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        """Lessons can be held: the engine is warm since the start, and the database answers too."""
        if services.lobby.closing:
            return problem(answer_to(Refused(503, "stopping", "This server is stopping.")))
        try:
            async with asyncio.timeout(READY_WITHIN_S), services.database.control() as one:
                await one.fetchval("SELECT 1")
        except TimeoutError:
            return problem(answer_to(Refused(503, "not_ready", "The database does not answer.")))
        except Exception as trouble:
            return problem(answer_to(trouble))
        return JSONResponse({"status": "ready"})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _no_socket(socket: WebSocket) -> None:
    sentence = "There is no WebSocket here. /v1/realtime is the live door."
    answer = Answer(404, "not_found", sentence)
    await socket.send_denial_response(spelled(socket.scope["path"], answer))


async def _http(request: Request, trouble: Exception) -> Response:
    """No such address, or no such method there."""
    assert isinstance(trouble, HTTPException)
    path, status = request.scope["path"], trouble.status_code
    if status == 404 and not path.startswith(("/v1/", "/api/")):
        return await pages.not_found(request, trouble)
    code, sentence = {
        404: ("not_found", "There is nothing here. /api/v1/docs lists the addresses."),
        405: ("method_not_allowed", f"{request.method} can't be done here. See /api/v1/docs."),
    }.get(status, ("refused", trouble.detail))
    response = spelled(path, Answer(status, code, sentence))
    response.headers.update(trouble.headers or {})
    return response
