"""Which secret keys could be guessed."""

import re
from itertools import pairwise

MINIMUM_LENGTH = 32
FEWEST_DISTINCT = 8
# How much of a key may have stood in it before. Of 128 random digits it is 0.06 on average, and
# of shorter or richer keys less.
MOST_REPETITION = 0.25
_LOOKED_AT = 128

# What people write where a key has to go, without anything but letters. A random key of 64 letters
# holds one of them by chance less than once in a thousand million times.
_PLACEHOLDERS = (
    "changeme", "changeit", "changethis", "replaceme", "replacethis", "placeholder", "donotdeploy",
    "developmentonly", "insecure", "yoursecret", "mysecret", "supersecret", "notsosecret",
    "qwertyui",
)  # fmt: skip


def weakness_of(key: str) -> str | None:
    """Say what is wrong with a secret key, as the end of a sentence; None where nothing is.

    Nobody can tell that a key is random. What can be told is that it was not made at random: it is
    short, a placeholder, of few distinct characters, a repeated word, or a row of neighbours such
    as the alphabet.
    """
    if len(key) < MINIMUM_LENGTH:
        return f"must have at least {MINIMUM_LENGTH} characters"
    letters = re.sub(r"[^a-z]", "", key.lower())
    if any(placeholder in letters for placeholder in _PLACEHOLDERS):
        return "is a placeholder, which everybody knows"
    if len(set(key)) < FEWEST_DISTINCT:
        return f"must have at least {FEWEST_DISTINCT} distinct characters"
    if _repetition(key) >= MOST_REPETITION:
        return "must not be a word that is repeated"
    neighbours = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(key))
    if neighbours > len(key) // 2:
        return "must not be a row of characters in their order"
    return None


def _repetition(key: str) -> float:
    """Return which part of the triples of neighbours in the beginning of a key is not their first.

    So a word that is repeated is found whatever stands before, behind and between.
    """
    start = key[:_LOOKED_AT]
    triples = [start[place : place + 3] for place in range(len(start) - 2)]
    return 1 - len(set(triples)) / len(triples)
