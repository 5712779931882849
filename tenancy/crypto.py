"""Keeps what people said unreadable in the database: a data key per school, under a master key.

    sealed  = version (1 byte) | key id (2)        | nonce (12) | AES-256-GCM ciphertext, tag
    wrapped = version (1 byte) | master's mark (4) | nonce (12) | AES-256-GCM ciphertext, tag

Tenant, table and row are a sealed text's associated data: moved to another row it does not open. A
new master key only re-wraps the data keys; no row is written. Deleting a school's data keys deletes
its words, in backups too.

CryptoError
+-- MasterKeyUnusable  not 32 bytes, or not the one that the schools' keys were wrapped with
+-- KeyUnknown         no data key of this number is loaded for the school
+-- SealBroken         not sealed by us, changed, or moved from another row
"""

import base64
import binascii
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenancy.model import TenancyError

VERSION = 1
KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # SP 800-38D; random, so a data key is good for 2**32 messages
MARK_BYTES = 4
FIRST_KEY = 1


class CryptoError(TenancyError):
    """Base of what this module raises."""


class MasterKeyUnusable(CryptoError):
    """The master key is not one, or not the one."""


class KeyUnknown(CryptoError):
    """No data key of this number is loaded for the school."""


class SealBroken(CryptoError):
    """Not sealed by us, changed, or moved from another row."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A school's data key as the database keeps it."""

    tenant_id: UUID
    key_id: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class _School:
    """One school's data keys, open."""

    newest: int
    ciphers: dict[int, AESGCM]
    audit_key: bytes


class Keyring:
    """The master key, and the data keys that were loaded with it."""

    def __init__(self, master_key: bytes, *, former: Sequence[bytes] = ()) -> None:
        """`former` master keys still unwrap; only `master_key` wraps."""
        for key in (master_key, *former):
            if len(key) != KEY_BYTES:
                raise MasterKeyUnusable(
                    f"The master key has {len(key)} bytes; it must have {KEY_BYTES}."
                )
        self._mark = _mark(master_key)
        self._masters = {_mark(key): AESGCM(key) for key in (*former, master_key)}
        self._schools: dict[UUID, _School] = {}

    def new_key(self, tenant_id: UUID, key_id: int = FIRST_KEY) -> WrappedKey:
        """A fresh data key for a school, wrapped."""
        return self._wrap(tenant_id, key_id, AESGCM.generate_key(bit_length=256))

    def rewrap(self, key: WrappedKey) -> WrappedKey:
        """The same data key, wrapped by the present master key."""
        return self._wrap(key.tenant_id, key.key_id, self._unwrap(key))

    def load(self, tenant_id: UUID, keys: Iterable[WrappedKey]) -> None:
        """Open a school's data keys for `seal` and `open`.

        Raises:
            KeyUnknown: If the school has no data key.
            MasterKeyUnusable: If another master key wrapped them.
        """
        opened = {key.key_id: self._unwrap(key) for key in keys}
        if FIRST_KEY not in opened:
            raise KeyUnknown(f"The school {tenant_id} has no data key: its words cannot be opened.")
        audit_key = HKDF(SHA256(), KEY_BYTES, salt=tenant_id.bytes, info=b"student-connect audit")
        self._schools[tenant_id] = _School(
            newest=max(opened),
            ciphers={key_id: AESGCM(key) for key_id, key in opened.items()},
            audit_key=audit_key.derive(opened[FIRST_KEY]),
        )

    def forget(self, tenant_id: UUID) -> None:
        """Drop a school's data keys from memory."""
        self._schools.pop(tenant_id, None)

    def seal(self, tenant_id: UUID, table: str, row_id: str, text: str) -> bytes:
        """Encrypt the text of one row."""
        school = self._school(tenant_id)
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = school.ciphers[school.newest]
        sealed = cipher.encrypt(nonce, text.encode(), _bound(tenant_id, table, row_id))
        return bytes((VERSION,)) + school.newest.to_bytes(2, "big") + nonce + sealed

    def open(self, tenant_id: UUID, table: str, row_id: str, sealed: bytes) -> str:
        """Decrypt what `seal` made for the same school, table and row.

        Raises:
            KeyUnknown: If the data key is not loaded.
            SealBroken: If the bytes are not what was sealed there.
        """
        head = 3 + NONCE_BYTES
        if len(sealed) < head or sealed[0] != VERSION:
            raise SealBroken(f"{table} {row_id} does not hold a sealed text of a known version.")
        key_id = int.from_bytes(sealed[1:3], "big")
        cipher = self._school(tenant_id).ciphers.get(key_id)
        if cipher is None:
            raise KeyUnknown(
                f"{table} {row_id} is sealed with data key {key_id}, which is not there."
            )
        try:
            text = cipher.decrypt(sealed[3:head], sealed[head:], _bound(tenant_id, table, row_id))
        except InvalidTag:
            raise SealBroken(f"{table} {row_id} was changed, or moved from another row.") from None
        return text.decode()

    def audit_key(self, tenant_id: UUID) -> bytes:
        """The key of a school's audit chain; the same for its life, whatever key wraps."""
        return self._school(tenant_id).audit_key

    def _school(self, tenant_id: UUID) -> _School:
        try:
            return self._schools[tenant_id]
        except KeyError:
            raise KeyUnknown(f"The data keys of school {tenant_id} are not loaded.") from None

    def _wrap(self, tenant_id: UUID, key_id: int, key: bytes) -> WrappedKey:
        nonce = secrets.token_bytes(NONCE_BYTES)
        bound = _bound(tenant_id, "data_keys", str(key_id))
        sealed = self._masters[self._mark].encrypt(nonce, key, bound)
        return WrappedKey(tenant_id, key_id, bytes((VERSION,)) + self._mark + nonce + sealed)

    def _unwrap(self, key: WrappedKey) -> bytes:
        wrapped, head = key.wrapped, 1 + MARK_BYTES + NONCE_BYTES
        if len(wrapped) < head or wrapped[0] != VERSION:
            raise SealBroken(
                f"The data key {key.key_id} of {key.tenant_id} is of no known version."
            )
        master = self._masters.get(wrapped[1 : 1 + MARK_BYTES])
        if master is None:
            raise MasterKeyUnusable(
                "The schools' keys were wrapped with another master key. Put back the MASTER_KEY"
                " (or the file DATA_DIR/master.key) that this database was made with."
            )
        bound = _bound(key.tenant_id, "data_keys", str(key.key_id))
        try:
            return master.decrypt(wrapped[1 + MARK_BYTES : head], wrapped[head:], bound)
        except InvalidTag:
            raise SealBroken(f"The data key {key.key_id} of {key.tenant_id} was changed.") from None


def parse_master_key(text: str) -> bytes:
    """32 bytes from 64 hexadecimal digits or base64.

    Raises:
        MasterKeyUnusable: If the text is neither.
    """
    text = text.strip()
    for read in (bytes.fromhex, lambda t: base64.b64decode(t, validate=True)):
        try:
            key = read(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise MasterKeyUnusable(
        "MASTER_KEY must be 32 random bytes as 64 hexadecimal digits or in base64:"
        " `openssl rand -hex 32` makes one. Keep a copy of it: without it no transcript opens."
    )


def master_key_of(data_dir: Path) -> tuple[bytes, bool]:
    """The embedded default's master key, made at the first start; and whether it was made now.

    Raises:
        MasterKeyUnusable: If the file is gone though there is a database, or holds no key.
    """
    path = data_dir / "master.key"
    try:
        return parse_master_key(path.read_text("ascii")), False
    except FileNotFoundError:
        pass
    except (MasterKeyUnusable, UnicodeDecodeError):
        raise MasterKeyUnusable(f"{path} holds no key. Put it back from your backup.") from None
    if (data_dir / "postgres" / "PG_VERSION").exists():
        raise MasterKeyUnusable(
            f"{path} is missing, and without it no transcript in {data_dir} opens."
            " Put it back from your backup."
        )
    data_dir.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    descriptor, fresh = tempfile.mkstemp(prefix="master.key.", dir=data_dir)  # 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename it takes no other's place
    except FileExistsError:
        return master_key_of(data_dir)[0], False
    finally:
        Path(fresh).unlink()
    return key, True


def _mark(master_key: bytes) -> bytes:
    """Tells master keys apart without telling anything about them."""
    return hashlib.sha256(b"student-connect master key" + master_key).digest()[:MARK_BYTES]


def _bound(tenant_id: UUID, table: str, row_id: str) -> bytes:
    return f"{tenant_id}|{table}|{row_id}".encode()
