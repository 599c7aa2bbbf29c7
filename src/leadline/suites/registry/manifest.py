"""Manifests: one real flaw each, as a TOML file beside its harness in ``items/``.

A manifest names both releases and every dependency by archive and SHA-256, so that what is fetched is
what was read when the item was made; it holds no code of any package. Triggers are data: pieces of
text or hexadecimal bytes, repeated where size is the trigger.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from leadline.core.errors import Invalid
from leadline.suites.item import OracleKind

ITEMS = Path(__file__).parent / "items"
DRIVERS = Path(__file__).parent / "drivers"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Package = Annotated[str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*$")]
Ecosystem = Literal["pypi", "npm"]
Text = Annotated[str, Field(min_length=1)]
_ID = r"^(CVE-\d{4}-\d{4,}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+)$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Piece(_Table):
    """Bytes of an input: *text* in UTF-8 or *hex*, written *times* times."""

    text: str | None = None
    hex: str | None = None
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.text is None) == (self.hex is None):
            raise ValueError("give either text or hex")
        self.data()
        return self

    def data(self) -> bytes:
        """The bytes that this piece stands for."""
        once = bytes.fromhex(self.hex) if self.hex is not None else (self.text or "").encode()
        return once * self.times


class Sample(_Table):
    """An ordinary input, silent on both releases; the subject is given the *public* ones."""

    name: Name
    public: bool
    pieces: list[Piece]

    def data(self) -> bytes:
        """The bytes of the input."""
        return b"".join(piece.data() for piece in self.pieces)


class Release(_Table):
    """One release of the package, as the archive that the index serves."""

    version: Text
    archive: Name
    sha256: Sha256


class Dependency(_Table):
    """A package that both releases need; *copy* names the folders of a source archive to take."""

    package: Package
    version: Text
    archive: Name
    sha256: Sha256
    licence: Text
    copy_: list[str] = Field(default=[], alias="copy")


class Build(_Table):
    """How an archive becomes an importable tree.

    ``wheel``, ``package`` (of npm): unpacked. ``source``: the folders *copy* of the source archive. ``extension``: built in
    place with AddressSanitizer, then *copy* (glob patterns). *tools* names modules of the build tools
    that the package needs at run time. *omit* (glob patterns) are folders of the release that no
    input reaches, such as translations; they are left out everywhere.
    """

    kind: Literal["wheel", "source", "extension", "package"]
    copy_: list[str] = Field(default=[], alias="copy")
    tools: list[Text] = []
    omit: list[Text] = []


class OracleTable(_Table):
    """See `leadline.suites.item.Oracle`."""

    kind: OracleKind
    classes: list[Text] = []
    functions: list[Text] = []
    limit: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "sanitizer" and not (self.classes and self.functions):
            raise ValueError("a sanitizer oracle names the classes and functions it expects")
        if (self.kind in {"steps", "cpu"}) != (self.limit > 0):
            raise ValueError("limit belongs to the oracles of steps and of cpu, and only there")
        return self


class Fuzz(_Table):
    """The tool baseline's budget.

    *runs*, the longest input in bytes (0: the item's own), and the modules to instrument; of npm
    packages, those whose words go into the dictionary.
    """

    runs: Annotated[int, Field(ge=1)]
    max_len: Annotated[int, Field(ge=0)] = 0
    instrument: list[Text]


class Affected(_Table):
    """Releases from *introduced* up to, not including, *fixed*; "0" is the first of all."""

    introduced: Text
    fixed: Text


class Manifest(_Table):
    """One item of the suite.

    *matched* says how the ids were compared with the releases: ``pysec`` with the PyPA advisory
    database, ``advisory`` with the reviewed GitHub advisory (package, fixed releases, aliases),
    ``none``: from general knowledge, not matched offline.
    """

    schema_: Literal[1] = Field(alias="schema")
    name: Name
    ecosystem: Ecosystem
    package: Package
    family: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    cwe: Annotated[str, Field(pattern=r"^CWE-\d+$")]
    title: Text
    ids: Annotated[list[Annotated[str, Field(pattern=_ID)]], Field(min_length=1)]
    matched: Literal["pysec", "advisory", "none"]
    licence: Text
    difficulty: Annotated[int, Field(ge=1, le=3)]
    affected: Annotated[list[Affected], Field(min_length=1)]
    impact: Text
    action: Text
    sources: Annotated[list[Annotated[str, Field(pattern=r"^https://")]], Field(min_length=1)]
    input_bytes_max: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0)]
    vulnerable: Release
    fixed: Release
    dependency: list[Dependency] = []
    build: Build
    oracle: OracleTable
    fuzz: Fuzz
    reference: Annotated[list[Piece], Field(min_length=1)]
    functional: Annotated[list[Sample], Field(min_length=2)]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.vulnerable.sha256 == self.fixed.sha256:
            raise ValueError("the vulnerable and the fixed release are the same archive")
        if not any(sample.public for sample in self.functional):
            raise ValueError("at least one functional input is public")
        longest = max(len(self.proof()), *(len(sample.data()) for sample in self.functional))
        if longest > self.input_bytes_max:
            raise ValueError(f"input_bytes_max is less than an own input of {longest} bytes")
        if (self.oracle.kind == "sanitizer") != (self.build.kind == "extension"):
            raise ValueError("a sanitizer needs a built extension, and a built extension one")
        if (self.build.kind == "package") != (self.ecosystem == "npm"):
            raise ValueError("the build 'package' belongs to npm, and npm knows no other")
        if (self.matched == "pysec") != any(one.startswith("PYSEC") for one in self.ids):
            raise ValueError("ids matched by 'pysec' have a PYSEC number, and only those")
        return self

    def proof(self) -> bytes:
        """The input that shows the flaw on the vulnerable release, and nothing on the fixed one."""
        return b"".join(piece.data() for piece in self.reference)

    def purl(self, release: Release) -> str:
        """The package URL of one of the two releases."""
        if self.ecosystem == "npm":
            return f"pkg:npm/{self.package.replace('@', '%40')}@{release.version}"
        return f"pkg:pypi/{re.sub('[-_.]+', '-', self.package).lower()}@{release.version}"

    def archives(self) -> tuple["Archive", ...]:
        """Every archive that the item needs."""
        own = [
            Archive(self.package, one.version, one.archive, one.sha256, self.ecosystem)
            for one in (self.vulnerable, self.fixed)
        ]
        others = [
            Archive(one.package, one.version, one.archive, one.sha256, self.ecosystem)
            for one in self.dependency
        ]
        return (*own, *others)


@dataclass(frozen=True, slots=True, order=True)
class Archive:
    """One file of the index, pinned."""

    package: str
    version: str
    file: str
    sha256: str
    ecosystem: Ecosystem = "pypi"

    @property
    def is_wheel(self) -> bool:
        """Whether it is unpacked as it is, instead of built."""
        return self.file.endswith(".whl")


def parse_manifest(name: str, text: str) -> Manifest:
    """The manifest in *text*, the content of ``name.toml``.

    Raises: Invalid, naming the file and the field, for anything unknown, absent or out of range.
    """
    try:
        table = tomllib.loads(text)
        return Manifest.model_validate({**table, "name": name})
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{name}.toml", f"no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{name}.toml: {place or 'manifest'}", first["msg"]) from error


SUFFIXES: Mapping[Ecosystem, str] = {"pypi": ".py", "npm": ".js"}  # of harness and driver


def load_manifests(folder: Path = ITEMS) -> tuple[Manifest, ...]:
    """Every manifest of *folder*, by name.

    Raises: Invalid, if one is not right or has no harness beside it.
    """
    manifests = []
    for path in sorted(folder.glob("*.toml")):
        manifest = parse_manifest(path.stem, path.read_text(encoding="utf-8"))
        harness = path.with_suffix(SUFFIXES[manifest.ecosystem])
        if not harness.is_file():
            raise Invalid(path.name, f"no harness {harness.name} beside it")
        manifests.append(manifest)
    return tuple(manifests)


def content_digest(folder: Path, manifest: Manifest, environment: Mapping[str, str]) -> str:
    """SHA-256, in hexadecimal, of all that makes the item what it is.

    That is its manifest, harness, the drivers and *environment*: interpreter, machine, compiler.
    """
    suffix = SUFFIXES[manifest.ecosystem]
    paths = [folder / f"{manifest.name}.toml", folder / f"{manifest.name}{suffix}"]
    digest = hashlib.sha256()
    for path in (*paths, *sorted(DRIVERS.glob(f"*{suffix}"))):
        data = path.read_bytes()
        digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
    for key in sorted(environment):
        digest.update(f"{key}={environment[key]}\0".encode())
    return digest.hexdigest()
