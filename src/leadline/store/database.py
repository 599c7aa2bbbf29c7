"""Opening a database: the newest schema first, then the proof that its guards are in place."""

import sqlalchemy as sa

from leadline.store import guards, upgrades, wall
from leadline.store.connections import available, engine_for, reading


def open_database(url: str) -> sa.Engine:
    """An engine on a database that is at the newest schema and whose guards are in place.

    *url* is `sqlite:///FILE` or `postgresql://...`. An empty database gets the schema.

    Raises: Invalid, for another kind of URL; Unavailable, if the database cannot be reached;
    Refused, if a newer Leadline wrote it; Tampered, if a guard is missing or altered.
    """
    engine = engine_for(url)
    try:
        with available():
            upgrades.upgrade(engine)
            with reading(engine) as connection:
                guards.verify(connection)
                wall.verify(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine
