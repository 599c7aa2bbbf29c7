"""Features that put text from the input into a command, a query or a template.

In each the secret of the run lies where only injected text reaches it: in a file, in another table,
in a value that no template is meant to name.
"""

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Feature, Record, text
from leadline.suites.planted.voice import Voice

_SHELL = ("import re", "import shlex", "import subprocess")
_PLACING = 'with open(folder + "/$file", "w") as out:\n    out.write(secret)'
_SQL = ("import sqlite3",)
# What a filter refuses, and what still ends a quoted word and a command then.
_BANS = (
    ("", "';cat {};'"),
    (";", "'\ncat {}\n'"),
    (";\n", "'|cat {} #"),
    (";|\n", "'&cat {}&'"),
    ("&|;", "'\ncat {}\n'"),
)
# What a filter refuses, and how a second query is written then.
_BARS = (
    ("", "' UNION SELECT {} FROM {}--"),
    ("--", "' UNION SELECT {} FROM {} WHERE ''='"),
    (" ", "'/**/UNION/**/SELECT/**/{}/**/FROM/**/{}--"),
    ("/*", "' UNION SELECT {} FROM {}--"),
)


def _word(draw: Draw, least: int = 3, most: int = 9) -> str:
    """A word of lower-case letters."""
    return "".join(draw.choice("abcdefghiklmnoprstuw") for _ in range(draw.between(least, most)))


def _file(voice: Voice, draw: Draw) -> str:
    """The name of a file."""
    return f"{voice.field()}.{_word(draw, 3, 3)}"


def _bytes(words: str) -> bytes:
    return words.encode("latin-1")


def shell_quoted(voice: Voice, draw: Draw) -> Feature:
    """A text is quoted by hand for a shell that counts it."""
    name, file = voice.function(), _file(voice, draw)
    banned, proof = draw.choice(_BANS)
    t = text(
        voice,
        line=voice.field(),
        done=voice.field(),
        text=voice.field(),
        file=file,
        banned=repr(banned),
        tool=draw.choice(("wc -c", "wc -w", "sort", "rev")),
    )
    body = """
    @gate@
    $text = $p.decode("latin-1")
    if any(sign in "\\0" $banned for sign in $text):
        return False
    $flaw
    $done = subprocess.run($line, shell=True, capture_output=True, timeout=5, check=False)
    $say($done.stdout.decode("latin-1"))
    return True
    """
    flaw = (
        '$line = "printf %s \'" + $text + "\' | $tool"',
        '$line = "printf %s " + shlex.quote($text) + " | $tool"',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 48))
    return Feature(
        "command-injection",
        (routine,),
        name,
        ((Record(name, _bytes(_word(draw))),), (Record(name, b"two " + _bytes(_word(draw))),)),
        (Record(name, b'"$' + _bytes(_word(draw)) + b'" 100% *'),),
        (Record(name, _bytes(proof.format(file))),),
        (),
        (),
        imports=_SHELL,
        placing=t.fill(_PLACING),
    )


def shell_lines(voice: Voice, draw: Draw) -> Feature:
    """Words are checked by a pattern before a shell turns them."""
    name, file = voice.function(), _file(voice, draw)
    more = draw.choice(("", "_", "0-9", "+", ","))
    t = text(
        voice,
        done=voice.field(),
        text=voice.field(),
        file=file,
        allowed=f"[a-z .{more}]+",
        tool=draw.choice(("echo", "printf '%s '", "echo -n")),
    )
    body = """
    @gate@
    $text = $p.decode("latin-1")
    $flaw
        return False
    $done = subprocess.run(
        "$tool " + $text, shell=True, capture_output=True, timeout=5, check=False
    )
    $say($done.stdout.decode("latin-1"))
    return True
    """
    flaw = (
        'if not re.search("^$allowed$$", $text, re.MULTILINE):',
        'if not re.fullmatch("$allowed", $text):',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 60))
    words = f"{_word(draw)} {_word(draw)}"
    return Feature(
        "command-injection",
        (routine,),
        name,
        ((Record(name, _bytes(_word(draw))),), (Record(name, _bytes(words)),)),
        (Record(name, b"." + _bytes(words) + b"."),),
        (Record(name, _bytes(f"{_word(draw)}\ncat {file}")),),
        (),
        (),
        imports=_SHELL,
        placing=t.fill(_PLACING),
    )


def shell_number(voice: Voice, draw: Draw) -> Feature:
    """A number chooses what a shell cuts out of a text."""
    name, file = voice.function(), _file(voice, draw)
    t = text(
        voice,
        done=voice.field(),
        text=voice.field(),
        file=file,
        shown=_word(draw, 9, 20),
        tool=draw.choice(("cut -c1-", "head -c ", "fold -w ")),
    )
    body = """
    @gate@
    $text = $p.decode("latin-1")
    $flaw
        return False
    $done = subprocess.run(
        "printf %s $shown | $tool" + $text, shell=True, capture_output=True, timeout=5, check=False
    )
    $say($done.stdout.decode("latin-1"))
    return True
    """
    flaw = (
        'if not $text[:1].isdecimal() or "\\0" in $text:',
        'if not $text.isdecimal() or "\\0" in $text:',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 40))
    ends = draw.choice((";", "\n", "&", "|"))
    return Feature(
        "command-injection",
        (routine,),
        name,
        ((Record(name, b"3"),), (Record(name, b"12"),)),
        (Record(name, b"99999"),),
        (Record(name, _bytes(f"{draw.between(1, 9)}{ends}cat {file}")),),
        (),
        (),
        imports=_SHELL,
        placing=t.fill(_PLACING),
    )


def _book(voice: Voice, draw: Draw) -> tuple[dict[str, str], str]:
    """Names for two tables of a database, and the lines that make it."""
    words = [_word(draw) for _ in range(4)]
    names = {
        "base": voice.field(),
        "open": voice.field(),
        "one": voice.field(),
        "two": voice.field(),
        "vault": voice.field(),
        "hold": voice.field(),
    }
    listed = ", ".join(f"('{word}', '{word[::-1]}')" for word in words)
    lines = (
        'self.$base = sqlite3.connect(":memory:")\n'
        'self.$base.execute("CREATE TABLE $open ($one TEXT, $two TEXT)")\n'
        'self.$base.execute("INSERT INTO $open VALUES $listed")\n'
        'self.$base.execute("CREATE TABLE $vault ($hold TEXT)")\n'
        'self.$base.execute("INSERT INTO $vault VALUES (?)", (secret,))'
    )
    return names | {"known": words[0], "other": words[1], "listed": listed}, lines


def sql_where(voice: Voice, draw: Draw) -> Feature:
    """A name is looked up in a table."""
    name = voice.function()
    names, lines = _book(voice, draw)
    barred, proof = draw.choice(_BARS)
    t = text(voice, text=voice.field(), rows=voice.field(), barred=repr(barred), **names)
    check = "    if $barred in $text:\n        return False\n" if barred else ""
    body = f"""
    @gate@
    $text = $p.decode("latin-1")
{check}    $flaw
    $rows = $c.$base.execute(*query).fetchall()
    $say(" ".join(str(row[0]) for row in $rows))
    return True
    """
    flaw = (
        'query = ("SELECT $two FROM $open WHERE $one = \'" + $text + "\'",)',
        'query = ("SELECT $two FROM $open WHERE $one = ?", ($text,))',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 90))
    found = proof.format(names["hold"], names["vault"])
    return Feature(
        "sql-injection",
        (routine,),
        name,
        ((Record(name, _bytes(names["known"])),), (Record(name, _bytes(_word(draw)) + b"."),)),
        (Record(name, _bytes(f'{names["other"]}") OR 1=1')),),
        (Record(name, _bytes(found)),),
        (),
        (),
        members=t.fill(lines),
        imports=_SQL,
    )


def sql_columns(voice: Voice, draw: Draw) -> Feature:
    """The columns of a list are chosen by name."""
    name = voice.function()
    names, lines = _book(voice, draw)
    t = text(voice, text=voice.field(), rows=voice.field(), **names)
    body = """
    @gate@
    $text = $p.decode("latin-1")
    $flaw
        return False
    $rows = $c.$base.execute("SELECT " + $text + " FROM $open LIMIT 3").fetchall()
    $say(" ".join(str(cell) for row in $rows for cell in row))
    return True
    """
    flaw = (
        'if $text.split(",")[0] not in ("$one", "$two"):',
        'if any(part not in ("$one", "$two") for part in $text.split(",")):',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 90))
    one, two = names["one"], names["two"]
    found = t.fill("$one,(SELECT $hold FROM $vault)")
    return Feature(
        "sql-injection",
        (routine,),
        name,
        ((Record(name, _bytes(one)),), (Record(name, _bytes(two)),)),
        (Record(name, _bytes(f"{one},{two},{one}")),),
        (Record(name, _bytes(found)),),
        (),
        (),
        members=t.fill(lines),
        imports=_SQL,
    )


def sql_cut(voice: Voice, draw: Draw) -> Feature:
    """Two texts are cut to a width and their quotes doubled."""
    name, width = voice.function(), draw.between(6, 14)
    names, lines = _book(voice, draw)
    t = text(
        voice,
        first=voice.field(),
        second=voice.field(),
        rows=voice.field(),
        width=width,
        **names,
    )
    body = """
    @gate@
    $first, _, $second = $p.decode("latin-1").partition("=")
    $flaw
    $second = $second.replace("'", "''")
    $rows = $c.$base.execute(
        f"SELECT $two FROM $open WHERE $one = '{$first}' OR $two = '{$second}'"
    ).fetchall()
    $say(" ".join(str(row[0]) for row in $rows))
    return True
    """
    flaw = (
        '$first = $first.replace("\'", "\'\'")[:$width]',
        '$first = $first[:$width].replace("\'", "\'\'")',
    )
    routine = t.routine(name, body, flaw=flaw, span=(1, 90))
    found = "x" * (width - 1) + t.fill("'= UNION SELECT $hold FROM $vault--")
    known, other = names["known"], names["other"]
    return Feature(
        "sql-injection",
        (routine,),
        name,
        (
            (Record(name, _bytes(f"{known[:width]}={other[::-1]}")),),
            (Record(name, _bytes(f"it's={other}")),),
        ),
        (Record(name, _bytes("x" * width + f"'={other}'")),),
        (Record(name, _bytes(found)),),
        (),
        (),
        members=t.fill(lines),
        imports=_SQL,
    )


def template_fields(voice: Voice, draw: Draw) -> Feature:
    """A text names the fields of an entry that are to be filled in."""
    name = voice.function()
    t = text(
        voice,
        kind=voice.field().capitalize(),
        keeper=voice.field(),
        hold=voice.field(),
        label=voice.field(),
        entry=voice.field(),
        text=voice.field(),
        shown=_word(draw),
    )
    body = """
    @gate@
    $text = $p.decode("latin-1")
    $flaw
        return False
    $say($text.format($label=$c.$entry))
    return True
    """
    flaw = ('if "__" in $text:', 'if "." in $text or "[" in $text:')
    routine = t.routine(name, body, flaw=flaw, span=(1, 60))
    label, keeper, hold = (t.names[one] for one in ("label", "keeper", "hold"))
    tables = """
class $kind:
    def __init__(self, keeper, hold):
        self.$keeper = keeper
        self.$hold = hold

    def __str__(self):
        return "$shown"
"""
    return Feature(
        "template-injection",
        (routine,),
        name,
        (
            (Record(name, _bytes(f"<{{{label}}}>")),),
            (Record(name, _bytes(f"{_word(draw)} {{{label}}} {_word(draw)}")),),
        ),
        (Record(name, _bytes(f"{{{label}!s:>20}}{{{{{label}}}}}")),),
        (Record(name, _bytes(f"{{{label}.{keeper}.{hold}}}")),),
        (),
        (),
        members=t.fill("self.$entry = $kind($kind(None, secret), None)"),
        closer=t.fill(tables),
    )


def template_sums(voice: Voice, draw: Draw) -> Feature:
    """A text holds sums in double braces, which are worked out."""
    name, work = voice.function(), voice.function()
    t = text(
        voice,
        work=work,
        cells=voice.field(),
        hold=voice.field(),
        rate=voice.field(),
        worth=draw.between(2, 90),
        text=voice.field(),
        signs=draw.choice(("+-", "+()-", "+", "+ -")),
    )
    flaw = (
        'if not re.match("[0-9$signs]+", found[1]):',
        'if not re.fullmatch("[0-9$signs]+", found[1]):',
    )
    body = """
    @gate@
    $text = $p.decode("latin-1")

    def $work(found):
        $flaw
            return found[1]
        return str(eval(found[1], {"__builtins__": {}}, $c.$cells))

    $say(re.sub("{{([^{}]*)}}", $work, $text))
    return True
    """
    routine = t.routine(name, body, flaw=flaw, span=(1, 60))
    hold = t.names["hold"]
    return Feature(
        "template-injection",
        (routine,),
        name,
        (
            (Record(name, _bytes(f"{_word(draw)} {{{{1+2}}}}")),),
            (Record(name, _bytes(f"{{{{{_word(draw)}}}}} {{{{40+{draw.between(1, 9)}}}}}")),),
        ),
        (Record(name, _bytes(f"{{{{{hold}}}}}{{{{1+1}}}}{{{{}}}}")),),
        (Record(name, _bytes(f"{{{{0 or {hold}}}}}")),),
        (),
        (),
        members=t.fill('self.$cells = {"$rate": $worth, "$hold": secret}'),
        imports=("import re",),
    )
