"""Verdicts, requests, sealed reports and the programme's numbers as bytes."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

import make
import sealed_world as sw
from leadline.core.errors import Invalid, Refused
from leadline.core.sealed.session import Quote, SealedReport, statements
from leadline.core.sealed.verdict import RunRequest, Verdict
from leadline.formats import canonical, pack, sealed_report, verdict
from leadline.formats.sealed_toml import BOUNDS, load_limits
from leadline.formats.values import plain

D = sha256(b"d").hexdigest()
HEX = "0123456789abcdef" * 2
REQUEST = RunRequest(
    f"request-{HEX}", f"thing-{HEX}", D, "family-a", D, D, make.NOW + timedelta(days=7)
)
VERDICT = Verdict(
    f"verdict-{HEX}", REQUEST.id, D, D, 40, 50, 10, 90, 25, D, D, "local-process", "custody"
)


def test_requests_and_verdicts_read_back() -> None:
    """Equal, and bounded."""
    assert verdict.decode_request(verdict.encode_request(REQUEST)) == REQUEST
    assert verdict.decode_verdict(verdict.encode_verdict(VERDICT)) == VERDICT
    assert len(verdict.encode_verdict(VERDICT)) < verdict.FILE_BYTES_MAX // 2
    for read in (verdict.decode_request, verdict.decode_verdict):
        with pytest.raises(Invalid, match="more than"):
            read("x" * (verdict.FILE_BYTES_MAX + 1))


def test_whether_a_request_was_answered_is_not_said() -> None:
    """It is this side's own knowledge: a text that says it is refused, as one that is no object."""
    told = plain(replace(REQUEST, answered=True))
    for wrong in (told, "x"):
        with pytest.raises(Invalid, match="fields of a request"):
            verdict.decode_request(pack.text(verdict.REQUEST, wrong))


def test_an_answer_before_or_after_leaves_the_digest_of_a_request_alone() -> None:
    """The digest is of what was asked."""
    answered = replace(REQUEST, answered=True)
    assert verdict.request_digest(REQUEST) == verdict.request_digest(answered)
    assert verdict.request_digest(REQUEST) != verdict.request_digest(
        replace(REQUEST, model="0" * 64)
    )


def report(**changed: object) -> SealedReport:
    """A report of six items."""
    said = statements("local-process", "api")
    version = sealed_report.VERSION
    base = SealedReport(version, "s", D, D, "local-process", "api", said, 6, 1, 5, D, D, D)
    return replace(base, **changed)  # type: ignore[arg-type]


def test_a_report_of_fixed_form_reads_back() -> None:
    """Equal, small, and with the sentences that API mode needs."""
    data = sealed_report.write_report(report())
    assert sealed_report.read_report(data) == report()
    assert len(data) <= sealed_report.REPORT_BYTES_MAX
    assert b"the developer who hosts the model can see every prompt" in data
    assert b"items were secret" not in data


@pytest.mark.parametrize(
    "changed", [{"v": "other"}, {"egress": "none"}, {"outcomes": "Z" * 64}, {"model": D[:-1]}]
)
def test_a_report_with_other_words_does_not_leave(changed: dict[str, object]) -> None:
    """Where a digest is due, nothing else stands."""
    with pytest.raises(Invalid):
        sealed_report.write_report(report(**changed))


def test_a_report_takes_no_further_field_and_no_greater_size() -> None:
    """A note beside the numbers, or a long name, is refused."""
    told = canonical.decode(sealed_report.write_report(report()))
    assert isinstance(told, dict)
    with pytest.raises(Invalid, match="exactly these fields"):
        sealed_report.read_report(canonical.encode({**told, "note": "x"}))
    with pytest.raises(Invalid, match="at most 4096"):
        sealed_report.write_report(report(session="s" * 4096))
    with pytest.raises(Refused):
        sealed_report.write_report(report(solved=6))


def test_a_quote_is_measured_by_its_digests() -> None:
    """The channel's key is hexadecimal."""
    quote = Quote("local-process", D, False, 0, D, "00ff", D, D)  # noqa: FBT003
    made = sealed_report.measured(quote)
    assert made.channel == sha256(b"\x00\xff").hexdigest()
    assert made.digest != sealed_report.measured(replace(quote, nonce="0" * 64)).digest
    for wrong in ("0", "zz"):
        with pytest.raises(Invalid, match="hex"):
            sealed_report.measured(replace(quote, channel=wrong))


def test_numbers_out_of_bounds_are_refused_by_name() -> None:
    """So are missing and unknown ones."""
    given = {name: low for name, (low, _) in BOUNDS.items()}

    def text(values: dict[str, int]) -> bytes:
        return "".join(f"{name} = {value}\n" for name, value in values.items()).encode()

    assert load_limits(text(given), "f").runs_max == 1
    for name, (low, high) in BOUNDS.items():
        for value in (low - 1, high + 1):
            with pytest.raises(Invalid, match=name):
                load_limits(text({**given, name: value}), "f")
    with pytest.raises(Invalid, match="other"):
        load_limits(text({**given, "other": 1}), "f")
    assert sw.limits().nonce_seconds == 300
