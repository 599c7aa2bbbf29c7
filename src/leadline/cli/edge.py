"""Errors at the command line: one line on standard error, and an exit code by kind."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from leadline.core.errors import (
    Denied,
    Invalid,
    LeadlineError,
    NotFound,
    Refused,
    Stale,
    Tampered,
    Unavailable,
)

EXIT_CODES: dict[type[LeadlineError], int] = {
    Invalid: 2,
    Denied: 3,
    NotFound: 4,
    Refused: 5,
    Stale: 6,
    Unavailable: 7,
    Tampered: 8,
}


def exit_code(error: LeadlineError) -> int:
    """The exit code of an error's kind; a subclass has its parent's."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


@contextmanager
def edge() -> Iterator[None]:
    """Around the body of every command: one of Leadline's errors ends it with its exit code.

    The line on standard error begins with the error's code and holds no line break or other
    control character, whatever the input put into the message.
    """
    try:
        yield
    except LeadlineError as error:
        told = "".join(c if c.isprintable() else " " for c in f"{error.code}: {error}")
        typer.echo(f"leadline: {told}", err=True)
        raise typer.Exit(exit_code(error)) from error
