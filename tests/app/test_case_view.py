"""A10: at each stage, to each reader, on each channel: no embargoed string that is not granted."""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from case_world import CaseWorld
from leadline.app import case_view, cases, drafts
from leadline.core.clearing.case_view import SEEN, Part, Reader
from leadline.core.clearing.case_words import Answer, FixState, Move, Report, Role, Stage
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.errors import LeadlineError, NotFound
from leadline.core.record.act import Kind
from leadline.formats.values import plain
from leadline.wiring.cases import clock_lines, lines, page, timeline_lines

EVIDENCE = "e" * 64
CONTENT = ("canary-observation", "canary-file", "canary-function")
SUMMARY = ("canary-title", "canary-package", "CWE-91")
ALWAYS_HIDDEN = ("canary-model", "canary-oracle", "canary-item")
READERS = {
    "maintainer": Reader.OWNER,
    "upstreamer": Reader.STREAM,
    "downstream": Reader.STREAM,
    "finder": Reader.FINDER,
    "screener": Reader.COORDINATOR,
    "second-screener": Reader.COORDINATOR,
}


def staged(stage: Stage) -> tuple[CaseWorld, str]:
    """A case with everybody in it, at a stage; the second screener needs no content."""
    world = CaseWorld()
    case = world.peopled()
    world.add(case, "second-screener", Role.COORDINATOR)
    owner = world.parties["maintainer"]
    order = list(Stage)
    if stage is Stage.CONFIRMED:
        return world, case
    cases.state(world.at("maintainer"), case, owner, Stated(Report.VALID))
    cases.state(world.at("maintainer"), case, owner, Stated(Report.ACCEPTED))
    with world.store.write() as tx:
        tx.record(world.at("screener").act(Kind.FIX_MOVED, "fix-1", "", case=case, state="patched"))
    if order.index(stage) >= order.index(Stage.DATE_AGREED):
        cases.propose(world.at("maintainer"), case, world.now + timedelta(days=20))
        cases.answer(world.at("finder"), case, Answer.ACCEPT)
        cases.state(world.at("maintainer"), case, owner, Stated(fix=FixState.READY))
    if order.index(stage) >= order.index(Stage.PUBLISHED):
        cases.credit(world.at("screener"), case, world.parties["finder"], "canary-credit")
        cases.move(world.at("screener"), case, Moved(Move.PUBLIC))
    if stage is Stage.DETAILED:
        cases.move(world.at("screener"), case, Moved(Move.DETAILS))
    return world, case


def channels(world: CaseWorld, person: str, case: str, folder: Path) -> Iterable[str]:
    """Everything that this person can be shown of a case: views, words, pages, and errors."""
    ctx = world.at(person)
    asks: tuple[Callable[[], object], ...] = (
        lambda: plain(case_view.view(ctx, case)),
        lambda: [plain(one) for one in case_view.listed(ctx)],
        lambda: list(lines(case_view.view(ctx, case))),
        lambda: list(clock_lines(case_view.view(ctx, case).clocks)),
        lambda: list(timeline_lines(case_view.view(ctx, case))),
        lambda: case_view.public(ctx, case),
        lambda: cases.standing(ctx, case),
        lambda: cases.join(ctx, case, [world.findings[1]]),
        lambda: cases.state(ctx, case, world.parties["maintainer"], Stated(Report.CLOSED)),
        lambda: cases.propose(ctx, case, world.now + timedelta(days=500), reason="longer"),
        lambda: cases.move(ctx, case, Moved(Move.EXTENDED)),
        lambda: cases.close(ctx, case, "a reason"),
        lambda: drafts.listed(ctx, case),
        lambda: drafts.write(ctx, case, drafts.Asked(("party-nobody",))),
    )
    for number, ask in enumerate(asks):
        try:
            found = ask()
        except LeadlineError as error:
            yield f"{error.code}: {error}"
            continue
        # What a reader who may coordinate holds as a whole is no view; rules let only those at it.
        if number not in {6, 7, 8, 9, 10}:
            yield found if isinstance(found, str) else json.dumps(plain(found))
    out = folder / f"{person}-{case}.html"
    if not out.exists():
        page(case_view.view(ctx, case), world.now, out)
        yield out.name + out.read_text()


@pytest.mark.parametrize("stage", list(Stage), ids=lambda stage: stage.value)
@pytest.mark.parametrize("person", READERS)
def test_nothing_embargoed_reaches_whom_it_is_not_granted(
    stage: Stage, person: str, tmp_path: Path
) -> None:
    """Each canary string stands where the table of the reference grants it, and nowhere else."""
    world, case = staged(stage)
    seen = case_view.view(world.at(person), case)
    assert seen.stage == stage.value
    granted = SEEN[READERS[person], stage] | (frozenset(Part) if person == "screener" else set())
    told = "\n".join(channels(world, person, case, tmp_path))
    for canary in ALWAYS_HIDDEN:
        assert canary not in told
    own = person == "finder"
    for canary in CONTENT:
        assert (canary in told) == (Part.CONTENT in granted or own), (canary, person)
    for canary in SUMMARY:
        shown = bool({Part.SUMMARY, Part.CONTENT} & granted)
        assert (canary in told) == (shown or own), (canary, person)
    assert ("canary-case" in told) == (Part.TITLE in granted)
    others = [f"canary-name-{one}" for one in ("maintainer", "upstreamer", "downstream")]
    products = [f"canary-product-{one}" for one in ("maintainer", "upstreamer", "downstream")]
    for canary in (*others, *products):
        mine = canary.endswith(person)
        assert (canary in told) == (Part.PARTIES in granted or mine), (canary, person)
    for one in ("maintainer", "upstreamer", "downstream"):
        shown = Part.CONTACTS in granted or one == person
        assert (f"{one}@canary.example" in told) == shown, (one, person)
    assert ("fix-1" in told) == (Part.FIXES in granted and stage is not Stage.CONFIRMED)


@pytest.mark.parametrize("stage", list(Stage), ids=lambda stage: stage.value)
@pytest.mark.parametrize("person", ["stranger", "hospital", "other-finder", "clearing-auditor"])
def test_who_is_not_in_it_learns_nothing_before_it_is_public(
    stage: Stage, person: str, tmp_path: Path
) -> None:
    """Byte for byte what a case that is not there answers, until it is published; then the advisory's part."""
    world, case = staged(stage)
    world.finding(7, "other-finder")
    ctx, secret = world.at(person), stage not in {Stage.PUBLISHED, Stage.DETAILED}

    def told(id_: str) -> str:
        found = list[str]()
        for ask in (case_view.view, cases.standing, case_view.public):
            try:
                found.append(json.dumps(plain(ask(ctx, id_))))
            except LeadlineError as error:
                found.append(f"{error.code}: {error}")
        return "\n".join(found).replace(id_, "CASE")

    there, not_there = told(case), told("case-" + "0" * 32)
    assert "canary-observation" not in there or stage is Stage.DETAILED
    assert "canary-model" not in there
    assert "canary-name" not in there
    assert "@canary" not in there
    assert (there == not_there) == secret
    if not secret and person != "clearing-auditor":
        assert "canary-title-0" in there
        assert "canary-credit" in there


def test_an_operator_role_and_the_public_see_nothing_before_publication() -> None:
    """The table itself: nothing at all is granted to them before, and never parties or contacts."""
    for stage in (Stage.CONFIRMED, Stage.FIX_IN_WORK, Stage.DATE_AGREED):
        for reader in (Reader.OPERATOR, Reader.PUBLIC):
            assert SEEN[reader, stage] == frozenset()
    for (reader, _), parts in SEEN.items():
        if reader in {Reader.OPERATOR, Reader.PUBLIC, Reader.FINDER}:
            assert not parts & {Part.PARTIES, Part.CONTACTS, Part.TIMELINE, Part.FIXES}
    assert set(SEEN) == {(reader, stage) for reader in Reader for stage in Stage}


def test_existence_is_told_only_where_the_text_says_so() -> None:
    """That there is a case, and its dates; neither title nor package."""
    world, case = staged(Stage.FIX_IN_WORK)
    with pytest.raises(NotFound):
        case_view.public(world.at("hospital"), case)
    cases.move(world.at("screener"), case, Moved(Move.EXISTENCE))
    told = json.dumps(plain(case_view.public(world.at("hospital"), case)))
    assert "leadline-default" in told
    assert "canary" not in told
    other = CaseWorld()
    quiet = other.peopled("cert-cc-45")
    with pytest.raises(LeadlineError, match="does not announce"):
        cases.move(other.at("screener"), quiet, Moved(Move.EXISTENCE))


def test_a_recorded_need_shows_the_content_early() -> None:
    """Need to know is an act with a reason; without it an upstream party sees its own part."""
    world, case = staged(Stage.CONFIRMED)
    assert "canary-observation" not in json.dumps(
        plain(case_view.view(world.at("upstreamer"), case))
    )
    world.add(case, "upstreamer", Role.UPSTREAM, need="the flaw is in its code")
    assert "canary-observation" in json.dumps(plain(case_view.view(world.at("upstreamer"), case)))


def test_without_an_embargo_it_is_public_from_the_first_day() -> None:
    """The proof stays out even then."""
    world = CaseWorld()
    case = world.peopled("linux-kernel-ai-found")
    told = json.dumps(plain(case_view.public(world.at("hospital"), case)))
    assert "canary-observation-0" in told
    assert "0" * 63 not in told.replace(world.findings[0], "")
