"""The tutor's answers as Nova Sonic gives them, each to the one who asked for it.

Nova begins to answer by itself when it judges a turn over; everything else has to be requested in
words. Either way nothing of an answer is told before somebody asked for it: a response is held
until then, and thrown away if nobody does, or if the student goes on. Nova cannot be stopped: what
is not wanted any more is not listened to.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ai.audio import duration_ms
from ai.bedrock.cues import CUES, MOVED_ON, TOO_LATE, UNHEARD
from ai.bedrock.pacing import Paced, Pacer
from ai.engine import Ask, Report
from ai.events import AnswerEnded, Spoke, ToolCalled, Used

HOLD_S = 3.0  # a response that nobody asks for within this is thrown away
MAX_HELD_BYTES = 120_000 * 48  # two minutes of sound; Nova sends it faster than it is heard
EXPECT_S = 5.0  # Nova answers a turn within this, or is asked in words
REQUEST_S = 4.0  # and so are words of ours that seem to have been passed over
TOOL_S = 20.0  # a tool that takes longer is answered for, lest Nova wait for ever
AFTER_TOOL_S = 10.0  # after a tool's result more of the answer comes within this, or nothing


@dataclass(slots=True)
class _Response:
    """What Nova says in one go: sentences and uses of tools."""

    began_at: float
    ask: Ask | None = None
    "None: nobody has asked for it."
    dropped: bool = False
    done: bool = False
    "Nova has said all of it."
    told_end: bool = False
    unexplained: bool = False
    "Nobody knows what it answers: the words of the turn are late."
    interrupted: bool = False
    held: list[Spoke | ToolCalled] = field(default_factory=list)
    held_bytes: int = 0
    sounded_ms: int = 0
    silent_since: float | None = None
    "Its sound ended while a tool was in use; None: it goes on."


@dataclass(slots=True)
class _Request:
    """Words that Nova is to answer, and has not begun to."""

    ask: Ask | None
    "None: not wanted any more."
    text: str
    sent_at: float


class Answering:
    """The answers of one session."""

    def __init__(
        self,
        report: Report,
        clock: Callable[[], float],
        request: Callable[[str], None],
        result: Callable[[str, str], None],
    ) -> None:
        """`request(text)` has Nova answer a text; `result(call, output)` gives it a tool's."""
        self._report = report
        self._clock = clock
        self._request = request
        self._result = result
        self._ask: Ask | None = None
        "Asked for, and Nova has not begun."
        self._expected_by: float | None = None
        "When the answer that Nova should give by itself is requested in words."
        self._requested: deque[_Request] = deque()
        self._skipped = False
        "The last answer was to a request that had been cancelled."
        self._response: _Response | None = None
        self._calls: dict[str, tuple[_Response, float]] = {}
        "Uses of tools that await their result, and since when."
        self._typed: list[str] = []
        self._pacer = Pacer()

    # ---- the session tells -------------------------------------------------------------------

    def read(self, text: str) -> None:
        """The student typed this; it is answered when somebody asks for it."""
        self._typed.append(text)

    def answer(self, ask: Ask, *, nova_will: bool, unheard: bool) -> None:
        """Somebody asks. `nova_will`: there is a turn that it can be expected to answer."""
        response = self._response
        waiting = response is not None and response.ask is None and not response.dropped
        if self._typed:
            text = "\n".join(self._typed)
            self._typed.clear()
            self._ask_in_words(ask, text)
        elif ask.cue != "student":
            self._ask_in_words(ask, CUES[ask.cue])
        elif waiting and response is not None:
            self._bind(response, ask)
        elif nova_will:
            self._ask = ask
            self._expected_by = self._clock() + EXPECT_S
        else:
            self._ask_in_words(ask, UNHEARD if unheard else CUES["student"])

    def cancel(self, answer: str) -> None:
        """It is not wanted any more."""
        if self._ask is not None and self._ask.answer == answer:
            self._ask = self._expected_by = None
        for request in self._requested:
            if request.ask is not None and request.ask.answer == answer:
                request.ask = None
        response = self._response
        if response is not None and response.ask is not None and response.ask.answer == answer:
            self._spent(response)
            response.dropped = response.told_end = True
            # Whoever asked carries out none of its tools any more, and Nova would wait for them.
            for call in [call for call, (of, _) in self._calls.items() if of is response]:
                self.give(call, MOVED_ON)

    def give(self, call: str, output: str) -> None:
        """A tool's result."""
        found = self._calls.pop(call, None)
        if found is None:
            return
        response = found[0]
        if response.silent_since is not None:
            response.silent_since = self._clock()
        self._result(call, output)

    def _ask_in_words(self, ask: Ask, text: str) -> None:
        self._drop_unasked()
        self._ask = self._expected_by = None
        self._requested.append(_Request(ask, text, self._clock()))
        self._request(text)

    # ---- Nova tells --------------------------------------------------------------------------

    @property
    def begins(self) -> bool:
        """Whether what Nova says next begins an answer."""
        return self._response is None or self._response.done

    def begin(self, *, spoken: bool) -> None:
        """Nova begins to answer: a turn that was `spoken`, or what was requested in words."""
        if self._response is not None:
            self._end(self._response)
        self._pacer.begin()
        response = self._response = _Response(self._clock())
        if spoken:
            while self._requested and self._requested[0].ask is None:
                self._requested.popleft()
            if self._ask is not None:
                self._bind(response, self._ask)
        elif self._requested:
            request = self._requested.popleft()
            self._skipped = request.ask is None
            if request.ask is None:
                response.dropped = True
            else:
                self._bind(response, request.ask)
        else:
            response.unexplained = True
            if self._ask is not None:
                self._bind(response, self._ask)

    def lacks_words(self) -> bool:
        """Whether words of the student explain the answer that is under way. Told once."""
        response = self._response
        lacks = response is not None and response.unexplained and not response.dropped
        if response is not None:
            response.unexplained = False
        return lacks

    def text(self, text: str) -> None:
        """What it is about to say."""
        self._pacer.text(text)

    def block_began(self) -> None:
        """A part of the answer: it goes on."""
        if self._response is not None:
            self._response.silent_since = None

    def sound(self, pcm: bytes) -> None:
        for piece in self._pacer.sound(pcm):
            self._spoke(piece)

    def audio_ended(self, reason: str) -> None:
        """A stretch of sound is complete; END_TURN is the end of the answer."""
        for piece in self._pacer.finish():
            self._spoke(piece)
        response = self._response
        if response is None:
            return
        if reason == "PARTIAL_TURN":
            return
        if self._in_use(response):
            response.silent_since = self._clock()
            return
        self._end(response)

    def tool(self, call: str, name: str, arguments: str) -> None:
        """It wants to use a tool."""
        response = self._response
        if response is None or call in self._calls:
            return
        if response.dropped:
            self._result(call, MOVED_ON)
            return
        self._calls[call] = (response, self._clock())
        self._tell(response, ToolCalled("", call, name, arguments))

    def interrupted(self) -> bool:
        """Nova noticed that the student speaks. True: the student was hearing an answer."""
        response = self._response
        if response is None or response.interrupted:
            return False
        response.interrupted = True
        response.done = True
        self._spent(response)
        heard = response.ask is not None and not response.dropped
        if not heard:
            response.dropped = True
            response.held.clear()
        # Words of ours interrupt it as well; then the student has said nothing.
        return heard and not any(request.ask for request in self._requested)

    def interrupted_is_told(self) -> None:
        """Whoever heard of the interruption has cancelled the answer by now, or never will."""
        if self._response is not None and self._response.interrupted:
            self._end(self._response)

    # ---- time passes -------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        response = self._response
        if response is not None:
            if response.silent_since is not None and not self._in_use(response):
                if now - response.silent_since >= AFTER_TOOL_S:
                    self._end(response)
            elif response.ask is None and now - response.began_at >= HOLD_S:
                self._drop_unasked()
        if self._expected_by is not None and now >= self._expected_by and self._ask is not None:
            self._ask_in_words(self._ask, CUES["student"])
        self._watch_request(now)
        for call, (of, since) in list(self._calls.items()):
            if now - since >= TOOL_S or (of.dropped and of.ask is None):
                self.give(call, TOO_LATE if not of.dropped else MOVED_ON)

    def _watch_request(self, now: float) -> None:
        """Say words once more that Nova took for one with words before them, which were cancelled.

        Else it is merely slow: to say them again would interrupt it.
        """
        while len(self._requested) > 1 and self._requested[0].ask is None:
            if now - self._requested[0].sent_at < REQUEST_S:
                break
            self._requested.popleft()
        request = self._requested[0] if self._requested and self.begins else None
        if self._skipped and request is not None and now - request.sent_at >= REQUEST_S:
            self._skipped = False
            request.sent_at = now
            self._request(request.text)

    def student_goes_on(self) -> None:
        """The student speaks on: what nobody has asked for is an answer to half a turn."""
        self._drop_unasked()

    def close(self) -> None:
        """Nothing more of it is wanted; what was said so far is counted."""
        if self._response is not None:
            self._spent(self._response)

    # ---- small parts -------------------------------------------------------------------------

    def _in_use(self, response: _Response) -> bool:
        return any(of is response for of, _ in self._calls.values())

    def _bind(self, response: _Response, ask: Ask) -> None:
        self._ask = self._expected_by = None
        response.ask = ask
        held, response.held = response.held, []
        response.held_bytes = 0
        for event in held:
            self._tell(response, event)
        if response.done and not response.told_end:
            self._end(response)

    def _spoke(self, piece: Paced) -> None:
        text, pcm, words = piece
        response = self._response
        if response is not None:
            self._tell(response, Spoke("", text, pcm, words))

    def _tell(self, response: _Response, event: Spoke | ToolCalled) -> None:
        """Report a part of an answer, or hold it until somebody has asked for it."""
        if response.dropped:
            return
        ask = response.ask
        if ask is None:
            response.held.append(event)
            if isinstance(event, Spoke):
                response.held_bytes += len(event.pcm)
                if response.held_bytes > MAX_HELD_BYTES:
                    self._drop_unasked()
            return
        if isinstance(event, ToolCalled):
            self._report(replace(event, answer=ask.answer))
        elif ask.sound:
            response.sounded_ms += duration_ms(event.pcm)
            self._report(replace(event, answer=ask.answer))
        elif event.text:
            self._report(Spoke(ask.answer, event.text))

    def _end(self, response: _Response) -> None:
        """Nova says no more of it."""
        response.done = True
        response.silent_since = None
        self._spent(response)
        if response.ask is not None and not response.told_end:
            response.told_end = True
            self._report(AnswerEnded(response.ask.answer))

    def _spent(self, response: _Response) -> None:
        if response.sounded_ms:
            self._report(Used("audio_out_ms", response.sounded_ms))
            response.sounded_ms = 0

    def _drop_unasked(self) -> None:
        response = self._response
        if response is not None and response.ask is None:
            response.dropped = True
            response.held.clear()
            response.held_bytes = 0
