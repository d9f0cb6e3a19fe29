"""Markdown turned into HTML that is safe to publish."""

import functools
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from webapp.kit.rendering.additions import link_addresses, mark_tasks
from webapp.kit.rendering.excerpts import without_surrogates
from webapp.kit.rendering.footnotes import install_footnotes
from webapp.kit.rendering.headings import give_heading_ids
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.kit.rendering.sanitising import check_length, longest_output, sanitise

DEEPEST_BLOCK = 100
"""How deep blocks may nest; a list takes two, for itself and for its item."""

_ROOM = "room"


def render(markdown: str) -> str:
    """Render CommonMark with tables, strikethrough, footnotes, tasks and bare addresses.

    HTML in the source is kept as far as the allow-list goes. Every heading without an id gets
    one made from its text, so that `[see below](#the-heading)` works. Raises RenderingRefusedError
    for what would multiply.
    """
    source = without_surrogates(markdown)
    room = longest_output(source)
    rendered: str = _renderer().render(source, {_ROOM: room})
    sanitised = sanitise(rendered)
    check_length(len(sanitised), room)
    return sanitised


class _BoundedRenderer(RendererHTML):
    """Stops when the HTML grows beyond its room, which one long address and many links can do."""

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        pieces: list[str] = []
        length = 0
        for piece in self._pieces(tokens, options, env):
            pieces.append(piece)
            length += len(piece)
            check_length(length, env[_ROOM])
        return "".join(pieces)

    def _pieces(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> Iterator[str]:
        for index, token in enumerate(tokens):
            if token.type == "inline":
                yield from self._pieces(token.children or [], options, env)
            elif token.type in self.rules:
                yield self.rules[token.type](tokens, index, options, env)
            else:
                yield self.renderToken(tokens, index, options, env)


@functools.cache
def _renderer() -> MarkdownIt:
    options = {"html": True, "maxNesting": DEEPEST_BLOCK}
    parser = MarkdownIt("commonmark", options, renderer_cls=_BoundedRenderer)
    parser.enable(["table", "strikethrough"])
    parser.block.ruler.at("table", _read_table, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.after("block", "depth", _check_depth)
    install_footnotes(parser)
    for name, rule in (
        ("heading_ids", give_heading_ids),
        ("cell_alignment", _align_cells),
        ("tasks", mark_tasks),
        ("bare_addresses", link_addresses),
    ):
        parser.core.ruler.push(name, rule)
    # The rule chains are compiled at first use, in a way that two threads must not meet.
    parser.render("# Warm\n\n*up*", {_ROOM: 1000})
    return parser


def _read_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table, unless the cells that its short rows lack would outgrow the text."""
    is_table = table(state, start, end, silent)
    if is_table and not silent:
        # A cell is three tokens, and nine characters of HTML at the least.
        check_length(3 * len(state.tokens), state.env[_ROOM])
    return is_table


def _check_depth(state: StateCore) -> None:
    """Refuse what nests so deep that the parser leaves the innermost text out."""
    if any(token.level >= DEEPEST_BLOCK - 1 for token in state.tokens):
        raise RenderingRefusedError(
            f"Quotes, lists or footnotes stand {DEEPEST_BLOCK // 2} deep or more inside each "
            "other. Nest them less deep."
        )


def _align_cells(state: StateCore) -> None:
    """Say a cell's alignment by attribute: no style attribute passes the allow-list."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            style = str(token.attrs.pop("style"))
            token.attrSet("align", style.removeprefix("text-align:"))
