"""Incidents and what follows: reported, added to, resolved; listed, drafted, put on record as sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

import make
from desk_world import DeskWorld
from leadline.app import dates, incidents, obligations, partners
from leadline.app import engagement as desk
from leadline.app.incidents import Told
from leadline.app.obligations import Law
from leadline.core.access import Bounds, Principal
from leadline.core.engagement.calendar import What
from leadline.core.engagement.coverage import Answers
from leadline.core.engagement.incident import Incident
from leadline.core.engagement.library import Library
from leadline.core.engagement.obligation import Stage
from leadline.core.engagement.partner import Partner, Rest
from leadline.core.engagement.partner import Stage as Step
from leadline.core.engagement.regime import (
    Condition,
    Event,
    Fact,
    InForce,
    Participation,
    Regime,
    Report,
    Source,
    Status,
    Unit,
)
from leadline.core.engagement.register import Entry
from leadline.core.engagement.result import Result
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.grant import Grant, Scope
from leadline.core.marking import Tlp
from leadline.core.record.act import Kind, instant
from leadline.formats.regime_toml import load_regime
from leadline.settings import Home
from leadline.wiring import duties

KNOWN = make.NOW - timedelta(hours=1)
HAPPENED = make.NOW - timedelta(hours=3)


def _report(id_: str, event: Event, *, only: str = "", **more: object) -> Report:
    made = Report(id_, "developer", event, "a-body", f"words of {id_}", "sec-1", only=only)
    return replace(made, **more)  # type: ignore[arg-type] # real fields


TEXT = Regime(
    id="a-law",
    title="A law of the tests",
    digest="a" * 64,
    status=Status.IN_FORCE,
    in_force=InForce(date(2026, 1, 1)),
    participation=Participation.STATUTE,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 10),
    sources=(Source("sec-1", "A law, sec. 1", "https://example.org/law", "whole", "P"),),
    covers=(Condition(Fact.YEARLY_REVENUE, "w", "sec-1", above=5e8, of="large"),),
    reports=(
        _report(
            "incident",
            Event.INCIDENT_KNOWN,
            within=(15, Unit.DAYS),
            categories=("breach",),
            parts=("developer", "what-happened", "who-knew-when", "how-it-was-resolved", "numbers"),
            keep_years=5,
        ),
        _report("at-once", Event.INCIDENT_KNOWN, categories=("breach",)),
        _report("final", Event.INCIDENT_RESOLVED, within=(60, Unit.DAYS), categories=("breach",)),
        _report("use", Event.INTERNAL_USE_BEGUN, every=(3, Unit.MONTHS), only="large"),
    ),
)


@pytest.fixture
def world() -> DeskWorld:
    """Everybody, with one law more."""
    return DeskWorld()


def law(world: DeskWorld) -> Law:
    """The shipped texts, that law, and the shipped clock of one's own choice."""
    own = (duties.OWN / "third-party-notice.toml").read_bytes()
    texts = Library((*world.library.texts, TEXT), world.library.bodies)
    return Law(texts, (load_regime(own, "third-party-notice.toml"),))


def told(*categories: str, known: datetime = KNOWN, text: str = "Weights were copied.") -> Told:
    """What the developer tells."""
    return Told(text, "on-call engineer", known, categories)


def reported(world: DeskWorld, *categories: str, engaged: bool = True) -> Incident:
    """An incident of the developer's."""
    return incidents.report(
        world.at("developer"),
        law(world).texts(),
        told(*categories),
        happened=HAPPENED,
        notifies="colleague",
        on=world.on if engaged else None,
    )


def test_an_incident_is_on_record_with_who_knew_when_and_its_words_in_the_vault(
    world: DeskWorld,
) -> None:
    """The act holds times, categories and a digest; the words are read by who may."""
    made = reported(world, "breach")
    (act,) = world.acts(Kind.INCIDENT_REPORTED)
    assert (act.about, act.engagement, act.detail["party"]) == (
        made.id,
        make.ENGAGEMENT,
        "developer",
    )
    assert "copied" not in str(act.detail)
    assert "engineer" not in str(act.detail)
    found = incidents.incident(world.at("colleague"), made.id)
    assert incidents.told(world.at("colleague"), found.acts[0]) == {
        "text": "Weights were copied.",
        "who": "on-call engineer",
    }
    assert incidents.incident(world.at("evaluator"), made.id).incident == made


@pytest.mark.parametrize("person", ["rival", "partner", "operator", "coordinator"])
def test_an_incident_of_others_is_as_if_it_were_not(world: DeskWorld, person: str) -> None:
    """Neither found, nor listed, nor added to, nor owed, and no act tells that they asked."""
    made, before = reported(world, "breach"), len(world.acts())
    ctx = world.at(person)
    for ask in (
        lambda: incidents.incident(ctx, made.id),
        lambda: incidents.add_knowledge(ctx, [TEXT], made.id, told()),
        lambda: incidents.resolve(ctx, made.id, world.now, "done"),
    ):
        with pytest.raises(NotFound, match=f"no incident {made.id}"):
            ask()
    assert list(incidents.incidents(ctx)) == []
    assert obligations.owed(ctx, law(world)) == ()
    assert len(world.acts()) == before


def test_an_incident_of_ones_own_needs_no_engagement(world: DeskWorld) -> None:
    """Then nobody of the programme knows of it."""
    made = reported(world, "breach", engaged=False)
    assert made.engagement == ""
    assert [one.incident for one in incidents.incidents(world.at("colleague"))] == [made]
    assert list(incidents.incidents(world.at("evaluator"))) == []
    with pytest.raises(Denied):
        incidents.report(world.at("operator"), [], told(), happened=HAPPENED, notifies="operator")


def test_an_evaluator_reports_too_and_that_starts_no_clock_of_the_developer(
    world: DeskWorld,
) -> None:
    """The developer's clocks run from its own knowledge, which its own people enter."""
    ctx = world.at("evaluator")
    made = incidents.report(
        ctx,
        law(world).texts(),
        told("breach"),
        happened=HAPPENED,
        notifies="evaluator",
        on=world.on,
    )
    assert obligations.owed(world.at("developer"), law(world)) == ()
    incidents.add_knowledge(
        world.at("developer"), law(world).texts(), made.id, told("breach", known=world.now)
    )
    (notice,) = obligations.owed(world.at("developer"), law(world))
    assert notice.due == world.now + timedelta(hours=72)


BAD: list[tuple[str, Callable[[DeskWorld], object]]] = [
    ("known_at: .* is before the event", lambda w: _with(w, told(known=HAPPENED - timedelta(1)))),
    ("known: .* is in the future", lambda w: _with(w, told(known=w.now + timedelta(1)))),
    (
        "happened: .* is in the future|before the event",
        lambda w: _with(w, told(), happened=w.now + timedelta(hours=1)),
    ),
    ("category: no text speaks of hoax", lambda w: _with(w, told("hoax"))),
    ("notifies: 'nobody' is no person of", lambda w: _with(w, told(), notifies="nobody")),
    ("notifies: 'official' is no person of", lambda w: _with(w, told(), notifies="official")),
    ("text: write 1 to", lambda w: _with(w, told(text="  "))),
    ("text: write 1 to", lambda w: _with(w, told(text="x" * 20_001))),
    ("offset", lambda w: _with(w, told(), happened=datetime(2027, 1, 1))),  # noqa: DTZ001
    ("offset", lambda w: _with(w, told(known=datetime(2027, 1, 1)))),  # noqa: DTZ001
]


def _with(
    world: DeskWorld, said: Told, happened: datetime = HAPPENED, notifies: str = "developer"
) -> object:
    return incidents.report(
        world.at("developer"),
        [TEXT],
        said,
        happened=happened,
        notifies=notifies,
        on=world.on,
    )


@pytest.mark.parametrize(("problem", "attempt"), BAD)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: DeskWorld, problem: str, attempt: Callable[[DeskWorld], object]
) -> None:
    """Impossible times, unknown words, an owner of another house, no words or too many."""
    before = world.acts()
    with pytest.raises(Invalid, match=problem):
        attempt(world)
    assert world.acts() == before
    assert list(incidents.incidents(world.at("developer"))) == []


def test_an_end_comes_after_the_knowledge_once_and_not_in_the_future(world: DeskWorld) -> None:
    """Each refusal names the cure and leaves the record as it was."""
    made, ctx = reported(world, "breach"), world.at("developer")
    before = world.acts()
    with pytest.raises(Invalid, match=r"at: .* before anybody knew"):
        incidents.resolve(ctx, made.id, KNOWN - timedelta(seconds=1), "too early")
    with pytest.raises(Invalid, match=r"at: .* in the future"):
        incidents.resolve(ctx, made.id, world.now + timedelta(seconds=1), "too late")
    with pytest.raises(Invalid, match="event: choose one of"):
        incidents.resolve(ctx, made.id, KNOWN, "no end", Event.DEPLOYED)
    assert world.acts() == before
    incidents.resolve(ctx, made.id, KNOWN, "a fix is there", Event.FIX_AVAILABLE)
    incidents.resolve(ctx, made.id, world.now, "keys changed")
    with pytest.raises(Refused, match="incident-resolved is on record"):
        incidents.resolve(ctx, made.id, world.now, "again")
    assert len(world.acts(Kind.INCIDENT_RESOLVED)) == 2


def test_what_is_owed_follows_the_texts_that_apply_and_the_own_choice(world: DeskWorld) -> None:
    """Nothing of a law until somebody says that it applies; the own clock always."""
    made, ctx = reported(world, "breach"), world.at("developer")
    assert [one.regime for one in obligations.owed(ctx, law(world))] == ["third-party-notice"]
    obligations.follow(ctx, law(world), "a-law", None)
    found = {(one.regime, one.rule): one for one in obligations.owed(ctx, law(world))}
    assert found["a-law", "incident"].due == KNOWN + timedelta(days=15)
    assert found["a-law", "at-once"].due is None
    assert found["third-party-notice", "notice"].due == KNOWN + timedelta(hours=72)
    assert found["a-law", "incident"].about == made.id
    assert {one.engagement for one in found.values()} == {make.ENGAGEMENT}
    assert len(obligations.owed(ctx, law(world), world.on)) == len(found)
    assert obligations.owed(world.at("rival"), law(world)) == ()


def test_an_amendment_to_come_takes_nothing_away_before_its_day(world: DeskWorld) -> None:
    """What is owed under the text of today stays, also after the day; what is new is under the new."""
    begins = world.now.astimezone(UTC).date() + timedelta(days=2)
    shorter = replace(TEXT.reports[0], within=(5, Unit.DAYS))
    series = TEXT.reports[-1]
    old = replace(TEXT, reports=(TEXT.reports[0], series))
    new = replace(
        old,
        digest="b" * 64,
        supersedes=old.digest,
        in_force=InForce(begins),
        reports=(replace(shorter, categories=("breach", "leak")), series),
    )
    given = Law(Library((*world.library.texts, old, new), world.library.bodies))
    assert {old.digest, new.digest} <= {one.digest for one in given.texts()}
    made, ctx = reported(world, "breach"), world.at("developer")
    obligations.follow(ctx, given, "a-law", ("large",))
    incidents.began(ctx, Event.INTERNAL_USE_BEGUN, "my model", world.now - timedelta(days=100))
    first, owed = obligations.owed(ctx, given)
    assert (owed.id, owed.digest) == (f"a-law/incident/{made.id}/1", old.digest)
    assert owed.due == KNOWN + timedelta(days=15)
    obligations.sent(ctx, given, first.id, at=world.now, to="a body", reference="1")
    world.now += timedelta(days=3)
    assert owed in obligations.owed(world.at("developer"), given)
    later = incidents.report(
        world.at("developer"),
        given.texts(),
        told("breach", known=world.now),
        happened=world.now,
        notifies="colleague",
    )
    found = {one.id: one for one in obligations.owed(world.at("developer"), given)}
    (fresh,) = [one for one in found.values() if one.about == later.id]
    assert (fresh.digest, fresh.due) == (new.digest, world.now + timedelta(days=5))
    summaries = [one for one in found.values() if one.rule == "use"]
    assert {(one.digest, one.stage) for one in summaries} == {
        (old.digest, Stage.SENT),
        (new.digest, Stage.DUE),
    }


def test_a_class_is_said_unknown_or_none(world: DeskWorld) -> None:
    """Internal use is summed up by large developers; the latest word counts."""
    ctx = world.at("developer")
    made = incidents.began(ctx, Event.INTERNAL_USE_BEGUN, " my model ", world.now)
    assert made.about == "my model"
    for classes, presumed in ((None, [True]), (["large"], [False]), ([], [])):
        obligations.follow(ctx, law(world), "a-law", classes)
        found = obligations.owed(ctx, law(world))
        assert [one.presumed for one in found] == presumed
    with pytest.raises(Invalid, match="class: a-law has no small; it has large"):
        obligations.follow(ctx, law(world), "a-law", ["small"])
    with pytest.raises(NotFound, match="no regime 'no-law'"):
        obligations.follow(ctx, law(world), "no-law", None)
    with pytest.raises(Invalid, match="event: choose one of"):
        incidents.began(ctx, Event.INCIDENT_KNOWN, "m", world.now)
    with pytest.raises(Invalid, match=r"at: .* in the future"):
        incidents.began(ctx, Event.DEPLOYED, "m", world.now + timedelta(seconds=1))
    with pytest.raises(Invalid, match="about"):
        incidents.began(ctx, Event.DEPLOYED, " ", world.now)


def test_the_six_answers_say_which_texts_may_apply(world: DeskWorld) -> None:
    """Class and coverage by the numbers; what is open is presumed; later answers take their place."""
    ctx = world.at("developer")
    incidents.began(ctx, Event.INTERNAL_USE_BEGUN, "my model", world.now)
    given = law(world)
    for answers, presumed in (
        (Answers(yearly_revenue_usd=1e9), [False]),
        (Answers(), [True]),
        (Answers(yearly_revenue_usd=1.0), []),
    ):
        obligations.answer(ctx, answers)
        found = obligations.owed(ctx, given)
        assert [one.presumed for one in found if one.regime == "a-law"] == presumed
    obligations.answer(ctx, Answers(training_operations=1.0))
    assert "ca-sb53" not in {one.regime for one in obligations.owed(ctx, given)}
    obligations.answer(ctx, Answers())
    open_ = [one for one in obligations.owed(ctx, given) if one.regime == "ca-sb53"]
    assert open_
    assert all(one.presumed for one in open_)
    with pytest.raises(Denied):
        obligations.answer(world.at("operator"), Answers())
    assert obligations.owed(world.at("rival"), given) == ()


def test_each_person_has_its_own_dates_too(world: DeskWorld) -> None:
    """Grants, entries of the register, a result, a partner's end; nothing of them is another's."""
    given, day = law(world), world.now.date()
    entry = Entry("task", "ordered-task", "Harden", day, due=day + timedelta(days=3))
    own = replace(entry, id="mine", org=make.DEVELOPER)
    grant = Grant(
        "official", Scope.ENGAGEMENT, "e", world.now + timedelta(days=5), "admin", world.now
    )
    result = Result(
        "result-1",
        "engagement-9",
        "another-developer",
        "coordinator",
        "a result",
        "c" * 64,
        1,
        world.now + timedelta(days=9),
        "assessment",
        "",
        world.now,
        "x",
        "another-developer",
    )
    with world.store.write() as tx:
        tx.put("task", entry, marking=make.marking(Tlp.CLEAR))
        tx.put(f"{make.DEVELOPER}/mine", own, marking=make.marking(), org=make.DEVELOPER)
        tx.put(grant.id, grant, marking=make.marking(), bounds=Bounds(owner="official"))
        tx.put(result.id, result, marking=make.marking(), engagement="engagement-9")

    def found(person: str) -> dict[str, bool]:
        return {one.id: one.due for one in dates.mine(world.at(person), given)}

    assert found("officer") == {"entry//task/entry-due": True}
    assert found("developer") == {
        "entry//task/entry-due": False,
        f"entry/{make.DEVELOPER}/mine/entry-due": True,
    }
    assert found("official") == {
        "entry//task/entry-due": False,
        "grant/official/engagement/e": False,
    }
    assert "engagement-9/result-readable-until/result-1" in found("coordinator")
    with world.store.write() as tx:
        tx.record(world.at("developer").act(Kind.RESULT_RECALLED, "result-1", "engagement-9"))
    assert "engagement-9/result-readable-until/result-1" not in found("coordinator")


def test_an_unanswered_inquiry_moves_no_date(world: DeskWorld) -> None:
    """The programme's silence is nothing to a clock, however long it lasts."""
    reported(world, "breach")
    ctx = world.at("developer")
    obligations.follow(ctx, law(world), "a-law", ["large"])
    before = {one.id: one.due for one in obligations.owed(ctx, law(world))}
    desk.lodge_inquiry(ctx, world.on, {"model": "m"})
    world.after(days=20)
    later = world.at("developer")
    assert {one.id: one.due for one in obligations.owed(later, law(world))} == before


def test_the_calendar_of_a_party_names_whose_end_it_is(world: DeskWorld) -> None:
    """The developer sees until when each of its people reads what; one person only its own."""
    with world.store.write() as tx:
        until = instant(world.now + timedelta(days=2))
        act = world.at("official").act(
            Kind.RESULT_SENT, "result-1", make.ENGAGEMENT, to="colleague", until=until
        )
        tx.record(act)

    def found(person: str, *, party: bool) -> list[str]:
        shown = dates.mine(world.at(person), law(world), world.on, party=party)
        return [one.words for one in shown]

    assert found("developer", party=False) == []
    assert found("developer", party=True) == ["A result is no longer readable (colleague)"]
    assert found("official", party=True) == []


def test_a_partner_sees_the_end_of_its_own_access_once_both_agreed(world: DeskWorld) -> None:
    """And nothing else of the engagement."""
    world.open_access()
    given = law(world)
    partner = Partner(
        "a-utility",
        "pilot",
        ("target",),
        (Step(("read",), 5, 1),),
        world.now + timedelta(days=8),
        "developer",
    )
    partners.propose(world.at("developer"), world.on, partner, "they run a grid")
    assert dates.mine(world.at("partner"), given) == ()
    partners.agree(world.at("official"), world.on, "a-utility", "agreed")
    (one,) = dates.mine(world.at("partner"), given)
    assert (one.what, one.at) == (What.PARTNER_ENDS, world.now + timedelta(days=8))
    rest = Rest(world.now, world.now + timedelta(days=2), "as agreed")
    partners.end(world.at("partner"), world.on, "a-utility", rest)
    assert dates.mine(world.at("partner"), given) == (one,)
    later = Rest(world.now + timedelta(days=3), None, "as agreed")
    partners.end(world.at("partner"), world.on, "a-utility", later)
    (one,) = dates.mine(world.at("partner"), given)
    assert one.at == later.since
    partners.end(world.at("partner"), world.on, "a-utility", Rest(world.now, None, "as agreed"))
    assert dates.mine(world.at("partner"), given) == ()


def test_a_draft_holds_every_part_and_names_whom_to_ask(world: DeskWorld) -> None:
    """What is on record stands in it, the rest is unknown; the act holds its digest alone."""
    made, ctx = reported(world, "breach"), world.at("developer")
    obligations.follow(ctx, law(world), "a-law", None)
    id_ = f"a-law/incident/{made.id}/1"
    page = obligations.draft(ctx, law(world), id_)
    text = page.decode()
    for part in (
        "## What happened\n\nWeights were copied.",
        ": on-call engineer",
        "## How it was resolved\n\nunknown: ask Demonstration developer",
        "## Numbers\n\nunknown: ask Demonstration developer",
        "A law, sec. 1 <https://example.org/law>, confidence P",
        "DRAFT. Leadline sends nothing.",
        "- Due: 2027-03-16T08:30:00",
        "- Keep until: 2032-03-16",
    ):
        assert part in text
    (act,) = world.acts(Kind.REPORT_DRAFTED)
    assert ctx.vault.get(str(act.detail["draft"])) == page
    assert "copied" not in str(act.detail)
    incidents.resolve(ctx, made.id, world.now, "keys changed")
    assert "keys changed" in obligations.draft(ctx, law(world), id_).decode()


def test_a_draft_about_a_model_and_a_presumed_one_say_so(world: DeskWorld) -> None:
    """A summary of internal use is about a model; its class is unknown."""
    ctx = world.at("developer")
    made = incidents.began(ctx, Event.INTERNAL_USE_BEGUN, "my model", world.now)
    obligations.follow(ctx, law(world), "a-law", None)
    text = obligations.draft(ctx, law(world), f"a-law/use/{made.id}/1").decode()
    assert "## Model\n\nmy model" in text
    assert "- Presumed:" in text
    with pytest.raises(NotFound, match="nothing is owed as x"):
        obligations.draft(ctx, law(world), "x")


def test_a_human_says_that_a_report_was_sent(world: DeskWorld) -> None:
    """When, to whom, with which reference, and what; once."""
    made, ctx = reported(world, "breach"), world.at("developer")
    obligations.follow(ctx, law(world), "a-law", None)
    id_ = f"a-law/incident/{made.id}/1"

    def send(
        at: datetime = KNOWN, to: str = "A body", reference: str = "no. 1", copy: bytes = b""
    ) -> None:
        obligations.sent(ctx, law(world), id_, at=at, to=to, reference=reference, copy=copy)

    before = world.acts()
    wrong: list[tuple[Callable[[], None], str]] = [
        (lambda: send(KNOWN - timedelta(seconds=1)), "at: a moment from"),
        (lambda: send(world.now + timedelta(seconds=1)), "at: a moment from"),
        (lambda: send(datetime(2027, 3, 1)), "at: a time needs an offset"),  # noqa: DTZ001
        (lambda: send(to=" "), "to: write"),
        (lambda: send(reference="a\nb"), "reference: write"),
    ]
    for attempt, problem in wrong:
        with pytest.raises(Invalid, match=problem):
            attempt()
    assert world.acts() == before
    send(copy=b"what was sent")
    (act,) = world.acts(Kind.REPORT_SENT)
    assert ctx.vault.get(str(act.detail["copy"])) == b"what was sent"
    found = {one.id: one.stage for one in obligations.owed(ctx, law(world))}
    assert found[id_] is Stage.SENT
    with pytest.raises(Refused, match="on record as sent at"):
        send()
    with pytest.raises(NotFound):
        obligations.sent(world.at("rival"), law(world), id_, at=KNOWN, to="A body", reference="x")


def test_what_is_overdue_stands_out_in_the_calendar(world: DeskWorld) -> None:
    """Sixteen days later, unsent; and each person's calendar holds only what is theirs to know."""
    reported(world, "breach")
    world.open_access()
    obligations.follow(world.at("developer"), law(world), "a-law", None)
    world.after(days=16)
    found = dates.mine(world.at("developer"), law(world))
    late = {one.why for one in found if one.stands_out}
    assert "words of incident" in late
    assert {What.ANCHOR, What.ACCESS_ENDS, What.TERMS_END, What.REPORT_DUE} <= {
        one.what for one in found
    }
    assert dates.mine(world.at("developer"), law(world), world.on)
    theirs = dates.mine(world.at("official"), law(world))
    assert What.REPORT_DUE not in {one.what for one in theirs}
    assert What.ANCHOR in {one.what for one in theirs}
    assert dates.mine(world.at("rival"), law(world)) == ()


def test_a_file_of_the_installation_takes_the_place_of_the_shipped_clock(
    world: DeskWorld, tmp_path: object
) -> None:
    """48 hours instead of 72; the texts of both are found by their digests."""
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    shipped = (duties.OWN / "third-party-notice.toml").read_text()
    (tmp_path / "obligations").mkdir()
    (tmp_path / "obligations" / "third-party-notice.toml").write_text(
        shipped.replace("hours = 72", "hours = 48")
    )
    texts = duties.law(Home(tmp_path), world.library)
    (own,) = texts.own
    assert own.reports[0].within == (48, Unit.HOURS)
    assert texts.text(own.digest) is own
    assert texts.text(world.on.regime.digest).id == world.regime
    made = reported(world, "breach")
    (one,) = obligations.owed(world.at("developer"), texts)
    assert one.due == KNOWN + timedelta(hours=48)
    assert "To: third parties" in obligations.draft(world.at("developer"), texts, one.id).decode()
    assert made.id in one.id


def test_a_partner_of_another_engagement_sees_nothing_of_this_one(world: DeskWorld) -> None:
    """A row of an engagement that the person is not named for gives no date."""
    partner = Partner(
        "a-utility", "pilot", ("t",), (Step(("read",), 5, 1),), world.now, "developer"
    )
    with world.store.write() as tx:
        tx.put("engagement-9/a-utility", partner, marking=make.marking(), engagement="engagement-9")
    assert dates.mine(world.at("partner"), law(world)) == ()
    world.change("partner", roles=frozenset({"operator"}))
    assert dates.mine(world.at("partner"), law(world)) == ()


def test_content_that_is_gone_or_never_was_is_said(world: DeskWorld) -> None:
    """An act of another kind has none."""
    with pytest.raises(NotFound, match="no incident incident-9"):
        incidents.incident(world.at("developer"), "incident-9")
    with pytest.raises(NotFound, match="no words were kept"):
        incidents.told(world.at("developer"), make.act())


def test_people_of_the_developer_see_what_others_of_it_reported(world: DeskWorld) -> None:
    """A new colleague as well; whoever left does not."""
    made = reported(world, "breach")
    new = make.principal("developer", id_="new", org=make.DEVELOPER, engagements=())
    world.enrol(new)
    assert incidents.incident(world.at("new"), made.id).incident == made
    world.change("new", access_until=datetime(2027, 1, 1, tzinfo=UTC))
    assert isinstance(new, Principal)
    with pytest.raises(NotFound):
        incidents.incident(world.at("new"), made.id)
