"""Opus by ctypes: 24 kHz mono in and out, with concealment and in-band error correction.

The library is libopus, as PyAV's wheel brings it (which comes with aiortc), else the system's. PyAV
itself is not used: it knows neither concealment (PLC) nor forward error correction (FEC), and
decodes to 48 kHz. Nothing is loaded before `library` is called.
"""

import ctypes
import ctypes.util
import functools
import importlib.util
from pathlib import Path

from ai.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE_HZ
from server.rtc.rtp import TICKS_PER_MS

FRAME_TICKS = FRAME_MS * TICKS_PER_MS  # 960
FRAME_SAMPLES = FRAME_BYTES // 2
BITRATE_BPS = 28_000
COMPLEXITY = 4
"Both chosen by measurement: docs/performance.md, Voice over WebRTC."
SILENCE = b"\x48"
"""20 ms without sound: the first byte of a packet (RFC 6716, 3.1: SILK, wideband, 20 ms, mono, one
frame) and no frame, which is what libopus itself sends in discontinuous transmission."""
MOST_LOSS_PERCENT = 30  # above it libopus would spend more on correction than on speech
LONGEST_PACKET_MS = 120  # RFC 6716, 3.2.5
_MOST_BYTES = 1_275  # RFC 6716, 3.2.1: of one frame

# Of opus_defines.h.
_APPLICATION_VOIP = 2048
_SIGNAL_VOICE = 3001
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC = 4002, 4010, 4012
_SET_PACKET_LOSS_PERC, _SET_SIGNAL, _RESET_STATE = 4014, 4024, 4028


class OpusError(Exception):
    """libopus does not take this: a packet that is none, or a setting it does not know."""


class OpusMissing(OpusError):
    """There is no libopus on this machine."""

    def __str__(self) -> str:
        return (
            "libopus was not found, so calls can't be taken. Install it (apt-get install libopus0) "
            "or PyAV from its wheel, which brings it; or set WEBRTC=off."
        )


def duration_ms(packet: bytes) -> float:
    """How long the sound of a packet lasts (RFC 6716, 3.1); 0.0: it can't be one."""
    if not packet:
        return 0.0
    count = _COUNTS[packet[0] & 0x03]
    if not count:
        count = packet[1] & 0x3F if len(packet) > 1 else 0
    length = count * _FRAME_MS[packet[0] >> 3]
    return length if length <= LONGEST_PACKET_MS else 0.0


_COUNTS = (1, 2, 2, 0)  # of frames; 0: the next byte tells
_FRAME_MS = (*(10.0, 20.0, 40.0, 60.0) * 3, *(10.0, 20.0) * 2, *(2.5, 5.0, 10.0, 20.0) * 4)
"Of each configuration: SILK narrow, medium and wide, hybrid, CELT (RFC 6716, table 2)."


def _path() -> str | None:
    """Where libopus is: beside PyAV, which is not imported for it, or in the system."""
    try:
        spec = importlib.util.find_spec("av")
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):
            for found in sorted(folder.glob("*opus*")):
                if found.name.startswith(("libopus-", "libopus.", "opus")):
                    return str(found)
    return ctypes.util.find_library("opus")


@functools.cache
def library() -> ctypes.PyDLL:
    """libopus, with the shape of what is used of it. Raises OpusMissing.

    A `PyDLL` keeps the interpreter's lock: to give it away for 30 to 200 us means, beside busy
    threads, to wait 5 ms (`sys.getswitchinterval`) until one has it again.
    """
    path = _path()
    if path is None:
        raise OpusMissing
    try:
        opus = ctypes.PyDLL(path)
        state, size, number = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int
        for function, result, arguments in (
            (opus.opus_encoder_get_size, number, (number,)),
            (opus.opus_encoder_init, number, (state, size, number, number)),
            # Beside these each takes one more, which ctypes then passes as C passes varargs.
            (opus.opus_encoder_ctl, number, (state, number)),
            (opus.opus_encode, size, (state, ctypes.c_char_p, number, ctypes.c_void_p, size)),
            (opus.opus_decoder_get_size, number, (number,)),
            (opus.opus_decoder_init, number, (state, size, number)),
            (opus.opus_decoder_ctl, number, (state, number)),
            (
                opus.opus_decode,
                number,
                (state, ctypes.c_char_p, size, ctypes.c_void_p, number, number),
            ),
        ):
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise OpusMissing from error
    return opus


def _checked(result: int) -> int:
    if result < 0:
        raise OpusError(f"libopus refuses with error {result}.")
    return result


class Encoder:
    """Speech of one direction of one call. Its state is memory of its own: nothing to close."""

    def __init__(self, *, bitrate_bps: int = BITRATE_BPS, complexity: int = COMPLEXITY) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        _checked(self._opus.opus_encoder_init(self._state, RATE_HZ, 1, _APPLICATION_VOIP))
        self._packet = ctypes.create_string_buffer(_MOST_BYTES)
        self._percent = 0
        for setting, value in (
            (_SET_BITRATE, bitrate_bps),
            (_SET_COMPLEXITY, complexity),
            (_SET_SIGNAL, _SIGNAL_VOICE),
            (_SET_INBAND_FEC, 1),
        ):
            self._set(setting, value)

    def encode(self, pcm: bytes) -> bytes:
        """The packet of one frame: `FRAME_BYTES` of 24 kHz, 16-bit, mono."""
        if len(pcm) != FRAME_BYTES:
            raise OpusError(f"A frame has {FRAME_BYTES} bytes, not {len(pcm)}.")
        made = self._opus.opus_encode(self._state, pcm, FRAME_SAMPLES, self._packet, _MOST_BYTES)
        return ctypes.string_at(self._packet, _checked(made))

    def expect_loss(self, percent: int) -> None:
        """How many packets in a hundred get lost: more correction is sent, in place of quality."""
        percent = max(0, min(MOST_LOSS_PERCENT, percent))
        if percent != self._percent:
            self._percent = percent
            self._set(_SET_PACKET_LOSS_PERC, percent)

    def _set(self, setting: int, value: int) -> None:
        _checked(self._opus.opus_encoder_ctl(self._state, setting, ctypes.c_int32(value)))


class Decoder:
    """Sound of the other direction, at 24 kHz, 16-bit, mono, whatever was sent."""

    def __init__(self) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        _checked(self._opus.opus_decoder_init(self._state, RATE_HZ, 1))
        self._pcm = ctypes.create_string_buffer(LONGEST_PACKET_MS * BYTES_PER_MS)

    def decode(self, packet: bytes) -> bytes:
        """The sound of a packet. Raises OpusError if it is none; the state is then as before."""
        if not packet:
            raise OpusError("An Opus packet has at least one byte.")
        return self._decode(packet, LONGEST_PACKET_MS * BYTES_PER_MS // 2, 0)

    def recover(self, following: bytes, ms: float = FRAME_MS) -> bytes:
        """`ms` of sound before `following`, from what it says about the packet before it.

        Concealed where it says nothing. `following` is to be decoded after it. Raises OpusError.
        """
        return self._decode(following, _samples(ms), 1)

    def conceal(self, ms: float = FRAME_MS) -> bytes:
        """`ms` of sound after what was last decoded, made from that. It grows quieter."""
        return self._decode(None, _samples(ms), 0)

    def reset(self) -> None:
        """Forget what was decoded: another sound begins."""
        _checked(self._opus.opus_decoder_ctl(self._state, _RESET_STATE))

    def _decode(self, packet: bytes | None, samples: int, correction: int) -> bytes:
        length = 0 if packet is None else len(packet)
        made = self._opus.opus_decode(self._state, packet, length, self._pcm, samples, correction)
        return ctypes.string_at(self._pcm, 2 * _checked(made))


def _samples(ms: float) -> int:
    """Of a whole number of 2.5 ms, as libopus wants them: at least one, at most a packet's."""
    quarters = max(1, min(LONGEST_PACKET_MS * 2 // 5, round(ms / 2.5)))
    return quarters * RATE_HZ // 400
