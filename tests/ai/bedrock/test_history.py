from hypothesis import given, settings
from hypothesis import strategies as st

from ai.bedrock.history import EARLIER, JOINED, MAX_ONE, history
from ai.engine import Utterance


def student(text: str) -> Utterance:
    return Utterance("student", text)


def tutor(text: str) -> Utterance:
    return Utterance("tutor", text)


def test_a_lesson_that_the_tutor_opened_begins_with_the_student() -> None:
    assert history([tutor("Hello."), student("Hi."), tutor("What is a half?")]) == [
        ("USER", JOINED),
        ("ASSISTANT", "Hello."),
        ("USER", "Hi."),
        ("ASSISTANT", "What is a half?"),
    ]


def test_neighbours_are_merged_and_what_was_not_understood_is_left_out() -> None:
    said = [
        student("One"),
        student(" "),
        student("half"),
        Utterance("system", "Be kind."),
        tutor("Yes"),
    ]
    assert history(said) == [
        ("USER", f"{JOINED}\nOne\nhalf\n(Note: Be kind.)"),
        ("ASSISTANT", "Yes"),
    ]


def test_there_may_be_nothing_to_tell() -> None:
    assert history([]) == []
    assert history([student("")], step=3) == []


def test_the_oldest_is_left_out() -> None:
    memory = [one for n in range(100) for one in (student(f"{n} " * 100), tutor(f"{n} " * 100))]
    told = history(memory, most=5_000)
    assert told[0][1].startswith(EARLIER)
    assert told[-1] == ("ASSISTANT", ("99 " * 100).strip()) or told[-1][1].startswith("99")
    assert sum(len(text) for _, text in told) <= 5_000


def test_one_long_text_does_not_push_out_the_rest() -> None:
    told = history([tutor("Hello."), student("ü" * 50_000), tutor("That is long.")])
    assert [role for role, _ in told] == ["USER", "ASSISTANT", "USER", "ASSISTANT"]
    assert len(told[2][1].encode()) <= MAX_ONE


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.builds(
            Utterance,
            st.sampled_from(["student", "tutor", "system"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
        ),
        max_size=30,
    ),
    st.integers(0, 9),
    st.integers(200, 2_000),
)
def test_the_rules_hold_for_every_lesson(memory: list[Utterance], step: int, most: int) -> None:
    told = history(memory, step=step, most=most)
    roles = [role for role, _ in told]
    assert roles == ["USER", "ASSISTANT"] * (len(roles) // 2) + ["USER"] * (len(roles) % 2)
    assert sum(len(text.encode()) for _, text in told) <= most
    assert all(text.strip() for _, text in told)
