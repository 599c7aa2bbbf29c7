"""Features that copy or look up within bounds: stack, heap and reads."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_STACK = ("stack-buffer-overflow",)
_HEAP = ("heap-buffer-overflow",)
_GLOBAL = ("global-buffer-overflow",)


def stack_elements(voice: Voice, draw: Draw) -> Feature:
    """A count of fixed-width elements is copied into a local array."""
    name, room = voice.function(), draw.between(9, 30)
    weak = room * 2 + draw.between(1, 9)
    t = text(voice, cell=voice.field(), room=room, weak=weak, key=draw.between(3, 200) | 1)
    body = """
    uint16_t $cell[$room];
    uint32_t sum = 0;
    size_t i, k;
    @gate@
    k = $p[0];
    if (k * 2 > $n - 1)
        return -1;
    $flaw
    for (i = 0; i < k; i++)
        $cell[i] = (uint16_t)$get16($p + 1 + i * 2);
    for (i = 0; i < k; i++)
        sum = sum * $key + $cell[k - 1 - i];
    $total ^= sum;
    return 0;
    """
    flaw = ("if (k > $weak)\n        return -1;", "if (k > $room)\n        return -1;")
    routine = t.routine(name, body, flaw=flaw, span=(1, 180))

    def payload(count: int) -> bytes:
        return bytes([count]) + draw.take(2 * count)

    return Feature(
        "stack-overflow",
        (routine,),
        name,
        ((Record(name, payload(draw.between(1, 4))),), (Record(name, payload(room - 1)),)),
        (Record(name, payload(room)),),
        (Record(name, payload(room + draw.between(1, 3))),),
        _STACK,
        (name,),
    )


def stack_join(voice: Voice, draw: Draw) -> Feature:
    """Two parts of given lengths are joined in a local buffer."""
    name, room = voice.function(), draw.between(20, 40)
    t = text(voice, cell=voice.field(), room=room, key=draw.between(3, 200) | 1)
    body = """
    uint8_t $cell[$room];
    size_t i, a, b;
    uint32_t sum = 0;
    @gate@
    a = $p[0];
    b = $p[1];
    if (a + b > $n - 2)
        return -1;
    $flaw
    memcpy($cell, $p + 2, a);
    memcpy($cell + a, $p + 2 + a, b);
    for (i = 0; i < a + b && i < sizeof($cell); i++)
        sum = sum * $key + $cell[i];
    $total += sum;
    return 0;
    """
    flaw = (
        "if (a > sizeof($cell) || b > sizeof($cell))\n        return -1;",
        "if (a + b > sizeof($cell))\n        return -1;",
    )
    routine = t.routine(name, body, flaw=flaw, span=(2, 120))

    def payload(a: int, b: int) -> bytes:
        return bytes([a, b]) + draw.take(a + b)

    half = room // 2
    return Feature(
        "stack-overflow",
        (routine,),
        name,
        ((Record(name, payload(3, 2)),), (Record(name, payload(half, 4)),)),
        (Record(name, payload(half, room - half)),),
        (Record(name, payload(half, room - half + draw.between(1, 4))),),
        _STACK,
        (name,),
    )


def stack_terminator(voice: Voice, draw: Draw) -> Feature:
    """A text is copied into a local buffer and ended with a zero byte."""
    name, room = voice.function(), 8 * draw.between(2, 5)
    t = text(voice, cell=voice.field(), room=room, mask=draw.between(1, 255))
    body = """
    char $cell[$room];
    size_t i;
    @gate@
    $flaw
    for (i = 0; i < $n; i++)
        $cell[i] = (char)($p[i] ^ $mask);
    $cell[$n] = 0;
    $total += (uint32_t)strlen($cell) + (uint8_t)$cell[$n / 2];
    return 0;
    """
    flaw = (
        "if ($n > sizeof($cell))\n        return -1;",
        "if ($n >= sizeof($cell))\n        return -1;",
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 100))
    return Feature(
        "stack-overflow",
        (routine,),
        name,
        ((Record(name, draw.take(4)),), (Record(name, draw.take(room - 3)),)),
        (Record(name, draw.take(room - 1)),),
        (Record(name, draw.take(room)),),
        _STACK,
        (name,),
    )


def heap_declared(voice: Voice, draw: Draw) -> Feature:
    """A buffer of a declared size takes the payload."""
    name = voice.function()
    t = text(voice, cell=voice.field(), mask=draw.between(1, 255), top=draw.between(40, 90))
    body = """
    uint8_t *$cell;
    uint32_t sum = 0;
    size_t i, room;
    @gate@
    room = $p[0];
    if (room == 0 || room > $top)
        return -1;
    $flaw
    $cell = malloc(room);
    if (!$cell)
        return -1;
    for (i = 1; i < $n; i++)
        $cell[i - 1] = $p[i] ^ $mask;
    for (i = 1; i < $n; i++)
        sum += $cell[i - 1] * (uint32_t)i;
    free($cell);
    $total ^= sum;
    return 0;
    """
    flaw = ("if ($n > $top + 1)\n        return -1;", "if ($n > room + 1)\n        return -1;")
    routine = t.routine(name, body, flaw=flaw, span=(2, 120))

    def payload(room: int, length: int) -> bytes:
        return bytes([room]) + draw.take(length)

    size = draw.between(8, 24)
    return Feature(
        "heap-overflow",
        (routine,),
        name,
        ((Record(name, payload(9, 5)),), (Record(name, payload(size, size - 1)),)),
        (Record(name, payload(size, size)),),
        (Record(name, payload(size, size + draw.between(1, 5))),),
        _HEAP,
        (name,),
    )


def heap_append(voice: Voice, draw: Draw) -> Feature:
    """A buffer is opened by one record and filled by others."""
    opener, name, cell = voice.function(), voice.function(), voice.field()
    used, room = voice.field(), voice.field()
    t = text(voice, cell=cell, used=used, room=room, top=draw.between(40, 100))
    opening = """
    @gate@
    if ($c->$cell || $p[0] < 4 || $p[0] > $top)
        return -1;
    $c->$cell = malloc($p[0]);
    if (!$c->$cell)
        return -1;
    $c->$room = $p[0];
    $c->$used = 0;
    return 0;
    """
    body = """
    @gate@
    if (!$c->$cell)
        return -1;
    $flaw
    memcpy($c->$cell + $c->$used, $p, $n);
    $c->$used += $n;
    $total += $c->$cell[0] + (uint32_t)$c->$used;
    return 0;
    """
    flaw = (
        "if ($n > $c->$room)\n        return -1;",
        "if ($n > $c->$room - $c->$used)\n        return -1;",
    )
    first = t.routine(opener, opening, span=(1, 8))
    second = t.routine(name, body, flaw=flaw, span=(1, 100))
    size = draw.between(12, 30)
    start = Record(opener, bytes([size]))

    def fill(*lengths: int) -> tuple[Record, ...]:
        return (start, *(Record(name, draw.take(length)) for length in lengths))

    return Feature(
        "heap-overflow",
        (first, second),
        name,
        (fill(3), fill(4, 5)),
        fill(size - 4, 4),
        fill(size - 4, 4 + draw.between(1, 6)),
        _HEAP,
        (name,),
        members=t.fill("uint8_t *$cell;\nsize_t $room;\nsize_t $used;"),
        closing=t.fill("free($c->$cell);"),
    )


def heap_runs(voice: Voice, draw: Draw) -> Feature:
    """Runs of a count and a value are unpacked into a buffer of a declared size."""
    name = voice.function()
    t = text(voice, cell=voice.field(), top=draw.between(50, 120))
    body = """
    uint8_t *$cell;
    uint32_t sum = 0;
    size_t i, room, out = 0;
    int status = -1;
    @gate@
    room = $p[0];
    if (room < 2 || room > $top)
        return -1;
    $cell = calloc(room, 1);
    if (!$cell)
        return -1;
    for (i = 1; i + 1 < $n; i += 2) {
        size_t run = $p[i];
        $flaw
            goto done;
        memset($cell + out, $p[i + 1], run);
        out += run;
    }
    for (i = 0; i < room; i++)
        sum = sum * 33 + $cell[i];
    $total += sum;
    status = 0;
done:
    free($cell);
    return status;
    """
    flaw = ("if (run > room || out > room)", "if (run > room - out)")
    routine = t.routine(name, body, flaw=flaw, span=(3, 90))
    room = draw.between(16, 40)

    def payload(*runs: int) -> bytes:
        values = draw.take(len(runs))
        pairs = zip(runs, values, strict=True)
        return bytes([room]) + b"".join(bytes(pair) for pair in pairs)

    return Feature(
        "heap-overflow",
        (routine,),
        name,
        ((Record(name, payload(3)),), (Record(name, payload(5, 6, 2)),)),
        (Record(name, payload(room - 5, 5)),),
        (Record(name, payload(room - 5, 5 + draw.between(1, 6))),),
        _HEAP,
        (name,),
    )


def read_table(voice: Voice, draw: Draw) -> Feature:
    """A constant table is looked up by a byte of the payload."""
    name, size = voice.function(), draw.between(12, 40)
    values = ", ".join(voice.number(1 + draw.below(0xFFFF)) for _ in range(size))
    t = text(voice, cell=voice.field(), size=size)
    body = """
    uint32_t sum = 0;
    size_t i;
    @gate@
    for (i = 0; i < $n; i++) {
        $flaw
            return -1;
        sum = (sum << 1) ^ $cell[$p[i]];
    }
    $total += sum;
    return 0;
    """
    flaw = ("if ($p[i] > $size)", "if ($p[i] >= $size)")
    routine = t.routine(name, body, flaw=flaw, span=(1, 24))

    def payload(*last: int) -> bytes:
        return bytes([*(draw.below(size) for _ in range(draw.between(1, 4))), *last])

    return Feature(
        "out-of-bounds-read",
        (routine,),
        name,
        ((Record(name, payload()),), (Record(name, payload(0)),)),
        (Record(name, payload(size - 1)),),
        (Record(name, payload(size)),),
        _GLOBAL,
        (name,),
        tables=t.fill(f"static const uint16_t $cell[$size] = {{{values}}};"),
    )


def read_back(voice: Voice, draw: Draw) -> Feature:
    """Bytes kept by one record are read back at an offset by another."""
    keeper, name, cell, size = (voice.function(), voice.function(), voice.field(), voice.field())
    t = text(voice, cell=cell, size=size)
    keeping = """
    uint8_t *fresh;
    @gate@
    fresh = malloc($n);
    if (!fresh)
        return -1;
    memcpy(fresh, $p, $n);
    free($c->$cell);
    $c->$cell = fresh;
    $c->$size = $n;
    return 0;
    """
    body = """
    size_t i, from, want;
    @gate@
    from = $p[0];
    want = $p[1];
    if (!$c->$cell)
        return -1;
    $flaw
        return -1;
    for (i = 0; i < want; i++)
        $total = $total * 5 + $c->$cell[from + i];
    return 0;
    """
    flaw = (
        "if (from >= $c->$size || want > $c->$size)",
        "if (from >= $c->$size || want > $c->$size - from)",
    )
    first = t.routine(keeper, keeping, span=(4, 90))
    second = t.routine(name, body, flaw=flaw, span=(2, 6))
    length = draw.between(9, 30)
    kept = Record(keeper, draw.take(length))

    def back(start: int, want: int) -> tuple[Record, ...]:
        return (kept, Record(name, bytes([start, want])))

    half = length // 2
    return Feature(
        "out-of-bounds-read",
        (first, second),
        name,
        (back(0, 4), back(2, 3)),
        back(half, length - half),
        back(half, length - half + draw.between(1, 3)),
        _HEAP,
        (name,),
        members=t.fill("uint8_t *$cell;\nsize_t $size;"),
        closing=t.fill("free($c->$cell);"),
    )


def read_items(voice: Voice, draw: Draw) -> Feature:
    """A declared number of wide values is summed from a copy of the payload."""
    name = voice.function()
    t = text(voice, cell=voice.field(), key=draw.between(3, 90) | 1)
    body = """
    uint8_t *$cell;
    uint32_t sum = 0;
    size_t i, k;
    @gate@
    k = $p[0];
    $flaw
        return -1;
    $cell = malloc($n - 1);
    if (!$cell)
        return -1;
    memcpy($cell, $p + 1, $n - 1);
    for (i = 0; i < k; i++)
        sum = sum * $key + $get16($cell + i * 2);
    free($cell);
    $total ^= sum;
    return 0;
    """
    flaw = ("if (k > $n - 1)", "if (k > ($n - 1) / 2)")
    routine = t.routine(name, body, flaw=flaw, span=(3, 80))

    def payload(count: int, pairs: int) -> bytes:
        return bytes([count]) + draw.take(2 * pairs)

    pairs = draw.between(4, 10)
    return Feature(
        "out-of-bounds-read",
        (routine,),
        name,
        ((Record(name, payload(2, 3)),), (Record(name, payload(pairs - 1, pairs)),)),
        (Record(name, payload(pairs, pairs)),),
        (Record(name, payload(pairs + draw.between(1, 2), pairs)),),
        _HEAP,
        (voice.get16, name),
    )
