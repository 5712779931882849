"""Certificates of our own making, for development."""

import asyncio
import datetime
import ssl
import stat
from pathlib import Path

import pytest

from server import tls
from server.tls import self_signed

NAMES = ("localhost", "127.0.0.1")


async def test_a_client_that_trusts_it_reaches_us_by_each_name(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path, NAMES)
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(cert, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
    port = server.sockets[0].getsockname()[1]
    theirs = ssl.create_default_context(cafile=str(cert))
    for name in NAMES:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=theirs, server_hostname=name
        )
        writer.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", port, ssl=theirs, server_hostname="other.example"
        )
    server.close()


def test_the_key_is_its_owners(tmp_path: Path) -> None:
    _, key = self_signed(tmp_path, NAMES)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_it_is_made_once(tmp_path: Path) -> None:
    cert, _ = self_signed(tmp_path, NAMES)
    made = cert.read_bytes()
    assert self_signed(tmp_path, NAMES)[0].read_bytes() == made


def test_another_name_needs_another_certificate(tmp_path: Path) -> None:
    cert, _ = self_signed(tmp_path, NAMES)
    made = cert.read_bytes()
    self_signed(tmp_path, (*NAMES, "school.example"))
    renewed = cert.read_bytes()
    assert renewed != made
    self_signed(tmp_path, ("school.example",))
    assert cert.read_bytes() == renewed


def test_what_expires_within_the_week_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "VALID", datetime.timedelta(days=6))
    cert, _ = self_signed(tmp_path, NAMES)
    made = cert.read_bytes()
    monkeypatch.undo()
    self_signed(tmp_path, NAMES)
    assert cert.read_bytes() != made


@pytest.mark.parametrize("file", ["tls-cert.pem", "tls-key.pem"])
def test_halves_and_pairs_that_do_not_match_are_made_anew(tmp_path: Path, file: str) -> None:
    self_signed(tmp_path, NAMES)
    other = tmp_path / "other"
    other.mkdir()
    self_signed(other, NAMES)
    (other / file).rename(tmp_path / file)
    cert, key = self_signed(tmp_path, NAMES)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        *self_signed(tmp_path, NAMES)
    )
