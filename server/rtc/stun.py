"""STUN as an ICE-lite server needs it: connectivity checks in, answers to them out. Pure.

The codec is aioice's; only `local_ufrag` walks a packet by itself, since most of what arrives at an
open port is not meant for anybody here and is dropped before anything else is done with it.
"""

import struct
from dataclasses import dataclass
from typing import TypeAlias

from aioice import stun

Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"As the socket gives it: host and port, and with IPv6 flow information and scope."

COOKIE = b"\x21\x12\xa4\x42"  # RFC 8489, 5
HEADER_BYTES = 20
BINDING_REQUEST = b"\x00\x01"
USERNAME = 0x0006
LONGEST_BYTES = 1_024  # a check of any browser has about 100
ROLE_CONFLICT = (487, "Role Conflict")  # RFC 8445, 7.3.1.1


@dataclass(frozen=True, slots=True)
class Check:
    """A connectivity check whose integrity was verified."""

    transaction_id: bytes
    nominates: bool
    "USE-CANDIDATE: this path shall carry the call."
    controlled: bool
    "The other side thinks that we control; one of the two is wrong, and lite agents never do."


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN (RFC 7983), as far as the first bytes tell."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == COOKIE


def local_ufrag(data: bytes) -> str | None:
    """The receiver's half of the user name in a binding request; None for anything else."""
    if data[:2] != BINDING_REQUEST or len(data) > LONGEST_BYTES:
        return None
    at = HEADER_BYTES
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        if kind == USERNAME:
            ours, colon, _ = data[at + 4 : at + 4 + length].partition(b":")
            return ours.decode("ascii", "replace") if colon else None
        at += 4 + length + -length % 4
    return None


def read_check(data: bytes, username: str, password: str) -> Check | None:
    """A binding request made for this user name and signed with this password; else None."""
    try:
        message = stun.parse_message(data)
        if not (
            message.message_method == stun.Method.BINDING
            and message.message_class == stun.Class.REQUEST
            and message.attributes.get("USERNAME") == username
            and message.check_message_integrity(password.encode())
        ):
            return None
    except (ValueError, IndexError, KeyError, struct.error):
        return None
    return Check(
        transaction_id=message.transaction_id,
        nominates="USE-CANDIDATE" in message.attributes,
        controlled="ICE-CONTROLLED" in message.attributes,
    )


def answer(check: Check, address: Address, password: str) -> bytes:
    """The answer to a check: the address that it was seen to come from."""
    return _signed(
        check, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": (address[0], address[1])}, password
    )


def refuse_role(check: Check, password: str) -> bytes:
    """The answer to a check of one who thinks that we control."""
    return _signed(check, stun.Class.ERROR, {"ERROR-CODE": ROLE_CONFLICT}, password)


def _signed(check: Check, kind: stun.Class, attributes: dict[str, object], key: str) -> bytes:
    message = stun.Message(stun.Method.BINDING, kind, check.transaction_id, attributes)
    message.add_message_integrity(key.encode())
    return bytes(message)
