"""What a client may choose of a session, and what comes of its wishes."""

from dataclasses import dataclass, replace

from ai.engine import Brief, TurnDetection
from sessions.live.events import (
    AudioFormat,
    EffectiveTurnDetection,
    Modality,
    TurnDetectionPatch,
    UpdateSession,
)

# A patience under 200 ms cuts words in two; over 6 s nobody believes the tutor still listens.
SILENCE_MS = (200, 6_000)
SPEED = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Options:
    """The effective choices of the student's connection."""

    modality: Modality = "audio"
    input_format: AudioFormat = "audio/pcm"
    output_format: AudioFormat = "audio/pcm"
    binary: bool = False
    over_call: bool = False
    "The sound goes over a call, in the call's own format."
    by_hand: bool = False
    "The client ends turns itself (`turn_detection: null`)."
    detection_type: str = "server_vad"
    silence_ms: int | None = None
    "None: as patient as the plan says."
    threshold: float = 0.5
    prefix_ms: int = 300
    create_response: bool = True
    interrupt_response: bool = True
    voice: str = ""
    speed: float = 1.0

    def updated(self, command: UpdateSession) -> "Options":
        """These options with a client's wishes, within bounds."""
        new = self
        if command.output_modalities:
            new = replace(new, modality="audio" if "audio" in command.output_modalities else "text")
        if command.input_format:
            new = replace(new, input_format=command.input_format)
        if command.output_format:
            new = replace(new, output_format=command.output_format)
        if command.binary is not None:
            new = replace(new, binary=command.binary)
        if command.voice is not None:
            new = replace(new, voice=command.voice)
        if command.speed is not None:
            new = replace(new, speed=max(SPEED[0], min(SPEED[1], command.speed)))
        if command.turn_detection == "none":
            return replace(new, by_hand=True)
        if isinstance(command.turn_detection, TurnDetectionPatch):
            return _with_detection(new, command.turn_detection)
        return new

    @property
    def reports(self) -> bool:
        """Whether the device says what it has played: it gets sound only a little ahead of that,
        and can pause it."""
        return self.binary or self.over_call

    def connected(self, *, over_call: bool) -> "Options":
        """These options for a new connection: over a call nobody chooses how sound is sent."""
        if not over_call:
            return replace(self, over_call=False)
        return replace(
            self,
            over_call=True,
            binary=False,
            input_format="audio/pcm",
            output_format="audio/pcm",
        )

    def detection(self, patience_ms: int) -> TurnDetection | None:
        """What the engine is told about the end of turns."""
        if self.by_hand:
            return None
        silence_ms = self.silence_ms if self.silence_ms is not None else patience_ms
        return TurnDetection(silence_ms, self.threshold, self.prefix_ms)

    def effective_detection(self, patience_ms: int) -> EffectiveTurnDetection | None:
        """The same as clients see it."""
        detection = self.detection(patience_ms)
        if detection is None:
            return None
        return EffectiveTurnDetection(
            type="semantic_vad" if self.detection_type == "semantic_vad" else "server_vad",
            threshold=detection.threshold,
            prefix_padding_ms=detection.prefix_ms,
            silence_duration_ms=detection.silence_ms,
            create_response=self.create_response,
            interrupt_response=self.interrupt_response,
        )


def _with_detection(options: Options, patch: TurnDetectionPatch) -> Options:
    new = replace(options, by_hand=False, detection_type=patch.type or options.detection_type)
    if patch.silence_duration_ms is not None:
        bounded = max(SILENCE_MS[0], min(SILENCE_MS[1], patch.silence_duration_ms))
        new = replace(new, silence_ms=bounded)
    if patch.threshold is not None:
        new = replace(new, threshold=max(0.1, min(0.95, patch.threshold)))
    if patch.prefix_padding_ms is not None:
        new = replace(new, prefix_ms=max(0, min(1_000, patch.prefix_padding_ms)))
    if patch.create_response is not None:
        new = replace(new, create_response=patch.create_response)
    if patch.interrupt_response is not None:
        new = replace(new, interrupt_response=patch.interrupt_response)
    return new


def patience_ms(brief: Brief, step: int) -> int:
    """How long a silence the plan allows within an answer to this step, in ms."""
    if 0 <= step < len(brief.steps):
        own = brief.steps[step].patience_ms
        if own is not None:
            return own
    return brief.patience_ms
