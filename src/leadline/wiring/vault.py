"""The vault of an installation: its folder, its wrapping keys, and what its key service verifies by.

Wrapping keys stand in ``keys/compartments`` unless ``keys/pkcs11.json`` names a token:
``{"module": FILE, "pin_file": FILE, "token": LABEL}``. The PIN stays in its own file.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from leadline.app.ports import Outlet, Signer, Store
from leadline.app.vaulting import Material
from leadline.core.account import RegisteredKey
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Invalid
from leadline.core.vaulting import OWNERS
from leadline.formats import tlog_policy
from leadline.formats.tlog_policy import Policy
from leadline.settings import Home
from leadline.vault.compartments import CompartmentKeys
from leadline.vault.keks import FileWrappingKeys, WrappingKeys
from leadline.vault.ring import PublicHalves
from leadline.vault.sealed import SealedVault

COMPARTMENTS = "compartments"
PKCS11 = "pkcs11.json"


def open_vault(
    home: Home, store: Store, signer: Signer, outlet: Outlet, clock: Callable[[], datetime]
) -> tuple[SealedVault, CompartmentKeys]:
    """The vault that reads and writes, and its key service.

    The key service looks up persons' keys in the store and the quorum beside the log's keys, each time
    it opens something.
    """

    def roster(id_: str) -> RegisteredKey:
        with store.read() as view:
            return view.get(RegisteredKey, id_).value

    def policy() -> Policy:
        text = outlet.policy()
        return tlog_policy.parse(text) if text else tlog_policy.alone(signer.vkeys())

    keys = CompartmentKeys(
        home.vault / COMPARTMENTS,
        wrapping_keys(home),
        home.keys / "marks",
        clock=clock,
        roster=roster,
        policy=policy,
    )
    return SealedVault(home.vault, keys), keys


def sealing_vault(home: Home) -> SealedVault:
    """The vault of a process that only seals: it has public halves of keys and opens nothing."""
    return SealedVault(home.vault, PublicHalves(home.vault / COMPARTMENTS))


def wrapping_keys(home: Home) -> WrappingKeys:
    """Where this installation's wrapping keys live.

    Raises: Invalid, if ``pkcs11.json`` is not as above or the PIN cannot be read.
    """
    place = home.keys / PKCS11
    if not place.exists():
        return FileWrappingKeys(home.keys / COMPARTMENTS)
    try:
        told = json.loads(place.read_bytes())
        module, label, pin_file = told["module"], told["token"], told["pin_file"]
        pin = Path(pin_file).read_text().strip()
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"`module`, `token` and a readable `pin_file` are due: {type(error).__name__}"
        raise Invalid(f"keys/{PKCS11}", problem) from error
    from leadline.vault.tokens import TokenWrappingKeys

    return TokenWrappingKeys(module, label, pin)


def material(store: Store, engagement: str, owner: str) -> Material:
    """Whose material is meant, with the organisation that the engagement belongs to.

    Raises: Invalid, for an owner there is not; NotFound, for an engagement there is not.
    """
    found = next((one for one in OWNERS if one == owner), None)
    if found is None:
        raise Invalid("--owner", f"{owner!r}; use one of {', '.join(OWNERS)}")
    with store.read() as view:
        row = view.get(Engagement, engagement)
    return Material(engagement, row.org, found)
