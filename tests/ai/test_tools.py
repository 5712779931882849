from pathlib import Path

import pytest

from ai.tools import NAMES, TOOLS, named

PLAIN = {"string", "integer"}
"What speech models fill in without mistakes."


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_takes_at_most_three_plain_arguments(tool):
    assert tool.parameters["type"] == "object"
    properties = tool.parameters["properties"]
    assert 1 <= len(properties) <= 3
    assert {each["type"] for each in properties.values()} <= PLAIN
    assert tool.parameters["required"] == list(properties)
    assert tool.parameters["additionalProperties"] is False
    assert all(each["description"].strip() for each in properties.values())


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_no_tool_knows_of_schools_students_or_sessions(tool):
    ours = ("tenant", "school", "student", "session", "_id")
    assert not any(word in name for name in tool.parameters["properties"] for word in ours)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_told_in_few_words(tool):
    assert 40 <= len(tool.description) <= 300


def test_tools_are_found_by_name_and_others_are_passed_over():
    assert tuple(tool.name for tool in TOOLS) == NAMES
    assert [tool.name for tool in named(["show", "fly", "check_answer"])] == [
        "check_answer",
        "show",
    ]
    assert named(()) == ()


@pytest.mark.parametrize("where", ["docs/rights.md", "docs/protocol.md", "ai/prompts/tools.md"])
def test_every_tool_is_told_of_where_people_and_models_look(where):
    text = (Path(__file__).parents[2] / where).read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
