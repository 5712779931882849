"""How the bench of faults measures what a student waits for."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from bench import faults
from sessions.live.events import AudioDelta, Notice


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = [100.0]
    monkeypatch.setattr(faults, "time", SimpleNamespace(monotonic=lambda: now[0]))
    room: Any = SimpleNamespace(person=SimpleNamespace(id=uuid4()))
    ear = faults.Ear(room)
    ear.expect()

    def waits(seconds: float, *, looks: bool = True) -> None:
        now[0] += seconds
        if looks:
            ear.look()

    return ear, waits


SOUND = AudioDelta("r", "i", bytes(48 * 60))


def test_who_waits_and_is_told_nothing_waits_until_the_sound(ear: Any) -> None:
    ear, waits = ear
    waits(1.0)
    waits(1.5)
    ear.tell(SOUND)
    assert ear.longest_s == pytest.approx(1.5, abs=0.1)


def test_a_wait_that_was_told_of_is_none_when_the_sound_after_it_is_short(ear: Any) -> None:
    ear, waits = ear
    waits(2.0)
    ear.tell(Notice("tutor_slow", "…"))
    waits(8.0)
    assert ear.voiceless_s > 7 and ear.longest_s < 3
    ear.tell(SOUND)
    waits(0.1)  # nobody looked while the 60 ms sounded
    waits(0.1)
    assert ear.longest_s < 3
