"""Recognises a turn with pocketsphinx. Runs in the worker's child process.

Three opinions on the same sound:

1. the step's words (a trigram model of what may be answered, see `vocabulary`);
2. the general words of English, which say when something else was said;
3. the grammar of answers, which knows nothing of what is likely.

The likelier of the first two gives the words. They are sure when the grammar hears the same answer,
and no other answer is nearly as likely ("thirty" beside "thirteen").
"""

import math
import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx

from ai.audio import RATE_HZ
from ai.local.espeak import Espeak
from ai.local.grammar import grammar_of_answers
from ai.local.language_model import arpa, words_of
from ai.local.phonemes import arpabet
from ai.local.vocabulary import FRAMES, TAILS, answers, asides, from_json
from ai.resample import resample

MODEL_HZ = 16_000
FRAMES_HZ = 100
GENERAL_WORDS = 20_000  # the commonest; with all 126,000 it takes twice as long and is no better
GENERAL_STATES = 1_500  # looked at in one frame; twenty times as many are no better
# Beams narrower than usual (1e-48), and words and pauses dearer: where all is equally likely, they
# would be put in anywhere. Half the time, and 5 of 147 more answers.
GRAMMAR = {"beam": 1e-40, "pbeam": 1e-40, "wbeam": 1e-26, "wip": 0.1, "silprob": 0.05}
KEPT_STEPS = 12  # 6 MB each
MIN_MS = 150  # shorter than any word
AUDIBLE = 100  # -50 dBFS
# The step's words are believed where their log-likelihood is at most so much of the general words'.
# Measured: answers 0.4 to 0.82, other talk 0.89 to 1.2.
STEP_BELIEVED = 0.86
# How much likelier an answer must be than the next other one, on the same scale, to be sure.
# Measured on 489 numbers: all that were misheard had a rival within 0.028, and 1 in 14 others.
SURE_BY = 0.03
RIVALS = 12  # looked at
# What an answer may have around it without being another one.
AROUND = frozenset(
    {"a", "an", "the", "it", "it's", "is", "that", "that's", "they", "are", "i", "think", "got"}
    | {"answer", "um", "so", "because", "please", "right"}
)

Phones = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A decoder that is ready for one step."""

    decoder: pocketsphinx.Decoder
    answer_words: frozenset[str]
    "What is said in answers, and not only around them."


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one search heard."""

    text: str
    words: tuple[tuple[str, int, int], ...]
    "Each word, from and until when, in milliseconds."
    score: float
    "Logarithm of the likelihood, scaled; comparable between searches on the same sound."


NOTHING = Opinion("", (), -math.inf)


class Recogniser:
    """The acoustic model with general words, and decoders for the steps of late."""

    def __init__(self) -> None:
        self._model = Path(pocketsphinx.get_model_path("en-us"))
        self._espeak = Espeak()
        self._steps: OrderedDict[str, Ready] = OrderedDict()
        self._common: Phones = {}
        self._general = self._make_general()

    def transcribe(self, meta: Mapping[str, Any], pcm: bytes) -> tuple[dict[str, Any], bytes]:
        """The request `transcribe`: what is expected, and a turn at 24 kHz."""
        sound = resample(pcm, RATE_HZ, MODEL_HZ)
        if len(sound) < MIN_MS * MODEL_HZ // 1000 * 2 or is_silent(sound):
            return {"text": "", "words": [], "sure": False}, b""
        ready = self._step(meta["expected"], meta["key"])
        step = _decode(ready.decoder, "words", sound)
        margin = _margin(ready)
        general = _decode(self._general, "general", sound)
        if not believes_step(step, general):
            return {"text": general.text, "words": general.words, "sure": False}, b""
        sure = margin >= SURE_BY and core(step.text) != ()
        if sure:
            sure = core(_decode(ready.decoder, "answers", sound).text) == core(step.text)
        return {"text": step.text, "words": step.words, "sure": sure}, b""

    def _step(self, expected: dict[str, Any], key: str) -> Ready:
        if key in self._steps:
            self._steps.move_to_end(key)
            return self._steps[key]
        while len(self._steps) >= KEPT_STEPS:
            self._steps.popitem(last=False)
        what = from_json(expected)
        likely, beside = answers(what), asides(what)
        texts = [*likely, *beside, *(text for text, _ in (*FRAMES, *TAILS))]
        phones = self._look_up(words_of(texts))
        decoder = self._decoder(phones)
        with tempfile.NamedTemporaryFile("w", suffix=".arpa") as file:
            file.write(arpa(likely, beside))
            file.flush()
            decoder.add_lm_file("words", file.name)
        grammar = grammar_of_answers(what)
        for name, value in GRAMMAR.items():
            decoder.config[name] = value
        decoder.add_fsg(
            "answers",
            decoder.create_fsg("answers", grammar.START, grammar.END, grammar.transitions()),
        )
        self._steps[key] = Ready(decoder, frozenset(words_of(map(" ".join, map(core, likely)))))
        return self._steps[key]

    def _make_general(self) -> pocketsphinx.Decoder:
        """A decoder of the commonest words of the model's own trigrams."""
        path = str(self._model / "en-us.lm.bin")
        phones = self._read_dictionary()
        probe = self._decoder({"a": ["AH"]})
        trigrams = pocketsphinx.NGramModel(probe.config, probe.get_logmath(), path)
        ranked = sorted(phones, key=lambda word: trigrams.prob([word]), reverse=True)
        self._common = {word: phones[word] for word in ranked[:GENERAL_WORDS]}
        decoder = self._decoder(self._common)
        decoder.config["maxhmmpf"] = GENERAL_STATES
        decoder.add_lm("general", trigrams)
        return decoder

    def _decoder(self, phones: Phones) -> pocketsphinx.Decoder:
        with tempfile.NamedTemporaryFile("w", suffix=".dict") as file:
            for word, ways in phones.items():
                for place, way in enumerate(ways, start=1):
                    file.write(f"{word}{f'({place})' if place > 1 else ''} {way}\n")
            file.flush()
            return pocketsphinx.Decoder(
                pocketsphinx.Config(
                    hmm=str(self._model / "en-us"),
                    dict=file.name,
                    lm=None,
                    fwdflat=False,  # a second pass that costs as much again and gains nothing
                    loglevel="FATAL",
                )
            )

    def _look_up(self, words: set[str]) -> Phones:
        """How `words` are said; what the dictionary lacks, as espeak-ng would say it."""
        known = {word: self._common[word] for word in words & self._common.keys()}
        if rare := words - known.keys():
            known |= self._read_dictionary(rare)
        for word in words - known.keys():
            if made := arpabet(self._espeak.phonemes(word)):
                known[word] = [made]
        return known

    def _read_dictionary(self, wanted: set[str] | None = None) -> Phones:
        phones: Phones = {}
        with (self._model / "cmudict-en-us.dict").open() as lines:
            for line in lines:
                name, way = line.rstrip().split(" ", 1)
                word = name.split("(", 1)[0]
                if wanted is None or word in wanted:
                    phones.setdefault(word, []).append(way)
        return phones


def is_silent(sound: bytes) -> bool:
    """Whether nothing in it is loud enough to be a voice: words would be found all the same."""
    return int(np.abs(np.frombuffer(sound, "<i2").astype(np.int32)).max(initial=0)) < AUDIBLE


def believes_step(step: Opinion, general: Opinion) -> bool:
    """Whether the step's words explain the sound well enough, beside the general ones."""
    return step.text == general.text or step.score >= general.score * STEP_BELIEVED


def core(text: str) -> tuple[str, ...]:
    """The words of an answer that must agree."""
    return tuple(word for word in text.split() if word not in AROUND)


def _decode(decoder: pocketsphinx.Decoder, search: str, sound: bytes) -> Opinion:
    decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    if best is None or not best.hypstr or best.best_score <= 0:
        return NOTHING
    words = tuple(_words(decoder.seg()))
    return Opinion(" ".join(word for word, _, _ in words), words, math.log(best.best_score))


def _margin(ready: Ready) -> float:
    """How much likelier the last result is than the next that is another answer."""
    ranked = ready.decoder.nbest()
    best: tuple[tuple[str, ...], float] | None = None
    for rival in islice(ranked, RIVALS):
        if rival is None or rival.score <= 0:
            break
        found = core(rival.hypstr)
        if best is None:
            best = found, math.log(rival.score)
        elif found and found != best[0] and ready.answer_words.issuperset(found):
            return best[1] - math.log(rival.score)
    return math.inf


def _words(segments: Iterable[Any]) -> Iterable[tuple[str, int, int]]:
    for segment in segments:
        word = segment.word.split("(", 1)[0]
        if word[0] in "<[+":  # silence and noise
            continue
        if word.endswith(".") and len(word) == 2:  # the general words' letters: "x."
            word = word[0]
        from_ms = segment.start_frame * 1000 // FRAMES_HZ
        yield word, from_ms, (segment.end_frame + 1) * 1000 // FRAMES_HZ
