"""Signatures of what is sent to Bedrock: of a request, and of each event after it.

The request is signed as any other (Signature Version 4, by botocore); its signature is the seed of
a chain. Each event is wrapped in a message whose signature covers the one before it, so events
must be signed in the order in which they are sent.
"""

import hmac
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ai.bedrock.credentials import AwsCredentials
from ai.bedrock.eventstream import BYTES, TIMESTAMP, frame

SERVICE = "bedrock"  # of the signature; not `bedrock-runtime`
STREAMING = "STREAMING-AWS4-HMAC-SHA256-EVENTS"

_DATE = b"\x05:date" + bytes((TIMESTAMP,))
_SIGNATURE = b"\x10:chunk-signature" + struct.pack("!BH", BYTES, 32)


def utc_now() -> datetime:
    return datetime.now(UTC)


def sign_request(
    credentials: AwsCredentials,
    region: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
) -> dict[str, str]:
    """`headers` with those that prove who asks, all in lower case."""
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    given = Credentials(credentials.access_key, credentials.secret_key, credentials.token)
    SigV4Auth(given, SERVICE, region).add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}


def seed(headers: Mapping[str, str]) -> str:
    """The signature of a signed request, hex."""
    return headers["authorization"].rpartition("Signature=")[2]


class EventSigner:
    """The chain of one stream."""

    def __init__(
        self,
        credentials: AwsCredentials,
        region: str,
        seed: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._secret = f"AWS4{credentials.secret_key}".encode()
        self._region = region
        self._previous = seed
        self._clock = clock
        self._day = ""
        self._scope = ""
        self._key = hmac.new(b"", digestmod=sha256)
        self._second = -1
        self._stamp = ""

    def sign(self, payload: bytes) -> bytes:
        """The message to send for an event; an empty payload says that no more follow."""
        ms = round(self._clock().timestamp() * 1000)
        if ms // 1000 != self._second:
            self._turn_to(ms // 1000)
        date = _DATE + ms.to_bytes(8, "big", signed=True)
        digest = self._key.copy()
        digest.update(
            "\n".join(
                (
                    "AWS4-HMAC-SHA256-PAYLOAD",
                    self._stamp,
                    self._scope,
                    self._previous,
                    sha256(date).hexdigest(),
                    sha256(payload).hexdigest(),
                )
            ).encode()
        )
        signature = digest.digest()
        self._previous = signature.hex()
        return frame(b"".join((date, _SIGNATURE, signature)), payload)

    def _turn_to(self, second: int) -> None:
        """Another second, and with it perhaps another day, which has a key of its own."""
        self._second = second
        self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
        day = self._stamp[:8]
        if day == self._day:
            return
        self._day = day
        self._scope = f"{day}/{self._region}/{SERVICE}/aws4_request"
        key = self._secret
        for part in (day, self._region, SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = hmac.new(key, digestmod=sha256)
