from ai.engine import Material
from sessions.live.passages import LONGEST, MOST_FOUND, find

PLANTS = Material(
    "Biology, chapter 2",
    "Plants make sugar from light. This is called photosynthesis.\n\n"
    + "Leaves are green because of chlorophyll. " * 20
    + "\n\nRoots drink water. " * 10,
)
LIONS = Material("The zoo", "Lions sleep all day. A lion eats meat. Tigers like to swim in rivers.")


def test_the_passage_that_says_most_of_it_comes_first():
    (first, *_) = find([PLANTS, LIONS], "What do lions eat?")
    assert first.source == "The zoo"
    assert "A lion eats meat." in first.text
    (first, *_) = find([PLANTS, LIONS], "photosynthesis")
    assert "Plants make sugar" in first.text


def test_endings_accents_and_case_do_not_matter():
    cafe = Material("Français", "Le café est à l'élève.")
    assert find([cafe], "CAFE des eleves")
    assert find([LIONS], "swimming tigers")


def test_a_source_is_found_by_its_name():
    assert find([PLANTS, LIONS], "zoo")[0].source == "The zoo"


def test_what_the_material_does_not_say_is_not_found():
    assert find([PLANTS, LIONS], "quantum chromodynamics") == []
    assert find([PLANTS, LIONS], "what is the of") == []
    assert find([PLANTS, LIONS], "") == []
    assert find([], "lions") == []


def test_passages_are_few_and_short():
    found = find([PLANTS], "green leaves drink water")
    assert 1 <= len(found) <= MOST_FOUND
    assert all(len(passage.text) <= LONGEST for passage in found)
    (only,) = find([Material("One word", "lion" * 10_000 + " zebra")], "zebra")
    assert len(only.text) <= LONGEST


def test_the_longest_material_is_searched():
    book = [Material(f"Book {n}", f"word{n} and more of it. " * 900) for n in range(20)]
    assert find(book, "word7")[0].source == "Book 7"
