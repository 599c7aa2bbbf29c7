"""Attacks on the log of a decision: whatever is changed, left out, moved or spliced in is refused.

What a record says of itself (draw, bets, expectations) is refused at that record. What it carries
(cost, the sample's digest, a score while bets are suspended) is held by the chain alone: it is refused
at the next record, and in the last one by the head that stands in the assessment's own record.
"""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid, LeadlineError, Tampered
from leadline.core.measure.deciding import replay, resume, start
from leadline.core.measure.sequential import (
    Decision,
    Design,
    Plan,
    Record,
    Result,
    State,
    head,
    read_record,
)
from leadline.formats.decision_log import DecisionLog, read_decision, write_decision

SEED, OTHER = bytes(range(16)), bytes(range(1, 17))
SIZE, BATCH = 12, 3
ACTIVE = Plan(
    suite_digest="s",
    items=tuple(f"i{n}" for n in range(SIZE)),
    families=("f", "g") * (SIZE // 2),
    weights={"f": 0.25, "g": 0.75},
    threshold=0.53,
    alpha_above=1e-4,  # so that no conclusion is reached before the end
    alpha_below=2e-4,
    seed_commitment="c",
    design=Design.ACTIVE,
    discriminations=tuple(0.5 + n / 10 for n in range(SIZE)),
    difficulties=tuple(n / 4 - 1.5 for n in range(SIZE)),
    batch=BATCH,
)
IN_ORDER = replace(ACTIVE, design=Design.SRSWOR, weights=None, discriminations=(), difficulties=())
BOTH = pytest.mark.parametrize("plan", [ACTIVE, IN_ORDER], ids=["active", "srswor"])


def ran(
    plan: Plan, seed: bytes = SEED, void: frozenset[int] = frozenset(), steps: int = 9
) -> Decision:
    """A decision after some steps, odd ones solved; steps in *void* failed once, then ran again."""
    decision = start(plan, seed)
    while len(decision.seen) < steps or None in decision.seen:
        again = [step for step, y in enumerate(decision.seen, 1) if y is None]
        step = again[0] if again else len(decision.seen) + 1
        y = None if step in void and not again else step % 2
        decision = decision.update([Result(step, y, 10 + step, f"{step:02d}")])
    return decision


def refused_at(plan: Plan, log: list[Record], seed: bytes = SEED) -> int:
    """The number of the record that is refused, 0 if none is."""
    try:
        resume(plan, seed, log)
    except Tampered as error:
        return int(error.place.rpartition(" ")[2])
    return 0


def changes(record: Record) -> dict[str, list[Any]]:
    """Other values of each field of *record*, of its type."""
    told: dict[str, list[Any]] = {
        "previous": ["00" * 32, record.previous.upper(), ""],
        "step": [record.step + 1, record.step - 1, 0, -1, SIZE + 1],
        "item": ["i99", "", record.item.upper()],
        "epoch": [0, 2],
        "weight": [record.weight + 1, record.weight - 1, 0, -record.weight],
        "total": [record.total + 1, 2 * record.total],
        "cost": [record.cost + 1, 0, -1],
        "sample": ["", "x"],
        "y": [y for y in (0, 1, 2, -1, None) if y != record.y],
    }
    if record.up is not None and record.down is not None:
        told |= {"up": [record.up + 3, -record.up - 9, None], "down": [record.down - 3, None]}
    if record.p is not None:
        told["p"] = ["", "AAAA", "A" * len(record.p), record.p[:-4], record.p[::-1], None]
    else:
        told["p"] = ["", "AAAA" * SIZE]
    return told


@BOTH
@pytest.mark.parametrize("void", [frozenset[int](), frozenset({2, 5})], ids=["whole", "void"])
def test_every_field_of_every_record_is_held(plan: Plan, void: frozenset[int]) -> None:
    """A changed field is refused at its record; one that a record only carries, at the next."""
    log = list(ran(plan, void=void).log)
    assert refused_at(plan, log) == 0
    for at, record in enumerate(log):
        for name, values in changes(record).items():
            for value in values:
                spoilt = [*log[:at], replace(record, **{name: value}), *log[at + 1 :]]
                found = refused_at(plan, spoilt)
                carried = name in {"cost", "sample", "y"}
                if carried and at == len(log) - 1 and not found:
                    assert spoilt[-1].digest != log[-1].digest, (name, value)
                    continue
                assert found in ({at + 1, at + 2} if carried else {at + 1}), (at + 1, name, value)


def test_a_score_is_refused_where_it_stands_while_bets_are_on() -> None:
    """The bets of a record are on its score: a flipped one does not recompute, even in the last record."""
    log = list(ran(ACTIVE).log)
    for at, record in enumerate(log):
        assert record.y is not None
        spoilt = [*log[:at], replace(record, y=1 - record.y), *log[at + 1 :]]
        assert refused_at(ACTIVE, spoilt) == at + 1


def _flipped(lines: list[bytes], at: int, bit: int) -> tuple[int, bool]:
    """Where a log of JSON lines with one bit flipped is refused, and whether its head is another."""
    line = bytearray(lines[at])
    line[bit // 8] ^= 1 << bit % 8
    told = [*lines[:at], bytes(line), *lines[at + 1 :]]
    try:
        records = [read_record(json.loads(one), f"record {n}") for n, one in enumerate(told, 1)]
    except Tampered as error:
        return int(error.place.rpartition(" ")[2]), True
    except (ValueError, AttributeError):
        return at + 1, True  # no JSON, or no object: not a record at all
    return refused_at(ACTIVE, records), records[-1].digest != read_record(
        json.loads(lines[-1])
    ).digest


@pytest.mark.parametrize("stride", [29, pytest.param(1, marks=pytest.mark.soak)])
def test_any_flipped_bit_is_refused(stride: int) -> None:
    """Of every record in its written form: at that record, or at the next, or by the head of the log."""
    lines = [
        json.dumps(one.to_dict(), separators=(",", ":")).encode()
        for one in ran(ACTIVE, void=frozenset({4}), steps=7).log
    ]
    tried = 0
    for at, line in enumerate(lines):
        for bit in range(at % stride, 8 * len(line), stride):
            found, other_head = _flipped(lines, at, bit)
            assert found in {at + 1, at + 2} or (at == len(lines) - 1 and other_head)
            tried += 1
    assert tried > 100


@pytest.mark.parametrize("stride", [61, pytest.param(1, marks=pytest.mark.soak)])
def test_any_flipped_bit_of_the_document_is_refused(stride: int) -> None:
    """Of plan, seed or log as they stand in a bundle; what its last line carries, by the log's head."""
    log = ran(ACTIVE, void=frozenset({4}), steps=7).log
    content = write_decision(DecisionLog(ACTIVE, SEED, log))
    refused, by_head = list[LeadlineError](), 0
    for bit in range(0, 8 * len(content), stride):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            told = read_decision(bytes(changed))
            replay(told.plan, told.seed, told.log)
        except (Invalid, Tampered) as error:
            refused.append(error)
            continue
        assert told.log[:-1] == log[:-1]
        assert told.log[-1].digest != log[-1].digest
        by_head += 1
    assert by_head < len(refused) / 100


@pytest.mark.parametrize("written", [bytes(range(170, 186)).hex().upper(), "aa " * 16, "0" * 31])
def test_a_seed_has_one_way_to_be_written(written: str) -> None:
    """The same bytes in capitals or with gaps are another document, and no decision."""
    content = write_decision(DecisionLog(ACTIVE, bytes(range(170, 186)), ()))
    assert read_decision(content).seed == bytes(range(170, 186))
    changed = content.replace(bytes(range(170, 186)).hex().encode(), written.encode())
    with pytest.raises(Invalid, match="seed"):
        read_decision(changed)


PLAN_CHANGES: dict[str, list[Any]] = {
    "suite_digest": ["t"],
    "items": [ACTIVE.items[::-1], (*ACTIVE.items[:-1], "i99")],
    "families": [("g", "f") * (SIZE // 2), ("f",) * (SIZE - 1) + ("g",)],
    "threshold": [0.5300000000000001, 0.47],
    "alpha_above": [2e-4],
    "alpha_below": [1e-4],
    "seed_commitment": ["d"],
    "zone": [1e-12],
    "max_runs": [9],
    "max_tokens": [10**9],
}
OF_ACTIVE: dict[str, list[Any]] = {
    "weights": [{"f": 0.75, "g": 0.25}, {"f": 0.2500000000000001, "g": 0.75}],
    "discriminations": [(), (0.5000000000000001, *ACTIVE.discriminations[1:])],
    "difficulties": [(), (*ACTIVE.difficulties[:-1], 1.2500000000000002)],
    "tau": [0.4999999999999999],
    "floor": [0.16],
    "family_share": [0.4],
    "batch": [1, 2, 4],
    "design": [Design.SRSWOR],
}


@BOTH
def test_every_field_of_the_plan_and_the_seed_open_the_log(plan: Plan) -> None:
    """Another plan, by the last digit of a number, or another seed, is refused at the first record."""
    log = list(ran(plan).log)
    fields = PLAN_CHANGES | (OF_ACTIVE if plan is ACTIVE else {"design": [Design.ACTIVE]})
    for name, values in fields.items():
        for value in values:
            if name == "design":
                assert refused_at(IN_ORDER if plan is ACTIVE else ACTIVE, log) == 1
            else:
                assert refused_at(replace(plan, **{name: value}), log) == 1, (name, value)
    for bit in range(8 * len(SEED)):
        seed = bytearray(SEED)
        seed[bit // 8] ^= 1 << bit % 8
        assert refused_at(plan, log, bytes(seed)) == 1
    assert refused_at(plan, log, SEED + b"\0") == 1


@BOTH
def test_records_left_out_moved_or_repeated_are_refused(plan: Plan) -> None:
    """Every single removal, exchange of neighbours and repetition, at the first place where it shows."""
    log = list(ran(plan, void=frozenset({3})).log)
    for at in range(len(log)):
        if at < len(log) - 1:
            assert refused_at(plan, [*log[:at], *log[at + 1 :]]) == at + 1
            swapped = [*log[:at], log[at + 1], log[at], *log[at + 2 :]]
            assert refused_at(plan, swapped) == at + 1
        repeated = [*log[: at + 1], log[at], *log[at + 1 :]]
        assert refused_at(plan, repeated) == at + 2
    assert refused_at(plan, log[::-1]) == 1


@BOTH
def test_a_log_cut_short_is_known_by_its_head(plan: Plan) -> None:
    """A beginning recomputes, as it must for a run that goes on; its head is no head of the whole."""
    log = ran(plan).log
    heads = {head(plan, SEED, log[:n]) for n in range(len(log) + 1)}
    assert len(heads) == len(log) + 1
    for n in range(len(log)):
        assert replay(plan, SEED, log[:n]).n == n


@BOTH
def test_logs_cannot_be_spliced(plan: Plan) -> None:
    """The end of one log after the beginning of another: of other results, of another seed or plan."""
    log = list(ran(plan).log)
    fork = list(start(plan, SEED).update([Result(n, 1 - n % 2) for n in range(1, 10)]).log)
    for other in (fork, list(ran(plan, OTHER).log), list(ran(replace(plan, zone=0.01)).log)):
        for at in range(1, len(log)):
            assert refused_at(plan, [*log[:at], *other[at:]]) == at + 1
            assert refused_at(plan, [*other[:at], *log[at:]]) in {1, at + 1}


def test_marks_of_batches_cannot_be_moved() -> None:
    """What was expected stands where a batch begins, there only, and as it was."""
    log = list(ran(ACTIVE).log)
    begins = [at for at, line in enumerate(log) if line.p is not None]
    assert begins == [0, 3, 6]
    for at in begins:
        own = log[at]
        for to in {at - 1, at + 1} & set(range(len(log))):
            moved = list(log)
            moved[at], moved[to] = replace(own, p=None), replace(log[to], p=own.p)
            assert refused_at(ACTIVE, moved) == min(at, to) + 1
            doubled = list(log)
            doubled[to] = replace(log[to], p=own.p)
            assert refused_at(ACTIVE, doubled) == to + 1
        for other in set(begins) - {at}:
            taken = [*log[:at], replace(own, p=log[other].p), *log[at + 1 :]]
            assert refused_at(ACTIVE, taken) == at + 1
    for batch in (1, 2, 4, SIZE):
        assert refused_at(ACTIVE, list(ran(replace(ACTIVE, batch=batch)).log)) == 1


@BOTH
def test_a_run_goes_on_from_any_place(plan: Plan) -> None:
    """Resumed in the middle of a batch, or over a void step, the rest of the log is the same."""
    whole = ran(plan, void=frozenset({2, 6}), steps=SIZE)
    for at in range(len(whole.log) + 1):
        decision = resume(plan, SEED, whole.log[:at])
        for line in whole.log[at:]:
            decision = decision.update([Result(line.step, line.y, line.cost, line.sample)])
        assert decision.log == whole.log
        assert decision.status() == whole.status()


@BOTH
def test_the_order_in_which_results_come_in_does_not_matter(plan: Plan) -> None:
    """A batch's results are entered by step, whoever finishes first."""
    decision = start(plan, SEED)
    draws = decision.next_items(BATCH)
    results = [Result(draw.step, int(draw.item[1:]) % 2) for draw in draws]
    assert decision.update(results).log == decision.update(results[::-1]).log


@BOTH
def test_names_of_items_decide_nothing(plan: Plan) -> None:
    """The same items by other names: the same places drawn, the same bets and the same end."""
    renamed = replace(plan, items=tuple(f"x{n}" for n in range(SIZE)))
    one, other = (ran(which, steps=SIZE) for which in (plan, renamed))
    assert [line.item[1:] for line in one.log] == [line.item[1:] for line in other.log]
    assert [(line.up, line.down) for line in one.log] == [
        (line.up, line.down) for line in other.log
    ]
    assert one.status() == other.status()


LOOSE = replace(ACTIVE, alpha_above=0.2, alpha_below=0.3)


@settings(max_examples=50)
@given(
    solved=st.lists(st.booleans(), min_size=SIZE, max_size=SIZE),
    seed=st.binary(min_size=16, max_size=16),
)
def test_above_and_below_mirror_each_other(solved: list[bool], seed: bytes) -> None:
    """Failures for successes, difficulties turned round and errors exchanged: the opposite answer."""
    turned = replace(
        LOOSE,
        threshold=1 - LOOSE.threshold,
        alpha_above=LOOSE.alpha_below,
        alpha_below=LOOSE.alpha_above,
        difficulties=tuple(-b for b in LOOSE.difficulties),
    )
    ends = []
    for plan, flip in ((LOOSE, False), (turned, True)):
        decision = start(plan, seed)
        while draws := decision.next_items(1):
            decision = decision.update(
                [Result(one.step, int(solved[int(one.item[1:])] != flip)) for one in draws]
            )
        ends.append(decision)
    one, other = (decision.status() for decision in ends)
    opposite = {State.ABOVE: State.BELOW, State.BELOW: State.ABOVE}
    assert other.state == opposite.get(one.state, one.state)
    assert [line.item for line in ends[0].log] == [line.item for line in ends[1].log]
    for line, mirrored in zip(ends[0].log, ends[1].log, strict=True):
        assert line.up == pytest.approx(mirrored.down, abs=20)
        assert line.down == pytest.approx(mirrored.up, abs=20)


@settings(max_examples=50)
@given(
    solved=st.lists(st.booleans(), min_size=SIZE, max_size=SIZE),
    void=st.sets(st.integers(1, SIZE), min_size=1, max_size=3),
    seed=st.binary(min_size=16, max_size=16),
    active=st.booleans(),
)
def test_what_is_concluded_over_void_steps_holds_however_they_come_out(
    solved: list[bool],
    void: set[int],
    seed: bytes,
    *,
    active: bool,
) -> None:
    """A state reached while steps are void is the state after every way of filling them."""
    plan = LOOSE if active else replace(IN_ORDER, alpha_above=0.2, alpha_below=0.3)
    decision = start(plan, seed)
    while len(decision.seen) < SIZE and decision.status().state is State.UNDECIDED:
        step = len(decision.seen) + 1
        draw = next((one for one in decision.next_items(SIZE) if one.step == step), None)
        if draw is None:
            break  # the batch is full of void steps: nothing new is drawn before they run again
        y = None if step in void else int(solved[int(draw.item[1:])])
        decision = decision.update([Result(step, y)])
    told = decision.status()
    if told.state is State.UNDECIDED or not told.void:
        return
    open_ = [step for step, y in enumerate(decision.seen, 1) if y is None]
    for filled in product((0, 1), repeat=len(open_)):
        after = decision.update(
            [Result(step, y) for step, y in zip(open_, filled, strict=True)]
        ).status()
        if len(decision.seen) < SIZE:
            assert after.state is told.state
