"""Which tutor engines a session may go on: the school's and the lesson's own order."""

from collections.abc import Awaitable, Sequence
from typing import Literal, Protocol
from uuid import UUID

from ai.chain import Breakers, Chain
from ai.engine import VoiceEngine

Mode = Literal["voice", "text"]


class Choose(Protocol):
    """Decides before each session, and for each lesson that is shown; so it answers quickly."""

    def __call__(
        self, tenant_id: UUID, wishes: Sequence[str], language: str, mode: Mode
    ) -> Awaitable[Chain]:
        """The engines for one session, in order; `wishes` are the lesson's, by name.

        Engines that can't be opened at all are left out; the last one is the offline one.
        """


def alone(engine: VoiceEngine) -> Choose:
    """The choice where there is one engine for all."""
    breakers = Breakers()

    async def choose(tenant_id: UUID, wishes: Sequence[str], language: str, mode: Mode) -> Chain:
        return Chain((engine,), breakers)

    return choose
