"""The `leadline` program: one sub-command per noun. Heavy modules are imported inside commands."""

from typing import Annotated

import typer

from leadline.cli import (
    access,
    alert,
    applies,
    approval,
    artefact,
    assess,
    backup,
    calendar,
    concern,
    credential,
    decide,
    determination,
    doctor,
    duty,
    engagement,
    export,
    findings,
    horizon,
    incident,
    information,
    init,
    inquiry,
    joint,
    log,
    match,
    message,
    pack,
    partner,
    regime,
    register,
    relay,
    result,
    serve,
    session,
    sign_in,
    submission,
    suite,
    terms,
    vault,
    verdict,
    weights,
)
from leadline.cli import (
    run as run_noun,
)

app = typer.Typer(
    name="leadline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Early access and assessment of frontier AI models, and what their findings lead to.",
)
app.command(name="applies")(applies.applies)
app.command(name="assess")(assess.assess)
app.command(name="backup")(backup.backup)
app.command(name="calendar")(calendar.calendar)
app.command(name="doctor")(doctor.doctor)
app.command(name="init")(init.init)
app.command(name="match")(match.match)
app.command(name="restore")(backup.restore)
app.command(name="serve")(serve.serve)
app.add_typer(access.app, name="access")
app.add_typer(alert.app, name="alert")
app.add_typer(approval.app, name="approval")
app.add_typer(artefact.app, name="artefact")
app.add_typer(concern.app, name="concern")
app.add_typer(credential.app, name="credential")
app.add_typer(decide.app, name="decide")
app.add_typer(determination.app, name="determination")
app.add_typer(duty.app, name="duty")
app.add_typer(engagement.app, name="engagement")
app.add_typer(export.app, name="export")
app.add_typer(findings.app, name="findings")
app.add_typer(horizon.app, name="horizon")
app.add_typer(inquiry.app, name="inquiry")
app.add_typer(incident.app, name="incident")
app.add_typer(information.app, name="information")
app.add_typer(joint.app, name="joint")
app.add_typer(log.app, name="log")
app.add_typer(message.app, name="message")
app.add_typer(pack.app, name="pack")
app.add_typer(partner.app, name="partner")
app.add_typer(regime.app, name="regime")
app.add_typer(register.app, name="register")
app.add_typer(relay.app, name="relay")
app.add_typer(result.app, name="result")
app.add_typer(run_noun.app, name="run")
app.add_typer(session.app, name="session")
app.add_typer(sign_in.app, name="sign-in")
app.add_typer(submission.app, name="submission")
app.add_typer(suite.app, name="suite")
app.add_typer(terms.app, name="terms")
app.add_typer(vault.app, name="vault")
app.add_typer(verdict.app, name="verdict")
app.add_typer(weights.app, name="weights")


def _version(wanted: bool) -> None:  # noqa: FBT001 -- Typer calls it with the flag
    if wanted:
        from importlib.metadata import version

        typer.echo(version("leadline"))
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Early access and assessment of frontier AI models, and what their findings lead to."""


def run() -> None:
    """The console script; each command turns Leadline's errors into one line and an exit status."""
    app()
