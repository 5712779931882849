"""Which of OpenAI's errors helps what."""

import pytest

from ai.events import Fault
from ai.openai.faults import CLOSES, CODES, STATUSES, TYPES, classify


@pytest.mark.parametrize(
    ("said", "kind", "ours"),
    [
        ({"status": 302}, "terminal", "wrong_address"),
        ({"status": 401}, "terminal", "unauthorized"),
        ({"status": 401, "code": "invalid_api_key"}, "terminal", "unauthorized"),
        ({"status": 403, "type": "invalid_request_error"}, "terminal", "forbidden"),
        ({"status": 404, "type": "invalid_request_error"}, "terminal", "not_found"),
        ({"status": 404, "code": "model_not_found"}, "terminal", "model_unknown"),
        ({"status": 400, "type": "invalid_request_error"}, "transient", "request_refused"),
        ({"status": 422}, "transient", "request_refused"),
        (
            {"status": 400, "code": "invalid_prompt", "type": "invalid_request_error"},
            "transient",
            "content_blocked",
        ),
        ({"status": 400, "code": "content_filter"}, "transient", "content_blocked"),
        ({"status": 400, "code": "unsupported_language"}, "transient", "language_unsupported"),
        ({"status": 429}, "throttled", "rate_limited"),
        ({"status": 429, "type": "requests"}, "throttled", "rate_limited"),
        ({"status": 429, "code": "insufficient_quota"}, "terminal", "no_credit"),
        ({"status": 500}, "transient", "provider_error"),
        ({"status": 502}, "transient", "provider_error"),
        ({"status": 503}, "throttled", "overloaded"),
        ({"status": 418}, "transient", "provider_error"),
        ({"code": "session_expired", "type": "invalid_request_error"}, "limit", "session_expired"),
        ({"type": "server_error"}, "transient", "provider_error"),
        ({"code": "rate_limit_exceeded", "type": "server_error"}, "throttled", "rate_limited"),
        ({"close": 1006}, "transient", "connection_lost"),
        ({"close": 1009}, "transient", "event_too_large"),
        ({"close": 1013}, "throttled", "overloaded"),
        (
            {"close": 3000, "detail": "invalid_request_error.invalid_api_key"},
            "terminal",
            "unauthorized",
        ),
        (
            {"close": 4000, "detail": "invalid_request_error.session_expired"},
            "limit",
            "session_expired",
        ),
        ({"close": 4999, "detail": "who knows"}, "transient", "provider_error"),
        ({}, "transient", "provider_error"),
    ],
)
def test_what_was_said_is_a_fault(said: dict[str, object], kind: str, ours: str) -> None:
    fault = classify(**said)  # type: ignore[arg-type]
    assert (fault.kind, fault.code) == (kind, ours)


def test_the_provider_s_words_are_kept_and_bounded() -> None:
    fault = classify(status=429, detail="x" * 5_000, retry_after_s=2.5)
    assert fault == Fault("throttled", "rate_limited", "x" * 300, 2.5)


def test_every_row_is_a_fault() -> None:
    for table in (CODES, TYPES, STATUSES, CLOSES):
        for kind, code in table.values():
            assert kind in ("transient", "throttled", "limit", "terminal")
            assert code.isidentifier()
