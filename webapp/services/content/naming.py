"""How a version that is to become public gets its name."""

from sqlalchemy.orm import Session

from webapp.kit.slugs import is_variant, slugify
from webapp.models import Content
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, renderings, slugs, versions
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import ConflictError


def claim_name(
    session: Session,
    actor: Actor,
    item: Content,
    version: SavedVersion,
    *,
    may_renumber: bool = True,
) -> SavedVersion:
    """Make a version's slug the locked item's own, as it is to become public.

    Where another item was faster, a slug that was made from the title, or by an import, gets a
    number, in a new version that is returned. Raises ConflictError for one that was asked for, for
    an older version, and where it may not be renumbered, because this version alone was approved.
    """
    if slugs.claim_slug(session, item.id, version.slug):
        return version
    made = is_variant(version.slug, slugify(version.title)) or item.import_source is not None
    if not may_renumber or not made or version.number != item.version:
        raise ConflictError(f"Another item has the slug {version.slug}; give this one another.")
    # What renders apart begins the transaction anew, and must not look for a version made in it.
    renderings.ensure_renderings(session, [version.id])
    slug = slugs.claim_numbered_slug(session, item.id, version.slug)
    # The text is the same, so the version is whose the one before it was: an import knows its own.
    content.save(session, actor, item, {"slug": slug}, reason=version.reason)
    numbered = versions.get_version(session, item.id, item.version)
    renderings.copy_rendering(session, version.id, numbered.id)
    return numbered
