import pytest

from ai.engine import Answer, Brief, Misconception, Step
from ai.local.grammar import Grammar, grammar_of_answers
from ai.local.language_model import END, START, arpa, words_of
from ai.local.vocabulary import (
    FRAMES,
    LETTERS,
    TAILS,
    answers,
    asides,
    expected,
    from_json,
    say_number,
    spoken,
    to_json,
)

PIZZA = Step(
    ask="What part have you eaten?",
    answers=(Answer("number", "2/4", ("two fourths",)),),
    solution="That makes two quarters.",
    misconceptions=(Misconception(("4/2", "two slices"), "The other way around."),),
)
BALANCE = Step(
    ask="What is m?", answers=(Answer("equation", "m = 9"),), solution="So m equals nine."
)
BRIEF = Brief("", "", "", "en", "", "", (PIZZA, BALANCE), vocabulary=("pizza", "CO2"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2/4", "two quarters"), ("x = 9", "x equals nine"), ("3x + 2", "three x plus two"),
        ("0.5", "zero point five"), ("50%", "fifty percent"), ("CO2", "c o two"),
        ("twenty-five", "twenty five"), ("It can’t!", "it can't"), ("1,5", "one five"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_written_is_said_in_words(written, said):
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "zero"), (13, "thirteen"), (20, "twenty"), (42, "forty two"), (100, "one hundred"),
     (365, "three hundred sixty five"), (2024, "two thousand twenty four")],
)  # fmt: skip
def test_numbers_are_said(number, said):
    assert say_number(number) == said


def test_a_step_expects_its_answers_right_and_wrong_and_knows_the_others():
    what = expected(BRIEF, 0)
    assert what.kinds == ("number",)
    assert what.phrases == ("two quarters", "two fourths", "four halves", "two slices")
    assert what.elsewhere == ("m equals nine",)
    assert "what part have you eaten" in what.sentences
    assert what.words == ("pizza", "c", "o", "two")
    assert expected(BRIEF, 1).letters == (*LETTERS, "m")
    assert expected(BRIEF, 7).phrases == (*what.phrases, "m equals nine")


def test_the_same_expectations_have_the_same_key():
    assert expected(BRIEF, 0).key == expected(BRIEF, 0).key != expected(BRIEF, 1).key
    assert from_json(to_json(expected(BRIEF, 0))) == expected(BRIEF, 0)


@pytest.mark.parametrize("step", [0, 1])
def test_every_neighbour_of_an_answer_may_be_answered(step):
    likely = answers(expected(BRIEF, step))
    for neighbour in ("zero", "seven", "ninety nine", "one hundred", "three quarters", "a half",
                      "four over two", "minus three", "x equals four", "three x plus three",
                      "yes", "no", "two quarters", "m equals nine"):  # fmt: skip
        assert likely[neighbour] > 0
    assert likely["three quarters"] > likely["nineteen twentieths"]
    assert asides(expected(BRIEF, step))["can i have a hint"] > 0


def chances(model):
    """The probabilities and back-off weights of a model, by order."""
    orders, found = [], {}
    for line in model.splitlines():
        if line.endswith("-grams:"):
            found = {}
            orders.append(found)
        elif "\t" in line:
            parts = line.split("\t")
            backoff = 10 ** float(parts[2]) if len(parts) > 2 else 1.0
            found[tuple(parts[1].split())] = (10 ** float(parts[0]), backoff)
    return orders


def test_what_may_follow_adds_up_to_one():
    what = expected(BRIEF, 0)
    one, two, three = chances(arpa(answers(what), asides(what)))
    assert sum(chance for chance, _ in one.values()) == pytest.approx(1, abs=1e-3)

    for word in (START, "two", "it's", "the", "can"):
        after = {gram[1]: chance for gram, (chance, _) in two.items() if gram[0] == word}
        rest = sum(chance for (name,), (chance, _) in one.items() if name not in after)
        assert sum(after.values()) + one[word,][1] * rest == pytest.approx(1, abs=2e-3)
    assert {gram[:2] for gram in three} <= two.keys()
    assert two["quarters", END][0] > 0.5


def accepts(grammar, text):
    """Whether a text is in a grammar."""
    nothing, said = {}, {}
    for before, after, *rest in grammar.transitions():
        if len(rest) == 1:
            nothing.setdefault(before, set()).add(after)
        else:
            said.setdefault((before, rest[1]), set()).add(after)

    def closed(states):
        found, new = set(states), set(states)
        while new:
            new = {after for state in new for after in nothing.get(state, ())} - found
            found |= new
        return found

    states = closed({Grammar.START})
    for word in text.split():
        states = closed({after for state in states for after in said.get((state, word), ())})
    return Grammar.END in states


@pytest.mark.parametrize(
    "answer",
    ["seven", "it's seven", "i think it's twenty one", "zero", "minus three", "a hundred",
     "three quarters", "a half", "half", "one and a half", "two and three quarters",
     "four over two", "two out of four", "zero point five", "fifty percent", "x", "x equals nine",
     "x is equal to minus two", "two x", "two x equals ten", "three x plus four", "divide by three",
     "m equals nine", "yes", "no it isn't", "two slices",
     "it is two quarters please", "i don't know", "can i have a hint"],
)  # fmt: skip
def test_the_grammar_knows_answers(answer):
    assert accepts(grammar_of_answers(expected(BRIEF, 1)), answer)


@pytest.mark.parametrize(
    "talk",
    ["", "two two", "seven and", "x equals", "three quarters of a half", "no nine a", "i like two",
     "twenty twelve", "minus", "hint two", "my dog ate"],
)  # fmt: skip
def test_the_grammar_knows_nothing_else(talk):
    assert not accepts(grammar_of_answers(expected(BRIEF, 1)), talk)


def test_the_grammar_says_no_word_that_the_model_does_not_know():
    for step in (0, 1):
        what = expected(BRIEF, step)
        texts = [*answers(what), *asides(what), *(text for text, _ in (*FRAMES, *TAILS))]
        spoken_words = {arc[3] for arc in grammar_of_answers(what).transitions() if len(arc) == 4}
        assert spoken_words <= words_of(texts)
