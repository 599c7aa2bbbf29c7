"""The offline verifier of a bundle, or of a bare C2SP tile folder.

Upheld for a bundle: the manifest is signed by every key of the log in the key file; the folder holds
exactly the files that the manifest names, byte for byte; the checkpoint is signed by every key in the
key file and is the tree head that the manifest was signed with; every entry hashes to the checkpoint's
root; every opened act opens the commitment at its place. Left to others: whether a later bundle exists
(ask a witness), and whether the record says what was done.

Holds one entry bundle, one line of acts and the list of files in memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leadline.app import folder as files
from leadline.app.signature import check
from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.core.record import commitment, tlog
from leadline.formats import checkpoint, cosignature, manifest, note, tiles
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening
from leadline.formats.note import Note, VerifierKey
from leadline.formats.tiles import Resource

Kind = Literal["bundle", "tiles"]

_BUNDLE_ONLY = frozenset({manifest.MANIFEST, manifest.STATEMENT, manifest.ACTS})
_TILES = "tile/"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to be true. *acts* were opened; *withheld* entries stay closed commitments.

    *kind* ``tiles`` means that only a log was there: no manifest, no acts, no other file.
    """

    kind: Kind
    origin: str
    size: int
    root: bytes
    acts: int = 0
    withheld: int = 0
    files: int = 0
    keys: tuple[str, ...] = ()
    place: str = ""


def verify_bundle(folder: Path, vkeys: str) -> Verified:
    """Verify *folder* with the verifier keys in the text *vkeys*, which comes from elsewhere.

    Raises: Tampered, naming the place, for anything that does not verify; Invalid, for a text that
    holds no verifier keys; NotFound, if there is no such folder; Unavailable, if it cannot be read
    or an algorithm is missing.
    """
    keys = note.parse_vkeys(vkeys)
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; give the bundle's")
    found = files.scan(folder)
    if _BUNDLE_ONLY & found.keys():
        return _Bundle(folder, found, keys).verify()
    return _verify_tiles(folder, found, keys)


def _verify_tiles(
    folder: Path, found: Mapping[str, int], keys: tuple[VerifierKey, ...]
) -> Verified:
    head = _checkpoint(folder, keys)
    for path in sorted(found):
        if not (path == manifest.CHECKPOINT or path.startswith(_TILES) or _kept_by_a_log(path)):
            raise Tampered(manifest.shown(path), "neither log nor manifest covers it; take it out")
    for _ in _Log(folder, found, head).entries():
        pass
    return Verified("tiles", head.origin, head.size, head.root, keys=_names(keys))


def _kept_by_a_log(path: str) -> bool:
    """Whether a running log keeps such a file beside its tree: hidden state, older checkpoints."""
    number = path.removeprefix(f"{manifest.CHECKPOINT}.")
    return path.startswith(".") or (number != path and number.isdecimal())


def _names(keys: tuple[VerifierKey, ...]) -> tuple[str, ...]:
    return tuple(f"{key.name}+{key.id.hex()}" for key in keys)


def _checkpoint(folder: Path, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    signed = _note(folder, manifest.CHECKPOINT)
    cosignature.require(manifest.CHECKPOINT, signed, keys, check)
    try:
        return checkpoint.parse(signed.text)
    except Invalid as error:
        raise Tampered(manifest.CHECKPOINT, str(error)) from error


def _note(folder: Path, path: str) -> Note:
    data = files.read(folder, path, bytes_max=note.NOTE_BYTES_MAX)
    try:
        return note.parse(data)
    except Invalid as error:
        raise Tampered(path, str(error)) from error


class _Bundle:
    """One verification of one bundle."""

    def __init__(
        self, folder: Path, found: Mapping[str, int], keys: tuple[VerifierKey, ...]
    ) -> None:
        self._folder, self._found, self._keys = folder, found, keys

    def verify(self) -> Verified:
        """The answer of `verify_bundle`."""
        statement = self._statement()
        named = self._manifest(statement)
        self._compare(named)
        head = _checkpoint(self._folder, self._keys)
        if head != statement.head:
            size = statement.head.size
            told = (
                f"size {head.size}, while the manifest was signed with another head of size {size}"
            )
            raise Tampered(manifest.CHECKPOINT, told)
        acts = self._acts(head)
        return Verified(
            "bundle",
            head.origin,
            head.size,
            head.root,
            acts=acts,
            withheld=head.size - acts,
            files=len(named),
            keys=_names(self._keys),
        )

    def _statement(self) -> manifest.Statement:
        signed = _note(self._folder, manifest.STATEMENT)
        try:
            statement = manifest.parse_statement(signed.text)
        except Invalid as error:
            raise Tampered(manifest.STATEMENT, str(error)) from error
        signing = [
            text_key
            for key in self._keys
            if key.name == statement.head.origin
            and (text_key := cosignature.text_key(key)) is not None
        ]
        if not signing:
            told = f"no key in the key file is a key of the log {statement.head.origin}"
            raise Tampered(manifest.STATEMENT, told)
        cosignature.require(manifest.STATEMENT, signed, signing, check)
        return statement

    def _manifest(self, statement: manifest.Statement) -> Mapping[str, manifest.File]:
        data = files.read(self._folder, manifest.MANIFEST, bytes_max=manifest.MANIFEST_BYTES_MAX)
        if manifest.digest(data) != statement.manifest:
            raise Tampered(manifest.MANIFEST, "not the manifest that was signed")
        try:
            return manifest.decode(data)
        except Invalid as error:
            raise Tampered(manifest.MANIFEST, str(error)) from error

    def _compare(self, named: Mapping[str, manifest.File]) -> None:
        """Every file is named and every named file is there, with its length and digest."""
        present = self._found.keys() - {manifest.MANIFEST, manifest.STATEMENT}
        for path in (manifest.CHECKPOINT, manifest.ACTS):
            if path not in named:
                raise Tampered(path, "missing from the manifest; a bundle has one")
        for path, file in sorted(named.items()):
            if path not in present:
                raise Tampered(path, "missing; get the bundle again from its issuer")
            if self._found[path] != file.bytes:
                told = f"{self._found[path]} bytes, where the manifest says {file.bytes}"
                raise Tampered(path, told)
            if files.digest(self._folder, path)[0] != file.sha256:
                raise Tampered(path, "its SHA-256 is not the one in the manifest")
        for path in sorted(present - named.keys()):
            raise Tampered(manifest.shown(path), "not in the manifest; take it out")

    def _acts(self, head: Checkpoint) -> int:
        """Hash the whole log and open every act on the way; answers how many were opened."""
        openings = _openings(self._folder)
        place, opening = next(openings, (manifest.ACTS, None))
        count = 0
        for at, (index, entry) in enumerate(_Log(self._folder, self._found, head).entries()):
            commitment.check_entry(f"entry {index}", entry)
            assert at == index  # noqa: S101 -- `entries` yields every leaf in order
            if opening is not None and opening.index == index:
                if opening.entry != entry:
                    raise Tampered(place, f"does not open the commitment at entry {index}")
                count += 1
                place, opening = next(openings, (manifest.ACTS, None))
        if opening is not None:
            raise Tampered(place, f"opens entry {opening.index} of a log of {head.size}")
        return count


def _openings(folder: Path) -> Iterator[tuple[str, Opening]]:
    """The opened acts with their places, in strictly rising order of their index."""
    last = -1
    lines = files.lines(folder, manifest.ACTS, bytes_max=manifest.ACT_BYTES_MAX)
    for number, line in enumerate(lines, start=1):
        place = f"{manifest.ACTS} line {number}"
        try:
            opening = manifest.decode_opening(line)
        except Invalid as error:
            raise Tampered(place, str(error)) from error
        if opening.index <= last:
            raise Tampered(place, f"entry {opening.index} stands after entry {last}")
        last = opening.index
        yield place, opening


class _Log:
    """The files under ``tile/``, hashed against one checkpoint."""

    def __init__(self, folder: Path, found: Mapping[str, int], head: Checkpoint) -> None:
        self._folder, self._head = folder, head
        self._unread = {path for path in found if path.startswith(_TILES)}
        self._found = found

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Every entry with its index; at the end, the whole tree has been verified.

        A caller that stops early has verified nothing.

        Raises: Tampered, naming the file.
        """
        edge = tlog.Edge()
        while edge.size < self._head.size:
            width = min(tlog.TILE_WIDTH, self._head.size - edge.size)
            index = edge.size // tlog.TILE_WIDTH
            entries = self._bundle(Resource(None, index, width))
            yield from enumerate(entries, start=edge.size)
            growth = tlog.append(edge, map(tlog.leaf_hash, entries))
            edge = growth.edge
            for tile, content in growth.tiles.items():
                if tile.width == tlog.TILE_WIDTH:
                    self._tile(tile, content)
        for tile, content in tlog.edge_tiles(edge).items():
            self._tile(tile, content)
        if tlog.root(edge) != self._head.root:
            told = f"the {edge.size} entries do not hash to its root"
            raise Tampered(manifest.CHECKPOINT, told)
        for path in sorted(self._unread):
            self._left_over(path)

    def _bundle(self, resource: Resource) -> tuple[bytes, ...]:
        path, data = self._read(resource, tiles.BUNDLE_BYTES_MAX)
        entries = _decode_bundle(path, data)
        whole = resource.width if path == resource.path else tlog.TILE_WIDTH
        if len(entries) != whole:
            raise Tampered(path, f"{len(entries)} entries, where {whole} are due")
        return entries[: resource.width]

    def _tile(self, tile: tlog.Tile, content: bytes) -> None:
        limit = tlog.TILE_WIDTH * tlog.HASH_BYTES
        path, data = self._read(Resource(tile.level, tile.index, tile.width), limit)
        whole = len(content) if path == tile.path else limit
        if len(data) != whole:
            raise Tampered(path, f"{len(data)} bytes, where {whole} are due")
        if data[: len(content)] != content:
            raise Tampered(path, "not the hashes of the entries below it")

    def _read(self, resource: Resource, bytes_max: int) -> tuple[str, bytes]:
        """A tile or entry bundle; the full one where a log has dropped the partial one."""
        path = resource.path
        full = Resource(resource.level, resource.index).path
        if path not in self._found and full in self._found:
            path = full
        self._unread.discard(path)
        return path, files.read(self._folder, path, bytes_max=bytes_max)

    def _left_over(self, path: str) -> None:
        """Only partial tiles of smaller trees may be left, and they must begin their tile."""
        try:
            resource = tiles.parse_path(path)
        except Invalid as error:
            raise Tampered(manifest.shown(path), error.problem) from error
        level = resource.level or 0
        hashes = self._head.size >> (tlog.TILE_HEIGHT * level)
        width = min(tlog.TILE_WIDTH, hashes - resource.index * tlog.TILE_WIDTH)
        if resource.width >= width:
            told = f"the checkpoint of size {self._head.size} does not cover it; take it out"
            raise Tampered(path, told)
        data = files.read(self._folder, path, bytes_max=tiles.BUNDLE_BYTES_MAX)
        later = Resource(resource.level, resource.index, width)
        _, whole = self._read(later, tiles.BUNDLE_BYTES_MAX)
        if resource.level is None:
            held = len(_decode_bundle(path, data))
        else:
            held = len(data) // tlog.HASH_BYTES
        if held != resource.width or not whole.startswith(data):
            raise Tampered(path, "not the beginning of the tile that has replaced it")


def _decode_bundle(path: str, data: bytes) -> tuple[bytes, ...]:
    try:
        return tiles.decode_bundle(data)
    except Invalid as error:
        raise Tampered(path, str(error)) from error
