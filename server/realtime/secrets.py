"""`POST /v1/realtime/client_secrets`: a short-lived key for one live connection.

A page can't read why its WebSocket was refused, so what would be refused there is refused here,
with the reason. What the request asks of the session is applied when the key starts one.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.realtime import shapes
from server.realtime.commands import session_wishes
from server.realtime.http import ice_servers, lesson_of, read_json, session_id, session_name
from server.realtime.reading import Bad, Fields
from server.services import Services
from sessions.lessons.store import LessonVersion
from sessions.live import wording
from sessions.live.events import SessionView, UpdateSession
from sessions.live.options import Options
from tenancy.identities import KEY_S
from tenancy.ids import new_id
from tenancy.model import Caller

DEFAULT_S = 600  # OpenAI's
REMEMBERED = 10_000


class KeyWishes:
    """What the makers of short-lived keys asked of the session; forgotten with the key."""

    def __init__(self) -> None:
        self._wishes: OrderedDict[bytes, tuple[float, UpdateSession]] = OrderedDict()

    def remember(self, key: str, wishes: UpdateSession, expires_at: float) -> None:
        if wishes == UpdateSession(ignored=wishes.ignored):
            return
        self._wishes[_digest(key)] = (expires_at, wishes)
        while len(self._wishes) > REMEMBERED:
            self._wishes.popitem(last=False)

    def of(self, key: str) -> UpdateSession | None:
        expires_at, wishes = self._wishes.get(_digest(key), (0.0, None))
        return wishes if time.time() < expires_at else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def create_secret(
    request: Request, services: Services, caller: Caller, wishes_of: KeyWishes
) -> Response:
    """Make a key."""
    body = await read_json(request)
    seconds = _seconds(body)
    session = body.object("session") or Fields({}, "session")
    asked = session_wishes(session)
    wishes = replace(asked, ignored=tuple(name for name in asked.ignored if name != "model"))
    model = session.string("model", limit=128)
    named = request.query_params.get("session")
    resumes = session_id(named) if named else None
    wanted = lesson_of(model, caller) if model or caller.lesson else None
    version = await services.lobby.check(caller, lesson=wanted, session=resumes)
    lesson = version.slug if version else None
    value, expires_at = await services.identities.issue_ephemeral(
        caller, lesson=lesson, seconds=seconds
    )
    wishes_of.remember(value, wishes, expires_at.timestamp())
    answer = {
        "value": value,
        "expires_at": int(expires_at.timestamp()),
        "session": await _session(services, caller, version, wishes, resumes),
        "ice_servers": ice_servers(services, caller),
    }
    return JSONResponse(answer)


def _seconds(body: Fields) -> int:
    expires_after = body.object("expires_after")
    if expires_after is None:
        return DEFAULT_S
    expires_after.choice("anchor", ("created_at",))
    seconds = expires_after.integer("seconds")
    if seconds is None:
        return DEFAULT_S
    if seconds not in KEY_S:
        raise Bad(
            f"A key lives {KEY_S.start} to {KEY_S.stop - 1} seconds.",
            param=expires_after.param("seconds"),
        )
    return seconds


async def _session(
    services: Services,
    caller: Caller,
    version: LessonVersion | None,
    wishes: UpdateSession,
    resumes: UUID | None,
) -> dict[str, Any]:
    """The session as it would begin."""
    options = Options()
    patience_ms = 900
    engine: str = services.config.engines.settings.order[0]
    hears_speech = True
    if version is not None:
        chain = await services.lobby.chain(caller.person.tenant_id, version, "voice")
        engine, hears_speech = chain.preferred.name, chain.hears(version.language)
        plan = version.plan
        options = Options(voice=plan.voice.name, speed=plan.voice.speed)
        patience_ms = round(plan.patience_s * 1000)
    options = options.updated(wishes)
    view = SessionView(
        id=session_name(resumes or new_id()),
        model=version.slug if version else "",
        instructions=wording.INSTRUCTIONS,
        output_modalities=(options.modality,),
        input_format=options.input_format,
        output_format=options.output_format,
        binary=options.binary,
        turn_detection=options.effective_detection(patience_ms),
        voice=options.voice,
        speed=options.speed,
        engine=engine,
        hears_speech=hears_speech,
        sandbox=False,
        expires_at=0,
    )
    shape = shapes.session(view) | {"locked": list(wishes.ignored)}
    for unknown in ("expires_at", "sandbox"):
        del shape[unknown]  # only the session itself knows
    return shape
