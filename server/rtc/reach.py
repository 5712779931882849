"""Do the STUN and TURN servers that clients are told of answer? Asked from here, over UDP.

An ICE-lite server needs neither; this is for whoever sets one up.
"""

import asyncio
from hashlib import md5
from urllib.parse import parse_qs

from aioice import stun

from server.rtc.turn import Credentials

ANSWER_WITHIN_S = 2.0
TRIES = 3
PORTS = {"stun": 3478, "turn": 3478, "stuns": 5349, "turns": 5349}  # RFC 7064, RFC 7065
UDP = 17  # of IP, in REQUESTED-TRANSPORT (RFC 8656, 18.8)


class NoAnswer(Exception):
    """Nothing came back, or not what was asked for; the text says what."""


def place_of(url: str) -> tuple[str, str, int, bool]:
    """Scheme, host, port of a server's URL, and whether it is reached over UDP."""
    scheme, _, rest = url.partition(":")
    rest, _, query = rest.partition("?")
    udp = parse_qs(query).get("transport", ["udp"]) == ["udp"] and scheme in ("stun", "turn")
    host, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit():
        host, port = rest, str(PORTS[scheme])
    return scheme, host.strip("[]"), int(port), udp


async def bind(url: str) -> str:
    """Ask a STUN server where we seem to be. Raises NoAnswer, OSError."""
    _, host, port, udp = place_of(url)
    if not udp:
        await _connect(host, port)
        return "it takes connections"
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    answer = await _ask(host, port, bytes(message))
    seen = answer.attributes.get("XOR-MAPPED-ADDRESS")
    if answer.message_class != stun.Class.RESPONSE or seen is None:
        raise NoAnswer("it answers, but not with an address")
    return f"it sees us at {seen[0]}:{seen[1]}"


async def allocate(url: str, credentials: Credentials | None) -> str:
    """Have a TURN server make a relay with our credentials, for half a minute.

    Raises:
        NoAnswer, OSError: If it does not.
    """
    _, host, port, udp = place_of(url)
    if not udp:
        await _connect(host, port)
        return "it takes connections"
    realm = nonce = None
    for _ in range(3):  # without credentials, with them, and once more with a fresh nonce
        message = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
        message.attributes["REQUESTED-TRANSPORT"] = UDP << 24
        message.attributes["LIFETIME"] = 0 if realm is None else 30
        if realm is not None and credentials is not None:
            message.attributes["USERNAME"] = credentials.username
            message.attributes["REALM"], message.attributes["NONCE"] = realm, nonce
            key = stun_key(credentials, realm)
            message.add_message_integrity(key)
        answer = await _ask(host, port, bytes(message))
        if answer.message_class == stun.Class.RESPONSE:
            return "it makes relays with our credentials"
        code, reason = answer.attributes.get("ERROR-CODE", (0, "no reason"))
        if code not in (401, 438) or credentials is None or (code == 401 and realm is not None):
            raise NoAnswer(f"it refuses with {code} ({reason})")
        realm, nonce = answer.attributes.get("REALM"), answer.attributes.get("NONCE")
        if realm is None or nonce is None:
            raise NoAnswer("it asks for credentials without a realm")
    raise NoAnswer("it asks for credentials again and again")


def stun_key(credentials: Credentials, realm: str) -> bytes:
    """The long-term key of RFC 8489, 9.2.2."""
    text = f"{credentials.username}:{realm}:{credentials.credential}"
    return md5(text.encode(), usedforsecurity=False).digest()


async def _connect(host: str, port: int) -> None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        raise NoAnswer("it takes no connection") from None
    writer.close()


async def _ask(host: str, port: int, request: bytes) -> stun.Message:
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[bytes] = asyncio.Queue(8)

    class Listener(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            if not answers.full():
                answers.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Listener, remote_addr=(host, port))
    try:
        for _ in range(TRIES):
            transport.sendto(request)
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S / TRIES):
                    return stun.parse_message(await answers.get())
            except (TimeoutError, ValueError):
                continue
    finally:
        transport.close()
    raise NoAnswer("it does not answer")
