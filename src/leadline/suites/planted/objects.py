"""Features that make objects out of the input: unsafe deserialisation."""

import json
import pickle

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_KIND = "unsafe-deserialisation"
_JSON = ("import json",)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def object_pickled(voice: Voice, draw: Draw) -> Feature:
    """A pickle may name some classes of the standard library."""
    name, file = voice.function(), f"{voice.field()}.{voice.field()}"
    t = text(
        voice,
        kind=voice.field().capitalize(),
        file=file,
        made=voice.field(),
        listed=voice.field(),
    )
    flaw = (
        'if module not in ("builtins", "collections"):',
        'if (module, name) not in (("builtins", "frozenset"), ("collections", "OrderedDict")):',
    )
    body = """
    @gate@

    class $kind(pickle.Unpickler):
        def find_class(self, module, name):
            $flaw
                raise pickle.UnpicklingError(name)
            return super().find_class(module, name)

    $made = $kind(io.BytesIO($p)).load()
    $say(str($made))
    return True
    """
    routine = t.routine(name, body, flaw=flaw, span=(2, 110))
    word = voice.field()
    ordinary = (
        pickle.dumps([1, draw.between(2, 99), word], protocol=2),
        pickle.dumps({word: draw.between(2, 99)}, protocol=draw.between(2, 4)),
    )
    edge = b"cbuiltins\nfrozenset\n((lI1\naI2\natR."
    proof = f"cbuiltins\neval\n(S\"open('{file}').read()\"\ntR.".encode("ascii")
    return Feature(
        _KIND,
        (routine,),
        name,
        tuple((Record(name, data),) for data in ordinary),
        (Record(name, edge),),
        (Record(name, proof),),
        (),
        (),
        imports=("import io", "import pickle"),
        placing=t.fill('with open(folder + "/$file", "w") as out:\n    out.write(secret)'),
    )


def object_named(voice: Voice, draw: Draw) -> Feature:
    """A document names the class of which an entry is to be made."""
    name, file = voice.function(), f"{voice.field()}.{voice.field()}"
    one, two, three = (voice.field().capitalize() for _ in "abc")
    t = text(
        voice,
        one=one,
        two=two,
        three=three,
        kinds=voice.field().upper(),
        file=file,
        sort=voice.field(),
        worth=voice.field(),
        show=voice.field(),
        wanted=voice.field(),
        key=draw.between(3, 90),
    )
    tables = """
class $one:
    def __init__(self, worth):
        self.worth = worth

    def $show(self):
        return str(self.worth * $key)


class $two($one):
    def $show(self):
        return str(self.worth)[::-1]


class $three($one):
    def $show(self):
        with open("$file", encoding="ascii") as file:
            return file.read() + str(self.worth)


$kinds = {"$one": $one, "$two": $two}
"""
    body = """
    @gate@
    $wanted = json.loads($p)
    $flaw
    if make is None:
        return False
    $say(make($wanted["$worth"]).$show())
    return True
    """
    flaw = (
        'make = globals().get($wanted["$sort"])',
        'make = $kinds.get($wanted["$sort"])',
    )
    routine = t.routine(name, body, flaw=flaw, span=(2, 90))

    def asked(kind: str, worth: int) -> tuple[Record, ...]:
        return (Record(name, _json({t.names["sort"]: kind, t.names["worth"]: worth})),)

    return Feature(
        _KIND,
        (routine,),
        name,
        (asked(one, draw.between(2, 99)), asked(two, draw.between(100, 999))),
        asked(one, -1),
        asked(three, draw.between(1, 9)),
        (),
        (),
        closer=t.fill(tables),
        imports=_JSON,
        placing=t.fill('with open(folder + "/$file", "w") as out:\n    out.write(secret)'),
    )


def object_merged(voice: Voice, draw: Draw) -> Feature:
    """A document's members are set on an entry; another record shows it."""
    name, show = voice.function(), voice.function()
    t = text(
        voice,
        kind=voice.field().capitalize(),
        entry=voice.field(),
        note=voice.field(),
        size=voice.field(),
        rank=voice.field(),
        hold=voice.field(),
        word=voice.field(),
        least=draw.between(3, 60),
    )
    tables = """
class $kind:
    def __init__(self):
        self.$note = "$word"
        self.$size = 1
        self.$rank = 0
"""
    body = """
    @gate@
    for key, value in json.loads($p).items():
        $flaw
            return False
        setattr($c.$entry, key, value)
    return True
    """
    showing = """
    $say(f"{$c.$entry.$note} {$c.$entry.$size}")
    if $c.$entry.$rank >= $least:
        $say($c.$hold)
    return True
    """
    flaw = ("if not hasattr($c.$entry, key):", 'if key not in ("$note", "$size"):')
    routines = (
        t.routine(name, body, flaw=flaw, span=(2, 90)),
        t.routine(show, showing, span=(1, 4)),
    )
    note, size, rank = (t.names[one] for one in ("note", "size", "rank"))
    shown = Record(show, b"?")

    def merged(members: dict[str, object]) -> tuple[Record, ...]:
        return (Record(name, _json(members)), shown)

    return Feature(
        _KIND,
        routines,
        name,
        (merged({note: t.names["kind"]}), merged({note: "x", size: draw.between(2, 99)})),
        merged({size: draw.between(1000, 9999)}),
        merged({rank: int(t.names["least"]) + draw.between(0, 5)}),
        (),
        (),
        members=t.fill("self.$entry = $kind()\nself.$hold = secret"),
        closer=t.fill(tables),
        imports=_JSON,
    )
