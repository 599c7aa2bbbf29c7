"""Exchange profiles, those of an installation included; and a run as `leadline assess` left it."""

from pathlib import Path

import leadline
from leadline.app.given import content
from leadline.app.joint import FORM_BYTES_MAX, REPORT_BYTES_MAX, REPORTS, Run
from leadline.core.errors import NotFound
from leadline.formats import document, exchange
from leadline.formats.exchange import Profile

DATA = Path(leadline.__file__).parent / "data" / "exchange"


def profiles(extra: Path | None = None) -> tuple[Profile, ...]:
    """Every profile that is installed: ours, and those of the folder *extra*, if it is there.

    Raises: Invalid, naming file and key.
    """
    folders = [DATA, *([extra] if extra and extra.is_dir() else [])]
    found = [file for folder in folders for file in sorted(folder.glob("*.toml"))]
    return tuple(exchange.load_profile(one.read_bytes(), one.name) for one in found)


def profile(id_: str, extra: Path | None = None) -> Profile:
    """The profile of that id; of several, the one checked last.

    Raises: NotFound, naming what there is.
    """
    known = profiles(extra)
    fitting = sorted((one for one in known if one.id == id_), key=lambda one: one.last_checked)
    if not fitting:
        names = ", ".join(sorted({one.id for one in known}))
        raise NotFound(f"no exchange profile {id_!r:.40}; there are {names}")
    return fitting[-1]


def run(folder: Path) -> Run:
    """The summary and the reports of a folder that `leadline assess` wrote.

    Raises: NotFound, if there is no summary in it; Invalid, if a file is too large or no JSON.
    """
    summary = content(folder / "summary.json", FORM_BYTES_MAX)
    reports = {
        name: content(folder / name, REPORT_BYTES_MAX)
        for name in REPORTS
        if (folder / name).is_file()
    }
    return Run(document.load(summary, "summary.json"), reports)
