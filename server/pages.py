"""The pages and their files: what you read is what runs."""

import asyncio
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Scope

STATIC = Path(__file__).resolve().parent.parent / "static"

# Not every machine's own table knows them, and a browser refuses a module of another type.
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}

PAGES = ("home", "sign-in", "student", "instructor", "tutor", "family", "admin")
NOT_FOUND = STATIC / "not-found.html"


class Files(StaticFiles):
    """Static files; the browser asks each time whether they changed: a deploy is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def page(name: str) -> list[BaseRoute]:
    """One HTML file for an address and all below it; the page's own script reads the rest."""
    file = STATIC / f"{name}.html"

    async def serve(_: Request) -> FileResponse:
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return [
        Route(f"/{name}", serve, methods=["GET"]),
        Route(f"/{name}/{{rest:path}}", serve, methods=["GET"]),
    ]


async def home(_: Request) -> RedirectResponse:
    """Everyone's first page; it knows where a person's work is, and who has to sign in."""
    return RedirectResponse("/home", 307)


async def not_found(_: Request, __: Exception) -> Response:
    """A friendly page for people; doors answer in their own shapes before this."""
    return FileResponse(NOT_FOUND, 404, headers={"Cache-Control": "no-store"})


async def warm() -> None:
    """Send a file to nobody: the first one makes Starlette import what files are read with."""

    async def send(_: Message) -> None:
        pass

    async def receive() -> Message:
        await asyncio.Event().wait()  # nobody hangs up
        return {}

    await FileResponse(NOT_FOUND)({"type": "http", "method": "GET", "headers": []}, receive, send)


def routes() -> list[BaseRoute]:
    """Every page and file."""
    for ending, kind in TYPES.items():
        mimetypes.add_type(kind, ending)
    return [
        Route("/", home),
        *(route for name in PAGES for route in page(name)),
        Mount("/static", Files(directory=STATIC)),
    ]
