"""What a box may see and use, and the digest that names it."""

import hashlib
import ipaddress
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


class Daemon(BaseModel, frozen=True, extra="forbid"):
    """A program that is started on a host before the sample begins, and the TCP port it listens on."""

    argv: tuple[str, ...] = Field(min_length=1)
    port: int = Field(ge=1, le=65_535)


class Host(BaseModel, frozen=True, extra="forbid"):
    """One host of a private network: its address on each of its segments, and what it runs.

    *forwards* makes it a router between its segments. *binds* and *env* are this host's alone.
    """

    addresses: dict[str, str] = Field(min_length=1)
    forwards: bool = False
    services: tuple[Daemon, ...] = ()
    binds: tuple[Bind, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)


class Network(BaseModel, frozen=True, extra="forbid"):
    """A private IPv4 network for one sample: segments (name: prefix) and hosts.

    There is no way out of it: no uplink, no address translation, no default route. Hosts of one
    segment reach each other; a host that forwards joins its segments for the hosts beside it.

    *layout* says how hosts are kept apart: ``segments``, a network namespace for each host and a
    bridge for each segment; ``shared``, every address in one network namespace, where hosts share
    ports, loopback and abstract sockets and nothing keeps one segment from another.
    """

    segments: dict[str, str] = Field(min_length=1)
    hosts: dict[str, Host] = Field(min_length=1)
    layout: str = Field(default="segments", pattern="^(segments|shared)$")

    @model_validator(mode="after")
    def _addresses_lie_in_their_segments(self) -> Self:
        nets = {name: ipaddress.IPv4Network(prefix) for name, prefix in self.segments.items()}
        private = ipaddress.IPv4Network("10.0.0.0/8")
        seen: set[str] = set()
        for name, net in nets.items():
            if not net.subnet_of(private):
                raise ValueError(f"segments.{name}: {net} is not below {private}")
            if any(net.overlaps(other) for its, other in nets.items() if its != name):
                raise ValueError(f"segments.{name}: {net} overlaps another segment")
        for name, host in self.hosts.items():
            for segment, address in host.addresses.items():
                if (
                    segment not in nets
                    or ipaddress.IPv4Address(address) not in nets[segment].hosts()
                ):
                    raise ValueError(f"hosts.{name}: {address} is no address of segment {segment}")
                if address in seen:
                    raise ValueError(f"hosts.{name}: {address} is another host's too")
                seen.add(address)
        return self


class BoxConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a box is; equal configurations give interchangeable boxes.

    Sizes bound what one box can take: each writable mount (`disk_mb` for the working folder,
    `tmp_mb` for each temporary folder, `shm_mb` for /dev/shm), resident memory over all processes
    (`memory_mb`), processes (`nproc`), open files per process, and the size of one file. `inodes`
    bounds the number of files over each writable mount. *rootfs* is an unpacked image used
    read-only as the root; without it the box sees the host's /usr. *warm* boxes are kept started
    ahead; it changes no box, so it is not part of the digest. *network* joins the hosts to a private
    network of their own; without it a box has no network at all.

    *tier* is how far the box is kept apart: on the host's kernel, or on a kernel of its own
    (gVisor). Where the host cannot give that tier there is no box.
    """

    tier: str = Field(default="shared-kernel", pattern="^(shared-kernel|own-kernel)$")
    hosts: tuple[str, ...] = ("default",)
    workdir: str = "/box"
    rootfs: str | None = None
    binds: tuple[Bind, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    network: Network | None = None
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
    def _network_names_the_hosts(self) -> Self:
        if self.network is not None and set(self.network.hosts) != set(self.hosts):
            raise ValueError("network: its hosts must be those of `hosts`")
        return self

    def of_host(self, name: str) -> Self:
        """The configuration of the one box of host *name*, with what that host alone is given."""
        if self.network is None:
            return self
        own = self.network.hosts[name]
        extra = {"binds": (*self.binds, *own.binds), "env": {**self.env, **own.env}}
        alone = self.network.model_copy(update={"hosts": {name: own}})
        return self.model_copy(update={"hosts": (name,), "network": alone, **extra})

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
