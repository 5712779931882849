"""What credentials look like: made, read and compared here, without a database.

    <tenant id, 32 hex>_<secret>        a sign-in cookie
    sk_<tenant id, 32 hex>_<secret>     a bearer token
    ek_<tenant id, 32 hex>_<secret>     a short-lived key, made from one of the two

The secret is 256 random bits. The database holds its SHA-256; being random, it needs no slow hash.
The school written in a token only says where to look: the row found there decides.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Kind = Literal["cookie", "bearer", "ephemeral"]

SECRET_BYTES = 32  # ASVS 7.2.3 wants 128 bits at least
MAX_LENGTH = 128

_PREFIXES: dict[Kind, str] = {"cookie": "", "bearer": "sk_", "ephemeral": "ek_"}
_KINDS: dict[str, Kind] = {prefix: kind for kind, prefix in _PREFIXES.items()}
_SHAPE = re.compile(r"(sk_|ek_|)([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A credential as its holder has it; not yet known to be worth anything."""

    kind: Kind
    tenant_id: UUID
    secret: str = field(repr=False)

    @property
    def value(self) -> str:
        """The whole token, as it goes over the wire."""
        return f"{_PREFIXES[self.kind]}{self.tenant_id.hex}_{self.secret}"

    @property
    def hash(self) -> bytes:
        """What the database keeps."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    @property
    def csrf(self) -> str:
        """What a page must send back beside the cookie; other sites can't read or guess it."""
        mac = hmac.digest(self.secret.encode("ascii"), b"csrf", "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode("ascii")

    def csrf_fits(self, given: str) -> bool:
        return hmac.compare_digest(self.csrf.encode("ascii"), given.encode("utf-8", "replace"))


def make(kind: Kind, tenant_id: UUID) -> Token:
    """A new token of a school."""
    return Token(kind, tenant_id, secrets.token_urlsafe(SECRET_BYTES))


def read(value: str) -> Token | None:
    """The token that a text is; None if it has not the shape of one."""
    match = _SHAPE.fullmatch(value) if len(value) <= MAX_LENGTH else None
    if match is None:
        return None
    return Token(_KINDS[match[1]], UUID(hex=match[2]), match[3])
