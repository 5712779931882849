from ai.bedrock.pacing import Pacer


def pcm(ms: int) -> bytes:
    return bytes(ms * 48)


def test_the_first_sound_goes_out_at_once_and_the_rest_in_pieces() -> None:
    pacer = Pacer()
    pacer.text("One two three")
    assert [len(sound) for _, sound, _ in pacer.sound(pcm(20))] == [960]
    assert pacer.sound(pcm(60)) == []
    assert [len(sound) for _, sound, _ in pacer.sound(pcm(60))] == [5760]


def test_all_words_and_all_sound_are_given_once() -> None:
    pacer = Pacer()
    pacer.text("What is a half of twelve apples, please?")
    given = [piece for _ in range(60) for piece in pacer.sound(pcm(40))] + pacer.finish()
    assert " ".join(text for text, _, _ in given if text) == (
        "What is a half of twelve apples, please?"
    )
    assert sum(len(sound) for _, sound, _ in given) == 2_400 * 48
    assert pacer.finish() == []


def test_words_follow_the_pace_at_which_the_voice_speaks() -> None:
    pacer = Pacer()
    for _ in range(6):  # a slow voice: 124 ms a character
        pacer.begin()
        pacer.text("abcd abcd abcd abcd abcd")
        given = [piece for _ in range(31) for piece in pacer.sound(pcm(100))]
        late = pacer.finish()
    assert late == []
    first_of_last = next(place for place, piece in enumerate(reversed(given)) if piece[0])
    assert first_of_last <= 7


def test_a_sentence_shorter_than_expected_loses_no_words() -> None:
    pacer = Pacer()
    pacer.text("An unbelievably extraordinary circumstance")
    early = pacer.sound(pcm(100))
    (text, sound, words) = pacer.finish()[0]
    assert early[0][0] == "An"
    assert (text, sound) == ("unbelievably extraordinary circumstance", b"")
    assert [word.text for word in words] == text.split()


def test_sound_without_words_is_sound() -> None:
    assert Pacer().sound(pcm(40)) == [("", pcm(40), ())]
