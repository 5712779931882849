"""espeak-ng by ctypes, from the wheel `espeakng-loader`. Lives in the worker's child process.

The library is one per process and not to be used by two threads.
"""

import ctypes
from dataclasses import dataclass

import espeakng_loader

from ai.local.phonemes import SEPARATOR

# Of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_RATE = 1
_USUAL_WPM = 160  # a little slower than espeak's 175: children listen
_MIN_WPM, _MAX_WPM = 80, 450  # the limits of the synthesizer


class _EventId(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_OnSound = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What espeak made of a text."""

    pcm: bytes
    words: tuple[tuple[int, int], ...]
    "Of each word: where it stands in the text, and at which sample it sounds."


class Espeak:
    """The synthesizer. One a process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate_hz: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS,
            0,
            espeakng_loader.get_data_path().encode(),
            _INITIALIZE_DONT_EXIT,
        )
        if self.rate_hz <= 0:
            raise RuntimeError("espeak-ng does not start; install espeakng-loader again.")
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._pcm = bytearray()
        self._words: list[tuple[int, int]] = []
        self._callback = _OnSound(self._on_sound)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def speak(self, text: str, voices: list[str], speed: float) -> Utterance:
        """`text` in the first of `voices` that exists."""
        self._choose(voices)
        wpm = round(min(_MAX_WPM, max(_MIN_WPM, _USUAL_WPM * speed)))
        self._library.espeak_SetParameter(_RATE, wpm, 0)
        self._pcm.clear()
        self._words.clear()
        said = text.encode() + b"\0"
        size = ctypes.c_size_t(len(said))
        self._library.espeak_Synth(said, size, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        return Utterance(bytes(self._pcm), tuple(self._words))

    def phonemes(self, word: str) -> str:
        """How the American English voice says `word`, in espeak's mnemonics."""
        self._choose(["en-us"])
        text = ctypes.c_char_p(word.encode())
        found = self._library.espeak_TextToPhonemes(
            ctypes.byref(text), _CHARS_UTF8, ord(SEPARATOR) << 8
        )
        return found.decode() if found else ""

    def _choose(self, voices: list[str]) -> None:
        for voice in voices:
            if voice == self._voice:
                return
            if self._library.espeak_SetVoiceByName(voice.encode()) == 0:
                self._voice = voice
                return

    def _on_sound(self, samples: object, count: int, events: object) -> int:
        if count > 0:
            self._pcm += ctypes.string_at(samples, 2 * count)  # type: ignore[arg-type]
        place = 0
        while (event := events[place]).type != _EVENT_LIST_TERMINATED:  # type: ignore[index]
            if event.type == _EVENT_WORD:
                self._words.append((event.text_position - 1, event.sample))
            place += 1
        return 0
