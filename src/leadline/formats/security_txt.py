"""security.txt: where a site's owners take reports, in their order of preference.

A file that has expired is read and says so. What the standard asks for and the file has not is listed,
each with its line; a signature around it is noted and not checked. Source: RFC 9116.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from leadline.core.clearing.directory import Address, Channel, fits
from leadline.core.clearing.product import Fault
from leadline.core.errors import Invalid
from leadline.formats.document import moment

FORMAT = "security-txt"
BYTES_MAX = 64 << 10
LINES_MAX = 1_000
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_FIELD = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*(?P<value>\S(?:.*\S)?)[ \t]*")
_ONCE = ("expires", "preferred-languages")
_ADDRESSES = ("contact", "encryption", "policy", "acknowledgments", "canonical", "hiring")


@dataclass(frozen=True, slots=True)
class SecurityTxt:
    """The fields of RFC 9116, section 2.5. *contacts* come in their order, which is their preference."""

    contacts: tuple[str, ...]
    expires: datetime | None
    encryption: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    signed: bool = False
    faults: tuple[Fault, ...] = ()

    def expired(self, now: datetime) -> bool | None:
        """Whether it says of itself that it is over; None where it does not say until when it counts."""
        return None if self.expires is None else self.expires <= now


def load_security_txt(content: bytes, file: str = "security.txt") -> SecurityTxt:
    """Read a security.txt file.

    Raises: Invalid, naming *file*, if it is too long, no UTF-8 text, or names no contact at all.
    """
    if len(content) > BYTES_MAX:
        raise Invalid(file, f"longer than {BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(file, f"is no UTF-8 text: {error}") from None
    signed, faults = _SIGNED in text, list[Fault]()
    found: dict[str, list[str]] = {}
    for number, line in _lines(text, file):
        field = _FIELD.fullmatch(line)
        if field is None:
            faults.append(Fault(f"line {number}", "is no `Field: value`, comment or empty line"))
            continue
        name, value = field["name"].lower(), field["value"]
        if name in _ADDRESSES and not _uri(value):
            problem = f"{field['name']} is an address with its scheme, such as mailto: or https:"
            faults.append(Fault(f"line {number}", problem))
        elif name in _ONCE and name in found:
            faults.append(Fault(f"line {number}", f"{field['name']} stands once; the first counts"))
        else:
            found.setdefault(name, []).append(value)
    expires = _moment(found.get("expires", []), faults)
    if "contact" not in found:
        raise Invalid(
            file, "names no Contact; RFC 9116 asks for one at least, as mailto: or https:"
        )
    return SecurityTxt(
        contacts=tuple(found["contact"]),
        expires=expires,
        encryption=tuple(found.get("encryption", [])),
        policy=tuple(found.get("policy", [])),
        canonical=tuple(found.get("canonical", [])),
        languages=tuple(
            one.strip()
            for held in found.get("preferred-languages", [])
            for one in held.split(",")
            if one.strip()
        ),
        signed=signed,
        faults=tuple(faults),
    )


def _lines(text: str, file: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers; of a signed file only what was signed."""
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > LINES_MAX:
        raise Invalid(file, f"more than {LINES_MAX} lines")
    head = False  # the armour's own header lines, up to the first empty one
    for number, line in enumerate(lines, 1):
        if line == _SIGNED:
            head = True
        elif line == _SIGNATURE:
            return
        elif head:
            head = bool(line.strip())
        elif line.strip() and not line.startswith("#"):
            yield number, line.removeprefix("- ")


def _uri(value: str) -> bool:
    scheme, colon, rest = value.partition(":")
    return bool(
        colon and rest and scheme.lower() in {"https", "mailto", "tel", "dns", "openpgp4fpr"}
    )


def _moment(values: list[str], faults: list[Fault]) -> datetime | None:
    if not values:
        faults.append(
            Fault("Expires", "is missing; RFC 9116 asks for it once, as a time in RFC 3339")
        )
        return None
    found = moment(values[0].replace("z", "Z"))
    if found is None:
        faults.append(Fault("Expires", f"{values[0][:60]!r} is no time as RFC 3339 spells it"))
    return found


def addresses(read: SecurityTxt, source: str, seen: datetime) -> tuple[Address, ...]:
    """The contacts that a message can be written to, in their order; telephones are left out."""
    key = read.encryption[0] if read.encryption else ""
    found = list[Address]()
    for contact in read.contacts:
        scheme, _, rest = contact.partition(":")
        if scheme.lower() == "mailto":
            to, channel = rest.partition("?")[0], Channel.MAIL
        elif scheme.lower() == "https":
            to, channel = contact, Channel.WEB
        else:
            continue
        if fits(channel, to):
            found.append(Address(channel, to, source, seen, read.expires, key))
    return tuple(found)
