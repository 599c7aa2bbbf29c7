"""`leadline pack`: sealed suites, from the custodians' keys to a reveal that anyone can verify."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid
from leadline.formats.note import NOTE_BYTES_MAX

app = typer.Typer(no_args_is_help=True, help="Sealed suites.")
PackId = Annotated[str, typer.Argument(help="The pack's id.")]
RunId = Annotated[str, typer.Argument(help="The session's id.")]
Exchange = Annotated[Path, typer.Option(help="The folder where the hands of a run meet.")]
Out = Annotated[Path, typer.Option("--out", help="Where to write it.")]


@app.command("custodian")
def custodian(file: Annotated[Path, typer.Argument(help="A new key file.")]) -> None:
    """Make a custodian's key: FILE stays secret, FILE.pub is for whoever seals packs."""
    from leadline.wiring import sealed as wiring

    with edge():
        typer.echo(wiring.new_custodian(file))


@app.command("seal")
def seal(  # noqa: PLR0913 -- options of a command
    *,
    custodian: Annotated[list[Path], typer.Option(help="A custodian's FILE.pub; one per share.")],
    engagement: Annotated[str, typer.Option(help="The engagement that people are named for.")],
    session: Kept = FILE,
    compartment: Annotated[list[str] | None, typer.Option(help="Who may know of it.")] = None,
    items: Annotated[int, typer.Option(min=1, max=1000, help="How many items.")] = 8,
    xor: Annotated[bool, typer.Option("--xor", help="All shares needed, in place of 2.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Its existence is restricted.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Terms: one showing to a family.")] = False,
    home: Home = None,
) -> None:
    """Draw and build planted items, and seal them: any 2 of the custodians can have it run.

    SLIP-39 shares are made by a library that is not constant-time: seal on a host nobody else uses.
    """
    from leadline.wiring import sealed as wiring

    place = wiring.Place(engagement, frozenset(compartment or ()), hidden, once)
    with edge(), acting(home, session) as (_, me):
        typer.echo(wiring.seal(me.ctx, wiring.planted(custodian, items, xor=xor), place).id)


@app.command("prepare")
def prepare(
    *,
    custodian: Annotated[list[Path], typer.Option(help="A custodian's FILE.pub; one per share.")],
    out: Out,
    items: Annotated[int, typer.Option(min=1, max=1000, help="How many items.")] = 8,
    xor: Annotated[bool, typer.Option("--xor", help="All shares needed, in place of 2.")] = False,
) -> None:
    """As seal, on a host apart: write the sealed suite to OUT, for the page that takes it in.

    It needs no installation and no sign-in. Nothing in OUT opens the suite.
    """
    from leadline.formats import sealed_pack
    from leadline.wiring import sealed as wiring

    with edge():
        made = wiring.planted(custodian, items, xor=xor)
        data = sealed_pack.encode(made)
        try:
            with out.open("xb") as target:
                target.write(data)
        except OSError as error:
            raise Invalid("--out", f"{out}: {error.strerror}") from error
    typer.echo(f"{made.id}: {len(made.items)} items, {len(data)} bytes in {out}")
    for share in made.shares:
        typer.echo(f"share {share.number} is for the custodian {share.custodian}")


@app.command("list")
def listed(*, session: Kept = FILE, home: Home = None, as_json: AsJson = False) -> None:
    """List the packs that you may know of."""
    from leadline.app import sealed

    with edge(), acting(home, session) as (_, me):
        found = [_told(pack.id, pack.cycle, len(pack.shown)) for pack in sealed.listed(me.ctx)]
    _show(found, as_json=as_json)


@app.command("show")
def show(pack: PackId, *, session: Kept = FILE, home: Home = None, as_json: AsJson = False) -> None:
    """Show one pack, without its content."""
    from leadline.app import sealed

    with edge(), acting(home, session) as (_, me):
        found = sealed.read(me.ctx, pack)
    _show([_told(found.id, found.cycle, len(found.shown))], as_json=as_json)


def _told(id_: str, cycle: int, items: int) -> dict[str, str | int]:
    return {"pack": id_, "cycle": cycle, "items": items}


@app.command("exposures")
def exposures(
    pack: PackId, *, session: Kept = FILE, home: Home = None, as_json: AsJson = False
) -> None:
    """The ledger: which item was shown to whom, when, and where."""
    from leadline.app import sealed

    with edge(), acting(home, session) as (_, me):
        found = [asdict(one) | {"at": str(one.at)} for one in sealed.exposures(me.ctx, pack)]
    _show(found, as_json=as_json)


SubjectSpec = Annotated[str, typer.Option(help="'baseline' or a model as Inspect names it.")]
Runs = Annotated[int, typer.Option(min=0, help="Fuzzer runs an attempt; 0: the default.")]


@app.command("commit")
def commit(
    pack: PackId,
    *,
    family: Annotated[str, typer.Option(help="The model family that showings count for.")],
    terms: Annotated[Path, typer.Option(help="The agreed terms, whose digest is committed to.")],
    out: Out,
    session: Kept = FILE,
    subject: SubjectSpec = "baseline",
    runs: Runs = 0,
    home: Home = None,
) -> None:
    """Log what will be shown and what scores it, and write the signed commitment to OUT."""
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        wanted = wiring.Subject(subject, family, Budget(runs=runs), terms)
        made, signed = wiring.commit(me.ctx, pack, wanted)
        out.write_text(signed, "utf-8")
    typer.echo(made.id)
    for sentence in wiring.statements(made.driver, made.mode):
        typer.echo(sentence, err=True)


@app.command("run")
def run(
    run_id: RunId,
    *,
    exchange: Exchange,
    session: Kept = FILE,
    subject: SubjectSpec = "baseline",
    runs: Runs = 0,
    wait: Annotated[float, typer.Option(help="Seconds to wait for proof and shares.")] = 600.0,
    home: Home = None,
) -> None:
    """Start the runner, wait for proof and shares, run; print the bounded report."""
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        wanted = wiring.Subject(subject, "", Budget(runs=runs), Path())
        told = wiring.run(me.ctx, run_id, wanted, exchange, wait)
    typer.echo(told.text.decode())


@app.command("unseal")
def unseal(
    run_id: RunId,
    *,
    exchange: Exchange,
    session: Kept = FILE,
    request: Annotated[str, typer.Option(help="A request that is signed by all.")] = "",
    home: Home = None,
) -> None:
    """Ask for the unsealing; with --request, authorise it and leave the proof for the runner."""
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        if not request:
            typer.echo(wiring.ask_unsealing(me.ctx, run_id, exchange))
            return
        wiring.unseal(me.ctx, run_id, request, exchange)


@app.command("pass-on")
def pass_on(
    *,
    exchange: Exchange,
    key: Annotated[Path, typer.Option(help="Your custodian's key.")],
    policy: Annotated[Path, typer.Option(help="The quorum file you verify the log by.")],
) -> None:
    """As a custodian: verify that the unsealing is logged, and pass your share to the channel."""
    from leadline.wiring import sealed as wiring

    with edge():
        for place in wiring.pass_on(exchange, key, policy):
            typer.echo(f"share {place} passed on")


@app.command("release")
def release(
    run_id: RunId, *, session: Kept = FILE, home: Home = None, as_json: AsJson = False
) -> None:
    """Let the score out, in a band and against the budget."""
    from leadline.app import sealed
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        found = sealed.release_score(me.ctx, run_id, wiring.limits())
    _show([asdict(found)], as_json=as_json)


@app.command("reveal")
def reveal(run_id: RunId, *, out: Out, session: Kept = FILE, home: Home = None) -> None:
    """Write the signed reveal to OUT."""
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        _, signed = wiring.reveal(me.ctx, run_id)
        out.write_text(signed, "utf-8")


@app.command("open")
def open_(
    run_id: RunId,
    *,
    randomness: Annotated[str, typer.Option(help="The third party's, at least 16 bytes in hex.")],
    count: Annotated[int, typer.Option(min=1, help="How many items; 59 notice 5 % altered.")] = 59,
    request: Annotated[str, typer.Option(help="A request that is signed by all.")] = "",
    custodian_key: Annotated[list[Path] | None, typer.Option(help="Custodians' key files.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write the openings.")] = Path("openings"),
    session: Kept = FILE,
    home: Home = None,
) -> None:
    """Ask to open a random sample to a third party; with --request, open it."""
    from leadline.app import openings
    from leadline.formats.pack import hexadecimal
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        hexadecimal("--randomness", randomness)
        if not request:
            typer.echo(openings.ask(me.ctx, run_id, randomness, count).id)
            return
        sample = (randomness, count)
        out.write_bytes(wiring.open_sample(me.ctx, run_id, sample, request, custodian_key or ()))


@app.command("rotate")
def rotate(pack: PackId, *, session: Kept = FILE, home: Home = None) -> None:
    """Begin a new cycle: a share of the items leaves, budgets begin anew."""
    from leadline.app import sealed
    from leadline.wiring import sealed as wiring

    with edge(), acting(home, session) as (_, me):
        after = sealed.rotate(me.ctx, pack, wiring.limits())
    typer.echo(f"cycle {after.cycle}: {len(after.shown)} items left")


@app.command("verify")
def verify(
    commitment: Annotated[Path, typer.Argument(help="The signed commitment.")],
    reveal: Annotated[Path, typer.Argument(help="The signed reveal.")],
    *,
    key: Annotated[Path, typer.Option(help="The installation's verifier keys, one a line.")],
    policy: Annotated[Path | None, typer.Option(help="A quorum file for the log.")] = None,
    openings: Annotated[Path | None, typer.Option(help="Opened items and outcomes.")] = None,
    as_json: AsJson = False,
) -> None:
    """Verify offline that REVEAL answers COMMITMENT and that the log had it before."""
    from leadline.app.pack_verify import verify as verify_texts
    from leadline.formats import tlog_policy
    from leadline.formats.pack import LIST_BYTES_MAX, decode_openings

    with edge():
        found = verify_texts(
            _file(commitment, NOTE_BYTES_MAX),
            _file(reveal, NOTE_BYTES_MAX),
            _file(key, NOTE_BYTES_MAX).decode("utf-8", "replace"),
            tlog_policy.parse(_file(policy, NOTE_BYTES_MAX)) if policy else None,
            decode_openings(_file(openings, LIST_BYTES_MAX + 1)) if openings else (),
        )
    if as_json:
        typer.echo(json.dumps({"ok": True, **asdict(found)}))
        return
    typer.echo(
        f"verified: {found.items} items committed at log index {found.index} ({found.log}); "
        f"score {found.low} to {found.high} %; {found.opened} openings, which notice 5 % altered "
        f"items with a chance of {found.chance:.2f}"
    )


def _file(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(bytes_max)
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from error


def _show(
    rows: Sequence[dict[str, object]] | Sequence[dict[str, str | int]], *, as_json: bool
) -> None:
    if as_json:
        typer.echo(json.dumps(list(rows)))
        return
    for row in rows:
        typer.echo("  ".join(f"{name} {value}" for name, value in row.items()))
