"""Tokens are read strictly, and show nothing of themselves."""

import re
from uuid import UUID, uuid4

import pytest

from tenancy import tokens
from tenancy.tokens import Kind

SCHOOL = UUID("01234567-89ab-cdef-0123-456789abcdef")
SECRET = "A" * 43


@pytest.mark.parametrize(
    ("kind", "prefix"), [("cookie", ""), ("bearer", "sk_"), ("ephemeral", "ek_")]
)
def test_what_is_made_can_be_read(kind: Kind, prefix: str) -> None:
    token = tokens.make(kind, SCHOOL)
    assert tokens.read(token.value) == token
    assert token.value.startswith(f"{prefix}{SCHOOL.hex}_")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token.value)


def test_no_two_are_alike() -> None:
    assert len({tokens.make("bearer", SCHOOL).secret for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "sk_",
        SECRET,
        f"xk_{SCHOOL.hex}_{SECRET}",
        f"sk_{SCHOOL}_{SECRET}",  # with hyphens
        f"sk_{SCHOOL.hex.upper()}_{SECRET}",
        f"sk_{SCHOOL.hex}_{SECRET}A",
        f"sk_{SCHOOL.hex}_{SECRET[1:]}",
        f"sk_{SCHOOL.hex}_{SECRET[1:]}=",
        f"sk_{SCHOOL.hex}_{SECRET}\n",
        f" sk_{SCHOOL.hex}_{SECRET}",
        f"sk_{'٣' * 32}_{SECRET}",
        f"SK_{SCHOOL.hex}_{SECRET}",
        "sk_" + "A" * 1_000_000,
    ],
)
def test_anything_else_is_no_token(value: str) -> None:
    assert tokens.read(value) is None


def test_secrets_are_not_printed() -> None:
    token = tokens.make("cookie", SCHOOL)
    assert token.secret not in repr(token) and token.secret not in str(token)


def test_the_csrf_token_belongs_to_one_cookie_and_gives_nothing_away() -> None:
    one, other = tokens.make("cookie", SCHOOL), tokens.make("cookie", uuid4())
    assert one.csrf_fits(one.csrf)
    for wrong in (other.csrf, "", one.secret, one.csrf + "=", one.csrf[:-1], "\ud800", "é"):
        assert not one.csrf_fits(wrong)
    assert one.secret not in one.csrf
