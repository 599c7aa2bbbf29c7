"""The catalogue of known exploited vulnerabilities (KEV) as CISA publishes it in JSON.

It is read whole or not at all: where an entry is missing or unreadable, "not listed" would no longer be
an answer. Fields that nothing here uses may be absent or new.
Source: CISA, known_exploited_vulnerabilities.json and its schema, https://www.cisa.gov/kev.
"""

from datetime import date, datetime

from leadline.core.clearing.exploited import Kev, Listing, cve_id
from leadline.core.errors import Invalid
from leadline.formats.document import items, load, moment, record, text

ENTRIES_MAX = 50_000
_VERSION_MAX = 40


def parse(data: bytes, name: str = "KEV") -> Kev:
    """The list; *name* stands in errors.

    Raises: Invalid, if it is no such catalogue, has no date of release with an offset, does not hold as
    many entries as it counts, holds none, one twice or one that cannot be read.
    """
    document = load(data, name)
    entries = items(document.get("vulnerabilities"))
    if document.get("count") != len(entries) or not entries:
        problem = f"counts {document.get('count')!r:.20} entries and holds {len(entries)}"
        raise Invalid(f"{name}: count", f"{problem}; only the whole list says what is not listed")
    if len(entries) > ENTRIES_MAX:
        raise Invalid(name, f"more than {ENTRIES_MAX:,} entries")
    listed: dict[str, Listing] = {}
    for number, entry in enumerate(entries, 1):
        listing = _listing(entry, f"{name}: entry {number}")
        if listing.cve in listed:
            raise Invalid(f"{name}: entry {number}", f"{listing.cve} stands twice")
        listed[listing.cve] = listing
    version = text(document.get("catalogVersion")) or "not given"
    return Kev(version[:_VERSION_MAX], _released(document.get("dateReleased"), name), listed)


def _listing(entry: object, place: str) -> Listing:
    held = record(entry)
    try:
        cve = cve_id(text(held.get("cveID")))
        added = date.fromisoformat(text(held.get("dateAdded")))
    except Invalid as error:
        raise Invalid(f"{place}: cveID", error.problem) from error
    except ValueError as error:
        problem = "expected a day such as 2026-11-03"
        raise Invalid(f"{place}: dateAdded", problem) from error
    return Listing(cve, added, text(held.get("knownRansomwareCampaignUse")) == "Known")


def _released(value: object, name: str) -> datetime:
    found = moment(value)
    if found is None:
        problem = "expected a moment with an offset, such as 2026-11-03T15:00:00Z"
        raise Invalid(f"{name}: dateReleased", problem)
    return found
