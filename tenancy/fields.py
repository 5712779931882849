"""What may stand in a name, an address, a grade: the same in a form, in a file and over the API.

Each takes what somebody wrote and gives what is kept, or raises ValueError with the reason.
"""

import re
import unicodedata

from tenancy.people import plain_email

LONGEST_NAME = 120
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_GRADE = 40
LONGEST_CLASS = 80
LONGEST_SUBJECT = 80
LONGEST_RULES = 4_000

# One @, something on both sides, a dot in the host. What else is right, only the mail can tell.
_EMAIL = re.compile(
    r"[^\s@,;|<>\"()\[\]\\]{1,64}@[^\s@,;|<>\"()\[\]\\.]+(\.[^\s@,;|<>\"()\[\]\\.]+)+"
)
# Invisible, and turn the writing around them about, or stand for nothing.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]")


def name(text: str) -> str:
    """A person's name, on one line."""
    return _line(text, LONGEST_NAME, empty=False)


def class_name(text: str) -> str:
    """A class's name, on one line."""
    return _line(text, LONGEST_CLASS, empty=False)


def grade(text: str) -> str:
    """A grade as the school writes it; may be empty."""
    return _line(text, LONGEST_GRADE, empty=True)


def subject(text: str) -> str:
    """A subject, on one line."""
    return _line(text, LONGEST_SUBJECT, empty=False)


def rules(text: str) -> str:
    """Some lines for every tutor; may be empty."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip())
    _check_length(text, LONGEST_RULES)
    _check_signs(text, "\n\t")
    return text


def email(text: str) -> str:
    """An e-mail address, in small letters."""
    address = plain_email(unicodedata.normalize("NFC", text))
    if not address:
        raise ValueError("it is empty")
    _check_length(address, LONGEST_EMAIL)
    _check_signs(address, "")
    if not _EMAIL.fullmatch(address):
        raise ValueError("it is not an e-mail address; write one like name@school.example")
    return address


def _line(text: str, longest: int, *, empty: bool) -> str:
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if not line and not empty:
        raise ValueError("it is empty")
    _check_length(line, longest)
    _check_signs(line, "")
    return line


def _check_length(text: str, longest: int) -> None:
    if len(text) > longest:
        raise ValueError(f"it is longer than {longest} characters")


def _check_signs(text: str, besides: str) -> None:
    for sign in text:
        control = unicodedata.category(sign) in ("Cc", "Cs") and sign not in besides
        if control or _TURNING.match(sign):
            raise ValueError(f"it holds a sign that can't be kept (U+{ord(sign):04X})")
