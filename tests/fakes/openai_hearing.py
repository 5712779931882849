"""The input audio buffer of a Realtime session and who finds the turns in it. Pure."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ai import g711
from ai.audio import BYTES_PER_MS, RATE_HZ, duration_ms
from tests.fakes.ears import LOUD, Began, Ended, TurnFinder
from tests.fakes.openai_shapes import Complaint

MOST_BYTES = 15 << 20  # one append, decoded
LEAST_MS = 100  # what can be committed
SEMANTIC_MS = {"low": 1_200, "medium": 600, "auto": 600, "high": 300}
"The pause that ends a turn with `semantic_vad`: ours; the model's own is a judgement."


@dataclass(frozen=True, slots=True)
class Started:
    """`input_audio_buffer.speech_started`."""

    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """`input_audio_buffer.speech_stopped`, and the turn."""

    audio_end_ms: int
    pcm: bytes


class Hearing:
    """What came of `input_audio_buffer.append`, always as 24 kHz PCM."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._finder = TurnFinder(RATE_HZ)
        self._all = bytearray()
        "With no turn detection: everything since the last commit."
        self._odd = b""
        self.detection: Mapping[str, Any] | None = None
        self.spoken_ms = 0
        "Of the speech under way, whoever may have to find its end."
        self._telephone: g711.Decoder | None = None
        self._format = "audio/pcm"
        self.use(settings)

    @property
    def speaking(self) -> bool:
        return self.detection is not None and self._finder.speaking

    @property
    def fed_ms(self) -> int:
        """Of audio since the session began."""
        return self._finder.fed_ms

    def use(self, settings: Mapping[str, Any]) -> None:
        """From now on by `session.audio.input`."""
        if (kind := settings["format"]["type"]) != self._format:
            law = {"audio/pcmu": "mu", "audio/pcma": "a"}.get(kind)
            self._telephone = g711.decoder(law) if law else None  # type: ignore[arg-type]
            self._format = kind
        self.detection = detection = settings["turn_detection"]
        if detection is None:
            return
        self._all.clear()
        if detection["type"] == "server_vad":
            self._finder.silence_ms = detection["silence_duration_ms"]
            self._finder.prefix_ms = detection["prefix_padding_ms"]
            self._finder.threshold = round(LOUD * 2 * detection["threshold"])
        else:
            self._finder.silence_ms = SEMANTIC_MS[detection["eagerness"]]

    def append(self, audio: str) -> list[Started | Stopped] | Complaint:
        """More of it, base64."""
        try:
            data = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            return Complaint(
                "Invalid 'audio'. Expected base64-encoded audio bytes.", "invalid_value", "audio"
            )
        if len(data) > MOST_BYTES:
            return Complaint("Audio chunk too large: 15 MiB at most.", "invalid_value", "audio")
        if self._telephone is not None:
            pcm = self._telephone.feed(data)
        else:
            data = self._odd + data
            whole = len(data) // 2 * 2
            pcm, self._odd = data[:whole], data[whole:]
        if self.detection is None:
            self._all += pcm
        return self._find(pcm)

    def _find(self, pcm: bytes) -> list[Started | Stopped]:
        found: list[Started | Stopped] = []
        prefix_ms = self._finder.prefix_ms
        was = self._finder.speaking
        for one in self._finder.feed(pcm):
            match one:
                case Began(at_ms):
                    was, self.spoken_ms = True, 0
                    found.append(Started(max(0, at_ms - prefix_ms)))
                case Ended(at_ms, turn):
                    found.append(Stopped(at_ms + self._finder.silence_ms, turn))
        self.spoken_ms = self.spoken_ms + duration_ms(pcm) if self._finder.speaking and was else 0
        return found if self.detection is not None else []

    def take(self) -> bytes | Complaint:
        """The client commits: what is in the buffer."""
        held = bytes(self._all) if self.detection is None else self._finder.take()
        self.clear()
        if len(held) < LEAST_MS * BYTES_PER_MS:
            return Complaint(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of"
                f" audio, but buffer only has {len(held) / BYTES_PER_MS:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        return held

    def clear(self) -> None:
        self._finder.clear()
        self._all.clear()
        self.spoken_ms = 0
