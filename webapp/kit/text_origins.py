"""Who wrote a text: a person, a person with a tool, or a tool. And what an edit makes of that.

Nothing is claimed that nobody knows: None is a text of which nobody has said it.
"""

from enum import StrEnum


class TextOrigin(StrEnum):
    """Who wrote a text."""

    HUMAN = "human"
    ASSISTED = "assisted"
    GENERATED = "generated"


OF_TOOLS = frozenset({TextOrigin.ASSISTED, TextOrigin.GENERATED})
LONGEST_TOOL = 100
"""The name of a tool has so many characters at most."""


def origin_after(former: TextOrigin | None, writer: TextOrigin | None) -> TextOrigin | None:
    """Return the origin of a text that somebody has edited and said nothing about.

    The writer is a person, or a tool, or, as with a script, nobody knows which. What a person and a
    tool have both written is assisted. A person makes no text human of which nobody knows who wrote
    the rest; and whoever is not known takes from no text that a tool had a part in it.
    """
    if writer is None:
        return former if former in OF_TOOLS else None
    if writer is TextOrigin.HUMAN:
        return TextOrigin.ASSISTED if former is TextOrigin.GENERATED else former
    return TextOrigin.GENERATED if former is TextOrigin.GENERATED else TextOrigin.ASSISTED
