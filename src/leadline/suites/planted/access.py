"""Features that decide who may do what: authentication and authorisation gone wrong."""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_KIND = "access-control"
_ENTRIES = 4


def access_claimed(voice: Voice, draw: Draw) -> Feature:
    """Someone opens a session and reads entries; a request names the owner it speaks for."""
    enter, name = voice.function(), voice.function()
    guest, keeper = draw.shuffled(range(2, 60))[:2]
    place = draw.below(_ENTRIES)
    other = (place + 1) % _ENTRIES
    owners = [keeper if number == place else guest for number in range(_ENTRIES)]
    t = text(
        voice,
        user=voice.field(),
        book=voice.field(),
        pin=voice.number(draw.between(0x101, 0xFFFF)),
        guest=guest,
        owners=", ".join(str(owner) for owner in owners),
        word=voice.field(),
        entry=voice.field(),
        place=place,
    )
    pin = int(t.names["pin"], 16)
    entering = """
    if $p[0] != $guest or $get16($p[1:]) != $pin:
        return False
    $c.$user = $p[0]
    return True
    """
    body = """
    @gate@
    if $p[0] >= len($c.$book):
        return False
    owner, $entry = $c.$book[$p[0]]
    $flaw
        return False
    $say($entry)
    return True
    """
    flaw = (
        "if $c.$user is None or $p[1] != $c.$user:",
        "if $c.$user is None or $p[1] != $c.$user or owner != $c.$user:",
    )
    routines = (
        t.routine(enter, entering, span=(3, 5)),
        t.routine(name, body, flaw=flaw, span=(2, 5)),
    )
    entered = Record(enter, bytes([guest]) + voice.pack16(pin))

    def read(number: int, claimed: int) -> tuple[Record, ...]:
        return (entered, Record(name, bytes([number, claimed])))

    return Feature(
        _KIND,
        routines,
        name,
        (read(other, guest), read((place + 2) % _ENTRIES, guest)),
        (entered, Record(name, bytes([other, guest])), Record(name, bytes([place, keeper]))),
        read(place, guest),
        (),
        (),
        members=t.fill(
            "self.$user = None\n"
            'self.$book = [(owner, "$word" * n) for n, owner in enumerate(($owners), 1)]\n'
            "self.$book[$place] = (self.$book[$place][0], secret)"
        ),
    )


def access_stale(voice: Voice, draw: Draw) -> Feature:
    """Sessions are opened with a pin; a wrong pin is answered, and what is open stays or not."""
    enter, name = voice.function(), voice.function()
    guest, keeper = draw.shuffled(range(2, 60))[:2]
    pin = draw.between(0x101, 0xFFFF)
    t = text(
        voice,
        user=voice.field(),
        pins=voice.field(),
        hold=voice.field(),
        guest=guest,
        keeper=keeper,
        pin=voice.number(pin),
        word=voice.field(),
    )
    entering = """
    wrong = $get16($p[1:]) != $c.$pins.get($p[0])
    $flaw
    if wrong:
        return True
    $c.$user = $p[0]
    $say("$word")
    return True
    """
    flaw = ("$c.$user = $p[0] if $p[0] in $c.$pins else None", "$c.$user = None")
    body = """
    @gate@
    if $c.$user == $keeper:
        $say($c.$hold)
    elif $c.$user == $guest:
        $say("$word" * ($p[0] & 3))
    return $c.$user is not None
    """
    routines = (
        t.routine(enter, entering, flaw=flaw, span=(3, 5)),
        t.routine(name, body, span=(1, 4)),
    )
    entered = Record(enter, bytes([guest]) + voice.pack16(pin))
    show = Record(name, bytes([draw.between(1, 255)]))
    wrong = Record(enter, bytes([keeper]) + voice.pack16(pin))
    stranger = Record(enter, bytes([keeper ^ 64]) + voice.pack16(pin))
    return Feature(
        _KIND,
        routines,
        name,
        ((entered, show), (entered, entered, show)),
        (stranger, entered, show),
        (wrong, show),
        (),
        (),
        # The keeper's pin is no number that a request can hold.
        members=t.fill(
            "self.$user = None\n"
            "self.$hold = secret\n"
            "self.$pins = {$guest: $pin, $keeper: int(secret, 16) | 1 << 128}"
        ),
    )


def access_folded(voice: Voice, draw: Draw) -> Feature:
    """Names are registered once each; how they are written does not matter, or should not."""
    enter, name = voice.function(), voice.function()
    keeper = voice.field()
    fold, change = draw.choice(
        (
            ("lower()", str.upper),
            ("strip()", lambda word: f" {word}"),
            ("rstrip('.')", "{}.".format),
        )
    )
    t = text(
        voice,
        user=voice.field(),
        names=voice.field(),
        hold=voice.field(),
        keeper=keeper,
        guest=voice.field(),
        word=voice.field(),
        fold=fold,
    )
    entering = """
    word = $p.decode("latin-1")
    $flaw
        return False
    $c.$names.add(word.$fold)
    $c.$user = word.$fold
    return True
    """
    flaw = ("if word in $c.$names:", "if word.$fold in $c.$names:")
    body = """
    @gate@
    if $c.$user == "$keeper":
        $say($c.$hold)
    elif $c.$user:
        $say($c.$user * ($p[0] & 3))
    return True
    """
    routines = (
        t.routine(enter, entering, flaw=flaw, span=(2, 30)),
        t.routine(name, body, span=(1, 4)),
    )
    show = Record(name, bytes([draw.between(1, 255)]))

    def entered(who: str) -> Record:
        return Record(enter, who.encode("ascii"))

    new = voice.field()
    return Feature(
        _KIND,
        routines,
        name,
        ((entered(new), show), (entered(f"{new}2"), entered(f"{new}3"), show)),
        (entered(f"{keeper}z"), show, entered(keeper), show),
        (entered(change(keeper)), show),
        (),
        (),
        members=t.fill('self.$user = ""\nself.$hold = secret\nself.$names = {"$keeper", "$guest"}'),
    )
