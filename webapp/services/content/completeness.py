"""Whether a version has what it has to have before it goes out."""

from webapp.kit.requirements import lacking
from webapp.services.accounts.actors import Actor
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import IncompleteError


def require_complete(actor: Actor, version: SavedVersion) -> None:
    """Raise IncompleteError, which names all that is missing, unless a version is complete.

    What the actor has to see to is what the settings want of everybody.
    """
    missing = list(lacking(version, actor.required_fields))
    if missing:
        raise IncompleteError(version.number, missing)
