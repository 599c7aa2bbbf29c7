"""The public check of a list: the files beside the installation, the pages to print, dates as advice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from zoneinfo import ZoneInfo

from leadline.app import check, match, priority
from leadline.app.assets import Words
from leadline.app.check import Checked, Shelved
from leadline.app.context import Context
from leadline.core.clearing.directive import Due, Facts
from leadline.core.clearing.product import Component
from leadline.core.errors import Invalid, Tampered, Unavailable
from leadline.formats import assets_csv
from leadline.render.document import Document
from leadline.render.site_pages import overview_document, site_document, sites
from leadline.render.words import moment
from leadline.settings import Home
from leadline.wiring import lists

FOLDER = (
    "advisories"  # public CSAF and OSV documents, or archives of them, in the installation's folder
)
BYTES_MAX = match.INVENTORY_BYTES_MAX
AT_ONCE = 2
SHEETS_MAX = 100
DUE_MAX = 8
MEANINGS: Mapping[str, str] = {
    "name": "Product or software",
    "model": "Model of a device",
    "maker": "Maker",
    "version": "Version or firmware",
    "site": "Place",
    "ecosystem": "Where a package comes from, such as PyPI",
    "purl": "Package-URL",
}
HERE = "A device without an entry is named by none of them, which says nothing about flaws that others name."
FORGOTTEN = "The list was not kept. "
STALE = timedelta(days=60)
SOURCES_MAX = 3
_OPEN: Mapping[str, str] = {
    "cisa:PE:1.0.0": "can it be reached from the internet",
    "cisa:KEV:1.0.0": "is it used in attacks",
    "ssvc:A:2.0.0": "can attacks on it be automated",
    "ssvc:TI:1.0.0": "does an attacker gain part of it, or all",
}
_turns = BoundedSemaphore(AT_ONCE)
_reading = Lock()


class Unclear(Invalid):
    """No heading of a table means a product. *titles* are those there are."""

    def __init__(self, titles: tuple[str, ...]) -> None:
        super().__init__("column-name", "say which column holds the product")
        self.titles = titles


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody says beside the list. *exposed* is yes, no or unknown; *answers* are by key."""

    headings: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    exposed: str = "unknown"
    call: str = ""
    headless: bool = False


@dataclass(frozen=True, slots=True)
class Sheets:
    """What is printed: one sheet a place, of the first of *places*; *overview* is None for a single place."""

    each: tuple[Document, ...]
    places: int
    overview: Document | None


@dataclass(frozen=True, slots=True)
class Result:
    """The whole answer: what was found, the sheets, how the headings of a table were read.

    *unnamed* are the lines of which no advisory speaks; *against* says what it was held
    against; *stale* that whoever wrote most of it wrote nothing within `STALE`.
    """

    found: Checked
    sheets: Sheets
    meant: Mapping[str, str]
    titles: tuple[str, ...]
    unnamed: tuple[Component, ...]
    against: str
    stale: bool


def result(ctx: Context, home: Home, data: bytes, name: str, wanted: Wanted) -> Result:
    """Hold a list against what is public. Nothing of it is written anywhere.

    Raises: Denied; Unclear, if the headings need a person; Invalid, for what is no list; Unavailable,
    while others are at it.
    """
    with _turn():
        if wanted.headless:
            data = assets_csv.headed(data, name)
        meant, titles = _headings(data, name)
        if titles and not {"name", "model", "purl"} & {*meant, *wanted.headings}:
            raise Unclear(titles)
        held = match.read_inventory(data, name, wanted.headings)
        if not held.components:
            raise Invalid("list", "lists nothing; give one line for each thing you run")
        found = check.check(ctx, held, imported(home), wanted.answers)
        named = found.worst()
        return Result(
            found,
            sheets(ctx, home, found, wanted, FORGOTTEN),
            {**meant, **wanted.headings},
            titles,
            tuple(one for one in held.components if one.ref not in named),
            against(found),
            bool(found.sources)
            and (newest := found.sources[0].newest) is not None
            and newest < ctx.now - STALE,
        )


def against(found: Checked) -> str:
    """How many public advisories of whom, and how new those are."""
    whole = f"{found.advisories} public {'advisory' if found.advisories == 1 else 'advisories'}"
    told = [
        f"{one.count} of {one.publisher or 'publishers who are not named'}"
        f"{f', the newest of {one.newest:%-d %B %Y}' if one.newest else ''}"
        for one in found.sources[:SOURCES_MAX]
    ]
    told += ["others"] if len(found.sources) > SOURCES_MAX else []
    return f"{whole} ({'; '.join(told)})" if told else whole


def _written(ctx: Context, found: Checked, kept: str) -> str:
    """When a sheet was made and of what, so that paper tells how old it is."""
    return f"Written by Leadline on {moment(ctx.now)} from your own list and {against(found)}. {kept}{HERE}"


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        raise Unavailable("others are checking their lists at this moment; try again in a minute")
    try:
        yield
    finally:
        _turns.release()


def _headings(data: bytes, name: str) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What the headings mean; nothing for what is no table."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"<", b""} or data.startswith(
        b"SPDXVersion"
    ):
        return {}, ()
    return assets_csv.titles(data, name)


def imported(home: Home) -> Shelved:
    """The public advisories in the installation's folder, read again when a file of it changed."""
    folder = home.folder / FOLDER
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    state = tuple((str(one), one.stat().st_mtime_ns, one.stat().st_size) for one in files)
    with _reading:  # one reading at a time; the others wait for it
        return _shelved(folder, state)


def read_ahead(home: Home) -> Thread:
    """Begin to read the public advisories, so that the first list does not wait for it."""
    thread = Thread(target=imported, args=(home,), name="advisories", daemon=True)
    thread.start()
    return thread


@lru_cache(maxsize=2)
def _shelved(folder: Path, state: tuple[tuple[str, int, int], ...]) -> Shelved:
    feed = match.read_feed(folder) if state else match.Feed()
    words = Words(feed.csaf)
    _ = words.shelf
    return Shelved(feed, words)


def sheets(ctx: Context, home: Home, found: Checked, wanted: Wanted, kept: str = "") -> Sheets:
    """One sheet for each place that has something to do or to find out, the most affected first.

    *kept* says on each what became of the list.
    """
    attacked, due = _due(ctx, home, found, wanted)
    held = [
        (place, items)
        for place, items in sites(found.inventory.components, found.verdicts).items()
        if any(one.affected or one.open for one in items)
    ]
    held.sort(key=lambda one: (-sum(bool(item.affected) for item in one[1]), one[0]))
    made = (
        site_document(
            place,
            items,
            found.bulletins,
            ctx.now,
            attacked=attacked or frozenset(),
            attacked_known=attacked is not None,
            call=wanted.call,
            due=_rows(
                {
                    cve: due[cve]
                    for item in items
                    for one in item.affected
                    for cve in found.bulletins[one.advisory].cves
                    if cve in due
                }
            ),
        )
        for place, items in held[:SHEETS_MAX]
    )
    closing = _written(ctx, found, kept)
    every = [item for _, items in held for item in items]
    overview = overview_document(
        every, found.bulletins, ctx.now, attacked=attacked or frozenset(), call=wanted.call
    )
    each = tuple(replace(one, closing=closing) for one in made)
    return Sheets(each, len(held), replace(overview, closing=closing) if len(held) > 1 else None)


def _due(
    ctx: Context, home: Home, found: Checked, wanted: Wanted
) -> tuple[frozenset[str] | None, Mapping[str, str]]:
    """Which flaws are known to be used in attacks, None without a list, and by when each is due."""
    try:
        public = lists.kept(ctx, home)
    except (Tampered, Invalid):
        return None, {}  # without the lists nothing is said; `leadline priority` tells an official
    said = lists.said({"exposed": wanted.exposed}, "you")
    listed = public.kev.listed if public.kev else {}
    rows = dict[str, str]()
    for cve in found.cves():
        facts = Facts(cve=cve, listed=listed[cve].added if cve in listed else None)
        rows[cve] = _by_when(priority.weigh(public, facts, said, ctx.now, ZoneInfo("UTC")).due)
    return (frozenset(listed) if public.kev else None), rows


def _by_when(due: Due) -> str:
    """What the directive would say, in one line."""
    if due.owed is not None:
        return f"by {due.owed:%-d %B %Y}"
    if due.decision.determined:
        return due.words[1]
    asked = "; ".join(_OPEN.get(one.id, one.name) for one in due.decision.needed)
    return f"no date follows yet; find out: {asked}"


def _rows(due: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The flaws by what is due, so that a page stays one page."""
    of = dict[str, list[str]]()
    for cve, words in due.items():
        of.setdefault(words, []).append(cve)
    return tuple((_named(cves), words) for words, cves in sorted(of.items()))


def _named(cves: list[str]) -> str:
    more = f" and {len(cves) - DUE_MAX} more" if len(cves) > DUE_MAX else ""
    return ", ".join(sorted(cves)[:DUE_MAX]) + more
