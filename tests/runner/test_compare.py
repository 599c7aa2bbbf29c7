"""`leadline run compare`: verified bundles, the same items, and what is left out said by name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bundles import ORIGIN, openings, write_bundle
from leadline.app.seal import seal
from leadline.cli.run import app
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedItem,
    PlannedSuite,
    SampleResult,
    ShardResult,
    Subject,
)
from leadline.core.errors import NotFound, Refused, Tampered
from leadline.formats.canonical import encode
from leadline.formats.values import plain
from leadline.runner.compare import GAP, REPEAT, SUBJECTS, Finished, compare, read
from leadline.vault.keys import open_signer

MODEL = Subject("model", "made-up", "5" * 64)


def suite(name: str = "planted", count: int = 20, **fields: str) -> PlannedSuite:
    """A suite of items ``<name>-0`` and on."""
    items = tuple(PlannedItem(f"{name}-{n}", "ab"[n % 2], f"{n:064x}") for n in range(count))
    whole = PlannedSuite(name, name, "1", "cyber", "finds", "shared-kernel", items)
    return replace(whole, **fields)  # type: ignore[arg-type] # texts only


def finished(
    solved: Mapping[str, Sequence[int]] | None = None,
    *,
    suites: Sequence[PlannedSuite] | None = None,
    rung: str = "tools",
    subject: Subject = MODEL,
    seen: int = 20,
) -> Finished:
    """An assessment that tried the first *seen* items of each suite once, and *solved* some."""
    suites = suites or (suite(),)
    solved = {"planted": range(9)} if solved is None else solved
    plan = Plan(
        "asm", "E-1", subject, tuple(suites), "c" * 64, "demonstration", "d" * 64,
        Budget(tokens=1000), 1, 4, rung=rung,
    )  # fmt: skip
    results = [
        ShardResult(
            f"{one.name}-1",
            subject.name,
            one.name,
            1,
            tuple(
                SampleResult(f"{one.name}-{n}", 1, "scored", n in solved.get(one.name, ()), "x")
                for n in range(min(seen, len(one.items)))
            ),
        )
        for one in suites
    ]
    floor = replace(results[0], subject="baseline", shard="floor")
    return Finished("somewhere", plan, (*results, floor))


def write(out: Path, told: Finished) -> Path:
    """*told* as a folder with a sealed bundle and the key beside it."""
    out.mkdir()
    signer = open_signer(out / "signer.key", ORIGIN)
    write_bundle(out / "bundle", openings(3), signer)
    (out / "bundle" / "plan.json").write_bytes(encode(plain(told.plan)))
    (out / "bundle" / "results.json").write_bytes(encode(plain(told.results)))
    seal(out / "bundle", signer, ORIGIN)
    (out / "log.vkey").write_text(signer.vkeys())
    return out


def test_two_folders_are_compared_pair_by_pair(tmp_path: Path) -> None:
    """One document: difference, ends and McNemar's p over common items; the tool baseline is no part."""
    a = write(tmp_path / "a", finished())
    b = write(tmp_path / "b", finished({"planted": range(3)}, subject=replace(MODEL, name="other")))
    done = CliRunner().invoke(app, ["compare", str(a), str(b), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    [planted] = told["suites"]
    assert told["kind"] == SUBJECTS
    assert planted["paired"]["point"] == pytest.approx(0.3)
    assert planted["paired"]["low"] > 0
    assert planted["paired"]["n_items"] == 20
    assert (planted["test"]["first_only"], planted["test"]["second_only"]) == (6, 0)
    assert planted["test"]["p"] == planted["p_adjusted"] == pytest.approx(2 / 2**6)
    assert (told["first"]["subject"], told["second"]["subject"]) == ("made-up", "other")
    assert "uniform low effort" in told["not_excluded"]
    words = CliRunner().invoke(app, ["compare", str(a), str(b)]).stdout
    assert "two subjects: made-up (tools) less other (tools)" in words
    assert "planted: +30.0 points" in words
    assert "uniform low effort" in words


def test_two_rungs_of_one_subject_are_its_elicitation_gap() -> None:
    """The rungs, and everything else that differs, stand beside the difference."""
    plainly = finished({"planted": ()}, rung="plain")
    plainly = replace(plainly, plan=replace(plainly.plan, budget=Budget(tokens=10), epochs=2))
    found = compare(finished(), plainly)
    assert found.kind == GAP
    assert found.differs == (
        "rung: tools and plain",
        "budget of an attempt: 1,000 tokens and 10 tokens",
        "attempts at each item: 1 and 2",
    )
    lines = found.words()
    assert lines[0] == "elicitation gap: made-up (tools) less made-up (plain)"
    assert "    not the same in both: rung: tools and plain" in lines
    changed = replace(MODEL, digest="6" * 64)
    again = compare(finished(), finished(subject=changed, rung=""))
    assert again.differs == (
        "rung: tools and its own",
        f"digest of the subject: {'5' * 64} and {'6' * 64}",
    )
    assert compare(finished(), finished()).kind == REPEAT


def test_what_one_side_alone_saw_is_named_and_not_imputed() -> None:
    """Items and suites without a partner are left out, counted and named; early stops are said."""
    both = (suite(), suite("patch", 8))
    first = finished({"planted": range(9), "patch": ()}, suites=both, seen=14)
    second = finished({"planted": range(3)}, suites=(suite(), suite("ranges", 2)))
    found = compare(first, second)
    [planted] = found.suites
    assert planted.found is not None
    assert planted.found.paired.only_second == tuple(f"planted-{n}" for n in range(14, 20))
    assert planted.found.paired.n_items == 14
    assert found.apart == ("patch", "ranges")
    words = "\n".join(found.words())
    for part in (
        "seen in the second only, left out: 6 (planted-14, planted-15",
        "and 1 more",
        "ran 14 of 20 items and 20 of 20",
        "patch: ran in one of the two only",
    ):
        assert part in words
    back = "\n".join(compare(second, first).words())
    assert "seen in the first only, left out: 6" in back


def test_several_suites_are_adjusted_together() -> None:
    """Holm over every suite in common; one without a common result keeps its place with p of 1."""
    suites = (suite(), suite("patch", 20), suite("ranges", 3))
    first = finished({"planted": range(9), "patch": range(12)}, suites=suites)
    second = finished({"planted": range(3), "patch": ()}, suites=suites)
    second = replace(second, results=tuple(one for one in second.results if one.suite != "ranges"))
    found = compare(first, second)
    p = {one["suite"]: one["p_adjusted"] for one in found.to_dict()["suites"]}  # type: ignore[union-attr, index, call-overload]
    assert p["patch"] == pytest.approx(3 * 2 / 2**12)
    assert p["planted"] == pytest.approx(2 * 2 / 2**6)
    assert p["ranges"] == 1
    words = "\n".join(found.words())
    assert "ranges: no item has a result in both" in words
    assert "adjusted for all suites compared (Holm)" in words


def test_few_items_with_repeats_have_no_test() -> None:
    """Three items tried twice: no p, and the words say why."""
    few = finished({"planted": (0, 1)}, suites=(suite(count=3),))
    [shard, floor] = few.results
    twice = replace(shard, samples=(*shard.samples, *(replace(s, epoch=2) for s in shard.samples)))
    found = compare(replace(few, results=(twice, floor)), few)
    assert "    exact over items: too few items for a test" in found.words()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (finished(suites=(suite(version="2"),)), "planted is of version 1 in the first and 2"),
        (finished(suites=(suite("patch"),)), "no suite ran in both: planted in somewhere, patch"),
        (finished(suites=(suite(unavailable="no compiler"),)), "no suite ran in both"),
        (finished(seen=0), "no item has a result in both"),
    ],
)
def test_assessments_that_did_not_meet_the_same_are_refused(other: Finished, said: str) -> None:
    """Another version, no suite or item in common: refused, with the name."""
    with pytest.raises(Refused, match=said):
        compare(finished(), other)


def test_items_that_changed_are_refused_by_name() -> None:
    """Under one name another digest or family is another item."""
    whole = suite()
    for changed in (
        [replace(item, digest="f" * 64) for item in whole.items],
        [replace(item, family="z") for item in whole.items],
    ):
        items = tuple(changed[n] if n in {2, 5} else item for n, item in enumerate(whole.items))
        with pytest.raises(
            Refused, match=r"2 items are not the same in both.*planted-2, planted-5"
        ):
            compare(finished(), finished(suites=(replace(whole, items=items),)))


def test_only_a_verified_bundle_is_read(tmp_path: Path) -> None:
    """A changed byte ends in Tampered, as does a plan of another form; no folder in NotFound."""
    out = write(tmp_path / "a", finished())
    told = read(out)
    assert (told.plan, told.results) == (finished().plan, finished().results)
    results = out / "bundle" / "results.json"
    whole = results.read_bytes()
    results.write_bytes(whole.replace(b'"solved":false', b'"solved":true ', 1))
    with pytest.raises(Tampered, match=r"results\.json"):
        read(out)
    results.write_bytes(whole)
    (out / "bundle" / "plan.json").write_bytes(b'{"id":1}')
    seal(out / "bundle", open_signer(out / "signer.key", ORIGIN), ORIGIN)
    with pytest.raises(Tampered, match=r"plan\.json: is of another version"):
        read(out)
    (out / "log.vkey").unlink()
    for nowhere in (out, tmp_path / "nothing"):
        with pytest.raises(NotFound, match="no finished assessment"):
            read(nowhere)
    assert CliRunner().invoke(app, ["compare", str(nowhere), str(out)]).exit_code == 4
