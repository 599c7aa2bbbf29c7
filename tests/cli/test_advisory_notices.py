"""Operators hear of a publication with it, and of a change before anybody else."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.test_operator_commands import Terminals, at, enrolled
from leadline.app import cases
from leadline.cli.main import app
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.disclosure import Move
from leadline.wiring.home import clock

TEXT = """
id = "EXAMPLE-2026-3"
title = "Overflow in ujson"
[[revision]]
at = 2026-03-01T09:00:00Z
summary = "First."
[[flaw]]
ids = ["CVE-2021-45958"]
title = "Overflow"
description = "A crafted object overruns a buffer."
remedy = "Install 5.2.0."
[[flaw.package]]
purl = "pkg:pypi/ujson"
affected = ["<5.2.0"]
fixed = ["5.2.0"]
complete = true
"""
MORE = TEXT.replace(
    "[[flaw]]", '[[revision]]\nat = 2026-03-02T09:00:00Z\nsummary = "The fix is 5.3.0."\n[[flaw]]'
)
__all__ = ["at"]


def publish(here: Terminals, case: str, *more: str) -> dict[str, Any]:
    """Publish, and what it prints."""
    place = ["--home", str(here.house.folder), "--session", str(here.folder / "scr"), "--json"]
    key = f"--key={here.folder / 'scr.key'}"
    done = CliRunner().invoke(app, ["advisory", *more, case, "EXAMPLE-2026-3", key, *place])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_tier_hears_with_the_publication(at: Terminals) -> None:
    """Once; a changed text is corrected where it was told; a withdrawn one as well."""
    enrolled(at)
    case = at.case()
    at.house.clock.now = clock()
    cases.move(at.house.ctx("scr"), case, Moved(Move.ELSEWHERE, "ab" * 32))
    file = Path(at.file("advisory.toml", TEXT.encode()))
    first = publish(at, case, "publish", f"--file={file}")
    assert (first["notices"], first["notes"]) == (1, [])
    again = publish(at, case, "publish", f"--file={file}")
    assert (again["fresh"], again["notices"], again["notes"]) == (False, 0, [])
    file.write_text(MORE.replace('"5.2.0"', '"5.3.0"').replace("<5.2.0", "<5.3.0"))
    second = publish(at, case, "publish", f"--file={file}")
    assert second["notices"] >= 1
    why = at.file("why.txt", b"It was no flaw.")
    gone = publish(at, case, "withdraw", f"--reason={why}")
    assert gone["notices"] >= 1
    assert b"Withdrawn" in (at.house.folder / "feed" / "index.html").read_bytes()
