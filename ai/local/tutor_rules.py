"""The offline tutor's rules: what it says next, decided in plain code; see `ai.local.tutor`."""

from dataclasses import dataclass, replace
from typing import Any

from ai.engine import Brief, Cue, Keep, Moved, Piece, Say, Step
from ai.local.intents import Intent, in_distress, intent_of, is_aside, plain, says_no, says_yes
from ai.local.phrases import Phrases, phrases, variant
from ai.local.sentences import question_of, sentences
from ai.local.tutor_state import Result, State
from ai.tools import Judged


@dataclass(frozen=True, slots=True)
class Heard:
    """The student's last turn."""

    text: str = ""
    sure: bool = True
    question_heard: bool = True
    "False where the tutor was interrupted before its question was out."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and where the tutor is after it."""

    pieces: tuple[Piece, ...]
    state: State


_UNJUDGED = Judged()


def respond(
    brief: Brief,
    state: State | None,
    cue: Cue,
    heard: Heard = Heard(),
    judged: Judged = _UNJUDGED,
) -> Reply:
    """The next answer. `judged` is the verdict on `to_check(brief, state, cue, heard)`."""
    turn = _Turn(brief, state or State(), heard, judged)
    if state is None:
        turn.opening()
    elif cue == "student":
        turn.student()
    elif state.finished:
        turn.say(turn.words.finished)
    elif cue == "silence":
        turn.silence()
    elif cue == "resumed":
        turn.resumed()
    else:
        turn.ask()
    return turn.reply()


def to_check(brief: Brief, state: State | None, cue: Cue, heard: Heard) -> str:
    """The text to be judged as an answer to the open question; empty where there is none."""
    if state is None or cue != "student" or state.finished or in_distress(heard.text):
        return ""
    if state.awaiting == "confirm":
        return state.pending_text if says_yes(heard.text) else _unless_no(heard.text)
    if state.awaiting == "finish":
        return "" if says_yes(heard.text) else _unless_no(heard.text)
    return heard.text.strip()


def _unless_no(text: str) -> str:
    return "" if says_no(text) else text.strip()


_YES_NO = ("yes", "no")


class _Turn:
    """One answer in the making."""

    def __init__(self, brief: Brief, state: State, heard: Heard, judged: Judged) -> None:
        self.brief = brief
        self.words: Phrases = phrases(brief.language)
        self.at = min(max(state.step, 0), len(brief.steps) - 1)
        self.state = replace(state, step=self.at)
        self.heard = heard
        self.judged = judged
        self._moves: list[Moved] = []
        self._says: list[Say] = []
        self._concern = False

    @property
    def step(self) -> Step:
        return self.brief.steps[self.state.step]

    def reply(self) -> Reply:
        state = replace(self.state, turns=self.state.turns + 1)
        data = state.data() | ({"concern": True} if self._concern else {})
        keep = Keep(data, finished=state.finished)
        return Reply((keep, *self._moves, *self._says), state)

    def say(self, text: str, **values: object) -> None:
        filled = text.format(**values) if values else text
        self._says += [Say(sentence) for sentence in sentences(filled)]

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def _moved(self, status: str) -> None:
        self._moves.append(Moved(self.state.step, status))

    def _vary(self, variants: tuple[str, ...]) -> str:
        return variant(variants, self.state.turns)

    # ---- the question ------------------------------------------------------------------------

    def opening(self) -> None:
        if in_distress(self.heard.text):
            return self.concern()
        name = self.brief.student_name
        if self.brief.opening:
            self.say(self.brief.opening)
        else:
            self.say(self.words.hello[1 if name else 0], name=name)
        self.say(self.words.honest)
        self.say(self.words.controls)
        self._moved("asking")
        self.ask()

    def ask(self) -> None:
        """Explain and ask: the whole step from its beginning."""
        self.set(awaiting="answer", pending_text="")
        if self.step.say:
            self.say(self.step.say)
        self.say(self.step.ask)
        self._offer_choices()

    def ask_again(self) -> None:
        """The question alone."""
        self.set(awaiting="answer", pending_text="")
        self.say(question_of(self.step.ask))

    def _offer_choices(self) -> None:
        choices = self.step.choices
        asked = plain(self.step.ask)
        if choices and not all(plain(choice) in asked for choice in choices):
            listed = f"{', '.join(choices[:-1])} {self.words.or_word} {choices[-1]}"
            self._says.insert(len(self._says) - 1, Say(self.words.choices.format(choices=listed)))

    # ---- cues --------------------------------------------------------------------------------

    def silence(self) -> None:
        count = self.state.silences
        if self.state.awaiting == "confirm" and count == 0:
            self.say(self.words.or_again)
        elif count < len(self.words.silence):
            self.say(self.words.silence[count])
            if count == 0:
                self.ask_again()
        elif count == len(self.words.silence):
            self.say(self.words.break_offer)
        else:
            self.say(self.words.still_here)
        self.set(silences=count + 1)

    def resumed(self) -> None:
        self.say(self.words.welcome_back)
        self.say(self.words.where_we_were, step=self.state.step + 1, steps=len(self.brief.steps))
        self.set(silences=0, misses=0)
        self.say(self.step.ask)
        self._offer_choices()
        self.set(awaiting="answer", pending_text="")

    def student(self) -> None:
        self.set(silences=0)
        if in_distress(self.heard.text):
            return self.concern()
        if self.state.finished:
            return self.say(self.words.finished)
        if self.state.awaiting == "finish" and self._settled_finish():
            return
        confirmed = self.state.awaiting == "confirm" and says_yes(self.heard.text)
        if self.state.awaiting == "confirm" and says_no(self.heard.text):
            self.set(awaiting="answer", pending_text="")
            return self.say(self.words.say_again)
        self._answered(sure=confirmed or self.heard.sure, confirmed=confirmed)

    def _settled_finish(self) -> bool:
        self.set(awaiting="answer")
        if says_yes(self.heard.text):
            self.set(finished=True)
            self.say(self.words.goodbye)
            return True
        if says_no(self.heard.text):
            self.say(self._vary(self.words.ready))
            self.ask_again()
            return True
        return False

    def _answered(self, *, sure: bool, confirmed: bool) -> None:
        judged, is_open = self.judged, self.step.answers[0].kind == "open"
        intent = None if confirmed else self._intent()
        if judged.verdict == "right" and self.heard.question_heard and not (is_open and intent):
            return self.right() if sure else self._ask_back(judged.value or self.heard.text)
        if intent is not None:
            return self._intend(intent)
        if not self.heard.question_heard and self.heard.text:
            self.say(self.words.not_heard)
            return self.ask_again()
        aside = not confirmed and self._is_aside()
        if judged.value and not aside and (not sure or judged.verdict == "unclear"):
            return self._ask_back(judged.value)
        if judged.verdict == "wrong" and sure and not aside:
            return self.wrong()
        note = {
            "two values": self.words.two_answers,
            "negated": self.words.negated,
            "unfinished": self.words.unfinished,
        }.get(judged.note)
        if note is not None and sure:
            self.set(awaiting="answer", pending_text="", verdict_of_last="unclear", misses=0)
            return self.say(note)
        if sure and aside:
            self.say(self._vary(self.words.redirect))
            return self.ask_again()
        self.missed()

    def _intent(self) -> Intent | None:
        """The student's wish. A word of courtesy that is a wrong answer here is an answer."""
        intent = intent_of(self.heard.text)
        is_answer = self.judged.misconception is not None or (
            self.judged.verdict == "wrong" and self.step.answers[0].kind == "yes_no"
        )
        return None if is_answer and intent in ("ready", "greeting", "thanks", "stop") else intent

    def _is_aside(self) -> bool:
        """Not about the lesson: small talk, or many words none of which the lesson knows."""
        if self.judged.misconception is not None:
            return False
        if is_aside(self.heard.text):
            return True
        said = plain(self.heard.text).split()
        return len(said) >= 4 and not _lexicon(self.brief).intersection(
            word for word in said if len(word) > 3
        )

    # ---- answers -----------------------------------------------------------------------------

    def right(self) -> None:
        value = self.judged.value or self.heard.text
        plain_right = variant(self.words.right, self.state.turns if value not in _YES_NO else 1)
        self.say(self.step.praise or plain_right.format(value=value))
        self._over("done")

    def wrong(self) -> None:
        self.set(attempts=self.state.attempts + 1, verdict_of_last="wrong", misses=0)
        index = self.judged.misconception
        if index is not None and index not in self.state.misconceptions:
            self.set(misconceptions=(*self.state.misconceptions, index))
            self._moved("hinting")
            self._say_and_ask(self.step.misconceptions[index].response)
        else:
            self.hint(self._vary(self.words.not_quite))

    def hint(self, lead: str) -> None:
        """The next hint, or the worked solution where all are used."""
        used = self.state.hints_used
        if used >= len(self.step.hints):
            return self._solve()
        self.set(hints_used=used + 1, misses=0)
        self._moved("hinting")
        self.say(lead)
        self._say_and_ask(self.step.hints[used])

    def _say_and_ask(self, text: str) -> None:
        """One question a turn: the plan's, unless `text` asks one itself."""
        self.say(text)
        if "?" in text:
            self.set(awaiting="answer", pending_text="")
        else:
            self.ask_again()

    def _solve(self) -> None:
        self.say(self.words.together)
        self.say(self.step.solution)
        self._over("solved_for_them")

    def _over(self, status: str) -> None:
        state = self.state
        result = Result(state.step, status, state.attempts, state.hints_used, state.misconceptions)
        self._moved(status)
        last = state.step == len(self.brief.steps) - 1
        self.state = State(
            step=state.step if last else state.step + 1,
            turns=state.turns,
            verdict_of_last="right" if status == "done" else state.verdict_of_last,
            finished=last,
            results=(*state.results, result),
        )
        if last:
            self._close()
        else:
            if status == "solved_for_them":
                self.say(self._vary(self.words.go_on))
            self._moved("asking")
            self.ask()

    def _close(self) -> None:
        self._moved("lesson_done")
        steps = len(self.brief.steps)
        found = sum(result.status == "done" for result in self.state.results)
        if found:
            score = self.words.alone_all if found == steps else self.words.alone
            self.say(score, count=found, steps=steps)
        self.say(self.brief.closing or self.words.goodbye)

    def _ask_back(self, value: str) -> None:
        shown = {"yes": self.words.yes, "no": self.words.no}.get(value, value)
        self.set(awaiting="confirm", pending_text=value, verdict_of_last="unclear", misses=0)
        self._says += [Say(self.words.ask_back.format(value=shown))]

    def missed(self) -> None:
        misses = self.state.misses
        self.set(misses=misses + 1, verdict_of_last="unclear")
        missed = self.words.missed if misses < 2 else self.words.missed_type
        self.say(variant(missed, misses))

    # ---- wishes ------------------------------------------------------------------------------

    def concern(self) -> None:
        """A human wrote these words; the step stays where it is."""
        self._concern = True
        for sentence in self.words.concern:
            self.say(sentence)

    def _intend(self, intent: Intent) -> None:
        words = self.words
        self.set(misses=0)
        match intent:
            case "hint":
                self.hint(self._vary(words.hint))
            case "dont_know":
                self.hint(self._vary(words.dont_know))
            case "answer":
                self.hint(words.no_answer_yet)
            case "wait":
                self.say(words.wait)
            case "stop":
                self.set(awaiting="finish", pending_text="")
                self.say(words.stop)
            case "repeat":
                self.ask()
            case "meaning":
                self.say(words.meaning)
                self.ask()
            case "why":
                self._explain()
            case _:
                said: dict[Intent, str] = {
                    "robot": words.robot,
                    "greeting": words.greeting,
                    "thanks": words.thanks,
                    "rude": words.rude,
                }
                self.say(said.get(intent, self._vary(words.ready)))
                self.ask_again()

    def _explain(self) -> None:
        """Why: of the step just left, its solution; of the open one, only what it explains."""
        results = self.state.results
        untouched = self.state.attempts == self.state.hints_used == 0
        if results and untouched:
            self.say(self.words.why_before)
            self.say(self.brief.steps[results[-1].step].solution)
            self.ask_again()
        else:
            self.say(self.words.why)
            self.ask()


def _lexicon(brief: Brief) -> frozenset[str]:
    """The words of the lesson."""
    texts = [brief.title, brief.goal, " ".join(brief.vocabulary)]
    for step in brief.steps:
        texts += [step.say, step.ask, step.solution, *step.hints, *step.choices]
        texts += [text for answer in step.answers for text in (answer.text, *answer.also)]
        texts += [text for wrong in step.misconceptions for text in wrong.says]
    return frozenset(word for word in plain(" ".join(texts)).split() if len(word) > 3)
