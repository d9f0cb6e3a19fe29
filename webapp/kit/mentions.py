"""Mentions: how a comment names an account, `@[Ada Lovelace](12)`.

The number is the account's and alone decides; the name is what is read, and stays as it was
written. It is the form that editors with a choice of names write, and no `@` of an address, of a
tag of code or of another site is taken for one.
"""

import re

_MENTION = re.compile(r"@\[([^\[\]\n]{1,200})\]\(([1-9][0-9]{0,17})\)")


def mentioned_ids(text: str) -> set[int]:
    """Return the numbers of the accounts that a text names."""
    return {int(number) for _, number in _MENTION.findall(text)}


def as_read(text: str) -> str:
    """Return the text as people read it: `@Ada Lovelace`, without the number."""
    return _MENTION.sub(r"@\1", text)
