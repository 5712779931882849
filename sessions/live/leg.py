"""The engine's side of a session: one leg at a time, replaced before it ends and when it breaks.

A leg is what an engine holds of a session; the lesson is in the log. So nothing waits here for a
leg: the next one gets the memory, the words that are missing are looked for in the audio that was
kept, the student's turn under way is replayed, and an answer that had not begun is asked for again.

    Course   (ai)  which engine is next, when one fails
    Spares         fresh legs of the same engine, opened before this one ends
    Pulse          whether the leg is alive
    Ring           the student's audio that another leg may need
    Opener         opens in bounded time, closes for certain
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from ai.audio import BYTES_PER_MS
from ai.chain import Chain, Course, Rest, Try, hears
from ai.engine import EngineUnavailable, Leg, VoiceEngine, patience_of
from ai.events import (
    AnswerEnded,
    EngineEvent,
    Fault,
    SpeechStarted,
    ToolCalled,
    Used,
)
from sessions.live.actions import (
    Action,
    Answer,
    Cancel,
    Clear,
    Commit,
    Detect,
    Give,
    Listen,
    ListenAgain,
    Playing,
    Read,
)
from sessions.live.around import Around, LegCounts
from sessions.live.conversation import Conversation
from sessions.live.names import Names
from sessions.live.opening import Opened, Opener, fault_of
from sessions.live.pulse import Pulse
from sessions.live.ring import MOST_MS, Ring, peak
from sessions.live.spares import Spares

TOLD_AFTER_S = 2.0  # promises.md: bridged within 3 s, or told
FULL_WAIT_S = 0.25  # the door stops reading audio for so long while more of it can't be kept
ROOM_MS = 5_000  # so much of the ring is left when reading pauses
TRIM_MS = 500  # the ring is trimmed so often
PARKED_S = 45.0  # who changes networks or loads the page again is back by then, to the same leg
HEARD_AFTER_S = 10.0  # a leg that breaks sooner may have heard nothing of what was replayed to it

NO_FAULTS = ("rotated", "returned", "history_outdated")
"Why there is another leg, although the one before was well."

log = structlog.get_logger()


class Line:
    """A session's line to its engines. Saying something never waits and never raises."""

    def __init__(
        self,
        chain: Chain,
        conversation: Conversation,
        around: Around,
        *,
        clock: Callable[[], float],
        counts: LegCounts | None = None,
    ) -> None:
        self.counts = counts or LegCounts()
        self._conversation = conversation
        self._around = around
        self._clock = clock
        self._course = Course(chain)
        self._opener = Opener(conversation.brief, clock)
        self._spares = Spares(
            self._opener,
            clock,
            engine=lambda: self._course.engine,
            swap=self._swap,
            failed=lambda fault: self._course.standby_failed(fault, clock()),
            changed=self._look,
        )
        self._ring = Ring()
        self._trimmed_ms = 0
        self._items: dict[str, bytes] = {}
        "Turns that came as items, which are in no ring; until their words are there, or given up."
        self._leg: Leg | None = None
        self._names = Names(0)
        self._pulse = Pulse(patience_of(chain.preferred))
        self._doubts_ears = True
        "False once ears were doubted in vain: it was noise, until speech is noticed again."
        self._unheard_ms: int | None = None
        "From where on, on the media clock, nobody has listened, but perhaps a leg still new."
        self._begun_at = 0.0
        self._lost_at = 0.0
        self._reopening: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        "Somebody asks for an answer: no time to rest."
        self._away = False
        "It was told that there is no leg; what is said now is lost."
        self._parked: bool = False
        "Nobody is connected: a leg that ends now is missed by nobody."
        self._idle_at = 0.0
        "While that is so: from then on no leg is paid for."
        self._settling = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._closed = False
        "Nothing is opened any more."
        self._over = False
        "Nothing that was opened is still closing, and tells what it used."

    @property
    def engine(self) -> VoiceEngine:
        """The one that the session is on, or is about to be."""
        return self._course.engine

    # ---- life --------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the first leg. Raises EngineUnavailable when no engine of the chain can be."""
        self._lost_at = self._clock()
        step: Try | Rest = self._course.begin(self._lost_at)
        fault = Fault("transient", "engine_failed")
        while isinstance(step, Try):
            try:
                self._begin(await self._try(step))
            except EngineUnavailable as problem:
                fault = problem.fault
                step = self._failed(fault)
            else:
                if self.engine.name != self._conversation.engine:
                    self._found(fault.code)
                return
        raise EngineUnavailable(fault.code, fault=fault)

    async def close(self) -> None:
        """Nothing that was opened stays open; meanwhile only use is reported, then nothing."""
        self._closed = True
        self._let_go()
        if self._timer is not None:
            self._timer.cancel()
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        await self._spares.close()
        await self._opener.finish()
        self._over = True

    def park(self, on: bool) -> None:
        """Whether nobody is connected. Then no leg is replaced, and after a while there is none.

        With the first that comes back there is one again, which remembers all.
        """
        if on and not self._parked:
            self._idle_at = self._clock() + PARKED_S
            self._spares.spared()
        self._parked = on
        if not on and self._leg is None and not self._opening and not self._closed:
            self._lost_at = self._clock()
            self._reopen(self._course.begin(self._lost_at), "returned")
        self._look()

    @property
    def _opening(self) -> bool:
        """Whether a leg is being looked for."""
        task = self._reopening
        return task is not None and not task.done() and not task.cancelling()

    def _is_idle(self, now: float) -> bool:
        """Whether nobody has been connected for a while, and no words are awaited."""
        return self._parked and now >= self._idle_at and not self._conversation.turns

    def _be_idle(self) -> None:
        """Nobody pays for a leg that nobody needs."""
        if self._opening and self._reopening is not None:
            self._reopening.cancel()
        if self._leg is not None:
            log.info("leg.idle", engine=self.engine.name)
            self.counts.idle += 1
            self._let_go()
            spare = self._spares.take()
            if spare is not None:
                self._opener.close(spare.standby)

    # ---- what is said to the engine ----------------------------------------------------------

    def hear(self, pcm: bytes) -> float:
        """Student audio. Returns for how many seconds it should be read no further."""
        if self._away:
            return 0.0
        self._ring.add(pcm)
        if self._leg is None:
            return FULL_WAIT_S if self._ring.length_ms > MOST_MS - ROOM_MS else 0.0
        self._hand_on(self._leg, pcm)
        self._trimmed_ms += len(pcm) // BYTES_PER_MS
        if self._trimmed_ms >= TRIM_MS:
            self._trim()
        return 0.0

    def say(self, action: Action) -> None:
        """Pass on what was decided. What needs no leg now is not lost: it is in the log."""
        if isinstance(action, Listen):
            self._items[action.turn] = action.pcm
        if self._leg is not None:
            self._instruct(self._leg, action)
        elif isinstance(action, Answer):
            self._wanted.set()

    def settled(self) -> None:
        """All that was decided is done: perhaps this is the moment for a fresh leg."""
        if self._items:
            turns = self._conversation.turns
            self._items = {turn: pcm for turn, pcm in self._items.items() if turns.get(turn)}
        due = self._spares.waits or self._is_idle(self._clock())
        if due and not self._settling:
            self._settling = True  # soon: the leg may be in the middle of what it reports
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._settling = False
        self._look()

    def _hand_on(self, leg: Leg, pcm: bytes) -> None:
        leg.hear(pcm)
        pulse = self._pulse
        if pulse.listens and pulse.heard(peak(pcm), len(pcm) // BYTES_PER_MS):
            self._look()

    def _trim(self) -> None:
        self._trimmed_ms = 0
        talk = self._conversation
        now = self._clock()
        self._trust(now)
        from_ms = talk.floor.keep_from_ms(now)
        if self._unheard_ms is not None:
            from_ms = min(from_ms, talk.floor.replay_from_ms(now, self._unheard_ms))
        self._ring.keep(max(talk.turns.media_ms - from_ms, self._pulse.doubtful_ms))

    def _trust(self, now: float) -> None:
        """What was replayed to a leg that has lived for a while, it has heard."""
        if self._leg is not None and now - self._begun_at >= HEARD_AFTER_S:
            self._unheard_ms = None

    def _instruct(self, leg: Leg, action: Action) -> None:
        match action:
            case Detect(detection):
                self._pulse.detect(detection)
                leg.detect(detection)
            case Commit(turn):
                self._pulse.committed()
                leg.commit(self._names.theirs(turn))
            case Clear():
                self._pulse.committed()
                leg.clear()
            case Listen(turn, pcm):
                leg.listen(self._names.theirs(turn), pcm)
            case ListenAgain(turn, start_ms, end_ms):
                now_ms = self._conversation.turns.media_ms
                pcm = self._items.get(turn) or self._ring.between(
                    now_ms - start_ms, now_ms - end_ms
                )
                leg.listen(self._names.theirs(turn), pcm)
            case Read(text):
                leg.read(text)
            case Answer(ask):
                self._pulse.asked(ask, self._clock())
                self._arm()
                leg.answer(ask)
            case Cancel(answer, heard):
                self._pulse.cancelled(answer)
                leg.cancel(answer, heard)
            case Give(_, call, output) if self._names.knows(call):
                self._pulse.gave(self._clock())
                self._arm()
                leg.give(self._names.theirs(call), output)
            case Playing(on):
                self._pulse.playing(on)
                leg.playing(on)

    # ---- what the engine says ----------------------------------------------------------------

    def _listener(self, engine: VoiceEngine, names: Names) -> Callable[[EngineEvent], None]:
        def listen(event: EngineEvent) -> None:
            if isinstance(event, Used):
                if not self._over:
                    self._around.used(engine.name, event)
            elif names is self._names and self._leg is not None:
                self._heard_from_leg(names.ours(event))

        return listen

    def _heard_from_leg(self, event: EngineEvent) -> None:
        now, pulse = self._clock(), self._pulse
        pulse.reported(event, now)
        if isinstance(event, SpeechStarted):
            self._doubts_ears = True
        if isinstance(event, AnswerEnded):
            self._course.proved(now)
        self._around.report(event)
        if isinstance(event, ToolCalled):
            self._arm()

    # ---- from one leg to the next ------------------------------------------------------------

    def reopen(self, reason: str, fault: Fault) -> None:
        """The leg broke, as the conversation knows: go on from the log on another."""
        if self._leg is not None and not self._closed:
            self._let_go()
            self._recover(reason, fault)

    def _stalled(self, code: str) -> None:
        """The leg does not do what it should: it counts as broken."""
        self.counts.stalled += 1
        fault = Fault("transient", code)
        if code == "ears_stalled":  # a doubt, and no proof that the engine fails
            self._doubts_ears = False
            fault = Fault("limit", code)
        self._let_go(self._pulse.doubtful_ms)
        self._around.lost(code)
        self._recover(code, fault)

    def _let_go(self, deaf_ms: int = 0) -> None:
        """Close the leg, which may have been deaf; what it says is not listened to any more."""
        now = self._clock()
        self._trust(now)
        leg, self._leg = self._leg, None
        if leg is not None:
            talk = self._conversation
            heard_ms = talk.turns.media_ms - deaf_ms
            from_ms = talk.floor.replay_from_ms(now, self._unheard_ms)
            self._unheard_ms = min(heard_ms, from_ms)
            self._opener.close(leg)

    def _recover(self, reason: str, fault: Fault) -> None:
        """There was a leg: open another, or go on with the standby if there is one."""
        now = self._lost_at = self._clock()
        log.info("leg.lost", engine=self.engine.name, kind=fault.kind, code=fault.code)
        spare = self._spares.take()
        step = self._course.failed(fault, now)
        if spare is not None:
            if not self._parked and isinstance(step, Try) and step.engine is spare.engine:
                try:
                    found = self._begin(spare)
                except EngineUnavailable as problem:
                    step = self._failed(problem.fault)
                else:
                    return self._found(reason) if found else None
            else:
                self._opener.close(spare.standby)
        if not self._parked:
            self._reopen(step, reason)

    def _reopen(self, step: Try | Rest, reason: str) -> None:
        self._reopening = asyncio.create_task(self._open_again(step, reason))

    async def _open_again(self, step: Try | Rest, reason: str) -> None:
        slow = asyncio.get_running_loop().call_later(TOLD_AFTER_S, self._around.slow)
        try:
            while True:
                if isinstance(step, Rest):
                    slow.cancel()
                    self._be_away()
                    await self._rest(step.for_s)
                    step = self._course.begin(self._clock())
                    continue
                try:
                    found = self._begin(await self._try(step))
                    break
                except EngineUnavailable as problem:
                    reason = problem.fault.code
                    step = self._failed(problem.fault)
        finally:
            slow.cancel()
        if found:
            self._found(reason)

    async def _try(self, step: Try) -> Opened:
        if step.after_s:
            await asyncio.sleep(step.after_s)
        return await self._opener.prepare(step.engine, step.within_s)

    def _failed(self, fault: Fault) -> Try | Rest:
        log.warning("leg.open_failed", engine=self.engine.name, kind=fault.kind, code=fault.code)
        return self._course.failed(fault, self._clock())

    def _be_away(self) -> None:
        """Nobody can be reached: it is told, and nothing is kept of what is said from now on."""
        if not self._away:
            self.counts.away += 1
        self._away = True
        self._around.gone()
        self._ring.clear()
        self._wanted.clear()

    async def _rest(self, for_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self._wanted.wait()

    def _begin(self, opened: Opened) -> bool:
        """Teach on: memory, words that are missing, the turn under way. False: it broke at once.

        Raises:
            EngineUnavailable: If the leg did not even begin.
        """
        talk, now = self._conversation, self._clock()
        from_ms = talk.floor.replay_from_ms(now, self._unheard_ms)
        pieces = self._ring.latest(talk.turns.media_ms - from_ms)
        replayed_ms = sum(map(len, pieces)) // BYTES_PER_MS
        names = Names(self._names.leg + 1)
        try:
            leg = opened.standby.begin(
                talk.memory(),
                self._listener(opened.engine, names),
                step=talk.progress.step,
                clock_ms=talk.turns.media_ms - replayed_ms,
            )
        except Exception as problem:
            log.exception("leg.not_begun", engine=opened.engine.name)
            self._opener.close(opened.standby)
            raise EngineUnavailable(fault=fault_of(problem)) from problem
        self._leg, self._names, self._begun_at = leg, names, now
        self._pulse = Pulse(patience_of(opened.engine), doubts_ears=self._doubts_ears)
        self._spares.began(opened)
        self._course.opened(now)
        self.counts.opened += 1
        self._instruct(leg, Detect(talk.floor.detection()))
        if talk.playing:
            self._instruct(leg, Playing(True))
        for turn in talk.turns.unheard():
            self._instruct(leg, turn)
        for pcm in pieces:
            if self._leg is leg:
                self._hand_on(leg, pcm)
        self._arm()
        return self._leg is leg

    def _found(self, reason: str) -> None:
        self._away = False
        engine, talk = self.engine, self._conversation
        if engine.name != talk.engine:
            self.counts.failovers += 1
        elif reason not in NO_FAULTS:
            self.counts.reopened += 1
        self.counts.gap_s += self._clock() - self._lost_at
        self._around.found(engine, reason, hears(engine, talk.brief.language))

    def _swap(self, opened: Opened, forced: bool) -> None:
        """From here on the session is on the fresh leg; the other one is closed."""
        self._let_go()
        self._around.lost("rotated")
        self._lost_at = self._clock()
        self.counts.rotations += 1
        self.counts.forced += forced
        try:
            found = self._begin(opened)
        except EngineUnavailable as problem:
            self._recover("rotated", problem.fault)
        else:
            if found:
                log.info("leg.rotated", engine=self.engine.name, forced=forced)
                self._found("rotated")

    # ---- time --------------------------------------------------------------------------------

    def _look(self) -> None:
        """Is it alive, and is it time for a fresh leg?"""
        if self._closed:
            return
        now = self._clock()
        if self._is_idle(now):
            self._be_idle()
        if self._leg is not None:
            missing = self._pulse.missing(now)
            if missing is not None:
                self._stalled(missing)
            elif self._pulse.slow(now):
                self._around.slow()
        if self._leg is not None and not self._parked:
            self._spares.tick(self._conversation.quiet())
        self._arm()

    def _arm(self) -> None:
        """Have `_look` called when something may be due."""
        dues = [] if self._leg is None else [self._pulse.deadline()]
        if self._leg is not None and not self._parked:
            dues.append(self._spares.deadline())
        if self._parked and not self._conversation.turns and (self._leg or self._opening):
            dues.append(self._idle_at)  # with turns, `settled` will see when they are over
        at = min((due for due in dues if due is not None), default=None)
        if self._timer is not None:
            if at is not None and self._timer_at <= at:
                return  # it comes earlier, and will look again
            self._timer.cancel()
            self._timer = None
        if at is not None and not self._closed:
            self._timer_at = at
            wait_s = max(0.0, at - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._look()
