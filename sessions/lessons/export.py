"""A draft as a file: what `read_plan` reads again, once it is whole."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson
import yaml

from sessions.lessons.draft import Content
from sessions.lessons.draft_fields import Json
from sessions.lessons.findings import read_draft
from sessions.lessons.plan import KEYS

Format = Literal["yaml", "json"]
MEDIA: Mapping[Format, str] = {"yaml": "application/yaml", "json": "application/json"}


def export(content: Content, format: Format) -> str:
    """The draft in a plan's words, without the ids of its steps; holes stay holes."""
    plan = read_draft(content)
    plain = _ordered(content, "") if isinstance(plan, list) else plan.plain()
    if format == "json":
        return orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode() + "\n"
    return yaml.safe_dump(
        plain, allow_unicode=True, sort_keys=False, width=96, default_flow_style=False
    )


def _ordered(part: Any, name: str) -> Json:
    """With keys in the order in which a plan has them, whatever order they were typed in."""
    if isinstance(part, Mapping):
        known = KEYS.get(name, ())
        return {key: _ordered(part[key], key) for key in known if key in part}
    if isinstance(part, list | tuple):
        return [_ordered(entry, name) for entry in part]
    return part
