"""The library of regimes as files give it; needs no store, so that a base install reads the law too."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import leadline
from leadline.app.regimes import EXAMPLES, Checked, Known, check, check_names
from leadline.core.engagement.library import Body, Library
from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid
from leadline.formats.bodies_toml import load_bodies
from leadline.formats.questions_toml import Question, load_questions
from leadline.formats.regime_toml import load_regime

__all__ = ["BODIES", "DATA", "EXAMPLES", "checked", "library", "questions", "utc_now"]
DATA = Path(leadline.__file__).parent / "data"
TEXTS_KEPT = 256
BODIES = "bodies.toml"  # beside the regimes of an installation: bodies of its own, or later names


def library(extra: Path | None = None) -> Library:
    """The texts that come with Leadline, and those of the folder *extra*, if it is there.

    Raises: Invalid, naming file and key.
    """
    folders = [DATA / "regimes", *([extra] if extra and extra.is_dir() else [])]
    files = [file for folder in folders for file in sorted(folder.glob("*.toml"))]
    texts = [one for one in files if not one.name.endswith(EXAMPLES) and one.name != BODIES]
    bodies = dict[str, Body]()
    for file in (DATA / BODIES, *(one for one in files if one.name == BODIES)):
        bodies |= _bodies(file)
    ids = frozenset(bodies)
    return Library(tuple(_read(one.read_bytes(), one.name, ids) for one in texts), bodies)


@lru_cache(TEXTS_KEPT)
def _read(content: bytes, file: str, bodies: frozenset[str]) -> Regime:
    """As `load_regime`. The same bytes are read once in a process, however often the library is asked for."""
    return load_regime(content, file, bodies)


def checked(extra: Path | None = None) -> tuple[Checked, ...]:
    """Every text of `library`, each with its examples run, and what is wrong with it.

    Files of *extra* are named after that folder. A wrong bodies' file is an entry of its own.
    """
    shipped = {file.name: file.read_bytes() for file in (DATA / "regimes").glob("*.toml")}
    added = (
        {f"{extra.resolve().name}/{one.name}": one for one in extra.glob("*.toml")} if extra else {}
    )
    names = (DATA / BODIES).read_bytes(), (DATA / f"bodies{EXAMPLES}").read_bytes()
    named = check_names(*names, BODIES)
    bodies, wrong = dict(_bodies(DATA / BODIES)), [named] if named.faults else []
    for name in [one for one in added if one.endswith(f"/{BODIES}")]:
        try:
            bodies |= _bodies(added.pop(name))
        except Invalid as error:
            wrong.append(Checked(name, "", 0, (str(error),)))
    roles = frozenset(
        file.stem for file in (DATA / "roles").glob("*.toml") if not file.name.endswith(EXAMPLES)
    )
    files = shipped | {name: file.read_bytes() for name, file in added.items()}
    return (*wrong, *check(files, Known(bodies, roles, questions())))


def _bodies(file: Path) -> Mapping[str, Body]:
    return load_bodies(file.read_bytes(), file.name)


def questions() -> tuple[Question, ...]:
    """The six questions that say which texts apply."""
    file = DATA / "questions.toml"
    return load_questions(file.read_bytes(), file.name)


def utc_now() -> datetime:
    """This moment, where there is no installation whose clock could be asked."""
    return datetime.now(UTC)  # noqa: TID251 -- the installation's own clock comes with its store
