"""Where a source's own sandbox has an item's files, and the box that stands for it.

Invariant: a subject's box differs from the one that the egress proof covers in read-only binds alone,
unless the source's image is there to be its root.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from leadline.core.errors import Invalid
from leadline.core.isolation import Tier
from leadline.sandbox.config import RESERVED, Bind, BoxConfig
from leadline.suites.item import TASK

SETTING = "setting.json"
WORK = "/box"
_TAKEN = (TASK, WORK, "/report", "/target")


@dataclass(frozen=True, slots=True)
class Setting:
    """*targets* maps an absolute path in the source's sandbox to a place below /task.

    *home* is the working folder that its solution expects, *image* what it asks to be made of, and
    *root* that image unpacked on this host; empty where it is not, and the host's own programs then
    stand for it.
    """

    targets: Mapping[str, str] = field(default_factory=dict)
    home: str = WORK
    image: str = ""
    root: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def save_setting(setting: Setting, folder: Path) -> None:
    """Write ``setting.json``."""
    text = json.dumps(asdict(setting), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / SETTING).write_text(text, encoding="utf-8")


def load_setting(folder: Path) -> Setting:
    """Read what `save_setting` wrote.

    Raises: Invalid, if it is absent or no setting.
    """
    path = folder / SETTING
    try:
        return Setting(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(
            SETTING, f"{path} is no setting: {error}; import the collection again"
        ) from None


def refused(setting: Setting) -> str:
    """Why a box cannot stand for the source's sandbox; empty if it can."""
    for target in [*setting.targets, setting.home]:
        if (
            target.rstrip("/") in RESERVED
            or any(target.startswith(f"{taken}/") for taken in (*RESERVED[1:], *_TAKEN))
        ) and target != WORK:
            return f"{target} is laid out by the sandbox; the source wants a file of its own there"
    return ""


def box_config(folder: Path, setting: Setting, tier: Tier, home: str = WORK) -> BoxConfig:
    """The box of an item: its files at /task and, where *home* is ours, at the source's own places.

    With a *home* of the source's it is the box of a reference solution, which writes its files itself.
    """
    subject = folder.resolve() / "subject"
    binds = [Bind(source=str(subject), target=TASK)]
    if home == WORK:
        binds += [
            Bind(source=str(subject / at), target=target)
            for target, at in sorted(setting.targets.items())
        ]
    return BoxConfig(
        workdir=home,
        rootfs=setting.root or None,
        binds=tuple(binds),
        env=dict(setting.environment),
        tier=tier.value,
    )
