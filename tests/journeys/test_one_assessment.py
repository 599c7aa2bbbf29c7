"""One real assessment, looked at from all sides: its files, its record, and what commands say of it."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log
from typing_extensions import override

from journeys import assessments
from journeys.assessments import Assessment, Look

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]

SUMMARY = {
    "schema", "leadline", "engagement", "regime", "subject", "started", "ended", "isolation",
    "suites", "decision", "findings", "log", "not_measured",
}  # fmt: skip
FAMILY = {
    "name", "attempted", "solved", "infra", "missing", "interval", "upper_bound", "budget",
}  # fmt: skip
DECISION = {
    "state", "threshold", "alpha_above", "alpha_below", "samples_used", "samples_total", "basis",
}  # fmt: skip


@pytest.fixture
def copied(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of OUT that a test may damage; the private state stays where it is."""
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out, ignore=shutil.ignore_patterns(".state"))
    return out


def summary(out: Path) -> dict[str, Any]:
    """The summary as another program reads it."""
    document: dict[str, Any] = json.loads((out / "summary.json").read_bytes())
    return document


def verify(out: Path) -> tuple[int, Mapping[str, Any]]:
    """Exit status and answer of `leadline log verify` on the bundle of *out*."""
    argv = ["log", "verify", str(out / "bundle"), "--key", str(out / "log.vkey"), "--json"]
    done = assessments.here(out.parent, *argv)
    return done.exit_code, json.loads(done.stdout)


def test_out_holds_what_the_contract_names(undisturbed: Path) -> None:
    """Report, summary, bundle, keys and eval logs, and nothing else that is not hidden."""
    names = {path.name for path in undisturbed.iterdir() if not path.name.startswith(".")}
    expected = {"report.html", "report.pdf", "summary.json", "bundle", "log.vkey", "logs"}
    assert expected | {"operators"} == names
    assert (undisturbed / "report.pdf").read_bytes().startswith(b"%PDF-")
    for private in (".state/seed.json", ".state/request.json", ".state/keys/log.key"):
        assert not (undisturbed / private).stat().st_mode & 0o077, private


def test_the_summary_has_the_keys_and_words_of_the_contract(undisturbed: Path) -> None:
    """Every key is there, every enumeration holds one of its words, every count fits the others."""
    told = summary(undisturbed)
    assert set(told) >= SUMMARY
    assert told["subject"].keys() >= {"kind", "name", "digest"}
    assert (told["subject"]["kind"], told["subject"]["name"]) == ("tool-agent", "baseline")
    assert told["isolation"].keys() >= {"tier", "egress_proof", "digest", "kill_drill_s"}
    suites = {suite["name"]: suite for suite in told["suites"]}
    assert suites["planted"]["state"] == "ran"
    assert suites["registry"]["state"] == "unavailable"
    assert suites["registry"]["reason"]
    assert suites["registry"]["families"] == []
    families = suites["planted"]["families"]
    for family in families:
        assert set(family) >= FAMILY
        low, high = family["interval"]
        assert 0 <= low <= high <= 1
    wanted = {item.family for item in assessments.chosen(assessments.seed())}
    assert wanted == {family["name"] for family in families if family["attempted"]}
    assert set(told["decision"]) >= DECISION
    assert told["decision"]["state"] in {"above", "below", "undetermined"}
    assert told["decision"]["samples_used"] <= told["decision"]["samples_total"]
    assert told["findings"]
    assert all(
        f.keys() >= {"id", "replayed", "group", "purl", "operators"} for f in told["findings"]
    )
    assert told["log"].keys() >= {"origin", "size", "root"}


def test_the_json_option_prints_the_summary_and_nothing_else(undisturbed: Path) -> None:
    """Standard output is one JSON document equal to summary.json; progress went to standard error."""
    printed = (undisturbed.parent / "stdout").read_text()
    assert summary(undisturbed) == json.loads(printed)
    told = (undisturbed.parent / "stderr").read_text()
    assert "samples" in told
    assert "Traceback" not in told
    assert "Warning" not in told


class Requests(HTMLParser):
    """Everything in a page that a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "link", "base", "form"}:
            self.found.append(tag)
        for name, value in attrs:
            wanted = name in {"src", "srcset", "action", "data", "poster", "background"}
            if name.startswith("on") or (wanted and not (value or "").startswith("data:")):
                self.found.append(f"{tag} {name}={value}")


def test_no_page_fetches_or_runs_anything(undisturbed: Path) -> None:
    """Report and operators' pages hold no script, no frame and no address that is loaded."""
    pages = [undisturbed / "report.html", *(undisturbed / "operators").glob("*.html")]
    assert len(pages) == 4
    for page in pages:
        text = page.read_text()
        parser = Requests()
        parser.feed(text)
        assert parser.found == [], page.name
        assert not re.search(r"@import|url\((?!['\"]?(?:data:|#))", text), page.name


def test_inspects_reader_and_listing_open_every_log(undisturbed: Path) -> None:
    """The logs are whole, named ours, and each sample in them ran once."""
    listed = list_eval_logs(str(undisturbed / "logs"))
    assert len(listed) == assessments.EPOCHS
    for info in listed:
        log = read_eval_log(info)
        assert log.status == "success"
        assert len(log.samples or []) == assessments.ITEMS
    ran = assessments.finished(undisturbed / "logs")
    assert len(ran) == len(set(ran)) == assessments.ITEMS * assessments.EPOCHS


def test_the_seed_is_revealed_and_gives_the_same_items(undisturbed: Path) -> None:
    """Anyone can draw the items again from what the record holds."""
    lines = (undisturbed / "bundle" / "acts.jsonl").read_bytes().splitlines()
    acts = [json.loads(line)["record"] for line in lines]
    [revealed] = [act["detail"] for act in acts if act["kind"] == "seed.revealed"]
    assert assessments.seed() == revealed["seed"]
    plan = json.loads((undisturbed / "bundle" / "plan.json").read_bytes())
    [planted] = [suite for suite in plan["suites"] if suite["name"] == "planted"]
    drawn = [item.id for item in assessments.chosen(revealed["seed"])]
    assert drawn == [item["id"] for item in planted["items"]]


def flips(path: Path, *, every: bool) -> Iterator[int]:
    """Where to change a byte: first, middle and last, or all of them."""
    size = path.stat().st_size
    return iter(range(size) if every else sorted({0, size // 2, size - 1} & set(range(size))))


def flipped(out: Path, path: Path, place: int) -> tuple[int, Mapping[str, Any]]:
    """What the verifier says with one bit of one byte changed; the byte is put back."""
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    try:
        return verify(out)
    finally:
        path.write_bytes(whole)


def kinds_of_file(bundle: Path) -> dict[str, Path]:
    """One file of each kind in the bundle, by folder and ending."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    return {f"{path.parent.relative_to(bundle)}/{path.suffix}": path for path in files}


def test_a_changed_byte_is_found_and_named(copied: Path) -> None:
    """One byte in the middle of a file of each kind: exit 8, and the place is that file."""
    assert verify(copied)[0] == 0
    for path in kinds_of_file(copied / "bundle").values():
        status, told = flipped(copied, path, path.stat().st_size // 2)
        name = str(path.relative_to(copied / "bundle"))
        assert (status, told["ok"]) == (8, False), name
        assert told["place"], name
    assert verify(copied)[0] == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_changed_byte_anywhere_in_any_file_is_found(copied: Path) -> None:
    """First, middle and last byte of every file of the bundle."""
    files = sorted(path for path in (copied / "bundle").rglob("*") if path.is_file())
    for path in files:
        for place in flips(path, every=False):
            assert flipped(copied, path, place)[0] == 8, f"{path} at {place}"


def test_files_added_or_removed_are_found_and_named(copied: Path) -> None:
    """A file too many or too few: exit 8 with its name."""
    extra = copied / "bundle" / "evidence" / "more.json"
    extra.write_text("{}")
    status, told = verify(copied)
    assert (status, "evidence/more.json" in told["place"]) == (8, True)
    extra.unlink()
    (copied / "bundle" / "results.json").unlink()
    status, told = verify(copied)
    assert (status, "results.json" in told["place"]) == (8, True)


def test_another_key_does_not_verify(copied: Path, undisturbed: Path) -> None:
    """A verifier key that is not the log's own ends in exit 8; none at all in exit 2."""
    key = copied / "log.vkey"
    whole = key.read_text()
    changed = re.sub(
        r"[A-Za-z](?=[A-Za-z0-9+/=]{6,20}$)",
        lambda m: m[0].swapcase(),
        whole,
        count=1,
        flags=re.MULTILINE,
    )
    assert changed != whole
    key.write_text(changed)
    bare = ("log", "verify", str(copied / "bundle"))
    done = assessments.here(copied.parent, *bare, "--key", str(key))
    assert done.exit_code in {2, 8}, done.stderr
    key.unlink()
    assert assessments.here(copied.parent, *bare).exit_code == 2


def test_show_tells_state_window_and_acts(undisturbed: Path) -> None:
    """`leadline engagement show` prints one document with every act of the engagement."""
    show = ("engagement", "show", str(undisturbed))
    told = json.loads(assessments.here(undisturbed.parent, *show, "--json").stdout)
    dealings = summary(undisturbed)["engagement"]
    lines = (undisturbed / "bundle" / "acts.jsonl").read_bytes().splitlines()
    own = [line for line in lines if json.loads(line)["record"]["engagement"] == dealings]
    assert len(lines) > len(own) == len(told["acts"])  # the official's key belongs to no engagement
    assert told["engagement"] == dealings
    assert told["access_ends"]
    people = assessments.run(assessments.leadline(*show), undisturbed.parent).stdout
    assert people.startswith(f"{told['engagement']}: {told['state']}")


def test_what_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    """A file as OUT, a folder with other files, one that is unfinished: refused with the cure."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    done = assessments.here(tmp_path, *assessments.words(out))
    assert (done.exit_code, "empty or new" in done.stderr) == (5, True)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    resumed = assessments.here(tmp_path, *assessments.words(out, "--resume"))
    assert (resumed.exit_code, "no assessment to resume" in resumed.stderr) == (4, True)


def half_begun(seen: Look) -> bool:
    """Access is open and the assessment has not started."""
    return bool(seen.kinds("access.opened")) and not seen.kinds("assessment.started")


def measured(seen: Look) -> bool:
    """A sample runs."""
    return bool(seen.notes("running"))


def test_one_at_a_time_and_withdrawal_stops_it(tmp_path: Path) -> None:
    """While one runs another is refused; withdrawn, it stops its samples and says so."""
    out = tmp_path / "out"
    started = Assessment.start(out)
    try:
        started.stopped_at(half_begun)
        second = assessments.run(assessments.command(out, "--resume"), tmp_path)
        assert (second.returncode, "another `leadline assess`" in second.stderr) == (5, True)
        fresh = assessments.here(tmp_path, *assessments.words(out))
        assert (fresh.exit_code, "--resume" in fresh.stderr) == (5, True)
        started.goes_on()
        started.stopped_at(measured)
        workers = started.workers()
        argv = assessments.leadline("engagement", "withdraw", str(out), "--yes")
        withdrawn = assessments.run(argv, tmp_path)
        assert withdrawn.returncode == 0, withdrawn.stderr
        started.goes_on()
        status = started.end(seconds=60)
    finally:
        started.process.kill()
        started.process.wait()
    assert status == 5, started.told.read_text()[-2000:]
    assert "withdrawn" in started.told.read_text()
    assert "Traceback" not in started.told.read_text()
    assessments.gone(workers)
    seen = assessments.look(out)
    assert "running" not in {shard["state"] for shard in seen.shards}
    assert seen.kinds("engagement.withdrawn")
    assert not seen.kinds("assessment.finished")
    again = assessments.here(tmp_path, *assessments.words(out, "--resume"))
    assert again.exit_code == 5, again.stderr[-2000:]
    shown = assessments.here(tmp_path, "engagement", "show", str(out), "--json")
    assert json.loads(shown.stdout)["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--seed", "nonsense"), "--seed"),
        (("--seed", "00ff"), "--seed"),
        (("--subject", "no subject"), "subject"),
        (("--subject", "nonsense"), "subject"),
        (("--epochs", "0"), "--epochs"),
        (("--items", "-1"), "--items"),
        (("--cost", "much"), "--cost"),
    ],
)
def test_a_bad_option_is_named(tmp_path: Path, options: tuple[str, str], field: str) -> None:
    """Exit 2, the option named, and nothing that a second try would stumble over."""
    out = tmp_path / "out"
    done = assessments.here(tmp_path, "assess", "--out", str(out), *options)
    assert done.exit_code == 2, done.stderr
    assert field in done.stderr
    assert not (out / ".state" / "request.json").exists()


def test_a_file_as_out_is_named(tmp_path: Path) -> None:
    """OUT must be a folder."""
    out = tmp_path / "out"
    out.write_text("mine")
    done = assessments.here(tmp_path, *assessments.words(out))
    assert done.exit_code == 2, done.stderr
    assert "--out" in done.stderr
    assert out.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_without_a_network_it_ends_as_well(undisturbed: Path) -> None:
    """The undisturbed assessment, whose summary all these tests read, had only loopback."""
    interfaces = (undisturbed.parent / assessments.NETWORK).read_text().splitlines()
    assert [line.split(": ")[1] for line in interfaces] == ["lo"]
    argv = ["log", "verify", str(undisturbed / "bundle"), "--key", str(undisturbed / "log.vkey")]
    assert assessments.run(assessments.leadline(*argv), undisturbed.parent).returncode == 0


def test_again_into_the_same_folder_the_earlier_run_is_moved_aside(copied: Path) -> None:
    """Nothing of it is overwritten, whatever becomes of the new one."""
    (copied / ".state").mkdir()
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    started = Assessment.start(copied)
    try:
        started.stopped_at(lambda seen: bool(seen.kinds("access.opened")))
    finally:
        started.process.kill()
        started.process.wait()
    assert not (copied / "summary.json").exists()
    [aside] = [path for path in copied.parent.iterdir() if path.name.startswith("out-")]
    after = {path: (aside / path.relative_to(copied)).read_bytes() for path in before}
    assert after == before
