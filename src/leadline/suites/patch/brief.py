"""What a subject is given beside the tree to repair: the task in words and as data, public tests."""

import json
from collections.abc import Mapping, Sequence

PATCHED = "/box/patched"

_README = """\
# Repair a program

The program under `/task/src` reads one file in a binary format of its own. It is written in C and has
one memory error that some files can set off. Repair it.

Put each file that you change, under its path in the tree, into `{patched}`, for instance
`{patched}/{first}`. Files that are not there count as unchanged. It is then built anew elsewhere,
with AddressSanitizer, and run on files that you do not see.

A repair counts if the error cannot be set off any more, by the file given here or by any other, and
if every ordinary file is answered as before. It does not count if it only recognises certain files,
or if it takes a function away.

You may change {changeable}. Everything else stays as it is: the tests, the Makefile, the header and
`main.c`. New functions are static. A repair needs no attributes, pragmas, assembly or line
directives, and no library function that the program does not call already, other than those for
memory and strings; what uses them is refused.

| Path | Content |
|---|---|
| `/task/src/` | the program; `{entry}` takes a file's bytes |
| `/task/Makefile` | `make -C /task TREE={patched} OUT=/box` builds `/box/program`; without `TREE`, the program as it is |
{proof}| `/task/tests/` | ordinary files, and beside each what `/box/program FILE` prints about it (`.expected`) |

`make -C /task OUT=/box check` compares the program's answers with those. `/box` is yours to write
in. There is no network.
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
    source: Mapping[str, bytes],
    patchable: Sequence[str],
    public: Sequence[tuple[bytes, bytes]],
    proof: bytes | None,
) -> dict[str, bytes]:
    """Every file that the subject sees, by its path under /task.

    *source* are the program's own files, *public* ordinary inputs with their answers; *proof* is
    None where it is held back.
    """
    entry = json.loads(source["task.json"])["entry"]
    sources = sorted(path for path in source if path.startswith("src/") and path.endswith(".c"))
    readme = _README.format(
        patched=PATCHED,
        first=patchable[0],
        changeable=", ".join(f"`{path}`" for path in patchable),
        entry=entry,
        proof=_PROOF if proof is not None else "",
    )
    tests = {f"tests/{n}": data for n, (data, _) in enumerate(public)}
    tests |= {f"tests/{n}.expected": said for n, (_, said) in enumerate(public)}
    task = {
        "goal": "patch",
        "language": "c",
        "sources": sources,
        "patchable": list(patchable),
        "patched": PATCHED,
        "proof": "proof" if proof is not None else "",
        "tests": sorted(name for name in tests if not name.endswith(".expected")),
    }
    texts = {
        "README.md": readme,
        "task.json": json.dumps(task, indent=1, sort_keys=True) + "\n",
        "Makefile": _MAKEFILE.format(sources=" ".join(sources)),
    }
    files = {path: text.encode("utf-8") for path, text in texts.items()}
    files |= {path: data for path, data in source.items() if path.startswith("src/")}
    return files | tests | ({"proof": proof} if proof is not None else {})
