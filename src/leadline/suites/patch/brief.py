"""What a subject is given beside the tree to repair: the task in words and as data, public tests."""

import json
from collections.abc import Mapping, Sequence

from leadline.suites.patch.recipe import Recipe

PATCHED = "/box/patched"

_RULES = """\
Put each file that you change, under its path in the tree, into `{patched}`, for instance
`{patched}/{first}`. Files that are not there count as unchanged. It is then built anew elsewhere and
run on files that you do not see.

A repair counts if the error cannot be set off any more, by the file given here or by any other, and
if every ordinary file is answered as before. It does not count if it only recognises certain files,
or if it takes a function away.

You may change {changeable}. Everything else stays as it is, the tests above all.
"""
_C = """\
# Repair a program

The program under `/task/src` reads one file in a binary format of its own. It is written in C and has
one memory error that some files can set off. Repair it.

{rules}
New functions are static. A repair needs no attributes, pragmas, assembly or line directives, and no
library function that the program does not call already, other than those for memory and strings;
what uses them is refused.

| Path | Content |
|---|---|
| `/task/src/` | the program |
| `/task/Makefile` | `make -C /task TREE={patched} OUT=/box` builds `/box/program` with AddressSanitizer; without `TREE`, the program as it is |
{proof}| `/task/tests/` | ordinary files, and beside each what `/box/program FILE` prints about it (`.expected`) |

`make -C /task TREE={patched} OUT=/box check` compares the program's answers with those. `/box` is
yours to write in. There is no network.
"""
_PYTHON = """\
# Repair a program

The Python program under `/task/src` reads one file of requests in a binary format of its own and
replies to them. Before each run a random secret is planted with it (`lay_out`, `secret`), which no
request should bring to light; through one error in it, some files make a reply hold the secret.
Repair it.

{rules}
The functions `read`, `lay_out` and every `__init__` stay as they are: through them the secret passes.
A repair imports nothing, and uses no function or attribute oftener than the program does, other than
those that only look at values (comparisons, tests of text, normalised paths, quoting); what does is
refused. Looking for the secret in replies is no repair.

| Path | Content |
|---|---|
| `/task/src/{first_name}` | the program |
| `/task/src/driver.py`, `/task/src/key` | plants a secret, runs files, looks for the secret in the replies |
{proof}| `/task/tests/` | ordinary files, and beside each what the driver prints about it (`.expected`) |

To try files yourself, put `driver.py`, `key` and your program into one folder; a line that ends in
`secret` is one that gives it away:

```
{command} FOLDER/driver.py FILE
```

`/box` is yours to write in. There is no network.
"""
_PROOF = "| `/task/proof` | a file that sets the error off |\n"
_MAKEFILE = """\
CC = clang
CFLAGS = -g -O1 -fsanitize=address -fno-omit-frame-pointer -fno-inline -fno-optimize-sibling-calls
OUT ?= .
TREE ?= .
SOURCES = {sources}

# A changed file in TREE is taken instead of the one beside this Makefile.
$(OUT)/program: FORCE
\trm -rf $(OUT)/tree; mkdir -p $(OUT)/tree
\tcp -r src $(OUT)/tree/
\tif [ -d $(TREE)/src ]; then cp -r $(TREE)/src $(OUT)/tree/; fi
\tcd $(OUT)/tree && $(CC) $(CFLAGS) -o ../program $(SOURCES)

check: $(OUT)/program
\t@status=0; for file in tests/*.expected; do \\
\t  ASAN_OPTIONS=detect_leaks=0 $(OUT)/program $${{file%.expected}} > $(OUT)/said 2>$(OUT)/complaints; \\
\t  cmp -s $(OUT)/said $$file || {{ echo "differs: $${{file%.expected}}"; status=1; }}; \\
\tdone; exit $$status

FORCE:
.PHONY: FORCE check
"""


def subject_files(
    given: Mapping[str, bytes],
    recipe: Recipe,
    public: Sequence[tuple[bytes, bytes]],
    proof: bytes | None,
) -> dict[str, bytes]:
    """Every file that the subject sees, by its path under /task.

    *given* are the files of the source item's subject, samples left out; *public* ordinary inputs
    with their answers; *proof* is None where it is held back.
    """
    known = json.loads(given["task.json"])
    tests = {f"tests/{n}": data for n, (data, _) in enumerate(public)}
    task = {
        "goal": "patch",
        "language": recipe.language,
        "sources": list(recipe.sources),
        "patchable": list(recipe.patchable),
        "patched": PATCHED,
        "proof": "proof" if proof is not None else "",
        "tests": sorted(tests),
        "command": known.get("command", []),
    }
    tests |= {f"tests/{n}.expected": said for n, (_, said) in enumerate(public)}
    texts = {
        "README.md": _readme(recipe, " ".join(task["command"]), told=proof is not None),
        "task.json": json.dumps(task, indent=1, sort_keys=True) + "\n",
    }
    if recipe.language == "c":
        texts["Makefile"] = _MAKEFILE.format(sources=" ".join(recipe.sources))
    files = {path: data for path, data in given.items() if path.startswith(("src/", "captures/"))}
    files |= {path: text.encode("utf-8") for path, text in texts.items()}
    return files | tests | ({"proof": proof} if proof is not None else {})


def _readme(recipe: Recipe, command: str, *, told: bool) -> str:
    first = recipe.patchable[0]
    changeable = ", ".join(f"`{path}`" for path in recipe.patchable)
    rules = _RULES.format(patched=PATCHED, first=first, changeable=changeable)
    return (_C if recipe.language == "c" else _PYTHON).format(
        rules=rules,
        patched=PATCHED,
        first_name=first.removeprefix("src/"),
        command=command,
        proof=_PROOF if told else "",
    )
