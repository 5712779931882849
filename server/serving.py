"""Serving: from the first line on the screen to the last process stopped."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import ASGIApp

from server.app import build
from server.config import Config, StartFailed
from server.http import HEAD_WITHIN_S, Http
from server.observe import task_failed
from server.pages import warm
from server.realtime.limits import FRAME_BYTES
from server.realtime.uvicorn_socket import Socket
from server.services import Services
from server.tls import self_signed as make_certificate
from server.wiring import open_services
from tenancy.embedded import await_free

PING_EVERY_S, PONG_WITHIN_S = 20.0, 25.0  # realtime.md: ping each 20 s, give up after 45 s
KEEP_ALIVE_S = 5  # promises.md 3.6
# The stop takes ten seconds at most: these two, and what the children take to end.
LESSONS_S = 5.0  # for lessons to be told and saved
ANSWERS_S = 3.0  # for answers under way, and for clients to read the last word
HURRY_S = 0.5
POLL_S = 0.02
ANYWHERE = ("0.0.0.0", "::")
HERE = ("127.0.0.1", "::1", "localhost")

BACKLOG = 2_048  # connections that wait to be taken; uvicorn's own


def serve(config: Config, *, self_signed: bool = False) -> int:
    """Serve until told to stop; returns the exit code.

    Raises:
        StartFailed, TenancyError, OSError: If it can't start.
    """
    _allow_many_sockets()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, self_signed=self_signed))


async def _serve(config: Config, *, self_signed: bool) -> int:
    asyncio.get_running_loop().set_exception_handler(task_failed)
    stop = _Stop()
    try:
        if config.embedded:
            await await_free(config.data_dir)
        with contextlib.closing(_listen(config)) as listening:
            if self_signed:
                config = _with_own_certificate(config)
            new_key = config.embedded and not _master_key(config).exists()
            async with open_services(config) as services:
                server = _Server(_uvicorn(config, build(services)))
                stop.serving(server, services)
                await warm()
                # What the start made stays. To look through it for garbage would stop everybody's
                # sound for more than 0.1 s, each time.
                gc.freeze()
                gc.enable()
                _announce(config, listening, new_key=new_key)
                await server.serve(sockets=[listening])
    except asyncio.CancelledError:
        if not stop.asked:
            raise
    return 0


class _Stop:
    """What signals do: the first stops in order, each further one hurries."""

    def __init__(self) -> None:
        self.asked = 0
        self._task = asyncio.current_task()
        self._server: _Server | None = None
        self._services: Services | None = None
        self._letting_go: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
            signals.append(signal.SIGHUP)
        for name in signals:
            loop.add_signal_handler(name, self._signalled)

    def serving(self, server: "_Server", services: Services) -> None:
        """From now on there is something to stop in order."""
        self._server, self._services = server, services

    def _signalled(self) -> None:
        self.asked += 1
        if self._server is None or self.asked > 2:
            assert self._task is not None
            self._task.cancel()  # what was opened is closed on the way out
        elif self.asked == 2:
            self._server.force_exit = self._server.should_exit = True
        else:
            self._letting_go = asyncio.get_running_loop().create_task(self._let_go())

    async def _let_go(self) -> None:
        """Live lessons are told before their sockets close."""
        assert self._server is not None and self._services is not None
        self._services.streams.close()
        try:
            await self._services.lobby.close(LESSONS_S)
        finally:
            self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn, but signals are ours, and so are the deadlines of a TLS handshake and of the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        config, loop = self.config, asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                lambda: config.http_protocol_class(  # type: ignore[call-arg]
                    config=config, server_state=self.server_state, app_state=self.lifespan.state
                ),
                sock=listening,
                ssl=config.ssl,
                ssl_handshake_timeout=HEAD_WITHIN_S if config.ssl else None,
                backlog=BACKLOG,
            )
            for listening in sockets or ()
        ]
        self.started = True

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        deadline_s = time.monotonic() + ANSWERS_S
        while (state.connections or state.tasks) and not self.force_exit:
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(POLL_S)
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:  # their clients are gone, which most of them notice
            await asyncio.wait(state.tasks, timeout=HURRY_S)
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


def _uvicorn(config: Config, app: ASGIApp) -> uvicorn.Config:
    """How uvicorn is to serve. Raises StartFailed."""
    settings = uvicorn.Config(
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
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
    )
    try:
        settings.load()
    except (ssl.SSLError, ValueError) as problem:
        raise StartFailed(
            f"{config.tls_cert} and {config.tls_key} are no certificate and its key, in PEM."
            " Check both files."
        ) from problem
    return settings


def _allow_many_sockets() -> None:
    """As many open files as we may have: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(config: Config) -> socket.socket:
    """The socket, bound before anything else is started."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
        listening.listen(BACKLOG)  # bound alone, two servers could have it
    except OSError as problem:
        listening.close()
        raise StartFailed(
            f"{config.host}:{config.port} can't be used ({problem.strerror}). Stop what listens"
            " there, or choose another HOST or PORT."
        ) from problem
    return listening


def _with_own_certificate(config: Config) -> Config:
    named = () if config.host in (*ANYWHERE, *HERE) else (config.host,)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    cert, key = make_certificate(config.data_dir, ("localhost", "127.0.0.1", *named))
    return replace(config, tls_cert=cert, tls_key=key)


def _master_key(config: Config) -> Path:
    return config.data_dir / "master.key"


def _announce(config: Config, listening: socket.socket, *, new_key: bool) -> None:
    """Where the server is and how to get in."""
    host = "localhost" if config.host in (*ANYWHERE, *HERE) else config.host
    host = f"[{host}]" if ":" in host else host
    print(f"\nStudent Connect is ready: {config.scheme}://{host}:{listening.getsockname()[1]}")
    password = config.data_dir / "demo-password"
    if config.embedded and password.exists():
        print("  Sign in as student@demo.school (or instructor@, tutor@, parent@, admin@)")
        print(f"  Password: {password.read_text().strip()}   (kept in {password})")
    if new_key and _master_key(config).exists():
        print(f"  Back up {_master_key(config)}: without it no transcript can be read.")
    if config.host not in HERE and config.tls_cert is None:
        print("  Browsers give a microphone and a sign-in only to https:// or localhost:")
        print("  put a TLS proxy in front, or use --tls-cert and --tls-key.")
    print("  Ctrl-C stops it.\n", flush=True)
