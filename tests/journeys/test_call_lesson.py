"""A spoken lesson over WebRTC, on the real server: understood, answered, gone on by socket."""

import asyncio
import fractions
import json
from typing import Any

import httpx
import pytest
from av import AudioFrame

from ai.audio import BYTES_PER_MS
from bench import speech
from tests.fakes.webrtc_client import Client, Tone
from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

LESSON = "fractions-as-parts"
FRAME_BYTES = 20 * BYTES_PER_MS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]


class Mouth(Tone):
    """A microphone: silence, and what the student says."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = b""

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        pcm, self.waiting = self.waiting[:FRAME_BYTES], self.waiting[FRAME_BYTES:]
        spoken = AudioFrame(format="s16", layout="mono", samples=480)
        spoken.planes[0].update(pcm.ljust(FRAME_BYTES, b"\0"))
        spoken.sample_rate, spoken.pts = 24_000, frame.pts // 2
        spoken.time_base = fractions.Fraction(1, 24_000)
        return spoken


async def until(client: Client, kind: str, within_s: float = 20.0) -> dict[str, Any]:
    """The first event of a type."""
    async with asyncio.timeout(within_s):
        while True:
            for event in map(json.loads, client.messages):
                assert event["type"] != "error", event
                if event["type"] == kind:
                    return dict(event)
            await asyncio.sleep(0.02)


async def test_a_student_calls_is_understood_and_goes_on_by_socket(place: Place) -> None:
    client, mouth = Client(sound=False), Mouth()
    client.connection.getSenders()[0].replaceTrack(mouth)
    offer = await client.offer()
    async with httpx.AsyncClient(base_url=f"http://{place.server.address}") as http:
        taken = await http.post(
            f"/v1/realtime/calls?model={LESSON}",
            content=offer,
            headers={"Authorization": f"Bearer {place.token()}", "Content-Type": "application/sdp"},
        )
    assert taken.status_code == 201, taken.text
    try:
        await client.accept(taken.text)
        session = (await until(client, "session.created"))["session"]["id"]
        assert taken.headers["x-session-id"] == session
        await client.say('{"type":"response.create","response":{"output_modalities":["text"]}}')
        await until(client, "response.done")
        mouth.waiting = speech.say("two quarters")
        kind = "conversation.item.input_audio_transcription.completed"
        assert (await until(client, kind))["transcript"] == "two quarters"
        await until(client, "output_audio_buffer.started")
        await until(client, "output_audio_buffer.stopped")
        await asyncio.sleep(0.5)  # what was sent is on its way to the ear
        assert client.frames > 50
    finally:
        await client.close()
    async with (
        place.client() as official,
        official.realtime.connect(model=LESSON, extra_query={"session": session}) as connection,
    ):
        pupil = Pupil(connection)
        assert (await pupil.until("session.created"))["session"]["resumed"]["complete"]
        ended = await pupil.finishes()
        assert ended["reason"] == "finished"
    items = place.read(f"/sessions/{session.removeprefix('sess_')}/transcript")["items"]
    question, answer = [item for item in items if item["role"] != "system"][1:3]
    assert question["said"] == "two quarters"
    assert answer["heard"] == answer["said"] and not answer["interrupted"]
