"""Who assessed what about one CVE, from the SSVC values in its record (CISA's Vulnrichment and others).

A value is shown as its assessor's and nobody else's. What the record does not say stays unknown.
Source: CVE record format 5, containers ``cna`` and ``adp``, metrics of type ``ssvc``;
https://github.com/cisagov/vulnrichment.
"""

from collections.abc import Iterator, Mapping

from leadline.core.clearing.exploited import Answer, cve_id
from leadline.core.errors import Invalid
from leadline.formats.document import load, record, records, text

# Decision points as the records name them, with the id and the keys of the published points.
POINTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Automatable": ("ssvc:A:2.0.0", {"no": "N", "yes": "Y"}),
    "Technical Impact": ("ssvc:TI:1.0.0", {"partial": "P", "total": "T"}),
    "Exploitation": ("ssvc:E:1.1.0", {"none": "N", "poc": "P", "public poc": "P", "active": "A"}),
}
_NAME_MAX = 80


def parse(data: bytes, name: str = "CVE record") -> tuple[str, tuple[Answer, ...]]:
    """The CVE id of a record and the answers in it, in the order of the record; *name* stands in errors.

    A value of a known point that the point does not have is an unknown answer with its reason; points
    that no table here asks for are left out.

    Raises: Invalid, if it is no JSON or no record with a CVE id.
    """
    document = load(data, name)
    cve = text(record(document.get("cveMetadata")).get("cveId"))
    if not cve:
        raise Invalid(f"{name}: cveMetadata", "has no cveId; expected a CVE record of format 5")
    containers = record(document.get("containers"))
    held = [record(containers.get("cna")), *records(containers.get("adp"))]
    return cve_id(cve), tuple(answer for container in held for answer in _answers(container))


def _answers(container: Mapping[str, object]) -> Iterator[Answer]:
    by = text(record(container.get("providerMetadata")).get("shortName"))[:_NAME_MAX] or "not named"
    for metric in records(container.get("metrics")):
        other = record(metric.get("other"))
        if other.get("type") != "ssvc":
            continue
        content = record(other.get("content"))
        at = text(content.get("timestamp"))[:_NAME_MAX] or "no date"
        for option in records(content.get("options")):
            for name, value in option.items():
                if name in POINTS:
                    yield _answer(name, text(value), by, at)


def _answer(name: str, value: str, by: str, at: str) -> Answer:
    point, keys = POINTS[name]
    key = keys.get(value.strip().lower())
    if key is None:
        return Answer(
            point, None, by, f"{by} gives {value!r:.40} for {name}, which is no value of it"
        )
    return Answer(point, key, by, f"assessed by {by} ({at})")
