"""The fairness report: what it counts, that a verifier recomputes it, and that tampering is seen."""

import json
from hashlib import sha256
from typing import Any

import pytest

from leadline.app import fairness, notices, operators, reports
from leadline.app.fairness_verify import verify
from leadline.core.clearing import fairness as rules
from leadline.core.clearing.delivery import alias
from leadline.core.clearing.fairness import Fault
from leadline.core.clearing.operator import Bar, Mode
from leadline.core.clearing.receipt import Answer
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Denied, Refused, Tampered
from leadline.core.record.act import Kind, Value
from leadline.formats import canonical
from operator_world import OPERATORS, OperatorWorld, ujson
from reporting import reported

AFFECTED, OTHER = "pkg:pypi/ujson@5.1.0", "pkg:pypi/zlib-ng@1.0"


def told() -> OperatorWorld:
    """Hospital told early, opened and applied; the bank told on the day and silent; one kept out."""
    world = OperatorWorld()
    for person in OPERATORS:
        world.enrol(person, competes=("a-project",) if person == "utility" else ())
        world.give(person, AFFECTED)
    world.open()
    world.ready(2)
    world.after(minutes=5)
    (early,) = world.release(Stage.ADVANCE)
    notices.show(world.at("hospital"), early.id)
    notices.show(world.at("hospital"), early.id)
    notices.answer(world.at("hospital"), early.id, Answer.APPLIED)
    notices.releases(world.at("screener"), world.case)
    world.after(days=2)
    world.publish()
    world.release(Stage.PUBLISHED)
    world.after(hours=3)
    return world


def vkeys(world: OperatorWorld) -> str:
    """The keys of the installation's log."""
    return world.inner.world.signer.vkeys()


def test_the_report_of_an_ordinary_case() -> None:
    """Spread zero in each tier, one explained difference, one silent operator, early readers by stage."""
    world = told()
    made = fairness.report(world.at("clearing-auditor"), world.case)
    found = made.report
    assert {(one.stage, one.tier, one.notices, one.seconds) for one in found.spreads} == {
        ("advance", "1", 1, 0),
        ("published", "1", 2, 0),
        ("published", "3", 1, 0),
    }
    assert [(one.fault, one.stage, one.why) for one in found.differences] == [
        (Fault.NOT_TOLD, "advance", Bar.COMPETES.value)
    ]
    assert found.unexplained == 0
    assert (found.told, len(found.silent)) == (3, 2)
    assert [one.times for one in found.readers if one.role == "operator"] == [2]
    staff = [one.who for one in found.readers if one.stage == "who was told"]
    assert staff == ["screener"]
    assert [one.state for one in found.periods] == ["opened", "date agreed", "public"]
    assert found.numbering.faults == ()
    assert found.numbering.withheld == 0
    assert made.counts["told"] == 3
    checked = verify(made.body, vkeys(world))
    assert (checked.acts, checked.unexplained) == (found.numbering.acts, 0)
    assert checked.notices == 4


def test_no_operator_is_named_and_ids_differ_from_case_to_case() -> None:
    """The document holds no operator's id, organisation or name."""
    world = told()
    body = fairness.report(world.at("screener"), world.case).body.decode()
    for person in OPERATORS:
        assert world.operator[person] not in body
        assert f"The {person}" not in body


def test_the_public_report_keeps_back_answers_and_small_counts() -> None:
    """Withheld acts are counted; nothing names who answered; before publication there is none."""
    world = told()
    made = fairness.report(world.at("screener"), world.case, public=True)
    checked = verify(made.body, vkeys(world))
    assert checked.withheld > 5
    assert checked.audience == "public"
    body = json.loads(made.body)
    kinds = {one["record"]["kind"] for one in body["acts"]}
    assert not kinds & {"notice.opened", "notice.answered", "participant.added", "status.stated"}
    assert body["counts"]["told"] is None
    assert made.report.silent == ()
    early = OperatorWorld()
    early.enrol("hospital")
    early.open()
    with pytest.raises(Refused, match="not public yet"):
        fairness.report(early.at("screener"), early.case, public=True)


def test_strangers_get_no_report() -> None:
    """Operators, finders and owners are denied, each with an act."""
    world = told()
    for person in ("hospital", "finder", "maintainer", "second-screener"):
        with pytest.raises(Denied):
            fairness.report(world.at(person), world.case)
    assert len(world.inner.world.acts(Kind.ACCESS_DENIED)) == 4


def test_a_notice_that_was_kept_back_shows_as_unexplained() -> None:
    """The slow way finds an operator that the sender left out, and a notice that nothing explains."""
    world = told()
    hospital = alias(world.case, world.operator["hospital"])
    ctx = world.at("clearing-auditor")
    with ctx.store.read() as view:
        acts = notices.case_acts(view, world.case)
        expected = tuple(fairness._expected(ctx, view, world.case))
    without = [
        rules.Numbered(n, one.index, one.act)
        for n, one in enumerate(acts, 1)
        if not (
            one.act.kind is Kind.NOTICE_SENT
            and one.act.detail["operator"] == hospital
            and one.act.detail["stage"] == "advance"
        )
    ]
    found = rules.fairness(world.case, without, len(acts), expected, world.now)
    missing = [one for one in found.differences if not one.why]
    assert [(one.fault, one.operator) for one in missing] == [(Fault.NOT_TOLD, hospital)]
    shifted = [rules.Numbered(n, one.index, one.act) for n, one in enumerate(acts[1:], 1)]
    assert rules.fairness(world.case, shifted, len(acts), expected, world.now).numbering.faults
    none = rules.fairness(world.case, without, len(acts), (), world.now)
    assert {one.fault for one in none.differences} == {Fault.NO_MATCH}


def test_local_mode_and_corrections_are_explained() -> None:
    """A notice without a match is due to an operator in local mode, and to nobody else."""
    world = OperatorWorld()
    world.enrol("bank", mode=Mode.LOCAL)
    world.enrol("hospital")
    world.give("hospital", AFFECTED)
    world.open()
    world.publish()
    world.release(Stage.PUBLISHED)
    world.after(hours=1)
    notices.correct(world.at("screener"), world.case, ujson(withdrawn=True), "It was no flaw.")
    made = fairness.report(world.at("clearing-auditor"), world.case)
    assert [(one.fault, one.why) for one in made.report.differences] == [
        (Fault.NO_MATCH, Bar.LOCAL.value)
    ]
    assert [one.stage for one in made.report.spreads].count("correction") == 2
    verify(made.body, vkeys(world))


def altered(world: OperatorWorld, change: Any, *, public: bool = False) -> bytes:
    """A report that somebody changed and that the installation's own key signs again."""
    body = json.loads(fairness.report(world.at("screener"), world.case, public=public).body)
    change(body)
    unsigned = {name: value for name, value in body.items() if name != "signature"}

    def tupled(value: Any) -> Value:
        if isinstance(value, list):
            return tuple(tupled(one) for one in value)
        if isinstance(value, dict):
            return {name: tupled(one) for name, one in value.items()}
        return value  # type: ignore[no-any-return] # parsed JSON

    digest = sha256(canonical.encode(tupled(unsigned), bytes_max=1 << 28)).hexdigest()
    text = f"{fairness.FORMAT}\n{body['case']}\n{digest}\n"
    body["signature"] = world.inner.world.signer.sign(text)
    return canonical.encode(tupled(body), bytes_max=1 << 28)


def _sent(body: Any) -> Any:
    return next(one for one in body["acts"] if one["record"]["kind"] == "notice.sent")


CHANGES: dict[str, Any] = {
    "an act's time": lambda body: _sent(body)["record"].update(at="2027-01-01T00:00:00.000000Z"),
    "an act's tier": lambda body: _sent(body)["record"]["detail"].update(tier="9"),
    "an act's blinder": lambda body: _sent(body).update(blinder="0" * 64),
    "an act left out": lambda body: body["acts"].pop(3),
    "the last act left out": lambda body: body["acts"].pop(),
    "two acts exchanged": lambda body: (
        body["acts"][2].update(number=4) or body["acts"][3].update(number=3)
    ),
    "a figure": lambda body: body["report"].update(told=1),
    "a spread": lambda body: body["report"]["spreads"][0].update(seconds=5),
    "an explanation": lambda body: body["report"]["differences"][0].update(why="because"),
    "a silent one": lambda body: body["report"]["silent"].pop(),
    "a reader": lambda body: body["report"]["readers"].pop(),
    "a period": lambda body: body["report"]["periods"][0].update(seconds=1),
    "a proof": lambda body: _sent(body).update(proof=""),
    "no hex": lambda body: _sent(body).update(blinder="zz"),
    "no object": lambda body: body["acts"].append("x"),
    "no list": lambda body: body.update(acts="x"),
    "no number": lambda body: _sent(body).update(number="1"),
    "no text": lambda body: _sent(body).update(proof=1),
    "another form": lambda body: body.update(format="leadline/fairness/v0"),
    "a field more": lambda body: body.update(extra=1),
    "the checkpoint": lambda body: body.update(checkpoint="nothing"),
    "the count of acts": lambda body: body["report"]["numbering"].update(acts=1),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_changed_report_is_noticed(name: str) -> None:
    """Even by whoever holds the signing key: what does not follow from the log is tampered."""
    world = told()
    with pytest.raises(Tampered):
        verify(altered(world, CHANGES[name]), vkeys(world))


def test_bytes_and_keys_are_checked() -> None:
    """Not canonical, not signed, another's key: tampered; an unchanged one signed again verifies."""
    world = told()
    body = fairness.report(world.at("screener"), world.case).body
    for wrong in (b"", b"{}", b" " + body, body.replace(b'"full"', b'"less"')):
        with pytest.raises(Tampered):
            verify(wrong, vkeys(world))
    assert verify(altered(world, lambda _: None), vkeys(world)).case == world.case


def test_withheld_leaves_are_checked() -> None:
    """A leaf kept back still stands in the log at its place."""
    world = told()
    for change in (
        lambda body: body["withheld"][0].update(entry="01" + "0" * 64),
        lambda body: body["withheld"][0].update(entry="zz"),
        lambda body: body["withheld"].pop(0),
    ):
        with pytest.raises(Tampered):
            verify(altered(world, change, public=True), vkeys(world))


def test_what_was_committed_to_at_intake_is_opened() -> None:
    """The act of handing in is proved, and opens to the finding; in public only its leaf is shown."""
    world, draft = OperatorWorld(), reported()
    receipt = reports.submit(world.at("finder"), draft.finding, draft.proof, draft.raw)
    world.inner.findings[0] = receipt.finding
    world.open()
    world.publish()
    made = fairness.report(world.at("clearing-auditor"), world.case)
    verify(made.body, vkeys(world))
    (told,) = json.loads(made.body)["intake"]
    assert told["record"]["detail"]["commitment"] == receipt.commitment
    assert draft.finding.title in told["opening"]["content"]
    open_ = fairness.report(world.at("screener"), world.case, public=True)
    verify(open_.body, vkeys(world))
    # What stands for a project in acts is a hash of its name, which anybody can guess.
    lane = told["record"]["detail"]["lane"]
    assert lane in made.body.decode()
    assert lane not in open_.body.decode()
    assert set(json.loads(open_.body)["intake"][0]) == {"finding", "index", "proof", "entry"}
    changes: tuple[Any, ...] = (
        lambda body: body["intake"][0]["opening"].update(content="{}"),
        lambda body: body["intake"][0]["opening"].update(blinder="zz"),
        lambda body: body["intake"][0]["opening"].update(blinder="00"),
        lambda body: body["intake"][0].update(index=0),
        lambda body: body["intake"][0].update(opening=1),
    )
    for change in changes:
        with pytest.raises(Tampered):
            verify(altered(world, change), vkeys(world))


def test_ended_operators_and_inventories_are_part_of_the_slow_way() -> None:
    """Whoever ended before a release is not due; the report says so where it would have matched."""
    world = OperatorWorld()
    world.enrol("hospital")
    world.give("hospital", AFFECTED)
    world.open()
    operators.end(world.at("hospital"), world.operator["hospital"], "we closed")
    world.publish()
    assert world.release(Stage.PUBLISHED) == ()
    found = fairness.report(world.at("clearing-auditor"), world.case).report
    assert [one.why for one in found.differences] == [Bar.ENDED.value]
