"""`POST /v1/chat/completions`: a lesson for clients that know only chat.

    read the request -> find its place in a session -> ask, listen along, or repeat -> answer

An answer is asked for once. Requests that ask the same while it is given listen along; requests
that ask it again later get it from the session's items. A client that goes away does not stop it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from server.errors import Refused, answer_to
from server.realtime import chat
from server.realtime.chat import Asked, AtTheEnd, ChatRequest, Heading
from server.realtime.http import lesson_of, read_json, session_id, session_name
from server.services import Services
from sessions.lessons import store
from sessions.live.events import (
    CommandRefused,
    CreateItem,
    CreateResponse,
    Event,
    ItemDone,
    OutputItemAdded,
    ResponseCreated,
    ResponseDone,
    SessionEnded,
    TextDelta,
)
from sessions.live.session import Session
from sessions.record import sessions as record
from tenancy.model import Caller, NotAllowed, Person

KEEP_ALIVE_S = 10.0
BEGUN_WITHIN_S = 10.0
ANSWERED_WITHIN_S = 120.0
SAVED_WITHIN_S = 2.0
"So long the end of an answer waits for the database; if it is away, the lesson goes on."

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
NO_ANSWER = "The tutor did not answer in time. Send the same messages again."
BROKEN = "The tutor could not finish this answer. Send the same messages again."
TAKEN_OVER = "This lesson goes on over another connection of yours. Send your message there."
OVER = "This lesson is over. Leave out X-Session-Id and send one message to start a new one."


class Answering:
    """One answer, while it is given. Implements `sessions.live.seats.Connection`."""

    over_call: bool = False

    def __init__(
        self, person: Person, question_id: str, on_end: Callable[[], None], *, new: bool
    ) -> None:
        """
        Args:
            new: Whether the question is still to be asked, and saved.
        """
        self.person = person
        self.new = new
        self.question_id = question_id
        self.text = ""
        self.usage: dict[str, int] | None = None
        self.problem: Refused | None = None
        self.begun = False
        self.done = False
        self.news = asyncio.Event()
        "Set, and replaced by a new one, at each change."
        self._on_end = on_end
        self._response_id: str | None = None
        self._answered = False
        self._unsaved = {question_id} if new else set()
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """The question is being asked; an answer must come in time."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(ANSWERED_WITHIN_S, self._fail, 503, "tutor_silent", NO_ANSWER)

    def tell(self, event: Event) -> None:
        match event:
            case ResponseCreated() if self._response_id is None:
                self._response_id = event.response.id
                self.begun = True
            case TextDelta() if event.response_id == self._response_id:
                self.text += event.delta
            case OutputItemAdded() if event.response_id == self._response_id:
                self._unsaved.add(event.item.id)
            case ItemDone():
                self._unsaved.discard(event.item.id)
            case ResponseDone() if event.response.id == self._response_id:
                self._answer_is_whole(event)
            case CommandRefused():
                self._fail(409, event.code, event.message)
            case SessionEnded() if not self._answered:
                self._fail(409, "session_over", OVER)
            case _:
                return
        if self._answered and not self._unsaved:
            self._end()
        self._announce()

    def close(self, code: int, reason: str) -> None:
        if not self._answered:
            self._fail(409, "taken_over", TAKEN_OVER)
        self._end()

    def _answer_is_whole(self, event: ResponseDone) -> None:
        self.usage = dict(event.response.usage) if event.response.usage else None
        if event.response.status == "failed" or not self.text:
            self._fail(503, event.response.reason or "no_answer", BROKEN)
            return
        self._answered = True
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(SAVED_WITHIN_S, self._end)

    def _fail(self, status: int, code: str, message: str) -> None:
        if not self.done:
            self.problem = Refused(status, code, message)
            self._end()

    def _end(self) -> None:
        if not self.done:
            self.done = self.begun = True
            self._cancel_timer()
            asyncio.get_running_loop().call_soon(self._on_end)
            self._announce()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _announce(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Repeated:
    """An answer that was given before."""

    question_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request is answered, and by what."""

    session: UUID
    answer: Answering | Repeated


class Chats:
    """The answers that are being given in this process."""

    def __init__(self) -> None:
        self._answering: dict[UUID, tuple[ChatRequest, Answering]] = {}
        "By session."
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        "A person's requests are placed one after the other, else two could ask the same at once."

    async def complete(self, request: Request, services: Services, caller: Caller) -> Response:
        """The endpoint."""
        asked = chat.read_request(await read_json(request))
        lesson = await store.get(services.database, caller.person, lesson_of(asked.model, caller))
        if caller.lesson not in (None, lesson.slug, str(lesson.lesson_id)):
            raise NotAllowed(f"This key is for the lesson {caller.lesson!r} only.")
        named = request.headers.get("x-session-id")
        turn = self._turns.setdefault(caller.person.id, asyncio.Lock())
        async with turn:
            found = await self._find(
                services, caller, lesson.slug, asked, session_id(named) if named else None
            )
        headers = {"X-Session-Id": session_name(found.session), "Cache-Control": "no-store"}
        if asked.locked:
            headers["X-Locked-By-Lesson"] = ", ".join(asked.locked)
        answer = found.answer
        heading = Heading(f"chatcmpl-{answer.question_id}", int(time.time()), lesson.slug)
        if isinstance(answer, Answering):
            await _begun(answer)
        if asked.stream:
            return StreamingResponse(
                _stream(answer, heading, asked), media_type="text/event-stream", headers=headers
            )
        if isinstance(answer, Answering):
            await _done(answer)
        counted = answer.usage if isinstance(answer, Answering) else None
        used = chat.usage(asked, answer.text, counted)
        return JSONResponse(heading.completion(answer.text, used), headers=headers)

    # ---- finding the place ------------------------------------------------------------------

    async def _find(
        self,
        services: Services,
        caller: Caller,
        lesson: str,
        asked: ChatRequest,
        named: UUID | None,
    ) -> Found:
        """Where the request stands: an answer under way, one given before, or a new question."""
        if named is not None:
            await services.lobby.enter(caller, lesson=lesson, session=named, mode="text")
            candidates = [named]
        else:
            candidates = await services.lobby.newest(caller, lesson)
        end: UUID | None = named
        for candidate in candidates:
            running = self._answering.get(candidate)
            if running is not None and _alike(running[0], asked):
                return Found(candidate, running[1])
            if running is not None:
                await _over(running[1])
            place = chat.place(await _items(services, caller, candidate), asked.before, asked.last)
            if isinstance(place, Asked):
                if place.answer is not None:
                    return Found(candidate, Repeated(place.item_id, place.answer))
                return await self._ask(services, caller, lesson, asked, candidate, place.item_id)
            if isinstance(place, AtTheEnd) and end is None:
                end = candidate
        return await self._ask(services, caller, lesson, asked, end, None)

    async def _ask(
        self,
        services: Services,
        caller: Caller,
        lesson: str,
        asked: ChatRequest,
        where: UUID | None,
        known_question: str | None,
    ) -> Found:
        """Ask the tutor, in a session that goes on or a new one."""
        session, resumed = await services.lobby.enter(
            caller, lesson=lesson, session=where, mode="text", fresh=where is None
        )

        def on_end() -> None:
            self._answering.pop(session.id, None)
            session.detach(answering, finished=False)

        question_id = known_question or f"item_{uuid4().hex}"
        answering = Answering(caller.person, question_id, on_end, new=known_question is None)
        self._answering[session.id] = (asked, answering)
        _put(session, answering, asked, resumed)
        return Found(session.id, answering)


def _put(session: Session, answering: Answering, asked: ChatRequest, resumed: bool) -> None:
    """Put the question to the session."""
    answering.expect()
    items = session.items
    session.attach(answering, after=items[-1].id if items else None, resumed=resumed)
    if answering.new:
        question = CreateItem(item_id=answering.question_id, text=asked.last, pcm=None)
        session.receive(answering, question)
    session.receive(answering, CreateResponse(output_modalities=("text",)))


def _alike(one: ChatRequest, other: ChatRequest) -> bool:
    return (one.before, one.last) == (other.before, other.last)


async def _items(services: Services, caller: Caller, session: UUID) -> Any:
    here = services.lobby.live(session)
    if here is not None:
        return here.items
    return await record.items(services.database, caller.person.tenant_id, session)


# ---- waiting for it --------------------------------------------------------------------------


async def _begun(answering: Answering) -> None:
    """Wait until there is something to stream, so that a refusal has its own status."""
    deadline = asyncio.get_running_loop().time() + BEGUN_WITHIN_S
    while not answering.begun and asyncio.get_running_loop().time() < deadline:
        await _news(answering, BEGUN_WITHIN_S)
    if answering.problem is not None:
        raise answering.problem


async def _done(answering: Answering) -> None:
    await _over(answering)
    if answering.problem is not None:
        raise answering.problem


async def _over(answering: Answering) -> None:
    while not answering.done:
        await _news(answering, ANSWERED_WITHIN_S)


async def _news(answering: Answering, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await answering.news.wait()
    except TimeoutError:
        return False
    return True


async def _stream(
    answer: Answering | Repeated, heading: Heading, asked: ChatRequest
) -> AsyncIterator[bytes]:
    yield _data(heading.first())
    if isinstance(answer, Repeated):
        yield _data(heading.piece(answer.text))
        counted = None
    else:
        sent = 0
        while True:
            if len(answer.text) > sent:
                piece, sent = answer.text[sent:], len(answer.text)
                yield _data(heading.piece(piece))
            elif answer.done:
                break
            elif not await _news(answer, KEEP_ALIVE_S):
                yield KEEP_ALIVE
        if answer.problem is not None:
            told = answer_to(answer.problem)
            error = {"message": told.message, "type": told.type, "code": told.code, "param": None}
            yield _data({"error": error})
            return
        counted = answer.usage
    yield _data(heading.last())
    if asked.include_usage:
        yield _data(heading.used(chat.usage(asked, answer.text, counted)))
    yield DONE


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
