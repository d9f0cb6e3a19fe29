"""One successful call of each route that writes; a new route wants a row in one of two tables."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from tests.api.bulk_writes import BULK_WRITES
from tests.api.calendar_writes import CALENDAR_WRITES
from tests.api.comment_writes import COMMENT_WRITES
from tests.api.release_writes import RELEASE_WRITES
from tests.api.review_writes import REVIEW_WRITES
from tests.api.schedule_writes import SCHEDULE_WRITES
from tests.api.tag_writes import TAG_WRITES
from tests.api.writes_without_line import WITHOUT_LINE as WITHOUT_LINE
from tests.factories import PASSWORD, Caller
from tests.passkeys import add, added, options_for, sign_in
from tests.second_factors import Telephone, second_step
from tests.soft_authenticator import SoftAuthenticator
from webapp.kit.clock import utc_now
from webapp.kit.one_time_codes import STEP_SECONDS, totp_code
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import EmailVerification, Identity, User
from webapp.services.accounts import freezes, password_resets, verifications
from webapp.services.accounts.password_resets import MintedReset
from webapp.services.accounts.verifications import MintedVerification
from webapp.services.audience.unsubscribing import unsubscribe_link
from webapp.services.operations import account_exports
from webapp.services.operations.personal_files import Piece
from webapp.settings import Settings

SOON = {"action": "publish", "at": "2099-01-01T00:00:00Z"}
_numbers = count(1)


class Newsroom:
    """An admin who does things, a reader to whom they happen, and how to make what they need."""

    def __init__(
        self, client: FlaskClient, sessions: sessionmaker[Session], settings: Settings
    ) -> None:
        """Let both come in."""
        self.client, self.sessions, self.settings = client, sessions, settings
        self.admin = Caller(client, RoleName.ADMIN)
        self.reader = Caller(client, RoleName.READER)

    def do(self, method: str, path: str, json: Any = None) -> Any:
        """Call the API as the admin, whatever the revision is."""
        return self.admin.call(method, path, json, If_Match="*")

    def item(self, *steps: str) -> str:
        """Make an item, take it through some steps, and return its path."""
        made = self.do("POST", "/content", {"title": "Item", "body": "Text."})
        path = f"/content/{made.get_json()['id']}"
        for step in steps:
            assert self.do("POST", f"{path}/{step}", {} if step == "publish" else None).status_code
        return path

    def schedule(self) -> str:
        """Schedule an item and return the path of the schedule."""
        made = self.do("POST", f"{self.item()}/schedule", SOON)
        return f"/schedule/{made.get_json()['id']}"

    def review(self) -> str:
        """Ask for a review of an item and return its path."""
        path = self.item()
        asked = self.do("POST", f"{path}/reviews", {})
        return f"{path}/reviews/{asked.get_json()['id']}"

    def category(self) -> str:
        """Make a category and return its path."""
        made = self.do("POST", "/categories", {"name": f"Category {next(_numbers)}"})
        return f"/categories/{made.get_json()['id']}"

    def log_in(self) -> Any:
        """Log the reader in once more."""
        credentials = {"login": self.reader.login, "password": PASSWORD}
        return self.client.post("/api/v1/auth/token", json=credentials)

    def reset(self) -> Any:
        """Set a new password for the reader, by a token."""
        new = {"token": self.reset_token(), "password": "another password for tests"}
        return self.client.post("/api/v1/auth/password-reset/confirm", json=new)

    def reset_by_page(self) -> Any:
        """Set a new password for the reader, by the page."""
        form = {"token": self.reset_token(), "password": "another password for tests"}
        return self.client.post("/reset-password", data=form)

    def reset_token(self) -> str:
        """Make a token that can set the reader's password."""
        with self.sessions.begin() as session:
            email_hash = hash_email(self.reader.email)
            asked_at = session.connection().exec_driver_sql("SELECT now()").scalar_one()
            minted = password_resets.mint_token(session, email_hash, minutes=5, asked_at=asked_at)
        assert isinstance(minted, MintedReset)
        return minted.token

    def verification_token(self) -> str:
        """Make a token that can prove the reader's address."""
        with self.sessions.begin() as session:
            verifications.request_again(session, self.reader.id)
            asked = session.scalars(select(EmailVerification.id)).one()
            minted = verifications.mint(session, asked)
        assert isinstance(minted, MintedVerification)
        return minted.token or ""

    def freeze_token(self) -> str:
        """Make a token that can freeze the reader's account."""
        with self.sessions.begin() as session:
            return freezes.mint(session, self.reader.id)

    def end_session(self) -> Any:
        """End one of the reader's sessions by its id."""
        (line, *_) = self.reader.call("GET", "/auth/sessions").get_json()["items"]
        return self.reader.call("DELETE", f"/auth/sessions/{line['id']}")

    def key(self) -> Any:
        """Make an API key of the reader."""
        asked = {"name": "agent", "scopes": ["read"], "expires_in_days": 1, "password": PASSWORD}
        return self.reader.call("POST", "/auth/api-keys", asked)

    def undo(self) -> Any:
        """Let an agent of the admin write an item, and put it back."""
        asked = {"name": "agent", "scopes": ["propose"], "expires_in_days": 1, "password": PASSWORD}
        key = self.do("POST", "/auth/api-keys", asked).get_json()["key"]
        headers = {"Authorization": f"Bearer {key}", "Agent-Session": "run"}
        self.client.post("/api/v1/content", json={"title": "Item"}, headers=headers)
        return self.do("POST", "/activity/sessions/run/undo", {})

    def telephone(self) -> Telephone:
        """Enrol an authenticator app of the reader."""
        return Telephone(self.reader, self.sessions)

    def finish_sign_in(self) -> Any:
        """Log the reader in by both steps."""
        telephone = self.telephone()
        token = self.log_in().get_json()["second_factor_token"]
        return second_step(self.reader, token, code=telephone.code())

    def confirm_totp(self) -> Any:
        """Let a new app of the reader count."""
        begun = self.reader.call("POST", "/auth/second-factors/totp", {"password": PASSWORD})
        code = totp_code(begun.get_json()["secret"], int(time.time()) // STEP_SECONDS)
        return self.reader.call("POST", "/auth/second-factors/totp/confirm", {"code": code})

    def with_both(self, below: str) -> Any:
        """Do something to the reader's factors that wants the password and one of them."""
        shown = {"password": PASSWORD, "code": self.telephone().code()}
        return self.reader.call("POST", f"/auth/second-factors/{below}", shown)

    def add_passkey(self) -> Any:
        """Add a passkey of the reader."""
        return add(self.reader, SoftAuthenticator())

    def sign_in_by_passkey(self) -> Any:
        """Log the reader in by a passkey alone."""
        device = added(self.reader)
        return sign_in(self.client, device.say(options_for(self.client)))

    def remove_passkey(self) -> Any:
        """Take a passkey of the reader away by itself."""
        device = added(self.reader)
        (line,) = self.reader.call("GET", "/auth/passkeys").get_json()["items"]
        asked = self.reader.call("POST", "/auth/passkeys/proof-options").get_json()["options"]
        shown = {"password": PASSWORD, "passkey": device.say(asked)}
        return self.reader.call("POST", f"/auth/passkeys/{line['id']}/remove", shown)

    def export(self) -> tuple[int, str]:
        """Make a copy of the reader's data; returns its id and the token of its link."""
        with self.sessions.begin() as session:
            export_id = account_exports.ask(session, self.reader.id)
            account_exports.add_piece(session, export_id, 1, Piece(0, b"zip"))
            account_exports.end(session, export_id, self.reader.id, hours=1)
            notice = account_exports.mint_link(session, export_id)
        assert notice is not None
        return export_id, notice.token

    def ask_to_be_deleted(self) -> Any:
        """Ask for the deletion of the reader."""
        return self.reader.call("POST", "/accounts/me/deletion", {"password": PASSWORD})

    def stay(self) -> Any:
        """Ask for it and take it back."""
        self.ask_to_be_deleted()
        return self.reader.call("DELETE", "/accounts/me/deletion")

    def identity(self) -> int:
        """Link the reader, whose address is proven, to an issuer, and return the id of the link."""
        with self.sessions.begin() as session:
            session.get_one(User, self.reader.id).email_proven_at = utc_now()
            linked = Identity(
                user_id=self.reader.id, issuer="https://issuer.example", subject="reader"
            )
            session.add(linked)
            session.flush()
            return linked.id

    def unsubscribe(self) -> Any:
        """End the reader's mails by the link in one."""
        key = self.settings.require_secret_key()
        return self.client.post(unsubscribe_link("", key, self.reader.id))


WRITES: dict[str, Callable[[Newsroom], Any]] = {
    **REVIEW_WRITES,
    **BULK_WRITES,
    **COMMENT_WRITES,
    **CALENDAR_WRITES,
    **RELEASE_WRITES,
    "POST /api/v1/accounts": lambda room: room.client.post(
        "/api/v1/accounts",
        json={"login": "newcomer", "email": "newcomer@example.org", "password": PASSWORD},
    ),
    "PATCH /api/v1/accounts/me": lambda room: room.do("PATCH", "/accounts/me", {"bio": "New"}),
    "PUT /api/v1/accounts/me/password": lambda room: room.reader.call(
        "PUT",
        "/accounts/me/password",
        {"current_password": PASSWORD, "new_password": "another password for tests"},
    ),
    "PUT /api/v1/accounts/me/email": lambda room: room.reader.call(
        "PUT",
        "/accounts/me/email",
        {"email": "another@example.org", "current_password": PASSWORD},
    ),
    "PUT /api/v1/users/<int:user_id>/role": lambda room: room.do(
        "PUT", f"/users/{room.reader.id}/role", {"role": "author"}
    ),
    "POST /api/v1/auth/token": lambda room: room.log_in(),
    "DELETE /api/v1/auth/token": lambda room: room.reader.call("DELETE", "/auth/token"),
    "DELETE /api/v1/auth/sessions": lambda room: room.reader.call("DELETE", "/auth/sessions"),
    "DELETE /api/v1/auth/sessions/<int:session_id>": lambda room: room.end_session(),
    "POST /api/v1/accounts/me/exports": lambda room: room.reader.call(
        "POST", "/accounts/me/exports"
    ),
    "POST /api/v1/accounts/me/exports/<int:export_id>/files/<int:number>": lambda room: (
        room.reader.call("POST", f"/accounts/me/exports/{room.export()[0]}/files/1")
    ),
    "POST /export": lambda room: room.client.post(
        "/export", data={"token": room.export()[1], "number": "1"}
    ),
    "POST /api/v1/accounts/me/deletion": lambda room: room.ask_to_be_deleted(),
    "DELETE /api/v1/accounts/me/deletion": lambda room: room.stay(),
    "POST /api/v1/auth/api-keys": lambda room: room.key(),
    "DELETE /api/v1/auth/api-keys/<int:key_id>": lambda room: room.reader.call(
        "DELETE", f"/auth/api-keys/{room.key().get_json()['id']}"
    ),
    "POST /api/v1/auth/second-factor": lambda room: room.finish_sign_in(),
    "POST /api/v1/auth/passkeys/creation-options": lambda room: room.reader.call(
        "POST", "/auth/passkeys/creation-options", {"password": PASSWORD}
    ),
    "POST /api/v1/auth/passkeys": lambda room: room.add_passkey(),
    "POST /api/v1/auth/passkeys/sign-in": lambda room: room.sign_in_by_passkey(),
    "PATCH /api/v1/auth/passkeys/<int:passkey_id>": lambda room: room.reader.call(
        "PATCH", f"/auth/passkeys/{room.add_passkey().get_json()['id']}", {"name": "Another"}
    ),
    "POST /api/v1/auth/passkeys/<int:passkey_id>/remove": lambda room: room.remove_passkey(),
    "POST /api/v1/auth/second-factors/totp": lambda room: room.reader.call(
        "POST", "/auth/second-factors/totp", {"password": PASSWORD}
    ),
    "POST /api/v1/auth/second-factors/totp/confirm": lambda room: room.confirm_totp(),
    "POST /api/v1/auth/second-factors/totp/remove": lambda room: room.with_both("totp/remove"),
    "POST /api/v1/auth/second-factors/recovery-codes": lambda room: room.with_both(
        "recovery-codes"
    ),
    "DELETE /api/v1/auth/identities/<int:identity_id>": lambda room: room.reader.call(
        "DELETE", f"/auth/identities/{room.identity()}"
    ),
    "POST /api/v1/auth/password-reset/confirm": lambda room: room.reset(),
    "POST /api/v1/content": lambda room: room.do("POST", "/content", {"title": "New"}),
    "PATCH /api/v1/content/<int:content_id>": lambda room: room.do(
        "PATCH", room.item(), {"title": "Another"}
    ),
    "DELETE /api/v1/content/<int:content_id>": lambda room: room.do("DELETE", room.item()),
    "POST /api/v1/content/<int:content_id>/trash": lambda room: room.do(
        "POST", f"{room.item()}/trash"
    ),
    "POST /api/v1/content/<int:content_id>/untrash": lambda room: room.do(
        "POST", f"{room.item('trash')}/untrash"
    ),
    "POST /api/v1/content/<int:content_id>/archive": lambda room: room.do(
        "POST", f"{room.item()}/archive"
    ),
    "POST /api/v1/content/<int:content_id>/unarchive": lambda room: room.do(
        "POST", f"{room.item('archive')}/unarchive"
    ),
    "POST /api/v1/content/<int:content_id>/publish": lambda room: room.do(
        "POST", f"{room.item()}/publish", {}
    ),
    "POST /api/v1/content/<int:content_id>/unpublish": lambda room: room.do(
        "POST", f"{room.item('publish')}/unpublish"
    ),
    "POST /api/v1/content/<int:content_id>/correct": lambda room: room.do(
        "POST", f"{room.item('publish')}/correct", {"note": "It was another day."}
    ),
    "POST /api/v1/content/<int:content_id>/retract": lambda room: room.do(
        "POST", f"{room.item('publish')}/retract", {"reason": "It was wrong."}
    ),
    "POST /api/v1/content/<int:content_id>/autosave/save": lambda room: room.do(
        "POST", f"{_autosaved(room)}/autosave/save"
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/labels": lambda room: room.do(
        "POST", f"{room.item()}/versions/1/labels", {"name": "as printed"}
    ),
    "DELETE /api/v1/content/<int:content_id>/labels/<int:label_id>": lambda room: room.do(
        "DELETE", _labelled(room)
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/previews": lambda room: room.do(
        "POST", f"{room.item()}/versions/1/previews", {}
    ),
    "DELETE /api/v1/content/<int:content_id>/previews/<int:preview_id>": lambda room: room.do(
        "DELETE", _previewed(room)
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/restore": lambda room: room.do(
        "POST", f"{_edited(room)}/versions/1/restore"
    ),
    "POST /api/v1/content/<int:content_id>/reviews": lambda room: room.do(
        "POST", f"{room.item()}/reviews", {}
    ),
    "POST /api/v1/content/<int:content_id>/reviews/<int:review_id>/decisions": lambda room: room.do(
        "POST", f"{room.review()}/decisions", {"decision": "approve", "version": 1}
    ),
    "DELETE /api/v1/content/<int:content_id>/reviews/<int:review_id>": lambda room: room.do(
        "DELETE", room.review()
    ),
    "POST /api/v1/content/<int:content_id>/schedule": lambda room: room.do(
        "POST", f"{room.item()}/schedule", SOON
    ),
    **SCHEDULE_WRITES,
    "POST /api/v1/activity/sessions/<path:agent_session>/undo": lambda room: room.undo(),
    "POST /api/v1/categories": lambda room: room.do("POST", "/categories", {"name": "New"}),
    "PUT /api/v1/categories/<int:category_id>": lambda room: room.do(
        "PUT", room.category(), {"name": "Another"}
    ),
    "DELETE /api/v1/categories/<int:category_id>": lambda room: room.do("DELETE", room.category()),
    "POST /api/v1/categories/<int:category_id>/merge": lambda room: room.do(
        "POST", f"{room.category()}/merge", {"into_id": int(room.category().split("/")[-1])}
    ),
    **TAG_WRITES,
    "PUT /api/v1/notifications/preferences": lambda room: room.reader.call(
        "PUT", "/notifications/preferences", {"by_mail": False}
    ),
    "POST /api/v1/auth/verify-email": lambda room: room.client.post(
        "/api/v1/auth/verify-email", json={"token": room.verification_token()}
    ),
    "POST /api/v1/auth/verify-email/resend": lambda room: room.reader.call(
        "POST", "/auth/verify-email/resend"
    ),
    "POST /verify-email": lambda room: room.client.post(
        "/verify-email", data={"token": room.verification_token()}
    ),
    "POST /freeze-account": lambda room: room.client.post(
        "/freeze-account", data={"token": room.freeze_token()}
    ),
    "POST /reset-password": lambda room: room.reset_by_page(),
    "POST /unsubscribe": lambda room: room.unsubscribe(),
}
# What changed there is told to nobody, so the line has no values.
OF_A_SECRET = {"PUT /api/v1/accounts/me/password", "PUT /api/v1/accounts/me/email"}


def _labelled(room: Newsroom) -> str:
    path = room.item()
    made = room.do("POST", f"{path}/versions/1/labels", {"name": "as printed"}).get_json()
    return f"{path}/labels/{made['id']}"


def _previewed(room: Newsroom) -> str:
    path = room.item()
    made = room.do("POST", f"{path}/versions/1/previews", {}).get_json()
    return f"{path}/previews/{made['id']}"


def _autosaved(room: Newsroom) -> str:
    path = room.item()
    room.do("PUT", f"{path}/autosave", {"base_version": 1, "changes": {"title": "Second"}})
    return path


def _edited(room: Newsroom) -> str:
    path = room.item()
    room.do("PATCH", path, {"title": "Second"})
    return path
