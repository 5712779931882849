"""The document says of every route what the table says of it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from server.api.docs import page
from server.api.openapi import document
from server.api.table import PREFIX
from server.app import API
from server.errors import TABLE


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(API)


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield name, part
            yield from everything(part)
    elif isinstance(value, list):
        for part in value:
            yield from everything(part)


def test_every_route_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    for route in API:
        path = PREFIX + re.sub(r":\w+}", "}", route.path)
        operation = described["paths"][path][route.method.lower()]
        assert operation["summary"] == route.summary
        assert str(route.status) in operation["responses"]
        assert ("requestBody" in operation) == bool(route.body or route.takes)
        assert (operation.get("security") == []) == route.public


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    names = [value for name, value in everything(described["paths"]) if name == "operationId"]
    assert len(names) == len(set(names)) == len(API)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    refs = [value for name, value in everything(described) if name == "$ref"]
    assert refs
    for ref in refs:
        assert ref.startswith("#/components/schemas/")
        assert ref.rpartition("/")[2] in schemas
    assert not any(name == "$defs" for name, _ in everything(described))


def test_path_parameters_are_named_as_in_the_path(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_refusals_are_problem_details(described: dict[str, Any]) -> None:
    for operations in described["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.names.add(name)
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.links.append(value or "")


def test_the_page_stands_by_itself_and_needs_no_script(described: dict[str, Any]) -> None:
    html = Page(page(described))
    assert "script" not in html.tags
    assert "style" not in html.names
    assert not any(name.startswith("on") for name in html.names)
    assert all(link.startswith(("/", "#", "data:,")) for link in html.links)
    assert len(html.ids) == len(set(html.ids))
    assert {link[1:] for link in html.links if link.startswith("#")} <= set(html.ids)


def test_every_kind_of_problem_has_its_place_on_the_page(described: dict[str, Any]) -> None:
    ids = Page(page(described)).ids
    assert {code for _, code in TABLE.values()} <= set(ids)


def test_what_a_table_says_is_shown_as_text(described: dict[str, Any]) -> None:
    paths = {"/x": {"get": {"operationId": "x", "summary": "<b>", "responses": {}}}}
    assert "<b>" not in page({**described, "paths": paths})
