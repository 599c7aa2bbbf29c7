"""How inventories lie in the vault: as they were given, as they were understood, and many in a parcel.

Whoever matches reads the line of names first, and of the rest only what a name asks for.
"""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass

from leadline.app.ports import Store, Vault
from leadline.core.clearing.operator import Parcel, Snapshot
from leadline.core.clearing.product import Component, Fault, Inventory, Name, Naming, Package
from leadline.core.clearing.resemblance import plain
from leadline.core.marking import Marking, Tlp
from leadline.formats import document

SEALED = Marking(Tlp.RED)
# One compartment for all operators: a vault looks through every compartment for a digest, so that one
# for each operator would make a release take the square of their number.
COMPARTMENT = "operators"
PARCEL_BYTES = 8 << 20
_EMPTY: tuple[object, ...] = (None, "", ())
# How the line of names begins. Names in it are plain, so that no sign in one can be taken for the line's own.
_HEAD = b'{"by":"plain","names":{'


@dataclass(frozen=True, slots=True)
class Shelf:
    """What an installation holds of inventories; whoever reads it asked the rules before."""

    store: Store
    vault: Vault
    new_id: Callable[[str], str]

    def keep(self, content: bytes) -> str:
        """Seal it and answer its digest."""
        return self.vault.put(content, marking=SEALED, engagement=COMPARTMENT)

    def contents(
        self, wanted: Sequence[Snapshot], parcel_bytes: int = PARCEL_BYTES
    ) -> Iterator[tuple[Snapshot, bytes]]:
        """What was understood of each inventory, as `dump` wrote it, in whatever order.

        Opening a sealed file takes longer than looking into it. So those that lie alone are sealed together
        for the next time, once they have *parcel_bytes*.
        """
        left = {one.id: one for one in wanted}
        with self.store.read() as view:
            parcels = [row.value for row in view.find(Parcel)]
        for parcel in parcels:
            mine = [place for place in parcel.places if place[0] in left]
            if 2 * len(mine) >= len(parcel.places):
                data = self.vault.get(parcel.digest)
                for id_, start, end in mine:
                    yield left.pop(id_), data[start:end]
        alone, size = list[tuple[str, bytes]](), 0
        for one in left.values():
            data = self.vault.get(one.read)
            alone.append((one.id, data))
            size += len(data)
            if size >= parcel_bytes:
                self._pack(alone)
                alone, size = [], 0
            yield one, data

    def _pack(self, alone: Sequence[tuple[str, bytes]]) -> None:
        places, end = list[tuple[str, int, int]](), 0
        for id_, data in alone:
            places.append((id_, end, end + len(data)))
            end += len(data)
        whole = b"".join(data for _, data in alone)
        digest = self.keep(whole)
        made = Parcel(self.new_id("parcel"), digest, tuple(places))
        with self.store.write() as tx:
            tx.put(made.id, made, marking=SEALED)


def clean(told: object) -> str:
    """Text that a record can hold: Unicode in normal form C, without lone surrogates and NUL."""
    text = document.text(told)
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-8", "replace").decode().replace("\0", " ")
    return unicodedata.normalize("NFC", whole)


def understood(inventory: Inventory) -> Inventory:
    """The inventory with every text in a form that records can hold."""
    return load(dump(inventory), inventory.faults)


def dump(inventory: Inventory) -> bytes:
    """A line of JSON that says on which lines each plain name stands, then a line for each component."""
    lines, names, open_ = list[bytes](), defaultdict[str, list[int]](list), list[int]()
    for at, one in enumerate(inventory.components):
        told = {name: value for name, value in asdict(one).items() if value not in _EMPTY}
        lines.append(json.dumps(told, separators=(",", ":")).encode())
        held = (one, one.package, *(other.package for other in one.names))
        for name in {plain(found.name) for found in held if found is not None}:
            names[name].append(at)
        if one.package is None:
            open_.append(at)
    told = {"by": "plain", "names": names, "open": open_}
    head = json.dumps(told, separators=(",", ":"), sort_keys=True)
    return b"\n".join((head.encode(), *lines))


def load(data: bytes, faults: Sequence[Fault] = ()) -> Inventory:
    """The components that `dump` wrote."""
    lines = data.split(b"\n")[1:]
    return Inventory(tuple(_component(json.loads(one)) for one in lines), tuple(faults))


def search(data: bytes, wanted: AbstractSet[str], *, devices: bool) -> Inventory:
    """Of the components that `dump` wrote those with a *wanted* plain name, or without a package.

    The latter only with *devices*. Of the line of names no more is read than is asked for.
    """
    head, _, body = data.partition(b"\n")
    found = _places(head, wanted, devices=devices)
    if not found:
        return Inventory(())
    lines = body.split(b"\n")
    return Inventory(tuple(_component(json.loads(lines[at])) for at in sorted(found)))


def _places(head: bytes, wanted: AbstractSet[str], *, devices: bool) -> set[int]:
    if not head.startswith(_HEAD):  # written before names were made plain there
        told = json.loads(head)
        found = {
            at for name, places in told["names"].items() if plain(name) in wanted for at in places
        }
        return found | set(told["open"] if devices else ())
    end, found = head.index(b"}", len(_HEAD)), set[int]()
    for name in wanted:
        key = f'"{name}":['.encode()
        at = head.find(key, len(_HEAD), end)
        if at >= 0:
            begin = at + len(key) - 1
            found.update(json.loads(head[begin : head.index(b"]", begin) + 1]))
    if devices:
        found.update(json.loads(head[end + len(b'},"open":') : -1]))
    return found


def _component(told: Mapping[str, object]) -> Component:
    package = document.record(told.get("package"))
    return Component(
        clean(told.get("ref")),
        clean(told.get("name")),
        clean(told.get("version")),
        _package(package) if package else None,
        "device" if told.get("kind") == "device" else "software",
        clean(told.get("maker")),
        clean(told.get("site")),
        clean(told.get("comment")),
        clean(told.get("branch")),
        tuple(
            Name(
                _package(document.record(one.get("package"))),
                clean(one.get("version")),
                Naming(clean(one.get("naming"))),
                clean(one.get("ground")),
            )
            for one in document.records(told.get("names"))
        ),
    )


def _package(told: Mapping[str, object]) -> Package:
    return Package(*(clean(told.get(name)) for name in ("type", "namespace", "name")))
