"""What the school office can't have done, each in a sentence that says what to do.

OfficeError
+-- NotThere      nobody, or nothing, of this id at the school
+-- InTheWay      something at the school stands against it
+-- Unfit         those named are not what it is for
+-- LimitReached  the school lets itself use no more for now
"""

from tenancy.model import TenancyError


class OfficeError(TenancyError):
    """Base of what the modules of the school office raise."""


class NotThere(OfficeError):
    """Nothing of this id; what another school has is not there either."""

    def __init__(self, what: str, list_: str) -> None:
        super().__init__(
            f"There is no such {what} at your school. GET /api/v1/{list_} lists those that there"
            " are."
        )


class InTheWay(OfficeError):
    """As things are at the school, it can't be."""


class Unfit(OfficeError):
    """Somebody has not the role that it takes, or is switched off."""


class LimitReached(OfficeError):
    """The school lets itself use no more for now; the sentence is for a student."""

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
