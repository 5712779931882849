"""How uvicorn is set up, and what the operator is told: addresses, proxies, certificates."""

import socket
from pathlib import Path
from typing import Any

import pytest

from server.config import Config, StartFailed
from server.serving import _announce, _listen, _uvicorn
from server.tls import self_signed

SAID_BY_PROXY = [
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-for", b"6.6.6.6, 203.0.113.9, 10.0.0.8"),
]


async def seen(config: Config, peer: str, kind: str = "http") -> tuple[str, str]:
    """The scheme and the client that our layers see of a request from `peer`."""
    scopes: list[Any] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        scopes.append(scope)

    async def nothing(*_: Any) -> Any:
        pass

    asked: Any = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": (peer, 40_000),
        "headers": SAID_BY_PROXY,
    }
    await _uvicorn(config, app).loaded_app(asked, nothing, nothing)
    return scopes[0]["scheme"], scopes[0]["client"][0]


async def test_nobody_is_believed_unless_named() -> None:
    assert await seen(Config(), "10.0.0.8") == ("http", "10.0.0.8")
    assert await seen(Config(), "127.0.0.1") == ("http", "127.0.0.1")


async def test_a_named_proxy_tells_scheme_and_client() -> None:
    config = Config(trusted_proxies=("10.0.0.0/24",))
    assert await seen(config, "10.0.0.8") == ("https", "203.0.113.9")
    assert await seen(config, "10.0.0.8", "websocket") == ("wss", "203.0.113.9")
    assert await seen(config, "10.0.1.8") == ("http", "10.0.1.8")


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path, ("localhost",))
    with pytest.raises(StartFailed, match="no certificate and its key"):
        _uvicorn(Config(tls_cert=key, tls_key=cert), None)  # type: ignore[arg-type]


def test_an_address_in_use_is_named() -> None:
    with _listen(Config(port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(StartFailed, match=f"127.0.0.1:{port} can't be used"):
            _listen(Config(port=port))


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "localhost"), ("0.0.0.0", "localhost"), ("::2", "[::2]"), ("a.b", "a.b")],
)
def test_the_address_is_told_as_a_browser_takes_it(
    host: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        _announce(Config(host=host, data_dir=tmp_path), listening, new_key=False)
    said = capsys.readouterr().out
    assert f"http://{shown}:{port}\n" in said
    assert ("TLS proxy" in said) == (host != "127.0.0.1")


def test_the_one_file_without_which_nothing_can_be_read_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "master.key").touch()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        for new_key in (True, False):
            _announce(Config(data_dir=tmp_path), listening, new_key=new_key)
            assert ("Back up" in capsys.readouterr().out) == new_key
