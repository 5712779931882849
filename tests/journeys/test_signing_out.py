"""Signing out in one window ends the lesson's connection in another."""

import asyncio
import json
import time

import pytest
import websockets

from tests.journeys.conftest import Place

pytestmark = pytest.mark.slow

WITHIN_S = 5.0  # promised


async def test_signing_out_closes_the_live_connection_within_five_seconds(place: Place) -> None:
    server = place.server
    origin = f"http://{server.address}"
    password = (server.data_dir / "demo-password").read_text().strip()
    status, headers, body = server.request(
        "POST",
        "/api/v1/sign-in",
        {"school": "demo", "email": "student@demo.school", "password": password},
        {"Origin": origin},
    )
    assert status == 200, body
    cookie = {"Cookie": headers["set-cookie"].split(";")[0], "Origin": origin}
    csrf = json.loads(body)["person"]["csrf"]
    async with websockets.connect(
        f"ws://{server.address}/v1/realtime?model=fractions-as-parts", additional_headers=cookie
    ) as connection:
        await connection.recv()
        began = time.monotonic()
        status, _, body = await asyncio.to_thread(
            server.request, "POST", "/api/v1/sign-out", {}, {**cookie, "X-CSRF-Token": csrf}
        )
        assert status == 204, body
        with pytest.raises(websockets.ConnectionClosed) as closed:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    last = json.loads(await connection.recv())
    assert time.monotonic() - began < WITHIN_S
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4002
    assert (last["type"], last["code"]) == ("notice", "signed_out")
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(
            f"ws://{server.address}/v1/realtime?model=fractions-as-parts",
            additional_headers=cookie,
        )
    assert refused.value.response.status_code == 401
