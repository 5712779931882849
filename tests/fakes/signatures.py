"""Verifies what AWS clients sign: requests (Signature Version 4) and the events of a stream.

Written from AWS's description of the algorithm, without the code that signs.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

ACCESS_KEY, SECRET_KEY = "AKIASIMULATOR", "a-secret-of-simulators"
REGION = "us-east-1"
SERVICE = "bedrock"
SKEW_S = 300
STREAMING = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,"
    r" ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$"
)


class Unsigned(Exception):
    """A request or an event is not signed as it must be.

    `kind` is AWS's name for it, as in the header `x-amzn-ErrorType`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Secret:
    """What a simulator knows of its one customer."""

    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    token: str | None = None
    "Of temporary credentials; None: there is none, and none may come."
    region: str = REGION

    def key(self, day: str) -> bytes:
        """The signing key of a UTC day, `20261121`."""
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, SERVICE, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def verify_request(
    secret: Secret, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> str:
    """The request's signature, hex: the seed of its events' chain.

    Args:
        path: As it was sent, encoded once.
        headers: Names in lower case, with `host`.
        body: None where events follow.

    Raises:
        Unsigned: If it is not signed, not rightly, or not by whom it should.
    """
    found = _AUTHORIZATION.match(headers.get("authorization", ""))
    if not found:
        raise Unsigned("MissingAuthenticationTokenException", "Missing Authentication Token")
    access_key, day, region, service, names, signature = found.groups()
    if access_key != secret.access_key:
        raise Unsigned(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    stamp = headers.get("x-amz-date", "")
    if (region, service) != (secret.region, SERVICE) or not stamp.startswith(day):
        raise Unsigned(
            "InvalidSignatureException", "Credential should be scoped to a valid region."
        )
    check_clock(stamp)
    if headers.get("x-amz-security-token") != secret.token:
        raise Unsigned(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    signed = names.split(";")
    needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if secret.token else set())
    if signed != sorted(signed) or not needed <= set(signed):
        raise Unsigned(
            "InvalidSignatureException", f"SignedHeaders {names} are not what they must be."
        )
    canonical = "\n".join(
        (
            method,
            quote(path, safe="/-_.~"),
            "",
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed),
            "",
            names,
            _payload_hash(headers, body),
        )
    )
    if not hmac.compare_digest(_sign(secret, stamp, _hex(canonical.encode())), signature):
        raise Unsigned(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )
    return signature


def _payload_hash(headers: Mapping[str, str], body: bytes | None) -> str:
    said = headers.get("x-amz-content-sha256")
    if body is None:
        if said != STREAMING:
            raise Unsigned(
                "InvalidSignatureException", f"x-amz-content-sha256 must be {STREAMING}."
            )
        return STREAMING
    if said not in (None, _hex(body)):
        raise Unsigned("InvalidSignatureException", "x-amz-content-sha256 is not the body's.")
    return _hex(body)


def _sign(secret: Secret, stamp: str, digest: str) -> str:
    scope = f"{stamp[:8]}/{secret.region}/{SERVICE}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, digest))
    return hmac.new(secret.key(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class EventChain:
    """The signatures of one stream's events, each made over the one before."""

    secret: Secret
    before: str
    "Hex; at first the request's."

    def verify(self, date_header: bytes, at: datetime, payload: bytes, signature: bytes) -> None:
        """One event. `date_header` is the header `:date` as it was encoded. Raises Unsigned."""
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        check_clock(stamp)
        scope = f"{stamp[:8]}/{self.secret.region}/{SERVICE}/aws4_request"
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                stamp,
                scope,
                self.before,
                _hex(date_header),
                _hex(payload),
            )
        )
        made = hmac.new(self.secret.key(stamp[:8]), text.encode(), hashlib.sha256).digest()
        self.before = signature.hex()
        if not hmac.compare_digest(made, signature):
            raise Unsigned(
                "InvalidSignatureException", "An event's signature is not that of its place."
            )


def check_clock(stamp: str) -> None:
    """Raises Unsigned where the signer's clock is more than five minutes off."""
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Unsigned("InvalidSignatureException", f"{stamp!r} is no date.") from None
    if abs((datetime.now(UTC) - at).total_seconds()) > SKEW_S:
        raise Unsigned("InvalidSignatureException", f"Signature expired: {stamp} is not about now.")


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
