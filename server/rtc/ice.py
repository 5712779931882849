"""ICE-lite: what one call makes of the checks that reach it. Pure: the clock is passed in.

The server has open addresses and sends no check of its own (RFC 8445, 2.5): it answers those that
are signed with the password it gave. A path is used once the client has checked it, and the call
goes where the client nominates. So a client that gets another address (another network, a NAT that
forgot) takes its call along without a word of signalling; and an address that a client merely
names is never sent to.
"""

import secrets
from dataclasses import dataclass, field
from typing import TypeAlias

from server.rtc import stun
from server.rtc.pace import Bucket

Path: TypeAlias = tuple[int, stun.Address]
"Which of our sockets, and the address at the other end."

CONSENT_S = 30.0  # RFC 7675, 5.1
SILENT_S = 3.0
"Chromium checks the path in use each 2.5 s, and speech comes each 20 ms."
PATHS = 32
"Checked paths of one call that are remembered: some networks, each to some of our addresses."
REMEMBERED = 2_048
"Checks of one call whose path is remembered: more than an hour of them."

NEW_PATHS_PER_S, NEW_PATHS_BURST = 50.0, 150.0
"Checks from paths not checked before, in one call: each costs us a hash, whoever sends it."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves a check: short-term credentials of RFC 8445, 5.3."""

    ufrag: str
    password: str

    @classmethod
    def new(cls) -> "Credentials":
        return cls(secrets.token_hex(8), secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a valid check led to."""

    reply: bytes
    valid: bool = True
    "False: it was answered with a refusal, and its path is not one to hear."
    forgotten: Path | None = None
    "The path that was not checked for the longest time, where there were too many."


@dataclass(slots=True)
class Agent:
    """One call's side of ICE."""

    local: Credentials
    remote_ufrag: str
    selected: Path | None = None
    "Where the call is sent to."
    consented_at: float = 0.0
    "The last check of the selected path."
    heard_at: float = 0.0
    "The last datagram of any kind on the selected path."
    _pace: Bucket = field(default_factory=lambda: Bucket(NEW_PATHS_PER_S, NEW_PATHS_BURST))
    paths: dict[Path, float] = field(default_factory=dict)
    "Checked ones, with the time of the last check, the latest last."
    _seen: dict[bytes, Path] = field(default_factory=dict)
    "Where each transaction came from: who has only read a check may send it again, but not use it."

    def check(self, data: bytes, path: Path, now: float) -> Checked | None:
        """Take a check. None: it is none of ours, and is not answered."""
        if path not in self.paths and not self._pace.take(now):
            return None
        check = stun.read_check(
            data, f"{self.local.ufrag}:{self.remote_ufrag}", self.local.password
        )
        if check is None:
            return None
        if self._seen.setdefault(check.transaction_id, path) != path:
            return None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if check.controlled:
            return Checked(stun.refuse_role(check, self.local.password), valid=False)
        if check.nominates or self._lost(now):
            self.selected = path
        if path == self.selected:
            self.consented_at = self.heard_at = now
        self.paths.pop(path, None)
        self.paths[path] = now
        forgotten = None
        if len(self.paths) > PATHS:
            forgotten = next(old for old in self.paths if old != self.selected)
            del self.paths[forgotten]
        return Checked(stun.answer(check, path[1], self.local.password), forgotten=forgotten)

    def hear(self, path: Path, now: float) -> None:
        """Something else than a check came on a checked path."""
        if path == self.selected:
            self.heard_at = now

    def expired(self, now: float) -> bool:
        """Whether the client has not agreed to be sent to for too long."""
        return self.selected is not None and now - self.consented_at >= CONSENT_S

    def _lost(self, now: float) -> bool:
        """Whether any checked path is better than the one in use.

        Some clients nominate once and then only keep the path alive (aioice does): where a NAT
        gave them another address, the check that comes from there nominates nothing.
        """
        return self.selected is None or now - self.heard_at >= SILENT_S
