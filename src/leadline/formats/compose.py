"""Compose files, as far as it takes to say whether one sandbox can stand for them.

A compose file with one service, made from an image and not built, needs no container engine: the
image's files are a root, and the sandbox does the rest. Everything else needs a container engine, and
this module says why in words.

Source: Compose Specification, sections services, build, volumes, networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats import bounded_yaml
from leadline.formats.document import record, text

DOCKER = "needs Inspect's Docker provider"
# Parts of a service that a sandbox keeps or that change nothing in it.
_KEPT = frozenset(
    {
        *("image", "init", "mem_limit", "cpus", "working_dir", "environment", "hostname"),
        *("command", "entrypoint", "expose", "healthcheck", "network_mode", "tty", "stdin_open"),
        *(
            "container_name",
            "restart",
            "deploy",
            "user",
            "platform",
            "stop_grace_period",
            "runtime",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Container:
    """The one service: its image, working folder and variables."""

    name: str
    image: str
    working_dir: str = ""
    environment: Mapping[str, str] | None = None


def read(data: bytes, name: str) -> Container:
    """The one service of a compose file that a single sandbox can stand for.

    Raises: Invalid, if it is no compose file; `NeedsEngine`, if it needs a container engine.
    """
    document = bounded_yaml.load(data, name)
    services = record(record(document).get("services"))
    if not services:
        raise Invalid(name, "has no services; a compose file names at least one")
    if len(services) > 1:
        listed = ", ".join(sorted(str(key) for key in services))
        raise NeedsEngine(f"{len(services)} services ({listed})")
    ((key, value),) = services.items()
    service = record(value)
    for part in ("build", "volumes", "networks", "ports", "depends_on", "devices", "privileged"):
        if service.get(part):
            raise NeedsEngine(f"service {key} has {part}")
    unknown = sorted(str(part) for part in service.keys() - _KEPT if service[part])
    if unknown:
        raise NeedsEngine(f"service {key} has {', '.join(unknown)}")
    if not text(service.get("image")):
        raise Invalid(name, f"service {key} names neither an image nor a build")
    return Container(
        str(key),
        text(service.get("image")),
        text(service.get("working_dir")),
        _environment(service.get("environment")),
    )


class NeedsEngine(Exception):
    """The compose file is in order, but one sandbox cannot stand for it."""

    def __init__(self, why: str) -> None:
        self.why = f"{why}: {DOCKER}"
        super().__init__(self.why)


def _environment(value: object) -> Mapping[str, str]:
    if isinstance(value, list):
        pairs = [str(entry).partition("=") for entry in value]
        return {name: given for name, _, given in pairs}
    return {str(name): "" if given is None else str(given) for name, given in record(value).items()}
