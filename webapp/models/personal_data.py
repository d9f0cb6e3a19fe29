"""What is kept of people: every column of every table, whose it is, why, how long, and its erasure.

A table has one `Held`. A new column goes into its `columns` and is treated as the rest of the row
is; one that is treated otherwise gets a line in `apart`. The export of a person and their erasure
both go by this, and `docs/personal-data.md` is made of it (`python -m dev.personal_data_page`).
"""

from webapp.models.held import Apart, Held, Treatment

DELETED, EMPTIED, UNLINKED, HANDED_OVER, KEPT, NOBODYS = Treatment
_OWN_ROWS = {"user_id": DELETED}
_NEVER = "for ever"
_NEWSROOM = "the newsroom's: what is written and published outlives who wrote it"


def _nobodys(why: str, until: str, columns: str) -> Held:
    return Held("nobody", why, until, NOBODYS, columns)


HELD: dict[str, Held] = {
    "access_tokens": Held(
        "the account", "to know an open session, and to show its owner where it is used",
        "IMPRINT_KEEP_ENDED_SESSION_DAYS after its end", DELETED,
        "id user_agent address created_at expires_at revoked_at last_used_at",
        hidden="token_hash", people=_OWN_ROWS,
    ),
    "account_deletions": Held(
        "the account", "to delete it when its owner has asked for that",
        "until it is done or taken back", DELETED,
        "id asked_at due_at", people={"user_id": DELETED, "heir_id": UNLINKED},
    ),
    "account_export_files": Held(
        "the account", "a copy of what is kept of it, for its owner",
        "IMPRINT_EXPORT_HOURS after it was made", DELETED, "export_id number", hidden="data",
    ),
    "account_exports": Held(
        "the account", "to make a copy of what is kept of it, and to let its owner fetch it",
        "IMPRINT_EXPORT_HOURS after it was made", DELETED,
        "id asked_at rows_done byte_count ready_at expires_at fetched_at",
        hidden="token_hash", people=_OWN_ROWS,
    ),
    "account_usages": Held(
        "the account", "to hold an account to its quotas of a day", "as long as the account",
        DELETED, "day_began_at saves saved_bytes", people=_OWN_ROWS,
    ),
    "activity_blocks": _nobodys(
        "to show that no line of the activity log was changed or removed", _NEVER,
        "number previous_hash after_id until_id row_count last_created_at sealed_at digests"
        " rows_hash hash pruned_at",
    ),
    "activity_logs": Held(
        "the account that acted, or was acted on", "to answer who did what to what",
        "IMPRINT_KEEP_ACTIVITY_DAYS", EMPTIED, "details changes address user_agent request_id",
        hidden="salt",
        people={"actor_id": KEPT},
        apart={
            "subject_id": Apart(KEPT, "a number, which names nobody any more"),
            **{
                column: Apart(KEPT, "what was done, when, and by which session's number")
                for column in (
                    "id", "action", "subject_kind", "created_at", "session_id", "api_key_id",
                    "agent_session",
                )
            },
            "erased_at": Apart(KEPT, "that the line was erased"),
            "personal_hash": Apart(KEPT, "salted with what is gone; the chain is checked by it"),
        },
    ),
    "api_keys": Held(
        "the account", "to know a machine by its key",
        "IMPRINT_KEEP_ENDED_SESSION_DAYS after its end", DELETED,
        "id name prefix scopes created_at expires_at revoked_at last_used_at",
        hidden="key_hash", people=_OWN_ROWS,
    ),
    "autosaves": Held(
        "who is writing", "to keep what is typed and not saved yet",
        "until it is saved or discarded", DELETED,
        "id content_id base_version changes revision created_at updated_at conflicted_at",
        people=_OWN_ROWS,
    ),
    "backfills": _nobodys(
        "to go on with work on the tables", _NEVER,
        "name cursor rows_done rows_total runs started_at finished_at",
    ),
    "bulk_actions": Held(
        "who made it", "to change many items, to tell what became of each, and to put them back",
        "30 days after its end", KEPT,
        "id action options api_key_id agent_session undoes_id state ending matched done skipped"
        " failed cursor created_at ended_at",
        people={"made_by_id": UNLINKED},
    ),
    "bulk_items": _nobodys(
        "what became of each item of a bulk action", "30 days after its end",
        "bulk_action_id content_id state reason detail revision_before revision_after",
    ),
    "calendar_feeds": Held(
        "the account", "to let its owner's calendar read what is planned", "until it is revoked",
        DELETED, "id name zone created_at last_used_at uses", hidden="token_hash",
        people=_OWN_ROWS,
    ),
    "categories": _nobodys(
        "the newsroom's shelves", "until one is deleted",
        "id slug name description parent_id was_public created_at",
    ),
    "category_aliases": _nobodys(
        "to find a category under its former slugs", "as long as the category",
        "slug category_id created_at",
    ),
    "clock_readings": _nobodys("to see wrong clocks", "a day", "host role ahead_seconds read_at"),
    "comment_threads": Held(
        "who resolved it", f"{_NEWSROOM}; what was said about which line", "as long as the item",
        KEPT, "id content_id version_number line quote resolved_at created_at",
        people={"resolved_by_id": UNLINKED}, is_exported=False,
    ),
    "comments": Held(
        "who said it", f"{_NEWSROOM}; what was said of an item while it was written",
        "until it is deleted, or with the item", KEPT,
        "id thread_id body created_at edited_at deleted_at", people={"author_id": UNLINKED},
    ),
    "content": Held(
        "the author", _NEWSROOM, "until the item is deleted", KEPT,
        "id category_id title slug body body_format excerpt metadata status version revision"
        " publish_sequence retracted_sequence import_source origin tool created_at updated_at"
        " published_at trashed_at archived_at",
        people={"author_id": HANDED_OVER},
    ),
    "content_tags": _nobodys(
        "the tags of an item", "as long as the item", "content_id tag_id spelling"
    ),
    "content_versions": Held(
        "who saved it", f"{_NEWSROOM}; whom each save was by", "as long as the item", KEPT,
        "id content_id number category_id title slug body body_format excerpt tags metadata reason"
        " restored_from origin tool created_at sealed_at words words_added words_removed packed"
        " reference_id",
        hidden="digest", people={"author_id": UNLINKED},
    ),
    "corrections": Held(
        "who corrected it", "what the public is told was wrong", "as long as the item", KEPT,
        "id content_id sequence number note corrected_at", people={"corrected_by_id": UNLINKED},
    ),
    "email_verifications": Held(
        "the account", "to know the address that a mailed token proves", "30 days", DELETED,
        "id email created_at minted_at expires_at ended_at former_email former_email_proven_at",
        hidden="email_hash token_hash", people=_OWN_ROWS,
    ),
    "erasures": Held(
        "nobody", "to erase the same account in a restored backup", _NEVER, KEPT,
        "account_id account_created_at began_at ended_at", people={"heir_id": UNLINKED},
        is_exported=False,
    ),
    "events": Held(
        "nobody", "what followers are told, and how far the telling has come", _NEVER, KEPT,
        "id kind content_id sequence version category_id ancestor_ids tag_ids title slug"
        " occurred_at cursor_user_id recipients fanned_out_at stopped_at",
        people={"author_id": UNLINKED}, is_exported=False,
    ),
    "familiar_networks": Held(
        "the account", "to let its owner in while strangers guess its password",
        "90 days after the last login from there", DELETED, "network seen_at", people=_OWN_ROWS,
    ),
    "follows": Held(
        "the account", "to tell a reader of what is new", "until the reader unfollows", DELETED,
        "id category_id tag_id content_id include_subtree created_at",
        people={"user_id": DELETED, "author_id": DELETED},
    ),
    "freeze_tokens": Held(
        "the account", "to know the link of a notice again", "7 days after its end", DELETED,
        "id created_at expires_at used_at", hidden="token_hash",
        people=_OWN_ROWS,
        apart={"verification_id": Apart(DELETED, "the proof that the notice told of goes as well")},
    ),
    "idempotency_keys": Held(
        "who sent the request, named by scope", "to answer a repeated request once", "a day",
        DELETED, "scope key status headers body created_at", hidden="fingerprint",
        is_exported=False,
    ),
    "identities": Held(
        "the account", "to know whom an issuer signs in again", "until its owner unlinks it",
        DELETED, "id issuer subject created_at last_used_at", people=_OWN_ROWS,
    ),
    "import_records": Held(
        "the author whom the source names", "to see what changed there since the last import",
        "as long as the item", KEPT,
        "content_id collection slug act publish_sequence publish_schedule_id"
        " unpublish_schedule_id created_at updated_at",
        people={"author_id": UNLINKED},
        apart={
            "said": Apart(EMPTIED, "of the author's name; the rest tells of the article"),
            "private": Apart(EMPTIED, "of the authors' names; the rest tells of the article"),
        },
        is_exported=False,
    ),
    "imported_authors": Held(
        "the author whom the source names", "to give a name's next article to the same account",
        "as long as the account", DELETED, "name created_at", people=_OWN_ROWS,
    ),
    "imported_categories": _nobodys(
        "to put a source's category on the same shelf", _NEVER,
        "name slug category_id created_at",
    ),
    "issuer_sign_ins": _nobodys(
        "to know again a sign-in that was begun; of whom is not known before its end", "a day",
        "id issuer state_hash handle_hash return_url created_at expires_at used_at",
    ),
    "job_attempts": Held(
        "the account that the job is for", "to see why a job did not end well",
        "as long as the job", DELETED,
        "job_id number started_at ended_at worker release ended_as reason",
        is_exported=False,
    ),
    "job_kinds": _nobodys("to see who serves which jobs", _NEVER, "kind last_started_at"),
    "job_pauses": _nobodys(
        "to hold jobs back; paused_by names an operator of the hosts, and no account",
        "until it is lifted", "id scope target reason paused_by ends_at created_at",
    ),
    "jobs": Held(
        "the account that a job of the queue accounts names; otherwise nobody", "duties to be done",
        "7 days after they are done or discarded; failed ones until an operator ends them", DELETED,
        "id queue kind dedupe_key payload state run_at starts max_starts declines dispatched_at"
        " dispatches lease_token lease_until held_by_id attempts started_at worker release"
        " last_error request_id created_at finished_at",
        is_exported=False,
    ),
    "mail_deliveries": Held(
        "the account", "to mail each reader once",
        "IMPRINT_KEEP_MAIL_DELIVERY_DAYS after the event", DELETED,
        "event_id state attempts next_attempt_at created_at sent_at answer",
        people=_OWN_ROWS,
    ),
    "notices": Held(
        "the account", "to tell it what became of its work at the desk", "90 days", DELETED,
        "id kind subject_kind subject_id content_id details dedupe_key mail_group mail_state"
        " mailed_with_id created_at read_at",
        people={"user_id": DELETED, "by_id": UNLINKED},
    ),
    "notification_preferences": Held(
        "the account", "whether a reader wants mail", "as long as the account", DELETED,
        "by_mail notices_by_mail updated_at", people=_OWN_ROWS,
    ),
    "notifications": Held(
        "the account", "the inbox of a reader", "as long as the account", DELETED,
        "event_id created_at read_at", people=_OWN_ROWS,
    ),
    "occurrences": _nobodys(
        "what came of each moment of a recurrence", "as long as the item",
        "recurrence_id local_time due_at schedule_id skipped",
    ),
    "passkey_challenges": Held(
        "the account, or nobody before it is known", "to let a passkey sign something once",
        "a day after its end", DELETED,
        "id purpose created_at expires_at used_at", hidden="challenge_hash", people=_OWN_ROWS,
    ),
    "passkeys": Held(
        "the account", "to know the account's devices again", "until it is removed", DELETED,
        "id name created_at last_used_at",
        hidden="credential_id public_key user_handle sign_count", people=_OWN_ROWS,
    ),
    "password_reset_tokens": Held(
        "the account", "to know a mailed token again", "7 days after its end", DELETED,
        "id created_at expires_at mailed_at used_at", hidden="token_hash", people=_OWN_ROWS,
    ),
    "pending_sign_ins": Held(
        "the account", "to know a login between its two steps",
        "a day after its end", DELETED,
        "id created_at expires_at ended_at", hidden="token_hash", people=_OWN_ROWS,
    ),
    "preview_links": Held(
        "who made it", "to show a version to whoever has the link", "a day after its end", KEPT,
        "id content_id version_id created_at expires_at revoked_at views last_viewed_at",
        hidden="token_hash", people={"created_by_id": UNLINKED},
    ),
    "publications": Held(
        "the author", "what the public reads", "until it is withdrawn", KEPT,
        "content_id version_id slug category_id tags origin etag published_at updated_at",
        people={"author_id": HANDED_OVER},
        apart={
            "document": Apart(EMPTIED, "of the author's name; the rest is the article"),
            "summary": Apart(EMPTIED, "of the author's name; the rest is the article"),
        },
        is_exported=False,
    ),
    "recovery_codes": Held(
        "the account", "to open an account whose second factor is lost",
        "until new ones are made, or the last second factor is removed", DELETED,
        "id created_at used_at", hidden="code_hash", people=_OWN_ROWS,
    ),
    "recurrences": Held(
        "who answers for it", f"{_NEWSROOM}; what recurs, and by whose rights",
        "as long as the item", KEPT,
        "id content_id action which rule zone start in_gap in_fold if_missed until count state"
        " ended_because planned_until revision created_at updated_at",
        people={"made_by_id": UNLINKED},
    ),
    "release_entries": _nobodys(
        "what a release does to an item, and what was public before", "as long as the item",
        "release_id content_id action version_id position seen_public seen_sequence added_at"
        " prepared_at failure former_version_id former_published_at former_standing sequence_after"
        " put_back_at",
    ),
    "releases": Held(
        "who began it", f"{_NEWSROOM}; what became public together, and when",
        "until it is deleted", KEPT,
        "id name state due_at zone local_time if_missed late_limit_seconds telling needs_approval"
        " approved_at approved_digest revision created_at updated_at went_live_at undone_at failure"
        " problems",
        people={"created_by_id": UNLINKED, "approved_by_id": UNLINKED},
    ),
    "renderings": _nobodys(
        "a version as it is shown and searched", "while it is public or scheduled, and two days",
        "version_id html excerpt search words language rendered_at",
    ),
    "retractions": Held(
        "who retracted it", "what the public is told in the place of an item",
        "as long as the item", KEPT, "id content_id sequence slug title reason retracted_at",
        people={"retracted_by_id": UNLINKED},
    ),
    "review_claims": Held(
        "who is reviewing", "to let no two review the same without knowing", "two days", DELETED,
        "review_id claimed_at expires_at", people={"claimed_by_id": DELETED},
    ),
    "review_decisions": Held(
        "who decided", "what was said of a version before it went public", "as long as the item",
        KEPT, "id review_id step decision comment decided_at", people={"decided_by_id": UNLINKED},
    ),
    "review_links": Held(
        "who made it", "to let a guest without an account say what they think of a version",
        "as long as the item where the guest has answered, otherwise a day after its end", KEPT,
        "id review_id step created_at expires_at revoked_at decision comment decided_at"
        " decision_id",
        hidden="token_hash", people={"created_by_id": UNLINKED},
        apart={
            column: Apart(KEPT, "a guest's, who has no account; " + how)
            for column, how in (
                ("guest_name", "`flask accounts forget-guest` takes it"),
                ("guest_address", "emptied once the guest has answered, or the link is revoked"),
            )
        },
    ),
    "reviews": Held(
        "who submitted it", "to know which versions may go public, and who asked for it",
        "as long as the item", KEPT,
        "id content_id version_id number state steps schedule_id due_at created_at ended_at",
        hidden="digest", people={"submitted_by_id": UNLINKED},
    ),
    "roles": _nobodys("the five roles", _NEVER, "id name rank"),
    "schedule_delays": _nobodys("to see lateness", _NEVER, "up_to_seconds schedules seconds"),
    "schedules": Held(
        "who made it", f"{_NEWSROOM}; what shall become of an item and when", "as long as the item",
        KEPT,
        "id content_id version_id action due_at if_missed state revision request_id pinned_at"
        " created_at updated_at fired_at failure late_limit_seconds zone local_time fold zone_rules"
        " rests_on_approval rehearsed_at rehearsal",
        people={"created_by_id": UNLINKED},
    ),
    "search_documents": _nobodys(
        "to find an item by the words of its newest version", "as long as the item",
        "content_id number language words indexed_at",
    ),
    "sign_in_throttles": Held(
        "who tried to log in", "to slow down guesses", "a day after the last failure", KEPT,
        "failures failed_at blocked_until",
        apart={"key_hash": Apart(KEPT, "a keyed digest, which tells nobody; gone in a day")},
        is_exported=False,
    ),
    "slugs": _nobodys(
        "to keep a public address its item's", "as long as the item",
        "slug content_id was_public created_at",
    ),
    "tag_aliases": _nobodys(
        "to find a tag under its former names", "as long as the tag",
        "id slug name tag_id was_public created_at",
    ),
    "tags": _nobodys("the newsroom's tags", _NEVER, "id slug name was_public created_at"),
    "ticks": _nobodys("to do what is periodic once", "a day", "task slot created_at"),
    "totp_factors": Held(
        "the account", "to check the codes of an authenticator app", "until it is removed",
        DELETED, "created_at confirmed_at", hidden="sealed_secret last_step", people=_OWN_ROWS,
    ),
    "users": Held(
        "the account", "to know who is asking and what to call them",
        "until it is erased, or IMPRINT_KEEP_UNVERIFIED_ACCOUNT_DAYS where nothing came of it",
        EMPTIED, "login email email_proven_at display_name bio second_factor_at",
        hidden="email_hash password_hash",
        apart={
            "id": Apart(KEPT, "items and the activity log name it; it names nobody any more"),
            **{
                column: Apart(KEPT, "a row has to have one; it names nobody")
                for column in ("role_id", "disabled_at", "frozen_at", "created_at", "updated_at")
            },
        },
    ),
    "version_labels": Held(
        "who gave it", f"{_NEWSROOM}; a version is found and kept by it", "until it is taken away",
        KEPT, "id content_id version_id name created_at", people={"created_by_id": UNLINKED},
    ),
}  # fmt: skip
"""By the name of the table."""
