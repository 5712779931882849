"""Packets pass the router between two namespaces, or don't, and are counted."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.fakes.namespaces import (
    CLIENT,
    OTHER_CLIENT,
    SERVER,
    UDP,
    Namespace,
    Networks,
    Sniffer,
    networks,
    why_not,
)

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def nets() -> Iterator[Networks]:
    with networks() as made:
        yield made


@contextlib.contextmanager
def bound(where: Namespace, host: str) -> Iterator[socket.socket]:
    with where.inside():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with one:
        one.bind((host, 0))
        one.settimeout(2)
        yield one


def test_a_client_reaches_the_server_from_both_of_its_addresses(nets: Networks) -> None:
    with bound(nets.server, SERVER) as server:
        for host in (CLIENT, OTHER_CLIENT):
            with bound(nets.client, host) as client:
                client.sendto(b"hello", server.getsockname())
                data, sender = server.recvfrom(100)
                assert (data, sender) == (b"hello", client.getsockname())
                server.sendto(b"welcome", sender)
                assert client.recv(100) == b"welcome"


def test_this_process_is_elsewhere_afterwards(nets: Networks) -> None:
    with (
        pytest.raises(OSError, match="Cannot assign"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
    ):
        one.bind((SERVER, 0))


def test_a_firewall_loses_udp_and_lets_tcp_through(nets: Networks) -> None:
    with nets.server.inside():
        listening = socket.create_server((SERVER, 0))
    with listening, bound(nets.server, SERVER) as server, bound(nets.client, CLIENT) as client:
        nets.block_udp()
        try:
            client.sendto(b"lost", server.getsockname())
            with nets.client.inside(), socket.create_connection(listening.getsockname(), 2) as one:
                one.sendall(b"through")
                passed, _ = listening.accept()
                with passed:
                    assert passed.recv(100) == b"through"
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.recv(100)
        finally:
            nets.let_udp()


def test_what_leaves_is_counted_by_its_aim_and_what_comes_is_not(nets: Networks) -> None:
    sniffer = Sniffer(nets.server)
    with bound(nets.server, SERVER) as server, bound(nets.client, CLIENT) as client:
        client.sendto(b"in", server.getsockname())
        server.recv(100)
        server.sendto(b"out", client.getsockname())
        server.sendto(b"nowhere", ("192.0.2.77", 9))
        sent = sniffer.sent()
    sniffer.close()
    assert {aim: count for (kind, aim), count in sent.items() if kind == UDP} == {
        CLIENT: 1,
        "192.0.2.77": 1,
    }
