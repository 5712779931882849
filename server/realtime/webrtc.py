"""`/v1/realtime/calls`: a lesson over WebRTC, as OpenAI has calls, and WHIP (RFC 9725).

    who is it?  ->  may they offer?  ->  the offer  ->  which session?  ->  201 and our answer

Everything that can be refused has its status here; after that the call speaks for itself.
"""

import re
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from server.errors import Refused
from server.identity import presented
from server.realtime.calls import Call, Calls
from server.realtime.commands import session_wishes
from server.realtime.http import (
    ice_servers,
    lesson_of,
    read_body,
    session_id,
    session_name,
    too_large,
)
from server.realtime.reading import ITEM_ID, Bad, Fields, parse_object
from server.realtime.secrets import KeyWishes
from server.rtc import turn
from server.rtc.sdp import Offer, OfferRefused
from server.services import Services
from sessions.live.events import UpdateSession
from tenancy.model import Caller

SDP_BYTES = 64 * 1024
FORM_BYTES = 80 * 1024
"An offer, and a session object beside it."
FORM_PARTS = 4
HEAD_BYTES, HEAD_LINES = 1_024, 8
"Of a part of a form."

SDP, FORM, FRAGMENT = "application/sdp", "multipart/form-data", "application/trickle-ice-sdpfrag"
OFF = (
    "Calls are switched off on this server. Connect to /v1/realtime by WebSocket: lessons are the"
    " same there."
)
SEND_SDP = (
    "Send the SDP offer as application/sdp, or as multipart/form-data with the parts `sdp` and"
    " `session`."
)
JSON_SDP = (
    "An offer is not taken as JSON. Send the SDP itself as application/sdp and the lesson in"
    " `?model=`, or both as multipart/form-data with the parts `sdp` and `session`."
)
SEND_FRAGMENT = "Send candidates as application/trickle-ice-sdpfrag."
CHANGED = "This call has another ETag. Leave If-Match out, or send the one of the answer."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a call says."""

    sdp: str
    session: Fields


class WebRtc:
    """The three routes of calls."""

    def __init__(self, calls: Calls | None, wishes_of: KeyWishes) -> None:
        self._calls = calls
        self._wishes_of = wishes_of

    async def create(self, request: Request, services: Services, caller: Caller) -> Response:
        """`POST /v1/realtime/calls`."""
        calls = self._on()
        try:
            calls.count_offer(caller)
            return await self._create(calls, request, services, caller)
        except (Bad, Refused) as refused:
            calls.tally.refused[refused.code] = calls.tally.refused.get(refused.code, 0) + 1
            raise

    async def _create(
        self, calls: Calls, request: Request, services: Services, caller: Caller
    ) -> Response:
        asked = await read_offer(request)
        try:
            offer = Offer.read(asked.sdp)
        except OfferRefused as problem:
            raise Bad(problem.sentence, code=problem.code, param="sdp") from None
        query = request.query_params
        wishes = session_wishes(asked.session)
        wanted = query.get("session")
        calls.check_room(caller, session_id(wanted) if wanted else None)
        if wanted:
            session, resumed = await services.lobby.enter(
                caller, lesson=None, session=session_id(wanted), mode="voice"
            )
        else:
            model = query.get("model") or asked.session.string("model", limit=128)
            lesson = lesson_of(model, caller)
            session, resumed = await services.lobby.enter(caller, lesson=lesson, mode="voice")
        calls.make_room(caller, session.id)
        after = query.get("after")
        call = calls.open(
            offer,
            caller,
            session,
            services.codecs,
            after=after if after and ITEM_ID.fullmatch(after) else None,
            resumed=resumed,
            wishes=self._wishes(request, wishes, resumed=resumed),
            listen=services.door.identities.revocations.listen,
        )
        return _created(call, services)

    async def end(self, request: Request, services: Services, caller: Caller) -> Response:
        """`DELETE /v1/realtime/calls/<id>`, and `POST …/hangup`.

        The session waits for its student, as after every break. Who has no data channel can't say
        that they have finished, so they say it by this.
        """
        calls = self._on()
        call = calls.of(caller, request.path_params["call"])
        calls.hang_up(call, "hung_up", finished=not call.connection.events)
        return Response(status_code=200)

    async def patch(self, request: Request, services: Services, caller: Caller) -> Response:
        """`PATCH /v1/realtime/calls/<id>`: candidates that come later. They are read, not used."""
        call = self._on().of(caller, request.path_params["call"])
        if media_type(request) != FRAGMENT:
            raise Refused(415, "unsupported_media_type", SEND_FRAGMENT)
        if request.headers.get("if-match", etag(call)) not in (etag(call), "*"):
            raise Refused(412, "precondition_failed", CHANGED)
        fragment = _text(await read_body(request, SDP_BYTES))
        try:
            call.peer.candidates(fragment)
        except OfferRefused as problem:
            status = 422 if problem.code == "ice_restart" else 400
            raise Refused(status, problem.code, problem.sentence) from None
        return Response(status_code=204, headers={"ETag": etag(call)})

    def _on(self) -> Calls:
        if self._calls is None:
            raise Refused(501, "calls_off", OFF)
        return self._calls

    def _wishes(
        self, request: Request, asked: UpdateSession, *, resumed: bool
    ) -> UpdateSession | None:
        """What the request asks of the session; else, for a new one, what the key's maker did."""
        asked = replace(asked, ignored=tuple(name for name in asked.ignored if name != "model"))
        if asked != UpdateSession():
            return asked
        credential = presented(request.headers)
        return self._wishes_of.of(credential.value) if credential and not resumed else None


def _created(call: Call, services: Services) -> Response:
    response = Response(
        call.peer.answer,
        201,
        headers={
            "Location": f"/v1/realtime/calls/{call.id}",
            "ETag": etag(call),
            "Accept-Patch": FRAGMENT,
            "X-Session-Id": session_name(call.session.id),
            "Cache-Control": "no-store",
        },
        media_type=SDP,
    )
    for link in turn.links(ice_servers(services, call.caller)):
        response.headers.append("Link", link)
    return response


def etag(call: Call) -> str:
    """A call's ICE session never changes."""
    return f'"{call.id}"'


# ---- reading ---------------------------------------------------------------------------------


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_offer(request: Request) -> Asked:
    """The offer, and the session object beside it. Raises Bad, Refused."""
    kind = media_type(request)
    if kind == SDP:
        return Asked(_text(await read_body(request, SDP_BYTES)), Fields({}, "session"))
    if kind == FORM:
        body = await read_body(request, FORM_BYTES)
        form = read_form(request.headers["content-type"], body)
        if "sdp" not in form:
            raise Bad(SEND_SDP, param="sdp")
        if len(form["sdp"]) > SDP_BYTES:
            raise too_large(SDP_BYTES)
        values = parse_object(form["session"]) if form.get("session", "").strip() else {}
        return Asked(form["sdp"], Fields(values, "session"))
    raise Refused(
        415, "unsupported_media_type", JSON_SDP if kind == "application/json" else SEND_SDP
    )


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The parts of a `multipart/form-data` body (RFC 7578) as text.

    Two short text fields and nothing else: parts in parts, encodings and long heads, which make
    general parsers slow, are refused unread. Raises Bad.
    """
    named = _BOUNDARY.fullmatch(content_type) if len(content_type) <= HEAD_BYTES else None
    if named is None:
        raise _no_form()
    pieces = (b"\r\n" + body).split(b"\r\n--" + (named[1] or named[2]).encode("ascii"))
    if not 3 <= len(pieces) <= FORM_PARTS + 2 or not pieces[-1].startswith(b"--"):
        raise _no_form()
    found: dict[str, str] = {}
    for piece in pieces[1:-1]:
        head, blank, content = piece.partition(b"\r\n\r\n")
        name = _name(head) if len(head) <= HEAD_BYTES and blank else None
        if name is None or name in found:
            raise _no_form()
        found[name] = _text(content)
    return found


def _no_form() -> Bad:
    return Bad(SEND_SDP, code="invalid_form")


_BOUNDARY = re.compile(  # RFC 2046, 5.1.1; a boundary does not end in a space
    r"""multipart/form-data\s*;\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])\""""
    r"|([\w'+.-]{1,70}))\s*(?:;.*)?",
    re.IGNORECASE | re.ASCII,
)
_NAMED = re.compile(
    r'content-disposition:\s*form-data\s*;(?:[^"]*;)?\s*name="?([a-z_]{1,32})"?(?:\s*;.*)?',
    re.IGNORECASE,
)


def _name(head: bytes) -> str | None:
    """What the head of a part calls it."""
    for line in head.decode("latin-1").split("\r\n")[:HEAD_LINES]:
        if match := _NAMED.fullmatch(line.strip()):
            return match[1].lower()
    return None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Bad("The offer is not UTF-8.", code="invalid_sdp", param="sdp") from None
