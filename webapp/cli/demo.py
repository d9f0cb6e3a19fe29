"""`flask demo seed`: an admin and a few articles to begin with."""

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from webapp.cli.accounts import check_password
from webapp.cli.database import command_session
from webapp.kit.roles import RoleName
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, taxonomy
from webapp.services.content.content import Draft
from webapp.services.publishing import publishing

ARTICLES = (
    (
        "Welcome to Imprint",
        "This article is **public**. Read it at `/api/v1/published/welcome-to-imprint`.\n\n"
        "Follow its author, and the next article lands in your inbox.\n",
        ("imprint", "welcome"),
    ),
    (
        "A schedule pins a version",
        "Schedule an article, edit it afterwards: at its moment the text that you scheduled goes "
        "public, and your edits wait for the next time.\n",
        ("imprint", "schedules"),
    ),
    (
        "Every save is a version",
        "Ask for `/api/v1/content/{id}/versions`. Nothing that was acknowledged is lost.\n",
        ("imprint", "versions"),
    ),
)


@click.group(cls=AppGroup)
def demo() -> None:
    """Fill an empty installation with something to look at."""


@demo.command()
@click.option("--login", required=True, help="Login of the demo admin.")
@click.option("--password", required=True, help="Password of the demo admin.")
def seed(login: str, password: str) -> None:
    """Make the demo admin and a few articles, unless the admin is there already."""
    check_password(password)
    with command_session() as session:
        if accounts.find_by_login(session, login) is not None:
            click.echo("The demo admin is there already.")
            return
        account = accounts.register(
            session,
            login=login,
            email=f"{login}@imprint.example",
            password=password,
            display_name="Demo Admin",
            role=RoleName.ADMIN,
        )
        accounts.vouch_for_address(session, account)
        _write_articles(session, Actor(account.id, account.login, RoleName.ADMIN))
    click.echo(f"The demo admin {login} and {len(ARTICLES)} articles were created.")


def _write_articles(session: Session, actor: Actor) -> None:
    category_id = taxonomy.ensure_category(session, "News")
    for title, body, tags in ARTICLES:
        draft = Draft(title=title, body=body, tags=tags, category_id=category_id)
        content_id = content.create(session, actor, draft)
        publishing.publish(session, actor, content_id, None, notify=False)
