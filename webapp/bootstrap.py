"""The one place where the parts are put together; the entry points call it and nothing else."""

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.broker import BrokerProbe
from webapp.adapters.database import make_engine
from webapp.adapters.mail import Mailer
from webapp.adapters.readers import ReaderConnections
from webapp.adapters.rendering import configure_rendering
from webapp.adapters.single_reads import SingleReads
from webapp.api.context import WebContext
from webapp.kit.search.languages import SIMPLE
from webapp.services.content.search_words import SEARCH_LANGUAGE
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.stopping import StopRequest

log = structlog.get_logger()

# One mail gets at most this part of the lease that its job renews right before, so that a slow mail
# server costs an attempt, which is written down, and never the lease.
PART_OF_LEASE_FOR_ONE_MAIL = 0.5


def make_sessions(engine: Engine, search_language: str = SIMPLE) -> sessionmaker[Session]:
    """Return a maker of sessions whose objects stay readable after a commit.

    What they save is searched in this language where it names none.
    """
    info = {SEARCH_LANGUAGE: search_language}
    return sessionmaker(engine, expire_on_commit=False, info=info)


def web_context(settings: Settings) -> WebContext:
    """Assemble the API's parts. Raises MissingSettingError."""
    check_secret_key(settings)
    configure_rendering(settings)
    engine = make_engine(settings, application_name="imprint-web")
    return WebContext(
        settings=settings,
        engine=engine,
        sessions=make_sessions(engine, settings.search_language),
        single_reads=SingleReads(engine, is_pooled=settings.database_pooler != "none"),
        readers=ReaderConnections(settings),
        broker=BrokerProbe(settings.celery_broker_url),
    )


def worker_context(
    settings: Settings, *, application_name: str, stop: StopRequest | None = None
) -> WorkerContext:
    """Assemble a worker's parts, in the process that will use them. Raises MissingSettingError.

    `stop` is what the main process of a worker is asked; without it nobody is.
    """
    check_secret_key(settings)
    configure_rendering(settings)
    message_seconds = settings.lease_seconds * PART_OF_LEASE_FOR_ONE_MAIL
    engine = make_engine(settings, application_name=application_name)
    return WorkerContext(
        settings=settings,
        sessions=make_sessions(engine, settings.search_language),
        account_mailer=Mailer(settings.account_smtp_url or settings.smtp_url, message_seconds),
        bulk_mailer=Mailer(settings.smtp_url, message_seconds),
        stop=stop or StopRequest(),
    )


def check_secret_key(settings: Settings) -> None:
    """Raise MissingSettingError without a secret key, and warn of the one for development."""
    settings.require_secret_key()
    if settings.uses_development_key:
        log.warning("secret_key.development", advice="anybody can forge what this process signs")
