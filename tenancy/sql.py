"""Reads `.sql` files: named queries for the modules beside them, statements for migrations.

A query file is a list of

    -- name(args)
    -- A comment that says what it is for.
    SELECT ...;

`args` is for the reader: the meaning of $1, $2, ... in order. Every query names the school, as
`tenant_id = $1` or as the first value it inserts, except where it reads only tables written
`control.name`, or its file begins with `-- for: control`. A test holds every file to that.
"""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- ([a-z][a-z0-9_]*)\([^)\n]*(?:\n--[^)\n]*)*\)[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(
    r"""
      (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def load(package: str, name: str) -> dict[str, str]:
    """The queries of a `.sql` file by name, without their comments and closing semicolons.

    Raises:
        ValueError: If the file names a query twice, or one of its queries is not one statement.
    """
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    queries: dict[str, str] = {}
    names = list(_NAME.finditer(text))
    for this, following in zip(names, [*names[1:], None], strict=False):
        body = text[this.end() : following.start() if following else len(text)]
        statements = split(body)
        if len(statements) != 1:
            raise ValueError(
                f"{name}: {this[1]} holds {len(statements)} statements instead of one."
            )
        if this[1] in queries:
            raise ValueError(f"{name}: two queries are named {this[1]}.")
        queries[this[1]] = statements[0]
    return queries


def split(text: str) -> list[str]:
    """The statements of an SQL text, each without the comments before it and its semicolon.

    Semicolons within strings, quoted names, dollar quotes and (nested) comments end nothing.

    Raises:
        ValueError: If a comment is never closed.
    """
    statements: list[str] = []
    start = at = 0
    begun = False
    while True:
        token = _TOKEN.search(text, at)
        if (token is None and text[at:].strip()) or (token and text[at : token.start()].strip()):
            start, begun = (start if begun else _word(text, at)), True
        if token is None:
            break
        if token["line"] is not None or token["block"] is not None:
            at = token.end() if token["line"] is not None else _end_of_block(text, token.start())
            continue
        if token["end"] is not None:
            if begun:
                statements.append(text[start : token.start()].rstrip())
            begun = False
        elif not begun:
            start, begun = token.start(), True
        at = token.end()
    if begun:
        statements.append(text[start:].rstrip())
    return statements


def _word(text: str, at: int) -> int:
    return at + len(text[at:]) - len(text[at:].lstrip())


def _end_of_block(text: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise ValueError("A comment /* is never closed.")
