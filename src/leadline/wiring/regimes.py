"""The library of regimes as files give it; needs no store, so that a base install reads the law too."""

from datetime import UTC, datetime
from pathlib import Path

import leadline
from leadline.core.engagement.library import Body, Library
from leadline.formats.bodies_toml import load_bodies
from leadline.formats.questions_toml import Question, load_questions
from leadline.formats.regime_toml import load_regime

DATA = Path(leadline.__file__).parent / "data"
EXAMPLES = ".examples.toml"
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
        bodies |= load_bodies(file.read_bytes(), file.name)
    return Library(tuple(load_regime(one.read_bytes(), one.name, bodies) for one in texts), bodies)


def questions() -> tuple[Question, ...]:
    """The six questions that say which texts apply."""
    file = DATA / "questions.toml"
    return load_questions(file.read_bytes(), file.name)


def utc_now() -> datetime:
    """This moment, where there is no installation whose clock could be asked."""
    return datetime.now(UTC)  # noqa: TID251 -- the installation's own clock comes with its store
