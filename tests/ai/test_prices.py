"""What use costs: exact, never nothing where nobody knows."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai import prices
from ai.prices import Prices, PricesInvalid, Tariff

TABLE = prices.load()
SMALL = Prices("2026-01-01", {"text_tokens_in": 1_000_000, "audio_in_ms": 60_000}, {
    "m": {"text_tokens_in": 400_000, "audio_in_ms": 4_500},
})  # fmt: skip


def test_the_table_names_its_date_and_knows_every_unit_it_prices() -> None:
    assert datetime.date.fromisoformat(TABLE.date) >= datetime.date(2026, 11, 1)
    assert all(set(units) <= set(TABLE.per) for units in TABLE.models.values())
    assert {"gpt-realtime-2.1", "amazon.nova-2-sonic-v1:0"} <= set(TABLE.models)


@pytest.mark.parametrize(
    ("model", "unit", "quantity", "cost"),
    [
        ("m", "text_tokens_in", 1_000_000, 400_000),
        ("m", "text_tokens_in", 1, 0),  # 0.4 of a millionth
        ("m", "text_tokens_in", 2, 1),
        ("m", "audio_in_ms", 60_000, 4_500),
        ("m", "audio_in_ms", 90_000, 6_750),
        ("m", "text_tokens_out", 5, None),
        ("another", "text_tokens_in", 5, None),
        ("another", "text_tokens_in", 0, None),
        ("", "audio_in_ms", 60_000, 0),
    ],
)
def test_cost(model: str, unit: str, quantity: int, cost: int | None) -> None:
    assert SMALL.cost_micros(model, unit, quantity) == cost


def test_an_hour_of_speech_with_openai_costs_what_its_page_says() -> None:
    # 10 tokens a second in, 20 out: half an hour each.
    heard = TABLE.cost_micros("gpt-realtime-2.1", "audio_tokens_in", 10 * 1_800)
    said = TABLE.cost_micros("gpt-realtime-2.1", "audio_tokens_out", 20 * 1_800)
    assert (heard, said) == (576_000, 2_304_000)
    assert TABLE.cost_micros("gpt-realtime-2.1", "audio_in_ms", 1_800_000) == 0


@pytest.mark.parametrize(
    ("factor", "of"), [(1_000, (400_000, 400_000)), (1_250, (400_000, 500_000)), (0, (400_000, 0))]
)
def test_a_school_has_a_price_of_its_own(factor: int, of: tuple[int, int]) -> None:
    assert Tariff(SMALL, factor).of("m", "text_tokens_in", 1_000_000) == of
    assert Tariff(SMALL, factor).of("another", "text_tokens_in", 1) == (None, None)


@given(st.lists(st.integers(0, 10**6), max_size=30))
def test_differences_of_totals_add_up_to_the_cost_of_the_total(parts: list[int]) -> None:
    total = cost = 0
    for part in parts:
        before = SMALL.cost_micros("m", "text_tokens_in", total) or 0
        total += part
        cost += (SMALL.cost_micros("m", "text_tokens_in", total) or 0) - before
    assert cost == SMALL.cost_micros("m", "text_tokens_in", total)


def test_a_table_of_ones_own_replaces_models() -> None:
    own = prices.read('date = "2027-01-01"\n[models.m]\ntext_tokens_in = 0')
    both = SMALL.with_(own)
    assert both.date == "2027-01-01"
    assert both.cost_micros("m", "text_tokens_in", 7) == 0
    assert both.cost_micros("m", "audio_in_ms", 7) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("date = ", "not TOML"),
        ("models = 1", "`models` must be a table"),
        ("[models]\nm = 1", "`models.m` must be a table"),
        ("[models.m]\nx = -1", "`models.m.x` must be a whole number"),
        ("[models.m]\nx = 0.5", "`models.m.x` must be a whole number"),
        ("[models.m]\nx = true", "`models.m.x` must be a whole number"),
        ("[units]\nx = 0", "`units.x` must be a whole number of at least 1"),
    ],
)
def test_what_is_no_table_is_refused(text: str, told: str) -> None:
    with pytest.raises(PricesInvalid, match=told):
        prices.read(text)
