"""TAXII 2.1: what clients ask for in header and query, and the messages that answer them.

A place to go on from is a moment under a seal over all that was asked, so that it is good in every process of an
installation, and only for the same reader, collection and filters. Manifests and versions have ``next`` too, as
the envelope has it; the standard forgot to say so (oasis-tcs/cti-taxii2, issue 110).
Source: TAXII 2.1 (OASIS Standard, 10 June 2021), sections 1.6, 3.4 to 3.7, 4 and 5.
"""

import binascii
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadline.core.errors import Invalid

FORMAT = "taxii"
VERSION = "2.1"
MEDIA = f"application/taxii+json;version={VERSION}"
OBJECTS = "application/stix+json;version=2.1"
FIRST, LAST, ALL = "first", "last", "all"
LIMIT, LIMIT_MAX = 100, 500
LISTED_MAX = 100  # values of one filter
_SIZE, _SEAL = 8, 32
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_QUALITY = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")
Json = dict[str, object]
Seal = Callable[[bytes], bytes]  # 32 bytes that nobody else can make of these bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A query. *versions* are moments or the words of the standard; *here* is False, if no object can fit.

    *filters* are all but ``limit`` and ``next``, in one spelling.
    """

    limit: int
    next: str
    added_after: datetime | None
    ids: frozenset[str]
    types: frozenset[str]
    versions: frozenset[str | datetime]
    here: bool
    filters: tuple[tuple[str, str], ...]


def acceptable(header: str) -> bool:
    """Whether an ``Accept`` header takes what is answered; the absent one takes anything (RFC 9110, 12.5.1)."""
    ranges = [one.strip() for one in header.split(",") if one.strip()]
    return not ranges or any(_takes(one) for one in ranges)


def _takes(one: str) -> bool:
    kind, *told = (part.strip().lower() for part in one.split(";"))
    named = dict(part.partition("=")[::2] for part in told)
    quality = named.pop("q", "1")
    if not _QUALITY.fullmatch(quality) or float(quality) == 0:
        return False
    version = named.get("version", VERSION).strip('"')
    return kind in {"*/*", "application/*"} or (
        kind == "application/taxii+json" and version == VERSION
    )


def asked(sent: Sequence[tuple[str, str]], known: Sequence[str]) -> Asked:
    """What a query asks for, where the filters *known* may stand.

    Raises: Invalid, naming the parameter, for what is unknown, twice there, or no value of it: a filter that
    was left out unsaid would answer with more than was asked for.
    """
    told = dict(sent)
    for name, value in sent:
        if name not in known:
            raise Invalid(name[:40], f"is no parameter here; there are {', '.join(known)}")
        if sum(one == name for one, _ in sent) > 1:
            raise Invalid(name, "stands twice; give several values with commas")
        if "\0" in value:
            raise Invalid(name, "holds a character that nothing here has")
    lists = {name: _listed(name, told) for name in told if name.startswith("match[")}
    versions = frozenset(_version(one) for one in lists.get("match[version]", ())) or {LAST}
    after = told.get("added_after")
    return Asked(
        _limit(told.get("limit", str(LIMIT))),
        told.get("next", ""),
        None if after is None else moment(after, "added_after"),
        lists.get("match[id]", frozenset()),
        lists.get("match[type]", frozenset()),
        frozenset(versions),
        VERSION in lists.get("match[spec_version]", {VERSION}),
        tuple(sorted((name, one) for name, one in sent if name not in {"limit", "next"})),
    )


def _listed(name: str, told: Mapping[str, str]) -> frozenset[str]:
    values = frozenset(told[name].split(","))
    if "" in values or len(values) > LISTED_MAX:
        raise Invalid(name, f"takes 1 to {LISTED_MAX} values with commas between")
    return values


def _limit(text: str) -> int:
    """How many are wanted; a server may give fewer, and never gives more than `LIMIT_MAX`."""
    if not text.isascii() or not text.isdecimal() or not int(text[:9]):
        raise Invalid("limit", "is a whole number from 1 on")
    return min(int(text[:9]), LIMIT_MAX)


def _version(text: str) -> str | datetime:
    return text if text in {FIRST, LAST, ALL} else moment(text, "match[version]")


def moment(text: str, name: str) -> datetime:
    """The time that RFC 3339 in UTC names. Raises: Invalid, naming the parameter."""
    problem = "is a time in UTC such as 2026-11-22T10:00:00.000Z"
    if not _MOMENT.fullmatch(text):
        raise Invalid(name, problem)
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a day that there is not
        raise Invalid(name, problem) from None


def stamped(at: datetime) -> str:
    """When something was added, to the microsecond that tells it from all others."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _precise(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def place(at: datetime, bound: Sequence[object], seal: Seal) -> str:
    """Where a walk goes on: after *at*, for whoever asks for all that is *bound*."""
    told = stamped(at).encode()
    return urlsafe_b64encode(told + seal(_bound(told, bound))).decode()


def read_place(text: str, bound: Sequence[object], seal: Seal) -> datetime:
    """The moment of a place that was given to this very reader for this very question.

    Raises: Invalid, for any other text.
    """
    try:
        told = urlsafe_b64decode(text.encode("ascii"))
    except (ValueError, binascii.Error):
        told = b""
    if urlsafe_b64encode(told).decode() != text:  # the decoder passes over what is no code
        told = b""
    at, sealed = told[:-_SEAL], told[-_SEAL:]
    if not hmac.compare_digest(sealed, seal(_bound(at, bound))) or not at:
        problem = "is none that you were given for this collection and these filters; begin without"
        raise Invalid("next", problem)
    return moment(at.decode(), "next")


def _bound(at: bytes, bound: Sequence[object]) -> bytes:
    return json.dumps(["leadline/taxii/v1", at.hex(), *bound]).encode()


def discovery(title: str, root: str) -> bytes:
    """What a server says of itself; its only root is at *root*."""
    return message({"title": title, "default": root, "api_roots": [root]})


def root(title: str, description: str, bytes_max: int) -> bytes:
    """What an API root says of itself; no request to it may be longer than *bytes_max*."""
    return message(
        {
            "title": title,
            "description": description,
            "versions": [MEDIA],
            "max_content_length": bytes_max,
        }
    )


def collection(id_: str, title: str, description: str) -> Json:
    """One collection, to be read alone."""
    return {
        "id": id_,
        "title": title,
        "description": description,
        "can_read": True,
        "can_write": False,
        "media_types": [OBJECTS],
    }


def collections(found: Sequence[Json]) -> bytes:
    """Those that a reader may know of; none at all is no key."""
    return message({"collections": list(found)} if found else {})


def envelope(bodies: Sequence[str], next_: str) -> bytes:
    """Objects as they are, each one JSON text; *next_* where more follow."""
    objects = f',"objects":[{",".join(bodies)}]' if bodies else ""
    return (message(_more(next_))[:-1].decode() + objects + "}").encode()


def manifest(found: Sequence[tuple[str, datetime, datetime]], next_: str) -> bytes:
    """What there is of objects without them: id, when it was added, version."""
    entries = [
        {"id": id_, "date_added": stamped(at), "version": _precise(version), "media_type": OBJECTS}
        for id_, at, version in found
    ]
    return message(_more(next_) | ({"objects": entries} if entries else {}))


def versions(found: Sequence[datetime], next_: str) -> bytes:
    """The versions that there are of one object."""
    return message(_more(next_) | ({"versions": [_precise(one) for one in found]} if found else {}))


def error(status: int, title: str, description: str) -> bytes:
    """An error message."""
    return message({"title": title, "description": description, "http_status": str(status)})


def dated(found: Sequence[datetime]) -> dict[str, str]:
    """The headers that tell when the first and the last of an answer were added."""
    if not found:
        return {}
    names = ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last")
    return dict(zip(names, (stamped(found[0]), stamped(found[-1])), strict=True))


def _more(next_: str) -> Json:
    return {"more": True, "next": next_} if next_ else {"more": False}


def message(told: Json) -> bytes:
    """The bytes of one message."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
