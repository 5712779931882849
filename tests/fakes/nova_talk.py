"""How the simulated Nova 2 Sonic listens, thinks and speaks, in one stream."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ai.local.sentences import sentences
from tests.fakes import mind
from tests.fakes.ears import Began, Ended, Recognise, Recognised, TurnFinder
from tests.fakes.mind import Line, Reply, Script
from tests.fakes.nova_out import MARKER, TOKEN_MS, Mouth
from tests.fakes.nova_rules import AudioOpened, PromptOpened, Rules
from tests.fakes.voice import spoken

CHUNK_MS = 60


@dataclass(frozen=True, slots=True)
class Manners:
    """How the simulated service behaves; what it may do differently is all here."""

    script: Script | None = None
    ears: Recognise = field(default_factory=Recognised)
    strict: bool = True
    "Wrong signatures end the stream; else they are only counted as violations."
    idle_s: float = 55.0
    cap_s: float = 480.0
    silence_ms: int | None = None
    "That ends a turn; None: by the client's sensitivity, 1.5 to 2 s."
    pace: float = 4.0
    "How much faster than it sounds speech is made."
    speed: float = 1.0
    "Of speaking, as `tests.fakes.voice` has it."
    think_s: float = 0.05
    finals: Literal["played", "generated"] = "played"
    """Sound counts as heard once it has sounded, or as soon as it was made.

    FINAL texts come then, and until then it may be interrupted.
    """
    barge_in: Literal["end_turn", "interrupted", "alternate"] = "end_turn"
    "The stopReason of sound that is interrupted."
    completions: Literal["session", "turn"] = "session"
    user_blocks: int = 1
    "Blocks in which a turn's words come."
    answers_text: bool = True
    "Whether interactive text is answered."
    padding: bool = True
    prefixes: bool = True
    "Messages begin with `RequestId=... : `."


@dataclass(slots=True)
class _Saying:
    """An answer on its way: its sentences, and when each is heard by one who plays them at once."""

    sentences: list[tuple[str, float, float]] = field(default_factory=list)
    finals: int = 0

    @property
    def end_s(self) -> float:
        return self.sentences[-1][2] if self.sentences else 0.0

    def heard(self, now_s: float) -> str:
        """What of it has sounded by now, in whole words."""
        words: list[str] = []
        for text, from_s, to_s in self.sentences:
            every = text.split()
            part = min(1.0, max(0.0, (now_s - from_s) / max(to_s - from_s, 0.001)))
            words += every[: round(part * len(every))]
        return " ".join(words)


class Trouble(Protocol):
    """Faults that have their place in an answer."""

    def meets(self, name: str) -> bool:
        """Whether this fault is due; it then happened."""

    def before_answer(self) -> None:
        """An answer is about to be spoken."""

    def broke(self, problem: BaseException) -> None:
        """The simulator itself is wrong."""

    def amid_sound(self) -> None:
        """Some of a sentence's sound was sent, and some was not."""


class Talk:
    """The conversation of one stream."""

    def __init__(self, number: int, manners: Manners, mouth: Mouth, rules: Rules, trouble: Trouble):
        self.number = number
        self.instructions = ""
        self.lines: list[Line] = []
        "The conversation as this stream knows it, history and all."
        self.heard: list[str] = []
        "What was understood of the student's turns."
        self.interruptions = 0
        self.rate_out = 24_000
        self._manners = manners
        self._mouth = mouth
        self._rules = rules
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer: asyncio.Task[None] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._saying: _Saying | None = None
        self._audio = ""
        self._finder: TurnFinder | None = None
        self._rate_in = 16_000
        self._silence_ms = 0
        self._calls: dict[str, Reply] = {}
        self._heard_ms = 0.0
        self._began_completion = False

    def open_prompt(self, opened: PromptOpened) -> None:
        self._mouth.ids.prompt = opened.prompt
        self.rate_out, self._silence_ms = opened.rate_hz, opened.silence_ms

    def instruct(self, text: str) -> None:
        self.instructions = text
        self._mouth.tokens.now["input.textTokens"] += len(text.split())

    def remember(self, role: str, text: str) -> None:
        """A line of history."""
        self.lines.append(Line("student" if role == "USER" else "tutor", text))
        self._mouth.tokens.now["input.textTokens"] += len(text.split())

    def open_audio(self, opened: AudioOpened) -> None:
        self._rate_in = opened.rate_hz
        patience_ms = self._manners.silence_ms or self._silence_ms
        self._finder = TurnFinder(opened.rate_hz, silence_ms=patience_ms)

    def close_prompt(self) -> None:
        self.stop()
        self._mouth.usage()
        if self._began_completion:
            self._mouth.event("completionEnd", {"stopReason": "END_TURN"})

    def stop(self) -> None:
        """Nothing more is said or understood."""
        for task in self._tasks:
            task.cancel()
        self._saying = None

    async def finish(self) -> None:
        """Wait for what was stopped."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._trouble.broke(problem)

    # ---- listening -------------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        assert self._finder is not None
        self._heard_ms += len(pcm) * 500 / self._rate_in
        self._mouth.tokens.now["input.speechTokens"] = int(self._heard_ms) // TOKEN_MS
        for found in self._finder.feed(pcm):
            match found:
                case Began():
                    self._interrupt()
                case Ended():
                    before = self._hearing
                    self._hearing = self._start(self._understand(found.pcm, before))

    async def _understand(self, pcm: bytes, before: "asyncio.Task[None] | None") -> None:
        """The words of a turn; and an answer, unless the student speaks on already."""
        if before is not None:
            await asyncio.wait([before])
        text = await self._manners.ears(pcm, self._rate_in, self.instructions, self.lines)
        self.heard.append(text)
        self.lines.append(Line("student", text))
        self._completion()
        late = self._trouble.meets("transcript_out_of_order")
        if not late:
            self._transcript(text)
        self._mouth.usage()
        if self._finder is not None and not self._finder.speaking:
            self._begin(None, text if late else "")

    def _transcript(self, text: str) -> None:
        words = text.split(" ")
        many = min(self._manners.user_blocks, len(words))
        for at in range(many):
            part = words[at * len(words) // many : (at + 1) * len(words) // many]
            self._mouth.text("USER", "FINAL", " ".join(part), "PARTIAL_TURN")

    def asked(self, text: str) -> None:
        """Typed text. What stands in brackets is a stage direction, and no line of the student."""
        self._interrupt()
        if not text.startswith(("(", "[", "<")):
            self.lines.append(Line("student", text))
        if self._manners.answers_text:
            self._completion()
            self._begin()

    def given(self, call: str, output: str) -> None:
        reply = self._calls.pop(call)
        self.lines.append(Line("tool", output))
        talks = self._finder is not None and self._finder.speaking
        if not talks and all(other is not reply for other in self._calls.values()):
            before = self._answer
            then = reply.then or mind.reply(None, self.instructions, self.lines, checks=False)
            self._begin(then, before=before)

    # ---- speaking --------------------------------------------------------------------------------

    def _begin(
        self,
        reply: Reply | None = None,
        transcript: str = "",
        before: "asyncio.Task[None] | None" = None,
    ) -> None:
        async def answer() -> None:
            if before is not None:
                await asyncio.wait([before])
            await self._say(reply, transcript)

        self._answer = self._start(answer())

    async def _say(self, reply: Reply | None, transcript: str = "") -> None:
        """An answer: SPECULATIVE and sound sentence by sentence, tools, and the FINAL texts.

        `transcript` is the student's, where it comes too late.
        """
        await asyncio.sleep(self._manners.think_s)
        if reply is None:
            script, lines = self._manners.script, tuple(self.lines)
            reply = await asyncio.to_thread(mind.reply, script, self.instructions, lines)
        self._trouble.before_answer()
        self._mouth.twice = self._trouble.meets("duplicate_ids")
        saying = _Saying()
        texts = sentences(reply.text)
        for at, text in enumerate(texts):
            pcm = await spoken(text, self.rate_out, speed=self._manners.speed)
            self._saying = saying
            self._mouth.text("ASSISTANT", "SPECULATIVE", text, "PARTIAL_TURN")
            if transcript:
                self._transcript(transcript)
                transcript = ""
            ends = at == len(texts) - 1 and not reply.calls
            await self._sound(saying, text, pcm, "END_TURN" if ends else "PARTIAL_TURN")
            self._mouth.usage()
        if reply.calls:
            self._call(reply)
        await self._finish(saying)
        self._mouth.twice = False

    async def _sound(self, saying: _Saying, text: str, pcm: bytes, stop: str) -> None:
        bytes_per_s = self.rate_out * 2
        from_s = max(self._loop.time(), saying.end_s)
        saying.sentences.append((text, from_s, from_s + len(pcm) / bytes_per_s))
        size = bytes_per_s * CHUNK_MS // 1000
        self._audio = self._mouth.audio_start(self.rate_out)
        odd = self._trouble.meets("odd_audio")
        due = self._loop.time()
        for at in range(0, len(pcm), size):
            if at >= 3 * size or at + size >= len(pcm):
                self._trouble.amid_sound()
            piece = pcm[at : at + size]
            self._mouth.audio(self._audio, piece[:-1] if odd else piece, self.rate_out)
            due += len(piece) / bytes_per_s / self._manners.pace
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            self._tell_finals(saying)
        self._mouth.audio_end(self._audio, stop)
        self._audio = ""

    def _call(self, reply: Reply) -> None:
        calls = []
        for call in reply.calls:
            name = f"tu-{self.number}-{len(self._rules.asked_calls) + self._mouth.sent['toolUse']}"
            self._rules.asked_calls.add(name)
            self._calls[name] = reply
            calls.append((name, call.name, call.arguments))
        self._mouth.tools(calls)

    async def _finish(self, saying: _Saying) -> None:
        """The FINAL texts that are still due, and the end of the sound where it is heard."""
        if self._manners.finals == "played":
            for _, _, to_s in saying.sentences[saying.finals :]:
                await asyncio.sleep(max(0.0, to_s - self._loop.time()))
                self._tell_finals(saying)
        self._tell_finals(saying, all_of_them=True)
        if saying.sentences:
            self.lines.append(Line("tutor", " ".join(text for text, _, _ in saying.sentences)))
        self._saying = None
        self._mouth.usage()
        if self._manners.completions == "turn":
            self._mouth.event("completionEnd", {"stopReason": "END_TURN"})
            self._began_completion = False

    def _tell_finals(self, saying: _Saying, all_of_them: bool = False) -> None:
        now_s = self._loop.time()
        if self._manners.finals == "generated" and not all_of_them:
            return
        while saying.finals < len(saying.sentences):
            text, _, to_s = saying.sentences[saying.finals]
            if to_s > now_s and not all_of_them:
                return
            saying.finals += 1
            last = saying.finals == len(saying.sentences) and not self._audio
            self._mouth.text("ASSISTANT", "FINAL", text, "END_TURN" if last else "PARTIAL_TURN")

    def _interrupt(self) -> None:
        """The student speaks: whatever is on its way stops, and its FINAL texts never come."""
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        self._mouth.twice = False
        saying, self._saying = self._saying, None
        if saying is None:
            return
        self.interruptions += 1
        order = self._manners.barge_in
        if order == "alternate":
            order = "interrupted" if self.interruptions % 2 == 0 else "end_turn"
        if self._audio:
            self._mouth.audio_end(self._audio, order.upper())
            self._audio = ""
        self._mouth.text("ASSISTANT", "FINAL", MARKER, "INTERRUPTED")
        heard = saying.heard(self._loop.time())
        if heard:
            self.lines.append(Line("tutor", heard))

    def _completion(self) -> None:
        if not self._began_completion:
            self._began_completion = True
            if self._manners.completions == "turn":
                self._mouth.ids.completion = self._mouth.uuid()
            self._mouth.event("completionStart", {})
