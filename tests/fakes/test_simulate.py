"""`student-connect simulate`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from server import cli
from server.cli import MISUSED
from tests.fakes.faults import Fault
from tests.fakes.simulate import UnknownFault, faults, running

HOUSE = Path(__file__).resolve().parents[2]


def options(*arguments: str):
    return cli._parser().parse_args(["simulate", *arguments])


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("provider", ["nova", "converse", "openai"])
@pytest.mark.parametrize("tls", [False, True])
async def test_each_provider_runs_and_says_how_it_is_reached(provider: str, tls: bool) -> None:
    more = ("--tls",) if tls else ()
    async with running(options(provider, "--fault", "throttled", *more)) as simulator:
        scheme, _, host = simulator.address.partition("://")
        assert scheme == ("https" if tls else "http")
        port = int(host.partition("/")[0].partition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        assert simulator.address in simulator.environ.values()
        files = [value for name, value in simulator.environ.items() if name.endswith("_FILE")]
        assert len(files) == tls
        for file in files:
            assert Path(file).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_faults_are_named_with_a_detail_and_a_moment() -> None:
    asked = ("--fault", "server_error=503", "--fault", "close_at_limit@2.5")
    assert faults(options("nova", *asked)) == [
        Fault("server_error", 0.0, "503"),
        Fault("close_at_limit", 2.5),
    ]
    with pytest.raises(UnknownFault, match="no number"):
        faults(options("nova", "--fault", "throttled@soon"))


def test_a_wrong_name_lists_the_faults_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "set_up_logs", lambda *_: None)
    code, said = refused(capsys, "nova", "--fault", "nonsense")
    assert code == MISUSED
    assert "goaway" in said


def test_an_installed_package_says_where_the_simulators_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "set_up_logs", lambda *_: None)
    monkeypatch.setitem(sys.modules, "tests.fakes.simulate", None)
    code, said = refused(capsys, "nova")
    assert code == MISUSED
    assert said.startswith("The simulators come with the source")


@pytest.mark.slow
async def test_the_command_serves_until_it_is_interrupted() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", "simulate", "nova"),
        stdout=asyncio.subprocess.PIPE,
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
    )
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 20)
    assert first.startswith(b"Amazon Nova 2 Sonic is simulated at http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 10) == 0
