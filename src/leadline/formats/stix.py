"""STIX 2.1 out: a bundle of the publisher and its vulnerabilities, with ids that do not change.

STIX has no word for which releases are affected; its built-in markings are TLP 1, so the objects carry the marking
definitions of the TLP 2.0 extension. A TAXII server is not offered: a bundle is a file of the feed.
Sources: STIX 2.1 (OASIS, 2021), sections 4.5, 4.20, 7.2; STIX extension definition for TLP 2.0 (FIRST, 2022).
"""

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
_SPACE = uuid5(UUID(int=0), "leadline/stix/v1")
Json = dict[str, object]


def render(advisory: Advisory) -> bytes:
    """The bundle; the same advisory gives the same bytes, and the same CVE id the same object id."""
    author = _identifier("identity", advisory.namespace, advisory.publisher)
    moments = {
        "created": _moment(advisory, 0),
        "modified": _moment(advisory, -1),
        "spec_version": "2.1",
    }
    objects: list[Json] = [
        _marking(advisory.tlp),
        {
            "type": "identity",
            "id": author,
            **moments,
            "modified": moments["created"],
            "name": advisory.publisher,
            "identity_class": "organization",
        },
        *(_vulnerability(advisory, flaw, author) | moments for flaw in advisory.flaws),
    ]
    name = _identifier("bundle", advisory.id, advisory.revisions[-1].number)
    return dump({"type": "bundle", "id": name, "objects": objects})


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


def _moment(advisory: Advisory, place: int) -> str:
    return stamp(advisory.revisions[place].at).replace("Z", ".000Z")


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


def _vulnerability(advisory: Advisory, flaw: Flaw, author: str) -> Json:
    named = (flaw.cve,) if flaw.cve else (advisory.id, str(advisory.flaws.index(flaw)))
    found: list[Json] = [
        {"source_name": name.partition("-")[0].lower(), "external_id": name} for name in flaw.ids
    ]
    found += [
        {"source_name": advisory.publisher, "url": one.url, "description": one.summary}
        for one in advisory.references
    ]
    held: Json = {
        "type": "vulnerability",
        "id": _identifier("vulnerability", *named),
        "created_by_ref": author,
        "name": flaw.cve or flaw.title,
        "description": flaw.description,
        "object_marking_refs": [marking(advisory.tlp)],
    }
    if found:
        held["external_references"] = found
    return held | ({"revoked": True} if advisory.withdrawn else {})
