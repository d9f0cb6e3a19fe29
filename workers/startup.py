"""What a worker and a dispatcher ask of the database before they begin."""

import structlog
from sqlalchemy.orm import Session

from webapp.adapters.database import make_engine
from webapp.adapters.database_errors import DATABASE_ERRORS, NEEDS_POOLER_SETTING, describe
from webapp.models import Base
from webapp.services.operations import suitability
from webapp.settings import Settings

log = structlog.get_logger()


def check_database(settings: Settings) -> None:
    """End the process with a sentence where the database can never carry it.

    What may pass is logged: that it is away, read-only or lacks a grant. The process then begins,
    and goes on by itself when that is mended. Raises MissingSettingError.
    """
    engine = make_engine(settings, application_name="imprint-start")
    try:
        with Session(engine) as session:
            facts = suitability.read_facts(session, Base.metadata.tables)
    except DATABASE_ERRORS as error:
        if NEEDS_POOLER_SETTING in describe(error):
            raise SystemExit(f"DATABASE_URL: {NEEDS_POOLER_SETTING}") from None
        log.warning("database.away", error=describe(error))
        return
    finally:
        engine.dispose()
    found = suitability.judge(facts, is_migrating=False)
    if found.lasting_faults:
        raise SystemExit("\n".join(found.lasting_faults))
    for sentence in found.passing_faults + found.warnings:
        log.warning("database.unsuitable", reason=sentence)
