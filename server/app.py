"""The application: every route and layer of it, on one screen."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server import pages
from server.api import lessons, openapi, people, sessions
from server.api.table import starlette_routes
from server.errors import Answer, answer_to, openai_error, problem
from server.realtime.cors import Cors
from server.realtime.routes import routes as realtime_routes
from server.security import Security
from server.services import Services

API = (*people.ROUTES, *lessons.ROUTES, *sessions.ROUTES)


def build(services: Services) -> Starlette:
    """The application on top of what `wiring.open` opened."""
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *starlette_routes(API, _services),
            *openapi.routes(API),
            *realtime_routes(services),
            *pages.routes(),
        ],
        middleware=[
            Middleware(Security, site=services.door.site),
            Middleware(Cors, origins=services.config.origins),
        ],
        exception_handlers={HTTPException: _http, Exception: _unforeseen},
    )


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Lessons can be held: the database answers too."""
    try:
        async with _services(request).database.control() as connection:
            await connection.fetchval("SELECT 1")
    except Exception as trouble:
        return problem(answer_to(trouble))
    return JSONResponse({"status": "ready"})


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _spell(path: str) -> Callable[[Answer], Response]:
    return openai_error if path.startswith("/v1/") else problem


async def _http(request: Request, trouble: Exception) -> Response:
    """No such address, or no such method there."""
    assert isinstance(trouble, HTTPException)
    path = request.url.path
    if trouble.status_code == 404 and not path.startswith(("/v1/", "/api/")):
        return await pages.not_found(request, trouble)
    sentence = {
        404: f"There is nothing at {path}. The addresses are listed at /api/v1/docs.",
        405: f"{request.method} can't be done at {path}.",
    }.get(trouble.status_code, trouble.detail)
    response = _spell(path)(Answer(trouble.status_code, "not_found", sentence))
    response.headers.update(trouble.headers or {})
    return response


async def _unforeseen(request: Request, trouble: Exception) -> Response:
    return _spell(request.url.path)(answer_to(trouble))
