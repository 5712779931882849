"""Where a school's lessons may be sent, and what is said where a vendor's package is missing."""

import pytest

from server.engine_maker import NotBuilt, _vendor, may_reach


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://api.openai.com/v1", True),
        ("https://API.openai.com/v1", True),
        ("http://api.openai.com/v1", False),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://api.openai.com:8443/v1", False),
        ("https://bedrock-runtime.eu-north-1.amazonaws.com", True),
        ("https://bedrock-runtime.eu-north-1.amazonaws.com.evil.example", False),
        ("https://internal.elb.amazonaws.com", False),
        ("https://school.azure.example/openai/v1", True),
        ("https://azure.example/openai/v1", False),
        ("https://[::ffff:10.0.0.5].azure.example/v1", False),
        ("https://user@school.azure.example/v1", False),
        ("http://llm.example:11434/v1", True),
        ("http://llm.example/v1", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_only_the_operator_says_which_places_are_called(address, may):
    places = ("https://*.azure.example", "http://llm.example:11434/")
    assert may_reach(address, places) is may


async def test_a_missing_package_is_named():
    with pytest.raises(NotBuilt, match="no_such_module can't be loaded"):
        await _vendor("ai.no_such_module")
