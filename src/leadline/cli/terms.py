"""`leadline terms`: draft, compare, sign and look at the terms of an engagement."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from leadline.app.engagement import Dealings
    from leadline.core.engagement.terms import Terms
    from leadline.core.record.act import Value
    from leadline.wiring.desk import Desk

app = typer.Typer(no_args_is_help=True, help="The terms that both parties of an engagement sign.")
Engagement = Annotated[str, typer.Argument(help="The engagement's id.")]
File = Annotated[
    Path | None, typer.Argument(help="The file; without one, what the other party signed last.")
]
Key = Annotated[Path, typer.Option(help="Your key file; it signs the digest of the text.")]


@app.callback()
def terms() -> None:
    """Terms."""


@app.command("draft")
def draft(
    engagement: Engagement,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file to write into.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=36500, help="When they would end.")] = 60,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Write a file to begin with: the next version of what is in effect, or a first one."""
    from leadline.app import terms as use
    from leadline.cli.desk import at_desk
    from leadline.formats.terms_toml import write_terms

    with edge(), at_desk(home, path) as me:
        text = write_terms(me.do(use.draft, me.dealings(engagement), days))
        _write(out, text)
    typer.echo(f"{out}: write into it, then `leadline terms diff` and `leadline terms agree`")


@app.command("diff")
def diff(engagement: Engagement, file: File = None, home: Home = None, path: Kept = FILE) -> None:
    """What a text changes of the terms in effect, line by line."""
    from leadline.app import terms as use
    from leadline.cli.desk import at_desk
    from leadline.core.engagement import terms as core

    with edge(), at_desk(home, path) as me:
        on = me.dealings(engagement)
        new = _text(me, on, file)
        lines = core.diff(me.do(use.held, on).effective, new)
    typer.echo("\n".join(lines) or "nothing: these are the terms in effect")
    typer.echo(f"digest {new.digest}")


@app.command("agree")
def agree(
    engagement: Engagement,
    file: File = None,
    *,
    key: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without being asked again.")] = False,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Read what changes, and sign it. It has effect once the other party signed the same text."""
    from leadline.app import engagement as dealing
    from leadline.app import terms as use
    from leadline.cli.desk import at_desk
    from leadline.core.access import Action
    from leadline.core.engagement import terms as core
    from leadline.identity import software_key
    from leadline.wiring.desk import AtDesk

    with edge(), at_desk(home, path) as me:
        on = me.dealings(engagement)
        new = _text(me, on, file)
        typer.echo("\n".join(core.diff(me.do(use.held, on).effective, new)))
        if not yes:
            typer.confirm(f"Sign {new.digest} for {me.person.org}?", abort=True, err=True)
        if isinstance(me, AtDesk):
            use.agree(me.ctx, on, new, software_key.read(key).sign)
        else:
            granted = me.signed(Action.TERMS_AGREE, on, use.facts(new), key)
            me.do(dealing.agree_terms, on, new, granted)
        now = me.do(use.held, on).effective == new
    typer.echo(f"signed {new.digest}; {'in effect' if now else 'waits for the other party'}")


@app.command("show")
def show(
    engagement: Engagement, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """The terms in effect, and what one party signed that the other has not."""
    from leadline.app import terms as use
    from leadline.cli.desk import at_desk
    from leadline.core.record.act import instant

    with edge(), at_desk(home, path) as me:
        found = me.do(use.held, me.dealings(engagement))
    signed = {party: _record(one) for party, one in sorted(found.signed.items())}
    effective = _record(found.effective) if found.effective else None
    destroy = instant(found.destroy_by) if found.destroy_by else None
    if as_json:
        told = {"in_effect": effective, "signed": signed, "destroy_by": destroy}
        typer.echo(json.dumps(told))
        return
    for name, value in (effective or {"in effect": "nothing yet"}).items():
        typer.echo(f"{name}: {_words(value)}")
    if destroy:
        typer.echo(f"destroy what was received by: {destroy}")
    for party, one in found.signed.items():
        if one != found.effective:
            typer.echo(f"the {party} signed {one.digest}, which waits for the other party")


@app.command("refusals")
def refusals(
    engagement: Engagement, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Everything that was refused: who tried what, for what purpose, and why not."""
    from leadline.app import terms as use
    from leadline.cli.desk import at_desk
    from leadline.core.record.act import instant

    with edge(), at_desk(home, path) as me:
        found = me.do(use.refusals, me.dealings(engagement))
    names = ("who", "org", "what", "purpose", "why")
    rows = [
        {"at": instant(one.at), **{name: getattr(one, name) for name in names}} for one in found
    ]
    if as_json:
        typer.echo(json.dumps({"refusals": rows}))
        return
    for row in rows:
        purpose = f"  for {row['purpose']}" if row["purpose"] else ""
        typer.echo(f"{row['at']}  {row['who']} ({row['org']})  {row['what']}{purpose}")
        typer.echo(f"    {row['why']}")


@app.command("purposes")
def purposes(*, as_json: AsJson = False) -> None:
    """The words that terms can name as purposes, and those that no terms cover."""
    from leadline.app import terms as use

    found = use.purposes().all
    if as_json:
        rows = [{"id": one.id, "words": one.words, "never": one.never} for one in found]
        typer.echo(json.dumps({"purposes": rows}))
        return
    for one in found:
        mark = "no terms cover it: " if one.never else ""
        typer.echo(f"{one.id:22} {mark}{one.words}")


def _text(me: "Desk", on: "Dealings", file: Path | None) -> "Terms":
    """The text of a file, or what the other party signed and this one has not."""
    from leadline.app import terms as use
    from leadline.cli.words import content_of
    from leadline.formats.terms_toml import load_terms

    if file is not None:
        return load_terms(content_of(file), file.name)
    offered = me.do(use.held, on).offered(me.do(use.party, on))
    if offered is None:
        raise Refused("the other party signed nothing that waits for yours; name a file")
    return offered


def _record(one: "Terms") -> dict[str, "Value"]:
    return {"digest": one.digest, **one.to_record()}


def _words(value: object) -> str:
    match value:
        case dict():
            return "; ".join(f"{name} {one}" for name, one in value.items())
        case tuple():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Refused(f"{out} exists; name a new file") from None
    except OSError as error:
        raise Invalid(str(out), f"cannot be written: {error.strerror}") from error
