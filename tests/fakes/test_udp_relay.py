"""The bad network is as bad as it says, and every time the same."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.fakes.udp_relay import Network, Path, UdpRelay, relay_to

FRAME_S = 0.02
PACKET = 100


def fates(network: Network, count: int, *, seed: int = 1, size: int = PACKET) -> list[list[float]]:
    """Of so many datagrams, one every 20 ms: how long after it was sent each one came."""
    path = Path(network, seed=seed)
    sent = [n * FRAME_S for n in range(count)]
    return [[at - now for at in path.fates(size, now)] for now in sent]


def test_a_perfect_network_brings_everything_at_once() -> None:
    assert fates(Network(), 100) == [[0.0]] * 100


def test_loss_is_a_share_and_the_same_in_each_run() -> None:
    bad = fates(Network(loss=0.1), 5000)
    assert 0.09 < sum(not one for one in bad) / 5000 < 0.11
    assert bad == fates(Network(loss=0.1), 5000)
    assert bad != fates(Network(loss=0.1), 5000, seed=2)


def test_which_ones_are_lost_does_not_depend_on_the_jitter() -> None:
    still, moved = fates(Network(loss=0.1), 500), fates(Network(loss=0.1, jitter_ms=50), 500)
    assert [bool(one) for one in still] == [bool(one) for one in moved]


def test_jitter_delays_within_its_bound_and_reorders() -> None:
    late = [one[0] for one in fates(Network(delay_ms=30, jitter_ms=100), 1000)]
    assert 0.03 <= min(late) < 0.035
    assert 0.125 < max(late) <= 0.13
    came = [n * FRAME_S + one for n, one in enumerate(late)]
    assert came != sorted(came)


def test_duplicates_are_a_share() -> None:
    assert 0.18 < sum(len(one) == 2 for one in fates(Network(duplicate=0.2), 2000)) / 2000 < 0.22


def test_a_rate_makes_a_queue_and_drops_what_would_wait_too_long() -> None:
    # Half of what is sent fits: the queue grows by 20 ms a datagram, and then one in two is lost.
    slow = fates(Network(rate_bps=PACKET * 8 / 0.04, queue_ms=100), 100)
    assert slow[0] == [pytest.approx(0.04)]
    assert slow[1] == [pytest.approx(0.06)]
    assert max(one[0] for one in slow if one) <= 0.1401
    assert 40 < sum(not one for one in slow) < 50


def test_what_is_cut_is_lost() -> None:
    path = Path()
    path.cut = True
    assert list(path.fates(PACKET, 0.0)) == []
    path.cut = False
    assert list(path.fates(PACKET, 1.0)) == [1.0]
    assert (path.carried, path.lost) == (1, 1)


# ---- over sockets --------------------------------------------------------------------------------


@contextlib.contextmanager
def bound() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setblocking(False)
        one.bind(("127.0.0.1", 0))
        yield one


async def heard(one: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_recvfrom(one, 2048)


async def test_each_client_has_an_address_of_its_own_and_gets_its_own_answers() -> None:
    with bound() as server, bound() as first, bound() as second:
        async with relay_to(server.getsockname()) as relay:
            first.sendto(b"one", relay.address)
            seen_first = await heard(server)
            second.sendto(b"two", relay.address)
            seen_second = await heard(server)
            assert (seen_first[0], seen_second[0]) == (b"one", b"two")
            assert relay.seen_as == [seen_first[1], seen_second[1]]
            server.sendto(b"to two", seen_second[1])
            assert await heard(second) == (b"to two", relay.address)
            server.sendto(b"to one", seen_first[1])
            assert await heard(first) == (b"to one", relay.address)


async def test_a_rebound_client_comes_from_elsewhere_and_hears_nothing_at_the_old_place() -> None:
    with bound() as server, bound() as client:
        async with relay_to(server.getsockname()) as relay:
            client.sendto(b"before", relay.address)
            _, old = await heard(server)
            relay.rebind("127.0.0.2")
            client.sendto(b"after", relay.address)
            _, new = await heard(server)
            assert (old[0], new[0]) == ("127.0.0.1", "127.0.0.2")
            server.sendto(b"to the old place", old)
            server.sendto(b"to the new one", new)
            assert (await heard(client))[0] == b"to the new one"


async def test_nothing_passes_a_cut_relay_either_way() -> None:
    with bound() as server, bound() as client:
        async with relay_to(server.getsockname()) as relay:
            client.sendto(b"through", relay.address)
            _, seen = await heard(server)
            relay.cut()
            client.sendto(b"lost", relay.address)
            server.sendto(b"lost", seen)
            await until_lost(relay, 2)
            relay.mend()
            client.sendto(b"through again", relay.address)
            assert (await heard(server))[0] == b"through again"


async def until_lost(relay: UdpRelay, count: int) -> None:
    async with asyncio.timeout(5):
        while relay.up.lost + relay.down.lost < count:
            await asyncio.sleep(0.001)


async def test_delayed_datagrams_come_later_and_not_after_the_relay_is_closed() -> None:
    with bound() as server, bound() as client:
        async with relay_to(server.getsockname(), up=Network(delay_ms=20)) as relay:
            client.sendto(b"late", relay.address)
            began_s = asyncio.get_running_loop().time()
            assert (await heard(server))[0] == b"late"
            assert asyncio.get_running_loop().time() - began_s > 0.015
            client.sendto(b"too late", relay.address)
        await asyncio.sleep(0.05)
        with pytest.raises(BlockingIOError):
            server.recv(2048)


ANSWER = """v=0
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host
a=candidate:2 1 udp 2130706175 2001:db8::1 8000 typ host
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
"""


async def test_an_answer_leads_through_the_relay_alone() -> None:
    async with relay_to(("127.0.0.1", 9)) as relay:
        lines = relay.between(ANSWER).splitlines()
        candidates = [line for line in lines if line.startswith("a=candidate")]
        host, port = relay.address
        assert candidates == [f"a=candidate:1 1 udp 2130706431 {host} {port} typ host"]
        assert [one for one in ANSWER.splitlines() if "candidate:" not in one] == [
            one for one in lines if "candidate:" not in one
        ]
