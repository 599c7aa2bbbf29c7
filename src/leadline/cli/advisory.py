"""`leadline advisory`: drafts of a case, rendered, published in every format at once, withdrawn."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import content_of, words_of
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.wiring.advisories import Out

app = typer.Typer(
    no_args_is_help=True, help="Advisories: drafts, every format at once, withdrawal."
)
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Which = Annotated[str, typer.Argument(metavar="ADVISORY", help="The advisory's id.")]
Key = Annotated[Path, typer.Option(help="Your key file, with which you sign the very text.")]
FILE_MAX = 16 << 20


@app.command("draft")
def draft(
    case: Case,
    file: Annotated[Path | None, typer.Argument(help="advisory.toml, or CSAF 2.0 (.json).")] = None,
    *,
    fixed: Annotated[
        str, typer.Option(help="Instead of a file: the fixed release, as a Package-URL.")
    ] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Keep a draft with CASE, as secret as the case: from FILE, or from the case's findings."""
    from leadline.app import publishing
    from leadline.wiring import advisories
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        if (file is None) == (not fixed):
            raise Invalid("draft", "name a file, or the fixed release with --fixed")
        held = (
            advisories.read(content_of(file, FILE_MAX), file.name)
            if file
            else advisories.from_findings(me, case, fixed)
        )
        publishing.draft(me.ctx, case, held)
    typer.echo(held.id)


@app.command("show")
def show(
    case: Case, which: Which, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Show a draft of CASE or a published advisory, with what each format cannot say of it."""
    from leadline.app import publishing
    from leadline.formats import advisory_page, feed
    from leadline.wiring import advisories
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held = publishing.shown(me.ctx, case, which)
        told = advisories.told(held, sorted(feed.renderings(held)))
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(advisory_page.text(held).decode(), nl=False)


@app.command("render")
def render(
    file: Annotated[Path, typer.Argument(help="advisory.toml, or CSAF 2.0 (.json).")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write every format of FILE into OUT, offline and without an account; publishes nothing."""
    from leadline.wiring import advisories

    with edge():
        held = advisories.read(content_of(file, FILE_MAX), file.name)
        told = advisories.render(held, out)
    if as_json:
        typer.echo(json.dumps(told))
        return
    for field in ("files", "losses", "faults"):
        found = told[field]
        for one in found if isinstance(found, list) else ():
            typer.echo(f"{field}: {one if isinstance(one, str) else ': '.join(one.values())}")


@app.command("publish")
def publish(
    case: Case,
    which: Which,
    *,
    key: Key,
    file: Annotated[Path | None, typer.Option(help="The text, where it is not the draft.")] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Publish the draft ADVISORY of CASE, or a further revision: all formats and the feed at once."""
    from leadline.app import publishing
    from leadline.wiring import advisories
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held = (
            advisories.read(content_of(file, FILE_MAX), file.name)
            if file
            else publishing.shown(me.ctx, case, which)
        )
        if held.id != which:
            raise Invalid("file", f"is about {held.id!r:.80}, not {which!r:.80}")
        done = advisories.publish(me, case, held, key)
    _say(done, as_json=as_json)


@app.command("withdraw")
def withdraw(
    case: Case,
    which: Which,
    *,
    reason: Annotated[Path, typer.Option(help="A file with the reason; - for standard input.")],
    key: Key,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Withdraw a published advisory: it stays, says why, and matches nothing any more."""
    from leadline.wiring import advisories
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        done = advisories.withdraw(me, case, which, words_of(reason), key)
    _say(done, as_json=as_json)


def _say(out: "Out", *, as_json: bool) -> None:
    done = out.published
    losses = [{"format": o.format, "package": o.package, "why": o.why} for o in done.losses]
    if as_json:
        files = sorted(done.renderings)
        told = {"id": done.advisory.id, "act": done.act, "fresh": done.fresh, "files": files}
        notices = {"notices": out.told, "notes": list(out.notes)}
        typer.echo(json.dumps(told | notices | {"losses": losses}))
        return
    typer.echo(f"{done.advisory.id}: {len(done.renderings)} files in the feed, act {done.act}")
    typer.echo(f"{out.told} operators were told at the same time")
    for note in out.notes:
        typer.echo(note)
    for one in losses:
        typer.echo(f"{one['format']} cannot say, {one['package']}: {one['why']}")
