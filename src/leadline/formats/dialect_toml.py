"""Dialects of model APIs as data: where a credential, a model's name and its usage stand.

A relay changes none of it; it reads the names and the usage for identity and caps. What a file does
not name is relayed all the same where a credential allows its path.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

NAME_CHARACTERS_MAX = 200
PATHS_MAX = 64
TOKENS_MAX = 1 << 40  # beyond it a figure is none
_ID = re.compile(r"[a-z0-9-]+")
_HEADER = re.compile(r"[a-z0-9-]+")
_PATH = re.compile(r"(/([A-Za-z0-9._~:-]|\{model\})+)+")
_PLACE = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where a credential stands: a header (with a word before it) or a parameter of the query."""

    header: str = ""
    scheme: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the API. *named* says where a request names its model: in body, path or nowhere.

    *counted* tells whether it takes tokens, so that its answers say how many.
    """

    method: str
    path: str
    named: str = ""
    counted: bool = False

    def model(self, path: str) -> str | None:
        """The model that *path* names, empty where this endpoint's path names none; None for others."""
        found = _pattern(self.path).fullmatch(path)
        if found is None:
            return None
        return found["model"] if self.named == "path" else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer says it took; None where it says nothing."""

    input: int | None = None
    output: int | None = None


Place = tuple[str, ...]
Sum = tuple[tuple[Place, ...], ...]  # a sum of parts; of each part the largest of its places


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API. *reported*, *fingerprint*, *input* and *output* are places in an answer or event."""

    id: str
    title: str
    source: str
    carriers: tuple[Carrier, ...]
    endpoints: tuple[Endpoint, ...] = ()
    request_model: Place = ()
    reported: tuple[Place, ...] = ()
    fingerprint: tuple[Place, ...] = ()
    input: Sum = ()
    output: Sum = ()

    @property
    def reads(self) -> bool:
        """Whether anything is known of its answers; where not, only requests and bytes are capped."""
        return bool(self.output)

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """The endpoint that a request is for."""
        return next(
            (one for one in self.endpoints if one.method == method and one.model(path) is not None),
            None,
        )

    def nearly(self, path: str) -> bool:
        """Whether some server could take *path*, or another method on it, for a path with a model.

        Letters' case, a last slash and parameters behind a semicolon are what servers overlook.
        """
        plain = re.sub(r";[^/]*", "", path).rstrip("/")
        return any(
            _pattern(one.path, re.IGNORECASE).fullmatch(plain)
            for one in self.endpoints
            if one.named
        )

    def requested(self, body: bytes) -> str:
        """The model that a request's body names.

        Raises: Invalid, if the body is no JSON object, names a model twice (also in other letters'
        case, which some readers take for the same) or not at all: another reader could see another
        model in it.
        """
        try:
            told = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise Invalid("body", "no JSON in UTF-8 with each member once") from error
        if _twice(told, self.request_model):
            raise Invalid("body", "the model is named twice, in other letters' case")
        found = _at(told, self.request_model)
        if not isinstance(found, str) or not 0 < len(found) <= NAME_CHARACTERS_MAX:
            raise Invalid("body", f"name the model in {'.'.join(self.request_model)!r}")
        return found


class Told:
    """What the answers of one exchange said so far; figures of a stream only grow."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.models = list[str]()
        self.fingerprints = list[str]()
        self._largest = dict[Place, int]()

    def take(self, data: bytes) -> bool:
        """Read one answer or event; answers whether it was JSON."""
        try:
            value = json.loads(data.decode("utf-8"))
        # house: allow swallowed-exception -- what is no JSON is passed on all the same, and told as such
        except (ValueError, RecursionError):
            return False
        for one in value if isinstance(value, list) else [value]:
            _texts(one, self._dialect.reported, self.models)
            _texts(one, self._dialect.fingerprint, self.fingerprints)
            for part in (*self._dialect.input, *self._dialect.output):
                for place in part:
                    found = _at(one, place)
                    if type(found) is int and 0 <= found <= TOKENS_MAX:
                        self._largest[place] = max(found, self._largest.get(place, 0))
        return True

    @property
    def usage(self) -> Usage:
        """The figures so far."""
        return Usage(self._sum(self._dialect.input), self._sum(self._dialect.output))

    def _sum(self, parts: Sum) -> int | None:
        found = [
            max(self._largest[place] for place in part if place in self._largest)
            for part in parts
            if any(place in self._largest for place in part)
        ]
        return sum(found) if found else None


def _texts(value: Json, places: Sequence[Place], into: list[str]) -> None:
    for place in places:
        found = _at(value, place)
        if isinstance(found, str) and found and len(into) < PATHS_MAX:
            told = found[:NAME_CHARACTERS_MAX]
            if told not in into:
                into.append(told)


def _at(value: Json, place: Place) -> Json:
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _twice(value: Json, place: Place) -> bool:
    """Whether a member on the way to *place* stands there in another case as well."""
    for name in place:
        members = value if isinstance(value, Mapping) else {}
        if any(one != name and one.casefold() == name.casefold() for one in members):
            return True
        value = members.get(name)
    return False


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Invalid("body", "a member stands twice in one object")
    return members


def _pattern(path: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{model\}", r"(?P<model>[^/?:]+)"), flags)


def load_dialect(content: bytes, file: str) -> Dialect:
    """The dialect in a TOML file.

    Raises: Invalid, naming file and key.
    """
    table = open_table(content, file)
    id_ = table.text("id")
    if not _ID.fullmatch(id_):
        raise table.wrong("id", "lower-case letters, digits and dashes")
    dialect = Dialect(
        id_,
        table.text("title"),
        table.text("source"),
        tuple(_carrier(one) for one in table.tables("credential")),
        tuple(_endpoint(one) for one in table.tables("endpoint")),
        next(iter(_places(table, "request_model")), ()),
        _places(table, "reported"),
        _places(table, "fingerprint"),
        _sum_of(table, "input"),
        _sum_of(table, "output"),
    )
    table.done()
    if not dialect.carriers:
        raise table.wrong("credential", "say where the credential stands")
    if any(one.named == "body" for one in dialect.endpoints) and not dialect.request_model:
        raise table.wrong("request_model", "an endpoint names its model in the body; say where")
    return dialect


def _carrier(table: Table) -> Carrier:
    header, scheme = table.optional("header", str) or "", table.optional("scheme", str) or ""
    query = table.optional("query", str) or ""
    table.done()
    if bool(header) == bool(query) or not _HEADER.fullmatch(header or query):
        raise table.wrong("header", "give a header in lower case, or a parameter of the query")
    return Carrier(header, scheme, query)


def _endpoint(table: Table) -> Endpoint:
    named = table.optional("named", str) or ""
    counted = table.optional("counted", bool)
    one = Endpoint(
        table.text("method"), table.text("path"), named, bool(named) if counted is None else counted
    )
    table.done()
    if not _PATH.fullmatch(one.path) or one.path.count("{model}") != (one.named == "path"):
        raise table.wrong(
            "path", "a path from the root, with {model} once where it names the model"
        )
    if one.named not in ("", "body", "path"):
        raise table.wrong("named", "body or path; leave it out where no model is named")
    return one


def _places(table: Table, key: str) -> tuple[Place, ...]:
    return tuple(_place(table, key, one) for one in table.texts(key))


def _place(table: Table, key: str, text: str) -> Place:
    if not _PLACE.fullmatch(text):
        raise table.wrong(key, f"{text!r}: members from the root, with dots between them")
    return tuple(text.split("."))


def _sum_of(table: Table, key: str) -> Sum:
    return tuple(
        tuple(_place(table, key, one.strip()) for one in part.split("|"))
        for part in table.texts(key)
    )
