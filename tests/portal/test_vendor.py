"""Browser assets are the bytes that their packages ship, all of them and nothing else."""

import re
import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

FOLDER = Path(str(files("leadline.http") / "static" / "vendor"))
MANIFEST = tomllib.loads((FOLDER / "MANIFEST.toml").read_text("utf-8"))
LEFT_OUT = {"img/hero.jpg"}


def test_every_file_is_the_one_of_the_manifest() -> None:
    """A file that was changed, added or lost is found."""
    named = {
        f"{package['folder']}/{path}": digest
        for package in MANIFEST["package"]
        for path, digest in package["files"].items()
    }
    present = {
        str(path.relative_to(FOLDER)): sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name != "MANIFEST.toml"
    }
    assert present == named


def test_every_package_says_whose_it_is() -> None:
    """Name, version, licence and origin, and no index host."""
    for package in MANIFEST["package"]:
        told = " ".join(package[key] for key in ("name", "version", "licence", "origin"))
        assert re.search(r"sha256 [0-9a-f]{64}", told)
        assert "://" not in told


def test_whatever_the_styles_name_is_here() -> None:
    """No page asks for a file that is not served."""
    style = (FOLDER / "uswds/css/uswds.min.css").read_text("utf-8")
    named = {path.removeprefix("../") for path in re.findall(r"url\((\.\./[^)]+)\)", style)}
    assert len(named) > 30
    missing = {path for path in named if not (FOLDER / "uswds" / path).is_file()}
    assert missing == LEFT_OUT
    assert "http://" not in style.replace("http://www.w3.org/2000/svg", "")
