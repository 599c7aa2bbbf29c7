"""A role that neither owns the tables nor bypasses row-level security, as an application connects."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

APP = "leadline_app"


@contextmanager
def application(url: str) -> Iterator[str]:
    """The URL by which that role reaches the PostgreSQL database at *url*, whose schema stands already."""
    plain = url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(plain, autocommit=True) as owner:
        known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP]).fetchone()
        if known is None:
            owner.execute(f"CREATE ROLE {APP} LOGIN NOBYPASSRLS".encode())
        everything = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
        owner.execute(f"GRANT {everything} TO {APP}".encode())
        owner.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP}".encode())
    try:
        yield url.replace("://leadline@", f"://{APP}@")
    finally:
        with psycopg.connect(plain, autocommit=True) as owner:
            owner.execute(f"DROP OWNED BY {APP}".encode())
