"""What goes wrong with OpenAI, as a table: its codes, statuses and close codes -> what helps.

OpenAI says the same thing in up to four ways: a code, a type, an HTTP status, a close code. The
most telling one that the table knows decides. A request that is refused may be refused for the one
conversation that it holds, so that is never terminal: others get on with the same account.
"""

from ai.events import Fault, FaultKind

Row = tuple[FaultKind, str]

LONGEST_DETAIL = 300

CODES: dict[str, Row] = {
    "account_deactivated": ("terminal", "unauthorized"),
    "billing_hard_limit_reached": ("terminal", "no_credit"),
    "billing_not_active": ("terminal", "no_credit"),
    "content_filter": ("transient", "content_blocked"),
    "content_policy_violation": ("transient", "content_blocked"),
    "context_length_exceeded": ("limit", "context_full"),
    "engine_overloaded": ("throttled", "overloaded"),
    "insufficient_quota": ("terminal", "no_credit"),
    "internal_error": ("transient", "provider_error"),
    "invalid_api_key": ("terminal", "unauthorized"),
    "invalid_model": ("terminal", "model_unknown"),
    "invalid_organization": ("terminal", "unauthorized"),
    "invalid_prompt": ("transient", "content_blocked"),
    "model_not_found": ("terminal", "model_unknown"),
    "rate_limit_exceeded": ("throttled", "rate_limited"),
    "server_error": ("transient", "provider_error"),
    "session_expired": ("limit", "session_expired"),
    "slow_down": ("throttled", "overloaded"),
    "unsupported_country_region_territory": ("terminal", "not_in_this_country"),
    "unsupported_language": ("transient", "language_unsupported"),
}
TYPES: dict[str, Row] = {
    "authentication_error": ("terminal", "unauthorized"),
    "insufficient_quota": ("terminal", "no_credit"),
    "invalid_request_error": ("transient", "request_refused"),
    "not_found_error": ("terminal", "not_found"),
    "permission_error": ("terminal", "forbidden"),
    "rate_limit_error": ("throttled", "rate_limited"),
    "requests": ("throttled", "rate_limited"),
    "server_error": ("transient", "provider_error"),
    "tokens": ("throttled", "rate_limited"),
}
STATUSES: dict[int, Row] = {
    **dict.fromkeys((301, 302, 303, 307, 308), ("terminal", "wrong_address")),
    400: ("transient", "request_refused"),
    401: ("terminal", "unauthorized"),
    402: ("terminal", "no_credit"),
    403: ("terminal", "forbidden"),
    404: ("terminal", "not_found"),
    408: ("transient", "timed_out"),
    409: ("transient", "conflict"),
    422: ("transient", "request_refused"),
    429: ("throttled", "rate_limited"),
    503: ("throttled", "overloaded"),
}
# RFC 6455, 7.4.1, and what OpenAI adds: its own codes say why in the reason.
CLOSES: dict[int, Row] = {
    1000: ("transient", "closed"),
    1001: ("transient", "closed"),
    1006: ("transient", "connection_lost"),
    1008: ("transient", "request_refused"),
    1009: ("transient", "event_too_large"),
    1011: ("transient", "provider_error"),
    1012: ("transient", "provider_error"),
    1013: ("throttled", "overloaded"),
}
OTHERWISE: Row = ("transient", "provider_error")


def classify(
    *,
    code: str = "",
    type: str = "",
    status: int | None = None,
    close: int | None = None,
    detail: str = "",
    retry_after_s: float | None = None,
) -> Fault:
    """The fault behind what was said.

    Args:
        status: Of an HTTP answer.
        close: Of a WebSocket; `detail` is its reason then, such as
            `invalid_request_error.invalid_api_key`.
    """
    named = [code] if close is None else [code, *reversed(detail.split("."))]
    row = next((CODES[name] for name in named if name in CODES), None)
    if row is None and type == "invalid_request_error" and status in (401, 403, 404, 429):
        row = STATUSES[status]  # the type alone says less than the status here
    row = row or TYPES.get(type) or STATUSES.get(status or 0) or CLOSES.get(close or 0)
    kind, ours = row or OTHERWISE
    return Fault(kind, ours, detail[:LONGEST_DETAIL], retry_after_s)
