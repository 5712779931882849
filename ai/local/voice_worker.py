"""The child process that speaks, and that checks answers: both take milliseconds."""

from collections.abc import Mapping

from ai.local import checks
from ai.local.synthesis import Synthesizer
from ai.local.worker import Work, serve


def prepare() -> Mapping[str, Work]:
    """The voice and sympy, warm."""
    synthesizer = Synthesizer()
    checks.check("expression", "2x + 2", (), "two times x plus one")
    return {
        "speak": lambda meta, _: synthesizer.speak(meta),
        "check": lambda meta, _: (checks.check(**meta), b""),
    }


if __name__ == "__main__":
    serve(prepare)
