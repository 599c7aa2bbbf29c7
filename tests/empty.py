"""Empty databases at the newest schema, to be copied: that is quicker than to migrate each to it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from leadline.settings import Home
from leadline.store.database import open_database


@cache
def sqlite() -> bytes:
    """A file of SQLite."""
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        open_database(home.database).dispose()
        return (home.folder / "leadline.db").read_bytes()
