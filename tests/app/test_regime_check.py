"""`leadline regime check`: every text loads and does what its examples say, or the fault is named."""

from pathlib import Path

import pytest

from leadline.app.regimes import Known, check, check_names, texts
from leadline.wiring.regimes import BODIES, DATA, checked, library, questions

HELD = library()
KNOWN = Known(HELD.bodies, frozenset({"determining-official", "concurring-official"}), questions())
LAW = (DATA / "regimes" / "us-eo-14409.toml").read_bytes()
EXAMPLES = (DATA / "regimes" / "us-eo-14409.examples.toml").read_bytes()
STATE = {
    name: (DATA / "regimes" / name).read_bytes()
    for name in ("ca-sb53.toml", "ca-sb53.examples.toml")
}


def faults(law: bytes = LAW, examples: bytes | None = EXAMPLES, name: str = "us-eo-14409") -> str:
    """All faults of the order's file with these examples, in one text."""
    files = {f"{name}.toml": law}
    if examples is not None:
        files[f"{name}.examples.toml"] = examples
    return "\n".join(fault for one in check(files, KNOWN) for fault in one.faults)


def changed(text: bytes, old: str, new: str) -> bytes:
    """The file with its first *old* replaced."""
    assert old in text.decode()
    return text.decode().replace(old, new, 1).encode()


def test_the_shipped_order_has_no_fault() -> None:
    """The starting point of what follows; also under a name of its own year."""
    assert faults() == faults(name="us-eo-14409.2027") == ""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("days_before_anchor_max = 30", "days_before_anchor_max = 31", "opens_not_before is"),
        ("days_open_max = 30", "days_open_max = 29", "example[3]: ends is"),
        ("since = 2026-06-02", "since = 2026-06-03", "verdict is not-in-force"),
        ("days = 60", "days = 61", "the day counted is 2026-08-02"),
        ("due = 2026-07-02", "due = 2026-07-03", "the day in the text is 2026-07-03"),
        ("for up to 30 days", "for up to 31 days", "window does not say"),
        ('id = "us-eo-14409"', 'id = "us-eo"', "regime: is"),
        ('role = "determining-official"', 'role = "decider"', "'decider' is no role"),
        ('["under-development"', '["in-development"', "'in-development' is no answer to stage"),
        ("yes = false", "yes = true", "verdict is open-to-you"),
        ('id = "us-eo-14409"', 'id = ""', "us-eo-14409.toml: id: is empty"),
        ('id = "clearinghouse"', 'id = "house"', "'clearinghouse' is no [[clocks]] id"),
    ],
)
def test_a_changed_law_is_at_fault_with_its_examples(old: str, new: str, fault: str) -> None:
    """Each fault names the example, and what it found instead."""
    assert fault in faults(changed(LAW, old, new))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('refused = "only the developer"\n', "", "is refused: only the developer"),
        (
            'refused = "only the developer"',
            'refused = "nobody"',
            ": is refused: only the developer",
        ),
        ('did = "access.opened"', 'did = "access.opened"\nrefused = "x"', "act 4: is recorded"),
        ('regime = "us-eo-14409"', 'regime = "us-eo"', "regime: is 'us-eo'"),
        ('because = ["none', 'because = ["all', "no reason says"),
        ("[[coverage]]", '[[words]]\nof = "fee"\nhas = ["x"]\n[[coverage]]', "'fee' is no entry"),
        (
            "[[coverage]]",
            '[[duty]]\nsays = "d"\non = 2026-06-02\nbegun = ["x"]\n[[coverage]]',
            "begun says 'x'",
        ),
        (
            "[[coverage]]",
            '[[duty]]\nsays = "d"\non = 2026-06-02\nnot_yet = ["x"]\n[[coverage]]',
            "to begin says 'x'",
        ),
        (
            "[[coverage]]",
            '[[report]]\nsays = "r"\nasked_at = 2026-06-03T00:00:00Z\n[[report.due]]\nrule = "a"\nto = "public"\n[[coverage]]',
            "due are: none",
        ),
        ("says =", "said =", "us-eo-14409.examples.toml: example[1].says"),
    ],
)
def test_a_wrong_example_is_at_fault(old: str, new: str, fault: str) -> None:
    """An example that does not hold is named by kind and number, whichever of the two is wrong."""
    assert fault in faults(examples=changed(EXAMPLES, old, new))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "within = { days = 15 }",
            "within = { days = 16 }",
            "critical-incident number 1 to ca-oes",
        ),
        ('to = "ca-oes"', 'to = "public"', "critical-incident number 1 to ca-oes"),
        ('only = "large"\nto', "to", "internal-use-summary number 1 to ca-oes"),
        ('of = "large"\n', "", "no [[covers]] entry of the file says what 'large' is"),
        ("every = { months = 3 }", "every = { months = 4 }", "at 2027-02-28"),
    ],
)
def test_a_changed_clock_is_at_fault(old: str, new: str, fault: str) -> None:
    """A report later, to somebody else, or of everybody: the example says which and when."""
    law = STATE["ca-sb53.toml"].decode()
    files = STATE | {"ca-sb53.toml": law.replace(old, new, 1).encode()}
    found = "\n".join(one for each in check(files, KNOWN) for one in each.faults)
    assert old in law
    assert fault in found


def test_a_window_example_needs_a_window() -> None:
    """Days of a text that gives no access are no example."""
    wrong = STATE["ca-sb53.examples.toml"] + (
        b'[[window]]\nsays = "w"\nanchor = 2026-12-01T00:00:00Z\nearliest = 2026-11-01T00:00:00Z\n'
    )
    (one,) = check(STATE | {"ca-sb53.examples.toml": wrong}, KNOWN)
    assert "ca-sb53 has no access window" in one.faults[0]


def test_files_go_in_pairs() -> None:
    """A text without examples, and examples without a text, are faults of their own."""
    assert "us-eo-14409.examples.toml: is missing" in faults(examples=None)
    (one,) = check({"x.examples.toml": EXAMPLES}, KNOWN)
    assert (one.file, one.examples) == ("x.examples.toml", 0)
    assert "begin its name with us-eo-14409" in faults(name="us-eo-1440")


def test_texts_that_contradict_each_other_are_named() -> None:
    """The same text twice is a fault of all."""
    files = {
        f"us-eo-14409{year}.{kind}": content
        for year in ("", ".2027")
        for kind, content in (("toml", LAW), ("examples.toml", EXAMPLES))
    }
    found = check(files, KNOWN)
    assert [one.file for one in found if one.faults] == ["(all)"]


def test_an_installation_checks_its_own_files(tmp_path: Path) -> None:
    """Its texts, its bodies, its mistakes: beside those that come with Leadline, under its folder."""
    folder = tmp_path / "regimes"
    folder.mkdir()
    law = STATE["ca-sb53.toml"].decode().replace("ca-sb53", "xx-law").replace("ca-oes", "xx-office")
    examples = STATE["ca-sb53.examples.toml"].decode().replace("ca-sb53", "xx-law")
    (folder / "xx-law.toml").write_text(law)
    (folder / "xx-law.examples.toml").write_text(examples.replace("ca-oes", "xx-office"))
    wrong = {one.file: one.faults for one in checked(folder) if one.faults}
    assert list(wrong) == ["regimes/xx-law.toml"]
    assert "'xx-office' is no body" in wrong["regimes/xx-law.toml"][0]
    (folder / BODIES).write_text(
        '[[body]]\nid = "xx-office"\n[[body.name]]\ntext = "The office"\ncites = "s"\n'
        '[[sources]]\nid = "s"\ncitation = "c"\nread = "r"\nconfidence = "B"\n'
    )
    assert not [one for one in checked(folder) if one.faults]
    assert library(folder).newest("xx-law").reports[0].to == "xx-office"
    (folder / BODIES).write_text("[[body]]\n")
    assert "regimes/bodies.toml" in {one.file for one in checked(folder) if one.faults}


def test_a_body_is_checked_by_its_examples() -> None:
    """Another name, an unknown body, a wrong file: each a fault, with the day."""
    content = (DATA / BODIES).read_bytes()
    examples = (DATA / "bodies.examples.toml").read_bytes()
    assert check_names(content, examples, BODIES).faults == ()
    for old, new, fault in (
        ("since = 2026-09-29", "since = 2026-09-28", "us-ai-standards-centre on 2026-09-28 is"),
        ('id = "us-nsa-director"', 'id = "us-director"', "no body 'us-nsa-director'"),
        ("\n[[body]]", "\nlist = 1\n[[body]]", "bodies.toml: list"),
    ):
        assert fault in check_names(changed(content, old, new), examples, BODIES).faults[0]


def test_every_text_of_the_mandatory_report_says_that_it_never_was() -> None:
    """Each entry with words says so; none of it is in force, decides, or opens anything."""
    found = HELD.newest("us-reported-mandatory-2026-05")
    for words in texts(found).values():
        assert "never in force" in words.lower()
    assert (found.window, found.decides, found.reports) == (None, None, ())
    assert [one.kind for one in found.statements] == ["hold"]


def test_no_shipped_text_has_a_toll() -> None:
    """A clock stands still only where a text is cited for it, and none of these is."""
    assert [one.id for one in HELD.texts if one.toll] == []
