"""`leadline log verify` at the command line."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bundles import ORIGIN, openings, write_bundle, write_log
from leadline.cli import log
from leadline.vault.keys import FileSigner, open_signer

RUN = CliRunner()


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    """The log's signer; its verifier keys stand in `log.vkey` beside the bundle."""
    signer = open_signer(tmp_path / "signer.key", ORIGIN)
    (tmp_path / "log.vkey").write_text(signer.vkeys(), encoding="utf-8")
    return signer


@pytest.fixture
def arguments(tmp_path: Path, signer: FileSigner) -> list[str]:
    """The command line for a sealed bundle."""
    write_bundle(tmp_path / "bundle", openings(5), signer, withheld=[4])
    return ["verify", str(tmp_path / "bundle"), "--key", str(tmp_path / "log.vkey")]


def test_an_intact_bundle_exits_0(arguments: list[str], tmp_path: Path) -> None:
    """The JSON document has the agreed members; people get one line."""
    result = RUN.invoke(log.app, [*arguments, "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    root = (tmp_path / "bundle" / "checkpoint").read_text("utf-8").split("\n")[2]
    expected = {"ok": True, "place": "", "size": 5, "root": root, "origin": ORIGIN}
    assert expected.items() <= document.items()
    assert (document["kind"], document["acts"], document["withheld"]) == ("bundle", 4, 1)
    result = RUN.invoke(log.app, arguments)
    assert result.exit_code == 0
    assert f"{ORIGIN}, 5 entries, root {root}; 4 acts opened, 1 withheld" in result.stdout


def test_a_tampered_bundle_exits_8_and_names_the_place(
    arguments: list[str], tmp_path: Path
) -> None:
    """One document on standard output, one line on standard error."""
    (tmp_path / "bundle" / "plan.txt").write_bytes(b"20 items, 3 epochs\n")
    result = RUN.invoke(log.app, [*arguments, "--json"])
    assert result.exit_code == 8
    document = json.loads(result.stdout)
    agreed = {"ok": False, "place": "plan.txt", "size": None, "root": None}
    assert agreed.items() <= document.items()
    assert result.stderr.startswith("leadline: tampered: plan.txt: ")
    assert result.stderr.count("\n") == 1
    result = RUN.invoke(log.app, arguments)
    assert (result.exit_code, result.stdout) == (8, "")


def test_a_bare_tile_folder_is_read(tmp_path: Path, signer: FileSigner) -> None:
    """The log alone verifies, and is told apart from a bundle."""
    head = write_log(tmp_path / "log", [b"entry"], signer)
    arguments = ["verify", str(tmp_path / "log"), "--key", str(tmp_path / "log.vkey")]
    document = json.loads(RUN.invoke(log.app, [*arguments, "--json"]).stdout)
    assert (document["kind"], document["size"]) == ("tiles", 1)
    assert b64encode(head.root).decode() == document["root"]
    assert "a tile folder without acts" in RUN.invoke(log.app, arguments).stdout


def test_without_a_key_it_exits_2(arguments: list[str], tmp_path: Path) -> None:
    """No key, no such file, no text, no key in it: invalid input, and what to give."""
    assert RUN.invoke(log.app, arguments[:2]).exit_code == 2
    for content in (None, b"\xff\xfe", b"", b"no key\n"):
        path = tmp_path / "other.vkey"
        if content is not None:
            path.write_bytes(content)
        result = RUN.invoke(log.app, [*arguments[:2], "--key", str(path)])
        assert result.exit_code == 2
        assert result.stderr.startswith("leadline: invalid: ")


def test_another_key_exits_8(arguments: list[str], tmp_path: Path) -> None:
    """A replaced key does not verify."""
    other = open_signer(tmp_path / "other.key", ORIGIN)
    (tmp_path / "log.vkey").write_text(other.vkeys(), encoding="utf-8")
    assert RUN.invoke(log.app, arguments).exit_code == 8


def test_no_such_bundle_exits_4(arguments: list[str], tmp_path: Path) -> None:
    """A path that is no folder is not found."""
    result = RUN.invoke(log.app, ["verify", str(tmp_path / "absent"), *arguments[2:]])
    assert result.exit_code == 4


# Typer brings pydantic along, which therefore is not among them.
HEAVY = ("sqlalchemy", "inspect_ai", "numpy", "scipy", "cedarpy", "jinja2")


def test_the_verifier_is_small(arguments: list[str]) -> None:
    """In a process of its own, verifying imports none of the large dependencies."""
    code = (
        "import sys\n"
        "from leadline.cli.log import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    source = str(Path(log.__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": source},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("verified: ")
