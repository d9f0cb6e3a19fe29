"""Markdown files of other systems: every form is read, every broken one is named."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.kit.imports.article import ImportedArticle, ImportProblem, NotAnArticle, Outcome
from webapp.kit.imports.markdown_folder import parse_article
from webapp.kit.imports.text import decode
from webapp.kit.slugs import is_slug

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def parse(text: str, source: str = "post.md") -> ImportedArticle:
    return parse_article(text, source, now=NOW)


def toml(fields: str, body: str = "Body\n") -> str:
    return f'+++\ntitle = "A title"\n{fields}\n+++\n\n{body}'


def yaml(fields: str, body: str = "Body\n") -> str:
    return f"---\ntitle: A title\n{fields}\n---\n\n{body}"


def test_zola_post_with_date_and_slug_in_its_path() -> None:
    article = parse(
        toml(
            'path = "inside/2019/05/15/4-Years.of-X"\nauthors = ["Ann Lee", "Bo"]\n'
            'aliases = ["2019/05/15/4-years.html"]\ndescription = "Short  text"\n'
            '[taxonomies]\ntags = ["Rust", "release notes", "rust"]\ncategories = ["News"]\n'
            '[extra]\nteam = "Core"\nreleased = 2019-05-16'
        ),
        "inside/4-years.md",
    )
    assert article == ImportedArticle(
        source="inside/4-years.md",
        title="A title",
        slug="4-years-of-x",
        body="Body",
        body_format="markdown",
        status="published",
        published_at=datetime(2019, 5, 15, tzinfo=UTC),
        authors=("Ann Lee", "Bo"),
        author_login=None,
        categories=("News",),
        tags=("Rust", "release notes"),
        excerpt="Short text",
        metadata={
            "path": "inside/2019/05/15/4-Years.of-X",
            "aliases": ["2019/05/15/4-years.html"],
        },
        private={"extra": {"team": "Core", "released": "2019-05-16"}},
        has_zoneless_times=True,
    )


def test_jekyll_post_with_date_and_slug_in_its_name() -> None:
    article = parse(yaml("tags: one, two words\nauthor: Ann"), "_posts/2019-05-15-my-post.md")
    assert article.published_at == datetime(2019, 5, 15, tzinfo=UTC)
    assert (article.slug, article.tags, article.authors) == (
        "my-post",
        ("one", "two words"),
        ("Ann",),
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("date: 2020-02-03", datetime(2020, 2, 3, tzinfo=UTC)),
        ("date: 2020-02-03T04:05:06+02:00", datetime(2020, 2, 3, 2, 5, 6, tzinfo=UTC)),
        ("published: 2020-02-03 04:05:06", datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ('published_at: "2020-02-03T04:05:06Z"', datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ('date: "2020-02-03 04:05:06 +0100"', datetime(2020, 2, 3, 3, 5, 6, tzinfo=UTC)),
        ('date: "Mon, 03 Feb 2020 04:05:06 +0000"', datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("weight: 3", None),
    ],
)
def test_dates_in_yaml(written: str, expected: datetime | None) -> None:
    assert parse(yaml(written)).published_at == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("date = 2020-02-03", datetime(2020, 2, 3, tzinfo=UTC)),
        ("date = 2020-02-03T04:05:06", datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("date = 2020-02-03T04:05:06-01:00", datetime(2020, 2, 3, 5, 5, 6, tzinfo=UTC)),
    ],
)
def test_dates_in_toml(written: str, expected: datetime) -> None:
    assert parse(toml(written)).published_at == expected


@pytest.mark.parametrize(
    ("fields", "source", "status"),
    [
        ("date: 2020-01-01", "a.md", "published"),
        ("date: 2030-01-01", "a.md", "scheduled"),
        ("date: 2030-01-01\ndraft: true", "a.md", "draft"),
        ('draft: "Yes"', "a.md", "draft"),
        ("draft: false", "a.md", "published"),
        ("published: false", "a.md", "draft"),
        ("published: true", "a.md", "published"),
        ("status: Private", "a.md", "draft"),
        ("private: yes", "a.md", "draft"),
        ("weight: 1", "_drafts/a.md", "draft"),
    ],
)
def test_status_never_publishes_what_is_hidden(fields: str, source: str, status: str) -> None:
    assert parse(yaml(fields), source).status == status


@pytest.mark.parametrize(
    ("fields", "source", "slug"),
    [
        ("slug: My Slug", "a.md", "my-slug"),
        ("path: /x/y/Page.html", "a.md", "page"),
        ("weight: 1", "2020/01/02/the-file.md", "the-file"),
        ("weight: 1", "blog/a-bundle/index.md", "a-bundle"),
        ("weight: 1", "index.md", "a-title"),
        ("slug: '!!!'", "???.md", "a-title"),
    ],
)
def test_where_the_slug_comes_from(fields: str, source: str, slug: str) -> None:
    assert parse(yaml(fields), source).slug == slug


def test_authors_in_their_many_forms() -> None:
    assert parse(yaml("authors: [{name: Ann}, Bo, {name: ann}]")).authors == ("Ann", "Bo")
    assert parse(yaml("author: {name: Lee, Ann}")).authors == ("Lee",)
    assert parse(toml('[taxonomies]\nauthors = ["Ann"]')).authors == ("Ann",)


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    text = decode(b"\xef\xbb\xbf" + toml("", "One\nTwo").replace("\n", "\r\n").encode(), "a.md")
    assert parse(text).body == "One\nTwo"


@pytest.mark.parametrize(
    ("text", "source", "reason"),
    [
        (toml(""), "blog/_index.md", "index page"),
        (toml(""), "_index.fr.md", "index page"),
        ("# Read me\n", "README.md", "no front matter"),
        ('+++\nsort_by = "date"\n+++\n', "section.md", "neither a title"),
    ],
)
def test_what_is_no_article(text: str, source: str, reason: str) -> None:
    with pytest.raises(NotAnArticle, match=reason) as caught:
        parse(text, source)
    assert caught.value.source == source


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        (toml("", "a\x00b"), "NUL character at position"),
        (toml("", "a\ud800b"), "half a surrogate pair"),
        (toml(r'x = "\u0000"'), "NUL character"),
        (yaml(r'x: "\ud800"'), "half a surrogate pair"),
        ("+++\ntitle = 'x'\n", "never closed"),
        ("---\ntitle: x\n", "never closed"),
        ("+++\ntitle = \n+++\n", "cannot be read"),
        ("---\ntitle: [\n---\n", "cannot be read"),
        ("---\njust words\n---\n", "not a table"),
        ("---\ndate: 2020-01-01\n---\n", "no title"),
        ("---\ntitle: [a]\n---\n", "'title' is not a text"),
        (f"---\ntitle: {'x' * 301}\n---\n", "title has 301 characters"),
        (yaml("date: someday"), "'date' is not a time"),
        (yaml("date: 20200101"), "'date' is not a time"),
        (yaml("date: 2020-13-45"), "'date' is not a time"),
        (yaml("date: 0001-01-01T00:00:00+14:00"), "'date' is not a time"),
        (yaml("path: 2020/13/45/x"), "day that does not exist"),
        (yaml("draft: perhaps"), "neither true nor false"),
        (yaml(f"tags: [{'x' * 201}]"), "among the tags"),
        (yaml("tags: [[a]]"), "not a list of names"),
        (yaml("x: &a [1]\ny: *a"), "aliases are not allowed"),
        (yaml("x: &a [*a]"), "aliases are not allowed"),
        (yaml("x: !!python/object:os.system {}"), "cannot be read"),
        (yaml("x: !!bool maybe"), "does not fit its tag"),
        (yaml("x: !!binary aGk="), "of the kind bytes"),
        (yaml("x: " + "[" * 5000), "cannot be read|too deep"),
        (toml("x = " + "[" * 5000), "cannot be read|too deep"),
        (toml(".".join("a" * 60) + " = 1"), "too deep"),
    ],
)
def test_broken_files_are_named_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ImportProblem, match=reason) as caught:
        parse(text)
    assert caught.value.source == "post.md"
    assert str(caught.value).startswith("post.md: ")


def test_bad_utf8_names_the_byte() -> None:
    with pytest.raises(ImportProblem, match="byte 0xff at offset 5"):
        decode(b"\xef\xbb\xbfab\xff", "post.md")


def test_numbers_and_sets_become_stable_json() -> None:
    fields = "a: 99999999999999999999\nb: .nan\nc: !!set {z, x, y}\n1: one"
    assert parse(yaml(fields)).private == {
        "a": "99999999999999999999",
        "b": ".nan",
        "c": ["x", "y", "z"],
        "1": "one",
    }


FRONT_MATTER_KEYS = st.sampled_from(
    ["title", "date", "published", "slug", "path", "tags", "authors", "draft", "taxonomies", "x"]
)
SCALARS = st.sampled_from(
    ["true", "1", "''", "2020-01-01", "[a, b]", "{name: x}", "!!int x", "&a b", "*a", "'\\0'", "~"]
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["+++", "---", ""]),
    st.lists(st.tuples(FRONT_MATTER_KEYS, st.sampled_from([": ", " = "]), SCALARS | st.text())),
    st.text(),
    st.sampled_from(["a.md", "2020-01-01-a.md", "9999/99/99/a.md", "_index.md", "/"]),
)
def test_any_text_gives_an_article_or_a_named_refusal(
    fence: str, fields: list[tuple[str, str, str]], body: str, source: str
) -> None:
    block = "".join(f"{key}{sign}{value}\n" for key, sign, value in fields)
    outcome: Outcome
    try:
        outcome = parse(f"{fence}\n{block}{fence}\n{body}", source)
    except (ImportProblem, NotAnArticle) as refusal:
        outcome = refusal
    assert outcome.source == source
    if isinstance(outcome, ImportedArticle):
        assert is_slug(outcome.slug)
        assert outcome.title


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        answer = decode(data, "a.md")
    except ImportProblem as problem:
        answer = problem.reason
    content = data.removeprefix(b"\xef\xbb\xbf")
    sound = content.decode(errors="replace").encode() == content
    assert answer.encode() == content if sound else "not UTF-8" in answer
