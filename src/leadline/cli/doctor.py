"""`leadline doctor`: what this machine can do, and the cure where it cannot."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge


def doctor(
    home: Annotated[
        Path | None, typer.Option(help="An installation to look at as well; else LEADLINE_HOME.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at this machine, and at who looks after accounts. Changes nothing."""
    from leadline import settings
    from leadline.wiring import assess as wiring

    with edge():
        checks = wiring.diagnose(settings.load())
        place = settings.home(home)
        if place.exists():
            from leadline.wiring import administration
            from leadline.wiring.home import opened

            with opened(place) as parts:
                checks = administration.accounts(parts) + checks
    if as_json:
        typer.echo(
            json.dumps({"ok": all(c.ok for c in checks), "checks": [c.to_dict() for c in checks]})
        )
    else:
        for check in checks:
            typer.echo(f"{'ok ' if check.ok else '!! '} {check.name}: {check.cause}")
            if not check.ok and check.cure:
                typer.echo(f"      cure: {check.cure}")
    if not all(check.ok for check in checks if check.needed):
        sys.exit(7)
