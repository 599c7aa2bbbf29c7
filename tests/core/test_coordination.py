"""What may be done in a case as it stands: each refusal says why, and each answer what the act holds."""

from datetime import UTC, datetime, timedelta

import pytest

import make
from case_acts import EVIDENCE, Acted
from leadline.core.clearing import coordination
from leadline.core.clearing.case_file import CaseFile, Party, products, words
from leadline.core.clearing.case_words import (
    Affected,
    Answer,
    Clock,
    Embargo,
    FixState,
    Move,
    Report,
    Role,
    Running,
)
from leadline.core.clearing.contract import lane_of
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.disclosure import Due, moment_in
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Kind

NAIVE = datetime(2030, 1, 1)  # noqa: DTZ001 -- a moment without its zone
DAY = timedelta(days=1)


def peopled(policy: str = "leadline-default") -> Acted:
    """Everybody is in it, and was told."""
    case = Acted(policy)
    for party, role in (
        ("finder", Role.FINDER),
        ("owner", Role.OWNER),
        ("second", Role.OWNER),
        ("list", Role.DOWNSTREAM),
    ):
        case.add(party, role, project=party)
        case.send(party)
    return case


def agreed(days: float = 30) -> Acted:
    """A date is agreed between both owners and the finder."""
    case = peopled("anthropic-cvd-2026")
    case.propose("finder", days)
    for party in ("owner", "second"):
        case.answer(party, Answer.ACCEPT)
    assert case.stands.embargo(case.now) is Embargo.ACTIVE
    return case


def clock(case: Acted, name: Clock, party: str = "") -> Due:
    """One clock."""
    return next(
        one for one in case.stands.clocks(case.now) if (one.clock, one.party) == (name, party)
    )


def test_statements() -> None:
    """Steps of the machine, codes of the standard, and nothing said."""
    case = peopled()
    with pytest.raises(Invalid, match="say at least one"):
        case.state("owner", Stated())
    with pytest.raises(Refused, match="after received comes invalid, valid"):
        case.state("owner", Stated(Report.ACCEPTED))
    case.state("owner", Stated(Report.INVALID))
    case.state("owner", Stated(Report.CLOSED))
    with pytest.raises(Refused, match="after closed comes nothing"):
        case.state("owner", Stated(Report.VALID))
    for said, why in (
        (Stated(Report.RECEIVED, justification="component_not_present"), "is for a product"),
        (Stated(affected=Affected.UNSAID), "give affected"),
        (Stated(affected=Affected.NOT_AFFECTED, justification="luck"), "is none of"),
        (
            Stated(affected=Affected.AFFECTED, justification="component_not_present"),
            "is for a product",
        ),
    ):
        with pytest.raises(Invalid, match=why):
            case.state("second", said)
    case.state("second", Stated(affected=Affected.NOT_AFFECTED))
    assert case.stands.participants["second"].affected is Affected.CLAIMED
    case.state(
        "second", Stated(affected=Affected.NOT_AFFECTED, justification="component_not_present")
    )
    held = case.stands.participants["second"]
    assert (held.affected, held.justification) == (Affected.NOT_AFFECTED, "component_not_present")
    assert case.stands.participants["list"].word == "no answer"
    case.add("late", Role.UPSTREAM)
    assert case.stands.participants["late"].word == "not told"
    case.remove("late")
    assert case.stands.participants["late"].word == "removed"


def test_proposals() -> None:
    """A zone, a date to come, within the disclosure policy, to somebody, and changed with a reason."""
    case = peopled()
    now = case.now
    for until, why in ((NAIVE, "an hour and a zone"), (now, "a moment to come")):
        with pytest.raises(Invalid, match=why):
            coordination.proposed(case.stands, "owner", until, (), "", now)
    with pytest.raises(Refused, match="at the latest"):
        case.propose("owner", 15)  # the list's stage ends after 14 days
    with pytest.raises(NotFound):
        coordination.proposed(case.stands, "owner", now + DAY, ("nobody",), "", now)
    lonely = Acted()
    lonely.add("owner", Role.OWNER)
    with pytest.raises(Refused, match="nobody to agree with"):
        lonely.propose("owner", 3)
    lonely.later(days=1)
    case.propose("owner", 9)
    case.later(days=20)
    with pytest.raises(Refused, match="the date has come"):
        case.propose("owner", 3)
    with pytest.raises(Refused, match="while it was waited for"):
        case.answer("finder", Answer.ACCEPT)
    case.answer("finder", Answer.DECLINE)
    assert case.stands.terms.state is Embargo.NONE


def test_answers() -> None:
    """Only who was asked, an earlier date only, and each with a zone."""
    case = peopled("anthropic-cvd-2026")
    with pytest.raises(Refused, match="no date is proposed"):
        case.answer("owner", Answer.ACCEPT)
    case.propose("finder", 30)
    with pytest.raises(Refused, match="was not asked"):
        case.answer("list", Answer.ACCEPT)
    for days, said in ((40, Answer.ACCEPT), (3, Answer.DECLINE)):
        with pytest.raises(Invalid, match="accept with an earlier date"):
            case.answer("owner", said, days)
    with pytest.raises(Invalid, match="a moment to come"):
        case.answer("owner", Answer.ACCEPT, -1)
    with pytest.raises(Invalid, match="an hour and a zone"):
        coordination.answered(case.stands, "owner", Answer.ACCEPT, NAIVE, case.now)
    assert coordination.agreed(case.stands) is None
    case.answer("owner", Answer.ACCEPT, 20)
    case.answer("second", Answer.ACCEPT)
    assert case.stands.public_at == case.now + timedelta(days=20)
    assert clock(case, Clock.AGREED).state is Running.RUNNING


def test_the_end_by_all_who_are_there() -> None:
    """Whoever left need not agree; without an agreed date there is nothing to end."""
    case = peopled()
    with pytest.raises(Refused, match="no date is agreed"):
        case.end(())
    case = agreed()
    case.remove("second")
    with pytest.raises(Refused, match="did not agree: finder"):
        case.end(("owner",))
    case.end(("owner", "finder"))
    assert clock(case, Clock.AGREED).state is Running.MET
    with pytest.raises(Refused, match="the embargo ended"):
        case.propose("owner", 3)


def test_moves_need_what_shows_them() -> None:
    """Evidence, a moment that has been, a reason where a clock changes, and once each."""
    case = peopled()
    for asked, why in (
        (Moved(Move.ELSEWHERE), "give what shows it"),
        (Moved(Move.ATTACKS, EVIDENCE, NAIVE), "a moment that has been"),
        (Moved(Move.ATTACKS, EVIDENCE, case.now + DAY), "a moment that has been"),
        (Moved(Move.PAUSED, party="owner"), "reason"),
        (Moved(Move.PAUSED, "", None, "r", "owner", until=NAIVE), "its offset"),
    ):
        with pytest.raises(Invalid, match=why):
            case.move(asked)
    with pytest.raises(Refused, match="only the clocks of a vendor"):
        case.move(Moved(Move.PAUSED, reason="r", party="finder"))
    case.move(Moved(Move.PAUSED, "", None, "r", "owner", until=case.now + DAY))
    case.move(Moved(Move.ATTACKS, EVIDENCE, case.now - DAY))
    with pytest.raises(Refused, match="on record since"):
        case.move(Move.ATTACKS)
    with pytest.raises(Refused, match="attacks are known since"):
        case.propose("owner", 3)
    with pytest.raises(Refused, match="details come after publication"):
        case.move(Move.DETAILS)
    case.move(Move.EXISTENCE)
    with pytest.raises(Refused, match="on record by"):
        case.move(Move.EXISTENCE)


def test_details_wait_for_their_day_unless_they_are_known_already() -> None:
    """After a fix users have time; what was published elsewhere is no secret."""
    case = peopled()
    case.move(Move.FIX_OUT)
    case.move(Move.PUBLIC)
    with pytest.raises(Refused, match="tells details from"):
        case.move(Move.DETAILS)
    case.move(Move.ELSEWHERE)
    case.move(Move.DETAILS)
    assert clock(case, Clock.DETAILS).state is Running.MET
    other = peopled()
    other.move(Move.FIX_OUT)
    other.move(Move.PUBLIC)
    other.later(days=45)
    other.move(Move.DETAILS)


def test_attacks_with_the_consent_of_all_tell_only_the_mitigation() -> None:
    """It stays secret until the clock of the exploited; without consent it ends."""
    case = agreed()
    with pytest.raises(Refused, match="did not consent: owner, second"):
        case.move(Moved(Move.ATTACKS, EVIDENCE, consents=("finder",)))
    parties = case.stands.terms.parties
    with pytest.raises(Refused, match="only during attacks"):
        case.move(Moved(Move.PUBLIC, consents=parties))
    case.move(Moved(Move.ATTACKS, EVIDENCE, consents=parties))
    assert case.stands.embargo(case.now) is Embargo.ACTIVE
    assert case.stands.public_at == case.now + 7 * DAY
    case.later(days=7)
    assert case.stands.embargo(case.now) is Embargo.EXITED


def test_longer_by_the_texts_own_measure() -> None:
    """A reason, the right clock, its party, engaged, once, no later than the text gives, before it falls due."""
    case = peopled("anthropic-cvd-2026")

    def longer(clock: Clock | None, party: str, days: float | None) -> Moved:
        until = None if days is None else case.now + timedelta(days=days)
        return Moved(Move.EXTENDED, "", None, "they asked", party, clock, until)

    for asked, why in (
        (longer(None, "owner", 95), "name a clock"),
        (longer(Clock.AGREED, "", 95), "name a clock"),
        (longer(Clock.DISCLOSURE, "", 95), "name the party"),
        (longer(Clock.EXPLOITED, "owner", 95), "name the party"),
        (longer(Clock.DISCLOSURE, "owner", None), "an hour and a zone"),
    ):
        with pytest.raises(Invalid, match=why):
            case.move(asked)
    with pytest.raises(Refused, match="has not begun"):
        case.move(longer(Clock.EXPLOITED, "", 8))
    with pytest.raises(Refused, match="does not make this clock longer"):
        case.move(longer(Clock.SILENCE, "owner", 40))
    with pytest.raises(Refused, match="at the latest"):
        case.move(longer(Clock.DISCLOSURE, "owner", 105))
    with pytest.raises(Refused, match="works on it"):
        case.move(longer(Clock.DISCLOSURE, "owner", 104))
    case.state("owner", Stated(Report.VALID))
    case.move(longer(Clock.DISCLOSURE, "owner", 104))
    assert clock(case, Clock.DISCLOSURE, "owner").at == case.now + timedelta(days=104)
    with pytest.raises(Refused, match="made longer already"):
        case.move(longer(Clock.DISCLOSURE, "owner", 110))
    case.later(days=90)
    with pytest.raises(Refused, match="does not run: fell due"):
        case.move(longer(Clock.DISCLOSURE, "second", 1))
    assert clock(case, Clock.DISCLOSURE, "second").late


def test_rediscovery_asks_and_never_tells() -> None:
    """Nothing is proposed where the text does not count finders, or the date is nearer already."""
    case = peopled("anthropic-cvd-2026")
    case.move(Move.REDISCOVERED)
    assert coordination.rediscovery(case.stands, case.now) is None
    case = peopled("leadline-default")
    assert coordination.rediscovery(case.stands, case.now) is None
    case.move(Move.REDISCOVERED)
    assert coordination.rediscovery(case.stands, case.now) is None  # the list's stage is as near
    far = Acted()
    far.move(Move.REDISCOVERED)
    assert coordination.rediscovery(far.stands, far.now) == far.now + timedelta(days=14)
    far.move(Move.PUBLIC)
    assert coordination.rediscovery(far.stands, far.now) is None


def test_changing_the_disclosure_policy() -> None:
    """Shorter counts from the act, longer from the start; none without embargo beside an agreed date."""
    case = agreed()
    with pytest.raises(Refused, match="end the one there is first"):
        case.choose("linux-kernel-ai-found")
    case = peopled("anthropic-cvd-2026")
    told = case.now
    case.later(days=20)
    case.choose("cert-cc-45")
    assert clock(case, Clock.DISCLOSURE, "owner").at == case.now + timedelta(days=45)
    case.choose("anthropic-cvd-2026")
    assert clock(case, Clock.DISCLOSURE, "owner").at == told + timedelta(days=90)
    case.later(days=60)
    case.choose("cert-cc-45")
    assert clock(case, Clock.DISCLOSURE, "owner").at == told + timedelta(days=90)
    late = peopled("cert-cc-45").later(days=44)
    late.choose("leadline-default")
    assert clock(late, Clock.ACKNOWLEDGE, "owner").at == late.now + 7 * DAY
    late.choose("linux-kernel-ai-found")
    assert not late.stands.embargoed(late.now)
    assert late.stands.public_at == late.now


def test_a_pause_and_who_lets_the_clocks_run_on() -> None:
    """A maintainer's commit pauses; a coordinator's act lets them run; a new pause pauses again."""
    case = peopled("anthropic-cvd-2026")
    told = case.now
    case.add("owner", Role.OWNER, project=lane_of("libcanary"))
    case.later(days=10)
    case.contract("libcanary", paused=True)
    assert clock(case, Clock.DISCLOSURE, "owner").state is Running.PAUSED
    assert clock(case, Clock.DISCLOSURE, "second").state is Running.RUNNING
    case.later(days=5)
    case.move(Moved(Move.RUN_ON, reason="nobody answers", party="owner"))
    assert clock(case, Clock.DISCLOSURE, "owner").at == told + timedelta(days=95)
    case.contract("libcanary", paused=True, until=case.now + timedelta(days=3))
    assert clock(case, Clock.DISCLOSURE, "owner").at == told + timedelta(days=98)
    case.contract("libcanary", paused=False)
    assert clock(case, Clock.DISCLOSURE, "owner").at == told + timedelta(days=95)
    case.later(days=200)
    case.contract("libcanary", paused=True)  # what fell due before stays
    assert clock(case, Clock.DISCLOSURE, "owner").state is Running.FELL_DUE
    case.move(Moved(Move.RESUMED, party="owner"))


def test_shorter_during_a_pause_and_a_fix_during_one() -> None:
    """A pause that nobody ended has no date, whatever the text; a fix has."""
    case = peopled("anthropic-cvd-2026")
    case.move(Moved(Move.PAUSED, reason="r", party="owner"))
    case.choose("cert-cc-45")
    assert clock(case, Clock.DISCLOSURE, "owner").at is None
    case.choose("anthropic-cvd-2026")
    case.move(Move.FIX_OUT)
    assert clock(case, Clock.DISCLOSURE, "owner").at == case.now
    case.move(Move.PUBLIC)
    assert not clock(case, Clock.DISCLOSURE, "owner").late
    assert case.stands.embargo(case.now) is Embargo.NONE


def test_a_pause_that_starts_after_a_shorter_text() -> None:
    """The date before stands where counting from the act would never end."""
    case = peopled("anthropic-cvd-2026")
    case.later(days=89)
    case.move(Moved(Move.PAUSED, reason="r", party="owner", until=case.now + 9 * DAY))
    case.choose("cert-cc-45")
    at = clock(case, Clock.DISCLOSURE, "owner").at
    assert at == make.NOW + timedelta(days=99)


def test_a_party_that_comes_back_in_another_part() -> None:
    """Clocks that come with it are owed from the act; its first report starts the case's only once."""
    case = peopled()
    case.later(days=100)
    case.add("list", Role.OWNER)
    due = clock(case, Clock.DISCLOSURE, "list")
    assert due.at == case.now
    assert due.state is Running.FELL_DUE


def test_credit_removal_and_the_end() -> None:
    """Each once, each with a reason; a closed case takes nothing more."""
    case = peopled()
    case.credit("finder")
    with pytest.raises(Refused, match="not changed afterwards"):
        case.credit("finder")
    first = case.stands.credits
    case.act(Kind.CREDIT_DECIDED, party="finder", shared=True, name="b" * 64)
    assert case.stands.credits == first
    with pytest.raises(Refused, match="last coordinator"):
        case.remove("coordinator")
    with pytest.raises(Refused, match="not done: owner, second, list"):
        case.close()
    for party in ("owner", "second", "list"):
        case.state(party, Stated(Report.INVALID))
    case.close()
    for what in (case.close, lambda: case.propose("owner", 3), lambda: case.choose("cert-cc-45")):
        with pytest.raises(Refused, match="was closed"):
            what()


def test_a_published_advisory_and_a_released_fix_count() -> None:
    """Acts of others about the case end the embargo and start the details' clock."""
    case = agreed()
    case.act(Kind.FIX_MOVED, case="case-0001", state="released")
    assert clock(case, Clock.DETAILS).state is Running.RUNNING
    case.act(Kind.ADVISORY_PUBLISHED, case="case-0001")
    assert case.stands.embargo(case.now) is Embargo.EXITED
    assert case.stands.public == case.now
    none = peopled()
    none.act(Kind.ADVISORY_PUBLISHED, case="case-0001")
    assert none.stands.embargo(none.now) is Embargo.NONE
    assert not none.stands.embargoed(none.now)


def test_words_of_a_case() -> None:
    """One line, packages spelled as their types ask, parties by id."""
    with pytest.raises(Invalid, match="one line"):
        words("a\nb", "title")
    assert products(["pkg:pypi/A_b", "pkg:pypi/a-b"]) == ("pkg:pypi/a-b",)
    with pytest.raises(Invalid, match="at most"):
        products([f"pkg:generic/p{number}" for number in range(201)])
    file = CaseFile("case", "t").with_party(Party("p", "n"))
    assert file.party("p").name == "n"
    with pytest.raises(NotFound):
        file.party("q")


def test_odd_moments_in_acts_are_no_moments() -> None:
    """A time without offset, or none at all, is not guessed."""
    case = peopled()
    act = case.acts[-1]
    for told, found in (
        ("2027-01-01T00:00:00", None),
        ("soon", None),
        ("2027-01-01T00:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
    ):
        act = type(act)(act.id, act.kind, act.at, act.actor, act.about, "", {"until": told})
        assert moment_in(act, "until") == found
    assert FixState.NONE.value == "none"
