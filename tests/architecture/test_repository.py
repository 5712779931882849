"""What may not lie in the repository: a machine's own addresses and paths, and large sound."""

import re
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "package-lock.json")
SOUND = {".wav", ".mp3", ".ogg", ".opus", ".flac", ".m4a", ".raw", ".pcm"}
SOUND_BYTES = 200_000
LONGEST_BYTES = 2_000_000
# Written apart, so that this file is not its own finding.
ABSOLUTE = re.compile(
    rb"(?<![\w.$}/-])/(?:" + rb"|".join((rb"work", rb"home", rb"Users")) + rb")/\w"
)
INDEXES = re.compile(rb"--(?:extra-)?index-url|--find-links|--trusted-host")
REGISTRIES = re.compile(rb"pypi[.]org|pythonhosted[.]org|registry[.]npmjs")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git clone", allow_module_level=True)
    return [HOUSE / name for name in listed.stdout.decode().split("\0") if name]


FILES = [path for path in tracked() if path.is_file()]


def test_a_lock_file_names_versions_and_hashes_and_no_address() -> None:
    for name in LOCKS:
        text = (HOUSE / name).read_bytes()
        assert b"://" not in text, name
        assert not INDEXES.search(text), name
    assert b"--hash=sha256:" in (HOUSE / LOCKS[0]).read_bytes()


@pytest.mark.parametrize("pattern", [ABSOLUTE, REGISTRIES], ids=["its paths", "its registries"])
def test_no_file_knows_the_machine_it_was_written_on(pattern: re.Pattern[bytes]) -> None:
    found = {
        f"{path.relative_to(HOUSE)}: {match[0].decode()}"
        for path in FILES
        for match in pattern.finditer(path.read_bytes())
    }
    assert found == set()


def test_no_file_is_large() -> None:
    large = {
        str(path.relative_to(HOUSE))
        for path in FILES
        if path.stat().st_size > (SOUND_BYTES if path.suffix in SOUND else LONGEST_BYTES)
    }
    assert large == set()
