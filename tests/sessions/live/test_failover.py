"""Engines that break, hang, refuse and fall silent: the lesson goes on, or the student is told."""

import asyncio
from typing import Any

import pytest

from ai.chain import BreakerLimits, Breakers
from ai.engine import Patience, TurnDetection
from ai.events import Failed, Fault, Spoke
from sessions.live.events import (
    CommitAudio,
    CreateItem,
    CreateResponse,
    EngineChanged,
    Notice,
    ResponseDone,
    UpdateSession,
)
from tests.sessions.live.quick import quickly
from tests.sessions.live.stage import Scene, StagedEngine, Student, scene, voice

BROKEN, REFUSED = Fault("transient", "broken", "secret words"), Fault("terminal", "unauthorized")
BUSY = Fault("throttled", "busy", retry_after_s=30)
QUICK = Patience(answer_s=6.0, turn_s=6.0, ears_s=8.0, told_s=2.5)


def three() -> tuple[StagedEngine, StagedEngine, StagedEngine]:
    return StagedEngine("nova-sonic"), StagedEngine("cascade"), StagedEngine("offline")


async def ask(stage: Scene, wait_ms: int = 2_000) -> list[str]:
    """An answer is asked for; what became of all so far."""
    stage.room.session.receive(stage.door, CreateResponse())
    await stage.student.wait(wait_ms)
    return [event.response.status for event in stage.door.of(ResponseDone)]


class Clock:
    """When which event was told."""

    def __init__(self, stage: Scene) -> None:
        self.times: list[tuple[float, Any]] = []
        tell = stage.door.tell

        def noted(event: Any) -> None:
            self.times.append((asyncio.get_running_loop().time(), event))
            tell(event)

        stage.door.tell = noted  # type: ignore[method-assign]

    def of(self, kind: type, code: str = "") -> float:
        return next(
            at
            for at, event in self.times
            if isinstance(event, kind) and getattr(event, "code", "") == code
        )


# ---- the same engine again -------------------------------------------------------------------


@pytest.mark.parametrize("offset_ms", range(0, 2_600, 200))
def test_a_leg_that_breaks_in_mid_speech_costs_no_word_and_nobody_is_told(offset_ms: int) -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            loop = asyncio.get_running_loop()
            loop.call_later(1.0 + offset_ms / 1000, lambda: engine.leg.fail(BROKEN))
            await stage.student.wait(1_000)
            await stage.student.speak(1_400)
            await stage.student.wait(4_000)
            stage.all_heard_once()
            assert stage.changes() == ["broken"] and stage.counts.reopened == 1
            cut = [item for item in stage.room.session.items if item.status == "incomplete"]
            assert stage.notices() == (["tutor_trouble"] if cut else [])
            assert len(stage.door.of(ResponseDone)) == 1 + len(cut)

    quickly(story())


def test_a_leg_that_breaks_in_mid_answer_ends_it_there_and_the_tutor_goes_on() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            await ask(stage, 350)
            engine.leg.fail(BROKEN)
            await stage.student.wait(3_000)
            first, second = stage.room.session.items
            assert (first.said, first.heard, first.status) == (
                "opening-1",
                "opening-1",
                "incomplete",
            )
            assert second.said == "resumed-1 resumed-2"
            memory = engine.leg.memory
            assert [utterance.text for utterance in memory] == ["opening-1"]

    quickly(story())


def test_who_asks_for_answers_themselves_is_not_answered_unasked() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, UpdateSession(turn_detection="none"))
            await ask(stage, 350)
            engine.leg.fail(BROKEN)
            await stage.student.wait(5_000)
            assert [event.response.status for event in stage.door.of(ResponseDone)] == ["failed"]

    quickly(story())


def test_by_hand_what_was_not_committed_yet_is_heard_by_the_next_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, UpdateSession(turn_detection="none"))
            await stage.student.speak(2_000)
            engine.leg.fail(BROKEN)
            await stage.student.speak(1_000)
            stage.room.session.receive(stage.door, CreateResponse())
            stage.room.session.receive(stage.door, CommitAudio())
            await stage.student.wait(2_000)
            assert stage.student.heard() == ["u1*100 u2*50"]

    quickly(story())


def test_words_that_a_broken_leg_owed_are_asked_of_the_next_one() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.words_s = 5.0
        async with scene(engine) as stage:
            await stage.student.speak(1_000)
            await stage.student.wait(1_500)
            assert stage.student.heard() == ["None"]
            engine.leg.fail(BROKEN)
            engine.manner.words_s = 0.1
            await stage.student.wait(1_000)
            stage.all_heard_once()

    quickly(story())


def test_a_turn_that_came_as_an_item_is_read_to_the_next_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.words_s = 5.0
        async with scene(engine) as stage:
            pcm = voice(9, 1_000)
            stage.room.session.receive(stage.door, CreateItem(item_id="a", text=None, pcm=pcm))
            engine.leg.fail(BROKEN)
            engine.manner.words_s = 0.1
            await stage.student.wait(1_000)
            assert stage.student.heard() == ["u9*50"]

    quickly(story())


def test_how_turns_end_is_told_to_every_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            before = engine.leg.detection
            engine.leg.fail(BROKEN)
            await stage.student.wait(500)
            assert len(engine.legs) == 2 and isinstance(before, TurnDetection)
            assert engine.leg.detection == before

    quickly(story())


# ---- the next engine -------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [REFUSED, BROKEN, BUSY, "hang"])
def test_an_engine_that_cannot_be_reopened_is_followed_by_the_next_within_3_s(
    trouble: Fault | str,
) -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            clock = Clock(stage)
            await ask(stage)
            nova.trouble = trouble
            loop = asyncio.get_running_loop()
            broke_at = loop.time()
            nova.leg.fail(BROKEN)
            await stage.student.speak(1_000)
            await stage.student.wait(4_000)
            (changed,) = stage.door.of(EngineChanged)
            assert (changed.old, changed.new) == ("nova-sonic", "cascade")
            assert "tutor_changed" in stage.notices()
            assert min(at for at, event in clock.times if isinstance(event, Notice)) < broke_at + 3
            assert clock.of(EngineChanged) < broke_at + 3
            stage.all_heard_once()
            engines = [item.engine for item in stage.room.session.items if item.role != "user"]
            assert engines == ["nova-sonic", "cascade"]
            assert stage.room.session.view().engine == "cascade"
            assert {batch.engine for batch in stage.room.keeper.batches} == {
                "nova-sonic",
                "cascade",
            }

    quickly(story())


def test_what_a_provider_said_is_never_told() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            nova.trouble = REFUSED
            nova.leg.fail(BROKEN)
            await stage.student.wait(3_000)
            assert "secret words" not in repr(stage.door.events)

    quickly(story())


def test_down_the_chain_to_the_offline_tutor_and_up_again_in_the_next_session() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        breakers = Breakers(BreakerLimits(cool_s=20))
        async with scene(nova, cascade, offline, breakers=breakers) as stage:
            nova.trouble = REFUSED
            await ask(stage)
            nova.leg.fail(REFUSED)
            await stage.student.wait(1_000)
            cascade.trouble = BROKEN
            cascade.leg.fail(BROKEN)
            await stage.student.wait(4_000)
            assert stage.room.session.view().engine == "offline"
            assert (await ask(stage))[-1] == "completed"
        async with scene(nova, cascade, offline, breakers=breakers) as stage:
            assert stage.room.session.view().engine == "offline"
            assert stage.room.session.conversation.answers.engine == "offline"
        nova.trouble = cascade.trouble = None
        await asyncio.sleep(60)
        async with scene(nova, cascade, offline, breakers=breakers) as stage:
            assert stage.room.session.view().engine == "nova-sonic"
            await ask(stage)
            assert breakers.of("nova-sonic").closed

    quickly(story())


def test_an_engine_that_opens_and_breaks_at_every_answer_is_left() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            answer = nova.leg.answer

            def breaks(leg: Any) -> Any:
                return lambda _: asyncio.get_running_loop().call_soon(leg.fail, BROKEN)

            begin = nova.prepare

            async def prepare(brief: Any) -> Any:
                standby = await begin(brief)
                began = standby.begin

                def broken(*about: Any, **more: Any) -> Any:
                    leg = began(*about, **more)
                    leg.answer = breaks(leg)  # type: ignore[method-assign]
                    return leg

                standby.begin = broken  # type: ignore[method-assign]
                return standby

            nova.prepare = prepare  # type: ignore[method-assign]
            nova.leg.answer = breaks(nova.leg)  # type: ignore[method-assign]
            assert answer is not nova.leg.answer
            assert await ask(stage, 5_000) == ["completed"]
            assert stage.room.session.view().engine == "cascade"

    quickly(story())


def test_an_answer_that_broke_is_asked_for_once_more_and_then_of_the_next_engine() -> None:
    """As of a cascade whose language model does not answer."""

    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            asked = 0

            def answer(ask: Any) -> None:
                nonlocal asked
                asked += 1
                leg = nova.leg
                leg.report(Failed("engine_failed", "x", ask.answer, BROKEN))

            nova.leg.answer = answer  # type: ignore[method-assign]
            nova.trouble = REFUSED
            assert await ask(stage, 3_000) == ["completed"]
            assert asked == 2 and stage.room.session.view().engine == "cascade"

    quickly(story())


def test_what_will_not_work_is_not_asked_for_again() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            nova.leg.answer = lambda ask: nova.leg.report(  # type: ignore[method-assign]
                Failed("unauthorized", "x", ask.answer, REFUSED)
            )
            assert await ask(stage, 2_000) == ["completed"]
            assert stage.room.session.view().engine == "cascade" and nova.prepared == 1

    quickly(story())


def test_where_the_next_engine_does_not_hear_the_language_the_page_is_told() -> None:
    async def story() -> None:
        nova, _, offline = three()
        offline.languages = frozenset({"es"})
        async with scene(nova, offline) as stage:
            nova.leg.fail(REFUSED)
            await stage.student.wait(1_000)
            assert not stage.room.session.view().hears_speech

    quickly(story())


def test_when_all_are_away_it_is_told_and_the_first_that_is_back_goes_on() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        async with scene(nova, cascade, offline) as stage:
            nova.trouble = cascade.trouble = offline.trouble = BROKEN
            nova.leg.fail(BROKEN)
            assert (await ask(stage, 30_000)) == ["failed"]
            assert "tutor_gone" in stage.notices() and stage.counts.away == 1
            nova.trouble = cascade.trouble = offline.trouble = None
            await stage.student.wait(60_000)
            assert (await ask(stage))[-1] == "completed"
            await stage.student.speak(1_000)
            await stage.student.wait(3_000)
            assert stage.student.heard()[-1] == stage.student.said[-1]

    quickly(story())


# ---- legs that are found dead ----------------------------------------------------------------


def test_an_answer_that_never_begins_is_given_by_another_leg_and_told_of_within_3_s() -> None:
    async def story() -> None:
        nova, cascade, offline = three()
        nova.patience = QUICK
        async with scene(nova, cascade, offline) as stage:
            clock = Clock(stage)
            nova.manner.silent = True
            asked_at = asyncio.get_running_loop().time()
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(5_000)
            assert clock.of(Notice, "tutor_slow") < asked_at + 3
            nova.manner.silent = False
            await stage.student.wait(3_000)
            assert [event.response.status for event in stage.door.of(ResponseDone)] == ["completed"]
            assert stage.changes() == ["answer_stalled"] and stage.counts.stalled == 1

    quickly(story())


def test_an_answer_that_stops_in_the_middle_ends_there_and_the_tutor_goes_on() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        async with scene(nova) as stage:
            await ask(stage, 350)
            nova.manner.silent = True
            await stage.student.wait(6_000)
            nova.manner.silent = False
            await stage.student.wait(3_000)
            assert [item.said for item in stage.room.session.items] == [
                "opening-1",
                "resumed-1 resumed-2",
            ]

    quickly(story())


def test_an_answer_that_has_text_and_no_sound_is_no_answer() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        nova.manner.mute, nova.manner.pieces = True, 100
        async with scene(nova) as stage:
            stage.room.session.receive(stage.door, CreateResponse())
            nova.manner.mute, nova.manner.pieces = False, 2
            await stage.student.wait(12_000)
            assert stage.counts.stalled == 1 and stage.changes() == ["answer_stalled"]

    quickly(story())


def test_a_tool_at_work_is_no_silence() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        nova.manner.uses_tool = True
        async with scene(nova) as stage:
            tools = stage.room.session.conversation.tools
            tools.called = lambda *_: []  # type: ignore[method-assign]
            await ask(stage, 20_000)
            assert stage.counts.stalled == 0 and stage.notices() == ["microphone_silent"]

    quickly(story())


def test_a_turn_that_never_ends_is_heard_by_another_leg() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        async with scene(nova) as stage:
            await stage.student.wait(1_000)
            asyncio.get_running_loop().call_later(0.5, setattr, nova.manner, "silent", True)
            await stage.student.speak(1_000)
            await stage.student.wait(2_400)
            assert stage.notices() == []
            await stage.student.wait(500)
            assert stage.notices() == ["tutor_slow"]
            await stage.student.wait(2_600)
            nova.manner.silent = False
            await stage.student.wait(3_000)
            stage.all_heard_once()
            assert stage.changes() == ["turn_stalled"]

    quickly(story())


def test_deaf_ears_are_found_and_what_they_missed_is_replayed() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        async with scene(nova) as stage:
            await stage.student.wait(1_000)
            nova.manner.silent = True
            asyncio.get_running_loop().call_later(7.0, setattr, nova.manner, "silent", False)
            nova.leg.detection = None
            await stage.student.speak(9_000)
            await stage.student.wait(3_000)
            stage.all_heard_once()
            assert stage.changes() == ["ears_stalled"]

    quickly(story())


def test_noise_is_doubted_once_and_not_again() -> None:
    async def story() -> None:
        nova = StagedEngine()
        nova.patience = QUICK
        async with scene(nova) as stage:
            stage.room.session.conversation.watch.ends_at += 1e6

            async def noisy(brief: Any) -> Any:
                standby = await prepare(brief)
                begin = standby.begin

                def begun(*about: Any, **more: Any) -> Any:
                    leg = begin(*about, **more)
                    leg.detect = lambda _: None  # type: ignore[method-assign]
                    return leg

                standby.begin = begun  # type: ignore[method-assign]
                return standby

            prepare = nova.prepare
            nova.prepare = noisy  # type: ignore[method-assign]
            nova.leg.detection = None
            for _ in range(10):
                await stage.student.speak(10_000)
            assert stage.counts.stalled == 1

    quickly(story())


# ---- whose events ----------------------------------------------------------------------------


def test_a_leg_that_was_left_says_nothing_more_to_the_lesson() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.closes_in_s = 3.0
        async with scene(engine) as stage:
            await ask(stage, 350)
            old = engine.leg
            said = stage.room.session.conversation.answers.current
            assert said is not None
            old.fail(BROKEN)
            old.tell(Spoke(said.id, "too late"))
            await stage.student.wait(2_000)
            old.tell(Spoke(said.id, "much too late"))
            assert not any("late" in str(item.said) for item in stage.room.session.items)

    quickly(story())


def test_a_session_that_ends_while_it_looks_for_an_engine_leaves_nothing_open() -> None:
    async def story() -> None:
        for after_s in (0.0, 0.02, 0.06, 1.0, 3.0):
            nova, cascade, offline = three()
            async with scene(nova, cascade, offline):
                nova.troubles = ["hang"]
                nova.leg.fail(BROKEN)
                await asyncio.sleep(after_s)

    quickly(story())


def test_a_leg_that_hangs_while_it_closes_holds_nothing_up() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            engine.manner.closes_in_s = 3_600
            engine.leg.fail(BROKEN)
            await stage.student.wait(500)
            engine.manner.closes_in_s = 0.0
            assert (await ask(stage)) == ["completed"]
            engine.open -= {leg for leg in engine.legs if leg.closed}

    quickly(story())


def test_a_student_of_another_engine_is_not_told() -> None:
    async def story() -> None:
        breakers = Breakers()
        mine, theirs = three(), three()
        async with (
            scene(*mine, breakers=breakers) as one,
            scene(*theirs, breakers=breakers) as other,
        ):
            mine[0].leg.fail(REFUSED)
            student = Student(other.room, other.door)
            await student.wait(1_000)
            assert one.room.session.view().engine == "cascade"
            assert other.room.session.view().engine == "nova-sonic" and other.notices() == []

    quickly(story())


@pytest.mark.parametrize("comes", [True, False])
def test_audio_that_came_as_an_item_is_kept_only_until_its_words_are_there(comes: bool) -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.words_s = 1.0 if comes else 3_600.0
        item = CreateItem(item_id="i1", text=None, pcm=voice(1, 1_000))
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, item)
            await asyncio.sleep(0.5)
            kept = stage.room.session._line._items
            assert [len(pcm) for pcm in kept.values()] == [48_000]
            await asyncio.sleep(15)
            assert not stage.room.session._line._items

    quickly(story())


def test_what_was_said_in_a_gap_outlives_a_second_leg_that_breaks_at_once() -> None:
    async def story() -> None:
        first, second, last = three()
        async with scene(first, second, last) as stage:
            await stage.student.wait(1_000)
            first.trouble, second.prepare_s = REFUSED, 1.5
            asyncio.get_running_loop().call_later(1.7, lambda: second.leg.fail(BROKEN))
            second.manner.silent = True  # a provider needs a while to tell of speech
            asyncio.get_running_loop().call_later(1.65, setattr, second.manner, "silent", False)
            first.leg.fail(BROKEN)
            await stage.student.speak(1_000)
            await stage.student.wait(8_000)
            assert len(second.legs) == 2
            stage.all_heard_once()

    quickly(story())


def test_a_lesson_that_is_over_has_no_leg_however_long_the_database_is_away() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=480)
        async with scene(engine) as stage:
            await stage.student.wait(1_000)
            stage.room.keeper.trouble = OSError("away")
            stage.room.session.end("finished")
            await asyncio.sleep(1_000)
            assert not engine.open and engine.prepared == 1
            stage.room.keeper.trouble = None
            await asyncio.sleep(30)
            assert stage.room.keeper.ended == "finished"

    quickly(story())
