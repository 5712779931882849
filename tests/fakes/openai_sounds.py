"""The ears and the voice of a simulated OpenAI, as HTTP calls."""

import asyncio
import base64
import io
import json
import wave
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from openai.types.audio import speech_create_params, transcription_create_params
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ai.audio import RATE_HZ
from tests.fakes import openai_shapes
from tests.fakes.faults import Fault
from tests.fakes.openai_answer import FEMALE, MS_A_TOKEN_HEARD, MS_A_TOKEN_SAID
from tests.fakes.openai_desk import Desk, Refused, error_body, exists
from tests.fakes.openai_effective import VOICES
from tests.fakes.openai_shapes import Complaint
from tests.fakes.openai_texts import tokens
from tests.fakes.voice import spoken

LONGEST_INPUT = 4_096  # characters of speech
LARGEST_FILE = 25 << 20
SPEECH_VOICES = VOICES | {"fable", "onyx", "nova"}
SPEECH_BYTES = 4_801  # of a piece of sound: nobody promised whole samples


class Sounds:
    """Listens and speaks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def transcribe(self, request: Request, fault: Fault | None) -> Response:
        fields, file = _form(request.headers.get("content-type", ""), await request.body())
        self._desk.calls.append((request.url.path, fields))
        params = transcription_create_params.TranscriptionCreateParamsBase
        known = set(params.__annotations__) | {"stream", "keywords[]", "languages[]", "include[]"}
        if unknown := set(fields) - known:
            self._desk.blame(fields, openai_shapes.unknown(min(unknown)))
        if "model" not in fields or file is None:
            self._desk.blame(fields, openai_shapes.missing("model" if file else "file"))
        exists(fields["model"])
        form = fields.get("response_format", "json")
        allowed = ("json", "text", "srt", "verbose_json", "vtt")
        if form not in (allowed if fields["model"] == "whisper-1" else allowed[:2]):
            message = f"response_format '{form}' is not compatible with model '{fields['model']}'."
            self._desk.blame(fields, Complaint(message, "unsupported_value", "response_format"))
        if len(fields.get("language", "en")) > 3:
            self._desk.blame(fields, Complaint("Use ISO-639-1.", "invalid_value", "language"))
        assert file is not None
        pcm, rate_hz = self._sound_of(file, fields)
        await asyncio.sleep(self._desk.manners.first_s)
        words = await self._desk.house.manners.ears(pcm, rate_hz, fields.get("prompt", ""), [])
        heard = len(pcm) * 1_000 // (2 * rate_hz) // MS_A_TOKEN_HEARD
        usage = {
            "type": "tokens",
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": tokens(words),
            "total_tokens": heard + tokens(words),
        }
        if fields.get("stream") in ("true", "True") and fields["model"] != "whisper-1":
            return self._stream_words(request, fault, words, usage)
        if form == "text":
            return Response(f"{words}\n", media_type="text/plain")
        extra = {"language": "english", "duration": len(pcm) / rate_hz / 2, "segments": []}
        body = {"text": words, "usage": usage}
        return JSONResponse({"task": "transcribe", **body, **extra} if form[0] == "v" else body)

    def _stream_words(
        self, request: Request, fault: Fault | None, words: str, usage: dict[str, Any]
    ) -> Response:
        parts = [f" {word}" if at else word for at, word in enumerate(words.split(" "))]
        events = [{"type": "transcript.text.delta", "delta": part} for part in parts]
        events.append({"type": "transcript.text.done", "text": words, "usage": usage})  # type: ignore[dict-item]
        if fault is not None and fault.name == "transcript_out_of_order":
            events.reverse()
        frames = (self._desk.typed(event) for event in events)
        broken = {
            "unknown_event": '{"type": "transcript.scent.delta"}',
            "wrong_session": '{"type": "transcript.text.delta"}',
            "error_mid_stream": json.dumps(error_body("The model broke.", "server_error", None)),
        }
        return self._desk.stream(request, fault, frames, b"", broken)

    def _sound_of(self, file: bytes, fields: Mapping[str, Any]) -> tuple[bytes, int]:
        if len(file) > LARGEST_FILE:
            raise Refused(413, "Maximum content size limit exceeded.")
        try:
            with wave.open(io.BytesIO(file)) as sound:
                if sound.getnchannels() != 1 or sound.getsampwidth() != 2:
                    raise Refused(400, "The simulator reads 16-bit mono WAV only.", param="file")
                return sound.readframes(sound.getnframes()), sound.getframerate()
        except (wave.Error, EOFError):
            self._desk.blame(fields, Complaint("Invalid file format.", "invalid_value", "file"))
            raise

    async def speak(self, request: Request, fault: Fault | None) -> Response:
        wish = await self._desk.read(request, speech_create_params.SpeechCreateParams)
        if not 0 < len(wish["input"]) <= LONGEST_INPUT:
            self._desk.blame(
                wish, Complaint("1 to 4096 characters.", "string_above_max_length", "input")
            )
        if isinstance(wish["voice"], str) and wish["voice"] not in SPEECH_VOICES:
            self._desk.blame(wish, Complaint("No such voice.", "invalid_value", "voice"))
        if not 0.25 <= wish.get("speed", 1.0) <= 4.0:
            self._desk.blame(wish, Complaint("0.25 to 4.", "invalid_value", "speed"))
        if wish.get("response_format", "mp3") != "pcm":
            raise Refused(400, "The simulator speaks pcm only.", param="response_format")
        await asyncio.sleep(self._desk.manners.first_s)
        voice = "female" if wish["voice"] in FEMALE | {"nova"} else "male"
        pcm = await spoken(wish["input"], RATE_HZ, voice=voice, speed=wish.get("speed", 1.0))
        if fault is not None and fault.name == "odd_audio":
            pcm = pcm[:-1]
        parts = [pcm[at : at + SPEECH_BYTES] for at in range(0, len(pcm), SPEECH_BYTES)]
        broken: dict[str, str] = {}
        if wish.get("stream_format") != "sse":
            return self._desk.stream(request, fault, iter(parts), b"", broken, "audio/pcm")
        deltas: list[dict[str, Any]] = [
            {"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
            for part in parts
        ]
        usage = {"input_tokens": tokens(wish["input"])}
        usage["output_tokens"] = len(pcm) // 48 // MS_A_TOKEN_SAID
        usage["total_tokens"] = sum(usage.values())
        done = {"type": "speech.audio.done", "usage": usage}
        broken = {
            "unknown_event": '{"type": "speech.scent.delta"}',
            "wrong_session": '{"type": "speech.audio.delta"}',
            "error_mid_stream": json.dumps(error_body("The model broke.", "server_error", None)),
        }
        frames = (self._desk.typed(event) for event in [*deltas, done])
        return self._desk.stream(request, fault, frames, b"", broken)


def _form(kind: str, body: bytes) -> tuple[dict[str, Any], bytes | None]:
    """The fields of a multipart form, and its file."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    fields: dict[str, Any] = {}
    file = None
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if name == "file":
            file = data
        else:
            fields[str(name)] = data.decode()
    return fields, file
