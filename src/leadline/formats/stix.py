"""STIX 2.1 out: the publisher and its vulnerabilities, with ids that do not change.

A bundle is a file of the feed; the same objects, version by version, are what the TAXII server hands out.
STIX has no word for which releases are affected; its built-in markings are TLP 1, so the objects carry the marking
definitions of the TLP 2.0 extension.
Sources: STIX 2.1 (OASIS, 2021), sections 3.2, 3.6, 4.5, 4.20, 7.2; STIX extension definition for TLP 2.0 (FIRST,
2022).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from leadline.core.clearing.advisory import Advisory, Flaw
from leadline.core.marking import Tlp
from leadline.formats.csaf_out import dump, stamp
from leadline.formats.saying import Loss, groups

FORMAT = "stix"
_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_MARKINGS = {
    Tlp.CLEAR: ("94868c89-83c2-464b-929b-a1a8aa3c8487", "clear"),
    Tlp.GREEN: ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "green"),
    Tlp.AMBER: ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "amber"),
    Tlp.AMBER_STRICT: ("939a9414-2ddd-4d32-a0cd-375ea402b003", "amber+strict"),
    Tlp.RED: ("e828b379-4e03-4974-9ac4-e53a884c97c1", "red"),
}
SINCE = "2026-01-01T00:00:00.000Z"
_SPACE = uuid5(UUID(int=0), "leadline/stix/v1")
Json = dict[str, object]


def render(advisory: Advisory) -> bytes:
    """The bundle; the same advisory gives the same bytes, and the same CVE id the same object id."""
    name = _identifier("bundle", advisory.id, advisory.revisions[-1].number)
    return dump({"type": "bundle", "id": name, "objects": objects(advisory)})


def objects(advisory: Advisory) -> list[Json]:
    """What the bundle of a published advisory holds: the label's marking, the publisher, each flaw."""
    author = _author(advisory)
    made: list[Json] = [
        _marking(advisory.tlp),
        {
            "type": "identity",
            "id": author,
            # What it says never changes, whichever advisory it comes with: another version would say so.
            "created": SINCE,
            "modified": SINCE,
            "spec_version": "2.1",
            "name": advisory.publisher,
            "identity_class": "organization",
        },
    ]
    moments = _moments(advisory)
    held = {"created": moments[0], "modified": moments[-1], "spec_version": "2.1"}
    made += [
        _vulnerability(advisory, flaw, advisory.tlp)
        | {"id": _identifier("vulnerability", *_named(advisory, flaw))}
        | held
        for flaw in advisory.flaws
    ]
    return list({str(one["id"]): one for one in made}.values())


def versions(advisory: Advisory, before: Sequence[Json]) -> list[Json]:
    """The versions of objects that publishing this state of an advisory adds to those of *before*.

    *before* are the last versions of the objects that came with this advisory, or have an id of it. What the
    advisory does not speak of any more is revoked, so that nobody keeps it for want of word.
    """
    known = {str(one["id"]): one for one in before}
    made = list[Json]()
    for one in objects(advisory):
        old = known.pop(str(one["id"]), None)
        if old is None:
            made.append(one)
        elif version(old) < version(one):
            made.append(one | {"created": old["created"]})
        elif _said(old) != _said(one):  # an id that another advisory had before
            made.append(one | {"created": old["created"], "modified": _next(version(old))})
    last = _moments(advisory)[-1]
    made += [
        old | {"modified": max(last, _next(version(old))), "revoked": True}
        for old in known.values()
        if old["type"] == "vulnerability" and not old.get("revoked")
    ]
    return made


def drafted(advisory: Advisory, tlp: Tlp, moments: Sequence[datetime]) -> list[Json]:
    """The flaws of a draft, as the parties of its case may have them under the label *tlp*.

    *moments* are those at which it was drafted so far. Ids are a draft's own: none is that of a published
    object, and none can be computed from a CVE id.
    """
    stamps = _rising([_precise(at) for at in moments])
    held = {"created": stamps[0], "modified": stamps[-1], "spec_version": "2.1"}
    return [
        _vulnerability(advisory, flaw, tlp)
        | {"id": _identifier("vulnerability", "draft", tlp.value, advisory.id, str(place))}
        | held
        for place, flaw in enumerate(advisory.flaws)
    ]


def version(one: Json) -> str:
    """When this version of an object was made; what has no versions was made once."""
    return str(one.get("modified", one["created"]))


def losses(advisory: Advisory) -> tuple[Loss, ...]:
    """STIX names no releases at all."""
    names = dict.fromkeys(name for flaw in advisory.flaws for name, _ in groups(flaw))
    return tuple(Loss(FORMAT, name, "STIX has no word for releases") for name in names)


def read_tlp(word: str) -> Tlp:
    """The label whose marking definition has this id; RED for any other."""
    known = {f"marking-definition--{ident}": label for label, (ident, _) in _MARKINGS.items()}
    return known.get(word, Tlp.RED)


def marking(tlp: Tlp) -> str:
    """The id of the marking definition of a label."""
    return f"marking-definition--{_MARKINGS[tlp][0]}"


def _moments(advisory: Advisory) -> list[str]:
    """When each revision was made; no two are one, since another version has a later moment."""
    return _rising([stamp(one.at).replace("Z", ".000Z") for one in advisory.revisions])


def _rising(stamps: Sequence[str]) -> list[str]:
    made = list[str]()
    for one in stamps:
        made.append(max(one, _next(made[-1])) if made else one)
    return made


def _next(moment: str) -> str:
    """A millisecond later."""
    return _precise(datetime.fromisoformat(moment) + timedelta(milliseconds=1))


def _precise(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _said(one: Json) -> Json:
    return {name: told for name, told in one.items() if name not in {"created", "modified"}}


def _author(advisory: Advisory) -> str:
    return _identifier("identity", advisory.namespace, advisory.publisher)


def _named(advisory: Advisory, flaw: Flaw) -> tuple[str, ...]:
    return (flaw.cve,) if flaw.cve else (advisory.id, str(advisory.flaws.index(flaw)))


def _identifier(kind: str, *names: str) -> str:
    return f"{kind}--{uuid5(_SPACE, chr(0).join((kind, *names)))}"


def _marking(tlp: Tlp) -> Json:
    word = _MARKINGS[tlp][1]
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking(tlp),
        "created": "2022-10-01T00:00:00.000Z",
        "name": tlp.value,
        "extensions": {_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": word}},
    }


def _vulnerability(advisory: Advisory, flaw: Flaw, tlp: Tlp) -> Json:
    found: list[Json] = [
        {"source_name": name.partition("-")[0].lower(), "external_id": name} for name in flaw.ids
    ]
    found += [
        {"source_name": advisory.publisher, "url": one.url, "description": one.summary}
        for one in advisory.references
    ]
    held: Json = {
        "type": "vulnerability",
        "created_by_ref": _author(advisory),
        "name": flaw.cve or flaw.title,
        "description": flaw.description,
        "object_marking_refs": [marking(tlp)],
    }
    if found:
        held["external_references"] = found
    return held | ({"revoked": True} if advisory.withdrawn else {})
