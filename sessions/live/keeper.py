"""How live sessions reach their record, and how their school hears of it: after the commit."""

from collections.abc import Sequence

from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.news import tell_session
from sessions.record import sessions as record
from sessions.record.model import Batch, EndReason, SessionRef, SessionRow, Usage
from tenancy.postgres import Database


class Keeper:
    """How live sessions reach their record."""

    def __init__(self, database: Database, worker: Worker) -> None:
        self.items_saved = 0
        self.saves_failed = 0
        self._database = database
        self._worker = worker

    async def append(self, ref: SessionRef, batch: Batch) -> int:
        try:
            last_seq = await record.append(self._database, ref, batch)
        except Exception:
            self.saves_failed += 1
            raise
        self.items_saved += len(batch.items)
        return last_seq

    async def end(self, ref: SessionRef, reason: EndReason, batch: Batch) -> None:
        await record.end(self._database, ref, reason, batch)
        self._worker.wake()

    async def use(self, ref: SessionRef, usage: Sequence[Usage], key: str) -> None:
        await record.add_usage(self._database, ref.tenant_id, ref.session_id, usage, key=key)


class Announcing:
    """The keeper of one session that tells its school of each new step, and of the end."""

    def __init__(self, keeper: Keeper, bus: Bus, row: SessionRow) -> None:
        self._keeper = keeper
        self._bus = bus
        self._row = row
        self._step = row.progress.step

    async def append(self, ref: SessionRef, batch: Batch) -> int:
        last_seq = await self._keeper.append(ref, batch)
        if batch.progress is not None and batch.progress.step != self._step:
            self._step = batch.progress.step
            tell_session(self._bus, ref.tenant_id, self._row, "live")
        return last_seq

    async def end(self, ref: SessionRef, reason: EndReason, batch: Batch) -> None:
        await self._keeper.end(ref, reason, batch)
        tell_session(self._bus, ref.tenant_id, self._row, "ended")

    async def use(self, ref: SessionRef, usage: Sequence[Usage], key: str) -> None:
        await self._keeper.use(ref, usage, key)
