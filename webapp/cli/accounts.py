"""`flask accounts`: accounts made by operators."""

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import AppGroup

from webapp.cli.database import command_session
from webapp.kit.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from webapp.kit.roles import RoleName
from webapp.services.accounts import register


@click.group(cls=AppGroup)
def accounts() -> None:
    """Make accounts."""


@accounts.command("create-admin")
@click.option("--login", required=True, help="The name to log in with.")
@click.option("--email", required=True, help="Where password mails go.")
@click.option("--display-name", help="Shown to readers; the login if left out.")
@click.password_option(help="At least 10 characters; asked for if left out.")
def create_admin(login: str, email: str, display_name: str | None, password: str) -> None:
    """Make an account that may do everything."""
    check_password(password)
    check_address(email)
    with command_session() as session:
        account = register(
            session,
            login=login,
            email=email,
            password=password,
            display_name=display_name or login,
            role=RoleName.ADMIN,
        )
    click.echo(f"Admin {account.login} was created with id {account.id}.")


def check_password(password: str) -> None:
    """End the command unless the password has an acceptable length."""
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        raise click.BadParameter(
            f"must have {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters.", param_hint="--password"
        )


def check_address(email: str) -> None:
    """End the command unless mail could be sent to the address; asks no server."""
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise click.BadParameter(str(error), param_hint="--email") from error
