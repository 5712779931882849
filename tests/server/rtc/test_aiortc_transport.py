"""What we lean on in aiortc without being asked to, and what it must not be able to do to us."""

import inspect
import struct

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate, RTCDtlsTransport
from aiortc.rtcsctptransport import (
    DATA_CHANNEL_OPEN,
    WEBRTC_DCEP,
    WEBRTC_STRING,
    DataChunk,
    InitChunk,
    RTCSctpTransport,
    SackChunk,
    serialize_packet,
)

from server.rtc import sctp_guard
from server.rtc.aiortc_transport import CHANNELS, RECORDS, Certificate, Pipe, Sctp, records

NEW_VERSION = (
    "aiortc has changed what server/rtc/aiortc_transport.py leans on; read its docstring, and the"
    " new version, before you raise the bound in pyproject.toml: {} is missing or different"
)
METHODS = {
    RTCCertificate: {"_create_ssl_context": ["self", "srtp_profiles"]},
    RTCDtlsTransport: {
        "_set_role": ["self", "role"],
        "_validate_peer_identity": ["self", "remoteParameters"],
        "_send_data": ["self", "data"],
    },
    RTCSctpTransport: {
        "_handle_data": ["self", "data"],
        "_receive_chunk": ["self", "chunk"],
        "_mark_received": ["self", "tsn"],
        "_receive_data_chunk": ["self", "chunk"],
        "_receive_sack_chunk": ["self", "chunk"],
        "_data_channel_receive": ["self", "stream_id", "pp_id", "data"],
        "_send_chunk": ["self", "chunk"],
        "_set_state": ["self", "state"],
        "_update_rto": ["self", "R"],
        "_t1_expired": ["self"],
    },
}


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in METHODS.items() for name in names]
)
def test_aiortc_still_has_the_method_that_is_overridden(owner: type, name: str) -> None:
    method = getattr(owner, name, None)
    assert method is not None, NEW_VERSION.format(f"{owner.__name__}.{name}")
    found = list(inspect.signature(method).parameters)
    assert found == METHODS[owner][name], NEW_VERSION.format(f"{owner.__name__}.{name}")


async def test_aiortc_still_has_the_state_that_is_looked_at() -> None:
    dtls = RTCDtlsTransport(Pipe(lambda data: None), [Certificate.generateCertificate()])  # type: ignore[arg-type]
    for name in ("_ssl", "_state", "_task", "_rx_srtp", "_tx_srtp", "_data_receiver"):
        assert hasattr(dtls, name), NEW_VERSION.format(f"RTCDtlsTransport.{name}")
    sctp = RTCSctpTransport(dtls)
    for name in (
        "_inbound_streams_max",
        "_advertised_rwnd",
        "_last_received_tsn",
        "_inbound_streams",
        "_sack_misordered",
        "_sack_duplicates",
        "_local_tsn",
        "_data_channels",
        "_rto",
        "_srtt",
        "_rttvar",
        "_t1_failures",
    ):
        assert hasattr(sctp, name), NEW_VERSION.format(f"RTCSctpTransport.{name}")


class Association:
    """Our side of an association, as an established peer speaks to it."""

    def __init__(self) -> None:
        dtls = RTCDtlsTransport(Pipe(lambda data: None), [Certificate.generateCertificate()])  # type: ignore[arg-type]
        self.sctp = Sctp(dtls)
        self.sctp._last_received_tsn = 0
        self.sctp._remote_port = 5_000
        self.sctp._association_state = self.sctp.State.ESTABLISHED
        self.messages: list[object] = []
        self.sctp.on("datachannel", lambda channel: channel.on("message", self.messages.append))

    async def data(
        self,
        tsn: int,
        content: bytes,
        *,
        flags: int = 3,
        stream: int = 0,
        kind: int = WEBRTC_STRING,
    ) -> None:
        chunk = DataChunk(flags=flags)
        chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = tsn, stream, kind, content
        await self.packet(bytes(chunk))

    async def packet(self, chunk: bytes, *, begins: bool = False) -> None:
        class Raw:
            def __bytes__(self) -> bytes:
                return chunk

        tag = 0 if begins else self.sctp._local_verification_tag  # RFC 9260, 8.5.1
        await self.sctp._handle_data(serialize_packet(5_000, 5_000, tag, Raw()))  # type: ignore[arg-type]

    @property
    def held(self) -> int:
        streams = self.sctp._inbound_streams.values()
        return sum(len(chunk.user_data) for stream in streams for chunk in stream.reassembly)


def opening(label: bytes) -> bytes:
    return struct.pack("!BBHLHH", DATA_CHANNEL_OPEN, 0, 0, 0, len(label), 0) + label


async def test_a_message_without_end_fills_the_window_and_no_more() -> None:
    peer = Association()
    for tsn in range(1, 1_500):
        await peer.data(tsn, b"x" * 1_100, flags=2 if tsn == 1 else 0)
    assert peer.held <= sctp_guard.WINDOW_BYTES * 5 // 4 + 1_100
    assert peer.sctp.refused > 1_000
    peer = Association()
    for tsn in range(1, 2_000):
        await peer.data(tsn, b"x", flags=2 if tsn == 1 else 0)
    assert peer.held <= sctp_guard.WINDOW_CHUNKS + 1


async def test_what_is_far_ahead_is_dropped() -> None:
    peer = Association()
    for tsn in range(2, 2_000, 2):
        await peer.data(tsn, b"x", flags=7)
    assert len(peer.sctp._sack_misordered) <= sctp_guard.WINDOW_CHUNKS


async def test_ten_thousand_channels_are_eight() -> None:
    peer = Association()
    for tsn in range(1, 10_001):
        await peer.data(tsn, opening(b"x"), stream=tsn % 65_536, kind=WEBRTC_DCEP, flags=7)
    assert len(peer.sctp._data_channels) <= CHANNELS
    assert len(peer.sctp._inbound_streams) <= sctp_guard.STREAMS


async def test_a_report_of_what_was_never_sent_is_dropped() -> None:
    peer = Association()
    for cumulative, gaps in ((5, []), (-1, [(1, 65_535)])):
        chunk = SackChunk()
        chunk.cumulative_tsn = (peer.sctp._local_tsn + cumulative) & 0xFFFF_FFFF
        chunk.advertised_rwnd = 1_000
        chunk.gaps = gaps
        before = peer.sctp.refused
        await peer.packet(bytes(chunk))
        assert peer.sctp.refused == before + 1


async def test_a_message_that_is_no_text_costs_itself_alone() -> None:
    peer = Association()
    await peer.data(1, opening(b"oai-events"), kind=WEBRTC_DCEP)
    await peer.data(2, b"\xff\xfe")
    await peer.data(3, "später".encode())
    await peer.packet(b"\x04\x00\x00\x08\x00\x01\x00\x00")  # a parameter of length 0
    await peer.data(4, b"more")
    assert peer.messages == ["später", "more"]
    assert peer.sctp.refused == 2
    peer.sctp.drop()


def test_all_calls_share_one_context_with_good_suites_alone() -> None:
    certificate = Certificate.generateCertificate()
    one = certificate._create_ssl_context(SRTP_PROFILES)
    assert certificate._create_ssl_context(SRTP_PROFILES) is one
    assert (
        len(certificate.fingerprint.value) == 95 and certificate.fingerprint.algorithm == "sha-256"
    )


def init(tsn: int) -> bytes:
    chunk = InitChunk()
    chunk.initiate_tag, chunk.advertised_rwnd, chunk.initial_tsn = 1, 100_000, tsn
    chunk.outbound_streams = chunk.inbound_streams = 16
    return bytes(chunk)


async def test_an_association_that_stands_does_not_begin_again() -> None:
    peer = Association()
    await peer.packet(init(5_000), begins=True)
    assert peer.sctp.refused == 1 and peer.sctp._last_received_tsn == 0


async def test_to_begin_again_and_again_leaves_nothing_behind() -> None:
    peer = Association()
    peer.sctp._association_state = peer.sctp.State.CLOSED
    for turn in range(5):
        first = 100_000 - turn * 600
        await peer.packet(init(first), begins=True)
        assert peer.sctp._last_received_tsn == first - 1
        for tsn in range(first + 1, first + 500):
            await peer.data(tsn, b"x", flags=7)
        assert 0 < len(peer.sctp._sack_misordered) <= sctp_guard.WINDOW_CHUNKS
    peer.sctp.drop()


async def test_what_was_missing_lets_all_that_waited_pass() -> None:
    peer = Association()
    for tsn in (3, 2, 3, 5):
        await peer.data(tsn, b"x", flags=7)
    assert peer.sctp._last_received_tsn == 0
    await peer.data(1, b"x", flags=7)
    assert peer.sctp._last_received_tsn == 3 and peer.sctp._sack_misordered == {5}


async def test_each_record_of_a_datagram_is_handed_on_by_itself() -> None:
    one = b"\x17\xfe\xfd" + bytes(8) + b"\x00\x02ab"
    pipe = Pipe(lambda data: None)
    pipe.feed(one * 3)
    assert [await pipe._recv() for _ in range(3)] == [one] * 3
    assert records(one * 50) == [one] * RECORDS
    assert records(one + one[:-1]) == records(one + b"\x17") == []
