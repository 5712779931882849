"""What this room refuses, each in a sentence that says what to do.

SessionsError
+-- LessonUnknown       no such lesson, or another school's
+-- SessionUnknown      no such session, or another school's, or another student's
+-- SessionIsOver       it has ended; its record stays
+-- SessionWaits        nobody is in it, so there is nothing to follow
+-- TooManyReaders      as many read along with it as may
+-- TooManySessions     the student has as many live ones as allowed
+-- ServerIsFull        refuse new ones, keep old ones
+-- PlanInvalid         a lesson plan that can't be read; names the line and the mend
"""


class SessionsError(Exception):
    """Base of what this room raises."""


class LessonUnknown(SessionsError):
    def __init__(self, lesson: str) -> None:
        super().__init__(
            f"There is no lesson {lesson!r} for you. GET /v1/models lists the lessons you may take."
        )


class SessionUnknown(SessionsError):
    def __init__(self, session: str = "") -> None:
        named = f" {session!r}" if session else " like this"
        super().__init__(
            f"There is no session{named} of yours. Leave `session` out to start a new one."
        )


class SessionIsOver(SessionsError):
    def __init__(self, reason: str | None) -> None:
        super().__init__(
            f"This session is over ({reason or 'ended'}). Its transcript stays in the record;"
            " leave `session` out to start a new one."
        )


class SessionWaits(SessionsError):
    def __init__(self) -> None:
        super().__init__(
            "This lesson waits for its student, who lost the connection. Follow it once they are"
            " back; until then its transcript is in the record."
        )


class TooManyReaders(SessionsError):
    def __init__(self, limit: int, retry_after_s: int = 60) -> None:
        super().__init__(
            f"{limit} windows read along with this lesson already. Close one, or try again later."
        )
        self.retry_after_s = retry_after_s


class TooManySessions(SessionsError):
    def __init__(self, limit: int, retry_after_s: int = 30) -> None:
        super().__init__(
            f"You already have {limit} lessons running. Finish or continue one of them first."
        )
        self.retry_after_s = retry_after_s


class ServerIsFull(SessionsError):
    def __init__(self, retry_after_s: int = 15) -> None:
        super().__init__("The server is busy or restarting. Please try again in a few seconds.")
        self.retry_after_s = retry_after_s


class PlanInvalid(SessionsError):
    """A plan that can't be read; `problems` are (line or None, path, sentence)."""

    def __init__(self, problems: list[tuple[int | None, str, str]]) -> None:
        self.problems = problems
        super().__init__(
            "; ".join(
                (f"line {line}: " if line else "") + (f"{path}: " if path else "") + sentence
                for line, path, sentence in problems
            )
        )
