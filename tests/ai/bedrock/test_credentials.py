from pathlib import Path

import pytest

from ai.bedrock.credentials import AwsCredentials, ambient, fixed
from ai.engine import EngineUnavailable


async def test_fixed_credentials_are_given_as_they_are() -> None:
    mine = AwsCredentials("a", "b")
    assert await fixed(mine)() is mine


async def test_the_environments_credentials_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "its token")
    found = await ambient()()
    assert found == AwsCredentials("AKIDENV", "of the environment", "its token")


async def test_where_there_are_none_that_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(EngineUnavailable) as told:
        await ambient()()
    assert (told.value.fault.kind, told.value.fault.code) == ("terminal", "credentials_missing")
