"""Articles in numbers: a few made by the services, then copied row by row within the database.

A copy has what the services would have given it: an item with its tags and its slug, a sealed
version with the right digest, a rendering, and an open schedule that pins the version.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, LargeBinary, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import Content, ContentVersion, Role, User
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, sealing, taxonomy, versions
from webapp.services.content.content import Draft
from webapp.services.content.version_texts import digest_of
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.publishing import Release
from webapp.services.publishing.schedules import SchedulePlan

BODY_BYTES = 4_000
CATEGORIES, TAGS, TAGS_AN_ARTICLE = 8, 40, 4
PATTERNS = 20
RELEASED_AT_ONCE = 250
_VOCABULARY = (
    "the of river council a market morning in and to school new bridge winter by for people "
    "harbour light report with season an year library under plan from garden street before "
    "night over question number station water between history summer against field letter"
)
_WORDS = _VOCABULARY.split()

# The tables are those that `content.create` and `schedules.create` write, each row taken from the
# pattern's own; activity and jobs are left out, because nothing measured reads them.
_COPY = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(:pattern_ids, :titles, :slugs, :digests)
            AS wanted (pattern_id, title, slug, digest)
    ), items AS (
        INSERT INTO content (author_id, category_id, title, slug, body, body_format, excerpt,
                             metadata, status, version, revision)
        SELECT author_id, category_id, wanted.title, wanted.slug, body, body_format, excerpt,
               metadata, status, version, revision
        FROM wanted JOIN content ON content.id = wanted.pattern_id
        RETURNING id, slug
    ), named AS (
        SELECT items.id, wanted.* FROM items JOIN wanted USING (slug)
    ), tagged AS (
        INSERT INTO content_tags (content_id, tag_id)
        SELECT named.id, tag_id FROM named JOIN content_tags ON content_id = pattern_id
    ), claimed AS (
        INSERT INTO slugs (slug, content_id) SELECT slug, id FROM named
    ), saved AS (
        INSERT INTO content_versions (content_id, number, author_id, category_id, title, slug,
            body, body_format, excerpt, tags, metadata, reason, digest, sealed_at, words,
            words_added, words_removed)
        SELECT named.id, number, author_id, category_id, named.title, named.slug, body,
            body_format, excerpt, tags, metadata, reason, named.digest, clock_timestamp(), words,
            words_added, words_removed
        FROM named JOIN content_versions AS version ON version.content_id = pattern_id
        RETURNING id, content_id
    ), rendered AS (
        INSERT INTO renderings (version_id, html, excerpt, search, words, language)
        SELECT saved.id, html, rendering.excerpt, search, rendering.words, language
        FROM saved JOIN named ON named.id = saved.content_id
        JOIN content_versions AS version ON version.content_id = pattern_id
        JOIN renderings AS rendering ON rendering.version_id = version.id
    )
    INSERT INTO schedules (content_id, version_id, action, due_at, if_missed, created_by_id)
    SELECT named.id, saved.id, action, due_at, if_missed, created_by_id
    FROM named JOIN saved ON saved.content_id = named.id
    JOIN schedules ON schedules.content_id = pattern_id
    """
).bindparams(
    bindparam("pattern_ids", type_=ARRAY(BigInteger)),
    bindparam("titles", type_=ARRAY(Text)),
    bindparam("slugs", type_=ARRAY(Text)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
)
_COPIED_AT_ONCE = 1_000


@dataclass(frozen=True)
class Writer:
    """An editor account, and the taxonomy that its articles use."""

    actor: Actor
    category_ids: list[int]
    tags: list[str]


def fill(session: Session, number: int, *, analyzed: bool = True) -> None:
    """Make `number` draft articles of about 4 KB, each with a schedule to publish it in a year.

    Unless it is `analyzed`, PostgreSQL knows of them what it does right after a bulk load.
    """
    # The same text in every run, so that runs can be compared.
    chance = random.Random(number)
    writer = make_writer(session)
    patterns = [_make_pattern(session, writer, chance, index) for index in range(PATTERNS)]
    # What PostgreSQL planned for a few rows it would do for thousands until the transaction ends.
    session.commit()
    for start in range(PATTERNS, number, _COPIED_AT_ONCE):
        _copy(session, patterns, range(start, min(start + _COPIED_AT_ONCE, number)))
        session.commit()
    if analyzed:
        analyze(session)


def publish_some(session: Session, number: int) -> list[str]:
    """Make the first `number` articles public, telling nobody, and return their slugs."""
    chosen = session.execute(
        select(ContentVersion.content_id, ContentVersion.id, ContentVersion.slug)
        .order_by(ContentVersion.id)
        .limit(number)
    ).all()
    for start in range(0, len(chosen), RELEASED_AT_ONCE):
        batch = chosen[start : start + RELEASED_AT_ONCE]
        moment = utc_now() - timedelta(days=number)
        releases = [
            Release(row.content_id, row.id, moment + timedelta(hours=start + offset))
            for offset, row in enumerate(batch)
        ]
        publishing.release(session, releases, notify=False)
        session.commit()
    analyze(session)
    return [row.slug for row in chosen]


def analyze(session: Session) -> None:
    """Do now what autovacuum would do a minute after such a change."""
    session.commit()
    connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    connection.execute(text("VACUUM ANALYZE"))
    session.commit()


def make_account(session: Session, login: str, role: RoleName) -> int:
    """Make an account that cannot log in, and return its id."""
    address = f"{login}@example.org"
    user = User(
        login=login,
        email=address,
        email_hash=hash_email(address),
        password_hash="none",
        display_name=login.title(),
        role_id=session.scalars(select(Role.id).where(Role.name == role.value)).one(),
    )
    session.add(user)
    session.flush()
    return user.id


def make_writer(session: Session) -> Writer:
    """Make an editor, and the categories and tags of the articles."""
    actor = Actor(make_account(session, "bench-editor", RoleName.EDITOR), "bench-editor",
                  RoleName.EDITOR)  # fmt: skip
    category_ids = [
        taxonomy.ensure_category(session, f"Section {number}") for number in range(CATEGORIES)
    ]
    return Writer(actor, category_ids, [f"Topic {number}" for number in range(TAGS)])


def _make_pattern(session: Session, writer: Writer, chance: random.Random, index: int) -> int:
    draft = Draft(
        title=_title(index),
        body=make_body(chance),
        category_id=chance.choice(writer.category_ids),
        tags=tuple(chance.sample(writer.tags, TAGS_AN_ARTICLE)),
        metadata={"section": "bench", "weight": index},
    )
    content_id = content.create(session, writer.actor, draft)
    plan = SchedulePlan("publish", utc_now() + timedelta(days=365))
    schedules.create(session, writer.actor, content_id, None, plan)
    version_id = versions.get_version(session, content_id, 1).id
    sealing.seal_versions(session, [version_id], seconds=60.0)
    return content_id


def _copy(session: Session, patterns: list[int], numbers: range) -> None:
    originals = [session.get_one(Content, pattern) for pattern in patterns]
    tags = [[tag.slug for tag in item_reads.read_tags(session, pattern)] for pattern in patterns]
    chosen = [number % len(patterns) for number in numbers]
    copies = [
        Content(
            title=_title(number),
            slug=_title(number).lower().replace(" ", "-"),
            body=originals[which].body,
            body_format=originals[which].body_format,
            excerpt=originals[which].excerpt,
            details=originals[which].details,
        )
        for number, which in zip(numbers, chosen, strict=True)
    ]
    session.execute(
        _COPY,
        {
            "pattern_ids": [patterns[which] for which in chosen],
            "titles": [copy.title for copy in copies],
            "slugs": [copy.slug for copy in copies],
            "digests": [
                digest_of(copy, tags[which]) for copy, which in zip(copies, chosen, strict=True)
            ],
        },
    )


def _title(number: int) -> str:
    return f"Report {number} from the harbour"


def make_body(chance: random.Random) -> str:
    """Return Markdown of about BODY_BYTES, with headings, emphasis, links and a list."""
    parts: list[str] = []
    while sum(map(len, parts)) < BODY_BYTES:
        words = chance.choices(_WORDS, k=70)
        words[10] = f"**{words[10]}**"
        words[30] = f"[{words[30]}](https://example.org/{words[31]})"
        parts += [f"## {' '.join(words[:4]).title()}", f"{' '.join(words[4:])}."]
    parts.append("\n".join(f"- {word}" for word in chance.sample(_WORDS, 5)))
    return "\n\n".join(parts)


def count_public(session: Session) -> int:
    """Return how many items are public."""
    return session.scalars(select(func.count()).select_from(text("publications"))).one()
