"""The HTTP calls of one account: one client, and what its errors mean."""

import contextlib
from collections.abc import Mapping
from typing import Any

import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from ai.engine import EngineError, EngineFailed, EngineUnavailable
from ai.events import Fault
from ai.openai.faults import classify
from ai.openai.settings import OpenAISettings

CONNECT_S = 5.0
SILENT_S = 30.0  # between two bytes; callers that can't wait so long give up themselves
NO_KEY = "none"  # a server of one's own may want no key, but the package does


def client_of(settings: OpenAISettings) -> AsyncOpenAI:
    """A client that uses this account and nothing of the environment, and asks only once.

    It asks at this address and no other: one that sends us on may mean a place that the operator
    did not allow.
    """
    limits = Timeout(SILENT_S, connect=CONNECT_S)
    client = AsyncOpenAI(
        api_key=settings.api_key or NO_KEY,
        base_url=settings.base_url,
        timeout=limits,
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(timeout=limits, follow_redirects=False),
    )
    client.organization = client.project = None
    return client


def fault_of(problem: Exception) -> Fault:
    """What an error of the package, or in what it read, means."""
    if isinstance(problem, openai.APITimeoutError):
        return Fault("transient", "timed_out", "The provider did not answer in time.")
    if isinstance(problem, openai.APIConnectionError):
        cause = type(problem.__cause__ or problem).__name__
        return Fault("transient", "connection_lost", f"The connection broke: {cause}.")
    if isinstance(problem, openai.APIStatusError):
        return classify(
            code=_text(problem.code),
            type=_text(problem.type),
            status=problem.status_code,
            detail=_message(problem),
            retry_after_s=_retry_after_s(problem.response.headers),
        )
    if isinstance(problem, openai.APIError):
        return classify(
            code=_text(problem.code), type=_text(problem.type), detail=_message(problem)
        )
    return Fault("transient", "stream_broken", f"What came can't be read: {problem!r:.200}")


def broken(problem: Exception, *, begun: bool) -> EngineError:
    """Our error for one of the package's."""
    if isinstance(problem, EngineError):
        return problem
    fault = fault_of(problem)
    return (EngineFailed if begun else EngineUnavailable)(fault.code, fault=fault)


def refused_for(problem: Exception) -> str:
    """Why a request was refused as malformed, in lower case; empty where that is not what happened.

    Servers that speak OpenAI's protocols each know a few fields less than OpenAI.
    """
    if isinstance(problem, openai.APIStatusError) and problem.status_code in (400, 422, 501):
        return f"{_text(problem.param)} {_message(problem)}".lower()
    return ""


def _message(problem: openai.APIError) -> str:
    body = problem.body
    if isinstance(body, Mapping):
        return _text(body.get("message") or body.get("detail")) or problem.message
    return problem.message


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    for name, per_second in (("retry-after-ms", 1_000), ("retry-after", 1)):
        with contextlib.suppress(ValueError):
            seconds = float(headers.get(name, "")) / per_second
            if 0 <= seconds < 86_400:
                return seconds
    return None
