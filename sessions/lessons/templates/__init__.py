"""Lessons to begin with: whole plans, each to be made one's own."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sessions.errors import TemplateUnknown
from sessions.lessons.plan import Plan, read_plan

ABOUT = {
    "worked-problem": "A problem solved step by step, with hints and usual mistakes. For maths.",
    "new-words": "New words in another language: hear one, say it, use it.",
    "reading": "Questions on a short text that students have in front of them.",
    "discussion": "Open questions in which students explain what they think.",
}


@dataclass(frozen=True, slots=True)
class Template:
    """A template, as one chooses it."""

    name: str
    title: str
    about: str


def template(name: str) -> Plan:
    """The template's plan. Raises TemplateUnknown."""
    if name not in ABOUT:
        raise TemplateUnknown(name)
    return _read(name)


def templates() -> list[Template]:
    """All of them."""
    return [Template(name, _read(name).title, about) for name, about in ABOUT.items()]


@cache
def _read(name: str) -> Plan:
    return read_plan(files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
