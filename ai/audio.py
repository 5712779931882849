"""The one indoor audio format: mono, 16-bit little-endian PCM at 24 kHz.

Other rates and encodings exist only at the doors; see `ai.resample` and `ai.g711`.
"""

RATE_HZ = 24_000  # OpenAI Realtime audio/pcm: 24 kHz, mono, little-endian
SAMPLE_BYTES = 2
BYTES_PER_MS = RATE_HZ * SAMPLE_BYTES // 1000  # 48
FRAME_MS = 20  # one RTP packet of speech
FRAME_BYTES = FRAME_MS * BYTES_PER_MS  # 960


def duration_ms(pcm: bytes) -> int:
    """How long `pcm` (24 kHz, 16-bit, mono) lasts, in whole milliseconds."""
    return len(pcm) // BYTES_PER_MS


def silence(ms: int) -> bytes:
    """`ms` milliseconds of silence."""
    return bytes(ms * BYTES_PER_MS)
