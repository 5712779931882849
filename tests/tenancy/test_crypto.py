"""Sealing, and what does not open."""

import stat
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy.crypto import (
    Keyring,
    KeyUnknown,
    MasterKeyUnusable,
    SealBroken,
    WrappedKey,
    master_key_of,
    parse_master_key,
)

MASTER, OTHER_MASTER = bytes(range(32)), bytes(range(1, 33))
SCHOOL, OTHER_SCHOOL = UUID(int=1), UUID(int=2)


def ring(*schools: UUID) -> Keyring:
    keys = Keyring(MASTER)
    for school in schools:
        keys.load(school, [keys.new_key(school)])
    return keys


KEYS = ring(SCHOOL, OTHER_SCHOOL)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens_and_is_unreadable(text):
    sealed = KEYS.seal(SCHOOL, "items", "1", text)
    assert KEYS.open(SCHOOL, "items", "1", sealed) == text
    assert len(text) < 4 or text.encode() not in sealed


def test_the_same_text_is_sealed_differently_each_time():
    assert KEYS.seal(SCHOOL, "items", "1", "x") != KEYS.seal(SCHOOL, "items", "1", "x")


@pytest.mark.parametrize(
    ("school", "table", "row"),
    [(OTHER_SCHOOL, "items", "1"), (SCHOOL, "briefs", "1"), (SCHOOL, "items", "2")],
)
def test_it_does_not_open_in_another_place(school, table, row):
    sealed = KEYS.seal(SCHOOL, "items", "1", "one half")
    with pytest.raises(SealBroken, match=f"{table} {row} was changed, or moved"):
        KEYS.open(school, table, row, sealed)


def test_no_bit_of_it_can_be_changed():
    sealed = KEYS.seal(SCHOOL, "items", "1", "ok")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SealBroken, KeyUnknown)):
            KEYS.open(SCHOOL, "items", "1", bytes(changed))


@pytest.mark.parametrize("cut", [0, 1, 14, 15, 20])
def test_a_piece_of_it_is_refused(cut):
    sealed = KEYS.seal(SCHOOL, "items", "1", "ok")
    with pytest.raises(SealBroken):
        KEYS.open(SCHOOL, "items", "1", sealed[:cut])


def test_a_new_master_key_opens_the_old_rows_once_the_data_keys_are_rewrapped():
    old = Keyring(MASTER)
    wrapped = old.new_key(SCHOOL)
    old.load(SCHOOL, [wrapped])
    sealed = old.seal(SCHOOL, "items", "1", "kept")

    rewrapped = Keyring(OTHER_MASTER, former=[MASTER]).rewrap(wrapped)
    new = Keyring(OTHER_MASTER)
    new.load(SCHOOL, [rewrapped])
    assert new.open(SCHOOL, "items", "1", sealed) == "kept"
    assert new.audit_key(SCHOOL) == old.audit_key(SCHOOL)
    with pytest.raises(MasterKeyUnusable, match="Put back the MASTER_KEY"):
        new.load(SCHOOL, [wrapped])


def test_a_newer_data_key_seals_and_the_older_still_opens():
    keys = Keyring(MASTER)
    first = keys.new_key(SCHOOL)
    keys.load(SCHOOL, [first])
    sealed, audit_key = keys.seal(SCHOOL, "items", "1", "older"), keys.audit_key(SCHOOL)
    keys.load(SCHOOL, [first, keys.new_key(SCHOOL, 2)])
    assert keys.open(SCHOOL, "items", "1", sealed) == "older"
    assert keys.seal(SCHOOL, "items", "1", "newer")[1:3] == b"\x00\x02"
    assert keys.audit_key(SCHOOL) == audit_key


def test_a_school_s_wrapped_key_is_no_key_for_another():
    keys = Keyring(MASTER)
    stolen = WrappedKey(OTHER_SCHOOL, 1, keys.new_key(SCHOOL).wrapped)
    with pytest.raises(SealBroken):
        keys.load(OTHER_SCHOOL, [stolen])


def test_a_school_without_keys_is_told_apart():
    keys = ring(SCHOOL)
    assert keys.audit_key(SCHOOL) != KEYS.audit_key(SCHOOL)
    keys.forget(SCHOOL)
    with pytest.raises(KeyUnknown):
        keys.seal(SCHOOL, "items", "1", "x")
    with pytest.raises(KeyUnknown):
        keys.load(SCHOOL, [])


def test_a_master_key_is_read_from_hex_or_base64():
    assert parse_master_key(MASTER.hex() + "\n") == MASTER
    assert parse_master_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=") == MASTER


@pytest.mark.parametrize("text", ["", "secret", "00" * 31, "zz" * 32])
def test_anything_else_is_no_master_key(text):
    with pytest.raises(MasterKeyUnusable, match="openssl rand -hex 32"):
        parse_master_key(text)


def test_the_first_start_makes_a_master_key_and_later_ones_read_it(tmp_path):
    key, made = master_key_of(tmp_path / "data")
    assert made
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "data" / "master.key").stat().st_mode) == 0o600
    assert master_key_of(tmp_path / "data") == (key, False)


def test_of_first_starts_together_one_makes_the_key_and_all_have_it(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            given = list(pool.map(lambda _, folder=folder: master_key_of(folder), range(8)))
            assert {key for key, _ in given} == {master_key_of(folder)[0]}
            assert sum(made for _, made in given) == 1
            assert [path.name for path in folder.iterdir()] == ["master.key"]


def test_a_lost_master_key_is_never_replaced(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    with pytest.raises(MasterKeyUnusable, match="backup"):
        master_key_of(tmp_path)
    (tmp_path / "master.key").write_text("")
    with pytest.raises(MasterKeyUnusable, match="backup"):
        master_key_of(tmp_path)
