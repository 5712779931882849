"""The words of the student's turns, which a Realtime session brings late and in no order.

They go by the item's id. A turn whose words don't come within WORDS_WITHIN_S gets none.
"""

import asyncio

from ai.events import Transcribed
from ai.openai import client_events
from ai.openai.link import Link

WORDS_WITHIN_S = 9.0  # the caller gives up at 10 s
EARLY = 32  # transcriptions kept that belong to no turn yet


class Words:
    """The words of turns that are over."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._turns: dict[str, str] = {}
        "Item -> turn."
        self._commits: dict[str, str] = {}
        "Event of ours -> turn whose item is still to come."
        self._early: dict[str, str | None] = {}
        "Item -> words that came before it was known whose they are; None: there are none."
        self._due: dict[str, asyncio.TimerHandle] = {}

    def commit(self, turn: str) -> bytes:
        """The event that makes an item of what was heard."""
        event_id = self._link.id("commit")
        self._commits[event_id] = turn
        return client_events.commit(event_id)

    def expect(self, turn: str, item: str = "") -> None:
        """The turn is over; its item is known, or comes by `committed`."""
        loop = asyncio.get_running_loop()
        self._due[turn] = loop.call_later(WORDS_WITHIN_S, self._tell, turn, None)
        if item:
            self._belongs(item, turn)

    def committed(self, item: str) -> None:
        if item in self._turns:
            turn = self._turns[item]
            named = next((one for one, of in self._commits.items() if of == turn), None)
        else:
            named = next(iter(self._commits), None)
        if named is not None:
            self._belongs(item, self._commits.pop(named))

    def refused(self, event_id: str) -> bool:
        """Whether it was a commit of ours; there is nothing in it then."""
        turn = self._commits.pop(event_id, None)
        if turn is not None and turn not in self._turns.values():
            self._tell(turn, None)
        return turn is not None

    def came(self, item: str, text: str | None) -> None:
        """The words of an item; None: it could not be understood."""
        turn = self._turns.pop(item, None)
        if turn is not None:
            self._tell(turn, text)
            return
        self._early[item] = text
        if len(self._early) > EARLY:
            del self._early[next(iter(self._early))]

    def close(self) -> None:
        for due in self._due.values():
            due.cancel()
        self._due.clear()

    def _belongs(self, item: str, turn: str) -> None:
        self._turns[item] = turn
        if item in self._early:
            self.came(item, self._early.pop(item))

    def _tell(self, turn: str, text: str | None) -> None:
        due = self._due.pop(turn, None)
        if due is None:
            return
        due.cancel()
        for item in [item for item, of in self._turns.items() if of == turn]:
            del self._turns[item]
        said = (text or "").strip()
        self._link.report(Transcribed(turn, said, sure=bool(said)))
