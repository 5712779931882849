"""The simulated Converse, by botocore's own client: another reading of the protocol."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any

import botocore.config
import botocore.session
import pytest
from botocore.exceptions import ClientError, EventStreamError, HTTPClientError
from urllib3.exceptions import HTTPError

from tests.fakes.converse import Converse
from tests.fakes.faults import Fault
from tests.fakes.mind import Call, Reply, Script

MODEL = "us.amazon.nova-2-lite-v1:0"
HELLO = {"role": "user", "content": [{"text": "Guten Tag"}]}
TOOL = {
    "toolSpec": {
        "name": "look",
        "description": "d",
        "inputSchema": {"json": {"type": "object", "properties": {}}},
    }
}


@pytest.fixture(scope="module")
def make_client() -> Callable[[Converse], Any]:
    session = botocore.session.get_session()

    def make(converse: Converse) -> Any:
        return session.create_client(
            "bedrock-runtime",
            region_name=converse.secret.region,
            endpoint_url=converse.endpoint,
            aws_access_key_id=converse.secret.access_key,
            aws_secret_access_key=converse.secret.secret_key,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=1),
        )

    return make


def streamed(client: Any, **request: Any) -> list[tuple[str, Any]]:
    stream = client.converse_stream(**{"modelId": MODEL, "messages": [HELLO], **request})["stream"]
    with closing(stream):
        return [item for event in stream for item in event.items()]


async def test_words_and_tools_come_whole_however_they_were_cut(
    make_client: Callable[[Converse], Any],
) -> None:
    text = "Schöne Grüße – ½ ist größer als ⅓."
    arguments = '{"q": "größer"}'
    script = Script(Reply(text, (Call("look", arguments),), Reply("Done.")))
    async with Converse(script) as converse:
        client = make_client(converse)
        tools = {"toolConfig": {"tools": [TOOL]}, "system": [{"text": "You are a tutor."}]}
        events = await asyncio.to_thread(streamed, client, **tools)
        names = [name for name, _ in events]
        assert names[0] == "messageStart"
        assert names[-2:] == ["messageStop", "metadata"]
        deltas = [body["delta"] for name, body in events if name == "contentBlockDelta"]
        assert "".join(delta.get("text", "") for delta in deltas) == text
        inputs = [delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta]
        assert "".join(inputs) == arguments
        assert events[-2][1]["stopReason"] == "tool_use"
        assert events[-1][1]["usage"]["inputTokens"] == 6
        whole = await asyncio.to_thread(client.converse, modelId=MODEL, messages=[HELLO], **tools)
        used = whole["output"]["message"]["content"][1]["toolUse"]
        assert used["input"] == {"q": "größer"}
        result = {"toolUseId": used["toolUseId"], "content": [{"json": {"found": 1}}]}
        messages = [
            HELLO,
            whole["output"]["message"],
            {"role": "user", "content": [{"toolResult": result}]},
        ]
        converse.script = Script(when={"guten": script.opening})  # type: ignore[dict-item]
        events = await asyncio.to_thread(streamed, client, messages=messages, **tools)
        deltas = [body["delta"] for name, body in events if name == "contentBlockDelta"]
        assert "".join(delta["text"] for delta in deltas) == "Done."
        assert converse.violations == []
        assert converse.open_requests == 0


async def test_an_answer_longer_than_allowed_is_cut(
    make_client: Callable[[Converse], Any],
) -> None:
    async with Converse(Script("One two three four five.")) as converse:
        few = {"inferenceConfig": {"maxTokens": 3}}
        events = await asyncio.to_thread(streamed, make_client(converse), **few)
        assert dict(events)["messageStop"]["stopReason"] == "max_tokens"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "start with a user"),
        (
            {"messages": [HELLO, {"role": "assistant", "content": [{"text": "x"}]}]},
            "end with a user",
        ),
        ({"messages": [HELLO, HELLO, HELLO]}, "alternate"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank"),
        ({"messages": [{"role": "user", "content": []}]}, "empty"),
        (
            {
                "messages": [
                    HELLO,
                    {
                        "role": "assistant",
                        "content": [{"toolUse": {"toolUseId": "t", "name": "look", "input": {}}}],
                    },
                    HELLO,
                ]
            },
            "Expected toolResult",
        ),
        ({"modelId": "nobody"}, "identifier is invalid"),
        ({"inferenceConfig": {"temperature": 1.5}}, "temperature"),
    ],
)
async def test_what_is_against_the_rules_is_refused(
    request_: dict[str, Any], message: str, make_client: Callable[[Converse], Any]
) -> None:
    async with Converse() as converse:
        client = make_client(converse)
        client.meta.config.parameter_validation = False
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(streamed, client, **request_)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert message in refused.value.response["Error"]["Message"]
        assert len(converse.violations) == 1


async def test_a_wrong_signature_is_refused(make_client: Callable[[Converse], Any]) -> None:
    async with Converse() as converse:
        client = make_client(converse)
        object.__setattr__(converse.secret, "secret_key", "another")
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(streamed, client)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault("throttled"), ClientError),
        (Fault("server_error", detail="503"), ClientError),
        (Fault("exception", detail="throttlingException: Slower."), EventStreamError),
        (Fault("close_mid_utterance"), HTTPError),
        (Fault("refuse_connection"), HTTPClientError),
        (Fault("hang_mid_audio"), HTTPError),
        (Fault("hang_before_first_event"), HTTPClientError),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_faults(
    fault: Fault, problem: type[Exception], make_client: Callable[[Converse], Any]
) -> None:
    async with Converse(Script("One two three four five.")) as converse:
        converse.fail(fault)
        client = make_client(converse)
        with pytest.raises(problem):
            await asyncio.to_thread(streamed, client)
        converse.faults.clear()
        assert await asyncio.to_thread(streamed, client)
