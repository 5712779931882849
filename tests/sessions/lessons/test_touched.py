"""Who changed which field of a draft last."""

from sessions.lessons import touched

CONTENT = {"title": "Halves", "steps": [{"id": "a"}, {"id": "b"}]}


def test_who_changed_a_field_is_known():
    known = touched.after_change({}, "title", "ana", 2, ["a", "b"])
    known = touched.after_change(known, "steps.a.ask", "ben", 3, ["a", "b"])
    known = touched.after_change(known, "steps.b.ask", "ana", 4, ["a", "b"])
    assert touched.by_whom(known, "title") == "ana"
    assert touched.by_whom(known, "goal") is None
    assert touched.by_whom(known, "steps.a") == touched.by_whom(known, "steps.a.ask") == "ben"
    assert touched.by_whom(known, "step_order") is None
    known = touched.after_change(known, "steps.a", "cleo", 5, ["b"])
    assert touched.by_whom(known, "step_order") == "cleo"
    assert set(known) == {"title", "steps.b.ask", "step_order"}
    assert touched.after_reset(CONTENT, {**CONTENT, "title": "X", "steps": []}, "dan", 6) == {
        "title": ["dan", 6],
        "step_order": ["dan", 6],
    }
