"""Says texts: espeak-ng, by the server's own local synthesis, at any rate."""

import asyncio
from functools import lru_cache

from ai.audio import RATE_HZ
from ai.local.voice import voices_for
from ai.resample import resample
from tests.fakes.children import child


@lru_cache(maxsize=256)
def say(
    text: str, rate_hz: int = RATE_HZ, *, language: str = "en", voice: str = "", speed: float = 1.0
) -> bytes:
    """`text` as 16-bit mono PCM. Takes milliseconds; from an event loop use `spoken`."""
    meta = {"text": text, "language": language, "speed": speed}
    _, pcm = child("voice").ask("speak", {**meta, "voices": voices_for(language, voice)})
    return resample(pcm, RATE_HZ, rate_hz)


async def spoken(
    text: str, rate_hz: int = RATE_HZ, *, language: str = "en", voice: str = "", speed: float = 1.0
) -> bytes:
    """As `say`, in a thread."""
    return await asyncio.to_thread(say, text, rate_hz, language=language, voice=voice, speed=speed)
