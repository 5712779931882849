"""The cheap client of calls, against aiortc's peer connection: a full ICE agent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from bench.caller import CLOCK_PER_FRAME, Caller, NotConnected, own_address
from bench.reception import Arrival

if own_address() == "127.0.0.1":
    pytest.skip("aiortc offers no address of the loopback", allow_module_level=True)

FRAME = bytes.fromhex("fc") + bytes(range(60))  # 20 ms of CELT, 48 kHz, mono, of no sense


@contextlib.asynccontextmanager
async def echo(offer: str) -> AsyncIterator[str]:
    """aiortc's answer to an offer; what comes on the data channel goes back in capitals."""
    connection = RTCPeerConnection()
    connection.on("track", connection.addTrack)

    @connection.on("datachannel")
    def opened(channel: object) -> None:
        channel.on("message", lambda text: channel.send(text.upper()))  # type: ignore[attr-defined]

    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    try:
        yield connection.localDescription.sdp
        if connection.connectionState == "connecting":  # the caller is faster: let it end this
            await until(lambda: connection.connectionState != "connecting")
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def caller(**settings: object) -> AsyncIterator[Caller]:
    one = Caller(host=own_address(), **settings)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.close()


async def until(true: object, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_frames_and_texts_come_back() -> None:
    heard: list[tuple[Arrival, bytes]] = []
    told: list[str] = []
    async with caller(events=True, opened=True) as one:
        one.on_packet = lambda arrival, payload: heard.append((arrival, payload))
        one.on_event = told.append
        async with echo(one.offer) as answer:
            await one.connect(answer)
            async with asyncio.timeout(10):
                await one.channel_open.wait()
            assert one.tell("hello")
            n = 0
            while len(heard) < 5 and n < 400:
                one.send(FRAME, n * CLOCK_PER_FRAME, marker=n == 0)
                n += 1
                await asyncio.sleep(0.02)
            await until(lambda: told)
            assert told == ["HELLO"]
            assert len(heard) >= 5
            assert [len(payload) for _, payload in heard] == [arrival.size for arrival, _ in heard]
            assert one.reception.packets == len(heard)
            one._report()
            report = one.reception.report(0.0)
            assert report is not None and report.packets_lost == 0


async def test_the_answerer_that_goes_is_noticed() -> None:
    gone = asyncio.Event()
    async with caller() as one:
        one.on_gone = gone.set
        async with echo(one.offer) as answer:
            await one.connect(answer)
        async with asyncio.timeout(10):
            await gone.wait()


async def test_a_wrong_fingerprint_is_not_spoken_to() -> None:
    async with caller() as one, echo(one.offer) as answer:
        kind, _, value = answer.partition("a=fingerprint:sha-256 ")
        turned = "00" if value[:2] != "00" else "11"
        with pytest.raises(NotConnected):
            await one.connect(f"{kind}a=fingerprint:sha-256 {turned}{value[2:]}")


async def test_a_server_that_is_silent_is_given_up() -> None:
    async with caller() as one:
        async with echo(one.offer) as answer:
            pass
        with pytest.raises(NotConnected, match="in time"):
            await one.connect(answer, within_s=0.2)


async def test_an_answer_of_nothing_is_refused() -> None:
    async with caller() as one:
        with pytest.raises(NotConnected, match="lacks"):
            await one.connect("v=0")
