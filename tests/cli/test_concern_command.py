"""`leadline concern` at the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from desk_terminal import Terminal, terminal
from leadline.cli import concern


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """Terminals of an operator and a programme officer."""
    with terminal(tmp_path, concern.app) as made:
        yield made


def test_a_concern_from_the_operator_and_back(at: Terminal, tmp_path: Path) -> None:
    """A concern from the operator and back."""
    words, home = tmp_path / "words.txt", str(at.house.folder)
    words.write_text("patches come too slowly")
    id_ = at.ok("operator", "raise", str(words), "--sector", "health").split(":")[0]
    assert "unanswered after 0 days: patches come too slowly" in at.ok("operator", "list")
    told = json.loads(at.ok("officer", "list", "--json"))["concerns"]
    assert (told[0]["id"], told[0]["answered"]) == (id_, None)
    words.write_text("we hear you")
    at.ok("officer", "answer", id_, str(words))
    assert "we hear you" in at.ok("operator", "list")
    assert at.run("officer", "answer", id_, str(words)).exit_code == 5
    assert at.run("operator", "raise", str(words), "--sector", "weather").exit_code == 2
    assert at.ok("rival", "list") == ""
    counted = CliRunner().invoke(concern.app, ["counts", "--home", home])
    assert "health: raised not shown, answered not shown" in counted.output
    plain = CliRunner().invoke(concern.app, ["counts", "--home", home, "--json"])
    assert json.loads(plain.output)["sectors"][1]["raised"] is None
