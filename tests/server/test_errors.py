"""One table of refusals, in two spellings."""

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from server.errors import TABLE, Answer, Refused, answer_to, openai_error, problem, spelled
from sessions.errors import LessonUnknown, ServerIsFull, SessionIsOver, TooManySessions
from tenancy.model import NotAllowed, NotSignedIn, SignInRefused

SECRET = "my cat is called Whiskers"


def body(response: Any) -> Any:
    return orjson.loads(bytes(response.body))


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (NotSignedIn("Sign in."), 401, "not_signed_in"),
        (NotAllowed("No."), 403, "not_allowed"),
        (LessonUnknown("x"), 404, "model_not_found"),
        (SessionIsOver("finished"), 409, "session_over"),
        (TooManySessions(3), 429, "too_many_sessions"),
        (ServerIsFull(), 503, "server_busy"),
        (SignInRefused("Wrong."), 401, "sign_in_refused"),
        (SignInRefused("Too many guesses.", 60), 429, "sign_in_refused"),
        (Refused(418, "teapot", "I am one."), 418, "teapot"),
    ],
)
def test_each_refusal_has_a_status_and_keeps_its_sentence(
    trouble: Exception, status: int, code: str
) -> None:
    answer = answer_to(trouble)
    assert (answer.status, answer.code, answer.message) == (status, code, str(trouble))


def test_a_kind_of_refusal_is_answered_like_its_parent() -> None:
    class StrangerKind(NotAllowed):
        pass

    assert answer_to(StrangerKind("No.")).status == 403


def test_who_may_try_again_is_told_when() -> None:
    assert openai_error(answer_to(TooManySessions(3))).headers["retry-after"] == "30"
    assert "retry-after" in problem(answer_to(ServerIsFull())).headers
    assert "retry-after" not in problem(answer_to(NotAllowed("No."))).headers


def test_what_is_over_is_not_tried_again() -> None:
    assert openai_error(answer_to(SessionIsOver(None))).headers["x-should-retry"] == "false"


def test_the_unforeseen_is_logged_and_told_by_its_id_alone() -> None:
    with capture_logs() as logs:
        answer = answer_to(RuntimeError(SECRET))
    (entry,) = logs
    assert answer.status == 500
    assert entry["error_id"] in answer.message
    assert SECRET not in answer.message


def test_under_v1_refusals_are_openais() -> None:
    response = spelled("/v1/models", Answer(404, "model_not_found", "There is none.", "model"))
    assert body(response) == {
        "error": {
            "message": "There is none.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


def test_elsewhere_refusals_are_problem_details() -> None:
    response = spelled("/api/v1/lessons", Answer(403, "not_allowed", "No."))
    assert response.headers["content-type"] == "application/problem+json"
    assert body(response) == {
        "type": "/api/v1/docs#not_allowed",
        "title": "Forbidden",
        "status": 403,
        "detail": "No.",
        "code": "not_allowed",
    }


def test_the_table_names_no_kind_twice() -> None:
    codes = [code for _, code in TABLE.values()]
    assert len(codes) == len(set(codes))


def test_a_refusal_may_carry_what_a_page_needs_to_help() -> None:
    refused = Refused(409, "taken", "Somebody was first.", more={"theirs": "a", "status": 1})
    told = body(problem(answer_to(refused)))
    assert told["theirs"] == "a"
    assert told["status"] == 409, "the usual members stay as they are"
