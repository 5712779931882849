"""The offline tutor: walks the plan's steps by rules, with no model, and says so.

`tutor_rules.respond` decides, in plain code; `OfflineTutor` fetches the verdicts and speaks. It
asks the step's question, checks the answer, speaks to a misconception before it hints, gives the
plan's hints in order, and works the solution out only when the hints are used up.

What it keeps beside each of its items (`Keep.data`, found again as `Utterance.data`) is all it
needs to go on after a break, and what the summary is made from:

    version         1
    step            index of the step whose question is open, from 0
    attempts        wrong answers to it so far
    hints_used      of its hints, how many were given
    misconceptions  indexes of its misconceptions that were answered
    awaiting        "answer" | "confirm" ("I heard ..., right?") | "finish" ("Do you want
                    to finish now?")
    pending_text    the answer that "confirm" asks about, in the student's words; else ""
    misses          turns in a row that were not understood
    silences        re-prompts in a row
    turns           answers given so far; only for variety
    verdict_of_last "right" | "wrong" | "unclear" | "": of the student's last answer
    finished        the lesson is closed
    results         one entry for each step that is over, in order:
                    {"step", "status": "done" | "solved_for_them", "attempts", "hints",
                     "misconceptions": [indexes]}
    concern         true, only on the item that answers words of distress; absent otherwise
"""

from collections.abc import AsyncGenerator, Sequence

from ai.engine import Brief, Cue, Piece, UseTool, Utterance
from ai.local.intents import in_distress, intent_of, plain
from ai.local.judging import Checker, judge_with
from ai.local.sentences import question_of
from ai.local.tutor_rules import Heard, respond, to_check
from ai.local.tutor_state import State, recall
from ai.tools import Judged


class OfflineTutor:
    """The rules as a chat engine; `check` judges one answer, in another process."""

    name = "offline"

    def __init__(self, check: Checker) -> None:
        self._judge = judge_with(check)

    async def reply(
        self, brief: Brief, memory: Sequence[Utterance], cue: Cue, use: UseTool
    ) -> AsyncGenerator[Piece, None]:
        """The next answer to `memory`."""
        state = recall(memory)
        heard = _last_turn(brief, state, memory)
        text = to_check(brief, state, cue, heard)
        step = brief.steps[min(state.step, len(brief.steps) - 1)] if state else brief.steps[0]
        judged = await self._judge(step, text, brief.language) if text else Judged()
        for piece in respond(brief, state, cue, heard, judged).pieces:
            yield piece


def _last_turn(brief: Brief, state: State | None, memory: Sequence[Utterance]) -> Heard:
    """What the student said since the tutor last spoke; several turns are one, cut by commas."""
    turns: list[Utterance] = []
    spoken = ""
    for utterance in reversed(memory):
        if utterance.role == "tutor":
            spoken = utterance.text
            break
        if utterance.role == "student" and utterance.text.strip():
            turns.append(utterance)
    if not turns:
        return Heard()
    turns.reverse()
    last = turns[-1].text
    troubled = next((turn.text for turn in turns if in_distress(turn.text)), None)
    text = troubled or (last if intent_of(last) else ", ".join(turn.text for turn in turns))
    asked = state is None or state.finished or _was_asked(brief, state, memory, spoken)
    return Heard(text, all(turn.data.get("sure", True) for turn in turns), asked)


def _was_asked(brief: Brief, state: State, memory: Sequence[Utterance], spoken: str) -> bool:
    """Whether the open step's question ever reached the student."""
    question = plain(question_of(brief.steps[min(state.step, len(brief.steps) - 1)].ask))
    beginning = question[: max(len(question) // 2, 1)]
    return any(
        beginning in plain(utterance.text) for utterance in memory if utterance.role == "tutor"
    )
