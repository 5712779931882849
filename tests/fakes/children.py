"""The server's own workers (`ai.local.worker`), each with a thread that asks and waits.

Unlike `ai.local.workers` they belong to no event loop: they are started when first needed, serve
all simulators of a process one after the other, and end with it.
"""

import asyncio
import atexit
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Literal

import orjson

MODULES = {"voice": "ai.local.voice_worker", "ears": "ai.local.ears_worker"}
Kind = Literal["speak", "check", "transcribe"]


class Child:
    """One worker process. Only its own thread may touch the pipes, and no other starts it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=module)
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.end)

    def ask(self, kind: Kind, meta: Mapping[str, Any], pcm: bytes = b"") -> tuple[Any, bytes]:
        """Have it done, and wait. Raises RuntimeError if the work broke."""
        return self._thread.submit(self._ask, kind, meta, pcm).result()

    async def asked(
        self, kind: Kind, meta: Mapping[str, Any], pcm: bytes = b""
    ) -> tuple[Any, bytes]:
        """As `ask`; the event loop goes on meanwhile."""
        return await asyncio.wrap_future(self._thread.submit(self._ask, kind, meta, pcm))

    def end(self) -> None:
        """End the process; the next request would start another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, kind: str, meta: Mapping[str, Any], pcm: bytes) -> tuple[Any, bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._start()
        self._send(orjson.dumps({"kind": kind, "meta": dict(meta)}), pcm)
        found, sound = self._receive()
        if found.pop("retire", False):
            self.end()
        if "error" in found:
            raise RuntimeError(f"The worker could not {kind}: {found['error']}.")
        return found, sound

    def _start(self) -> None:
        environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
        )
        self._receive()  # it is ready

    def _send(self, header: bytes, pcm: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None
        lengths = len(header).to_bytes(4, "big") + len(pcm).to_bytes(4, "big")
        self._process.stdin.write(lengths + header + pcm)
        self._process.stdin.flush()

    def _receive(self) -> tuple[Any, bytes]:
        header_bytes, pcm_bytes = (int.from_bytes(self._read(4), "big") for _ in range(2))
        return orjson.loads(self._read(header_bytes)), self._read(pcm_bytes)

    def _read(self, size: int) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise RuntimeError(f"{self._module} ended.")
        return data


@cache
def child(name: Literal["voice", "ears"]) -> Child:
    """This process's one child of that kind."""
    return Child(MODULES[name])
