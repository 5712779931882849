"""Students' voices: flite, which the server never uses itself."""

import shutil
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

from ai.audio import BYTES_PER_MS, RATE_HZ
from ai.resample import resample

VOICES = ("slt", "rms", "awb")  # flite's at 16 kHz: a woman, two men, one with a Scottish accent
AROUND_MS = 500

available = shutil.which("flite") is not None


@lru_cache(maxsize=256)
def say(text: str, voice: str = "slt", around_ms: int = AROUND_MS) -> bytes:
    """`text` as 24 kHz PCM, with silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            pcm = resample(file.readframes(file.getnframes()), file.getframerate(), RATE_HZ)
    quiet = bytes(around_ms * BYTES_PER_MS)
    return quiet + pcm + quiet
