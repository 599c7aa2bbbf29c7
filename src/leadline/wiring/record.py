"""The record of one installation at the terminal: publish, prove, count, and who witnesses it.

Whoever runs these commands can read the installation's files already; what they may do is decided by
the same rules as anybody's, under a worker for signing and a time-boxed auditor for reading.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadline.app import log
from leadline.app.context import Context
from leadline.app.log import Published
from leadline.app.register import Registered, public_register
from leadline.app.sign_in import NOBODY
from leadline.core.access import Principal
from leadline.core.errors import Invalid
from leadline.core.record.days import Counts, counts
from leadline.core.record.register import shown
from leadline.formats.manifest import encode_opening
from leadline.formats.tlog_proof import ActProof
from leadline.render import html
from leadline.render.register_page import register_document
from leadline.settings import Home
from leadline.wiring.home import Parts, clock, opened
from leadline.wiring.log import write

MINUTES_AT_THE_TERMINAL = 10


def worker() -> Principal:
    """Who signs the log."""
    return Principal("log-worker", "Log worker of this installation", "", frozenset({"worker"}))


def _reader(now: datetime | None = None) -> Principal:
    until = (now or clock()) + timedelta(minutes=MINUTES_AT_THE_TERMINAL)
    roles = frozenset({"auditor"})
    return Principal("terminal", "Auditor at the terminal", "", roles, access_until=until)


def publish(home: Home) -> Published:
    """Sign and show the log, as the installation's worker. Raises: as `log.announce`."""
    with opened(home) as parts:
        return log.announce(parts.context(worker()))


def prove(home: Home, act: str) -> ActProof:
    """The proof of one act, as an auditor. Raises: as `log.prove`."""
    with opened(home) as parts:
        return log.prove(parts.context(_reader()), act)


def register(home: Home) -> Registered:
    """The public register. Raises: as `public_register`."""
    with opened(home) as parts:
        return registered(parts)


def registered(parts: Parts) -> Registered:
    """The public register, read with the installation's own eyes: nothing private leaves with it.

    Raises: as `public_register`.
    """
    return public_register(own_eyes(parts))


def counted(parts: Parts) -> Counts:
    """How long things take, for anybody; read as `registered`."""
    ctx = own_eyes(parts)
    with ctx.store.read() as view:
        return counts([opened.act for opened in view.acts() if shown(opened.act.kind)], ctx.now)


def own_eyes(parts: Parts) -> Context:
    """A context for what is counted for everybody: the public itself sees none of what is counted."""
    now = parts.context(NOBODY).now
    return replace(parts.context(_reader(now)), store=parts.store)


def policy(home: Home) -> str:
    """The quorum file that outsiders verify with, as this installation has it."""
    with opened(home) as parts:
        return quorum_file(home, parts)


def quorum_file(home: Home, parts: Parts) -> str:
    """As `policy`, of an installation that is open."""
    text = (home.keys / "log.policy").read_text("utf-8") if _witnessed(home) else ""
    lines = "".join(f"log {line}\n" for line in parts.signer.vkeys().splitlines())
    return text or f"{lines}quorum none\n"


def _witnessed(home: Home) -> bool:
    return (home.keys / "log.policy").exists()


def witnesses(home: Home) -> dict[str, Any]:
    """Each witness of the quorum file, and whether it cosigned the last checkpoint."""
    with opened(home) as parts:
        return witnessed(parts)


def witnessed(parts: Parts) -> dict[str, Any]:
    """As `witnesses`, of an installation that is open."""
    ctx = parts.context(_reader())
    known, last = log.policy_of(ctx), log.latest(ctx)
    cosigned = last.witnesses if last else ()
    rows = [
        {
            "name": one.name,
            "key": one.key.name,
            "url": one.url,
            "cosigned": one.name in cosigned,
        }
        for one in known.witnesses
    ]
    return {
        "size": last.head.size if last else None,
        "quorum": known.quorum,
        "met": last is not None and known.met(cosigned),
        "witnesses": rows,
        "words": known.words(cosigned),
    }


def write_proof(proof: ActProof, out: Path) -> Path:
    """Write the proof to *out* and its opening beside it; answers where the opening is.

    Raises: Invalid, naming the option, if a file cannot be written.
    """
    beside = out.with_suffix(".json")
    try:
        write(out, proof.text.encode())
        write(beside, encode_opening(proof.opening), 0o600)
    except OSError as error:
        raise Invalid("--out", f"{out} cannot be written: {error.strerror}") from error
    return beside


def write_register(found: Registered, folder: Path) -> None:
    """``register.json`` and ``register.html`` in *folder*: static files, nothing private in them.

    Raises: Invalid, naming the option, if they cannot be written.
    """
    page = html.html(register_document(found.counts, found.under.words, clock()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "register.json", json.dumps(found.document, indent=1).encode() + b"\n")
        write(folder / "register.html", page.encode())
    except OSError as error:
        raise Invalid("--out", f"{folder} cannot be written: {error.strerror}") from error
