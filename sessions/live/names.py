"""What legs call turns and tool calls is unique within a leg; here it is within the session."""

from dataclasses import replace

from ai.events import (
    EngineEvent,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    Transcribed,
)


class Names:
    """Of one leg: its number stands before what it named."""

    def __init__(self, leg: int) -> None:
        self.leg = leg
        self._prefix = f"{leg}."
        self._given: set[str] = set()
        "Names that it was given, and will use itself."

    def theirs(self, name: str) -> str:
        """The leg's own name of a turn or call; one that it has not named is given to it."""
        if name.startswith(self._prefix):
            return name.removeprefix(self._prefix)
        self._given.add(name)
        return name

    def knows(self, name: str) -> bool:
        """Whether the leg named it."""
        return name.startswith(self._prefix)

    def ours(self, event: EngineEvent) -> EngineEvent:
        """The event, with the session's names."""
        match event:
            case (
                SpeechStarted()
                | SpeechConfirmed()
                | SpeechDropped()
                | SpeechStopped()
                | Transcribed()
            ) if event.turn not in self._given:
                return replace(event, turn=self._prefix + event.turn)
            case ToolCalled():
                return replace(event, call=self._prefix + event.call)
        return event
