"""`student-connect check calls`: what keeps calls from coming, and how to mend it."""

import socket

from server import check_calls
from server.config import CallConfig, Config
from server.rtc.turn import IceServers
from tests.fakes.turn import turn_server


async def found(**calls: object) -> list[tuple[bool, str]]:
    config = Config(calls=CallConfig(port=0, **calls))  # type: ignore[arg-type]
    return [(one.well, f"{one.about}: {one.sentence}") async for one in check_calls.look(config)]


async def test_calls_that_are_off_are_well() -> None:
    ((well, sentence),) = await found(on=False)
    assert well and "WEBRTC=off" in sentence


async def test_addresses_are_tried_with_a_datagram() -> None:
    findings = await found(addresses=("127.0.0.1",))
    assert (True, "address: 127.0.0.1: UDP arrives there from this machine.") in findings


async def test_a_port_of_another_program_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        config = Config(calls=CallConfig(port=port, addresses=("127.0.0.1",)))
        sentences = [one.sentence async for one in check_calls.look(config)]
    assert f"UDP port {port} is in use" in sentences[0]


async def test_a_turn_server_is_asked_for_a_relay_with_our_credentials() -> None:
    async with turn_server("shared") as server:
        url = f"turn:127.0.0.1:{server.address[1]}"
        right = await found(addresses=("127.0.0.1",), servers=IceServers((), (url,), "shared"))
        wrong = await found(addresses=("127.0.0.1",), servers=IceServers((), (url,), "another"))
    assert right[-1] == (True, f"turn: {url}: it makes relays with our credentials.")
    well, sentence = wrong[-1]
    assert not well and "TURN_SECRET" in sentence


async def test_a_stun_server_that_does_not_answer_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        findings = await found(addresses=("127.0.0.1",), servers=IceServers((url,)))
    well, sentence = findings[-1]
    assert not well and "it does not answer" in sentence
