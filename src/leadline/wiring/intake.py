"""Uploads, weights and publication on this host: the quarantine, files, and signatures over folders."""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, cast

from leadline.app import folder as files
from leadline.app import intake, listing, publish, weights
from leadline.app.context import Context
from leadline.app.intake import Quarantine, Upload
from leadline.app.publish import Plan
from leadline.app.weights import Dealing, Verify
from leadline.core.access import Principal
from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.intake import Purpose, Taken
from leadline.core.publication import Flaw, Published, check_listing
from leadline.formats.canonical import encode
from leadline.formats.embedded import inspect
from leadline.formats.manifest import encode_opening
from leadline.formats.model_signature import parse
from leadline.settings import Home
from leadline.vault.arrivals import Arrivals

SIGNATURE_BYTES_MAX = 16 << 20
KEYS = "weights-keys"  # of the installation: ORGANISATION.pem, put down by administrators
FILE_BYTES_MAX = 256 << 20
ANYBODY = Principal("anybody", "anybody", "", frozenset({"public"}))


def quarantine(home: Home) -> Quarantine:
    """Files without a name in the installation's quarantine: closed, or after a crash, they are gone."""

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        folder = home.folder / "quarantine"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield cast("BinaryIO", file)

    return opened


def arrivals(home: Home) -> Arrivals:
    """Where uploads lie between their requests; no backup has them."""
    return Arrivals(home.folder / "arriving")


def published(home: Home) -> Path:
    """Where copies of published artefacts lie."""
    return home.folder / "published"


def deposit(ctx: Context, home: Home, file: Path, announced: Upload) -> Taken:
    """Take one file of this host in.

    Raises: Invalid, if it is no plain file; otherwise as `leadline.app.intake.deposit`.
    """
    if file.is_symlink() or not file.is_file():
        raise Invalid("FILE", f"{file} is no plain file")
    upload = replace(announced, name=file.name, bytes=file.stat().st_size)
    return intake.deposit(ctx, upload, files.chunks(file.parent, file.name), quarantine(home))


def dealing(ctx: Context, engagement: str) -> Dealing:
    """The engagement with the developer whose it is; raises NotFound."""
    return Dealing(engagement, listing.resource(ctx, engagement).org)


def upload(ctx: Context, engagement: str, purpose: Purpose, *, sealed: bool) -> Upload:
    """An upload to an engagement; raises NotFound."""
    on = dealing(ctx, engagement)
    return Upload(on.engagement, on.org, purpose, "", sealed=sealed)


def scan(ctx: Context, home: Home) -> dict[str, Sequence[str]]:
    """What an anonymous caller reads here: ids that lists show, digests that are published.

    *unlisted* are files in the public folder that no publication accounts for.

    Raises: Tampered, if a published copy has other bytes.
    """
    anybody = replace(ctx, principal=ANYBODY, assurance=1)
    shown = [row.id for row in intake.listed(anybody)]
    with ctx.store.read() as view:
        known = sorted({row.value.digest for row in view.find(Published)})
    folder = published(home)
    present = files.scan(folder) if folder.is_dir() else {}
    readable = [digest for digest in known if digest in present]
    for digest in readable:
        publish.fetch(anybody, folder, digest)
    return {"listed": shown, "published": readable, "unlisted": sorted(set(present) - set(known))}


def plan(artefact: str, allowed: Sequence[str], canaries: Path | None) -> Plan:
    """A plan from the command line: PATH=BYTES for each file that may be published.

    Raises: Invalid, for a line that is not of this form, or a file of canaries that cannot be read.
    """
    return Plan(artefact, _listing(allowed), _canaries(canaries))


def _listing(allowed: Sequence[str]) -> dict[str, int]:
    listing_ = dict[str, int]()
    for text in allowed:
        path, _, size = text.rpartition("=")
        if not path or not size.isdecimal() or path in listing_:
            raise Invalid("--allow", f"{text!r}: PATH=BYTES is due, each path once")
        listing_[path] = int(size)
    return listing_


def _canaries(file: Path | None) -> tuple[bytes, ...]:
    if file is None:
        return ()
    try:
        return tuple(line for line in file.read_bytes().splitlines() if line)
    except OSError as error:
        raise Invalid("--canaries", f"{file} cannot be read: {error.strerror}") from error


def look(
    file: Path, allowed: Sequence[str], canaries: Path | None
) -> tuple[Mapping[str, int], tuple[Flaw, ...]]:
    """Look into one file before it is deposited: its files, and what speaks against publishing it.

    Without *allowed* there is no list to compare with.

    Raises: Invalid, if it cannot be read.
    """
    if not file.is_file():
        raise Invalid("FILE", f"{file} is no plain file")
    data = files.read(file.parent, file.name, bytes_max=FILE_BYTES_MAX)
    found = inspect(file.name, data, _canaries(canaries))
    listed = check_listing(found.files, _listing(allowed)) if allowed else ()
    return found.files, (*listed, *found.flaws)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signature over weights counts: one public key, or a private authority's chain."""

    key: Path | None = None
    chain: tuple[Path, ...] = ()


def verifier(trust: Trust) -> Verify:
    """The check of a model signature with *trust*, offline; no public log is asked or told.

    Raises: Invalid, unless exactly one of key and chain is given.
    """
    if (trust.key is None) == (not trust.chain):
        raise Invalid("--key", "give the developer's public key, or --chain of its authority")

    def verify(folder: Path, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature
        from model_signing import verifying
        from OpenSSL import crypto

        wrong = (
            *(InvalidSignature, crypto.Error, crypto.X509StoreContextError),
            *(ValueError, LookupError, TypeError, AttributeError, OSError),
        )
        config = verifying.Config()  # type: ignore[no-untyped-call]
        # The library prints a warning for old signatures; standard output is for documents.
        with tempfile.NamedTemporaryFile() as copy, redirect_stdout(sys.stderr):
            copy.write(signature)
            copy.flush()
            try:
                if trust.key is not None:
                    config.use_elliptic_key_verifier(public_key=trust.key)
                else:
                    config.use_certificate_verifier(certificate_chain=list(trust.chain))
                config.verify(folder, Path(copy.name))
            except wrong as error:
                problem = f"the signature over the folder does not verify: {type(error).__name__}"
                raise Tampered("weights", problem) from error

    return verify


def sign(folder: Path, key: Path, signature: Path) -> None:
    """Sign every file of *folder*, as a developer does before handing it over; offline.

    Raises: Invalid, if key or folder do not allow it.
    """
    from model_signing import hashing, signing

    way = hashing.Config()  # type: ignore[no-untyped-call]
    way.use_file_serialization().set_ignored_paths(paths=[signature])
    config = signing.Config()  # type: ignore[no-untyped-call]
    try:
        config.set_hashing_config(way).use_elliptic_key_signer(private_key=key)
        config.sign(folder, signature)
    except (ValueError, OSError) as error:
        raise Invalid("weights", f"cannot be signed: {error}") from error


def receive(
    ctx: Context, home: Home, folder: Path, on: Dealing, signature: Path, trust: Trust
) -> tuple[Taken, ...]:
    """Take a folder of weights in.

    Raises: Invalid, if there is no such signature file; otherwise as `leadline.app.weights.receive`.
    """
    if not signature.is_file() or folder in signature.parents:
        raise Invalid("--signature", f"{signature}: a file outside the folder is due")
    told = files.read(signature.parent, signature.name, bytes_max=SIGNATURE_BYTES_MAX)
    return weights.receive(ctx, on, folder, told, verifier(trust), quarantine(home))


def agreed_key(home: Home, org: str) -> Path | None:
    """The public key that a developer's weights are signed with, as administrators put it down beforehand."""
    folder = home.folder / KEYS
    named = {one.stem: one for one in folder.glob("*.pem")} if folder.is_dir() else {}
    return named.get(org)


def fingerprint(key: Path) -> str:
    """SHA-256 of a public key in DER, in hex: what both sides compare over another way.

    Raises: Invalid, if the file holds no public key.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        public = serialization.load_pem_public_key(key.read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid("weights-keys", f"{key.name} holds no public key in PEM") from error
    der = serialization.Encoding.DER
    spelled = public.public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(spelled).hexdigest()


def signed_files(signature: bytes) -> Mapping[str, str]:
    """The files that a signature names: SHA-256 in hex by path. Whether it verifies, their bytes tell.

    Raises: Invalid, naming the signature.
    """
    if len(signature) > SIGNATURE_BYTES_MAX:
        raise Invalid("signature", "is larger than any signature over a folder")
    try:
        return parse(signature)
    except Invalid as error:
        raise Invalid("signature", f"is none over a folder of weights: {error.problem}") from error


def receive_parts(
    ctx: Context, home: Home, engagement: str, folder: Path, signature: bytes
) -> tuple[Taken, ...]:
    """Take in files of weights under the terms in effect, signed with the key agreed beforehand.

    Raises: Refused, where no terms are in effect or no key is agreed; Invalid, for a signature that is
    too large; otherwise as `leadline.app.weights.receive`.
    """
    on = dealing(ctx, engagement)
    terms, key = weights.under(ctx, on), agreed_key(home, on.org)
    if key is None:
        raise Refused("no key of this developer is agreed here; administrators put it down first")
    if len(signature) > SIGNATURE_BYTES_MAX:
        raise Invalid("signature", "is larger than any signature over a folder")
    check = verifier(Trust(key=key))
    try:
        return weights.receive(ctx, on, folder, signature, check, quarantine(home), terms)
    except Tampered as error:
        raise Invalid("signature", f"{error.place}: {error.problem}") from error


def write_proofs(ctx: Context, told: weights.Statement, folder: Path) -> int:
    """Write the proof and the opening of every movement into *folder*; answers how many.

    Raises: Refused, if no checkpoint covers one of them yet.
    """
    from leadline.app import log

    folder.mkdir(parents=True, exist_ok=True)
    for act in told.index:
        proof = log.prove(ctx, act)
        (folder / f"{act}.tlog-proof").write_text(proof.text, "utf-8")
        (folder / f"{act}.json").write_bytes(encode_opening(proof.opening))
    return len(told.index)


def statement(told: weights.Statement) -> bytes:
    """The custody statement as canonical JSON."""
    return encode(
        {
            "schema": "leadline/custody/v1",
            "engagement": told.engagement,
            "files": tuple(
                {
                    "digest": file.digest,
                    "stored": file.standing.stored,
                    "shredded": file.standing.shredded,
                    "mounted": tuple(sorted(file.standing.mounted)),
                    "copies": tuple(sorted(file.standing.copies)),
                    "movements": tuple(
                        {
                            "act": entry.act,
                            "index": told.index[entry.act],
                            "movement": entry.movement.value,
                            "at": entry.at.isoformat(),
                            "actor": entry.actor,
                            "place": entry.place,
                            "bytes": entry.bytes,
                            "irregular": file.irregular.get(entry.act, ""),
                        }
                        for entry in file.entries
                    ),
                }
                for file in told.files
            ),
            "unknown": told.unknown,
        }
    )
