"""The local voice: espeak-ng in a worker, and the sentences it said last kept at hand."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping

from ai.engine import Spoken
from ai.events import Word
from ai.local.workers import Workers

TIMEOUT_S = 5.0  # a sentence of ten seconds takes 30 ms
CACHE_BYTES = 8 << 20  # about 40 sentences of 4 s

# The tag that espeak-ng has for a language where it is not the tag's own first part.
_TAGS: Mapping[str, str] = {
    "en": "en-us",
    "en-gb": "en",
    "zh": "cmn",
    "no": "nb",
    "es-mx": "es-419",
}
_USUAL = "en-us"
# What a plan may wish for, as espeak-ng's variants.
_VARIANTS: Mapping[str, str] = {"female": "f3", "male": "m3", "": ""}


class LocalSpeaker:
    """Says sentences in any language that espeak-ng knows."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._kept: OrderedDict[tuple[str, tuple[str, ...], float], Spoken] = OrderedDict()
        self._kept_bytes = 0

    async def speak(
        self, text: str, *, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        """One sentence, 24 kHz, in one piece. Raises WorkersBusy, WorkFailed."""
        yield await self._spoken(text, language, voice, speed)

    async def _spoken(self, text: str, language: str, voice: str, speed: float) -> Spoken:
        voices = voices_for(language, voice)
        key = (text, voices, speed)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        meta = {"text": text, "language": language, "voices": voices, "speed": speed}
        reply = await self._workers.call("speak", meta, timeout_s=TIMEOUT_S)
        words = tuple(Word(word, start, end) for word, start, end in reply.meta["words"])
        spoken = Spoken(reply.pcm, words)
        self._keep(key, spoken)
        return spoken

    def _keep(self, key: tuple[str, tuple[str, ...], float], spoken: Spoken) -> None:
        if key in self._kept or len(spoken.pcm) > CACHE_BYTES:
            return
        self._kept[key] = spoken
        self._kept_bytes += len(spoken.pcm)
        while self._kept_bytes > CACHE_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.pcm)


def voices_for(language: str, voice: str) -> tuple[str, ...]:
    """espeak-ng's names for a voice in a language, the best first; one always exists."""
    tag = language.lower()
    primary = tag.split("-")[0]
    names = [_TAGS.get(tag, tag), _TAGS.get(primary, primary), primary, _USUAL]
    variant = _VARIANTS.get(voice.lower(), "")
    varied = [f"{name}+{variant}" for name in names] if variant else []
    pairs = zip(varied, names, strict=True) if varied else ((name,) for name in names)
    return tuple(dict.fromkeys(name for pair in pairs for name in pair))
