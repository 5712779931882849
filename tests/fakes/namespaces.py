"""Networks on one machine: a client's and a server's, with a router between (Linux, as root).

What is made within `Namespace.inside` belongs to that namespace for ever: sockets, and programs
that are started there. So one loop, one test, can be at several places at once. Addresses are those
of documentation (RFC 5737), which no real network has.
"""

import contextlib
import ctypes
import os
import secrets
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLIENT, SERVER = "203.0.113.20", "198.51.100.10"
OTHER_CLIENT = "203.0.113.21"
"The client's second address: where it goes on after a change of network."
CLIENTS_ROUTER, SERVERS_ROUTER = "203.0.113.1", "198.51.100.1"
CLONE_NEWNET = 0x4000_0000  # sched.h
ETH_P_ALL = 0x0003  # linux/if_ether.h
PACKET_OUTGOING = 4  # linux/if_packet.h
UDP = 17
_libc = ctypes.CDLL(None, use_errno=True)


@cache
def why_not() -> str:
    """What keeps this machine from having namespaces; empty: nothing does."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"t{secrets.token_hex(4)}"
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as problem:
        return f"network namespaces can't be made here: {problem}"
    try:
        _ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two")
        _ip("-n", name, "rule", "add", "ipproto", "udp", "blackhole")
    except subprocess.CalledProcessError as problem:
        return f"veth pairs and rules can't be made here: {problem.stderr.strip()}"
    finally:
        _ip("netns", "del", name)
    return ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network of its own."""

    name: str

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is there meanwhile. Nothing may be awaited within."""
        with Path(f"/proc/self/task/{threading.get_native_id()}/ns/net").open() as home:
            with Path(f"/run/netns/{self.name}").open() as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def ip(self, *arguments: str) -> None:
        """`ip` within it. Raises CalledProcessError."""
        _ip("-n", self.name, *arguments)


@dataclass(frozen=True, slots=True)
class Networks:
    """Made by `networks`."""

    client: Namespace
    router: Namespace
    server: Namespace

    def block_udp(self) -> None:
        """As a strict firewall: what is no TCP is lost, and nobody is told."""
        self.router.ip("rule", "add", "ipproto", "udp", "blackhole")

    def let_udp(self) -> None:
        self.router.ip("rule", "del", "ipproto", "udp", "blackhole")


@contextlib.contextmanager
def networks() -> Iterator[Networks]:
    """Client, router and server, each in a namespace. Raises CalledProcessError."""
    tag = secrets.token_hex(3)
    client, router, server = (Namespace(f"{tag}-{each}") for each in ("c", "r", "s"))
    made = []
    try:
        for each in (client, router, server):
            _ip("netns", "add", each.name)
            made.append(each)
            each.ip("link", "set", "lo", "up")
        _wire(client, (CLIENT, OTHER_CLIENT), router, CLIENTS_ROUTER)
        _wire(server, (SERVER,), router, SERVERS_ROUTER)
        with router.inside():
            _forward()
        yield Networks(client, router, server)
    finally:
        for each in made:
            _ip("netns", "del", each.name)


def _wire(
    host: Namespace, addresses: tuple[str, ...], router: Namespace, routers_address: str
) -> None:
    ours, theirs = f"v{secrets.token_hex(4)}", f"v{secrets.token_hex(4)}"
    host.ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", router.name)
    for each, device, mine in ((host, ours, addresses), (router, theirs, (routers_address,))):
        for address in mine:
            each.ip("addr", "add", f"{address}/24", "dev", device)
        each.ip("link", "set", device, "up")
    host.ip("route", "add", "default", "via", routers_address)


def _forward() -> None:
    # /proc/sys/net is that of the thread that opens it.
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Sniffer:
    """Counts the IPv4 packets that leave a namespace, or go round within it, by kind and aim."""

    def __init__(self, where: Namespace) -> None:
        with where.inside():
            self._socket = socket.socket(
                socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)
            )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setblocking(False)
        self._sent: Counter[tuple[int, str]] = Counter()

    def sent(self, *, settle_s: float = 0.1) -> Counter[tuple[int, str]]:
        """How many so far, by (protocol number, destination)."""
        deadline = time.monotonic() + settle_s
        while True:
            try:
                data, (_, ethertype, direction, _, _) = self._socket.recvfrom(128)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return Counter(self._sent)
                time.sleep(0.01)
                continue
            if direction == PACKET_OUTGOING and ethertype == 0x0800 and len(data) >= 20:
                protocol, aim = struct.unpack_from("!9xB6x4s", data)
                self._sent[protocol, socket.inet_ntoa(aim)] += 1

    def close(self) -> None:
        self._socket.close()
