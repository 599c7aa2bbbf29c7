"""Claims about eval logs from elsewhere."""

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.scorer import Score, Scorer, Target, accuracy, grouped, match, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from typer.testing import CliRunner

from imported_world import SOURCES, suite, take
from leadline.cli.main import app
from leadline.core.errors import Invalid, NotFound
from leadline.core.isolation import Tier
from leadline.runner import imported
from leadline.wiring import imports
from suites.targets import IN_EVAL

pytestmark = [*IN_EVAL]
FOLDER = Path(__file__).parent / "logs_of_releases"
RELEASES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".eval", ".json"})


@solver
def answering() -> Solver:
    """Answers with the sample's own text, or as the sample's metadata ask for."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.metadata["fails"]:
            raise ConnectionError("the endpoint went away")
        state.output.completion = "other" if state.metadata["wrong"] else state.input_text
        return state

    return solve


@scorer(metrics=[mean(), {"*": [mean()]}])
def by_part() -> Scorer:
    """A score of several parts."""

    async def score(state: TaskState, target: Target) -> Score:
        right = int(state.output.completion == target.text)
        return Score(value={"right": right, "long": len(target.text)})

    return score


def ran(
    folder: Path, *, wrong: int = -1, fails: int = -1, first: int = 1, name: str = "letters"
) -> Path:
    """A log of four samples, two epochs each, as the installed Inspect writes it."""
    words = [
        Sample(
            id=n,
            input=f"w{n}",
            target=f"w{n}",
            metadata={"half": n % 2, "wrong": n == wrong, "fails": n == fails},
        )
        for n in range(first, first + 4)
    ]
    task = Task(
        dataset=words,
        solver=answering(),
        scorer=[match(location="exact"), by_part()],
        metrics=[accuracy(), stderr(), grouped(accuracy(), "half")] if name == "grouped" else None,
        epochs=2,
        name=name,
    )
    (log,) = run_eval(task, model=None, log_dir=str(folder), display="none", fail_on_error=False)
    return Path(log.location)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished log with a wrong answer."""
    return ran(tmp_path_factory.mktemp("logs"), wrong=2)


def other_form(log: Path, folder: Path, form: str) -> Path:
    """The same log in another of the forms that versions of Inspect have written."""
    whole = read_eval_log(str(log))
    path = folder / f"a.{'eval' if form != 'json' and not form.startswith('old') else 'json'}"
    if form == "eval":
        shutil.copy(log, path)
    elif form == "json":
        write_eval_log(whole, str(path), format="json")
    elif form == "old json":
        write_eval_log(whole, str(path), format="json")
        held = json.loads(path.read_text())
        held["version"] = 1
        for sample in held["samples"]:  # before several scorers, a sample had one score
            sample["score"] = next(iter(sample.pop("scores").values()))
        path.write_text(json.dumps(held))
    elif form == "old eval":  # deflated, and without the index of later versions
        path = folder / "a.eval"
        with zipfile.ZipFile(log) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                if name != "summaries.json" and not name.startswith("_journal/summaries"):
                    new.writestr(name, old.read(name))
    return path


@pytest.mark.parametrize("form", ["eval", "json", "old json", "old eval"])
def test_status_scores_and_samples_equal_the_readers(log: Path, tmp_path: Path, form: str) -> None:
    """In every form the document says what Inspect's own reader says."""
    agrees(other_form(log, tmp_path, form))


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.name)
def test_logs_of_earlier_releases_say_what_the_reader_says(path: Path) -> None:
    """Written by those releases themselves; one of eight answers is wrong."""
    document = agrees(path)
    (first, *_) = cast("list[dict[str, object]]", document["scores"])
    assert cast("dict[str, float]", first["metrics"])["accuracy"] == 7 / 8


def agrees(path: Path) -> Mapping[str, object]:
    """What the import says of a log, which is what Inspect's own reader says."""
    expected = read_eval_log(str(path))
    document = imported.described(imported.read_log(path))
    assert document["status"] == expected.status == "success"
    assert expected.samples is not None
    assert document["samples"] == len(expected.samples) == 8
    rows = {(str(one.id), one.epoch): one for one in expected.samples}
    per_sample = document["per_sample"]
    assert isinstance(per_sample, list)
    for row in per_sample:
        assert isinstance(row, dict)
        scores = rows[str(row["id"]), row["epoch"]].scores or {}
        assert row["scores"] == {name: score.value for name, score in scores.items()}
    assert expected.results is not None
    metrics = [
        (one.name, {name: metric.value for name, metric in one.metrics.items()})
        for one in expected.results.scores
    ]
    said = document["scores"]
    assert isinstance(said, list)
    assert [(one["name"], one["metrics"]) for one in said if isinstance(one, dict)] == metrics
    assert document["provenance"] == "not run here"
    assert document["containment"] == document["identity"] == "not evidenced"
    return document


def test_errors_and_limits_of_samples_are_kept(tmp_path: Path) -> None:
    """A sample that failed says so; it is no wrong answer."""
    document = imported.described(imported.read_log(ran(tmp_path, fails=3)))
    rows = [row for row in document["per_sample"] if isinstance(row, dict)]  # type: ignore[union-attr]
    broken = [row for row in rows if "error" in row]
    assert [row["id"] for row in broken] == [3, 3]
    assert all("the endpoint went away" in str(row["error"]) for row in broken)
    assert all(row["scores"] == {} for row in broken)


def test_equal_logs_are_put_together_by_their_samples(log: Path, tmp_path: Path) -> None:
    """Metrics over two logs are those of all samples, not a mean of the logs' own."""
    more = ran(tmp_path, wrong=5, first=5)
    last = ran(tmp_path, first=9)
    logs = [imported.read_log(path) for path in (log, more, last)]
    (group,) = imported.together(logs)
    assert isinstance(group, dict)
    assert group["samples"] == 24
    scores = group["scores"]
    assert isinstance(scores, list)
    first = scores[0]
    assert isinstance(first, dict)
    metrics = first["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["accuracy"] == pytest.approx(10 / 12)


@pytest.mark.parametrize("what", ["model", "task", "setting", "subject"])
def test_logs_that_differ_are_never_put_together(log: Path, tmp_path: Path, what: str) -> None:
    """Another model, task, setting or subject digest makes another group."""

    def changed(held: EvalLog) -> None:
        spec = held.eval
        match what:
            case "model":
                spec.model = "other/model"
            case "task":
                spec.task_args = {"hard": True}
            case "setting":
                spec.config.message_limit = 3
            case _:
                spec.metadata = {"subject_digest": "00"}

    held = read_eval_log(str(log))
    changed(held)
    for sample in held.samples or []:
        sample.id = f"other-{sample.id}"
    write_eval_log(held, str(tmp_path / "other.eval"))
    paths = [log, tmp_path / "other.eval"]
    document = imports.import_logs(paths, None)
    assert len(document["groups"]) == 2
    assert document["scores"] == []
    assert document["samples"] == 16
    assert document["provenance"] == "not run here"


def test_repeated_and_unfinished_logs_are_not_pooled(log: Path, tmp_path: Path) -> None:
    """The same samples twice, or a log without an end, give no common metric, and say why."""
    (twice,) = imported.together([imported.read_log(log), imported.read_log(log)])
    assert isinstance(twice, dict)
    assert "more than one" in str(twice["not_pooled"])
    held = read_eval_log(str(log))
    held.status = "cancelled"
    write_eval_log(held, str(tmp_path / "cut.eval"))
    (cut,) = imported.together([imported.read_log(tmp_path / "cut.eval")])
    assert isinstance(cut, dict)
    assert cut["not_pooled"] == "status cancelled"


def test_logs_over_the_bound_are_not_pooled(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large logs are described one by one and not read whole."""
    monkeypatch.setattr(imported, "POOL_BYTES_MAX", 10)
    (group,) = imported.together([imported.read_log(log)])
    assert isinstance(group, dict)
    assert group["not_pooled"] == "over 10 bytes together"
    monkeypatch.setattr(imported, "JSON_BYTES_MAX", 10)
    path = log.with_suffix(".json")
    path.write_text(json.dumps({"version": 2}))
    with pytest.raises(Invalid, match="inspect log convert"):
        imported.read_log(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"{}", "no readable eval log"),
        (b"PK\x03\x04 no archive", "no readable eval log"),
        (b"\x00\x01\x02", "no readable eval log"),
        (b'{"version": 99, "status": "success", "eval": {}}', "no readable eval log"),
        (b"[1, 2", "no readable eval log"),
    ],
)
def test_what_is_no_log_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    """An empty, damaged or foreign file is refused with its name, and no trace of Inspect's own."""
    path = tmp_path / "a.eval"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=said) as caught:
        imported.read_log(path)
    assert caught.value.field == str(path)


def test_a_foreign_archive_and_a_cut_log_are_told(log: Path, tmp_path: Path) -> None:
    """An archive of something else, and a log cut anywhere, are refused; an absent file is not found."""
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(Invalid):
        imported.read_log(tmp_path / "other.eval")
    whole = log.read_bytes()
    for share in (0.2, 0.6, 0.99):
        (tmp_path / "cut.eval").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(Invalid):
            imported.read_log(tmp_path / "cut.eval")
    with pytest.raises(NotFound):
        imported.read_log(tmp_path / "absent.eval")


def test_one_damaged_log_costs_no_other(log: Path, tmp_path: Path) -> None:
    """Among several files the unreadable one is named, and the rest is described."""
    (tmp_path / "bad.eval").write_bytes(b"no log")
    document = imports.import_logs([log, tmp_path / "bad.eval"], None)
    assert document["status"] == "success"
    assert [one["file"] for one in document["files"]] == [str(log)]
    assert [one["file"] for one in document["unread"]] == [str(tmp_path / "bad.eval")]
    single = imports.import_logs([log], None)
    assert single["status"] == "success"
    with pytest.raises(Invalid):
        imports.import_logs([tmp_path / "bad.eval"], None)


@pytest.mark.sandbox
def test_our_own_log_carries_its_boxes_and_is_judged_again(tmp_path: Path) -> None:
    """Box identities stand in a log of ours; its submissions are judged again where the items are."""
    take("nyu-ctf", SOURCES / "nyu", tmp_path)
    held = suite(tmp_path, "nyu-ctf")
    (item,) = held.items(b"")
    flag = (held.place(item) / "reference/flag").read_text()

    @solver
    def saying() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state.output.completion = f"It is {flag}" if state.epoch == 1 else "unknown"
            return state

        return solve

    task = Task(
        dataset=[held.sample(item, held.place(item), Tier.SHARED_KERNEL)],
        solver=saying(),
        scorer=held.scorer(),
        epochs=2,
        metadata={"subject_digest": "ab" * 32},
    )
    (made,) = run_eval(
        task,
        model=None,
        log_dir=str(tmp_path / "logs"),
        display="none",
        metadata={"subject_digest": "ab" * 32, "leadline_tier": "shared-kernel"},
    )
    document = imported.described(
        imported.read_log(Path(made.location)), tmp_path / "nyu-ctf" / "items"
    )
    containment, identity = document["containment"], document["identity"]
    assert isinstance(containment, dict)
    assert (containment["samples_with_box"], containment["of"]) == (2, 2)
    assert identity == {"subject_digest": "ab" * 32, "signed": False}
    assert document["judged_again"] == {"agree": 2, "differ": [], "not_possible": 0}
    by_suite = imported.described(imported.read_log(Path(made.location)), tmp_path / "nyu-ctf")
    assert by_suite == document
    with pytest.raises(NotFound, match="holds no items; name the folder of an imported suite"):
        imported.described(imported.read_log(Path(made.location)), tmp_path)
    words = CliRunner().invoke(
        app, ["run", "import-log", made.location, "--items", str(tmp_path / "nyu-ctf")]
    )
    assert "judged again: 2 agree, 0 differ, 0 could not be" in words.stdout
    shutil.copytree(held.place(item), tmp_path / "other" / "i-other")
    nowhere = imported.described(imported.read_log(Path(made.location)), tmp_path / "other")
    assert nowhere["judged_again"] == {"agree": 0, "differ": [], "not_possible": 2}


@pytest.mark.sandbox
def test_a_score_that_was_changed_is_found(tmp_path: Path) -> None:
    """A log that claims more than its submissions show differs when they are judged again."""
    take("challenges", SOURCES / "challenges", tmp_path)
    held = suite(tmp_path, "challenges")
    item = held.items(b"")[0]
    proof = (held.place(item) / "reference/proof").read_bytes()
    sample = held.sample(item, held.place(item), Tier.SHARED_KERNEL)

    @solver
    def handing() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            from inspect_ai.util import sandbox

            data = proof if state.epoch == 1 else b"nothing"
            await sandbox().write_file("/box/proof", data)
            return state

        return solve

    task = Task(dataset=[sample], solver=handing(), scorer=held.scorer(), epochs=2)
    (made,) = run_eval(task, model=None, log_dir=str(tmp_path / "logs"), display="none")
    items = tmp_path / "challenges" / "items"
    honest = imported.described(imported.read_log(Path(made.location)), items)
    assert honest["judged_again"] == {"agree": 2, "differ": [], "not_possible": 0}
    changed = read_eval_log(made.location)
    for one in changed.samples or []:
        for score in (one.scores or {}).values():
            score.value = 1
    write_eval_log(changed, str(tmp_path / "changed.eval"))
    claimed = imported.described(imported.read_log(tmp_path / "changed.eval"), items)
    again = claimed["judged_again"]
    assert isinstance(again, dict)
    assert again["differ"] == [f"{item.id} epoch 2"]
