"""Calls with a client that is not ours, over real sockets on this machine."""

import asyncio
import gc
import random
import socket
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.rtc import peer as peers_module
from server.rtc.ice import CONSENT_S
from server.rtc.opus import Encoder
from server.rtc.peer import CONNECT_S, SOUND_BURST, Peers
from server.rtc.ports import Place
from server.rtc.sdp import Offer, OfferRefused
from tests.fakes.udp_relay import relay_to
from tests.fakes.webrtc_client import Client, Heard
from tests.server.rtc.checks import check

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_text()
UNANSWERED = 500


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    """Calls on the loopback address."""
    opened = await Peers.open(Place(addresses=("127.0.0.1",), loopback=True))
    yield opened
    await opened.close()


async def until(is_so: object, patience_s: float = 10.0) -> None:
    async with asyncio.timeout(patience_s):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_call_carries_messages_and_sound_both_ways(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until("opened")
    assert peer.tell("good morning")
    await client.say("x" * 60_000)
    await heard.until("message")
    assert heard.messages == ["x" * 60_000]
    await client.say(b"\0\1")
    await heard.until("binary")
    await heard.until(lambda: len(heard.packets) >= 10)
    sent = [peer.send(payload, ts, marker=False) for _, ts, payload, _ in heard.packets[:10]]
    assert sent == list(range(sent[0], sent[0] + 10))
    await heard.until(lambda: heard.reports)
    assert heard.reports[0].fraction_lost == 0
    await until(lambda: client.frames >= 5 and client.messages)
    assert client.messages == ["good morning"]
    assert heard.events.index("connected") < heard.events.index("opened")
    peer.tick(asyncio.get_running_loop().time())
    await until(lambda: heard.reports[-1].rtt_ms is not None)
    await client.close()
    await heard.until("gone")
    assert heard.reasons == ["closed_by_peer"]
    await peer.close()
    assert len(peers.ports) == 0


async def test_our_good_bye_reaches_the_client_and_nothing_more_is_told(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until("opened")
    await peer.close()
    await peer.close()
    await until(lambda: client.connection.connectionState == "closed")
    assert heard.reasons == [] and len(peers.ports) == 0
    assert not peer.tell("late") and peer.buffered == 0
    before = peer.send(b"late", 0, marker=False)
    assert peer.send(b"late", 0, marker=False) == before, "it is not sent, and not counted"
    await client.close()


async def test_a_call_without_events_is_sound_alone(peers: Peers) -> None:
    heard, client = Heard(), Client(events=False)
    peer = await client.call(peers, heard)
    assert not peer.events and peer.max_message == 0
    await heard.until(lambda: heard.packets)
    assert heard.events == ["connected"] and not peer.tell("nobody listens")
    await peer.close()
    await client.close()


async def test_a_client_may_leave_the_handshake_s_beginning_to_us(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(
        peers, heard, change=lambda offer: offer.replace("setup:actpass", "setup:passive")
    )
    assert "a=setup:active" in peer.answer
    await client.say("hello")
    await heard.until(lambda: heard.messages and heard.packets)
    await peer.close()
    await client.close()


async def test_a_client_without_a_microphone_only_listens(peers: Peers) -> None:
    heard, client = Heard(), Client(listens=True)
    peer = await client.call(peers, heard)
    assert "a=sendonly" in peer.answer
    await heard.until("opened")
    encoder = Encoder()
    sound = encoder.encode(bytes(960))
    for number in range(20):
        peer.send(sound, number * 960, marker=number == 0)
    await until(lambda: client.frames >= 5)
    assert heard.packets == []
    await peer.close()
    await client.close()


async def test_another_certificate_than_the_offered_ends_the_call(peers: Peers) -> None:
    heard, client = Heard(), Client()

    def change(offer: str) -> str:
        head, mark, rest = offer.partition("a=fingerprint:sha-256 ")
        return (head + mark + ":".join(["AB"] * 32) + rest[95:]).replace(
            offer.split("a=fingerprint:sha-256 ")[1][:95], ":".join(["AB"] * 32)
        )

    peer = await client.call(peers, heard, change=change)
    await heard.until("gone")
    assert heard.reasons == ["fingerprint"]
    assert heard.events == ["gone"] and not heard.packets and len(peers.ports) == 0
    await peer.close()
    await client.close()


async def test_a_call_goes_on_at_another_address(peers: Peers) -> None:
    async with relay_to(("127.0.0.1", peers.ports.port)) as relay:
        heard, client = Heard(), Client()
        offer = await client.offer()
        peer = peers.answer(Offer.read(offer), heard)
        peer.start()
        await client.accept(relay.between(peer.answer))
        await heard.until("opened")
        before = peer.agent.selected
        relay.rebind()
        connection = client.connection.sctp.transport.transport._connection
        (pair,) = connection._nominated.values()
        async with asyncio.timeout(10):
            while peer.agent.selected == before:
                peer.agent.heard_at -= 10.0  # in place of three seconds of silence
                # What a client sends each few seconds.
                request = connection.build_request(pair, nominate=False)
                await pair.protocol.request(
                    request, pair.remote_addr, integrity_key=connection.remote_password.encode()
                )
        heard.packets.clear()
        await heard.until(lambda: len(heard.packets) > 5)
        peer.tell("still here")
        await until(lambda: client.messages == ["still here"])
        assert heard.reasons == []
        await peer.close()
        await client.close()


async def test_two_calls_on_one_port_hear_only_their_own(peers: Peers) -> None:
    callers = [(Heard(), Client()) for _ in range(2)]
    calls = [await client.call(peers, heard) for heard, client in callers]
    for heard, _ in callers:
        await heard.until("opened")
    for number, (_, client) in enumerate(callers):
        await client.say(f"I am {number}")
    for number, ((heard, client), call) in enumerate(zip(callers, calls, strict=True)):
        await heard.until(lambda heard=heard: heard.messages and len(heard.packets) > 5)
        call.tell(f"you are {number}")
        await until(lambda client=client: client.messages)
    assert [heard.messages for heard, _ in callers] == [["I am 0"], ["I am 1"]]
    assert [client.messages for _, client in callers] == [["you are 0"], ["you are 1"]]
    one, other = ({ssrc for *_, ssrc in heard.packets} for heard, _ in callers)
    assert len(one) == len(other) == 1 and one != other
    for call, (_, client) in zip(calls, callers, strict=True):
        await call.close()
        await client.close()


async def test_who_does_not_come_is_given_up(peers: Peers) -> None:
    heard = Heard()
    peer = peers.answer(Offer.read(CHROMIUM), heard)
    peer.start()
    peer.start()
    now = asyncio.get_running_loop().time()
    peer.tick(now + CONNECT_S - 0.5)
    assert heard.reasons == [] and len(peers.ports) == 1
    peer.tick(now + CONNECT_S)
    peer.tick(now + CONNECT_S * 2)
    assert heard.reasons == ["not_connected"] and len(peers.ports) == 0


async def test_who_checks_and_never_shakes_hands_is_given_up(peers: Peers) -> None:
    heard = Heard()
    peer = peers.answer(Offer.read(CHROMIUM), heard)
    peer.start()
    name = f"{peer.agent.local.ufrag}:W1b7"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        for data in (
            check(username=name, password=peer.agent.local.password),
            b"\x16\xfe\xfd" + random.Random(1).randbytes(200),
            b"\x80\x6f" + bytes(60),
            b"\x80\xc8" + bytes(60),
            b"\x40\x00" + bytes(60),
            b"\x80",
        ):
            client.sendto(data, ("127.0.0.1", peers.ports.port))
            await asyncio.sleep(0.02)
    assert peer.agent.selected is not None and peer.dropped == 4
    peer.tick(asyncio.get_running_loop().time() + CONNECT_S)
    assert heard.events == ["gone"] and heard.reasons == ["not_connected"]


async def test_who_is_not_heard_from_is_given_up(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until("connected")
    now = asyncio.get_running_loop().time()
    peer.tick(now + CONSENT_S - 5)
    assert heard.reasons == []
    peer.tick(now + CONSENT_S + 1)
    assert heard.reasons == ["consent"] and len(peers.ports) == 0
    await client.close()


async def test_forged_replayed_and_too_many_packets_are_dropped(peers: Peers) -> None:
    heard, client = Heard(), Client()
    peer = await client.call(peers, heard)
    await heard.until(lambda: len(heard.packets) > 2)
    taken: list[bytes] = []
    receive = peer._receive_rtp
    peer._receive_rtp = lambda data: (taken.append(data), receive(data))[1]  # type: ignore[method-assign]
    await until(lambda: taken)
    path, now = peer.agent.selected, asyncio.get_running_loop().time()
    assert path is not None
    count, dropped = len(heard.packets), peer.dropped
    forged = bytearray(taken[0])
    forged[-1] ^= 1
    # A source that was never heard, a damaged packet, one that came before, and no sound at all.
    strange = (bytes([0x80, 0x60]) + bytes(60), bytes(forged), taken[0], b"\x80\xc9" + bytes(40))
    for data in strange:
        peer.receive(data, path, now)
    assert len(heard.packets) == count and peer.dropped == dropped + len(strange)
    assert len(peer._sources) == 1
    for _ in range(int(SOUND_BURST) * 3):
        peer.receive(bytes(forged), path, now)
    assert peer._sound_pace.take(now) is False
    assert heard.reasons == []
    await peer.close()
    await client.close()


async def test_offers_that_nobody_takes_up_leave_nothing(peers: Peers) -> None:
    offer = Offer.read(CHROMIUM)

    async def round_of(count: int) -> None:
        calls = [peers.answer(offer, Heard()) for _ in range(count)]
        for call in calls:
            call.start()
        now = asyncio.get_running_loop().time()
        for call in calls[: count // 2]:
            call.tick(now + CONNECT_S)
        for call in calls:
            await call.close()
        await asyncio.sleep(0.01)  # the loop forgets the timers

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    await round_of(UNANSWERED)
    gc.collect()
    files, tasks = descriptors(), len(asyncio.all_tasks())
    tracemalloc.start()
    await round_of(10)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    await round_of(UNANSWERED)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert descriptors() == files and len(asyncio.all_tasks()) == tasks
    assert len(peers.ports) == 0
    assert grown < 64 * 1024


async def test_later_candidates_are_taken_and_not_used(peers: Peers) -> None:
    peer = peers.answer(Offer.read(CHROMIUM), Heard())
    peer.candidates("a=ice-ufrag:W1b7\r\na=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\n")
    with pytest.raises(OfferRefused):
        peer.candidates("a=ice-ufrag:another\r\n")
    for _ in range(peers_module.FRAGMENTS - 1):
        peer.candidates("")
    with pytest.raises(OfferRefused):
        peer.candidates("")
    await peer.close()


async def test_a_certificate_is_made_once_and_again_after_a_week(
    peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fingerprint() -> str:
        return peers.answer(Offer.read(CHROMIUM), Heard()).answer.split("a=fingerprint")[1][:110]

    first = fingerprint()
    assert fingerprint() == first
    peers._made_at -= peers_module.CERTIFICATE_S + 1
    assert fingerprint() != first


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


async def test_a_fault_of_the_listener_s_costs_one_event_and_not_the_call(peers: Peers) -> None:
    heard, client = Heard(), Client()
    note = heard.message

    def stumble(text: str) -> None:
        note(text)
        if text == "stumble":
            raise RuntimeError

    heard.message = stumble  # type: ignore[method-assign]
    peer = await client.call(peers, heard)
    await client.say("stumble")
    await client.say("and go on")
    await heard.until(lambda: heard.messages == ["stumble", "and go on"])
    assert heard.reasons == []
    await peer.close()
    await client.close()
