"""One table makes the API: its routes, what they take and give, and the document about them.

A `Route` names its method and path, the pydantic models of query, body and answer, and a handler,
which gets a `Call` and returns the answer. What does not fit the models never reaches the handler.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from server.errors import Refused, answer_to, problem
from server.realtime.reading import Bad, parse_object
from server.services import Services
from tenancy.model import Caller, Person

PREFIX = "/api/v1"
BODY_BYTES = 1 << 20  # promises.md 3.6
PARAMETERS = 50
NAME_CHARACTERS = 100  # of a wrong name, repeated in the refusal

NO_BODY = "Send a JSON object as the body."
NOT_UTF8 = "This is not JSON: it is not UTF-8. Send one JSON object in UTF-8."
QUERY_NOT_UTF8 = "The query is not UTF-8. Write it in UTF-8, percent-encoded."
TOO_LARGE = f"The body is larger than {BODY_BYTES >> 20} MiB. Send less at once."
NOTHING = "\N{REPLACEMENT CHARACTER}"  # no name has it, and the database takes it
NUL = "It holds a character (NUL) that can't be kept. Leave it out."
TWICE = "A query parameter stands twice. Send each once."
TOO_MANY = f"A query may have {PARAMETERS} parameters. Send fewer."


class Model(BaseModel):
    """Base of what comes in and goes out: no unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the table: who asks, and for what."""

    services: Services
    request: Request
    caller: Caller | None
    path: Mapping[str, str]
    query: Any
    body: Any

    @property
    def person(self) -> Person:
        assert self.caller is not None, "only public routes have no caller"
        return self.caller.person

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else ""


Handler = Callable[[Call], Awaitable[BaseModel | Response | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the table."""

    method: str
    path: str
    "Below PREFIX, with `{names}`."
    handler: Handler
    summary: str
    answer: type[BaseModel] | None = None
    "None: 204, or what `media` names."
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    takes: str | None = None
    "A content type, such as `text/csv`: the body comes as bytes, up to BODY_BYTES."
    public: bool = False
    "For callers who are not signed in."
    media: tuple[str, ...] = ()
    "Other content types it may answer with."
    refuses: tuple[int, ...] = ()
    "Statuses besides 400, 401 and 403."

    @property
    def status(self) -> int:
        return 200 if self.answer is not None or self.media else 204


def starlette_routes(
    routes: Iterable[Route], services: Callable[[Request], Services]
) -> list[StarletteRoute]:
    """The routes, as Starlette serves them."""
    return [
        StarletteRoute(PREFIX + route.path, _endpoint(route, services), methods=[route.method])
        for route in routes
    ]


def _endpoint(
    route: Route, services: Callable[[Request], Services]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return _response(route, await route.handler(await _call(route, request, services)))
        except Exception as trouble:
            return problem(answer_to(trouble))

    return endpoint


async def _call(route: Route, request: Request, services: Callable[[Request], Services]) -> Call:
    given = services(request)
    caller = None
    if not route.public:
        caller = await given.door.caller(request.scope, Headers(scope=request.scope))
    query = read_query(route.query, request.scope["query_string"])
    body: Any = None
    if route.body is not None:
        body = read_body(route.body, await _body(request))
    elif route.takes is not None:
        body = await _body(request)
    path = {name: value.replace("\0", NOTHING) for name, value in request.path_params.items()}
    return Call(given, request, caller, path, query, body)


async def _body(request: Request) -> bytes:
    """The body, counted while it is read."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > BODY_BYTES:
            raise Refused(413, "too_large", TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def read_query(model: type[BaseModel] | None, query: bytes) -> BaseModel | None:
    """The query's parameters. Raises Refused."""
    try:
        pairs = parse_qsl(
            query.decode(), keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict"
        )
    except UnicodeDecodeError as trouble:
        raise Refused(400, "invalid_query", QUERY_NOT_UTF8) from trouble
    except ValueError as trouble:
        raise Refused(400, "invalid_query", TOO_MANY) from trouble
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Refused(400, "invalid_query", TWICE)
    if "\0" in "".join(values.values()):
        raise Refused(400, "invalid_query", NUL)
    if model is None:
        if values:
            name = next(iter(values))[:NAME_CHARACTERS]
            message = f"There is no query parameter {name!r} here. Leave it out."
            raise Refused(400, "invalid_query", message, param=name)
        return None
    return _validated(model, values, "query parameter", strict=False)


def read_body(model: type[BaseModel], data: bytes) -> BaseModel:
    """The JSON body. Raises Refused."""
    if not data:
        raise Refused(400, "invalid_body", NO_BODY)
    try:
        text = data.decode()
        value = parse_object(text)
    except UnicodeDecodeError as trouble:
        raise Refused(400, "invalid_json", NOT_UTF8) from trouble
    except Bad as trouble:
        raise Refused(400, trouble.code, trouble.message) from trouble
    if "\\u0000" in text and _holds_nul(value):
        raise Refused(400, "invalid_body", NUL)
    return _validated(model, value, "field", strict=True)


def _holds_nul(value: Any) -> bool:
    """PostgreSQL keeps every character but this one."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(part) for key, part in value.items())
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


def _validated(
    model: type[BaseModel], values: dict[str, Any], noun: str, *, strict: bool
) -> BaseModel:
    try:
        if strict:
            return model.model_validate_json(orjson.dumps(values), strict=True)
        return model.model_validate(values, strict=False)
    except ValidationError as trouble:
        first = trouble.errors(include_url=False, include_context=False, include_input=False)[0]
        message, param = _sentence(first, model, noun)
        raise Refused(400, f"invalid_{noun.split()[0]}", message, param=param) from trouble


def _sentence(error: ErrorDetails, model: type[BaseModel], noun: str) -> tuple[str, str]:
    """What is wrong with one value, and which."""
    param = ".".join(str(part) for part in error["loc"])[:NAME_CHARACTERS]
    if error["type"] == "extra_forbidden":
        if len(error["loc"]) > 1:
            return f"There is no {noun} {param!r} here. Leave it out.", param
        known = ", ".join(field.alias or name for name, field in model.model_fields.items())
        return f"There is no {noun} {param!r} here. There are: {known}.", param
    if error["type"] == "missing":
        return f"The {noun} {param!r} is missing.", param
    reason = error["msg"].removeprefix("Value error, ").rstrip(".")
    return f"The {noun} {param!r} can't be used: {reason[:1].lower()}{reason[1:]}.", param


def _response(route: Route, answer: BaseModel | Response | None) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
