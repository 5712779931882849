"""Who sees a piece of news: those who may see what it is about.

For most a look at their roles is enough. Only where the right hangs on who looks after whom is the
database asked, once for all who listen; what it says is good for a few seconds.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from sessions.errors import SessionUnknown
from sessions.news import (
    LessonChanged,
    News,
    OverridePublished,
    SessionChanged,
    SessionReviewed,
    SummaryRenewed,
)
from sessions.record import listing
from tenancy import care
from tenancy.model import Person
from tenancy.policy import Thing, may
from tenancy.postgres import Database

GOOD_FOR_S = 3.0

Right = tuple[str, str]

NEEDS: Mapping[type[News], tuple[Right, ...]] = {
    SessionChanged: (("read", "session"),),
    SessionReviewed: (("read", "session"), ("read", "summary")),
    OverridePublished: (("read", "override"),),
    SummaryRenewed: (("read", "summary"),),
    LessonChanged: (("write", "lesson"),),
}
"One of these rights to what the news is about."


class Sight:
    """Tells who sees which news. One for the whole process."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known: dict[tuple[UUID, UUID], tuple[float, Thing]] = {}

    async def sees(self, person: Person, news: News) -> bool:
        """Whether this news, of the person's own school, is for this person.

        Raises:
            DatabaseUnavailable
        """
        surely = at_first_sight(person, news)
        if surely is not None or isinstance(news, LessonChanged):
            return surely or False
        about = await self._about(person.tenant_id, news.student_id)
        if _has_right(person, news, about):
            return True
        if not _has_right(person, news, replace(about, shown=True)):
            return False
        # A guardian's: they see what somebody has reviewed, and hear when that is taken back.
        return isinstance(news, SessionReviewed) or await self._is_reviewed(person, news)

    async def _is_reviewed(self, person: Person, news: News) -> bool:
        assert not isinstance(news, LessonChanged)
        try:
            card = await listing.card(self._database, person.tenant_id, news.session_id)
        except SessionUnknown:
            return False
        return card.reviewed is not None

    async def _about(self, tenant_id: UUID, student_id: UUID) -> Thing:
        key = (tenant_id, student_id)
        async with self._asking:
            now = self._clock()
            known = self._known.get(key)
            if known is None or now - known[0] > GOOD_FOR_S:
                self._known = {
                    one: found for one, found in self._known.items() if now - found[0] <= GOOD_FOR_S
                }
                thing = await care.about(self._database, "session", tenant_id, student_id)
                known = self._known[key] = (now, thing)
            return known[1]


def at_first_sight(person: Person, news: News) -> bool | None:
    """Whether this person sees this news; None where it hangs on who looks after whom."""
    if isinstance(news, LessonChanged):
        return _has_right(person, news, Thing("lesson", person.tenant_id))
    bare = Thing("session", person.tenant_id, student_id=news.student_id)
    at_best = Thing(
        "session",
        person.tenant_id,
        student_id=news.student_id,
        tutor_ids=frozenset({person.id}),
        guardian_ids=frozenset({person.id}),
        shown=True,
    )
    if _has_right(person, news, bare):
        return True
    return None if _has_right(person, news, at_best) else False


def _has_right(person: Person, news: News, about: Thing) -> bool:
    return any(may(person, verb, replace(about, kind=kind)) for verb, kind in NEEDS[type(news)])
