"""Text of a plan, YAML or JSON, as a tree that knows its lines.

Every scalar stays the text that was written: `yes` is the word yes and `2/4` is not a date. What a
plan never needs is refused here before it can cost anything: anchors and aliases (they can
multiply without end), tags, keys given twice, deep nesting, more than 256 KiB.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import compile as pattern
from typing import Any

import yaml

from sessions.errors import PlanInvalid

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8  # a plan needs 6: steps, step, misconceptions, misconception, says, text
MAX_NODES = 20_000
_EMPTY = {"", "~", "null", "Null", "NULL"}
_BLANK = pattern(r"[ \t\r\n]*")
_BARE = pattern(r"-?\d[\d.eE+-]*|true|false|null")
_STRINGS = json.JSONDecoder(strict=False)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line of its key, or its own where it has none."""

    line: int
    value: "str | list[Node] | dict[str, Node] | None"

    def plain(self) -> Any:
        """The same without lines."""
        match self.value:
            case list():
                return [node.plain() for node in self.value]
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
        return self.value

    def line_of(self, path: Sequence[str | int]) -> int:
        """The line of what `path` names, or of the nearest thing around it."""
        node = self
        for key in path:
            match node.value:
                case dict() if isinstance(key, str) and key in node.value:
                    node = node.value[key]
                case list() if isinstance(key, int) and key < len(node.value):
                    node = node.value[key]
                case _:
                    break
        return node.line


def refuse(line: int | None, sentence: str) -> PlanInvalid:
    return PlanInvalid([(line, "", sentence)])


def read(text: str) -> Node:
    """The tree of `text`: JSON if it begins with a brace, else YAML. Raises PlanInvalid."""
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise refuse(
            None,
            f"a plan may be {MAX_BYTES // 1024} KiB at most; put long reading into `material` of"
            " several lessons",
        )
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _Json(text.removeprefix("\ufeff")).document()
    return _read_yaml(text)


class _Tree:
    """Grows a tree from opening, closing and scalar events; keeps the bounds."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._keys: list[tuple[str, int] | None] = []
        self._count = 0

    def scalar(self, text: str | None, line: int) -> None:
        if self._open and isinstance(self._open[-1].value, dict) and self._keys[-1] is None:
            self._keys[-1] = self._key(text, line, self._open[-1].value)
        else:
            self._place(Node(line, text))

    def begin(self, value: "list[Node] | dict[str, Node]", line: int) -> None:
        if self._open and isinstance(self._open[-1].value, dict) and self._keys[-1] is None:
            raise refuse(line, "a key must be one word, such as `ask`")
        if len(self._open) >= MAX_DEPTH:
            raise refuse(line, f"this is nested more than {MAX_DEPTH} deep; a plan needs less")
        self._open.append(self._place(Node(line, value)))
        self._keys.append(None)

    def end(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _key(self, text: str | None, line: int, siblings: dict[str, Node]) -> tuple[str, int]:
        if text is None:
            raise refuse(line, "a key is empty; write a word before the colon")
        if text in siblings:
            raise refuse(
                line,
                f"`{_short(text)}` is given twice here; keep one (first: {siblings[text].line})",
            )
        return text, line

    def _place(self, node: Node) -> Node:
        self._count += 1
        if self._count > MAX_NODES:
            raise refuse(node.line, f"more than {MAX_NODES:,} entries; split the lesson")
        if not self._open:
            self.root = node
            return node
        parent = self._open[-1].value
        if isinstance(parent, list):
            parent.append(node)
        elif isinstance(parent, dict):
            key = self._keys[-1]
            assert key is not None
            node = Node(key[1], node.value)
            parent[key[0]] = node
            self._keys[-1] = None
        return node


def _read_yaml(text: str) -> Node:
    tree = _Tree()
    documents = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refuse(line, "anchors and aliases (& and *) are not read; write the text out")
        if getattr(event, "tag", None):
            raise refuse(line, f"the tag {_short(event.tag)} is not read; take it out")
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise refuse(line, "a second document begins here; one file is one plan")
            case yaml.MappingStartEvent():
                tree.begin({}, line)
            case yaml.SequenceStartEvent():
                tree.begin([], line)
            case yaml.CollectionEndEvent():
                tree.end()
            case yaml.ScalarEvent():
                empty = event.implicit[0] and event.value in _EMPTY
                tree.scalar(None if empty else event.value, line)
    if tree.root is None:
        raise refuse(None, "the plan is empty; begin with `title:`")
    return tree.root


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise refuse(
            mark.line + 1 if mark else None,
            f"YAML can't be read here ({error.problem or error.context}); look at the indentation"
            " and put text with `: ` or `#` in it into double quotes",
        ) from None
    except yaml.YAMLError as error:
        raise refuse(
            None, f"YAML can't be read ({_short(str(error))}); save the file as plain UTF-8 text"
        ) from None
    except UnicodeError:
        raise refuse(None, "the text is broken Unicode; save the file as UTF-8") from None


class _Json:
    """JSON with line numbers; the bounds are the tree's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines = (0, 1)
        self._tree = _Tree()

    def document(self) -> Node:
        self._value()
        self._skip()
        if self._at < len(self._text):
            raise self._broken("something follows the closing brace")
        assert self._tree.root is not None
        return self._tree.root

    def _value(self) -> None:
        self._skip()
        line = self._line()
        match self._text[self._at : self._at + 1]:
            case "{":
                self._tree.begin({}, line)
                self._members("}", keyed=True)
            case "[":
                self._tree.begin([], line)
                self._members("]", keyed=False)
            case '"':
                self._string()
            case _:
                bare = _BARE.match(self._text, self._at)
                if bare is None:
                    raise self._broken("a value is missing or not in double quotes")
                self._at = bare.end()
                self._tree.scalar(None if bare[0] == "null" else bare[0], line)

    def _members(self, close: str, *, keyed: bool) -> None:
        self._at += 1
        self._skip()
        if self._text.startswith(close, self._at):
            self._at += 1
            return self._tree.end()
        while True:
            if keyed:
                self._skip()
                if not self._text.startswith('"', self._at):
                    raise self._broken("a key must stand in double quotes")
                self._string()
                self._skip()
                if not self._text.startswith(":", self._at):
                    raise self._broken("a colon is missing after the key")
                self._at += 1
            self._value()
            self._skip()
            mark = self._text[self._at : self._at + 1]
            self._at += 1
            if mark == close:
                return self._tree.end()
            if mark != ",":
                raise self._broken(f"a comma or `{close}` is missing")

    def _string(self) -> None:
        line = self._line()
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            raise self._broken("a text in double quotes does not end well") from None
        self._tree.scalar(text, line)

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        assert blank is not None
        self._at = blank.end()

    def _line(self) -> int:
        at, line = self._lines
        self._lines = (self._at, line + self._text.count("\n", at, self._at))
        return self._lines[1]

    def _broken(self, why: str) -> PlanInvalid:
        return refuse(self._line(), f"JSON can't be read here: {why}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
