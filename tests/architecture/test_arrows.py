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
    "aioice": ("server/rtc/stun.py", "server/rtc/reach.py"),
    "aiortc": ("server/rtc/aiortc_transport.py", "server/rtc/link.py", "server/rtc/rtcp.py"),
    "argon2": ("tenancy/passwords.py",),
    "asyncpg": ("tenancy/",),
    "botocore": ("ai/bedrock/",),
    "cryptography": ("tenancy/crypto.py", "server/tls.py"),
    "espeakng_loader": ("ai/local/espeak.py",),
    "h2": ("ai/bedrock/",),
    "ifaddr": ("server/rtc/ports.py",),
    "httptools": ("server/http.py",),
    "httpx2": ("ai/bedrock/converse.py",),
    "numpy": ("ai/local/", "ai/resample.py", "ai/g711.py"),
    "onnxruntime": ("ai/local/vad.py",),
    "openai": ("ai/openai/",),
    "pocketsphinx": ("ai/local/",),
    "OpenSSL": ("server/rtc/aiortc_transport.py",),
    "prometheus_client": ("server/metrics.py",),
    "pydantic": ("server/api/", "sessions/lessons/"),
    "pydantic_core": ("server/api/", "sessions/lessons/"),
    "pylibsrtp": ("server/rtc/aiortc_transport.py", "server/rtc/link.py"),
    "rapidfuzz": ("ai/local/",),
    "starlette": ("server/",),
    "sympy": ("ai/local/checks.py",),
    "uuid_utils": ("tenancy/ids.py",),
    "uvicorn": ("server/serving.py", "server/http.py", "server/realtime/uvicorn_socket.py"),
    "uvloop": ("server/serving.py",),
    "websockets": ("server/realtime/uvicorn_socket.py", "ai/openai/"),
    "yaml": ("sessions/lessons/",),
}
WIRE = {"server/cli.py", "server/engines.py", "server/wiring.py"}
"The only modules that import our own code late, or by its name in a string."

TREES = {
    str(path.relative_to(HOUSE)): ast.parse(path.read_text())
    for room in MAY_IMPORT
    for path in sorted((HOUSE / room).rglob("*.py"))
}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", "") or getattr(call.func, "id", ""))


def late(tree: ast.AST) -> Iterator[str]:
    """What is imported within a function, under `if TYPE_CHECKING`, or by `import_module`."""
    for node in ast.walk(tree):
        of_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if of_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported(node)
        elif isinstance(node, ast.Call) and called(node) == "import_module":
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def wrongs(name: str, tree: ast.AST) -> Iterator[str]:
    """What a module imports though it should not."""
    room = name.partition("/")[0]
    for module in imported(tree):
        package = module.partition(".")[0]
        if package in MAY_IMPORT:
            if package not in MAY_IMPORT[room]:
                yield f"{name}: {room} never sees {package}"
        elif package in sys.stdlib_module_names or package in EVERYWHERE:
            continue
        elif not name.startswith(VENDORS.get(package, ())):
            yield f"{name}: {package} has a door of its own"
    for module in late(tree):
        if name not in WIRE and module.partition(".")[0] in MAY_IMPORT:
            yield f"{name}: {module} is imported late"


def test_arrows_point_one_way() -> None:
    assert len(TREES) > 100
    assert [wrong for name, tree in TREES.items() for wrong in wrongs(name, tree)] == []


@pytest.mark.parametrize(
    ("name", "code", "wrong"),
    [
        ("ai/x.py", "from tenancy import model", "ai never sees tenancy"),
        ("sessions/x.py", "import starlette.requests", "starlette has a door of its own"),
        ("sessions/x.py", "import asyncpg", "asyncpg has a door of its own"),
        ("server/x.py", "def f():\n    import ai.engine", "ai.engine is imported late"),
        ("ai/x.py", "if TYPE_CHECKING:\n    import ai.engine", "ai.engine is imported late"),
        ("ai/x.py", "importlib.import_module('ai.vad')", "ai.vad is imported late"),
    ],
)
def test_a_wrong_import_is_found(name: str, code: str, wrong: str) -> None:
    assert f"{name}: {wrong}" in list(wrongs(name, ast.parse(code)))


def test_no_vendor_is_named_for_nothing() -> None:
    found = {module.partition(".")[0] for tree in TREES.values() for module in imported(tree)}
    assert set(VENDORS) - found == set()
