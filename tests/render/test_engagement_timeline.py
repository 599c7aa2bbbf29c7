"""The picture of an engagement's dates: every date is a line of its table, and nothing speaks of a release as a gate."""

from datetime import timedelta

from desk_world import DeskWorld
from leadline.app import engagement as desk
from leadline.app import exchange
from leadline.render.engagement_timeline import spans, timeline_figure


def test_a_draft_has_no_date() -> None:
    """An empty table, and a picture all the same."""
    world = DeskWorld()
    figure = timeline_figure(desk.standing(world.at("developer"), world.on), world.now)
    assert figure.data.rows == ()
    assert figure.svg.startswith("<svg")


def test_access_may_open_is_open_and_ends() -> None:
    """Before opening from the first day on; then until what ends it; each with its words."""
    world = DeskWorld()
    dev = world.at("developer")
    desk.set_anchor(dev, world.on, world.now + timedelta(days=40), "UTC")
    before = spans(desk.standing(dev, world.on))
    assert [one.kind for one in before if one.until] == ["may open"]
    world = DeskWorld()
    world.open_access()
    exchange.ask(world.at("official"), world.on, "How?")
    found = timeline_figure(desk.standing(world.at("developer"), world.on), world.now)
    told = [what for _, what in found.data.rows]
    assert any(what.startswith("Government access; it ends because: ") for what in told)
    assert "You were asked for information" in told
    assert all(what in found.alt for what in told)


def test_a_party_ends_access_and_the_developer_withdraws() -> None:
    """In the row of that access, or of its own."""
    world = DeskWorld()
    world.open_access()
    world.after(days=1)
    desk.end_access(world.at("official"), world.on)
    world.after(days=1)
    desk.withdraw(world.at("developer"), world.on)
    found = {one.words: one.row for one in spans(desk.standing(world.at("developer"), world.on))}
    assert found["A party ended access"] == "Access: us-eo-14409"
    assert found["You withdrew; access ended at once"] == "Withdrawn"
