"""Compartments and wrapping keys on disk: moved, damaged, readable by others, or configured wrongly."""

import json
import shutil
from pathlib import Path

import pytest
from typing_extensions import override

import make
import vault_world
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Tampered, Unavailable
from leadline.core.vaulting import Bound, Protection
from leadline.settings import Home
from leadline.vault import envelope
from leadline.vault.compartments import CompartmentKeys
from leadline.vault.keks import FileWrappingKeys
from leadline.wiring.vault import wrapping_keys
from vault_world import PIN, SOFTHSM, VaultUnderTest, World


@pytest.fixture
def held(tmp_path: Path) -> VaultUnderTest:
    """A vault on files with one thing of the developer in it."""
    found = vault_world.vault("files", World(), tmp_path)
    found.vault.put(b"x", marking=make.marking(), engagement="one", owner="developer")
    return found


def digest(held: VaultUnderTest) -> str:
    """Of the one thing."""
    return held.vault.holdings()[0].digest


def compartment(held: VaultUnderTest) -> Path:
    """The folder of the one compartment."""
    (place,) = (held.folder / "vault" / "compartments").iterdir()
    return place


def wrapping_key(held: VaultUnderTest) -> Path:
    """The file of the one wrapping key."""
    (place,) = (held.folder / "keys" / "compartments").iterdir()
    return place


@pytest.mark.parametrize("name", ["compartment.json", "epoch-1.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format":"other"}'])
def test_a_damaged_compartment_is_tampered(held: VaultUnderTest, name: str, content: bytes) -> None:
    """Whichever of its files."""
    (compartment(held) / name).write_bytes(content)
    with pytest.raises(Tampered):
        held.vault.get(digest(held))


def test_a_missing_epoch_is_tampered(held: VaultUnderTest) -> None:
    """A key pair never disappears but by destruction."""
    (compartment(held) / "epoch-1.json").unlink()
    with pytest.raises(Tampered):
        held.vault.get(digest(held))
    with pytest.raises(Tampered):
        held.vault.put(b"y", marking=make.marking(), engagement="one", owner="developer")


@pytest.mark.parametrize("name", ["compartment.json", "epoch-1.json"])
def test_another_compartments_file_is_tampered(held: VaultUnderTest, name: str) -> None:
    """Copied over from an engagement of the same installation."""
    first = compartment(held)
    held.keys.ensure("two", "developer")
    (second,) = (one for one in first.parent.iterdir() if one != first)
    shutil.copy(second / name, first / name)
    with pytest.raises(Tampered):
        held.vault.get(digest(held))


def test_a_private_half_opens_under_its_own_words_only(held: VaultUnderTest) -> None:
    """A changed public half or wrapped private half does not open."""
    place = compartment(held) / "epoch-1.json"
    members = json.loads(place.read_text())
    for name in ("private", "public"):
        text = members[name]
        changed = members | {name: ("B" if text[40] != "B" else "C").join((text[:40], text[41:]))}
        place.write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
        with pytest.raises(Tampered):
            held.vault.get(digest(held))


@pytest.mark.parametrize(
    ("damage", "error"),
    [("shorter", Tampered), ("longer", Tampered), ("other", Tampered), ("gone", NotFound)],
)
def test_a_wrapping_key_that_is_not_the_one_opens_nothing(
    held: VaultUnderTest, damage: str, error: type[LeadlineError]
) -> None:
    """Too short, too long, another or missing."""
    place = wrapping_key(held)
    content = {"shorter": bytes(31), "longer": bytes(33), "other": bytes(32)}.get(damage)
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)
    with pytest.raises(error):
        held.vault.get(digest(held))


def test_a_wrapping_key_that_others_can_read_is_refused(held: VaultUnderTest) -> None:
    """With the cure."""
    wrapping_key(held).chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        held.vault.get(digest(held))


def test_a_wrapping_key_is_made_once(tmp_path: Path) -> None:
    """Never replaced, because what it wrapped would be lost; destroyed twice is once."""
    keys = FileWrappingKeys(tmp_path / "keys")
    keys.make("key-1")
    with pytest.raises(Refused):
        keys.make("key-1")
    keys.destroy("key-1")
    keys.destroy("key-1")
    assert not keys.exists("key-1")


def test_a_driver_that_keeps_a_key_is_not_believed(tmp_path: Path) -> None:
    """No receipt is written for a key that is still there."""

    class Keeping(FileWrappingKeys):
        """Says that it destroyed."""

        @override
        def destroy(self, name: str) -> None:
            assert self.exists(name)

    keys = vault_world.key_store("file", World(), tmp_path, Keeping(tmp_path / "keys"))
    keys.ensure("one", "developer")
    with pytest.raises(Tampered):
        keys.destroy("one", "developer", authority="request-1")
    assert "destroyed" not in keys.attest("one", "developer")


def test_a_damaged_clock_is_tampered(held: VaultUnderTest) -> None:
    """Whoever could remove what was seen could bring an expired request back."""
    (held.folder / "keys" / "marks").mkdir()
    (held.folder / "keys" / "marks" / "clock.json").write_text("{}")
    with pytest.raises(Tampered):
        held.keys.rotate("one", "developer")


def test_an_unknown_owner_or_key_algorithm_is_invalid(tmp_path: Path) -> None:
    """With those that are served."""
    world = World()
    keys = vault_world.key_store("file", world, tmp_path, None)
    with pytest.raises(Invalid, match="agency, developer"):
        keys.ensure("one", "somebody")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="X25519"):
        envelope.generate("RSA")
    known = vault_world.vault("files", world, tmp_path).vault
    known.put(b"x", marking=make.marking())
    (one,) = known.holdings()
    assert one.protection is Protection.WORKING
    other = CompartmentKeys(
        tmp_path / "other",
        FileWrappingKeys(tmp_path / "other-keys"),
        tmp_path / "marks",
        clock=world.clock,
        roster=world.roster,
        policy=world.policy,
        kem="RSA",
    )
    with pytest.raises(Invalid, match="not served"):
        other.ensure("one", "agency")


@pytest.mark.parametrize("kem", envelope.KEMS)
def test_a_public_half_of_another_length_is_invalid(kem: str) -> None:
    """Said so before anything is sealed to it."""
    bound = Bound("one", "agency", "key", 1, "0" * 64, 0, Protection.WORKING, "", 0, 1)
    with pytest.raises(Invalid, match=r"no .* key"):
        envelope.seal(kem, bytes(7), bytes(32), bound)


def test_wrapping_keys_stand_in_files_unless_a_token_is_named(tmp_path: Path) -> None:
    """What names it is checked; a PIN file that cannot be read is no empty PIN."""
    home = Home(tmp_path)
    home.keys.mkdir()
    assert wrapping_keys(home).driver == "file"
    (tmp_path / "pin").write_text(f"{PIN}\n")
    named = {"module": str(SOFTHSM), "token": "vault", "pin_file": str(tmp_path / "pin")}
    unreadable: dict[str, str] = named | {"pin_file": str(tmp_path / "none")}
    for broken in (dict[str, str](), unreadable, list[str]()):
        (home.keys / "pkcs11.json").write_text(json.dumps(broken))
        with pytest.raises(Invalid, match="pin_file"):
            wrapping_keys(home)
    (home.keys / "pkcs11.json").write_text(json.dumps(named | {"module": "/none.so"}))
    token = wrapping_keys(home)
    assert token.driver == "pkcs11"
    with pytest.raises(Unavailable):
        token.make("key-1")
