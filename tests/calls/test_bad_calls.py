"""A thousand calls that are opened and ended badly leave the server as it was."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bench.bad_calls import BadCalls
from bench.caller import own_address
from bench.counted import Counted
from tests.calls.place import Place, open_place

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(own_address() == "127.0.0.1", reason="this machine is in no network"),
]

CALLS_MADE = 1_000
STUDENTS = 500
SETTLED_S = 16.0
IDLE = Counted(tasks=0, fds=0, rss_kb=0)
WITHIN = 0.05
"Of memory and descriptors: the database may have opened another connection."
ODD = CALLS_MADE // 100
"""A client on the port of one that vanished just before is thought to be that one for a while, and
a machine with other things to do is late."""
HURRIED = """
import server.rtc.ice, server.rtc.peer
server.rtc.peer.CONNECT_S = 3.0
server.rtc.ice.CONSENT_S = 3.0
"""
"The server's patience with a call, which nobody wants to wait for here."


@pytest.fixture(scope="module")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("calls")
    async with open_place(
        folder,
        students=STUDENTS,
        beforehand=HURRIED,
        SESSION_GRACE_S="5",
        LIVE_SESSIONS="5000",
        LIVE_SESSIONS_PER_STUDENT="50",
    ) as opened:
        yield opened


async def settled(place: Place, like: Counted) -> Counted:
    """Once all calls and their sessions have ended: as before, or after long enough."""
    deadline_s = time.monotonic() + SETTLED_S
    while True:
        await asyncio.sleep(1)
        found = await place.count()
        if found.tasks <= like.tasks and found.fds <= like.fds * (1 + WITHIN):
            return found
        if time.monotonic() > deadline_s:
            return found


async def test_a_thousand_bad_calls_leave_nothing_behind(hurried: Place) -> None:
    bad = BadCalls(hurried.server.address, hurried.tokens, hurried.query)
    await bad.make(range(STUDENTS))  # what is loaded, cached and pooled once, or for each person
    before = await settled(hurried, IDLE)
    bad.made.clear()
    after = before
    for half in range(2):  # as many at once as before: memory is what the most at once needed
        begin = STUDENTS + half * CALLS_MADE // 2
        await bad.make(range(begin, begin + CALLS_MADE // 2))
        after = await settled(hurried, before)
    assert len(bad.odd) <= ODD, bad.odd
    assert sum(bad.made.values()) == CALLS_MADE
    assert after.fds <= before.fds * (1 + WITHIN)
    assert after.tasks <= before.tasks
    assert after.rss_kb <= before.rss_kb * (1 + WITHIN)
    assert "Traceback" not in hurried.server.log
