"""The tutor's side of a Realtime session: whose response is which answer.

With their turn detection the provider answers the end of a turn by itself, which saves a trip. Such
a response is *bound* to the Ask that the end of the turn brings about; what comes of it before is
held, and where no Ask comes it is cancelled and forgotten. All other answers are asked for. Only
one response can be made at a time, so one that is asked for too early waits until another is done.

    Ask --+-- the turn's own response ---------> bound --> ItemOut, Sound, Text --> Done
          +-- response.create, when none is made --^          |
                    ^------------- tools' results ------------+

The provider remembers all it made. What the student did not hear of it is taken back: cut to what
was heard, or deleted.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ai.engine import Ask, Cue
from ai.events import AnswerEnded, Failed, Fault, Spoke, ToolCalled, Used
from ai.openai import client_events, wire
from ai.openai.faults import classify
from ai.openai.link import Link
from ai.openai.spoken import Pace, Piece, Spoken

BUSY = "conversation_already_has_active_response"
HOLD_S = 1.0  # a response that nobody asked for
THEIRS_WITHIN_S = 1.5  # the end of a turn -> its response; then it is asked for
NEXT_WITHIN_S = 2.0  # a response that was cancelled -> its end; then the next is asked for
REMEMBERED = 16  # answers that may still be told to have been heard only in part
TOOL_ROUNDS = 8  # in one answer; then it has to do without

# What a response is about that no words of the student ask for.
CUES: dict[Cue, str] = {
    "opening": "The student has just come in and hears you now. Open the lesson.",
    "silence": (
        "The student has said nothing for a while. Ask in one short, friendly sentence whether"
        " they want more time or a hint."
    ),
    "resumed": (
        "The student was away and is back. Welcome them back in one short sentence, and go on"
        " where you were."
    ),
}

CUT = "The student interrupted you. Of your last words they heard only: {}"
CUT_UNHEARD = "The student interrupted you before they heard any of your last words."


@dataclass(slots=True)
class _Answer:
    """One Ask, and what has become of it."""

    ask: Ask
    spoken: Spoken
    over: bool = False
    "Nothing more of it is reported."
    response: str = ""
    "That is being made for it."
    calls: set[str] = field(default_factory=set)
    "Tools it waits for."
    uses_tools: bool = False
    "It goes on when they are done."
    rounds: int = 0
    again: bool = False
    "It failed before anything was said, and was asked for once more."


@dataclass(slots=True)
class _Theirs:
    """The response that the provider makes by itself to the end of a turn."""

    wanted: bool
    "False: it was no turn."
    answer: _Answer | None = None
    response: str = ""
    held: list[wire.OfResponse] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Answering:
    """The answers of one leg."""

    def __init__(
        self, link: Link, model: str, fail: Callable[[Fault], None], last_words: str = ""
    ) -> None:
        """
        Args:
            model: What its tokens are billed as.
            fail: Called where the whole leg can't go on.
            last_words: The tutor's, as this leg remembers them; they may be heard still.
        """
        self._link = link
        self._model = model
        self._fail = fail
        self._last_words = last_words.strip()
        "Of an earlier leg, until there is an answer of this one."
        self._pace = Pace()
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._responses: dict[str, _Answer | None] = {}
        "Being made; None: not wanted."
        self._items: dict[str, set[str]] = {}
        "Of each of those."
        self._active = ""
        self._conversation = ""
        "The provider's name of ours, once it is known."
        self._asked: tuple[str, _Answer] | None = None
        "By which event a response was asked for that has not begun yet, and for what."
        self._next: _Answer | None = None
        "To be asked for when no other response is being made."
        self._next_timer: asyncio.TimerHandle | None = None
        self._theirs: _Theirs | None = None
        self._calls: dict[str, _Answer] = {}

    def answer(self, ask: Ask) -> None:
        self._last_words = ""
        answer = _Answer(ask, Spoken(self._pace, ask.sound))
        self._answers[ask.answer] = answer
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        theirs = self._theirs
        if ask.cue == "student" and theirs is not None and theirs.wanted and not theirs.answer:
            self._bind_theirs(theirs, answer)
            return
        self.drop_theirs()
        if ask.cue in CUES:
            self._link.say(client_events.message("system", CUES[ask.cue]))
        self._ask(answer)

    def give(self, call: str, output: str) -> None:
        answer = self._calls.pop(call, None)
        if answer is None:
            return
        answer.calls.discard(call)
        self._link.say(client_events.result(call, output))
        if not answer.over and not answer.calls and not answer.response:
            self._ask_on(answer)

    def cancel(self, answer: str, heard: str) -> None:
        known = self._answers.get(answer)
        if known is None:
            self._cut_last_words(heard.strip())
            return
        if not known.over:
            known.over = True
            self._bill(known)
            self._stop(known)
        for cut in known.spoken.cut(heard):
            self.take_back(cut.item, cut.heard_ms)

    def _cut_last_words(self, heard: str) -> None:
        """An earlier leg said them, and they were still heard: this one takes them for said."""
        last, self._last_words = self._last_words, ""
        if len(heard) < len(last) and last.startswith(heard):
            note = CUT.format(heard) if heard else CUT_UNHEARD
            self._link.say(client_events.message("system", note))

    def _stop(self, answer: _Answer) -> None:
        """Nothing more of it is to be made."""
        if answer.response:
            self._cancel(answer.response)
        if self._next is answer:
            self._next = None
        if self._theirs is not None and self._theirs.answer is answer:
            self.drop_theirs()

    def _ask(self, answer: _Answer) -> None:
        """Have a response made for it, as soon as that can be."""
        if self._active or self._asked is not None:
            self._next = answer
            self._end_next_timer()
            loop = asyncio.get_running_loop()
            self._next_timer = loop.call_later(NEXT_WITHIN_S, self._ask_next)
            return
        event_id = self._link.id("respond")
        self._asked = (event_id, answer)
        ask = answer.ask
        tools = answer.rounds < TOOL_ROUNDS
        self._link.say(client_events.respond(event_id, ask.answer, sound=ask.sound, tools=tools))

    def _ask_on(self, answer: _Answer) -> None:
        """Its tools are done."""
        answer.uses_tools = False
        answer.rounds += 1
        self._ask(answer)

    def _ask_next(self) -> None:
        """The response before it is done, or its end is long overdue."""
        self._end_next_timer()
        answer, self._next = self._next, None
        if answer is not None and not answer.over:
            self._active, self._asked = "", None
            self._ask(answer)

    def take_back(self, item: str, heard_ms: int = 0) -> None:
        """So much of an item was heard; the rest never was."""
        if heard_ms > 0:
            self._link.say(client_events.truncate(self._link.id("cut"), item, heard_ms))
        else:
            self._link.say(client_events.delete(self._link.id("cut"), item))

    def _cancel(self, response: str) -> None:
        self._link.say(client_events.cancel(self._link.id("cancel"), response))

    # ---- responses that the provider makes by itself -------------------------------------------

    def expect_theirs(self, wanted: bool) -> None:
        """Voice ended, and the provider answers that by itself; `wanted`: it was a turn."""
        self.drop_theirs()
        self._theirs = _Theirs(wanted)

    def go_on(self) -> None:
        """The student speaks on: what nobody has asked for by now is not wanted."""
        if self._theirs is not None and self._theirs.answer is None:
            self.drop_theirs()

    def _bind_theirs(self, theirs: _Theirs, answer: _Answer) -> None:
        theirs.answer = answer
        if theirs.timer is not None:
            theirs.timer.cancel()
        if not theirs.response:
            loop = asyncio.get_running_loop()
            theirs.timer = loop.call_later(THEIRS_WITHIN_S, self._not_made, theirs)
            return
        self._theirs = None
        self._responses[theirs.response] = answer
        answer.response = theirs.response
        for fact in theirs.held:
            self.hear(fact)

    def _not_made(self, theirs: _Theirs) -> None:
        """The turn brought no response after all."""
        if self._theirs is theirs:
            self._theirs = None
            if theirs.answer is not None and not theirs.answer.over:
                self._ask(theirs.answer)

    def drop_theirs(self) -> None:
        """Nobody will ask for it."""
        theirs = self._theirs
        if theirs is None:
            return
        if theirs.timer is not None:
            theirs.timer.cancel()
        theirs.wanted, theirs.answer = False, None
        if theirs.response:
            self._theirs = None
            self._unwanted(theirs.response)
            for fact in theirs.held:
                self.hear(fact)

    def _unwanted(self, response: str) -> None:
        self._responses[response] = None
        self._cancel(response)

    # ---- what the provider says ----------------------------------------------------------------

    def hear(self, fact: wire.OfResponse) -> None:
        """Something about a response. Those that are not known are of no interest."""
        theirs = self._theirs
        if isinstance(fact, wire.Began):
            self._began(fact)
        elif fact.response not in self._items:
            return
        elif theirs is not None and theirs.response == fact.response:
            theirs.held.append(fact)
            if isinstance(fact, wire.Done):
                self._free(fact.response)
        elif isinstance(fact, wire.Done):
            self._done(fact)
        else:
            self._made(fact)

    def _began(self, fact: wire.Began) -> None:
        if not fact.response or fact.response in self._items:
            return
        answer = self._answers.get(fact.answer)
        theirs, asked = self._theirs, self._asked
        if answer is None and self._is_foreign(fact.conversation):
            return
        self._conversation = self._conversation or fact.conversation
        self._active = fact.response
        self._items[fact.response] = set()
        made_by_itself = answer is None and theirs is not None and not theirs.response
        if theirs is not None and made_by_itself and (theirs.wanted or asked is None):
            self._began_theirs(theirs, fact.response)
            return
        if answer is None and asked is not None:
            answer = asked[1]
        self._asked = None
        if answer is None or answer.over:
            self._unwanted(fact.response)
            return
        self._responses[fact.response] = answer
        answer.response = fact.response

    def _is_foreign(self, conversation: str) -> bool:
        """Whether a response is of another's conversation. Where ours is not known by now, one
        that we asked for has to bring back what we called it."""
        if not conversation:
            return False  # a provider that does not tell
        if self._conversation:
            return conversation != self._conversation
        by_itself = self._theirs is not None and not self._theirs.response
        return self._asked is not None and not by_itself

    def _began_theirs(self, theirs: _Theirs, response: str) -> None:
        theirs.response = response
        if theirs.answer is not None:
            self._bind_theirs(theirs, theirs.answer)
        elif not theirs.wanted:
            self._theirs = None
            self._unwanted(response)
        else:
            loop = asyncio.get_running_loop()
            theirs.timer = loop.call_later(HOLD_S, self.drop_theirs)

    def _made(
        self, fact: wire.Sound | wire.Text | wire.ItemOut | wire.ItemSaid | wire.Called
    ) -> None:
        answer = self._responses.get(fact.response)
        if isinstance(fact, wire.ItemOut):
            self._items[fact.response].add(fact.item)
        if answer is None or answer.over:
            return
        match fact:
            case wire.Sound(_, item, pcm):
                self._spoke(answer, answer.spoken.heard(item, pcm))
            case wire.Text(_, item, text):
                self._spoke(answer, answer.spoken.words(item, text))
            case wire.ItemSaid(_, item):
                self._spoke(answer, answer.spoken.ended(item))
            case wire.Called(_, call, name, arguments):
                if call not in self._calls:
                    answer.calls.add(call)
                    answer.uses_tools = True
                    self._calls[call] = answer
                    self._link.report(ToolCalled(answer.ask.answer, call, name, arguments))

    def _spoke(self, answer: _Answer, piece: Piece | None) -> None:
        if piece is not None:
            self._link.report(Spoke(answer.ask.answer, piece.text, piece.pcm))

    def _free(self, response: str) -> None:
        """It is made; another one can be."""
        if self._active == response:
            self._active = ""
        if not self._active and self._asked is None:
            self._ask_next()

    def _done(self, fact: wire.Done) -> None:
        self._link.spent(fact.cost, self._model)
        items = self._items.pop(fact.response, set()) | set(fact.items)
        answer = self._responses.pop(fact.response, None)
        if answer is None:
            self._forget(items)
        else:
            answer.response = ""
            if answer.over:
                self._forget({item for item in items if not answer.spoken.came(item)})
            else:
                self._ended(answer, fact)
        self._free(fact.response)

    def _forget(self, items: set[str]) -> None:
        for item in sorted(items):
            if item:
                self.take_back(item)

    def _ended(self, answer: _Answer, fact: wire.Done) -> None:
        """A response of an answer is over, and the answer with it unless tools are to be used."""
        for piece in answer.spoken.all_ended():
            self._spoke(answer, piece)
        if answer.uses_tools:
            if not answer.calls:
                self._ask_on(answer)
            return
        trouble = fact.trouble
        if fact.status == "failed":
            fault = classify(code=trouble.code, type=trouble.type, detail=trouble.message)
            if fault.kind != "transient":
                self._fail(fault)
            elif answer.spoken.empty and not answer.again:
                answer.again = True
                self._ask(answer)
            else:
                self._over(answer, Failed(fault.code, fault.detail, answer.ask.answer))
        elif answer.spoken.empty and fact.status != "cancelled":
            if answer.again:
                detail = fact.reason or fact.status
                self._over(answer, Failed("nothing_said", detail, answer.ask.answer))
            else:
                answer.again = True
                self._ask(answer)
        else:
            self._over(answer, AnswerEnded(answer.ask.answer))

    def _over(self, answer: _Answer, end: AnswerEnded | Failed) -> None:
        answer.over = True
        self._bill(answer)
        self._link.report(end)

    def _bill(self, answer: _Answer) -> None:
        if answer.spoken.length_ms:
            self._link.report(Used("audio_out_ms", answer.spoken.length_ms))

    # ---- trouble ---------------------------------------------------------------------------------

    def refused(self, trouble: wire.Trouble) -> bool:
        """An error. Tells whether it is about an answer, and is dealt with."""
        asked, theirs = self._asked, self._theirs
        busy = trouble.code == BUSY
        if asked is not None and (
            trouble.event_id == asked[0]
            or (not trouble.event_id and (busy or trouble.type == "server_error"))
        ):
            self._asked = None
            self._not_asked(asked[1], trouble)
            return True
        if not busy:
            return False
        if theirs is not None and not theirs.response:  # theirs is not made: another one is
            answer = theirs.answer
            self.drop_theirs()
            self._theirs = None
            if answer is not None:
                self._ask(answer)
        return True

    def _not_asked(self, answer: _Answer, trouble: wire.Trouble) -> None:
        if answer.over:
            self._free("")
        elif trouble.code == BUSY:
            self._active = self._active or "unknown"  # its end is not far
            self._ask(answer)
        else:
            fault = classify(code=trouble.code, type=trouble.type, detail=trouble.message)
            if fault.kind in ("limit", "throttled"):
                self._fail(fault)
            else:
                self._over(answer, Failed(fault.code, fault.detail, answer.ask.answer))
                self._free("")

    def close(self) -> None:
        """Nothing waits any more."""
        self._end_next_timer()
        self._next = None
        if self._theirs is not None and self._theirs.timer is not None:
            self._theirs.timer.cancel()

    def stop(self) -> None:
        """No answer is wanted any more. What they cost is told as they are `done`."""
        self.drop_theirs()
        for answer in self._answers.values():
            if not answer.over:
                answer.over = True
                self._bill(answer)
                self._stop(answer)

    @property
    def done(self) -> bool:
        """Whether the provider makes nothing, and was asked for nothing that it has not begun."""
        return not self._items and self._asked is None

    def _end_next_timer(self) -> None:
        if self._next_timer is not None:
            self._next_timer.cancel()
            self._next_timer = None
