"""Logins: one form of the name that a person logs in with, however it was typed."""

import unicodedata


def one_form(login: str) -> str:
    """Return the form under which a login is kept and looked up: NFKC, then lower case.

    That is what RFC 8265, 3.3 (UsernameCaseMapped) makes of the characters that a login may have:
    letters of another width or style become plain ones, and case does not count. Which characters
    are allowed is asked of the result. They are ASCII, because logins stand in bylines and
    addresses, where letters of other scripts would pass for one another (UTS 39, section 4).
    """
    return unicodedata.normalize("NFKC", login).lower()
