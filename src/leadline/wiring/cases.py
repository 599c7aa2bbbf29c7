"""Cases at the command line: names of files into values, views into documents and lines."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from leadline.app import cases
from leadline.app.moment import moment
from leadline.core.clearing.case_view import CaseView, SeenClock, silent_first
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.clearing.message import Placed
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.formats.disclosure_toml import faults, load_disclosure, load_examples
from leadline.formats.values import plain
from leadline.settings import Home
from leadline.wiring.contacts import new_file
from leadline.wiring.regimes import EXAMPLES

FOLDER = "disclosure"  # an installation's own disclosure policies
BYTES_MAX = 64 << 20


def disclosures(home: Home) -> dict[str, Disclosure]:
    """The disclosure policies by id: those that ship, and the installation's own beside them.

    Raises: Invalid, naming the file, for one that cannot be read, whose examples do not hold, or that
    takes the name of a shipped one.
    """
    found = dict(cases.shipped())
    for file in sorted((home.folder / FOLDER).glob("*.toml")):
        if file.name.endswith(EXAMPLES):
            continue
        made = load_disclosure(file.read_bytes(), file.name)
        if made.id in found:
            raise Invalid(file.name, f"{made.id} is there already; give it a name of its own")
        _check(file, made)
        found[made.id] = made
    return found


def _check(file: Path, made: Disclosure) -> None:
    beside = file.with_name(file.stem + EXAMPLES)
    if not beside.is_file():
        raise Invalid(file.name, f"has no {beside.name} beside it; say what you expect of it")
    examples = load_examples(beside.read_bytes(), beside.name, made.digest, made.id)
    wrong = [one for example in examples for one in faults(made, example)]
    if wrong:
        raise Invalid(beside.name, wrong[0])


def disclosure(home: Home, name: str) -> Disclosure:
    """One disclosure policy by id. Raises: NotFound, naming those there are; never another."""
    found = disclosures(home)
    if name not in found:
        raise NotFound(f"no disclosure policy {name!r:.80}; there are {', '.join(sorted(found))}")
    return found[name]


def evidence(told: str) -> str:
    """The SHA-256 of a file that shows something, or the digest itself; empty for nothing.

    Raises: NotFound; Invalid, for a file that is too large.
    """
    if not told or (len(told) == 64 and set(told) <= set("0123456789abcdef")):  # noqa: PLR2004 -- hex digits
        return told
    file = Path(told)
    if not file.is_file():
        raise NotFound(f"{file} is not there; give a file, or the SHA-256 of one")
    if file.stat().st_size > BYTES_MAX:
        raise Invalid(str(file), f"larger than {BYTES_MAX} bytes; give its SHA-256")
    return sha256(file.read_bytes()).hexdigest()


def when(field: str, told: str, zone: str) -> datetime | None:
    """A moment that somebody typed, None for none. Raises: Invalid, for one without offset and zone."""
    return moment(field, told, zone) if told else None


def document(seen: CaseView) -> dict[str, Any]:
    """A view as one JSON document; times in UTC."""
    found = plain(seen)
    if not isinstance(found, dict):
        raise Invalid("case", "is no view")
    return found


def lines(seen: CaseView) -> Iterator[str]:
    """A view in words: what stands, who is silent, which clock runs; each time with its zone."""
    yield f"{seen.case}  {seen.title or '(title not shown to you)'}"
    if seen.stage:
        yield f"  stage {seen.stage}; you read it as {', '.join(seen.readers)}"
    if seen.disclosure:
        secret = "secret" if seen.embargoed else "not secret"
        until = f", public from {stamp(seen.public_at)}" if seen.public_at else ""
        yield f"  disclosure policy {seen.disclosure}; embargo {seen.embargo}; {secret}{until}"
    for one in silent_first(seen.parties):
        silent = "  SILENT: it goes to a coordinator" if one.silent else ""
        affected = f"; {one.affected}" if one.affected else ""
        yield f"  {one.role:11} {one.name}: {one.word}{affected}{silent}  ({one.id})"
        for purl in one.products:
            yield f"              {purl}"
    for found in seen.findings:
        yield f"  finding {found.id[:16]}  {found.title}; {found.purl or 'no package'}"
        yield f"              found by {found.found_by}"
    yield from (f"  fix {one}" for one in seen.fixes)
    yield from (f"  credit to {one}" for one in seen.credits)
    yield from (f"  {line}" for line in clock_lines(seen.clocks))


def clock_lines(clocks: Sequence[SeenClock]) -> Iterator[str]:
    """The clocks, those that fell due first."""
    for one in sorted(clocks, key=lambda one: (one.state != "fell due", one.at is None, one.at)):
        at = stamp(one.at) if one.at else "no date while paused"
        whose = f" {one.party}" if one.party else ""
        yield f"{one.state:9} {one.clock:12} {at}{whose}{'  late' if one.late else ''}"


def timeline_lines(seen: CaseView) -> Iterator[str]:
    """What happened, oldest first."""
    for one in seen.timeline:
        until = f" until {one.until}" if one.until else ""
        why = f": {one.words}" if one.words else ""
        yield f"{stamp(one.at)}  {one.party + ' ' if one.party else ''}{one.what}{until}{why}"


def draft_lines(found: Sequence[Placed]) -> Iterator[str]:
    """Drafts with their place; what may be sent stands first."""
    for one in sorted(found, key=lambda one: (one.post.value, one.message.written)):
        held, slot = one.message, one.slot
        wait = f"; place {slot.place}, {slot.why}" if slot and one.post.value == "queued" else ""
        at = f" from {stamp(slot.at)}" if slot and slot.at and wait else ""
        yield f"{one.post.value:12} {held.id}  {held.channel.value} {held.to}{wait}{at}"


def draft_document(one: Placed) -> dict[str, Any]:
    """A draft as `--json` prints it, without its text."""
    held, slot = one.message, one.slot
    return {
        "id": held.id,
        "state": one.post.value,
        "channel": held.channel.value,
        "to": held.to,
        "project": held.project,
        "cases": [piece.case for piece in held.pieces],
        "parties": [piece.party for piece in held.pieces],
        "findings": list(held.findings),
        "written": stamp(held.written),
        "sent": stamp(held.sent) if held.sent else None,
        "place": slot.place if slot else None,
        "from": stamp(slot.at) if slot and slot.at else None,
        "why": slot.why if slot else "",
        "follows": held.follows or None,
        "digest": held.digest,
    }


def stamp(at: datetime) -> str:
    """A moment with hour and zone."""
    return at.isoformat(timespec="minutes").replace("+00:00", "Z")


def page(seen: CaseView, now: datetime, out: Path) -> None:
    """Write a view as a page to print.

    Raises: Unavailable, with what to install; Invalid, if there is such a file.
    """
    try:
        from leadline.render.case_pages import case_document
        from leadline.render.html import html
    except ModuleNotFoundError as error:
        told = f"pages need {error.name}; install it with: pip install 'leadline[server]'"
        raise Unavailable(told) from error
    new_file(out, html(case_document(seen, now)).encode())
