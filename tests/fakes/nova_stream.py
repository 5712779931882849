"""One stream of the simulated Nova 2 Sonic: what it checks, and how it ends, well or not."""

import asyncio
import base64
import binascii
import json
import random
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from tests.fakes import nova_rules
from tests.fakes.faults import HUGE_BYTES, Fault
from tests.fakes.frames import Decoder, FrameBroken, Message, decode
from tests.fakes.h2_server import Stream
from tests.fakes.nova_out import Ids, Mouth
from tests.fakes.nova_rules import INVALID, Refused, Rules
from tests.fakes.nova_talk import Manners, Talk
from tests.fakes.signatures import EventChain, Unsigned

TIMED_OUT = "Model has timed out in processing the request. Try your request again."
IDLE = (
    "Timed out waiting for audio bytes or interactive content. Please ensure gaps between audio"
    " bytes and interactive content are less than {} seconds."
)
INNER = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
STRAY = "These words are somebody else's."
INJECTED = ("invalid_json", "unknown_event", "huge_event", "wrong_session")
ENDS = ("exception", "rst_stream", "goaway", "close_at_limit")
CUT = ("hang_mid_audio", "close_mid_utterance", "rst_stream_mid_audio", "goaway_mid_audio")


class NovaStream:
    """The handler of one request; `h2_server.Handler`."""

    def __init__(
        self,
        number: int,
        stream: Stream,
        manners: Manners,
        chain: EventChain,
        fault: Fault | None,
        report: Callable[[str], None],
    ) -> None:
        self.number = number
        self.manners = manners
        self.received_events: Counter[str] = Counter()
        self.ended_by = ""
        "`client`, `server` or `lost` once one side has ended it; empty while it is open."
        self.client_done = False
        "The client has closed its side too."
        self.rules = Rules()
        self.mouth = Mouth(stream.send, random.Random(number), padding=manners.padding)
        self.talk = Talk(number, manners, self.mouth, self.rules, self)
        self._stream = stream
        self._chain = chain
        self._fault = fault
        self._violation = report
        self._decoder = Decoder()
        self._answered_headers = self._signed_end = False
        self._loop = asyncio.get_running_loop()
        self._timers = [self._loop.call_later(manners.cap_s, self._limit)]
        self._alive_at = self._loop.time()
        self._idle = self._loop.call_later(manners.idle_s, self._look_idle)
        if fault is not None and fault.after_s:
            self._timers.append(self._loop.call_later(fault.after_s, self._arrive, fault))

    @property
    def open(self) -> bool:
        """Whether one side or the other still holds it."""
        return not self.ended_by or not self.client_done

    # ---- what comes in ---------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        if self.ended_by:
            return
        try:
            for message in self._decoder.feed(data):
                self._take(message)
                if self.ended_by:
                    return
        except FrameBroken as problem:
            self._violation(f"frame: {problem}")
            self.refuse("validationException", INVALID)

    def ended(self) -> None:
        self.client_done = True
        if self.ended_by:
            return
        if not self._signed_end:
            self._violation("The stream ends without its signed empty frame.")
        if not self.rules.closed_well:
            self._violation("The stream ends without contentEnd, promptEnd and sessionEnd.")
        self._stop("client")
        self._stream.end()

    def lost(self, reason: str) -> None:
        self.client_done = True
        if not self.ended_by:
            self._violation(f"The stream is left without being closed: {reason}.")
            self._stop("lost")

    def _take(self, outer: Message) -> None:
        self._verify(outer)
        if self.ended_by:
            return
        if self._signed_end:
            self._violation("Something follows the empty frame.")
        if not outer.payload:
            self._signed_end = True
            return
        try:
            inner = decode(outer.payload)
            if dict(inner.headers) != INNER:
                raise Refused(f"An event has headers of its own: {dict(inner.headers)}.")
            event = json.loads(base64.b64decode(json.loads(inner.payload)["bytes"], validate=True))
            name = next(iter(event["event"]))
            fact = self.rules.receive(event)
        except Refused as refused:
            self._violation(f"rule: {refused.why}")
            self.refuse(refused.kind, refused.message)
            return
        except (FrameBroken, ValueError, binascii.Error, KeyError, TypeError) as problem:
            self._violation(f"event: {problem!r}")
            self.refuse("validationException", INVALID)
            return
        self.received_events[name] += 1
        self._open_response()
        if fact is not None:
            self._happened(fact)

    def _verify(self, outer: Message) -> None:
        at, signature = outer.headers.get(":date"), outer.headers.get(":chunk-signature")
        try:
            if not isinstance(at, datetime) or not isinstance(signature, bytes):
                raise Unsigned("InvalidSignatureException", "An event is not signed.")
            self._chain.verify(outer.date_header, at, outer.payload, signature)
        except Unsigned as problem:
            self._violation(f"signature: {problem.message}")
            if self.manners.strict:
                self._open_response()
                self.mouth.error(problem.kind, problem.message)
                self._stop("server")
                self._stream.end()

    def _open_response(self) -> None:
        """The response begins only when the first event was seen."""
        if self._answered_headers or self.mouth.mute:
            return
        if self.meets("hang_before_first_event"):
            self.mouth.mute = True
            return
        throttled = self.meets("throttled_in_stream")
        self._answered_headers = True
        self._stream.respond(
            200,
            {
                "content-type": "application/vnd.amazon.eventstream",
                "x-amzn-requestid": self.mouth.uuid(),
            },
        )
        if throttled:
            self.strike(Fault("throttled"))

    def _happened(self, fact: nova_rules.Fact) -> None:
        talk = self.talk
        match fact:
            case nova_rules.PromptOpened():
                talk.open_prompt(fact)
            case nova_rules.SystemSaid(text):
                talk.instruct(text)
            case nova_rules.HistorySaid(role, text):
                talk.remember(role, text)
            case nova_rules.AudioOpened():
                talk.open_audio(fact)
            case nova_rules.AudioHeard(pcm):
                self._alive_at = self._loop.time()
                talk.hear(pcm)
            case nova_rules.TextAsked(text):
                self._alive_at = self._loop.time()
                talk.asked(text)
            case nova_rules.ToolAnswered(call, output):
                talk.given(call, output)
            case nova_rules.PromptClosed():
                talk.close_prompt()

    # ---- trouble ---------------------------------------------------------------------------------

    def arm(self, fault: Fault) -> None:
        """It happens at its place in the next answer."""
        self._fault = fault

    def strike(self, fault: Fault) -> None:
        """It happens now, or at its place from now on."""
        match fault.name:
            case "hang_mid_audio" | "hang_before_first_event" if not fault.after_s:
                self.mouth.mute = True
            case "throttled":
                self.refuse("throttlingException", "Too many requests, please wait.")
            case "server_error":
                self.refuse("internalServerException", fault.detail or "Unexpected error.")
            case "exception":
                kind, _, message = fault.detail.partition(": ")
                self.refuse(kind, message)
            case "close_mid_utterance":
                self._go("cut")
            case "rst_stream" | "rst_stream_mid_audio":
                self._go("reset")
            case "goaway" | "goaway_mid_audio":
                self._go("go_away")
            case "close_at_limit":
                self._limit()
            case name if name in INJECTED:
                self._inject(name)
            case _:
                self._fault = Fault(fault.name)

    def _arrive(self, fault: Fault) -> None:
        """The moment of a planned fault has come."""
        self._fault = Fault(fault.name, detail=fault.detail)
        if fault.name not in CUT and fault.name not in ("odd_audio", "duplicate_ids"):
            self._fault = None
            self.strike(Fault(fault.name, detail=fault.detail))

    def meets(self, name: str) -> bool:
        met = self._fault is not None and self._fault.name == name and not self._fault.after_s
        if met:
            self._fault = None
        return met

    def broke(self, problem: BaseException) -> None:
        traceback.print_exception(problem)
        self._violation(f"The simulator broke: {problem!r}")
        self.refuse("internalServerException", "The simulator broke.")

    def amid_sound(self) -> None:
        for name in CUT:
            if self.meets(name):
                self.strike(Fault(name))

    def before_answer(self) -> None:
        for name in (*INJECTED, *ENDS):
            detail = self._fault.detail if self._fault is not None else ""
            if self.meets(name):
                self.strike(Fault(name, detail=detail))

    def _inject(self, name: str) -> None:
        match name:
            case "invalid_json":
                self.mouth.raw(b'{"event":{"textOutput":{"content":"cut o')
            case "unknown_event":
                self.mouth.event("somethingNew", {"of": ["a", "later", "version"]})
            case "huge_event":
                self.mouth.huge(HUGE_BYTES)
            case "wrong_session":
                other = Ids(self.mouth.uuid(), self.mouth.uuid(), self.mouth.uuid())
                self.mouth.text("ASSISTANT", "SPECULATIVE", STRAY, "PARTIAL_TURN", other)
                content = self.mouth.audio_start(self.talk.rate_out, other)
                self.mouth.audio(content, b"\x00\x20\x00\xe0" * 2_400, self.talk.rate_out, other)
                self.mouth.audio_end(content, "END_TURN", other)
                self.mouth.text("ASSISTANT", "FINAL", STRAY, "END_TURN", other)

    def refuse(self, kind: str, message: str, code: int | None = None) -> None:
        """End the stream with an exception."""
        if self.ended_by:
            return
        self._open_response()
        if not self._answered_headers:
            self._go("reset")
            return
        if code is not None:
            message = f"InternalErrorCode={code}::{message}"
        if self.manners.prefixes:
            message = f"RequestId={self.mouth.uuid()} : {message}"
        self.mouth.exception(kind, message)
        self._stop("server")
        self._stream.end()

    def _go(self, how: Literal["cut", "reset", "go_away"]) -> None:
        self._stop("server")
        if how == "reset":
            self._stream.reset(0)  # NO_ERROR, as has been seen
            self.client_done = True
        else:
            self._stream.cut() if how == "cut" else self._stream.go_away()

    def _limit(self) -> None:
        self.refuse("modelTimeoutException", TIMED_OUT)

    def _look_idle(self) -> None:
        left = self._alive_at + self.manners.idle_s - self._loop.time()
        if left > 0:
            self._idle = self._loop.call_later(left, self._look_idle)
        else:
            self.refuse("validationException", IDLE.format(f"{self.manners.idle_s:g}"), 532)

    def _stop(self, by: Literal["client", "server", "lost"]) -> None:
        self.ended_by = by
        self.talk.stop()
        self._idle.cancel()
        for timer in self._timers:
            timer.cancel()

    async def finish(self) -> None:
        """End it and wait for what was under way; at the simulator's end."""
        if not self.ended_by:
            self._stop("server")
        await self.talk.finish()
