"""The arrows between the rooms, and the doors with a vendor's name on them.

`architecture.md`'s rules as a table. Where a rule and a good idea disagree, change both in one
commit.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "server": {"server", "sessions", "ai", "tenancy"},
    "sessions": {"sessions", "ai", "tenancy"},
    "ai": {"ai"},
    "tenancy": {"tenancy"},
}
EVERYWHERE = {"structlog", "orjson"}
# Where else a package may be imported: a module, or a folder and all in it.
VENDORS = {
    "argon2": ("tenancy/passwords.py",),
    "asyncpg": ("tenancy/",),
    "cryptography": ("tenancy/crypto.py", "server/tls.py"),
    "espeakng_loader": ("ai/local/espeak.py",),
    "httptools": ("server/http.py",),
    "numpy": ("ai/local/", "ai/resample.py", "ai/g711.py"),
    "onnxruntime": ("ai/local/vad.py",),
    "pocketsphinx": ("ai/local/",),
    "prometheus_client": ("server/metrics.py",),
    "pydantic": ("server/api/", "sessions/lessons/"),
    "pydantic_core": ("server/api/", "sessions/lessons/"),
    "rapidfuzz": ("ai/local/",),
    "starlette": ("server/",),
    "sympy": ("ai/local/checks.py",),
    "uuid_utils": ("tenancy/ids.py",),
    "uvicorn": ("server/serving.py", "server/http.py", "server/realtime/uvicorn_socket.py"),
    "uvloop": ("server/serving.py",),
    "websockets": ("server/realtime/uvicorn_socket.py",),
    "yaml": ("sessions/lessons/",),
}
WIRE = {"server/cli.py", "server/wiring.py"}
"The only modules that import our own code late, or by its name in a string."

FILES = sorted(path for room in MAY_IMPORT for path in (HOUSE / room).rglob("*.py"))


def names(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def late(tree: ast.AST) -> Iterator[str]:
    """What is imported within a function, under `if TYPE_CHECKING`, or by `import_module`."""
    for node in ast.walk(tree):
        of_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if of_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


@pytest.mark.parametrize("path", FILES, ids=names)
def test_arrows_point_one_way(path: Path) -> None:
    name, tree = names(path), ast.parse(path.read_text())
    room = path.relative_to(HOUSE).parts[0]
    for module in imported(tree):
        package = module.partition(".")[0]
        if package in MAY_IMPORT:
            assert package in MAY_IMPORT[room], f"{name}: {room} never sees {package}"
        elif package not in sys.stdlib_module_names and package not in EVERYWHERE:
            assert name.startswith(VENDORS.get(package, ())), f"{name}: {module} has its own door"
    for module in late(tree):
        assert name in WIRE or module.partition(".")[0] not in MAY_IMPORT, f"{name}: {module}"


def test_no_vendor_is_named_for_nothing() -> None:
    found = {
        module.partition(".")[0]
        for path in FILES
        for module in imported(ast.parse(path.read_text()))
    }
    assert set(VENDORS) - found == set()
