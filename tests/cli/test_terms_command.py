"""`leadline terms` and `leadline partner`, by people of both parties and of a partner."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from desk_terminal import Terminal, terminal
from leadline.app import engagement as desk
from leadline.app.engagement import Dealings
from leadline.cli import main
from leadline.core.assessment import Subject
from leadline.formats.terms_toml import load_terms
from leadline.wiring.regimes import library

ENGAGEMENT = make.ENGAGEMENT
PARTNER = """
organisation = "a-utility"
tier = "early access"
targets = ["pkg:generic/pump@1"]
expires = {expires}
[[stages]]
capabilities = ["api"]
credits = 3
uses_a_day = 10
[[stages]]
capabilities = ["tuning"]
credits = 1
uses_a_day = 10
"""


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Terminal]:
    """Terminals, a draft of an engagement, and one person of a partner to be."""
    with terminal(tmp_path, main.app) as made:
        texts = library()
        on = Dealings(ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)
        subject = Subject("model", "a model", "d" * 64)
        desk.open_draft(made.house.ctx("developer"), on, "a model", subject)
        made.house.enrol(
            "partner",
            "trusted-partner",
            org="a-utility",
            engagements=frozenset({ENGAGEMENT}),
            access_until=made.house.clock.now + timedelta(days=30),
        )
        yield made


def sign(desks: Terminal, person: str, *file: str) -> str:
    """That person signs."""
    key = str(desks.key(person))
    return desks.ok(person, "terms", "agree", ENGAGEMENT, *file, "--key", key, "--yes")


def in_effect(desks: Terminal, tmp_path: Path) -> Path:
    """Drafted by the developer for assessment and defence, and signed by both."""
    file = tmp_path / "terms.toml"
    desks.ok("developer", "terms", "draft", ENGAGEMENT, str(file))
    text = file.read_text().replace('"determination"]', '"defence"]')
    file.write_text(text)
    assert "waits for the other party" in sign(desks, "developer", str(file))
    assert "in effect" in sign(desks, "official")
    return file


def test_terms_are_drafted_compared_signed_and_shown(desks: Terminal, tmp_path: Path) -> None:
    """The second party signs what the first offered, having read what it changes."""
    file = in_effect(desks, tmp_path)
    terms = load_terms(file.read_bytes(), "terms.toml")
    shown = json.loads(desks.ok("evaluator", "terms", "show", ENGAGEMENT, "--json"))
    assert shown["in_effect"]["digest"] == terms.digest
    assert set(shown["signed"]) == {"developer", "government"}
    assert "purposes: assessment, defence" in desks.ok("official", "terms", "show", ENGAGEMENT)
    unchanged = desks.ok("official", "terms", "diff", ENGAGEMENT, str(file))
    assert unchanged.startswith("nothing: these are the terms in effect")
    second = tmp_path / "second.toml"
    desks.ok("official", "terms", "draft", ENGAGEMENT, str(second), "--days", "10")
    changes = desks.ok("developer", "terms", "diff", ENGAGEMENT, str(second))
    assert "+ version: 2" in changes
    assert f"+ replaces: {terms.digest}" in changes
    sign(desks, "official", str(second))
    pending = desks.ok("developer", "terms", "show", ENGAGEMENT)
    assert "the government signed" in pending
    offered = desks.ok("developer", "terms", "diff", ENGAGEMENT)
    assert load_terms(second.read_bytes(), "t").digest in offered


def test_a_refused_command_says_what_to_do(desks: Terminal, tmp_path: Path) -> None:
    """A file that is there, one that is not, a purpose of the list, nothing to sign, another's desk."""
    file = tmp_path / "terms.toml"
    nothing = desks.run("developer", "terms", "diff", ENGAGEMENT)
    assert (nothing.exit_code, "name a file" in nothing.output) == (5, True)
    assert "nothing yet" in desks.ok("developer", "terms", "show", ENGAGEMENT)
    desks.ok("developer", "terms", "draft", ENGAGEMENT, str(file))
    again = desks.run("developer", "terms", "draft", ENGAGEMENT, str(file))
    assert (again.exit_code, "exists" in again.output) == (5, True)
    nowhere = desks.run("developer", "terms", "draft", ENGAGEMENT, str(tmp_path / "no" / "t"))
    assert nowhere.exit_code == 2
    assert desks.run("developer", "terms", "diff", ENGAGEMENT, str(tmp_path / "x")).exit_code == 4
    file.write_text(file.read_text().replace('"determination"', '"weapons"'))
    key = ("--key", str(desks.key("developer")), "--yes")
    never = desks.run("developer", "terms", "agree", ENGAGEMENT, str(file), *key)
    assert (never.exit_code, "no terms cover 'weapons'" in never.output) == (2, True)
    assert desks.run("rival", "terms", "show", ENGAGEMENT).exit_code == 4


def test_the_purposes_are_listed_without_an_installation() -> None:
    """With those that no terms cover."""
    plain = CliRunner().invoke(main.app, ["terms", "purposes"])
    assert "no terms cover it" in plain.output
    rows = json.loads(CliRunner().invoke(main.app, ["terms", "purposes", "--json"]).output)
    assert {"weapons", "surveillance"} <= {one["id"] for one in rows["purposes"] if one["never"]}


def admitted(desks: Terminal, tmp_path: Path) -> None:
    """A partner that may use its first stage."""
    in_effect(desks, tmp_path)
    file = tmp_path / "partner.toml"
    expires = (desks.house.clock.now + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file.write_text(PARTNER.format(expires=expires))
    for person, words in (
        ("official", ("propose", ENGAGEMENT, str(file), "--reason", "it runs water works")),
        ("developer", ("agree", ENGAGEMENT, "a-utility", "--reason", "agreed")),
        ("developer", ("stage", ENGAGEMENT, "a-utility", "0")),
    ):
        desks.ok(person, "partner", *words)
    # A first command makes the seat, and with it the key that signs next.
    assert "target pkg:generic/pump@1" in desks.ok("partner", "partner", "show", ENGAGEMENT)
    assert "purposes: assessment, " in desks.ok("partner", "partner", "show", ENGAGEMENT)
    key = str(desks.key("partner"))
    assert "signed" in desks.ok("partner", "partner", "sign", ENGAGEMENT, "--key", key)


def use(desks: Terminal, *more: str, purpose: str = "defence") -> tuple[int, str]:
    """The partner uses its target."""
    words = ("partner", "use", ENGAGEMENT, "pkg:generic/pump@1", "--purpose", purpose)
    done = desks.run("partner", *words, *(more or ("--capability", "api")))
    return done.exit_code, done.output


def test_a_partner_from_proposal_to_end(desks: Terminal, tmp_path: Path) -> None:
    """What it may use, what is left, what was refused, and what is destroyed by when."""
    admitted(desks, tmp_path)
    assert use(desks) == (0, "recorded; 2 credits are left\n")
    for more, purpose, told in (
        (("--capability", "api", "--credits", "3"), "defence", "2 credits are left"),
        (("--capability", "tuning"), "defence", "no stage that is open"),
        ((), "weapons", "no terms cover"),
    ):
        code, output = use(desks, *more, purpose=purpose)
        assert (code, told in output) == (5, True)
    rows = json.loads(desks.ok("developer", "terms", "refusals", ENGAGEMENT, "--json"))["refusals"]
    assert [row["org"] for row in rows] == ["a-utility"] * 3
    assert "for weapons" in desks.ok("developer", "terms", "refusals", ENGAGEMENT)
    rest = ("--until", "2099-01-01", "--authority", "letter 7")
    told = desks.ok("official", "partner", "restrict", ENGAGEMENT, "a-utility", *rest)
    assert "until 2099-01-01T00:00:00.000000Z" in told
    assert "letter 7" in use(desks)[1]
    end = ("end", ENGAGEMENT, "a-utility", "--authority", "as agreed")
    assert "destroy what came of pkg:generic/pump@1 by 20" in desks.ok("partner", "partner", *end)
    assert use(desks)[0] == 5
    listed = json.loads(desks.ok("evaluator", "partner", "list", ENGAGEMENT, "--json"))
    (one,) = listed["partners"]
    assert (one["credits_left"], one["credits_spent"], len(one["rests"])) == (2, 1, 2)
    assert "a-utility  early access  agreed  1 of 2" in desks.ok(
        "official", "partner", "list", ENGAGEMENT
    )


def test_a_partner_sees_its_own_scope_and_the_terms(desks: Terminal, tmp_path: Path) -> None:
    """And no list of partners; the rival does not learn that there is an engagement."""
    admitted(desks, tmp_path)
    seen = json.loads(desks.ok("partner", "partner", "show", ENGAGEMENT, "--json"))
    assert seen["partner"]["organisation"] == "a-utility"
    assert seen["terms"]["digest"] == seen["signed_terms"]
    assert desks.run("partner", "partner", "list", ENGAGEMENT).exit_code == 3
    assert desks.run("rival", "partner", "show", ENGAGEMENT).exit_code == 4
    late = ("--since", "2001-01-01", "--authority", "x")
    past = desks.run("official", "partner", "end", ENGAGEMENT, "a-utility", *late)
    assert (past.exit_code, "past" in past.output) == (2, True)
