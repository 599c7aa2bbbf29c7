"""Advisories of a case: drafted, published at once in every format, revised, withdrawn, and the feed."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

import make
from clearing_values import AT, advisory, statement
from clearing_world import acts_about, clearing_world, name_for
from desk_world import DeskWorld
from fakes import MemorySigner
from leadline.app import cases, publishing
from leadline.app.feed_verify import verify_feed
from leadline.core.access import Action, Bounds
from leadline.core.approval import Granted
from leadline.core.clearing.advisory import Advisory, Revision, Score
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.disclosure import Move
from leadline.core.clearing.handover import Handover
from leadline.core.clearing.product import Interval, Releases, package
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats import feed, manifest, note

SITE = "https://feeds.example/leadline"
POLICY = "leadline-default"


@dataclass
class Press:
    """A case with a draft, and who may publish it."""

    world: DeskWorld = field(default_factory=clearing_world)
    case: str = ""

    def __post_init__(self) -> None:
        self.case = self.another()

    def another(self, policy: str = POLICY) -> str:
        """One more case."""
        case = cases.open_case(self.world.at("screener"), (), title="Overflow", policy=policy)
        name_for(self.world, "screener", case)
        return case

    def over(self, case: str = "") -> None:
        """The secrecy of the case ends, by an act that says why."""
        cases.move(self.world.at("screener"), case or self.case, Moved(Move.ELSEWHERE, "ab" * 32))

    def signed(
        self, facts: Mapping[str, str], advisory_id: str, person: str = "screener", case: str = ""
    ) -> Granted:
        """A person signs what will become public."""
        thing = publishing.thing(case or self.case, advisory_id)
        return self.world.signed(person, Action.ADVISORY_PUBLISH, thing, facts)

    def publish(self, held: Advisory, case: str = "") -> publishing.Published:
        """Sign and publish."""
        granted = self.signed(publishing.facts(held), held.id, case=case)
        return publishing.publish(self.world.at("screener"), case or self.case, held, granted)

    def withdraw(self, ident: str, reason: str) -> publishing.Published:
        """Sign and withdraw."""
        granted = self.signed(publishing.withdrawal_facts(ident, reason), ident)
        return publishing.withdraw(self.world.at("screener"), self.case, ident, reason, granted)

    def files(self, before: bytes = b"") -> dict[str, bytes]:
        """The feed as it is now."""
        return publishing.files(self.world.at("screener"), SITE, before)


@pytest.fixture
def press() -> Press:
    """A case under embargo."""
    return Press()


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """The feed on disk."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def revised(held: Advisory, **changed: object) -> Advisory:
    """With one revision more."""
    last = Revision(str(len(held.revisions) + 1), AT + timedelta(days=1), "A range was corrected.")
    return replace(held, revisions=(*held.revisions, last), **changed)  # type: ignore[arg-type] # the tests name real fields


def test_a_draft_is_as_secret_as_its_case(press: Press) -> None:
    """Only who is named for the case reads it; an act holds the document's digest alone."""
    held = advisory(tlp=Tlp.AMBER_STRICT)
    digest = publishing.draft(press.world.at("screener"), press.case, held)
    assert publishing.shown(press.world.at("screener"), press.case, held.id) == held
    (act,) = acts_about(press.world, held.id, Kind.ADVISORY_DRAFTED)
    assert act.detail == {"case": press.case, "document": digest}
    with pytest.raises(Denied):
        publishing.shown(press.world.at("maintainer"), press.case, held.id)
    with pytest.raises(Denied):
        publishing.draft(press.world.at("maintainer"), press.case, held)
    publishing.draft(press.world.at("screener"), press.case, replace(held, title="Other"))
    with pytest.raises(NotFound):
        publishing.shown(press.world.at("screener"), press.case, "NONE")


def test_a_draft_of_another_case_keeps_its_id(press: Press) -> None:
    """Ids of documents are taken once."""
    publishing.draft(press.world.at("screener"), press.case, advisory())
    other = press.another()
    with pytest.raises(Refused, match="taken"):
        publishing.draft(press.world.at("screener"), other, advisory())
    press.over(other)
    with pytest.raises(Refused, match="another case"):
        press.publish(advisory(), other)


def test_nothing_is_published_under_embargo(press: Press) -> None:
    """The refusal names the moment, changes nothing, and leaves the signature unused."""
    granted = press.signed(publishing.facts(advisory()), "ADV-1")
    ctx = press.world.at("screener")
    before = len(press.world.acts())
    with pytest.raises(Refused, match="under embargo"):
        publishing.publish(ctx, press.case, advisory(), granted)
    assert len(press.world.acts()) == before
    press.over()
    done = publishing.publish(press.world.at("screener"), press.case, advisory(), granted)
    assert done.fresh


def test_the_embargo_that_a_relayed_case_came_with_holds_too(press: Press) -> None:
    """Even where the disclosure policy here would let it go, until it is public or ended by an act."""
    press.case = press.another("linux-kernel-ai-found")
    until = press.world.now + timedelta(days=5)
    held = Handover("h", press.case, "r", True, "f", (), "", "", Tlp.RED, make.NOW, until)  # noqa: FBT003 -- received
    with press.world.store.write() as tx:
        tx.put("h", held, marking=Marking(Tlp.RED), bounds=Bounds(case=press.case))
    with pytest.raises(Refused, match="under embargo until"):
        press.publish(advisory())
    press.world.after(days=6)
    assert press.publish(advisory()).fresh


def test_publishing_renders_everything_and_records_digests(press: Press) -> None:
    """One act with the digest of each file; everybody may read the advisory from then on."""
    press.over()
    done = press.publish(advisory(tlp=Tlp.AMBER_STRICT))
    kinds = {path.partition("/")[0] for path in done.renderings}
    assert kinds == {"csaf", "osv", "cve", "openvex", "stix", "advisories"}
    (act,) = acts_about(press.world, "ADV-1", Kind.ADVISORY_PUBLISHED)
    assert set(act.detail["files"]) == set(done.renderings)  # type: ignore[arg-type] # a mapping
    assert act.detail["case"] == press.case
    assert done.advisory.tlp is Tlp.CLEAR
    assert publishing.shown(press.world.at("hospital"), press.case, "ADV-1") == done.advisory
    assert cases.standing(press.world.at("screener"), press.case).public is not None


def test_publishing_the_same_again_changes_nothing(press: Press) -> None:
    """Not one act more of publication, and the same bytes."""
    press.over()
    one = press.publish(advisory())
    first = press.files()
    two = press.publish(advisory())
    assert not two.fresh
    assert (two.act, two.renderings) == (one.act, one.renderings)
    assert press.files() == first
    assert len(acts_about(press.world, "ADV-1", Kind.ADVISORY_PUBLISHED)) == 1


def test_a_change_needs_a_revision_and_a_signature_of_its_own(press: Press) -> None:
    """The old signature is of other words."""
    press.over()
    press.publish(advisory())
    with pytest.raises(Invalid, match="revisions"):
        press.publish(advisory(title="Other"))
    granted = press.signed(publishing.facts(advisory()), "ADV-1")
    later = Revision("2", press.world.now + timedelta(days=1), "Later.")
    with pytest.raises(Invalid, match="to come"):
        press.publish(replace(advisory(), revisions=(*advisory().revisions, later)))
    with pytest.raises(Refused, match="another text was signed"):
        publishing.publish(press.world.at("screener"), press.case, revised(advisory()), granted)
    assert press.publish(revised(advisory(), title="Other")).fresh
    with pytest.raises(Refused, match="taken"):
        publishing.draft(press.world.at("screener"), press.case, advisory())


def test_who_publishes_is_a_coordinator_of_the_case_who_signs_now(press: Press) -> None:
    """Not another's case, not without the signature, not a maintainer."""
    press.over()
    for person in ("second-screener", "maintainer", "finder"):
        with pytest.raises(Denied):
            press.signed(publishing.facts(advisory()), "ADV-1", person)
    granted = replace(press.signed(publishing.facts(advisory()), "ADV-1"), asserted=False)
    with pytest.raises(Denied):
        publishing.publish(press.world.at("screener"), press.case, advisory(), granted)


def test_a_withdrawn_advisory_stays_and_matches_nothing(press: Press) -> None:
    """With its reason; its OSV record is withdrawn, its CVE record rejected, its VEX document gone."""
    press.over()
    ids = statement(affected=Releases(listed=("1.0",)))
    press.publish(advisory(ids))
    assert any(path.startswith("openvex/") for path in press.files())
    with pytest.raises(NotFound):
        press.withdraw("ADV-2", "no flaw")
    done = press.withdraw("ADV-1", "It was no flaw.")
    files = press.files()
    assert b'"withdrawn"' in files["osv/CVE-2021-45958.json"]
    assert b'"REJECTED"' in files["cve/CVE-2021-45958.json"]
    assert not any(path.startswith("openvex/") for path in files)
    assert b"Withdrawn: It was no flaw." in files["advisories/adv-1.html"]
    assert b"Withdrawn" in files["index.html"]
    (act,) = acts_about(press.world, "ADV-1", Kind.ADVISORY_WITHDRAWN)
    assert act.id == done.act
    with pytest.raises(Refused, match="already"):
        press.withdraw("ADV-1", "again")
    granted = press.signed(publishing.withdrawal_facts("ADV-1", "one"), "ADV-1")
    with pytest.raises(Refused, match="other words"):
        publishing.withdraw(press.world.at("screener"), press.case, "ADV-1", "two", granted)


def test_every_fault_of_a_document_is_told(press: Press) -> None:
    """With format and place; nothing is kept of it."""
    press.over()
    twice = advisory(statement(), statement())
    bad = advisory(flaws=(replace(advisory().flaws[0], description=""),))
    for held, problem in ((twice, "two statements"), (bad, "description|characters|shorter")):
        with pytest.raises(Invalid, match=problem):
            press.publish(held)
    score = replace(advisory().flaws[0], scores=(Score("x", "y"),))
    assert publishing.faults(advisory(flaws=(score,)))[-1].place == "vector"
    with pytest.raises(NotFound):
        publishing.shown(press.world.at("screener"), press.case, "ADV-1")


def test_two_advisories_cannot_have_one_file(press: Press) -> None:
    """As with two documents about one CVE id."""
    press.over()
    press.publish(advisory())
    with pytest.raises(Invalid, match=r"CVE-2021-45958\.json is of ADV-1"):
        press.publish(advisory(id="ADV-2"))


def test_a_feed_verifies_offline_and_tampering_is_found(press: Press, tmp_path: Path) -> None:
    """One byte, one file more, one less, another key, an old feed."""
    press.over()
    press.publish(advisory())
    files, keys = press.files(), press.world.signer.vkeys()
    folder = written(files, tmp_path / "feed")
    found = verify_feed(folder, keys)
    assert (found.head.serial, found.head.site) == (1, SITE)
    assert found.files == len(files) - 2
    assert verify_feed(folder, keys, since=1) == found
    with pytest.raises(Tampered, match="old feed"):
        verify_feed(folder, keys, since=2)
    with pytest.raises(Tampered, match="no signature"):
        verify_feed(folder, MemorySigner("other.example/log").vkeys())
    with pytest.raises(NotFound):
        verify_feed(tmp_path / "none", keys)
    with pytest.raises(Invalid):
        verify_feed(folder, "no key")
    for path in sorted(files):
        written(files | {path: files[path] + b" "}, folder)
        with pytest.raises(Tampered):
            verify_feed(folder, keys)
    for wrong in (files | {"x.txt": b"x"}, {p: d for p, d in files.items() if p != "atom.xml"}):
        with pytest.raises(Tampered):
            verify_feed(written(wrong, folder), keys)
    other = press.world.signer.sign("hello\n").encode()
    with pytest.raises(Tampered, match="are due"):
        verify_feed(written(files | {manifest.STATEMENT: other}, folder), keys)


def test_the_feed_has_what_csaf_asks_of_a_provider(press: Press) -> None:
    """Digests, index, changes, ROLIE feed, metadata; and it is empty but whole before anything is."""
    empty = press.files()
    assert empty["csaf/white/index.txt"] == b""
    press.over()
    press.publish(advisory())
    spans = Releases((Interval("2.0.0", "5.2.0"),))
    other = statement(package=package("npm", "", "thing"), affected=spans)
    second = replace(advisory(other).flaws[0], ids=("CVE-2026-10002",))
    press.publish(revised(advisory(id="ADV-2", flaws=(second,))))
    files = press.files()
    assert files["csaf/white/index.txt"] == b"2026/adv-1.json\n2026/adv-2.json\n"
    assert (
        files["csaf/white/changes.csv"].splitlines()[0]
        == b'"2026/adv-2.json","2026-11-02T12:00:00Z"'
    )
    digest = files["csaf/white/2026/adv-1.json.sha256"].split()[0].decode()
    assert manifest.digest(files["csaf/white/2026/adv-1.json"]) == digest
    assert b"csaf_provider" in files["csaf/provider-metadata.json"]
    assert files["atom.xml"].index(b"adv-2") < files["atom.xml"].index(b"adv-1")
    assert files["osv/all.json"].count(b'"schema_version"') == 2
    assert b'"ADV-1"' in files["losses.json"]
    assert press.files(files[manifest.STATEMENT]) == files


def test_an_old_signature_is_kept_only_while_it_says_the_truth(press: Press) -> None:
    """A signature may differ each time; the text decides."""
    press.over()
    press.publish(advisory())
    files = press.files()
    marked = files[manifest.STATEMENT] + b"\xe2\x80\x94 other AAAAAAAA\n"
    assert press.files(marked)[manifest.STATEMENT] == marked
    press.publish(revised(advisory()))
    assert press.files(marked)[manifest.STATEMENT] != marked


@pytest.mark.parametrize("site", ["http://x.example", "https://", "x", "https://x.example/a b"])
def test_a_site_is_an_https_address(press: Press, site: str) -> None:
    """Addresses in the feed are built from it."""
    with pytest.raises(Invalid, match="site"):
        publishing.files(press.world.at("screener"), site)


def test_only_what_is_for_everybody_goes_into_the_feed() -> None:
    """Whatever a caller hands in, and each file once."""
    with pytest.raises(Invalid, match="for everybody"):
        feed.files([advisory(tlp=Tlp.GREEN)], SITE)
    with pytest.raises(Invalid, match="another advisory"):
        feed.files([advisory(), advisory(id="ADV-2")], SITE)


@pytest.mark.parametrize(
    "text",
    [
        "x\n",
        f"{feed.HEADER}\n{SITE}\nx\n2026-01-01T00:00:00Z\n{'a' * 64}\n",
        f"{feed.HEADER}\n{SITE}\n1\n2026\n{'a' * 64}\n",
        f"{feed.HEADER}\n{SITE}\n1\n2026-01-01T00:00:00Z\nx\n",
        f"{feed.HEADER}\n{SITE}\n01\n2026-01-01T00:00:00Z\n{'a' * 64}\n",
        f"{feed.HEADER}\nhttp://x.example\n1\n2026-01-01T00:00:00Z\n{'a' * 64}\n",
    ],
)
def test_a_head_is_spelled_in_one_way(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(Invalid):
        feed.parse_head(text)


def test_keys_that_sign_no_text_verify_no_feed(press: Press, tmp_path: Path) -> None:
    """A witness's key says nothing of a feed."""
    press.over()
    press.publish(advisory())
    folder = written(press.files(), tmp_path / "feed")
    key = note.parse_vkeys(press.world.signer.vkeys())[0]
    witness = note.VerifierKey(key.name, note.Kind.ED25519_COSIGNATURE, key.public_key)
    with pytest.raises(Invalid, match="signs texts"):
        verify_feed(folder, f"{witness.line}\n")
    with pytest.raises(Tampered):
        verify_feed(written(press.files() | {manifest.STATEMENT: b"x"}, folder), f"{key.line}\n")
