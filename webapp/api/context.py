"""What the API has at hand."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.broker import BrokerProbe
from webapp.adapters.readers import ReaderConnections
from webapp.adapters.single_reads import SingleReads
from webapp.api.kept import Kept
from webapp.settings import Settings

READINESS_SECONDS = 1.0


@dataclass(frozen=True)
class WebContext:
    """Settings, sessions, connections for reads without one, and a look at the broker."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    single_reads: SingleReads
    readers: ReaderConnections
    broker: BrokerProbe
    readiness: Kept[Any] = field(default_factory=lambda: Kept(READINESS_SECONDS))
