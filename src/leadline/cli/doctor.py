"""`leadline doctor`: what this machine can do, and the cure where it cannot."""

import json
import sys
from typing import Annotated

import typer

from leadline.cli.edge import edge


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at this machine: sandbox, compiler, fuzzer, registry suite. Changes nothing."""
    from leadline import settings
    from leadline.wiring import assess as wiring

    with edge():
        checks = wiring.diagnose(settings.load())
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
