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
+-- TemplateUnknown     no such template to begin with
+-- LessonArchived      it must be brought back first
+-- VersionUnknown      the lesson has no version of this number
+-- DraftRefused        a change that no draft can hold
+-- StepUnknown         the step of a draft that was to be changed is gone
+-- DraftConflict       somebody else changed the same field of a draft
+-- DraftMoved          a draft is another than was seen
+-- DraftNotReady       a draft that can't be published yet; has the findings
"""

from collections.abc import Sequence
from typing import Any

from tenancy.model import Name


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


class DraftRefused(SessionsError):
    """A change that no draft can hold: no such field, another shape, beyond a bound."""

    def __init__(self, path: str, sentence: str) -> None:
        self.path = path
        super().__init__(sentence)


class StepUnknown(SessionsError):
    def __init__(self, step_id: str) -> None:
        super().__init__(
            f"There is no step {step_id!r} in this draft (any more). Fetch the draft anew."
        )


class TemplateUnknown(SessionsError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no template {name[:60]!r}. GET /api/v1/school/templates lists them."
        )


class LessonArchived(SessionsError):
    def __init__(self) -> None:
        super().__init__("This lesson is archived. Bring it back first.")


class VersionUnknown(SessionsError):
    def __init__(self, number: int | str) -> None:
        super().__init__(f"This lesson has no version {number}. Choose one that is in its list.")


class DraftConflict(SessionsError):
    """Both texts, and whose the other one is, so that a person can decide."""

    def __init__(
        self, path: str, *, was: Any, yours: Any, theirs: Any, changed_by: Name, revision: int
    ) -> None:
        self.path = path
        self.was = was
        self.yours = yours
        self.theirs = theirs
        self.changed_by = changed_by
        self.revision = revision
        super().__init__(
            f"{changed_by.name} changed the same field meanwhile. Nothing of theirs was replaced:"
            " choose between the two, or put them together."
        )


class DraftMoved(SessionsError):
    def __init__(self, revision: int) -> None:
        self.revision = revision
        super().__init__("The draft was changed meanwhile. Look at it again, then publish it.")


class DraftNotReady(SessionsError):
    """`findings` say what to mend: `sessions.lessons.findings`."""

    def __init__(self, findings: Sequence[Any]) -> None:
        self.findings = findings
        count = len(findings)
        things = "There is one thing" if count == 1 else f"There are {count} things"
        super().__init__(f"{things} to mend in this draft first.")
