from dataclasses import replace
from uuid import UUID

import pytest

from sessions.record import transcript
from sessions.record.model import Item
from sessions.record.transcript import NOT_UNDERSTOOD, cut_off
from sessions.review.readings import of_items

SESSION = UUID(int=5)

ASKED = Item(
    id="item_1",
    role="assistant",
    speaker="ai",
    kind="audio",
    position=1,
    status="incomplete",
    said="What is one half of one quarter?",
    heard="What is one half",
    heard_ms=1_200,
    interrupted=True,
    started_ms=500,
    ended_ms=2_500,
    engine="offline",
    data={"engine": {"step": 0}},
)
SPOKE = Item(
    id="item_2",
    role="user",
    speaker="student",
    kind="audio",
    position=2,
    status="completed",
    said="one eighth",
    started_ms=2_000,
    ended_ms=3_661_004,
    data={"sure": False},
)
TYPED = Item(
    id="my.own:id",
    role="user",
    speaker="student",
    kind="text",
    position=3,
    status="completed",
    said="1 < 2 & 3 > 2\n\n--> done",
    started_ms=4_000,
    ended_ms=4_000,
)
LOST = Item(
    id="item_4",
    role="user",
    speaker="student",
    kind="audio",
    position=4,
    status="completed",
    said=None,
    started_ms=5_000,
)


def as_json(session_id, items, overrides=(), **how):
    return transcript.as_json(session_id, of_items(items, overrides), **how)


def as_vtt(items, *names, overrides=()):
    return transcript.as_vtt(of_items(items, overrides), *names)


def as_text(items, *names, overrides=()):
    return transcript.as_text(of_items(items, overrides), *names)


def test_json_has_what_was_said_and_heard_in_conversation_order() -> None:
    assert as_json(SESSION, [SPOKE, ASKED]) == {
        "session_id": str(SESSION),
        "items": [
            {
                "id": "item_1",
                "role": "assistant",
                "speaker": "ai",
                "kind": "audio",
                "said": "What is one half of one quarter?",
                "heard": "What is one half",
                "status": "incomplete",
                "interrupted": True,
                "started_ms": 500,
                "ended_ms": 2_500,
                "position": 1,
                "sure": None,
                "tool": None,
                "original": None,
                "correction": None,
                "corrections": [],
            },
            {
                "id": "item_2",
                "role": "user",
                "speaker": "student",
                "kind": "audio",
                "said": "one eighth",
                "heard": None,
                "status": "completed",
                "interrupted": False,
                "started_ms": 2_000,
                "ended_ms": 3_661_004,
                "position": 2,
                "sure": False,
                "tool": None,
                "original": None,
                "correction": None,
                "corrections": [],
            },
        ],
    }


def test_vtt_names_speakers_times_and_what_was_not_heard() -> None:
    assert as_vtt([SPOKE, ASKED]) == (
        "WEBVTT\n"
        "\n"
        "item_1\n"
        "00:00:00.500 --> 00:00:02.500\n"
        "<v Tutor (AI)>What is one half <c.unheard>of one quarter?</c></v>\n"
        "\n"
        "item_2\n"
        "00:00:02.000 --> 01:01:01.004\n"
        "<v Student>one eighth</v>\n"
    )


def test_vtt_escapes_and_keeps_a_cue_on_one_line() -> None:
    vtt = as_vtt([TYPED], {"student": "Ann <b> & Bob\n", "ai": "", "tutor": "", "system": ""})
    assert vtt.splitlines()[2:] == [
        "my.own:id",
        "00:00:04.000 --> 00:00:05.000",
        "<v Ann &lt;b&gt; &amp; Bob>1 &lt; 2 &amp; 3 &gt; 2 --&gt; done</v>",
    ]


def test_vtt_says_where_nothing_was_understood_and_lets_no_cue_be_empty() -> None:
    assert NOT_UNDERSTOOD in as_vtt([LOST])
    assert "00:00:05.000 --> 00:00:06.000" in as_vtt([LOST])


def test_vtt_shows_both_where_what_was_heard_is_no_beginning_of_it() -> None:
    item = replace(ASKED, heard="Something else")
    assert "<v Tutor (AI)>Something else <c.unheard>[said: What is" in as_vtt([item])


def test_vtt_cues_are_in_order_of_time() -> None:
    late = replace(TYPED, position=0)
    assert [line for line in as_vtt([late, ASKED]).splitlines() if line in ("item_1", late.id)] == [
        "item_1",
        late.id,
    ]


def test_text_reads_like_a_conversation() -> None:
    assert as_text([TYPED, LOST, SPOKE, ASKED]) == (
        "[00:00:00] Tutor (AI): What is one half of one quarter?\n"
        "    (Student heard: “What is one half”)\n"
        "[00:00:02] Student: one eighth\n"
        "[00:00:04] Student: 1 < 2 & 3 > 2\n"
        "    --> done\n"
        f"[00:00:05] Student: {NOT_UNDERSTOOD}\n"
    )


def test_nothing_said_is_an_empty_transcript() -> None:
    assert as_text([]) == ""
    assert as_vtt([]) == "WEBVTT\n"
    assert as_json(SESSION, [])["items"] == []


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("all of it", "all of it", False),
        ("all of it", None, False),
        ("all of it", "all", True),
        ("all of it", "", True),
        (None, None, False),
    ],
)
def test_cut_off_only_where_it_is_known(
    said: str | None, heard: str | None, expected: bool
) -> None:
    assert cut_off(replace(ASKED, said=said, heard=heard)) is expected


def test_text_says_when_nothing_was_heard() -> None:
    assert "(Student heard: nothing of it)" in as_text([replace(ASKED, heard="")])
