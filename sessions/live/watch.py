"""What time alone brings about: re-prompts, warnings, limits.

Silence is never an error. After a question that nobody answers the tutor asks again twice, more
gently, and then waits as long as it takes.
"""

from dataclasses import dataclass

REPROMPT_AFTER_S = (14.0, 30.0)  # teaching practice: wait time first, then an easier way in
MIC_FRESH_S = 2.0  # audio came within so long: the student's microphone is on
WARN_BEFORE_S = (300.0, 60.0)
FINISHED_IDLE_S = 30.0  # after the lesson's last word, for one more question
SILENT_MIC_S = 12.0  # an open microphone that gives nothing but zeros
SILENT_AGAIN_S = 60.0  # that was told of once: some that work are silent in zeros too


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session may last, in seconds."""

    session_s: float = 3_600.0


class Watch:
    """Deadlines of one session. Times are seconds of the session's steady clock."""

    def __init__(self, limits: Limits, began: float) -> None:
        self.limits = limits
        self.ends_at = began + limits.session_s
        self.heard_audio_at: float | None = None
        "When microphone audio last came."
        self.zero_since: float | None = None
        self._told_zeros: float | None = None
        "Which stretch of zeros was told of last, on this connection."
        self._quiet_since: float | None = None
        self._reprompts = 0
        self._warned = 0
        self._finished_at: float | None = None
        while (
            self._warned < len(WARN_BEFORE_S) and self._left(began) <= WARN_BEFORE_S[self._warned]
        ):
            self._warned += 1

    def audio(self, silent: bool, now: float) -> None:
        """Microphone audio came; `silent`: all of it zeros."""
        self.heard_audio_at = now
        if not silent:
            self.zero_since = None
        elif self.zero_since is None:
            self.zero_since = now

    def waiting(self, now: float) -> None:
        """It is the student's turn, and quiet."""
        if self._quiet_since is None:
            self._quiet_since = now

    def busy(self) -> None:
        """Somebody speaks, or thinks."""
        self._quiet_since = None

    def student_acted(self) -> None:
        """The student said or did something: the next silence is a new one."""
        self._quiet_since = None
        self._reprompts = 0
        self._finished_at = None

    def lesson_finished(self, now: float) -> None:
        self._finished_at = now

    def tick(self, now: float) -> list[str]:
        """What is due: `time_over`, `finished`, `warn`, `reprompt`, `mic_silent`."""
        due: list[str] = []
        if now >= self.ends_at:
            return ["time_over"]
        if self._warned < len(WARN_BEFORE_S) and self._left(now) <= WARN_BEFORE_S[self._warned]:
            self._warned += 1
            due.append("warn")
        at = self._finish_due()
        if at is not None and now >= at:
            return ["finished"]
        at = self._reprompt_due()
        if at is not None and now >= at:
            self._quiet_since = None
            if self._mic_is_on(now):
                self._reprompts += 1
                due.append("reprompt")
        at = self._silent_due()
        if at is not None and now >= at:
            if self._mic_is_on(now):
                self._told_zeros = self.zero_since
                due.append("mic_silent")
            else:
                self.zero_since = None
        return due

    def minutes_left(self, now: float) -> int:
        return max(1, round(self._left(now) / 60))

    def deadline(self) -> float:
        """When to call `tick` again."""
        times = [self.ends_at]
        if self._warned < len(WARN_BEFORE_S):
            times.append(self.ends_at - WARN_BEFORE_S[self._warned])
        times += [
            at
            for at in (self._finish_due(), self._reprompt_due(), self._silent_due())
            if at is not None
        ]
        return min(times)

    def mic_gone(self) -> None:
        """Nobody is connected."""
        self.heard_audio_at = None
        self.zero_since = self._told_zeros = None

    def _mic_is_on(self, now: float) -> bool:
        return self.heard_audio_at is not None and now - self.heard_audio_at <= MIC_FRESH_S

    def _left(self, now: float) -> float:
        return self.ends_at - now

    def _finish_due(self) -> float | None:
        if self._finished_at is None or self._quiet_since is None:
            return None
        return max(self._finished_at, self._quiet_since) + FINISHED_IDLE_S

    def _reprompt_due(self) -> float | None:
        if (
            self._quiet_since is None
            or self._finished_at is not None
            or self._reprompts >= len(REPROMPT_AFTER_S)
        ):
            return None
        return self._quiet_since + REPROMPT_AFTER_S[self._reprompts]

    def _silent_due(self) -> float | None:
        if self.zero_since is None or self.zero_since == self._told_zeros:
            return None
        return self.zero_since + (SILENT_MIC_S if self._told_zeros is None else SILENT_AGAIN_S)
