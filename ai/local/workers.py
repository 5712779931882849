"""The child processes that recognise, speak and reckon, seen from the event loop.

What takes CPU for tens of milliseconds, or holds the interpreter's lock while it does, runs in
children (`ai.local.worker`). A request is a kind, a small dictionary and sound; so is its reply. A
child that misses a request's deadline is killed and another takes its place.

A message on the pipes: the length of its header and of its body (four bytes each, big endian), the
header (JSON), the body (PCM).
"""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from ai.engine import EngineFailed

log = structlog.get_logger()

MAX_WAITING = 64  # requests not yet begun; ten students speaking at once leave two or three
START_S = 20.0  # for a child to import, load its models and say that it is ready
RESTART_S = (0.0, 0.5, 2.0, 5.0)  # before a child that died while starting is started again
# A sentence to say must not wait behind another student's recognition.
LANES: Mapping[str, str] = {"transcribe": "ears", "speak": "voice", "check": "voice"}
# What a child may know of our environment: no secret is in it.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH")


class WorkersBusy(EngineFailed):
    """Too many requests wait."""

    def __str__(self) -> str:
        return f"{MAX_WAITING} requests wait for a worker; try again when some are done."


class WorkFailed(EngineFailed):
    """A request broke or took too long."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(kind, why)
        self.kind = kind
        self.why = why

    def __str__(self) -> str:
        return f"The local worker could not {self.kind}: {self.why}."


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answered."""

    meta: dict[str, Any]
    pcm: bytes


@dataclass(frozen=True, slots=True)
class _Request:
    kind: str
    meta: Mapping[str, Any]
    pcm: bytes
    timeout_s: float
    reply: asyncio.Future[Reply]


class Workers:
    """The children of this server: one for what takes milliseconds, others that recognise."""

    def __init__(self, ears: int = 1) -> None:
        self._lanes = {
            "voice": Lane("ai.local.voice_worker", 1),
            "ears": Lane("ai.local.ears_worker", ears),
        }

    @property
    def pids(self) -> set[int]:
        """The processes there are now."""
        return set().union(*(lane.pids for lane in self._lanes.values()))

    @property
    def restarts(self) -> int:
        """Children that were replaced so far."""
        return sum(lane.restarts for lane in self._lanes.values())

    async def start(self) -> None:
        """Start the children and wait until they are warm."""
        try:
            await asyncio.gather(*(lane.start() for lane in self._lanes.values()))
        except BaseException:
            await self.close()
            raise

    async def call(
        self, kind: str, meta: Mapping[str, Any], pcm: bytes = b"", *, timeout_s: float
    ) -> Reply:
        """Have a child do `kind`; `timeout_s` is for the work, not for waiting until it begins.

        A call that is cancelled before it begins leaves the queue. Raises WorkersBusy, WorkFailed.
        """
        return await self._lanes[LANES[kind]].call(kind, meta, pcm, timeout_s=timeout_s)

    async def close(self) -> None:
        """End the children; what still waits fails."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))


class Lane:
    """Children that do the same kinds of work, first come, first served."""

    def __init__(self, module: str, size: int) -> None:
        self._module = module
        self._size = size
        self._waiting: deque[_Request] = deque()
        self._arrived = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []
        self.restarts = 0
        self.pids: set[int] = set()

    async def start(self) -> None:
        """Start the children and wait until they are warm. Raises TimeoutError."""
        ready = [asyncio.get_running_loop().create_future() for _ in range(self._size)]
        self._keepers = [asyncio.create_task(self._keep(one)) for one in ready]
        async with asyncio.timeout(START_S):
            await asyncio.gather(*ready)

    async def call(
        self, kind: str, meta: Mapping[str, Any], pcm: bytes = b"", *, timeout_s: float
    ) -> Reply:
        """See `Workers.call`."""
        if len(self._waiting) >= MAX_WAITING:
            self._drop_abandoned()
        if len(self._waiting) >= MAX_WAITING or not self._keepers:
            raise WorkersBusy()
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(kind, meta, pcm, timeout_s, reply))
        self._arrived.set()
        return await reply

    async def close(self) -> None:
        """End the children; what still waits fails."""
        keepers, self._keepers = self._keepers, []
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        while self._waiting:
            request = self._waiting.popleft()
            if not request.reply.done():
                request.reply.set_exception(WorkFailed(request.kind, "the server is stopping"))

    def _drop_abandoned(self) -> None:
        kept = [request for request in self._waiting if not request.reply.done()]
        self._waiting.clear()
        self._waiting.extend(kept)

    async def _keep(self, ready: "asyncio.Future[None]") -> None:
        """Keep one child alive and busy."""
        failures = 0
        while True:
            await asyncio.sleep(RESTART_S[min(failures, len(RESTART_S) - 1)])
            child = await _Child.start(self._module, self._arrived.set)
            self.pids.add(child.pid)
            try:
                await child.warm()
                failures = 0
                if not ready.done():
                    ready.set_result(None)
                while (request := await self._next(child)) is not None:
                    await self._employ(child, request)
            except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
                failures += 1
                log.warning("worker.start_failed", error=type(error).__name__, failures=failures)
            finally:
                self.pids.discard(child.pid)
                await child.end()
            self.restarts += 1

    async def _next(self, child: "_Child") -> _Request | None:
        """The oldest request that still matters; None once `child` can take none."""
        while child.alive:
            while self._waiting:
                request = self._waiting.popleft()
                if not request.reply.done():
                    return request
            self._arrived.clear()
            await self._arrived.wait()
        return None

    async def _employ(self, child: "_Child", request: _Request) -> None:
        """Have `child` do `request`, and answer it whatever happens."""
        why = "the server is stopping"
        try:
            reply = await child.ask(request)
            why = reply.meta.get("error", "")
            if not why and not request.reply.done():
                request.reply.set_result(reply)
        except TimeoutError:
            why = f"it took more than {request.timeout_s:g} s"
            child.alive = False
        except (asyncio.IncompleteReadError, OSError):
            why = "the worker died"
            child.alive = False
        finally:
            if why and not request.reply.done():
                log.warning("worker.failed", pid=child.pid, kind=request.kind, why=why)
                request.reply.set_exception(WorkFailed(request.kind, why))


class _Child:
    """One child process and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process, ended: Callable[[], None]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.pid = process.pid
        self.alive = True
        "False once it must not be asked again."
        self._process = process
        self._to, self._from = process.stdin, process.stdout
        self._ended = ended
        self._watch = asyncio.create_task(self._await_end())

    @classmethod
    async def start(cls, module: str, ended: Callable[[], None]) -> "_Child":
        """A new child that runs `module`; `ended` is called when its process ends."""
        environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        environ["OPENBLAS_NUM_THREADS"] = "1"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
        )
        return cls(process, ended)

    async def warm(self) -> None:
        """Wait for its first message: it is ready."""
        async with asyncio.timeout(START_S):
            await self._receive()

    async def ask(self, request: _Request) -> Reply:
        """One request, one reply. Raises TimeoutError, IncompleteReadError or OSError."""
        async with asyncio.timeout(request.timeout_s):
            header = orjson.dumps({"kind": request.kind, "meta": dict(request.meta)})
            lengths = len(header).to_bytes(4, "big") + len(request.pcm).to_bytes(4, "big")
            self._to.write(lengths + header + request.pcm)
            await self._to.drain()
            reply = await self._receive()
        if reply.meta.pop("retire", False):
            self.alive = False
        return reply

    async def end(self) -> None:
        """Kill it if it still runs."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._watch
        self._to.close()

    async def _await_end(self) -> None:
        await self._process.wait()
        self.alive = False
        self._ended()

    async def _receive(self) -> Reply:
        lengths = await self._from.readexactly(8)
        header = await self._from.readexactly(int.from_bytes(lengths[:4], "big"))
        pcm = await self._from.readexactly(int.from_bytes(lengths[4:], "big"))
        return Reply(orjson.loads(header), pcm)
