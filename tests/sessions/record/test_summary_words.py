"""Summaries speak the language of their lesson."""

from dataclasses import fields, replace
from string import Formatter

import pytest

from sessions.record.summary_words import ENGLISH, SPANISH, checked_by, words_in
from tests.sessions.record.test_summary import BRIEF, RIGHT, WRONG, Lesson, step, texts

CAFE = replace(
    BRIEF,
    title="En un café",
    goal="Pedir algo en un café.",
    language="es-MX",
    steps=(
        step("¿Qué quieres tomar en el café?"),
        step("¿Lo quieres con leche o con azúcar?"),
        step("¿Te gusta mucho el café solo?"),
    ),
)


def named(template):
    return {name for _, name, *_ in Formatter().parse(template) if name}


@pytest.mark.parametrize("field", [field.name for field in fields(ENGLISH)])
def test_every_language_says_the_same(field):
    english, spanish = getattr(ENGLISH, field), getattr(SPANISH, field)
    if isinstance(english, str):
        english, spanish = (english,), (spanish,)
    assert len(english) == len(spanish)
    assert [named(text) for text in english] == [named(text) for text in spanish]
    assert not set(english) & set(spanish)


@pytest.mark.parametrize(
    ("tag", "words"),
    [("es", SPANISH), ("ES-mx", SPANISH), ("en", ENGLISH), ("en-GB", ENGLISH), ("est", ENGLISH)],
)
def test_a_language_without_words_gets_english(tag, words):
    assert words_in(tag) is words


def test_a_lesson_in_spanish_is_summed_up_in_spanish():
    lesson = Lesson(CAFE).turn("agua", WRONG).turn("un café", RIGHT).turn(None)
    summary = lesson.turn("con leche", RIGHT).turn("no sé").summary(("Español",))
    assert texts(summary.narrative) == [
        "Trabajaste en “En un café”. Su objetivo: Pedir algo en un café.",
        "Encontraste la respuesta a dos preguntas, una de ellas al primer intento.",
        "En “¿Qué quieres tomar en el café?” primero dijiste “agua” y después “un café”.",
        "Cuando te atascaste, lo dijiste y recibiste ayuda.",
        "La lección se detuvo en la pregunta 3 de 3: “¿Te gusta mucho el café solo?”",
        "Una vez no se entendieron tus palabras.",
        "Unas reglas fijas hicieron este resumen a partir de la transcripción;"
        " nadie lo ha revisado todavía.",
    ]
    assert summary.narrative[2].item_ids == ("student_2", "student_4")
    assert texts(summary.next_steps) == [
        "Sigue con “¿Te gusta mucho el café solo?”",
        "Prueba “¿Qué quieres tomar en el café?” otra vez, sin pistas.",
    ]
    assert summary.done_well.text == (
        "Seguiste con “¿Qué quieres tomar en el café?” hasta conseguirlo: “un café”."
    )


def test_a_lesson_in_spanish_without_words():
    summary = Lesson(CAFE).turn(None).summary()
    assert summary.narrative[0].text.startswith("En esta lección, “En un café”, no quedó")
    assert texts(summary.next_steps) == [
        "Empieza otra vez. La lección comienza con “¿Qué quieres tomar en el café?”"
    ]


def test_who_looked_through_it_is_said_in_its_language():
    for words, told in ((ENGLISH, "Ana has looked through it"), (SPANISH, "Ana lo ha revisado")):
        made = words.made_by.format(transcript=words.transcript[0], unchecked=words.unchecked)
        assert told in checked_by("Ana", made)
    assert checked_by("Ana", "Nothing of it.") == "Nothing of it."
