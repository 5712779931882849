"""A board's figures in words, for who can't see them; English and Spanish."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoardWords:
    """The sentences of one language."""

    plot: str
    points: str
    number_line: str
    marked: str
    bars: str
    fraction: str
    conjunction: str

    def listed(self, names: Sequence[str]) -> str:
        """`a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.conjunction} {names[-1]}"


_ENGLISH = BoardWords(
    plot="A plot of {functions}, for x from {low} to {high}.",
    points="Points at {points}.",
    number_line="A number line from {low} to {high}.",
    marked="Marked: {marks}.",
    bars="Bars: {bars}.",
    fraction="{top} of {bottom} equal parts are filled.",
    conjunction="and",
)
_SPANISH = BoardWords(
    plot="Una gráfica de {functions}, para x de {low} a {high}.",
    points="Puntos en {points}.",
    number_line="Una recta numérica de {low} a {high}.",
    marked="Marcado: {marks}.",
    bars="Barras: {bars}.",
    fraction="{top} de {bottom} partes iguales están llenas.",
    conjunction="y",
)


def board_words(language: str) -> BoardWords:
    """The words of a lesson's language; English where we have none."""
    return _SPANISH if language.split("-")[0] == "es" else _ENGLISH
