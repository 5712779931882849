"""A draft as a file, and back."""

import json

import pytest
import yaml

from sessions.lessons.demo import SLUGS, demo_plan
from sessions.lessons.draft import from_plan
from sessions.lessons.export import export
from sessions.lessons.plan import read_plan


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("format", ["yaml", "json"])
def test_a_whole_draft_is_read_again_as_the_same_plan(slug, format):
    plan = demo_plan(slug)
    text = export(from_plan(plan), format)
    assert read_plan(text) == plan
    assert "id:" not in text and '"id"' not in text


def test_what_is_not_whole_is_written_as_it_was_typed_in_a_plans_order():
    content = {
        "voice": {"speed": "fast", "name": "Ana"},
        "steps": [{"id": "a", "hints": ["Look: {{", 3], "ask": "<b>"}, {"id": "b"}],
        "title": "سلام",
    }
    text = export(content, "yaml")
    assert text.startswith("title: سلام\nsteps:\n- ask: <b>\n  hints:")
    written = yaml.safe_load(text)
    assert written == json.loads(export(content, "json"))
    assert written["voice"] == {"name": "Ana", "speed": "fast"}
    assert written["steps"] == [{"ask": "<b>", "hints": ["Look: {{", 3]}, {}]
