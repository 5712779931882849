"""What a language model writes, as sentences to say: cut as they finish, stripped of what is none.

The text comes in pieces cut anywhere, and the same text gives the same sentences however it was
cut. A sentence is given as soon as it is certain that it is over, which is at the first character
of the next one; so speech can begin while the rest is still written.

Left out are thinking and tool calls that a model's server did not take out, notes of the server
that the model repeats, Markdown, pictures, addresses and emoji. Formulas stay as the page and the
voice read them: `2/4`, `x = 3`, and TeX between `\\(` and `\\)` (or `\\[ \\]`, `$$ $$`, `$ $`).
"""

import re

MAX_BREATH = 220  # characters; about fifteen seconds of slow speech
SHORTEST_CUT = 40  # characters; a sentence that is too long is not cut before them
MAX_WORD = 900  # characters without a space; no language has such words
MAX_FORMULA = 300  # characters; what opens a formula and does not close it by then is text

_HIDDEN = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<tool_call>", "</tool_call>"),
    ("<<<server", ">>>"),
)
_FORMULAS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_END = re.compile(r"[.!?…]+[\"'”’»)\]*_`]*|[。！？]+[”」』）]*")
_WIDE = "。！？"
_GOES_ON = frozenset("=+/×÷·<>≤≥≠≈,;:.!?…)]}%")  # `5! = 120`
_ABBREVIATION = re.compile(
    r"(?:^|[^\w.])(?:(?:[^\W\d_]\.){2,}"
    r"|(?:mr|mrs|ms|dr|prof|st|vs|etc|approx|fig|eq|ca|bzw|sr|sra|srta|dra|ud|uds|p\.ej)\.)$",
    re.IGNORECASE,
)
_MARK = re.compile(r"\W*(?:\d{1,2}|[^\W\d_])[.)]")  # of an item in a list: `2.`, `b)`

_MATHS = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$\$.+?\$\$", re.DOTALL)
_BARE_TEX = re.compile(r"\\[dt]?frac\{[^{}]*\}\{[^{}]*\}|\\sqrt\{[^{}]*\}")
_SIGNS = {
    "\\times": "×", "\\cdot": "·", "\\div": "÷", "\\pm": "±", "\\leq": "≤", "\\geq": "≥",
    "\\neq": "≠", "\\approx": "≈", "\\rightarrow": "→",
}  # fmt: skip
_SIGN = re.compile("|".join(re.escape(sign) + r"(?![a-zA-Z])" for sign in _SIGNS))
_LINE_START = re.compile(r"(?:#{1,6}\s+|[-*•]\s+|>\s+(?=[^\W\d_]))+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_TAG = re.compile(r"</?(?:b|i|em|strong|u|br|p|sub|sup|span|div|ul|ol|li|code|h[1-6])\s*/?>", re.I)
_FENCE = re.compile(r"`{3,}\w*|`")
_BOLD = re.compile(r"(?<!\w)\*\*|\*\*(?!\w)|(?<!\w)__(?=[^\W_])|(?<=[^\W_]|[.!?])__(?!\w)")
_LEAN = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])")
_LEAN_TOO = re.compile(r"(?<!\w)_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?!\w)")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+")


class Sentences:
    """The sentences of one answer, as they finish."""

    def __init__(self) -> None:
        self._raw = ""
        "Not looked through for what is hidden."
        self._closing = ""
        "What ends the hidden stretch under way; empty: none."
        self._text = ""
        "Shown, and not yet given."
        self._line_start = True

    def feed(self, text: str) -> list[str]:
        """More of the answer; the sentences that are over now."""
        self._raw += text
        self._text += self._shown(final=False)
        return self._cut(final=False)

    def end(self) -> list[str]:
        """The answer is over: what is left of it."""
        self._text += self._shown(final=True)
        return self._cut(final=True)

    # ---- what is not to be seen --------------------------------------------------------------

    def _shown(self, *, final: bool) -> str:
        """What of the raw text is to be seen, as far as that can be told."""
        shown: list[str] = []
        while self._raw:
            if self._closing:
                _, found, after = self._raw.partition(self._closing)
                if not found:
                    self._raw = self._raw[-len(self._closing) + 1 :]
                    break
                self._raw, self._closing = after, ""
                continue
            at = self._raw.find("<")
            if at < 0:
                shown.append(self._raw)
                self._raw = ""
                break
            shown.append(self._raw[:at])
            self._raw = self._raw[at:]
            opened = next((pair for pair in _HIDDEN if self._raw.startswith(pair[0])), None)
            if opened is not None:
                self._raw, self._closing = self._raw[len(opened[0]) :], opened[1]
            elif not final and any(opening.startswith(self._raw) for opening, _ in _HIDDEN):
                break
            else:
                shown.append(self._raw[0])
                self._raw = self._raw[1:]
        return "".join(shown)

    # ---- where a sentence ends -----------------------------------------------------------------

    def _cut(self, *, final: bool) -> list[str]:
        found: list[str] = []
        while True:
            start = len(self._text) - len(self._text.lstrip())
            self._line_start = self._line_start or "\n" in self._text[:start]
            self._text = self._text[start:]
            end = _end_of(self._text, final=final)
            if end is None:
                break
            sentence = _clean(self._text[:end], self._line_start)
            self._text, self._line_start = self._text[end:], False
            if any(character.isalnum() for character in sentence):
                found.append(sentence)
        return found


def _end_of(text: str, *, final: bool) -> int | None:
    """Where the first sentence of `text` ends; None where that is not certain yet.

    Every decision rests on the text up to the place where it is taken, never on how much is there.
    """
    at, pause, space = 0, 0, 0
    while at < len(text):
        if at > MAX_BREATH and (pause or space):
            return pause or space
        if at > MAX_WORD:
            return at
        if (closing := _FORMULAS.get(text[at : at + 2])) is not None:
            close = text.find(closing, at + 2, at + MAX_FORMULA)
            if close < 0 and not final and len(text) < at + MAX_FORMULA:
                return None
            at = close + len(closing) if close >= 0 else at + 1
            continue
        if text[at] in "\\$" and at + 1 == len(text) and not final:
            return None  # it may open a formula
        if text[at] == "\n":
            return at
        if text[at].isspace():
            if at >= SHORTEST_CUT:
                space = at
                pause = at if text[at - 1] in ",;:" else pause
            at += 1
            continue
        mark = _END.match(text, at)
        if mark is None:
            at += 1
            continue
        after = mark.end()
        if after == len(text) and not final:
            return None
        verdict = _is_over(text, at, after, final=final)
        if verdict is None:
            return None
        if verdict:
            return after
        at = after
    return len(text) if final and text else None


def _is_over(text: str, at: int, after: int, *, final: bool) -> bool | None:
    """Whether the sentence ends with the mark from `at` to `after`; None: not certain yet."""
    if after == len(text):
        return True
    if text[at] in _WIDE:
        return True
    if not text[after].isspace():
        return False  # 3.5, example.org
    if text[at] == "." and (_ABBREVIATION.search(text, 0, at + 1) or _MARK.fullmatch(text[:after])):
        return False
    rest = text[after:].lstrip()
    if "\n" in text[after : len(text) - len(rest)]:
        return True
    if not rest:
        return True if final else None
    return rest[0] not in _GOES_ON


# ---- what is written but not said ---------------------------------------------------------------


def _clean(sentence: str, line_start: bool) -> str:
    """A sentence without its markup; formulas stay as they are."""
    if line_start:
        sentence = _LINE_START.sub("", sentence, count=1)
    parts: list[str] = []
    at = 0
    for formula in _MATHS.finditer(sentence):
        parts += (_plain(sentence[at : formula.start()]), formula[0])
        at = formula.end()
    parts.append(_plain(sentence[at:]))
    return " ".join("".join(parts).split())


def _plain(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub("", text)
    text = _TAG.sub("", text)
    text = _FENCE.sub("", text)
    text = _BOLD.sub("", text)
    text = _LEAN.sub(r"\1", text)
    text = _LEAN_TOO.sub(r"\1", text)
    text = _EMOJI.sub("", text)
    text = _SIGN.sub(lambda sign: _SIGNS[sign[0]], text)
    return _BARE_TEX.sub(lambda formula: f"\\({formula[0]}\\)", text)
