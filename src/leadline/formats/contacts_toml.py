"""The contact directory as a file, and contacts read out of advisories: OSV repositories, CSAF publishers."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from leadline.core.clearing.case_file import products
from leadline.core.clearing.contract import Contract
from leadline.core.clearing.directory import Address, Channel, Project
from leadline.core.errors import Invalid
from leadline.formats import document, toml_table
from leadline.formats.document import record, records, text

FORMAT = "contacts"
BYTES_MAX = 1 << 20
NAME_MAX = 200
_GITHUB = re.compile(r"https://github\.com/([^/\s]+/[^/\s#?]+?)(?:\.git)?/?")
_REPOSITORY = re.compile(r"https://github\.com/([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")


def load_contacts(content: bytes, file: str) -> tuple[Project, ...]:
    """The projects in a file.

    Raises: Invalid, naming *file* and key, for a key that is missing, unknown or wrong, or a project
    that stands twice.
    """
    if len(content) > BYTES_MAX:
        raise Invalid(file, f"longer than {BYTES_MAX} bytes; divide it")
    root = toml_table.open_table(content, file)
    found = dict[str, Project]()
    for entry in root.tables("project"):
        made = _project(entry)
        if made.name in found:
            raise entry.wrong("name", f"{made.name} stands twice")
        found[made.name] = made
    root.done()
    if not found:
        raise Invalid(file, "holds no [[project]]")
    return tuple(found.values())


def _project(entry: toml_table.Table) -> Project:
    name = entry.text("name").strip()
    if not name.isprintable() or len(name) > NAME_MAX:
        raise entry.wrong("name", f"give 1 to {NAME_MAX} printable characters in one line")
    try:
        packages = products(entry.texts("packages"))
    except Invalid as error:
        raise entry.wrong("packages", error.problem) from None
    made = Project(
        name,
        packages,
        entry.texts("owners"),
        tuple(_address(one) for one in entry.tables("address")),
        entry.moment("answered") if "answered" in entry else None,
    )
    entry.done()
    return made


def _address(entry: toml_table.Table) -> Address:
    channel, to, source = entry.choice("channel", Channel), entry.text("to"), entry.text("source")
    seen = entry.moment("seen")
    expires = entry.moment("expires") if "expires" in entry else None
    key = entry.optional("key", str) or ""
    entry.done()
    try:
        return Address(channel, to, source, seen, expires, key)
    except Invalid as error:
        raise entry.wrong(error.field, error.problem) from None


def from_osv(data: bytes, name: str, seen: datetime) -> tuple[Project, ...]:
    """The projects that an OSV record's repositories point at, each with its packages.

    Raises: Invalid, if it is no JSON object.
    """
    found = dict[str, Project]()
    for affected in records(document.load(data, name).get("affected")):
        purl = text(record(affected.get("package")).get("purl"))
        packages = _purls(purl)
        for ranges in records(affected.get("ranges")):
            match = _GITHUB.fullmatch(text(ranges.get("repo")))
            if match is not None:
                address = Address(Channel.GITHUB, match[1], f"OSV record {name}", seen)
                found.setdefault(match[1], Project(match[1], packages, (), (address,)))
    return tuple(found.values())


def _purls(purl: str) -> tuple[str, ...]:
    found: tuple[str, ...]
    try:
        found = products([purl.partition("?")[0]]) if purl else ()
    except Invalid:
        found = ()  # the repository is a contact without its package, too
    return found


def from_csaf(data: bytes, name: str, seen: datetime) -> tuple[Project, ...]:
    """The publisher of a CSAF document, where its contact details name a mail address.

    Raises: Invalid, if it is no JSON object.
    """
    publisher = record(record(document.load(data, name).get("document")).get("publisher"))
    who, details = text(publisher.get("name")).strip(), text(publisher.get("contact_details"))
    found = tuple(_mails(details, f"CSAF document {name}", seen))
    if not who or not found or not who.isprintable() or len(who) > NAME_MAX:
        return ()
    return (Project(who, (), (who,), found),)


def from_contract(contract: Contract, source: str, seen: datetime) -> Project:
    """What an intake contract says of how to reach its project."""
    found = list(_mails(contract.contact, source, seen))
    for url in (contract.contact, *contract.repositories):
        found += [
            Address(Channel.GITHUB, name.removesuffix(".git"), source, seen)
            for name in _REPOSITORY.findall(url)
        ]
    return Project(
        contract.project, contract.packages, contract.maintainers, tuple(dict.fromkeys(found))
    )


def _mails(words: str, source: str, seen: datetime) -> Iterator[Address]:
    for to in dict.fromkeys(_MAIL.findall(words)):
        yield Address(Channel.MAIL, to, source, seen)


def rendered(project: Project, now: datetime) -> Mapping[str, object]:
    """A project as `--json` prints it; each address with the doubt about it, if there is one."""
    return {
        "name": project.name,
        "packages": list(project.packages),
        "owners": list(project.owners),
        "answered": project.answered.isoformat() if project.answered else None,
        "addresses": [
            {
                "channel": one.channel.value,
                "to": one.to,
                "source": one.source,
                "seen": one.seen.isoformat(),
                "expires": one.expires.isoformat() if one.expires else None,
                "key": one.key,
                "doubt": one.doubt(now) or None,
            }
            for one in project.addresses
        ],
        "notes": list(project.notes),
    }
