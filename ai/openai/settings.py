"""How an account with OpenAI, or a server that speaks its protocols, is reached."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

VOICES = frozenset(
    ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
)
"Those of OpenAI Realtime. Other servers have other ones; see `OpenAISettings.voice`."


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """One credential and what to use it for. Its `repr` hides the key."""

    api_key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    transcription_model: str = "gpt-transcribe"
    turns: Literal["theirs", "ours"] = "theirs"
    "Who finds the end of the student's turns: their detection, or ours."
    lifetime_s: float = 3600.0
    "OpenAI closes a Realtime session after 60 minutes."
    noise: Literal["near_field", "far_field"] | None = "near_field"

    @property
    def key(self) -> str:
        """What fails together: the address and the credential, without telling either."""
        mark = hashlib.sha256(f"{self.base_url}\n{self.api_key}".encode()).hexdigest()[:12]
        return f"openai:{mark}"

    @property
    def realtime_url(self) -> str:
        """Where a Realtime session is opened, without its query."""
        address = self.base_url.rstrip("/")
        for plain, socket in (("https://", "wss://"), ("http://", "ws://")):
            if address.startswith(plain):
                address = socket + address[len(plain) :]
        return f"{address}/realtime"
