"""Who is asking."""

from dataclasses import dataclass, field
from datetime import datetime

from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.kit.quotas import NO_QUOTAS, Quotas
from webapp.kit.requirements import Requirement
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.services.errors import ForbiddenError


@dataclass(frozen=True)
class Account:
    """An account as its owner and the managers see it."""

    id: int
    login: str
    email: str
    display_name: str
    bio: str
    role: RoleName
    created_at: datetime
    email_verified: bool


@dataclass(frozen=True)
class Actor:
    """A logged-in account for the length of one request or one job.

    `is_use_noted` says that the use of its session or key needs no note; see `sessions.note_use`.
    An actor that comes with an API key has its id in `api_key_id`, and in `key_permissions` what
    the key's scopes allow at most.
    `required_fields` are those that the settings want, beside a title, of what it sends out,
    and `is_bound_by_checks` says that nothing goes out in which a check finds an error.
    `is_verified` says that its address is proven, and `has_second_factor` that its account has one.
    `account` is what it may read of itself, where who looked for it asked for that as well.
    """

    user_id: int
    login: str
    role: RoleName
    session_id: int | None = None
    is_use_noted: bool = True
    quotas: Quotas = NO_QUOTAS
    review_policy: ReviewPolicy = field(default_factory=ReviewPolicy)
    required_fields: frozenset[Requirement] = frozenset()
    is_bound_by_checks: bool = False
    api_key_id: int | None = None
    key_permissions: frozenset[Permission] | None = None
    is_verified: bool = True
    has_second_factor: bool = True
    account: Account | None = field(default=None, repr=False)

    def may(self, permission: Permission) -> bool:
        """Say whether the actor may do this: its role allows it, and its key, where it has one."""
        return permission in PERMISSIONS_OF_ROLE[self.role] and (
            self.key_permissions is None or permission in self.key_permissions
        )

    def require(self, permission: Permission) -> None:
        """Raise ForbiddenError unless the actor may do this."""
        if permission not in PERMISSIONS_OF_ROLE[self.role]:
            raise ForbiddenError(
                f"This needs the permission {permission.value}; the role {self.role.value} has it "
                "not."
            )
        if not self.may(permission):
            raise ForbiddenError(
                f"This needs the permission {permission.value}; the scopes of this API key do not "
                "hold it."
            )
