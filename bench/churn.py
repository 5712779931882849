"""How well a server bears calls, voice and chat that come and go badly: `python -m bench.churn`.

For minutes students call, connect by WebSocket, speak or type, and leave as they should or not:
without a word, in mid-handshake, after garbage. Before and after it, with all deadlines passed, the
server's own process says how many tasks, descriptors and kilobytes it holds.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import websockets

from bench import counted, crowd
from bench.bad_calls import BadCalls
from bench.house import Server
from bench.percentile import percentile
from bench.voice import LESSON

STUDENTS = 300
SILENCE = bytes(960)
QUIET_S = 60.0  # longer than the server waits for anything
WARM_UP_S = 60.0


class BadSockets:
    """WebSockets of the same students, by voice and in writing."""

    def __init__(self, address: str, tokens: Sequence[str]) -> None:
        self._url = f"ws://{address}/v1/realtime?model={LESSON}"
        self._tokens = tokens
        self._chance = random.Random(9)
        self.made: Counter[str] = Counter()

    async def one(self, number: int) -> None:
        way = self._chance.choice(("finishes", "goes", "breaks", "half open"))
        speaks = self._chance.random() < 0.5
        self.made[f"{'voice' if speaks else 'chat'} {way}"] += 1
        bearer = {"Authorization": f"Bearer {self._tokens[number % len(self._tokens)]}"}
        try:
            if way == "half open":
                await self._half_open()
                return
            socket = await websockets.connect(self._url, additional_headers=bearer)
        except (OSError, TimeoutError, websockets.InvalidHandshake):
            self.made["refused"] += 1
            return
        try:
            await socket.recv()
            if speaks:
                for _ in range(10):
                    await socket.send(SILENCE)
            else:
                await socket.send(json.dumps({"type": "response.create"}))
            if way == "finishes":
                await socket.send(json.dumps({"type": "session.end"}))
        except websockets.ConnectionClosed:
            pass
        if way == "breaks":
            socket.transport.abort()
        await socket.close()

    async def _half_open(self) -> None:
        host, _, port = self._url.removeprefix("ws://").partition("/")[0].partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\n")
        await asyncio.sleep(0.5)
        writer.transport.abort()


async def churn(server: Server, tokens: Sequence[str], seconds: float, per_s: float) -> BadCalls:
    """Until then, at that pace."""
    until_s = time.monotonic() + seconds
    calls = BadCalls(server.address, tokens, f"model={LESSON}")
    sockets = BadSockets(server.address, tokens)
    numbers = _until(until_s)

    async def some() -> None:
        for number in numbers:
            began_s = time.monotonic()
            await calls.make([number])
            await sockets.one(number)
            left_s = 1 / per_s * WORKERS - (time.monotonic() - began_s)
            await asyncio.sleep(max(0.0, left_s))

    await asyncio.gather(*(some() for _ in range(WORKERS)))
    print(f"calls: {dict(calls.made)}\nsockets: {dict(sockets.made)}", flush=True)
    return calls


WORKERS = 10


def _until(until_s: float) -> Iterator[int]:
    for number in itertools.count():
        if time.monotonic() > until_s:
            return
        yield number


def p99_ms(setups: Sequence[tuple[float, float]], from_s: float, to_s: float) -> float:
    """Of calls connected in that time."""
    took = sorted(ms for at_s, ms in setups if from_s <= at_s < to_s)
    return percentile(took, 0.99)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.churn", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--per-second", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(
            Path(folder) / "data",
            command=counted.command(),
            SESSION_GRACE_S="5",
            LIVE_SESSIONS="5000",
            LIVE_SESSIONS_PER_STUDENT="100",
            **counted.settings(Path(folder)),
        )
        try:
            server.start()
            tokens = asyncio.run(crowd.tokens(server.data_dir, STUDENTS))
            asyncio.run(churn(server, tokens, WARM_UP_S, options.per_second))
            time.sleep(QUIET_S)
            before = counted.count(server)
            began_s = time.monotonic()
            calls = asyncio.run(churn(server, tokens, options.minutes * 60, options.per_second))
            ended_s = time.monotonic()
            time.sleep(QUIET_S)
            after = counted.count(server)
        finally:
            server.end()
    print(f"before {before}\nafter  {after}")
    grown = (after.rss_kb / before.rss_kb - 1) * 100
    print(f"RSS {grown:+.1f} % (goal: at most +5), {len(calls.odd)} odd answers")
    first = p99_ms(calls.setups, began_s, began_s + 60)
    last = p99_ms(calls.setups, ended_s - 60, ended_s)
    print(f"offer to connected, p99: {first:.0f} ms in the first minute, {last:.0f} in the last")
    for odd, times in Counter(calls.odd).most_common(10):
        print(f"  {times} × {odd}", file=sys.stderr)


if __name__ == "__main__":
    main()
