"""`flask accounts list|show|disable|enable|revoke-sessions|reset-…`: operators' ways in."""

from dataclasses import asdict
from typing import Any

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.database import command_session, command_settings
from webapp.kit.roles import RoleName
from webapp.services.accounts import administration, second_factors, standing
from webapp.services.accounts.administration import AccountLine

ACCOUNT = click.argument("account", metavar="LOGIN_OR_ID")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.command("list")
@click.option("--role", type=click.Choice([role.value for role in RoleName]), help="Only this one.")
@click.option(
    "--disabled/--enabled", "is_disabled", default=None, help="Only off or frozen, or on."
)
@click.option("--after", "after_id", type=int, default=0, help="Only larger ids: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@JSON
@with_appcontext
def list_accounts(
    role: str | None, is_disabled: bool | None, after_id: int, limit: int, as_json: bool
) -> None:
    """List accounts in the order of their ids."""
    with command_session() as session:
        lines = administration.list_lines(
            session,
            role=None if role is None else RoleName(role),
            is_disabled=is_disabled,
            after_id=after_id,
            limit=limit,
        )
    for line in lines:
        click.echo(_as_json(asdict(line)) if as_json else _as_text(line))
    if not lines and not as_json:
        click.echo("No accounts.")
    elif len(lines) == limit and not as_json:
        click.echo(f"More with --after {lines[-1].id}.")


@click.command()
@ACCOUNT
@JSON
@with_appcontext
def show(account: str, as_json: bool) -> None:
    """Show one account, its live sessions and its second factors."""
    with command_session() as session:
        details = administration.describe(session, account)
    if as_json:
        more = {name: value for name, value in asdict(details).items() if name != "account"}
        click.echo(_as_json({**asdict(details.account), **more}))
        return
    for name, value in asdict(details.account).items():
        click.echo(f"{name:<16} {'-' if value is None else value}")
    click.echo(f"{'live_sessions':<16} {details.live_sessions}")
    click.echo(f"{'last_used_at':<16} {details.last_used_at or '-'}")
    click.echo(f"{'second_factors':<16} {', '.join(details.second_factors) or '-'}")


@click.command()
@ACCOUNT
@click.option("--reason", required=True, prompt=True, help="Why, for the activity log.")
@YES
@JSON
@with_appcontext
def disable(account: str, reason: str, yes: bool, as_json: bool) -> None:
    """Switch an account off: its sessions end at once, and nobody logs in to it."""
    confirm(account, "Switch off", yes)
    with command_session() as session:
        found = administration.find(session, account)
        changed = standing.disable(session, None, found.id, reason)
        found = administration.find(session, account)
    _tell(found, "is off now." if changed else "was off already.", as_json)


@click.command()
@ACCOUNT
@click.option("--reason", default="", help="Why, for the activity log.")
@JSON
@with_appcontext
def enable(account: str, reason: str, as_json: bool) -> None:
    """Switch an account on again, or thaw it; its owner has to log in anew.

    The password stays as it is. Where somebody else knows it, take reset-password instead: the link
    that it mails thaws the account as well.
    """
    with command_session() as session:
        found = administration.find(session, account)
        changed = standing.enable(session, None, found.id, reason)
        found = administration.find(session, account)
    _tell(found, "is on now." if changed else "was on already.", as_json)


@click.command("revoke-sessions")
@ACCOUNT
@YES
@JSON
@with_appcontext
def revoke_sessions(account: str, yes: bool, as_json: bool) -> None:
    """End all sessions of an account; its password stays."""
    confirm(account, "End all sessions of", yes)
    with command_session() as session:
        found = administration.find(session, account)
        ended = administration.end_sessions(session, found.id)
    _tell(found, f"has no session any more; {ended} ended.", as_json, ended_sessions=ended)


@click.command("reset-factors")
@ACCOUNT
@YES
@JSON
@with_appcontext
def reset_factors(account: str, yes: bool, as_json: bool) -> None:
    """Take all second factors of an account away, whose owner has lost them."""
    confirm(account, "Take away all second factors of", yes)
    with command_session() as session:
        found = administration.find(session, account)
        removed = second_factors.reset(session, found.id)
    sentence = "has no second factor any more." if removed else "had no second factor."
    _tell(found, sentence, as_json, removed_factors=removed)


@click.command("reset-password")
@ACCOUNT
@click.option("--print-link", is_flag=True, help="Print a link instead of mailing one.")
@YES
@JSON
@with_appcontext
def reset_password(account: str, print_link: bool, yes: bool, as_json: bool) -> None:
    """Make a password useless, end all sessions, and mail a link to set a new one."""
    confirm(account, "Make the password useless and end all sessions of", yes)
    settings = command_settings()
    minutes = settings.password_reset_minutes
    with command_session() as session:
        found = administration.find(session, account)
        if print_link:
            token = administration.mint_reset(session, found, minutes=minutes)
            link = settings.link_to_password_reset(token)
        else:
            administration.reset_password(session, found)
    if print_link:
        _tell(found, f"gets a new password here, once, within {minutes} minutes:\n{link}",
              as_json, link=link, minutes=minutes)  # fmt: skip
    else:
        _tell(found, "gets a mail with a link.", as_json)


def confirm(account: str, what: str, yes: bool) -> None:
    """Ask, about an account that is there, unless the answer was given already."""
    with command_session() as session:
        found = administration.find(session, account)
    if not yes:
        click.confirm(f"{what} {found.login} (id {found.id}, {found.role})?", abort=True)


def _tell(account: AccountLine, sentence: str, as_json: bool, **more: Any) -> None:  # noqa: ANN401
    if as_json:
        click.echo(_as_json({**asdict(account), **more}))
    else:
        click.echo(f"{account.login} {sentence}")


def _as_json(values: dict[str, Any]) -> str:
    return orjson.dumps(values).decode()


def _as_text(line: AccountLine) -> str:
    state = "on" if line.frozen_at is None else "frozen"
    if line.disabled_at is not None:
        state = "off"
    return f"{line.id:>8}  {line.role:<8}  {state:<6}  {line.login:<24}  {line.email}"


COMMANDS: tuple[click.Command, ...] = (
    list_accounts, show, disable, enable, revoke_sessions, reset_factors, reset_password,
)  # fmt: skip
