"""How written sentences are said: `2/4` is "2 quarters", `3x + 2 = 11` is "3 x plus 2 equals 11".

Every run of the spoken text knows the written word that it stands for, so that captions can light
up what the student reads. Digits stay digits: the voice knows how to say them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LATEX = re.compile(
    r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$"
    r"|\$(?![\s\d.,]+(?:\s|$))([^$\s](?:[^$]*?[^$\s])?)\$",
    re.DOTALL,
)
_BEFORE = "\"'“‘«¿¡(["
_AFTER = "\"'”’».,;:!?)]…"
_SIGN = r"+\-−=*/×÷·<>≤≥≠≈±^²³"
_FORMULA = re.compile(
    rf"(?!.*[^\W\d_²³½¼¾]{{2}})(?!.*/.*/)(?=.*[{_SIGN}]|.*\d[^\W\d_]|.*\d\()"
    rf"[\w.,(){_SIGN}%½¼¾]+"
)
_RATIO = re.compile(r"(\d+)/(\d+)")
_MOLECULE = re.compile(r"(?=.*\d)(?:[A-Z][a-z]?\d*)+")
_BLANK = re.compile(r"_{2,}")
_PIECE = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:[.,]\d+)*|\S")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED = {"²": "2", "³": "3"}
_VULGAR = {"½": ("1", "2"), "¼": ("1", "4"), "¾": ("3", "4")}


@dataclass(frozen=True, slots=True)
class Language:
    """The words for maths."""

    signs: Mapping[str, str]
    parts: Mapping[str, tuple[str, str]]
    "Denominators, one and many."
    one: str
    "The numerator 1."
    joint: str
    "Between a whole number and a fraction."
    over: str
    squared: str
    cubed: str
    power: str
    root: str
    blank: str
    letters: Mapping[str, str]
    "Letters that are words elsewhere."


def _ordinals(ones: str, manys: str = "") -> dict[str, tuple[str, str]]:
    one = ones.split()
    many = manys.split() if manys else [f"{word}s" for word in one]
    return {str(n): pair for n, pair in enumerate(zip(one, many, strict=True), start=2)}


ENGLISH = Language(
    signs={
        "=": "equals", "+": "plus", "-": "minus", "−": "minus", "*": "times", "×": "times",
        "·": "times", "÷": "divided by", "/": "over", "<": "is less than", ">": "is greater than",
        "≤": "is at most", "≥": "is at least", "≠": "is not equal to", "≈": "is about",
        "±": "plus or minus", "(": "open bracket", ")": "close bracket", "%": "percent",
        "→": "becomes",
    },
    parts=_ordinals(
        "half third quarter fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
        " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
    )
    | {"2": ("half", "halves"), "100": ("hundredth", "hundredths")},
    one="one", joint="and", over="over", squared="squared", cubed="cubed",
    power="to the power of", root="the square root of", blank="blank",
    letters={"a": "ay"},
)  # fmt: skip
SPANISH = Language(
    signs={
        "=": "es igual a", "+": "más", "-": "menos", "−": "menos", "*": "por", "×": "por",
        "·": "por", "÷": "entre", "/": "sobre", "<": "es menor que", ">": "es mayor que",
        "≤": "es como máximo", "≥": "es como mínimo", "≠": "no es igual a",
        "≈": "es aproximadamente", "±": "más o menos", "(": "abre paréntesis",
        ")": "cierra paréntesis", "%": "por ciento", "→": "da",
    },
    parts=_ordinals("medio tercio cuarto quinto sexto séptimo octavo noveno décimo"),
    one="un", joint="y", over="sobre", squared="al cuadrado", cubed="al cubo", power="elevado a",
    root="la raíz cuadrada de", blank="espacio en blanco", letters={"y": "i griega"},
)  # fmt: skip
LANGUAGES = {"en": ENGLISH, "es": SPANISH}

_TEX = {
    "\\times": "×", "\\cdot": "·", "\\div": "÷", "\\pm": "±", "\\le": "≤", "\\leq": "≤",
    "\\ge": "≥", "\\geq": "≥", "\\ne": "≠", "\\neq": "≠", "\\approx": "≈", "\\lt": "<",
    "\\gt": ">", "\\%": "%", "\\to": "→", "\\rightarrow": "→",
}  # fmt: skip
_TEX_SILENT = frozenset({"\\left", "\\right", "\\quad", "\\,", "\\;", "\\:", "\\!", "\\ ", "}"})
_TEX_AROUND = frozenset({"\\text", "\\mathrm", "\\mathbf", "\\boxed"})


@dataclass(frozen=True, slots=True)
class Run:
    """A part of the spoken text and the written word behind it."""

    written: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Speakable:
    """A text to say."""

    text: str
    runs: tuple[Run, ...]


def speakable(text: str, language: str) -> Speakable:
    """`text` as it is said in `language`; where we have no words for maths, as it is written."""
    words = LANGUAGES.get(language.split("-")[0].lower())
    spoken: list[str] = []
    runs: list[Run] = []
    at = 0
    for written, said in _say_all(text, words):
        if said:
            spoken.append(said)
            runs.append(Run(written, at, at + len(said)))
            at += len(said) + 1
    return Speakable(" ".join(spoken), tuple(runs))


def _say_all(text: str, words: Language | None) -> Iterator[tuple[str, str]]:
    """Each written word and how it is said."""
    tokens = list(_tokens(text))
    open_brackets = 0
    for place, (token, tex) in enumerate(tokens):
        if tex or words is None:
            yield token, _around(token, tex, words) if tex and words else token
            continue
        before, core, after = _strip(token.translate(_LOWERED))
        said = _say(core, place, tokens, words)
        if said != core:
            open_brackets += core.count("(") - core.count(")")
        while open_brackets > 0 and after.startswith(")"):
            said, after = f"{said} {words.signs[')']}", after[1:]
            open_brackets -= 1
        yield token, before + said + after


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Written words; a formula in TeX is one, with what stands between its signs."""
    at = 0
    for match in LATEX.finditer(text):
        yield from ((word, "") for word in text[at : match.start()].split())
        after = re.match(r"[^\s\w]*", text[match.end() :])
        at = match.end() + (after.end() if after else 0)
        yield text[match.start() : at], next(group for group in match.groups() if group)
    yield from ((word, "") for word in text[at:].split())


def _around(token: str, tex: str, words: Language) -> str:
    """A formula in TeX, with the punctuation after it."""
    return _Reader(_PIECE.findall(tex), words).all() + token[-1:].strip("$)]")


def _strip(token: str) -> tuple[str, str, str]:
    core = token.strip("*`#") if len(token) > 1 else token
    start = len(core) - len(core.lstrip(_BEFORE))
    end = len(core.rstrip(_AFTER))
    if end <= start:
        return "", core, ""
    return core[:start], core[start:end], core[end:]


def _say(core: str, place: int, tokens: list[tuple[str, str]], words: Language) -> str:
    if ratio := _RATIO.fullmatch(core):
        fraction = _fraction(ratio[1], ratio[2], words)
        whole = place > 0 and tokens[place - 1][0].isdigit() and int(ratio[1]) < int(ratio[2])
        return f"{words.joint} {fraction}" if whole else fraction
    if core in words.signs and core not in "()":
        return _sign(core, place, tokens, words)
    if _BLANK.fullmatch(core):
        return words.blank
    if _MOLECULE.fullmatch(core) and not core.isdigit():
        return " ".join(_PIECE.findall(core))
    if _FORMULA.fullmatch(core):
        return _Reader(_PIECE.findall(core), words).all()
    if core in words.letters and _beside_sign(place, tokens, words):
        return words.letters[core]
    return core


def _sign(core: str, place: int, tokens: list[tuple[str, str]], words: Language) -> str:
    """A sign alone; a dash is a minus only where it stands in a formula."""
    if core not in "-*":
        return words.signs[core]
    beside = [tokens[at][0] for at in (place - 1, place + 1) if 0 <= at < len(tokens)]
    formula = [word for word in beside if len(word.strip(_AFTER)) == 1 or re.search(r"\d", word)]
    return words.signs[core] if len(formula) == 2 else ","


def _beside_sign(place: int, tokens: list[tuple[str, str]], words: Language) -> bool:
    beside = [tokens[at][0] for at in (place - 1, place + 1) if 0 <= at < len(tokens)]
    return any(word in words.signs for word in beside)


def _fraction(top: str, bottom: str, words: Language) -> str:
    if bottom not in words.parts or not top.isdigit():
        return f"{top} {words.over} {bottom}"
    one, many = words.parts[bottom]
    return f"{words.one} {one}" if top == "1" else f"{top} {many}"


class _Reader:
    """Reads the pieces of a formula aloud, from left to right."""

    def __init__(self, pieces: list[str], words: Language) -> None:
        self._pieces = pieces
        self._words = words
        self._at = 0

    def all(self, until: str | None = None) -> str:
        """What is left, up to `until`."""
        said: list[str] = []
        while self._at < len(self._pieces) and self._pieces[self._at] != until:
            one = self._one()
            while self._at < len(self._pieces) and self._pieces[self._at] in ("^", "²", "³"):
                one = self._power(one)
            if one:
                said.append(one)
        self._at += 1
        return " ".join(said)

    def _power(self, base: str) -> str:
        sign = self._pieces[self._at]
        self._at += 1
        exponent = _RAISED[sign] if sign in _RAISED else self._one()
        if exponent == "2":
            return f"{base} {self._words.squared}"
        if exponent == "3":
            return f"{base} {self._words.cubed}"
        return f"{base} {self._words.power} {exponent}"

    def _one(self) -> str:
        if self._at >= len(self._pieces):
            return ""
        piece = self._pieces[self._at]
        self._at += 1
        if piece == "{":
            return self.all("}")
        if piece in ("\\frac", "\\tfrac", "\\dfrac"):
            top = self._one()
            return _fraction(top, self._one(), self._words)
        if piece == "\\sqrt":
            return f"{self._words.root} {self._one()}"
        if piece in _TEX_AROUND:
            return self._one()
        if piece in _TEX_SILENT:
            return ""
        if piece in _VULGAR:
            return _fraction(*_VULGAR[piece], self._words)
        sign = _TEX.get(piece, piece)
        return self._words.signs.get(sign) or self._words.letters.get(sign) or sign.lstrip("\\")
