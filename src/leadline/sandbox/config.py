"""What a box may see and use, and the digest that names it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field, field_validator, model_validator
from typing_extensions import override

RESERVED = ("/", "/proc", "/dev", "/tmp", "/var/tmp", "/run/sbx", "/usr", "/etc")  # noqa: S108 - inside the box


def canonical(document: Mapping[str, object]) -> bytes:
    """*document* as JSON with sorted keys and no spaces, the form that is digested."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"must be an absolute path without '..', not {path!r}")
    return path if path == "/" else path.rstrip("/")


class Bind(BaseModel, frozen=True, extra="forbid"):
    """A folder or file of the host, read-only at *target* in the box."""

    source: str
    target: str

    _absolute = field_validator("source", "target")(_absolute)


class BoxConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a box is; equal configurations give interchangeable boxes.

    Sizes bound what one box can take: each writable mount (`disk_mb` for the working folder,
    `tmp_mb` for each temporary folder, `shm_mb` for /dev/shm), resident memory over all processes
    (`memory_mb`), processes (`nproc`), open files per process, and the size of one file. `inodes`
    bounds the number of files over each writable mount. *rootfs* is an unpacked image used
    read-only as the root; without it the box sees the host's /usr. *warm* boxes are kept started
    ahead; it changes no box, so it is not part of the digest.

    *tier* is how far the box is kept apart: on the host's kernel, or on a kernel of its own
    (gVisor). Where the host cannot give that tier there is no box.
    """

    tier: str = Field(default="shared-kernel", pattern="^(shared-kernel|own-kernel)$")
    hosts: tuple[str, ...] = ("default",)
    workdir: str = "/box"
    rootfs: str | None = None
    binds: tuple[Bind, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    disk_mb: int = Field(default=512, ge=1, le=1 << 20)
    tmp_mb: int = Field(default=256, ge=1, le=1 << 20)
    shm_mb: int = Field(default=64, ge=1, le=1 << 20)
    inodes: int = Field(default=65_536, ge=64, le=1 << 24)
    memory_mb: int = Field(default=2048, ge=16, le=1 << 20)
    nproc: int = Field(default=256, ge=8, le=1 << 15)
    nofile: int = Field(default=1024, ge=16, le=1 << 16)
    fsize_mb: int = Field(default=512, ge=1, le=1 << 20)
    warm: int = Field(default=0, ge=0, le=256)

    @field_validator("workdir")
    @classmethod
    def _own_folder(cls, path: str) -> str:
        path = _absolute(path)
        if (
            any(path == taken or path.startswith(f"{taken}/") for taken in RESERVED[1:])
            or path == "/"
        ):
            raise ValueError(f"{path} is laid out by the sandbox; choose a folder such as /box")
        return path

    @field_validator("rootfs")
    @classmethod
    def _absolute_root(cls, path: str | None) -> str | None:
        return None if path is None else _absolute(path)

    @field_validator("hosts")
    @classmethod
    def _named_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not hosts or len(set(hosts)) != len(hosts):
            raise ValueError("needs at least one name and no name twice")
        return hosts

    @model_validator(mode="after")
    def _binds_leave_the_layout_alone(self) -> Self:
        for bind in self.binds:
            if bind.target in RESERVED or bind.target == self.workdir:
                raise ValueError(f"binds: {bind.target} is laid out by the sandbox; bind beside it")
        return self

    @override
    def __hash__(self) -> int:
        """Inspect collects configurations in sets, and a mapping field has no hash of its own."""
        return hash((self.digest, self.warm))

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON of everything but *warm*."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude={"warm"})
        return hashlib.sha256(canonical(document)).hexdigest()
