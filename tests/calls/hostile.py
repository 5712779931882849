"""Offers that name addresses which nothing may be sent to."""

RESERVED = (
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.2.77",
    "198.18.0.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "fe80::1",
    "fd00::1",
    "ff02::fb",
    "one.local",
)
"Private, loopback, link-local, shared, multicast, mapped; and a name that mDNS would look up."


class HostileOffer:
    """A client's own offer, with such candidates before its own one."""

    def __init__(self, own: str, kind: str) -> None:
        related = "" if kind == "host" else " raddr 10.0.0.9 rport 9"
        self._candidates = [
            f"a=candidate:{n} 1 udp {2_113_929_471 - n} {host} 53 typ {kind}{related}"
            for n, host in enumerate(RESERVED, 2)
        ]
        self._credentials = [line for line in own.splitlines() if line.startswith("a=ice-")][:2]
        lines = []
        for line in own.splitlines():
            if line.startswith("c=IN"):
                line = "c=IN IP4 169.254.169.254"
            elif line.startswith("a=rtcp:"):
                line = "a=rtcp:53 IN IP4 10.0.0.1"
            elif line.startswith("a=candidate"):
                lines += self._candidates
            lines.append(line)
        self.sdp = "\r\n".join(lines) + "\r\n"

    @property
    def fragment(self) -> str:
        """The same once more, as they are trickled: RFC 8840, section 9."""
        media = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
        return "\r\n".join([*self._credentials, *media, *self._candidates]) + "\r\n"
