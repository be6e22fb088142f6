"""`mien user`: accounts of the web product, made where the server runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mien.cli import _exits
from mien.cli._text import complain, printable
from mien.cli._web import DataFolder, set_up
from mien.core.errors import OptionError

_GROUP = f"""
Make and list the accounts of the web product, and give new passwords.

The password is asked for; from a pipe its first line is taken.

[bold]Examples[/bold]

  mien user create ada --admin --email ada@example.org

  mien user create vera --viewer < password.txt

  mien user list

  mien user password ada

{_exits.HELP}
"""

app = typer.Typer(
    help=_GROUP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]


@app.command("create")
def create(
    name: Name,
    email: Annotated[str, typer.Option(help="Address for mail, such as a new password.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="An administrator, who may do everything.")] = False,
    viewer: Annotated[
        bool, typer.Option("--viewer", help="Reads the database viewer, changes nothing.")
    ] = False,
    data: DataFolder = None,
) -> None:
    """Make an account."""
    set_up(data)
    from mien.web.accounts import making

    role = "administrator" if admin else "viewer" if viewer else "user"
    making.check_new(name, email)
    user = making.create(name, _password(), email=email, role=role)
    complain(f"{user.role} {user.get_username()} can log in now")


@app.command("list")
def list_users(data: DataFolder = None) -> None:
    """List every account: name, role, address, last log-in."""
    set_up(data)
    from mien.web.accounts.models import User

    for user in User.objects.order_by("username"):
        last = user.last_login.strftime("%Y-%m-%d %H:%M") if user.last_login else "never"
        state = "" if user.is_active else ", closed"
        print(*map(printable, (user.get_username(), user.role + state, user.email or "-", last)), sep="\t")


@app.command("password")
def password(name: Name, data: DataFolder = None) -> None:
    """Give a user a new password; all their sessions end."""
    set_up(data)
    from mien.web.accounts import making

    user = making.find(name)
    making.set_password(user, _password())
    complain(f"{user.get_username()} has a new password and has to log in again")


def _password() -> str:
    if not sys.stdin.isatty():
        first = sys.stdin.readline().rstrip("\r\n")
        if not first:
            raise OptionError("no password on standard input; write it on the first line")
        return first
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
