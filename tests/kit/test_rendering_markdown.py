"""Markdown as GitHub, Hugo and Jekyll read it, where CommonMark says nothing."""

import pytest

from webapp.kit.rendering.markdown import render


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("What's next", "whats-next"),
        ("1.2", "12"),
        ("C++ & you", "c--you"),
        ("你好，世界", "你好世界"),
        ("Größe_1 – *alt* `code`", "größe_1--alt-code"),
        ("हिन्दी", "हिन्दी"),
        ("!!!", "section"),
        ("Own {#own-id}", "own-id"),
        ("Own {#my:own.id .note}", "my:own.id"),
        ("Own {: #own }", "own"),
        ("Note {: .note}", "note"),
        ("*Own* {#own}", "own"),
    ],
)
def test_heading_ids_are_what_links_from_elsewhere_name(heading: str, name: str) -> None:
    html = render(f"## {heading}\n")
    assert html.startswith(f'<h2 id="{name}">')
    assert "{" not in html


@pytest.mark.parametrize("heading", ["Use {braces}", "A set {1, 2}", "Empty {#}", "{#own} first"])
def test_other_braces_in_headings_are_text(heading: str) -> None:
    assert f">{heading}</h2>" in render(f"## {heading}\n")


def test_ids_are_distinct_and_written_ones_are_kept() -> None:
    html = render("# a\n# a-1\n# a\n# a\n# b {#a}\n# c {#a}\n")
    ids = [part.partition('"')[0] for part in html.split('id="')[1:]]
    assert len(set(ids)) == 6
    assert '<h1 id="a">b</h1>' in html


@pytest.mark.parametrize(
    "note", ["文字", "word", "https://example.org/x", "只从精神角度来说", "two words", "`code`"]
)
@pytest.mark.parametrize("blank", ["", " "])
def test_every_footnote_is_a_footnote(note: str, blank: str) -> None:
    html = render(f"甲[^1] and\n\n[^1]:{blank}{note}\n")
    assert (
        '<sup class="footnote-ref"><a href="#fn1" id="fnref1" rel="noopener">[1]</a></sup>' in html
    )
    shown = render(note).removeprefix("<p>").removesuffix("</p>\n")
    assert f'<li id="fn1" class="footnote-item"><p>{shown} <a href="#fnref1"' in html


def test_no_footnote_loses_its_text() -> None:
    html = render(
        "One[^a] and[^missing].\n\n[^a]: first\n\n[^a]: again\n\n[^unused]: lonely\n\n"
        "[^with blank]: word\n"
    )
    for words in ("first", "again", "lonely", "[^with blank]: word", "and[^missing]"):
        assert words in html
    ids = {part.partition('"')[0] for part in html.split('id="')[1:]}
    targets = {part.partition('"')[0] for part in html.split('href="#')[1:]}
    assert targets <= ids


def test_task_lists_show_their_boxes() -> None:
    html = render("- [ ] open\n- [x] done\n- [X] *done*\n- [link](/x)\n- [ ]none\n")
    assert '<li class="task-list-item">☐ open</li>' in html
    assert '<li class="task-list-item">☑ done</li>' in html
    assert '<li class="task-list-item">☑ <em>done</em></li>' in html
    assert '<li><a href="/x" rel="noopener">link</a></li>' in html
    assert "<li>[ ]none</li>" in html


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("See https://example.org/a.", "https://example.org/a", "."),
        ("(http://example.org/a_(b))", "http://example.org/a_(b)", ")"),
        ("见https://example.org/路。然后", "https://example.org/路", "。然后"),
        ("https://example.org/?a=1&amp;b=2, yes", "https://example.org/?a=1&amp;b=2", ", yes"),
        ("**https://example.org**", "https://example.org", ""),
    ],
)
def test_bare_addresses_are_links(text: str, address: str, rest: str) -> None:
    assert f">{address}</a>{rest}" in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "`https://example.org`",
        "[https://example.org](/elsewhere)",
        "<a href='/elsewhere'>https://example.org</a>",
        "    https://example.org",
        "https://",
        "xhttps://example.org",
    ],
)
def test_what_is_code_or_a_link_already_is_left_alone(text: str) -> None:
    assert 'href="https:' not in render(text)
