"""Calls across networks: a firewall that loses UDP, a NAT that forgets, another address.

Server and client are in namespaces of their own, with a router between.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from bench.caller import CLOCK_PER_FRAME, Answer, Caller, NotConnected
from server.rtc.peer import Peer, Peers
from server.rtc.ports import Place, Ports
from server.rtc.sdp import Offer
from tests.calls.hostile import HostileOffer
from tests.fakes.namespaces import (
    CLIENT,
    CLIENTS_ROUTER,
    OTHER_CLIENT,
    SERVER,
    SERVERS_ROUTER,
    UDP,
    Networks,
    Sniffer,
    networks,
    why_not,
)
from tests.fakes.udp_relay import relay_to
from tests.fakes.webrtc_client import Heard

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

FRAME = b"\x48" + bytes(40)


@pytest.fixture(scope="module")
def nets() -> Iterator[Networks]:
    with networks() as made:
        yield made


@pytest.fixture
async def peers(nets: Networks) -> AsyncIterator[Peers]:
    with nets.server.inside():
        opened = Peers(Ports.open(Place()))
    yield opened
    await opened.close()


class Pair:
    """Both ends of one call."""

    def __init__(self, nets: Networks, peers: Peers, *, events: bool = False) -> None:
        with nets.client.inside():
            self.caller = Caller(host=CLIENT, events=events)
        self.heard = Heard()
        self.peer: Peer = peers.answer(Offer.read(self.caller.offer), self.heard)
        self.peer.start()
        self._clock = 0

    async def sound(self) -> None:
        """A packet each way."""
        up, down = len(self.heard.packets), self.caller.reception.packets
        async with asyncio.timeout(5):
            while len(self.heard.packets) == up or self.caller.reception.packets == down:
                self._clock += CLOCK_PER_FRAME
                self.caller.send(FRAME, self._clock)
                self.peer.send(FRAME, self._clock, marker=False)
                await asyncio.sleep(0.02)

    @property
    def seen_at(self) -> tuple[str, int]:
        """Where the server has the client."""
        assert self.peer.agent.selected is not None
        host, port = self.peer.agent.selected[1][:2]
        return host, port


@contextlib.asynccontextmanager
async def pair(nets: Networks, peers: Peers) -> AsyncIterator[Pair]:
    both = Pair(nets, peers)
    try:
        yield both
    finally:
        both.caller.vanish()
        await both.peer.close()


async def test_the_servers_own_address_is_announced(nets: Networks, peers: Peers) -> None:
    async with pair(nets, peers) as both:
        assert Answer.read(both.peer.answer).candidates == ((SERVER, peers.ports.port),)


async def test_a_call_goes_on_from_another_address(nets: Networks, peers: Peers) -> None:
    async with pair(nets, peers) as both:
        await both.caller.connect(both.peer.answer)
        await both.sound()
        assert both.seen_at[0] == CLIENT
        with nets.client.inside():
            both.caller.move(OTHER_CLIENT)
        await both.sound()
        assert both.seen_at[0] == OTHER_CLIENT
        assert both.heard.events == ["connected"]


async def test_a_call_through_a_nat_goes_on_when_the_nat_forgets_it(
    nets: Networks, peers: Peers
) -> None:
    """The NAT is a relay on the router, with one foot in each network."""
    async with (
        pair(nets, peers) as both,
        relay_to(
            (SERVER, peers.ports.port),
            host=CLIENTS_ROUTER,
            seen_at=SERVERS_ROUTER,
            where=nets.router,
        ) as nat,
    ):
        await both.caller.connect(nat.between(both.peer.answer))
        await both.sound()
        before = both.seen_at
        assert before[0] == SERVERS_ROUTER
        nat.rebind()
        both.caller._consent()
        await both.sound()
        assert both.seen_at != before
        assert both.seen_at in nat.seen_as
        assert both.heard.events == ["connected"]


async def test_a_firewall_that_loses_udp_lets_no_call_through_until_it_opens(
    nets: Networks, peers: Peers
) -> None:
    async with pair(nets, peers) as both:
        nets.block_udp()
        try:
            with pytest.raises(NotConnected, match="in time"):
                await both.caller.connect(both.peer.answer, within_s=0.5)
        finally:
            nets.let_udp()
        assert both.heard.events == []
        await both.caller.connect(both.peer.answer)
        await both.sound()


async def test_a_firewall_that_closes_in_mid_call_is_survived_for_a_while(
    nets: Networks, peers: Peers
) -> None:
    async with pair(nets, peers) as both:
        await both.caller.connect(both.peer.answer)
        nets.block_udp()
        try:
            heard = len(both.heard.packets)
            for _ in range(10):
                both.caller.send(FRAME, 1)
                await asyncio.sleep(0.02)
            assert len(both.heard.packets) == heard
        finally:
            nets.let_udp()
        await both.sound()
        assert both.heard.events == ["connected"]


async def test_nothing_is_sent_to_an_address_that_an_offer_names(
    nets: Networks, peers: Peers
) -> None:
    """Neither by ICE nor by DTLS nor by the resolver, whatever kind the candidates are of."""
    sniffer = Sniffer(nets.server)
    try:
        for kind in ("host", "srflx", "prflx", "relay"):
            with nets.client.inside():
                caller = Caller(host=CLIENT)
            hostile, heard = HostileOffer(caller.offer, kind), Heard()
            peer = peers.answer(Offer.read(hostile.sdp), heard)
            peer.start()
            peer.candidates(hostile.fragment)
            await caller.connect(peer.answer)
            for n in range(5):
                peer.send(FRAME, n, marker=False)
            assert heard.events == ["connected"]
            caller.vanish()
            await peer.close()
        sent = sniffer.sent()
    finally:
        sniffer.close()
    assert {aim for _, aim in sent} == {CLIENT}
    assert sum(count for (kind, _), count in sent.items() if kind == UDP) > 20
