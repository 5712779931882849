"""Connectivity checks, as clients make them."""

from aioice import stun

from server.rtc.ice import Agent, Credentials

LOCAL = Credentials("0123456789abcdef", "p" * 32)


def agent() -> Agent:
    """A call's side, to which `check` speaks."""
    return Agent(LOCAL, "them")


def check(
    nominate: bool = False,
    username: str = "0123456789abcdef:them",
    password: str = LOCAL.password,
    role: str = "ICE-CONTROLLING",
    method: stun.Method = stun.Method.BINDING,
    kind: stun.Class = stun.Class.REQUEST,
    sign: bool = True,
    transaction: bytes | None = None,
) -> bytes:
    message = stun.Message(method, kind, transaction or stun.random_transaction_id())
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1_853_824_767
    message.attributes[role] = 42
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    if sign:
        message.add_message_integrity(password.encode())
    return bytes(message)
