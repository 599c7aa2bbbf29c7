"""Exchange profiles: which fields of an assessment's summary another institute gets, under which names.

A profile is data: pairs of paths, ``suites[].families[].attempted`` in ours and its like in theirs. What
no pair names is in neither form. The two forms of one run therefore have the same leaves, and agree or
differ leaf by leaf.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

FIELDS_MAX = 500
PLACES_MAX = 10_000  # entries of one list
_PATH = re.compile(r"[a-z][a-z0-9_]*(\[\])?(\.[a-z][a-z0-9_]*(\[\])?)*", re.ASCII)

Leaf = str | int | float | bool | None
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A pair of paths with equally many lists in them, and what the field means."""

    ours: str
    theirs: str
    words: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One institute's profile. *digest* is the file's SHA-256, *format* the name of their form."""

    id: str
    title: str
    body: str
    format: str
    words: str
    cites: str
    last_checked: date
    fields: tuple[Field, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A leaf at which the two forms of one run do not agree, by its place in theirs."""

    place: str
    ours: Leaf
    theirs: Leaf


def load_profile(content: bytes, file: str) -> Profile:
    """The profile that *content* states; *file* is the name that errors give.

    Raises: Invalid, naming file and key, for paths that cannot be, stand twice, or cross.
    """
    root = open_table(content, file)
    tables = root.tables("field")
    if not 0 < len(tables) <= FIELDS_MAX:
        raise root.wrong("field", f"give one to {FIELDS_MAX} [[field]] tables")
    fields = tuple(_field(one) for one in tables)
    for side in ("ours", "theirs"):
        _check_apart(root, side, [getattr(one, side) for one in fields])
    profile = Profile(
        root.text("id"),
        root.text("title"),
        root.text("body"),
        root.text("format"),
        root.text("words"),
        root.text("cites"),
        root.value("last_checked", date),
        fields,
        sha256(content).hexdigest(),
    )
    root.done()
    return profile


def shared(profile: Profile, summary: Mapping[str, object]) -> dict[str, object]:
    """Our form: of *summary* what the profile names and nothing else.

    Raises: Invalid, naming the place, for a value that is no text, number, truth value or null.
    """
    return _built({place: leaf for place, _, leaf in _pairs(profile, summary)})


def exchanged(profile: Profile, ours: Mapping[str, object]) -> dict[str, object]:
    """Their form of the same run; raises as `shared`."""
    return _built({place: leaf for _, place, leaf in _pairs(profile, ours)})


def differences(
    profile: Profile, ours: Mapping[str, object], theirs: Mapping[str, object]
) -> tuple[Difference, ...]:
    """Every leaf at which the two forms do not agree, in the order of places; 1 and 1.0 are not one."""
    due = {place: leaf for _, place, leaf in _pairs(profile, ours)}
    found = dict(_leaves(theirs))
    apart = [
        place
        for place in {**due, **found}
        if place not in due
        or place not in found
        or (type(due[place]), due[place]) != (type(found[place]), found[place])
    ]
    return tuple(
        Difference(_shown(place), due.get(place), found.get(place))
        for place in sorted(apart, key=_shown)
    )


def surplus(profile: Profile, ours: Mapping[str, object]) -> tuple[str, ...]:
    """The leaves of *ours* that the profile does not name, by their places in order."""
    named = {place for place, _, _ in _pairs(profile, ours)}
    return tuple(sorted(_shown(place) for place, _ in _leaves(ours) if place not in named))


def count(form: Mapping[str, object]) -> int:
    """How many leaves a form has."""
    return sum(1 for _ in _leaves(form))


def dump(form: Mapping[str, object]) -> bytes:
    """A form as JSON text: sorted keys, one line a leaf, the shortest text of every number."""
    text = json.dumps(form, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _field(table: Table) -> Field:
    field = Field(table.text("ours"), table.text("theirs"), table.text("words"))
    for name, path in (("ours", field.ours), ("theirs", field.theirs)):
        if not _PATH.fullmatch(path):
            raise table.wrong(name, f"{path!r:.80} is no path such as suites[].name")
    if field.ours.count("[]") != field.theirs.count("[]"):
        raise table.wrong("theirs", "a list stays a list: both paths have as many []")
    table.done()
    return field


def _check_apart(root: Table, side: str, paths: Sequence[str]) -> None:
    """No path stands twice, and none is the beginning of another or a list where another has none."""
    kinds = dict[str, str]()
    for path in paths:
        steps = path.split(".")
        for number, step in enumerate(steps):
            name = ".".join([*steps[:number], step.removesuffix("[]")])
            kind = f"{'list' if step.endswith('[]') else 'one'} {number + 1 < len(steps)}"
            last = number + 1 == len(steps)
            if kinds.setdefault(name, kind) != kind or (last and kinds.get(f"={name}")):
                raise root.wrong("field", f"{side} {path!r} crosses another path or stands twice")
            if last:
                kinds[f"={name}"] = path


def _pairs(profile: Profile, ours: Mapping[str, object]) -> Iterator[tuple[Place, Place, Leaf]]:
    by_pattern = {one.ours: one.theirs for one in profile.fields}
    for place, leaf in _leaves(ours):
        theirs = by_pattern.get(_pattern(place))
        if theirs is not None:
            yield place, _filled(theirs, [one for one in place if isinstance(one, int)]), leaf


def _leaves(form: object, at: Place = ()) -> Iterator[tuple[Place, Leaf]]:
    if isinstance(form, Mapping):
        for name, value in form.items():
            yield from _leaves(value, (*at, str(name)))
    elif isinstance(form, list | tuple):
        for number, value in enumerate(form):
            yield from _leaves(value, (*at, number))
    elif form is None or isinstance(form, str | int | float):
        yield at, form
    else:
        raise Invalid(_shown(at), f"{type(form).__name__} has no place in a form")


def _pattern(place: Place) -> str:
    text = ""
    for step in place:
        text += "[]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text


def _shown(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text


def _filled(path: str, numbers: Sequence[int]) -> Place:
    place, left = list[str | int](), list(numbers)
    for step in path.split("."):
        place.append(step.removesuffix("[]"))
        if step.endswith("[]"):
            place.append(left.pop(0))
    return tuple(place)


def _built(leaves: Mapping[Place, Leaf]) -> dict[str, object]:
    root = dict[str, object]()
    for place, leaf in leaves.items():
        _put(root, place, leaf)
    return root


def _put(root: dict[str, object], place: Place, leaf: Leaf) -> None:
    """Set one leaf; what lies on the way is made, and lists are filled up with empty objects."""
    here: dict[str, object] | list[object] = root
    for step, following in zip(place, (*place[1:], None), strict=True):
        made: object = leaf if following is None else [] if isinstance(following, int) else {}
        if isinstance(here, list):
            assert isinstance(step, int)  # noqa: S101 -- places come from `_leaves` and `_filled`
            if step >= PLACES_MAX:
                raise Invalid(_shown(place), f"a list of more than {PLACES_MAX} entries")
            here += [{} for _ in range(step + 1 - len(here))]
            if following is None or here[step] == {}:
                here[step] = made
            onward = here[step]
        else:
            onward = here.setdefault(str(step), made)
        if isinstance(onward, dict | list):
            here = onward
