"""What a child process does between fork and exec: leave root, and be bound to its parent's life.

PostgreSQL refuses to run as root. Started by root, it runs as the account `student-connect` where
the machine has one, else as `nobody`. That account may be unable to reach the data folder, or even
the installed programs, because a folder above them (`/root`, say) is closed; since nothing outside
the data folder is to be touched, the child then keeps one capability that lets it pass closed
folders.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tenancy.model import TenancyError

ACCOUNTS = ("student-connect", "nobody")

# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522


class CannotLeaveRoot(TenancyError):
    """PostgreSQL cannot be run as another account than root."""


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the child becomes."""

    name: str
    uid: int
    gid: int


def account(owned: Path) -> Account | None:
    """The account for PostgreSQL; None where we are not root and it simply stays ours.

    Args:
        owned: The folder that it is to own. Where that exists already, its owner is the account.

    Raises:
        CannotLeaveRoot: If we are root and the machine has no suitable account.
    """
    if os.geteuid() != 0:
        return None
    if owned.exists() and (facts := owned.stat()).st_uid != 0:
        return Account(str(facts.st_uid), facts.st_uid, facts.st_gid)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise CannotLeaveRoot(
        "PostgreSQL does not run as root, and this machine has no account `nobody` to run it as."
        " Start student-connect as another user."
    )


def preparation(who: Account | None, paths: Iterable[Path]) -> Callable[[], None]:
    """What the child runs before exec: become `who`, able to reach `paths`, and end with us.

    Raises:
        CannotLeaveRoot: If a path is out of reach for `who` and nothing can be done about it.
    """
    closed = [] if who is None else [p for p in (_closed(path, who) for path in paths) if p]
    capability = _passing_capability() if closed else None
    if closed and capability is None:
        raise CannotLeaveRoot(
            f"PostgreSQL runs as the account `{who.name if who else ''}`, which cannot pass the"
            f" folder {closed[0]}. Set DATA_DIR to a folder that others may pass, or start"
            " student-connect as another user than root."
        )
    parent = os.getpid()

    def prepare() -> None:
        if who is not None:
            if capability is not None:
                _prctl(_PR_SET_KEEPCAPS, 1)
            os.setgroups([])
            os.setgid(who.gid)
            os.setuid(who.uid)
            if capability is not None:
                _keep_only(capability)
        # After setuid, which would clear it. SIGINT is PostgreSQL's fast, orderly shutdown.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _closed(path: Path, who: Account) -> Path | None:
    """The first folder on the way to `path` that `who` may not pass."""
    resolved = path.resolve()
    for folder in (*reversed(resolved.parents), resolved):
        facts = folder.stat()
        if facts.st_uid == who.uid:
            passable = facts.st_mode & 0o100
        elif facts.st_gid == who.gid:
            passable = facts.st_mode & 0o010
        else:
            passable = facts.st_mode & 0o001
        if not passable:
            return folder
    return None


def _passing_capability() -> int | None:
    """The weakest capability we hold that lets a process pass closed folders."""
    status = Path("/proc/self/status")
    if _libc is None or not status.exists():
        return None
    held = int(status.read_text().split("CapPrm:")[1].split()[0], 16)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    return None


def _keep_only(capability: int) -> None:
    """Drop every capability but this one, and keep it across exec."""
    assert _libc is not None
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, argument: int, further: int = 0) -> None:
    if _libc is not None and _libc.prctl(option, argument, further, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
