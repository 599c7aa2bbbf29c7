"""`leadline partner`: trusted partners, as agreed in one engagement."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept

if TYPE_CHECKING:
    from leadline.core.engagement.partner import Position

app = typer.Typer(no_args_is_help=True, help="Trusted partners, as agreed in one engagement.")
Engagement = Annotated[str, typer.Argument(help="The engagement's id.")]
Organisation = Annotated[str, typer.Argument(help="The partner's organisation.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is part of the record.")]
Since = Annotated[str, typer.Option(help="From when on; else from now.")]
Authority = Annotated[str, typer.Option(help="By whose word, such as a letter and its date.")]


@app.callback()
def partner() -> None:
    """Partners."""


@app.command("propose")
def propose(
    engagement: Engagement,
    file: Annotated[Path, typer.Argument(help="A TOML file: who, which targets and stages.")],
    *,
    reason: Why,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Propose a partner for your own party; the other party agrees or lets it be."""
    from leadline.app import partners, terms
    from leadline.cli.desk import at_desk
    from leadline.cli.words import content_of
    from leadline.formats.partner_toml import load_partner

    with edge(), at_desk(home, path) as me:
        on = me.dealings(engagement)
        found = load_partner(content_of(file), file.name, me.do(terms.party, on))
        me.do(partners.propose, on, found, reason)
    typer.echo(f"{found.organisation}: proposed; the other party may agree")


@app.command("agree")
def agree(
    engagement: Engagement,
    organisation: Organisation,
    *,
    reason: Why,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Agree to the partner that the other party proposed."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(partners.agree, me.dealings(engagement), organisation, reason)
    typer.echo(f"{organisation}: agreed; its people sign the terms, the developer opens stages")


@app.command("sign")
def sign(
    engagement: Engagement,
    *,
    key: Annotated[Path, typer.Option(help="Your key file; it signs the digest of the terms.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Sign the terms in effect, as a person of the partner; `show` prints them."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk, here
    from leadline.identity import software_key

    with edge(), at_desk(home, path) as me:
        signer = software_key.read(key).sign
        typer.echo(f"signed {partners.sign(here(me).ctx, me.dealings(engagement), signer)}")


@app.command("stage")
def stage(
    engagement: Engagement,
    organisation: Organisation,
    number: Annotated[int, typer.Argument(help="The next stage; the first is 0.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Open the next stage, as the developer."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(partners.open_stage, me.dealings(engagement), organisation, number)
    typer.echo(f"{organisation}: stage {number} is open")


@app.command("use")
def use(
    engagement: Engagement,
    target: Annotated[str, typer.Argument(help="An assigned target, exactly as `show` has it.")],
    *,
    capability: Annotated[str, typer.Option(help="What an open stage opens.")],
    purpose: Annotated[str, typer.Option(help="What for: a word that the terms cover.")],
    credits_: Annotated[int, typer.Option("--credits", help="Whole credits that it takes.")] = 1,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Use a target of your own organisation's scope; what is outside is refused and recorded."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk
    from leadline.core.engagement.partner import TargetUse

    with edge(), at_desk(home, path) as me:
        on, org = me.dealings(engagement), me.person.org
        asked = TargetUse(target, capability, credits_)
        found = me.do(partners.use_target, on, org, asked, purpose=purpose)
    typer.echo(f"recorded; {found.left} credits are left")


@app.command("restrict")
def restrict(
    engagement: Engagement,
    organisation: Organisation,
    *,
    until: Annotated[str, typer.Option(help="Its end: a moment with its offset, or in UTC.")],
    authority: Authority,
    since: Since = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Let one partner's use rest from an effective date to an end; no other partner is touched."""
    _end(home, path, engagement, organisation, (since, until, authority))


@app.command("end")
def end(
    engagement: Engagement,
    organisation: Organisation,
    *,
    authority: Authority,
    since: Since = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End a partner's use at once; prints what the terms want destroyed, and by when."""
    _end(home, path, engagement, organisation, (since, "", authority))


@app.command("list")
def list_(
    engagement: Engagement, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Every partner of an engagement, for its two parties."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(partners.listed, me.dealings(engagement))
    if as_json:
        typer.echo(json.dumps({"partners": [_document(one) for one in found]}))
        return
    for one in found:
        typer.echo(_line(one))


@app.command("show")
def show(
    engagement: Engagement, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """What your own organisation may use as a partner, and the terms that it signs."""
    from leadline.app import partners
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(partners.scope, me.dealings(engagement))
    text = {"digest": found.terms.digest, **found.terms.to_record()} if found.terms else None
    if as_json:
        typer.echo(json.dumps({**_document(found.position), "terms": text}))
        return
    typer.echo(_line(found.position))
    for target in found.position.partner.targets:
        typer.echo(f"  target {target}")
    for name, value in (text or {"terms": "none in effect yet"}).items():
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value
        typer.echo(f"  {name}: {shown}")


def _end(
    home: Path | None, path: Path, engagement: str, organisation: str, told: tuple[str, str, str]
) -> None:
    """An end, or a rest where it has an end; *told* is since, until and authority."""
    from leadline.app import partners
    from leadline.app.moment import moment
    from leadline.cli.desk import at_desk
    from leadline.core.engagement.partner import Rest
    from leadline.core.record.act import instant

    since, until, authority = told
    with edge(), at_desk(home, path) as me:
        start = moment("--since", since, "UTC") if since else me.now
        rest = Rest(start, moment("--until", until, "UTC") if until else None, authority)
        found = me.do(partners.end, me.dealings(engagement), organisation, rest)
    ends = f"until {instant(rest.until)}" if rest.until else "without an end"
    typer.echo(f"{organisation}: no use from {instant(rest.since)} on, {ends}")
    if found.destroy_by is not None:
        by = instant(found.destroy_by)
        for target in found.received:
            typer.echo(f"  destroy what came of {target} by {by}")


def _document(one: "Position") -> dict[str, object]:
    return {
        "partner": one.partner.to_record(),
        "agreed": one.agreed,
        "signed_terms": one.signed,
        "stages_open": one.opened,
        "capabilities": one.capabilities,
        "credits_left": one.left,
        "credits_spent": one.spent,
        "rests": [
            {
                "since": rest.since.isoformat(),
                "until": rest.until.isoformat() if rest.until else None,
                "authority": rest.authority,
            }
            for rest in one.rests
        ],
    }


def _line(one: "Position") -> str:
    agreed = "agreed" if one.agreed else f"proposed by the {one.partner.proposed_by}"
    return (
        f"{one.partner.organisation}  {one.partner.tier}  {agreed}  "
        f"{one.opened} of {len(one.partner.stages)} stages open  {one.left} credits left  "
        f"until {one.partner.expires.isoformat()}"
    )
