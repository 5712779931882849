"""A conversation as Nova Sonic wants to be told of it. No I/O.

It is told once, before any audio: beginning with the student, the two taking turns, and not too
long. What is left out is the oldest.
"""

from collections.abc import Iterable, Sequence

from ai.bedrock.wire import Role
from ai.engine import Utterance

MAX_BYTES = 40 * 1024  # Nova 2's guide, of the whole history; other sources say 200 KB
MAX_ONE = 8 * 1024  # one utterance: a pasted text must not push out the whole lesson
JOINED = "(I have joined the lesson.)"
EARLIER = "(We talked about more before; that is left out here.)"

Line = tuple[Role, str]


def history(memory: Sequence[Utterance], *, step: int = 0, most: int = MAX_BYTES) -> list[Line]:
    """USER and ASSISTANT by turns, USER first; at most `most` bytes of UTF-8 in all.

    `step`, from 0, is where in the plan the lesson is.
    """
    lines = [(_role(one), _shortened(_words(one))) for one in memory if one.text.strip()]
    where = f"(We are at step {step + 1} of the plan.)" if step else ""
    left = most - len(EARLIER) - len(where) - 2
    kept: list[Line] = []
    for role, text in reversed(lines):
        left -= len(text.encode("utf-8", "replace")) + 1
        if left < 0:
            break
        kept.append((role, text))
    kept.reverse()
    if not kept:
        return []
    first = EARLIER if len(kept) < len(lines) else JOINED
    return _merged([("USER", f"{first} {where}".rstrip()), *kept])


def _role(utterance: Utterance) -> Role:
    return "ASSISTANT" if utterance.role == "tutor" else "USER"


def _words(utterance: Utterance) -> str:
    text = utterance.text.strip()
    return f"(Note: {text})" if utterance.role == "system" else text


def _shortened(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MAX_ONE:
        return text
    return raw[: MAX_ONE - 4].decode("utf-8", "ignore") + " …"


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Neighbours of one role become one line."""
    merged: list[Line] = []
    for role, text in lines:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]}\n{text}")
        else:
            merged.append((role, text))
    return merged
