"""A simulator as a command, for developers and demonstrations: `student-connect simulate`."""

import asyncio
import signal
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes import converse, nova
from tests.fakes.certificates import self_signed
from tests.fakes.converse import Converse
from tests.fakes.faults import KINDS, Fault
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners
from tests.fakes.openai_manners import Manners as OpenAIManners
from tests.fakes.openai_server import simulate_openai

FAULTS = {"nova": nova.NAMES, "converse": converse.NAMES, "openai": KINDS}


class UnknownFault(ValueError):
    """A fault that this simulator does not have."""


@dataclass(frozen=True, slots=True)
class Running:
    """What whoever started it wants to know."""

    what: str
    address: str
    environ: dict[str, str]
    "With which a server uses it."


def run(options: Namespace) -> int:
    """Serve until Ctrl-C, or SIGTERM. Raises UnknownFault, OSError."""
    asyncio.run(_serve(options))
    return 0


async def _serve(options: Namespace) -> None:
    stopped = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores the first
        asyncio.get_running_loop().add_signal_handler(one, stopped.set)
    async with running(options) as simulator:
        print(f"{simulator.what} is simulated at {simulator.address}; Ctrl-C ends it.")
        print("A server uses it with this in its environment:")
        for name, value in simulator.environ.items():
            print(f"  export {name}={value}")
        print(
            "One school only: as its admin, set address, engine and key under Engines; the server"
            f" then needs ENGINE_ENDPOINTS={simulator.address.removesuffix('/v1')}.",
            flush=True,
        )
        await stopped.wait()


def faults(options: Namespace) -> list[Fault]:
    """`--fault NAME[=DETAIL][@SECONDS]`, each for so many streams. Raises UnknownFault."""
    found = []
    for text in options.fault:
        rest, _, after = text.partition("@")
        name, _, detail = rest.partition("=")
        if name not in FAULTS[options.provider]:
            raise UnknownFault(
                f"{options.provider} has no fault {name}. It has:"
                f" {', '.join(FAULTS[options.provider])}."
            )
        try:
            found.append(Fault(name, float(after or 0), detail))
        except ValueError:
            raise UnknownFault(f"{after} is no number of seconds.") from None
    return found


@asynccontextmanager
async def running(options: Namespace) -> AsyncIterator[Running]:
    """The simulator that `options` name."""
    start = {"nova": _nova, "converse": _converse, "openai": _openai}[options.provider]
    async with start(options, faults(options)) as simulator:
        yield simulator


@asynccontextmanager
async def _nova(options: Namespace, planned: list[Fault]) -> AsyncIterator[Running]:
    manners = Manners(cap_s=options.cap or 480.0, idle_s=options.idle or 55.0)
    async with Nova(manners, port=options.port, tls=options.tls) as service:
        for fault in planned:
            service.fail(fault, options.streams)
        environ = _aws(service.endpoint, service.certificate)
        yield Running("Amazon Nova 2 Sonic", service.endpoint, {"ENGINE": "nova-sonic", **environ})


@asynccontextmanager
async def _converse(options: Namespace, planned: list[Fault]) -> AsyncIterator[Running]:
    async with Converse(port=options.port, tls=options.tls) as service:
        for fault in planned:
            service.fail(fault, options.streams)
        environ = {"ENGINE": "cascade", "CASCADE_MIND": "bedrock"}
        environ |= _aws(service.endpoint, service.certificate, "BEDROCK_TEXT_ENDPOINT")
        yield Running("Amazon Bedrock's Converse", service.endpoint, environ)


def _aws(endpoint: str, certificate: str, variable: str = "BEDROCK_ENDPOINT") -> dict[str, str]:
    known = nova.Secret()
    environ = {
        variable: endpoint,
        "AWS_REGION": known.region,
        "AWS_ACCESS_KEY_ID": known.access_key,
        "AWS_SECRET_ACCESS_KEY": known.secret_key,
    }
    return environ | ({"BEDROCK_CA_FILE": _file(certificate)} if certificate else {})


@asynccontextmanager
async def _openai(options: Namespace, planned: list[Fault]) -> AsyncIterator[Running]:
    manners = OpenAIManners(lifetime_s=options.cap or 3_600.0)
    context, certificate = self_signed("http/1.1") if options.tls else (None, "")
    async with simulate_openai(manners, port=options.port, tls=context) as service:
        for fault in planned:
            service.faults.plan(fault, options.streams)
            service.http.faults.plan(fault, options.streams)
        environ = {
            "ENGINE": "openai-realtime",
            "OPENAI_BASE_URL": service.base_url,
            "OPENAI_API_KEY": service.key,
        }
        if certificate:
            environ["SSL_CERT_FILE"] = _file(certificate)
        yield Running("OpenAI", service.base_url, environ)


def _file(certificate: str) -> str:
    path = Path(tempfile.mkdtemp(prefix="simulator-")) / "certificate.pem"
    path.write_text(certificate)
    return str(path)
