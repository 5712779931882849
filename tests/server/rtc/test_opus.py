import ctypes
import random
from itertools import pairwise

import pytest

from ai.audio import BYTES_PER_MS, FRAME_BYTES
from server.rtc import opus
from server.rtc.opus import Decoder, Encoder, OpusError, OpusMissing
from tests.server.rtc.house import rms, samples, tone


def encoded(pcm, **settings):
    encoder = Encoder(**settings)
    return [encoder.encode(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]


def test_a_frame_is_one_packet_and_one_packet_a_frame():
    speech = tone(1_000)
    packets = encoded(speech)
    assert len(packets) == 50
    assert {opus.duration_ms(packet) for packet in packets} == {20.0}
    assert sum(map(len, packets)) * 8 / 1000 < opus.BITRATE_BPS / 1000 * 1.2
    decoder = Decoder()
    heard = b"".join(map(decoder.decode, packets))
    assert len(heard) == len(speech)
    assert rms(heard[9600:]) == pytest.approx(rms(speech), rel=0.1)


def test_a_frame_of_another_length_is_refused():
    for pcm in (b"", bytes(FRAME_BYTES - 2), bytes(FRAME_BYTES * 2)):
        with pytest.raises(OpusError, match="A frame has 960 bytes"):
            Encoder().encode(pcm)


def test_what_other_encoders_send_is_decoded_too():
    """Stereo, 48 kHz, and packets of 60 ms: from a library of its own, as a browser has it."""
    library = opus.library()
    state = ctypes.create_string_buffer(library.opus_encoder_get_size(2))
    assert library.opus_encoder_init(state, 48_000, 2, 2049) == 0
    out = ctypes.create_string_buffer(1_275)
    decoder = Decoder()
    pcm = bytes(2 * 2 * 2_880)
    length = library.opus_encode(state, pcm, 2_880, out, 1_275)
    packet = out.raw[:length]
    assert opus.duration_ms(packet) == 60.0
    assert len(decoder.decode(packet)) == 60 * BYTES_PER_MS


@pytest.mark.parametrize(
    ("packet", "ms"),
    [
        (b"", 0.0),
        (b"\x48", 20.0),  # SILK, wideband, 20 ms
        (b"\x49", 40.0),  # two of them
        (b"\x4b\x03", 60.0),
        (b"\x4b\x06", 120.0),
        (b"\x4b\x07", 0.0),  # 140 ms: there are none
        (b"\x4b", 0.0),
        (b"\x4b\x00", 0.0),
        (b"\x58", 60.0),
        (b"\x68", 20.0),  # hybrid
        (b"\xe0", 2.5),  # CELT
        (b"\xfe", 40.0),
    ],
)
def test_the_length_of_a_packet_is_read_from_its_first_bytes(packet, ms):
    assert opus.duration_ms(packet) == ms


def test_lost_sound_is_made_up_and_grows_quieter():
    decoder = Decoder()
    for packet in encoded(tone(400)):
        heard = decoder.decode(packet)
    levels = [rms(heard)] + [rms(decoder.conceal()) for _ in range(5)]
    assert levels[1] > 0.3 * levels[0]
    assert all(after <= before * 1.02 for before, after in pairwise(levels))
    assert levels[-1] < 0.1 * levels[0]


def test_the_next_packet_tells_what_a_lost_one_said():
    speech = tone(200, 220) + tone(200, 700) + tone(200, 350)
    encoder = Encoder()
    encoder.expect_loss(20)
    packets = [encoder.encode(speech[at : at + 960]) for at in range(0, len(speech), 960)]
    whole = Decoder()
    clean = [whole.decode(packet) for packet in packets]
    off = {}
    for how in ("recover", "conceal"):
        decoder, sums = Decoder(), 0.0
        for number, packet in enumerate(packets):
            if number in (10, 20):  # the first of another tone
                made = decoder.recover(packets[number + 1]) if how == "recover" else (
                    decoder.conceal())  # fmt: skip
                assert len(made) == FRAME_BYTES
                sums += rms_of_difference(made, clean[number])
            else:
                decoder.decode(packet)
        off[how] = sums
    assert off["recover"] < 0.7 * off["conceal"]


def rms_of_difference(one, other):
    return float(((samples(one) - samples(other)) ** 2).mean() ** 0.5)


def test_more_loss_expected_means_more_is_told_twice():
    speech = tone(1_000)
    sure, unsure = Encoder(), Encoder()
    unsure.expect_loss(99)
    assert unsure._percent == opus.MOST_LOSS_PERCENT
    unsure.expect_loss(-1)
    assert unsure._percent == 0
    unsure.expect_loss(25)
    a, b = ([one.encode(speech[at : at + 960]) for at in range(0, 9600, 960)] for one in
            (sure, unsure))  # fmt: skip
    assert a != b


def test_silence_is_a_packet_of_one_byte_that_any_decoder_takes_for_little_sound():
    assert len(opus.SILENCE) <= 2
    assert opus.duration_ms(opus.SILENCE) == 20.0
    for speech in (b"", tone(400)):
        decoder, encoder = Decoder(), Encoder()
        heard = b""
        for at in range(0, len(speech), FRAME_BYTES):
            decoder.decode(encoder.encode(speech[at : at + FRAME_BYTES]))
        if speech:
            for _ in range(2):
                heard += decoder.decode(encoder.encode(bytes(FRAME_BYTES)))
        quiet = decoder.decode(opus.SILENCE)
        for _ in range(5):
            quiet += b"".join(decoder.conceal() for _ in range(19)) + decoder.decode(opus.SILENCE)
        assert rms(quiet) < 0.01 * 32_768
        assert abs(samples(quiet)).max() < 0.02 * 32_768


def test_what_is_no_packet_is_refused_and_the_next_is_decoded():
    decoder, packets = Decoder(), encoded(tone(200))
    chance = random.Random(1)
    refused = 0
    for number in range(2_000):
        packet = chance.randbytes(chance.randint(0, 60))
        try:
            assert len(decoder.decode(packet)) <= 120 * BYTES_PER_MS
            decoder.recover(packet)
        except OpusError as error:
            refused += 1
            assert str(error).endswith(".")
        if number % 100 == 0:
            assert len(decoder.decode(packets[number // 100 % len(packets)])) == FRAME_BYTES
    assert 200 < refused < 2_000


def test_what_was_decoded_is_forgotten_at_a_reset():
    decoder = Decoder()
    for packet in encoded(tone(200)):
        decoder.decode(packet)
    decoder.reset()
    assert rms(decoder.conceal()) == 0.0


def test_a_missing_library_is_told_by_a_sentence_and_not_before_it_is_used(monkeypatch):
    opus.library.cache_clear()
    monkeypatch.setattr(opus.importlib.util, "find_spec", lambda name: None)
    for found in (None, "libopus.so.of.nowhere", "libc.so.6"):
        monkeypatch.setattr(opus.ctypes.util, "find_library", lambda name, found=found: found)
        with pytest.raises(OpusMissing, match=r"libopus was not found.*WEBRTC=off\."):
            Encoder()
        with pytest.raises(OpusMissing):
            Decoder()
    monkeypatch.undo()
    opus.library.cache_clear()
    assert Encoder().encode(bytes(FRAME_BYTES))
