"""What may be done, and which role may do it: the one table of permissions.

A role is given to an account; a scope is given to an API key, which may do what both its scopes and
its owner's role allow. A permission that is in no scope is for people who have signed in.
"""

from collections.abc import Iterable
from enum import StrEnum

from webapp.kit.roles import RoleName


class Permission(StrEnum):
    """One thing that may be done, as `noun.verb`."""

    ACCOUNT_READ = "account.read"
    ACCOUNT_READ_ACTIVITY = "account.read_activity"
    ACCOUNT_EDIT = "account.edit"
    ACCOUNT_EXPORT = "account.export"
    ACCOUNT_DELETE = "account.delete"
    CREDENTIAL_MANAGE = "credential.manage"
    FOLLOW_READ = "follow.read"
    FOLLOW_MANAGE = "follow.manage"
    NOTIFICATION_READ = "notification.read"
    NOTIFICATION_MANAGE = "notification.manage"
    CONTENT_READ_OWN = "content.read_own"
    CONTENT_READ_ANY = "content.read_any"
    CONTENT_CREATE = "content.create"
    CONTENT_EDIT_OWN = "content.edit_own"
    CONTENT_EDIT_ANY = "content.edit_any"
    CONTENT_TRASH_OWN = "content.trash_own"
    CONTENT_TRASH_ANY = "content.trash_any"
    CONTENT_CHANGE_MANY = "content.change_many"
    CONTENT_PREVIEW = "content.preview"
    CONTENT_COMMENT = "content.comment"
    REVIEW_INVITE = "review.invite"
    CONTENT_PUBLISH_APPROVED = "content.publish_approved"
    CONTENT_APPROVE = "content.approve"
    CONTENT_PUBLISH = "content.publish"
    SCHEDULE_READ = "schedule.read"
    SCHEDULE_MANAGE = "schedule.manage"
    SCHEDULE_RECUR = "schedule.recur"
    FUTURE_READ = "future.read"
    MESSAGE_SEND = "message.send"
    TAXONOMY_READ = "taxonomy.read"
    TAXONOMY_MANAGE = "taxonomy.manage"
    ACTIVITY_READ = "activity.read"
    ACTIVITY_UNDO = "activity.undo"
    USER_LIST = "user.list"
    USER_SET_ROLE = "user.set_role"


class Scope(StrEnum):
    """What an API key may be used for."""

    READ = "read"
    PROPOSE = "propose"
    PUBLISH = "publish"
    SEND = "send"
    MANAGE = "manage"


_READER = frozenset(
    {
        Permission.ACCOUNT_READ, Permission.ACCOUNT_READ_ACTIVITY, Permission.ACCOUNT_EDIT,
        Permission.ACCOUNT_EXPORT, Permission.ACCOUNT_DELETE, Permission.CREDENTIAL_MANAGE,
        Permission.FOLLOW_READ, Permission.FOLLOW_MANAGE,
        Permission.NOTIFICATION_READ, Permission.NOTIFICATION_MANAGE,
        # Each step of an undo asks for its own permission besides.
        Permission.ACTIVITY_UNDO,
    }
)  # fmt: skip
_AUTHOR = _READER | {
    Permission.CONTENT_READ_OWN, Permission.CONTENT_CREATE, Permission.CONTENT_EDIT_OWN,
    Permission.CONTENT_TRASH_OWN, Permission.CONTENT_PREVIEW, Permission.CONTENT_PUBLISH_APPROVED,
    # What goes on for ever is made by people alone: it is in no scope of a key.
    Permission.SCHEDULE_READ, Permission.SCHEDULE_RECUR, Permission.TAXONOMY_READ,
    # Each change of an item asks for its own permission besides.
    Permission.CONTENT_CHANGE_MANY,
    Permission.REVIEW_INVITE, Permission.CONTENT_COMMENT,
}  # fmt: skip
_EDITOR = _AUTHOR | {
    Permission.CONTENT_READ_ANY, Permission.CONTENT_EDIT_ANY, Permission.CONTENT_TRASH_ANY,
    Permission.CONTENT_APPROVE, Permission.CONTENT_PUBLISH, Permission.SCHEDULE_MANAGE,
    Permission.FUTURE_READ, Permission.MESSAGE_SEND,
}  # fmt: skip
_MANAGER = _EDITOR | {
    Permission.TAXONOMY_MANAGE, Permission.ACTIVITY_READ, Permission.USER_LIST,
    Permission.USER_SET_ROLE,
}  # fmt: skip

PERMISSIONS_OF_ROLE: dict[RoleName, frozenset[Permission]] = {
    RoleName.READER: _READER,
    RoleName.AUTHOR: _AUTHOR,
    RoleName.EDITOR: _EDITOR,
    RoleName.MANAGER: _MANAGER,
    # An admin may do the same, and may give and take every role.
    RoleName.ADMIN: _MANAGER,
}

# Who works on items has to see them, so each of these scopes comes with the reads that it needs.
_READS_OF_ITEMS = frozenset(
    {
        Permission.ACCOUNT_READ, Permission.CONTENT_READ_OWN, Permission.CONTENT_READ_ANY,
        Permission.SCHEDULE_READ, Permission.FUTURE_READ, Permission.TAXONOMY_READ,
    }
)  # fmt: skip

PERMISSIONS_OF_SCOPE: dict[Scope, frozenset[Permission]] = {
    Scope.READ: _READS_OF_ITEMS | {Permission.FOLLOW_READ, Permission.NOTIFICATION_READ},
    Scope.PROPOSE: _READS_OF_ITEMS | {
        Permission.CONTENT_CREATE, Permission.CONTENT_EDIT_OWN, Permission.CONTENT_EDIT_ANY,
        Permission.CONTENT_CHANGE_MANY, Permission.ACTIVITY_UNDO, Permission.CONTENT_COMMENT,
    },
    Scope.PUBLISH: _READS_OF_ITEMS | {
        Permission.CONTENT_PREVIEW, Permission.CONTENT_PUBLISH, Permission.CONTENT_PUBLISH_APPROVED,
        Permission.SCHEDULE_MANAGE, Permission.ACTIVITY_UNDO, Permission.CONTENT_CHANGE_MANY,
        Permission.CONTENT_TRASH_OWN, Permission.CONTENT_TRASH_ANY,
    },
    Scope.SEND: frozenset({Permission.ACCOUNT_READ, Permission.MESSAGE_SEND}),
    Scope.MANAGE: frozenset(
        {
            Permission.ACCOUNT_READ, Permission.ACCOUNT_READ_ACTIVITY, Permission.ACCOUNT_EDIT,
            Permission.FOLLOW_READ,
            Permission.FOLLOW_MANAGE, Permission.NOTIFICATION_READ,
            Permission.NOTIFICATION_MANAGE, Permission.TAXONOMY_READ, Permission.TAXONOMY_MANAGE,
            Permission.ACTIVITY_READ, Permission.ACTIVITY_UNDO, Permission.USER_LIST,
            Permission.USER_SET_ROLE,
        }
    ),
}  # fmt: skip


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """Return all that these scopes allow; one that another release knows allows nothing here."""
    known = [PERMISSIONS_OF_SCOPE[Scope(scope)] for scope in scopes if scope in _SCOPE_NAMES]
    return frozenset().union(*known)


_SCOPE_NAMES = frozenset(scope.value for scope in Scope)
