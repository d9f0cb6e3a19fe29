"""Two people's changes of one text put together, where they do not meet."""

from collections.abc import Iterator
from dataclasses import dataclass

from webapp.kit.comparison.alignment import Change, align
from webapp.kit.comparison.words import split_words


@dataclass(frozen=True)
class Conflict:
    """A stretch that both have changed, in different ways, or right beside each other."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Merge:
    """The text with both changes; where they meet it has theirs, and `conflicts` names that."""

    text: str
    conflicts: tuple[Conflict, ...]


def merge_texts(base: str, mine: str, theirs: str) -> Merge:
    """Put together what two texts changed of a third, word by word.

    Changes with a whole unchanged word between them are both taken, and so is one that both made.
    """
    words, own, other = split_words(base), split_words(mine), split_words(theirs)
    merged: list[str] = []
    conflicts: list[Conflict] = []
    at = 0
    for region in _regions(align(words, own).changes, align(words, other).changes):
        former = "".join(words[region.start : region.end])
        mine_here = region.text_of(own, region.mine, former_words=words)
        theirs_here = region.text_of(other, region.theirs, former_words=words)
        merged += words[at : region.start]
        at = region.end
        if region.mine and region.theirs and mine_here != theirs_here:
            conflicts.append(Conflict(former, mine_here, theirs_here))
        merged.append(theirs_here if region.theirs else mine_here)
    return Merge("".join([*merged, *words[at:]]), tuple(conflicts))


@dataclass
class _Region:
    """Words of the base from `start` to before `end`, with the changes of both that meet there."""

    start: int
    end: int
    mine: list[Change]
    theirs: list[Change]

    def text_of(self, words: list[str], changes: list[Change], *, former_words: list[str]) -> str:
        """Return what the words of the base became by some changes."""
        built: list[str] = []
        at = self.start
        for change in changes:
            built += former_words[at : change.old_start]
            built += words[change.new_start : change.new_end]
            at = change.old_end
        return "".join([*built, *former_words[at : self.end]])


def _regions(mine: list[Change], theirs: list[Change]) -> Iterator[_Region]:
    """Yield the regions in order; changes that touch are in one."""
    tagged = [(change, True) for change in mine] + [(change, False) for change in theirs]
    tagged.sort(key=lambda pair: (pair[0].old_start, pair[0].old_end))
    region: _Region | None = None
    for change, is_mine in tagged:
        if region is None or change.old_start > region.end:
            if region is not None:
                yield region
            region = _Region(change.old_start, change.old_end, [], [])
        region.end = max(region.end, change.old_end)
        (region.mine if is_mine else region.theirs).append(change)
    if region is not None:
        yield region
