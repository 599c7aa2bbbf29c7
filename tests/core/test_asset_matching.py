"""Lines of asset lists against advisories in words: which product is meant, and what is said of it."""

from dataclasses import replace

import pytest

from leadline.core.clearing import asset_shelf
from leadline.core.clearing.asset_shelf import Shelf
from leadline.core.clearing.assets import Known, Verdict, content, judge, questions
from leadline.core.clearing.bulletin import Bulletin, Remedy, Spoken
from leadline.core.clearing.makers import Maker
from leadline.core.clearing.match import Status
from leadline.core.clearing.product import Component

MAKERS = (
    Maker("acme", ("Acme", "Acme Pumps", "Old Acme"), "own name"),
    Maker("other", ("Otherco",), "own name"),
)


def spoken(name: str, said: str, title: str = "", *, ident: str = "P1", maker: str = "Acme", codes: tuple[str, ...] = (), affected: bool = True, fixed: bool = False, unaffected: bool = False) -> Spoken:  # fmt: skip
    """A product of an advisory, affected by one flaw unless said otherwise."""
    flaw = ("CVE-2026-0001",)
    return Spoken(ident, maker, name, said, title or f"{name}: {said}", codes, flaw if affected else (), flaw if fixed else (), flaw if unaffected else ())  # fmt: skip


def bulletin(*products: Spoken, ident: str = "ADV-1", title: str = "Acme things", remedies: tuple[Remedy, ...] = ()) -> Bulletin:  # fmt: skip
    """An advisory about some products."""
    return Bulletin(ident, title, products, remedies)


def fix(text: str, *products: str, category: str = "vendor_fix") -> Remedy:
    """A remedy for products, the first if none is named."""
    return Remedy(category, text, frozenset(products or ("P1",)))


def line(
    model: str, version: str = "", *, maker: str = "Acme", comment: str = "", site: str = ""
) -> Component:
    """A line of a list."""
    return Component("2", model, version, maker=maker, comment=comment, site=site, kind="device")


def only(shelf: Shelf, component: Component, *known: Known) -> Verdict:
    """The one verdict."""
    (found,) = judge(shelf, component, known)
    return found


def status(component: Component, *bulletins: Bulletin) -> str:
    """The status of the first advisory; absent if it does not concern the line."""
    found = judge(Shelf(bulletins, MAKERS), component)
    return str(found[0].status) if found else "absent"


@pytest.mark.parametrize(
    ("product", "model", "expected"),
    [
        ("Pumpmaster 300", "Pumpmaster 300", "affected"),
        ("Pumpmaster 300", "PUMPMASTER300", "affected"),
        ("Pumpmaster 300", "Pumpmaster-300", "affected"),
        ("Pumpmaster 300", "Pumpmastr 300", "affected"),
        ("Pumpmaster 300", "Pumpmaster 310", "absent"),
        ("Pumpmaster 300", "Pumpmaster", "unknown"),
        ("Pumpmaster 300", "Valve 300", "absent"),
        ("PX-300", "PX300", "affected"),
        ("PX-300", "PX-300A", "absent"),
        ("PX-300", "PX-300-EU", "affected"),
        ("EKX-1524-CE series", "EKX-1524", "affected"),
        ("ROX800", "ROX809", "affected"),
        ("ROX800", "ROX909", "absent"),
        ("IQ Series Controllers", "IQ4E controller", "affected"),
        ("IQ Series Controllers", "XQ4E controller", "absent"),
        ("Flow Designer Studio", "FlowDesigner Studio", "affected"),
        ("Flowmaster Studio", "Flow Master studio", "affected"),
        ("Flowmaster Studio", "Flowmaster", "affected"),
        ("Flowmaster", "Flowmaster Expert", "affected"),
        ("Acme Controller", "controller", "affected"),
        ("Acme Controller", "Valve 7", "absent"),
        ("System Configuration Tool (SCT)", "SCT", "affected"),
        ("System Configuration Tool (SCT)", "System Config Tool", "affected"),
        ("Widgets (XR1, XR2)", "Widgets XR2", "affected"),
        ("Widgets (XR1, XR2)", "Widgets XR3", "absent"),
        ("Gauge (7KX9501-0AA01)", "Gauge 7KX9501-0AA01", "affected"),
        ("Gauge CPU (part numbers BMXP*)", "BMXP342020", "affected"),
        ("Cam CB2XXX", "CB2231", "affected"),
        ("Cam CB2XXX", "CB3231", "absent"),
        ("1756-EN2T Series A", "1756-EN2T ser. A", "affected"),
        ("1756-EN2T Series A", "1756-EN2T ser. B", "absent"),
        ("Desk CC", "Desk PXM40", "absent"),
        ("Remote Server", "Local Server", "absent"),
        ("Flowmaster 14", "Flowmaster 14", "affected"),
        ("Remote Server", "Remote Server", "affected"),
        ("Widget XR-4000", "XR", "absent"),
        ("XR-4000-EU-B", "XR-4000 EU", "affected"),
        ("CB**", "CB", "absent"),
        ("CPU (part numbers BMXP*)", "BMEP342020", "absent"),
        ("Widget 4000-7", "Widget 40", "unknown"),
        ("Pump Master Studio", "Pumpmaster studio", "affected"),
        ("CPU (part numbers BMEP* and BMXP*)", "BMXP342020", "affected"),
    ],
)
def test_one_product_is_found_under_many_spellings(product: str, model: str, expected: str) -> None:
    """And a neighbouring model is not taken for it."""
    assert status(line(model, "1.0"), bulletin(spoken(product, "<= 2.0"))) == expected


@pytest.mark.parametrize(
    ("maker", "model", "expected"),
    [
        ("Old Acme", "Flowmaster", "affected"),
        ("Acmee", "Flowmaster", "affected"),
        ("", "Acme Flowmaster", "affected"),
        ("Flowmaster", "Acme", "affected"),
        ("Otherco", "Flowmaster", "affected"),
        ("Otherco", "Valve", "absent"),
        ("Nobody known", "Flowmaster", "affected"),
        ("Nobody known", "FX3000T", "affected"),
        ("Otherco", "FX3000T", "absent"),
        ("Otherco", "Studio", "absent"),
        ("Otherco", "Pumpmaster", "absent"),
        ("Otherco", "Sigma Spectrumix", "absent"),
    ],
)
def test_the_maker_may_be_former_swapped_or_unknown(maker: str, model: str, expected: str) -> None:
    """A telling name is believed without it; a common word never is."""
    products = [
        spoken("Flowmaster", "<= 2.0"),
        spoken("Valve", "<= 2.0", ident="P2"),
        spoken("FX3000T", "<= 2.0", ident="P3"),
        spoken("Studio", "<= 2.0", ident="P4"),
        spoken("Pumpmaster 300", "<= 2.0", ident="P5"),
        spoken("Spectrumix Power 4", "<= 2.0", ident="P6"),
    ]
    assert status(line(model, "1.0", maker=maker), bulletin(*products)) == expected


def test_a_brand_that_many_names_share_tells_little() -> None:
    """The rarer word decides; a line of the brand alone is none of them surely."""
    brand = [
        spoken(f"Brandix {word}", "<= 2.0", ident=word)
        for word in ("Alphaone", "Betatwo", "Gammathree", "Deltafour")
    ]
    shelf = Shelf([bulletin(*brand)], MAKERS)
    assert only(shelf, line("Alphaone", "1")).product == "Acme Brandix Alphaone"
    assert judge(shelf, line("Brandix Omega", "1")) == []
    assert judge(shelf, line("pump", "1", comment="next to Brandix")) == []


def test_the_most_fully_named_product_of_a_bulletin_counts() -> None:
    """FX-ENET-L is not FX-ENET; a version and a comment may help to name it."""
    products = [
        spoken("FX3-ENET", "<= 1.0", ident="P1"),
        spoken("FX3-ENET-L", "<= 2.0", ident="P2"),
    ]
    assert only(Shelf([bulletin(*products)], MAKERS), line("FX3-ENET-L", "1.5")).spoken == ("P2",)
    assert (
        status(
            line("Quantix panel", "1.0", comment="Q5 board"),
            bulletin(spoken("Quantix panel (Q5)", "<2.0")),
        )
        == "affected"
    )
    assert (
        status(
            line("RV50X AirLine", "ALEOX 4.1"), bulletin(spoken("AirLine ALEOX firmware", "< 4.9"))
        )
        == "affected"
    )


def test_abbreviations_are_known_from_any_bulletin() -> None:
    """One spells the name out, another uses the abbreviation alone."""
    one = bulletin(spoken("GWS", "<= 2.0"), title="Acme Gateway Station (GWS) Product")
    assert status(line("Gateway Station", "1.0"), one) == "affected"
    odd = bulletin(spoken("GWS", "<= 2.0"), title="Acme Thing (GWS) Product (ZZ)")
    assert status(line("Gateway Station", "1.0"), odd) == "absent"


def test_parts_of_a_suite_are_found_by_its_name() -> None:
    """If the part has no code and the title says what it belongs to."""
    part = spoken("Compass", "< 8.7.8.0", "Topmost Suite: Compass: All versions prior to 8.7.8.0")
    assert (
        status(line("Topmost suite", "8.7"), bulletin(part, title="Acme Topmost Suite"))
        == "unknown"
    )
    coded = replace(part, name="Compass 800")
    assert (
        status(line("Topmost suite", "8.7"), bulletin(coded, title="Acme Topmost Suite"))
        == "absent"
    )


def test_models_may_stand_where_a_version_would() -> None:
    """Order numbers and models in the version's place mean every version of them."""
    panel = spoken("Access panels sold by others", "LNX-4420 | LNX-X2210", "panels - LNX-4420")
    assert status(line("LNX-4420", "1.2"), bulletin(panel)) == "affected"
    article = spoken("AXC 1050", "2700988", "AXC 1050: Article number 2700988")
    assert status(line("AXC 1050", "5.0"), bulletin(article)) == "affected"
    assert (
        status(line("AXC 1050", "5.0"), bulletin(replace(article, title="AXC 1050: 2700988")))
        == "unknown"
    )
    branch = spoken("R125", ">=V0|<=V2", "Acme R125: >=V0|<=V2")
    named_by_title = bulletin(branch, title="Acme XEL-411L")
    assert status(line("XEL-411L", "R125-V2"), named_by_title) == "affected"
    assert status(line("XEL-411L", "R125-V3"), named_by_title) == "not_affected"


@pytest.mark.parametrize(
    ("name", "said", "version", "expected"),
    [
        ("Flowmaster 14", "< 14.2.3", "14.2.2", "affected"),
        ("Flowmaster version 14", "< 14.2.3", "15.0", "absent"),
        ("Flowmaster V15 and earlier", "all", "13", "affected"),
        ("Flowmaster V15 and earlier", "all", "16", "absent"),
        ("Flowmaster V10.2", "all", "10.2.1", "affected"),
        ("Flowmaster V10.2", "all", "10.3", "absent"),
        ("Flowmaster V10.2", "all", "", "affected"),
        ("Flowmaster 2020", "all", "2023", "absent"),
        ("Flowmaster V10.2", "all", "10", "affected"),
        ("Flowmaster V8", "all", "9.0", "affected"),
    ],
)
def test_a_product_may_be_one_branch(name: str, said: str, version: str, expected: str) -> None:
    """A release of another branch is not spoken of; a lone number may be a generation of hardware."""
    branches = [spoken(name, said)]
    if "version 14" in name:
        branches.append(spoken("Flowmaster version 17", "< 17.1", ident="P2"))
    assert status(line("Flowmaster", version), bulletin(*branches)) == expected


@pytest.mark.parametrize(
    ("said", "title", "version", "remedy", "expected"),
    [
        ("<= 1.0", "", "1.0", "", "affected"),
        ("<= 1.0", "", "1.1", "", "not_affected"),
        ("<= 1.0", "", "1.1", "Update to version 1.1 or later.", "fixed"),
        ("<= 1.0", "", "1.2", "Update to version 1.1 or later.", "fixed"),
        ("<= 1.0", "", "1.2", "Update Othermodel9 to version 1.1; call us", "not_affected"),
        ("< 1.0", "", "0.5", "Update to version 1.0.", "affected"),
        ("< 1.0.1", "", "1.0", "", "unknown"),
        ("< 1.69 release 166", "", "1.69", "Update to v1.69.", "unknown"),
        ("<= WB10.9a17", "", "WB10.B929", "Use Version WB10.B929", "fixed"),
        ("<= WB10.9a17", "", "WB10.C929", "Use Version WB10.B929", "unknown"),
        ("1.5", "", "1.7", "", "unknown"),
        ("1.5", "", "1.7", "Update to version 1.6 or later", "fixed"),
        ("< 1.23.21", "", "1.23.21", "Update to 1.23.22 or higher", "unknown"),
        ("< 1.23.21", "", "1.23.30", "Update to 1.23.22 or higher", "fixed"),
        (">= 3.0.0 | <= 3.3.0", "", "2.4.0", "Update to v3.3.1 or later", "not_affected"),
        ("not a version at all", "", "2.4.0", "", "unknown"),
        ("9.9", "Flowmaster: < 9.9", "9.8", "", "affected"),
        ("9.9", "Flowmaster: something else", "9.8", "", "unknown"),
        ("all", "", "", "", "affected"),
        ("<= 1.0", "", "", "", "unknown"),
        ("<= 1.0", "", "no label", "", "unknown"),
        ("All versions only if web parts are used", "", "3", "", "affected"),
    ],
)
def test_what_is_said_of_a_version(
    said: str, title: str, version: str, remedy: str, expected: str
) -> None:
    """Not affected only outside of a range that was understood, fixed by the remedy's own words."""
    others = [spoken("Othermodel9", "<= 1.0", ident="P2")]
    held = bulletin(
        spoken("Flowmaster", said, title),
        *others,
        remedies=(fix(remedy, "P1", "P2"), fix("for P9", "P9")),
    )
    found = only(Shelf([held], MAKERS), line("Flowmaster", version))
    assert found.status == expected
    assert found.quote in found.why
    assert "ADV-1" in found.why
    assert bool(found.ask) == (expected == "unknown")
    assert found.ask.endswith("?") or not found.ask


def test_a_line_that_names_a_product_in_part_is_never_called_safe() -> None:
    """The question is whether it is that product."""
    several = [
        spoken(f"Flowmaster {word}", "<= 1.0", ident=word)
        for word in ("Alphaone", "Betatwo", "Gammathree")
    ]
    found = only(Shelf([bulletin(*several)], MAKERS), line("Flowmaster", "2.0"))
    assert found.status is Status.UNKNOWN
    assert "this product" in found.ask


def test_a_publisher_may_name_what_is_safe() -> None:
    """As not affected or as fixed; a release beyond is not spoken of."""
    safe = spoken("Flowmaster", "all", affected=False, unaffected=True)
    assert status(line("Flowmaster", "1"), bulletin(safe)) == "not_affected"
    fixed = spoken("Flowmaster", "2.0", affected=False, fixed=True)
    assert status(line("Flowmaster", "2.0"), bulletin(fixed)) == "fixed"
    assert status(line("Flowmaster", "3.0"), bulletin(fixed)) == "absent"


def test_the_most_cautious_statement_of_a_bulletin_wins() -> None:
    """One product entry may say all versions and another some."""
    both = bulletin(spoken("Flowmaster", "< 4.1"), spoken("Flowmaster", "vers:all/*", ident="P2"))
    assert status(line("Flowmaster", "4.1"), both) == "affected"


def test_a_version_at_the_end_of_the_model_is_read() -> None:
    """If a word says that it is one."""
    held = bulletin(spoken("Flowmaster", "<= 1.0"))
    assert status(line("Flowmaster FW 0.9"), held) == "affected"
    assert status(line("Flowmaster FW 1.9"), held) == "not_affected"


def test_one_question_for_a_line_whatever_waits_for_it() -> None:
    """It names the line and its site, and every advisory that it settles."""
    held = [bulletin(spoken("Flowmaster", "<= 1.0"), ident=ident) for ident in ("ADV-1", "ADV-2")]
    found = judge(Shelf(held, MAKERS), line("Flowmaster", site="Mill"))
    (asked,) = questions(found)
    assert asked.advisories == ("ADV-1", "ADV-2")
    assert asked.ask == "Is the version of Acme Flowmaster (line 2, Mill) 1.0 or earlier?"


def test_the_question_that_settles_most_comes_first() -> None:
    """The others wait until the version is known."""
    spans = {"ADV-1": "<= 1.0", "ADV-2": "<= 2.0", "ADV-3": "<= 2.0"}
    held = [bulletin(spoken("Flowmaster", said), ident=ident) for ident, said in spans.items()]
    (asked,) = questions(judge(Shelf(held, MAKERS), line("Flowmaster")))
    assert asked.advisories == ("ADV-2", "ADV-3")
    assert questions(judge(Shelf(held, MAKERS), line("Flowmaster", "0.9"))) == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (">= 1.0 | <= 2.0", "from 1.0 to 2.0"),
        (">= 1.0 | < 2.0", "from 1.0 up to, but not, 2.0"),
        ("< 2.0", "earlier than 2.0"),
        (">= 1.0", "1.0 or later"),
        ("1.0 | 1.1", "1.0, or 1.1"),
        ("what nobody reads", "\u201cwhat nobody reads\u201d"),
    ],
)
def test_a_question_says_the_range_in_words(said: str, words: str) -> None:
    """For a reader who has never seen a version range."""
    held = Shelf([bulletin(spoken("Flowmaster", said, "Flowmaster"))], MAKERS)
    assert words in only(held, line("Flowmaster")).ask


def known(component: Component, **more: object) -> Known:
    """An answer for a line."""
    ask = "Is the version of Acme Flowmaster (line 2) 1.0 or earlier?"
    base = Known(content(component), "Acme Flowmaster", ask, frozenset({"ADV-1"}))
    return replace(base, **more)  # type: ignore[arg-type]


def test_an_answer_speaks_for_its_line_and_its_advisories() -> None:
    """Yes, no, or the version; never for a changed line or for a later advisory."""
    shelf = Shelf([bulletin(spoken("Flowmaster", "<= 1.0"))], MAKERS)
    mine = line("Flowmaster")
    yes, no = known(mine, yes=True, by="J. Doe on 2026-11-03"), known(mine, yes=False)
    assert only(shelf, mine, yes).status is Status.AFFECTED
    assert "answered yes by J. Doe on 2026-11-03" in only(shelf, mine, yes).why
    assert only(shelf, mine, no).status is Status.NOT_AFFECTED
    assert only(shelf, mine, known(mine, release="2.0")).status is Status.NOT_AFFECTED
    assert only(shelf, mine, known(mine, release="0.9")).status is Status.AFFECTED
    assert only(shelf, mine, replace(no, advisories=frozenset({"ADV-0"}))).status is Status.UNKNOWN
    assert only(shelf, mine, replace(no, ask="Is it blue?")).status is Status.UNKNOWN
    assert only(shelf, replace(mine, comment="moved"), no).status is Status.UNKNOWN
    assert (
        only(
            shelf,
            replace(mine, version="0.9"),
            replace(no, line=content(replace(mine, version="0.9"))),
        ).status
        is Status.AFFECTED
    )


def test_withdrawn_spellings_and_empty_names_do_no_harm() -> None:
    """A product without a name and a line without one meet nothing."""
    shelf = Shelf([bulletin(spoken("", "", " "), spoken("-", "all", ident="P2"))], MAKERS)
    assert judge(shelf, line("")) == []
    assert judge(shelf, line("Flowmaster")) == []


def test_what_strangers_type_is_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound a slip is found all the same, and forgotten."""
    monkeypatch.setattr(asset_shelf, "SLIPS_KEPT", 0)
    shelf = Shelf([bulletin(spoken("Flowmaster", "<2.0"))], MAKERS)
    first, again = (judge(shelf, line("Flowmastr", "1.0")) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("maker", ["", "-", "?", "n/a", "unknown", "Unknown manufacturer", "k.A."])
@pytest.mark.parametrize(
    ("product", "model", "expected"),
    [
        ("PX-3", "PX-3", "unknown"),  # a short code, as any maker may have one
        ("PX-3", "PX-4", "absent"),
        ("PX-300", "PX300", "affected"),  # telling enough for sure
        ("Data Server", "data server", "unknown"),
        ("Acme Data Server", "data server", "unknown"),
        ("Data Server", "OPC data server for Otherco pumps", "unknown"),
        ("Data Server", "data server for Otherco", "unknown"),
        ("Data Server", "Otherco data server", "absent"),
        ("Acme", "data server", "absent"),
    ],
)
def test_a_line_without_a_maker_is_asked_about(
    maker: str, product: str, model: str, expected: str
) -> None:
    """Whatever stands in the cell instead; its release, inside or outside, never settles it."""
    held = bulletin(spoken(product, "<= 4.60"))
    for release in ("4.2", ""):
        found = status(line(model, release, maker=maker), held)
        assert found == ("unknown" if (expected, release) == ("affected", "") else expected)
    outside = status(line(model, "9.9", maker=maker), held)
    assert outside == ("not_affected" if expected == "affected" else expected)


def test_the_question_about_a_line_without_a_maker_says_why() -> None:
    """It has a yes or no, and both are taken."""
    shelf = Shelf([bulletin(spoken("PX-3", "<= 4.60"))], MAKERS)
    held = line("PX-3", "4.2", maker="unknown")
    found = only(shelf, held)
    assert "names no maker" in found.why
    assert found.ask == "Is unknown PX-3 (line 2) one of these: Acme PX-3 (<= 4.60)?"
    for yes, expected in ((True, "affected"), (False, "not_affected")):
        known = Known(content(held), found.product, found.ask, frozenset({"ADV-1"}), yes)
        assert only(shelf, held, known).status == expected


def test_a_line_may_say_who_made_the_device_and_nothing_else() -> None:
    """Which is no device that could be compared."""
    shelf = Shelf([bulletin(spoken("PX-3", "<= 4.60"))], MAKERS)
    assert shelf.names_maker_only(line("Acme Pumps", maker="n/a"))
    assert shelf.names_maker_only(line("", maker="Acme"))
    assert not shelf.names_maker_only(line("Acme PX-3", maker=""))
