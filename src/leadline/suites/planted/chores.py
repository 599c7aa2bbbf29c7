"""Harmless features of Python programs: they give a program its size."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, Text, text
from leadline.suites.planted.voice import Voice


def _plain(t: Text, name: str, body: str, span: tuple[int, int], *payloads: bytes) -> Feature:
    """A feature of one routine without a flaw; the last of *payloads* goes to its bounds."""
    routine = t.routine(name, body, span=span)
    plain = tuple((Record(name, payload),) for payload in payloads)
    return Feature("", (routine,), name, plain, plain[-1], (), (), ())


def chore_mixed(voice: Voice, draw: Draw) -> Feature:
    """Mixes the payload into the total."""
    t = text(voice, key=draw.between(3, 250) | 1, start=draw.between(1, 9999))
    body = """
    mixed = $start
    @gate@
    for byte in $p:
        mixed = (mixed * $key + byte) & 0xFFFFFFFF
    $total += mixed
    $say(f"{mixed:08x}")
    return True
    """
    return _plain(t, voice.function(), body, (1, 60), draw.take(6), draw.take(60))


def chore_counted(voice: Voice, draw: Draw) -> Feature:
    """Counts the payload's bytes by their upper bits."""
    shift = draw.between(3, 5)
    t = text(voice, cell=voice.field(), size=256 >> shift, shift=shift)
    body = """
    $cell = [0] * $size
    @gate@
    for byte in $p:
        $cell[byte >> $shift] += 1
    $say(" ".join(str(count) for count in $cell if count))
    return True
    """
    return _plain(t, voice.function(), body, (1, 90), draw.take(9), b"\xff" * 90)


def chore_sorted(voice: Voice, draw: Draw) -> Feature:
    """Answers the words of a text in order, once each."""
    t = text(voice, join=draw.choice(('" "', '","', '"-"', '"+"')))
    body = """
    @gate@
    words = sorted(set($p.decode("latin-1").lower().split()))
    $say($join.join(words))
    $total += len(words)
    return True
    """
    return _plain(
        t, voice.function(), body, (1, 80), b"two one two", b"reed oar reed " * 5 + b"knot oar"
    )


def chore_unpacked(voice: Voice, draw: Draw) -> Feature:
    """Unpacks runs of a count and a letter, up to a bound."""
    t = text(voice, top=draw.between(60, 200))
    body = """
    unpacked = bytearray()
    @gate@
    for place in range(0, len($p) - 1, 2):
        if len(unpacked) + $p[place] > $top:
            return False
        unpacked += $p[place + 1 : place + 2] * $p[place]
    $say(unpacked.hex())
    return True
    """
    return _plain(t, voice.function(), body, (2, 40), b"\x03a\x02b", b"\x05x" * 6)


def chore_looked_up(voice: Voice, draw: Draw) -> Feature:
    """Answers the names that stand for the payload's bytes in a table."""
    names = [voice.field() for _ in range(draw.between(4, 7))]
    t = text(voice, cell=voice.field(), listed=", ".join(f'"{name}"' for name in names))
    body = """
    @gate@
    if max($p) >= len($cell):
        return False
    $say(" ".join($cell[byte] for byte in $p))
    return True
    """
    payloads = (bytes([0, 1]), bytes(draw.below(len(names)) for _ in range(19)))
    feature = _plain(t, voice.function(), body, (1, 20), *payloads)
    return Feature(
        "",
        feature.routines,
        feature.gated,
        feature.plain,
        feature.edge,
        (),
        (),
        (),
        tables=t.fill("$cell = ($listed)"),
    )


def chore_kept(voice: Voice, draw: Draw) -> Feature:
    """Keeps texts by number and answers them turned round."""
    keep, show = voice.function(), voice.function()
    t = text(voice, cell=voice.field(), top=draw.between(3, 9))
    keeping = """
    @gate@
    if $p[0] >= $top:
        return False
    $c.$cell[$p[0]] = $p[1:].decode("latin-1")
    return True
    """
    showing = """
    if $p[0] not in $c.$cell:
        return False
    $say($c.$cell[$p[0]][::-1])
    return True
    """
    routines = (t.routine(keep, keeping, span=(2, 50)), t.routine(show, showing, span=(1, 2)))

    def kept(slot: int, size: int) -> tuple[Record, ...]:
        return (Record(keep, bytes([slot]) + draw.take(size)), Record(show, bytes([slot])))

    plain = (kept(0, 5), kept(1, 12) + kept(2, 3))
    edge = kept(2, 49)
    return Feature("", routines, keep, plain, edge, (), (), (), members=t.fill("self.$cell = {}"))


CHORES = (chore_mixed, chore_counted, chore_sorted, chore_unpacked, chore_looked_up, chore_kept)
