"""A client that may only speak through a TURN server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from bench.caller import own_address
from server.rtc.peer import Peer, Peers
from server.rtc.ports import Place
from server.rtc.turn import IceServers, ice_servers
from tests.fakes.turn import TurnServer, turn_server
from tests.fakes.webrtc_client import Client, Heard

pytestmark = pytest.mark.skipif(
    own_address() == "127.0.0.1", reason="aiortc relays nothing over the loopback"
)

SECRET = "shared"


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    opened = await Peers.open(Place())
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def relayed_call(peers: Peers, turn: TurnServer) -> AsyncIterator[tuple[Client, Heard, Peer]]:
    """aiortc's client with the ICE servers that ours names, and `iceTransportPolicy: relay`."""
    host, port = turn.address
    servers = IceServers(turn_urls=(f"turn:{host}:{port}?transport=udp",), secret=SECRET)
    (given,) = ice_servers(servers, "student", time.time())
    configuration = RTCConfiguration(
        [RTCIceServer(**given)], iceTransportPolicy=RTCIceTransportPolicy.RELAY
    )
    client, heard = Client(configuration=configuration), Heard()
    peer = await client.call(peers, heard)
    try:
        yield client, heard, peer
    finally:
        await client.close()
        await peer.close()


async def test_words_and_sound_go_through_it_both_ways(peers: Peers) -> None:
    host = own_address()
    async with (
        turn_server(SECRET, allow=(f"{host}/32",), host=host) as turn,
        relayed_call(peers, turn) as (client, heard, peer),
    ):
        await heard.until("opened")
        (relayed,) = [one.address for one in turn.allocations.values()]
        assert peer.agent.selected is not None
        assert peer.agent.selected[1][:2] == relayed
        await client.say("hello")
        await heard.until("message")
        assert peer.tell("welcome")
        await heard.until(lambda: len(heard.packets) >= 5)
        for _, timestamp, payload, _ in heard.packets[:5]:
            peer.send(payload, timestamp, marker=False)
        async with asyncio.timeout(10):
            while client.messages != ["welcome"]:
                await asyncio.sleep(0.01)
        assert turn.relayed > 20
        assert turn.refused == []


async def test_one_that_relays_to_nothing_reserved_does_not_reach_a_private_server(
    peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test before this one allows is the exception."""
    monkeypatch.setattr("aioice.stun.RETRY_MAX", 1)  # the client gives up within seconds
    async with (
        turn_server(SECRET, host=own_address()) as turn,
        relayed_call(peers, turn) as (_, heard, _),
    ):
        async with asyncio.timeout(10):
            while 403 not in turn.refused:
                await asyncio.sleep(0.01)
        assert turn.relayed == 0
        assert heard.events == []
