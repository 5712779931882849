"""Stories whose times are told are left nothing to chance."""

import pytest


@pytest.fixture(autouse=True)
def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.rotation.random", lambda: 0.0)
