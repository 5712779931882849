"""What the offline tutor says of its own, beside what the plan says; short, to be heard once."""

from dataclasses import dataclass

Variants = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The tutor's own sentences in one language; variants are used in turn."""

    hello: Variants
    honest: str
    controls: str
    welcome_back: str
    where_we_were: str
    right: Variants
    "The second one names no value."
    not_quite: Variants
    hint: Variants
    together: str
    go_on: Variants
    ask_back: str
    or_again: str
    say_again: str
    two_answers: str
    negated: str
    unfinished: str
    missed: Variants
    missed_type: Variants
    choices: str
    or_word: str
    yes: str
    no: str
    no_answer_yet: str
    dont_know: Variants
    wait: str
    stop: str
    goodbye: str
    robot: str
    meaning: str
    why: str
    why_before: str
    greeting: str
    thanks: str
    rude: str
    redirect: Variants
    not_heard: str
    ready: Variants
    silence: Variants
    break_offer: str
    still_here: str
    concern: tuple[str, ...]
    alone: str
    alone_all: str
    finished: str


ENGLISH = Phrases(
    hello=("Hello.", "Hello, {name}."),
    honest="I am a simple tutor program with fixed rules, not a person.",
    controls="You can say hint, or repeat, at any time.",
    welcome_back="Welcome back.",
    where_we_were="We were at question {step} of {steps}.",
    right=("Yes, {value} is right.", "That is right.", "Correct, {value}."),
    not_quite=("Not quite.", "Not yet, but keep going.", "That is not it yet."),
    hint=("Here is a hint.", "Try this.", "Here is some more help."),
    together="Let's work it out together.",
    go_on=("Let's go on.", "On to the next one."),
    ask_back="I heard {value}, right?",
    or_again="Say yes, or say it again.",
    say_again="Sorry, I heard you wrong. Please say your answer again.",
    two_answers="I heard more than one answer. Please tell me just one.",
    negated="You told me what it is not. Now tell me what it is.",
    unfinished="You are on the way, but it is not finished. Work it out to the end.",
    missed=(
        "Sorry, I didn't catch that. Could you say it again?",
        "I didn't get that one. Please say just your answer.",
    ),
    missed_type=(
        "I still didn't catch it. You can also type your answer.",
        "My hearing is not very good today. Please type your answer below.",
    ),
    choices="You can choose: {choices}.",
    or_word="or",
    yes="yes",
    no="no",
    no_answer_yet="I won't give it away yet, because you can get there.",
    dont_know=("That's fine.", "No problem.", "That's okay, it takes a few tries."),
    wait="Of course, take your time. Say ready when you want to go on.",
    stop="We can stop here, and your work is saved. Do you want to finish now?",
    goodbye="Thank you for working with me today.",
    robot="I am a computer program, not a person. Your teacher can read our lesson.",
    meaning="Let me say it again more slowly.",
    why="That is a good thing to ask. Let's find out with this question.",
    why_before="Good question. This is why.",
    greeting="Hello! Nice to work with you.",
    thanks="You're welcome.",
    rude="This can be annoying, I know. We can do it step by step.",
    redirect=(
        "That is for another time. Let's stay with our lesson.",
        "I can only help with this lesson. Here is our question.",
    ),
    not_heard="Let me finish my question first.",
    ready=("Good.", "Great."),
    silence=(
        "Take your time.",
        "No hurry. If you are not sure, say hint, or just try something.",
    ),
    break_offer="Would you like a short break? Say wait, and I will wait for you.",
    still_here="I am still here. Say ready when you want to go on.",
    concern=(
        "Thank you for telling me.",
        "I am only a computer program, so I can't help with this the way a person can.",
        "Please talk to an adult you trust now, like a parent, a teacher or a school counselor.",
        "If you are in danger, call your local emergency number.",
        "You are not in trouble, and you don't have to go on with the lesson.",
    ),
    alone="You found {count} of {steps} answers yourself.",
    alone_all="You found all {steps} answers yourself.",
    finished="We have finished this lesson. You can close it now, and read it again later.",
)

SPANISH = Phrases(
    hello=("Hola.", "Hola, {name}."),
    honest="Soy un programa sencillo con reglas fijas, no una persona.",
    controls="Escribe pista o repite cuando quieras, también en inglés.",
    welcome_back="Hola otra vez.",
    where_we_were="Estamos en la pregunta {step} de {steps}.",
    right=("Sí, muy bien: {value}.", "Correcto.", "Eso es: {value}."),
    not_quite=("Casi.", "Todavía no, pero vas bien.", "No exactamente."),
    hint=("Una pista.", "Mira.", "Un poco más de ayuda."),
    together="Lo vemos juntos.",
    go_on=("Seguimos.", "Vamos a otra pregunta."),
    ask_back="Entiendo {value}, ¿sí?",
    or_again="Di sí, o dilo otra vez.",
    say_again="Perdón, no entendí bien. Dilo otra vez, por favor.",
    two_answers="Hay más de una respuesta. Dime solo una, por favor.",
    negated="Me dices lo que no es. Ahora dime lo que sí es.",
    unfinished="Vas bien, pero falta un poco. Termina, por favor.",
    missed=(
        "Perdón, no entiendo. ¿Puedes decirlo otra vez?",
        "No entiendo bien. Escribe solo tu respuesta, por favor.",
    ),
    missed_type=(
        "Todavía no entiendo. Puedes escribir tu respuesta.",
        "No oigo bien hoy. Escribe tu respuesta, por favor.",
    ),
    choices="Puedes elegir: {choices}.",
    or_word="o",
    yes="sí",
    no="no",
    no_answer_yet="Todavía no te digo la respuesta, porque tú puedes.",
    dont_know=("Está bien.", "No pasa nada.", "Poco a poco."),
    wait="Claro, sin prisa. Di listo para seguir.",
    stop="Podemos parar aquí, y todo está guardado. ¿Quieres terminar ahora?",
    goodbye="Gracias por trabajar conmigo hoy.",
    robot="Soy un programa, no una persona. Tu profesor puede leer esta lección.",
    meaning="Te lo digo otra vez, más despacio.",
    why="Buena pregunta. La respuesta está en este ejercicio.",
    why_before="Buena pregunta. Es así.",
    greeting="¡Hola! Me gusta trabajar contigo.",
    thanks="De nada.",
    rude="A veces es difícil, lo sé. Vamos paso a paso.",
    redirect=(
        "Eso es para otro día. Seguimos con la lección.",
        "Solo puedo ayudar con esta lección. Esta es la pregunta.",
    ),
    not_heard="Primero termino mi pregunta.",
    ready=("Bien.", "Muy bien."),
    silence=(
        "Sin prisa.",
        "Con calma. Si no sabes, di pista, o prueba algo.",
    ),
    break_offer="¿Quieres una pausa corta? Di espera, y te espero.",
    still_here="Aquí estoy. Di listo para seguir.",
    concern=(
        "Gracias por decírmelo.",
        "Soy solo un programa, y no puedo ayudarte como una persona.",
        "Habla ahora con un adulto de confianza: tu familia, tu profesor o el orientador.",
        "If you are in danger, call your local emergency number, or tell an adult now.",
        "No has hecho nada malo, y no tienes que seguir con la lección.",
    ),
    alone="Encontraste {count} de {steps} respuestas sin ayuda final.",
    alone_all="Encontraste las {steps} respuestas.",
    finished="La lección ha terminado. Puedes cerrarla, y leerla después.",
)

_BY_LANGUAGE = {"en": ENGLISH, "es": SPANISH}


def phrases(language: str) -> Phrases:
    """The phrases for a BCP 47 tag; English where there are none."""
    return _BY_LANGUAGE.get(language.split("-")[0].lower(), ENGLISH)


def variant(variants: Variants, turn: int) -> str:
    """Another one each turn."""
    return variants[turn % len(variants)]
