"""What a session came to, told to the student: by rules, from the plan and the items alone.

Nothing is invented: each sentence names the items it rests on, and an answer is worth what the
tutor made of it at the time, which stands beside its items (see `ai.local.tutor`). An engine that
keeps no such notes gets a plainer summary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ai.engine import Brief
from ai.local.intents import says_yes
from ai.local.sentences import question_of
from sessions.record.model import Item, Progress, Sentence, Summary, tool_of
from sessions.record.summary_words import Words, words_in

BRIEF_BELOW = 3  # student turns; fewer tell nothing about how it went
QUOTE_CHARS = 90
MANY = 3  # of each kind of sentence; a child reads no list of ten


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the student answered, and the items that say so."""

    words: str
    item_ids: tuple[str, ...]


@dataclass(slots=True)
class _Step:
    """How one step of the plan went."""

    index: int
    asked: Item
    over: Item | None = None
    "The tutor's item that moved on from it."
    right: _Answer | None = None
    wrong: list[_Answer] = field(default_factory=list)
    helped: list[Item] = field(default_factory=list)
    "What the student said, wanting help, before they got a hint or the solution."
    hints: int = 0

    @property
    def first_try(self) -> bool:
        return self.right is not None and not self.wrong and self.hints == 0

    @property
    def together(self) -> bool:
        """The tutor worked it out."""
        return self.over is not None and self.right is None


def summarise(
    brief: Brief, subjects: Sequence[str], items: Iterable[Item], progress: Progress
) -> Summary:
    """The summary of a session that is over."""
    words = words_in(brief.language)
    said = (item for item in items if tool_of(item) is None)
    log = sorted(said, key=lambda item: item.position)
    turns = [item for item in log if item.speaker == "student" and item.said]
    subjects = tuple(subject for subject in subjects if subject)
    if not turns:
        return _without_words(words, brief, subjects, log)
    steps = [step for step in _walk(log) if 0 <= step.index < len(brief.steps)]
    here = min(progress.step, len(brief.steps) - 1)
    finished = progress.status == "lesson_done"
    enough = finished or len(turns) >= BRIEF_BELOW
    worked_on = words.worked_on.format(title=brief.title) + _goal(words, brief)
    narrative = [Sentence(worked_on, (log[0].id,))]
    if enough:
        narrative += _how_it_went(words, brief, steps)
    narrative.append(_where_it_ended(words, brief, finished, here, log))
    narrative += _how_it_was_heard(words, log)
    narrative.append(_made_by(words, log))
    return Summary(
        kind="normal" if enough else "brief",
        narrative=tuple(narrative),
        next_steps=tuple(_next_steps(words, brief, steps, finished, here, log)),
        subjects=subjects,
        done_well=_done_well(words, brief, steps),
        practice=tuple(_question(brief, s.index) for s in steps if _needs_practice(s))[:MANY],
    )


def by_model(
    model: str, brief: Brief, items: Iterable[Item], progress: Progress
) -> tuple[Sentence, ...]:
    """What is told by rules also where a language model wrote the rest, and that it did."""
    words = words_in(brief.language)
    log = sorted(items, key=lambda item: item.position)
    here = min(progress.step, len(brief.steps) - 1)
    finished = progress.status == "lesson_done"
    return (
        _where_it_ended(words, brief, finished, here, log),
        *_how_it_was_heard(words, log),
        _made_by(words, log, model),
    )


def _without_words(
    words: Words, brief: Brief, subjects: tuple[str, ...], log: Sequence[Item]
) -> Summary:
    ids = tuple(item.id for item in log[:1])
    return Summary(
        kind="no_transcript",
        narrative=(
            Sentence(words.nothing_written.format(title=brief.title), ids),
            _made_by(words, log),
        ),
        next_steps=(Sentence(words.start_again.format(ask=_ask(brief, 0)), ids),),
        subjects=subjects,
    )


@dataclass(frozen=True, slots=True)
class _Over:
    """How a step ended, as the tutor noted it."""

    found: bool
    "The student gave the answer; else the tutor did."
    attempts: int
    hints: int


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the offline tutor kept beside an item: where the lesson is after it."""

    step: int
    attempts: int
    "Wrong answers to the step so far."
    hints: int
    over: tuple[_Over, ...]
    pending: str
    "The answer that the tutor asks to confirm; else empty."


def _mark(item: Item) -> _Mark | None:
    data = item.data.get("engine")
    if not isinstance(data, Mapping):
        return None
    try:
        return _Mark(
            step=int(data["step"]),
            attempts=int(data["attempts"]),
            hints=int(data["hints_used"]),
            over=tuple(
                _Over(result["status"] == "done", int(result["attempts"]), int(result["hints"]))
                for result in data["results"]
            ),
            pending=str(data["pending_text"]) if data["awaiting"] == "confirm" else "",
        )
    except (KeyError, TypeError, ValueError):
        return None  # another engine's, which keeps no judgements


def _walk(log: Sequence[Item]) -> list[_Step]:
    """The steps that were asked, each with what was said to it.

    What an answer was worth shows in how the tutor's next mark differs from its last one.
    """
    steps: dict[int, _Step] = {}
    before: _Mark | None = None
    turns: list[Item] = []
    for item in log:
        if item.speaker == "student" and item.said:
            turns.append(item)
        mark = _mark(item) if item.speaker == "ai" else None
        if mark is None:
            continue
        if before is not None and before.step in steps:
            _judge(steps[before.step], before, mark, item, turns)
        steps.setdefault(mark.step, _Step(mark.step, asked=item))
        if not mark.pending:  # the answer that waits to be confirmed is still to be judged
            turns = []
        before = mark
    return list(steps.values())


def _judge(step: _Step, before: _Mark, after: _Mark, item: Item, turns: Sequence[Item]) -> None:
    ended = after.over[-1] if len(after.over) > len(before.over) else None
    attempts = ended.attempts if ended else after.attempts
    hints = ended.hints if ended else after.hints
    if ended:
        step.over = item
    if turns and ended and ended.found:
        step.right = _answer(before, turns)
    elif turns and attempts > before.attempts:
        step.wrong.append(_answer(before, turns))
    elif turns and (ended or hints > before.hints):
        step.helped.append(turns[-1])
    step.hints = hints


def _answer(before: _Mark, turns: Sequence[Item]) -> _Answer:
    """The student's last words; where they only confirmed what the tutor had heard: that."""
    said = turns[-1].said or ""
    if before.pending and says_yes(said):
        return _Answer(before.pending, tuple(item.id for item in turns[-2:]))
    return _Answer(said, (turns[-1].id,))


def _how_it_went(words: Words, brief: Brief, steps: Sequence[_Step]) -> list[Sentence]:
    told: list[Sentence] = []
    right = [step.right for step in steps if step.right is not None]
    if right:
        first_tries = sum(step.first_try for step in steps)
        how = words.found_some_at_once
        if first_tries == len(right):
            how = words.found_at_once
        elif first_tries == 0:
            how = words.found
        questions = words.number_of(len(right), words.questions)
        told.append(
            Sentence(
                how.format(questions=questions, some=words.count(first_tries)),
                tuple(item_id for answer in right for item_id in answer.item_ids),
            )
        )
    for step in [step for step in steps if step.right and not step.first_try][:MANY]:
        told.append(_found(words, brief, step))
    for step in [step for step in steps if step.together][:MANY]:
        ids = tuple(item.id for item in (step.asked, step.over) if item)
        told.append(Sentence(words.worked_out.format(ask=_ask(brief, step.index)), ids))
    helped = tuple(item.id for step in steps for item in step.helped)
    if helped:
        told.append(Sentence(words.stuck, helped))
    return told


def _found(words: Words, brief: Brief, step: _Step) -> Sentence:
    """A right answer that took more than one try."""
    ask, right = _ask(brief, step.index), step.right or _Answer("", ())
    if step.wrong:
        wrong = step.wrong[0]
        text = words.first_wrong.format(
            ask=ask, wrong=_quote(wrong.words), right=_quote(right.words)
        )
        return Sentence(text, (*wrong.item_ids, *right.item_ids))
    hints = words.number_of(step.hints, words.hints)
    text = words.after_hints.format(hints=hints, right=_quote(right.words), ask=ask)
    return Sentence(text, right.item_ids)


def _how_it_was_heard(words: Words, log: Sequence[Item]) -> list[Sentence]:
    missed = tuple(
        item.id
        for item in log
        if item.speaker == "student" and item.kind == "audio" and not item.said
    )
    if not missed:
        return []
    told = words.not_understood[len(missed) != 1]
    return [Sentence(told.format(times=words.count(len(missed)).capitalize()), missed)]


def _made_by(words: Words, log: Sequence[Item], model: str = "") -> Sentence:
    """`model` empty: rules did."""
    ids = tuple(dict.fromkeys(item.id for item in (*log[:1], *log[-1:])))
    transcript = words.transcript[any(item.corrected for item in log)]
    told = words.made_by_model if model else words.made_by
    text = told.format(model=model, transcript=transcript, unchecked=words.unchecked)
    return Sentence(text, ids)


def _where_it_ended(
    words: Words, brief: Brief, finished: bool, here: int, log: Sequence[Item]
) -> Sentence:
    last = (log[-1].id,)
    if finished:
        return Sentence(words.to_the_end, last)
    told = words.stopped_at.format(number=here + 1, of=len(brief.steps), ask=_ask(brief, here))
    return Sentence(told, last)


def _next_steps(
    words: Words,
    brief: Brief,
    steps: Sequence[_Step],
    finished: bool,
    here: int,
    log: Sequence[Item],
) -> list[Sentence]:
    planned: list[Sentence] = []
    if not finished:
        asked = next((step.asked for step in steps if step.index == here), log[-1])
        planned.append(Sentence(words.go_on.format(ask=_ask(brief, here)), (asked.id,)))
    for step in steps:
        if step.together:
            again = words.once_more_alone
        elif step.right and step.hints:
            again = words.once_more_unhinted
        else:
            continue
        ids = (step.asked.id, *(step.right.item_ids if step.right else ()))
        planned.append(Sentence(again.format(ask=_ask(brief, step.index)), ids))
    if not planned:
        planned.append(Sentence(words.ready, (log[-1].id,)))
    return planned[:MANY]


def _done_well(words: Words, brief: Brief, steps: Sequence[_Step]) -> Sentence | None:
    """The one thing worth saying first: staying with it, then a first try, then asking for help."""

    def tell(praise: str, step: _Step, right: _Answer, before: tuple[str, ...] = ()) -> Sentence:
        text = praise.format(ask=_ask(brief, step.index), right=_quote(right.words))
        return Sentence(text, (*before, *right.item_ids))

    for step in steps:
        if step.right and step.wrong:
            return tell(words.stayed, step, step.right, step.wrong[0].item_ids)
    for step in reversed(steps):
        if step.right and step.first_try:
            return tell(words.had_at_once, step, step.right)
    for step in steps:
        if step.right:
            return tell(words.had, step, step.right)
    helped = tuple(item.id for step in steps for item in step.helped)
    return Sentence(words.said_stuck, helped) if helped else None


def _needs_practice(step: _Step) -> bool:
    return step.together or (step.right is not None and step.hints > 0)


def _goal(words: Words, brief: Brief) -> str:
    goal = _short(brief.goal).rstrip(".")
    return words.goal.format(goal=goal) if goal else ""


def _question(brief: Brief, index: int) -> str:
    return question_of(brief.steps[index].ask)


def _ask(brief: Brief, index: int) -> str:
    return _quote(_question(brief, index))


def _quote(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1].rstrip() + "…"
