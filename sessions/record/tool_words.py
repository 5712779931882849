"""A tool that the tutor used, in plain words for those who review the session.

The words of the item itself are for everyone, the student too; these tell what was asked and what
came of it, with answers and passages, and are for staff.
"""

from collections.abc import Mapping
from typing import Any

from sessions.record.model import Item, tool_of

_VERDICTS = {"right": "right", "wrong": "wrong", "unclear": "unclear"}
_NOTES = {
    "step_done": "step {step} is done",
    "hint_given": "hint {which} of step {step} was given",
    "misconception_seen": "misconception {which} of step {step} was seen",
    "solved_for_them": "step {step} was worked out for the student",
}
QUOTED = 160  # characters of a passage


def tool_words(item: Item) -> str | None:
    """What staff reads of a use; None where the item is none."""
    tool = tool_of(item)
    if tool is None:
        return None
    arguments, result = _mapping(tool, "arguments"), _mapping(tool, "result")
    problem = result.get("error")
    match tool.get("name"):
        case "check_answer":
            words = _checked(tool, arguments, result)
        case "look_up":
            words = _looked_up(arguments, result)
        case "note_progress":
            words = _noted(arguments)
        case "ask_for_human":
            reason = str(arguments.get("reason") or "").strip()
            words = f"Asked for a person: {reason}" if reason else "Asked for a person."
        case _:
            return item.said
    return f"{words} It could not be done." if problem else words


def _checked(
    tool: Mapping[str, Any], arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> str:
    words = f"Checked “{arguments.get('said', '')}” against step {tool.get('step')}"
    if "error" in result:
        return f"{words}."
    words += f": {_VERDICTS.get(str(result.get('verdict')), 'unclear')}"
    understood = result.get("understood")
    if understood and understood != arguments.get("said"):
        words += f" (understood as “{understood}”)"
    if "misconception" in result:
        words += f", misconception {result['misconception']}"
    return f"{words}."


def _looked_up(arguments: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    words = f"Looked up “{arguments.get('about', '')}”"
    if "error" in result:
        return f"{words}."
    passages = result.get("passages")
    found = [_quoted(each) for each in passages] if isinstance(passages, list) else []
    return f"{words}: {' · '.join(found)}" if found else f"{words}: nothing found."


def _quoted(passage: Any) -> str:
    if not isinstance(passage, Mapping):
        return ""
    text = str(passage.get("text", ""))
    text = text if len(text) <= QUOTED else text[: QUOTED - 1].rstrip() + "…"
    return f"{passage.get('source', '')}: “{text}”"


def _noted(arguments: Mapping[str, Any]) -> str:
    words = _NOTES.get(str(arguments.get("what")), "something")
    which = arguments.get("which") or "the next"
    return f"Noted: {words.format(step=arguments.get('step'), which=which)}."


def _mapping(tool: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tool.get(name)
    return found if isinstance(found, Mapping) else {}
