from ai.audio import BYTES_PER_MS, FRAME_BYTES
from server.rtc.fade import FADE_MS, fade_in, fade_out, settle
from tests.server.rtc.house import samples

LOUD = (20_000).to_bytes(2, "little") * (FRAME_BYTES // 2)


def test_sound_fades_out_in_5_ms_without_a_step():
    faded = samples(fade_out(LOUD))
    assert len(faded) == FRAME_BYTES // 2
    assert faded[0] > 19_000
    assert abs(faded[1:] - faded[:-1]).max() < 200
    assert not faded[FADE_MS * BYTES_PER_MS // 2 :].any()


def test_sound_fades_in_and_is_then_as_it_was():
    faded = fade_in(LOUD)
    assert len(faded) == len(LOUD)
    assert samples(faded)[0] == 0
    assert abs(samples(faded)[1:] - samples(faded)[:-1]).max() < 200
    assert faded[FADE_MS * BYTES_PER_MS :] == LOUD[FADE_MS * BYTES_PER_MS :]


def test_little_and_nothing_fade_too():
    assert fade_out(b"") == settle(b"") == bytes(FRAME_BYTES)
    assert fade_in(b"") == b""
    assert len(fade_out(LOUD[:10])) == FRAME_BYTES
    assert len(fade_in(LOUD[:10])) == 10


def test_the_last_sample_settles():
    settled = samples(settle(b"\0\0" + (-8_000).to_bytes(2, "little", signed=True)))
    assert -8_000 <= settled[0] < -7_900
    assert settled[-1] == 0
