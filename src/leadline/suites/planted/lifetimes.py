"""Features that own memory over several records: use after free and double free."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_USED = ("heap-use-after-free",)
_FREED = ("double-free",)
_SLOTS = 4

_SLOT_FILLING = """
    @gate@
    if ($p[0] >= $slots || $c->$cell[$p[0]].$live)
        return -1;
    $c->$cell[$p[0]].$data = malloc($n - 1);
    if (!$c->$cell[$p[0]].$data)
        return -1;
    memcpy($c->$cell[$p[0]].$data, $p + 1, $n - 1);
    $c->$cell[$p[0]].$size = $n - 1;
    $c->$cell[$p[0]].$live = 1;
    return 0;
    """
_SLOT_DROPPING = """
    @gate@
    if ($p[0] >= $slots || !$c->$cell[$p[0]].$live)
        return -1;
    free($c->$cell[$p[0]].$data);
    $c->$cell[$p[0]].$live = 0;
    return 0;
    """
_SLOT_USING = """
    size_t i;
    @gate@
    $flaw
        return -1;
    for (i = 0; i < $c->$cell[$p[0]].$size; i++)
        $total = $total * $key + $c->$cell[$p[0]].$data[i];
    return 0;
    """
_MARKED_PUSHING = """
    struct $node *one;
    @gate@
    one = malloc(sizeof(*one));
    if (!one)
        return -1;
    one->$name = $p[0];
    one->$value = $get16($p + 1);
    one->$next = $c->$head;
    $c->$head = one;
    return 0;
    """
_MARKED_MARKING = """
    struct $node *one;
    @gate@
    for (one = $c->$head; one; one = one->$next)
        if (one->$name == $p[0])
            break;
    $c->$mark = one;
    return one ? 0 : -1;
    """
_MARKED_CUTTING = """
    struct $node **link, *one;
    @gate@
    for (link = &$c->$head; *link; link = &(*link)->$next)
        if ((*link)->$name == $p[0])
            break;
    one = *link;
    if (!one)
        return -1;
    *link = one->$next;
    $flaw
    free(one);
    return 0;
    """
_MARKED_SHOWING = """
    @gate@
    if (!$c->$mark)
        return -1;
    $total += $c->$mark->$value * (uint32_t)($p[0] | 1);
    return 0;
    """
_MERGE_FILLING = """
    @gate@
    if ($p[0] >= $slots || $c->$cell[$p[0]].$data)
        return -1;
    $c->$cell[$p[0]].$data = malloc($n - 1);
    if (!$c->$cell[$p[0]].$data)
        return -1;
    memcpy($c->$cell[$p[0]].$data, $p + 1, $n - 1);
    $c->$cell[$p[0]].$size = $n - 1;
    return 0;
    """
_MERGE_JOINING = """
    uint8_t a, b, *whole;
    @gate@
    a = $p[0];
    b = $p[1];
    if (a >= $slots || b >= $slots || a == b || !$c->$cell[a].$size)
        return -1;
    if (!$c->$cell[b].$data) {
        $c->$cell[b] = $c->$cell[a];
        $c->$cell[a].$data = NULL;
        $c->$cell[a].$size = 0;
        return 0;
    }
    whole = realloc($c->$cell[b].$data, $c->$cell[b].$size + $c->$cell[a].$size);
    if (!whole)
        return -1;
    memcpy(whole + $c->$cell[b].$size, $c->$cell[a].$data, $c->$cell[a].$size);
    $c->$cell[b].$data = whole;
    $c->$cell[b].$size += $c->$cell[a].$size;
    $total += whole[0] + (uint32_t)$c->$cell[b].$size;
    free($c->$cell[a].$data);
    $flaw
    $c->$cell[a].$size = 0;
    return 0;
    """


def use_slot(voice: Voice, draw: Draw) -> Feature:
    """Numbered slots are filled, dropped and used; dropping leaves the address behind."""
    fill, drop, use = voice.function(), voice.function(), voice.function()
    t = text(
        voice,
        cell=voice.field(),
        data=voice.field(),
        live=voice.field(),
        size=voice.field(),
        slots=_SLOTS,
        key=draw.between(3, 60) | 1,
    )
    flaw = (
        "if ($p[0] >= $slots || !$c->$cell[$p[0]].$data)",
        "if ($p[0] >= $slots || !$c->$cell[$p[0]].$live)",
    )
    routines = (
        t.routine(fill, _SLOT_FILLING, span=(2, 40)),
        t.routine(drop, _SLOT_DROPPING, span=(1, 2)),
        t.routine(use, _SLOT_USING, flaw=flaw, span=(1, 2)),
    )
    first, second = draw.shuffled(range(_SLOTS))[:2]

    def filled(slot: int) -> Record:
        return Record(fill, bytes([slot]) + draw.take(draw.between(4, 12)))

    def at(routine: str, slot: int) -> Record:
        return Record(routine, bytes([slot]))

    return Feature(
        "use-after-free",
        routines,
        use,
        (
            (filled(first), at(use, first)),
            (filled(first), filled(second), at(drop, second), at(use, first)),
        ),
        (filled(first), at(drop, first), filled(first), at(use, first), at(drop, first)),
        (filled(first), filled(second), at(drop, first), at(use, first)),
        _USED,
        (use,),
        members=t.fill("struct { uint8_t *$data; size_t $size; int $live; } $cell[$slots];"),
        closing=t.fill(
            "for (size_t i = 0; i < $slots; i++)\n"
            "    if ($c->$cell[i].$live)\n"
            "        free($c->$cell[i].$data);"
        ),
    )


def use_current(voice: Voice, draw: Draw) -> Feature:
    """One record opens a current entry, another finishes it, a third adds to it."""
    begin, finish, touch = voice.function(), voice.function(), voice.function()
    t = text(voice, cell=voice.field(), live=voice.field(), first=voice.field(), sum=voice.field())
    beginning = """
    @gate@
    if ($c->$live)
        return -1;
    $c->$cell = calloc(1, sizeof(*$c->$cell));
    if (!$c->$cell)
        return -1;
    $c->$cell->$first = $p[0];
    $c->$live = 1;
    return 0;
    """
    finishing = """
    @gate@
    if (!$c->$live)
        return -1;
    $total += $c->$cell->$sum ^ $p[0];
    free($c->$cell);
    $c->$live = 0;
    $flaw
    return 0;
    """
    touching = """
    @gate@
    if (!$c->$cell)
        return -1;
    $c->$cell->$sum += $get16($p) ^ $c->$cell->$first;
    return 0;
    """
    routines = (
        t.routine(begin, beginning, span=(1, 4)),
        t.routine(finish, finishing, flaw=("", "$c->$cell = NULL;"), span=(1, 4)),
        t.routine(touch, touching, span=(2, 4)),
    )

    def opened() -> Record:
        return Record(begin, draw.take(1))

    def touched() -> Record:
        return Record(touch, draw.take(2))

    def finished() -> Record:
        return Record(finish, draw.take(1))

    return Feature(
        "use-after-free",
        routines,
        touch,
        ((opened(), touched()), (opened(), touched(), touched(), finished())),
        (opened(), touched(), finished(), opened(), touched(), finished()),
        (opened(), touched(), finished(), touched()),
        _USED,
        (touch,),
        members=t.fill("struct { uint32_t $first, $sum; } *$cell;\nint $live;"),
        closing=t.fill("if ($c->$live)\n    free($c->$cell);"),
    )


def use_marked(voice: Voice, draw: Draw) -> Feature:
    """A list of entries, one of which may be marked; removing an entry may leave the mark."""
    push, mark, cut, show = (voice.function() for _ in range(4))
    t = text(
        voice,
        node=voice.field(),
        head=voice.field(),
        mark=voice.field(),
        name=voice.field(),
        value=voice.field(),
        next=voice.field(),
    )
    flaw = ("", "if ($c->$mark == one)\n        $c->$mark = NULL;")
    routines = (
        t.routine(push, _MARKED_PUSHING, span=(3, 6)),
        t.routine(mark, _MARKED_MARKING, span=(1, 3)),
        t.routine(cut, _MARKED_CUTTING, flaw=flaw, span=(1, 3)),
        t.routine(show, _MARKED_SHOWING, span=(1, 3)),
    )
    one = draw.between(1, 250)
    two = one ^ 1

    def pushed(name: int) -> Record:
        return Record(push, bytes([name]) + draw.take(2))

    def to(routine: str, name: int) -> Record:
        return Record(routine, bytes([name]))

    return Feature(
        "use-after-free",
        routines,
        show,
        (
            (pushed(one), to(mark, one), to(show, 3)),
            (pushed(one), pushed(two), to(mark, one), to(cut, two), to(show, 9)),
        ),
        (pushed(one), pushed(two), to(mark, one), to(cut, two), to(show, one)),
        (pushed(two), pushed(one), to(mark, one), to(cut, one), to(show, two)),
        _USED,
        (show,),
        members=t.fill("struct $node *$head;\nstruct $node *$mark;"),
        tables=t.fill(
            "struct $node {\n    uint32_t $name;\n    uint32_t $value;\n    struct $node *$next;\n};"
        ),
        closing=t.fill(
            "while ($c->$head) {\n"
            "    struct $node *one = $c->$head;\n"
            "    $c->$head = one->$next;\n"
            "    free(one);\n"
            "}"
        ),
    )


def free_on_error(voice: Voice, draw: Draw) -> Feature:
    """A copy is scanned and released; a stop byte ends the scan early."""
    name, stop = voice.function(), draw.between(1, 255)
    t = text(voice, cell=voice.field(), stop=stop, key=draw.between(3, 120) | 1)
    body = """
    uint8_t *$cell;
    uint32_t sum = 0;
    size_t i;
    @gate@
    $cell = malloc($n);
    if (!$cell)
        return -1;
    memcpy($cell, $p, $n);
    for (i = 0; i < $n; i++) {
        if ($cell[i] == $stop) {
            sum ^= (uint32_t)i;
            $flaw
            break;
        }
        sum = sum * $key + $cell[i];
    }
    $total += sum;
    free($cell);
    return 0;
    """
    routine = t.routine(name, body, flaw=("free($cell);", ""), span=(2, 60))

    def payload(length: int, *last: int) -> bytes:
        return bytes(byte if byte != stop else byte ^ 1 for byte in draw.take(length)) + bytes(last)

    return Feature(
        "double-free",
        (routine,),
        name,
        ((Record(name, payload(3)),), (Record(name, payload(12)),)),
        (Record(name, payload(58)),),
        (Record(name, payload(draw.between(2, 6), stop, 7)),),
        _FREED,
        (name,),
    )


def free_after_merge(voice: Voice, draw: Draw) -> Feature:
    """Slots are filled and joined into one another; the source of a join gives up its bytes."""
    fill, join = voice.function(), voice.function()
    closer = voice.function()
    t = text(
        voice,
        cell=voice.field(),
        data=voice.field(),
        size=voice.field(),
        slots=_SLOTS,
        struct=voice.context,
        closer=closer,
    )
    routines = (
        t.routine(fill, _MERGE_FILLING, span=(2, 40)),
        t.routine(join, _MERGE_JOINING, flaw=("", "$c->$cell[a].$data = NULL;"), span=(2, 3)),
    )
    one, two, empty = draw.shuffled(range(_SLOTS))[:3]

    def filled(slot: int) -> Record:
        return Record(fill, bytes([slot]) + draw.take(draw.between(3, 9)))

    joined, moved = Record(join, bytes([one, two])), Record(join, bytes([one, empty]))
    return Feature(
        "double-free",
        routines,
        join,
        ((filled(one), filled(two)), (filled(one), filled(two), moved)),
        (filled(one), joined, filled(one)),
        (filled(two), filled(one), joined),
        _FREED,
        (closer,),
        members=t.fill("struct { uint8_t *$data; size_t $size; } $cell[$slots];"),
        closing=t.fill("$closer($c);"),
        closer=t.fill(
            "static void $closer(struct $struct *$c)\n"
            "{\n"
            "    for (size_t i = 0; i < $slots; i++)\n"
            "        if ($c->$cell[i].$data)\n"
            "            free($c->$cell[i].$data);\n"
            "}"
        ),
    )


def free_on_resize(voice: Voice, draw: Draw) -> Feature:
    """A pad is resized and written; a size of zero gives it back."""
    resize, put, closer = voice.function(), voice.function(), voice.function()
    t = text(
        voice,
        cell=voice.field(),
        size=voice.field(),
        top=draw.between(40, 120),
        struct=voice.context,
        closer=closer,
    )
    resizing = """
    uint8_t *fresh;
    @gate@
    if ($p[0] > $top)
        return -1;
    $c->$size = 0;
    if ($p[0] == 0) {
        free($c->$cell);
        $flaw
        return 0;
    }
    fresh = realloc($c->$cell, $p[0]);
    if (!fresh)
        return -1;
    memset(fresh, 0, $p[0]);
    $c->$cell = fresh;
    $c->$size = $p[0];
    return 0;
    """
    putting = """
    @gate@
    if ($p[0] >= $c->$size)
        return -1;
    $c->$cell[$p[0]] ^= $p[1];
    $total += $c->$cell[$c->$size - 1];
    return 0;
    """
    routines = (
        t.routine(resize, resizing, flaw=("", "$c->$cell = NULL;"), span=(1, 3)),
        t.routine(put, putting, span=(2, 4)),
    )

    def to(size: int) -> Record:
        return Record(resize, bytes([size]))

    def kept(place: int) -> Record:
        return Record(put, bytes([place]) + draw.take(1))

    size = draw.between(9, 30)
    return Feature(
        "double-free",
        routines,
        resize,
        ((to(size), kept(2)), (to(4), kept(1), to(size), kept(size - 1))),
        (to(0), to(size), kept(size - 1), to(1), kept(0)),
        (to(size), kept(1), to(0)),
        _FREED,
        (resize, closer),
        members=t.fill("uint8_t *$cell;\nsize_t $size;"),
        closing=t.fill("$closer($c);"),
        closer=t.fill(
            "static void $closer(struct $struct *$c)\n"
            "{\n"
            "    if ($c->$cell)\n"
            "        free($c->$cell);\n"
            "    $c->$size = 0;\n"
            "}"
        ),
    )
