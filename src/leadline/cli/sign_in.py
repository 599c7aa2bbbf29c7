"""``leadline sign-in``: show who you are, at this machine or to a server, and keep the session."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, Home, Kept, acting, keep, kept
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

app = typer.Typer(help="Sign in, and register what to sign in with.", invoke_without_command=True)
LOCAL = "the terminal"


@app.callback()
def sign_in(  # noqa: PLR0913, PLR0917 -- each is an option of the command line
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="Who you are; with --password.")] = None,
    key: Annotated[Path | None, typer.Option(help="A key file to sign with.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM with your certificate and key; with --server.")
    ] = None,
    server: Annotated[str | None, typer.Option(help="https://HOST:PORT of a server.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="PEM of the authority of the server's certificate.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password.")] = False,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="Go to the provider; with --server.")
    ] = False,
    invitation: Annotated[
        bool, typer.Option("--invitation", help="Ask for the code you were given.")
    ] = False,
    more: Annotated[
        bool, typer.Option("--more", help="Step up the session you have with a second factor.")
    ] = False,
) -> None:
    """Sign in by exactly one of --password, --key, --invitation, --certificate, --oidc."""
    if context.invoked_subcommand:
        return
    ways = [password, key is not None, certificate is not None, oidc, invitation]
    with edge():
        if sum(ways) != 1:
            raise Invalid("sign-in", "name one of --password, --key, --certificate, --oidc")
        if server is not None:
            from leadline.client import terminal

            place = terminal.Place(server, authority, certificate)
            ask = terminal.Ask(name or "", key, password=password, oidc=oidc)
            secret = _secret("password") if password else ""
            begun = terminal.sign_in(place, ask, secret, lambda url: typer.echo(url, err=True))
            keep(path, begun.token)
            typer.echo(f"signed in as {begun.principal}")
            return
        if certificate is not None or oidc:
            raise Invalid("--server", "a certificate or a provider needs a server to show it to")
        _local(home, path, name, key, password=password, more=more)


def _local(
    home: Path | None,
    path: Path,
    name: str | None,
    key: Path | None,
    *,
    password: bool,
    more: bool,
) -> None:
    from leadline.app import sign_in as use
    from leadline.app.sign_in import Caller
    from leadline.wiring.sign_in import at_door, sign_in_with_file

    caller = Caller("", LOCAL)
    with at_door(home_of(home)) as door:
        present = door.acting(kept(path)).session if more else None
        if key is not None:
            begun = sign_in_with_file(door, key, caller, present)
        elif password:
            if not name:
                raise Invalid("--name", "say who you are")
            begun = door.by_password(name, _secret("password"), caller, present)
        else:
            begun = use.accept(door.nobody(), _secret("invitation"), caller)
    keep(path, begun.token)
    typer.echo(f"signed in as {begun.session.principal}")


@app.command("register")
def register(
    key: Annotated[
        Path | None, typer.Option(help="A key file to register; made if it is not there.")
    ] = None,
    note: Annotated[str, typer.Option(help="What you will know it by.")] = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    password: Annotated[bool, typer.Option("--password", help="Set your password.")] = False,
) -> None:
    """Register a key file or a password as your own. Passkeys and cards are registered over the API."""
    from leadline.wiring.sign_in import register_file

    with edge(), acting(home, path) as (door, me):
        if password == (key is not None):
            raise Invalid("register", "name one of --key and --password")
        if key is not None:
            typer.echo(register_file(me, key, note).id)
        else:
            door.set_password(me, _secret("new password"))
            typer.echo("the password is set")


@app.command("invite")
def invite(
    principal: Annotated[str, typer.Argument(help="Whom to invite; enrolled already.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """A code with which an enrolled person registers the first keys; printed once."""
    from leadline.app import sign_in as use

    with edge(), acting(home, path) as (_, me):
        typer.echo(use.invite(me.ctx, principal))


@app.command("recover")
def recover(
    principal: Annotated[str, typer.Argument(help="Who lost every key.")],
    request: Annotated[
        str | None, typer.Option(help="The request that another administrator signed.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Ask for a recovery, or, with --request, begin it: its code counts a day later."""
    from leadline.app import approval
    from leadline.app import sign_in as use

    with edge(), acting(home, path) as (_, me):
        if request is None:
            typer.echo(use.ask_recovery(me.ctx, principal).id)
        else:
            typer.echo(use.recover(me.ctx, principal, approval.granted(me.ctx, request)))


def _secret(what: str) -> str:
    """From the terminal without echo, or one line of standard input where that is no terminal."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")
