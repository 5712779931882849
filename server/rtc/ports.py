"""The UDP sockets of all calls, and whose a datagram is.

    socket --> _take --STUN, by its ufrag--> call.agent --> answer
                     --else, by a checked path--> call.receive

There is one socket per address of the machine, so that an answer leaves from the address that was
asked, and all have the same port. What nobody here waits for is dropped in silence. Nothing waits:
a datagram that the kernel can't take now is lost, as it may be anywhere on its way.
"""

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

import ifaddr
import structlog

from server.rtc import stun
from server.rtc.ice import Agent, Path
from server.rtc.pace import Bucket

LONGEST_BYTES = 2_048  # nothing that is sent here is longer than an Ethernet frame
AT_ONCE = 64
"Datagrams that are read before the loop has its turn."
BUFFER_BYTES = 4 * 1024 * 1024
"Asked of the kernel, which may give less: a second of a hundred calls, while the loop is busy."
CHECKS_PER_S = 50
CHECKS_BURST = 100
"From one address; Chromium begins with one each 50 ms."
CHECKING = 10_000
"Addresses whose pace is remembered."
OWNED_S = 5.0
"So long an address belongs to the call that was last heard from it."
TRIES = 10
CANDIDATES = 10

log = structlog.get_logger()


class Call(Protocol):
    """What a call is for the sockets."""

    agent: Agent

    def checked(self, now: float) -> None:
        """The client has checked a path."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """A datagram, not STUN and never empty, from a checked path."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls are taken."""

    port: int = 0
    "Of UDP; 0: any that is free."
    addresses: tuple[str, ...] = ()
    "To be announced in place of the machine's own: it stands behind a 1:1 NAT."
    loopback: bool = False
    "Also take calls of this machine itself."


class PortTaken(Exception):
    """Another program has the UDP port."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"UDP port {port}, which calls would use, is taken by another program. Stop it, or set"
            " WEBRTC_PORT."
        )


class Ports:
    """All sockets, and the calls behind them."""

    def __init__(
        self,
        sockets: list[socket.socket],
        announced: tuple[str, ...],
        clock: Callable[[], float],
    ) -> None:
        self.port = int(sockets[0].getsockname()[1])
        self.announced = announced
        "Addresses to be named as candidates, the best first."
        self.unwanted = 0
        "Datagrams that nobody waited for."
        self._sockets = sockets
        self._clock = clock
        self._by_ufrag: dict[str, Call] = {}
        self._by_path: dict[Path, Call] = {}
        self._paces: OrderedDict[Path, Bucket] = OrderedDict()

    @classmethod
    def open(cls, place: Place, own: Iterable[str] | None = None) -> "Ports":
        """Bind the sockets and begin to read.

        Args:
            own: The machine's addresses, where they are known; else it is asked for them.

        Raises:
            PortTaken: If another program has the port.
            OSError: If no socket can be bound for another reason.
        """
        loop = asyncio.get_running_loop()
        bound = choose(machine_addresses() if own is None else own, place)
        sockets = _bind(bound, place.port)
        names = tuple(str(one.getsockname()[0]) for one in sockets)
        self = cls(sockets, (place.addresses or names)[:CANDIDATES], loop.time)
        for index, one in enumerate(sockets):
            loop.add_reader(one.fileno(), self._readable, index, one)
        return self

    def close(self) -> None:
        """Stop reading, and close the sockets."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.remove_reader(one.fileno())
            one.close()
        self._sockets = []

    def __len__(self) -> int:
        return len(self._by_ufrag)

    def add(self, call: Call) -> None:
        """From now on checks with its ufrag reach this call."""
        self._by_ufrag[call.agent.local.ufrag] = call

    def remove(self, call: Call) -> None:
        """Forget a call and its paths; idempotent."""
        self._by_ufrag.pop(call.agent.local.ufrag, None)
        for path in call.agent.paths:
            self._paces.pop(path, None)
            if self._by_path.get(path) is call:
                del self._by_path[path]

    def send(self, data: bytes, path: Path) -> None:
        """Send one datagram, or lose it."""
        index, address = path
        if index < len(self._sockets):
            try:
                self._sockets[index].sendto(data, address)
            except OSError:
                return  # the network is full or gone; the call's own clocks notice what matters

    def _readable(self, index: int, one: socket.socket) -> None:
        now = self._clock()
        for _ in range(AT_ONCE):
            try:
                data, address = one.recvfrom(LONGEST_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as fault:  # of an answer sent before; the socket itself is well
                log.debug("datagram_not_read", fault=fault.errno)
                continue
            try:
                self.take(data, (index, address), now)
            except Exception:
                # One call's fault must not cost the others their packets.
                log.exception("datagram_not_handled")

    def take(self, data: bytes, path: Path, now: float) -> None:
        """Handle one datagram."""
        if not data:
            return
        if data[0] >= 4:
            call = self._by_path.get(path)
            if call is None:
                self.unwanted += 1
            else:
                call.agent.hear(path, now)
                call.receive(data, path, now)
        elif stun.is_stun(data):
            self._check(data, path, now)

    def _check(self, data: bytes, path: Path, now: float) -> None:
        call = self._by_ufrag.get(stun.local_ufrag(data) or "")
        if call is None or not self._in_pace(path, now):
            self.unwanted += 1
            return
        owner = self._by_path.get(path, call)
        if owner is not call and _alive(owner, path, now):
            # A sender's address can be forged: nobody takes away another's packets with it.
            self.unwanted += 1
            return
        checked = call.agent.check(data, path, now)
        if checked is None:
            self.unwanted += 1
            return
        self.send(checked.reply, path)
        if checked.valid:
            self._by_path[path] = call
            if checked.forgotten and self._by_path.get(checked.forgotten) is call:
                del self._by_path[checked.forgotten]
            call.checked(now)

    def _in_pace(self, path: Path, now: float) -> bool:
        bucket = self._paces.get(path)
        if bucket is None:
            bucket = self._paces[path] = Bucket(CHECKS_PER_S, CHECKS_BURST)
            if len(self._paces) > CHECKING:
                self._paces.popitem(last=False)
        else:
            self._paces.move_to_end(path)
        return bucket.take(now)


def _alive(owner: Call, path: Path, now: float) -> bool:
    agent = owner.agent
    heard_at = agent.heard_at if path == agent.selected else agent.paths.get(path, 0.0)
    return now - heard_at < OWNED_S


def machine_addresses() -> list[str]:
    """The addresses of this machine's network interfaces."""
    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return [ip if isinstance(ip, str) else ip[0] for ip in found]


def choose(own: Iterable[str], place: Place) -> list[str]:
    """Which addresses to bind: all that others can reach, and loopback where it is asked for."""
    parsed = [(text, ip_address(text)) for text in dict.fromkeys(own)]
    usable = [
        (text, ip)
        for text, ip in parsed
        if not (ip.is_link_local or ip.is_unspecified or ip.is_multicast)
    ]
    chosen = [text for text, ip in usable if not ip.is_loopback]
    loopback = [text for text, ip in usable if ip.is_loopback]
    named = [text for text in loopback if text in place.addresses]
    if named:
        return chosen + named
    if place.loopback or not chosen:
        chosen += sorted(loopback, key=lambda text: ":" in text)[:1]
    return chosen or ["127.0.0.1"]


def _bind(addresses: list[str], port: int) -> list[socket.socket]:
    """A socket for each address, all with the same port."""
    for _ in range(TRIES):
        sockets: list[socket.socket] = []
        wanted = port
        try:
            for address in addresses:
                one = _socket(address, wanted)
                if one is not None:
                    sockets.append(one)
                    wanted = one.getsockname()[1]
        except OSError as fault:
            for one in sockets:
                one.close()
            if fault.errno != errno.EADDRINUSE:
                raise
            if port:
                raise PortTaken(port) from fault
            continue
        if sockets:
            return sockets
        raise OSError(errno.EADDRNOTAVAIL, "this machine has no address to take calls at")
    raise PortTaken(port)


def _socket(address: str, port: int) -> socket.socket | None:
    """One bound socket; None where the address has gone away."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        one.bind((address, port))
    except OSError as fault:
        one.close()
        if fault.errno == errno.EADDRNOTAVAIL:
            return None
        raise
    return one
