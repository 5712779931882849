"""Signatures, checked by a second implementation that was written from Amazon's description."""

import hashlib
import hmac
import struct
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ai.bedrock.credentials import AwsCredentials
from ai.bedrock.signing import STREAMING, EventSigner, seed, sign_request

WHO = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a token")
REGION = "us-east-1"
HOST = "bedrock-runtime.us-east-1.amazonaws.com"
PATH = "/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream"
HEADERS = {
    "content-type": "application/vnd.amazon.eventstream",
    "x-amz-content-sha256": STREAMING,
}
NOW = datetime(2026, 11, 21, 7, 28, 34, 125_000, UTC)


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore asks the clock itself."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))


def oracle_key(day: str) -> bytes:
    key = b"AWS4" + WHO.secret_key.encode()
    for part in (day, REGION, "bedrock", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def oracle_seed() -> str:
    headers = {
        "content-type": HEADERS["content-type"],
        "host": HOST,
        "x-amz-content-sha256": STREAMING,
        "x-amz-date": "20261121T072834Z",
        "x-amz-security-token": "a token",
    }
    canonical = "\n".join(
        (
            "POST",
            quote(PATH, safe="/-_.~"),
            "",
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            ";".join(headers),
            STREAMING,
        )
    )
    string = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            "20261121T072834Z",
            f"20261121/{REGION}/bedrock/aws4_request",
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    return hmac.new(oracle_key("20261121"), string.encode(), hashlib.sha256).hexdigest()


def oracle_event(previous: str, payload: bytes, at: datetime) -> tuple[str, bytes]:
    """The signature of an event, and the whole message."""
    date = b"\x05:date\x08" + struct.pack("!q", int(at.timestamp() * 1000))
    day = at.strftime("%Y%m%d")
    string = "\n".join(
        (
            "AWS4-HMAC-SHA256-PAYLOAD",
            at.strftime("%Y%m%dT%H%M%SZ"),
            f"{day}/{REGION}/bedrock/aws4_request",
            previous,
            hashlib.sha256(date).hexdigest(),
            hashlib.sha256(payload).hexdigest(),
        )
    )
    signature = hmac.new(oracle_key(day), string.encode(), hashlib.sha256).digest()
    headers = date + b"\x10:chunk-signature\x06\x00\x20" + signature
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack("!I", zlib.crc32(lengths)) + headers + payload
    return signature.hex(), message + struct.pack("!I", zlib.crc32(message))


def signed() -> dict[str, str]:
    return sign_request(WHO, REGION, "POST", f"https://{HOST}{PATH}", HEADERS)


@pytest.mark.usefixtures("fixed_clock")
def test_a_request_is_signed_as_botocore_and_amazons_description_do() -> None:
    request = AWSRequest("POST", f"https://{HOST}{PATH}", headers=dict(HEADERS))
    credentials = Credentials(WHO.access_key, WHO.secret_key, WHO.token)
    SigV4Auth(credentials, "bedrock", REGION).add_auth(request)
    headers = signed()
    assert headers["authorization"] == request.headers["Authorization"]
    assert headers["x-amz-security-token"] == "a token"
    assert seed(headers) == oracle_seed()


def test_every_event_is_signed_over_the_one_before() -> None:
    at = NOW
    previous = "ab" * 32
    signer = EventSigner(WHO, REGION, previous, lambda: at)
    for payload in (b"first", b"", b"x" * 4_000, b"second", b""):
        previous, message = oracle_event(previous, payload, at)
        assert signer.sign(payload) == message
        at += timedelta(milliseconds=640)


def test_the_key_of_a_new_day_is_used_at_midnight() -> None:
    at = datetime(2026, 11, 30, 23, 59, 59, 990_000, UTC)
    previous = "cd" * 32
    signer = EventSigner(WHO, REGION, previous, lambda: at)
    for _ in range(3):
        previous, message = oracle_event(previous, b"event", at)
        assert signer.sign(b"event") == message
        at += timedelta(milliseconds=8)


def test_printing_credentials_shows_no_secret() -> None:
    shown = repr(WHO)
    assert "AKIDEXAMPLE" in shown
    assert WHO.secret_key not in shown
    assert "a token" not in shown


def test_credentials_know_how_long_they_last() -> None:
    assert WHO.left_s() is None
    assert AwsCredentials("a", "b", expires_at=130.0).left_s(100.0) == 30.0
