import base64
import hashlib
import hmac

import pytest

from server.rtc.turn import IceServers, check_url, credentials, ice_servers, links

SERVERS = IceServers(
    stun_urls=("stun:stun.example.org:3478",),
    turn_urls=("turn:turn.example.org:3478?transport=udp", "turns:turn.example.org"),
    secret="shared",
    ttl_s=300,
)


def test_credentials_are_the_expiry_and_the_user_signed() -> None:
    made = credentials("shared", "session-7", 300, 1_700_000_000.9)
    assert made.username == "1700000300:session-7"
    digest = hmac.new(b"shared", b"1700000300:session-7", hashlib.sha1).digest()
    assert base64.b64decode(made.credential) == digest


def test_servers_are_told_as_the_browser_takes_them() -> None:
    stun, turn = ice_servers(SERVERS, "u", 0)
    assert stun == {"urls": ["stun:stun.example.org:3478"]}
    assert turn["urls"] == list(SERVERS.turn_urls)
    assert turn["username"] == "300:u" and len(turn["credential"]) == 28
    assert ice_servers(IceServers(), "u", 0) == [] and not IceServers()
    open_to_all = IceServers(turn_urls=("turn:t.example.org",))
    assert ice_servers(open_to_all, "u", 0) == [{"urls": ["turn:t.example.org"]}] and open_to_all


def test_links_name_each_server_with_its_credentials() -> None:
    made = credentials("shared", "u", 300, 0)
    assert links(ice_servers(SERVERS, "u", 0)) == [
        '<stun:stun.example.org:3478>; rel="ice-server"',
        '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="300:u";'
        f' credential="{made.credential}"; credential-type="password"',
        '<turns:turn.example.org>; rel="ice-server"; username="300:u";'
        f' credential="{made.credential}"; credential-type="password"',
    ]


def test_a_link_holds_no_sign_that_ends_it() -> None:
    (value,) = links([{"urls": ["turn:t"], "username": 'a"b\\c\r\nX: y', "credential": "é"}])
    assert value == (
        '<turn:t>; rel="ice-server"; username="a\\"b\\\\cX: y"; credential="";'
        ' credential-type="password"'
    )


@pytest.mark.parametrize(
    "text", ["stun:stun.example.org", "stuns:[2001:db8::1]:5349", "stun:192.0.2.1:3478"]
)
def test_a_stun_server_is_known(text: str) -> None:
    assert check_url(text, ("stun", "stuns")) == text


@pytest.mark.parametrize(
    "text",
    ["", "stun.example.org", "stun://x", "turn:x.org", "stun:a b", "stun:x>; rel=y", "stun:x\r\n"],
)
def test_what_is_no_stun_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write stun:stun\.example\.org:3478"):
        check_url(text, ("stun", "stuns"))
