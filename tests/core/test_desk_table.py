"""Every state of an engagement by every command: what is recorded, and what is refused in which words.

The expectations are written by hand, one mark a cell. A new command, or a new state, stands here or the
test says that it is missing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from inspect import getmembers, isfunction, signature

import pytest

from leadline.core.access import Principal
from leadline.core.engagement import deciding
from leadline.core.engagement import engagement as rules
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.engagement.engagement import Deed, Engagement, Standing, State
from leadline.core.engagement.regime import (
    AccessRule,
    Anchor,
    Decider,
    InForce,
    Participation,
    Regime,
    Source,
    Status,
)
from leadline.core.engagement.terms import Terms
from leadline.core.errors import LeadlineError
from leadline.core.record.act import Act, Kind

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEVELOPER = Principal("dev", "Dev", "maker", frozenset({"developer"}))
OFFICIAL = Principal("off", "Off", "office", frozenset({"determining-official"}))
RIVAL = Principal("riv", "Riv", "other-maker", frozenset({"developer"}))
SECOND = Principal("sec", "Sec", "office", frozenset({"concurring-official"}))
REGIME = Regime(
    id="r",
    title="R",
    digest="aa",
    status=Status.IN_FORCE,
    in_force=InForce(date(2026, 6, 2)),
    participation=Participation.VOLUNTARY,
    consequences="none",
    confidence="P",
    last_checked=date(2026, 10, 1),
    sources=(Source("s", "S", "https://example.org", "read", "P"),),
    anchor=Anchor("a", "planned release to a partner", "developer", "s"),
    window=AccessRule(30, 30, "up to 30 days", "s"),
    decides=Decider(
        "determining-official", "body", "s", 2, ("concurring-official",), reconsiders=True
    ),
)
OTHER = replace(REGIME, id="other", digest="bb")
FACTS = Engagement("e", "r", "aa", "maker", "model-x", "dd" * 32, START)
TERMS = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, START + 60 * DAY)
FOUND = Determination(
    Scope("model-x", "w1", "dd" * 32),
    Answer.COVERED,
    Outcome.ABOVE,
    "b",
    "c",
    0.05,
    0.05,
    "the director",
    START + 400 * DAY,
    "new weights",
)
CORRECTED = replace(FOUND, caveats=("new words",))
DIGEST = deciding.digest(FOUND)

# Each command in a form that some state records; who does it stands beside it.
Command = Callable[[Standing, Principal, datetime], Deed]


def last(on: Standing, kind: Kind) -> str:
    """The id of the last act of this kind."""
    return next((act.id for act in reversed(on.acts) if act.kind is kind), "none")


def corrected(on: Standing, by: Principal, now: datetime) -> Deed:
    """Correct the last determination, whichever words it has by now."""
    old = CORRECTED if on.recorded(Kind.DETERMINATION_CORRECTED) else FOUND
    of = last(on, Kind.DETERMINATION_RECORDED)
    return deciding.correct(on, by, now, of=of, old=old, new=CORRECTED)


COMMANDS: dict[str, tuple[Principal, Command]] = {
    "add_regime": (DEVELOPER, lambda on, by, now: rules.add_regime(on, by, regime=OTHER)),
    "register_weights": (
        DEVELOPER,
        lambda on, by, now: rules.register_weights(
            on, by, digest="ee" * 32, name="w2", variant=Variant.WITH_SAFEGUARDS
        ),
    ),
    "lodge_inquiry": (
        DEVELOPER,
        lambda on, by, now: rules.lodge_inquiry(on, by, now, question="q"),
    ),
    "set_anchor": (
        DEVELOPER,
        lambda on, by, now: rules.set_anchor(on, by, anchor=START + 25 * DAY),
    ),
    "agree_terms": (DEVELOPER, lambda on, by, now: rules.agree_terms(on, by, now, terms=TERMS)),
    "agree_terms, theirs": (
        OFFICIAL,
        lambda on, by, now: rules.agree_terms(on, by, now, terms=TERMS),
    ),
    "open_access": (DEVELOPER, rules.open_access),
    "extend": (
        DEVELOPER,
        lambda on, by, now: rules.extend(on, by, now, until=START + 28 * DAY),
    ),
    "end_access": (OFFICIAL, rules.end_access),
    "end": (OFFICIAL, lambda on, by, now: rules.end(on, by)),
    "withdraw": (DEVELOPER, lambda on, by, now: rules.withdraw(on, by)),
    "leave": (DEVELOPER, lambda on, by, now: rules.leave(on.engagement, by)),
    "ask_information": (
        OFFICIAL,
        lambda on, by, now: rules.ask_information(on, by, now, question="q"),
    ),
    "answer_information": (
        DEVELOPER,
        lambda on, by, now: rules.answer_information(
            on, by, asked=last(on, Kind.INFORMATION_ASKED), answer="a"
        ),
    ),
    "send_message": (
        OFFICIAL,
        lambda on, by, now: rules.send_message(on, by, to=["developer"], content="c"),
    ),
    "answer_inquiry": (
        OFFICIAL,
        lambda on, by, now: deciding.answer_inquiry(
            on, by, now, answer=Answer.UNDETERMINED, basis="b"
        ),
    ),
    "propose": (OFFICIAL, lambda on, by, now: deciding.propose(on, by, now, determination=FOUND)),
    "concur": (SECOND, lambda on, by, now: deciding.concur(on, by, now, proposal=DIGEST)),
    "dissent": (
        SECOND,
        lambda on, by, now: deciding.dissent(on, by, now, proposal=DIGEST, reasons="r"),
    ),
    "record_determination": (
        OFFICIAL,
        lambda on, by, now: deciding.record_determination(on, by, now, determination=FOUND),
    ),
    "recuse": (SECOND, deciding.recuse),
    "recuse, the decider": (OFFICIAL, deciding.recuse),
    "respond": (
        DEVELOPER,
        lambda on, by, now: deciding.respond(
            on, by, determination=last(on, Kind.DETERMINATION_RECORDED), response="r"
        ),
    ),
    "correct": (OFFICIAL, corrected),
    "ask_reconsideration": (
        DEVELOPER,
        lambda on, by, now: deciding.ask_reconsideration(
            on, by, determination=last(on, Kind.DETERMINATION_RECORDED), reasons="r"
        ),
    ),
    "answer_reconsideration": (
        OFFICIAL,
        lambda on, by, now: deciding.answer_reconsideration(
            on, by, now, asked=last(on, Kind.RECONSIDERATION_ASKED), answer="a"
        ),
    ),
}
WORDS = {
    "W": "was withdrawn",
    "E": "this engagement ended",
    "a": "no anchor is set",
    "t": "the developer has agreed to no terms yet",
    "g": "the government has agreed to no terms yet",
    "o": "access under r was opened",
    "n": "access is not open",
    "x": "at most (anchor)",
    "l": "as it is",
    "i": "there is no inquiry to answer",
    "P": "propose this determination under this text first",
    "m": "you proposed this very determination already",
    "q": "1 of 2 persons stand behind it; 1 more concur first",
    "y": "no proposal",
    "c": "you concurred with this proposal already",
    "d": "your dissent from this proposal stands already",
    "z": "it is recorded already",
    "r": "this very determination is recorded already",
    "u": "no determination is recorded here as none",
    "D": "nothing differs",
    "k": "nobody asked for reconsideration here",
    "A": "this was answered already",
    "f": "nothing was asked here",
    "R": "is under this text of other already",
    "w": "registered already",
    "v": "you are recused already",
    "S": "a recused person no longer",
}
READY = ("set_anchor", "agree_terms", "agree_terms, theirs")
DECIDED = ("propose", "concur", "record_determination")
LATER = "set_anchor, later"
PASSED = "time goes on"
OPEN = (*READY, "open_access")
# fmt: off
# How each state comes about, the word shown for it, and what each command answers, in the order of
# COMMANDS: + is recorded, a letter is refused in the words above.
STATES: dict[str, tuple[tuple[str, ...], State, str]] = {
    "draft": ((), State.DRAFT,
        "++++++ ann +++ +f+ i +yyP ++ uuuk"),
    "inquiry asked": (("lodge_inquiry",), State.INQUIRY,
        "++++++ ann +++ +f+ + +yyP ++ uuuk"),
    "inquiry answered": (("lodge_inquiry", "answer_inquiry"), State.INQUIRY,
        "++++++ ann +++ +f+ + +yyP ++ uuuk"),
    "asked, decider recused": (("lodge_inquiry", "recuse, the decider"), State.INQUIRY,
        "++++++ ann +++ +f+ S SyyS +v uuuk"),
    "anchor set": (("set_anchor",), State.DRAFT,
        "++++++ tnn +++ +f+ i +yyP ++ uuuk"),
    "terms of the developer": (READY[:2], State.DRAFT,
        "++++++ gnn +++ +f+ i +yyP ++ uuuk"),
    "terms of the government": (("set_anchor", "agree_terms, theirs"), State.DRAFT,
        "++++++ tnn +++ +f+ i +yyP ++ uuuk"),
    "terms without an anchor": (READY[1:], State.DRAFT,
        "++++++ ann +++ +f+ i +yyP ++ uuuk"),
    "ready": (READY, State.DRAFT,
        "++++++ +nn +++ +f+ i +yyP ++ uuuk"),
    "access open": (OPEN, State.ACCESS_OPEN,
        "++++++ ox+ +++ +f+ i +yyP ++ uuuk"),
    "access open, asked": (("lodge_inquiry", *OPEN), State.ACCESS_OPEN,
        "++++++ ox+ +++ +f+ + +yyP ++ uuuk"),
    "anchor moved later": ((*OPEN, LATER), State.ACCESS_OPEN,
        "++++++ o++ +++ +f+ i +yyP ++ uuuk"),
    "access extended": ((*OPEN, LATER, "extend"), State.ACCESS_OPEN,
        "++++++ ol+ +++ +f+ i +yyP ++ uuuk"),
    "anchor passed": ((*OPEN, PASSED), State.ACCESS_CLOSED,
        "++++++ onn +++ +f+ i +yyP ++ uuuk"),
    "access ended": ((*OPEN, "end_access"), State.ACCESS_CLOSED,
        "++++++ onn +++ +f+ i +yyP ++ uuuk"),
    "proposed": (("propose",), State.DRAFT,
        "++++++ ann +++ +f+ i m++q ++ uuuk"),
    "concurred": (("propose", "concur"), State.DRAFT,
        "++++++ ann +++ +f+ i mc++ ++ uuuk"),
    "dissented": (("propose", "dissent"), State.DRAFT,
        "++++++ ann +++ +f+ i m+dq ++ uuuk"),
    "dissented, then concurred": (("propose", "dissent", "concur"), State.DRAFT,
        "++++++ ann +++ +f+ i mc++ ++ uuuk"),
    "concurred, then recused": (("propose", "concur", "recuse"), State.DRAFT,
        "++++++ ann +++ +f+ i mSSq v+ uuuk"),
    "proposed, decider recused": (("propose", "concur", "recuse, the decider"), State.DRAFT,
        "++++++ ann +++ +f+ i SyyS +v uuuk"),
    "recorded": (DECIDED, State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mzzr ++ +++k"),
    "recorded while open": ((*OPEN, *DECIDED), State.ACCESS_OPEN,
        "++++++ ox+ +++ +f+ i mzzr ++ +++k"),
    "recorded, then closed": ((*OPEN, *DECIDED, "end_access"), State.DETERMINATION_RECORDED,
        "++++++ onn +++ +f+ i mzzr ++ +++k"),
    "recorded, then recused": ((*DECIDED, "recuse"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mSSr v+ +++k"),
    "recorded, decider recused": ((*DECIDED, "recuse, the decider"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i SyyS +v +S+k"),
    "responded": ((*DECIDED, "respond"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mzzr ++ +++k"),
    "corrected": ((*DECIDED, "correct"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mzzr ++ +D+k"),
    "reconsideration asked": ((*DECIDED, "ask_reconsideration"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mzzr ++ ++++"),
    "reconsideration answered": ((*DECIDED, "ask_reconsideration", "answer_reconsideration"), State.DETERMINATION_RECORDED,
        "++++++ ann +++ +f+ i mzzr ++ +++A"),
    "information asked": (("ask_information",), State.DRAFT,
        "++++++ ann +++ +++ i +yyP ++ uuuk"),
    "information answered": (("ask_information", "answer_information"), State.DRAFT,
        "++++++ ann +++ +++ i +yyP ++ uuuk"),
    "message sent": (("send_message",), State.DRAFT,
        "++++++ ann +++ +f+ i +yyP ++ uuuk"),
    "weights registered": (("register_weights",), State.DRAFT,
        "+w++++ ann +++ +f+ i +yyP ++ uuuk"),
    "regime added": (("add_regime",), State.DRAFT,
        "R+++++ ann +++ +f+ i +yyP ++ uuuk"),
    "withdrawn": (("withdraw",), State.WITHDRAWN,
        "WWWWWW WWW W++ WWW W WWWW WW WWWW"),
    "withdrawn while open": ((*OPEN, "withdraw"), State.WITHDRAWN,
        "WWWWWW WWW W++ WWW W WWWW WW WWWW"),
    "withdrawn after a determination": ((*DECIDED, "leave"), State.WITHDRAWN,
        "WWWWWW WWW W++ WWW W WWWW WW WWWW"),
    "ended": (("end",), State.DRAFT,
        "EEEEEE EEE E++ EEE E EEEE EE EEEE"),
    "ended while open": ((*OPEN, "end"), State.ACCESS_CLOSED,
        "EEEEEE EEE E++ EEE E EEEE EE EEEE"),
    "ended after a determination": ((*DECIDED, "end"), State.DETERMINATION_RECORDED,
        "EEEEEE EEE E++ EEE E EEEE EE EEEE"),
    "ended, then withdrawn": (("end", "withdraw"), State.WITHDRAWN,
        "EEEEEE EEE E++ EEE E EEEE EE EEEE"),
}
# Who may do each at all: developer, official, concurring official, another developer.
WHO = {
    "add_regime": "+---", "register_weights": "+---", "lodge_inquiry": "+---",
    "set_anchor": "+---", "agree_terms": "++++", "agree_terms, theirs": "++++",
    "open_access": "+---", "extend": "+---", "end_access": "++++", "end": "++++",
    "withdraw": "+---", "leave": "+---", "ask_information": "-+++", "answer_information": "+---",
    "send_message": "++++", "answer_inquiry": "-+--", "propose": "-+--", "concur": "--+-",
    "dissent": "--+-", "record_determination": "-+--", "recuse": "-+++",
    "recuse, the decider": "-+++", "respond": "+---", "correct": "-+--",
    "ask_reconsideration": "+---", "answer_reconsideration": "-+--",
}
# A state for each command in which the right person's is recorded.
FOR = {
    "open_access": "ready", "extend": "anchor moved later", "end_access": "access open",
    "answer_information": "information asked", "answer_inquiry": "inquiry asked",
    "concur": "proposed", "dissent": "proposed", "record_determination": "concurred",
    "respond": "recorded", "correct": "recorded", "ask_reconsideration": "recorded",
    "answer_reconsideration": "reconsideration asked",
}
# fmt: on
NOT_YOURS = (
    "only the developer, maker,",
    "the developer itself never",
    "only the role determining-official (body)",
    "under this regime the roles concurring-official",
)


def grown(how: tuple[str, ...]) -> tuple[Standing, datetime]:
    """The standing after these commands, an hour each, and the moment after them."""
    on, now = Standing(FACTS, REGIME), START
    for name in how:
        if name == PASSED:
            now = START + 26 * DAY
            continue
        now += HOUR
        if name == LATER:
            deed = rules.set_anchor(on, DEVELOPER, anchor=START + 28 * DAY)
            by = DEVELOPER
        else:
            by, command = COMMANDS[name]
            deed = command(on, by, now)
        act = Act(f"a{len(on.acts)}", deed.kind, now, by.id, deed.about, "e", deed.detail)
        added = (*on.added, OTHER) if deed.kind is Kind.REGIME_ADDED else on.added
        on = replace(on, acts=(*on.acts, act), added=added)
    return on, now + HOUR


def done(on: Standing, now: datetime, name: str, by: Principal | None = None) -> Deed | str:
    """The deed of a command, or the words of the refusal."""
    who, command = COMMANDS[name]
    try:
        return command(on, by or who, now)
    except LeadlineError as error:
        return str(error)


def answered(on: Standing, now: datetime, name: str, by: Principal | None = None) -> str:
    """Empty where the command is recorded, else the words of the refusal."""
    found = done(on, now, name, by)
    return found if isinstance(found, str) else ""


@pytest.mark.parametrize("name", STATES)
def test_every_cell_is_as_it_is_written(name: str) -> None:
    """The word, and the answer to every command, for one state."""
    how, word, row = STATES[name]
    on, now = grown(how)
    marks = row.replace(" ", "")
    assert len(marks) == len(COMMANDS), "a cell is missing"
    assert on.word(now) is word
    for command, mark in zip(COMMANDS, marks, strict=True):
        told = answered(on, now, command)
        assert (not told) if mark == "+" else WORDS[mark] in told, f"{command}: {told!r}"


@pytest.mark.parametrize("name", WHO)
def test_who_may_do_what_stands_in_the_rules_themselves(name: str) -> None:
    """Whatever a role file says: what is one side's is refused to everybody else, by name."""
    on, now = grown(STATES[FOR.get(name, "draft")][0])
    for by, mark in zip((DEVELOPER, OFFICIAL, SECOND, RIVAL), WHO[name], strict=True):
        told = answered(on, now, name, by)
        assert (not told) if mark == "+" else any(one in told for one in NOT_YOURS), (by.id, told)


def test_no_command_and_no_state_is_missing() -> None:
    """Each function that answers a deed is a column, each word and each mark is used."""
    functions = {
        name
        for module in (rules, deciding)
        for name, one in getmembers(module, isfunction)
        if signature(one).return_annotation is Deed and one.__module__ == module.__name__
    } - {"deed_of"}
    assert functions == {name.partition(",")[0] for name in COMMANDS}
    assert set(WHO) == set(COMMANDS)
    assert {word for _, word, _ in STATES.values()} == set(State)
    assert {mark for _, _, row in STATES.values() for mark in row} - {"+", " "} == set(WORDS)


def test_every_kind_of_act_of_the_desk_has_been_recorded_in_some_state() -> None:
    """No state is forgotten: each act that a command gives stands in the history of one of them."""
    given, reached = set[Kind](), set[Kind]()
    for how, _, _ in STATES.values():
        on, now = grown(how)
        reached |= {act.kind for act in on.acts}
        deeds = [done(on, now, name) for name in COMMANDS]
        given |= {one.kind for one in deeds if isinstance(one, Deed)}
    assert given == reached


def test_what_a_command_refuses_changes_nothing() -> None:
    """A refused command answers no deed, and the standing that it was asked about is what it was."""
    for how, _, _ in STATES.values():
        on, now = grown(how)
        before = (on.acts, on.word(now), dict(on.windows))
        for name in COMMANDS:
            answered(on, now, name)
        assert (on.acts, on.word(now), dict(on.windows)) == before
