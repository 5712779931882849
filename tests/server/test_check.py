"""`student-connect check engines` with each provider's real client, against its simulator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ai.audio import BYTES_PER_MS
from ai.engine import Spoken, VoiceActivity
from server.config import Config
from server.engine_maker import Parts
from server.engines import Engines
from server.probe import Outcome
from tenancy import engines, quota, usage
from tenancy.audit import By
from tenancy.postgres import Database
from tests.conftest import School
from tests.fakes.ears import Told
from tests.fakes.mind import Script
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners as NovaManners
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_server import KEY, OpenAISimulator, simulate_openai

WINDOW_MS = 32
LOUD = (b"\x00\x30" * 60 + b"\x00\xd0" * 60) * 100  # half a second of 200 Hz, at 24 kHz


class Voice:
    """Says anything as noise that no ear takes for silence."""

    async def speak(self, text: str, **_: Any) -> AsyncIterator[Spoken]:
        yield Spoken(LOUD)


class LoudnessVad:
    """Takes for voice whatever is not silence."""

    def session(
        self, on_probability: Callable[[float, int], None], *, clock_ms: int
    ) -> VoiceActivity:
        return Loudness(on_probability, clock_ms)

    def close(self) -> None: ...


class Loudness:
    def __init__(self, on_probability: Callable[[float, int], None], clock_ms: int) -> None:
        self._on_probability, self._clock_ms, self._pcm = on_probability, clock_ms, b""

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm
        while len(self._pcm) >= WINDOW_MS * BYTES_PER_MS:
            window, self._pcm = (
                self._pcm[: WINDOW_MS * BYTES_PER_MS], self._pcm[WINDOW_MS * BYTES_PER_MS :],
            )  # fmt: skip
            self._clock_ms += WINDOW_MS
            self._on_probability(0.95 if window.strip(b"\0") else 0.0, self._clock_ms)

    def close(self) -> None: ...


class LocalEars:
    languages = frozenset({"en"})


@pytest.fixture
async def openai() -> AsyncIterator[OpenAISimulator]:
    script = Script(when={"hear me": "Loud and clear."})
    manners = Manners(script=script, ears=Told(["can you hear me"] * 9), checks=False, pace=None)
    async with simulate_openai(manners) as running:
        yield running


@asynccontextmanager
async def home_of(database: Database, **environ: str) -> AsyncIterator[Engines]:
    offline: Any = SimpleNamespace(name="offline", key="local", languages=frozenset({"en"}))
    ears: Any = LocalEars()
    parts = Parts(offline, ears, Voice(), LoudnessVad())
    home = Engines(Config.from_environ(environ).engines, database, parts)
    try:
        yield home
    finally:
        await home.close()


async def probed(home: Engines, school: School) -> dict[str, Outcome]:
    found = {}
    async for outcome in home.probe(school.tenant.id, but=("offline",)):
        found[outcome.engine] = outcome
    return found


async def test_a_sentence_reaches_openai_typed_and_spoken(
    database: Database, school: School, openai: OpenAISimulator
) -> None:
    places = {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": KEY}
    async with home_of(database, ENGINE="openai-realtime", **places) as home:
        outcome = (await probed(home, school))["openai-realtime"]
    assert outcome.well, outcome
    assert outcome.sentence == "It said: “Loud and clear.”"
    assert outcome.heard == "can you hear me"
    assert outcome.open_ms is not None and outcome.voice_ms is not None
    since = quota.month_of(datetime.now(UTC))
    spent = (await usage.of_month(database, school.tenant.id, since)).engines
    assert {(one.kind, one.engine) for one in spent} == {("test", "openai-realtime")}
    assert {one.paid_by for one in spent if one.model} == {"server"}
    assert any(one.unit == "text_tokens_out" and one.quantity for one in spent)
    assert openai.violations == []
    async with asyncio.timeout(5):
        while openai.open:  # the line is closed in both directions
            await asyncio.sleep(0.01)


async def test_a_wrong_key_is_told_as_that(
    database: Database, school: School, openai: OpenAISimulator
) -> None:
    places = {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": "sk-wrong"}
    async with home_of(database, ENGINE="openai-realtime, cascade", **places) as home:
        found = await probed(home, school)
    for name in ("openai-realtime", "cascade"):
        assert (found[name].well, found[name].code) == (False, "unauthorized"), found[name]
        assert found[name].sentence.startswith("The provider does not accept the key.")
        assert "sk-wrong" not in str(found[name])


async def test_a_language_model_with_ears_and_voice_by_openai_is_a_tutor(
    database: Database, school: School, openai: OpenAISimulator
) -> None:
    places = {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": KEY}
    parts = {"CASCADE_EARS": "openai", "CASCADE_SPEAKER": "openai"}
    for mind in ("openai-chat", "openai-responses"):
        async with home_of(
            database, ENGINE="cascade", CASCADE_MIND=mind, **places, **parts
        ) as home:
            school_engines = await home.of(school.tenant.id)
            assert school_engines.problems == {}
            assert (await home.language_model(school.tenant.id)) is school_engines.mind
            found = []
            async for outcome in home.probe(school.tenant.id, but=("offline",), aloud=False):
                found.append(outcome)
        (outcome,) = found
        assert outcome.well, (mind, outcome)
        assert outcome.sentence == "It said: “Loud and clear.”"


async def test_a_sentence_reaches_nova_with_the_schools_own_access_key(
    database: Database, school: School
) -> None:
    manners = NovaManners(
        script=Script(when={"hear me": "Loud and clear."}),
        ears=Told(["can you hear me"] * 9),
        silence_ms=300,
        think_s=0.0,
        pace=20.0,
        finals="generated",
    )
    async with Nova(manners) as nova:
        key = {"access_key": nova.secret.access_key, "secret_key": nova.secret.secret_key}
        await engines.put_key(database, school.tenant.id, "aws", key, by=By())
        async with home_of(
            database, ENGINE="nova-sonic", BEDROCK_ENDPOINT=nova.endpoint, AWS_AMBIENT="no"
        ) as home:
            outcome = (await probed(home, school))["nova-sonic"]
            assert outcome.well, outcome
            assert outcome.sentence == "It said: “Loud and clear.”"
            assert outcome.heard == "can you hear me"
            wrong = {**key, "secret_key": "wrong"}
            await engines.put_key(database, school.tenant.id, "aws", wrong, by=By())
            outcome = (await probed(home, school))["nova-sonic"]
        assert (outcome.well, outcome.code) == (False, "unauthorized"), outcome
        assert nova.open_streams == 0
