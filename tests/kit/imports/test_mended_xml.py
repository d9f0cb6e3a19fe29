"""One bad sign in an export takes no later item along, and its item is named."""

import io

import pytest
from defusedxml.ElementTree import iterparse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.imports.test_wordpress_export import HEAD, NOW, TAIL, item
from webapp.kit.imports import lenient_xml
from webapp.kit.imports.article import ImportedArticle, ImportProblem
from webapp.kit.imports.lenient_xml import AS_HTML as AS_HTML_MARK
from webapp.kit.imports.lenient_xml import MendedXml, without_marks
from webapp.kit.imports.wordpress_export import read_articles, read_channel

FORBIDDEN = "characters that XML forbids, taken out"
AS_HTML = "signs that XML does not know, read as HTML reads them"
UNDECODED = "bytes that are not in the file's encoding, replaced by a sign"


def three(second: bytes) -> bytes:
    """Give an export whose second item is the given bytes."""
    third = item(wp__post_id="9", guid="c")
    return (HEAD + item(guid="a")).encode() + second + (third + TAIL).encode()


def bare(field: bytes, wanted: str = "title") -> bytes:
    """Give an item with one field as it is, not escaped."""
    return item(guid="b", **{wanted: "HERE"}).encode().replace(b"HERE", field)


@pytest.mark.parametrize(
    ("title", "read", "notice"),
    [
        (b"a\x08b", "ab", FORBIDDEN),
        (b"a\x0bb", "ab", FORBIDDEN),
        (b"a\x00b", "ab", FORBIDDEN),
        (b"<![CDATA[a\x1bb & <]]>", "ab & <", FORBIDDEN),
        ("a\ufffeb\uffff".encode(), "ab", FORBIDDEN),
        (b"a&#8;b&#x1F;", "ab", FORBIDDEN),
        (b"a&#xD800;b", "ab", FORBIDDEN),
        (b"a&nbsp;&eacute;b", "a éb", AS_HTML),
        (b"Fish & chips", "Fish & chips", AS_HTML),
        (b"R&D;&nope;", "R&D;&nope;", AS_HTML),
        (b"1 < 2 <= 3", "1 < 2 <= 3", AS_HTML),
        (b"a ]]> b", "a ]]> b", AS_HTML),
        (b"caf\xe9", "caf\ufffd", UNDECODED),
        (b"&amp;&#38;&#x26; &lt;", "&&& <", None),
        (b"tab\tand <![CDATA[&nope; & < ]]]]><![CDATA[>]]>", "tab and &nope; & < ]]>", None),
    ],
)
def test_a_bad_sign_in_one_item_is_mended_and_named_and_the_others_come_in(
    title: bytes, read: str, notice: str | None
) -> None:
    first, second, third = read_articles(three(bare(title)), now=NOW)
    assert isinstance(first, ImportedArticle)
    assert isinstance(second, ImportedArticle)
    assert isinstance(third, ImportedArticle)
    assert second.title == read
    assert second.notices == ((notice,) if notice else ())
    assert first.notices == third.notices == ()


def test_a_bad_sign_anywhere_in_an_item_is_named() -> None:
    places = [
        b'<category domain="post_tag" nicename="a&b">x</category>',
        b"\x08",
        b"<x:y>\x08</x:y>",
    ]
    for place in places:
        bad = item(guid="b").encode().replace(b"</item>", place + b"</item>")
        bad = bad.replace(b"x:y", b"wp:postmeta")
        _, second, third = read_articles(three(bad), now=NOW)
        assert isinstance(second, ImportedArticle)
        assert len(second.notices) == 1
        assert isinstance(third, ImportedArticle)
        assert third.notices == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\n\n ", b""), (b"\xef\xbb\xbf", b""), (b"\x00\n", b"\n\x1a"), (b"", b"\x00\x00")
    ],
)  # fmt: skip
def test_what_stands_around_the_file_does_not_matter(before: bytes, after: bytes) -> None:
    (outcome,) = read_articles(before + (HEAD + item() + TAIL).encode() + after, now=NOW)
    assert isinstance(outcome, ImportedArticle)
    assert outcome.notices == ()


@pytest.mark.parametrize(
    ("declared", "written"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("UTF-16", "utf-16"),
     ("utf-16", "utf-16-le"), ("UTF-16", "utf-8"), ("utf-8", "utf-8")],
)  # fmt: skip
def test_encodings(declared: str, written: str) -> None:
    export = HEAD.replace("UTF-8", declared) + item(title="Café\x0b & crème") + TAIL
    (outcome,) = read_articles(export.encode(written), now=NOW)
    assert isinstance(outcome, ImportedArticle)
    assert (outcome.title, outcome.notices) == ("Café & crème", (FORBIDDEN,))


@pytest.mark.parametrize("name", ["no-such", "rot13", "zip", "punycode", "unicode_escape"])
def test_an_encoding_that_is_none_of_a_file_is_told(name: str) -> None:
    export = HEAD.replace("UTF-8", name) + item() + TAIL
    with pytest.raises(ImportProblem, match="encoding that cannot be read"):
        read_channel(export.encode())


def test_a_broken_file_tells_the_line_the_last_item_and_that_the_rest_was_not_read() -> None:
    broken = three(bare(b"<b>never closed"))
    first, problem = read_articles(broken, now=NOW)
    assert isinstance(first, ImportedArticle)
    assert isinstance(problem, ImportProblem)
    line = broken[: broken.index(b"never closed")].count(b"\n") + 1
    assert f"line {line}, column" in problem.reason
    assert "after the item a#7" in problem.reason
    assert "what follows was not read" in problem.reason


PIECES = [
    "<", ">", "&", "&amp;", "&nbsp;", "&#", "&#8;", "<![CDATA[", "]]>", "]", "<!--", "-->", "-",
    "<?", "?>", "</rss", "<rss", "\x08", "\ufdd0", "a", " ", "é", "![",
]  # fmt: skip


def all_of(text: str) -> str:
    """Give the whole of a mended text."""
    stream = MendedXml(io.BytesIO(text.encode()))
    return "".join(iter(stream.read, ""))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES)).map("".join), st.integers(1, 9))
def test_where_the_parts_of_a_stream_end_makes_no_difference(text: str, size: int) -> None:
    whole = all_of(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lenient_xml, "_PART_BYTES", size)
        assert all_of(text) == whole


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&<\r")))
def test_of_any_text_only_the_characters_are_lost_that_xml_forbids(text: str) -> None:
    stream = MendedXml(io.BytesIO(f"<rss>.{text}</rss>".encode()))
    ((_, element),) = iterparse(stream)
    read, _ = without_marks(element.text or "")
    allowed = [c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff")]
    assert read == "." + "".join(c for c in allowed if not "\ufdd0" <= c <= "\ufdef")


def test_many_bad_signs_cost_no_more_than_their_number() -> None:
    text = "&" * 50_000
    assert all_of("<rss>" + text) == "<rss>" + ("&amp;" + AS_HTML_MARK) * 50_000
