import contextlib
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.rtc.sdp import Answer, Fingerprint, Offer, OfferRefused, read_fragment

OFFERS = Path(__file__).parent / "offers"
CHROMIUM = (OFFERS / "chromium.sdp").read_text()
FIREFOX = (OFFERS / "firefox.sdp").read_text()
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 0.0.0.0\na=mid:2\na=rtpmap:96 VP8/90000\n"
ANSWER = Answer(
    session_id=7,
    ufrag="ourufrag",
    password="ourpasswordourpassword",
    fingerprint=Fingerprint("sha-256", "AA:BB"),
    candidates=(("192.0.2.1", 8000), ("2001:db8::1", 8000)),
    ssrc=99,
    cname="tutor-call",
)
MUTATIONS = 10_000


def refusal(text: str) -> str:
    with pytest.raises(OfferRefused) as refused:
        Offer.read(text)
    assert str(refused.value).endswith(".")
    return refused.value.code


@pytest.mark.parametrize(
    ("text", "payload_type", "ufrag", "max_message"),
    [(CHROMIUM, 111, "W1b7", 65_536), (FIREFOX, 109, "ddfaa5e5", 65_536)],
    ids=["chromium", "firefox"],
)
def test_browsers_offers_are_read(
    text: str, payload_type: int, ufrag: str, max_message: int
) -> None:
    for ends in ("\n", "\r\n"):
        offer = Offer.read(text.replace("\n", ends))
        assert offer.audio.payload_type == payload_type
        assert offer.audio.direction == "sendrecv"
        assert offer.ufrag == ufrag
        assert offer.data is not None and offer.data.max_message == max_message
        assert offer.data.sctp_port == 5_000
        assert [one.algorithm for one in offer.fingerprints] == ["sha-256"]
        assert offer.setup == "passive" and offer.bundled


def test_the_answer_is_lite_and_names_our_addresses() -> None:
    text = ANSWER.text(Offer.read(FIREFOX))
    lines = text.split("\r\n")
    assert lines[0] == "v=0" and lines[-1] == ""
    assert "a=ice-lite" in lines and "a=group:BUNDLE 0 1" in lines
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 109" in lines
    assert "a=fmtp:109 minptime=10;useinbandfec=1;maxaveragebitrate=32000" in lines
    assert "a=rtcp-mux" in lines and "a=setup:passive" in lines
    assert lines.count("a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host") == 2
    assert lines.count("a=candidate:2 1 udp 2130706175 2001:db8::1 8000 typ host") == 2
    assert "a=sctp-port:5000" in lines and "a=max-message-size:65536" in lines
    assert not any("extmap" in line or "stereo" in line for line in lines)


@pytest.mark.parametrize(
    ("offered", "answered", "speaks"),
    [
        ("sendrecv", "sendrecv", True),
        ("sendonly", "recvonly", False),
        ("recvonly", "sendonly", True),
        ("inactive", "inactive", False),
    ],
)
def test_the_answer_has_the_direction_that_fits(offered: str, answered: str, speaks: bool) -> None:
    audio, data = ANSWER.text(Offer.read(CHROMIUM.replace("a=sendrecv", f"a={offered}"))).split(
        "m=application"
    )
    assert f"a={answered}\r\n" in audio
    assert ("a=ssrc:99" in audio) == speaks
    assert answered not in data or answered == "inactive"


def test_what_is_no_use_is_refused_in_its_place() -> None:
    head, audio, data = re.split("(?=^m=)", CHROMIUM, flags=re.M)
    second = audio.replace("a=mid:0", "a=mid:2")
    offer = Offer.read(head + VIDEO.replace("mid:2", "mid:v") + data + audio)
    lines = ANSWER.text(offer).split("\r\n")
    media = [line.rsplit(" ", 1)[0] for line in lines if line.startswith("m=")]
    assert media == [
        "m=video 0 UDP/TLS/RTP/SAVPF",
        "m=application 9 UDP/DTLS/SCTP",
        "m=audio 9 UDP/TLS/RTP/SAVPF",
    ]
    assert [line for line in lines if line.startswith("a=mid")] == ["a=mid:v", "a=mid:1", "a=mid:0"]
    assert "a=group:BUNDLE 1 0" in lines
    twice = ANSWER.text(Offer.read(head + audio + second))
    assert twice.count("m=audio 9") == 1 and twice.count("m=audio 0") == 1


def test_sound_alone_needs_no_bundle() -> None:
    alone = CHROMIUM.split("m=application")[0].replace("a=group:BUNDLE 0 1\n", "")
    for text in (alone, alone.replace("a=mid:0\n", "")):
        offer = Offer.read(text)
        assert offer.data is None and not offer.bundled
        assert "BUNDLE" not in ANSWER.text(offer)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_an_offer"),
        ("hello", "not_an_offer"),
        ("{}", "not_an_offer"),
        ("v=1\n" + CHROMIUM[4:], "not_an_offer"),
        (CHROMIUM + "a=x\n" * 20_000, "offer_too_large"),
        (CHROMIUM + "\n" * 3_000, "offer_too_large"),
        (CHROMIUM + VIDEO + VIDEO, "too_many_sections"),
        (CHROMIUM.split("m=audio")[0] + VIDEO, "no_audio"),
        (re.sub("m=audio.*(?=m=application)", "", CHROMIUM, flags=re.S), "no_audio"),
        (CHROMIUM.replace("m=audio 9", "m=audio 0"), "no_audio"),
        (re.sub("a=fingerprint.*\n", "", CHROMIUM), "no_fingerprint"),
        (CHROMIUM.replace("sha-256 23:01", "sha-1 23"), "no_fingerprint"),
        (CHROMIUM.replace("sha-256 23:01:", "sha-256 23:"), "bad_fingerprint"),
        (CHROMIUM.replace("sha-256 23:01", "sha-256 GG:01"), "bad_fingerprint"),
        (re.sub("a=ice-ufrag.*\n", "", CHROMIUM), "bad_ice"),
        (CHROMIUM.replace("ice-ufrag:W1b7", "ice-ufrag:W1"), "bad_ice"),
        (CHROMIUM.replace("ice-ufrag:W1b7", "ice-ufrag:W1:b7"), "bad_ice"),
        (CHROMIUM.replace("ice-ufrag:W1b7", "ice-ufrag:" + "a" * 300), "bad_ice"),
        (CHROMIUM.replace("ice-pwd:iL17", "ice-pwd:i L"), "bad_ice"),
        (CHROMIUM.replace("a=setup:actpass", "a=setup:holdconn"), "bad_setup"),
        (CHROMIUM.replace("a=group:BUNDLE 0 1\n", ""), "no_bundle"),
        (CHROMIUM.replace("a=group:BUNDLE 0 1\n", "a=group:BUNDLE 0\n"), "no_bundle"),
        (CHROMIUM.replace("a=rtcp-mux\n", ""), "no_rtcp_mux"),
        (CHROMIUM.replace("opus/48000/2", "speex/16000"), "no_opus"),
        (CHROMIUM.replace("SAVPF 111", "SAVPF 72").replace("rtpmap:111", "rtpmap:72"), "no_opus"),
        (CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "no_dtls"),
        (CHROMIUM.replace("a=mid:1", "a=mid:0"), "not_an_offer"),
        (CHROMIUM.replace("a=mid:1", "a=mid:1\r\ra=x"), "not_an_offer"),
        (CHROMIUM.replace("a=mid:1", "a=mid:1 2"), "not_an_offer"),
        (CHROMIUM.replace("m=application 9", "m=application\t9"), "not_an_offer"),
        (CHROMIUM.replace("a=sctp-port:5000", "a=sctp-port:0"), "bad_data_channel"),
        (CHROMIUM.replace("a=sctp-port:5000", "a=sctp-port:-1"), "bad_data_channel"),
        (CHROMIUM.replace("size:262144", "size:" + "9" * 5_000), "bad_data_channel"),
        (CHROMIUM.replace("size:262144", "size:1199"), "bad_data_channel"),
        (CHROMIUM.replace("s=-", "s=\0"), "not_an_offer"),
        (CHROMIUM.replace("s=-", "s=a\rb"), "not_an_offer"),
    ],
)  # fmt: skip
def test_an_offer_that_is_none_is_refused_by_a_sentence(text: str, code: str) -> None:
    assert refusal(text) == code


def test_a_client_without_limit_gets_what_we_send_at_most() -> None:
    offer = Offer.read(CHROMIUM.replace("size:262144", "size:0"))
    assert offer.data is not None and offer.data.max_message == 65_536
    offer = Offer.read(CHROMIUM.replace("a=max-message-size:262144\n", ""))
    assert offer.data is not None and offer.data.max_message == 65_536
    offer = Offer.read(CHROMIUM.replace("size:262144", "size:16384"))
    assert offer.data is not None and offer.data.max_message == 16_384


def test_a_client_that_waits_for_the_handshake_is_begun_with() -> None:
    offer = Offer.read(CHROMIUM.replace("actpass", "passive"))
    assert offer.setup == "active"
    assert "a=setup:active" in ANSWER.text(offer)


def test_a_damaged_offer_is_read_or_refused_and_its_answer_stays_whole() -> None:
    chance = random.Random(5)
    junk = ["\r", "\n", "\r\n", "\0", "é", "\u2028", "a=", "m=", " ", ":", "/", "9" * 30, "\ud800"]
    read = 0
    for _ in range(MUTATIONS):
        text = chance.choice((CHROMIUM, FIREFOX))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            match chance.randrange(4):
                case 0:
                    text = text[:at] + chance.choice(junk) + text[at:]
                case 1:
                    text = text[:at] + text[at + chance.randint(1, 40) :]
                case 2:
                    text = text[:at] + chr(chance.randrange(256)) + text[at + 1 :]
                case 3:
                    lines = text.split("\n")
                    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
                    text = "\n".join(lines)
        with contextlib.suppress(OfferRefused):
            offer = Offer.read(text)
            answer = ANSWER.text(offer)
            read += 1
            assert all(re.fullmatch("[a-z]=[ -~]+", line) for line in answer.split("\r\n")[:-1])
            assert answer.count("\nm=") == len(offer.sections)
            assert answer.count("a=fingerprint:sha-256 AA:BB") >= 1
    assert read > MUTATIONS / 20


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(OfferRefused):
        Offer.read(text)


def test_later_candidates_are_counted() -> None:
    fragment = "a=ice-ufrag:W1b7\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    line = "a=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\n"
    assert read_fragment(fragment + line * 3 + "a=end-of-candidates\r\n", "W1b7") == 3
    assert read_fragment("", "W1b7") == 0


@pytest.mark.parametrize(
    ("fragment", "code"),
    [
        ("a=ice-ufrag:other\n", "ice_restart"),
        ("a=candidate:1\n" * 21, "fragment_too_large"),
        ("a=candidate:" + "x" * 20_000, "fragment_too_large"),
        ("candidate:1", "not_an_offer"),
    ],
)
def test_bad_candidates_are_refused(fragment: str, code: str) -> None:
    with pytest.raises(OfferRefused) as refused:
        read_fragment(fragment, "W1b7")
    assert refused.value.code == code
