"""Tells live connections when what opened them has ended."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from tenancy.model import Caller, Role

RECENT = 1_000  # ended credentials that a late listener is told of


class Revocations:
    """Reaches the connections of this process, at once.

    For what ends in another process they ask `Identities.still_valid` at least once a minute.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._listeners: dict[UUID, set[Callable[[], None]]] = {}
        self._recent: OrderedDict[UUID, frozenset[Role] | None] = OrderedDict()
        "None: it has ended; else it stands for somebody with these roles from now on."

    def listen(self, caller: Caller, on_end: Callable[[], None]) -> Callable[[], None]:
        """Call `on_end` once when the caller's credential ends or expires; returns the way out."""
        loop = asyncio.get_running_loop()
        listeners = self._listeners.setdefault(caller.credential_id, set())
        timer: asyncio.TimerHandle | None = None

        def stop() -> None:
            listeners.discard(end)
            if not listeners and self._listeners.get(caller.credential_id) is listeners:
                del self._listeners[caller.credential_id]
            if timer is not None:
                timer.cancel()

        def end() -> None:
            stop()
            loop.call_soon(on_end)

        listeners.add(end)
        if caller.ends_at is not None:
            left_s = (caller.ends_at - self._clock()).total_seconds()
            timer = loop.call_later(max(0.0, left_s), end)
        if self._recent.get(caller.credential_id, caller.person.roles) != caller.person.roles:
            end()
        return stop

    def announce(self, credential_ids: Iterable[UUID]) -> None:
        """These have ended, and that is committed."""
        self._end(credential_ids, None)

    def announce_roles(self, credential_ids: Iterable[UUID], roles: frozenset[Role]) -> None:
        """Their owner's roles are others, and that is committed: what is open closes, and may be
        opened again with these."""
        self._end(credential_ids, roles)

    def _end(self, credential_ids: Iterable[UUID], roles: frozenset[Role] | None) -> None:
        for credential_id in credential_ids:
            self._recent[credential_id] = roles
            self._recent.move_to_end(credential_id)
            for end in tuple(self._listeners.get(credential_id, ())):
                end()
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
