"""Canary strings in everything the vault is given, and a search through everything that is left behind.

Searched: every file of the installation (database pages, write-ahead log, published log, vault, keys,
marks), the backup and what it restores to, temporary files, standard output and error, the diagnostic
log at its most talkative, and the text of every error on the way.
"""

import base64
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

import make
import terms_world
from leadline.app import clearing, engagement, vaulting
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.vaulting import Material, Offer
from leadline.core.assessment import Subject
from leadline.core.clearing.finding import Finding
from leadline.core.errors import LeadlineError
from leadline.core.vaulting import Artefact
from leadline.formats.regime_toml import load_regime
from leadline.settings import Home
from leadline.wiring import backup
from leadline.wiring import home as wiring
from leadline.wiring.assess import DATA, REGIME
from leadline.wiring.vault import sealing_vault
from vault_world import World

FIELDS = ("inquiry", "proof", "working", "sealed", "worker", "too large")
CANARIES: Mapping[str, bytes] = {
    name: f"CANARY-{sha256(name.encode()).hexdigest()[:20]}".encode() for name in FIELDS
}
OWN = Material(make.ENGAGEMENT, make.DEVELOPER, "developer")
PEOPLE = {
    "developer": replace(make.developer(), id="developer"),
    "evaluator": make.principal("evaluator", id_="evaluator"),
    "custodian": make.principal("custodian", id_="custodian"),
}


def spelled(canary: bytes) -> list[bytes]:
    """A canary as it is, in hex, in UTF-16, and in base64 at each offset."""
    encoded = [base64.b64encode(b"x" * skip + canary)[4:-4] for skip in range(3)]
    return [canary, canary.hex().encode(), canary.decode().encode("utf-16-le"), *encoded]


FORMS = [form for canary in CANARIES.values() for form in spelled(canary)]


def seen(content: bytes) -> bool:
    """Whether any canary stands there in any form."""
    return any(form in content for form in FORMS)


def found_in(place: Path) -> list[Path]:
    """Every file below *place* with any canary in it."""
    return [path for path in place.rglob("*") if path.is_file() and seen(path.read_bytes())]


@dataclass
class Scene:
    """An installation in use, and the text of every error on the way."""

    home: Home
    parts: wiring.Parts
    errors: list[str] = field(default_factory=list)

    def at(self, name: str) -> Context:
        """What a use case is given when that person acts."""
        with self.parts.store.read() as view:
            return replace(self.parts.context(view.principal(name)), assurance=2)

    def enrol(self) -> None:
        """Everybody, and the engagement."""
        until = wiring.clock() + (make.UNTIL - make.NOW)
        with self.parts.store.write() as tx:
            for person in PEOPLE.values():
                tx.put_principal(replace(person, access_until=until))
        terms_world.agreed(self.parts.store, wiring.clock())

    def inquire(self) -> None:
        """The developer's question."""
        regime = load_regime((DATA / "regimes" / f"{REGIME}.toml").read_bytes(), REGIME)
        on = Dealings(make.ENGAGEMENT, make.DEVELOPER, regime)
        subject = Subject("model", "a model", sha256(b"a model").hexdigest())
        engagement.open_draft(self.at("developer"), on, "a model", subject)
        question = {"question": CANARIES["inquiry"].decode()}
        engagement.lodge_inquiry(self.at("developer"), on, question)

    def find(self) -> None:
        """A finding with its proof."""
        proof = CANARIES["proof"]
        finding = Finding(
            "tool",
            "a fuzzer",
            "planted",
            "item",
            "run",
            "bounds",
            "a title",
            "pkg:generic/a",
            "0" * 64,
            sha256(proof).hexdigest(),
            "observation",
            wiring.clock(),
        )
        clearing.record_finding(self.at("evaluator"), make.ENGAGEMENT, finding, proof)

    def deposit(self, name: str) -> Artefact:
        """Several segments of one canary from the developer."""
        offer = Offer(OWN, make.marking(), name == "sealed", 1 << 23)
        return vaulting.deposit(self.at("developer"), offer, (CANARIES[name] * 100_000,))

    def read(self, artefact: Artefact) -> None:
        """Read working content, and look around meanwhile."""
        with vaulting.read(self.at("evaluator"), artefact.id, "assessment") as file:
            assert seen(file.read(1000))
            assert found_in(self.home.folder) == []

    def fail(self, working: Artefact, sealed: Artefact) -> None:
        """What goes wrong with a canary in hand."""
        vault, release = self.parts.vault, World().release(sealed.digest)
        small = Offer(OWN, make.marking(), sealed=True, bytes_max=10)
        tries = (
            lambda: vaulting.read(self.at("evaluator"), sealed.id, "assessment").__enter__(),
            lambda: vault.get(sealed.digest),
            lambda: vault.open(sealed.digest, release).__enter__(),
            lambda: vault.put(CANARIES["working"], marking=make.marking(), engagement="\ud800"),
            lambda: vaulting.deposit(self.at("developer"), small, (CANARIES["too large"],)),
            lambda: sealing_vault(self.home).get(working.digest),
            lambda: self.damaged(working.digest),
        )
        for one in tries:
            with pytest.raises(LeadlineError) as told:
                one()
            error: BaseException | None = told.value
            while error is not None:
                self.errors.append(f"{error} {error!r}")
                error = error.__cause__ or error.__context__

    def damaged(self, digest: str) -> bytes:
        """A read that finds a changed last byte, after good plaintext."""
        (shard,) = (self.home.vault / "content" / digest[:2] / digest).rglob("0.shard")
        content = shard.read_bytes()
        shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        try:
            return self.parts.vault.get(digest)
        finally:
            shard.write_bytes(content)


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where temporary files go, so that they are searched too."""
    before, place = tempfile.tempdir, tmp_path / "temporary"
    place.mkdir()
    tempfile.tempdir = str(place)
    yield place
    tempfile.tempdir = before


def test_no_canary_is_found_outside_ciphertext(
    tmp_path: Path,
    temporary: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in files, temporary ones included, not in outputs, logs or errors, not in the backup."""
    caplog.set_level(logging.DEBUG)
    assert Path(tempfile.gettempdir()) == temporary
    home = Home(tmp_path / "home")
    wiring.make(home)
    with wiring.opened(home) as parts:
        scene = Scene(home, parts)
        scene.enrol()
        scene.inquire()
        scene.find()
        working, sealed = scene.deposit("working"), scene.deposit("sealed")
        sealing_vault(home).put(
            CANARIES["worker"], marking=make.marking(), engagement=make.ENGAGEMENT
        )
        scene.read(working)
        scene.fail(working, sealed)
        backup.make_backup(home, tmp_path / "backup")
        assert (home.folder / "leadline.db-wal").stat().st_size
        assert found_in(tmp_path) == []
        digests = {name: sha256(CANARIES[name]).hexdigest() for name in ("proof", "worker")}
        assert {name: parts.vault.get(digest) for name, digest in digests.items()} == {
            name: CANARIES[name] for name in digests
        }
    (tmp_path / "log.vkey").write_text(parts.signer.vkeys())
    backup.restore(tmp_path / "backup", Home(tmp_path / "restored"), tmp_path / "log.vkey")
    assert found_in(tmp_path) == []
    printed = capfd.readouterr()
    told = "\n".join((printed.out, printed.err, caplog.text, *scene.errors))
    assert len(scene.errors) >= 7
    assert not seen(told.encode("utf-8", "backslashreplace"))


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """In each form; or the test above would show nothing."""
    for number, form in enumerate(FORMS):
        (tmp_path / str(number)).write_bytes(b"before" + form + b"after")
    assert len(found_in(tmp_path)) == len(FORMS)
    (tmp_path / "innocent").write_bytes(b"CANARY-")
    assert len(found_in(tmp_path)) == len(FORMS)
