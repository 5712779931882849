"""Saves a session's items in order, in batches, and never forgets one.

The lesson does not wait for the database: items queue here, in order, until they are committed. If
the database is away they are kept and tried again; if another process has the session, saving
stops.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog

from ai.events import Used
from ai.prices import Prices, Tariff
from sessions.record.model import (
    Batch,
    Durations,
    Heard,
    Item,
    Progress,
    SessionRef,
    SessionTaken,
    Usage,
)

CHECKPOINT_S = 5.0  # a crash loses at most so much of the durations
BATCH_ITEMS = 200
RETRY_S = (0.1, 2.0)
STOP_WITHIN_S = 5.0
SLOW_AFTER = 5  # tries; then the student is told that saving takes longer

FREE = Tariff(Prices("", {}, {}))
"Where no engine costs anything."

log = structlog.get_logger()

Append = Callable[[SessionRef, Batch], Awaitable[int]]


class Saver:
    """The one writer of one session. Its task lives from `start` to `stop`."""

    def __init__(
        self,
        ref: SessionRef,
        append: Append,
        *,
        state: Callable[[], tuple[Durations, Progress]],
        saved: Callable[[list[str]], None],
        slow: Callable[[], None],
        taken: Callable[[], None],
        tariff: Tariff = FREE,
        on_server: frozenset[str] = frozenset(),
    ) -> None:
        """`on_server`: the models that are used with the server's own key."""
        self.ref = ref
        self._append = append
        self._state = state
        self._saved = saved
        self._slow = slow
        self._taken = taken
        self._items: list[Item] = []
        self._heard: dict[str, Heard] = {}
        "By item; the last word counts."
        self._tariff = tariff
        self._on_server = on_server
        self._used: dict[tuple[str, str, str], int] = {}
        "By engine, unit and model, since this process has the session."
        self._counted: dict[tuple[str, str, str], int] = {}
        "What of it is in a batch. Costs are differences of totals: nothing is rounded twice."
        self._unsure: Batch | None = None
        "A batch whose commit is not known: it goes again as it is before anything else does."
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._active = False
        "Someone is connected: time runs, and is saved every few seconds."
        self.engine = ""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"save {self.ref.session_id}")

    def heartbeat(self, on: bool) -> None:
        """Someone is connected from now on, or nobody. Saved at once: it is a sign of life."""
        self._active = on
        self._wake.set()

    def item(self, item: Item) -> None:
        self._items.append(item)
        self._wake.set()

    def heard(self, heard: Heard) -> None:
        self._heard[heard.item_id] = heard
        self._wake.set()

    def used(self, used: Used, engine: str = "") -> None:
        """Something that costs was used, by the engine of now or an earlier one."""
        what = engine or self.engine, used.unit, used.model
        self._used[what] = self._used.get(what, 0) + used.quantity

    async def flush(self) -> None:
        """Save all that is waiting. Raises what the database raises."""
        while self._unsure or self._items or self._heard or self._used != self._counted:
            await self._save_once()

    def last_use(self) -> tuple[Usage, ...]:
        """What was used since the last batch of a session that is over."""
        return self._new_usage()

    async def stop(self) -> None:
        """End the task, after its batch if the database answers; `flush` saves what is left."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait((self._task,), timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while not self._stopping:
            timeout = CHECKPOINT_S if self._active else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            self._wake.clear()
            if self._stopping or not await self._save_with_patience():
                return

    async def _save_with_patience(self) -> bool:
        tries = 0
        while not self._stopping:
            try:
                await self._save_once()
                return True
            except SessionTaken:
                self._taken()
                return False
            except Exception as problem:
                tries += 1
                log.warning(
                    "session.save_failed",
                    session_id=str(self.ref.session_id),
                    tries=tries,
                    problem=type(problem).__name__,
                )
                if tries == SLOW_AFTER:
                    self._slow()
                low, high = RETRY_S
                longer = low * 2 ** min(tries, 16)
                await asyncio.sleep(min(high, longer) * random.uniform(0.5, 1.0))
        return False

    async def _save_once(self) -> None:
        batch = self._unsure or self.next_batch()
        self._unsure = batch
        await self._append(self.ref, batch)
        self._unsure = None
        if batch.items:
            self._saved([item.id for item in batch.items])
        if self._items or self._heard:
            self._wake.set()

    def next_batch(self) -> Batch:
        """Take what is to be saved next, in order; heard words only after their items."""
        durations, progress = self._state()
        items, self._items = self._items[:BATCH_ITEMS], self._items[BATCH_ITEMS:]
        heard: dict[str, Heard] = {}
        if not self._items:
            heard, self._heard = self._heard, {}
        usage = self._new_usage()
        return Batch(
            items=tuple(items),
            heard=tuple(heard.values()),
            durations=durations,
            progress=progress,
            usage=usage,
            engine=self.engine,
            usage_key=uuid4().hex if usage else "",
        )

    def _new_usage(self) -> tuple[Usage, ...]:
        """What was used since the last batch, and what that costs."""
        usage = []
        for (engine, unit, model), total in self._used.items():
            before = self._counted.get((engine, unit, model), 0)
            if total == before:
                continue
            cost, price = self._tariff.of(model, unit, total)
            earlier_cost, earlier_price = self._tariff.of(model, unit, before)
            cost = _difference(cost, earlier_cost)
            on_server = model in self._on_server
            usage.append(
                Usage(
                    engine=engine,
                    unit=unit,
                    model=model,
                    quantity=total - before,
                    cost_micros=cost,
                    price_micros=_difference(price, earlier_price),
                    server_quantity=total - before if on_server else 0,
                    server_cost_micros=(cost or 0) if on_server else 0,
                )
            )
        self._counted = dict(self._used)
        return tuple(usage)


def _difference(total: int | None, before: int | None) -> int | None:
    return None if total is None or before is None else total - before
