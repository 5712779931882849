"""Where the next page of a list begins, as a caller may carry it: opaque, and no use to others.

A cursor is the place sealed with the school's key, for one person and one list with its filters.
What was made up, changed, or taken to another list does not open.
"""

import base64
import binascii

from server.api.table import Call
from server.errors import Refused
from tenancy.crypto import CryptoError

LONGEST = 512
NOT_OURS = "This cursor is not one of this list. Leave `cursor` out to begin with the first page."


async def open_cursor(call: Call, list_: str, cursor: str) -> str:
    """The place that `seal_cursor` was given, for the same person and list.

    Raises:
        Refused: 400, if it was not made here.
    """
    database, person = call.services.database, call.person
    await database.tenant(person.tenant_id)  # has the school's keys loaded
    try:
        sealed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return database.unseal(person.tenant_id, "cursors", f"{person.id} {list_}", sealed)
    except (CryptoError, UnicodeError, binascii.Error):
        raise Refused(400, "invalid_cursor", NOT_OURS, param="cursor") from None


def seal_cursor(call: Call, list_: str, place: str) -> str:
    """A cursor for a place in a list; `list_` names the list and its filters."""
    person = call.person
    sealed = call.services.database.seal(person.tenant_id, "cursors", f"{person.id} {list_}", place)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")
