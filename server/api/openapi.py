"""The API's own description: OpenAPI 3.1, made of the table, and a plain page that shows it."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

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
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of a table."""
    routes = tuple(routes)
    models: set[tuple[type[BaseModel], Any]] = set()
    for route in routes:
        if route.body is not None:
            models.add((route.body, "validation"))
        if route.answer is not None:
            models.add((route.answer, "serialization"))
    names, definitions = models_json_schema(
        sorted(models, key=lambda pair: (pair[0].__name__, pair[1])), ref_template=REFS
    )
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Student Connect", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": PROBLEM},
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
    page = _page(described)

    async def as_json(_: Request) -> JSONResponse:
        return JSONResponse(described)

    async def as_page(_: Request) -> HTMLResponse:
        return HTMLResponse(page)

    return [
        StarletteRoute(f"{PREFIX}/openapi.json", as_json),
        StarletteRoute(f"{PREFIX}/docs", as_page),
    ]


def _operation(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "responses": _responses(route, names)}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)(?::\w+)?}", route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
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
            "content": {"application/json": {"schema": names[route.body, "validation"]}},
        }
    if route.public:
        operation["security"] = []
    return operation


def _responses(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": {"type": "string"}} for media in route.media}
    if route.answer is not None:
        content["application/json"] = {"schema": names[route.answer, "serialization"]}
    responses: dict[str, Any] = {str(route.status): {"description": "Done."}}
    if content:
        responses[str(route.status)]["content"] = content
    problem = {"application/problem+json": {"schema": {"$ref": REFS.format(model="Problem")}}}
    own = () if route.public else (401, 403)
    for status in sorted({400, 500, 503, *own, *route.refuses}):
        responses[str(status)] = {"description": "Refused.", "content": problem}
    return responses


def _page(described: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation['summary'])}</td></tr>"
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>API · Student Connect</title>"
        '<link rel="stylesheet" href="/static/css/tokens.css">'
        '<link rel="stylesheet" href="/static/css/base.css">'
        '<link rel="stylesheet" href="/static/css/api.css"></head><body>'
        '<main class="api"><h1>Student Connect API</h1>'
        f'<p>The whole description, with every field: <a href="{PREFIX}/openapi.json">'
        "openapi.json</a> (OpenAPI 3.1). Send <code>Authorization: Bearer &lt;token&gt;</code>;"
        " <code>student-connect token</code> makes one. The live door speaks OpenAI's Realtime"
        " protocol under <code>/v1</code>.</p>"
        "<table><caption>Routes</caption><thead><tr><th scope=col>Method</th>"
        "<th scope=col>Address</th><th scope=col>What it does</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></main></body></html>"
    )
