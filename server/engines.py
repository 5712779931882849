"""Every school's tutor engines: built from what it decided and the keys it gave, kept, replaced.

They are made when a school is first loaded: at start for all that have decided something, else
before a session opens one of them. What can't be built is left out with a sentence that says why;
the offline tutor is always there.
"""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID
from weakref import WeakSet, WeakValueDictionary

import structlog

from ai.chain import Breakers, Chain, hears
from ai.engine import Vad, VoiceActivity, VoiceEngine
from ai.language import LanguageModel
from ai.prices import Tariff
from server.config import EngineConfig
from server.engine_maker import Closes, EngineMaker, NotBuilt, Parts, minds_provider
from server.probe import Outcome, probe
from sessions.live.choice import Mode
from tenancy import engines, quota, usage
from tenancy.crypto import CryptoError
from tenancy.engines import Decided, EngineName, EngineSettings
from tenancy.postgres import Database

FRESH_S = 1.0  # another process may have decided meanwhile
TRY_EVERY_S = 60.0  # it costs a little
SPENT_S = 5.0  # how old the sum may be by which the server's own keys are closed
LINGER_S = 120.0  # what is replaced may still be asked for a summary

NOT_MADE = "It can't be made of these settings. Check the address and the names of the models."

KEY_USED_UP = (
    "What your school may use of the server's own key this month is used up; lessons go on with"
    " the next engine. Give the school's own key, or ask the operator for more."
)

log = structlog.get_logger()


class SharedVad:
    """Voice detection that outlives the engines it is lent to."""

    def __init__(self, vad: Vad) -> None:
        self._vad = vad

    def session(
        self, on_probability: Callable[[float, int], None], *, clock_ms: int
    ) -> VoiceActivity:
        return self._vad.session(on_probability, clock_ms=clock_ms)

    def close(self) -> None:
        """It stays open for the others."""


class SchoolEngines:
    """A school's engines, as it decided them at one time."""

    def __init__(self, decided: Decided, settings: EngineSettings) -> None:
        self.decided = decided
        self.settings = settings
        self.engines: dict[EngineName, VoiceEngine] = {}
        self.problems: dict[EngineName, str] = {}
        "Why one that the school wants can't be had."
        self.mind: LanguageModel | None = None
        "What also writes its summaries."
        self.mind_problem = ""
        self.on_server: frozenset[str] = frozenset()
        "Models that are used with the server's own key, ..."
        self.servers: frozenset[str] = frozenset()
        "... and the engines that use any of them; `mind` where that does."
        self.chains: WeakSet[Chain] = WeakSet()
        "Those that sessions hold."
        self.closing: list[Closes] = []

    async def close(self) -> None:
        """Close all that was opened for it; another's fault keeps none open."""
        for one in reversed(self.closing):
            with contextlib.suppress(Exception):
                await one.close()


class Engines:
    """All schools' engines in this process, until `close`."""

    def __init__(
        self,
        config: EngineConfig,
        database: Database,
        parts: Parts,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.breakers = Breakers()
        self._database = database
        self._parts = replace(parts, vad=SharedVad(parts.vad))
        self._clock = clock
        self._schools: dict[UUID | None, SchoolEngines] = {}
        "None: of all schools that have decided nothing."
        self._looked: dict[UUID, tuple[float, SchoolEngines]] = {}
        self._retired: dict[SchoolEngines, asyncio.Task[None]] = {}
        self._doors: WeakValueDictionary[UUID | None, asyncio.Lock] = WeakValueDictionary()
        self.probing: set[UUID] = set()
        "Schools whose engines are being tried: one at a time, since it costs."
        self._tried: dict[UUID, float] = {}
        self._spent: dict[UUID, tuple[float, int]] = {}

    def try_now(self, tenant_id: UUID) -> int:
        """Take a school's turn to try its engines: 0; or how many seconds it must wait for one."""
        now = self._clock()
        wait_s = self._tried.get(tenant_id, now - TRY_EVERY_S) + TRY_EVERY_S - now
        if wait_s > 0:
            return math.ceil(wait_s)
        self._tried[tenant_id] = now
        return 0

    async def load_all(self) -> None:
        """Build the engines of every school, so that nothing is imported while lessons run.

        One whose engines can't be built keeps no other from its own.
        """
        for school in await self._database.tenants():
            if school.status != "active":
                continue
            try:
                await self.of(school.id)
            except Exception as problem:  # it is looked at again when a session begins
                log.error(
                    "engines.not_loaded",
                    tenant_id=str(school.id),
                    problem=type(problem).__name__,
                )

    async def close(self) -> None:
        """Close every engine, in use or not."""
        retired, self._retired = self._retired, {}
        for task in retired.values():
            task.cancel()
        await asyncio.gather(*retired.values(), return_exceptions=True)
        schools, self._schools = self._schools, {}
        for school in (*retired, *schools.values()):
            await school.close()

    async def choose(
        self, tenant_id: UUID, wishes: Sequence[str], language: str, mode: Mode
    ) -> Chain:
        """The engines for one session, in order. Implements `sessions.live.choice.Choose`."""
        school = await self.of(tenant_id)
        names = in_order(school.settings.order, wishes, mode)
        if school.servers and await self.is_key_used_up(tenant_id):
            names = tuple(name for name in names if name not in school.servers)
        chosen = [school.engines[name] for name in names if name in school.engines]
        if mode == "voice":
            chosen = [engine for engine in chosen if hears(engine, language)]
        engines = [*chosen, self._parts.offline]
        chain = Chain(engines, self.breakers, on_server=school.on_server)
        school.chains.add(chain)
        return chain

    async def is_key_used_up(self, tenant_id: UUID) -> bool:
        """Whether a school has used what it may of the server's own keys this month."""
        most = self.config.server_key_money_micros
        if most is None:
            return False
        looked_at, spent = self._spent.get(tenant_id, (-SPENT_S, 0))
        if self._clock() - looked_at >= SPENT_S:
            spent = await quota.server_money(self._database, tenant_id, datetime.now(UTC))
            self._spent[tenant_id] = self._clock(), spent
        return spent >= most

    async def on_server(self, tenant_id: UUID) -> frozenset[str]:
        """The models that a school uses with the server's own key."""
        return (await self.of(tenant_id)).on_server

    def resting(self) -> int:
        """How many engines are left in peace now, since they have been failing."""
        return len(self.breakers.open())

    async def language_model(self, tenant_id: UUID) -> LanguageModel | None:
        """What writes a school's summaries; None: it has none."""
        school = await self.of(tenant_id)
        if "mind" in school.servers and await self.is_key_used_up(tenant_id):
            return None
        return school.mind

    async def probe(
        self, tenant_id: UUID, *, but: Sequence[str] = (), aloud: bool = True
    ) -> AsyncIterator[Outcome]:
        """Say a sentence to each engine that the school allows, in its order, except `but`."""
        school = await self.renew(tenant_id)
        held = Chain([*school.engines.values(), self._parts.offline], self.breakers)
        school.chains.add(held)
        for name in school.settings.order:
            if name in but:
                continue
            engine = self._parts.offline if name == "offline" else school.engines.get(name)
            if engine is None:
                yield Outcome(name, False, school.problems[name], code="not_configured")
            elif name in school.servers and await self.is_key_used_up(tenant_id):
                yield Outcome(name, False, KEY_USED_UP, code="key_used_up")
            else:
                outcome = await probe(engine, self._parts.speaker if aloud else None)
                await self._count_test(tenant_id, school, outcome)
                yield outcome

    async def _count_test(self, tenant_id: UUID, school: SchoolEngines, outcome: Outcome) -> None:
        """Put what a test cost among the school's costs of the month, in rows of their own."""
        totals: Counter[tuple[str, str]] = Counter()
        for one in outcome.used:
            totals[one.unit, one.model] += one.quantity
        decided = await quota.limits(self._database, tenant_id)
        tariff = Tariff(self.config.prices, decided.price_factor_permille)
        used = []
        for (unit, model), quantity in totals.items():
            cost, price = tariff.of(model, unit, quantity)
            servers = (quantity, cost or 0) if model in school.on_server else (0, 0)
            used.append(usage.OfTest(unit, model, quantity, cost, price, *servers))
        since = quota.month_of(datetime.now(UTC))
        await usage.add_test(self._database, tenant_id, outcome.engine, since, used)

    async def of(self, tenant_id: UUID) -> SchoolEngines:
        """A school's engines as it decided them at most a moment ago."""
        looked_at, known = self._looked.get(tenant_id, (0.0, None))
        if known is not None and self._clock() - looked_at < FRESH_S:
            return known
        return await self.renew(tenant_id)

    async def renew(self, tenant_id: UUID) -> SchoolEngines:
        """The same, as it has decided them now."""
        decided = await engines.of(self._database, tenant_id)
        whose = tenant_id if decided != Decided() else None
        door = self._doors.setdefault(whose, asyncio.Lock())
        async with door:
            school = self._schools.get(whose)
            if school is None or school.decided != decided:
                self._retire(school)
                school = self._schools[whose] = await self._build(tenant_id, decided)
        if whose is None:
            self._retire(self._schools.pop(tenant_id, None))
        self._looked[tenant_id] = self._clock(), school
        return school

    # ---- inside --------------------------------------------------------------------------------

    def _retire(self, school: SchoolEngines | None) -> None:
        if school is not None:
            self._retired[school] = asyncio.create_task(self._close_unused(school))

    async def _close_unused(self, school: SchoolEngines) -> None:
        """Close what was replaced, once no session has a chain of it."""
        while True:
            await asyncio.sleep(LINGER_S)
            if not school.chains:
                break
        await school.close()
        self._retired.pop(school, None)

    async def _build(self, tenant_id: UUID, decided: Decided) -> SchoolEngines:
        settings = decided.settings(self.config.settings)
        school = SchoolEngines(decided, settings)
        secrets: dict[str, Mapping[str, str]] = {}
        for key in decided.keys:
            try:
                secrets[key.provider] = engines.secret(self._database, tenant_id, key)
            except CryptoError:
                log.error("engines.key_broken", tenant_id=str(tenant_id), provider=key.provider)
        maker = EngineMaker(self.config, settings, secrets, self._parts, school.closing)
        thinks = {"cascade", minds_provider(settings)} & set(settings.order)
        if thinks:  # else no word of a lesson may go to that provider
            try:
                school.mind = await maker.mind()
            except Exception as problem:
                school.mind_problem = _why(problem, tenant_id, "mind")
        for name in settings.order:
            try:
                match name:
                    case "nova-sonic":
                        school.engines[name] = await maker.nova()
                    case "openai-realtime":
                        school.engines[name] = await maker.realtime()
                    case "cascade":
                        if school.mind is None:
                            raise NotBuilt(school.mind_problem)
                        school.engines[name] = await maker.cascade(school.mind)
            except Exception as problem:
                school.problems[name] = _why(problem, tenant_id, name)
        school.on_server, school.servers = frozenset(maker.on_server), frozenset(maker.servers)
        return school


def _why(problem: Exception, tenant_id: UUID, engine: str) -> str:
    """Why an engine can't be had. Whatever it is, the school's other engines can."""
    if isinstance(problem, NotBuilt):
        log.warning("engines.not_built", tenant_id=str(tenant_id), engine=engine)
        return str(problem)
    name = type(problem).__name__
    log.error("engines.broken", tenant_id=str(tenant_id), engine=engine, problem=name)
    return NOT_MADE


def in_order(
    order: Sequence[EngineName], wishes: Sequence[str], mode: Mode
) -> tuple[EngineName, ...]:
    """Which engines a session tries, the first one first: lesson's wishes, then the school's order.

    Only engines that the school allows. Unless the lesson wishes for another one, a session of text
    is a language model's: it costs least, and answers soonest.
    """
    wished = [cast(EngineName, name) for name in wishes if name in order]
    rest = [name for name in order if name not in wished]
    if mode == "text" and "cascade" in rest:
        rest = ["cascade", *(name for name in rest if name != "cascade")]
    names = dict.fromkeys((*wished, *rest))
    return tuple(name for name in names if name != "offline")
