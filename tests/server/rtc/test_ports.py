import asyncio
import random
import socket

import pytest
from aioice import stun as codec

from server.rtc.ice import Agent, Path
from server.rtc.ports import CHECKS_BURST, OWNED_S, Place, Ports, PortTaken, choose
from tests.server.rtc.checks import agent, check

HOME: Path = (0, ("192.0.2.7", 5_000))
STRANGER: Path = (0, ("203.0.113.1", 5_000))
DTLS = b"\x16\xfe\xfd" + bytes(20)
SOUND = b"\x80\x6f" + bytes(40)
FUZZED = 100_000


class Taking:
    """A call that notes what reaches it."""

    def __init__(self, ufrag: str | None = None) -> None:
        self.agent: Agent = agent()
        if ufrag:
            self.agent.local = type(self.agent.local)(ufrag, self.agent.local.password)
        self.checks = 0
        self.taken: list[bytes] = []

    def checked(self, now: float) -> None:
        self.checks += 1

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.taken.append(data)


class Wire:
    """In place of a socket: what would have been sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, object]] = []

    def getsockname(self) -> tuple[str, int]:
        return ("192.0.2.1", 8_000)

    def sendto(self, data: bytes, address: object) -> None:
        self.sent.append((data, address))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def ports(wire: Wire) -> Ports:
    return Ports([wire], ("192.0.2.1",), lambda: 0.0)  # type: ignore[list-item]


def test_what_nobody_waits_for_is_dropped_in_silence(ports: Ports, wire: Wire) -> None:
    ports.add(Taking())
    strange = (
        check(username="0123456789abcdeX:them"),
        check(password="q" * 32),
        check(sign=False),
        check(kind=codec.Class.INDICATION),
        DTLS,
        SOUND,
        b"",
        b"\0",
        b"\x40\x00" + bytes(30),
        b"\xff" * 1_400,
    )
    for data in strange:
        ports.take(data, STRANGER, 1.0)
    assert wire.sent == [] and ports.unwanted >= 8


def test_only_a_checked_address_is_heard(ports: Ports, wire: Wire) -> None:
    """A ClientHello that comes before a check may be anybody's (ASVS 17.2.6)."""
    call = Taking()
    ports.add(call)
    ports.take(DTLS, HOME, 1.0)
    assert call.taken == []
    ports.take(check(), HOME, 1.1)
    ports.take(DTLS, HOME, 1.2)
    ports.take(DTLS, STRANGER, 1.3)
    assert call.taken == [DTLS] and call.checks == 1
    ((answer, address),) = wire.sent
    assert address == HOME[1] and len(answer) <= len(check())


def test_nothing_is_sent_to_where_a_check_was_refused(ports: Ports, wire: Wire) -> None:
    call = Taking()
    ports.add(call)
    ports.take(check(role="ICE-CONTROLLED"), HOME, 1.0)
    ports.take(DTLS, HOME, 1.1)
    assert len(wire.sent) == 1 and call.taken == [] and call.checks == 0


def test_an_address_is_not_taken_away_from_a_call_that_lives(ports: Ports, wire: Wire) -> None:
    """Whoever has a call of his own and forges a sender's address gets nothing of another's."""
    one, other = Taking(), Taking("fedcba9876543210")
    ports.add(one)
    ports.add(other)
    ports.take(check(), HOME, 1.0)
    forged = check(username="fedcba9876543210:them", nominate=True)
    ports.take(forged, HOME, 2.0)
    ports.take(SOUND, HOME, 2.1)
    assert one.taken == [SOUND] and other.taken == [] and other.agent.selected is None
    assert len(wire.sent) == 1
    ports.take(forged, HOME, 2.1 + OWNED_S)
    ports.take(SOUND, HOME, 2.2 + OWNED_S)
    assert other.taken == [SOUND], "the first has been silent: a port is used again"
    ports.remove(one)
    ports.take(SOUND, HOME, 2.3 + OWNED_S)
    assert len(other.taken) == 2


def test_a_call_that_ended_is_forgotten_with_its_paths(ports: Ports) -> None:
    call = Taking()
    ports.add(call)
    ports.take(check(), HOME, 1.0)
    ports.remove(call)
    ports.remove(call)
    ports.take(check(), HOME, 1.1)
    ports.take(SOUND, HOME, 1.2)
    assert call.taken == [] and len(ports) == 0 and not ports._by_path and not ports._paces


def test_a_flood_of_checks_is_answered_so_often(ports: Ports, wire: Wire) -> None:
    ports.add(Taking())
    for _ in range(1_000):
        ports.take(check(), HOME, 1.0)
    assert len(wire.sent) == CHECKS_BURST
    ports.take(check(), STRANGER, 1.0)
    assert len(wire.sent) == CHECKS_BURST + 1, "nobody else is slowed down"


def test_fuzzed_datagrams_reach_nobody_and_raise_nothing(ports: Ports, wire: Wire) -> None:
    call = Taking()
    ports.add(call)
    chance = random.Random(8)
    good = check()
    for number in range(FUZZED):
        if number % 4 == 0:
            data = bytearray(good)
            # What stands behind the signature is not covered by it (RFC 8489, 14.5).
            data[chance.randrange(len(data) - 8)] ^= 1 << chance.randrange(8)
            data = data[: chance.randrange(1, len(data) + 1)] if number % 3 else data
        else:
            data = bytearray(chance.randbytes(chance.randrange(60)))
        if bytes(data) != good:
            ports.take(bytes(data), (0, ("198.51.100.1", number % 60_000)), number / 100)
    assert wire.sent == [] and call.taken == [] and not ports._by_path


async def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    own = ["203.0.113.77", "127.0.0.2", "127.0.0.3"]
    ports = Ports.open(Place(addresses=("127.0.0.2", "127.0.0.3")), own)
    try:
        call = Taking()
        ports.add(call)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.bind(("127.0.0.1", 0))
            client.sendto(check(), ("127.0.0.2", ports.port))
            answer, address = await asyncio.wait_for(loop.sock_recvfrom(client, 2_000), 5)
            assert address == ("127.0.0.2", ports.port)
            mapped = codec.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"]
            assert mapped == client.getsockname()
            for _ in range(200):
                client.sendto(SOUND, ("127.0.0.2", ports.port))
            async with asyncio.timeout(5):
                while len(call.taken) < 200:
                    await asyncio.sleep(0.01)
    finally:
        ports.close()


async def test_a_fault_in_one_call_costs_the_others_nothing() -> None:
    ports = Ports.open(Place(), ["127.0.0.1"])
    try:
        call = Taking()
        call.receive = lambda data, path, now: 1 / 0  # type: ignore[assignment,method-assign]
        ports.add(call)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.bind(("127.0.0.1", 0))
            for data in (check(), SOUND, check()):
                client.sendto(data, ("127.0.0.1", ports.port))
            for _ in range(2):
                await asyncio.wait_for(loop.sock_recvfrom(client, 2_000), 5)
    finally:
        ports.close()


async def test_a_taken_port_is_told_by_a_sentence() -> None:
    ports = Ports.open(Place(), ["127.0.0.1"])
    try:
        with pytest.raises(PortTaken, match=f"UDP port {ports.port}, .* WEBRTC_PORT"):
            Ports.open(Place(port=ports.port), ["127.0.0.1"])
    finally:
        ports.close()


@pytest.mark.parametrize(
    ("own", "place", "chosen"),
    [
        (["127.0.0.1", "::1"], Place(), ["127.0.0.1"]),
        (["::1"], Place(), ["::1"]),
        ([], Place(), ["127.0.0.1"]),
        (["127.0.0.1", "192.0.2.2", "fe80::1", "169.254.3.4"], Place(), ["192.0.2.2"]),
        (["127.0.0.1", "192.0.2.2"], Place(loopback=True), ["192.0.2.2", "127.0.0.1"]),
        (["127.0.0.1", "192.0.2.2"], Place(addresses=("203.0.113.5",)), ["192.0.2.2"]),
        (
            ["127.0.0.1", "192.0.2.2"],
            Place(addresses=("127.0.0.1",)),
            ["192.0.2.2", "127.0.0.1"],
        ),
    ],
)
def test_loopback_is_taken_where_it_is_of_use(
    own: list[str], place: Place, chosen: list[str]
) -> None:
    assert choose(own, place) == chosen
