"""Another lead agency, or another deciding body, is a new file: no code changes, and no history."""

from datetime import timedelta
from pathlib import Path

import pytest

import make
from desk_world import SUBJECT, DeskWorld
from leadline.app import engagement as desk
from leadline.app.engagement import Dealings
from leadline.core.access import Action
from leadline.core.engagement import deciding
from leadline.core.engagement.determination import Answer
from leadline.core.engagement.engagement import standing
from leadline.core.engagement.library import Library
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, to_record
from leadline.wiring.desk import library
from leadline.wiring.regimes import BODIES, DATA

ORDER = DATA / "regimes" / "us-eo-14409.toml"
BODY = """
[[body]]
id = "us-new-office"
[[body.name]]
text = "Office of Frontier Models"
cites = "s"
[[sources]]
id = "s"
citation = "invented, for this test"
read = "nothing"
confidence = "B"
"""


def successor(folder: Path, supersedes: str) -> Library:
    """An installation's folder with a later text: another lead, another body and role decide."""
    folder.mkdir()
    (folder / BODIES).write_text(BODY)
    text = ORDER.read_text("utf-8")
    for old, new in (
        ('role = "determining-official"', 'role = "concurring-official"'),
        ('body = "us-nsa-director"', 'body = "us-new-office"'),
        ('body = "us-treasury"', 'body = "us-ncd"'),
        ("since = 2026-06-02", "since = 2026-08-01"),
        ('id = "us-eo-14409"\n', f'id = "us-eo-14409"\nsupersedes = "{supersedes}"\n'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "us-eo-14409.later.toml").write_text(text)
    return library(folder)


def answer(world: DeskWorld, person: str) -> None:
    """That person answers the latest inquiry."""
    facts = desk.inquiry_facts(Answer.UNDETERMINED, "too early to tell")
    granted = world.signed(person, Action.INQUIRY_ANSWER, world.on.resource(), facts)
    desk.answer_inquiry(
        world.at(person), world.on, Answer.UNDETERMINED, "too early to tell", granted
    )


def records(acts: list[Act]) -> list[object]:
    """What the log commits to."""
    return [to_record(act) for act in acts]


def test_history_keeps_its_text_and_what_is_new_is_under_the_new(tmp_path: Path) -> None:
    """Old acts and their text stay byte for byte; the new body answers once the developer adds it."""
    world = DeskWorld()
    old = world.on.regime
    desk.lodge_inquiry(world.at("developer"), world.on, {"asked": "would it be covered?"})
    world.after(days=1)
    answer(world, "official")
    world.open_access()
    before = records(world.acts())

    world.library = successor(tmp_path / "regimes", old.digest)
    later = world.library.newest("us-eo-14409")
    assert world.library.body(later.decides.body, world.now.date()) == "Office of Frontier Models"  # type: ignore[union-attr] # it has one
    world.on = desk.dealings(world.at("developer"), world.library, make.ENGAGEMENT)
    assert world.on.regime == old
    assert world.library.text(old.digest) == old

    world.after(days=1)
    desk.add_regime(world.at("developer"), world.on, later)
    desk.lodge_inquiry(world.at("developer"), world.on, {"asked": "and now?"})
    on = desk.standing(world.at("developer"), world.on)
    assert on.text().digest == later.digest
    assert on.opened_under("us-eo-14409") == old
    with pytest.raises(Refused, match=r"only the role concurring-official \(us-new-office\)"):
        deciding.answer_inquiry(
            on, world.at("official").principal, world.now, answer=Answer.UNDETERMINED, basis="b"
        )
    deed = deciding.answer_inquiry(
        on, world.at("second-official").principal, world.now, answer=Answer.COVERED, basis="b"
    )
    assert deed.detail["regime"] == later.digest
    after = records(world.acts())
    assert after[: len(before)] == before
    recorded = [act.detail["regime"] for act in world.acts(Kind.INQUIRY_LODGED)]
    assert recorded == [old.digest, later.digest]
    window = on.window
    assert window == standing(on.engagement, Library((old,)), on.acts[: len(before)]).window


def test_an_engagement_that_nobody_moved_stays_under_its_text(tmp_path: Path) -> None:
    """A later file alone moves nothing: the developer adds it, or does not."""
    world = DeskWorld()
    old = world.on.regime
    world.library = successor(tmp_path / "regimes", old.digest)
    world.on = desk.dealings(world.at("developer"), world.library, make.ENGAGEMENT)
    desk.lodge_inquiry(world.at("developer"), world.on, {"asked": "covered?"})
    world.after(days=1)
    answer(world, "official")
    (asked,) = world.acts(Kind.INQUIRY_LODGED)
    assert asked.detail["regime"] == old.digest
    fresh = Dealings("another", make.DEVELOPER, world.library.newest(old.id), world.library)
    begun = desk.open_draft(world.at("developer"), fresh, "another-model", SUBJECT)
    assert begun.regime_digest == world.library.newest(old.id).digest != old.digest


def test_each_day_has_its_text(tmp_path: Path) -> None:
    """Before its first day the later text is not the day's; before all of them the first is."""
    held = successor(tmp_path / "regimes", library().newest("us-eo-14409").digest)
    old, later = (
        held.on("us-eo-14409", make.NOW.date().replace(2026, 7, 31)),
        held.newest("us-eo-14409"),
    )
    assert old.supersedes == ""
    assert later.supersedes == old.digest
    first = later.in_force.since
    assert first is not None
    assert held.on("us-eo-14409", first) == later
    assert held.on("us-eo-14409", first - timedelta(days=1)) == old


def test_a_later_text_of_nothing_is_refused(tmp_path: Path) -> None:
    """A digest that no file has, and two successors of one text, stop the library by its id."""
    with pytest.raises(Invalid, match="us-eo-14409"):
        successor(tmp_path / "wrong", "0" * 64)
    folder = tmp_path / "two"
    successor(folder, library().newest("us-eo-14409").digest)
    text = (folder / "us-eo-14409.later.toml").read_text()
    (folder / "us-eo-14409.other.toml").write_text(text + "\n# another\n")
    with pytest.raises(Invalid, match="us-eo-14409"):
        library(folder)
