"""What goes wrong, as HTTP says it: one table, two spellings.

Under `/v1` a refusal is OpenAI's error object, under `/api` problem details (RFC 9457). Every
refusal is one sentence that says what to do; what nobody foresaw is logged under an id and told by
that id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ai.engine import EngineUnavailable
from sessions.errors import (
    LessonArchived,
    LessonUnknown,
    PlanInvalid,
    ServerIsFull,
    SessionIsOver,
    SessionUnknown,
    SessionWaits,
    StepUnknown,
    TemplateUnknown,
    TooManyReaders,
    TooManySessions,
    VersionUnknown,
)
from tenancy.accounts import LastAdmin
from tenancy.errors import InTheWay, LimitReached, NotThere, Unfit
from tenancy.identities import PersonUnknown, SeveralSchools
from tenancy.model import NotAllowed, NotSignedIn, SignInRefused, TenantUnknown
from tenancy.people import EmailTaken
from tenancy.postgres import DatabaseUnavailable
from tenancy.roster_file import FileRefused

log = structlog.get_logger()


class Refused(Exception):
    """A request that can't be done as it came; `message` says what to do.

    Raised at the doors themselves, where no room has a word for it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        more: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """
        Args:
            more: What a page needs to help, as JSON: members of problem details besides the usual.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.more = more or {}
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal, before it is spelled."""

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after_s: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """OpenAI's error type."""
        return {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 409:
            headers["x-should-retry"] = "false"  # OpenAI's clients would try again otherwise
        return headers


TABLE: Mapping[type[Exception], tuple[int, str]] = {
    NotSignedIn: (401, "not_signed_in"),
    SignInRefused: (401, "sign_in_refused"),
    NotAllowed: (403, "not_allowed"),
    LessonUnknown: (404, "model_not_found"),
    SessionUnknown: (404, "session_not_found"),
    TemplateUnknown: (404, "template_not_found"),
    VersionUnknown: (404, "version_not_found"),
    StepUnknown: (404, "step_not_found"),
    LessonArchived: (409, "lesson_archived"),
    TenantUnknown: (404, "school_not_found"),
    PersonUnknown: (404, "person_not_found"),
    NotThere: (404, "not_found"),
    SeveralSchools: (409, "several_schools"),
    EmailTaken: (409, "email_taken"),
    LastAdmin: (409, "last_admin"),
    InTheWay: (409, "conflict"),
    Unfit: (422, "unfit"),
    FileRefused: (422, "file_refused"),
    SessionIsOver: (409, "session_over"),
    SessionWaits: (409, "session_waits"),
    TooManyReaders: (429, "too_many_readers"),
    TooManySessions: (429, "too_many_sessions"),
    LimitReached: (429, "limit_reached"),
    PlanInvalid: (422, "plan_invalid"),
    ServerIsFull: (503, "server_busy"),
    EngineUnavailable: (503, "tutor_unavailable"),
    DatabaseUnavailable: (503, "database_unavailable"),
}
RETRY_AFTER_S = {503: 5}


def answer_to(problem: Exception) -> Answer:
    """What to answer where `problem` was raised; an unforeseen one is logged, without its text."""
    if isinstance(problem, Refused):
        return Answer(
            problem.status,
            problem.code,
            problem.message,
            problem.param,
            problem.retry_after_s,
            more=problem.more,
        )
    if isinstance(problem, ClientDisconnect):
        return Answer(400, "broken_off", "The request was broken off.")  # nobody reads it
    for kind in type(problem).__mro__:
        if kind in TABLE:
            status, code = TABLE[kind]
            retry_after_s = getattr(problem, "retry_after_s", None) or RETRY_AFTER_S.get(status)
            if isinstance(problem, SignInRefused) and retry_after_s is not None:
                status = 429
            return Answer(status, code, str(problem), None, retry_after_s)
    error_id = uuid4().hex[:12]
    log.error("request.failed", error_id=error_id, exc_info=problem)
    return Answer(
        500,
        "internal_error",
        f"Something went wrong on our side and was noted as {error_id}. Please try again.",
    )


def openai_error(answer: Answer) -> JSONResponse:
    """OpenAI's error object."""
    error: dict[str, Any] = {
        "message": answer.message,
        "type": answer.type,
        "param": answer.param,
        "code": answer.code,
    }
    return JSONResponse({"error": error}, answer.status, headers=answer.headers)


def problem(answer: Answer) -> JSONResponse:
    """Problem details, RFC 9457."""
    body: dict[str, Any] = {
        **answer.more,
        "type": f"/api/v1/docs#{answer.code}",
        "title": HTTPStatus(answer.status).phrase,
        "status": answer.status,
        "detail": answer.message,
        "code": answer.code,
    }
    if answer.param is not None:
        body["param"] = answer.param
    return JSONResponse(
        body, answer.status, headers=answer.headers, media_type="application/problem+json"
    )


def spelled(path: str, answer: Answer) -> JSONResponse:
    """The refusal as clients of this address read it."""
    return openai_error(answer) if path.startswith("/v1/") else problem(answer)


class LastResort:
    """A layer around the routes: what none of them foresaw is answered and logged once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as trouble:
            if begun:
                raise  # the server logs it and breaks the answer off
            await spelled(scope["path"], answer_to(trouble))(scope, receive, send)
