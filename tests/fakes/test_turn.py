"""The TURN server, seen by aioice's client and by a client that keeps to nothing."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun, turn
from aioice.stun import Class, Message, Method

from tests.fakes.turn import (
    PERMISSION_S,
    TurnServer,
    is_reserved,
    key_of,
    password_of,
    turn_server,
)
from tests.fakes.udp_relay import bound

SECRET = "shared"
LOOPBACK = ("127.0.0.0/8",)


class Received(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.errors: list[Exception] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.datagrams.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


@contextlib.asynccontextmanager
async def client_of(
    server: TurnServer, name: str, password: str
) -> AsyncIterator[tuple[turn.TurnTransport, Received]]:
    transport, received = await turn.create_turn_endpoint(
        Received, server.address, username=name, password=password
    )
    try:
        yield transport, received
    finally:
        transport.close()
        async with asyncio.timeout(5):
            await received.gone.wait()


async def heard(one: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_recvfrom(one, 2048)


async def test_a_client_and_its_peer_hear_each_other() -> None:
    async with turn_server(SECRET, allow=LOOPBACK) as server:
        with bound("127.0.0.1") as peer:
            async with client_of(server, *server.credentials("maya")) as (transport, received):
                transport.sendto(b"question", peer.getsockname())
                asked = await heard(peer)
                assert asked == (b"question", transport.get_extra_info("sockname"))
                assert asked[1] != server.address
                peer.sendto(b"answer", asked[1])
                async with asyncio.timeout(5):
                    assert await received.datagrams.get() == (b"answer", peer.getsockname())
                server.forget_nonce()  # the client renews it, and is let go as it asks
            assert (server.allocations, server.relayed) == ({}, 2)
            assert server.refused == [438]


async def test_a_stranger_to_the_client_is_not_let_through() -> None:
    async with turn_server(SECRET, allow=LOOPBACK) as server:
        with bound("127.0.0.1") as peer, bound("127.0.0.2") as stranger:
            async with client_of(server, *server.credentials("maya")) as (transport, received):
                transport.sendto(b"question", peer.getsockname())
                _, relayed = await heard(peer)
                stranger.sendto(b"spam", relayed)
                peer.sendto(b"answer", relayed)
                async with asyncio.timeout(5):
                    assert (await received.datagrams.get())[0] == b"answer"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1", "0.0.0.0"]
)
async def test_a_reserved_peer_is_refused(host: str) -> None:
    async with (
        turn_server(SECRET) as server,
        client_of(server, *server.credentials("maya")) as (transport, received),
    ):
        transport.sendto(b"let me in", (host, 80))
        async with asyncio.timeout(5):
            while not received.errors:
                await asyncio.sleep(0.001)
        assert (server.refused, server.relayed) == ([403], 0)


@pytest.mark.parametrize(
    ("host", "reserved"),
    [
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("192.0.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::a00:1", True),
        ("64:ff9b::808:808", False),
        ("2002:a00:1::", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("ff02::1", True),
    ],
)
def test_which_addresses_are_reserved(host: str, reserved: bool) -> None:
    assert is_reserved(host) == reserved


@pytest.mark.parametrize(
    ("name", "secret"),
    [("9999999999:maya", "guessed"), ("1000:maya", SECRET), ("maya", SECRET), ("", SECRET)],
)
async def test_a_wrong_or_old_credential_gets_no_relay(name: str, secret: str) -> None:
    async with turn_server(SECRET) as server:
        with pytest.raises(stun.TransactionFailed, match="401"):
            async with client_of(server, name, password_of(name, secret)):
                pass
        assert (server.allocations, server.refused) == ({}, [401])


class Rude:
    """Sends what it is told to, signed or not."""

    def __init__(self, server: TurnServer, one: socket.socket) -> None:
        self._server = server
        self._socket = one

    async def ask(self, method: Method, *, signed: bool = True, **attributes: object) -> Message:
        request = Message(method, Class.REQUEST)
        request.attributes.update({name.replace("_", "-"): x for name, x in attributes.items()})
        if signed:
            name, password = self._server.credentials("rude")
            given = {"USERNAME": name, "REALM": "a relay", "NONCE": self._server._nonce}
            request.attributes.update(given)
            request.add_message_integrity(key_of(name, password))
        self._socket.sendto(bytes(request), self._server.address)
        return stun.parse_message((await heard(self._socket))[0])


async def test_who_keeps_to_nothing_is_told_so() -> None:
    async with turn_server(SECRET, allow=LOOPBACK) as server:
        with bound("127.0.0.1") as one:
            rude = Rude(server, one)
            asks = [
                (401, await rude.ask(Method.ALLOCATE, signed=False)),
                (437, await rude.ask(Method.REFRESH)),
                (442, await rude.ask(Method.ALLOCATE, REQUESTED_TRANSPORT=6 << 24)),
                (None, await rude.ask(Method.ALLOCATE, REQUESTED_TRANSPORT=17 << 24)),
                (437, await rude.ask(Method.ALLOCATE, REQUESTED_TRANSPORT=17 << 24)),
                (400, await rude.ask(Method.CREATE_PERMISSION)),
                (400, await rude.ask(Method.CHANNEL_BIND, CHANNEL_NUMBER=1)),
                (400, await rude.ask(Method.SHARED_SECRET)),
            ]
            assert [answer.error_code for _, answer in asks] == [code for code, _ in asks]
            for junk in (b"", b"\x40", b"\x40\x00\xff\xff", b"\x00" * 20, b"\xff" * 100):
                one.sendto(junk, server.address)
            answer = await rude.ask(Method.BINDING, signed=False)
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == one.getsockname()
            assert (await rude.ask(Method.REFRESH, LIFETIME=0)).error_code is None
            assert server.allocations == {}


async def test_permissions_and_allocations_end() -> None:
    now_s = 1_000_000.0
    async with turn_server(SECRET, allow=LOOPBACK, clock=lambda: now_s) as server:
        with bound("127.0.0.1") as one, bound("127.0.0.1") as peer:
            rude = Rude(server, one)
            asked = await rude.ask(Method.ALLOCATE, REQUESTED_TRANSPORT=17 << 24)
            relayed = asked.attributes["XOR-RELAYED-ADDRESS"]
            await rude.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS=peer.getsockname())
            peer.sendto(b"in time", relayed)
            told = stun.parse_message((await heard(one))[0])
            assert told.attributes["DATA"] == b"in time"
            assert told.attributes["XOR-PEER-ADDRESS"] == peer.getsockname()
            now_s += PERMISSION_S
            peer.sendto(b"too late", relayed)
            assert (await rude.ask(Method.BINDING, signed=False)).error_code is None
            now_s += PERMISSION_S
            assert (await rude.ask(Method.REFRESH)).error_code == 437
            assert (server.allocations, server.relayed) == ({}, 1)
