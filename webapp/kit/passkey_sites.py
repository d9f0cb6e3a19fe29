"""Where passkeys are good; apart from what passes about them, which settings do not need."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """A domain that passkeys belong to, and the origins of the pages that may ask for one."""

    domain: str
    origins: tuple[str, ...]
