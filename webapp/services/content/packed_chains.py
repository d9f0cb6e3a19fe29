"""Which version a packed one is the delta from."""

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
