"""A conversation in a test, with its clock, and what it did so far."""

from typing import Any, TypeVar

from ai.audio import silence
from ai.engine import Brief, Step
from ai.events import (
    AnswerEnded,
    SpeechConfirmed,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    Transcribed,
    Word,
)
from sessions.live.actions import Action, Answer, Save, Tell
from sessions.live.conversation import Conversation
from sessions.live.events import CreateResponse, ReportPlayed, UpdateSession
from sessions.record.model import Item

T = TypeVar("T")

BRIEF = Brief(
    instructions="",
    title="Fractions",
    goal="Name parts of a whole",
    language="en",
    opening="Hello.",
    closing="Goodbye.",
    steps=(
        Step(ask="What part is eaten?", answers=(), solution="Two quarters.", patience_ms=700),
        Step(ask="Say it another way.", answers=(), solution="One half.", patience_ms=3_000),
    ),
)


class Lesson:
    """A conversation with its clock, and what it did so far."""

    def __init__(self, brief: Brief = BRIEF, **changes: Any) -> None:
        self.now = 100.0
        self.talk = Conversation(
            brief,
            session_id="sess_1",
            lesson="fractions",
            engine="offline",
            hears_speech=True,
            now=self.now,
            **changes,
        )
        self.done: list[Action] = []
        self.did(self.talk.attached(self.now))

    def did(self, actions: list[Action]) -> list[Action]:
        self.done += actions
        return actions

    def do(self, command: Any) -> list[Action]:
        return self.did(self.talk.receive(command, self.now, 1))

    def report(self, event: Any) -> list[Action]:
        return self.did(self.talk.report(event, self.now))

    def hear(self, ms: int, *, silent: bool = False, made_up: bool = False) -> bool:
        """The microphone gives `ms`, and as much time passes. Whether the engine has it."""
        given = False
        for _ in range(ms // 20):
            self.now += 0.02
            given = self.talk.hear(20, silent, self.now, made_up=made_up)
        return given

    def wait(self, seconds: float) -> list[Action]:
        """Time passes; the conversation is woken at its deadlines, as the shell would."""
        end, out = self.now + seconds, []
        for _ in range(10_000):
            at = max(self.talk.deadline(), self.now)
            if at > end or self.talk.ended:
                break
            self.now = at
            out += self.did(self.talk.tick(self.now))
        self.now = end
        return out

    def ask(self, **fields: Any) -> str:
        """The client asks for an answer; returns its id."""
        return one(self.do(CreateResponse(**fields)), Answer).ask.answer

    def say(self, answer: str, text: str, ms: int) -> list[Action]:
        """The engine says `text` in `ms` of sound, all at once."""
        words = text.split()
        step = ms // len(words)
        times = tuple(Word(w, i * step, (i + 1) * step) for i, w in enumerate(words))
        return self.report(Spoke(answer, text, silence(ms), times))

    def speak(self, turn: str, ms: int, words: str | None) -> None:
        """The student speaks for `ms`, then is silent until the turn is over."""
        start = self.talk.turns.media_ms
        self.hear(100)
        self.report(SpeechStarted(turn, start))
        self.hear(ms - 100)
        self.report(SpeechConfirmed(turn))
        self.hear(700)
        self.report(SpeechStopped(turn, start + ms))
        if words is not None:
            self.report(Transcribed(turn, words))

    def save(self) -> list[Action]:
        """Everything on its way to the database is committed."""
        ids = [action.item.id for action in self.done if isinstance(action, Save)]
        return self.did(self.talk.saved(ids))

    def log(self) -> list[Item]:
        return list(self.talk.log)


def told(actions: list[Action], kind: type[T]) -> list[T]:
    return [a.event for a in actions if isinstance(a, Tell) and isinstance(a.event, kind)]


def all_of(actions: list[Action], kind: type[T]) -> list[T]:
    return [a for a in actions if isinstance(a, kind)]


def one(actions: list[Action], kind: type[T]) -> T:
    found = all_of(actions, kind) or told(actions, kind)
    assert len(found) == 1, (kind.__name__, names(actions))
    return found[0]


def names(actions: list[Action]) -> list[str]:
    return [type(a.event if isinstance(a, Tell) else a).__name__ for a in actions]


def speaking_page() -> tuple[Lesson, str]:
    """Our page hears ten words in a second and a half, and has played 600 ms of them."""
    lesson = Lesson()
    lesson.do(UpdateSession(binary=True))
    answer = lesson.ask()
    lesson.say(answer, "one two three four five six seven eight nine ten", 1_500)
    lesson.report(AnswerEnded(answer))
    lesson.hear(600)
    item = lesson.log()[0].id
    lesson.do(ReportPlayed(item_id=item, audio_ms=600))
    lesson.done.clear()
    return lesson, item
