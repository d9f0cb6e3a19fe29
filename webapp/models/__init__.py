"""The tables. Importing this package loads every model, so that the metadata is complete."""

from webapp.models.accounts.access_tokens import AccessToken
from webapp.models.accounts.account_deletions import AccountDeletion
from webapp.models.accounts.account_exports import AccountExport, AccountExportFile
from webapp.models.accounts.account_usages import AccountUsage
from webapp.models.accounts.api_keys import ApiKey
from webapp.models.accounts.email_verifications import EmailVerification
from webapp.models.accounts.erasures import Erasure
from webapp.models.accounts.freeze_tokens import FreezeToken
from webapp.models.accounts.identities import Identity, IssuerSignIn
from webapp.models.accounts.password_resets import PasswordResetToken
from webapp.models.accounts.second_factors import (
    Passkey,
    PasskeyChallenge,
    PendingSignIn,
    RecoveryCode,
    TotpFactor,
)
from webapp.models.accounts.sign_in_throttles import FamiliarNetwork, SignInThrottle
from webapp.models.accounts.users import Role, User
from webapp.models.activity_blocks import ActivityBlock
from webapp.models.activity_logs import ActivityLog
from webapp.models.audience.follows import Follow
from webapp.models.audience.notifications import (
    Event,
    MailDelivery,
    Notification,
    NotificationPreference,
)
from webapp.models.base import Base
from webapp.models.content.autosaves import Autosave
from webapp.models.content.comments import Comment, CommentThread
from webapp.models.content.content import Content, ContentTag, Slug
from webapp.models.content.preview_links import PreviewLink
from webapp.models.content.search_documents import SearchDocument
from webapp.models.content.taxonomy import Category, CategoryAlias, Tag, TagAlias
from webapp.models.content.version_labels import VersionLabel
from webapp.models.content.versions import ContentVersion, Rendering
from webapp.models.idempotency_keys import IdempotencyKey
from webapp.models.interchange.imports import ImportedAuthor, ImportedCategory, ImportRecord
from webapp.models.job_attempts import JobAttempt
from webapp.models.job_pauses import JobPause
from webapp.models.jobs import Job, JobKind, Tick
from webapp.models.notices import Notice
from webapp.models.operations.backfills import BackfillState
from webapp.models.operations.bulk_actions import BulkAction, BulkItem
from webapp.models.operations.clock_readings import ClockReading
from webapp.models.publishing.calendar_feeds import CalendarFeed
from webapp.models.publishing.corrections import Correction, Retraction
from webapp.models.publishing.publications import Publication
from webapp.models.publishing.recurrences import Occurrence, Recurrence
from webapp.models.publishing.releases import Release, ReleaseEntry
from webapp.models.publishing.review_claims import ReviewClaim
from webapp.models.publishing.review_links import ReviewLink
from webapp.models.publishing.reviews import Review, ReviewDecision
from webapp.models.publishing.schedule_delays import ScheduleDelay
from webapp.models.publishing.schedules import Schedule

__all__ = [
    "AccessToken",
    "AccountDeletion",
    "AccountExport",
    "AccountExportFile",
    "AccountUsage",
    "ActivityBlock",
    "ActivityLog",
    "ApiKey",
    "Autosave",
    "BackfillState",
    "Base",
    "BulkAction",
    "BulkItem",
    "CalendarFeed",
    "Category",
    "CategoryAlias",
    "ClockReading",
    "Comment",
    "CommentThread",
    "Content",
    "ContentTag",
    "ContentVersion",
    "Correction",
    "EmailVerification",
    "Erasure",
    "Event",
    "FamiliarNetwork",
    "Follow",
    "FreezeToken",
    "IdempotencyKey",
    "Identity",
    "ImportRecord",
    "ImportedAuthor",
    "ImportedCategory",
    "IssuerSignIn",
    "Job",
    "JobAttempt",
    "JobKind",
    "JobPause",
    "MailDelivery",
    "Notice",
    "Notification",
    "NotificationPreference",
    "Occurrence",
    "Passkey",
    "PasskeyChallenge",
    "PasswordResetToken",
    "PendingSignIn",
    "PreviewLink",
    "Publication",
    "RecoveryCode",
    "Recurrence",
    "Release",
    "ReleaseEntry",
    "Rendering",
    "Retraction",
    "Review",
    "ReviewClaim",
    "ReviewDecision",
    "ReviewLink",
    "Role",
    "Schedule",
    "ScheduleDelay",
    "SearchDocument",
    "SignInThrottle",
    "Slug",
    "Tag",
    "TagAlias",
    "Tick",
    "TotpFactor",
    "User",
    "VersionLabel",
]
