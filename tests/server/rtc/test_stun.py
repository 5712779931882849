import random

import pytest
from aioice import stun as codec

from server.rtc import stun
from tests.server.rtc.checks import LOCAL, check

NAME = "0123456789abcdef:them"


def test_a_check_is_known_by_its_user_and_signature() -> None:
    data = check(nominate=True)
    assert stun.is_stun(data)
    assert stun.local_ufrag(data) == LOCAL.ufrag
    read = stun.read_check(data, NAME, LOCAL.password)
    assert read is not None and read.nominates and not read.controlled
    quiet = stun.read_check(check(role="ICE-CONTROLLED"), NAME, LOCAL.password)
    assert quiet is not None and not quiet.nominates and quiet.controlled


@pytest.mark.parametrize(
    "data",
    [
        check(password="q" * 32),
        check(sign=False),
        check(username="0123456789abcdef:others"),
        check(username="0123456789abcdef"),
        check(method=codec.Method.ALLOCATE),
        check(kind=codec.Class.INDICATION),
        check(kind=codec.Class.RESPONSE),
        check()[:-1],
        check() + b"\0",
        check()[:20],
        b"\0" * 20,
    ],
    ids=range(11),
)
def test_anything_else_is_no_check(data: bytes) -> None:
    assert stun.read_check(data, NAME, LOCAL.password) is None


@pytest.mark.parametrize("address", [("192.0.2.7", 5_000), ("2001:db8::7", 5_000, 0, 0)])
def test_an_answer_is_signed_and_no_longer_than_what_it_answers(address: stun.Address) -> None:
    data = check()
    read = stun.read_check(data, NAME, LOCAL.password)
    assert read is not None
    for answer in (
        stun.answer(read, address, LOCAL.password),
        stun.refuse_role(read, LOCAL.password),
    ):
        message = codec.parse_message(answer)
        assert message.transaction_id == read.transaction_id
        assert message.check_message_integrity(LOCAL.password.encode())
        assert len(answer) <= len(data)
    message = codec.parse_message(stun.answer(read, address, LOCAL.password))
    assert message.attributes["XOR-MAPPED-ADDRESS"] == address[:2]


def test_damaged_checks_are_never_more_than_nothing() -> None:
    chance = random.Random(3)
    good = check(nominate=True)
    for _ in range(5_000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            # What stands behind the signature is not covered by it (RFC 8489, 14.5).
            data[chance.randrange(len(data) - 8)] = chance.randrange(256)
        del data[chance.randrange(20, len(data) + 1) :]
        damaged = bytes(data)
        assert damaged == good or stun.read_check(damaged, NAME, LOCAL.password) is None
        assert stun.local_ufrag(damaged) is None or len(stun.local_ufrag(damaged) or "") < 1_024
