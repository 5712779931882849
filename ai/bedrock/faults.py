"""What Bedrock's errors mean: a table, and one function that reads it.

An error has a name (`ValidationException` in a response's `x-amzn-errortype`, with lower-case
initial in a stream's `:exception-type`), often a status, and a text behind prefixes.
"""

import re

from ai.events import Fault, FaultKind

_PREFIX = re.compile(r"^\s*(?:RequestId=[0-9a-zA-Z-]+\s*:\s*|InternalErrorCode=(\d+)::\s*)")

# Texts come first: a ValidationException may be anything. Protocol facts 1.4.
_TEXTS: tuple[tuple[str, FaultKind, str], ...] = (
    ("timed out in processing the request", "limit", "session_expired"),
    ("timed out waiting for audio bytes", "limit", "idle"),
    ("timed out waiting for input events", "limit", "idle"),
    ("rst_stream closed stream", "transient", "stream_reset"),
    ("system instability detected", "transient", "unstable"),
    ("encountered an unexpected error", "transient", "unexpected"),
    ("tool response parsing error", "transient", "tool_result_refused"),
    ("tool result media type", "transient", "tool_result_refused"),
    ("chat history", "transient", "history_refused"),
    ("invalid voiceid", "terminal", "voice_unknown"),
    ("content filters", "transient", "content_blocked"),
    ("model identifier is invalid", "terminal", "model_unknown"),
    ("on-demand throughput", "terminal", "model_unknown"),
    ("don't have access to the model", "terminal", "model_access"),
    ("security token included in the request is expired", "terminal", "credentials_expired"),
    ("signature expired", "transient", "clock_wrong"),
    ("signature not yet current", "transient", "clock_wrong"),
    ("too many tokens per day", "terminal", "quota_used_up"),
)

_NAMES: dict[str, tuple[FaultKind, str]] = {
    "modeltimeoutexception": ("limit", "session_expired"),
    "throttlingexception": ("throttled", "throttled"),
    "toomanyrequestsexception": ("throttled", "throttled"),
    "servicequotaexceededexception": ("throttled", "quota_exceeded"),
    "modelnotreadyexception": ("throttled", "model_not_ready"),
    "modelstreamerrorexception": ("transient", "model_failed"),
    "modelerrorexception": ("transient", "model_failed"),
    "internalserverexception": ("transient", "provider_failed"),
    "internalfailure": ("transient", "provider_failed"),
    "serviceunavailableexception": ("transient", "provider_unavailable"),
    "expiredtokenexception": ("terminal", "credentials_expired"),
    "accessdeniedexception": ("terminal", "unauthorized"),
    "unrecognizedclientexception": ("terminal", "unauthorized"),
    "invalidsignatureexception": ("terminal", "unauthorized"),
    "incompletesignatureexception": ("terminal", "unauthorized"),
    "missingauthenticationtokenexception": ("terminal", "unauthorized"),
    "resourcenotfoundexception": ("terminal", "model_unknown"),
    "unknownoperationexception": ("terminal", "wrong_address"),
    "validationexception": ("transient", "request_refused"),
}

_STATUSES: dict[int, tuple[FaultKind, str]] = {
    400: ("transient", "request_refused"),
    401: ("terminal", "unauthorized"),
    403: ("terminal", "unauthorized"),
    404: ("terminal", "model_unknown"),
    408: ("limit", "session_expired"),
    424: ("transient", "model_failed"),
    429: ("throttled", "throttled"),
}


def without_prefixes(message: str) -> str:
    """The text behind `RequestId=…:` and `InternalErrorCode=NNN::`, in whatever order."""
    while found := _PREFIX.match(message):
        message = message[found.end() :]
    return message.strip()


def classify(
    name: str = "",
    message: str = "",
    *,
    status: int | None = None,
    retry_after_s: float | None = None,
) -> Fault:
    """What to do about an error, by its text, else its name, else its status."""
    text = without_prefixes(message)
    # The header may carry more: `ValidationException:http://…`.
    name = name.split(":")[0].rpartition("#")[2].strip()
    detail = ": ".join(
        part for part in (name or (f"HTTP {status}" if status else ""), text) if part
    )
    low = text.lower()
    kind: FaultKind = "transient"
    code = "provider_failed"
    if (found := next((one for one in _TEXTS if one[0] in low), None)) is not None:
        kind, code = found[1], found[2]
    elif name.lower() in _NAMES:
        kind, code = _NAMES[name.lower()]
    elif status in _STATUSES:
        kind, code = _STATUSES[status]
    return Fault(kind, code, detail[:500], retry_after_s)
