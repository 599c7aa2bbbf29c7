"""Criteria packs as TOML, beside a file of examples: counts in, outcome and answer out."""

from dataclasses import dataclass
from hashlib import sha256

from leadline.core.engagement.criteria import Criteria
from leadline.core.engagement.determination import Answer, Outcome
from leadline.core.measure.interval import check_alpha
from leadline.core.measure.sequential import Design
from leadline.formats.toml_table import Table, open_table

ROUNDING = 1e-9


def load_criteria(content: bytes, file: str) -> Criteria:
    """The criteria pack that *content* states; *file* is the name that errors give.

    Raises: Invalid, naming file and key, or the field of the pack that cannot be right.
    """
    root = open_table(content, file)
    counts, decision = root.table("counts"), root.table("decision")
    answers, words = root.table("answers"), root.table("words")
    criteria = Criteria(
        id=root.text("id"),
        title=root.text("title"),
        digest=sha256(content).hexdigest(),
        demonstration=root.value("demonstration", bool),
        notice=root.text("notice"),
        suite=counts.text("suite"),
        families=counts.texts("families"),
        threshold=decision.value("threshold", float),
        alpha_above=decision.value("alpha_above", float),
        alpha_below=decision.value("alpha_below", float),
        zone=decision.value("zone", float),
        answers={outcome: answers.choice(outcome, Answer) for outcome in Outcome},
        words={outcome: words.text(outcome) for outcome in Outcome},
        design=decision.choice("design", Design) if "design" in decision else Design.ACTIVE,
        weights=_weights(root),
    )
    for table in (counts, decision, answers, words, root):
        table.done()
    for name in ("alpha_above", "alpha_below"):
        check_alpha(getattr(criteria, name), f"{file}: decision.{name}")
    if not 0 < criteria.threshold < 1 or not 0 <= criteria.zone < 1:
        raise decision.wrong("threshold", "a share lies between 0 and 1, and so does the zone")
    return criteria


def _weights(root: Table) -> dict[str, float]:
    """What each family weighs, from ``[weights]``; empty without that table."""
    if "weights" not in root:
        return {}
    table = root.table("weights")
    found = {name: table.value(name, float) for name in sorted(table.keys())}
    table.done()
    if min(found.values(), default=0.0) <= 0 or abs(sum(found.values()) - 1) > ROUNDING:
        raise root.wrong("weights", "each family weighs more than nothing, and all together 1")
    return found


@dataclass(frozen=True, slots=True)
class CountExample:
    """After *seen* of *items*, *solved* of them solved: what follows."""

    says: str
    items: int
    seen: int
    solved: int
    outcome: Outcome
    answer: Answer


def load_count_examples(content: bytes, file: str) -> tuple[str, tuple[CountExample, ...]]:
    """The id of the pack that the examples are of, and the examples.

    Raises: Invalid, naming file and key.
    """
    root = open_table(content, file)
    pack = root.text("criteria")
    examples = tuple(_example(table) for table in root.tables("example"))
    if not examples:
        raise root.wrong("example", "give at least one [[example]]")
    root.done()
    return pack, examples


def _example(table: Table) -> CountExample:
    example = CountExample(
        table.text("says"),
        table.value("items", int),
        table.value("seen", int),
        table.value("solved", int),
        table.choice("outcome", Outcome),
        table.choice("answer", Answer),
    )
    if not 0 <= example.solved <= example.seen <= example.items:
        raise table.wrong("solved", "counts are 0 <= solved <= seen <= items")
    table.done()
    return example
