import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from h2.errors import ErrorCodes

from ai.bedrock import h2duplex
from ai.bedrock.h2duplex import DuplexEnded, H2Duplex, connect
from server.tls import self_signed
from tests.ai.bedrock.peer import Peer, serving, until

HEADERS = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/p")]


class Heard:
    """A receiver that keeps what it hears."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = bytearray()
        self.ends: list[DuplexEnded | None] = []

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers

    def received(self, data: bytes) -> None:
        self.body += data

    def ended(self, problem: DuplexEnded | None) -> None:
        self.ends.append(problem)

    def code(self) -> tuple[str, str]:
        """Kind and code of the one end that was told."""
        (end,) = self.ends
        assert end is not None
        return end.fault.kind, end.fault.code


@asynccontextmanager
async def talking(
    make: Callable[[], Peer] = Peer,
) -> AsyncIterator[tuple[Peer, H2Duplex, Heard]]:
    peers: list[Peer] = []

    def keep() -> Peer:
        peers.append(make())
        return peers[-1]

    async with serving(keep) as url:
        heard = Heard()
        duplex = await connect(url, heard, None)
        duplex.start(HEADERS)
        await until(lambda: peers and peers[0].request)
        try:
            yield peers[0], duplex, heard
        finally:
            duplex.abort()
            await duplex.closed
            await peers[0].gone


async def test_both_directions_are_open_at_once() -> None:
    async with talking() as (peer, duplex, heard):
        duplex.send(b"one")
        await until(lambda: peer.body == b"one")
        peer.respond(200, x_kind="echo")
        peer.write(b"first")
        await until(lambda: heard.body == b"first")
        assert (heard.status, heard.headers["x-kind"]) == (200, "echo")
        duplex.send(b" two")
        await until(lambda: peer.body == b"one two")
        duplex.end()
        await until(lambda: peer.ended)
        peer.write(b" last")
        peer.finish()
        await until(lambda: heard.ends)
        assert heard.ends == [None]
        assert heard.body == b"first last"
        duplex.close()
        await peer.gone
        assert heard.ends == [None]


async def test_what_the_peer_does_not_take_waits_for_its_window() -> None:
    def small() -> Peer:
        peer = Peer(window=1_000)
        peer.acknowledge = False
        return peer

    async with talking(small) as (peer, duplex, _):
        data = bytes(range(256)) * 20
        await asyncio.sleep(0.05)  # its settings arrive
        duplex.send(data)
        duplex.end()
        await until(lambda: len(peer.body) >= 1_000)
        assert 0 < duplex.pending <= len(data) - 1_000
        assert not peer.ended
        peer.open_window()
        await until(lambda: peer.ended)
        assert peer.body == data
        assert duplex.pending == 0


async def test_a_large_answer_passes_because_windows_are_opened_again() -> None:
    async with talking() as (peer, _, heard):
        data = b"x" * (4 * h2duplex.WINDOW)
        peer.respond()
        peer.write(data)
        peer.finish()
        await until(lambda: heard.ends)
        assert heard.body == data


async def test_a_peer_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h2duplex, "STALL_S", 0.05)

    def deaf() -> Peer:
        peer = Peer(window=10)
        peer.acknowledge = False
        return peer

    async with talking(deaf) as (_, duplex, heard):
        await asyncio.sleep(0.05)
        duplex.send(b"x" * 100)
        await until(lambda: heard.ends)
        assert heard.code() == ("transient", "peer_stalled")


async def test_no_more_is_held_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h2duplex, "MAX_PENDING", 5_000)

    def deaf() -> Peer:
        peer = Peer(window=10)
        peer.acknowledge = False
        return peer

    async with talking(deaf) as (_, duplex, heard):
        await asyncio.sleep(0.05)
        for _ in range(6):
            duplex.send(b"x" * 1_000)
        assert heard.code() == ("transient", "peer_stalled")
        assert duplex.pending == 0
        duplex.send(b"more")
        duplex.end()
        assert len(heard.ends) == 1


async def test_a_reset_stream_ends_it() -> None:
    async with talking() as (peer, duplex, heard):
        peer.respond()
        peer.h2.reset_stream(peer.stream, ErrorCodes.REFUSED_STREAM)
        peer.flush()
        await until(lambda: heard.ends)
        assert heard.code() == ("transient", "stream_reset")
        assert "REFUSED_STREAM" in str(heard.ends[0])
        duplex.send(b"into the void")


@pytest.mark.parametrize(
    ("error", "kind"), [(ErrorCodes.NO_ERROR, "limit"), (ErrorCodes.INTERNAL_ERROR, "transient")]
)
async def test_a_server_that_goes_away_ends_it(error: ErrorCodes, kind: str) -> None:
    async with talking() as (peer, _, heard):
        peer.h2.close_connection(error)
        peer.flush()
        await until(lambda: heard.ends)
        assert heard.code() == (kind, "going_away")


async def test_a_lost_connection_ends_it_once() -> None:
    async with talking() as (peer, duplex, heard):
        assert peer.transport is not None
        peer.transport.abort()
        await duplex.closed
        assert heard.code() == ("transient", "connection_lost")


async def test_what_is_no_http2_ends_it() -> None:
    async with talking() as (peer, _, heard):
        assert peer.transport is not None
        peer.transport.write(b"\0\0\5\4\0\0\0\0\1hello")  # SETTINGS of five bytes
        await until(lambda: heard.ends)
        assert heard.code() == ("transient", "protocol_error")


async def test_nobody_at_home_is_told() -> None:
    async with serving(Peer) as url:
        pass
    with pytest.raises(DuplexEnded) as told:
        await connect(url, Heard(), None)
    assert told.value.fault.code == "unreachable"


@pytest.mark.parametrize(
    ("trusted", "protocol", "code"),
    [(True, "h2", None), (True, "http/1.1", "no_http2"), (False, "h2", "unreachable")],
)
async def test_tls_is_verified_and_speaks_http2(
    tmp_path: Path, trusted: bool, protocol: str, code: str | None
) -> None:
    cert, key = self_signed(tmp_path, ("localhost",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols([protocol])
    async with serving(Peer, context) as url:
        ours = h2duplex.tls(str(cert) if trusted else None)
        if code is None:
            duplex = await connect(url, Heard(), ours)
            duplex.close()
            await duplex.closed
        else:
            with pytest.raises(DuplexEnded) as told:
                await connect(url, Heard(), ours)
            assert told.value.fault.code == code
