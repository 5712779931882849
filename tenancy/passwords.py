"""Passwords: hashed by argon2id, on two threads, never on the event loop.

A password that somebody chose needs a slow hash. One that we made, 59 random bits, does not: nobody
guesses through those. So that a whole school can be let in at once, ours get a quick hash, which
their owner's first sign-in replaces (`is_outdated`).
"""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenancy.model import SignInRefused

T = TypeVar("T")

THREADS = 2  # one hash is ~29 ms of one core; two at once leave the lessons theirs
MAX_WAITING = 64  # ~1 s of work; who comes then is asked to come again
BUSY_S = 3
AT_ONCE = (
    32  # quick hashes, ~1 ms each: who signs in meanwhile waits no longer than for another one
)
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike

SHORTEST = 8  # OWASP ASVS 5.0, 6.2.1
FEWEST_DIFFERENT = 4
SHORTEST_WORD = 3
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)
"What fingers find by themselves: alphabets, digits, the rows of keyboards."
_USUAL = frozenset(
    {"password", "passwort", "motdepasse", "contrasena", "letmein", "welcome", "iloveyou"}
    | {"admin", "administrator", "football", "baseball", "superman", "batman", "princess"}
    | {"sunshine", "dragon", "monkey", "pokemon", "minecraft", "fortnite", "starwars"}
    | {"student", "teacher", "school", "changeme", "secret", "whatever"}
)

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_QUICK = "$argon2id$v=19$m=1024,t=1,p=1$"

# Nobody's: verified where there is no account, so that this takes as long as where there is one.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$wH0jGZTFFmH51fd0Kqjj3Q$rUDxdE"
    "maYAeacZU53YxRltKdORwmagnPsQWREoFiwjk"
)
NOBODYS_QUICK_HASH = f"{_QUICK}PFNTqzAZ0uOeZsp/i/vqpQ$tExdm9Unewbqe1fzg72pUUuhN0uEKQxZSqUC1zEE+NM"


def make() -> str:
    """A password of ours: `k7wd-3hpm-x9qe`, easy to read out and to type."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def weakness(password: str, *, known: Iterable[str] = ()) -> str | None:
    """Why a password of one's own choice would soon be guessed, as a sentence; None: it will do.

    Length counts, and not being the obvious: no rule asks for odd characters (NIST SP 800-63B).
    `known` are words that anybody knows of its owner: name, address, school.
    """
    plain = unicodedata.normalize("NFKC", password).casefold().strip()
    if len(plain) < SHORTEST:
        return f"Please use at least {SHORTEST} characters. Three or four words make a good one."
    letters = re.sub(r"[\W_]", "", plain)
    if len(set(letters)) < FEWEST_DIFFERENT:
        return "That is too much of the same character. Three or four words make a good one."
    bare = letters.strip("0123456789") or letters
    if any(bare in row or bare in row[::-1] for row in _ROWS) or bare in _USUAL:
        return "That is among the first that people try. Three or four words make a good one."
    rest = bare
    for word in sorted((re.sub(r"[\W_]", "", one.casefold()) for one in known), key=len)[::-1]:
        rest = rest.replace(word, "") if len(word) >= SHORTEST_WORD else rest
    if rest != bare and len(rest) < SHORTEST_WORD:
        return "That is what people who know you would try. Please choose something else."
    return None


class Passwords:
    """The threads that hash."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """A new hash, with its salt and parameters in it.

        Raises:
            SignInRefused: If too many wait.
        """
        return await self._run(_hash, password)

    async def hash_made(self, passwords: Sequence[str]) -> list[str]:
        """Hashes of passwords that `make` made, a few at a time, so that others get in between.

        Raises:
            SignInRefused: If too many wait.
        """
        hashes: list[str] = []
        for at in range(0, len(passwords), AT_ONCE):
            hashes += await self._run(_quick_hashes, passwords[at : at + AT_ONCE])
        return hashes

    async def verify(self, password: str, hash: str | None) -> bool:
        """Whether the password is the hashed one; as slow for no hash as for any.

        Raises:
            SignInRefused: If too many wait.
        """
        return await self._run(_verify, password, hash)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        if self._waiting >= MAX_WAITING:
            raise SignInRefused(
                "Many people are signing in right now. Please try again in a moment.",
                retry_after_s=BUSY_S,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1


def is_outdated(hash: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(hash)


def _hash(password: str) -> str:
    return _HASHER.hash(_plain(password))


def _quick_hashes(passwords: Sequence[str]) -> list[str]:
    return [_QUICK_HASHER.hash(_plain(password)) for password in passwords]


def _verify(password: str, hash: str | None) -> bool:
    """One slow hash and one quick one are tried, whichever of them is somebody's."""
    quick = hash is not None and hash.startswith(_QUICK)
    right = _matches(password, hash or NOBODYS_HASH)
    _matches(password, NOBODYS_HASH if quick else NOBODYS_QUICK_HASH)
    return right and hash is not None


def _matches(password: str, hash: str) -> bool:
    try:
        return _HASHER.verify(hash, _plain(password))
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> bytes:
    """NFKC, so that one password typed on two keyboards is one; lone surrogates are not refused."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
