"""Features that open a file whose name comes from the input: path traversal."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, Text, text
from leadline.suites.planted.voice import Voice

_KIND = "path-traversal"
_LAY_OUT = """\
os.makedirs(folder + "/$root", exist_ok=True)
os.makedirs(folder + "/$beside", exist_ok=True)
with open(folder + "/$root/$one", "w") as out:
    out.write("$first")
with open(folder + "/$root/$two", "w") as out:
    out.write("$second")
with open(folder + "/$beside/$hold", "w") as out:
    out.write(secret)"""
_READ = """
    with open($path, encoding="latin-1") as file:
        $say(file.read(200))
    return True
    """


def _shelf(voice: Voice, draw: Draw, beside: str = "") -> Text:
    """The names of a folder whose files may be read and of one beside it."""
    root = voice.field()
    return text(
        voice,
        root=root,
        beside=root + beside if beside else voice.field(),
        one=voice.field(),
        two=f"{voice.field()}.txt",
        hold=voice.field(),
        first=draw.take(6).hex(),
        second=draw.take(9).hex(),
        text=voice.field(),
        path=voice.field(),
    )


def _feature(
    t: Text, name: str, body: str, flaw: tuple[str, str], *, edge: str, proof: str
) -> Feature:
    """The feature that reads files of *t* by *body*."""
    routine = t.routine(name, body + _READ.lstrip("\n"), flaw=flaw, span=(1, 70))

    def named(path: str) -> tuple[Record, ...]:
        return (Record(name, t.fill(path).encode("latin-1")),)

    return Feature(
        _KIND,
        (routine,),
        name,
        (named("$one"), named("$two")),
        named(edge),
        named(proof),
        (),
        (),
        members=t.fill('self.$root = folder + "/$root"'),
        imports=("import os", "import urllib.parse"),
        placing=t.fill(_LAY_OUT),
    )


def path_stripped(voice: Voice, draw: Draw) -> Feature:
    """What leads upwards is taken out of a name."""
    name, t = voice.function(), _shelf(voice, draw)
    body = """
    @gate@
    $text = $p.decode("latin-1")
    if $text.startswith("/"):
        return False
    $flaw
    $path = $c.$root + "/" + $text
"""
    flaw = ('$text = $text.replace("../", "")', "$text = os.path.basename($text)")
    proof = draw.choice(("..././$beside/$hold", "....//$beside/$hold"))
    return _feature(t, name, body, flaw, edge="../$one", proof=proof)


def path_beside(voice: Voice, draw: Draw) -> Feature:
    """A name is made plain and compared with the folder's."""
    ending = draw.choice(("-old", "2", "_kept", ".bak"))
    name, t = voice.function(), _shelf(voice, draw, ending)
    body = """
    @gate@
    $text = $p.decode("latin-1")
    $path = os.path.normpath($c.$root + "/" + $text)
    $flaw
        return False
"""
    flaw = ("if not $path.startswith($c.$root):", 'if not $path.startswith($c.$root + "/"):')
    return _feature(t, name, body, flaw, edge="$hold/../../$root/./$one", proof="../$beside/$hold")


def path_quoted(voice: Voice, draw: Draw) -> Feature:
    """A name may hold quoted characters."""
    name, t = voice.function(), _shelf(voice, draw)
    body = """
    @gate@
    $text = $p.decode("latin-1")
    plain = urllib.parse.unquote($text)
    $flaw
        return False
    $path = $c.$root + "/" + plain
"""
    flaw = (
        'if ".." in $text or $text.startswith("/"):',
        'if ".." in plain or plain.startswith("/"):',
    )
    dots = draw.choice(("%2e%2e", ".%2e", "%2E."))
    return _feature(t, name, body, flaw, edge="%2e/$one", proof=f"{dots}/$beside/$hold")
