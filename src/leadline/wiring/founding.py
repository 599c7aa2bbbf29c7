"""Making an installation: folders, database, the log's keys, the first two administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadline.app import founding
from leadline.core.access import Principal
from leadline.core.errors import Refused
from leadline.formats.note import check_name
from leadline.settings import Home
from leadline.store.sql import open_store
from leadline.vault.keys import open_signer
from leadline.wiring.home import KINDS, LOG_KEY, clock, lines_of, make, new_id, open_parts

FIRST_DAYS = 365
INSTALLATION = Principal("installation", "This installation", "", frozenset({"worker"}))


@dataclass(frozen=True, slots=True)
class Begun:
    """An administrator as enrolled, with the code that registers the first keys."""

    principal: str
    name: str
    code: str


def found(home: Home, log: str, names: Sequence[str]) -> tuple[Begun, ...]:
    """Begin an installation whose log is called *log*, with the administrators *names*.

    Raises: Invalid, for a name that no log can have or fewer than two administrators; Refused, where
    an installation stands already.
    """
    check_name("--log", log)
    if home.exists():
        raise Refused(f"an installation stands at {home.folder} already; name another folder")
    until = clock() + timedelta(days=FIRST_DAYS)
    people = [
        Principal(
            new_id("person"),
            name,
            "installation",
            frozenset({"administrator"}),
            access_until=until,
        )
        for name in names
    ]
    founding.check(people)
    make(home)
    open_signer(home.keys / LOG_KEY, log)
    store = open_store(home.database, kinds=KINDS, lines=lines_of(home))
    try:
        codes = founding.found(open_parts(home, store).context(INSTALLATION), people)
    finally:
        store.close()
    return tuple(
        Begun(person.id, person.name, code) for person, code in zip(people, codes, strict=True)
    )
