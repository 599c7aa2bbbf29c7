"""Inventories as the vault has them: what is looked up in one by name is what reading all of it gives."""

import json
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.app import shelving
from leadline.core.clearing.product import Component, Inventory, Name, Naming, Package
from leadline.core.clearing.resemblance import plain

# Spellings of one name, names of the line's own members, signs that JSON escapes, and no name at all.
NAMES = ["ujson", "UJSON", "python3-ujson", "u_json", "open", "names", "by", 'a"b', "}", "日本", ""]
NAMED = st.sampled_from(NAMES)


@st.composite
def components(draw: st.DrawFn) -> Component:
    """With or without a package, and with another name or none."""
    held = draw(st.none() | st.builds(Package, st.just("deb"), st.just("debian"), NAMED))
    also = Name(Package("deb", "debian", draw(NAMED)), "1", Naming.MAPPED, "its source")
    return Component("1", draw(NAMED), "1", held, names=draw(st.sampled_from([(), (also,)])))


def slowly(held: Inventory, wanted: frozenset[str], *, devices: bool) -> list[Component]:
    """By looking at each."""
    return [
        one
        for one in held.components
        if (devices and one.package is None)
        or wanted
        & {
            plain(name)
            for name in (
                one.name,
                *(two.name for two in (one.package, *(also.package for also in one.names)) if two),
            )
        }
    ]


def as_before(data: bytes) -> bytes:
    """The same with a line of names as it was before they were made plain there."""
    head, _, body = data.partition(b"\n")
    told = json.loads(head)
    names: dict[str, list[int]] = {}
    for at, line in enumerate(body.split(b"\n")):
        one = json.loads(line)
        held = [one["name"]] if one.get("name") else [""]
        held += [part["name"] for part in (one.get("package"),) if part]
        held += [also["package"]["name"] for also in one.get("names", ())]
        for name in set(held):
            names.setdefault(name, []).append(at)
    old = json.dumps({"names": names, "open": told["open"]}, separators=(",", ":"), sort_keys=True)
    return old.encode() + b"\n" + body


@unhurried
@given(
    parts=st.lists(components(), min_size=1, max_size=6),
    wanted=st.frozensets(NAMED.map(plain), max_size=3),
)
def test_what_is_looked_up_is_what_reading_all_gives(
    parts: list[Component], wanted: frozenset[str]
) -> None:
    """By every spelling of a name, in both forms of the line of names."""
    held = shelving.understood(Inventory(tuple(parts)))
    new = shelving.dump(held)
    for data, devices in product((new, as_before(new)), (False, True)):
        found = shelving.search(data, wanted, devices=devices)
        assert list(found.components) == slowly(held, wanted, devices=devices)
        assert shelving.load(data) == held
