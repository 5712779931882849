"""How a simulated OpenAI Realtime behaves, where the real one could do either."""

from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.ears import Recognise, Recognised
from tests.fakes.mind import Script


@dataclass(slots=True)
class Manners:
    """How the simulated provider behaves."""

    script: Script | None = None
    ears: Recognise = field(default_factory=Recognised)
    checks: bool = True
    "The tutor by rule reckons, in another process."
    pace: float | None = 8.0
    "Sound comes so many times faster than it sounds; None: at once."
    delta_ms: int = 100
    think_s: float = 0.0
    lifetime_s: float = 3_600.0  # the vendor's 60 minutes
    transcripts: Literal["soon", "late", "reversed"] = "soon"
    "Late: after the answer to the turn. Reversed: after the transcript of the next turn."
    transcribes: bool = True
    "False: every transcription fails."
    closes_parts: bool = True
    "An answer that is cancelled still gets the `done` events of its parts."
