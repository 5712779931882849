"""Calls with a client that is not ours, over real sockets on this machine."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.rtc.peer import Peers
from server.rtc.ports import Place
from tests.fakes.webrtc_client import Client, Heard


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    """Calls on the loopback address."""
    opened = await Peers.open(Place(addresses=("127.0.0.1",), loopback=True))
    yield opened
    await opened.close()


async def test_a_call_carries_messages_and_sound_both_ways(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until("opened")
    assert peer.tell("good morning")
    await client.say("x" * 60_000)
    await heard.until("message")
    assert heard.messages == ["x" * 60_000]
    await heard.until(lambda: len(heard.packets) >= 10)
    for _, timestamp, payload, _ in heard.packets[:10]:
        peer.send(payload, timestamp, marker=False)
    await heard.until(lambda: heard.reports)
    assert heard.reports[0].fraction_lost == 0
    async with asyncio.timeout(5):
        while client.frames < 5 or not client.messages:
            await asyncio.sleep(0.02)
    assert client.messages == ["good morning"]
    assert heard.events.index("connected") < heard.events.index("opened")
    await client.close()
    await heard.until("gone")
    assert heard.reasons == ["closed_by_peer"]
    await peer.close()
    assert len(peers.ports) == 0


async def test_an_ended_call_gives_openssl_s_memory_back_at_once(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until("opened")
    dtls = peer._link._dtls  # type: ignore[union-attr]
    assert dtls._ssl is not None
    await peer.close()
    async with asyncio.timeout(5):
        while dtls._ssl is not None:
            await asyncio.sleep(0.001)
    await client.close()
