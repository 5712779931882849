"""Keys made by the application, so that a row can be named before it is written."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh uuid7: sorts by the time it was made."""
    return uuid7()
