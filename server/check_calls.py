"""`student-connect check calls`: can calls come in, and do STUN and TURN servers answer?"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

from server.check import Finding
from server.config import Config
from server.rtc import turn
from server.rtc.peer import Peers
from server.rtc.ports import Place, PortTaken
from server.rtc.reach import NoAnswer, allocate, bind
from server.wiring import where

ARRIVES_WITHIN_S = 0.1


async def look(config: Config) -> AsyncIterator[Finding]:
    """All that can be seen from here."""
    if not config.calls.on:
        yield Finding("calls", "They are switched off (WEBRTC=off); lessons go over WebSockets.")
        return
    async for finding in _ports(Place(**where(config))):
        yield finding
    async for finding in _servers(config.calls.servers):
        yield finding


async def _ports(place: Place) -> AsyncIterator[Finding]:
    try:
        peers = await Peers.open(place)
    except PortTaken:
        yield Finding(
            "port",
            f"UDP port {place.port} is in use. If the server runs, it has it: stop it to have the"
            " port tried. If not, another program does: set WEBRTC_PORT.",
        )
        return
    except OSError as problem:
        sentence = f"No UDP socket can be bound ({problem.strerror}). Look at WEBRTC_PORT."
        yield Finding("port", sentence, well=False)
        return
    try:
        ports = peers.ports
        yield Finding("port", f"UDP port {ports.port} is free, and is announced at:")
        for address in ports.announced:
            before = ports.unwanted
            own = await _arrives(address, ports.port)
            arrived = ports.unwanted > before
            well = arrived or address in place.addresses
            if arrived:
                sentence = "UDP arrives there from this machine."
            elif address in place.addresses:
                sentence = (
                    "UDP from this machine does not come back by it, as behind most NATs. Try from"
                    " another network."
                )
            else:
                sentence = (
                    f"UDP does not arrive there{'' if own else ' (it can not even be sent)'}. Open"
                    f" UDP port {ports.port} in this machine's firewall."
                )
            yield Finding("address", f"{address}: {sentence}", well=well)
    finally:
        await peers.close()


async def _arrives(address: str, port: int) -> bool:
    """Send a datagram there and wait a moment; False: it can't be sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.setblocking(False)
        try:
            one.sendto(b"\xff", (address, port))
        except OSError:
            return False
        await asyncio.sleep(ARRIVES_WITHIN_S)
    return True


async def _servers(servers: turn.IceServers) -> AsyncIterator[Finding]:
    now = time.time()
    made = turn.credentials(servers.secret, "check", servers.ttl_s, now) if servers.secret else None
    for kind, urls in (("stun", servers.stun_urls), ("turn", servers.turn_urls)):
        for url in urls:
            try:
                said = await (bind(url) if kind == "stun" else allocate(url, made))
            except NoAnswer as problem:
                yield Finding(kind, f"{url}: {problem}. {_mend(kind, str(problem))}", well=False)
            except OSError as problem:
                sentence = f"{url}: it can't be reached ({problem.strerror or problem})."
                yield Finding(kind, f"{sentence} Check its name and port.", well=False)
            else:
                yield Finding(kind, f"{url}: {said}.")
    if not servers:
        yield Finding(
            "turn",
            "No TURN server is set: students in networks that let no UDP out use the WebSocket.",
        )


def _mend(kind: str, problem: str) -> str:
    if "refuses with 401" in problem:
        return "TURN_SECRET is not the server's `static-auth-secret`, or a clock is wrong."
    if "refuses" in problem:
        return "Read its log."
    return f"Is the {kind.upper()} server running, and its port open?"
