"""What the parts of a leg speak through."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from ai.engine import Report
from ai.events import Used
from ai.openai import wire


@dataclass(slots=True)
class Link:
    """The provider on one end, the caller of the leg on the other."""

    say: Callable[[bytes], None]
    report: Report
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1), repr=False)

    def id(self, what: str) -> str:
        """A name for something of ours: `commit_7`."""
        return f"{what}_{next(self._numbers)}"

    def spent(self, cost: wire.Cost, model: str) -> None:
        """Report what something cost."""
        for unit, quantity in (
            ("text_tokens_in", cost.text_in),
            ("audio_tokens_in", cost.audio_in),
            ("cached_tokens_in", cost.cached_text_in),
            ("cached_audio_tokens_in", cost.cached_audio_in),
            ("text_tokens_out", cost.text_out),
            ("audio_tokens_out", cost.audio_out),
            ("audio_in_ms", cost.audio_ms),
        ):
            if quantity > 0:
                self.report(Used(unit, quantity, model))
