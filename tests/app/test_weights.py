"""Weights: signed, judged, compared, and every movement told."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import make
from intake_world import World, quarantine
from leadline.app import weights
from leadline.app.weights import Dealing
from leadline.core.custody import UNKNOWN_COPIES, Movement
from leadline.core.errors import Denied, Invalid, Refused, Tampered
from leadline.core.intake import Hostile, Taken
from leadline.core.record.act import Kind
from leadline.core.vaulting import Protection, Shredding
from leadline.store.sql import open_store
from leadline.wiring import intake as wiring
from leadline.wiring.home import KINDS
from leadline.wiring.intake import Trust

ON = Dealing(make.ENGAGEMENT, make.DEVELOPER)
MODEL = {
    "model.safetensors": (80).to_bytes(8, "little")
    + json.dumps({"w": {"dtype": "F32", "shape": [25], "data_offsets": [0, 100]}})
    .encode()
    .ljust(80)
    + bytes(100),
    "config.json": b'{"hidden_size": 25}',
    "README.md": b"# A small model\n",
}


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


class Delivery:
    """A folder of weights with a key and a signature beside it."""

    def __init__(self, place: Path, files: dict[str, bytes] = MODEL) -> None:
        self.folder, self.signature = place / "model", place / "model.sig"
        self.private, self.public = place / "key", place / "key.pub"
        self.folder.mkdir()
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
        key = ec.generate_private_key(ec.SECP256R1())
        self.private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.public.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        wiring.sign(self.folder, self.private, self.signature)

    def receive(self, world: World, *, by: str = "keeper") -> tuple[Taken, ...]:
        """Hand it over."""
        return weights.receive(
            world.ctx(by),
            ON,
            self.folder,
            self.signature.read_bytes(),
            wiring.verifier(Trust(key=self.public)),
            quarantine,
        )


def test_signed_weights_are_taken_in_sealed(world: World, tmp_path: Path) -> None:
    """Each file is sealed and has its movements: offered, received, stored."""
    taken = Delivery(tmp_path).receive(world)
    assert [one.name for one in taken] == ["README.md", "config.json", "model.safetensors"]
    assert taken[2].judged.parameters == 25
    assert {held.protection for held in world.vault.holdings()} == {Protection.SEALED}
    told = weights.statement(world.ctx("keeper"), ON)
    assert [file.digest for file in told.files] == [one.digest for one in taken]
    for file in told.files:
        steps = [entry.movement for entry in file.entries]
        assert steps == [Movement.OFFERED, Movement.RECEIVED, Movement.STORED]
        assert file.irregular == {}
    assert told.unknown == UNKNOWN_COPIES
    assert len(told.index) == 9


def _changed(one: Delivery) -> None:
    (one.folder / "config.json").write_bytes(b"{}")


def _added(one: Delivery) -> None:
    (one.folder / "extra.json").write_bytes(b"{}")


def _removed(one: Delivery) -> None:
    (one.folder / "config.json").unlink()


def _linked(one: Delivery) -> None:
    (one.folder / "README.md").unlink()
    (one.folder / "README.md").symlink_to("/etc/hostname")


def _other_key(one: Delivery) -> None:
    place = one.folder.parent / "other"
    place.mkdir()
    one.public = Delivery(place).public


def _resigned(one: Delivery) -> None:
    """The signed statement names another digest; the signature is the old one."""
    bundle = json.loads(one.signature.read_bytes())
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    digest = sha256(MODEL["config.json"]).hexdigest().encode()
    assert digest in payload
    (one.folder / "config.json").write_bytes(b"{}")
    payload = payload.replace(digest, sha256(b"{}").hexdigest().encode())
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    one.signature.write_bytes(json.dumps(bundle).encode())


def _no_signature(one: Delivery) -> None:
    one.signature.write_bytes(b"{}")


WRONG = [_changed, _added, _removed, _linked, _other_key, _resigned, _no_signature]


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_what_is_not_what_was_signed_is_refused(
    world: World, tmp_path: Path, spoil: object
) -> None:
    """Nothing enters custody; the refusal is an act and an alert."""
    delivery = Delivery(tmp_path)
    spoil(delivery)  # type: ignore[operator]
    with pytest.raises((Tampered, Invalid)):
        delivery.receive(world)
    assert len(world.acts(Kind.ARTEFACT_REFUSED)) == 1
    assert len(world.alerts("upload")) == 1
    assert world.acts(Kind.CUSTODY_ENTERED) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pytorch_model.bin", b"\x80\x02}q\0."),
        ("modeling.py", b"import torch\n"),
        ("model.gguf", b"GGUF\3\0\0\0"),
        ("weights.safetensors", b"\2\0\0\0\0\0\0\0{}x"),
        ("notes.safetensors", b"words\n"),
        ("archive.json", b"PK\5\6" + bytes(18)),
    ],
)
def test_a_signature_makes_no_pickle_good(
    world: World, tmp_path: Path, name: str, data: bytes
) -> None:
    """Signed or not: only what is on the list is taken."""
    with pytest.raises(Invalid):
        Delivery(tmp_path, {name: data}).receive(world)
    assert len(world.acts(Kind.ARTEFACT_REFUSED)) == 1
    assert world.all(Taken) == []


def test_a_folder_changed_after_the_check_is_noticed(world: World, tmp_path: Path) -> None:
    """The bytes in the vault are compared with the signed digest, not with the folder."""
    delivery = Delivery(tmp_path)

    def verify(folder: Path, signature: bytes) -> None:
        wiring.verifier(Trust(key=delivery.public))(folder, signature)
        (folder / "README.md").write_bytes(b"# A small mOdel\n")

    with pytest.raises(Tampered, match="other bytes than were signed"):
        weights.receive(
            world.ctx("keeper"),
            ON,
            delivery.folder,
            delivery.signature.read_bytes(),
            verify,
            quarantine,
        )
    assert len(world.alerts("custody")) == 1


def test_nobody_else_hands_weights_over(world: World, tmp_path: Path) -> None:
    """Anybody is denied before the folder is read."""
    with pytest.raises(Denied):
        Delivery(tmp_path).receive(world, by="anybody")


def test_movements_are_told_in_order_and_odd_ones_are_alerts(world: World, tmp_path: Path) -> None:
    """A mount without a key is written down and looked at."""
    ctx = world.ctx("keeper")
    digest = Delivery(tmp_path).receive(world)[2].digest
    weights.enter(ctx, ON, Movement.MOUNTED, digest, "run-1")
    (alert,) = world.alerts("custody")
    assert "without a key released" in alert.what
    file = next(f for f in weights.statement(ctx, ON).files if f.digest == digest)
    assert list(file.irregular.values()) == ["without a key released for it"]
    assert file.standing.mounted == {"run-1"}


def test_what_the_vault_records_is_part_of_custody(world: World, tmp_path: Path) -> None:
    """An unsealing is a key released; a shredding ends the file's story."""
    ctx = world.ctx("keeper")
    taken = Delivery(tmp_path).receive(world)[2]
    opened = ctx.act(
        Kind.ARTEFACT_UNSEALED, taken.id, ON.engagement, digest=taken.digest, request="request-1"
    )
    gone = Shredding(
        "shredding-1", ON.engagement, ON.org, "developer", ctx.now, "keeper", (), (taken.digest,)
    )
    with world.store.write() as tx:
        tx.record(opened)
        tx.put(gone.id, gone, marking=weights.PARTIES, engagement=ON.engagement)
        tx.record(ctx.act(Kind.MATERIAL_SHREDDED, gone.id, ON.engagement))
    file = next(f for f in weights.statement(ctx, ON).files if f.digest == taken.digest)
    assert [e.movement for e in file.entries[3:]] == [Movement.KEY_RELEASED, Movement.SHREDDED]
    assert (file.entries[3].place, file.standing.shredded) == ("request-1", True)
    assert file.irregular == {}


def test_results_leave_within_the_allowance_only(world: World, tmp_path: Path) -> None:
    """64 KiB a day for a small model; one byte more stays, and is an alert; a day later it may go."""
    ctx = world.ctx("keeper")
    digest = Delivery(tmp_path).receive(world)[2].digest
    for movement in (Movement.KEY_RELEASED, Movement.MOUNTED):
        weights.enter(ctx, ON, movement, digest, "run-1")
    weights.emit(ctx, ON, digest, "run-1", 65_000)
    weights.emit(ctx, ON, digest, "run-1", 536)
    for sent in (1, -1):
        with pytest.raises(Refused, match="allowance of 65536 a day"):
            weights.emit(ctx, ON, digest, "run-1", sent)
    assert len(world.alerts("custody")) == 2
    world.now += timedelta(days=1)
    assert weights.emit(world.ctx("keeper"), ON, digest, "run-1", 1).bytes == 1


def test_weights_in_use_are_mounted_metered_and_unmounted(world: World, tmp_path: Path) -> None:
    """Each movement stands in the custody log, and a result beyond the allowance ends the use."""
    ctx = world.ctx("keeper")
    digest = Delivery(tmp_path).receive(world)[2].digest
    weights.enter(ctx, ON, Movement.KEY_RELEASED, digest, "run-1")
    with weights.in_use(ctx, ON.engagement, digest, "run-1") as meter:
        meter(65_000)
    weights.enter(ctx, ON, Movement.KEY_RELEASED, digest, "run-2")
    with (
        pytest.raises(Refused, match="the result stays here"),
        weights.in_use(ctx, ON.engagement, digest, "run-2") as meter,
    ):
        meter(65_000)
    file = next(f for f in weights.statement(ctx, ON).files if f.digest == digest)
    told = [(e.movement, e.place) for e in file.entries[3:]]
    assert told == [
        (Movement.KEY_RELEASED, "run-1"),
        (Movement.MOUNTED, "run-1"),
        (Movement.RESULT_EMITTED, "run-1"),
        (Movement.UNMOUNTED, "run-1"),
        (Movement.KEY_RELEASED, "run-2"),
        (Movement.MOUNTED, "run-2"),
        (Movement.UNMOUNTED, "run-2"),
    ]
    assert file.irregular == {}
    assert file.standing.mounted == frozenset()


def test_weights_that_are_not_here_are_not_mounted(world: World) -> None:
    """A subject that its developer hosts has no custody with us, whatever is sent of it."""
    ctx = world.ctx("keeper")
    with weights.in_use(ctx, ON.engagement, "ab" * 32, "run-1") as meter:
        meter(10**12)
    assert weights.statement(ctx, ON).files == ()


def test_a_statement_is_the_parties_to_read(world: World) -> None:
    """Anybody is denied; an engagement without weights has an empty statement."""
    with pytest.raises(Denied):
        weights.statement(world.ctx("anybody"), ON)
    assert weights.statement(world.ctx("keeper"), ON).files == ()


def test_hostile_names_are_refused(world: World, tmp_path: Path) -> None:
    """Two names that one file system takes for the same."""
    files = {"Config.json": b"{}", "config.json": b"{}"}
    with pytest.raises(Hostile, match="but for case"):
        Delivery(tmp_path, files).receive(world)


def _certificate(
    name: str,
    public: ec.EllipticCurvePublicKey,
    by: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> bytes:
    """A certificate of a private authority, as PEM."""
    now = datetime.now(UTC)  # noqa: TID251 -- OpenSSL compares with the real time
    use = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)  # noqa: FBT003
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(use, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_private_authority_counts_and_another_does_not(world: World, tmp_path: Path) -> None:
    """A certificate of the developer's own authority; no public log is asked or told."""
    from model_signing import hashing, signing

    delivery = Delivery(tmp_path)
    chains = []
    loaded = serialization.load_pem_private_key(delivery.private.read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    for name in ("own", "other"):
        authority = ec.generate_private_key(ec.SECP256R1())
        root = _certificate(name, authority.public_key(), name, authority, ca=True)
        leaf = _certificate("developer", loaded.public_key(), name, authority, ca=False)
        (tmp_path / f"{name}.pem").write_bytes(root)
        (tmp_path / f"{name}-leaf.pem").write_bytes(leaf)
        chains.append(Trust(chain=(tmp_path / f"{name}.pem",)))
    way = hashing.Config()  # type: ignore[no-untyped-call]
    config = signing.Config()  # type: ignore[no-untyped-call]
    config.set_hashing_config(way.use_file_serialization()).use_certificate_signer(
        private_key=delivery.private,
        signing_certificate=tmp_path / "own-leaf.pem",
        certificate_chain=[tmp_path / "own.pem"],
    ).sign(delivery.folder, delivery.signature)
    verify = wiring.verifier(chains[0])
    verify(delivery.folder, delivery.signature.read_bytes())
    with pytest.raises(Tampered, match="does not verify"):
        wiring.verifier(chains[1])(delivery.folder, delivery.signature.read_bytes())
    taken = weights.receive(
        world.ctx("keeper"),
        ON,
        delivery.folder,
        delivery.signature.read_bytes(),
        verify,
        quarantine,
    )
    assert len(taken) == 3
    for trust in (Trust(), Trust(delivery.public, (tmp_path / "own.pem",))):
        with pytest.raises(Invalid, match="public key, or --chain"):
            wiring.verifier(trust)


def test_a_key_that_cannot_sign_is_told(tmp_path: Path) -> None:
    """A public key, or no key, in its place."""
    delivery = Delivery(tmp_path)
    for key in (delivery.public, tmp_path / "absent"):
        with pytest.raises(Invalid, match="cannot be signed"):
            wiring.sign(delivery.folder, key, tmp_path / "other.sig")
