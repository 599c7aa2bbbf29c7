"""A sealed pack in an installation, as its custodian hands it in."""

import make
from identity.people import House
from leadline.app import sealed
from leadline.app.sealed import Intake
from leadline.core.sealed.pack import Pack, Scheme
from leadline.formats.pack import encode
from leadline.runner import custody
from sealed_world import CODE, items


def seal(at: House, person: str, *, hidden: bool = False) -> Pack:
    """A pack of six items whose shares two of three custodians open."""
    given, scheme, id_ = items(6), Scheme("slip39", 2, 3), f"pack-{'ab' * 8}"
    keys = [custody.new_key() for _ in range(scheme.count)]
    made = custody.seal_pack(id_, encode(given), scheme, [key.public for key in keys])
    intake = Intake(
        id=id_,
        ciphertext=made.ciphertext,
        items=tuple(item.commitment.hex() for item in given),
        code=CODE,
        scheme=scheme,
        shares=made.shares,
        marking=make.marking(),
        engagement=make.ENGAGEMENT,
        hidden=hidden,
    )
    return sealed.seal(at.ctx(person), intake)
