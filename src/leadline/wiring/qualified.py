"""Where an installation keeps records of qualification, and which an official run takes.

``HOME/qualified/SERIES/SUITE`` is one campaign (`leadline.wiring.suites`). A *series* is what was
qualified under one seed: items that are drawn by a seed exist only under it. An official run takes a
series that no run has had, since a run reveals its seed at the end, and leaves the file ``used`` there.
"""

import hashlib
import json
import secrets
from pathlib import Path

from leadline.core.errors import Invalid, Refused
from leadline.core.isolation import Tier
from leadline.formats.note import parse_vkeys
from leadline.runner.qualified import RECORDS, Records
from leadline.settings import Home
from leadline.vault.keys import open_signer
from leadline.wiring.home import LOG_KEY, origin

FOLDER, CAMPAIGN, USED = "qualified", "campaign.json", "used"


def is_installation(home: Home) -> bool:
    """Whether *home* is an installation that keeps records: none that one assessment made for itself."""
    return home.exists() and not (home.folder / "request.json").exists()


def campaign_folder(home: Home, suite: str, seed: str) -> tuple[Path, str]:
    """Where a campaign over *suite* belongs in the installation at *home*, and the seed that it takes.

    That is the series that no run has had, or one of a fresh seed; with a *seed*, its series.

    Raises: Invalid, if several series are unused and no seed says which.
    """
    chosen = seed or _unused(home) or secrets.token_hex(32)
    return home.folder / FOLDER / series(chosen) / suite, chosen


def series(seed: str) -> str:
    """The name of the series under *seed*, which tells nothing of it."""
    return hashlib.sha256(b"leadline/series/v1\0" + seed.lower().encode()).hexdigest()[:16]


def seed_of(home: Home, given: str | None) -> str:
    """The seed of an official run: *given*, or that of the one series that no run has had.

    Raises: Refused, where a run has had the series, or there is none.
    """
    seed = given or _unused(home)
    if not seed:
        raise Refused(
            f"no unused series of qualified items in {home.folder / FOLDER}; "
            f"`leadline suite qualify NAME --home {home.folder}` makes one"
        )
    used = home.folder / FOLDER / series(seed) / USED
    if used.is_file():
        raise Refused(
            f"the items of this seed were used by the run in {used.read_text(encoding='utf-8')}, which "
            "reveals it; qualify fresh ones"
        )
    return seed


def take(home: Home, seed: str, out: Path) -> None:
    """Mark the series of *seed* as had by the run in *out*."""
    folder = home.folder / FOLDER / series(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / USED).write_text(str(out), encoding="utf-8")


def records(home: Home, tier: Tier) -> Records:
    """Every record of the installation at *home*, for a run in boxes of *tier* on this host.

    Raises: Unavailable, if no sandbox of *tier* can run here.
    """
    from leadline.suites.gate import environment

    signer = open_signer(home.keys / LOG_KEY, origin(home))
    folders = sorted((home.folder / FOLDER).glob(f"*/*/{RECORDS}"))
    return Records(folders, parse_vkeys(signer.vkeys()), environment(tier))


def require_installation(home: Home) -> None:
    """Raises: Invalid, saying how to make one, unless *home* is an installation."""
    if not is_installation(home):
        raise Invalid(
            "--home",
            f"{home.folder} is no installation, and an official run rests on the records of one: "
            "`leadline init --home DIR` makes it, `leadline suite qualify NAME --home DIR` the records",
        )


def _unused(home: Home) -> str:
    """The seed of the one series that no run has had; empty where there is none.

    Raises: Invalid, naming the option, if there are several.
    """
    seeds = set()
    for path in (home.folder / FOLDER).glob(f"*/*/{CAMPAIGN}"):
        if not (path.parent.parent / USED).is_file():
            seeds.add(_seed_in(path))
    if len(seeds) > 1:
        raise Invalid(
            "--seed", f"{len(seeds)} series in {home.folder / FOLDER} are unused; name one"
        )
    return next(iter(seeds), "")


def _seed_in(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(CAMPAIGN, f"{path} is spoilt: {error!r}; take its folder away") from error
