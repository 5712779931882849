"""How uvicorn is set up: what a proxy may say, and certificates that are none."""

from pathlib import Path
from typing import Any

import pytest

from server.config import Config, StartFailed
from server.serving import _uvicorn
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
