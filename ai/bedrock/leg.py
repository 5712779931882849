"""One session's conversation with Nova Sonic."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import uuid4

from ai.audio import BYTES_PER_MS, silence
from ai.bedrock.answering import Answering
from ai.bedrock.hearing import Hearing
from ai.bedrock.history import history
from ai.bedrock.microphone import MAX_WAITING, Microphone
from ai.bedrock.stream import NovaStream
from ai.bedrock.ticker import Ticker
from ai.bedrock.wire import (
    AudioInput,
    BlockEnded,
    BlockStarted,
    Fact,
    Interrupted,
    Sound,
    Spending,
    Text,
    ToolWanted,
    audio_start,
    content_end,
    prompt_end,
    session_end,
    text_block,
    tool_result,
)
from ai.engine import Ask, Report, TurnDetection, Utterance, Vad
from ai.events import EngineEvent, Failed, Fault, SpeechConfirmed, SpeechStopped, Used

AFTER_COMMIT = silence(2_200)  # Nova ends a turn after 2 s of silence at most; it need not wait
MAX_BLOCKS = 64  # open at once; there are never more than two or three
USED_EVERY_S = 30.0
HISTORY_WRONG = Fault("limit", "history_outdated", "Nova was told of words that were not heard.")


class NovaLeg:
    """From the history to the end of the stream."""

    def __init__(
        self,
        stream: NovaStream,
        model: str,
        vad: Vad | None,
        ticker: Ticker,
        memory: Sequence[Utterance],
        report: Report,
        step: int,
        clock_ms: int,
    ) -> None:
        self._stream = stream
        self._prompt = prompt = stream.prompt
        self._model = model
        self._listener = report
        self._loop = asyncio.get_running_loop()
        self._ticker = ticker
        self._closed = False
        self._failed = False
        self._blocks: dict[str, BlockStarted] = {}
        self._past: deque[str] = deque(maxlen=MAX_BLOCKS)
        "Texts that are complete; should one come again, it is no news."
        self._spoken = False
        "Nova has told words of the student that it has not answered."
        self._explained = False
        "The words that are being told are those that the answer under way lacked."
        self._sent_texts: list[str] = []
        "What we said in the student's name; it is no speech, should Nova tell it."
        self._by_hand = bytearray()
        "Audio that the client has not committed yet."
        self._heard_bytes = 0
        self._used_at = self._loop.time()

        self._last_words = next((one.text for one in reversed(memory) if one.role == "tutor"), "")
        "Of an earlier leg, until there is an answer of this one."
        self._asked: deque[str] = deque(maxlen=MAX_BLOCKS)
        "Answers of this leg."

        for role, text in history(memory, step=step):
            for event in text_block(prompt, _name(), role, text, interactive=False):
                stream.send(event)
        self._audio = _name()
        stream.send(audio_start(prompt, self._audio))
        audio = AudioInput(prompt, self._audio)
        self._microphone = Microphone(audio, stream.send_chunk, stream.unsent, self._loop.time())
        self._hearing = Hearing(vad, self._report, clock_ms, self._loop.time)
        self._answering = Answering(self._report, self._loop.time, self._request, self._result)
        stream.listen(self._fact, self._ended)
        ticker.join(self._tick)

    # ---- the session tells -------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        self._heard_bytes += len(pcm)
        self._hearing.hear(pcm)
        if not self._hearing.by_hand:
            self._microphone.hear(pcm, self._loop.time(), eager=self._hearing.eager)
            return
        self._by_hand += pcm
        if len(self._by_hand) > MAX_WAITING:
            del self._by_hand[: len(self._by_hand) - MAX_WAITING]

    def detect(self, detection: TurnDetection | None) -> None:
        if (detection is None) != self._hearing.by_hand:
            self._by_hand.clear()
        self._hearing.detect(detection)

    def commit(self, turn: str) -> None:
        by_hand = self._hearing.by_hand
        self._hearing.commit(turn)
        pcm = bytes(self._by_hand)
        self._by_hand.clear()
        self._microphone.hear(pcm + AFTER_COMMIT if by_hand else AFTER_COMMIT, self._loop.time())

    def clear(self) -> None:
        self._by_hand.clear()
        self._microphone.forget()
        self._hearing.clear()

    def listen(self, turn: str, pcm: bytes) -> None:
        self._heard_bytes += len(pcm)
        self._hearing.commit(turn)
        self._microphone.hear(pcm + AFTER_COMMIT, self._loop.time())

    def read(self, text: str) -> None:
        self._answering.read(text)

    def answer(self, ask: Ask) -> None:
        self._last_words = ""
        self._asked.append(ask.answer)
        self._answering.answer(
            ask, nova_will=self._hearing.waits_for_nova, unheard=self._hearing.unheard
        )

    def give(self, call: str, output: str) -> None:
        self._answering.give(call, output)

    def playing(self, on: bool) -> None:
        self._hearing.playing(on)

    def cancel(self, answer: str, heard: str) -> None:
        if answer in self._asked:
            self._answering.cancel(answer)  # Nova itself keeps track of what was heard
            return
        # An earlier leg said it, and it was heard until now. A history is told once, before any
        # audio: what this one holds too much can't be taken back, so another leg goes on.
        last, self._last_words = self._last_words.strip(), ""
        heard = heard.strip()
        if len(heard) < len(last) and last.startswith(heard):
            self._loop.call_soon(self._ended, HISTORY_WRONG)

    # ---- what we say to Nova -----------------------------------------------------------------

    def _request(self, text: str) -> None:
        """Have a text answered. Its block is whole before any more audio."""
        self._sent_texts = [*self._sent_texts[-3:], _plain(text)]
        for event in text_block(self._prompt, _name(), "USER", text, interactive=True):
            self._stream.send(event)

    def _result(self, call: str, output: str) -> None:
        for event in tool_result(self._prompt, _name(), call, output):
            self._stream.send(event)

    # ---- what Nova says ----------------------------------------------------------------------

    def _fact(self, fact: Fact) -> None:
        if self._closed:
            if isinstance(fact, Spending):
                self._spent(fact)
            return
        match fact:
            case Sound(pcm=pcm):
                self._answering.sound(pcm)
            case BlockStarted():
                self._block_started(fact)
            case Text():
                self._text(fact)
            case BlockEnded(content=content, kind=kind, reason=reason):
                self._blocks.pop(content, None)
                if kind == "TEXT" and content:
                    self._past.append(content)
                if reason == "INTERRUPTED":
                    self._interrupted()
                elif kind == "AUDIO":
                    self._answering.audio_ended(reason)
            case Interrupted():
                self._interrupted()
            case ToolWanted(call=call, name=name, arguments=arguments):
                self._answering.tool(call, name, arguments)
            case Spending():
                self._spent(fact)

    def _block_started(self, block: BlockStarted) -> None:
        if block.content in self._past:
            return
        if len(self._blocks) >= MAX_BLOCKS:
            self._blocks.clear()
        self._blocks[block.content] = block
        if block.role == "USER" or block.final or not block.kind:
            return
        spoken, self._spoken = self._spoken, False
        if spoken or self._answering.begins:
            # The response is there before the turn's end is told: who hears of it asks at once.
            self._answering.begin(spoken=spoken)
            self._sent_texts.clear()
        if spoken:
            self._hearing.answered()
        self._answering.block_began()

    def _text(self, fact: Text) -> None:
        if fact.content in self._past:
            return
        block = self._blocks.get(fact.content)
        if fact.role == "USER":
            self._student(fact.text)
        elif fact.role == "ASSISTANT" and (block is None or not block.final):
            # FINAL texts repeat what was told already, as it was about to be said.
            self._answering.text(fact.text)

    def _student(self, text: str) -> None:
        """Words of the student; or our own, told back."""
        plain = _plain(text)
        if plain in self._sent_texts:
            self._sent_texts.remove(plain)
        elif plain:
            # Mostly they come before the answer begins, and then only that is the turn's end.
            self._explained = self._answering.lacks_words()
            self._hearing.text(text)
            if self._explained:
                self._hearing.answered()
            self._spoken = not self._explained
            self._explained = False

    def _interrupted(self) -> None:
        if self._answering.interrupted():
            self._hearing.interrupted()
        self._answering.interrupted_is_told()

    def _spent(self, fact: Spending) -> None:
        for unit, quantity in (
            ("text_tokens_in", fact.text_in),
            ("audio_tokens_in", fact.audio_in),
            ("text_tokens_out", fact.text_out),
            ("audio_tokens_out", fact.audio_out),
        ):
            if quantity:
                self._listener(Used(unit, quantity, self._model))

    def _ended(self, fault: Fault) -> None:
        """The stream is over."""
        if self._closed or self._failed:
            return
        self._failed = True
        self._ticker.leave(self._tick)
        self._report(Failed(fault.code, fault.detail, None, fault))

    # ---- time passes -------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        if self._closed:
            return
        self._microphone.tick(now, mid_speech=self._hearing.mid_speech)
        self._hearing.tick(now, self._microphone.waiting_s)
        self._answering.tick(now)
        if now - self._used_at >= USED_EVERY_S:
            self._count_audio()

    def _count_audio(self) -> None:
        self._used_at = self._loop.time()
        heard_ms = self._heard_bytes // BYTES_PER_MS
        self._heard_bytes = 0
        if heard_ms:
            self._report(Used("audio_in_ms", heard_ms))

    def _report(self, event: EngineEvent) -> None:
        if self._closed:
            return
        if isinstance(event, SpeechConfirmed) and not self._explained:
            self._answering.student_goes_on()
        elif isinstance(event, SpeechStopped):
            self._count_audio()
        self._listener(event)

    # ---- the end -----------------------------------------------------------------------------

    async def close(self) -> None:
        if not self._closed:
            self._answering.close()
            self._count_audio()
        self._closed = True
        self._ticker.leave(self._tick)
        self._hearing.close()
        await self._stream.close(
            [content_end(self._prompt, self._audio), prompt_end(self._prompt), session_end()]
        )


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _name() -> str:
    return str(uuid4())
