"""The page by which a guest, who has no account, reads a version and says what they think of it.

A look at it changes nothing, because programs look at the links in mails before people do. Unlike
the other pages that mails lead to it keeps the token in its address: it is read for a while, and
may be opened again until it is answered.
"""

from flask import Flask, Response, request
from markupsafe import Markup

from webapp.api.auth import public
from webapp.api.edge import open_session, web_context
from webapp.kit.json_values import check_text
from webapp.pages import layout
from webapp.pages.version_page import VersionPage
from webapp.services.errors import ConflictError, NotFoundError
from webapp.services.publishing import guest_reviews
from webapp.services.publishing.guest_reviews import Answered, GuestReview
from webapp.services.publishing.reviews import Verdict

HEADING = "Your review"
LONGEST_COMMENT = 5_000
WAY_ON = "You can close this page."
VERDICTS: dict[str, tuple[Verdict, str, str]] = {
    "approve": ("approve", "It can go out as it is", "approved"),
    "changes_wanted": ("changes_wanted", "It wants changes", "wants changes"),
    "reject": ("reject", "It should not go out", "rejected"),
}
_STYLE = """
fieldset { border: 1px solid #6b6b6b; border-radius: .25rem; padding: .75rem 1rem;
  margin: 0 0 1rem; min-width: 0; }
legend { font-weight: 600; padding: 0 .25rem; }
fieldset label { display: flex; gap: .625rem; align-items: center; min-height: 2.75rem;
  font-weight: 400; }
input[type=radio] { width: 1.25rem; height: 1.25rem; margin: 0; flex: none; }
textarea { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .625rem;
  margin: .25rem 0 1rem; border: 1px solid #6b6b6b; border-radius: .25rem; background: #fff;
  color: inherit; }
ins { background: #d7f0dc; color: #0b3d19; text-decoration: underline; }
del { background: #fbdedb; color: #6b120c; text-decoration: line-through; }
a { color: #1d4ed8; }
@media (prefers-color-scheme: dark) {
  textarea { background: #16181c; border-color: #9a9a9a; }
  .notice, fieldset { border-color: #9a9a9a; }
  ins { background: #143d20; color: #d6f5de; }
  del { background: #571b16; color: #ffdad6; }
  a { color: #a8c1ff; }
}
"""
_PAGE = VersionPage("Review", _STYLE, form_action="'self'")
# It goes where no token stands in the address, so that no log of a proxy keeps it.
_FORM = Markup("""<hr>
<form method="post" action="review">
<input type="hidden" name="token" value="{token}">
<fieldset>
<legend>What do you say, {guest}?</legend>
{choices}</fieldset>
<label for="comment">Comment
<span class="hint">Optional, up to {longest} characters. The authors and editors read it.</span>
</label>
<textarea id="comment" name="comment" rows="6" maxlength="{longest}"></textarea>
<button>Send your answer</button>
</form>""")
_CHOICE = Markup(
    '<label><input type="radio" name="decision" value="{value}" required>{text}</label>\n'
)


def install_review(app: Flask) -> None:
    """Add `/review`."""
    app.add_url_rule("/review", "review_page", show, methods=["GET"])
    app.add_url_rule("/review", "review", send, methods=["POST"])


@public
def show() -> Response:
    """Show the version and the form; to look at them takes nothing."""
    token = request.args.get("token", "")[:100]
    policy = web_context().settings.review_policy
    try:
        shown = guest_reviews.look(open_session(), token, policy)
    except NotFoundError as error:
        return _closed(str(error), 404)
    except ConflictError as error:
        return _closed(f"{error} Your answer is not needed any more.", 200)
    if isinstance(shown, Answered):
        return _closed(_said(shown), 200)
    return _PAGE.show(shown.version.title, _notice(shown), shown.html, _form(shown, token))


@public
def send() -> Response:
    """Take the answer, and say what came of it."""
    token, wanted = request.form.get("token", "")[:100], request.form.get("decision", "")
    comment = request.form.get("comment", "").replace("\r\n", "\n").strip()
    if wanted not in VERDICTS:
        return _refused("Choose one of the three answers.", 422)
    if len(comment) > LONGEST_COMMENT:
        return _refused(f"The comment has more than {LONGEST_COMMENT} characters.", 422)
    try:
        check_text(comment)
    except ValueError as error:
        return _refused(f"The comment {error}.", 422)
    policy = web_context().settings.review_policy
    verdict = VERDICTS[wanted][0]
    try:
        before = guest_reviews.answer(open_session(), token, verdict, comment, policy)
    except NotFoundError as error:
        return _closed(str(error), 404)
    except ConflictError as error:
        return _closed(f"Your answer was not taken. {error}", 409)
    if before is not None:
        return _closed(_said(before), 409)
    return layout.show("Thank you", "Your answer has been passed on.", WAY_ON)


def _said(answered: Answered) -> str:
    word = VERDICTS[answered.decision][2]
    return f"This link was answered on {answered.decided_at:%d %B %Y, %H:%M} UTC: {word}."


def _closed(reason: str, status: int) -> Response:
    if status < 400:
        return layout.show(HEADING, reason, WAY_ON)
    return layout.show(HEADING, error=reason, status=status)


def _refused(reason: str, status: int) -> Response:
    return layout.show(HEADING, "Go back and send it again.", error=reason, status=status)


def _form(shown: GuestReview, token: str) -> Markup:
    return _FORM.format(
        token=token,
        guest=shown.guest_name,
        longest=LONGEST_COMMENT,
        choices=Markup().join(
            _CHOICE.format(value=value, text=text) for value, (_, text, _) in VERDICTS.items()
        ),
    )


def _notice(shown: GuestReview) -> str:
    told = [f"{shown.asked_by} asks what you think of version {shown.version.number}."]
    if shown.live is not None and shown.is_marked:
        told.append(
            f"Version {shown.live} is public; what was added since is underlined, what was taken "
            "out is struck through."
        )
    elif shown.live is not None:
        told.append(f"Version {shown.live} is public; this one is too long to mark what differs.")
    else:
        told.append("It is not public.")
    told.append(
        f"Your answer decides the step {shown.step}, and can be given once."
        if shown.step
        else "Your answer is an opinion, and can be given once."
    )
    told.append(f"The link works until {shown.expires_at:%d %B %Y, %H:%M} UTC.")
    return " ".join(told)
