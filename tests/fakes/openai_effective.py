"""What a Realtime session is set to: its defaults, and what `session.update` may make of them."""

import re
import time
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.fakes.openai_shapes import Complaint

VOICES = frozenset(
    {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}
)
SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
SPEEDS = (0.25, 1.5)
MOST_TOKENS = 4_096
INSTRUCTION_CHARACTERS = 65_536  # 16,384 tokens, at four characters each
PCM = {"type": "audio/pcm", "rate": 24_000}


def at_first(session_id: str, model: str, lifetime_s: float) -> dict[str, Any]:
    """The session as `session.created` shows it."""
    return {
        "object": "realtime.session",
        "type": "realtime",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty, and friendly AI.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": int(time.time() + lifetime_s),
        "include": None,
        "audio": {
            "input": {
                "format": dict(PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(SERVER_VAD),
            },
            "output": {"format": dict(PCM), "voice": "alloy", "speed": 1.0},
        },
    }


def updated(
    session: Mapping[str, Any], wish: Mapping[str, Any], *, voiced: bool, answering: bool
) -> dict[str, Any] | Complaint:
    """The session after a `session.update` of the right shape, or why it cannot be.

    `voiced`: the model has spoken in it. `answering`: it is answering now.
    """
    if wish["type"] != "realtime":
        return Complaint("The session is a realtime one.", "invalid_value", "session.type")
    if wish.get("model", session["model"]) != session["model"]:
        return Complaint("Cannot change the model of a session.", "invalid_value", "session.model")
    new = deepcopy(dict(session))
    audio = wish.get("audio") or {}
    for name, value in wish.items():
        if name != "audio":
            new[name] = deepcopy(value)
    for direction, fields in audio.items():
        new["audio"][direction] |= deepcopy(fields)
    detection = audio.get("input", {}).get("turn_detection")
    if detection is not None:
        usual = SERVER_VAD if detection["type"] == "server_vad" else SEMANTIC_VAD
        new["audio"]["input"]["turn_detection"] = usual | detection
    if complaint := _of_whole(new):
        return complaint
    was, now = session["audio"]["output"], new["audio"]["output"]
    if voiced and was["voice"] != now["voice"]:
        return Complaint(
            "Cannot update a conversation's voice if assistant audio is present.",
            "cannot_update_voice",
        )
    if answering and was["speed"] != now["speed"]:
        return Complaint(
            "The speed can only change between turns.",
            "invalid_value",
            "session.audio.output.speed",
        )
    return new


def _of_whole(session: Mapping[str, Any]) -> Complaint | None:
    """What types cannot tell."""
    heard, said = session["audio"]["input"], session["audio"]["output"]
    checks = (
        modalities(session["output_modalities"], "session.output_modalities"),
        tokens(session["max_output_tokens"], "session.max_output_tokens"),
        tools(session["tools"], "session.tools"),
        format_(heard["format"], "session.audio.input.format"),
        format_(said["format"], "session.audio.output.format"),
        voice(said["voice"], "session.audio.output.voice"),
        _between(said["speed"], *SPEEDS, "session.audio.output.speed"),
        _detection(heard["turn_detection"]),
        _transcription(heard["transcription"]),
        instructions(session["instructions"], "session.instructions"),
    )
    return next(filter(None, checks), None)


def modalities(wish: list[str], at: str) -> Complaint | None:
    if wish in (["audio"], ["text"]):
        return None
    return Complaint(
        f"Invalid modalities: {wish}. Supported combinations are: ['text'] and ['audio'].",
        "invalid_value",
        at,
    )


def tokens(wish: int | str, at: str) -> Complaint | None:
    return None if wish == "inf" else _between(wish, 1, MOST_TOKENS, at)


def format_(wish: Mapping[str, Any], at: str) -> Complaint | None:
    if wish.get("type") == "audio/pcm" and wish.get("rate", 24_000) != 24_000:
        return Complaint("Only 24000 Hz is supported.", "invalid_value", f"{at}.rate")
    if wish.get("type") not in ("audio/pcm", "audio/pcmu", "audio/pcma"):
        return Complaint("Which format?", "missing_required_parameter", f"{at}.type")
    return None


def voice(wish: str | Mapping[str, Any], at: str) -> Complaint | None:
    if isinstance(wish, str) and wish not in VOICES:
        listed = ", ".join(f"'{one}'" for one in sorted(VOICES))
        return Complaint(
            f"Invalid value: '{wish}'. Supported values are: {listed}.", "invalid_value", at
        )
    return None


def instructions(text: str, at: str) -> Complaint | None:
    if len(text) > INSTRUCTION_CHARACTERS:
        return Complaint("Instructions and tools exceed 16384 tokens.", "invalid_value", at)
    return None


def tools(wish: list[Mapping[str, Any]], at: str) -> Complaint | None:
    for place, tool in enumerate(wish):
        if tool.get("type", "function") != "function":
            continue
        path = f"{at}[{place}]"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tool.get("name", "")):
            return Complaint("Not a function's name.", "invalid_value", f"{path}.name")
        parameters = tool.get("parameters")
        if parameters is not None and (
            not isinstance(parameters, dict) or parameters.get("type") != "object"
        ):
            return Complaint(
                f"Invalid schema for function '{tool['name']}': it must be of type 'object'.",
                "invalid_function_parameters",
                f"{path}.parameters",
            )
    return None


def _between(wish: Any, least: float, most: float, at: str) -> Complaint | None:
    if least <= wish <= most:
        return None
    code = "decimal_above_max_value" if wish > most else "decimal_below_min_value"
    return Complaint(f"Invalid '{at}': expected a value from {least} to {most}.", code, at)


def _detection(wish: Mapping[str, Any] | None) -> Complaint | None:
    at = "session.audio.input.turn_detection"
    if wish is None or wish["type"] != "server_vad":
        return None
    idle = wish["idle_timeout_ms"]
    checks = (
        _between(wish["threshold"], 0.0, 1.0, f"{at}.threshold"),
        _between(wish["prefix_padding_ms"], 0, 10_000, f"{at}.prefix_padding_ms"),
        _between(wish["silence_duration_ms"], 0, 10_000, f"{at}.silence_duration_ms"),
        None if idle is None else _between(idle, 5_000, 30_000, f"{at}.idle_timeout_ms"),
    )
    return next(filter(None, checks), None)


def _transcription(wish: Mapping[str, Any] | None) -> Complaint | None:
    language = (wish or {}).get("language")
    if language is None or re.fullmatch(r"[a-z]{2,3}", language):
        return None
    at = "session.audio.input.transcription.language"
    return Complaint(f"Invalid language: '{language}'. Use ISO-639-1.", "invalid_value", at)
