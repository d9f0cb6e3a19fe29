"""How much one account may make."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quotas:
    """The bounds of one account; 0 is no bound.

    `drafts` and `follows` are how many it may have, `saves_a_day` and `bytes_a_day` how often it
    may save, and how many bytes of text, in a day of UTC.
    """

    drafts: int = 0
    saves_a_day: int = 0
    bytes_a_day: int = 0
    follows: int = 0

    @property
    def counts_saves(self) -> bool:
        """Whether saves are counted."""
        return bool(self.saves_a_day or self.bytes_a_day)


NO_QUOTAS = Quotas()
"""For imports, commands and jobs, and for whoever asks no API."""
