"""What the application imports before the configuration is known."""

import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
HEAVY = (
    *("openai", "boto3", "botocore", "h2", "httpx2", "aiortc", "av"),
    *("numpy", "sympy", "onnxruntime", "pocketsphinx", "rapidfuzz", "espeakng_loader"),
    *("prometheus_client", "uvicorn", "uvloop", "websockets"),
)


def test_importing_the_application_is_lean() -> None:
    code = f"import sys, server.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
