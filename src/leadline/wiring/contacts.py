"""The contact directory at the command line: files of several forms into projects."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from leadline.app.given import content
from leadline.core.clearing.directory import Address, Channel, Project
from leadline.core.errors import Invalid
from leadline.formats.contacts_toml import (
    BYTES_MAX,
    from_contract,
    from_csaf,
    from_osv,
    load_contacts,
)
from leadline.formats.contract_toml import load_contract
from leadline.formats.document import DOCUMENT_BYTES_MAX
from leadline.formats.security_txt import addresses, load_security_txt

CONTRACT = ".leadline.toml"


def read(file: Path, project: str, now: datetime) -> tuple[Project, ...]:
    """The projects in a file, by its name's end; *project* is whose security.txt it is.

    Raises: NotFound; Invalid, naming the file, if it is none of the forms or holds no contact.
    """
    data = content(file, DOCUMENT_BYTES_MAX if file.suffix == ".json" else BYTES_MAX)
    return of(file.name, data, project, now)


def of(name: str, data: bytes, project: str, now: datetime) -> tuple[Project, ...]:
    """As `read`, of a file that is here already."""
    file = Path(name)
    if file.name == CONTRACT or file.name.endswith(CONTRACT):
        made = from_contract(load_contract(data, file.name), file.name, now)
        return (made,)
    if file.suffix == ".toml":
        return load_contacts(data, file.name)
    if file.suffix == ".txt":
        return (_security_txt(data, file.name, project, now),)
    if file.suffix == ".json":
        found = from_csaf(data, file.name, now) or from_osv(data, file.name, now)
        if found:
            return found
        raise Invalid(file.name, "names no publisher's mail address and no repository")
    raise Invalid(
        file.name, "give security.txt, .leadline.toml, a list (.toml), OSV or CSAF (.json)"
    )


def _security_txt(content: bytes, name: str, project: str, now: datetime) -> Project:
    if not project:
        raise Invalid("project", f"say with --project whose {name} it is")
    told = load_security_txt(content, name)
    found = addresses(told, name, now)
    if not found:
        raise Invalid(name, "names no mail address and no https form")
    notes = (
        [f"{name} expired {told.expires:%Y-%m-%d}"] if told.expired(now) and told.expires else []
    )
    notes += [f"{name}, {one.place}: {one.problem}" for one in told.faults]
    notes += [f"security policy: {one}" for one in told.policy]
    return Project(project, addresses=found, notes=tuple(notes))


def given(channel: Channel, to: str, now: datetime) -> Address | None:
    """An address that somebody typed; None for none. Raises: Invalid, naming the form that is due."""
    return Address(channel, to, "given by hand", now) if to else None


def new_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads. Raises: Invalid, if there is one, or no folder for it."""
    if not path.parent.is_dir():
        raise Invalid(str(path), "is in no folder that is there; make it, or choose another")
    try:
        with path.open("xb") as out:
            path.chmod(0o600)
            out.write(content)
    except FileExistsError:
        raise Invalid(str(path), "is there already; choose another name") from None


def lines(found: Project, now: datetime) -> Iterator[str]:
    """A project in words."""
    yield found.name
    yield from (f"  package {one}" for one in found.packages)
    yield from (f"  owner {one}" for one in found.owners)
    answered = found.answered.isoformat(timespec="minutes") if found.answered else "no answer yet"
    yield f"  last answered: {answered}"
    for one in found.addresses:
        doubt = f"; {one.doubt(now)}" if one.doubt(now) else ""
        yield f"  {one.channel.value:7} {one.to}  (from {one.source}, {one.seen:%Y-%m-%d}{doubt})"
    yield from (f"  note: {one}" for one in found.notes)
