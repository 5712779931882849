import time

import pytest

from sessions.errors import PlanInvalid
from sessions.lessons.reading import MAX_BYTES, read

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a: yes\nb: no\nc: 12:30\nd: 2/4\ne: 0x10", {"a": "yes", "b": "no", "c": "12:30",
                                                     "d": "2/4", "e": "0x10"}),
        ("a: ~\nb:\nc: null\nd: 'null'", {"a": None, "b": None, "c": None, "d": "null"}),
        ('{"a": 1, "b": [true, null, "x\\ud83d\\ude00"], "c": {}}',
         {"a": "1", "b": ["true", None, "x😀"], "c": {}}),
        ("- a\n- [b, {c: d}]", ["a", ["b", {"c": "d"}]]),
        ("\ufeff{\t\"a\":\t[]}", {"a": []}),
    ],
)  # fmt: skip
def test_scalars_stay_as_they_were_written(text, plain):
    assert read(text).plain() == plain


def test_the_line_of_a_path_is_its_keys_line():
    tree = read("title: T\nsteps:\n  - ask: A\n    hints:\n      - one\n      - two\n  - ask: B\n")
    assert tree.line_of(["steps"]) == 2
    assert tree.line_of(["steps", 0, "hints"]) == 4
    assert tree.line_of(["steps", 0, "hints", 1]) == 6
    assert tree.line_of(["steps", 1, "solution"]) == 7
    assert tree.line_of(["goal"]) == 1


def test_json_lines_count_too():
    tree = read('{\n "title": "T",\n "steps": [\n  {"ask": "A"},\n  {"ask":\n "B"}]}')
    assert tree.line_of(["steps", 1, "ask"]) == 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the plan is empty"),
        ("a: 1\nb: 2\na: 3", "line 3: `a` is given twice here"),
        ('{"a": 1,\n"a": 2}', "line 2: `a` is given twice here"),
        (LAUGHS, "line 1: anchors and aliases"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: the tag"),
        ("a: b\n---\nc: d", "line 2: a second document"),
        ("? [a, b]\n: c", "line 1: a key must be one word"),
        ("a: b\n  c: d: e", "line 2: YAML can't be read here"),
        ("a: \x00", "YAML can't be read"),
        ("a: \ud800", "save the file as UTF-8"),
        ('{"a": [1, 2}', "line 1: JSON can't be read here: a comma or `]` is missing"),
        ('{"a": tru}', "a value is missing"),
        ('{"a": "b', "does not end well"),
        ('{a: b}', "a key must stand in double quotes"),
        ('{"a" "b"}', "a colon is missing"),
        ('{"a": 1} x', "something follows"),
        ("[[[[[[[[[[[[1]]]]]]]]]]]]", "line 1: this is nested more than 8 deep"),
        ("- x\n" * 30_000, "more than 20,000 entries"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_line_and_mend(text, sentence):
    with pytest.raises(PlanInvalid) as refused:
        read(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["x" * (10 << 20), "é" * (MAX_BYTES // 2 + 1), "[" * 200_000, "- " * 100_000, "{a: " * 60_000,
     '{"a":' * 50_000, "! " * 100_000, "? " * 100_000, "'" + "\n" * 200_000, "{" + "a, " * 80_000,
     "- {a: b}\n" * 28_000, "#\n" * 100_000, "a" * 200_000 + ": b", '"' + "\\" * 200_000],
    ids=range(14),
)  # fmt: skip
def test_hostile_texts_are_refused_quickly(text):
    begun = time.process_time()
    with pytest.raises(PlanInvalid):
        read(text)
    assert time.process_time() - begun < 1.0
