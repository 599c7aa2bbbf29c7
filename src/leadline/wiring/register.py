"""Kinds of entries of the dated register, those of an installation included; public counts of concerns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import leadline
from leadline.app import concerns, entries
from leadline.app.sign_in import NOBODY
from leadline.core.engagement.concern import Count
from leadline.core.engagement.register import EntryKind, Register, check_kinds
from leadline.core.errors import Invalid
from leadline.formats.register_toml import kinds_of
from leadline.settings import Home
from leadline.wiring.home import Parts, opened

DATA = Path(leadline.__file__).parent / "data" / "register"
EXAMPLES = ".examples.toml"
Kinds = Mapping[str, EntryKind]


def kinds(extra: Path | None = None) -> dict[str, EntryKind]:
    """Every kind by id; those of the folder *extra*, if it is there, stand beside the shipped ones.

    Raises: Invalid, naming file and key, also for two files of one name.
    """
    folders = [DATA, *([extra] if extra and extra.is_dir() else [])]
    named = dict[str, bytes]()
    for file in (file for folder in folders for file in sorted(folder.glob("*.toml"))):
        if file.name in named:
            raise Invalid(str(file), "a kind of this name is there already; choose another")
        if not file.name.endswith(EXAMPLES):
            named[file.name] = file.read_bytes()
    found = kinds_of(named)
    check_kinds(found)
    return dict(sorted(found.items()))


def sectors() -> tuple[str, ...]:
    """The sectors that there are words for, by id."""
    return tuple(sorted(file.stem for file in (DATA.parent / "sectors").glob("*.toml")))


def public_register(home: Home) -> Register:
    """What of the dated register anybody may read: nobody need be signed in."""
    with opened(home) as parts:
        return public_register_of(parts, home)


def public_register_of(parts: Parts, home: Home) -> Register:
    """As `public_register`, of an installation that is open."""
    return entries.listed(parts.context(NOBODY), kinds(home.folder / "register"))


def concern_counts(home: Home) -> tuple[Count, ...]:
    """What anybody may know of an installation's concerns: nobody need be signed in.

    They are counted with the installation's own eyes, since the public sees none of what is counted.
    """
    with opened(home) as parts:
        return concern_counts_of(parts)


def concern_counts_of(parts: Parts) -> tuple[Count, ...]:
    """As `concern_counts`, of an installation that is open."""
    return concerns.counts(replace(parts.context(NOBODY), store=parts.store), sectors())
