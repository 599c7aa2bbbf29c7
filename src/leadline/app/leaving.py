"""Signed folders that leave: written whole or not at all, and their opened acts read back."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from leadline.app import folder as files
from leadline.app.context import Context
from leadline.app.seal import seal
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, from_record
from leadline.formats import note
from leadline.formats.manifest import ACT_BYTES_MAX, ACTS, decode_opening


def write(ctx: Context, out: Path, parts: Mapping[str, bytes]) -> None:
    """Write and seal the new folder *out*.

    Raises: Invalid, if it cannot be written; as `leadline.app.seal.seal`.
    """
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        for path, content in parts.items():
            place = new / path
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.write_bytes(content)
        seal(new, ctx.signer, note.parse_vkeys(ctx.signer.vkeys())[0].name)
        new.rename(out)
    except OSError as error:
        raise Invalid("out", f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def acts(folder: Path) -> list[Act]:
    """The opened acts of a bundle that was verified, in log order."""
    found = list[Act]()
    for line in files.lines(folder, ACTS, bytes_max=ACT_BYTES_MAX):
        record = decode_opening(line).record
        assert isinstance(record, Mapping)  # noqa: S101 -- `decode_opening` takes nothing else
        found.append(from_record(record))
    return found
