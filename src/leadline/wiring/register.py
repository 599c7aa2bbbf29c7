"""Kinds of entries of the dated register: those that come with Leadline, and an installation's own."""

from collections.abc import Mapping
from pathlib import Path

import leadline
from leadline.core.engagement.register import EntryKind, check_kinds
from leadline.core.errors import Invalid
from leadline.formats.register_toml import kinds_of

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
