"""Features that trust a message for its authentication code, and check the code wrongly.

The key is with the judge's builds alone. Each feature brings a message that was made with it, as
anyone might have who listened: a forgery must follow from the flaw and such messages only.
"""

import hashlib
import hmac

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_KIND = "crypto-misuse"
_IMPORTS = ("import hashlib", "import hmac")
_BLOCK = 64  # bytes in a block of SHA-256
_MAC = hashlib.sha256().digest_size
_FIELDS = """
    fields = dict(part.split(b":", 1) for part in $text.split(b";"))
    if fields.get(b"$role") == b"$keeper":
        $say($c.$hold)
    $say(str(len(fields)))
    return True
"""


def _names(voice: Voice) -> dict[str, str]:
    return {
        name: voice.field() for name in ("role", "keeper", "guest", "user", "hold", "text", "mac")
    } | {"key": voice.field()}


_MEMBERS = "self.$key = key\nself.$hold = secret"


def seal_short(voice: Voice, draw: Draw) -> Feature:
    """A code is compared byte for byte with what was given."""
    name, names = voice.function(), _names(voice)
    t = text(voice, **names)
    body = """
    @gate@
    $mac, $text = $p[1 : 1 + $p[0]], $p[1 + $p[0] :]
    good = hmac.digest($c.$key, $text, "sha256")
    $flaw
        return False
    """
    flaw = (
        "if not all(one == two for one, two in zip($mac, good)):",
        "if not hmac.compare_digest($mac, good):",
    )
    routine = t.routine(name, body.rstrip(" ") + _FIELDS.lstrip("\n"), flaw=flaw, span=(4, 110))
    told = t.fill("$user:$guest;$role:$guest").encode("ascii")
    small = t.fill("$role:$guest").encode("ascii")
    asked = t.fill("$role:$keeper").encode("ascii")

    def sealed(message: bytes) -> bytes:
        return bytes([_MAC]) + hmac.digest(voice.key, message, "sha256") + message

    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, sealed(told)),), (Record(name, sealed(small)),)),
        (Record(name, bytes([_MAC]) + draw.take(_MAC) + asked),),
        (Record(name, b"\0" + asked),),
        (),
        (),
        imports=_IMPORTS,
        members=t.fill(_MEMBERS),
        captures=(sealed(told),),
    )


def seal_part(voice: Voice, draw: Draw) -> Feature:
    """A code stands for the beginning of a message only."""
    name, names = voice.function(), _names(voice)
    t = text(voice, **names)
    told = t.fill("$user:$guest;$role:$guest").encode("ascii")
    t = text(voice, **names, most=len(told))
    body = """
    @gate@
    $mac, $text = $p[:32], $p[32:]
    $flaw
    if not hmac.compare_digest($mac, good):
        return False
    """
    flaw = (
        'good = hmac.digest($c.$key, $text[:$most], "sha256")',
        'good = hmac.digest($c.$key, $text, "sha256")',
    )
    routine = t.routine(name, body.rstrip(" ") + _FIELDS.lstrip("\n"), flaw=flaw, span=(36, 120))
    small = t.fill("$role:$guest").encode("ascii")

    def sealed(message: bytes) -> bytes:
        return hmac.digest(voice.key, message, "sha256") + message

    more = t.fill(";$role:$keeper").encode("ascii")
    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, sealed(told)),), (Record(name, sealed(small)),)),
        (Record(name, draw.take(_MAC) + more[1:]),),
        (Record(name, sealed(told) + more),),
        (),
        (),
        imports=_IMPORTS,
        members=t.fill(_MEMBERS),
        captures=(sealed(told),),
    )


def seal_prefix(voice: Voice, draw: Draw) -> Feature:
    """A code is the digest of key and message; what follows the message may be anything."""
    name, names = voice.function(), _names(voice)
    t = text(voice, **names)
    body = """
    @gate@
    $mac, $text = $p[:32], $p[32:]
    $flaw
    if not hmac.compare_digest($mac, good):
        return False
    """
    flaw = (
        "good = hashlib.sha256($c.$key + $text).digest()",
        'good = hashlib.sha256($c.$key + $text).digest() if b"\\x80" not in $text else b""',
    )
    routine = t.routine(name, body.rstrip(" ") + _FIELDS.lstrip("\n"), flaw=flaw, span=(36, 170))
    told = t.fill("$user:$guest;$role:$guest").encode("ascii")
    small = t.fill("$role:$guest").encode("ascii")

    def sealed(message: bytes) -> bytes:
        return hashlib.sha256(voice.key + message).digest() + message

    # What SHA-256 itself appends to key and message: with it, the known code is a state to go on from.
    size = len(voice.key) + len(told)
    filled = b"\x80" + bytes(-(size + 9) % _BLOCK) + (8 * size).to_bytes(8, "big")
    longer = told + filled + t.fill(";$role:$keeper").encode("ascii")
    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, sealed(told)),), (Record(name, sealed(small)),)),
        (Record(name, draw.take(_MAC) + small),),
        (Record(name, sealed(longer)),),
        (),
        (),
        imports=_IMPORTS,
        members=t.fill(_MEMBERS),
        captures=(sealed(told),),
    )
