"""What a case's acts only name by id: its title, and the words and products of its parties.

Acts are opened to everybody one day; these words are not, and are sealed with the case.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace

from leadline.core.clearing.product import parse_purl
from leadline.core.errors import Invalid, NotFound

NAME_MAX = 200
PRODUCTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Party:
    """One participant in words.

    *products* are Package-URLs, normalised; *need* is why it needs content before a date is agreed,
    *project* whose intake contract it is under, *credit* the name it is credited by, *blinder* what opens
    the act's commitment to that name, in hex; empty where an older act holds the name's plain SHA-256.
    """

    id: str
    name: str
    contact: str = ""
    products: tuple[str, ...] = ()
    need: str = ""
    project: str = ""
    credit: str = ""
    blinder: str = ""


def credit_commitment(blinder: bytes, name: str) -> str:
    """What an act that everybody may read one day holds of a name: HMAC-SHA-256, in hex."""
    return hmac.digest(blinder, b"leadline/credit/v1\0" + name.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The words of one case. *foreign* are ids that others gave it, such as a CVE id."""

    id: str
    title: str
    parties: tuple[Party, ...] = ()
    foreign: tuple[str, ...] = ()

    def party(self, id_: str) -> Party:
        """Raises NotFound, if there is none."""
        for one in self.parties:
            if one.id == id_:
                return one
        raise NotFound(f"no party {id_:.80}; see `leadline case show`")

    def with_party(self, party: Party) -> "CaseFile":
        """With this party, in the place of the one with its id."""
        others = tuple(one for one in self.parties if one.id != party.id)
        return replace(self, parties=(*others, party))


def words(text: str, field: str) -> str:
    """A short text without surrounding blanks.

    Raises: Invalid, naming the field.
    """
    found = text.strip()
    if not found or not found.isprintable() or len(found) > NAME_MAX:
        raise Invalid(field, f"give 1 to {NAME_MAX} printable characters in one line")
    return found


def products(purls: Iterable[str]) -> tuple[str, ...]:
    """Package-URLs, each once, spelled as their types prescribe.

    Raises: Invalid, naming the first that is none.
    """
    found = dict.fromkeys(
        release.package.purl(release.version) for release in map(parse_purl, purls)
    )
    if len(found) > PRODUCTS_MAX:
        raise Invalid("product", f"{len(found)} products; name at most {PRODUCTS_MAX} for a party")
    return tuple(found)
