"""Text in pieces that can be said in one breath."""

import re

MAX_BREATH = 220  # characters; about fifteen seconds of slow speech
SHORT_QUESTION = 4  # words
_END = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]]))\s+(?=[^\W_]|[¿¡\"'“‘(\-])")
_ABBREVIATIONS = ("e.g.", "i.e.", "Mr.", "Mrs.", "Ms.", "Dr.", "St.", "vs.", "etc.", "Sr.", "Sra.")
_BREATHS = ("; ", ": ", ", ", " ")


def sentences(text: str) -> list[str]:
    """The sentences of `text`; one too long for a breath is cut at a comma or a space."""
    found: list[str] = []
    held = ""
    for part in _END.split(" ".join(text.split())):
        held = f"{held} {part}".strip()
        if held.endswith(_ABBREVIATIONS):
            continue
        found += _breaths(held)
        held = ""
    return found + _breaths(held)


def question_of(text: str) -> str:
    """The question a text ends on, short enough to be asked again; the whole text if it asks none.

    `What is it?` alone would say nothing, so a question of few words keeps what comes before it.
    """
    parts = sentences(text)
    at = next((at for at in reversed(range(len(parts))) if parts[at].endswith("?")), None)
    if at is None:
        return text
    short = len(parts[at].split()) <= SHORT_QUESTION
    return " ".join(parts[max(at - 1, 0) if short else at : at + 1])


def _breaths(sentence: str) -> list[str]:
    parts: list[str] = []
    while len(sentence) > MAX_BREATH:
        cuts = (sentence.rfind(mark, 40, MAX_BREATH) + len(mark.rstrip()) for mark in _BREATHS)
        at = next((cut for cut in cuts if cut > 40), MAX_BREATH)
        parts.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*parts, sentence] if sentence else parts
