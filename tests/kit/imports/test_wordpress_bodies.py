"""Bodies of a WordPress export lose no text, picture or embed without a word."""

import base64
import json
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from tests.kit.imports.test_wordpress_export import HEAD, NOW, TAIL, item, term
from webapp.kit.content_limits import check_metadata
from webapp.kit.imports.article import ImportedArticle, ImportProblem
from webapp.kit.imports.wordpress_export import read_articles


def meta(key: str, value: str) -> str:
    """Give a field that a plugin added to an item."""
    return (
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key>"
        f"<wp:meta_value>{escape(value)}</wp:meta_value></wp:postmeta>"
    )


def upload(number: str, parent: str = "0", **changes: str) -> str:
    """Give an attachment."""
    fields = {
        "wp__post_id": number,
        "guid": f"u{number}",
        "wp__post_type": "attachment",
        "wp__status": "inherit",
        "wp__post_parent": parent,
        "title": f"File {number}",
    }
    address = changes.pop("address", f"https://example.org/{number}.jpg")
    terms = f"<wp:attachment_url>{address}</wp:attachment_url>"
    return item(terms + changes.pop("terms", ""), **(fields | changes))


def reusable(number: str, content: str, **changes: str) -> str:
    """Give a reusable block."""
    fields = {"wp__post_id": number, "guid": f"b{number}", "wp__post_type": "wp_block"}
    return item(content__encoded=content, **(fields | changes))


def read(content: str, terms: str = "", *others: str, **changes: str) -> ImportedArticle:
    """Read one article whose attachments and blocks stand behind it in the file."""
    export = HEAD + item(terms, content__encoded=content, **changes) + "".join(others) + TAIL
    outcome = next(iter(read_articles(export.encode(), now=NOW)))
    assert isinstance(outcome, ImportedArticle)
    return outcome


def anchor(address: str, text: str = "") -> str:
    """Give a link as it comes out."""
    return f'<a href="{address}" rel="noopener">{text or address}</a>'


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (
            '[sourcecode language="cpp"]\n#include <vector>\n\n\n    int a[2] = {1 && 2};\n'
            "[/sourcecode]",
            '<code class="language-cpp">#include &lt;vector&gt;\n\n\n'
            "    int a[2] = {1 &amp;&amp; 2};</code>",
        ),
        ("[code]&lt;b&gt; &amp;amp;\n\tx[/code]", "<code>&lt;b&gt; &amp;amp;\n\tx</code>"),
        ("[code lang=php]<?php echo '[gallery]'; ?>[/code]",
         "<code class=\"language-php\">&lt;?php echo '[gallery]'; ?&gt;</code>"),
        ("[python]\nif a < b:\n    pass\n[/python]",
         '<code class="language-python">if a &lt; b:\n    pass</code>'),
        ("[code firstline='3' language='js']a[0] <script>[/code]",
         '<code class="language-js">a[0] &lt;script&gt;</code>'),
        ("[source='xml']<a>&lt;</a>[/source]",
         '<code class="language-xml">&lt;a&gt;&amp;lt;&lt;/a&gt;</code>'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "<!-- wp:shortcode -->\n{}\n<!-- /wp:shortcode -->"])
def test_code_in_shortcodes_is_kept_to_the_letter(written: str, code: str, around: str) -> None:
    article = read("Before.\n\n" + around.format(written) + "\n\nAfter.")
    assert f"<pre>{code}</pre>" in article.body
    assert article.body.endswith(("<p>After.</p>", "After."))
    assert article.notices == ()


def test_code_that_is_not_closed_stays_text() -> None:
    assert read("[code]a[php]b").body == "<p>[code]a[php]b</p>"
    assert read("a[/code]b").body == "<p>a[/code]b</p>"
    assert "<pre><code>x</code></pre>" in read("[code]x[/code] [code]y").body


def test_lines_of_preformatted_text_in_blocks_stay_as_they_are() -> None:
    body = "<!-- wp:code -->\n<pre><code>a\n\n\n    b</code></pre>\n<!-- /wp:code -->"
    assert read(body).body == "<pre><code>a\n\n\n    b</code></pre>"


@pytest.mark.parametrize(
    ("embed", "address"),
    [
        ('<iframe src="https://www.youtube.com/embed/x"></iframe>', "https://www.youtube.com/embed/x"),
        ("<IFRAME width=3 SRC='//player.vimeo.com/video/1?a=1&amp;b=2'>no frames</IFRAME>",
         "https://player.vimeo.com/video/1?a=1&amp;b=2"),
        ('<iframe data-src="https://example.org/f" src="about:blank"></iframe>',
         "https://example.org/f"),
        ('<script src="https://gist.github.com/ann/abc.js"></script>',
         "https://gist.github.com/ann/abc"),
        ('<script async src="https://asciinema.org/a/14.js" id="x"></script>',
         "https://asciinema.org/a/14.js"),
        ('<embed src="https://example.org/a.swf">', "https://example.org/a.swf"),
        ('<object data="https://example.org/b.pdf"></object>', "https://example.org/b.pdf"),
        ('<object><param name="movie" value="https://example.org/v/1"/>'
         '<embed src="https://example.org/v/1"/></object>', "https://example.org/v/1"),
        ('<object><embed src="https://example.org/v/2"></embed></object>', "https://example.org/v/2"),
    ],
)  # fmt: skip
def test_an_embed_becomes_a_link_in_its_place(embed: str, address: str) -> None:
    article = read(f"Up\n\n{embed}\n\ndown")
    assert article.body == f"<p>Up</p>\n<p>{anchor(address)}</p>\n<p>down</p>"
    assert article.notices == ()
    block = read(f"<!-- wp:html -->\n{embed}\n<!-- /wp:html -->\n<p>down</p>")
    assert block.body.count(anchor(address)) == 1
    assert block.body.endswith("<p>down</p>")


@pytest.mark.parametrize(
    ("embed", "notice"),
    [
        ('<iframe src="about:blank"></iframe>', "frame without an address"),
        ("<iframe srcdoc='x'></iframe>", "frame without an address"),
        ("<script>alert(1)</script>", "script"),
        ("<object></object>", "player without an address"),
        ("<embed>", "player without an address"),
        ('<svg><path d="M0"/></svg>', "drawing (svg)"),
        ('<img src="data:image/png;base64,AA==">', "picture written into the text itself (data:)"),
        ('<!-- wp:latest-posts {"postsToShow":3} /-->',
         "block that the site itself fills (latest-posts)"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_noted_and_the_text_around_it_stays(embed: str, notice: str) -> None:
    article = read(f"<p>Up</p>{embed}<p>down</p>")
    assert "Up" in article.body
    assert "down" in article.body
    assert article.notices == (notice,)
    assert article.status == "published"


def test_the_loader_of_a_quotation_is_no_loss() -> None:
    tweet = (
        '<blockquote>Hi</blockquote><script src="https://platform.twitter.com/widgets.js"></script>'
    )
    assert read(tweet).body == "<blockquote>Hi</blockquote>"
    assert read(tweet).notices == ()


@pytest.mark.parametrize("mark", ["", "<!-- wp:paragraph -->"])
@pytest.mark.parametrize("tag", ["int", "vector", "text", "filter", "object", "T"])
def test_text_behind_an_unknown_tag_stays(tag: str, mark: str) -> None:
    article = read(f"{mark}I use list<{tag}> here.\n\nNext paragraph.")
    assert "here." in article.body
    assert "Next paragraph." in article.body


def test_pictures_that_a_script_was_to_load_have_their_address() -> None:
    lazy = '<img src="data:image/gif;base64,R0" data-src="https://example.org/p.jpg" alt="A">'
    assert '<img src="https://example.org/p.jpg" alt="A">' in read(lazy).body
    assert read(lazy).notices == ()


@pytest.mark.parametrize(
    "written",
    ["<amp-img src='//example.org/p.jpg'></amp-img>", "<img srcset='https://example.org/p.jpg 2x'>",
     "<img data-srcset='https://example.org/p.jpg, https://example.org/q.jpg 2x'>"],
)  # fmt: skip
def test_a_picture_that_only_some_readers_understand_is_a_plain_one(written: str) -> None:
    assert 'example.org/p.jpg" alt=""' in read(written).body


def test_a_gallery_shows_the_uploads_it_names_in_its_order() -> None:
    alt = meta("_wp_attachment_image_alt", 'A "b"')
    others = (upload("11", terms=alt), upload("12", excerpt__encoded="The <b>end</b>"))
    article = read("Up [gallery ids='12,11' columns=2] down", "", *others)
    assert article.body == (
        "<p>Up</p>\n"
        '<figure><img src="https://example.org/12.jpg" alt="">'
        "<figcaption>The <b>end</b></figcaption></figure>"
        '<figure><img src="https://example.org/11.jpg" alt="A &quot;b&quot;"></figure><p>down</p>'
    )
    assert article.notices == ()


def test_a_gallery_without_numbers_shows_the_uploads_of_its_article() -> None:
    order = "<wp:menu_order>{}</wp:menu_order>"
    others = (
        upload("11", "7", terms=order.format(2)),
        upload("12", "7", terms=order.format(1)),
        upload("13", "8"),
        upload("14", "7", address="https://example.org/14.pdf"),
        upload("15", "7", wp__status="trash"),
        upload("16", "7", wp__status="private"),
    )
    body = read("[gallery]", "", *others).body
    assert [number for number in range(11, 17) if f"{number}." in body] == [11, 12]
    assert body.index("12.jpg") < body.index("11.jpg")
    assert "13.jpg" in read("[gallery id=8]", "", *others).body
    assert "12.jpg" not in read("[gallery exclude='12']", "", *others).body


def test_a_gallery_and_a_playlist_without_their_files_are_noted() -> None:
    assert read("a [gallery ids='1,2']").notices == ("gallery without pictures",)
    assert read("a [gallery]").notices == ("gallery without pictures",)
    assert read("a [playlist ids='1']").notices == ("playlist without pieces",)
    half = read("[gallery ids='11,12,13']", "", upload("11"))
    assert half.notices == ("picture of a gallery that is not in the file",) * 2


def test_a_playlist_becomes_links() -> None:
    song = upload("11", "7", address="https://example.org/a.mp3", title="Song & dance")
    linked = f"<p>{anchor('https://example.org/a.mp3', 'Song &amp; dance')}</p>"
    assert read("[playlist ids=11]", "", song).body == linked
    assert read("[playlist]", "", song).body == linked


def test_a_reusable_block_is_put_in_also_within_another() -> None:
    outer = 'Outer <!-- wp:block {"ref":22} /--> end'
    article = read(
        'a <!-- wp:block {"ref":21} /--> z',
        "",
        reusable("21", outer),
        reusable("22", "<b>inner</b>"),
    )
    assert "a Outer <b>inner</b> end z" in article.body
    assert article.notices == ()


@pytest.mark.parametrize(
    "changes",
    [{"wp__status": "draft"}, {"wp__status": "trash"}, {"wp__status": "private"},
     {"wp__post_password": "x"}],
)  # fmt: skip
def test_a_block_that_is_not_public_there_is_not_put_in(changes: dict[str, str]) -> None:
    article = read('a <!-- wp:block {"ref":21} /-->', "", reusable("21", "secret", **changes))
    assert "secret" not in article.body
    assert article.notices == ("reusable block that is not in the file, or not public there",)


def test_blocks_that_hold_themselves_or_each_other_many_times_end() -> None:
    again = '<!-- wp:block {"ref":21} /-->'
    assert len(read(again, "", reusable("21", "x" + again)).notices) == 1
    wide = [reusable(str(n), f'y<!-- wp:block {{"ref":{n + 1}}} /-->' * 10) for n in range(30, 40)]
    article = read('<!-- wp:block {"ref":30} /-->', "", *wide)
    assert "reusable block beyond what one article may hold" in article.notices
    assert len(article.body) < 10_000


NOTES = json.dumps([{"id": "n-1", "content": "First <em>note</em>"}, {"id": "n-2", "content": "2"}])
MARKED = '<p>Text<sup data-fn="n-1" class="fn"><a href="#n-1" id="n-1-link">1</a></sup></p>'


@pytest.mark.parametrize("block", ["", "\n\n<!-- wp:footnotes /-->"])
def test_footnotes_come_in_with_marks_that_work(block: str) -> None:
    article = read(f"<!-- wp:paragraph -->{MARKED}{block}", meta("footnotes", NOTES))
    assert '<a href="#n-1" id="n-1-link"' in article.body
    assert '<li id="n-1">First <em>note</em> <a href="#n-1-link"' in article.body
    assert '<li id="n-2">2 ' in article.body
    assert article.notices == ()


@pytest.mark.parametrize("stored", ["{", "[1]", '{"a": 1}', pytest.param("[" * 100_000, id="deep")])
def test_footnotes_that_cannot_be_read_are_noted(stored: str) -> None:
    article = read(MARKED + "<!-- wp:footnotes /-->", meta("footnotes", stored))
    assert article.notices == ("footnotes that cannot be read",)
    lost = read(MARKED + "<!-- wp:footnotes /-->")
    assert lost.notices == ("footnotes that are not in the file",)


@pytest.mark.parametrize("address", ["url(https://example.org/c.jpg)", "url('//example.org/c.jpg')",
                                     "url(&quot;https://example.org/c.jpg&quot;)"])  # fmt: skip
def test_a_picture_in_the_background_is_kept(address: str) -> None:
    cover = f'<div class="wp-block-cover" style="background-image:{address}"><p>T</p></div>'
    body = read(f"<!-- wp:cover -->{cover}<!-- /wp:cover -->").body
    assert body == (
        '<div><figure><img src="https://example.org/c.jpg" alt=""></figure><p>T</p></div>'
    )
    assert read(cover + '<img src="https://example.org/c.jpg">').body.count("<img") == 1


def test_alignment_that_only_a_style_says_is_kept() -> None:
    right, middle = "text-align:right", "x:y; text-align: center"
    table = f'<table><tr><th style="{right}">a</th><td style="{middle}">b</td></tr></table>'
    body = read(table).body
    assert '<th align="right">a</th>' in body
    assert '<td align="center">b</td>' in body
    assert read('<p style="text-align: center">x</p>').body == '<p align="center">x</p>'


def test_the_brackets_of_a_page_builder_go_and_its_text_stays() -> None:
    raw = base64.b64encode(quote("<em>raw</em>").encode()).decode()
    article = read(
        '[vc_row css=".x{a:b}"][vc_column width="1/2"][vc_custom_heading text="A <i> title"]'
        '[vc_column_text]Some <b>text</b>[/vc_column_text][vc_single_image image="11"]'
        f"[vc_raw_html]{raw}[/vc_raw_html]"
        '[vc_btn title="Go" link="url:https%3A%2F%2Fexample.org%2Fgo|title:x"]'
        '[vc_video link="https://example.org/film"][et_pb_image src="https://example.org/e.png"]'
        "[/vc_column][/vc_row]",
        "",
        upload("11"),
    )
    for kept in (
        "A &lt;i&gt; title", "Some <b>text</b>", "https://example.org/11.jpg", "<em>raw</em>",
        anchor("https://example.org/go", "Go"), anchor("https://example.org/film"),
        'src="https://example.org/e.png"',
    ):  # fmt: skip
        assert kept in article.body
    assert "[" not in article.body
    assert article.notices == ("page builder's layout",)
    assert read("[unknown]x[/unknown] [0]").body == "<p>[unknown]x[/unknown] [0]</p>"


@pytest.mark.parametrize("key", ["_elementor_data", "_fl_builder_data", "panels_data"])
@pytest.mark.parametrize("status", ["publish", "future", "draft"])
def test_an_article_whose_text_only_a_page_builder_has_is_held_back(key: str, status: str) -> None:
    article = read("<p>&nbsp;</p>", meta(key, '[{"id": 1}]'), wp__status=status)
    assert article.status == "draft"
    assert article.held_back == "nothing of its body could be read"
    assert len(article.notices) == 1
    assert "keeps its text in a form of its own" in article.notices[0]
    assert read("Text", meta(key, '[{"id": 1}]')).status == "published"


def test_an_article_of_which_nothing_is_left_is_held_back_and_an_empty_one_is_not() -> None:
    assert read("[gallery ids='1']").status == "draft"
    assert read("<script>x</script>").status == "draft"
    assert read("<unknown-thing data-text='x'></unknown-thing>").status == "draft"
    blank = read("<!-- wp:paragraph -->\n<p>&nbsp;</p>\n<!-- /wp:paragraph -->")
    assert (blank.status, blank.notices) == ("published", ())
    assert (read("").status, read("").notices) == ("published", ())
    assert read("<img src='/a.png'>").status == "published"


def test_the_featured_picture_description_and_other_taxonomies_are_kept() -> None:
    terms = meta("_thumbnail_id", "11") + meta("_yoast_wpseo_metadesc", "About & so")
    article = read("x", terms + term("series", "s", "A &amp;amp; B"), upload("11"))
    assert article.metadata["featured_image"] == "https://example.org/11.jpg"
    assert article.metadata["description"] == "About & so"
    assert article.metadata["terms"] == {"series": ["A & B"]}
    assert article.notices == ()
    missing = read("x", meta("_thumbnail_id", "12"))
    assert missing.notices == ("featured picture that is not in the file",)


def test_tags_of_the_oldest_exports_are_tags_and_comments_are_counted() -> None:
    comment = "<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>"
    article = read("x", term("tag", "news", "News") + term("post_tag", "n", "News") + comment * 2)
    assert article.tags == ("News",)
    assert article.notices == ("comment left out",) * 2


def test_an_address_as_the_display_name_of_an_author_is_no_byline() -> None:
    head = HEAD.replace("Ann Lee", "ann.lee@example.org")
    (article,) = read_articles((head + item() + TAIL).encode(), now=NOW)
    assert isinstance(article, ImportedArticle)
    assert article.authors == ()


def test_the_body_as_written_is_kept_in_private_where_something_was_dropped() -> None:
    assert "original_body" not in read("<p>all</p>").private
    article = read("<p>some</p><script>x</script>")
    assert article.private["original_body"] == "<p>some</p><script>x</script>"
    assert "script" not in repr(article.metadata)
    large = read("<script>x</script>" + "long\n" * 20_000)
    check_metadata(large.private)
    assert large.notices[-1].startswith("body as it was written, which is too long")


def test_a_body_of_many_open_shortcodes_and_tags_is_read_in_good_time() -> None:
    scraps = "[code] [gallery <iframe <object> <script> [vc_row <!-- wp:x <img a a= [caption] [[ "
    assert len(read(scraps * 3_000).body) > 0


def test_a_body_that_would_multiply_takes_no_other_item_along() -> None:
    many = "".join(f'<b title="{n}">' for n in range(300)) + "<p>x" * 300
    bad, good = item(guid="a", content__encoded=many), item(guid="b")
    problem, article = read_articles((HEAD + bad + good + TAIL).encode(), now=NOW)
    assert isinstance(problem, ImportProblem)
    assert problem.source == "a#7"
    assert isinstance(article, ImportedArticle)
