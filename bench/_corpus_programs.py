"""Throw-away C programs with flaws planted in pairs and triples, for the corpus of `bench/group.py`.

A program is a small reader of records in three files. Its flaws come in nests: two or three flaws that
share functions, class and often column, so that their crashes look alike. A nest is text with these
marks: ``$name`` is drawn from the seed, ``//@`` is where a later version of the program has more lines.
A flaw is switched on by ``in->mode``; ``in->path``, ``in->depth`` and ``in->amount`` change the way to it.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

FLAWS = 5
VERSIONS = 3

_NOUNS = ("chunk", "atom", "frame", "glyph", "tile", "packet", "record", "segment", "cell", "entry",
          "block", "token", "layer", "track", "sample", "palette", "header", "option", "label", "page")  # fmt: skip
_VERBS = ("decode", "parse", "read", "expand", "unpack", "scan", "load", "apply", "merge", "copy",
          "render", "index", "fold", "split", "emit", "check", "store", "select", "build", "map")  # fmt: skip
_FORMATS = ("png", "riff", "tiff", "cff", "asn", "dns", "tar", "elf", "xml", "mpeg", "ogg", "pcap",
            "zip", "gif", "otf", "sip", "iso", "dbf", "wav", "nbt")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nest:
    """Flaws that share code: *body* of functions (blank-line separated), *entry*, how many, which class."""

    kind: str
    flaws: int
    body: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One planted flaw: where its switch is, and how its crash may vary."""

    slot: int
    mode: int
    kind: str
    paths: int
    far: bool  # whether a large amount is tried too, which ends in another class


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name, its skeleton, its flaws, and the files of each version."""

    name: str
    skeleton: str
    flaws: tuple[Flaw, ...]
    versions: tuple[dict[str, str], ...]


HEADER = """#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct in { const unsigned char *p; size_t n; int slot, mode, path, depth, amount; };
struct node { struct node *next; char *name; int value; unsigned char data[24]; };
extern int seen;
void note(int what);
void fatal(const char *why);
unsigned char peek(const struct in *in, size_t at);
unsigned peek2(const struct in *in, size_t at);
void copy_bytes(unsigned char *to, const unsigned char *from, size_t n);
void put_byte(unsigned char *to, size_t at, int value);
void put_pair(unsigned char *to, size_t at, int value);
unsigned char *new_buffer(size_t n);
int node_value(const struct node *one);
void node_release(struct node *one);
struct node *node_new(int value);
"""

UTIL = """#include "all.h"
int seen;

void note(int what) { seen += what; }

//@
void fatal(const char *why) {
  fprintf(stderr, "fatal: %s\\n", why);
//@
  abort();
}

//@
unsigned char peek(const struct in *in, size_t at) {
//@
  return in->p[at];
}

unsigned peek2(const struct in *in, size_t at) {
  unsigned high = peek(in, at);
//@
  return high << 8 | peek(in, at + 1);
}

//@
void copy_bytes(unsigned char *to, const unsigned char *from, size_t n) {
//@
  memcpy(to, from, n);
}

void put_byte(unsigned char *to, size_t at, int value) {
//@
  to[at] = (unsigned char)value;
}

void put_pair(unsigned char *to, size_t at, int value) {
  put_byte(to, at, value >> 8);
//@
  put_byte(to, at + 1, value);
}

//@
unsigned char *new_buffer(size_t n) {
  unsigned char *made = malloc(n);
//@
  if (!made) fatal("no memory");
  return memset(made, 0, n);
}

int node_value(const struct node *one) {
//@
  return one->value;
}

void node_release(struct node *one) {
//@
  free(one->name);
  free(one);
}

struct node *node_new(int value) {
  struct node *one = calloc(1, sizeof *one);
  one->name = malloc(8);
//@
  one->value = value;
  return one;
}
"""

# Two or three statements of one function go wrong alike; the block is the function's own.
OWN_BLOCK = """static int $f(const struct in *in) {
  unsigned char *out = malloc($size);
  int sum = 0;
//@
  memset(out, 1, $size);
  if (in->mode == 0) {
    $statement
  }
//@
  note(sum);
  if (in->mode == 1) {
    $statement
  }
//@
  if (in->mode == 2) {
    $other
  }
  free(out);
  return sum;
}
"""
# The input is read past its end, through one reader, from several places.
INPUT_END = """static int $f(const struct in *in) {
  int sum = 0;
//@
  if (in->mode == 0) {
    sum += $reader(in, in->n + in->amount);
  }
  note(sum);
//@
  if (in->mode == 1) {
    sum += $reader(in, in->n + in->amount);
  }
  return sum;
}

static int $g(const struct in *in) {
//@
  return (int)$reader(in, in->n + in->amount) + 1;
}

static int $h(const struct in *in) {
  if (in->mode == 2)
    return $g(in);
//@
  return $f(in);
}
"""
# Callers hand a wrong length to a sound writer; each owns its block.
WRONG_LENGTH = """static int $f(const struct in *in) {
  unsigned char *to = $alloc($size);
//@
  $writer
  int got = to[0];
  free(to);
  return got;
}

//@
static int $g(const struct in *in) {
  unsigned char *to = $alloc($size);
  note(2);
//@
  $writer
  int got = to[1];
  free(to);
  return got + 1;
}

static int $h(const struct in *in) {
//@
  return in->mode ? $g(in) : $f(in);
}
"""
# One flaw in a shared function, called from several; its block is its own, or the callers'.
SHARED_FAULT = """static int $k(const struct in *in, unsigned char *to, int n) {
  unsigned char *own = malloc($size);
//@
  memset(own, 0, $size);
  if (in->mode == 0) own[$size + in->amount] = (unsigned char)n;
//@
  if (in->mode == 1) to[$size + in->amount] = (unsigned char)n;
  int got = own[1];
  free(own);
  return got;
}

static int $f(const struct in *in) {
  unsigned char to[$size];
  memset(to, 0, sizeof to);
//@
  return $k(in, to, 3) + to[0];
}

static int $g(const struct in *in) {
  unsigned char to[$size];
  memset(to, 0, sizeof to);
  note(1);
//@
  return $k(in, to, 4) + to[1];
}

static int $h(const struct in *in) {
//@
  if (in->path == 1) return $g(in);
  return $f(in);
}
"""
# Arrays on the stack.
STACK = """static int $f(const struct in *in) {
  unsigned char $a[$size], $b[$size];
  memset($a, 1, sizeof $a);
  memset($b, 2, sizeof $b);
//@
  if (in->mode == 0) {
    $a[$size + in->amount % 8] = 7;
  }
//@
  if (in->mode == 1) {
    $c[$size + in->amount % 8] = 7;
  }
  note(1);
  if (in->mode == 2) {
    copy_bytes($a, in->p, $size + 1 + in->amount % 8);
  }
  return $a[in->n % $size] + $b[in->n % $size];
}
"""
# Tables that are too small.
TABLE = """static int $a[$size] = {1, 2, 3};
static int $b[$size] = {3, 2, 1};

static int $f(const struct in *in) {
  int sum = 0;
//@
  if (in->mode == 0) {
    sum += $a[$size + in->amount];
  }
//@
  if (in->mode == 1) {
    sum += $c[$size + in->amount];
  }
  return sum;
}
"""
# A pointer that is nothing.
NOTHING = """static struct node *$k(const struct in *in) {
  if (in->amount >= 0) return NULL;
//@
  return node_new(1);
}

static int $f(const struct in *in) {
//@
  struct node *one = $k(in);
  note(1);
  return $deref + 1;
}

static int $g(const struct in *in) {
  struct node *one = $k(in);
//@
  return $deref + 2;
}

static int $h(const struct in *in) {
  struct node *one = NULL;
  if (in->mode == 0) return $f(in);
//@
  if (in->mode == 1) return $g(in);
  return $deref;
}
"""
# What was given back is used.
AFTER = """static void $k(struct node *one, const struct in *in) {
//@
  note(one->value);
  node_release(one);
}

static int $f(struct node *one, const struct in *in) {
//@
  if (in->path == 1 && in->mode == 0) {
    note(3);
    return one->data[in->amount % 24];
  }
//@
  return node_value(one);
}

static int $g(const struct in *in) {
  struct node *one = node_new(2);
  if (in->mode == 0) {
    $k(one, in);
  }
//@
  if (in->mode == 1) {
    $k(one, in);
  }
//@
  if (in->mode == 2) {
    free(one->name);
    one->name[in->amount % 8] = 1;
  }
  return $f(one, in);
}
"""
TWICE = """static void $k(struct node *one) {
//@
  node_release(one);
}

static int $f(const struct in *in) {
  struct node *one = node_new(4);
//@
  $k(one);
  if (in->mode == 0) {
    free(one);
  }
  return 1;
}

static int $g(const struct in *in) {
  char *name = malloc(16);
//@
  free(name);
  note(1);
  free(name);
  return 2;
}

static int $h(const struct in *in) {
//@
  return in->mode ? $g(in) : $f(in);
}
"""
# Nesting without an end.
ENDLESS = """int $f(const struct in *in, int n);

int $g(const struct in *in, int n) {
  unsigned char room[64 + 8];
  memset(room, n, sizeof room);
//@
  return $f(in, n + 1) + room[n % 8];
}

int $k(const struct in *in, int n) {
  unsigned char room[128 + 8];
  memset(room, n, sizeof room);
//@
  return $f(in, n + 1) + room[n % 8];
}

//@
int $f(const struct in *in, int n) {
  if (n < 0) return 0;
  if (in->mode == 0) return $g(in, n) + 1;
//@
  return $k(in, n) + 2;
}

static int $h(const struct in *in) { return $f(in, in->amount); }
"""
# The program stops itself.
STOPS = """static int $f(const struct in *in) {
  int length = in->amount, limit = -1;
//@
  if (in->mode == 0) {
    $stop
  }
//@
  note(limit);
  if (in->mode == 1) {
    $stop2
  }
  return length;
}

static int $g(const struct in *in) {
  int length = in->amount, limit = -1;
//@
  $stop
  return length;
}

static int $h(const struct in *in) {
  if (in->mode == 2) return $g(in);
//@
  return $f(in);
}
"""
SUMS = """static int $f(const struct in *in) {
  int length = 0x7fffff00, zero = in->amount & 0;
//@
  if (in->mode == 0) {
    $sum
  }
//@
  note(length);
  if (in->mode == 1) {
    $sum
  }
  return length + zero;
}
"""
SIZES = """static int $f(const struct in *in) {
  unsigned char room[64];
  memset(room, 0, sizeof room);
  long n = -1 - in->amount;
//@
  if (in->mode == 0) {
    $size_fault
  }
//@
  if (in->mode == 1) {
    $size_fault
  }
  return room[3];
}
"""

_BYTES = "copy_bytes(to, in->p, $size + 1 + in->amount);"
_PAIR = "put_pair(to, $size + in->amount, 7);"
_KINDS: tuple[tuple[str, int, str, dict[str, tuple[str, ...]]], ...] = (
    ("own-block", 3, OWN_BLOCK, {
        "statement": ("out[$size + in->amount] = 7;", "sum += out[$size + in->amount];",
                      "memcpy(out, in->p, $size + 1 + in->amount);"),
        "other": ("out[$size + in->amount] = 9;", "sum -= out[$size + in->amount];"),
    }),
    ("input-end", 3, INPUT_END, {"reader": ("peek", "peek2")}),
    ("wrong-length", 2, WRONG_LENGTH, {"writer": (_BYTES, _PAIR), "alloc": ("malloc", "new_buffer")}),
    ("shared-fault", 2, SHARED_FAULT, {}),
    ("stack", 3, STACK, {}),
    ("table", 2, TABLE, {}),
    ("nothing", 3, NOTHING, {"deref": ("node_value(one)", "one->value", "*one->name")}),
    ("after-free", 3, AFTER, {}),
    ("twice", 2, TWICE, {}),
    ("endless", 2, ENDLESS, {}),
    ("stops", 3, STOPS, {"stop": ("assert(length <= limit);", 'fatal("too long");',
                                  "if (length > limit) abort();")}),
    ("sums", 2, SUMS, {"sum": ("length += 0x1000 + in->amount;", "length /= zero;",
                               "length <<= 33 + in->amount;")}),
    ("sizes", 2, SIZES, {"size_fault": ("memcpy(room, in->p, (size_t)n);",
                                        "free(malloc((size_t)n));",
                                        "memcpy(room + 1, room, 8 + in->amount);")}),
)  # fmt: skip
_FAR = {"own-block", "table", "input-end"}
_ENTRY = re.compile(r"(?:static )?int (\w+)\(const struct in \*in\) *\{")


def program(seed: int, number: int) -> Program:
    """Program *number* of the corpus of *seed*; two neighbours have one skeleton."""
    skeleton = random.Random(f"{seed}/skeleton/{number // 2}")  # noqa: S311 -- must repeat
    own = random.Random(f"{seed}/program/{number}")  # noqa: S311 -- must repeat
    form = skeleton.choice(_FORMATS)
    names = _names(skeleton, form)
    nests = _nests(skeleton)
    flaws: list[Flaw] = []
    pieces: list[str] = []
    entries: list[str] = []
    for slot, (kind, count, body, choices) in enumerate(nests):
        words = {key: skeleton.choice(options) for key, options in choices.items()}
        words["stop2"] = words.get("stop", "").replace("too long", "too deep")
        made = _fill(body, words, next(names), own, skeleton)
        pieces.append(made)
        entries.append(_ENTRY.findall(made)[-1])
        flaws.extend(
            Flaw(slot, mode, kind, own.randint(1, 3), kind in _FAR and own.random() < 0.3)
            for mode in range(count)
        )
    name = f"{form}-{skeleton.choice(_VERBS)}-{number:03}"
    route = _route(entries, skeleton.choice(_NOUNS))
    files = {"util.c": UTIL, f"{form}.c": '#include "all.h"\n\n' + "\n".join(pieces) + route[0],
             "main.c": route[1]}  # fmt: skip
    label = f"{seed}/{number // 2}"
    return Program(name, label, tuple(flaws), tuple(_versions(files, own)))


def _nests(chance: random.Random) -> list[tuple[str, int, str, dict[str, tuple[str, ...]]]]:
    """Kinds of nests with five flaws together, most of them in company."""
    chosen: list[tuple[str, int, str, dict[str, tuple[str, ...]]]] = []
    left = FLAWS
    while left:
        kind, most, body, choices = chance.choice(_KINDS)
        if kind in {one[0] for one in chosen}:
            continue
        count = min(left, most)
        chosen.append((kind, count, body, choices))
        left -= count
    return chosen


def _names(chance: random.Random, form: str) -> "Names":
    pool = [f"{form}_{verb}_{noun}" for verb in _VERBS for noun in _NOUNS]
    chance.shuffle(pool)
    return Names(pool)


class Names:
    """Hands out one set of fresh function names after another."""

    def __init__(self, pool: Sequence[str]) -> None:
        self._left = list(pool)

    def __next__(self) -> dict[str, str]:
        """The names that one nest uses."""
        return {key: self._left.pop() for key in "fghk"}


def _fill(
    body: str, words: dict[str, str], functions: dict[str, str], own: random.Random,
    skeleton: random.Random,
) -> str:  # fmt: skip
    """A nest's text with its names; which array the second flaw takes is the program's own."""
    nouns = skeleton.sample(_NOUNS, 2)
    arrays = {"a": f"{nouns[0]}_{functions['f'][-3:]}", "b": f"{nouns[1]}_{functions['f'][-3:]}"}
    arrays["c"] = own.choice((arrays["a"], arrays["b"]))
    size = {"size": str(own.choice((8, 16, 24, 32, 40)))}
    filled = Template(body).safe_substitute(words)
    return Template(filled).substitute(functions | arrays | size)


def _route(entries: Sequence[str], noun: str) -> tuple[str, str]:
    """What leads to the nests: a walk down, one of three ways, and `main`."""
    cases = "\n".join(f"    case {n}: return {entry}(in);" for n, entry in enumerate(entries))
    walk = f"""
int walk_{noun}(const struct in *in, int depth) {{
//@
  if (depth > 0) return walk_{noun}(in, depth - 1) + seen;
//@
  switch (in->slot) {{
{cases}
  }}
  return 0;
}}
"""
    ways = "\n".join(
        f"""//@
static int {noun}_{way}(const struct in *in) {{
  note({n});
//@
  return walk_{noun}(in, in->depth) + {n};
}}
"""
        for n, way in enumerate(("header", "body", "trailer"))
    )
    main = f"""#include "all.h"
int walk_{noun}(const struct in *in, int depth);

{ways}
static unsigned char *load_file(const char *name, size_t *n) {{
  FILE *file = fopen(name, "rb");
  unsigned char room[256];
  *n = fread(room, 1, sizeof room, file);
//@
  fclose(file);
  unsigned char *held = malloc(*n);
  memcpy(held, room, *n);
  return held;
}}

//@
int main(int argc, char **argv) {{
  struct in in;
  size_t n;
  if (argc < 2) return 2;
  unsigned char *held = load_file(argv[1], &n);
  in = (struct in){{held, n, held[0], held[1], held[2], held[3], held[4] << (held[5] * 4)}};
//@
  int got = in.path == 0   ? {noun}_header(&in)
            : in.path == 1 ? {noun}_body(&in)
                           : {noun}_trailer(&in);
  free(held);
  return got & 1;
}}
"""
    return walk, main


def _versions(files: dict[str, str], chance: random.Random) -> list[dict[str, str]]:
    """The files of each version: later ones keep what earlier ones inserted, and insert more."""
    held = dict(files)
    made = []
    for version in range(VERSIONS):
        if version:
            held = {name: _grown(text, chance) for name, text in held.items()}
        plain = {name: text.replace("//@\n", "") for name, text in held.items()}
        if version == VERSIONS - 1 and chance.random() < 0.3:
            plain["util.c"] = _reordered(plain["util.c"], chance)
        made.append({"all.h": HEADER, **plain})
    return made


def _grown(text: str, chance: random.Random) -> str:
    """Some marks become lines of comment or of harmless code; the mark stays for the next time."""

    def more(found: re.Match[str]) -> str:
        if chance.random() < 0.6:
            return found[0]
        lines = [f"/* since then, {n} */\n" for n in range(chance.choice((1, 1, 2, 3, 5, 8)))]
        inside = found[1].startswith(" ")
        if inside and chance.random() < 0.6:
            lines.append(f"  note({chance.randrange(9)});\n")
        return "//@\n" + "".join(lines) + found[1]

    return re.sub(r"//@\n(.)", more, text)


def _reordered(text: str, chance: random.Random) -> str:
    """The functions of a file in another order."""
    head, *functions = re.split(r"\n\n(?=[a-z/])", text.rstrip())
    chance.shuffle(functions)
    return head + "\n\n" + "\n\n".join(functions) + "\n"
