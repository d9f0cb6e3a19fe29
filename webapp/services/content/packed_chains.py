"""Which version a packed one is the delta from."""

from collections.abc import Collection

# Of 128 versions the first is a keyframe, and the others hang on it like the digits of their place
# in base four: 127 on 124, on 112, on 64, on 0. None lies more than four deltas deep, and most are
# the delta of one to three edits. docs/decisions/0030 has the figures.
KEYFRAME_EVERY = 128
BRANCHES = 4


def number_of_reference(number: int) -> int | None:
    """Return the number of the version that a version is packed against; None for a keyframe."""
    place = (number - 1) % KEYFRAME_EVERY
    if place == 0:
        return None
    step = 1
    while place % (step * BRANCHES) == 0:
        step *= BRANCHES
    return number - place % (step * BRANCHES)


def place_of_chain(number: int) -> int:
    """Return which of an item's chains a version is in, counted from nought."""
    return (number - 1) // KEYFRAME_EVERY


def numbers_of_references(number: int) -> list[int]:
    """Return what a version is packed against, then that one's own reference, and so on."""
    found = []
    reference = number_of_reference(number)
    while reference is not None:
        found.append(reference)
        reference = number_of_reference(reference)
    return found


def reference_among(number: int, others: Collection[int]) -> int | None:
    """Return what a version is packed against where others of its chain have been pruned.

    It is the nearest of its references that is left, or the oldest version that is left, which
    stands in for the keyframe. None where the version is that itself. So no version lies deeper
    than before.
    """
    for reference in numbers_of_references(number):
        if reference in others:
            return reference
    older = [other for other in others if other < number]
    alike = [other for other in older if place_of_chain(other) == place_of_chain(number)]
    return min(alike, default=None)
