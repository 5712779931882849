"""The local ears: pocketsphinx in a worker, told what may be answered. English only."""

from collections import OrderedDict
from typing import Any

from ai.audio import BYTES_PER_MS
from ai.engine import Brief, HeardSpeech
from ai.events import Word
from ai.local.vocabulary import Expected, expected, to_json
from ai.local.workers import Workers

TIMEOUT_S = 20.0  # the longest turn, 60 s, takes 9 s
MAX_MS = 60_000
KEPT_STEPS = 64  # what is expected of them is a few kilobytes each


class LocalEars:
    """Turns a student's speech into words, without leaving the machine."""

    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._expected: OrderedDict[tuple[str, int], tuple[str, dict[str, Any]]] = OrderedDict()

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        """One turn, 24 kHz. Numbers are written as words. Raises WorkersBusy, WorkFailed."""
        key, what = self._expect(brief, step)
        turn = pcm[-MAX_MS * BYTES_PER_MS :]
        reply = await self._workers.call(
            "transcribe", {"key": key, "expected": what}, turn, timeout_s=TIMEOUT_S
        )
        words = tuple(Word(word, start, end) for word, start, end in reply.meta["words"])
        return HeardSpeech(reply.meta["text"], words, reply.meta["sure"])

    def _expect(self, brief: Brief, step: int) -> tuple[str, dict[str, Any]]:
        place = (brief.hash, step)
        if not brief.hash or place not in self._expected:
            what: Expected = expected(brief, step)
            self._expected[place] = what.key, to_json(what)
            if len(self._expected) > KEPT_STEPS:
                self._expected.popitem(last=False)
        self._expected.move_to_end(place)
        return self._expected[place]
