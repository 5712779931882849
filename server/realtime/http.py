"""What the HTTP doors under /v1 share: refusals as OpenAI spells them, strict bodies, names."""

import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from server.errors import Refused, answer_to, openai_error
from server.realtime.reading import Bad, Fields, parse_object
from server.rtc import turn
from server.services import Services
from sessions.errors import SessionUnknown
from tenancy.model import Caller

BODY_BYTES = 1024 * 1024  # promises.md 3.6
MODEL_CHARACTERS = 128

Handler = Callable[[Request, Services, Caller], Awaitable[Response]]
NO_LESSON = "There is no such lesson for you. GET /v1/models lists the lessons you may take."


def endpoint(handler: Handler, services: Services) -> Callable[[Request], Awaitable[Response]]:
    """A handler that knows its caller, and whose every refusal is OpenAI's error object."""

    async def answer(request: Request) -> Response:
        try:
            caller = await services.door.caller(request.scope, request.headers, lessons=True)
            return await handler(request, services, caller)
        except Bad as bad:
            refused = Refused(_status(bad), bad.code, bad.message, param=bad.param)
            return openai_error(answer_to(refused))
        except Exception as problem:
            return openai_error(answer_to(problem))

    return answer


def _status(bad: Bad) -> int:
    return 413 if bad.code == "too_large" and bad.param is None else 400


def ice_servers(services: Services, caller: Caller) -> list[dict[str, object]]:
    """The STUN and TURN servers that a caller may use now, with credentials of their own."""
    servers = services.config.calls.servers
    return turn.ice_servers(servers, str(caller.person.id), time.time())


async def read_body(request: Request, most: int) -> bytes:
    """The body. Raises Bad where it has more than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large(most)
    return bytes(body)


def too_large(most: int) -> Bad:
    """What to raise of a body with more than `most` bytes."""
    return Bad(f"The body has more than {most:,} bytes.", code="too_large")


async def read_json(request: Request) -> Fields:
    """The body, which must be a JSON object of moderate size; an empty one is `{}`."""
    body = await read_body(request, BODY_BYTES)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Bad("The body is not UTF-8; send JSON in UTF-8.", code="invalid_json") from None
    return Fields(parse_object(text) if text.strip() else {})


def lesson_of(model: str | None, caller: Caller) -> str:
    """The lesson a caller means: by `model`, else by their key."""
    lesson = model or caller.lesson
    if not lesson:
        raise Refused(
            400,
            "model_missing",
            "Say which lesson: send its id or slug as `model`. GET /v1/models lists them.",
            param="model",
        )
    if len(lesson) > MODEL_CHARACTERS or not lesson.isprintable():
        raise Refused(404, "model_not_found", NO_LESSON, param="model")
    return lesson


def session_id(name: str) -> UUID:
    """The session a client means: `sess_` and 32 hex digits, or a plain UUID."""
    try:
        return UUID(name.removeprefix("sess_"))
    except ValueError:
        raise SessionUnknown(name[:64]) from None


def session_name(session_id: UUID) -> str:
    return f"sess_{session_id.hex}"
