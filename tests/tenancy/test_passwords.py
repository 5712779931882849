"""Passwords: how long they take is the same for everybody; ours are hashed quickly."""

from collections.abc import Iterator

import pytest

from tenancy import passwords
from tenancy.passwords import NOBODYS_QUICK_HASH, Passwords, is_outdated

pytestmark = pytest.mark.usefixtures("real_hashes")


@pytest.fixture
def threads() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_what_we_made_opens_and_is_to_be_hashed_anew(threads: Passwords) -> None:
    made = [passwords.make() for _ in range(passwords.AT_ONCE + 1)]
    hashes = await threads.hash_made(made)
    assert len(set(hashes)) == len(made)
    assert all(is_outdated(hash) for hash in hashes)
    assert await threads.verify(made[-1], hashes[-1])
    assert not await threads.verify(made[0], hashes[-1])


async def test_whichever_hash_is_somebodys_one_slow_and_one_quick_are_tried(
    threads: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = await threads.hash("chosen by themselves")
    (quick,) = await threads.hash_made(["abcd-efgh-jkmn"])
    tried: list[str] = []
    matches = passwords._matches

    def noted(password: str, hash: str) -> bool:
        tried.append("slow" if "m=19456" in hash else "quick")
        return matches(password, hash)

    monkeypatch.setattr(passwords, "_matches", noted)
    for hash, password in ((slow, "chosen by themselves"), (quick, "abcd-efgh-jkmn")):
        assert await threads.verify(password, hash)
        assert not await threads.verify("wrong", hash)
    assert not await threads.verify("wrong", None)
    assert not await threads.verify("wrong", NOBODYS_QUICK_HASH)
    assert all(
        sorted(pair) == ["quick", "slow"] for pair in zip(tried[::2], tried[1::2], strict=True)
    )


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kiwi 42", "at least 8"),
        ("aaaaaaaa11", "same character"),
        ("12345678", "first that people try"),
        ("Qwertyuiop", "first that people try"),
        ("87654321", "first that people try"),
        ("Password2026", "first that people try"),
        ("sam-rivera", "people who know you"),
        ("Riverside9", "people who know you"),
    ],
)
def test_what_is_soon_guessed_is_not_taken(password: str, why: str) -> None:
    told = passwords.weakness(password, known=("Sam", "Rivera", "riverside", "sam.rivera"))
    assert told is not None and why in told


@pytest.mark.parametrize(
    "password",
    ["three quiet green apples", "k7wd-3hpm-x9qe", "Sam likes rainy Mondays", "пять зелёных яблок"],
)
def test_words_and_what_we_make_will_do(password: str) -> None:
    assert passwords.weakness(password, known=("Sam", "Rivera")) is None
