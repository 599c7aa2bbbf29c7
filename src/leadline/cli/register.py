"""`leadline register`: the dated register of designations, waivers, orders, tasks and the like.

Not the public counts of the log, which `leadline log register` prints.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.regime import day_of, write
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.cli.words import content_of
from leadline.core.errors import Invalid, Unavailable
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.engagement.register import Entry, Register
    from leadline.wiring.desk import Desk
    from leadline.wiring.register import Kinds

FILE_BYTES_MAX = 16 << 20
app = typer.Typer(
    no_args_is_help=True,
    help="The dated register: designations, waivers, orders of courts, tasks, procedures, contacts.",
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The entry's id.")]
On = Annotated[str, typer.Option(help="As of this day, such as 2026-07-03; else today in UTC.")]
Own = Annotated[
    bool, typer.Option("--own", help="What your organisation keeps for itself, instead.")
]
Page = Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page as well.")]
From = Annotated[
    Path | None, typer.Option("--file", help="Read these entries, without an installation.")
]


@contextmanager
def _desk(home: Path | None, path: Path) -> Iterator[tuple["Desk", "Kinds"]]:
    from leadline.cli.desk import at_desk
    from leadline.wiring.register import kinds

    with at_desk(home, path) as me:
        yield me, me.known(lambda at: kinds(at.home.folder / "register"))


def _listed(home: Path | None, path: Path, file: Path | None, *, own: bool) -> "Register":
    from leadline.app import entries

    if file is not None:
        from leadline.core.engagement.register import Register
        from leadline.wiring.register import kinds

        found = Register(kinds(home_of(home).folder / "register"), _entries(file))
        found.check()
        return found
    with _desk(home, path) as (me, known):
        return me.do(entries.listed, known, own=own)


@app.command("list")
def list_(
    on: On = "",
    file: From = None,
    page: Page = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    own: Own = False,
    public: Annotated[
        bool, typer.Option("--public", help="What anybody may read; you need not be signed in.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the entries that you may read, as they stand on a day; what stands out first."""
    with edge():
        day = day_of(on)
        if public:
            from leadline.wiring.register import public_register

            found = public_register(home_of(home))
        else:
            found = _listed(home, path, file, own=own)
        if page is not None:
            _write_page(page, found, day)
    _tell(found, _ordered(found, day), day, as_json=as_json)


@app.command("due")
def due(
    on: On = "",
    file: From = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    own: Own = False,
    as_json: AsJson = False,
) -> None:
    """List what is due and not yet shown to be done, the earliest day first."""
    with edge():
        found, day = _listed(home, path, file, own=own), day_of(on)
    waiting = [
        one
        for one in found.entries
        if one.due and not one.ended and not (one.done and one.evidence)
    ]
    _tell(found, sorted(waiting, key=lambda one: (one.due, one.id)), day, as_json=as_json)


@app.command("show")
def show(
    id_: Id,
    on: On = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    own: Own = False,
    as_json: AsJson = False,
) -> None:
    """Show one entry with its evidence, its revision, and whether it has effect on a day."""
    from leadline.app import entries

    with edge(), _desk(home, path) as (me, known):
        one = me.do(entries.kept, id_, own=own)
        told = _plain(me.do(entries.listed, known, own=own), one.entry, day_of(on))
    told["revision"] = one.revision
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, value in told.items():
        if value not in ("", None, [], ()):
            typer.echo(f"{name}: {value if isinstance(value, str | int) else json.dumps(value)}")


@app.command("kinds")
def kinds_(home: Home = None, *, as_json: AsJson = False) -> None:
    """List the kinds of entries, what each needs, and what each does to others."""
    from leadline.wiring.register import kinds

    with edge():
        found = kinds(home_of(home).folder / "register")
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "words": one.words,
            "public": one.public,
            "kept_by": sorted(one.kept_by),
            "needs": sorted(one.needs),
            "evidence": one.evidence,
            "relations": {how: rule.words for how, rule in sorted(one.relations.items())},
        }
        for one in found.values()
    ]
    if as_json:
        typer.echo(json.dumps({"kinds": rows}))
        return
    for one in found.values():
        typer.echo(f"{one.id}: {one.words}")
        typer.echo(f"  needs: title, first day, {', '.join(sorted(one.needs))}")
        for how, rule in sorted(one.relations.items()):
            typer.echo(f"  {how} {', '.join(sorted(rule.to))}: {rule.words}")


@app.command("write")
def write_(
    file: Annotated[Path, typer.Argument(help="A TOML file of [[entry]] tables.")],
    revision: Annotated[
        int, typer.Option(min=0, help="The revision that the one entry corrects; 0: it is new.")
    ] = 0,
    home: Home = None,
    path: Kept = FILE,
    *,
    own: Own = False,
) -> None:
    """Enter the entries of a file one after the other, or correct one."""
    from leadline.app import entries

    with edge(), _desk(home, path) as (me, known):
        found = _entries(file)
        if revision and len(found) > 1:
            raise Invalid("--revision", "correct one entry at a time")
        for one in found:
            made = me.do(entries.written, known, one, own=own, revision=revision)
            typer.echo(f"{one.id}: revision {made}")


@app.command("evidence")
def evidence(
    id_: Id,
    file: Annotated[Path, typer.Argument(help="The evidence.")],
    *,
    what: Annotated[str, typer.Option(help="What it is, in a line.")],
    done: Annotated[str, typer.Option(help="The day on which it was done, if it was.")] = "",
    own: Own = False,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Enter evidence for an entry; of your own nothing but its digest is kept here."""
    from leadline.app import entries

    with edge(), _desk(home, path) as (me, known):
        day = _day("--done", done) if done else None
        content = content_of(file, entries.EVIDENCE_BYTES_MAX)
        proof = me.do(entries.evidenced, known, id_, content, what, own=own, done=day)
        typer.echo(f"{id_}: {proof.digest}")


@app.command("fetch")
def fetch(
    id_: Id,
    digest: Annotated[str, typer.Argument(help="The evidence's SHA-256, as `show` prints it.")],
    out: Annotated[Path, typer.Argument(help="A new file for it.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    own: Own = False,
) -> None:
    """Write one piece of an entry's evidence to a new file."""
    from leadline.app import entries

    with edge(), _desk(home, path) as (me, _):
        content = me.do(entries.content, id_, digest, own=own)
        try:
            with out.open("xb") as target:
                target.write(content)
        except OSError as error:
            raise Invalid(str(out), f"cannot be written: {error.strerror}") from error
        typer.echo(f"{len(content)} bytes in {out}")


@app.command("end")
def end(
    id_: Id,
    *,
    day: Annotated[str, typer.Option(help="The first day on which it has no effect any more.")],
    why: Annotated[str, typer.Option(help="Why; it is part of the record.")],
    own: Own = False,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End an entry; it stays readable."""
    from leadline.app import entries

    with edge(), _desk(home, path) as (me, known):
        ended = me.do(entries.ended, known, id_, _day("--day", day), why, own=own)
        typer.echo(f"{id_}: no effect from {ended.until} on")


def _ordered(found: "Register", day: date) -> list["Entry"]:
    first = [one.entry for one in found.standing_out(day)]
    return [*first, *(one for one in found.entries if one not in first)]


def _tell(found: "Register", some: list["Entry"], day: date, *, as_json: bool) -> None:
    from leadline.render.dated_register import effect

    if as_json:
        rows = [_plain(found, one, day) for one in some]
        typer.echo(json.dumps({"on": day.isoformat(), "entries": rows}))
        return
    typer.echo(f"as of {day}: {len(some)} entries")
    for one in some:
        marks = ", ".join(found.marks(one, day))
        typer.echo(f"{one.id}  {one.title}{f'  ** {marks} **' if marks else ''}")
        when = f"due {one.due}; " if one.due else ""
        typer.echo(f"  {one.kind}; {when}{effect(found.standing(one.id, day))}")


def _plain(found: "Register", one: "Entry", day: date) -> dict[str, object]:
    standing = found.standing(one.id, day)
    return {
        **one.to_record(),
        "marks": list(found.marks(one, day)),
        "in_effect": standing.in_effect,
        "why": list(standing.why),
        "exempt": [
            {"scope": out.scope, "by": out.by, "until": out.until and out.until.isoformat()}
            for out in standing.exempt
        ],
    }


def _entries(file: Path) -> tuple["Entry", ...]:
    from leadline.formats.register_toml import load_entries

    return load_entries(content_of(file, FILE_BYTES_MAX), file.name)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(option, f"{text!r:.40} is no day such as 2027-01-01") from None


def _write_page(path: Path, found: "Register", day: date) -> None:
    from leadline.core.marking import Tlp
    from leadline.wiring.sign_in import moment

    try:
        from leadline.render.dated_register import dated_register
        from leadline.render.html import html
    except ModuleNotFoundError as error:
        told = f"a page needs {error.name}; install it with: pip install 'leadline[server]'"
        raise Unavailable(told) from error
    public = all(found.kinds[one.kind].public for one in found.entries)
    marking = Tlp.CLEAR if public else Tlp.AMBER_STRICT
    write(path, html(dated_register(found, day, moment(), marking)), "--page")
