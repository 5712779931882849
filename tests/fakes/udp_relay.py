"""A bad network between a client and the server's UDP port.

A `UdpRelay` stands where clients send to, and speaks with the server from a port of its own for
each of them, as a NAT does. What becomes of a datagram is decided in `Path`, without I/O and from a
seed: which ones are lost is the same in every run with the same datagrams.
"""

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from tests.fakes.namespaces import Namespace

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Network:
    """How bad one direction is; as it stands: perfect."""

    loss: float = 0.0
    "Share of datagrams that never come, 0 to 1."
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    "Each datagram waits for up to so long beside `delay_ms`: what comes closer together overtakes."
    duplicate: float = 0.0
    "Share of datagrams that come twice."
    rate_bps: float | None = None
    "Bits a second that fit through."
    queue_ms: float = 200.0
    "What would wait for longer than this for its turn at `rate_bps` is lost."


PERFECT = Network()


class Path:
    """The fates of datagrams in one direction."""

    def __init__(self, network: Network = PERFECT, *, seed: int = 1) -> None:
        self.network = network
        self.cut = False
        "Nothing comes through, and nobody is told."
        self.carried = self.lost = self.doubled = 0
        self._random = random.Random(seed)
        self._free_at_s = 0.0

    def fates(self, size: int, now_s: float) -> Iterator[float]:
        """When a datagram of so many bytes arrives: never, once or twice. `now_s` as a loop's."""
        network = self.network
        lost, twice = self._random.random(), self._random.random()
        waits_ms = [self._random.uniform(0.0, network.jitter_ms) for _ in range(2)]
        if self.cut or lost < network.loss:
            self.lost += 1
            return
        leaves_s = now_s
        if network.rate_bps is not None:
            begins_s = max(now_s, self._free_at_s)
            if (begins_s - now_s) * 1000 > network.queue_ms:
                self.lost += 1
                return
            leaves_s = self._free_at_s = begins_s + size * 8 / network.rate_bps
        self.carried += 1
        yield leaves_s + (network.delay_ms + waits_ms[0]) / 1000
        if twice < network.duplicate:
            self.doubled += 1
            yield leaves_s + (network.delay_ms + waits_ms[1]) / 1000


class UdpRelay:
    """Made by `relay_to`. `up` is from clients to the server, `down` from it to them."""

    def __init__(self, server: Address, up: Path, down: Path) -> None:
        self.server = server
        self.up = up
        self.down = down
        self.address: Address = ("", 0)
        "Where clients send to."
        self._front: socket.socket | None = None
        self._doors: dict[Address, _Door] = {}
        self._host = ""
        self._where: Namespace | None = None

    def cut(self) -> None:
        """Nothing comes through any more, either way: a cable pulled, a firewall."""
        self.up.cut = self.down.cut = True

    def mend(self) -> None:
        self.up.cut = self.down.cut = False

    def rebind(self, host: str | None = None) -> None:
        """The server sees all clients at new ports from now on, and at another address of this
        machine where one is given; what still comes to the old ones is lost, as with a NAT that
        has forgotten, or a device in another network."""
        self._host = host or self._host
        for door in self._doors.values():
            door.close()
        self._doors.clear()

    def between(self, sdp: str) -> str:
        """An answer whose candidates are all this relay: what is sent goes through it."""
        host, port = self.address
        lines = []
        for line in sdp.splitlines():
            if found := re.match(r"a=candidate:(\S+) (\d+) (\S+) (\d+) \S+ \d+ typ host", line):
                if found[2] != "1" or any("typ host" in one for one in lines):
                    continue
                line = f"a=candidate:{found[1]} 1 udp {found[4]} {host} {port} typ host"
            lines.append(line)
        return "\r\n".join(lines) + "\r\n"

    @property
    def seen_as(self) -> list[Address]:
        """Where the server sees the clients."""
        return [door.address for door in self._doors.values()]

    # ---- the sockets -------------------------------------------------------------------------

    def open(self, host: str, port: int, seen_at: str, where: Namespace | None) -> None:
        self._host = seen_at
        self._where = where
        self._front = bound(host, port, where)
        self.address = self._front.getsockname()[:2]
        asyncio.get_running_loop().add_reader(self._front, self._readable, self._front)

    def close(self) -> None:
        self.cut()
        self.rebind()
        if self._front is not None:
            asyncio.get_running_loop().remove_reader(self._front)
            self._front.close()
            self._front = None

    def _readable(self, front: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for data, client in arrived(front):
            door = self._doors.get(client)
            if door is None:
                door = self._doors[client] = _Door(self, client, bound(self._host, 0, self._where))
            for at_s in self.up.fates(len(data), loop.time()):
                _at(at_s, door.send, data)

    def from_server(self, data: bytes, client: Address) -> None:
        now_s = asyncio.get_running_loop().time()
        for at_s in self.down.fates(len(data), now_s):
            _at(at_s, self._to_client, data, client)

    def _to_client(self, data: bytes, client: Address) -> None:
        if self._front is not None and not self.down.cut:
            with contextlib.suppress(OSError):  # a client that is gone
                self._front.sendto(data, client)


class _Door:
    """One client, as the server sees it."""

    def __init__(self, relay: UdpRelay, client: Address, one: socket.socket) -> None:
        self._relay = relay
        self._client = client
        self._socket = one
        self.address: Address = self._socket.getsockname()[:2]
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def send(self, data: bytes) -> None:
        if not self._relay.up.cut:
            with contextlib.suppress(OSError):  # closed meanwhile, or nobody listens there
                self._socket.sendto(data, self._relay.server)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for data, sender in arrived(self._socket):
            if sender == self._relay.server:
                self._relay.from_server(data, self._client)


def bound(host: str, port: int = 0, where: Namespace | None = None) -> socket.socket:
    """A socket that is read from when the loop says so."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with where.inside() if where else contextlib.nullcontext():
        one = socket.socket(family, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.bind((host, port))
    return one


def arrived(one: socket.socket) -> Iterator[tuple[bytes, Address]]:
    """What can be read from it now, and who sent it."""
    for _ in range(100):  # others must have their turn
        try:
            data, sender = one.recvfrom(65_535)
        except OSError:  # no more; or an answer that a datagram was not wanted
            return
        yield data, sender[:2]


def _at(at_s: float, send: Callable[..., None], *arguments: object) -> None:
    loop = asyncio.get_running_loop()
    if at_s <= loop.time():
        send(*arguments)
    else:
        loop.call_at(at_s, send, *arguments)


@contextlib.asynccontextmanager
async def relay_to(
    server: Address,
    *,
    up: Network = PERFECT,
    down: Network = PERFECT,
    seed: int = 1,
    host: str = "127.0.0.1",
    port: int = 0,
    seen_at: str | None = None,
    where: Namespace | None = None,
) -> AsyncIterator[UdpRelay]:
    """A relay at `host`, on a port of its own where none is named. The server sees its clients at
    `seen_at`, if that is another address; both are `where`."""
    relay = UdpRelay(server, Path(up, seed=seed), Path(down, seed=seed + 1))
    relay.open(host, port, seen_at or host, where)
    try:
        yield relay
    finally:
        relay.close()
