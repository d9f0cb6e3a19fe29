"""What the API has at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.broker import BrokerProbe
from webapp.adapters.readers import ReaderConnections
from webapp.adapters.single_reads import SingleReads
from webapp.api.kept import Kept
from webapp.settings import Settings

if TYPE_CHECKING:
    # Workers load this module as well, and have no use for what deals with issuers.
    from webapp.adapters.issuer_exchange import SignInIssuer

READINESS_SECONDS = 1.0


@dataclass(frozen=True)
class WebContext:
    """Settings, sessions, connections for reads without one, the broker, and the issuers."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    single_reads: SingleReads
    readers: ReaderConnections
    broker: BrokerProbe
    issuers: "Mapping[str, SignInIssuer]" = field(default_factory=dict)
    readiness: Kept[Any] = field(default_factory=lambda: Kept(READINESS_SECONDS))
