"""Who is asking."""

from dataclasses import dataclass

from webapp.kit.quotas import NO_QUOTAS, Quotas
from webapp.kit.roles import RoleName
from webapp.services.errors import ForbiddenError


@dataclass(frozen=True)
class Actor:
    """A logged-in account for the length of one request or one job.

    `is_use_noted` says that the use of its session needs no note; see `sessions.note_use`.
    """

    user_id: int
    login: str
    role: RoleName
    session_id: int | None = None
    is_use_noted: bool = True
    quotas: Quotas = NO_QUOTAS

    def may(self, role: RoleName) -> bool:
        """Say whether the actor may do what `role` may do."""
        return self.role.includes(role)

    def require(self, role: RoleName) -> None:
        """Raise ForbiddenError unless the actor may do what `role` may do."""
        if not self.may(role):
            raise ForbiddenError(f"This needs the role {role.value}; yours is {self.role.value}.")
