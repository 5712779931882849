"""What is heard in the end: real speech, through codec, network and buffers, measured."""

import heapq
from itertools import pairwise

import pytest

from ai.audio import BYTES_PER_MS, FRAME_BYTES
from ai.local.ears import LocalEars
from ai.local.recogniser import Recogniser
from ai.local.workers import Reply
from bench import speech
from bench.answers import TUNED
from bench.ears import brief_of
from bench.opus import Network, arrivals, carried, delay_samples, distance_db, encoded
from server.rtc import opus
from tests.fakes.voice import say
from tests.server.rtc.house import Call, rms, samples

SENTENCE = "Cut the pizza into four equal slices, and tell me how many of them make one half."
BAD = Network(loss=0.10, jitter_ms=100, duplicate=0.05)
needs_flite = pytest.mark.skipif(
    not speech.available,
    reason="flite speaks as the student; install it with apt-get install flite",
)


class Heard(Call):
    """A `Voice` whose packets go to a decoder as a browser's."""

    def __init__(self):
        super().__init__()
        self.voice.begin()

    def played(self):
        """What a receiver plays that got everything in time, from the first packet on."""
        decoder, sound = opus.Decoder(), b""
        for (_, payload, timestamp, _), (_, _, after, _) in pairwise(self.wire.packets):
            sound += decoder.decode(payload)
            for _ in range(((after - timestamp) & 0xFFFFFFFF) // opus.FRAME_TICKS - 1):
                sound += decoder.conceal()
        return sound


def hear(packets, network):
    """What a `Voice` makes of a student's packets over a network; and its counts."""
    call = Heard()
    begins = call.clock.now
    coming = [(begins + at, number, packet) for at, number, packet in arrivals(packets, network)]
    heapq.heapify(coming)
    while coming:
        at, number, packet = heapq.heappop(coming)
        call.clock.run(max(0.0, at - call.clock.now))
        call.voice.packet(number + 65_500 & 0xFFFF, number * 960, packet, 9)
    call.clock.run(0.2)
    counts = call.voice.counts
    call.voice.close()
    return b"".join(call.listener.heard), counts


# The student, over a bad network.


def test_a_perfect_network_changes_nothing_but_what_the_codec_does():
    pcm = say(SENTENCE)
    heard, counts = hear(encoded(pcm), Network())
    late = delay_samples(heard, pcm)
    assert late < 24 * 10  # of the codec itself: 6.5 ms
    assert distance_db(heard[2 * late :], pcm) < 3.5
    assert counts.lost == counts.late == 0


def test_correction_and_concealment_are_better_than_silence():
    pcm = say(SENTENCE)
    packets = encoded(pcm, loss_percent=10)
    clean = carried(packets, Network())
    away = dict.fromkeys(("all", "concealed", "silent"), 0.0)
    for seed in range(6):
        network = Network(BAD.loss, BAD.jitter_ms, BAD.duplicate, seed)
        for mend in away:
            away[mend] += distance_db(carried(packets, network, mend), clean) / 6
    assert away["all"] < 0.75 * away["concealed"]
    assert away["concealed"] < 0.9 * away["silent"]


def test_of_ten_percent_lost_most_is_recovered_and_the_length_stays():
    pcm = say(SENTENCE)
    packets = encoded(pcm, loss_percent=10)
    heard, counts = hear(packets, BAD)
    seconds = len(packets) * 0.02
    assert counts.lost / len(packets) == pytest.approx(0.1, abs=0.05)
    assert counts.recovered_ms > 3 * counts.concealed_ms - 100
    assert counts.late > 0
    assert len(heard) / 48_000 == pytest.approx(seconds + 0.2, abs=0.3)
    late = delay_samples(heard, pcm)
    one, other = samples(heard[2 * late :])[: len(pcm) // 2], samples(pcm)
    assert one @ other / (one @ one * (other @ other)) ** 0.5 > 0.75


@needs_flite
@pytest.mark.slow
async def test_words_are_recognised_at_ten_percent_loss_and_100_ms_jitter():
    recogniser = Recogniser()

    class Workers:
        async def call(self, kind, meta, pcm=b"", *, timeout_s):
            return Reply(*recogniser.transcribe(meta, pcm))

    ears = LocalEars(Workers())
    right = 0
    answers = [one for one in TUNED if one.sort != "off"][:10]
    for number, said in enumerate(answers):
        packets = encoded(speech.say(said.text, "slt"), loss_percent=10)
        heard, _ = hear(packets, Network(BAD.loss, BAD.jitter_ms, BAD.duplicate, number))
        words = await ears.transcribe(heard, brief_of(said.lesson), said.step)
        right += words.text == said.text
    assert right >= 7


# The tutor, cut.


def click(sound, around):
    """The largest step within 30 ms around a sample, against the largest of speech anywhere."""
    steps = abs(samples(sound)[1:] - samples(sound)[:-1])
    here = steps[max(0, around - 720) : around + 720]
    return here.max() / steps[: around - 720].max()


@pytest.mark.parametrize("how", ["pause", "clear"])
@pytest.mark.parametrize("at_ms", [400, 707, 1_313, 2_004])
def test_a_cut_is_obeyed_by_the_next_packet_and_does_not_click(how, at_ms):
    call = Heard()
    call.voice.play("resp_1", "item_1", say(SENTENCE))
    call.clock.run(at_ms / 1000)
    asked, before = call.clock.now, len(call.wire.packets)
    if how == "pause":
        call.voice.pause()
    else:
        ((item_id, heard_ms),) = call.voice.clear()
        assert item_id == "item_1"
        assert heard_ms == (before - 1) * 20  # one packet was silence, at the beginning
    call.clock.run(2.0)
    packets = call.wire.packets
    assert packets[before][0] - asked <= 0.02
    assert [payload == opus.SILENCE for _, payload, _, _ in packets[before : before + 6]] == [
        False, False, False, True, True, True,
    ]  # fmt: skip
    sound = call.played()
    assert click(sound, before * 480) < 1.0
    quiet = sound[(before + 2) * FRAME_BYTES :]
    assert rms(quiet[: 20 * FRAME_BYTES]) < 400
    levels = [rms(quiet[at : at + FRAME_BYTES]) for at in range(0, 10 * FRAME_BYTES, FRAME_BYTES)]
    assert max(levels[2:]) < 0.01 * 32_768


def test_after_a_pause_the_sentence_goes_on_where_it_was():
    pcm = say(SENTENCE)
    call = Heard()
    call.voice.play("resp_1", "item_1", pcm)
    call.voice.complete("resp_1")
    call.clock.run(1.207)
    before = len(call.wire.packets)
    spoken = before - 1  # the first was silence
    call.voice.pause()
    call.clock.run(0.8)
    resumed = len(call.wire.packets)
    call.voice.resume()
    call.clock.run(len(pcm) / 48_000)
    started = [one for one in call.listener.told if one[0] == "started"]
    assert [one[3] for one in started] == [0, spoken * 20]
    assert call.wire.packets[resumed][2] == started[1][4]
    sound = call.played()[FRAME_BYTES:]
    at = ((started[1][4] - started[0][4]) & 0xFFFFFFFF) // 2  # ticks of 48 kHz, samples of 24
    rest = pcm[spoken * FRAME_BYTES :]
    again = sound[2 * at : 2 * at + len(rest)]
    late = delay_samples(again, rest)
    assert late < 24 * 10
    assert distance_db(again[2 * late :], rest) < 4.0
    assert click(sound, at) < 1.0
    assert call.listener.positions("item_1")[-1] == len(pcm) // BYTES_PER_MS
