"""Wheels made on the spot, for an index that is a folder."""

import hashlib
import zipfile
from pathlib import Path

from leadline.suites.registry.manifest import Archive


def write_wheel(folder: Path, package: str, version: str, code: str) -> Archive:
    """A pure wheel of one module in *folder*, as its pin."""
    path = folder / f"{package}-{version}-py3-none-any.whl"
    info = f"{package}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{package}.py", code)
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Archive(package, version, path.name, digest)
