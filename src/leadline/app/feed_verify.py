"""The offline verifier of a feed: signed by the key, and every file the one that was signed.

Left to others: whether a later feed exists. The serial number says which of two is the later one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadline.app import folder as files
from leadline.app.signature import check
from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.formats import cosignature, feed, manifest, note
from leadline.formats.feed import Head


@dataclass(frozen=True, slots=True)
class VerifiedFeed:
    """What was found to be true of a feed."""

    head: Head
    files: int
    keys: tuple[str, ...]


def signed_text(place: str, data: bytes, vkeys: str) -> tuple[str, tuple[str, ...]]:
    """The text of a note that every key in *vkeys* signed, and the names of these keys.

    Raises: Tampered, naming *place*; Invalid, for a text that holds no verifier keys; Unavailable, if an
    algorithm is missing.
    """
    keys = [cosignature.text_key(key) for key in note.parse_vkeys(vkeys)]
    signing = [key for key in keys if key is not None]
    if not signing:
        raise Invalid("key", "none of these keys signs texts; give the publisher's own key")
    try:
        signed = note.parse(data)
    except Invalid as error:
        raise Tampered(place, str(error)) from error
    cosignature.require(place, signed, signing, check)
    return signed.text, tuple(f"{key.name}+{key.id.hex()}" for key in signing)


def verify_feed(folder: Path, vkeys: str, *, since: int = 0) -> VerifiedFeed:
    """Verify the feed in *folder* with verifier keys that came from elsewhere.

    *since* is the serial number of the last feed that was seen; an earlier one is refused.

    Raises: Tampered, naming the place; NotFound, if there is no such folder; Invalid, for keys that are
    none; Unavailable, if it cannot be read or an algorithm is missing.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; give the feed's")
    note.parse_vkeys(vkeys)
    found = files.scan(folder)
    signed = files.read(folder, manifest.STATEMENT, bytes_max=note.NOTE_BYTES_MAX)
    text, keys = signed_text(manifest.STATEMENT, signed, vkeys)
    listing = files.read(folder, manifest.MANIFEST, bytes_max=manifest.MANIFEST_BYTES_MAX)
    try:
        head = feed.parse_head(text)
        if manifest.digest(listing) != head.manifest:
            raise Tampered(manifest.MANIFEST, "not the manifest that was signed")
        named = manifest.decode(listing)
    except Invalid as error:
        raise Tampered(manifest.STATEMENT, str(error)) from error
    if head.serial < since:
        told = f"feed number {head.serial}, where number {since} was seen before: an old feed"
        raise Tampered(manifest.STATEMENT, told)
    _compare(folder, found, named)
    return VerifiedFeed(head, len(named), keys)


def _compare(folder: Path, found: Mapping[str, int], named: Mapping[str, manifest.File]) -> None:
    present = found.keys() - {manifest.MANIFEST, manifest.STATEMENT}
    for path, file in sorted(named.items()):
        if path not in present:
            raise Tampered(path, "missing; get the feed again from its publisher")
        if (file.sha256, file.bytes) != files.digest(folder, path):
            raise Tampered(path, "not the file that the manifest names")
    for path in sorted(present - named.keys()):
        raise Tampered(manifest.shown(path), "not in the manifest; take it out")
