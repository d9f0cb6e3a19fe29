"""Slugs are always fit for an address, whatever text they come from."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.slugs import (
    SLUG_LIMIT,
    SLUG_MAX_LENGTH,
    SLUG_PATTERN,
    is_slug,
    numbered,
    slugify,
)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("4-Years-Of-Ferris", "4-years-of-ferris"),
        ("1.45.1 prerelease", "1-45-1-prerelease"),
        ("Ελληνικά", "ellenika"),
        ("Straße & Café", "strasse-cafe"),
        ("", "untitled"),
        ("🦀 !!!", "untitled"),
        ("--- \x00 ---", "untitled"),
    ],
)
def test_slugify(text: str, slug: str) -> None:
    assert slugify(text) == slug


def test_a_long_text_is_cut_between_words() -> None:
    slug = slugify("seven letters " * 30)
    assert len(slug) <= SLUG_LIMIT
    assert set(slug.split("-")) == {"seven", "letters"}


@given(st.text(max_size=400))
def test_every_text_gives_an_accepted_slug(text: str) -> None:
    slug = slugify(text)
    assert is_slug(slug)
    assert re.search(SLUG_PATTERN, slug)
    assert len(slug) <= SLUG_LIMIT
    assert slugify(slug) == slug


@pytest.mark.parametrize("text", ["", "-", "a--b", "-a", "a-", "A", "a b", "a\n", "é", "a" * 151])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_numbered_keeps_within_the_limit() -> None:
    assert numbered("news", 2) == "news-2"
    long = "a" * (SLUG_MAX_LENGTH - 3) + "-bc"
    assert is_slug(long)
    assert len(numbered(long, 12)) <= SLUG_MAX_LENGTH
    assert is_slug(numbered(long, 12))
    assert numbered(long, 12) != numbered(long, 13)
