"""The rules that come with Imprint. Each looks at one thing."""

import math
from collections.abc import Iterator

from webapp.kit.content_checks.pages import Finding, Level, Page, Rule
from webapp.kit.rendering.excerpts import shorten

LONGEST_TITLE = 60
"""So many characters of a title do search engines show, give or take what is wide or narrow."""

LONGEST_EXCERPT = 160
"""So many characters of a description do they show."""

WORDS_A_MINUTE = 238
"""How fast English is read in silence (M. Brysbaert, 2019, over 190 studies)."""

_VAGUE = frozenset(
    {"click here", "here", "link", "more", "read more", "this", "hier", "mehr", "ici"}
)
_PLACE_LENGTH = 80


def images_without_text(page: Page) -> Iterator[Finding]:
    """An image has a text for who does not see it, or `alt=""` for an ornament (WCAG 1.1.1)."""
    for image in page.images:
        if image.alt is None:
            yield Finding(
                "image.alt_missing", Level.ERROR,
                'Say in alt what the image shows, or alt="" where it is an ornament.',
                image.source,
            )  # fmt: skip


def skipped_headings(page: Page) -> Iterator[Finding]:
    """Headings go down one level at a time; the title is the first level (WCAG 1.3.1)."""
    level = 1
    for heading in page.headings:
        if heading.level > level + 1:
            yield Finding(
                "heading.level_skipped", Level.WARNING,
                f"This heading has level {heading.level}, and the one before it level {level}.",
                heading.text,
            )  # fmt: skip
        if not heading.text and not heading.has_image:
            yield Finding("heading.empty", Level.ERROR, "A heading without words.")
        level = heading.level


def vague_links(page: Page) -> Iterator[Finding]:
    """A link says where it leads, also when it is read alone (WCAG 2.4.4)."""
    for link in page.links:
        if link.text.strip(" .!»>→").lower() in _VAGUE:
            yield Finding(
                "link.vague", Level.WARNING, "Let the words of the link say where it leads.",
                link.address,
            )  # fmt: skip


def long_title(page: Page) -> Iterator[Finding]:
    """A title that search results cut."""
    if len(page.title) > LONGEST_TITLE:
        yield Finding(
            "title.long", Level.WARNING,
            f"The title has {len(page.title)} characters; search results show {LONGEST_TITLE}.",
            shorten(page.title, LONGEST_TITLE),
        )  # fmt: skip


def long_excerpt(page: Page) -> Iterator[Finding]:
    """A description that search results cut."""
    if len(page.excerpt) > LONGEST_EXCERPT:
        yield Finding(
            "excerpt.long", Level.WARNING,
            f"The excerpt has {len(page.excerpt)} characters; search results show some "
            f"{LONGEST_EXCERPT}.",
            shorten(page.excerpt, _PLACE_LENGTH),
        )  # fmt: skip


def empty_page(page: Page) -> Iterator[Finding]:
    """A page on which there is nothing."""
    if not page.text and not page.images:
        yield Finding("body.empty", Level.ERROR, "There is nothing to read.")


RULES: tuple[Rule, ...] = (
    empty_page, images_without_text, skipped_headings, vague_links, long_title, long_excerpt,
)  # fmt: skip


def reading_minutes(words: int) -> int:
    """Return how long a text takes to read, in whole minutes, at least one."""
    return max(1, math.ceil(words / WORDS_A_MINUTE))
