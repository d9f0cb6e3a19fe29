"""Footnotes in Markdown, of which none loses its text."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

_MARK = re.compile(r"\[\^[^\]\s]{1,200}\]")


def install_footnotes(parser: MarkdownIt) -> None:
    """Teach a parser `[^1]` and `[^1]: The note.`, whatever the note consists of.

    A note that nothing refers to, and a second one under the same name, stand at the end of the
    list. Notes within the line (`^[…]`) stay text: parsing one within the other takes the square of
    their number.
    """
    footnote_plugin(parser, inline=False)
    parser.inline.ruler.at("footnote_ref", _read_mark)
    parser.block.ruler.at("reference", _read_reference, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.before("footnote_tail", "kept_footnotes", _keep_all_notes)
    parser.core.ruler.after("footnote_tail", "footnote_anchors", _drop_dead_anchors)
    parser.add_render_rule("footnote_block_open", lambda *_: _OPENING)


_OPENING = '<section class="footnotes">\n<ol>\n'


def _read_mark(state: StateInline, silent: bool) -> bool:
    """Read a mark, looking for its end no further than a mark can be long."""
    return bool(_MARK.match(state.src, state.pos)) and footnote_ref(state, silent)


def _read_reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read the definition of a link; what begins as a footnote is none, and stays text."""
    begin = state.bMarks[start] + state.tShift[start]
    return not state.src.startswith("[^", begin) and reference(state, start, end, silent)


def _keep_all_notes(state: StateCore) -> None:
    """Number the notes that no mark names, behind the others."""
    notes = state.env.get("footnotes")
    if notes is None:
        return
    seen: set[str] = set()
    for token in state.tokens:
        if token.type != "footnote_reference_open":
            continue
        label = str(token.meta["label"])
        if label in seen or notes["refs"].get(f":{label}", -1) < 0:
            if label in seen:
                # No label that was written holds a blank.
                label = f"{label} {len(seen)}"
                token.meta["label"] = label
            number = len(notes["list"])
            notes["list"][number] = {"label": label, "count": 0}
            notes["refs"][f":{label}"] = number
        seen.add(label)


def _drop_dead_anchors(state: StateCore) -> None:
    """Leave out the way back to a mark that is not there."""
    listed = state.env.get("footnotes", {}).get("list", {})
    state.tokens = [
        token
        for token in state.tokens
        if token.type != "footnote_anchor" or listed[token.meta["id"]].get("count")
    ]
