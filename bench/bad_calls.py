"""Calls that are opened and ended badly, each in its own way."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.caller import Caller, NotConnected, own_address
from bench.door import CALLS, Door, Refused

AT_ONCE = 8


class BadCalls:
    """Makes calls, each of them badly in its own way. `made` counts the ways."""

    def __init__(self, address: str, tokens: Sequence[str], query: str, *, seed: int = 5) -> None:
        self._doors = [Door(address, token) for token in tokens]
        self._query = query
        self._chance = random.Random(seed)
        self.made: Counter[str] = Counter()
        self.odd: list[str] = []
        "What the server should not have said."
        self._callers: dict[asyncio.Task[None] | None, list[Caller]] = {}
        "Of the call that a task makes just now."
        self.setups: list[tuple[float, float]] = []
        "When a call was connected, by `time.monotonic`, and how many ms after its offer."

    async def make(self, numbers: Iterable[int]) -> None:
        """One for each number, which decides the way and the student."""
        ways = (
            self.never_connects,
            self.half_a_handshake,
            self.vanishes,
            self.sends_garbage,
            self.deleted_twice,
            self.says_goodbye,
            self.offers_nonsense,
            self.wrong_fingerprint,
        )
        todo = iter(numbers)

        async def some() -> None:
            for number in todo:
                way = ways[number % len(ways)]
                self.made[way.__name__] += 1
                try:
                    await way(number % len(self._doors))
                except (Refused, NotConnected, TimeoutError) as problem:
                    self.odd.append(f"{way.__name__}: {problem!r}")
                finally:
                    for caller in self._callers.pop(asyncio.current_task(), []):
                        caller.vanish()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def opened(self, student: int, **settings: str) -> tuple[Caller, str, str]:
        caller = Caller(host=own_address(), events=True, **settings)  # type: ignore[arg-type]
        self._callers.setdefault(asyncio.current_task(), []).append(caller)
        path, answer = await self._doors[student].offer(caller.offer, self._query)
        return caller, path, answer

    async def connected(self, student: int) -> tuple[Caller, str]:
        began_s = time.monotonic()
        caller, path, answer = await self.opened(student)
        await caller.connect(answer)
        now_s = time.monotonic()
        self.setups.append((now_s, (now_s - began_s) * 1000))
        return caller, path

    async def never_connects(self, student: int) -> None:
        caller, _, _ = await self.opened(student)
        caller.vanish()

    async def half_a_handshake(self, student: int) -> None:
        caller, _, answer = await self.opened(student)
        async with asyncio.timeout(10):
            await caller.check(answer)
        hello = asyncio.create_task(caller.shake_hands())
        await asyncio.sleep(0.005)
        hello.cancel()
        await asyncio.gather(hello, return_exceptions=True)
        caller.vanish()

    async def vanishes(self, student: int) -> None:
        caller, _ = await self.connected(student)
        caller.vanish()

    async def sends_garbage(self, student: int) -> None:
        caller, _ = await self.connected(student)
        for _ in range(30):
            first = self._chance.choice((0, 1, 22, 63, 64, 127, 128, 144, 191, 200, 255))
            caller.put(bytes([first]) + self._chance.randbytes(self._chance.randrange(1_400)))
        async with asyncio.timeout(10):
            await caller.channel_open.wait()
        for text in ("{", "[" * 2_000, "null", '{"type": NaN}', "\x00"):
            caller.tell(text)
        await asyncio.sleep(0)
        caller.vanish()

    async def deleted_twice(self, student: int) -> None:
        caller, path = await self.connected(student)
        door = self._doors[student]
        first, second = [(await door.ask("DELETE", path))[0] for _ in range(2)]
        if not (200 <= first < 300 and second in (200, 204, 404)):
            self.odd.append(f"DELETE twice: {first}, {second}")
        await caller.close()

    async def says_goodbye(self, student: int) -> None:
        caller, _ = await self.connected(student)
        await caller.close()

    async def offers_nonsense(self, student: int) -> None:
        caller = Caller(host=own_address())
        offer = caller.offer
        caller.vanish()
        cut = offer[: self._chance.randrange(len(offer))]
        body = self._chance.choice((cut, "", "v=0", "\x00" * 100, "{}", offer * 40))
        path = f"{CALLS}?{self._query}"
        status, _, said = await self._doors[student].ask("POST", path, body)
        if status >= 500:
            self.odd.append(f"nonsense: {status} {said}")

    async def wrong_fingerprint(self, student: int) -> None:
        caller, _, answer = await self.opened(
            student, fingerprint="sha-256 " + ":".join(["AB"] * 32)
        )
        async with asyncio.timeout(10):
            await caller.check(answer)
        shaking = asyncio.create_task(caller.shake_hands())
        await asyncio.wait([shaking], timeout=1)
        shaking.cancel()
        await asyncio.gather(shaking, return_exceptions=True)
        caller.vanish()
