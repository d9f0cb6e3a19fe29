"""Rendering takes time and makes HTML in proportion to the text, or says no before it begins."""

import time
from collections.abc import Callable

import pytest

from webapp.kit.rendering.markdown import render
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.kit.rendering.sanitising import longest_output, sanitise


def _open_formatting(n: int, opening: str) -> str:
    return "".join(opening.format(i) for i in range(n)) + "<p>x" * n


OPENINGS = [
    '<b title="{}">',
    '<a href="/{0}"><code class="language-{0}">',
    '<i id="{}"><div></i></div>',
    '<b title="{}"><div><div><div><div><div><div><div><div><div></b>' + "</div>" * 9,
    '<table><tr><td><s title="{}"></td></tr></table>',
    '<b title="{}"><table><tr><td></b></td></tr></table>',
]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("n", [20, 1200])
def test_formatting_left_open_cannot_multiply(opening: str, n: int) -> None:
    source = _open_formatting(n, opening)
    for rendered in (sanitise, render):
        try:
            html = rendered(source)
        except RenderingRefusedError:
            assert n > 20
            continue
        assert len(html) <= longest_output(source)


def test_formatting_left_open_by_a_slip_of_the_pen_is_no_reason_to_refuse() -> None:
    assert sanitise("<p>one <b>two<b> three</p>" * 500).count("three") == 500
    assert sanitise("<p><a href='/x'><strong>x</a></p>\n" * 2000).count("href") >= 2000


@pytest.mark.parametrize(
    "source",
    [
        f"[a]: /{'x' * 2000}\n\n" + "[a] " * 2000,
        "".join(f"|a{'|a' * 255}\n|-{'|-' * 255}\n" + "x\n" * 255 + "\n" for _ in range(3)),
        "> " * 200 + "a",
    ],
)
def test_markdown_that_would_multiply_is_refused_with_a_sentence(source: str) -> None:
    with pytest.raises(RenderingRefusedError) as refused:
        render(source)
    assert str(refused.value).endswith(".")


CONSTRUCTS: list[Callable[[int], str]] = [
    lambda n: "# same\n" * n,
    lambda n: "".join(f"# a-{i}\n" for i in range(n // 2)) + "# a\n" * (n // 2),
    lambda n: "# a" + "{#a " * n,
    lambda n: "[^1]: x\n\n" + "[^a" * n,
    lambda n: "x [^1]\n\n" + "[^1]: x\n\n" * n,
    lambda n: "http://a.b/(((" * n,
    lambda n: "- [ ] x\n" * n,
    lambda n: "<a x='" * n,
    lambda n: "<!--" * n,
    lambda n: "<script>" * n,
    lambda n: "<svg>" * n,
    lambda n: "<iframe src=/x>" * n,
    lambda n: "<p>x<b>y" * (n // 8),
    lambda n: "<" * n,
]


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_four_times_the_text_takes_about_four_times_the_time(
    construct: Callable[[int], str],
) -> None:
    # Time of the processor in this thread, the least of several tries, so that other load counts
    # little. What grows with the square takes sixteen times as long.
    def seconds(n: int) -> float:
        source, best = construct(n), float("inf")
        for _ in range(3):
            began = time.thread_time()
            render(source)
            best = min(best, time.thread_time() - began)
        return best

    assert seconds(6000) < 9 * seconds(1500) + 0.02
