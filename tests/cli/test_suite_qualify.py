"""`leadline suite qualify`: every item tried, recorded, signed; resumed; compared with a second host."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadline.app.signature import check
from leadline.cli.main import app
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.qualification import QUICK, Extent
from leadline.formats import cosignature, note
from leadline.formats import qualification as form
from leadline.settings import Home, Settings
from leadline.suites.item import Item, Oracle, Qualification
from leadline.wiring import suites as wiring
from suites.targets import lay_out, make_item, writes_report

pytestmark = pytest.mark.sandbox
REPORT = writes_report("heap-buffer-overflow")
ONLY = 'case "$(head -c 4 /box/input)" in open) :;; *) exit 0;; esac\n'
SEED = "11" * 32


@dataclass
class Scripted:
    """A suite of items whose builds are shell scripts: one sound, one that anything solves."""

    name: str = "scripted"
    title: str = "t"
    version: str = "1"
    domain: str = "cyber"
    construct: str = "c"
    isolation: str = "shared-kernel"
    licence: str = "Apache-2.0"
    citation: str = "c"
    built: list[str] = field(default_factory=list)
    scripts: tuple[str, ...] = (ONLY + REPORT, REPORT, "unbuilt", "nowhere")

    def items(self, seed: bytes) -> Sequence[Item]:
        """One for each script."""
        made = make_item(Oracle("sanitizer", ("heap-buffer-overflow",)))
        return [
            replace(made, id=f"s-{n}", digest=f"{n:064x}", licence=self.licence)
            for n in range(len(self.scripts))
        ]

    def missing(self) -> Sequence[tuple[str, str]]:
        """One that could not be had."""
        return (("s-gone", "not fetched"),)

    def prepare(self, item: Item, seed: bytes, folder: Path) -> Qualification:
        """Lay the scripts out, with a reference."""
        script = self.scripts[int(item.digest, 16)]
        if script == "nowhere":
            raise Unavailable("no compiler")
        if script == "unbuilt":
            folder.mkdir(parents=True)
            return Qualification(item.id, item.digest, ok=False, checks={}, reason="two alike")
        lay_out(folder, item, script)
        (folder / "reference").write_bytes(b"open sesame, the long reference")
        self.built.append(item.id)
        return Qualification(item.id, item.digest, ok=True, checks={})


def ran(suite: Scripted, out: Path, **changed: object) -> dict[str, object]:
    """The outcome of a campaign over *suite* in *out*."""
    campaign = wiring.Campaign(suite.name, out, QUICK, seed=SEED)
    campaign = replace(campaign, **changed)  # type: ignore[arg-type]
    lines: list[str] = []
    done = wiring.run(suite, campaign, Home(out / "none"), 2, lines.append)  # type: ignore[arg-type]
    assert len(lines) == len(suite.items(b""))
    assert any("of 4  s-0 (stack-overflow): qualified" in line for line in lines)
    return done


def test_each_item_is_qualified_or_not_for_a_reason(tmp_path: Path) -> None:
    """Sound, too easy, not built, not to be had: nothing is dropped, and nothing costs another."""
    done = ran(Scripted(), tmp_path)
    assert (done["items"], done["qualified"]) == (5, 1)
    assert done["unqualified"] == [
        {"id": "s-1", "check": "trivial_solutions", "reason": "solved by empty", "more": []},
        {"id": "s-2", "check": "prepared", "reason": "two alike", "more": []},
    ]
    assert done["skipped"] == [
        {"id": "s-3", "reason": "Unavailable: no compiler"},
        {"id": "s-gone", "reason": "not fetched"},
    ]
    assert done["quick"] is True
    told = "\n".join(wiring.told(done))
    assert "1 of 5 items qualified" in told
    assert "s-1  trivial_solutions: solved by empty" in told
    assert "s-3  not tried: Unavailable: no compiler" in told
    assert not any((tmp_path / "items").iterdir())


def test_every_record_is_signed_and_the_signature_holds(tmp_path: Path) -> None:
    """By both keys of the installation, over the record's digest; another record does not fit."""
    ran(Scripted(), tmp_path)
    keys = note.parse_vkeys((tmp_path / "log.vkey").read_text())
    texts = []
    for item in ("s-0", "s-1", "s-2"):
        data = (tmp_path / "records" / f"{item}.json").read_bytes()
        signed = note.parse((tmp_path / "records" / f"{item}.note").read_bytes())
        assert signed.text == form.statement(data, keys[0].name)
        text_keys = [key for one in keys if (key := cosignature.text_key(one)) is not None]
        cosignature.require(item, signed, text_keys, check)
        texts.append(signed.text)
    assert len(set(texts)) == len(texts)


def test_a_second_call_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    """Records stand; one that is gone, or without its note, or of another extent is made again."""
    suite = Scripted()
    first = ran(suite, tmp_path)
    assert first["reused"] == 0
    again = ran(suite, tmp_path)
    assert again["reused"] == 3
    assert sorted(suite.built) == ["s-0", "s-1"]
    (tmp_path / "records" / "s-0.note").unlink()
    assert ran(suite, tmp_path)["reused"] == 2
    assert ran(suite, tmp_path, extent=Extent(2, 1, 3))["reused"] == 0


def test_a_changed_item_is_tried_again(tmp_path: Path) -> None:
    """The record's digest is of the item as it was."""
    suite = Scripted()
    ran(suite, tmp_path)
    record = wiring.read_record(tmp_path, "s-0")
    assert record is not None
    stale = replace(record, digest="ff")
    (tmp_path / "records" / "s-0.json").write_bytes(form.encode(stale))
    assert ran(suite, tmp_path)["reused"] == 2


def test_a_second_clean_folder_must_give_the_same_verdicts(tmp_path: Path) -> None:
    """Equal: the check holds. Another verdict there, or no record: it does not."""
    suite, one, two = Scripted(), tmp_path / "one", tmp_path / "two"
    ran(suite, one)
    done = ran(suite, two, again=one, seed="")
    assert done["qualified"] == 1
    record = wiring.read_record(one, "s-0")
    assert record is not None
    other = replace(record, shown={"reference": "silent"})
    (one / "records" / "s-0.json").write_bytes(form.encode(other))
    shutil.rmtree(two)
    done = wiring.run(
        suite,  # type: ignore[arg-type]
        wiring.Campaign(suite.name, two, QUICK, again=one),
        Home(two / "none"),
        2,
        lambda _: None,
    )
    assert done["qualified"] == 0
    found = wiring.read_record(two, "s-0")
    assert found is not None
    assert found.missed[0].name == "second_host"


def test_a_folder_of_another_campaign_is_refused(tmp_path: Path) -> None:
    """Another seed, another count: another folder."""
    suite = Scripted()
    ran(suite, tmp_path)
    with pytest.raises(Refused, match="seed"):
        ran(suite, tmp_path, seed="22" * 32)
    with pytest.raises(Refused, match="count"):
        ran(suite, tmp_path, count=4)


def test_bad_input_is_named(tmp_path: Path) -> None:
    """A seed that is none, a spoilt campaign, no campaign to equal, a suite without items."""
    suite = Scripted()
    for seed in ("xy", "11"):
        with pytest.raises(Invalid, match="seed"):
            ran(suite, tmp_path / seed, seed=seed)
    with pytest.raises(NotFound, match="holds no campaign"):
        ran(suite, tmp_path / "new", again=tmp_path / "nowhere", seed="")
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    (spoilt / "campaign.json").write_text("[]")
    with pytest.raises(Invalid, match="spoilt"):
        ran(suite, spoilt)
    with pytest.raises(Unavailable, match="no items"):
        ran(Scripted(scripts=()), tmp_path / "empty")


def test_built_items_are_kept_on_request(tmp_path: Path) -> None:
    """For a look at one that was rejected."""
    ran(Scripted(), tmp_path, keep=True)
    assert (tmp_path / "items" / "s-1" / "item.json").is_file()


def test_the_command_qualifies_planted_items(tmp_path: Path) -> None:
    """Two items by the quick gate: one document on standard output, progress beside it."""
    argv = ["suite", "qualify", "planted", "--count", "2", "--quick", "--json"]
    done = CliRunner().invoke(app, [*argv, "--seed", SEED, "--out", str(tmp_path / "q")])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["items"], document["qualified"]) == (2, 2)
    assert document["seconds"] > 0
    assert "2 of 2" in done.stderr
    words = [*argv[:-1], "--seed", SEED, "--out", str(tmp_path / "q")]
    told = CliRunner().invoke(app, words)
    assert "2 of 2 items qualified" in told.stdout


def test_an_unknown_suite_is_not_found(tmp_path: Path) -> None:
    """The ones that are installed are named."""
    settings = Settings(registry_cache=tmp_path, workers=1, lease_seconds=30)
    with pytest.raises(NotFound, match="planted"):
        wiring.qualify(
            settings, wiring.Campaign("other", tmp_path, QUICK), Home(tmp_path), lambda _: None
        )
