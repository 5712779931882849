"""One of each event that a server says, as the golden file has them."""

from dataclasses import replace
from datetime import UTC, datetime

from ai.events import Word
from sessions.live import events
from sessions.live.events import EffectiveTurnDetection, Event, ResponseView, SessionView
from sessions.record.model import Corrected, Item

VIEW = SessionView(
    id="sess_0190f3a2b4c57d8e9f00112233445566",
    model="fractions-as-parts",
    instructions="The lesson's plan is with the tutor. Clients can't change it.",
    output_modalities=("audio",),
    input_format="audio/pcm",
    output_format="audio/pcm",
    binary=False,
    turn_detection=EffectiveTurnDetection("server_vad", 0.5, 300, 900, True, True),
    voice="marin",
    speed=1.0,
    engine="offline",
    hears_speech=True,
    sandbox=False,
    expires_at=1_790_000_000,
)
BY_HAND = SessionView(
    id=VIEW.id,
    model=VIEW.model,
    instructions=VIEW.instructions,
    output_modalities=("text",),
    input_format="audio/pcmu",
    output_format="audio/pcma",
    binary=True,
    turn_detection=None,
    voice="",
    speed=0.9,
    engine="offline",
    hears_speech=False,
    sandbox=True,
    expires_at=VIEW.expires_at,
)
SEMANTIC = SessionView(
    id=VIEW.id,
    model=VIEW.model,
    instructions=VIEW.instructions,
    output_modalities=("audio",),
    input_format="audio/pcm",
    output_format="audio/pcm",
    binary=False,
    turn_detection=EffectiveTurnDetection("semantic_vad", 0.5, 300, 900, True, False),
    voice="",
    speed=1.0,
    engine="offline",
    hears_speech=True,
    sandbox=False,
    expires_at=VIEW.expires_at,
)

TYPED = Item(
    id="msg-1",
    role="user",
    speaker="student",
    kind="text",
    position=1,
    status="completed",
    said="Is 2/4 the same as 1/2?",
    started_ms=1_000,
)
SPEAKING = Item(
    id="item_a2",
    role="user",
    speaker="student",
    kind="audio",
    position=2,
    status="in_progress",
    said=None,
    started_ms=2_000,
)
SPOKEN = Item(
    id="item_a2",
    role="user",
    speaker="student",
    kind="audio",
    position=2,
    status="completed",
    said="three quarters",
    started_ms=2_000,
    ended_ms=3_100,
    data={"sure": False},
)
BEGUN = Item(
    id="item_b3",
    role="assistant",
    speaker="ai",
    kind="audio",
    position=3,
    status="in_progress",
    said=None,
    started_ms=3_500,
)
ANSWER = Item(
    id="item_b3",
    role="assistant",
    speaker="ai",
    kind="audio",
    position=3,
    status="completed",
    said="Yes: two of four parts are as much as one of two.",
    started_ms=3_500,
    ended_ms=7_000,
    words=(Word("Yes", 0, 300),),
)
CUT = Item(
    id="item_b3",
    role="assistant",
    speaker="ai",
    kind="audio",
    position=3,
    status="incomplete",
    said="Yes: two of four parts are as much as one of two.",
    heard="Yes: two of",
    heard_ms=900,
    interrupted=True,
    started_ms=3_500,
    ended_ms=4_400,
)
WRITTEN = Item(
    id="item_b4",
    role="assistant",
    speaker="tutor",
    kind="text",
    position=4,
    status="completed",
    said="Hello Mia, this is Ms Ito.",
    heard="Hello Mia, this is Ms Ito.",
    started_ms=9_000,
)
JOINED = Item(
    id="item_c5",
    role="system",
    speaker="system",
    kind="text",
    position=5,
    status="completed",
    said="Ms Ito joined.",
    started_ms=8_000,
)

AT = datetime(2026, 11, 2, 12, 30, 5, tzinfo=UTC)
PUT_RIGHT = replace(
    SPOKEN, said="free quarters", data={"sure": True}, corrected=Corrected("Tayo Okafor", AT)
)
TOLD_BETTER = replace(ANSWER, corrected=Corrected("Tayo Okafor", AT, "Yes: both are a half."))
CHECKED = replace(
    JOINED,
    id="item_t1",
    said="The tutor checked the answer.",
    data={
        "tool": {
            "name": "check_answer",
            "arguments": {"said": "two quarters"},
            "result": {"verdict": "right", "understood": "two quarters"},
            "step": 1,
        }
    },
)

EVENTS: dict[str, Event] = {
    "session.created": events.SessionCreated(VIEW),
    "session.created, resumed": events.SessionCreated(VIEW, events.Resumed("item_a2", False)),
    "session.created, unknown after": events.SessionCreated(VIEW, events.Resumed(None, True)),
    "session.updated": events.SessionUpdated(VIEW, ("instructions", "tools")),
    "session.updated, by hand": events.SessionUpdated(BY_HAND),
    "session.updated, semantic": events.SessionUpdated(SEMANTIC),
    "item added, typed": events.ItemAdded(TYPED, None),
    "item added, speaking": events.ItemAdded(SPEAKING, "msg-1"),
    "item added, answer begun": events.ItemAdded(BEGUN, "item_a2"),
    "item done, typed": events.ItemDone(TYPED, None),
    "item done, spoken": events.ItemDone(SPOKEN, "msg-1"),
    "item done, not understood": events.ItemDone(SPEAKING, "msg-1"),
    "item done, answer": events.ItemDone(ANSWER, "item_a2"),
    "item done, cut answer": events.ItemDone(CUT, "item_a2"),
    "item done, human tutor": events.ItemDone(WRITTEN, "item_b3"),
    "item done, system": events.ItemDone(JOINED, "item_b4"),
    "item retrieved": events.ItemRetrieved(SPOKEN),
    "item truncated": events.ItemTruncated("item_b3", 900, "Yes: two of"),
    "speech started": events.InputSpeechStarted("item_a2", 2_000),
    "speech stopped": events.InputSpeechStopped("item_a2", 3_100),
    "committed": events.InputCommitted("item_a2", "msg-1"),
    "committed first": events.InputCommitted("item_a2", None),
    "cleared": events.InputCleared(),
    "transcribed": events.TranscriptionCompleted("item_a2", "three quarters", 1_100),
    "transcription failed": events.TranscriptionFailed("item_a2", "No words in time."),
    "response created": events.ResponseCreated(ResponseView("resp_1", "in_progress", ("audio",))),
    "output item added": events.OutputItemAdded("resp_1", BEGUN),
    "part added": events.ContentPartAdded("resp_1", "item_b3", "audio"),
    "part added, text": events.ContentPartAdded("resp_1", "item_b3", "text"),
    "text delta": events.TextDelta("resp_1", "item_b3", "text", "½ ist „die Hälfte“ 🙂"),
    "transcript delta": events.TextDelta(
        "resp_1", "item_b3", "audio", "Yes: two", 0, ((0, 0), (5, 320))
    ),
    "audio delta": events.AudioDelta("resp_1", "item_b3", b"\x00\x01\x02\x03"),
    "audio done": events.AudioDone("resp_1", "item_b3"),
    "text done": events.TextDone("resp_1", "item_b3", "text", "Yes."),
    "transcript done": events.TextDone("resp_1", "item_b3", "audio", "Yes."),
    "part done": events.ContentPartDone("resp_1", "item_b3", "audio", "Yes."),
    "part done, text": events.ContentPartDone("resp_1", "item_b3", "text", "Yes."),
    "output item done": events.OutputItemDone("resp_1", ANSWER),
    "response done": events.ResponseDone(
        ResponseView(
            "resp_1",
            "completed",
            ("audio",),
            (ANSWER,),
            metadata={"topic": "halves"},
            usage={"input_tokens": 12, "output_tokens": 7},
        )
    ),
    "response done, no usage": events.ResponseDone(
        ResponseView("resp_1", "completed", ("text",), (WRITTEN,))
    ),
    "response cancelled": events.ResponseDone(
        ResponseView("resp_1", "cancelled", ("audio",), (CUT,), reason="turn_detected")
    ),
    "response failed": events.ResponseDone(
        ResponseView("resp_1", "failed", ("audio",), (), reason="engine_lost")
    ),
    "response incomplete": events.ResponseDone(
        ResponseView("resp_1", "incomplete", ("text",), (CUT,), reason="max_output_tokens")
    ),
    "output paused": events.OutputPaused("item_b3"),
    "output resumed": events.OutputResumed("item_b3"),
    "output cleared": events.OutputCleared("resp_1"),
    "lesson progress": events.LessonProgressed(2, 5, "Know a half when you see one", "asking"),
    "floor changed": events.FloorChanged("human", "Ms Ito", 3),
    "engine changed": events.EngineChanged("offline", "offline", "reopened"),
    "notice": events.Notice("time", "About 5 minutes left in this lesson."),
    "summary": events.SummaryReady("You found three names for a half.", ("Practise thirds",)),
    "ended": events.SessionEnded("finished", 61_000, 40_500),
    "error": events.CommandRefused("evt-7", "invalid_value", "`on` is missing.", "on"),
    "error without id": events.CommandRefused(None, "invalid_json", "This is not JSON."),
    "presence": events.PresenceChanged((events.PersonPresent("Ms Ito", "tutor"),)),
    "item done, corrected": events.ItemDone(PUT_RIGHT, "msg-1"),
    "item done, answer corrected": events.ItemDone(TOLD_BETTER, "item_a2"),
    "item done, tool": events.ItemDone(CHECKED, "item_a2"),
    "board": events.BoardShown(
        "item_t2",
        "fraction",
        "A pizza",
        "A pizza. 2 of 4 equal parts are filled.",
        {"fractions": [{"top": 2, "bottom": 4}]},
    ),
}
