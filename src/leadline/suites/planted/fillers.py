"""Features that are sound by nature: they give a program its size."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, Text, text
from leadline.suites.planted.voice import Voice


def _plain(t: Text, name: str, body: str, span: tuple[int, int], *payloads: bytes) -> Feature:
    """A feature of one routine without a flaw; the last of *payloads* goes to its bounds."""
    routine = t.routine(name, body, span=span)
    plain = tuple((Record(name, payload),) for payload in payloads)
    return Feature("", (routine,), name, plain, plain[-1], (), (), ())


def fill_mixed(voice: Voice, draw: Draw) -> Feature:
    """Mixes the payload into the total."""
    t = text(voice, key=draw.between(3, 250) | 1, start=draw.between(1, 9999))
    body = """
    uint32_t sum = $start;
    size_t i;
    @gate@
    for (i = 0; i < $n; i++)
        sum = sum * $key + $p[i];
    $total += sum;
    return 0;
    """
    return _plain(t, voice.function(), body, (1, 60), draw.take(6), draw.take(60))


def fill_buckets(voice: Voice, draw: Draw) -> Feature:
    """Counts the payload's bytes in a local table that a mask bounds."""
    bits = draw.between(3, 5)
    t = text(voice, cell=voice.field(), size=1 << bits, mask=(1 << bits) - 1, shift=8 - bits)
    body = """
    uint8_t $cell[$size] = {0};
    size_t i;
    @gate@
    for (i = 0; i < $n; i++)
        $cell[($p[i] >> $shift) & $mask]++;
    for (i = 0; i < $size; i++)
        $total += $cell[i] * (uint32_t)i;
    return 0;
    """
    return _plain(t, voice.function(), body, (1, 90), draw.take(9), b"\xff" * 90)


def fill_extremes(voice: Voice, draw: Draw) -> Feature:
    """Keeps the least and the greatest of a row of 16-bit values."""
    t = text(voice, low=voice.field(), high=voice.field())
    body = """
    uint32_t $low = 0xffff, $high = 0;
    size_t i;
    @gate@
    for (i = 0; i + 2 <= $n; i += 2) {
        uint32_t v = $get16($p + i);
        if (v < $low)
            $low = v;
        if (v > $high)
            $high = v;
    }
    $total ^= $low + ($high << 4);
    return 0;
    """
    return _plain(t, voice.function(), body, (2, 64), draw.take(8), draw.take(64))


def fill_copied(voice: Voice, draw: Draw) -> Feature:
    """Copies the payload to a local array as large as the dispatcher lets a payload be."""
    room = draw.between(24, 70)
    t = text(voice, cell=voice.field(), room=room)
    body = """
    uint8_t $cell[$room];
    size_t i;
    @gate@
    memcpy($cell, $p, $n);
    for (i = 1; i < $n; i++)
        $cell[i] ^= $cell[i - 1];
    $total += $cell[$n - 1];
    return 0;
    """
    return _plain(t, voice.function(), body, (1, room), draw.take(3), draw.take(room))


def fill_nested(voice: Voice, draw: Draw) -> Feature:
    """Walks short entries of a length byte and that many bytes."""
    t = text(voice, top=draw.between(5, 30))
    body = """
    size_t i = 0, k;
    @gate@
    while (i < $n) {
        k = $p[i++];
        if (k > $n - i || k > $top)
            return -1;
        if (k > 0)
            $total += $p[i + k - 1];
        i += k;
    }
    return 0;
    """
    one, two = draw.take(3), draw.take(5)
    entries = bytes([3]) + one + bytes([5]) + two
    return _plain(t, voice.function(), body, (1, 90), entries, entries + b"\0" + entries)


def fill_scratch(voice: Voice, draw: Draw) -> Feature:
    """Turns the payload round in a buffer of its own length."""
    t = text(voice, cell=voice.field(), mask=draw.between(1, 255))
    body = """
    uint8_t *$cell;
    size_t i;
    @gate@
    $cell = malloc($n + 1);
    if (!$cell)
        return -1;
    for (i = 0; i < $n; i++)
        $cell[i] = $p[$n - 1 - i] ^ $mask;
    $cell[$n] = 0;
    $total += (uint32_t)strlen((char *)$cell) + $cell[0];
    free($cell);
    return 0;
    """
    return _plain(t, voice.function(), body, (1, 80), draw.take(4), draw.take(80))


FILLERS = (fill_mixed, fill_buckets, fill_extremes, fill_copied, fill_nested, fill_scratch)
