"""Features in which time passes between a check and the use that rests on it.

The input itself orders the steps of the jobs that are under way, so that a run is the same each time.
"""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_KIND = "race"


_STARTING = """
    slot = $p[0]
    if slot not in $c.$board:
        return False

    def $job():
        wish = $c.$board[slot]
        if wish == $place:
            return
        yield "wait"
        $flaw

    $c.$jobs[slot] = $job()
    return next($c.$jobs[slot], "") == "wait"
    """


def race_purse(voice: Voice, draw: Draw) -> Feature:
    """Payments are begun and finished; a purse must not be spent twice."""
    begin, name, show = (voice.function() for _ in range(3))
    purse, slots = draw.between(20, 90), draw.between(3, 5)
    t = text(
        voice,
        purse=voice.field(),
        worth=purse,
        paid=voice.field(),
        due=voice.field(),
        hold=voice.field(),
        slots=slots,
    )
    beginning = """
    if $p[0] >= $slots or $p[1] > $c.$purse:
        return False
    $c.$due[$p[0]] = $p[1]
    return True
    """
    body = """
    @gate@
    worth = $c.$due.pop($p[0], 0)
    $flaw
        return False
    $c.$purse -= worth
    $c.$paid += worth
    return True
    """
    showing = """
    $say(f"{$c.$paid} of {$c.$paid + $c.$purse}")
    if $c.$paid > $worth:
        $say($c.$hold)
    return True
    """
    flaw = ("if worth == 0:", "if worth == 0 or worth > $c.$purse:")
    routines = (
        t.routine(begin, beginning, span=(2, 4)),
        t.routine(name, body, flaw=flaw, span=(1, 3)),
        t.routine(show, showing, span=(1, 3)),
    )
    shown = Record(show, draw.take(1))

    def begun(slot: int, worth: int) -> Record:
        return Record(begin, bytes([slot, worth]))

    def finished(slot: int) -> Record:
        return Record(name, bytes([slot]))

    small, large = draw.between(3, purse // 3), purse - draw.between(0, purse // 3)
    return Feature(
        _KIND,
        routines,
        name,
        (
            (begun(0, small), finished(0), shown),
            (begun(1, small), finished(1), begun(0, small), finished(0), shown),
        ),
        (begun(0, purse), finished(0), shown),
        (begun(0, large), begun(1, large), finished(0), finished(1), shown),
        (),
        (),
        members=t.fill("self.$purse = $worth\nself.$paid = 0\nself.$due = {}\nself.$hold = secret"),
    )


def race_alias(voice: Voice, draw: Draw) -> Feature:
    """Names stand for others; a name is checked, and what it stands for is read later."""
    point, check, name = (voice.function() for _ in range(3))
    first, second, third = draw.shuffled(range(1, 60))[:3]
    t = text(
        voice,
        stand=voice.field(),
        open=voice.field(),
        texts=voice.field(),
        first=first,
        second=second,
        third=third,
        one=draw.take(4).hex(),
        two=draw.take(4).hex(),
        ready=voice.field(),
    )
    pointing = """
    if $p[0] < 100 or $p[1] not in $c.$texts:
        return False
    $c.$stand[$p[0]] = $p[1]
    return True
    """
    checking = """
    if $c.$stand.get($p[0]) not in ($first, $second):
        return False
    $flaw
    return True
    """
    body = """
    @gate@
    if $c.$ready is None:
        return False
    $say($c.$texts[$c.$stand.get($c.$ready, $c.$ready)])
    $c.$ready = None
    return True
    """
    flaw = ("$c.$ready = $p[0]", "$c.$ready = $c.$stand[$p[0]]")
    routines = (
        t.routine(point, pointing, span=(2, 4)),
        t.routine(check, checking, flaw=flaw, span=(1, 3)),
        t.routine(name, body, span=(1, 3)),
    )
    alias = draw.between(100, 250)

    def pointed(target: int, of: int = alias) -> Record:
        return Record(point, bytes([of, target]))

    checked, used = Record(check, bytes([alias])), Record(name, draw.take(1))
    return Feature(
        _KIND,
        routines,
        name,
        ((pointed(first), checked, used), (pointed(first), pointed(second), checked, used)),
        (pointed(second), checked, pointed(third, alias ^ 1), used),
        (pointed(first), checked, pointed(third), used),
        (),
        (),
        members=t.fill(
            "self.$stand = {}\n"
            "self.$ready = None\n"
            'self.$texts = {$first: "$one", $second: "$two", $third: secret}'
        ),
    )


def race_errand(voice: Voice, draw: Draw) -> Feature:
    """Jobs run in steps, as the input says; a wish on the board is checked in an earlier step."""
    put, start, name = (voice.function() for _ in range(3))
    texts = draw.between(4, 9)
    secret = draw.between(1, texts - 1)
    t = text(
        voice,
        board=voice.field(),
        jobs=voice.field(),
        texts=voice.field(),
        job=voice.function(),
        count=texts,
        place=secret,
        slots=draw.between(3, 6),
        word=draw.take(3).hex(),
    )
    putting = """
    if $p[0] >= $slots or $p[1] >= $count:
        return False
    $c.$board[$p[0]] = $p[1]
    return True
    """
    body = """
    @gate@
    if $p[0] not in $c.$jobs:
        return False
    $say(next($c.$jobs.pop($p[0]), ""))
    return True
    """
    flaw = ("yield $c.$texts[$c.$board[slot]]", "yield $c.$texts[wish]")
    routines = (
        t.routine(put, putting, span=(2, 4)),
        t.routine(start, _STARTING, flaw=flaw, span=(1, 3)),
        t.routine(name, body, span=(1, 3)),
    )

    def told(routine: str, *numbers: int) -> Record:
        return Record(routine, bytes(numbers))

    free = (secret + 1) % texts
    return Feature(
        _KIND,
        routines,
        name,
        (
            (told(put, 0, free), told(start, 0), told(name, 0)),
            (told(put, 1, 0 if secret else free), told(start, 1), told(name, 1)),
        ),
        (told(put, 2, free), told(start, 2), told(put, 1, secret), told(name, 2)),
        (told(put, 0, free), told(start, 0), told(put, 0, secret), told(name, 0)),
        (),
        (),
        members=t.fill(
            "self.$board = {}\n"
            "self.$jobs = {}\n"
            'self.$texts = ["$word" * n for n in range(1, $count + 1)]\n'
            "self.$texts[$place] = secret"
        ),
    )
