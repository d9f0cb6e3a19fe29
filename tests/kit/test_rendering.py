"""What reaches a reader: rendered faithfully, never dangerous, and stable when cleaned again."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.kit.rendering.excerpts import excerpt, shorten
from webapp.kit.rendering.markdown import render
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.kit.rendering.sanitising import sanitise


def test_commonmark_with_tables_and_strikethrough() -> None:
    html = render("# Hi\n\n**bold** ~~gone~~\n\n| a | b |\n| :- | -: |\n| 1 | 2 |\n")
    assert '<h1 id="hi">Hi</h1>' in html
    assert "<strong>bold</strong> <s>gone</s>" in html
    assert '<th align="left">a</th>' in html
    assert '<td align="right">2</td>' in html


def test_code_keeps_its_language_and_loses_other_classes() -> None:
    assert render("```rust,ignore\nfn f<T>() {}\n```") == (
        '<pre><code class="language-rust">fn f&lt;T&gt;() {}\n</code></pre>\n'
    )
    assert sanitise('<code class="evil language-c++">x</code>') == (
        '<code class="language-c++">x</code>'
    )


def test_headings_get_distinct_ids_and_keep_written_ones() -> None:
    html = render("## The *end*\n\n## The end\n\n## 2018 `edition`\n\n<h2 id='mine'>x</h2>\n")
    assert '<h2 id="the-end">' in html
    assert '<h2 id="the-end-1">' in html
    assert '<h2 id="2018-edition">' in html
    assert '<h2 id="mine">x</h2>' in html


def test_links_stay_followable_and_open_nothing_behind_them() -> None:
    assert render("[a](https://example.org/x)") == (
        '<p><a href="https://example.org/x" rel="noopener">a</a></p>\n'
    )
    assert sanitise('<a href="/local" rel="nofollow" target="_blank">a</a>') == (
        '<a href="/local" rel="noopener">a</a>'
    )


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<style>body{display:none}</style>",
        "<iframe src='https://example.org'>x</iframe>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<object data='x'></object><embed src='x'>",
        "<!-- hidden -->",
        "<form action='https://example.org'><input name=password></form>",
    ],
)
def test_elements_that_never_pass(source: str) -> None:
    html = sanitise(source)
    lowered = html.lower()
    for word in ("script", "style", "frame", "svg", "math", "onerror", "object", "embed", "<!--"):
        assert f"<{word}" not in lowered
        # A quoted value is text, whatever it says.
        assert f"{word}=" not in re.sub('"[^"]*"', '""', lowered)
    assert "<form" not in lowered
    assert "<input" not in lowered


@pytest.mark.parametrize(
    "source",
    [
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java\nscript:alert(1)">x</a>',
        '<img src="javascript:alert(1)">',
        '<img src="data:image/svg+xml,x">',
        '<img src="mailto:a@example.org">',
        '<video poster="javascript:alert(1)" src="vbscript:x"></video>',
        '<blockquote cite="javascript:alert(1)">x</blockquote>',
        '<p onclick="alert(1)" style="position:fixed" data-x="y">x</p>',
        "[x](javascript:alert(1) 'y')",
        "<img src=x onerror=alert(1) id=y name=z>",
    ],
)
def test_attributes_that_never_pass(source: str) -> None:
    for html in (sanitise(source), render(source)):
        for tag in html.split("<")[1:]:
            inside = tag.partition(">")[0]
            for word in ("script:", "data", "mailto", "cite", "style", "onclick", "onerror", "id="):
                assert word not in inside


def test_what_authors_need_is_kept() -> None:
    kept = (
        '<figure class="aligncenter"><img src="a.png" alt="A" width="10" height="5">'
        "<figcaption>Text</figcaption></figure>"
        '<details open=""><summary>More</summary><p align="right">x</p></details>'
        '<table><tbody><tr><td colspan="2" align="center">1</td></tr></tbody></table>'
        '<progress value="3" max="5"></progress>'
        '<audio controls="" src="https://example.org/a.mp3"></audio>'
    )
    assert sanitise(kept) == kept


def test_line_breaks_opening_pre_do_not_wear_away() -> None:
    once = sanitise("<pre>\n\n\nx\n\ny</pre>")
    assert once == "<pre>x\n\ny</pre>" == sanitise(once)


SCRAPS = (
    "<p>|</p>|<a href=x>|</a>|<table>|<tr>|<td>|</table>|<b>|</b>|<i>|<div>|</div>|<li>|<ul>|"
    "<pre>|</pre>|<svg>|<math>|<style>|</style>|<!--|-->|<![CDATA[|]]>|<h1>|<select>|<option>|"
    "<template>|<noscript>|<textarea>|<plaintext>|<ruby>|<rt>|<br>|<hr>|<form>|<button>|<details>|"
    "<summary>|<mglyph>|<mtext>|<caption>|<col>|<dd>|<nobr>|&lt;|&amp|&#0;|&nbsp;|\n\n|\n|\t| |x|"
    "<code>|```|#|* |> |<p\x00>|<img src='x>' onerror=y>|<a/href=java&#9;script:x>|&lt;b&gt;|'|\""
)
FRAGMENTS = st.sampled_from(SCRAPS.split("|"))


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(FRAGMENTS, max_size=25).map("".join), st.text(max_size=200)))
def test_sanitising_again_changes_nothing(source: str) -> None:
    once = sanitise(source)
    assert sanitise(once) == once
    rendered = render(source)
    assert sanitise(rendered) == rendered


def test_threads_render_alike() -> None:
    source = "# A\n\n| x | y |\n| - | - |\n| ~~1~~ | 2 |\n\n- [b](/c)\n"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(render, [source] * 200))) == 1


def test_excerpt_is_plain_text_of_whole_words() -> None:
    html = "<h1>One</h1><p>two <b>th</b>ree<br>four</p><script>no()</script><ul><li>five</li></ul>"
    assert excerpt(html) == "One two three four five"
    assert excerpt(html, 14) == "One two three…"
    assert excerpt(html, 12) == "One two…"
    assert excerpt("<p>a &lt;b&gt; &amp; c</p>") == "a <b> & c"
    assert excerpt("") == ""


def test_excerpt_looks_behind_markup_without_text() -> None:
    html = '<p><img src="x" alt="y"></p>' * 500 + "<p>found</p>"
    assert excerpt(html) == "found"


@settings(deadline=None)
@given(st.text(max_size=2000), st.integers(min_value=1, max_value=300))
def test_excerpt_never_passes_its_limit(source: str, limit: int) -> None:
    text = excerpt(source, limit)
    assert len(text) <= limit
    assert text == " ".join(text.split())


def test_shorten_cuts_one_long_word() -> None:
    assert shorten("abcdefgh", 4) == "abc…"
    assert shorten("abc, defgh", 6) == "abc…"
    assert shorten(" abc \n d ", 6) == "abc d"


@pytest.mark.parametrize(
    "opening",
    [
        "<div>",
        "<b>",
        "<ul><li>",
        "</x><div>",
        "<div><!--</div>-->",
        "<div title='</div>'>",
        "<div a\"='></div>'>",
        "<div><!x </div>",
        "<svg><style><div></style></svg></b><div>",
    ],
)
def test_endless_nesting_is_refused_and_still_has_an_excerpt(opening: str) -> None:
    source = "<p>start</p>" + opening * 10_000 + "kept &lt;here&gt;"
    for rendered in (sanitise, render):
        with pytest.raises(RenderingRefusedError, match="Close them where they end"):
            rendered(source)
    assert excerpt(source).startswith("start")
    assert excerpt(source).endswith("kept <here>")


def test_long_flat_text_keeps_its_markup() -> None:
    row = '<div title="a > b"><a href="/x">x</a> <em>y</em><br><p>z</div>'
    html = sanitise(row * 4000)
    assert html.count('<a href="/x" rel="noopener">x</a>') == 4000
