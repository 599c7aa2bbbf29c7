"""The cache: archives, tools, and the prepared folder of every item that this host can run.

archives/            what the index served, by name
tools/build          setuptools and its companions; tools/fuzz: atheris, where it exists
prepared/<item id>/  an item in the form of `leadline.suites.item`, without checks.json
state.json           what is prepared, what is not and why
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from leadline.core.errors import Invalid
from leadline.suites.registry.manifest import ITEMS


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one manifest: *reason* says why it is not prepared, *seconds* what it took.

    *lasting* marks a reason that only a change of this host or of the item can remove.
    """

    id: str
    digest: str
    prepared: bool
    reason: str = ""
    lasting: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """The content of ``state.json``: entries by manifest name; *fuzz* says why there is no fuzzer."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    fuzz: str = ""


_STATE = TypeAdapter(State)


class Cache:
    """One cache folder; *items* holds the manifests and harnesses."""

    def __init__(self, root: Path, items: Path = ITEMS) -> None:
        self.root = root
        self.items = items

    @property
    def state_file(self) -> Path:
        """Where the state stands."""
        return self.root / "state.json"

    def state(self) -> State:
        """What the last `fill` left; empty before the first.

        Raises: Invalid, if the file is damaged.
        """
        try:
            return _STATE.validate_json(self.state_file.read_bytes())
        except FileNotFoundError:
            return State()
        except ValidationError as error:
            raise Invalid(
                str(self.state_file), "is damaged; remove the folder and set up again"
            ) from error

    def folder(self, item_id: str) -> Path:
        """The prepared folder of an item."""
        return self.root / "prepared" / item_id

    def write(self, state: State) -> None:
        """Replace the state in one step."""
        self.root.mkdir(parents=True, exist_ok=True)
        fresh = self.state_file.with_suffix(".new")
        text = json.dumps(asdict(state), indent=1, sort_keys=True)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.state_file)
