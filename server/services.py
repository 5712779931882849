"""What the doors are handed: everything that lives as long as the server."""

from dataclasses import dataclass, field

from server.config import Config
from server.engines import Engines
from server.exports import Exports
from server.identity import Door
from server.observe import Counts
from server.realtime.calls import Calls
from server.realtime.connection import Codecs
from server.sight import Sight
from server.streams import Streams
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.live.lobby import Lobby
from tenancy.identities import Identities
from tenancy.postgres import Database


@dataclass(frozen=True, slots=True)
class Services:
    """Opened by `server.wiring`, closed by it."""

    config: Config
    database: Database
    identities: Identities
    door: Door
    engines: Engines
    lobby: Lobby
    worker: Worker
    bus: Bus
    codecs: Codecs
    sight: Sight
    calls: Calls | None = None
    "None: calls are switched off."
    exports: Exports = field(default_factory=Exports)
    streams: Streams = field(default_factory=Streams)
    counts: Counts = field(default_factory=Counts)
