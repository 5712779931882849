import pytest

from ai.local.espeak import Espeak
from ai.local.phonemes import arpabet


@pytest.fixture(scope="module")
def espeak():
    return Espeak()


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("thylakoid", "TH AY L AH K OY D"),
        ("stomata", "S T OW M AH T AH"),
        ("twelfths", "T W EH L F TH S"),
        ("eaten", "IY T AH N"),
        ("nitrogen", "N AY T R AH JH AH N"),
        ("year", "Y IH R"),
    ],
)
def test_a_word_that_no_dictionary_has_is_spelt_by_ear(espeak, word, phones):
    assert arpabet(espeak.phonemes(word)) == phones


def test_what_has_no_counterpart_is_left_out():
    assert arpabet("k_'aI_§_t") == "K AY T"
    assert arpabet("") == ""
