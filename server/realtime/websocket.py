"""`GET /v1/realtime`: from the handshake to the last frame of one live connection.

    who is it?  ->  which session?  ->  upgrade  ->  one task reads, one writes  ->  detach

What can be refused is refused before the upgrade, with a status and a sentence.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.errors import Refused, answer_to, openai_error
from server.identity import presented
from server.realtime.calls import NO_CALL, Call
from server.realtime.connection import ENDED, Talk
from server.realtime.http import lesson_of, session_id
from server.realtime.limits import RECHECK_S
from server.realtime.reading import ITEM_ID
from server.realtime.secrets import KeyWishes
from server.realtime.socket_connection import SocketConnection
from server.realtime.taking import let
from server.services import Services
from sessions.live.events import UpdateSession
from sessions.live.session import Session
from sessions.record import reads
from tenancy.model import Caller

SUBPROTOCOL = "realtime"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Way:
    """Where a connection leads."""

    session: Session
    resumed: bool
    "The session goes on rather than begins."
    reads: bool = False
    "It is somebody else's: the caller reads along."
    beside: Call | None = None
    "The call beside which it listens and commands."


async def serve(websocket: WebSocket, services: Services, wishes_of: KeyWishes) -> None:
    """One live connection."""
    try:
        caller = await services.door.caller(websocket.scope, websocket.headers, lessons=True)
        way = await _enter(websocket, services, caller)
    except Exception as problem:
        await websocket.send_denial_response(openai_error(answer_to(problem)))
        return
    offered = websocket.scope.get("subprotocols", [])
    try:
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # gone before we answered; the session waits for them
    connection = SocketConnection(caller.person, services.codecs, reads=way.reads)
    wishes = None if way.resumed else _wishes(websocket, wishes_of)
    await _converse(websocket, services, caller, connection, way, wishes)


async def _enter(websocket: WebSocket, services: Services, caller: Caller) -> Way:
    query = websocket.query_params
    if call_id := query.get("call_id"):
        if services.calls is None:
            raise Refused(404, "call_not_found", NO_CALL, param="call_id")
        call = services.calls.beside(caller, call_id)
        return Way(call.session, resumed=True, beside=call)
    wanted = query.get("session")
    if not wanted:
        lesson = lesson_of(query.get("model"), caller)
        return Way(*await services.lobby.enter(caller, lesson=lesson, mode="voice"))
    named = session_id(wanted)
    followed = await services.lobby.follow(caller, named)
    if followed is None:
        return Way(*await services.lobby.enter(caller, lesson=None, session=named, mode="voice"))
    address = websocket.client.host if websocket.client else None
    await reads.note(services.database, caller.person, named, datetime.now(UTC), address)
    return Way(followed, resumed=True, reads=True)


def _wishes(websocket: WebSocket, wishes_of: KeyWishes) -> UpdateSession | None:
    """What the maker of the caller's key asked for."""
    credential = presented(websocket.headers)
    return wishes_of.of(credential.value) if credential else None


async def _converse(
    websocket: WebSocket,
    services: Services,
    caller: Caller,
    connection: SocketConnection,
    way: Way,
    wishes: UpdateSession | None,
) -> None:
    session = way.session
    after = websocket.query_params.get("after") or None
    if after is not None and not ITEM_ID.fullmatch(after):
        after = None  # unknown: the whole conversation comes
    if way.resumed:
        connection.expect_replay(len(session.items))
    if way.reads:
        session.follow(connection, after=after)
    elif way.beside is not None:
        if services.calls is None or not services.calls.has_room_beside(way.beside):
            # That came about while the connection was let in.
            connection.close(ENDED, "the call is over, or has enough connections")
        else:
            session.join(connection, after=after)
            way.beside.beside.add(connection)
    else:
        session.attach(connection, after=after, resumed=way.resumed)
    if wishes is not None:
        session.receive(connection, wishes)
    stop_listening = services.door.identities.revocations.listen(caller, connection.withdraw)
    ids = {"session_id": str(session.id), "person_id": str(caller.person.id)}
    log.info("socket.opened", resumed=way.resumed, reads=way.reads, **ids)
    code = None
    try:
        code = await _until_closed(websocket, services, caller, connection, session)
    finally:
        stop_listening()
        if way.beside is not None:
            way.beside.beside.discard(connection)
        finished = code == ENDED and connection.closing is None
        session.detach(connection, finished=finished)
        log.info("socket.closed", code=code, **ids)


async def _until_closed(
    websocket: WebSocket,
    services: Services,
    caller: Caller,
    connection: SocketConnection,
    session: Session,
) -> int | None:
    """Read and write until one side closes; the client's close code, if it was the client."""
    reader = asyncio.create_task(_read(websocket, connection, session))
    writer = asyncio.create_task(_write(websocket, connection))
    try:
        while not (reader.done() or writer.done()):
            await asyncio.wait(
                (reader, writer), timeout=RECHECK_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not (reader.done() or writer.done()):
                await _recheck(services, caller, connection, session)
        return reader.result() if reader.done() else None
    finally:
        reader.cancel()
        writer.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)


async def _read(websocket: WebSocket, connection: SocketConnection, session: Talk) -> int:
    loop = asyncio.get_running_loop()
    next_at = 0.0  # a client that is too fast is read no sooner

    def take(frame: str | bytes) -> bool:
        nonlocal next_at
        if next_at and loop.time() < next_at:
            return False
        if connection.closing is None:
            wait_s = connection.take(session, frame)
            next_at = loop.time() + wait_s if wait_s > 0 else 0.0
        return True

    let(websocket.scope, take)
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1005)
        frame: str | bytes | None = message.get("text")
        if frame is None:
            frame = message.get("bytes") or b""
        if not take(frame):
            await asyncio.sleep(next_at - loop.time())
            next_at = 0.0
            take(frame)


async def _write(websocket: WebSocket, connection: SocketConnection) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):  # the client is gone
        await connection.write(websocket.send)


async def _recheck(
    services: Services, caller: Caller, connection: SocketConnection, session: Session
) -> None:
    try:
        valid = await services.door.identities.still_valid(caller)
        if valid and connection.reads:
            valid = await services.lobby.may_follow(caller.person, session.student.id)
        if not valid:
            connection.withdraw()
    except Exception as problem:
        log.warning("socket.recheck_failed", problem=type(problem).__name__)
