"""Errors at the command line."""

import pytest
import typer

from leadline.cli.edge import edge, exit_code
from leadline.core import errors
from leadline.core.errors import LeadlineError

EXPECTED = [
    (errors.Invalid("field", "problem"), 2),
    (errors.Denied("reason"), 3),
    (errors.NotFound("what"), 4),
    (errors.Refused("why"), 5),
    (errors.Stale("reload"), 6),
    (errors.Unavailable("later"), 7),
    (errors.Tampered("place", "problem"), 8),
]


@pytest.mark.parametrize(("error", "code"), EXPECTED, ids=lambda one: str(one)[:8])
def test_each_error_has_its_exit_code(
    error: LeadlineError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with the code of the error's kind and one line that names it."""
    with pytest.raises(typer.Exit) as caught, edge():
        raise error
    assert code == caught.value.exit_code
    assert f"leadline: {error.code}: {error}\n" == capsys.readouterr().err


def test_every_kind_of_error_has_one() -> None:
    """No kind is left without an exit code, and a subclass has its parent's."""
    assert {type(error) for error, _ in EXPECTED} == set(LeadlineError.__subclasses__())

    class Narrower(errors.Refused):
        """A narrower kind."""

    assert exit_code(Narrower("why")) == 5


def test_messages_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters and line breaks of a hostile file name are not printed."""
    with pytest.raises(typer.Exit), edge():
        raise errors.Tampered("a\x1b[2J\r\nleadline: verified", "x")
    told = capsys.readouterr().err
    assert told.removesuffix("\n").isprintable()


def test_other_errors_pass() -> None:
    """A defect is not dressed up as an answer."""
    with pytest.raises(ZeroDivisionError), edge():
        raise ZeroDivisionError
