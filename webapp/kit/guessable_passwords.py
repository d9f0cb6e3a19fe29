"""Passwords that somebody would try: common ones, patterns, and words that belong to the account.

What is common is said by the lists that come with zxcvbn, of 30,000 leaked passwords among others.
It counts how many guesses a password takes that is put together from their entries, from context
words, dates, rows of a keyboard, sequences and repetitions. (D. Wheeler, "zxcvbn: Low-Budget
Password Strength Estimation", USENIX Security 2016.)
"""

import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

from webapp.kit.passwords import normalized

LEAST_GUESSES = 1_000_000
"""NIST SP 800-63B wants a list and online tries bounded; so many of them take years."""
# A longer password is at least as hard to guess as its beginning. The time of an estimate grows
# with the square of the length.
LONGEST_ESTIMATED = 64
_WORDS = re.compile(r"[\W_]+")
SHORTEST_WORD = 4


class GuessablePasswordError(ValueError):
    """The password would be guessed; the message says by which rule."""


def _words_of(text: str) -> list[str]:
    """Return a text as it is and the words in it, without those too short to be anybody's own."""
    return [found for found in (text, *_WORDS.split(text)) if len(found) >= SHORTEST_WORD]


def refuse_guessable(password: str, context: Iterable[str] = ()) -> None:
    """Raise GuessablePasswordError for a password that takes fewer than `LEAST_GUESSES`.

    `context` is what an attacker knows of the account: its login, its address, the site's name.
    """
    password = normalized(password).lower()
    words = sorted({word for text in context for word in _words_of(text.lower())})
    estimated = password[:LONGEST_ESTIMATED]
    found = zxcvbn(estimated, user_inputs=words, max_length=LONGEST_ESTIMATED)
    if int(found["guesses"]) >= LEAST_GUESSES:
        return
    if any(word in password for word in words):
        reason = "is made of the login, the address or the name of this site"
    elif any(part["pattern"] == "dictionary" for part in found["sequence"]):
        reason = "is a common password, or close to one"
    else:
        reason = "repeats itself or follows a pattern"
    raise GuessablePasswordError(f"{reason}, so it would be guessed")
