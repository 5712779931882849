"""The number words of the languages that `numbers` reads."""

from dataclasses import dataclass, field
from fractions import Fraction


def words(text: str) -> tuple[str, ...]:
    """The words of a table row."""
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language says numbers."""

    small: dict[str, int]
    tens: dict[str, int]
    hundreds: dict[str, int]
    scales: dict[str, int]
    parts: dict[str, int]
    "Denominators: `thirds`, `quarter`."
    bare: dict[str, Fraction]
    "What is a number without a numerator: `half`."
    articles: frozenset[str]
    glue: frozenset[str]
    "Between the parts of a number: `and`, `y`."
    glued_tens: bool
    "`treinta y cinco`: the glue also joins tens and ones."
    point: frozenset[str]
    minus: frozenset[str]
    over: tuple[tuple[str, ...], ...]
    "Between numerator and denominator."
    percent: tuple[tuple[str, ...], ...]
    operators: frozenset[str]
    negators: frozenset[str]
    decimal_comma: bool = False
    zeros: frozenset[str] = frozenset()
    "Said for 0 after a point."
    pointing: frozenset[str] = frozenset()
    "Before `one`, they make it a pronoun: `this one`."
    alone: dict[str, int] = field(default_factory=dict)
    "What ears write for a number that is the whole answer: `to`, `for`."


_ORDINALS = words(
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth"
    " fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)

ENGLISH = Grammar(
    small={
        word: n
        for n, word in enumerate(
            words(
                "zero one two three four five six seven eight nine ten eleven twelve thirteen"
                " fourteen fifteen sixteen seventeen eighteen nineteen"
            )
        )
    }
    | {"nought": 0},
    tens={
        word: n * 10
        for n, word in enumerate(
            words("twenty thirty forty fifty sixty seventy eighty ninety"), start=2
        )
    },
    hundreds={"hundred": 100},
    scales={"thousand": 1_000, "million": 1_000_000},
    parts={"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
    | {word: n for n, word in enumerate(_ORDINALS, start=3)}
    | {word + "s": n for n, word in enumerate(_ORDINALS, start=3)}
    | {"hundredth": 100, "hundredths": 100, "thousandth": 1000, "thousandths": 1000},
    bare={"half": Fraction(1, 2), "quarter": Fraction(1, 4)},
    articles=frozenset({"a", "an"}),
    glue=frozenset({"and"}),
    glued_tens=False,
    point=frozenset({"point"}),
    minus=frozenset({"minus", "negative"}),
    over=(("over",), ("out", "of", "the"), ("out", "of"), ("of", "the"), ("of",)),
    percent=(("percent",), ("per", "cent")),
    operators=frozenset({"plus", "minus", "times", "divided", "multiplied", "+", "-", "*", "÷"}),
    negators=frozenset(
        words(
            "not nor never neither without isn't aren't wasn't doesn't don't didn't can't cannot"
            " won't isnt dont"
        )
    ),
    zeros=frozenset({"oh", "o"}),
    pointing=frozenset(
        words("this that the which first second last other another no any every each right wrong")
    ),
    alone={"to": 2, "too": 2, "for": 4, "fore": 4, "won": 1, "ate": 8, "tree": 3},
)

SPANISH = Grammar(
    small={
        word: n
        for n, word in enumerate(
            words(
                "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce"
                " quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos"
                " veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve"
            )
        )
    },
    tens={
        word: n * 10
        for n, word in enumerate(
            words("treinta cuarenta cincuenta sesenta setenta ochenta noventa"), start=3
        )
    },
    hundreds={"cien": 100, "ciento": 100},
    scales={"mil": 1_000},
    parts={
        word + ending: n
        for word, n in {
            "medio": 2, "tercio": 3, "cuarto": 4, "quinto": 5, "sexto": 6, "octavo": 8, "decimo": 10
        }.items()
        for ending in ("", "s")
    },
    bare={"medio": Fraction(1, 2), "media": Fraction(1, 2), "mitad": Fraction(1, 2)},
    articles=frozenset({"un", "una"}),
    glue=frozenset({"y"}),
    glued_tens=True,
    point=frozenset({"punto", "coma"}),
    minus=frozenset({"menos"}),
    over=(("sobre",), ("de", "las"), ("de", "los"), ("de",)),
    percent=(("por", "ciento"),),
    operators=frozenset({"mas", "menos", "por", "entre", "+", "-", "*", "÷"}),
    negators=frozenset({"no", "nunca", "tampoco", "ni", "sin"}),
    decimal_comma=True,
    alone={"un": 1, "una": 1},
)  # fmt: skip

GRAMMARS = {"en": ENGLISH, "es": SPANISH}

FILLERS = frozenset(
    words(
        "um uh er erm hm hmm mm well like so okay ok please i i'd think it is it's its that's that"
        " the answer my maybe perhaps probably guess be would say just yes yeah right"
        " eh pues creo que es la el respuesta mi si bueno quizas yo digo"
    )
)
"Words around an answer that are no part of it."
