"""A backup is a bundle: a copy of the state, the vault's ciphertext, and the log, under one signature.

Upheld here: no key is in it, neither of the log nor of the vault, so that a stolen backup opens nothing
and what was shredded stays shut in every backup; whoever has the log's public keys can verify it byte
for byte with `leadline log verify`. Putting back an older state sets the log back, and the log refuses
to sign then: the check says so beforehand.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.app import folder as files
from leadline.app import log, seal, verify
from leadline.app.context import Context
from leadline.app.ports import Reading
from leadline.app.verify import Verified
from leadline.core.access import Action, Resource
from leadline.core.errors import NotFound, Refused, Tampered
from leadline.core.record import tlog
from leadline.core.record.act import Kind
from leadline.formats import checkpoint, manifest, note, tiles

INSTALLATION = Resource("installation", "home")
STATE, VAULT = "state", "vault"
KEPT = ("compartments", "content")  # of the vault; never its quarantine


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: the vault's folder, and a way to copy the state into a folder."""

    vault: Path
    copy_state: Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class Made:
    """One backup. *manifest* is the digest of its list of files; *files* how many there are."""

    id: str
    size: int
    files: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a backup was found to be, and what putting it back would mean.

    *behind* counts entries that were signed after it: restored, the log will refuse to sign until they
    are back. None where nothing is known here of what was signed.
    """

    verified: Verified
    behind: int | None
    words: str


def make(ctx: Context, signing: Context, out: Path, source: Source) -> Made:
    """Write a backup into the new folder *out*, verify it, and record it.

    The log is signed first, in the context *signing*, so that what the copy holds is covered; the state
    is copied before the ciphertext it names, which is written before the state names it.

    Raises: Refused, if *out* holds something; Unavailable; Tampered, if what was written does not
    verify.
    """
    ctx.require(Action.BACKUP_MAKE, INSTALLATION)
    if out.exists() and any(out.iterdir()):
        raise Refused(f"{out} holds something; name a new folder")
    published = log.announce(signing)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        (out / STATE).mkdir(mode=0o700)
    except FileExistsError:
        raise Refused(f"another backup began in {out} at this moment; name a new folder") from None
    source.copy_state(out / STATE)
    _copy_vault(source.vault, out / VAULT)
    with ctx.store.read() as view:
        _write_log(out, view, published.head.size)
    (out / manifest.CHECKPOINT).write_text(published.signed.document, encoding="utf-8")
    (out / manifest.ACTS).write_bytes(b"")
    statement = seal.seal(out, ctx.signer, published.head.origin)
    verified = verify.verify_bundle(out, ctx.signer.vkeys())
    id_ = ctx.new_id("backup")
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.BACKUP_MADE,
                id_,
                "",
                manifest=statement.manifest,
                size=published.head.size,
                files=verified.files,
                keys=False,
            )
        )
    return Made(id_, published.head.size, verified.files, statement.manifest)


def check(backup: Path, vkeys: str, signed: bytes, shown: Path) -> Checked:
    """Verify every byte of a backup, and its log against the head signed last. Writes nothing.

    *signed* is that head as it is kept beside the log's keys, or empty; *shown* the published log, which
    is asked where the backup is older.

    Raises: Tampered, naming the place, for anything that does not verify or does not continue.
    """
    if not (backup / manifest.STATEMENT).is_file():
        raise NotFound(f"{backup} is no backup; it has no {manifest.STATEMENT}")
    verified = verify.verify_bundle(backup, vkeys)
    if not signed:
        told = "nothing is known here of what the log signed since; ask its witnesses"
        return Checked(verified, None, told)
    last = checkpoint.parse(note.parse(signed).text)
    if last.origin != verified.origin:
        raise Tampered("checkpoint", f"of the log {verified.origin}, while this is {last.origin}")
    if last.size <= verified.size:
        found = _root(_entries(backup, last.size))
        if found != last.root:
            raise Tampered("log", f"it does not continue the head of size {last.size} signed last")
        return Checked(verified, 0, "it holds all that was signed")
    behind = last.size - verified.size
    told = (
        f"{behind} entries were signed after it: restored, the log refuses to sign until a newer "
        "backup is in place"
    )
    if not (shown / manifest.CHECKPOINT).is_file():
        return Checked(verified, behind, f"{told}; no published log is here to compare it with")
    if _root(_entries(shown, verified.size)) != verified.root:
        raise Tampered("log", "the published log does not continue this backup's")
    return Checked(verified, behind, told)


def state_matches(view: Reading, verified: Verified) -> int:
    """The number of acts of a copied state, once each opens its leaf and the log is the signed one.

    Raises: Tampered, naming the leaf.
    """
    acts: Sequence[object] = view.acts()
    if view.log_size() < verified.size:
        raise Tampered("state", f"{view.log_size()} entries, while {verified.size} were signed")
    entries = _in_bundles(view.log_files(), verified.size)
    if _root(entries) != verified.root:
        raise Tampered("state", "its log is not the one that was signed")
    return len(acts)


def put_vault(backup: Path, vault: Path) -> None:
    """Copy the ciphertext of a backup into a new vault.

    Raises: Refused, if something is there.
    """
    if vault.exists() and any((vault / name).exists() for name in KEPT):
        raise Refused(f"{vault} holds something; restore into a new folder")
    _copy_vault(backup / VAULT, vault)


def _copy_vault(source: Path, target: Path) -> None:
    """Ciphertext, headers and the public side of compartments, each synced; nothing that is a link."""
    for name in KEPT:
        if not (source / name).is_dir():
            continue
        for path in sorted(files.scan(source / name)):
            hidden = any(part.startswith(".") for part in path.split("/"))
            if not hidden and not path.endswith("/"):
                place = target / name / path
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as out:
                    for chunk in files.chunks(source / name, path):
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())


def _write_log(out: Path, view: Reading, size: int) -> None:
    entries = _in_bundles(view.log_files(), size)
    for path, content in tiles.tree_files(entries):
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _in_bundles(found: Mapping[str, bytes], size: int) -> Iterator[bytes]:
    """The first *size* entries of a log's files."""
    for start in range(0, size, tlog.TILE_WIDTH):
        bundle = _widest(found, start // tlog.TILE_WIDTH)
        yield from tiles.decode_bundle(bundle)[: size - start]


def _widest(found: Mapping[str, bytes], index: int) -> bytes:
    for width in range(tlog.TILE_WIDTH, 0, -1):
        path = tiles.Resource(None, index, width).path
        if path in found:
            return found[path]
    raise Tampered(tiles.Resource(None, index, tlog.TILE_WIDTH).path, "missing")


def _entries(folder: Path, size: int) -> Iterator[bytes]:
    """The first *size* entries of a log's folder, whatever width its last bundle has by now."""
    for start in range(0, size, tlog.TILE_WIDTH):
        index, needed = start // tlog.TILE_WIDTH, min(tlog.TILE_WIDTH, size - start)
        path = _wide(folder, index, needed)
        bundle = files.read(folder, path, bytes_max=1 << 25)
        yield from tiles.decode_bundle(bundle)[:needed]


def _wide(folder: Path, index: int, needed: int) -> str:
    for width in range(tlog.TILE_WIDTH, needed - 1, -1):
        path = tiles.Resource(None, index, width).path
        if (folder / path).is_file():
            return path
    raise Tampered(tiles.Resource(None, index, needed).path, "missing from the published log")


def _root(entries: Iterator[bytes]) -> bytes:
    leaves = (tlog.leaf_hash(entry) for entry in entries)
    return tlog.root(tlog.append(tlog.Edge(), leaves).edge)
