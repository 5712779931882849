"""What a session used goes with its batches: once, with its cost, under the engine that used it."""

from typing import Any

import pytest

from ai.events import Used
from ai.prices import Prices, Tariff
from sessions.live.saver import Saver
from sessions.record.model import Batch, Durations, Progress, SessionRef, Usage
from tenancy.ids import new_id

PRICES = Prices("", {"text_tokens_in": 1_000_000}, {"m": {"text_tokens_in": 400_000}})


class Record:
    """A database that loses the connection when it is told to."""

    def __init__(self) -> None:
        self.lost = 0
        self.batches: list[Batch] = []

    async def append(self, ref: SessionRef, batch: Batch) -> int:
        self.batches.append(batch)
        if self.lost:
            self.lost -= 1
            raise OSError("gone")
        return 0


def saver_of(record: Record, **more: Any) -> Saver:
    saver = Saver(
        SessionRef(new_id(), new_id(), 1),
        record.append,
        state=lambda: (Durations(), Progress()),
        saved=lambda _: None,
        slow=lambda: None,
        taken=lambda: None,
        **more,
    )
    saver.engine = "cascade"
    return saver


async def test_costs_are_differences_of_totals_so_that_nothing_is_rounded_away() -> None:
    record = Record()
    saver = saver_of(record, tariff=Tariff(PRICES, 2_000))
    for _ in range(10):
        saver.used(Used("text_tokens_in", 1, "m"))  # 0.4 of a millionth each
        await saver.flush()
    used = [use for batch in record.batches for use in batch.usage]
    assert [use.quantity for use in used] == [1] * 10
    assert sum(use.cost_micros or 0 for use in used) == 4
    assert sum(use.price_micros or 0 for use in used) == 8
    assert {use.cost_micros for use in used} == {0, 1}


async def test_use_belongs_to_the_engine_that_taught_then() -> None:
    record = Record()
    saver = saver_of(record)
    saver.used(Used("audio_in_ms", 5))
    saver.used(Used("audio_in_ms", 5))
    saver.engine = "offline"
    saver.used(Used("audio_in_ms", 7))
    saver.used(Used("text_tokens_in", 3, "llama"))
    await saver.flush()
    (batch,) = record.batches
    assert batch.usage == (
        Usage("cascade", "audio_in_ms", 10, "", 0, 0),
        Usage("offline", "audio_in_ms", 7, "", 0, 0),
        Usage("offline", "text_tokens_in", 3, "llama", None, None),
    )


async def test_a_batch_whose_commit_is_not_known_goes_again_under_the_same_key() -> None:
    record = Record()
    saver = saver_of(record)
    saver.used(Used("audio_in_ms", 5))
    record.lost = 1
    with pytest.raises(OSError, match="gone"):
        await saver.flush()
    saver.used(Used("audio_in_ms", 2))
    await saver.flush()
    first, again, rest = record.batches
    assert first == again
    assert [use.quantity for use in rest.usage] == [2]
    assert first.usage_key and rest.usage_key not in ("", first.usage_key)
    await saver.flush()
    assert len(record.batches) == 3


async def test_what_the_servers_own_key_paid_is_noted() -> None:
    record = Record()
    saver = saver_of(record, tariff=Tariff(PRICES), on_server=frozenset({"m"}))
    saver.used(Used("text_tokens_in", 10, "m"))
    saver.used(Used("text_tokens_in", 10, "of the school"))
    await saver.flush()
    (batch,) = record.batches
    paid = {use.model: (use.server_quantity, use.server_cost_micros) for use in batch.usage}
    assert paid == {"m": (10, 4), "of the school": (0, 0)}
