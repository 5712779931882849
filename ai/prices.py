"""What use of a provider costs, by the table in `prices.toml`.

Money is whole millionths of a dollar. What the table does not name has no known cost: None, which
is something else than nothing. What runs here, without a model's name, costs nothing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

PERMILLE = 1_000


class PricesInvalid(ValueError):
    """A table of prices that can't be used; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices."""

    date: str
    "When the providers asked for these."
    per: Mapping[str, int]
    "Unit -> the quantity that its prices are for."
    models: Mapping[str, Mapping[str, int]]
    "Model -> unit -> millionths of a dollar."

    def cost_micros(self, model: str, unit: str, quantity: int) -> int | None:
        """What a quantity of a model's unit costs, rounded half up; None: nobody knows."""
        if not model:
            return 0
        price = self.models.get(model, {}).get(unit)
        per = self.per.get(unit)
        if price is None or per is None:
            return None
        return (2 * quantity * price + per) // (2 * per)

    def with_(self, other: "Prices") -> "Prices":
        """The same, with the models of another table in place of those of the same name."""
        return Prices(other.date, {**self.per, **other.per}, {**self.models, **other.models})


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a school pays: the provider's price times its own factor."""

    prices: Prices
    factor_permille: int = PERMILLE

    def of(self, model: str, unit: str, quantity: int) -> tuple[int | None, int | None]:
        """Provider's cost and school's price of a quantity, in millionths of a dollar."""
        cost = self.prices.cost_micros(model, unit, quantity)
        if cost is None:
            return None, None
        return cost, (2 * cost * self.factor_permille + PERMILLE) // (2 * PERMILLE)


def read(text: str) -> Prices:
    """A table from TOML.

    Raises:
        PricesInvalid: If it is none.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise PricesInvalid(f"it is not TOML: {problem}") from problem
    models = table.get("models", {})
    if not isinstance(models, dict):
        raise PricesInvalid("`models` must be a table")
    return Prices(
        date=str(table.get("date", "")),
        per=_numbers("units", table.get("units", {}), least=1),
        models=MappingProxyType(
            {name: _numbers(f"models.{name}", prices, least=0) for name, prices in models.items()}
        ),
    )


def load() -> Prices:
    """The table that comes with this code."""
    return read(files(__package__).joinpath("prices.toml").read_text(encoding="utf-8"))


def _numbers(name: str, table: Any, *, least: int) -> Mapping[str, int]:
    if not isinstance(table, dict):
        raise PricesInvalid(f"`{name}` must be a table")
    for key, value in table.items():
        if type(value) is not int or not least <= value <= 10**12:
            raise PricesInvalid(f"`{name}.{key}` must be a whole number of at least {least}")
    return MappingProxyType(dict(table))
