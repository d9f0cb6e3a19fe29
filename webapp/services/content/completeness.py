"""Whether a version is ready to go out: it has what it has to have, and no errors that matter."""

from sqlalchemy.orm import Session

from webapp.kit.requirements import lacking
from webapp.services.accounts.actors import Actor
from webapp.services.content.checks import require_no_errors
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import IncompleteError


def require_ready(session: Session, actor: Actor, version: SavedVersion) -> None:
    """Raise IncompleteError, which names all that is missing, unless a version is complete.

    What has to be there is what the settings want of everybody. Raises CheckedError where they let
    no errors out that a check finds, and then what rendering raises.
    """
    missing = list(lacking(version, actor.required_fields))
    if missing:
        raise IncompleteError(version.number, missing)
    require_no_errors(session, actor, version)
