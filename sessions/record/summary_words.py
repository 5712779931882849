"""How a summary says things, in the language of its lesson.

What a field may name stands in braces: `ask`, `right` and `wrong` come as quotations.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of summaries in one language."""

    numbers: tuple[str, ...]
    "From none; as they count questions, hints and times."
    questions: tuple[str, str]
    "One, many."
    hints: tuple[str, str]

    worked_on: str
    goal: str
    nothing_written: str
    start_again: str

    found: str
    found_at_once: str
    found_some_at_once: str
    first_wrong: str
    after_hints: str
    worked_out: str
    stuck: str
    not_understood: tuple[str, str]

    to_the_end: str
    stopped_at: str
    transcript: tuple[str, str]
    "As it was, corrected."
    made_by: str
    made_by_model: str
    unchecked: str
    "The part of `made_by` which `checked` replaces once somebody has looked through it."
    checked: str

    go_on: str
    once_more_alone: str
    once_more_unhinted: str
    ready: str

    stayed: str
    had_at_once: str
    had: str
    said_stuck: str

    def count(self, number: int) -> str:
        """A small number in words."""
        return self.numbers[number] if 0 <= number < len(self.numbers) else str(number)

    def number_of(self, count: int, nouns: tuple[str, str]) -> str:
        return f"{self.count(count)} {nouns[count != 1]}"


ENGLISH = Words(
    numbers=(
        *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    ),
    questions=("question", "questions"),
    hints=("hint", "hints"),
    worked_on="You worked on “{title}”.",
    goal=" Its goal: {goal}.",
    nothing_written="In this lesson, “{title}”, no words of yours were written down,"
    " so there is nothing to sum up.",
    start_again="Start again. The lesson begins with {ask}",
    found="You found the answer to {questions}.",
    found_at_once="You found the answer to {questions} at the first try.",
    found_some_at_once="You found the answer to {questions}, {some} of them at the first try.",
    first_wrong="For {ask} you first said {wrong}, and then {right}.",
    after_hints="After {hints} you found {right} for {ask}.",
    worked_out="The tutor worked out {ask} with you.",
    stuck="When you were stuck, you said so and got help.",
    not_understood=(
        "Once your words could not be understood.",
        "{times} times your words could not be understood.",
    ),
    to_the_end="You went through the whole lesson, to its end.",
    stopped_at="The lesson stopped at question {number} of {of}: {ask}",
    transcript=("the transcript", "the corrected transcript"),
    made_by="Fixed rules made this summary from {transcript}; {unchecked}.",
    made_by_model="A language model ({model}) made this summary from {transcript}; {unchecked}.",
    unchecked="nobody has checked it yet",
    checked="{name} has looked through it",
    go_on="Go on with {ask}",
    once_more_alone="Try {ask} once more, on your own.",
    once_more_unhinted="Try {ask} once more, without a hint.",
    ready="You are ready for the next lesson. Ask your teacher which one.",
    stayed="You stayed with {ask} until you had it: {right}.",
    had_at_once="You had {ask} at the first try: {right}.",
    had="You found the answer to {ask}: {right}.",
    said_stuck="You said when you were stuck. That is how one learns.",
)

SPANISH = Words(
    numbers=(
        *("ninguna", "una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho"),
        *("nueve", "diez"),
    ),
    questions=("pregunta", "preguntas"),
    hints=("pista", "pistas"),
    worked_on="Trabajaste en “{title}”.",
    goal=" Su objetivo: {goal}.",
    nothing_written="En esta lección, “{title}”, no quedó escrita ninguna palabra tuya,"
    " así que no hay nada que resumir.",
    start_again="Empieza otra vez. La lección comienza con {ask}",
    found="Encontraste la respuesta a {questions}.",
    found_at_once="Encontraste la respuesta a {questions} al primer intento.",
    found_some_at_once="Encontraste la respuesta a {questions}, {some} de ellas al primer intento.",
    first_wrong="En {ask} primero dijiste {wrong} y después {right}.",
    after_hints="Después de {hints} encontraste {right} para {ask}.",
    worked_out="El tutor resolvió {ask} contigo.",
    stuck="Cuando te atascaste, lo dijiste y recibiste ayuda.",
    not_understood=(
        "Una vez no se entendieron tus palabras.",
        "{times} veces no se entendieron tus palabras.",
    ),
    to_the_end="Hiciste toda la lección, hasta el final.",
    stopped_at="La lección se detuvo en la pregunta {number} de {of}: {ask}",
    transcript=("la transcripción", "la transcripción corregida"),
    made_by="Unas reglas fijas hicieron este resumen a partir de {transcript}; {unchecked}.",
    made_by_model="Un modelo de lenguaje ({model}) hizo este resumen a partir de {transcript};"
    " {unchecked}.",
    unchecked="nadie lo ha revisado todavía",
    checked="{name} lo ha revisado",
    go_on="Sigue con {ask}",
    once_more_alone="Prueba {ask} otra vez, por tu cuenta.",
    once_more_unhinted="Prueba {ask} otra vez, sin pistas.",
    ready="Ya puedes pasar a la siguiente lección. Pregunta en clase cuál es.",
    stayed="Seguiste con {ask} hasta conseguirlo: {right}.",
    had_at_once="Acertaste {ask} al primer intento: {right}.",
    had="Encontraste la respuesta a {ask}: {right}.",
    said_stuck="Dijiste cuándo te habías atascado. Así se aprende.",
)


def words_in(language: str) -> Words:
    """The words for a lesson's language, a BCP 47 tag; English where there are none."""
    return SPANISH if language.split("-")[0].lower() == "es" else ENGLISH


def checked_by(name: str, sentence: str) -> str:
    """A sentence of a summary after somebody has looked through its session."""
    for words in (ENGLISH, SPANISH):
        sentence = sentence.replace(words.unchecked, words.checked.format(name=name))
    return sentence
