"""Frames as the provider's side reads them."""

import pytest
from websockets.frames import Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from ai.openai.websocket import framed


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_is_read_as_it_was_said(length: int) -> None:
    text = b"x" * length
    server = Protocol(SERVER, state=OPEN, max_size=None)
    server.receive_data(framed(text) + framed(b"next"))
    first, second = server.events_received()
    assert (first.opcode, first.fin, bytes(first.data)) == (Opcode.TEXT, True, text)  # type: ignore[union-attr]
    assert bytes(second.data) == b"next"  # type: ignore[union-attr]


def test_each_frame_has_a_mask_of_its_own() -> None:
    assert len({framed(b"the same") for _ in range(100)}) > 90
