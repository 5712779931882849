"""The API's description as a plain page: no script, no other site."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

from server.errors import TABLE

HEAD = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>API · Student Connect</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/static/css/tokens.css">
  <link rel="stylesheet" href="/static/css/base.css">
  <link rel="stylesheet" href="/static/css/api.css">
</head>
<body>
<main class="api">
<h1>Student Connect API</h1>
<p>All of this for programs: <a href="/api/v1/openapi.json">openapi.json</a> (OpenAPI 3.1). Send
<code>Authorization: Bearer &lt;token&gt;</code>; <code>student-connect token</code> makes one. The
live door, under <code>/v1</code>, speaks OpenAI’s Realtime protocol.</p>
"""
FOOT = "</main>\n</body>\n</html>\n"


def page(described: Mapping[str, Any]) -> str:
    """The HTML of an OpenAPI document as `openapi.document` makes it."""
    schemas = described["components"]["schemas"]
    parts = [HEAD]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            parts += _operation(method, path, operation)
    parts += ["<h2>What goes in and out</h2>\n"]
    for name in sorted(schemas):
        parts += _schema(name, schemas[name])
    parts += _refusals()
    return "".join([*parts, FOOT])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> list[str]:
    parts = [
        f'<section>\n<h2 id="{escape(operation["operationId"])}">'
        f"<code>{method.upper()} {escape(path)}</code></h2>\n<p>{escape(operation['summary'])}.",
        " Open to everyone." if operation.get("security") == [] else "",
        "</p>\n",
    ]
    if parameters := operation.get("parameters"):
        rows = [(one["name"], f"{_type(one['schema'])}, in {one['in']}") for one in parameters]
        parts.append(_table("Parameters", rows))
    if body := operation.get("requestBody"):
        parts.append(f"<p>Takes {_content(body['content'])}.</p>\n")
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            given = _content(answer["content"]) if "content" in answer else "nothing more"
            parts.append(f"<p>Answers {status} with {given}.</p>\n")
    return [*parts, "</section>\n"]


def _schema(name: str, schema: Mapping[str, Any]) -> list[str]:
    said = f"<p>{escape(schema['description'])}</p>\n" if "description" in schema else ""
    parts = [f'<section>\n<h3 id="{escape(name)}">{escape(name)}</h3>\n{said}']
    if fields := schema.get("properties"):
        parts.append(_table("Fields", [(field, _type(fields[field])) for field in fields]))
    return [*parts, "</section>\n"]


def _refusals() -> list[str]:
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status} {HTTPStatus(status).phrase}</td>'
        f"<td>{escape((kind.__doc__ or '').partition(chr(10))[0])}</td></tr>\n"
        for kind, (status, code) in TABLE.items()
    )
    return [
        "<h2>Refusals</h2>\n<table><thead><tr><th scope=col>Code</th><th scope=col>Status</th>"
        f"<th scope=col>When</th></tr></thead>\n<tbody>{rows}</tbody></table>\n"
    ]


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    """Names are escaped here, types are HTML already."""
    body = "".join(f"<tr><td><code>{escape(n)}</code></td><td>{t}</td></tr>" for n, t in rows)
    return (
        f"<table><caption>{caption}</caption><thead><tr><th scope=col>Name</th>"
        f"<th scope=col>Type</th></tr></thead><tbody>{body}</tbody></table>\n"
    )


def _content(content: Mapping[str, Any]) -> str:
    return ", or ".join(
        _type(described["schema"]) if media == "application/json" else f"<code>{media}</code>"
        for media, described in content.items()
    )


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, as HTML."""
    if ref := schema.get("$ref"):
        name = escape(str(ref).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(one) for one in schema[union])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    named = schema.get("format") or schema.get("type") or "anything"
    return escape("nothing" if named == "null" else str(named))
