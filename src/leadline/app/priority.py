"""By when a flaw is to be fixed and which one comes first, from public lists and from what people said.

The first half asks nobody: an operator weighs one flaw on its own host. The second is the queue of an
installation's cases. What is unknown stays unknown, and nothing is owed on a guess.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from importlib.resources import files

from leadline.app.context import Context
from leadline.core.access import Action, Resource
from leadline.core.clearing import signals
from leadline.core.clearing.directive import Directive, Due, Facts, due
from leadline.core.clearing.exploited import (
    Answer,
    Epss,
    Kev,
    Likelihood,
    agreed,
    in_kev,
    known,
)
from leadline.core.clearing.priority import Case, Override, Place, order
from leadline.core.clearing.ssvc import Table
from leadline.core.errors import Invalid, NotFound
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind
from leadline.formats import ssvc
from leadline.formats.directive_toml import load_directive

DIRECTIVE = "us-bod-26-04"
CASE = Marking(Tlp.AMBER_STRICT)
REASON_MAX = 500
_BEGINNING = frozenset({Kind.CASE_OPENED, Kind.CASE_RECEIVED})


@dataclass(frozen=True, slots=True)
class Lists:
    """Public lists as they were imported. *records* are assessments by CVE id, each its assessor's."""

    kev: Kev | None = None
    epss: Epss | None = None
    records: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One flaw: the answers in the order of the table's inputs, and the days that follow from them."""

    answers: tuple[Answer, ...]
    due: Due
    likelihood: Likelihood | None


@cache
def tables() -> Mapping[str, Table]:
    """The published decision tables that ship, by id."""
    folder = files("leadline") / "data" / "ssvc"
    found = [
        ssvc.read_table(file.read_bytes(), file.name)
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
        if file.name.endswith(".json")
    ]
    return {table.id: table for table in found}


@cache
def directive() -> Directive:
    """The directive that ships, with its table."""
    name = f"{DIRECTIVE}.toml"
    content = (files("leadline") / "data" / "directives" / name).read_bytes()
    return load_directive(content, name, tables())


def weigh(
    lists: Lists, facts: Facts, told: Iterable[Answer], now: datetime, zone: tzinfo
) -> Weighed:
    """The directive's answer for one flaw at one operator; *told* are answers of people.

    Of what assessors say on one input, those who agree count; where they differ it is unknown.

    Raises: Invalid, for an input or a value that the table does not have.
    """
    rules, said = directive(), list(told)
    points = {one.id for one in rules.table.inputs}
    for one in said:
        if one.point not in points:
            rules.table.input(one.point)
    listing = in_kev(lists.kev, facts.cve, now, rules.kev_age_max, rules.kev)
    published = [*lists.records.get(facts.cve, ()), listing]
    answers = tuple(
        agreed(point.id, [one for one in (*said, *published) if one.point == point.id])
        for point in rules.table.inputs
    )
    found = due(rules, rules.table.decide(known(answers)), facts, now, zone)
    likelihood = lists.epss.of(facts.cve) if lists.epss and facts.cve else None
    return Weighed(answers, found, likelihood)


@dataclass(frozen=True, slots=True)
class Row:
    """One case in the queue, with what its place rests on."""

    place: Place
    weighed: Weighed
    told: signals.Told


def queue(ctx: Context, cases: Mapping[str, int], lists: Lists, zone: tzinfo) -> tuple[Row, ...]:
    """The cases that this person may read, the most urgent first.

    *cases* are ids with the number of operators that each touches.

    Raises: Denied, for a case that the person may not read.
    """
    found: dict[str, tuple[Case, Weighed, signals.Told]] = {}
    mine = ctx.allowed(Action.CASE_READ, [_case(id_) for id_ in cases])
    for id_ in sorted(cases.keys() - {one.id for one in mine}):
        ctx.require(Action.CASE_READ, _case(id_))
    for id_, said in _told(ctx, list(cases)).items():
        operators = cases[id_]
        facts = Facts(cve=said.cve, detected=said.detected, fix=said.fix)
        weighed = weigh(lists, facts, said.answers.values(), ctx.now, zone)
        found[id_] = _signals(id_, operators, said, weighed), weighed, said
    overrides = [one for _, _, said in found.values() for one in said.overrides]
    places = order([case for case, _, _ in found.values()], overrides)
    return tuple(Row(place, *found[place.case.id][1:]) for place in places)


def say(ctx: Context, case: str, what: str, value: str, reason: str) -> None:
    """Enter one signal of a case, or one input of the directive's table, with the reason.

    Raises: Denied; NotFound, for no such case; Invalid, naming what is taken.
    """
    ctx.require(Action.PRIORITY_SET, _case(case))
    words = _reason(reason)
    inputs = {point.id: point for point in directive().table.inputs}
    if what in inputs:
        if what == directive().kev:
            raise Invalid("signal", "the list itself says what is listed; import it")
        if value != signals.UNKNOWN:
            inputs[what].level(value)
        detail = {"point": what, "value": value, "reason": words}
    else:
        detail = {"signal": what, "value": signals.checked(what, value), "reason": words}
    _enter(ctx, case, detail)


def put(ctx: Context, case: str, outcome: str, reason: str, lists: Lists, zone: tzinfo) -> Override:
    """Put a case where the outcome *outcome* would put it; it moves the case and changes no date.

    Raises: as `say`.
    """
    ctx.require(Action.PRIORITY_SET, _case(case))
    words, said = _reason(reason), _told(ctx, [case])[case]
    directive().table.outcome.level(outcome)
    facts = Facts(cve=said.cve, detected=said.detected, fix=said.fix)
    seen = weigh(lists, facts, said.answers.values(), ctx.now, zone).due.decision
    pair = seen.least.key, seen.most.key
    _enter(ctx, case, {"outcome": outcome, "reason": words, "seen": pair})
    return Override(case, outcome, pair, ctx.principal.id, ctx.now, words)


def _signals(id_: str, operators: int, said: signals.Told, weighed: Weighed) -> Case:
    return Case(
        id=id_,
        decision=weighed.due.decision,
        attacks=said.attacks,
        criticality=said.criticality,
        exposure=said.exposure,
        operators=operators,
        dependents=said.dependents,
        earliest=weighed.due.sorts,
        capacity=said.capacity,
    )


def _told(ctx: Context, cases: Sequence[str]) -> Mapping[str, signals.Told]:
    """What was said of each of these cases, in their order; raises NotFound for one that is not there."""
    acts = dict[str, list[Act]]((case, []) for case in cases)
    with ctx.store.read() as view:
        for one in view.acts(about=frozenset(cases), kind=signals.KINDS | _BEGINNING):
            acts[one.act.about].append(one.act)
    for case, held in acts.items():
        if not any(act.kind in _BEGINNING for act in held):
            raise NotFound(f"no case {case}")
    return {case: signals.told(case, held) for case, held in acts.items()}


def _enter(ctx: Context, case: str, detail: Mapping[str, str | tuple[str, str]]) -> None:
    _told(ctx, [case])
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.PRIORITY_SET, case, "", **detail))


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > REASON_MAX:
        raise Invalid("reason", f"say why, in at most {REASON_MAX} characters")
    return words


def _case(id_: str) -> Resource:
    return Resource("case", id_, marking=CASE, case=id_)
