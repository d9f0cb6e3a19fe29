"""The five roles, from least to most trusted, and how they compare."""

from enum import StrEnum


class RoleName(StrEnum):
    """What an account may do; each role may do all that the ones before it may."""

    READER = "reader"
    AUTHOR = "author"
    EDITOR = "editor"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """The position in the order, 1 for a reader to 5 for an admin."""
        return list(RoleName).index(self) + 1

    def includes(self, other: "RoleName") -> bool:
        """Say whether this role may do everything that `other` may."""
        return self.rank >= other.rank
