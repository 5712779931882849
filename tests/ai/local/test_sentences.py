import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.local.sentences import MAX_BREATH, question_of, sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("It is 0.5 of it. Right?", ["It is 0.5 of it.", "Right?"]),
        ("Say, e.g. two. Now you.", ["Say, e.g. two.", "Now you."]),
        ("¡Hola! ¿Cómo estás?", ["¡Hola!", "¿Cómo estás?"]),
        ('He said "no." Then left.', ['He said "no."', "Then left."]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_text_is_cut_where_a_sentence_ends(text, parts):
    assert sentences(text) == parts


@given(st.text('abc ,.;?!" \n', max_size=1000))
def test_every_piece_can_be_said_in_one_breath_and_no_word_is_lost(text):
    parts = sentences(text)
    assert all(0 < len(part) <= MAX_BREATH for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("A bar has eight pieces. What part have you eaten?", "What part have you eaten?"),
        ("A number plus three is ten. What is it?", "A number plus three is ten. What is it?"),
        ("What is it?", "What is it?"),
        ("Tell me about leaves. Say all you know.", "Tell me about leaves. Say all you know."),
    ],
)  # fmt: skip
def test_the_question_alone_is_enough_to_answer_it(text, question):
    assert question_of(text) == question
