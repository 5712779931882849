import pytest

from ai.local.intents import in_distress, intent_of, is_aside, says_no, says_yes


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Um, can you give me a hint please?", "hint"), ("help me with this", "hint"),
        ("I don’t know.", "dont_know"), ("not really sure", "dont_know"), ("no sé", "dont_know"),
        ("What's the right answer?", "answer"), ("dime la respuesta", "answer"), ("next", "answer"),
        ("wait a second", "wait"), ("let me think about it", "wait"), ("espera", "wait"),
        ("let's stop here", "stop"), ("I'm done for today", "stop"), ("quiero terminar", "stop"),
        ("what does that mean", "meaning"), ("no entiendo", "meaning"),
        ("in English please", "meaning"),
        ("why?", "why"), ("¿por qué?", "why"), ("say that again", "repeat"), ("otra vez", "repeat"),
        ("are you a real person", "robot"), ("¿eres una persona?", "robot"), ("ok", "ready"),
        ("hi there", "greeting"), ("thanks", "thanks"), ("shut up", "rude"),
        ("three quarters", None), ("because you stop at the end", None),
        ("help is on its way", None),
        ("wait for the bus at three", None), ("", None), ("I wonder why plants are green", None),
    ],
)  # fmt: skip
def test_wishes_are_told_from_answers(said, intent):
    assert intent_of(said) == intent


@pytest.mark.parametrize("said", ["yes", "Yes, that's right.", "sí", "yep it is", "uh-huh"])
def test_a_plain_yes(said):
    assert says_yes(said) and not says_no(said)


@pytest.mark.parametrize("said", ["no", "Nope.", "no, that's wrong", "not really"])
def test_a_plain_no(said):
    assert says_no(said) and not says_yes(said)


@pytest.mark.parametrize("said", ["no, two thirds", "yes but why", "three", "", "I know"])
def test_more_than_yes_or_no_is_neither(said):
    assert not says_yes(said) and not says_no(said)


def test_small_talk_is_no_answer():
    assert is_aside("Do you like pizza?")
    assert not is_aside("two quarters")


@pytest.mark.parametrize(
    "said",
    ["He hit me again and he hurts me", "I’m not safe here", "I have been cutting myself",
     "they are bullying me", "no quiero vivir", "mi padre me pega"],
)  # fmt: skip
def test_distress_is_heard_in_many_words(said):
    assert in_distress(said)


@pytest.mark.parametrize(
    "said", ["the plant dies without light", "kill the weeds", "cut it in four", "I hate fractions"]
)
def test_lesson_words_are_no_distress(said):
    assert not in_distress(said)
