"""A sealed pack in an installation, as its custodian hands it in."""

import make
from identity.people import House
from leadline.app import sealed
from leadline.app.sealed import Intake
from leadline.core.sealed.pack import Pack, Scheme
from leadline.formats.pack import encode
from leadline.formats.sealed_pack import SealedPack
from leadline.runner import custody
from sealed_world import CODE, items


def prepared(code: str = CODE, id_: str = f"pack-{'cd' * 8}") -> SealedPack:
    """What a host apart sealed: six items, whose shares two of three custodians open."""
    drawn, scheme = items(6), Scheme("slip39", 2, 3)
    keys = [custody.new_key() for _ in range(scheme.count)]
    made = custody.seal_pack(id_, encode(drawn), scheme, [key.public for key in keys])
    commitments = tuple(item.commitment.hex() for item in drawn)
    return SealedPack(id_, scheme, made.shares, commitments, code, made.ciphertext)


def seal(at: House, person: str, *, hidden: bool = False) -> Pack:
    """A pack of six items in the installation."""
    made = prepared(id_=f"pack-{'ab' * 8}")
    intake = Intake(
        id=made.id,
        ciphertext=made.ciphertext,
        items=made.items,
        code=made.code,
        scheme=made.scheme,
        shares=made.shares,
        marking=make.marking(),
        engagement=make.ENGAGEMENT,
        hidden=hidden,
    )
    return sealed.seal(at.ctx(person), intake)
