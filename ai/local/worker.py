"""The life of a child process that does what would hold the server up.

It reads requests from its standard input and writes replies to its standard output, as
`ai.local.workers` says. It ends when its input does, which is when its parent dies.
`ears_worker` and `voice_worker` are the two there are.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

Work = Callable[[Mapping[str, Any], bytes], tuple[Mapping[str, Any], bytes]]

NICENESS = 5  # the server's event loop goes first
MAX_RESIDENT_BYTES = 400 << 20  # a child that grew beyond asks to be replaced
_PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def serve(prepare: Callable[[], Mapping[str, Work]]) -> None:
    """Do what is asked until the input ends. `prepare` loads and warms what does the work."""
    _follow_parent()
    os.nice(NICENESS)
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the replies
    work = prepare()
    _send(replies, {"ready": True}, b"")
    while (request := _receive(requests)) is not None:
        header, pcm = request
        try:
            meta, sound = work[header["kind"]](header["meta"], pcm)
        except Exception as error:  # whatever it is, the caller is told and the next one served
            meta, sound = {"error": type(error).__name__}, b""
        if _resident_bytes() > MAX_RESIDENT_BYTES:
            meta = {**meta, "retire": True}
        _send(replies, meta, sound)


def _follow_parent() -> None:
    """Die with the parent even in the middle of work; leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _receive(requests: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    lengths = requests.read(8)
    if len(lengths) < 8:
        return None
    header = requests.read(int.from_bytes(lengths[:4], "big"))
    return orjson.loads(header), requests.read(int.from_bytes(lengths[4:], "big"))


def _send(replies: BinaryIO, meta: Mapping[str, Any], pcm: bytes) -> None:
    header = orjson.dumps(meta)
    replies.write(len(header).to_bytes(4, "big") + len(pcm).to_bytes(4, "big") + header + pcm)
    replies.flush()


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
