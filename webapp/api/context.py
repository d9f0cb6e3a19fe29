"""What the API has at hand."""

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.database import ReaderConnections
from webapp.settings import Settings


@dataclass(frozen=True)
class WebContext:
    """Settings, sessions for writes, and connections for public reads."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    readers: ReaderConnections
