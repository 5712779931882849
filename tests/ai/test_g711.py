"""Telephone speech, against the figures of the standard's reference tables."""

import hashlib

import numpy as np
import pytest

from ai import g711
from ai.g711 import Law

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype="<i2").tobytes()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@pytest.mark.parametrize(
    ("law", "decoded", "encoded"),
    [
        ("mu", "3dab54339e520bb2", "81d633c9e6972a18"),
        ("a", "e04788d110e58ff8", "38488f6fd710f468"),
    ],
)
def test_every_code_and_every_sample_agree_with_the_reference(
    law: Law, decoded: str, encoded: str
) -> None:
    # Digests of what CPython's audioop (until 3.12) makes of the same bytes.
    assert digest(g711.decode(law, EVERY_CODE)) == decoded
    assert digest(g711.encode(law, EVERY_SAMPLE)) == encoded


@pytest.mark.parametrize("law", ["mu", "a"])
def test_the_way_there_and_back_changes_nothing_more(law: Law) -> None:
    once = g711.decode(law, g711.encode(law, EVERY_SAMPLE))
    assert g711.decode(law, g711.encode(law, once)) == once


@pytest.mark.parametrize("law", ["mu", "a"])
def test_a_tone_survives_the_telephone(law: Law) -> None:
    time_s = np.arange(24_000) / 24_000
    tone = (8_000 * np.sin(2 * np.pi * 440 * time_s)).astype("<i2")
    encoder, decoder = g711.encoder(law), g711.decoder(law)
    heard = b""
    for start in range(0, 48_000, 960):
        heard += decoder.feed(encoder.feed(tone.tobytes()[start : start + 960]))
    samples = np.frombuffer(heard, "<i2").astype(float)
    assert len(samples) == pytest.approx(24_000, abs=150)
    middle = slice(2_000, len(samples) - 2_000)
    error = samples[middle] - tone[middle]
    assert np.sqrt(np.mean(error**2)) < 0.03 * 8_000


def test_nothing_becomes_nothing() -> None:
    assert g711.decoder("mu").feed(b"") == g711.encoder("a").feed(b"") == b""
