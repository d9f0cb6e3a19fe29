"""Rendered HTML, one for each version that is or will be public."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from sqlalchemy import and_, bindparam, cast, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TSVECTOR, insert
from sqlalchemy.orm import Session

from webapp.adapters.rendering import Rendered, RenderingUnavailableError, rendering_processes
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.models import ContentVersion, Rendering
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.search_words import found_by
from webapp.services.content.version_texts import SavedVersion, read_intact, read_versions
from webapp.services.errors import ServiceError, UnavailableError, UnrenderableError

# PostgreSQL refuses a search document of more than a megabyte, so a very long text is searched by
# its beginning. A hyphenated word or an address is kept whole and in parts, lower case can be more
# bytes than upper case, and each word brings a few of its own: one byte of text may make five.
SEARCHED_BYTES = 200_000

KEPT_DAYS = 2
"""How long a rendering is kept that nothing public or scheduled needs, in days."""

# Whoever is about to need one that is older than half of that makes it young, so that pruning which
# is at it passes over it: it finds another row than the one that it has looked at.
_KEEP_LONGER = text(
    """
    UPDATE renderings SET rendered_at = clock_timestamp()
    WHERE version_id = ANY (:version_ids)
      AND rendered_at < clock_timestamp() - make_interval(days => :days) / 2
    """
).bindparams(bindparam("version_ids", type_=IdArray()))

RENDERS_APART = "renders_apart"
"""The mark, in a session's `info`, of one whose transaction must not wait for rendering."""
RENDERED_AHEAD = "rendered_ahead"
"""The texts, in a session's `info`, of one whose versions go when its transaction begins anew."""


class RenderingNeededError(Exception):
    """Versions have to be rendered outside the transaction, which then begins anew."""

    def __init__(self, versions: Sequence[SavedVersion]) -> None:
        """Name the versions."""
        super().__init__(f"versions {[version.id for version in versions]} have no rendering")
        self.version_ids = [version.id for version in versions]


class RenderedTexts:
    """What texts were rendered to before the versions that hold them are there to stay.

    For a session that makes versions and publishes them in one transaction: those that it needed
    are noted, rendered once its transaction has ended, and found by their text when it begins anew.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._rendered: dict[tuple[str, str], Rendered | ServiceError] = {}
        self._needed: dict[tuple[str, str], SavedVersion] = {}

    def take(self, versions: Sequence[SavedVersion]) -> dict[int, Rendered]:
        """Return the renderings of versions, by their ids.

        Raises RenderingNeededError where a text is not rendered yet, else UnrenderableError and
        UnavailableError.
        """
        needed = [version for version in versions if _text_of(version) not in self._rendered]
        if needed:
            self._needed |= {_text_of(version): version for version in needed}
            raise RenderingNeededError(needed)
        taken: dict[int, Rendered] = {}
        for version in versions:
            rendered = self._rendered[_text_of(version)]
            if isinstance(rendered, ServiceError):
                raise rendered
            taken[version.id] = rendered
        return taken

    @property
    def are_needed(self) -> bool:
        """Whether texts were asked for that are not rendered yet."""
        return bool(self._needed)

    def render_needed(self) -> None:
        """Render what was asked for, while no transaction is open."""
        needed, self._needed = self._needed, {}
        for wanted, version in needed.items():
            try:
                self._rendered[wanted] = render_version(version)
            except (UnrenderableError, UnavailableError) as error:
                self._rendered[wanted] = error


def ensure_renderings(session: Session, version_ids: Collection[int]) -> None:
    """Render the versions that have no rendering yet, and keep the renderings of the others.

    Scheduling does this ahead, so that at the due moment there is nothing left to render. Two that
    render one version at once make the same text, and the key keeps one of them. A version that is
    rendered keeps its rendering, whatever the renderer learns later. Raises RenderingNeededError
    where the session renders apart or ahead, else UnrenderableError and UnavailableError.
    """
    session.execute(_KEEP_LONGER, {"version_ids": version_ids, "days": KEPT_DAYS})
    missing = find_missing(session, version_ids)
    if not missing:
        return
    ahead: RenderedTexts | None = session.info.get(RENDERED_AHEAD)
    if ahead is not None:
        keep_renderings(session, missing, ahead.take(missing))
        return
    if session.info.get(RENDERS_APART):
        raise RenderingNeededError(missing)
    keep_renderings(session, missing, {version.id: render_version(version) for version in missing})


def find_missing(session: Session, version_ids: Collection[int]) -> Sequence[SavedVersion]:
    """Return those of some versions that have no rendering. Raises DamagedVersionError."""
    is_rendered = exists().where(Rendering.version_id == ContentVersion.id)
    return read_versions(session, and_(is_one_of(ContentVersion.id, version_ids), ~is_rendered))


def render_version(version: SavedVersion) -> Rendered:
    """Render one version; asks no database. Raises UnrenderableError and UnavailableError."""
    body_format: Literal["markdown", "html"] = (
        "html" if version.body_format == "html" else "markdown"
    )
    try:
        return rendering_processes().render(body_format, version.body)
    except RenderingRefusedError as refused:
        raise UnrenderableError(str(refused)) from refused
    except RenderingUnavailableError as unavailable:
        raise UnavailableError(f"{unavailable} Try again soon.") from unavailable


def keep_renderings(
    session: Session, versions: Sequence[SavedVersion], rendered: Mapping[int, Rendered]
) -> None:
    """Keep what versions were rendered to; one that has a rendering by now keeps that."""
    for version, found in zip(versions, found_by(session, versions), strict=True):
        session.execute(
            insert(Rendering)
            .values(
                version_id=version.id,
                html=rendered[version.id].html,
                excerpt=version.excerpt or rendered[version.id].excerpt,
                search=func.to_tsvector("simple", _searched_text(version)),
                words=cast(found.words, TSVECTOR),
                language=found.language,
            )
            .on_conflict_do_nothing(index_elements=["version_id"])
        )


def copy_rendering(session: Session, version_id: int, to_version_id: int) -> None:
    """Give a version the rendering of another one that has the same text, if that has one."""
    columns = (
        Rendering.html, Rendering.excerpt, Rendering.search, Rendering.words, Rendering.language,
    )  # fmt: skip
    rendered = select(literal(to_version_id), *columns).where(Rendering.version_id == version_id)
    copied = insert(Rendering).from_select(
        ["version_id", *(column.key for column in columns)], rendered
    )
    session.execute(copied.on_conflict_do_nothing(index_elements=["version_id"]))


_WORDS = text(
    """
    UPDATE renderings SET words = given.words::tsvector, language = given.language
    FROM unnest(:version_ids, :languages, :words) AS given (version_id, language, words)
    WHERE renderings.version_id = given.version_id AND renderings.words IS NULL
    """
).bindparams(
    bindparam("version_ids", type_=IdArray()),
    bindparam("languages", type_=ARRAY(TEXT)),
    bindparam("words", type_=ARRAY(TEXT)),
)


def index_range(session: Session, after: int, until: int) -> None:
    """Give the renderings of these versions their words that a former release made without.

    For the backfill. One whose text is damaged stays without.
    """
    wordless = select(Rendering.version_id).where(
        Rendering.version_id > after, Rendering.version_id <= until, Rendering.words.is_(None)
    )
    versions = read_intact(session, ContentVersion.id.in_(wordless))
    found = found_by(session, versions)
    parameters = {
        "version_ids": [version.id for version in versions],
        "languages": [each.language for each in found],
        "words": [each.words for each in found],
    }
    session.execute(_WORDS, parameters)


def _text_of(version: SavedVersion) -> tuple[str, str]:
    return version.body_format, version.body


def _searched_text(version: SavedVersion) -> str:
    words = " ".join([version.title, *version.tags, version.body])
    return words.encode()[:SEARCHED_BYTES].decode(errors="ignore")
