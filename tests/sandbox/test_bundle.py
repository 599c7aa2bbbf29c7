"""The folder of an own-kernel box: laid out for everyone in the box, removed with it, swept if left."""

import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.sandbox import bundle
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.kernel import kernel_plan
from sandbox.test_kernel_plan import HOST, RUNTIME


def made(place: Path, **fields: object) -> bundle.Bundle:
    """A bundle for a configuration."""
    config = BoxConfig.model_validate({"tier": "own-kernel", **fields})
    return bundle.made(kernel_plan(config, HOST, RUNTIME), place)


def test_the_root_holds_what_the_plan_says(tmp_path: Path) -> None:
    """Files with their modes, links, and a place for every mount, whatever the caller's umask."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    binds = (
        Bind(source=str(tmp_path / "file"), target="/data/file"),
        Bind(source=str(tmp_path / "folder"), target="/data/folder"),
    )
    before = os.umask(0o077)
    try:
        laid = made(tmp_path, binds=binds)
    finally:
        os.umask(before)
    root = laid.folder / "root"
    for path in ("box", "proc", "tmp", "var/tmp", "data/folder", "usr", "run/sbx/real"):
        assert stat.S_IMODE((root / path).stat().st_mode) == 0o755, path
    assert (root / "data/file").is_file()
    assert (root / "bin").readlink() == Path("usr/bin")
    assert (root / "run/sbx/init").read_bytes() == b"init"
    assert stat.S_IMODE((root / "run/sbx/init").stat().st_mode) == 0o555
    assert stat.S_IMODE((root / "etc/passwd").stat().st_mode) == 0o444
    assert f'"path": "{laid.folder}/root"' in (laid.folder / "config.json").read_text()
    assert stat.S_IMODE(laid.folder.stat().st_mode) == 0o700
    laid.remove()
    laid.remove()
    assert not laid.folder.exists()


def test_a_bundle_that_cannot_be_laid_out_is_removed(tmp_path: Path) -> None:
    """The error is the caller's to see; nothing stays."""
    config = BoxConfig(tier="own-kernel")
    plan = kernel_plan(config, HOST, RUNTIME)
    broken = dataclasses.replace(plan, links={"/etc/passwd": "elsewhere"})
    with pytest.raises(FileExistsError):
        bundle.made(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    """A held bundle stays, one being made stays, others' stay; once per process and place."""
    script = (
        "import sys, os\nfrom pathlib import Path\nfrom sandbox.test_bundle import made\n"
        "made(Path(sys.argv[1])); os._exit(0)"
    )
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{script}", str(tmp_path)],
        check=True,
    )
    held = made(tmp_path)
    half = tmp_path / f"{bundle.PREFIX}half"
    half.mkdir()
    assert len(list(tmp_path.glob(f"{bundle.PREFIX}*"))) == 3
    assert bundle.swept(tmp_path) == 1
    assert set(tmp_path.glob(f"{bundle.PREFIX}*")) == {held.folder, half}
    held.remove()
