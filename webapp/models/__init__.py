"""The tables. Importing this package loads every model, so that the metadata is complete."""

from webapp.models.access_tokens import AccessToken
from webapp.models.activity_logs import ActivityLog
from webapp.models.backfills import BackfillState
from webapp.models.base import Base
from webapp.models.content import Content, ContentTag, Slug
from webapp.models.follows import Follow
from webapp.models.idempotency_keys import IdempotencyKey
from webapp.models.jobs import Job, Tick
from webapp.models.notifications import Event, MailDelivery, Notification, NotificationPreference
from webapp.models.password_resets import PasswordResetToken
from webapp.models.publications import Publication
from webapp.models.schedules import Schedule
from webapp.models.taxonomy import Category, Tag
from webapp.models.users import Role, User
from webapp.models.versions import ContentVersion, Rendering

__all__ = [
    "AccessToken",
    "ActivityLog",
    "BackfillState",
    "Base",
    "Category",
    "Content",
    "ContentTag",
    "ContentVersion",
    "Event",
    "Follow",
    "IdempotencyKey",
    "Job",
    "MailDelivery",
    "Notification",
    "NotificationPreference",
    "PasswordResetToken",
    "Publication",
    "Rendering",
    "Role",
    "Schedule",
    "Slug",
    "Tag",
    "Tick",
    "User",
]
