"""The page of one site: what, why, tonight, and what to find out."""

from datetime import UTC, datetime

import pytest

from leadline.core.clearing.advice import advise
from leadline.core.clearing.assets import Verdict
from leadline.core.clearing.bulletin import Bulletin, Remedy
from leadline.core.clearing.match import Status
from leadline.core.clearing.product import Component
from leadline.render import site_pages
from leadline.render.html import html
from leadline.render.pdf import pdf
from leadline.render.site_pages import NO_DATE, overview_document, site_document, sites
from leadline.render.text import text

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def device(
    ref: str, name: str = "Flowmaster", version: str = "1.0", site: str = "Mill"
) -> Component:
    """A line of the list."""
    return Component(ref, name, version, maker="Acme", site=site, kind="device")


def verdict(
    ref: str, status: Status = Status.AFFECTED, advisory: str = "ADV-1", ask: str = ""
) -> Verdict:
    """One verdict about a line."""
    return Verdict(
        ref, advisory, status, "because", "Acme Flowmaster", "Flowmaster: vers:all/*", ask, ("P1",)
    )


def remedy(category: str, told: str) -> Remedy:
    """A remedy for the product."""
    return Remedy(category, told, frozenset({"P1"}))


def bulletin(
    *remedies: Remedy, ident: str = "ADV-1", cves: tuple[str, ...] = ("CVE-2026-0001",)
) -> Bulletin:
    """An advisory."""
    return Bulletin(
        ident, "Acme", (), remedies, "An attacker could stop the pump.", "CISA", "1-888", cves=cves
    )


def page(
    items: list[Component], verdicts: list[Verdict], *bulletins: Bulletin, **more: object
) -> str:
    """The page of the first site as plain text."""
    held = {one.id: one for one in bulletins or (bulletin(),)}
    ((site, found),) = sites(items, verdicts).items()
    return text(site_document(site, found, held, AT, **more))  # type: ignore[arg-type]


def test_an_affected_device_has_its_action_first() -> None:
    """What, tonight, then, why; whom to call; no date that nobody gave."""
    told = page([device("2")], [verdict("2")], bulletin(remedy("mitigation", "Block port 80 at the firewall."), remedy("vendor_fix", "Update to version 1.1.")), call="Duty engineer")  # fmt: skip
    assert "Mill: 1 device needs work tonight" in told
    assert (
        told.index("Block port 80")
        < told.index("Update to version 1.1.")
        < told.index("ADV-1 names")
    )
    assert "all versions" in told
    assert "An attacker could stop the pump." in told
    assert "Duty engineer" in told
    assert "1-888" in told
    assert " ".join(NO_DATE.split()[:6]) in " ".join(told.split())


@pytest.mark.parametrize(
    ("remedies", "tonight", "then"),
    [
        ((), "Keep it off", "names no update"),
        ((remedy("none_available", "No fix is planned."),), "Keep it off", "No update: No fix is planned."),
        ((remedy("no_fix_planned", "End of life."), remedy("workaround", "Disable SSH.")), "Disable SSH.", "No update: End of life."),
        ((remedy("mitigation", "Version 5.0.29.2"),), "Keep it off", "names no update"),
        ((remedy("mitigation", "Upgrade your firmware to 2.0"), remedy("vendor_fix", "Patch soon.")), "Keep it off", "Patch soon."),
        ((remedy("vendor_fix", " "),), "Keep it off", "names no update"),
        ((Remedy("vendor_fix", "Update another.", frozenset({"P9"})),), "Keep it off", "names no update"),
        ((remedy("vendor_fix", "Update to 2.0. " + "More words follow here. " * 20),), "Keep it off", "Update to 2.0."),
        ((remedy("vendor_fix", "Update " + "word" * 3 + " and so on" * 60),), "Keep it off", "\u2026"),
    ],
)  # fmt: skip
def test_advice_is_what_the_advisory_says(
    remedies: tuple[Remedy, ...], tonight: str, then: str
) -> None:
    """A control that needs no new software first; where no update exists, that is said."""
    held = advise(bulletin(*remedies), ("P1",))
    assert tonight in held.tonight
    assert then in held.then


def test_attacks_are_told_only_where_they_are_known() -> None:
    """Devices under attack come first; without a list that is not known."""
    items = [device("2", "Alpha"), device("3", "Beta")]
    verdicts = [verdict("2"), verdict("2", advisory="ADV-3"), verdict("3", advisory="ADV-2")]
    advisories = (
        bulletin(),
        bulletin(ident="ADV-2", cves=("CVE-2026-0002",)),
        bulletin(ident="ADV-3"),
    )
    known = page(
        items, verdicts, *advisories, attacked=frozenset({"CVE-2026-0002"}), attacked_known=True
    )
    assert known.index("Acme Beta") < known.index("Acme Alpha")
    assert "Known to be used in attacks." in known
    assert "2 devices need work tonight" in known
    assert "Also: ADV-1." in known
    unknown = page(items, verdicts, *advisories)
    assert "not known here" in " ".join(unknown.split())
    none = page(items, verdicts, *advisories, attacked_known=True)
    assert "None of them is on it." in " ".join(none.split())


def test_open_questions_are_asked_and_never_called_safe() -> None:
    """One for each line, with yes and no; an unknown without a question asks the maker."""
    items = [device("2", version=""), device("3"), device("4", "Gamma"), device("5", "Omega")]
    verdicts = [
        verdict("2", Status.UNKNOWN, ask="Is it 3.77 or earlier?"),
        verdict("3", Status.UNKNOWN),
        verdict("4", Status.FIXED),
    ]
    told = " ".join(page(items, verdicts).split())
    assert "something to find out" in told
    assert "Is it 3.77 or earlier?" in told
    assert "Ask the maker of Acme Flowmaster" in told
    assert (
        "2 more have something to find out (not known is not good news); 1 have the fix on; 1 are not named"
        in told
    )


def test_a_site_without_anything_says_so() -> None:
    """And what that does not mean."""
    told = " ".join(page([device("2", site=" ")], []).split())
    assert "Place not given: nothing to do" in told
    assert "nothing about flaws that other advisories name" in told


def test_eight_devices_fit_on_one_printed_page() -> None:
    """As HTML without a request or script, and as one A4 page of PDF."""
    items = [device(str(ref), f"Flowmaster {ref}") for ref in range(2, 10)]
    fix = remedy(
        "vendor_fix",
        "Acme recommends users to update to version 2.0 or later, which can be had from its support site.",
    )
    held = {
        "ADV-1": bulletin(fix, remedy("mitigation", "Restrict access to port 80 to trusted hosts."))
    }
    ((site, found),) = sites(items, [verdict(item.ref) for item in items]).items()
    document = site_document(site, found, held, AT)
    made = html(document)
    assert "<script" not in made
    assert "http" not in made.replace("http-equiv", "")
    data = pdf(document)
    assert data.count(b"/Type /Page") - data.count(b"/Type /Pages") <= 1


def test_all_places_on_one_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Device, place, tonight, then; questions below; what is beyond the room is counted, not dropped."""
    items = [device("2"), device("3", site=""), device("4", site="Well"), device("5", site="Well")]
    verdicts = [
        verdict("2"),
        verdict("3", advisory="ADV-2"),
        verdict("4", Status.UNKNOWN, ask="Is it 1.1 or earlier?"),
        verdict("5", Status.UNKNOWN),
    ]
    held = {
        "ADV-1": bulletin(remedy("mitigation", "Block port 80 at the firewall.")),
        "ADV-2": bulletin(ident="ADV-2"),
    }
    every = [item for found in sites(items, verdicts).values() for item in found]
    told = text(overview_document(every, held, AT, call="Duty engineer"))
    assert "All places: 2 devices need work tonight" in told
    assert "Block port 80 at the firewall." in told
    assert "Keep it off the internet." in told
    assert "Place not given" in told
    assert "Is it 1.1 or earlier?" in told
    assert "Duty engineer" in told
    assert "more, on the pages" not in told
    monkeypatch.setattr(site_pages, "OVERVIEW_MAX", 1)
    assert "2 more, on the pages of their places." in text(overview_document(every, held, AT))
    only = text(overview_document(every[2:], held, AT))
    assert "All places: something to find out" in only
    assert "Who to call" not in only
