"""How many words an edit added and removed."""

import difflib
from collections import Counter

# A comparison in order can take time in the cube of the lengths, when words repeat: below this
# product of the two lengths that is half a second at worst.
LARGEST_COMPARISON = 250_000


def word_changes(before: str, after: str) -> tuple[int, int]:
    """Return how many words were added and how many removed between two texts.

    What the texts begin and end with alike is left out. Where little remains, the words are
    compared in order; where much does, only how often each word occurs is, so that a word that
    moved then counts as neither added nor removed. The time is linear in the length of the texts.
    """
    old, new = _without_equal_ends(before.split(), after.split())
    if len(old) * len(new) > LARGEST_COMPARISON:
        had, has = Counter(old), Counter(new)
        return (has - had).total(), (had - has).total()
    added = removed = 0
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for operation, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if operation != "equal":
            removed += old_end - old_start
            added += new_end - new_start
    return added, removed


def _without_equal_ends(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]
