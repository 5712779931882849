"""How long it takes to begin."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.house import HOUSE, Server

TIMES = 5
LATER_TIMES = 3
IMPORT = "import time; t = time.perf_counter(); import server.app; print(time.perf_counter() - t)"


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds."""

    import_s: float
    first_s: float
    "In a new data folder: PostgreSQL's folder, migrations and the demo school are made."
    later_s: float
    stop_s: float


def measure() -> Startup:
    """The median where it is measured more than once."""
    import_app()  # compiled, and in the page cache: as installed
    imports = [import_app() for _ in range(TIMES)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "data")
        try:
            first_s = server.start()
            stops, laters = [server.stop_s()], []
            for _ in range(LATER_TIMES):
                laters.append(server.start())
                stops.append(server.stop_s())
        finally:
            server.end()
    return Startup(median(imports), first_s, median(laters), median(stops))


def import_app() -> float:
    """Seconds to import the application in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
