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
