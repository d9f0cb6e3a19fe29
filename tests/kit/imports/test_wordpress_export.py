"""WordPress exports: what was public stays public, what was not does not become so."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.kit.imports.article import (
    CategoryName,
    ImportedArticle,
    ImportProblem,
    NotAnArticle,
    Outcome,
)
from webapp.kit.imports.wordpress_categories import ExportCategory
from webapp.kit.imports.wordpress_export import ExportAuthor, read_articles, read_channel
from webapp.kit.imports.wordpress_stream import EXPORT
from webapp.kit.slugs import is_slug

NOW = datetime(2024, 6, 1, tzinfo=UTC)

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.1/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.1/">
<channel><title>A site</title>
<wp:author><wp:author_login>ann</wp:author_login><wp:author_email>ann@example.org</wp:author_email>
<wp:author_display_name><![CDATA[Ann Lee]]></wp:author_display_name></wp:author>
<wp:category><wp:category_nicename>child</wp:category_nicename>
<wp:category_parent>top</wp:category_parent><wp:cat_name><![CDATA[A child]]></wp:cat_name>
</wp:category>
<wp:category><wp:category_nicename>top</wp:category_nicename><wp:category_parent/>
<wp:cat_name>Top</wp:cat_name></wp:category>
"""
TAIL = "</channel></rss>"

FIELDS = {
    "title": "A post",
    "link": "https://example.org/a-post/",
    "pubDate": "Mon, 03 Feb 2020 04:05:06 +0000",
    "dc:creator": "ann",
    "guid": "https://example.org/?p=7",
    "content:encoded": "Hello",
    "excerpt:encoded": "",
    "wp:post_id": "7",
    "wp:post_date": "2020-02-03 09:05:06",
    "wp:post_date_gmt": "2020-02-03 04:05:06",
    "wp:post_name": "a-post",
    "wp:status": "publish",
    "wp:post_parent": "0",
    "wp:post_type": "post",
    "wp:post_password": "",
}


def item(terms: str = "", **changes: str) -> str:
    fields = FIELDS | {name.replace("__", ":"): text for name, text in changes.items()}
    parts = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    return f"<item>{parts}{terms}</item>"


def outcomes(*items: str) -> list[Outcome]:
    return list(read_articles((HEAD + "".join(items) + TAIL).encode(), now=NOW))


def article(terms: str = "", **changes: str) -> ImportedArticle:
    (outcome,) = outcomes(item(terms, **changes))
    assert isinstance(outcome, ImportedArticle)
    return outcome


def term(domain: str, nicename: str, name: str) -> str:
    return f"<category domain={quoteattr(domain)} nicename={quoteattr(nicename)}>{name}</category>"


def test_channel_gives_authors_and_categories() -> None:
    channel = read_channel((HEAD + item() + TAIL).encode())
    assert channel.title == "A site"
    assert channel.authors == {"ann": ExportAuthor("ann", "Ann Lee", "ann@example.org")}
    assert channel.categories == {
        "child": ExportCategory("child", "A child", "top"),
        "top": ExportCategory("top", "Top", None),
    }


def test_a_published_post() -> None:
    terms = term("category", "child", "A child") + term("post_tag", "x-y", "X &amp;amp; Y")
    assert article(terms, excerpt__encoded="<b>In</b> short") == ImportedArticle(
        source="https://example.org/?p=7#7",
        title="A post",
        slug="a-post",
        body="<p>Hello</p>",
        body_format="html",
        status="published",
        published_at=datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC),
        authors=("Ann Lee",),
        author_login="ann",
        categories=("A child",),
        categories_above=(CategoryName("Top", "top"),),
        tags=("X & Y",),
        excerpt="In short",
        metadata={
            "type": "post",
            "link": "https://example.org/a-post/",
            "original_slug": "a-post",
            "category_nicenames": ["child"],
        },
        private={"status": "publish", "author": "ann"},
    )


@pytest.mark.parametrize(
    ("changes", "status", "held_back"),
    [
        ({"wp__status": "draft"}, "draft", None),
        ({"wp__status": "pending"}, "draft", "pending"),
        ({"wp__status": "private"}, "draft", "private"),
        ({"wp__status": "in-review"}, "draft", "unknown status 'in-review'"),
        ({"wp__status": ""}, "draft", "unknown status ''"),
        ({"wp__post_password": "enter"}, "draft", "password-protected"),
        ({"wp__post_password": " "}, "draft", "password-protected"),
        ({"wp__post_password": "x", "wp__status": "future"}, "draft", "password-protected"),
        ({"wp__status": "future", "wp__post_date_gmt": "2030-01-01 19:00:00"}, "scheduled", None),
        ({"wp__post_date_gmt": "2030-01-01 19:00:00"}, "scheduled", None),
        ({"wp__status": "future"}, "published", None),
        ({"wp__post_type": "page"}, "published", None),
    ],
)
def test_status(changes: dict[str, str], status: str, held_back: str | None) -> None:
    outcome = article(**changes)
    assert outcome.status == status
    assert outcome.held_back == outcome.private.get("held_back") == held_back
    assert "enter" not in repr(outcome)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wp__post_type": "attachment", "wp__status": "inherit"}, "type attachment"),
        ({"wp__post_type": "nav_menu_item"}, "type nav_menu_item"),
        ({"wp__post_type": "revision", "wp__status": "inherit"}, "type revision"),
        ({"wp__post_type": ""}, "type none"),
        ({"wp__status": "trash"}, "status trash"),
        ({"wp__status": "auto-draft"}, "status auto-draft"),
    ],
)
def test_what_is_skipped(changes: dict[str, str], reason: str) -> None:
    (outcome,) = outcomes(item(**changes))
    assert isinstance(outcome, NotAnArticle)
    assert reason in outcome.reason


def test_dates_fall_back_from_gmt_to_the_feed_to_local_time() -> None:
    none = "0000-00-00 00:00:00"
    never = "Mon, 30 Nov -0001 00:00:00 +0000"
    feed = article(wp__post_date_gmt=none, wp__post_date="2020-02-03 01:00:00")
    assert feed.published_at == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    local = article(wp__post_date_gmt=none, pubDate=never, wp__post_date="2020-02-03 01:00:00")
    assert local.published_at == datetime(2020, 2, 3, 1, tzinfo=UTC)
    lost = {"wp__post_date_gmt": none, "pubDate": never, "wp__post_date": none}
    assert article(**lost).published_at is None
    held = article(wp__status="future", **lost)
    assert (held.status, held.held_back) == ("draft", "scheduled without a time")


def test_titles_and_slugs() -> None:
    assert article(title="", wp__post_name="no-title-here").title == "No title here"
    assert article(title="", wp__post_name="").title == "Untitled"
    marked = article(title="Fish &amp; <em>chips</em> 1 < 2")
    assert marked.title == "Fish & chips 1 < 2"
    assert marked.private["original_title"] == "Fish &amp; <em>chips</em> 1 < 2"
    assert article(wp__post_name="%ce%b5%cf%80%ce%af-2").slug == "epi-2"
    assert article(wp__post_name="", title="My Draft").slug == "my-draft"
    (problem,) = outcomes(item(title="x" * 301))
    assert isinstance(problem, ImportProblem)
    assert "301 characters" in problem.reason


def test_a_login_is_mended_only_where_that_gives_a_known_one() -> None:
    assert article(dc__creator=">ann").author_login == "ann"
    assert article(dc__creator=">bob").author_login == ">bob"
    assert article(dc__creator="bob").authors == ("bob",)
    assert article(dc__creator="").authors == ()


def test_a_mail_address_without_a_name_is_no_byline() -> None:
    outcome = article(dc__creator="ann@example.org")
    assert (outcome.authors, outcome.private["author"]) == ((), "ann@example.org")
    assert "ann@example.org" not in repr(outcome.metadata)


def test_source_keys_are_unique_and_a_repeated_item_is_named() -> None:
    first, second, third = outcomes(item(), item(wp__post_id="8"), item())
    assert isinstance(first, ImportedArticle)
    assert isinstance(second, ImportedArticle)
    assert first.source != second.source
    assert isinstance(third, ImportProblem)
    assert "second time" in third.reason
    (nameless,) = outcomes(item(guid="", link="", wp__post_id=""))
    assert isinstance(nameless, ImportProblem)
    assert nameless.source == EXPORT


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("One\n\nTwo\nthree", "<p>One</p>\n<p>Two<br>\nthree</p>"),
        ("One\r\n\r\nTwo<br />\r\nx", "<p>One</p>\n<p>Two<br>\nx</p>"),
        ("<em>a\n\nb</em>", "<p><em>a</em></p><em>\n</em><p><em>b</em></p>"),
        ("Hi\n<h2>T</h2>\nthere", "<p>Hi</p>\n<h2>T</h2><p>there</p>"),
        ("<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>", "<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>"),
        ("<pre>a\n\nb</pre>", "<pre>a\n\nb</pre>"),
        ("<blockquote>a\n\nb</blockquote>", "<blockquote><p>a</p>\n<p>b</p>\n</blockquote>"),
        ("<p>a</p>\n\n<p>b</p>", "<p>a</p><p>b</p>"),
        ("a<!--more-->b<!-- x -->", "<p>ab</p>"),
        (
            "<!-- wp:paragraph -->\n<p>a</p>\n<!-- /wp:paragraph -->\n\n"
            '<!-- wp:heading {"level":2} -->\n<h2>b</h2>\n<!-- /wp:heading -->',
            "<p>a</p>\n\n<h2>b</h2>",
        ),
        (
            '[caption id="x" align="alignleft" width="9"]<a href="/b"><img src="/a.png" /></a> '
            "The <b>text</b>[/caption] after",
            '<figure class="alignleft"><a href="/b" rel="noopener"><img src="/a.png"></a>'
            "<figcaption>The <b>text</b></figcaption></figure><p>after</p>",
        ),
        (
            '[caption caption="Old"]<img src="/a.png">[/caption]',
            '<figure><img src="/a.png"><figcaption>Old</figcaption></figure>',
        ),
        ("[caption]never closed", "<p>[caption]never closed</p>"),
        ("[gallery ids='1,2']\n\nx", "<p>x</p>"),
        ("[unknown a=1]x[/unknown]", "<p>[unknown a=1]x[/unknown]</p>"),
        (
            "[embed]https://example.org/v?a=1&b=2[/embed]",
            '<p><a href="https://example.org/v?a=1&amp;b=2" rel="noopener">'
            "https://example.org/v?a=1&amp;b=2</a></p>",
        ),
        (
            '[video src="https://example.org/v.mp4" width="3"][/video]',
            '<p><a href="https://example.org/v.mp4" rel="noopener">https://example.org/v.mp4</a></p>',
        ),
        ("<script>x</script><p onclick=y>a</p>", "<p>a</p>"),
        ("", ""),
    ],
)
def test_bodies(stored: str, expected: str) -> None:
    assert article(content__encoded=stored).body == expected


def test_the_more_mark_gives_the_excerpt_where_none_is_written() -> None:
    assert article(content__encoded="Up\n\nhere<!--more-->down").excerpt == "Up here"
    assert article(content__encoded="No mark").excerpt is None


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>"
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (b"", "not well-formed"),
        (b"hello", "not well-formed"),
        (b"<html><body>x</body></html>", "no RSS channel"),
        (b'<?xml version="1.0" encoding="no-such"?><rss/>', "encoding|not well-formed"),
        (b"<rss><channel></rss>", "not well-formed"),
        (b"<rss><channel>\x00</channel></rss>", "no WordPress export"),
        (b"<rss><channel><item><title>a</title></item></channel></rss>", "no WordPress export"),
        ((BOMB + "<rss><channel><title>&b;</title></channel></rss>").encode(), "refused"),
        ((OUTSIDE + "<rss><channel><title>&a;</title></channel></rss>").encode(), "refused"),
    ],
)
def test_a_file_that_is_no_export_is_one_named_problem(export: bytes, reason: str) -> None:
    with pytest.raises(ImportProblem, match=reason):
        read_channel(export)
    (outcome,) = read_articles(export, now=NOW)
    assert isinstance(outcome, ImportProblem)
    assert outcome.source == EXPORT


def test_a_file_that_breaks_off_gives_what_stands_before() -> None:
    whole = HEAD + item() + item(wp__post_id="8")
    first, second, problem = read_articles(whole.encode() + b"<item><title>Cut", now=NOW)
    assert isinstance(first, ImportedArticle)
    assert isinstance(second, ImportedArticle)
    assert isinstance(problem, ImportProblem)


class Endless(io.RawIOBase):
    """An export of many items that exists only while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self.served = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def read(self, size: int = -1) -> Any:
        part = next(self._parts, b"")
        self.served += len(part)
        return part


def test_a_stream_is_read_no_further_than_needed() -> None:
    head = HEAD.encode() + item().encode()
    items = (item(wp__post_id=str(n)).encode() for n in range(10, 10_000))
    stream = Endless(part for source in ([head], [HEAD.encode()], items) for part in source)
    articles = read_articles(stream, now=NOW)  # type: ignore[arg-type]
    assert isinstance(next(articles), ImportedArticle)
    assert stream.served < 20_000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans(), st.integers(min_value=0, max_value=2000))
def test_any_bytes_give_only_outcomes(noise: bytes, within: bool, place: int) -> None:
    whole = (HEAD + item() + TAIL).encode()
    export = whole[:place] + noise + whole[place:] if within else noise
    for outcome in read_articles(export, now=NOW):
        assert isinstance(outcome, ImportedArticle | ImportProblem | NotAnArticle)


XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
)
SCRAPS = (
    "[caption|]|[/caption]|[gallery|[audio |https://x.y|<img>|<p>|</p>|\n\n|<!--|-->|<!--more-->|"
    "<!-- wp:x -->|<pre>|<li>|<div>|</div>|<![CDATA[|&#0;|&lt;|\x85| "
)
STORED = st.lists(st.sampled_from(SCRAPS.split("|"))).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), XML_TEXT | STORED))
def test_any_fields_give_only_outcomes(changes: dict[str, str]) -> None:
    changes.pop("wp:post_type", None)
    for outcome in outcomes(item(**changes)):
        if isinstance(outcome, ImportedArticle):
            assert is_slug(outcome.slug)
            assert outcome.title
            assert "\x00" not in repr(outcome)
        else:
            assert isinstance(outcome, ImportProblem | NotAnArticle)
