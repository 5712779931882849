"""Whose AWS account pays, and by what right."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import botocore.session
from botocore.exceptions import BotoCoreError

from ai.engine import EngineUnavailable
from ai.events import Fault

AMBIENT_WITHIN_S = 8.0  # botocore asks an instance's metadata once, with 1 s of patience


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """An access key. Printing it shows nothing that is secret."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    "Seconds since 1970; None: they don't expire."

    def left_s(self, now: float | None = None) -> float | None:
        """For how long they are valid yet."""
        if self.expires_at is None:
            return None
        return self.expires_at - (time.time() if now is None else now)


CredentialsSource = Callable[[], Awaitable[AwsCredentials]]
"Asked for each connection; raises EngineUnavailable where there are none."


def fixed(credentials: AwsCredentials) -> CredentialsSource:
    """Always these."""

    async def give() -> AwsCredentials:
        return credentials

    return give


def ambient() -> CredentialsSource:
    """What botocore finds: environment, profile, container, instance; renewed as they expire."""
    session: botocore.session.Session | None = None

    def find() -> AwsCredentials | None:
        nonlocal session
        session = session or botocore.session.Session()
        found = session.get_credentials()
        if found is None:
            return None
        frozen = found.get_frozen_credentials()
        expiry = getattr(found, "_expiry_time", None)
        return AwsCredentials(
            frozen.access_key,
            frozen.secret_key,
            frozen.token,
            expiry.timestamp() if expiry is not None else None,
        )

    async def give() -> AwsCredentials:
        try:
            async with asyncio.timeout(AMBIENT_WITHIN_S):
                credentials = await asyncio.to_thread(find)
        except TimeoutError as problem:
            fault = Fault(
                "transient", "credentials_late", "AWS credentials were not found in time."
            )
            raise EngineUnavailable(fault.detail, fault=fault) from problem
        except BotoCoreError as problem:
            fault = Fault("transient", "credentials_failed", str(problem))
            raise EngineUnavailable(fault.detail, fault=fault) from problem
        if credentials is None:
            fault = Fault("terminal", "credentials_missing", "No AWS credentials were found.")
            raise EngineUnavailable(fault.detail, fault=fault)
        return credentials

    return give
