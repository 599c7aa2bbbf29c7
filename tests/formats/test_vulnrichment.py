"""SSVC values in CVE records: the assessor's own, and unknown where the record is silent."""

import json
from collections.abc import Mapping

import pytest

from leadline.core.clearing.exploited import Answer, agreed, known
from leadline.core.errors import Invalid
from leadline.formats import vulnrichment
from priority_world import AUTOMATABLE, IMPACT, tables


def container(by: str | None, *options: Mapping[str, object]) -> dict[str, object]:
    """A container by *by* with one SSVC metric, beside others."""
    content = {"id": "CVE-2026-0001", "timestamp": "2026-11-02T10:00:00Z", "options": list(options)}
    return {
        "providerMetadata": {"orgId": "o", **({"shortName": by} if by else {})},
        "metrics": [
            {"cvssV3_1": {"baseScore": 9.8}},
            {"other": {"type": "kev", "content": {"options": [{"Automatable": "yes"}]}}},
            {"other": {"type": "ssvc", "content": content}},
        ],
    }


def parsed(cna: object, *adp: object) -> tuple[str, tuple[Answer, ...]]:
    """The answers of a record."""
    containers = {"cna": cna, "adp": list(adp)}
    held = {"cveMetadata": {"cveId": "CVE-2026-0001"}, "containers": containers}
    return vulnrichment.parse(json.dumps(held).encode())


def test_the_published_form_is_read() -> None:
    """Each value with whoever assessed it; other points and metrics are left out."""
    options = (
        {"Exploitation": "poc"},
        {"Automatable": "No"},
        {"Technical Impact": "total", "Mission Prevalence": "minimal"},
    )
    cve, answers = parsed({}, container("CISA-ADP", *options))
    why = "assessed by CISA-ADP (2026-11-02T10:00:00Z)"
    assert cve == "CVE-2026-0001"
    assert answers == (
        Answer("ssvc:E:1.1.0", "P", "CISA-ADP", why),
        Answer(AUTOMATABLE, "N", "CISA-ADP", why),
        Answer(IMPACT, "T", "CISA-ADP", why),
    )
    assert known(answers)[IMPACT] == "T"


@pytest.mark.parametrize("version", ["5.0", "5.1", "5.1.1", "5.2.0"])
def test_records_of_each_version_of_the_format_are_read(version: str) -> None:
    """What 5.2.0 added to products changes nothing of what is read here."""
    affected = [{"packageURL": "pkg:pypi/thing", "defaultStatus": "affected"}]
    cna = container("maker", {"Automatable": "yes"}) | {"affected": affected}
    held = {"dataType": "CVE_RECORD", "dataVersion": version, "containers": {"cna": cna}}
    told = json.dumps(held | {"cveMetadata": {"cveId": "cve-2026-0001"}})
    cve, answers = vulnrichment.parse(told.encode())
    assert (cve, known(answers)[AUTOMATABLE]) == ("CVE-2026-0001", "Y")


def test_a_value_is_its_assessors_and_nobody_elses() -> None:
    """Two who differ leave it unknown; one without a name is not taken for CISA."""
    cna, adp = container("maker", {"Automatable": "yes"}), container(None, {"Automatable": "no"})
    _, answers = parsed(cna, adp)
    assert [(one.by, one.value) for one in answers] == [("maker", "Y"), ("not named", "N")]
    assert agreed(AUTOMATABLE, answers).value is None


def test_a_value_that_the_point_does_not_have_is_unknown() -> None:
    """With its reason; silence gives no answer at all."""
    _, (answer,) = parsed({}, container("CISA-ADP", {"Automatable": "perhaps"}))
    assert answer.value is None
    assert "'perhaps' for Automatable" in answer.why
    assert parsed({}) == ("CVE-2026-0001", ())


def test_keys_are_those_of_the_published_points() -> None:
    """Every id and key that this reader gives is one of a shipped table."""
    held = {point.id: point for table in tables().values() for point in table.inputs}
    for point, keys in vulnrichment.POINTS.values():
        assert {held[point].value(key).key for key in keys.values()} == set(keys.values())
        assert len(held[point].values) == len(set(keys.values()))


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"cveMetadata": {"cveId": "GHSA-1"}}'])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    """Without a CVE id nothing can be said of one."""
    with pytest.raises(Invalid):
        vulnrichment.parse(data)
