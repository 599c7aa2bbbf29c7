"""Features that compute the size of an allocation from the input: integer overflow."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_HEAP = ("heap-buffer-overflow",)
_KIND = "integer-overflow"
_U16 = 1 << 16


def size_product(voice: Voice, draw: Draw) -> Feature:
    """A count times a width gives the size of a filled area."""
    name, top = voice.function(), 64 * draw.between(8, 40)
    t = text(voice, cell=voice.field(), need=voice.field(), top=top)
    body = """
    uint8_t *$cell;
    $flaw $need;
    size_t k;
    @gate@
    k = $get16($p);
    $need = k * $p[2];
    if (k == 0 || $p[2] == 0 || $need > $top)
        return -1;
    $cell = malloc($need + 1u);
    if (!$cell)
        return -1;
    memset($cell, $p[3], k * $p[2]);
    $total += $cell[0] + (uint32_t)$need;
    free($cell);
    return 0;
    """
    routine = t.routine(name, body, flaw=("uint16_t", "size_t"), span=(4, 12))
    width = draw.choice((3, 5, 6, 7, 9, 11, 12, 13))
    over = (_U16 + draw.between(1, top // 2)) // width + 1

    def payload(count: int, by: int) -> bytes:
        return voice.pack16(count) + bytes([by]) + draw.take(1)

    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, payload(7, 3)),), (Record(name, payload(top // width - 1, width)),)),
        (Record(name, payload(top // width, width)),),
        (Record(name, payload(over, width)),),
        _HEAP,
        (name,),
    )


def size_sum(voice: Voice, draw: Draw) -> Feature:
    """Two lengths are added to the size of an area that two fills share."""
    name = voice.function()
    t = text(voice, cell=voice.field(), need=voice.field())
    body = """
    uint8_t *$cell;
    $flaw $need;
    @gate@
    $need = $p[0] + $p[1];
    $cell = malloc($need + 1u);
    if (!$cell)
        return -1;
    memset($cell, $p[2], $p[0]);
    memset($cell + $p[0], $p[3], $p[1]);
    $cell[$need] = 0;
    $total += $cell[$need / 2] + (uint32_t)$need;
    free($cell);
    return 0;
    """
    routine = t.routine(name, body, flaw=("uint8_t", "size_t"), span=(4, 12))
    first = draw.between(90, 160)

    def payload(one: int, two: int) -> bytes:
        return bytes([one, two]) + draw.take(2)

    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, payload(9, 4)),), (Record(name, payload(first, 40)),)),
        (Record(name, payload(first, 255 - first)),),
        (Record(name, payload(first, 255 - first + draw.between(2, 60))),),
        _HEAP,
        (name,),
    )


def size_rounded(voice: Voice, draw: Draw) -> Feature:
    """A length is rounded up to whole blocks before the area is taken."""
    name, block = voice.function(), draw.choice((8, 16, 32))
    t = text(voice, cell=voice.field(), need=voice.field(), block=block, less=block - 1)
    body = """
    uint8_t *$cell;
    $flaw $need;
    size_t k;
    @gate@
    k = $get16($p);
    $need = (k + $less) / $block * $block;
    $cell = malloc($need + 1u);
    if (!$cell)
        return -1;
    memset($cell, $p[2], k);
    $cell[$need] = 1;
    $total += $cell[0] + (uint32_t)($need / $block);
    free($cell);
    return 0;
    """
    routine = t.routine(name, body, flaw=("uint16_t", "size_t"), span=(3, 12))

    def payload(length: int) -> bytes:
        return voice.pack16(length) + draw.take(1)

    last = _U16 - block
    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, payload(21)),), (Record(name, payload(block * 9)),)),
        (Record(name, payload(last)),),
        (Record(name, payload(last + draw.between(2, block - 1))),),
        _HEAP,
        (name,),
    )


def size_area(voice: Voice, draw: Draw) -> Feature:
    """Rows times columns of wide cells."""
    name, top, cell = voice.function(), 256 * draw.between(8, 40), draw.choice((4, 8))
    t = text(voice, cell=voice.field(), need=voice.field(), top=top, wide=cell)
    body = """
    uint8_t *$cell;
    $flaw $need;
    size_t i, rows, row;
    @gate@
    rows = $p[0];
    row = (size_t)$p[1] * $wide;
    $need = rows * row;
    if (rows == 0 || row == 0 || $need > $top)
        return -1;
    $cell = calloc($need + 1u, 1);
    if (!$cell)
        return -1;
    for (i = 0; i < rows; i++)
        memset($cell + i * row, $p[2] + (int)i, row);
    $total += $cell[$need / 2] + (uint32_t)$need;
    free($cell);
    return 0;
    """
    routine = t.routine(name, body, flaw=("uint16_t", "size_t"), span=(3, 12))

    def payload(rows: int, columns: int) -> bytes:
        return bytes([rows, columns]) + draw.take(1)

    return Feature(
        _KIND,
        (routine,),
        name,
        ((Record(name, payload(3, 5)),), (Record(name, payload(top // cell // 60, 51)),)),
        (Record(name, payload(8, top // cell // 8 % 256 or 1)),),
        (Record(name, payload(*_wrapping(draw, cell, top))),),
        _HEAP,
        (name,),
    )


def _wrapping(draw: Draw, cell: int, top: int) -> tuple[int, int]:
    """Rows and columns whose cells fill over 2**16 bytes, and modulo 2**16 at most *top*."""
    while True:
        rows, columns = draw.between(130, 255), draw.between(130, 255)
        size = rows * columns * cell
        if size >= _U16 and size % _U16 <= top:
            return rows, columns
