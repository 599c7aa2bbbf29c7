"""Matching devices on the operator's own host: an asset list against advisories in words.

Nothing is asked of a network and nothing is written, apart from the file of answers that the operator names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.asset_names import unsaid
from leadline.core.clearing.asset_shelf import Shelf
from leadline.core.clearing.assets import Asked, Known, Verdict, content, judge, questions
from leadline.core.clearing.bulletin import Bulletin
from leadline.core.clearing.makers import Maker
from leadline.core.clearing.match import EVERY, Match, Matching, Question, Status, match
from leadline.core.clearing.product import Component, Fault, Inventory
from leadline.core.errors import Invalid
from leadline.formats import answers_toml, csaf_products, makers_toml

ANSWERS_BYTES_MAX = answers_toml.ANSWERS_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Assets:
    """What was found for the devices of a list: verdicts, open questions, and the advisories' words."""

    components: tuple[Component, ...]
    verdicts: tuple[Verdict, ...]
    asked: tuple[Asked, ...]
    bulletins: Mapping[str, Bulletin]
    faults: tuple[Fault, ...] = ()


class Words:
    """Advisories in words, read once and shelved once, for as many lists as come."""

    def __init__(self, documents: Mapping[str, Mapping[str, object]]) -> None:
        """Raises: Invalid, if a document is not CSAF 2.0."""
        self.bulletins: Mapping[str, Bulletin] = {
            ident: csaf_products.read(found, ident) for ident, found in documents.items()
        }

    @cached_property
    def shelf(self) -> Shelf:
        """Every product of every bulletin by its names."""
        return Shelf(self.bulletins.values(), _makers_table())


def is_asset(component: Component) -> bool:
    """Whether a line is known by maker, model and version only."""
    return component.package is None and component.kind == "device"


def match_assets(
    components: Iterable[Component],
    documents: Words | Mapping[str, Mapping[str, object]],
    known: Sequence[Known] = (),
) -> Assets:
    """What the advisories, as CSAF documents by id, mean for each device among *components*.

    An answer for a line that no longer stands in the list is a fault, and changes nothing.

    Raises: Invalid, if a document is not CSAF 2.0 or the shipped table of makers cannot be read.
    """
    held = tuple(component for component in components if is_asset(component))
    words = documents if isinstance(documents, Words) else Words(documents)
    verdicts: list[Verdict] = []
    unnamed = {component.ref for component in held if unsaid(component.name)}
    if held and words.bulletins:
        for component in held:
            found = judge(words.shelf, component, known)
            verdicts += found
            if not found and words.shelf.names_maker_only(component):
                unnamed.add(component.ref)
    lines = {content(component) for component in held}
    stale = [one for one in known if one.line not in lines]
    faults = [
        Fault(f"answer {one.line[:80]!r}", "no line has this content any more; answer again")
        for one in stale
    ]
    return Assets(
        held,
        tuple(verdicts),
        questions(verdicts) + _nameless(held, frozenset(unnamed)),
        words.bulletins,
        tuple(faults),
    )


def _makers_table() -> tuple[Maker, ...]:
    name = "makers.toml"
    return makers_toml.load(files("leadline").joinpath("data", name).read_bytes(), name)


def _nameless(components: Iterable[Component], unnamed: frozenset[str]) -> tuple[Asked, ...]:
    """A line without a model cannot be compared with anything."""
    return tuple(
        Asked(
            held.ref,
            "",
            f"What device is on line {held.ref} ({held.label})? Give its model.",
            (EVERY,),
        )
        for held in components
        if held.ref in unnamed
    )


def match_inventory(
    inventory: Inventory,
    advisories: Sequence[Advisory],
    documents: Words | Mapping[str, Mapping[str, object]],
    known: Sequence[Known] = (),
) -> tuple[Matching, Assets]:
    """Every line of an inventory: packages by identity, devices by their names.

    Devices are compared with the CSAF *documents* (by advisory id) in words, and with the other *advisories*
    as `core.clearing.match` does.
    """
    assets = match_assets(inventory.components, documents, known)
    named = {held.ref for held in assets.components}
    packaged = tuple(held for held in inventory.components if held.ref not in named)
    others = [advisory for advisory in advisories if advisory.id not in assets.bulletins]
    found = [match(Inventory(packaged), advisories)] if packaged else []
    found += [match(Inventory(assets.components), others)] if assets.components and others else []
    nameless = [one for one in assets.asked if one.advisories == (EVERY,)]
    matches = [
        *(held for part in found for held in part.matches),
        *(Match(held.asset, held.advisory, held.status, held.why) for held in assets.verdicts),
        *(Match(one.asset, EVERY, Status.UNKNOWN, "the line names no model") for one in nameless),
    ]
    asked = [
        *(held for part in found for held in part.questions),
        *(Question(one.asset, one.advisories[0], _with_others(one)) for one in assets.asked),
    ]
    return Matching(len(inventory.components), tuple(matches), tuple(asked)), assets


def _with_others(one: Asked) -> str:
    others = one.advisories[1:]
    return f"{one.ask} (The answer also settles {', '.join(others)}.)" if others else one.ask


def read_answers(path: Path) -> tuple[Known, ...]:
    """The answers in the operator's file; none where there is no file yet.

    Raises: Invalid, naming the entry, if it cannot be read.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror}") from error
    return answers_toml.load(data, path.name)
