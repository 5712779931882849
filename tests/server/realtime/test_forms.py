"""Forms are read in no time, whatever is in them."""

import random
import time

import pytest

from server.realtime.reading import Bad
from server.realtime.webrtc import FORM_BYTES, read_form

TYPE = "multipart/form-data; boundary=b"
HEAD = b"--b\r\nContent-Disposition: form-data; name="
GOOD = (
    HEAD
    + b'"sdp"\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n'
    + HEAD
    + b'"session"\r\n\r\n{"model":"halves"}\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    "content_type",
    [TYPE, 'multipart/form-data; boundary="b"', "Multipart/Form-Data;boundary=b;charset=utf-8"],
)
def test_two_fields_are_read_as_they_are(content_type: str) -> None:
    assert read_form(content_type, GOOD) == {"sdp": "v=0\r\n", "session": '{"model":"halves"}'}


def test_what_browsers_and_clients_write_beside_the_name_is_passed_over() -> None:
    body = b'--b\r\ncontent-disposition: form-data; name="sdp"; filename="x"\r\n\r\nv=0\r\n--b--'
    assert read_form(TYPE, body) == {"sdp": "v=0"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TYPE, b""),
        (TYPE, GOOD[:-10]),
        (TYPE, GOOD + GOOD),
        (TYPE, GOOD.replace(b"session", b"sdp")),
        (TYPE, GOOD.replace(b"form-data", b"inline")),
        (TYPE, HEAD + b"sdp\r\nContent-Type: multipart/mixed; boundary=c\r\n--b--"),
        (TYPE, HEAD + b"sdp; x=" + b"y" * 2_000 + b"\r\n\r\nv=0\r\n--b--"),
        (TYPE, b"".join(HEAD + b"a%c\r\n\r\n" % (97 + n) for n in range(20)) + b"--b--"),
        ("multipart/form-data", GOOD),
        ("multipart/form-data; boundary=" + "b" * 80, GOOD),
        ("multipart/form-data; boundary=" + "b" * 60_000, GOOD),
        ("multipart/mixed; boundary=b", GOOD),
    ],
)
def test_anything_else_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Bad) as bad:
        read_form(content_type, body)
    assert bad.value.code == "invalid_form"


@pytest.mark.parametrize(
    "filling", [b"(", b"a;", b"a=b;", b'"', b"a*0=b;", b"=?utf-8?q?a?= ", b"(a)", b"\n", b"\r\n--b"]
)
def test_no_form_holds_the_loop(filling: bytes) -> None:
    """Each of these took a general parser seconds, some a minute."""
    many = filling * (FORM_BYTES // len(filling))
    began = time.perf_counter()
    for head in (HEAD + b"sdp; ", b"--b\r\nContent-Type: text/plain; ", b"--b\r\n"):
        with pytest.raises(Bad):
            read_form(TYPE, (head + many)[: FORM_BYTES - 20] + b"\r\n\r\nx\r\n--b--\r\n\0"[:-1] * 2)
        with pytest.raises(Bad):
            read_form("multipart/form-data; boundary=" + many.decode(), GOOD)
    assert time.perf_counter() - began < 2


def test_mutated_forms_are_read_or_refused() -> None:
    chance = random.Random(5)
    for _ in range(10_000):
        body = bytearray(GOOD)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        try:
            read_form(TYPE, bytes(body))
        except Bad as bad:
            assert bad.code in ("invalid_form", "invalid_sdp")
