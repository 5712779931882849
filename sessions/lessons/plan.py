"""The plan: what a teacher writes of one lesson.

A plan is data. It is read from YAML or JSON by `read_plan`, which names the line and the mend of
everything that is wrong, and compiled by `sessions.lessons.brief` into what a tutor is told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ai.engine import AnswerKind
from ai.local.formulas import read_formula
from ai.local.numbers import read_number
from sessions.errors import PlanInvalid
from sessions.lessons.mends import MISSING, problem, unreadable
from sessions.lessons.reading import read

MAX_STEPS = 60  # two hours at two minutes a step
MAX_PROBLEMS = 20  # at once; more would not be read
_HTML = re.compile(
    r"</?\s*(?:script|iframe|style|object|embed|link|meta|html|head|body|form|input|img|svg|video"
    r"|audio|span|div|br|table|button|template)\b|javascript:",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]")


def _clean(text: str) -> str:
    if _HTML.search(text):
        raise PydanticCustomError(
            "html", "leave HTML out; the tutor says this text aloud, so write only the words"
        )
    if _CONTROL.search(text):
        raise PydanticCustomError(
            "control", "take the invisible control characters out; write plain text"
        )
    return text


def _spoken(text: str) -> str:
    """One run of words, as it will be said."""
    return " ".join(_clean(text).split())


@dataclass(frozen=True, slots=True)
class _Between:
    """How many entries a list may have; judged before the entries are."""

    least: int
    most: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._counted, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"minItems": self.least, "maxItems": self.most}

    def _counted(self, entries: Any) -> Any:
        if isinstance(entries, list | tuple):
            if len(entries) > self.most:
                raise PydanticCustomError(
                    "too_long", "at most {max_length} entries", {"max_length": self.most}
                )
            if len(entries) < self.least:
                raise PydanticCustomError("too_short", "at least one entry")
        return entries


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_spoken)]
"A name, an answer, a choice."
Speech = Annotated[str, Field(min_length=1, max_length=600), AfterValidator(_spoken)]
"What is said in one turn."
MaybeSpeech = Annotated[str, Field(max_length=600), AfterValidator(_spoken)]
EngineName = Literal["nova-sonic", "openai-realtime", "cascade", "offline"]
Seconds = Annotated[float, Field(ge=0.2, le=10, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class AnswerPlan(_Part):
    """One accepted answer."""

    kind: AnswerKind
    text: Annotated[str, Field(max_length=200), AfterValidator(_spoken)] = ""
    also: Annotated[tuple[Line, ...], _Between(0, 24)] = ()

    @model_validator(mode="after")
    def _is_readable(self) -> "AnswerPlan":
        number = read_number(self.text), read_number(self.text, "es")
        sentence = unreadable(
            self.kind, self.text, number != (None, None), read_formula(self.text) is not None
        )
        if sentence:
            raise PydanticCustomError("mend", "{sentence}", {"sentence": sentence, "at": "text"})
        return self


class MisconceptionPlan(_Part):
    """Wrong answers that tell what went wrong, and what to say to them."""

    says: Annotated[tuple[Line, ...], _Between(1, 24)]
    response: Speech


class StepPlan(_Part):
    """One question and everything needed to lead a student to its answer."""

    say: MaybeSpeech = ""
    ask: Speech
    answers: Annotated[tuple[AnswerPlan, ...], _Between(1, 12)]
    choices: Annotated[tuple[Line, ...], _Between(0, 6)] = ()
    solution: MaybeSpeech = ""
    hints: Annotated[tuple[Speech, ...], _Between(0, 6)] = ()
    misconceptions: Annotated[tuple[MisconceptionPlan, ...], _Between(0, 12)] = ()
    exit: MaybeSpeech = ""
    praise: MaybeSpeech = ""
    patience_s: Seconds | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "StepPlan":
        kinds = {answer.kind for answer in self.answers}
        for field, sentence in self._gaps(kinds):
            raise PydanticCustomError("mend", "{sentence}", {"sentence": sentence, "at": field})
        return self

    def _gaps(self, kinds: set[AnswerKind]) -> Iterator[tuple[str, str]]:
        if "open" in kinds and len(self.answers) > 1:
            yield "answers", "an answer of kind `open` takes anything; take the other answers out"
        if "choice" in kinds and len(self.choices) < 2:
            yield "choices", "give at least two choices, or make the answers of kind `words`"
        for answer in self.answers:
            if answer.kind == "choice" and answer.text not in self.choices:
                yield (
                    "answers",
                    f"`{answer.text}` is not one of the choices; write it as it is there",
                )
        if "open" not in kinds and not self.hints:
            yield (
                "hints",
                MISSING["hints"],
            )
        if "open" not in kinds and not self.solution:
            yield "solution", MISSING["solution"]


class MaterialPlan(_Part):
    """Something to read, with where it is from."""

    source: Line
    text: Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_clean)]


class VoicePlan(_Part):
    """How the tutor should sound."""

    name: Annotated[str, Field(max_length=60), AfterValidator(_spoken)] = ""
    speed: Annotated[float, Field(ge=0.5, le=1.5, allow_inf_nan=False)] = 1.0
    rules: Annotated[tuple[Line, ...], _Between(0, 12)] = ()


class Plan(_Part):
    """One lesson."""

    title: Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_spoken)]
    subject: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_spoken)]
    level: Annotated[str, Field(max_length=80), AfterValidator(_spoken)] = ""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=20)] = (
        "en"
    )
    goal: Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_spoken)]
    prior_knowledge: Annotated[tuple[Line, ...], _Between(0, 12)] = ()
    opening: MaybeSpeech = ""
    steps: Annotated[tuple[StepPlan, ...], _Between(1, MAX_STEPS)]
    closing: MaybeSpeech = ""
    material: Annotated[tuple[MaterialPlan, ...], _Between(0, 20)] = ()
    voice: VoicePlan = VoicePlan()
    patience_s: Seconds = 0.9
    engines: Annotated[tuple[EngineName, ...], _Between(0, 4)] = ()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of a plan."""
        return cls.model_json_schema()

    def plain(self) -> dict[str, Any]:
        """As JSON values, without what is left at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def to_yaml(self) -> str:
        """As a teacher would write it; `read_plan` gives the same plan back."""
        return yaml.safe_dump(
            self.plain(), allow_unicode=True, sort_keys=False, width=96, default_flow_style=False
        )


_PARTS: dict[str, type[BaseModel]] = {
    "": Plan,
    "steps": StepPlan,
    "answers": AnswerPlan,
    "misconceptions": MisconceptionPlan,
    "material": MaterialPlan,
    "voice": VoicePlan,
}
KEYS = {name: tuple(part.model_fields) for name, part in _PARTS.items()}


def read_plan(text: str) -> Plan:
    """The plan written in `text`, YAML or JSON.

    Raises:
        PlanInvalid: With line, path and mend of each thing that is wrong, in the text's order.
    """
    tree = read(text)
    try:
        return Plan.model_validate(tree.plain())
    except ValidationError as error:
        problems = [problem(found, tree, KEYS) for found in error.errors(include_url=False)]
    problems.sort(key=lambda found: found[0] or 0)
    raise PlanInvalid(problems[:MAX_PROBLEMS])
