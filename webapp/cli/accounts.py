"""`flask accounts`: accounts made by operators."""

from dataclasses import asdict

import click
import orjson
from flask.cli import AppGroup

from webapp.cli import account_erasure, account_standing
from webapp.cli.database import command_session
from webapp.kit.addresses import mailable_address
from webapp.kit.passwords import MINIMUM_LENGTH, check_length
from webapp.kit.roles import RoleName
from webapp.kit.visible_lines import check_line
from webapp.services.accounts.accounts import register, vouch_for_address


@click.group(cls=AppGroup)
def accounts() -> None:
    """Make accounts, look at them, switch them off and on."""


for command in (*account_standing.COMMANDS, *account_erasure.COMMANDS):
    accounts.add_command(command)


@accounts.command("create-admin")
@click.option("--login", required=True, help="The name to log in with.")
@click.option("--email", required=True, help="Where password mails go.")
@click.option("--display-name", help="Shown to readers; the login if left out.")
@click.password_option(help=f"At least {MINIMUM_LENGTH} characters; asked for if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def create_admin(
    login: str, email: str, display_name: str | None, password: str, as_json: bool
) -> None:
    """Make an account that may do everything."""
    check_password(password)
    address = check_address(email)
    name = check_name(display_name or login)
    with command_session() as session:
        account = register(
            session,
            login=login,
            email=address,
            password=password,
            display_name=name,
            role=RoleName.ADMIN,
        )
        account = vouch_for_address(session, account)
    if as_json:
        click.echo(orjson.dumps(asdict(account)).decode())
    else:
        click.echo(f"Admin {account.login} was created with id {account.id}.")


def check_password(password: str) -> None:
    """End the command unless the password has an acceptable length."""
    try:
        check_length(password)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--password") from error


def check_address(email: str) -> str:
    """Return the address as it is stored; ends the command if no mail could be sent to it."""
    try:
        return mailable_address(email)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--email") from error


def check_name(name: str) -> str:
    """Return the name as it is stored; ends the command unless it is one line of visible text."""
    try:
        return check_line(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--display-name") from error
