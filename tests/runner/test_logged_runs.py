"""Claims about which scores of an eval log count, and which are refused."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalConfig
from inspect_ai.scorer import Score

from eval_logs import FAILED, Told, answers, write
from leadline.core.errors import Invalid
from leadline.runner.logged_runs import read_runs


def scores(path: Path, *scorers: str) -> dict[tuple[str, int], float | None]:
    """Each run's score by item and repeat."""
    return {(one.item, one.epoch): one.score for one in read_runs([path], scorers).runs}


def test_every_value_of_inspects_scale_has_its_number(tmp_path: Path) -> None:
    """Grades, truth values and numbers from 0 to 1; NaN is Inspect's mark of what was not scored."""
    given: list[Any] = [
        "C",
        "I",
        "P",
        "N",
        1,
        0,
        True,
        False,
        0.25,
        1.0,
        float("nan"),
        None,
        FAILED,
    ]
    expected = [1, 0, 0.5, 0, 1, 0, 1, 0, 0.25, 1, None, None, None]
    path = write(tmp_path / "a.eval", Told({(n, 1): one for n, one in enumerate(given)}))
    assert scores(path) == {(str(n), 1): one for n, one in enumerate(expected)}


@pytest.mark.parametrize(
    "value", ["yes", "1", "", 2, -0.5, 1e308, float("inf"), [1, 0], {"part": 1}]
)
def test_a_value_that_is_no_score_is_refused(tmp_path: Path, value: object) -> None:
    """Nothing is guessed: the message names file, sample and value."""
    given = Told({("a", 1): 1, ("b", 2): Score(value=value)})  # type: ignore[arg-type] # some are wrong
    path = write(tmp_path / "a.eval", given)
    with pytest.raises(Invalid, match="sample b, repeat 2: match gave"):
        read_runs([path])


def test_a_failed_sample_has_no_score_though_it_was_scored(tmp_path: Path) -> None:
    """An error outweighs a score, and so does our own judge's word that it could not do its work."""
    failed = Score(value=0, metadata={"outcome": "infra"})
    assert scores(write(tmp_path / "a.eval", Told({("a", 1): failed}))) == {("a", 1): None}


def test_samples_that_never_ran_are_missing(tmp_path: Path) -> None:
    """What the header names and the log does not hold, in every repeat, has no score."""
    told = Told({("a", 1): 1, ("a", 2): 0}, named=("b",))
    assert scores(write(tmp_path / "a.eval", told)) == {
        ("a", 1): 1,
        ("a", 2): 0,
        ("b", 1): None,
        ("b", 2): None,
    }


def test_one_of_several_scorers_is_named_by_the_caller(tmp_path: Path) -> None:
    """With one there is nothing to name; with several, exactly one of the names fits."""
    both = Told({("a", 1): {"match": "C", "judge": "I"}, ("b", 1): {"match": "I"}})
    path = write(tmp_path / "a.eval", both)
    for asked in ((), ("match", "judge"), ("other",)):
        with pytest.raises(Invalid, match="scores by judge, match; name one"):
            read_runs([path], asked)
    assert scores(path, "match") == {("a", 1): 1, ("b", 1): 0}
    assert scores(path, "judge") == {("a", 1): 0, ("b", 1): None}
    assert read_runs([path], ["judge", "other"]).scorers == {"letters": ("judge",)}
    single = write(tmp_path / "b.eval", Told(answers("1")))
    with pytest.raises(Invalid, match="scores by match"):
        read_runs([single], ["judge"])


def test_a_log_without_any_score_is_all_missing(tmp_path: Path) -> None:
    """No scorer is named, and none is needed."""
    path = write(tmp_path / "a.eval", Told({("a", 1): FAILED}))
    told = read_runs([path])
    assert [one.score for one in told.runs] == [None]
    assert told.scorers == {"letters": ()}


def test_a_failed_sample_that_was_run_again_counts_once(tmp_path: Path) -> None:
    """The later log's score takes the place of the error; a copy that it took over is no second run."""
    first = write(tmp_path / "a.eval", Told({("a", 1): 1, ("b", 1): FAILED}, uuids={("a", 1): "u"}))
    later = write(tmp_path / "b.eval", Told({("a", 1): 1, ("b", 1): 0}, uuids={("a", 1): "u"}))
    for paths in ([first, later], [later, first]):
        told = read_runs(paths)
        assert {one.item: one.score for one in told.runs} == {"a": 1, "b": 0}
        assert told.copies == 1


@pytest.mark.parametrize(("uuid", "value"), [("v", 1), ("u", 0), ("", 1)])
def test_a_repeat_that_was_run_twice_is_refused(tmp_path: Path, uuid: str, value: int) -> None:
    """Which of two results counts is for a person to say: both files are named."""
    first = write(tmp_path / "a.eval", Told({("a", 1): 1}, uuids={("a", 1): "u"}))
    again = write(tmp_path / "b.eval", Told({("a", 1): value}, uuids={("a", 1): uuid}))
    if not uuid:
        first = write(tmp_path / "a.eval", Told({("a", 1): 1}))
    with pytest.raises(Invalid, match=r"run in a\.eval and again in b\.eval"):
        read_runs([first, again])


def test_models_and_tasks_are_told_apart(tmp_path: Path) -> None:
    """Equal ids under another task or model are other items; tokens are the sample's own."""
    paths = [
        write(tmp_path / f"{n}.eval", Told(answers("1"), model=model, task=task))
        for n, (model, task) in enumerate([("m", "t"), ("m", "u"), ("n", "t")])
    ]
    told = read_runs(paths)
    assert [(one.model, one.task) for one in told.runs] == [("m", "t"), ("m", "u"), ("n", "t")]
    assert {one.tokens for one in told.runs} == {100}
    assert told.copies == 0


def test_a_log_of_ours_has_its_subject_suite_and_repeat(tmp_path: Path) -> None:
    """The header's facts name them; a repeat that is no number is refused."""
    ours = {
        "leadline_subject": "s",
        "leadline_rung": "tools",
        "leadline_suite": "planted 1",
        "leadline_epoch": "3",
    }
    told = Told(answers("1"), named=("i9",), spec={"metadata": ours})
    runs = read_runs([write(tmp_path / "a.eval", told)]).runs
    assert [(one.model, one.task, one.epoch) for one in runs] == [("s tools", "planted", 3)] * 2
    spoilt = Told(answers("1"), spec={"metadata": ours | {"leadline_epoch": "three"}})
    with pytest.raises(Invalid, match="no repeat"):
        read_runs([write(tmp_path / "b.eval", spoilt)])


def test_logs_of_other_settings_are_not_one_row(tmp_path: Path) -> None:
    """Another limit under the same model and task: the message says what differs."""
    first = write(tmp_path / "a.eval", Told(answers("1")))
    other = Told(answers("1", start=1), spec={"config": EvalConfig(message_limit=3)})
    with pytest.raises(Invalid, match=r"differs from a\.eval in limits"):
        read_runs([first, write(tmp_path / "b.eval", other)])


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Told(answers("1"), model=""), "names no model"),
        (Told(answers("1"), task=""), "no task"),
        (Told(answers("1"), invalidated=True), "marked invalid"),
        (Told(answers("1"), spec={"config": EvalConfig(epochs=10**9)}), "more than 5,000,000"),
    ],
)
def test_logs_that_cannot_be_counted_are_named(tmp_path: Path, told: Told, words: str) -> None:
    """No name, samples that somebody marked invalid, or more samples named than can be."""
    with pytest.raises(Invalid, match=words):
        read_runs([write(tmp_path / "a.eval", told)])
