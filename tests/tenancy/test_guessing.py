"""Guesses are limited by counts, in faked time; the owner of the account keeps getting in."""

from uuid import uuid4

import pytest

from tenancy import guessing
from tenancy.guessing import ACCOUNT, ADDRESS, KNOWN, Guesses

SCHOOL = uuid4()
EVIL, HOME, NAT = "198.51.100.7", "203.0.113.20", "192.0.2.1"
DAY_S = 24 * 3600


def tried(guesses: Guesses, email: str, address: str, *, times: int, every_s: float) -> int:
    """How many of so many wrong tries got through."""
    return sum(
        guesses.begin(SCHOOL, email, address, now_s=count * every_s) == 0 for count in range(times)
    )


def test_the_first_wrong_tries_are_free_and_then_each_doubles_the_wait() -> None:
    guesses = Guesses()
    for _ in range(ACCOUNT.free):
        assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=0) == 0
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=0) == 1
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=1) == 0
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=1) == 2
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=2.5) == 1
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=3) == 0


def test_a_thousand_a_minute_from_one_address_come_to_a_trickle() -> None:
    assert tried(Guesses(), "ana@x", EVIL, times=60_000, every_s=0.06) < 25


def test_a_thousand_a_minute_from_two_hundred_addresses_come_to_a_trickle() -> None:
    guesses = Guesses()
    through = sum(
        guesses.begin(SCHOOL, "ana@x", f"198.51.100.{count % 200}", now_s=count * 0.06) == 0
        for count in range(60_000)
    )
    assert through < 25


def test_trying_one_password_on_many_accounts_is_limited_by_the_address() -> None:
    guesses = Guesses()
    through = sum(
        guesses.begin(SCHOOL, f"pupil{count}@x", EVIL, now_s=count * 0.06) == 0
        for count in range(10_000)
    )
    assert through < ADDRESS.free + 30


def test_a_day_of_patience_gives_about_a_hundred_guesses() -> None:
    assert tried(Guesses(), "ana@x", EVIL, times=DAY_S // 10, every_s=10) < 130


def test_the_owner_gets_in_while_under_attack_from_where_they_were_before() -> None:
    guesses = Guesses()
    assert guesses.begin(SCHOOL, "ana@x", HOME, now_s=0) == 0
    guesses.was_right(SCHOOL, "ana@x", HOME)
    for count in range(5_000):
        guesses.begin(SCHOOL, "ana@x", f"198.51.100.{count % 200}", now_s=1 + count * 0.06)
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=301) > 0
    assert guesses.begin(SCHOOL, "ana@x", HOME, now_s=301) == 0


def test_a_class_behind_one_address_is_not_locked_out_by_one_of_them() -> None:
    guesses = Guesses()
    for pupil in range(30):
        assert guesses.begin(SCHOOL, f"pupil{pupil}@x", NAT, now_s=0) == 0
        guesses.was_right(SCHOOL, f"pupil{pupil}@x", NAT)
    for count in range(1_000):
        guesses.begin(SCHOOL, f"stranger{count}@x", NAT, now_s=count * 0.06)
    assert guesses.begin(SCHOOL, "someone@x", NAT, now_s=61) > 0
    assert all(guesses.begin(SCHOOL, f"pupil{p}@x", NAT, now_s=61) == 0 for p in range(30))


def test_a_known_address_may_not_guess_for_ever_either() -> None:
    guesses = Guesses()
    guesses.was_right(SCHOOL, "ana@x", NAT)
    assert tried(guesses, "ana@x", NAT, times=1_000, every_s=0.06) < KNOWN.free + 7


def test_signing_in_rightly_all_day_is_free() -> None:
    guesses = Guesses()
    for _ in range(200):
        assert guesses.begin(SCHOOL, "ana@x", HOME, now_s=0) == 0
        guesses.was_right(SCHOOL, "ana@x", HOME)


def test_many_tries_at_the_same_instant_are_all_counted() -> None:
    assert tried(Guesses(), "ana@x", EVIL, times=1_000, every_s=0) == ACCOUNT.free


def test_wrong_tries_are_forgiven_with_time() -> None:
    guesses = Guesses()
    tried(guesses, "ana@x", EVIL, times=ACCOUNT.free, every_s=0)
    later_s = ACCOUNT.free * ACCOUNT.forgiven_s
    for _ in range(ACCOUNT.free):
        assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=later_s) == 0


def test_the_same_address_of_another_school_is_another_account() -> None:
    guesses = Guesses()
    tried(guesses, "ana@x", EVIL, times=100, every_s=0)
    assert guesses.begin(SCHOOL, "ana@x", HOME, now_s=0) > 0
    assert guesses.begin(uuid4(), "ana@x", HOME, now_s=0) == 0


def test_a_whole_ipv6_network_is_one_guesser() -> None:
    guesses = Guesses()
    through = sum(
        guesses.begin(SCHOOL, f"pupil{count}@x", f"2001:db8:1:1::{count:x}", now_s=0) == 0
        for count in range(1_000)
    )
    assert through == ADDRESS.free
    assert guesses.begin(SCHOOL, "ana@x", "2001:db8:1:2::1", now_s=0) == 0


def test_an_ipv4_address_written_as_ipv6_is_the_same_guesser() -> None:
    guesses = Guesses()
    for count in range(ADDRESS.free):
        guesses.begin(SCHOOL, f"pupil{count}@x", "::ffff:198.51.100.7", now_s=0)
    assert guesses.begin(SCHOOL, "ana@x", EVIL, now_s=0) > 0


def test_memory_is_bounded_and_the_attacked_account_is_not_what_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guessing, "MAX_TALLIES", 100)
    guesses = Guesses()
    tried(guesses, "ana@x", EVIL, times=ACCOUNT.free, every_s=0)
    waits = []
    for count in range(1_000):
        guesses.begin(SCHOOL, f"filler{count}@x", f"10.0.{count // 250}.{count % 250}", now_s=0)
        if count % 20 == 0:
            waits.append(guesses.begin(SCHOOL, "ana@x", HOME, now_s=count))
    assert len(guesses._tallies) <= 100
    assert sum(wait == 0 for wait in waits) < 12
