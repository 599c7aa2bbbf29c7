"""What lists show: each kind as its own desk says it stands, from the moment it does."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.app import browse, cases, engagement, operators, reports
from leadline.app.browse import Filters, Page, Row, Thing
from leadline.app.ports import Order
from leadline.core.clearing.report import Stage
from leadline.core.engagement.engagement import Engagement, standing
from leadline.core.errors import Invalid
from leadline.core.record.act import Kind
from portal.world import Model, World, model
from reporting import reported


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def world(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of one's own."""
    with made.copied(tmp_path / "world") as found:
        yield found


def rows(world: World, person: str, thing: Thing, **filters: object) -> list[Row]:
    """The first part of a list."""
    page = browse.browse(world.ctx(person), thing, Filters(**filters))  # type: ignore[arg-type]
    return list(page.rows)


def test_an_engagement_has_the_word_that_its_acts_give(world: World) -> None:
    """Open until access ends, closed from then on without any act, withdrawn at once."""
    (row,) = rows(world, "developer", Thing.ENGAGEMENT)
    assert (row.state, row.title) == ("access-open", "a model nobody heard of")
    with world.at.door.parts.store.read() as view:
        facts = view.get(Engagement, row.id).value
        acts = [one.act for one in view.acts(engagement=row.id)]
    ends = standing(facts, world.dealings.library, acts).window.ends
    assert row.due == ends
    assert ends is not None
    world.at.clock.now = ends
    (later,) = rows(world, "developer", Thing.ENGAGEMENT)
    assert (later.state, later.due) == ("access-closed", None)
    assert rows(world, "developer", Thing.ENGAGEMENT, states=frozenset({"access-open"})) == []
    engagement.withdraw(world.ctx("developer"), world.dealings)
    assert [one.state for one in rows(world, "developer", Thing.ENGAGEMENT)] == ["withdrawn"]
    assert rows(world, "rival", Thing.ENGAGEMENT) == []


def test_an_act_that_cannot_be_read_keeps_nobody_from_writing(world: World) -> None:
    """The engagement stays in the list, without a word that might be wrong; the next act is recorded."""
    (before,) = rows(world, "developer", Thing.ENGAGEMENT)
    ctx = world.ctx("developer")
    odd = ctx.act(Kind.TERMS_AGREED, before.id, before.id, party="developer", terms="00" * 32)
    with world.at.door.parts.store.write() as tx:
        tx.record(odd)
    (after,) = rows(world, "developer", Thing.ENGAGEMENT)
    assert (after.id, after.state, after.title) == (before.id, "", before.title)
    with world.at.door.parts.store.write() as tx:
        tx.record(ctx.act(Kind.ANCHOR_SET, before.id, before.id))
        assert tx.log_size()


def test_a_case_has_its_next_date_and_whether_it_is_public(world: World) -> None:
    """As its standing has it, for those who are named for all of it; closed once it is."""
    found = {row.id: row for row in rows(world, "coordinator", Thing.CASE)}
    ctx, case = world.ctx("coordinator"), world.ids["case"]
    stands = cases.standing(ctx, case)
    assert (found[case].state, found[case].opened) == ("open", stands.opened_at)
    assert found[case].due is not None
    assert found[world.ids["public_case"]].state == "public"
    cases.close(world.ctx("coordinator"), world.ids["public_case"], "all is done")
    (closed,) = rows(world, "coordinator", Thing.CASE, states=frozenset({"closed"}))
    assert (closed.id, closed.due) == (world.ids["public_case"], None)
    assert {row.id for row in rows(world, "maintainer", Thing.CASE)} == set(found)
    assert rows(world, "other-maintainer", Thing.CASE) == []
    assert rows(world, "finder", Thing.CASE) == []


def test_a_report_stands_where_its_desk_says(world: World) -> None:
    """Its finder and who screens intake see it; a move shows at once."""
    draft = reported()
    receipt = reports.submit(world.ctx("finder"), draft.finding, draft.proof, draft.raw)
    for stage in (reports.state(world.ctx("finder"), receipt.finding).stage, Stage.DUPLICATE):
        if stage is Stage.DUPLICATE:
            reports.move(world.ctx("coordinator"), receipt.finding, stage, "it is one")
        for person in ("finder", "coordinator"):
            found = {row.id: row.state for row in rows(world, person, Thing.FINDING)}
            assert found[receipt.finding] == stage
    assert rows(world, "rival", Thing.FINDING) == []
    assert rows(world, "coordinator", Thing.FINDING, words="CWE-125", case=world.ids["case"])


def test_operators_are_listed_with_what_became_of_them(world: World) -> None:
    """For a coordinator all, for an operator its own; inventories for their own operator alone."""
    assert {row.state for row in rows(world, "coordinator", Thing.OPERATOR)} == {"vetted"}
    operators.end(world.ctx("operator"), world.ids["operator"], "we leave")
    found = {row.id: row.state for row in rows(world, "coordinator", Thing.OPERATOR)}
    assert found[world.ids["operator"]] == "ended"
    assert [row.title for row in rows(world, "operator", Thing.INVENTORY)] == ["inventory.cdx.json"]
    assert rows(world, "coordinator", Thing.INVENTORY) == []


def test_search_goes_over_every_kind(world: World) -> None:
    """Packages are words of what names them; the words of others are never found."""
    found = browse.search(world.ctx("coordinator"), "ujson")
    assert Thing.FINDING in dict(found.pages)
    assert browse.search(world.ctx("rival"), "ujson").pages == ()
    assert browse.search(world.ctx("coordinator"), " - ").words == ()
    assert browse.browse(world.ctx("coordinator"), Thing.CASE, Filters(words="--")) == Page()


def test_a_place_is_of_its_own_order(world: World) -> None:
    """A cursor is good for the list that gave it, and nothing else is."""
    ctx = world.ctx("coordinator")
    for order in (Order.TITLE, Order.CHANGED, Order.OPENED):
        page = browse.browse(ctx, Thing.CASE, order=order, limit=1)
        rest = browse.browse(ctx, Thing.CASE, order=order, after=page.after, limit=1)
        assert page.rows != rest.rows
        other = Order.TITLE if order is not Order.TITLE else Order.OPENED
        with pytest.raises(Invalid, match="after"):
            browse.browse(ctx, Thing.CASE, order=other, after=page.after)
    for wrong in ("é", "A", "WyJvcGVuZWQiLHRydWUsIngiXQ"):
        with pytest.raises(Invalid, match="after"):
            browse.browse(ctx, Thing.CASE, order=Order.OPENED, after=wrong)
    # Half of a character is no text that a database can be asked about, nor is NUL.
    for order, place in (
        (Order.TITLE, ["title", "\ud800", "x"]),
        (Order.CHANGED, ["changed", 1, "\ud800"]),
        (Order.TITLE, ["title", "\0", "x"]),
    ):
        told = urlsafe_b64encode(json.dumps(place).encode()).decode()
        with pytest.raises(Invalid, match="after"):
            browse.browse(ctx, Thing.CASE, order=order, after=told)
    with pytest.raises(Invalid, match="limit"):
        browse.browse(ctx, Thing.CASE, limit=0)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_a_cell_is_no_formula(text: str) -> None:
    """It begins with an apostrophe; other text is as it was."""
    assert browse.cell(text) == f"'{text}"
    assert browse.cell(f"a{text}") == f"a{text}"
