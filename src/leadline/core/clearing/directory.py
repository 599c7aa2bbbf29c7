"""The contact directory: where a project's owners take reports, since when that is known, and from whom.

An address is never guessed. Each says where it came from and when it was seen; what is old or has
expired says so and stays usable, because an old address is better than none.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.clearing.contract import Contract, package_of
from leadline.core.errors import Invalid

STALE = timedelta(days=365)  # own choice: security.txt files are to be renewed within a year
ADDRESSES_MAX = 50
CONTRACT, DIRECTORY = "its intake contract", "the contact directory"
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_GITLAB = re.compile(r"https://[^\s/]{1,253}(?:/[A-Za-z0-9._-]{1,100}){2,20}")
_MAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9.-]{1,253}")
_HTTPS = re.compile(r"https://[^\s<>\"]{1,500}")


class Channel(StrEnum):
    """How a report can be handed over. A web form is filled in by a person."""

    GITHUB = "github"
    GITLAB = "gitlab"
    MAIL = "mail"
    WEB = "web"


_FORMS = {
    Channel.GITHUB: (_REPOSITORY, "OWNER/REPOSITORY"),
    Channel.GITLAB: (
        _GITLAB,
        "the project's address, such as https://gitlab.example/group/project",
    ),
    Channel.MAIL: (_MAIL, "a mail address"),
    Channel.WEB: (_HTTPS, "an https address"),
}


def fits(channel: Channel, to: str) -> bool:
    """Whether *to* has the form of an address of *channel*."""
    return bool(_FORMS[channel][0].fullmatch(to))


@dataclass(frozen=True, slots=True)
class Address:
    """One way to reach owners; *source* is where it stood, *seen* when, *expires* what it says itself."""

    channel: Channel
    to: str
    source: str
    seen: datetime
    expires: datetime | None = None
    key: str = ""

    def __post_init__(self) -> None:
        """Refuse what no message could be written to.

        Raises: Invalid, naming the form that is due.
        """
        if not fits(self.channel, self.to):
            raise Invalid("to", f"{self.to[:80]!r}: give {_FORMS[self.channel][1]}")
        if not self.source.strip():
            raise Invalid("source", "say where this address stands")
        if self.seen.tzinfo is None:
            raise Invalid("seen", "a time needs an offset")

    def doubt(self, now: datetime) -> str:
        """Why it may not work any more; empty if there is no reason."""
        if self.expires is not None and self.expires <= now:
            return f"expired {self.expires:%Y-%m-%d}"
        if now - self.seen > STALE:
            return f"seen {(now - self.seen).days} days ago"
        return ""


@dataclass(frozen=True, slots=True)
class Project:
    """One project: its packages as Package-URLs, its owners, its addresses in their order of preference.

    *answered* is when anybody last answered there.
    """

    name: str
    packages: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    answered: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What its entry is kept under."""
        return f"contact/{self.name}"

    def best(self, now: datetime) -> Address | None:
        """The first address without a doubt, else the first; None if there is none."""
        sound = [one for one in self.addresses if not one.doubt(now)]
        return next(iter((*sound, *self.addresses)), None)


def merged(held: Project, new: Project) -> Project:
    """What is known already and what comes new; the newer sight of one address counts, nothing is lost."""
    found: dict[tuple[Channel, str], Address] = {}
    for one in (*held.addresses, *new.addresses):
        key = (one.channel, one.to.lower())
        before = found.get(key)
        if before is None or one.seen >= before.seen:
            found[key] = one
    if len(found) > ADDRESSES_MAX:
        raise Invalid("addresses", f"{len(found)}; keep at most {ADDRESSES_MAX} for one project")
    seen = [at for at in (held.answered, new.answered) if at is not None]
    return replace(
        held,
        packages=_each(held.packages, new.packages),
        owners=_each(held.owners, new.owners),
        addresses=tuple(found.values()),
        answered=max(seen, default=None),
        notes=_each(held.notes, new.notes),
    )


def _each(*lists: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for held in lists for one in held))


def for_package(projects: Sequence[Project], purl: str) -> tuple[Project, ...]:
    """The projects of one package, whatever release its Package-URL names."""
    wanted = package_of(purl)
    return tuple(
        one
        for one in projects
        if wanted is not None and any(package_of(held) == wanted for held in one.packages)
    )


@dataclass(frozen=True, slots=True)
class Proposed:
    """A project that makes what a case is about and is no party of it.

    *products* are the case's Package-URLs that it makes, *contact* where it takes reports, if that is
    known; *source* says where it is named as their maker.
    """

    project: str
    products: tuple[str, ...]
    contact: str
    source: str


def proposals(
    purls: Iterable[str],
    there: AbstractSet[str],
    contracts: Iterable[Contract],
    projects: Sequence[Project],
    now: datetime,
) -> tuple[Proposed, ...]:
    """Who makes these packages and is not *there* yet, by name; nobody is guessed from a resemblance.

    *there* are names of parties and of their projects, in lower case.
    """
    wanted = {purl: package for purl in purls if (package := package_of(purl)) is not None}
    makers = [(one.project, one.packages, one.contact, CONTRACT) for one in contracts]
    makers += [
        (one.name, one.packages, best.to if (best := one.best(now)) else "", DIRECTORY)
        for one in projects
    ]
    found = dict[str, Proposed]()
    for name, packages, contact, source in makers:
        made = {package_of(one) for one in packages}
        products = tuple(purl for purl, package in wanted.items() if package in made)
        if not products or name.lower() in there:
            continue
        held = found.get(name, Proposed(name, (), "", source))
        found[name] = replace(
            held, products=_each(held.products, products), contact=held.contact or contact
        )
    return tuple(found[name] for name in sorted(found))
