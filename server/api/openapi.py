"""The API's own description: OpenAPI 3.1, made of the table."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from server.api.docs import page
from server.api.table import PREFIX, Route

REFS = "#/components/schemas/{model}"
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details, RFC 9457; `detail` is a sentence that says what to do.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "param": {"type": "string"},
    },
    "additionalProperties": True,
}
BODY_REFUSED = (413, 415)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of a table."""
    routes = tuple(routes)
    refs, schemas = _schemas(routes)
    paths: dict[str, Any] = {}
    for route in routes:
        operation = _operation(route, refs, schemas)
        paths.setdefault(PREFIX + _plain(route.path), {})[route.method.lower()] = operation
    queries = {_name(refs[route.query, "validation"]) for route in routes if route.query}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Student Connect", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {name: schemas[name] for name in schemas if name not in queries},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-sid"},
            },
        },
        "security": [{"token": []}, {"cookie": []}],
    }


def routes(table: Iterable[Route]) -> list[BaseRoute]:
    """Where the document and its page are."""
    described = document(table)
    shown = page(described)

    async def as_json(_: Request) -> JSONResponse:
        return JSONResponse(described)

    async def as_page(_: Request) -> HTMLResponse:
        return HTMLResponse(shown)

    return [
        StarletteRoute(f"{PREFIX}/openapi.json", as_json),
        StarletteRoute(f"{PREFIX}/docs", as_page),
    ]


Refs = dict[tuple[type[BaseModel], Any], dict[str, Any]]


def _schemas(routes: tuple[Route, ...]) -> tuple[Refs, dict[str, Any]]:
    """How each model is referred to, and what all of them look like, by name."""
    models: set[tuple[type[BaseModel], Any]] = set()
    for route in routes:
        models |= {(model, "validation") for model in (route.body, route.query) if model}
        if route.answer is not None:
            models.add((route.answer, "serialization"))
    refs, definitions = models_json_schema(
        sorted(models, key=lambda pair: (pair[0].__name__, pair[1])), ref_template=REFS
    )
    return refs, {**definitions.get("$defs", {}), "Problem": PROBLEM}  # type: ignore[return-value]


def _operation(route: Route, refs: Refs, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "responses": _responses(route, refs),
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", _plain(route.path))
    ]
    if route.query is not None:
        schema = schemas[_name(refs[route.query, "validation"])]
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema.get("properties", {}).items()
        ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[route.body, "validation"]}},
        }
    if route.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {route.takes: {"schema": {"type": "string"}}},
        }
    if route.public:
        operation["security"] = []
    return operation


def _responses(route: Route, refs: Refs) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": {"type": "string"}} for media in route.media}
    if route.answer is not None:
        content["application/json"] = {"schema": refs[route.answer, "serialization"]}
    responses: dict[str, Any] = {str(route.status): {"description": "Done."}}
    if content:
        responses[str(route.status)]["content"] = content
    refused = {400, 500, 503, *route.refuses}
    refused |= set() if route.public else {401, 403}
    refused |= set(BODY_REFUSED) if route.body or route.takes else set()
    problem = {"application/problem+json": {"schema": {"$ref": REFS.format(model="Problem")}}}
    for status in sorted(refused):
        responses[str(status)] = {"description": "Refused.", "content": problem}
    return responses


def _plain(path: str) -> str:
    """Starlette's `{name:path}` as OpenAPI's `{name}`."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def _name(ref: dict[str, Any]) -> str:
    return str(ref["$ref"]).rpartition("/")[2]
