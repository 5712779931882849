"""Work on a whole lesson that takes longer than a frame of sound: done aside, one after the other.

A check of the largest draft takes seconds; on the event loop, every voice at the school would stop
for so long. One thread is enough, and takes no more than its share.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="lessons")


async def aside(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What `work` returns or raises; it is pure, and knows no event loop."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREAD, lambda: work(*args, **named))
