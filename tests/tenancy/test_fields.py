"""What may stand in a name, an address, a grade."""

from collections.abc import Callable

import pytest

from tenancy import fields


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        (fields.name, "  Zoe\u0308   Quince\n", "Zoë Quince"),
        (fields.name, "أمينة عبد الرحمن", "أمينة عبد الرحمن"),
        (fields.name, "अमीना त्रि\u200dपाठी", "अमीना त्रि\u200dपाठी"),
        (fields.name, "<script>alert(1)</script>", "<script>alert(1)</script>"),
        (fields.name, "x" * 120, "x" * 120),
        (fields.email, " Ana@School.Example ", "ana@school.example"),
        (fields.email, "o'neil+4b@mail.school.example", "o'neil+4b@mail.school.example"),
        (fields.grade, "", ""),
        (fields.class_name, "4b", "4b"),
        (fields.rules, "Be kind.\r\n\tNo homework. \n", "Be kind.\n\tNo homework."),
    ],
)
def test_what_is_kept(field: Callable[[str], str], text: str, kept: str) -> None:
    assert field(text) == kept


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        (fields.name, " \t ", "it is empty"),
        (fields.name, "x" * 121, "longer than 120"),
        (fields.name, "a\0b", "U\\+0000"),
        (fields.name, "a\x1bb", "U\\+001B"),
        (fields.name, "evil\u202egnp.exe", "U\\+202E"),
        (fields.name, "\ud800", "U\\+D800"),
        (fields.email, "", "it is empty"),
        (fields.email, "ana", "not an e-mail address"),
        (fields.email, "ana@school", "not an e-mail address"),
        (fields.email, "ana@@school.example", "not an e-mail address"),
        (fields.email, "ana b@school.example", "not an e-mail address"),
        (fields.email, "ana@school.example,b@c.d", "not an e-mail address"),
        (fields.email, "Ana <ana@school.example>", "not an e-mail address"),
        (fields.email, "a" * 65 + "@school.example", "not an e-mail address"),
        (fields.email, "a@" + "b" * 250 + ".example", "longer than 254"),
        (fields.rules, "x" * 4_001, "longer than 4000"),
        (fields.rules, "a\x07", "U\\+0007"),
    ],
)
def test_what_is_not_and_why(field: Callable[[str], str], text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        field(text)
