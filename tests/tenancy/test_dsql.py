"""The dialect that Aurora DSQL shares: what is not marked for PostgreSQL must pass its linter."""

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tenancy import migrate

MIGRATIONS = Path(migrate.__file__).parent / "migrations"
LINTER = shutil.which("dsql-lint") or str(Path(sysconfig.get_path("scripts")) / "dsql-lint")


def findings(sql: str) -> list[str]:
    """What the linter finds, but that indexes there are built ASYNC: that is the runner's job."""
    command = [LINTER, "--format", "json", "-"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    (result,) = json.loads(done.stdout)["files"]
    return [found["message"] for found in result["diagnostics"] if found["rule"] != "index_async"]


@pytest.mark.parametrize("file", sorted(MIGRATIONS.glob("*.sql")), ids=lambda file: file.stem)
def test_migrations_speak_the_shared_dialect(file: Path) -> None:
    number, _, name = file.stem.partition("_")
    migration = migrate.parse(int(number), name, file.read_text(), database="dsql")
    assert migration.up, "something is left for DSQL"
    assert findings(";\n".join(migration.up) + ";") == []


def test_the_linter_is_awake() -> None:
    assert findings("CREATE TABLE t (a serial);")
