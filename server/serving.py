"""Serving: from the first line on the screen to the last process stopped."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
import uvloop

from server.app import build
from server.config import Config
from server.http import Http
from server.realtime.limits import FRAME_BYTES
from server.realtime.uvicorn_socket import Socket
from server.services import Services
from server.tls import self_signed as make_certificate
from server.wiring import StartFailed, open_services
from tenancy.model import TenancyError

PING_EVERY_S, PONG_WITHIN_S = 20.0, 25.0  # realtime.md: ping each 20 s, give up after 45 s
KEEP_ALIVE_S = 5
DRAIN_S = 8.0


def serve(config: Config, *, self_signed: bool = False) -> int:
    """Serve until told to stop; returns the exit code."""
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if self_signed:
        names = ("localhost", "127.0.0.1", *([config.host] if config.host != "0.0.0.0" else []))
        cert, key = make_certificate(config.data_dir, tuple(dict.fromkeys(names)))
        config = replace(config, tls_cert=cert, tls_key=key)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(config))
    except (StartFailed, TenancyError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1


async def _serve(config: Config) -> int:
    listening = _listen(config)
    with contextlib.closing(listening):
        async with open_services(config) as services:
            app = build(services)
            app.state.services = services
            server = _Server(
                uvicorn.Config(
                    app,
                    http=Http,
                    ws=Socket,
                    ws_max_size=FRAME_BYTES,
                    ws_ping_interval=PING_EVERY_S,
                    ws_ping_timeout=PONG_WITHIN_S,
                    ws_per_message_deflate=False,
                    lifespan="off",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,
                    timeout_keep_alive=KEEP_ALIVE_S,
                    timeout_graceful_shutdown=round(DRAIN_S),
                    ssl_certfile=config.tls_cert,
                    ssl_keyfile=config.tls_key,
                )
            )
            server.stop_with(services)
            _announce(config, listening)
            await server.serve(sockets=[listening])
    return 0


class _Server(uvicorn.Server):
    """uvicorn, but live lessons are told before their sockets close."""

    def stop_with(self, services: Services) -> None:
        """The first signal lets go of lessons and stops; the second stops at once."""
        loop = asyncio.get_running_loop()
        self._stopping: asyncio.Task[None] | None = None

        async def stop() -> None:
            await services.lobby.close(DRAIN_S)
            self.should_exit = True

        def signalled() -> None:
            if self._stopping is not None:
                self.force_exit = self.should_exit = True
                return
            self._stopping = loop.create_task(stop())

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, signalled)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are set already."""
        yield


def _listen(config: Config) -> socket.socket:
    """The socket, bound before anything else is started."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as problem:
        listening.close()
        raise StartFailed(
            f"{config.host}:{config.port} can't be used ({problem.strerror}). Stop what listens"
            " there, or choose another PORT."
        ) from problem
    listening.set_inheritable(True)
    return listening


def _announce(config: Config, listening: socket.socket) -> None:
    """Where the server is and how to get in."""
    port = listening.getsockname()[1]
    host = "localhost" if config.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else config.host
    print(f"\nStudent Connect is ready: {config.scheme}://{host}:{port}")
    password = config.data_dir / "demo-password"
    if config.embedded and password.exists():
        print("  Sign in as student@demo.school (or instructor@, tutor@, parent@, admin@)")
        print(f"  Password: {password.read_text().strip()}   (kept in {password})")
    if config.host not in ("127.0.0.1", "::1", "localhost") and config.tls_cert is None:
        print("  Browsers give a microphone and a sign-in only to https:// or localhost:")
        print("  put a TLS proxy in front, or use --tls-cert and --tls-key.")
    print("  Ctrl-C stops it.\n", flush=True)
