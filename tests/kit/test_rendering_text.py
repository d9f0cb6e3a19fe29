"""Whatever an author writes, its words reach the reader."""

import pytest

from webapp.kit.rendering.excerpts import excerpt
from webapp.kit.rendering.markdown import render
from webapp.kit.rendering.sanitising import sanitise

FOREIGN = (
    "int vector filter list set text view switch domain limit in not and or max min path line use "
    "real object svg math title textarea select option template noscript xmp plaintext noembed "
    "noframes script style iframe head frameset body form button custom-element mi mtext mglyph "
    "annotation foreignobject desc image font marquee applet"
)


@pytest.mark.parametrize("name", FOREIGN.split())
def test_a_tag_that_may_not_pass_loses_itself_and_no_text(name: str) -> None:
    html = sanitise(f"<p>before <{name}> between</p><p>after <{name.upper()} a='>'/> end</p>")
    assert html == "<p>before  between</p><p>after  end</p>"
    markdown = render(f"before <{name}> between\n\nafter\n\n<{name}>\n\nend")
    assert [word for word in ("before", "between", "after", "end") if word not in markdown] == []
    assert excerpt(f"a <{name}> b") == "a b"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a <!-- b", "a &lt;!-- b"),
        ('a <b class="x y z', 'a &lt;b class="x y z'),
        ("a <b class='x> y <i>z</i>", "a &lt;b class='x&gt; y <i>z</i>"),
        ("if a <b and c", "if a &lt;b and c"),
        ("1 < 2 <= 3 <", "1 &lt; 2 &lt;= 3 &lt;"),
        ("a <? b", "a &lt;? b"),
        ("a </b c", "a &lt;/b c"),
        ("<<!-- x -->script>a", "&lt;script&gt;a"),
        ("a <!-- hidden --> b", "a  b"),
        ("a <!--> b", "a  b"),
        ("a</> b", "a b"),
    ],
)
def test_what_begins_like_markup_and_never_ends_is_text(source: str, words: str) -> None:
    assert sanitise(source) == words


@pytest.mark.parametrize(
    "source",
    [
        "<script>code()</script>",
        "<style>p { color: red }</style>",
        "<svg><title>x</title><path d='M0'/><text>drawn</text></svg>",
        "<svg/>",
        "<head><title>x</title></head>",
        "<template>x</template>",
        "<SCRIPT src=x></ScRiPt >",
    ],
)
def test_code_and_pictures_go_with_their_content(source: str) -> None:
    assert sanitise(f"a {source} b") == "a  b"
    assert excerpt(f"a {source} b") == "a b"


ADDRESS = "https://video.example.org/embed/x?a=1&amp;b=2"
LINK = f'<a href="{ADDRESS}" rel="noopener">{ADDRESS}</a>'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f'<iframe src="{ADDRESS}"></iframe>', LINK),
        (f"<iframe width=5 SRC='{ADDRESS}' allow>fallback</iframe>", LINK),
        (f"<iframe data-src={ADDRESS} src='about:blank'></iframe>", LINK),
        (f'<iframe src="{ADDRESS}"/> text <iframe></iframe>', f"{LINK} text "),
        (f'<embed src="{ADDRESS}">', LINK),
        (f'<object data="{ADDRESS}"><embed src="{ADDRESS}">text</object>', f"{LINK}text"),
        (
            f"<iframe title='The film' src='{ADDRESS}'></iframe>",
            f'<a href="{ADDRESS}" rel="noopener">The film</a>',
        ),
        ("<iframe src='javascript:alert(1)'></iframe>", ""),
        ("<iframe src='data:text/html,x'></iframe>", ""),
        ("<iframe srcdoc='<p>x'></iframe>", ""),
        (
            "<iframe src='https://example.org/\"><b>'></iframe>",
            '<a href="https://example.org/&quot;&gt;&lt;b&gt;" rel="noopener">'
            'https://example.org/"&gt;&lt;b&gt;</a>',
        ),
    ],
)
def test_a_frame_becomes_a_link_in_its_place(source: str, expected: str) -> None:
    assert sanitise(source) == expected
    assert sanitise(expected) == expected


def test_text_nested_deep_in_lists_and_quotes_is_shown() -> None:
    assert "<p>deep</p>" in render("> " * 60 + "deep")
    items = "".join(f"{'  ' * depth}- level{depth}\n" for depth in range(40))
    assert "level39" in render(items)
