import pytest

from ai.bedrock.faults import classify, without_prefixes

RID = "RequestId=3f6c1f0e-1111-4222-8333-444455556666 : "


@pytest.mark.parametrize(
    "message",
    [
        "Timed out",
        f"{RID}Timed out",
        "InternalErrorCode=532::Timed out",
        f"{RID}InternalErrorCode=532::Timed out",
        f"InternalErrorCode=1::{RID}Timed out",
    ],
)
def test_prefixes_are_taken_off(message: str) -> None:
    assert without_prefixes(message) == "Timed out"


@pytest.mark.parametrize(
    ("name", "message", "status", "kind", "code"),
    [
        (
            "modelTimeoutException",
            "Model has timed out in processing the request. Try your request again.",
            None,
            "limit",
            "session_expired",
        ),
        (
            "validationException",
            f"{RID}InternalErrorCode=532::Timed out waiting for audio bytes or interactive "
            "content. Please ensure gaps between audio bytes and interactive content are less "
            "than 55 seconds.",
            None,
            "limit",
            "idle",
        ),
        ("validationException", "Timed out waiting for input events", None, "limit", "idle"),
        (
            "validationException",
            "InternalErrorCode=531::RST_STREAM closed stream. HTTP/2 error code: NO_ERROR",
            None,
            "transient",
            "stream_reset",
        ),
        (
            "validationException",
            "System instability detected. Please retry your request.",
            None,
            "transient",
            "unstable",
        ),
        ("validationException", "Received invalid voiceId", None, "terminal", "voice_unknown"),
        (
            "validationException",
            "Chat history is over max limit. Trim chat history and try again.",
            None,
            "transient",
            "history_refused",
        ),
        ("modelStreamErrorException", "", None, "transient", "model_failed"),
        ("internalServerException", "", None, "transient", "provider_failed"),
        ("throttlingException", "", None, "throttled", "throttled"),
        ("serviceUnavailableException", "", None, "transient", "provider_unavailable"),
        ("AccessDeniedException", "No.", 403, "terminal", "unauthorized"),
        (
            "UnrecognizedClientException:http://internal.amazon.com/",
            "The security token included in the request is invalid.",
            403,
            "terminal",
            "unauthorized",
        ),
        ("ExpiredTokenException", "", 403, "terminal", "credentials_expired"),
        (
            "ValidationException",
            "The provided model identifier is invalid.",
            400,
            "terminal",
            "model_unknown",
        ),
        ("com.amazon#ResourceNotFoundException", "", 404, "terminal", "model_unknown"),
        ("ServiceQuotaExceededException", "", 400, "throttled", "quota_exceeded"),
        ("", "", 429, "throttled", "throttled"),
        ("", "", 404, "terminal", "model_unknown"),
        ("", "", 503, "transient", "provider_failed"),
        ("SomethingNewException", "who knows", 418, "transient", "provider_failed"),
    ],
)
def test_an_error_is_told_apart_by_what_helps(
    name: str, message: str, status: int | None, kind: str, code: str
) -> None:
    fault = classify(name, message, status=status)
    assert (fault.kind, fault.code) == (kind, code)


def test_the_operator_reads_the_providers_own_words() -> None:
    fault = classify("throttlingException", f"{RID}Too many.", status=429, retry_after_s=2.0)
    assert fault.detail == "throttlingException: Too many."
    assert fault.retry_after_s == 2.0
    assert classify(status=503).detail == "HTTP 503"
