"""A demonstration that people can sign in to: one person of each role, and something for each to do.

It is put into the installation of `make assess`, or into an empty folder, and into nothing else: whatever
has a log of its own name is somebody's installation. Everything is done by use cases, each by the person
whose it is, so that the record reads as any other. Running it again changes nothing.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from leadline.app import (
    approval,
    cases,
    engagement,
    notices,
    operators,
    organisation,
    people,
    publishing,
    reports,
    sign_in,
)
from leadline.app.assertion import Signed
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.operators import Stated
from leadline.core.access import Action, Principal
from leadline.core.assessment import Subject
from leadline.core.clearing.advisory import Advisory, Flaw, Revision, Statement
from leadline.core.clearing.case import FixState, Report
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.coordination import Stated as Status
from leadline.core.clearing.disclosure import Move, Role
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.operator import Enrolment, Exposure, Mode
from leadline.core.clearing.product import Interval, Releases, package
from leadline.core.clearing.tiers import Stage
from leadline.core.engagement.engagement import Engagement
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Refused
from leadline.core.grant import Scope
from leadline.core.marking import Tlp
from leadline.core.organisation import ADMINISTRATOR
from leadline.formats.cast_toml import load_cast
from leadline.formats.tiers_toml import load_tiers
from leadline.identity import software_key
from leadline.settings import Home
from leadline.store.sql import open_store
from leadline.wiring import feed as public
from leadline.wiring import people as wiring
from leadline.wiring import record
from leadline.wiring.backup import host
from leadline.wiring.desk import DATA, library
from leadline.wiring.home import KINDS, ORIGIN, Parts, clock, make, open_parts, origin
from leadline.wiring.sign_in import Acting, Door, at_door

FILE = "demonstration.txt"
REGIME = "us-eo-14409"
DAYS = 90  # how long the demonstration's people have access; their grants end after 30
PUBLIC, SECOND, EMBARGOED = (
    "Overflow in a JSON encoder (demonstration)",
    "Double free in a JSON decoder (demonstration)",
    "A case under embargo (demonstration)",
)
INTAKE = "intake"
# Role, organisation, whether named for engagements, and what that person may look at first.
HOSPITAL = "demonstration-hospital"
KEEPERS = (ADMINISTRATOR, f"second-{ADMINISTRATOR}")
SEATS: tuple[tuple[str, str, bool, str], ...] = (
    ("developer", "", False, "Place: your engagement, its clock, and how to leave it"),
    ("evaluator", "", True, "Assessments: plan, run, results"),
    ("determining-official", "demonstration-determining-office", True, "the brief on one page"),
    ("concurring-official", "demonstration-second-office", True, "concur, or dissent"),
    ("programme-officer", "demonstration-determining-office", True, "inquiries, messages, register"),
    ("evaluation-lead", "demonstration-evaluation-office", True, "sealed suites"),
    ("custodian", "demonstration-evaluation-office", True, "what lies in the vault"),
    ("coordinator", "", False, "Cases: two public, one under embargo"),
    ("operator", HOSPITAL, False, "your list, your notices, your due dates"),
    ("maintainer", "demonstration-project", False, "the case that waits for your answer"),
    ("finder", "demonstration-finder", False, "what became of your reports"),
    ("trusted-partner", "demonstration-utility", True, "what a partner may see"),
    ("auditor", "demonstration-auditor", False, "the log, alerts, counts"),
    ("administrator", "installation", False, "People, Installation"),
    ("second-administrator", "installation", False, "sign a recovery that the first one asks for"),
    ("account-administrator", HOSPITAL, False, "Accounts: the hospital's people, a delegate"),
    ("second-account-administrator", HOSPITAL, False, "sign what the first one asks for"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seated:
    """One person with the password that the demonstration gave."""

    id: str
    password: str = field(repr=False)
    first: str


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Where its people stand written down, and what they are told."""

    file: Path
    text: str


def seed(home: Home, out: str) -> Demonstration:
    """Put the demonstration's people and cases into *home*, or answer what stands there already.

    Raises: Refused, if the installation is not a demonstration.
    """
    file = home.folder / FILE
    if home.exists() and origin(home) != ORIGIN:
        raise Refused(f"{home.folder} is an installation of its own, the log {origin(home)}")
    if file.exists():
        return Demonstration(file, file.read_text("utf-8"))
    if not home.exists():
        make(home)
        with closing(open_store(home.database, kinds=KINDS)) as store:
            open_parts(home, store)
    with at_door(home) as door:
        assessed = (home.folder / "request.json").exists()
        text = words(_filled(door, home), out, assessed=assessed)
    record.publish(home)  # so that there is something to check: the register, the log, every act
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        target.write(text)
    return Demonstration(file, text)


def words(seated: Sequence[Seated], out: str, *, assessed: bool) -> str:
    """What is printed, and kept in a file that its owner alone reads."""
    head = (
        "A demonstration: none of these people or organisations exists, and nothing is decided here.",
        f"It holds the result of `make assess` in {out}."
        if assessed
        else f"No assessment is in {out} yet: `make assess` puts one there, in some minutes. "
        "Until then the engagement stands with access open and nothing measured.",
        "Sign in with a name and its password. Then add a passkey on your account: acts are signed with it.",
    )
    width = max(len(one.id) for one in seated)
    rows = (f"  {one.id.ljust(width)}  {one.password}   {one.first}" for one in seated)
    return "\n".join((*head, "", *rows, ""))


@dataclass(frozen=True)
class _Stage:
    """The people by role, each acting at the very moment."""

    door: Door
    names: Mapping[str, str]

    @property
    def parts(self) -> Parts:
        return self.door.parts

    def at(self, role: str) -> Context:
        """That person now, as after a strong sign-in."""
        return self.door.opened(self.names[role], 3)

    def keeper(self) -> Context:
        """Whoever runs this host."""
        return replace(self.parts.context(host()), assurance=2)


def _filled(door: Door, home: Home) -> tuple[Seated, ...]:
    cast = load_cast((DATA / "demonstration" / "cast.toml").read_bytes(), "cast.toml").people
    names = {role: cast[role].id if role in cast else f"demo-{role}" for role, *_ in SEATS}
    stage = _Stage(door, names)
    _enrol(stage, cast)
    before = [one for one in SEATS if one[0] not in KEEPERS]
    seated = [_seat(stage, role, first) for role, _, _, first in before]
    _found(stage)
    seated += [_seat(stage, role, first) for role, _, _, first in SEATS if role in KEEPERS]
    _engagement(stage)
    _name(stage)
    _operator(stage)
    _cases(stage)
    public.build(stage.at("coordinator"), home)
    return tuple(seated)


def _enrol(stage: _Stage, cast: Mapping[str, Principal]) -> None:
    """Everybody who is not there already, each with a day on which access ends."""
    with stage.parts.store.read() as view:
        there = {one.id for one in view.principals()}
    for role, org, *_ in SEATS:
        held = role.removeprefix("second-")
        if role in KEEPERS:
            continue  # entered by the founding
        person = cast.get(role) or Principal(
            stage.names[role],
            f"{role.replace('-', ' ').capitalize()} (demonstration)",
            org,
            frozenset({held}),
            clearance=2,
        )
        if person.id not in there:
            until = clock() + timedelta(days=DAYS)
            entered = replace(person, access_until=until)
            people.enrol(stage.keeper(), wiring.roles(), entered)


def _found(stage: _Stage) -> None:
    """The hospital looks after its own accounts: one administrator asks, the other signs."""
    asks, signs = "administrator", "second-administrator"
    if any(one.name == HOSPITAL for one, _ in organisation.watched(stage.at(asks))):
        return
    first = [
        organisation.Named(
            stage.names[role], f"{role.replace('-', ' ').capitalize()} (demonstration)"
        )
        for role in KEEPERS
    ]
    asked = organisation.ask_founding(
        stage.at(asks), wiring.roles(), HOSPITAL, ["operator"], 0, first
    )
    with _key(stage, signs) as sign:
        approval.approve(stage.at(signs), asked.id, sign(approval.challenge(asked)))
        given = approval.granted(stage.at(asks), asked.id)
        organisation.found(stage.at(asks), wiring.roles(), given)
    for role in KEEPERS:
        sign_in.call_off(stage.at(role))  # they begin with the passwords of this demonstration


@contextmanager
def _key(stage: _Stage, role: str) -> Iterator[Callable[[bytes], Signed]]:
    """A key of that person's for one signature, gone afterwards."""
    with TemporaryDirectory() as folder:
        key = software_key.make(Path(folder) / "key")
    approval.register(stage.at(role), key.registered(stage.names[role], clock()))
    try:
        yield key.sign
    finally:
        approval.retire(stage.at(role), key.id)


def _seat(stage: _Stage, role: str, first: str) -> Seated:
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    stage.door.set_password(Acting(stage.at(role)), password)
    return Seated(stage.names[role], password, first)


def _give(stage: _Stage, role: str, scope: Scope, name: str) -> None:
    ctx = stage.keeper()
    until = ctx.now + timedelta(days=30)
    people.give(ctx, wiring.roles(), stage.names[role], scope, name, until)


def _name(stage: _Stage) -> None:
    """Officials for every engagement that there is, the coordinator for what comes in."""
    with stage.parts.store.read() as view:
        found = [row.id for row in view.find(Engagement)]
    for role, _, named, _ in SEATS:
        for one in found if named else ():
            _give(stage, role, Scope.ENGAGEMENT, one)
    _give(stage, "coordinator", Scope.CASE, INTAKE)


def _engagement(stage: _Stage) -> None:
    """One in the middle, where no assessment left one: terms agreed, access open."""
    with stage.parts.store.read() as view:
        if view.find(Engagement):
            return
    texts, id_ = library(), stage.keeper().new_id("engagement")
    on = Dealings(id_, stage.at("developer").principal.org, texts.newest(REGIME), texts)
    subject = Subject("model", "a model nobody heard of", "d" * 64)
    engagement.open_draft(stage.at("developer"), on, subject.name, subject)
    anchor = stage.at("developer").now + timedelta(days=21)
    engagement.set_anchor(stage.at("developer"), on, anchor, "UTC")
    until = stage.at("developer").now + timedelta(days=60)
    said = ("As agreed for this demonstration.",) * 6
    terms = Terms(*said, purposes=("assessment",), retention_days=90, expires=until)
    _give(stage, "determining-official", Scope.ENGAGEMENT, id_)
    for role in ("developer", "determining-official"):
        engagement.agree_terms(stage.at(role), on, terms)
    engagement.open_access(stage.at("developer"), on)


def _operator(stage: _Stage) -> None:
    """A hospital with a list, vetted."""
    with stage.parts.store.read() as view:
        if view.find(Enrolment):
            return
    file = DATA / "tiers" / "leadline-default.toml"
    operators.publish_tiers(stage.at("coordinator"), load_tiers(file.read_bytes(), file.name))
    stated = Stated(
        "Example General Hospital (demonstration)",
        ("health",),
        9_000,
        Exposure.UNKNOWN,
        2,
        "Call the hospital's own IT on duty.",
        Mode.HOSTED,
    )
    made = operators.enrol(stage.at("operator"), stated, tuple(notices.sectors()))
    operators.vet(stage.at("coordinator"), made.id, "a demonstration: nobody was asked")
    listed = (DATA / "operators" / "rural-hospital" / "inventory.json").read_bytes()
    operators.give(stage.at("operator"), listed, "inventory.cdx.json")


def _cases(stage: _Stage) -> None:
    """Two cases that are public, with advisories and notices; one under embargo, which waits for its maintainer."""
    with stage.parts.store.read() as view:
        there = {row.value.title: row.id for row in view.find(CaseFile)}
    for title, release, advisory in (
        (PUBLIC, "5.1.0", _overflow(stage)),
        (SECOND, "5.3.0", _double_free(stage)),
    ):
        case = there.get(title) or _public(stage, title, release, advisory.flaws[0].cwe)
        if all(
            one.advisory.id != advisory.id for one in publishing.listed(stage.at("coordinator"))
        ):
            _publish(stage, case, advisory)
    if EMBARGOED not in there:
        case = _case(stage, EMBARGOED, _reported(stage, "5.0.0", "CWE-125"), answered=False)
        until = stage.at("coordinator").now + timedelta(days=45)
        cases.propose(stage.at("coordinator"), case, until)


def _public(stage: _Stage, title: str, release: str, cwe: str) -> str:
    case = _case(stage, title, _reported(stage, release, cwe), answered=True)
    moved = Moved(Move.PUBLIC, evidence=sha256(b"demonstration").hexdigest())
    cases.move(stage.at("coordinator"), case, moved)
    return case


def _publish(stage: _Stage, case: str, advisory: Advisory) -> None:
    """Signed by the coordinator; the operators that it touches are told."""
    facts, thing = publishing.facts(advisory), publishing.thing(case, advisory.id)
    with _key(stage, "coordinator") as sign:
        ctx = stage.at("coordinator")
        granted = approval.asserted(ctx, Action.ADVISORY_PUBLISH, thing, facts, sign)
        done = publishing.publish(stage.at("coordinator"), case, advisory, granted)
    notices.release(stage.at("coordinator"), case, done.advisory, Stage.PUBLISHED)


def _reported(stage: _Stage, release: str, cwe: str) -> str:
    """A report by the finder; answers its id."""
    ctx = stage.at("finder")
    raw = f"A crafted object makes ujson {release} read or write outside a buffer.".encode()
    made = Finding(
        "tool",
        "a fuzzer of the demonstration (tool)",
        "report",
        "",
        "",
        "memory",
        "Overflow in a JSON encoder",
        f"pkg:pypi/ujson@{release}",
        "",
        "",
        "AddressSanitizer: heap-buffer-overflow in encode",
        ctx.now,
        cwe,
        report=sha256(raw).hexdigest(),
    )
    return reports.submit(ctx, made, None, raw).finding


def _case(stage: _Stage, title: str, finding: str, *, answered: bool) -> str:
    """A case of the maintainer's; answers its id."""
    case = cases.open_case(
        stage.at("coordinator"), [finding], title=title, policy="leadline-default"
    )
    new = NewParty(Role.OWNER, "The project (demonstration)", person=stage.names["maintainer"])
    owner = cases.add_party(stage.at("coordinator"), case, new)
    if answered:
        for report in (Report.RECEIVED, Report.VALID, Report.ACCEPTED):
            cases.state(stage.at("maintainer"), case, owner, Status(report=report))
        cases.state(stage.at("maintainer"), case, owner, Status(fix=FixState.READY))
    return case


def _overflow(stage: _Stage) -> Advisory:
    """What is public of CVE-2021-45958."""
    flaw = Flaw(
        ids=("CVE-2021-45958",),
        title="Overflow in ujson",
        description="A crafted object overruns a buffer.",
        statements=(_of_ujson("2.0", "5.2.0"),),
        cwe="CWE-787",
        remedy="Replace ujson by 5.2.0 or a later release.",
    )
    return _advisory(stage, "LEADLINE-DEMONSTRATION-1", flaw)


def _double_free(stage: _Stage) -> Advisory:
    """What is public of CVE-2022-31117."""
    flaw = Flaw(
        ids=("CVE-2022-31117",),
        title="Double free in ujson",
        description="Where memory runs out while a string is decoded, a buffer is freed twice.",
        statements=(_of_ujson("0", "5.4.0"),),
        cwe="CWE-415",
        remedy="Replace ujson by 5.4.0 or a later release.",
    )
    return _advisory(stage, "LEADLINE-DEMONSTRATION-2", flaw)


def _of_ujson(since: str, fixed: str) -> Statement:
    return Statement(
        package=package("pypi", "", "ujson"),
        affected=Releases((Interval(since, fixed),)),
        fixed=Releases(listed=(fixed,)),
        complete=True,
    )


def _advisory(stage: _Stage, id_: str, flaw: Flaw) -> Advisory:
    return Advisory(
        id=id_,
        title=f"{flaw.title} (demonstration)",
        flaws=(flaw,),
        revisions=(Revision("1", stage.keeper().now, "First text."),),
        tlp=Tlp.AMBER_STRICT,
    )
