"""Chat completions and responses of a simulated OpenAI."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes import openai_shapes
from tests.fakes.faults import Fault
from tests.fakes.mind import Line, Reply, reply
from tests.fakes.openai_desk import Desk, Refused, error_body, sse
from tests.fakes.openai_effective import tools
from tests.fakes.openai_mishaps import FOREIGN
from tests.fakes.openai_shapes import Complaint
from tests.fakes.openai_texts import Responses, chat_chunks, chat_whole, of_chat, of_input

BEFORE = 6  # events of a response, four of which hold no words


def as_the_types_say(wish: Any) -> Any:
    """A tutor's earlier words may be given without id and status, which the types do not know."""
    given = wish.get("input") if isinstance(wish, dict) else None
    if not isinstance(given, list):
        return wish
    return {**wish, "input": [_whole(item) for item in given]}


def _whole(item: Any) -> Any:
    match item:
        case {"role": "assistant", "content": [{"type": "output_text"}, *_]}:
            parts = [{"annotations": [], **part} for part in item["content"]]
            usual = {"id": "msg_given", "status": "completed", "type": "message"}
            return {**usual, **item, "content": parts}
    return item


class Texts:
    """Thinks and writes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stored: dict[str, list[Line]] = {}

    async def chat(self, request: Request, fault: Fault | None) -> Response:
        wish = await self._desk.read(request, completion_create_params.CompletionCreateParams)
        self._check_tools([tool.get("function", {}) for tool in wish.get("tools", ())], wish)
        if wish.get("stream_options") and not wish.get("stream"):
            self._desk.blame(
                wish, Complaint("Only with stream.", "invalid_value", "stream_options")
            )
        instructions, lines = of_chat(wish["messages"])
        self._check_calls(wish)
        said = await self._think(instructions, lines, wish)
        if not wish.get("stream"):
            return JSONResponse(chat_whole(wish, said))
        events = (json.dumps(chunk, ensure_ascii=False) for chunk in chat_chunks(wish, said))
        foreign = next(chat_chunks(wish, Reply()))
        foreign["choices"][0]["delta"] = {"content": FOREIGN}
        broken = {
            "unknown_event": json.dumps({"object": "chat.completion.scent", "scent": "cinnamon"}),
            "wrong_session": json.dumps(foreign),
            "error_mid_stream": json.dumps(error_body("The model broke.", "server_error", None)),
        }
        frames = (sse(None, event, self._desk.manners.line_end) for event in events)
        last = sse(None, "[DONE]", self._desk.manners.line_end)
        return self._desk.stream(request, fault, frames, last, broken)

    async def responses(self, request: Request, fault: Fault | None) -> Response:
        wish = await self._desk.read(
            request, response_create_params.ResponseCreateParams, as_the_types_say
        )
        if "model" not in wish or "input" not in wish:
            missing = "input" if "model" in wish else "model"
            self._desk.blame(wish, openai_shapes.missing(missing))
        self._check_tools(wish.get("tools", []), wish)
        before = wish.get("previous_response_id")
        if before is not None and before not in self._stored:
            raise Refused(400, f"Previous response with id '{before}' not found.")
        inside, lines = of_input(wish["input"])
        lines = [*self._stored.get(before or "", ()), *lines]
        instructions = "\n\n".join(filter(None, (wish.get("instructions"), inside)))
        said = await self._think(instructions, lines, wish)
        response = Responses(wish, said, lines)
        if wish.get("store", True):
            self._stored[response.id] = [*lines, Line("tutor", said.text)]
        if not wish.get("stream"):
            return JSONResponse(response.whole())
        frames = (self._desk.typed(event) for event in response.events())
        other = Responses(wish, Reply(FOREIGN), lines)
        foreign = next(event for event in other.events() if "delta" in event["type"])
        broken = {
            "unknown_event": '{"type": "response.output_scent.delta", "sequence_number": 3}',
            "wrong_session": json.dumps(foreign),
            "error_mid_stream": json.dumps(response.failed(BEFORE)),
        }
        return self._desk.stream(request, fault, frames, b"", broken, before=BEFORE)

    async def _think(self, instructions: str, lines: list[Line], wish: Mapping[str, Any]) -> Reply:
        manners = self._desk.house.manners
        await asyncio.sleep(self._desk.manners.first_s)
        said = await asyncio.to_thread(
            reply, manners.script, instructions, lines, checks=manners.checks
        )
        choice = wish.get("tool_choice", "auto")
        return Reply(said.text) if choice == "none" or not wish.get("tools") else said

    def _check_tools(self, given: Any, wish: Mapping[str, Any]) -> None:
        if complaint := tools(list(given), "tools"):
            self._desk.blame(wish, complaint)

    def _check_calls(self, wish: Mapping[str, Any]) -> None:
        """Each call of a tool must be followed by its result, and no result comes without one."""
        open_: list[str] = []
        for place, message in enumerate(wish["messages"]):
            at = f"messages[{place}]"
            if message["role"] == "tool":
                if message["tool_call_id"] not in open_:
                    self._desk.blame(wish, Complaint("No such call.", "invalid_value", at))
                open_.remove(message["tool_call_id"])
            elif open_:
                said = f"'tool_calls' must be followed by tool messages for each: {open_}."
                self._desk.blame(wish, Complaint(said, "invalid_value", at))
            open_ += [call["id"] for call in message.get("tool_calls") or ()]
