"""What an editor should look at in a version before it goes out.

Nothing of it is in the way, unless the settings say that errors are.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.adapters.content_rules import installed_rules
from webapp.kit.content_checks.pages import Finding, Level, Link, Page
from webapp.kit.content_checks.rules import RULES, reading_minutes
from webapp.models import Publication, Rendering, Slug
from webapp.services.accounts.actors import Actor
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import CheckedError, UnavailableError, UnrenderableError

MOST_FINDINGS = 200
BROKEN_LINK = "link.broken"
MOST_WARNINGS = 50
"""How many findings an answer tells at most that is not about them."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Checked:
    """What was found in a version, errors first, and how long it takes to read."""

    findings: list[Finding]
    words: int
    minutes: int


def check_version(session: Session, version: SavedVersion, content_url: str) -> Checked:
    """Ask every rule about a version as it is read.

    `content_url` is the address at which readers find an item, with `{slug}` in it. Renders a
    version that has no rendering, and raises what that raises.
    """
    page = _page_of(session, version)
    findings = list(of_rules(page))
    wanted = site_links(page, content_url)
    findings += broken_links(wanted, _public(session, set(wanted.values())))
    findings.sort(key=lambda finding: finding.level is not Level.ERROR)
    words = len(page.text.split())
    return Checked(findings[:MOST_FINDINGS], words, reading_minutes(words))


def warnings_of(session: Session, version: SavedVersion, content_url: str) -> list[Finding]:
    """Return what every rule has to say of a version to whom it was not the question.

    At most `MOST_WARNINGS`, errors first. What cannot be rendered is a finding itself.
    """
    try:
        return check_version(session, version, content_url).findings[:MOST_WARNINGS]
    except UnrenderableError as error:
        return [Finding("body.unrenderable", Level.ERROR, str(error))]
    except UnavailableError:
        return [Finding("checks.unavailable", Level.WARNING, "The checks are busy; ask for them.")]


def require_no_errors(session: Session, actor: Actor, version: SavedVersion) -> None:
    """Raise CheckedError where a rule finds an error in a version and the actor is bound by that.

    A link that leads nowhere is none. Raises what rendering raises.
    """
    if not actor.is_bound_by_checks:
        return
    found = of_rules(_page_of(session, version))
    errors = [finding for finding in found if finding.level is Level.ERROR]
    if errors:
        raise CheckedError(version.number, errors[:MOST_WARNINGS])


def _page_of(session: Session, version: SavedVersion) -> Page:
    ensure_renderings(session, [version.id])
    rendered = session.get_one(Rendering, version.id)
    return Page(version.title, version.slug, version.excerpt, rendered.html)


def of_rules(page: Page) -> Iterator[Finding]:
    """Yield what the rules, and those of packages, find on a page; the database is not asked."""
    for rule in RULES:
        yield from rule(page)
    yield from _of_packages(page)


def _of_packages(page: Page) -> Iterator[Finding]:
    for name, rule in installed_rules().items():
        try:
            yield from list(rule(page))
        except Exception:  # The code of others may raise anything; the text is not at fault.
            log.exception("content_rule.failed", rule=name)
            yield Finding(name, Level.WARNING, "This check failed; the log of the API says why.")


def site_links(page: Page, content_url: str) -> dict[Link, str]:
    """Return the links into the site's own content, but for those to the page itself, and where.

    No name holds a zero byte, which PostgreSQL cannot read.
    """
    slugs = ((link, _slug_of(link.address, content_url)) for link in page.links)
    return {link: slug.replace("\0", " ") for link, slug in slugs if slug and slug != page.slug}


def broken_links(wanted: Mapping[Link, str], public: Collection[str]) -> Iterator[Finding]:
    """Yield the links that lead to nothing public, where those are public slugs."""
    for link, slug in wanted.items():
        if slug not in public:
            yield Finding(
                BROKEN_LINK, Level.WARNING,
                f"Nothing that is public here is at {link.address}.", link.text or link.address,
            )  # fmt: skip


def _public(session: Session, names: set[str]) -> set[str]:
    # A former address of something public redirects. An array is one parameter however many.
    if not names:
        return set()
    found = (
        select(Slug.slug)
        .join(Publication, Publication.content_id == Slug.content_id)
        .where(Slug.slug == any_(literal(list(names), ARRAY(Text))), Slug.was_public)
    )
    return set(session.scalars(found))


def _slug_of(address: str, content_url: str) -> str | None:
    """Return the slug in an address of the site's own content, or None where it leads elsewhere."""
    before, _, after = content_url.partition("{slug}")
    site = urlsplit(before)
    try:
        link = urlsplit(address)
    except ValueError:  # Such as "//[x/", which names no host.
        return None
    if link.netloc not in ("", site.netloc) or link.scheme not in ("", "http", "https"):
        return None
    if not link.path.startswith(site.path) or not link.path.endswith(after):
        return None
    slug = link.path[len(site.path) : len(link.path) - len(after)].strip("/")
    return unquote(slug) if slug and "/" not in slug else None
