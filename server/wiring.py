"""The composition root: opens everything in order, hands it in, and closes it in reverse.

What a configuration needs is imported here, at start: a server that teaches offline never loads a
provider's package, and nothing is imported while sessions run.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from importlib import import_module
from typing import Any

from ai.cascade import Cascade
from ai.tools import Judge
from server import demo
from server.config import Config, StartFailed
from server.engine_maker import Parts
from server.engines import Engines
from server.identity import Door, Site
from server.metrics import Sources, serve_metrics
from server.observe import Counts, watch_loop
from server.realtime.calls import Calls
from server.services import Services
from server.sight import Sight
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.live.lobby import Lobby, LobbySettings
from sessions.record.work import SLOW, handlers
from tenancy import migrate
from tenancy.crypto import Keyring, master_key_of
from tenancy.embedded import Embedded
from tenancy.identities import Identities
from tenancy.postgres import Database

CHECK_WITHIN_S = 2.0  # sympy's own bound is shorter
CHECKED = ("kind", "expected", "also", "said", "choices", "against", "language")
"The arguments of `ai.local.checks.check`, in order."


@contextlib.asynccontextmanager
async def open_services(config: Config) -> AsyncIterator[Services]:
    """Everything the doors need, from here to the end of the block.

    Raises:
        StartFailed, TenancyError: If something can't be opened, in a sentence.
    """
    async with contextlib.AsyncExitStack() as stack:
        warming = asyncio.create_task(open_parts(config, stack))
        try:
            database = await _database(config, stack)
            parts, judge, restarts = await warming
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
        identities = Identities(database)
        stack.callback(identities.close)
        engines = Engines(config.engines, database, parts)
        stack.push_async_callback(engines.close)
        await engines.load_all()
        bus = Bus()
        prices = config.engines.prices
        work = handlers(database, bus, engines.language_model, prices, engines.on_server)
        worker = Worker(database, work, slow=SLOW)
        worker.start()
        stack.push_async_callback(worker.stop)
        lobby = Lobby(
            database,
            engines.choose,
            bus,
            worker,
            LobbySettings(
                session_s=config.session_limit_s,
                grace_s=config.session_grace_s,
                live_per_student=config.live_sessions_per_student,
                sessions=config.live_sessions,
            ),
            prices=prices,
            judge=judge,
        )
        stack.push_async_callback(lobby.close)
        counts = Counts()
        _start(stack, watch_loop(counts))
        calls = await _calls(config, stack, identities)
        if config.metrics_port is not None:
            resting = engines.resting
            sources = Sources(counts, lobby, database, restarts, resting, calls)
            stack.callback(_metrics(config.metrics_port, sources))
        site = Site(config.hosts)
        yield Services(
            config=config,
            database=database,
            identities=identities,
            door=Door(identities, site),
            engines=engines,
            lobby=lobby,
            worker=worker,
            bus=bus,
            codecs=import_module("ai.g711"),
            sight=Sight(database),
            counts=counts,
            calls=calls,
        )


def where(config: Config) -> dict[str, Any]:
    """Where calls are taken: what `server.rtc.ports.Place` is made of."""
    return {
        "port": config.port if config.calls.port is None else config.calls.port,
        "addresses": config.calls.addresses,
        "loopback": config.host in ("127.0.0.1", "::1", "localhost"),
    }


async def _calls(
    config: Config, stack: contextlib.AsyncExitStack, identities: Identities
) -> Calls | None:
    """What takes WebRTC calls; None: they are switched off.

    Raises:
        StartFailed: If there is no UDP port, or no Opus.
    """
    if not config.calls.on:
        return None
    peer, ports = import_module("server.rtc.peer"), import_module("server.rtc.ports")
    voice, opus = import_module("server.rtc.voice"), import_module("server.rtc.opus")
    place = ports.Place(**where(config))
    try:
        opus.Encoder()
        peers = await peer.Peers.open(place)
    except (ports.PortTaken, opus.OpusMissing) as problem:
        raise StartFailed(f"{problem} WEBRTC=off does without calls.") from problem
    except OSError as problem:
        raise StartFailed(
            f"No UDP socket can be had for calls ({problem.strerror}). Look at WEBRTC_ADDRESSES and"
            " WEBRTC_PORT; WEBRTC=off does without calls."
        ) from problem
    stack.push_async_callback(peers.close)
    calls = Calls(
        peers.answer,
        lambda peer, connection: voice.Voice(peer.send, connection, clock=time.monotonic),
    )
    stack.push_async_callback(calls.close)
    _start(stack, calls.recheck(identities.still_valid))
    return calls


async def _database(config: Config, stack: contextlib.AsyncExitStack) -> Database:
    """The database, brought up to date where it is our own."""
    if config.database_url is not None:
        assert config.master_key is not None, "Config sees to it"
        return await _opened(config.database_url, Keyring(config.master_key), config, stack)
    keys = Keyring(config.master_key or master_key_of(config.data_dir)[0])
    if config.demo and not (config.data_dir / "postgres" / "PG_VERSION").exists():
        demo.begin(config.data_dir)
    postgres = await Embedded.start(config.data_dir)
    stack.push_async_callback(postgres.stop)
    _start(stack, postgres.keep_alive())
    outcome = await migrate.up(postgres.place.admin_url)
    if outcome.failures:
        raise StartFailed("\n".join(map(str, outcome.failures)))
    database = await _opened(postgres.place.app_url, keys, config, stack)
    if config.demo and demo.is_begun(config.data_dir):
        identities = Identities(database)
        try:
            await demo.finish(postgres.place.admin_url, database, identities, config.data_dir)
        finally:
            identities.close()
    return database


async def _opened(
    url: str, keys: Keyring, config: Config, stack: contextlib.AsyncExitStack
) -> Database:
    database = await Database.open(url, keys, size=config.database_connections)
    stack.push_async_callback(database.close)
    async with database.control() as connection:
        pending = await migrate.pending(connection)
    if pending:
        raise StartFailed(
            f"{len(pending)} migrations have not run on this database, {pending[0]} first."
            " Run `student-connect migrate`, then start again."
        )
    await database.self_check()
    return database


async def open_parts(
    config: Config, stack: contextlib.AsyncExitStack
) -> tuple[Parts, Judge, Callable[[], int]]:
    """What tutors run of on this machine, warm; what judges answers for all of them; and how often
    its workers fell."""
    workers = import_module("ai.local.workers").Workers(ears=config.local_workers - 1)
    stack.push_async_callback(workers.close)
    vad, *_ = await asyncio.gather(
        asyncio.to_thread(import_module, "ai.local.vad"), workers.start()
    )

    async def check(*about: Any) -> Mapping[str, Any]:
        meta = dict(zip(CHECKED, about, strict=False))
        checked: Mapping[str, Any] = (
            await workers.call("check", meta, timeout_s=CHECK_WITHIN_S)
        ).meta
        return checked

    ears = import_module("ai.local.ears").LocalEars(workers)
    speaker = import_module("ai.local.voice").LocalSpeaker(workers)
    judges = vad.Vad()
    mind = import_module("ai.local.tutor").OfflineTutor(check)
    offline = Cascade("offline", ears, mind, speaker, judges)
    stack.push_async_callback(offline.close)
    judge = import_module("ai.local.judging").judge_with(check)
    return Parts(offline, ears, speaker, judges), judge, lambda: workers.restarts


def _metrics(port: int, sources: Sources) -> Callable[[], None]:
    try:
        return serve_metrics(port, sources)
    except OSError as problem:
        raise StartFailed(
            f"METRICS_PORT={port} can't be used ({problem.strerror}). Choose another one."
        ) from problem


def _start(stack: contextlib.AsyncExitStack, coroutine: Any) -> None:
    """A task that ends with the stack."""
    task = asyncio.create_task(coroutine)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
