"""Session descriptions: a client's offer as far as we use it, and our answer to it. Pure.

An offer is text from outside. What is repeated in the answer (identifiers, protocols, formats) was
matched whole against the grammar of its kind; everything else is only looked at. Candidates are not
even read: an ICE-lite server never sends to an address that a client names.

    OfferRefused(code, sentence)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

LONGEST_CHARACTERS = 64 * 1024
MOST_LINES = 2_000
MOST_SECTIONS = 3
MESSAGE_BYTES = 65_536  # RFC 8841, 6.1: also what holds where an offer says nothing
LEAST_MESSAGE_BYTES = 1_200
"Below this an event would be cut into hundreds of messages; browsers take 64 KiB and more."
FRAGMENT_CHARACTERS = 16 * 1024
FRAGMENT_CANDIDATES = 20
FINGERPRINTS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"Hash functions that are good enough to know a certificate by, and their length in bytes."
MOST_FINGERPRINTS = 8
OPUS = "opus/48000/2"  # RFC 7587, 7
OPUS_FORMAT = "minptime=10;useinbandfec=1;maxaveragebitrate=32000"
RTCP_TYPES = range(64, 96)  # RFC 5761, 4: not to be told from RTCP on the same port

Setup: TypeAlias = Literal["active", "passive"]
Direction: TypeAlias = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

ANSWERED: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}

_SIGN = r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]"  # RFC 8866, 9
_NUMBER = r"[0-9]{1,10}"
_LINE = re.compile(r"([a-z])=([^\x00-\x08\x0a-\x1f\x7f]*)")
_MEDIA = re.compile(
    rf"({_SIGN}{{1,32}}) ([0-9]{{1,5}})(?:/[0-9]{{1,5}})?"
    rf" ({_SIGN}{{1,32}}(?:/{_SIGN}{{1,32}}){{0,4}})"
    rf"((?: {_SIGN}{{1,32}}){{1,128}})"
)
_MID = re.compile(rf"{_SIGN}{{1,32}}")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")  # RFC 8839, 5.4
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_RTPMAP = re.compile(rf"({_NUMBER}) (\S{{1,64}})")
_HEX_PAIRS = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2})*")


class OfferRefused(Exception):
    """An offer that can't become a call; `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a certificate is known by."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line, as the answer must repeat it."""

    kind: str
    protocol: str
    formats: str
    mid: str | None


@dataclass(frozen=True, slots=True)
class Audio:
    """The one section of sound."""

    section: Section
    payload_type: int
    direction: Direction
    "As offered."


@dataclass(frozen=True, slots=True)
class Data:
    """The one section of data channels."""

    section: Section
    sctp_port: int
    max_message: int
    "What the other side takes, in bytes, and not more than we ever send."


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client offers, as far as a call needs it."""

    sections: tuple[Section, ...]
    audio: Audio
    data: Data | None
    ufrag: str
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup
    "Our part in the DTLS handshake."
    bundled: bool

    @classmethod
    def read(cls, text: str) -> "Offer":
        """Read an offer.

        Raises:
            OfferRefused: If it is no offer, or none of a call that is possible here.
        """
        return _Reader(text).offer()


@dataclass(frozen=True, slots=True)
class Answer:
    """What our side of a call is."""

    session_id: int
    ufrag: str
    password: str
    fingerprint: Fingerprint
    candidates: tuple[tuple[str, int], ...]
    "Addresses and ports, the best first."
    ssrc: int
    cname: str

    def text(self, offer: Offer) -> str:
        """The session description that answers this offer."""
        return "".join(f"{line}\r\n" for line in self._lines(offer))

    def _lines(self, offer: Offer) -> Iterator[str]:
        taken = [one.section for one in (offer.audio, offer.data) if one]
        accepted = [one for one in offer.sections if any(one is section for section in taken)]
        yield "v=0"
        yield f"o=- {self.session_id} 1 IN IP4 0.0.0.0"
        yield "s=-"
        yield "t=0 0"
        yield "a=ice-lite"
        if offer.bundled:
            yield f"a=group:BUNDLE {' '.join(one.mid for one in accepted if one.mid)}"
        yield "a=msid-semantic: WMS *"
        for section in offer.sections:
            if not any(section is one for one in accepted):
                yield f"m={section.kind} 0 {section.protocol} {section.formats}"
                yield "c=IN IP4 0.0.0.0"
                if section.mid:
                    yield f"a=mid:{section.mid}"
                yield "a=inactive"
                continue
            if section is offer.audio.section:
                yield f"m=audio 9 {section.protocol} {offer.audio.payload_type}"
            else:
                yield f"m=application 9 {section.protocol} webrtc-datachannel"
            yield "c=IN IP4 0.0.0.0"
            if section.mid:
                yield f"a=mid:{section.mid}"
            yield from self._transport(offer)
            if section is offer.audio.section:
                yield from self._audio(offer.audio)
            else:
                yield "a=sctp-port:5000"
                yield f"a=max-message-size:{MESSAGE_BYTES}"

    def _transport(self, offer: Offer) -> Iterator[str]:
        yield f"a=ice-ufrag:{self.ufrag}"
        yield f"a=ice-pwd:{self.password}"
        yield f"a=fingerprint:{self.fingerprint.algorithm} {self.fingerprint.value}"
        yield f"a=setup:{offer.setup}"
        for rank, (address, port) in enumerate(self.candidates):
            # RFC 8445, 5.1.2.1: the type preference of a host candidate, and component 1.
            priority = (126 << 24) | ((65_535 - rank) << 8) | 255
            yield f"a=candidate:{rank + 1} 1 udp {priority} {address} {port} typ host"
        yield "a=end-of-candidates"

    def _audio(self, audio: Audio) -> Iterator[str]:
        yield f"a={ANSWERED[audio.direction]}"
        yield "a=rtcp-mux"
        yield f"a=rtpmap:{audio.payload_type} {OPUS}"
        yield f"a=fmtp:{audio.payload_type} {OPUS_FORMAT}"
        yield "a=ptime:20"
        if audio.direction in ("sendrecv", "recvonly"):
            yield f"a=msid:{self.cname} tutor"
            yield f"a=ssrc:{self.ssrc} cname:{self.cname}"


class _Reader:
    """An offer's lines, by section."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_CHARACTERS:
            raise OfferRefused(
                "offer_too_large", f"An offer may have {LONGEST_CHARACTERS:,} characters at most."
            )
        lines = _lines(text)
        if not lines or lines[0] != ("v", "0"):
            raise OfferRefused("not_an_offer", "This is no session description; it begins v=0.")
        self._session: dict[str, list[str]] = {}
        self._media: list[tuple[Section, int, dict[str, list[str]]]] = []
        place = self._session
        for kind, value in lines:
            if kind == "m":
                if len(self._media) == MOST_SECTIONS:
                    raise OfferRefused(
                        "too_many_sections",
                        f"An offer may have {MOST_SECTIONS} m-lines at most: one of audio, one of"
                        " data channels.",
                    )
                place = {}
                self._media.append((*_media(value), place))
            elif kind == "a":
                name, _, rest = value.partition(":")
                place.setdefault(name, []).append(rest.strip(" "))

    def offer(self) -> Offer:
        sections = []
        audio: tuple[Audio, dict[str, list[str]]] | None = None
        data: Data | None = None
        for section, port, attributes in self._media:
            mids = attributes.get("mid", [])
            if mids and not _MID.fullmatch(mids[0]):
                raise OfferRefused("not_an_offer", "A mid of this offer is none.")
            known = Section(
                section.kind, section.protocol, section.formats, mids[0] if mids else None
            )
            sections.append(known)
            alive = port != 0 or "bundle-only" in attributes
            if known.kind == "audio" and audio is None and alive:
                audio = (_audio(known, attributes, self._session), attributes)
            elif known.kind == "application" and data is None and alive:
                data = _data(known, attributes)
        named = [section.mid for section in sections if section.mid]
        if len(set(named)) != len(named):
            raise OfferRefused("not_an_offer", "Two sections of this offer have the same mid.")
        if audio is None:
            raise OfferRefused("no_audio", "A call has sound: offer one m-line of audio.")
        bundled = self._bundled(audio[0], data)
        return Offer(
            sections=tuple(sections),
            audio=audio[0],
            data=data,
            ufrag=self._ufrag(audio[1]),
            fingerprints=self._fingerprints(audio[1]),
            setup=self._setup(audio[1]),
            bundled=bundled,
        )

    def _bundled(self, audio: Audio, data: Data | None) -> bool:
        for group in self._session.get("group", []):
            semantics, *mids = group.split()
            if semantics == "BUNDLE" and audio.section.mid in mids:
                if data is None or data.section.mid in mids:
                    return True
                break
        if data is not None:
            raise OfferRefused(
                "no_bundle",
                "Sound and data channels share one transport here: offer a=group:BUNDLE.",
            )
        return False

    def _first(self, attributes: dict[str, list[str]], name: str) -> str:
        return (attributes.get(name) or self._session.get(name) or [""])[0]

    def _ufrag(self, attributes: dict[str, list[str]]) -> str:
        ufrag = self._first(attributes, "ice-ufrag")
        if not (
            _UFRAG.fullmatch(ufrag) and _PASSWORD.fullmatch(self._first(attributes, "ice-pwd"))
        ):
            raise OfferRefused(
                "bad_ice", "An offer needs a=ice-ufrag and a=ice-pwd, in the signs of RFC 8839."
            )
        return ufrag

    def _fingerprints(self, attributes: dict[str, list[str]]) -> tuple[Fingerprint, ...]:
        lines = attributes.get("fingerprint") or self._session.get("fingerprint") or []
        if len(lines) > MOST_FINGERPRINTS:
            raise OfferRefused("bad_fingerprint", "The offer has too many fingerprints.")
        good = []
        for line in lines:
            algorithm, _, value = line.partition(" ")
            algorithm, value = algorithm.lower(), value.upper()
            size = FINGERPRINTS.get(algorithm)
            if size is None:
                continue
            if len(value) != 3 * size - 1 or not _HEX_PAIRS.fullmatch(value):
                raise OfferRefused("bad_fingerprint", "A fingerprint of this offer is damaged.")
            good.append(Fingerprint(algorithm, value))
        if not good:
            raise OfferRefused(
                "no_fingerprint",
                "An offer needs the fingerprint of its certificate, by sha-256 or better.",
            )
        return tuple(good)

    def _setup(self, attributes: dict[str, list[str]]) -> Setup:
        match self._first(attributes, "setup") or "actpass":
            case "actpass" | "active":
                return "passive"
            case "passive":
                return "active"
        raise OfferRefused("bad_setup", "a=setup of an offer is actpass, active or passive.")


def _lines(text: str) -> list[tuple[str, str]]:
    lines = []
    pieces = text.split("\n")
    if len(pieces) > MOST_LINES:
        raise OfferRefused("offer_too_large", f"An offer may have {MOST_LINES:,} lines at most.")
    for piece in pieces:
        line = piece.removesuffix("\r")
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise OfferRefused(
                "not_an_offer", "Each line of a session description is a letter, = and a value."
            )
        lines.append((match[1], match[2]))
    return lines


def _media(value: str) -> tuple[Section, int]:
    match = _MEDIA.fullmatch(value)
    if match is None:
        raise OfferRefused("not_an_offer", "An m-line of this offer is damaged.")
    return Section(match[1], match[3], match[4].strip(), None), int(match[2])


def _audio(
    section: Section, attributes: dict[str, list[str]], session: dict[str, list[str]]
) -> Audio:
    if section.protocol not in ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF"):
        raise OfferRefused("no_dtls", "Sound comes by DTLS-SRTP: offer UDP/TLS/RTP/SAVPF.")
    if "rtcp-mux" not in attributes:
        raise OfferRefused("no_rtcp_mux", "RTP and RTCP share one port here: offer a=rtcp-mux.")
    names = {
        match[1]: match[2].lower()
        for match in map(_RTPMAP.fullmatch, attributes.get("rtpmap", []))
        if match
    }
    for number in section.formats.split():
        if names.get(number) in (OPUS, "opus/48000"):
            if not (number.isdigit() and int(number) < 128 and int(number) not in RTCP_TYPES):
                break
            return Audio(section, int(number), _direction(attributes, session))
    raise OfferRefused("no_opus", f"Sound is Opus here: offer a=rtpmap:… {OPUS}.")


def _direction(attributes: dict[str, list[str]], session: dict[str, list[str]]) -> Direction:
    for place in (attributes, session):
        for direction in ("sendrecv", "sendonly", "recvonly", "inactive"):
            if direction in place:
                return ANSWERED[ANSWERED[direction]]
    return "sendrecv"


def _data(section: Section, attributes: dict[str, list[str]]) -> Data:
    if section.protocol not in ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP") or (
        section.formats != "webrtc-datachannel"
    ):
        raise OfferRefused(
            "bad_data_channel", "Data channels are offered as UDP/DTLS/SCTP webrtc-datachannel."
        )
    port = _whole(attributes, "sctp-port", 5_000)
    if not 0 < port < 65_536:
        raise OfferRefused("bad_data_channel", "a=sctp-port of this offer is no port.")
    size = _whole(attributes, "max-message-size", MESSAGE_BYTES)
    if 0 < size < LEAST_MESSAGE_BYTES:
        raise OfferRefused(
            "bad_data_channel",
            f"a=max-message-size of this offer is below {LEAST_MESSAGE_BYTES:,} bytes.",
        )
    return Data(section, port, min(size or MESSAGE_BYTES, MESSAGE_BYTES))


def _whole(attributes: dict[str, list[str]], name: str, default: int) -> int:
    value = attributes.get(name, [str(default)])[0]
    if not re.fullmatch(r"[0-9]{1,19}", value):
        raise OfferRefused("bad_data_channel", f"a={name} of this offer is no number.")
    return int(value)


def read_fragment(text: str, ufrag: str) -> int:
    """Candidates that a client sends later (RFC 8840): how many there are. They are not used.

    Args:
        ufrag: The client's, of its offer.

    Raises:
        OfferRefused: If it is no such fragment, or has too many; `ice_restart`, if it begins anew.
    """
    if len(text) > FRAGMENT_CHARACTERS:
        raise OfferRefused(
            "fragment_too_large",
            f"Candidates may come in {FRAGMENT_CHARACTERS:,} characters at a time.",
        )
    count = 0
    for kind, value in _lines(text):
        name, _, rest = value.partition(":")
        if kind == "a" and name == "candidate":
            count += 1
        elif kind == "a" and name == "ice-ufrag" and rest.strip(" ") != ufrag:
            raise OfferRefused(
                "ice_restart", "ICE does not begin anew within a call: make a new call."
            )
    if count > FRAGMENT_CANDIDATES:
        raise OfferRefused(
            "fragment_too_large", f"Up to {FRAGMENT_CANDIDATES} candidates may come at a time."
        )
    return count
