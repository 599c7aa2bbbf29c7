"""Joined logs say what one eval would have said, and logs that do not belong together are refused."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from inspect_ai import Epochs, Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.scorer import (
    Score,
    Scorer,
    Target,
    accuracy,
    grouped,
    mean,
    scorer,
    std,
    stderr,
    var,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from leadline.core.errors import NotFound, Refused, Tampered
from leadline.runner import provenance as told
from leadline.runner.merge import Key, merge

pytestmark = [
    pytest.mark.usefixtures("collected"),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
]
REPEATS = 3
REDUCERS = ["mean", "pass_at_2"]


def value(item: str, epoch: int) -> float:
    """A score that follows from item and repeat alone."""
    return hashlib.sha256(f"{item}/{epoch}".encode()).digest()[0] % 10 / 9


@solver
def idle() -> Solver:
    """Does nothing, and fails where an item says so."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.metadata.get("breaks"):
            raise ConnectionError("the endpoint went away")
        return state

    return solve


@scorer(
    metrics=[
        accuracy(),
        mean(),
        std(),
        var(),
        stderr(),
        stderr(cluster="family"),
        grouped(mean(), "family"),
    ]
)
def drawn() -> Scorer:
    """Scores by `value`; the repeat is the log's own or, where there is none, the sample's."""

    async def score(state: TaskState, target: Target) -> Score:
        repeat = int(state.metadata.get("repeat", state.epoch))
        return Score(value=value(str(state.sample_id), repeat), metadata={"proof_base64": "AAAA"})

    return score


@scorer(metrics={"*": [mean(), stderr()]})
def several() -> Scorer:
    """Two values a sample."""

    async def score(state: TaskState, target: Target) -> Score:
        repeat = int(state.metadata.get("repeat", state.epoch))
        one = value(str(state.sample_id), repeat)
        return Score(value={"one": one, "other": 1 - one * one})

    return score


@dataclass
class Run:
    """Evals of the same items into one folder."""

    folder: Path
    metadata: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        items: Sequence[str],
        *,
        epochs: int = 1,
        repeat: int | None = None,
        breaks: Sequence[str] = (),
        scorers: Callable[[], list[Scorer]] = lambda: [drawn(), several()],
        also: Mapping[str, object] = MappingProxyType({}),
    ) -> Path:
        """One eval; answers its log."""
        samples = [
            Sample(
                id=item,
                input="look",
                metadata={"family": f"f{int(item[1:]) % 5}"}
                | ({"repeat": repeat} if repeat else {})
                | ({"breaks": True} if item in breaks else {}),
            )
            for item in items
        ]
        task = Task(dataset=samples, solver=idle(), scorer=scorers(), name="task")
        [log] = run_eval(
            task,
            model="mockllm/model",
            epochs=Epochs(epochs, REDUCERS if epochs > 1 else ["mean"]),
            log_dir=str(self.folder),
            display="none",
            fail_on_error=False,
            log_realtime=False,
            metadata=self.metadata | ({told.EPOCH: repeat} if repeat else {}) | dict(also),
        )
        return Path(log.location)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Evals into an empty folder."""
    return Run(tmp_path / "logs")


def metrics_of(log: EvalLog) -> dict[str, dict[str, float]]:
    """Every metric of a log, named as a merge names them."""
    assert log.results is not None
    found: dict[str, dict[str, float]] = {}
    for score in log.results.scores:
        for metric in score.metrics.values():
            found.setdefault(score.name, {})[f"{metric.name} ({score.reducer})"] = metric.value
    return found


def items(count: int) -> list[str]:
    """Item ids."""
    return [f"i{number:03d}" for number in range(count)]


def assert_same(merged: dict[str, dict[str, float]], one: dict[str, dict[str, float]]) -> None:
    """Every metric equal to 1e-12."""
    assert merged.keys() == one.keys()
    for name, metrics in one.items():
        assert merged[name].keys() == metrics.keys()
        for metric, expected in metrics.items():
            assert merged[name][metric] == pytest.approx(expected, rel=0, abs=1e-12), metric


def test_shards_merged_equal_one_eval_in_every_metric(run: Run, tmp_path: Path) -> None:
    """Seven slices of three repeats each, against one eval: means, errors, clusters, groups, pass@2."""
    all_items = items(41)
    whole = read_eval_log(str(Run(tmp_path / "whole")(all_items, epochs=REPEATS)))
    paths = [
        run(all_items[start::7], repeat=repeat)
        for start in range(7)
        for repeat in range(1, REPEATS + 1)
    ]
    keys = [
        Key(item, n, "mockllm/model", "", "task")
        for item in all_items
        for n in range(1, REPEATS + 1)
    ]
    merged = merge(paths, expected=keys, reducers=REDUCERS)
    [group] = merged.groups
    one = metrics_of(whole)
    assert len([name for metrics in one.values() for name in metrics]) >= 20
    assert_same({name: dict(m) for name, m in group.metrics.items()}, one)
    assert (group.samples, group.scored, group.lost) == (123, 123, 0)
    assert merged.duplicates == ()
    # what an average of the shards would have said of the standard error is another number
    [error] = {v for k, v in one["drawn"].items() if k == "stderr (mean)"}
    shards = [metrics_of(read_eval_log(str(path)))["drawn"]["stderr (mean)"] for path in paths]
    assert abs(sum(shards) / len(shards) - error) > 1e-3


def test_pass_at_k_needs_k_repeats_of_every_item(run: Run) -> None:
    """Nothing is made up for an item that was tried less often."""
    paths = [run(items(2), repeat=1), run(items(1), repeat=2)]
    with pytest.raises(Refused, match="pass_at_2 needs 2 repeats; i001 has 1"):
        merge(paths, reducers=["pass_at_2"])


def test_failed_samples_count_as_in_one_eval(run: Run, tmp_path: Path) -> None:
    """A sample that our side lost has no score and moves no metric."""
    broken = ["i003", "i008"]
    whole = read_eval_log(str(Run(tmp_path / "whole")(items(12), breaks=broken)))
    paths = [run(items(12)[start::3], breaks=broken) for start in range(3)]
    [group] = merge(paths).groups
    one = {n: {k.split(" (")[0]: v for k, v in m.items()} for n, m in metrics_of(whole).items()}
    assert_same({name: dict(m) for name, m in group.metrics.items()}, one)
    assert (group.samples, group.scored, group.lost) == (12, 10, 2)


def test_of_two_samples_with_one_key_the_committed_one_counts(run: Run) -> None:
    """Without a word from the table the first completed; the other is a duplicate, shown as such."""
    first, second = run(items(3), repeat=1), run(items(2), repeat=1)
    merged = merge([second, first])
    assert [(one.key.item, one.log, one.counted) for one in merged.duplicates] == [
        (item, second.name, first.name) for item in items(2)
    ]
    assert merged.groups[0].samples == 3
    key = Key("i001", 1, "mockllm/model", "", "task")
    named = merge([first, second], counted={key: second.name})
    assert [(one.key.item, one.counted) for one in named.duplicates] == [
        ("i000", first.name),
        ("i001", second.name),
    ]


def test_what_is_set_apart_moves_no_metric(run: Run) -> None:
    """A score that another subject earned, or in a box that was not proved, is lost like a failure."""
    path = run(items(6), repeat=1)
    key = Key("i002", 1, "mockllm/model", "", "task")
    [group] = merge([path], apart={key}).groups
    [without] = merge([run([item for item in items(6) if item != "i002"], repeat=1)]).groups
    assert group.metrics == without.metrics
    assert (group.samples, group.scored, group.lost) == (6, 5, 1)


def test_an_attempt_that_failed_and_was_repeated_is_no_duplicate(run: Run) -> None:
    """The good one counts, whichever came first."""
    paths = [run(items(2), repeat=1, breaks=["i001"]), run(["i001"], repeat=1)]
    merged = merge(paths)
    assert merged.duplicates == ()
    assert (merged.groups[0].scored, merged.groups[0].lost) == (2, 0)


def test_missing_and_unexpected_keys_are_named(run: Run) -> None:
    """A merge that is told what must be there takes no more and no less."""
    path = run(items(2), repeat=1)
    keys = [Key(item, 1, "mockllm/model", "", "task") for item in items(3)]
    with pytest.raises(Refused, match=r"1 samples are missing: i002 \(repeat 1\)"):
        merge([path], expected=keys)
    with pytest.raises(Refused, match=r"1 samples are not expected: i001"):
        merge([path], expected=keys[:1])


@pytest.mark.parametrize(
    ("fact", "word"),
    [
        (told.PLAN, "plan"),
        (told.CODE, "code"),
        (told.TIER, "isolation tier"),
    ],
)
def test_logs_of_different_runs_are_refused(run: Run, fact: str, word: str) -> None:
    """Another plan, other code, another environment: each is named, with both logs."""
    paths = [run(items(2), repeat=1, also={fact: "a"}), run(items(2), repeat=2, also={fact: "b"})]
    with pytest.raises(Refused, match=f"{word} is '[ab]' in one and '[ab]' in the other"):
        merge(paths)


def test_an_item_that_changed_is_refused(run: Run) -> None:
    """The same id with another digest is another item."""
    one = run(items(1), repeat=1, also={told.ITEMS: {"i000": "aa"}})
    other = run(items(1), repeat=2, also={told.ITEMS: {"i000": "bb"}})
    with pytest.raises(Refused, match=r"item i000 is '(aa|bb)'"):
        merge([one, other])


def test_other_scorers_are_refused(run: Run) -> None:
    """Numbers of two judges are not pooled."""
    paths = [run(items(2), repeat=1), run(items(2), repeat=2, scorers=lambda: [drawn()])]
    with pytest.raises(Refused, match="scorers is"):
        merge(paths)


def test_subjects_suites_and_rungs_stand_apart(run: Run) -> None:
    """Each has its own metrics; a subject whose identity changed is another subject."""
    paths = [
        run(items(2), repeat=1, also={told.SUBJECT: "a", told.SUITE: "s 1", "subject_digest": "1"}),
        run(items(2), repeat=1, also={told.SUBJECT: "a", told.SUITE: "s 1", "subject_digest": "2"}),
        run(items(2), repeat=1, also={told.SUBJECT: "b", told.SUITE: "s 1", "subject_digest": "3"}),
        run(items(2), repeat=1, also={told.SUBJECT: "b", told.SUITE: "t 1", "subject_digest": "3"}),
    ]
    paths.append(
        run(items(2), repeat=1, also={told.SUBJECT: "a", told.SUITE: "s 1", told.RUNG: "k"})
    )
    merged = merge(paths)
    assert [(g.suite, g.subject, g.rung, g.identity, g.samples) for g in merged.groups] == [
        ("s 1", "a", "", "1", 2),
        ("s 1", "a", "", "2", 2),
        ("s 1", "a", "k", "", 2),
        ("s 1", "b", "", "3", 2),
        ("t 1", "b", "", "3", 2),
    ]
    assert merged.logs == 5


def test_what_is_no_log_is_said(run: Run, tmp_path: Path) -> None:
    """Nothing given, a file that is not there, and one that is damaged."""
    with pytest.raises(NotFound):
        merge([])
    with pytest.raises(NotFound):
        merge([tmp_path / "none.eval"])
    path = run(items(1))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Tampered, match="cannot be read"):
        merge([path])


def test_samples_that_never_ended_count_for_nothing(run: Run) -> None:
    """A sample that a kill cut off is in the log, but has no end."""
    path = run(items(3), repeat=1)
    log = read_eval_log(str(path))
    assert log.samples is not None
    log.samples[2].completed_at, log.samples[2].scores = None, None
    write_eval_log(log, str(path))
    assert merge([path]).groups[0].samples == 2
