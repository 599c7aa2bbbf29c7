"""The report of a sealed run: one canonical JSON object of fixed form and bounded size, no free text."""

from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.core.sealed.session import (
    Measurement,
    Quote,
    SealedReport,
    check_report,
    quote_record,
)
from leadline.formats import canonical
from leadline.formats.pack import HEX, flat
from leadline.formats.values import plain

VERSION = "leadline/sealed-report/v1"
REPORT_BYTES_MAX = 4096
DIGEST_CHARS = 64


def write_report(report: SealedReport) -> bytes:
    """The bytes of *report*; raises as `read_report`."""
    data = canonical.encode(plain(report), bytes_max=REPORT_BYTES_MAX)
    read_report(data)
    return data


def read_report(data: bytes) -> SealedReport:
    """What `write_report` wrote.

    Raises: Invalid, naming the field, for another form or size; Refused, as `check_report`.
    """
    report = flat(SealedReport, "report", canonical.decode(data, bytes_max=REPORT_BYTES_MAX))
    if report.v != VERSION:
        raise Invalid("report.v", f"{VERSION} is due")
    for name in ("commitment", "model", "outcomes", "egress", "evidence"):
        text: str = getattr(report, name)
        if len(text) != DIGEST_CHARS or not HEX.issuperset(text):
            raise Invalid(f"report.{name}", "a SHA-256 in hex is due")
    check_report(report)
    return report


def measured(quote: Quote) -> Measurement:
    """A quote with its digests; raises Invalid, if its channel is not hexadecimal."""
    if not HEX.issuperset(quote.channel) or len(quote.channel) % 2:
        raise Invalid("quote", "its channel is a key in hex")
    return Measurement(
        quote,
        sha256(canonical.encode(quote_record(quote))).hexdigest(),
        sha256(bytes.fromhex(quote.channel)).hexdigest(),
    )
