"""Official runs from the command line: an installation, its series of records, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.test_suite_qualify import ONLY, REPORT, Scripted
from leadline.app.request import Request
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, Refused
from leadline.core.isolation import Tier
from leadline.core.qualification import QUICK, Extent
from leadline.runner.laboratory import planned
from leadline.settings import Home, Settings, Workspace
from leadline.vault.keys import open_signer
from leadline.wiring import assess as wiring
from leadline.wiring import home as homes
from leadline.wiring import qualified
from leadline.wiring import suites as campaigns

ONE, TWO = "11" * 32, "22" * 32


def installation(folder: Path) -> Home:
    """An installation, as far as its keys go."""
    home = Home(folder / "home")
    homes.make(home)
    open_signer(home.keys / homes.LOG_KEY, "institute.example/log")
    return home


def campaign(home: Home, suite: str, seed: str = "") -> Path:
    """A campaign of *suite* where it belongs, with nothing in it but what was drawn."""
    wanted = campaigns.Campaign(suite, Path(), QUICK, seed=seed)
    placed = campaigns.placed(wanted, None, home)
    placed.out.mkdir(parents=True)
    (placed.out / qualified.CAMPAIGN).write_text(json.dumps({"seed": placed.seed}))
    return placed.out


def test_campaigns_of_an_installation_share_one_unused_seed(tmp_path: Path) -> None:
    """The second suite joins the series of the first; the folder's name tells nothing of the seed."""
    home = installation(tmp_path)
    first, second = campaign(home, "planted"), campaign(home, "ranges")
    assert first.parent == second.parent
    seed = json.loads((first / qualified.CAMPAIGN).read_text())["seed"]
    assert len(seed) == 64
    assert seed[:16] not in str(first)
    assert qualified.seed_of(home, None) == seed


def test_a_series_serves_one_run(tmp_path: Path) -> None:
    """A run reveals its seed; the next one needs fresh items, and is told who had these."""
    home = installation(tmp_path)
    first = campaign(home, "planted")
    seed = qualified.seed_of(home, None)
    qualified.take(home, seed, tmp_path / "out")
    for given in (None, seed):
        with pytest.raises(Refused, match="out, which reveals it" if given else "no unused series"):
            qualified.seed_of(home, given)
    second = campaign(home, "planted")
    assert second.parent != first.parent
    assert qualified.seed_of(home, None) != seed


def test_of_two_unused_series_one_must_be_named(tmp_path: Path) -> None:
    """No seed is chosen by chance."""
    home = installation(tmp_path)
    campaign(home, "planted", ONE)
    campaign(home, "planted", TWO)
    with pytest.raises(Invalid, match=r"--seed: 2 series .* are unused; name one"):
        qualified.seed_of(home, None)
    assert qualified.seed_of(home, TWO) == TWO


def test_records_stand_where_they_are_asked_for(tmp_path: Path) -> None:
    """``--out`` comes first; without an installation of its own a campaign lies in the working folder."""
    home, plain = installation(tmp_path), campaigns.Campaign("planted", Path(), QUICK, seed=ONE)
    named = campaigns.placed(plain, tmp_path / "here", home)
    assert (named.out, named.seed) == (tmp_path / "here", ONE)
    nowhere = campaigns.placed(plain, None, Home(tmp_path / "none"))
    assert nowhere.out == Path("qualified/planted").absolute()
    (home.folder / "request.json").write_text("{}")  # what one assessment made for itself
    assert campaigns.placed(plain, None, home).out == nowhere.out


def test_again_takes_the_seed_of_the_other_campaign(tmp_path: Path) -> None:
    """A second host's campaign in its own installation draws the same items."""
    home = installation(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / qualified.CAMPAIGN).write_text(json.dumps({"seed": ONE}))
    placed = campaigns.placed(campaigns.Campaign("planted", Path(), QUICK, again=other), None, home)
    assert placed.seed == ONE
    assert placed.out.parent.name == qualified.series(ONE)


def test_an_official_run_needs_an_installation(tmp_path: Path) -> None:
    """Neither an empty folder nor an assessment's own; nothing is written before that is known."""
    settings = Settings(registry_cache=tmp_path / "registry", workers=1, lease_seconds=30)
    own = installation(tmp_path)
    (own.folder / "request.json").write_text("{}")
    for home in (Home(tmp_path / "none"), own):
        request = Request("baseline", 1, Budget(), official=True, home=str(home.folder))
        with pytest.raises(
            Invalid, match=r"--home: .* is no installation.*`leadline suite qualify"
        ):
            wiring.assess(Workspace(tmp_path / "out"), settings, request, None, resume=False)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_spoilt_campaign_is_named(tmp_path: Path) -> None:
    """Its folder stands in the way of choosing a seed."""
    home = installation(tmp_path)
    folder = campaign(home, "planted")
    (folder / qualified.CAMPAIGN).write_text("[]")
    with pytest.raises(Invalid, match=r"campaign\.json: .* is spoilt"):
        qualified.seed_of(home, None)


@pytest.mark.sandbox
def test_what_the_gate_qualified_carries_an_official_run(tmp_path: Path) -> None:
    """From `suite qualify` to the plan: the sound item's record holds here, and in no other environment."""
    suite = Scripted(scripts=(ONLY + REPORT, REPORT))
    home = installation(tmp_path)
    drawn = campaigns.Campaign(suite.name, Path(), Extent(), seed=ONE)
    wanted = campaigns.placed(drawn, None, home)
    done = campaigns.run(suite, wanted, home, 2, lambda _: None)  # type: ignore[arg-type]
    assert done["qualified"] == 1, done
    listed = planned(suite, bytes.fromhex(ONE))  # type: ignore[arg-type]
    records = qualified.records(home, Tier.SHARED_KERNEL)
    sound, open_to_all = (records.standing(item) for item in listed.items)
    assert len(sound.record) == 64, sound.reason
    assert open_to_all.reason.startswith("unqualified, trivial_solutions: solved by")
    elsewhere = replace(records, environment={**records.environment, "kernel": "another"})
    assert elsewhere.standing(listed.items[0]).reason.endswith("(kernel)")
    changed = replace(listed.items[0], digest="ff" * 32)
    assert records.standing(changed).reason == "the item has changed since it was examined"
