"""A TURN server (RFC 8656), as small as calls need it: UDP alone, and long-term credentials.

Credentials follow the REST convention: the name is `<expiry, Unix seconds>:<who>`, the password the
base64 of HMAC-SHA1 of the name, keyed by a secret that is shared with the server that hands them
out. Peers at reserved addresses are refused unless a network is named in `allow`. It answers
Binding requests too, so it is a STUN server as well.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from aioice import stun
from aioice.stun import Class, Message, Method

from tests.fakes.udp_relay import Address, arrived, bound

REALM = "a relay"
LIFETIME_S = 600  # RFC 8656, section 7.2
PERMISSION_S = 300  # section 9
CHANNEL_S = 600  # section 12
CHANNELS = range(0x4000, 0x5000)  # section 12
UDP = 17 << 24  # REQUESTED-TRANSPORT, section 18.7

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


def password_of(name: str, secret: str) -> str:
    """The convention's password of a name."""
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def key_of(name: str, password: str) -> bytes:
    """What messages are signed with: RFC 8489, section 9.2.2."""
    return hashlib.md5(f"{name}:{REALM}:{password}".encode()).digest()


def is_reserved(host: str) -> bool:
    """No address of the public internet, however it is written."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_reserved(str(inner))
    return not address.is_global or address.is_multicast


class Refused(Exception):
    """An error response: RFC 8656, section 19."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class Allocation:
    """One client's relayed address."""

    client: Address
    name: str
    socket: socket.socket
    expires_s: float
    permissions: dict[str, float] = field(default_factory=dict)
    "Until when a peer's address may send, and be sent to."
    channels: dict[int, tuple[Address, float]] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        host, port = self.socket.getsockname()[:2]
        return host, port

    def permits(self, host: str, now_s: float) -> bool:
        return self.permissions.get(host, 0.0) > now_s

    def channel_of(self, peer: Address, now_s: float) -> int | None:
        for number, (bound_to, expires_s) in self.channels.items():
            if bound_to == peer and expires_s > now_s:
                return number
        return None


class TurnServer:
    """Made by `turn_server`. Times are Unix seconds, as in the names."""

    def __init__(self, secret: str, allow: Networks, clock: Callable[[], float]) -> None:
        self._secret = secret
        self._allow = allow
        self._clock = clock
        self._nonce = secrets.token_hex(16).encode()
        self._front: socket.socket | None = None
        self.address: Address = ("", 0)
        self.allocations: dict[Address, Allocation] = {}
        self.refused: list[int] = []
        "Codes of the error responses, but for those that ask for credentials."
        self.relayed = 0
        "Datagrams to peers, and from them."

    def credentials(self, who: str, *, ttl_s: float = 300) -> tuple[str, str]:
        """Name and password, as the server that shares the secret makes them."""
        name = f"{int(self._clock() + ttl_s)}:{who}"
        return name, password_of(name, self._secret)

    def forget_nonce(self) -> None:
        """The next request of each client is told that its nonce is stale."""
        self._nonce = secrets.token_hex(16).encode()

    # ---- the sockets -------------------------------------------------------------------------

    def open(self, host: str, port: int) -> None:
        self._front = bound(host, port)
        self.address = self._front.getsockname()[:2]
        asyncio.get_running_loop().add_reader(self._front, self._readable)

    def close(self) -> None:
        for client in list(self.allocations):
            self._free(client)
        if self._front is not None:
            asyncio.get_running_loop().remove_reader(self._front)
            self._front.close()
            self._front = None

    def _free(self, client: Address) -> None:
        if allocation := self.allocations.pop(client, None):
            asyncio.get_running_loop().remove_reader(allocation.socket)
            allocation.socket.close()

    def _readable(self) -> None:
        assert self._front is not None
        for data, client in arrived(self._front):
            if data[:1] and data[0] & 0xC0 == 0x40:
                self._channel_data(data, client)
                continue
            try:
                message = stun.parse_message(data)
            except ValueError:
                continue
            if message.message_class == Class.REQUEST:
                self._to_client(bytes(self._answer(message, client)), client)
            elif (message.message_method, message.message_class) == (Method.SEND, Class.INDICATION):
                self._send(message, client)

    def _to_client(self, data: bytes, client: Address) -> None:
        with contextlib.suppress(OSError):
            assert self._front is not None
            self._front.sendto(data, client)

    # ---- requests ----------------------------------------------------------------------------

    def _answer(self, request: Message, client: Address) -> Message:
        answer = Message(request.message_method, Class.RESPONSE, request.transaction_id)
        if request.message_method == Method.BINDING:
            answer.attributes["XOR-MAPPED-ADDRESS"] = client
            answer.add_fingerprint()
            return answer
        key = None
        try:
            name, key = self._who(request)
            self._do(request, client, name, answer)
        except Refused as refused:
            answer = Message(request.message_method, Class.ERROR, request.transaction_id)
            answer.attributes["ERROR-CODE"] = (refused.code, refused.reason)
            if refused.code in (401, 438):
                answer.attributes["REALM"] = REALM
                answer.attributes["NONCE"] = self._nonce
            if refused.code != 401 or "USERNAME" in request.attributes:
                self.refused.append(refused.code)
        if key is not None:
            answer.add_message_integrity(key)
        return answer

    def _who(self, request: Message) -> tuple[str, bytes]:
        """The name, and the key of its messages: RFC 8489, section 9.2.4."""
        given = request.attributes
        if not {"USERNAME", "REALM", "NONCE", "MESSAGE-INTEGRITY"} <= given.keys():
            raise Refused(401, "Unauthenticated")
        name = given["USERNAME"]
        key = key_of(name, password_of(name, self._secret))
        expiry = name.partition(":")[0]
        if not (expiry.isdecimal() and request.check_message_integrity(key)):
            raise Refused(401, "Unauthenticated")
        if int(expiry) <= self._clock():
            raise Refused(401, "Unauthenticated")
        if given["NONCE"] != self._nonce:
            raise Refused(438, "Stale Nonce")
        return name, key

    def _do(self, request: Message, client: Address, name: str, answer: Message) -> None:
        allocation = self._allocation(client)
        if request.message_method == Method.ALLOCATE:
            if allocation is not None:
                raise Refused(437, "Allocation Mismatch")
            if request.attributes.get("REQUESTED-TRANSPORT") != UDP:
                raise Refused(442, "Unsupported Transport Protocol")
            allocation = self._allocate(client, name)
            answer.attributes["XOR-RELAYED-ADDRESS"] = allocation.address
            answer.attributes["LIFETIME"] = LIFETIME_S
            answer.attributes["XOR-MAPPED-ADDRESS"] = client
            return
        if allocation is None:
            raise Refused(437, "Allocation Mismatch")
        if allocation.name.partition(":")[2] != name.partition(":")[2]:
            raise Refused(441, "Wrong Credentials")
        match request.message_method:
            case Method.REFRESH:
                lifetime_s = min(request.attributes.get("LIFETIME", LIFETIME_S), LIFETIME_S)
                allocation.expires_s = self._clock() + lifetime_s
                answer.attributes["LIFETIME"] = lifetime_s
                if not lifetime_s:
                    self._free(client)
            case Method.CREATE_PERMISSION:
                self._permit(allocation, self._peer(request))
            case Method.CHANNEL_BIND:
                self._bind(allocation, request.attributes.get("CHANNEL-NUMBER"), request)
            case _:
                raise Refused(400, "Bad Request")

    def _allocation(self, client: Address) -> Allocation | None:
        allocation = self.allocations.get(client)
        if allocation is not None and allocation.expires_s <= self._clock():
            self._free(client)
            return None
        return allocation

    def _allocate(self, client: Address, name: str) -> Allocation:
        relayed = bound(self.address[0])
        allocation = Allocation(client, name, relayed, self._clock() + LIFETIME_S)
        self.allocations[client] = allocation
        asyncio.get_running_loop().add_reader(relayed, self._from_peer, allocation)
        return allocation

    def _peer(self, request: Message) -> Address:
        peer = request.attributes.get("XOR-PEER-ADDRESS")
        if peer is None:
            raise Refused(400, "Bad Request")
        host, port = peer
        address = ipaddress.ip_address(host)
        if is_reserved(host) and not any(address in network for network in self._allow):
            raise Refused(403, "Forbidden")
        return host, port

    def _permit(self, allocation: Allocation, peer: Address) -> None:
        allocation.permissions[peer[0]] = self._clock() + PERMISSION_S

    def _bind(self, allocation: Allocation, number: int | None, request: Message) -> None:
        peer, now_s = self._peer(request), self._clock()
        if number not in CHANNELS:
            raise Refused(400, "Bad Request")
        taken = allocation.channels.get(number)
        if (taken is not None and taken[0] != peer and taken[1] > now_s) or (
            allocation.channel_of(peer, now_s) not in (None, number)
        ):
            raise Refused(400, "Bad Request")
        allocation.channels[number] = (peer, now_s + CHANNEL_S)
        self._permit(allocation, peer)

    # ---- data --------------------------------------------------------------------------------

    def _send(self, indication: Message, client: Address) -> None:
        allocation = self._allocation(client)
        peer = indication.attributes.get("XOR-PEER-ADDRESS")
        if allocation is not None and peer is not None and "DATA" in indication.attributes:
            self._to_peer(allocation, indication.attributes["DATA"], peer)

    def _channel_data(self, data: bytes, client: Address) -> None:
        allocation = self._allocation(client)
        if allocation is None or len(data) < 4:
            return
        number, length = struct.unpack_from("!HH", data)
        peer, expires_s = allocation.channels.get(number, (None, 0.0))
        if peer is not None and expires_s > self._clock() and len(data) >= 4 + length:
            self._to_peer(allocation, data[4 : 4 + length], peer)

    def _to_peer(self, allocation: Allocation, data: bytes, peer: Address) -> None:
        if allocation.permits(peer[0], self._clock()):
            self.relayed += 1
            with contextlib.suppress(OSError):
                allocation.socket.sendto(data, peer)

    def _from_peer(self, allocation: Allocation) -> None:
        now_s = self._clock()
        for data, peer in arrived(allocation.socket):
            if allocation.expires_s <= now_s or not allocation.permits(peer[0], now_s):
                continue
            self.relayed += 1
            number = allocation.channel_of(peer, now_s)
            if number is not None:
                self._to_client(struct.pack("!HH", number, len(data)) + data, allocation.client)
                continue
            told = Message(Method.DATA, Class.INDICATION)
            told.attributes["XOR-PEER-ADDRESS"] = peer
            told.attributes["DATA"] = data
            self._to_client(bytes(told), allocation.client)


@contextlib.asynccontextmanager
async def turn_server(
    secret: str,
    *,
    allow: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[TurnServer]:
    """A server at `host`. `allow` names networks that it relays to though they are reserved."""
    server = TurnServer(secret, [ipaddress.ip_network(one) for one in allow], clock)
    server.open(host, port)
    try:
        yield server
    finally:
        server.close()
