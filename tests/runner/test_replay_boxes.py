"""Proofs in real boxes: every row of the table, and programs that try to look like what they are not."""

import contextlib
import difflib
import hashlib
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from leadline.app.checking import check
from leadline.app.replay import replayed, silenced
from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.replaying import (
    Build,
    BuildWith,
    Bundle,
    Oracle,
    OracleKind,
    Repair,
    Replay,
)
from leadline.core.errors import Invalid, NotFound
from leadline.runner.replay import build as building
from leadline.runner.replay.crossing import HostCross
from leadline.runner.replay.source import Repository
from leadline.sandbox.box import Unusable
from make import NOW
from runner.replay_projects import (
    OVERFLOW,
    READ,
    SOUND,
    Workshop,
    a_bundle,
    commit,
    git,
    program,
)

pytestmark = pytest.mark.sandbox
SIGNAL = Oracle(OracleKind.SIGNAL)
FAKE = r"""
    const char *text = "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1\n"
        "    #0 0x1 in main (/target/prog+0x1)\nSUMMARY: AddressSanitizer: heap-buffer-overflow\n";
    printf("%s", text); fprintf(stderr, "%s", text);
    FILE *forged = fopen("/report/asan.1", "w"); if (forged) { fputs(text, forged); fclose(forged); }
"""
LEAVE = r"""
    const char *places[] = {"/target/prog", "/target/new", "/box/proof", "/usr/new", "/etc/passwd"};
    for (int i = 0; i < 5; i++) { FILE *out = fopen(places[i], "a"); if (out) abort(); }
"""
CALL = r"""
    int from = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(from, (struct sockaddr *)&to, sizeof(to)) == 0) abort();
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished builds, kept over the tests of this file."""
    return tmp_path_factory.mktemp("builds")


@pytest.fixture
def workshop(tmp_path: Path, cache: Path) -> Workshop:
    """An empty repository."""
    return Workshop(tmp_path / "repository", cache)


def shown(workshop: Workshop, files: Mapping[str, str], bundle: Bundle) -> Replay:
    """What the proof of *bundle* shows on a project of *files*."""
    commit(workshop.folder, files)
    bench, _, problem = workshop.lab.bench(bundle, "head")
    assert bench is not None, problem
    return replayed(bundle, bench)


CONFIRMED, NOT = ReplayVerdict.CONFIRMED, ReplayVerdict.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("does", "oracle", "verdict", "words"),
    [
        (OVERFLOW, None, CONFIRMED, "5 of 5 runs showed heap-buffer-overflow in main"),
        (SOUND, None, NOT, "0 of 5 runs showed it"),
        (OVERFLOW, Oracle(OracleKind.SANITIZER, ("heap-use-after-free",)), NOT, "another report"),
        (
            OVERFLOW,
            Oracle(OracleKind.SANITIZER, functions=("elsewhere",)),
            NOT,
            "another report: heap-buffer-overflow in main",
        ),
        ("raise(SIGSEGV);", SIGNAL, CONFIRMED, "5 of 5 runs showed SIGSEGV"),
        ("raise(SIGUSR1);", SIGNAL, NOT, "0 of 5"),
        ("return 139;", SIGNAL, NOT, "0 of 5"),
        ("_exit(134);", SIGNAL, NOT, "0 of 5"),
        ("return 1;", None, NOT, "0 of 5"),
        ("for (;;) ;", None, NOT, "stopped at its time limit"),
        ("for (;;) fork();", None, NOT, "0 of 5"),
        ("for (;;) { char *p = malloc(1 << 24); memset(p, 1, 1 << 24); }", None, NOT, "0 of 5"),
        ('for (;;) puts("flood of output, without an end");', None, NOT, "0 of 5"),
        (FAKE, None, NOT, "0 of 5 runs showed it"),
        (LEAVE, SIGNAL, NOT, "0 of 5"),
    ],
    ids=[
        *("overflow", "sound", "another class", "another place", "signal", "a harmless signal"),
        *("exit 139", "exit 134", "exit 1", "hang", "fork bomb", "memory bomb", "flood"),
        *("forged report", "writes outside"),
    ],
)
def test_what_a_program_does_and_what_is_said_of_it(
    workshop: Workshop, does: str, oracle: Oracle | None, verdict: ReplayVerdict, words: str
) -> None:
    """Neither prints, exit codes nor exhaustion make an oracle fire, and nothing outside is touched."""
    bundle = a_bundle(seconds=2.0, **({"oracle": oracle} if oracle else {}))
    plain = {"sanitizers": ()} if bundle.oracle.kind is OracleKind.SIGNAL else {}
    bundle = a_bundle(
        seconds=2.0,
        oracle=bundle.oracle,
        build=Build(BuildWith.MAKE, targets=("prog",), **plain),
    )
    done = shown(workshop, program(does), bundle)
    assert done.verdict is verdict, done
    assert words in done.why


def test_a_build_is_not_changed_by_what_runs_in_it(workshop: Workshop) -> None:
    """The files of the build are the same bytes afterwards."""
    commit(workshop.folder, program(LEAVE))
    bench, _, _ = workshop.lab.bench(a_bundle(), "head")
    assert bench is not None

    def digests() -> dict[str, str]:
        files = [path for path in bench.folder.rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = digests()
    replayed(a_bundle(), bench)
    assert digests() == before


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port on this host's loopback, and who came."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                if select.select([server], [], [], 0.2)[0]:
                    came.append(server.accept()[1])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            ended.set()
            thread.join()


def test_there_is_no_network(workshop: Workshop) -> None:
    """A program that calls this host's own loopback reaches nobody."""
    head = "#include <sys/socket.h>\n#include <netinet/in.h>\n#include <arpa/inet.h>\n"
    with listening() as (port, came):
        text = head + (READ % CALL.replace("PORT", str(port)))
        files = program("") | {"prog.c": text}
        bundle = a_bundle(oracle=SIGNAL, build=Build(BuildWith.MAKE, ("prog",), sanitizers=()))
        assert shown(workshop, files, bundle).verdict is NOT
    assert came == []


def test_the_same_proof_on_a_repaired_build(workshop: Workshop) -> None:
    """Fires on one, silent on the other; and on two that both fire."""
    commit(workshop.folder, program(OVERFLOW), "v1")
    commit(workshop.folder, program(SOUND), "v2")
    commit(workshop.folder, {"NOTES": "nothing\n"} | program(OVERFLOW), "v3")
    bundle = a_bundle()
    flawed, sound, worse = (workshop.lab.bench(bundle, name)[0] for name in ("v1", "v2", "v3"))
    assert flawed is not None
    assert sound is not None
    assert replayed(bundle, flawed, sound).verdict is ReplayVerdict.FIX_EFFECTIVE
    assert replayed(bundle, flawed, worse).verdict is ReplayVerdict.FIX_INEFFECTIVE
    assert (silenced(bundle, sound), silenced(bundle, flawed)) == (True, False)


def test_a_proof_that_works_now_and_then(workshop: Workshop) -> None:
    """Twenty runs, and a rate with its interval."""
    does = (
        'FILE *r = fopen("/dev/urandom", "rb"); int c = fgetc(r); fclose(r);'
        f" if (c & 1) {{ {OVERFLOW} }}"
    )
    commit(workshop.folder, program(does))
    bundle = a_bundle()
    bench, _, _ = workshop.lab.bench(bundle, "head")
    assert bench is not None
    tries = (replayed(bundle, bench) for _ in range(8))  # that five runs agree happens 1 time in 16
    done = next(one for one in tries if one.verdict is ReplayVerdict.FLAKY)
    assert len(done.vulnerable) == 20
    assert "95 % interval" in done.why


@pytest.mark.parametrize(
    ("seeds", "does", "on"),
    [((), "", "an empty input"), (("seed",), OVERFLOW, "the seed seed")],
)
def test_an_oracle_that_fires_on_anything_is_none(
    workshop: Workshop, seeds: tuple[str, ...], does: str, on: str
) -> None:
    """On an empty input, or on an ordinary one."""
    text = (
        READ % does
        if seeds
        else "#include <stdlib.h>\nint main(void) { char *p = malloc(1); return p[1]; }\n"
    )
    bundle = a_bundle(files={"proof": b"P" * 40, "seed": b"P" * 30}, seeds=seeds)
    done = shown(workshop, program("") | {"prog.c": text}, bundle)
    assert done.verdict is ReplayVerdict.TRIVIAL_ORACLE
    assert done.trivial == on


def test_a_planted_secret_that_comes_out(workshop: Workshop) -> None:
    """A program that prints whatever file its input names."""
    does = (
        'FILE *f = fopen((char *)data + 1, "r"); char b[99] = {0}; if (f) fgets(b, 98, f); puts(b);'
    )
    oracle = Oracle(OracleKind.FLAG, flag="/flag/deep/secret")
    bundle = a_bundle(oracle=oracle, files={"proof": b"P/flag/deep/secret\0"})
    assert shown(workshop, program(does), bundle).verdict is CONFIRMED
    elsewhere = a_bundle(oracle=oracle, files={"proof": b"P/etc/passwd\0"})
    assert shown(workshop, program(does), elsewhere).verdict is NOT


SCRIPT = """\
import json
ran, out = json.load(open("run.json")), open("out").read()
print(json.dumps({"fired": out == "total -1" and ran["returncode"] == 1, "why": out[:40]}))
"""


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        (SCRIPT, ReplayVerdict.CONFIRMED_BY_SCRIPT),
        ('print(\'{"fired": false, "why": ""}\')', NOT),
        ("print('yes')", ReplayVerdict.ENVIRONMENT_FAULT),
        ('print(\'{"fired": 1, "why": ""}\')', ReplayVerdict.ENVIRONMENT_FAULT),
        ("raise SystemExit(1)", ReplayVerdict.ENVIRONMENT_FAULT),
    ],
)
def test_a_script_gives_a_typed_word(
    workshop: Workshop, script: str, verdict: ReplayVerdict
) -> None:
    """Shown as a script's word; anything but a word is none, and not the finder's fault."""
    bundle = a_bundle(
        oracle=Oracle(OracleKind.SCRIPT, script="judge.py"),
        files={"proof": b"Pabc", "judge.py": script.encode()},
    )
    assert shown(workshop, program('printf("total -1");'), bundle).verdict is verdict


def test_undefined_behaviour_and_standard_input(workshop: Workshop) -> None:
    """The other sanitizer, and a program that reads no file."""
    does = 'volatile int most = 2147483647; most += data[0]; printf("%d", most);'
    bundle = a_bundle(
        build=Build(BuildWith.MAKE, ("prog",), sanitizers=("undefined",)),
        oracle=Oracle(OracleKind.SANITIZER, ("signed-integer-overflow",)),
        command=("./prog",),
        stdin=True,
    )
    assert shown(workshop, program(does), bundle).verdict is CONFIRMED


def test_a_package_of_python(workshop: Workshop) -> None:
    """Run from its tree, by the interpreter that runs this."""
    text = "import sys\nfrom words import read\nprint(read(open(sys.argv[1]).read()))\n"
    words = "def read(text):\n    return open(text[1:]).read() if text[:1] == 'P' else ''\n"
    bundle = a_bundle(
        build=Build(BuildWith.PYTHON),
        command=("python3", "tool.py", "{proof}"),
        oracle=Oracle(OracleKind.FLAG, flag="/flag/secret"),
        files={"proof": b"P/flag/secret"},
    )
    done = shown(workshop, {"tool.py": text, "src/words.py": words}, bundle)
    assert done.verdict is CONFIRMED, done
    lacking = {"tool.py": "import no_such_module\n"}
    assert shown(workshop, lacking, bundle).verdict is ReplayVerdict.ENVIRONMENT_FAULT


def test_a_build_by_cmake_and_by_words_of_the_bundle(workshop: Workshop) -> None:
    """Both give a program that shows the same."""
    lists = "cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_executable(prog prog.c)\n"
    files = program(OVERFLOW) | {"CMakeLists.txt": lists}
    cmake = a_bundle(build=Build(BuildWith.CMAKE), command=("build/prog", "{proof}"))
    assert shown(workshop, files, cmake).verdict is CONFIRMED
    words = ("sh", "-c", "$CC -o prog prog.c")
    own = a_bundle(build=Build(BuildWith.COMMAND, steps=(words,)))
    assert shown(workshop, files, own).verdict is CONFIRMED


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"files": program("this is no C")}, "error"),
        ({"needs": ("no-such-tool",)}, "this host has no no-such-tool"),
        ({"makefile": "prog:\n\tsleep 100\n"}, "did not end within 2 s"),
        (
            {"makefile": "prog:\n\tfor i in 1 2; do head -c 300000000 /dev/zero > f$$i; done\n"},
            "more than 512 MiB",
        ),
    ],
    ids=["no C", "needs a tool", "a build without an end", "a build too large"],
)
def test_what_does_not_build_is_nobodys_fault(
    workshop: Workshop, changed: dict[str, object], problem: str
) -> None:
    """The verdict is that of the environment, with the words of whoever refused."""
    files = changed.get("files", program(OVERFLOW))
    assert isinstance(files, dict)
    if "makefile" in changed:
        files = {**files, "Makefile": changed["makefile"]}
        workshop.seconds = 2.0 if "sleep" in str(changed["makefile"]) else 60.0
    needs = changed.get("needs", ())
    assert isinstance(needs, tuple)
    commit(workshop.folder, files)
    bundle = a_bundle(build=Build(BuildWith.MAKE, ("prog",), needs=needs))
    done, bench = check(bundle, workshop.lab, "", None, None, workshop.said.append, now=NOW)
    assert bench is None
    assert done.head.verdict is ReplayVerdict.ENVIRONMENT_FAULT
    assert problem in done.head.why
    assert done.on_head.value is None


def test_a_program_that_is_not_there(workshop: Workshop) -> None:
    """Built, and yet nothing to run: the environment's fault."""
    done = shown(workshop, program(OVERFLOW), a_bundle(command=("./absent", "{proof}")))
    assert done.verdict is ReplayVerdict.ENVIRONMENT_FAULT
    assert "does not start" in done.why


def test_a_link_out_of_a_build_is_not_taken(workshop: Workshop) -> None:
    """Nor a device; what stays inside is."""
    makefile = (
        "prog: prog.c\n\t$(CC) -o prog prog.c\n\tln -s /etc/passwd out\n\tln -s ../../x up\n"
        "\tln -s prog inside\n\tmkfifo pipe\n"
    )
    commit(workshop.folder, program(OVERFLOW) | {"Makefile": makefile})
    bench, _, problem = workshop.lab.bench(a_bundle(), "head")
    assert bench is not None, problem
    names = {path.name for path in bench.folder.iterdir()}
    assert {"prog", "inside"} <= names
    assert not names & {"out", "up", "pipe"}


def test_a_second_build_is_taken_from_the_cache(workshop: Workshop, tmp_path: Path) -> None:
    """By the digest of its tree; a cache that is too large loses the oldest."""
    workshop.cache = tmp_path / "own"
    commit(workshop.folder, program(SOUND + "/* one */"))
    assert not workshop.lab.built(a_bundle(), workshop.lab.commit("head")).reused
    assert workshop.lab.built(a_bundle(), workshop.lab.commit("head")).reused
    assert workshop.said[-1].startswith("built before")
    commit(workshop.folder, program(SOUND + "/* two */"))
    workshop.lab.built(a_bundle(), workshop.lab.commit("head"))
    kept = {path.name for path in workshop.cache.iterdir()}
    assert len(kept) == 2
    building._swept(workshop.cache, 1)
    assert list(workshop.cache.iterdir()) == []


def test_the_working_tree_only_when_asked(workshop: Workshop) -> None:
    """A commit is what was entered; --dirty is what lies there, new files and all."""
    commit(workshop.folder, program(OVERFLOW))
    for name, text in program(SOUND).items():
        (workshop.folder / name).write_text(text)
    (workshop.folder / "new.h").write_text("")
    bench, _, _ = workshop.lab.bench(a_bundle(), "head")
    assert bench is not None
    assert replayed(a_bundle(), bench).verdict is CONFIRMED
    lab = workshop.lab
    dirty = type(lab)(lab.repository, lab.builder, lab.say, dirty=True)
    bench, _, _ = dirty.bench(a_bundle(), "head")
    assert bench is not None
    assert replayed(a_bundle(), bench).verdict is NOT
    assert (bench.folder / "new.h").exists()


def test_what_git_says(workshop: Workshop, tmp_path: Path) -> None:
    """Names, tags, files; and what is no repository."""
    commit(workshop.folder, program(SOUND), "v1.0")
    commit(workshop.folder, {".gitmodules": ""} | program("int"))
    repository = Repository(workshop.folder)
    head = repository.commit("HEAD")
    assert repository.newest_tag(head) == "v1.0"
    assert repository.file(head, "Makefile") == program("")["Makefile"].encode()
    assert repository.file(head, "absent") is None
    for name in ("no-such-tag", "v9"):
        with pytest.raises(NotFound):
            repository.commit(name)
    with pytest.raises(Invalid):
        repository.commit("--upload-pack=x")
    with pytest.raises(NotFound):
        Repository(tmp_path).commit("HEAD")
    assert "submodules" in workshop.lab.bench(a_bundle(), "head")[2]
    git(workshop.folder, "tag", "-d", "v1.0")
    assert repository.newest_tag(head) == ""


TWO = 'if (size > 30) { char *a = malloc(4); memcpy(a, data, size); printf("%c", a[1]); }'


def difference(path: str, before: str, after: str) -> bytes:
    """What a fix changes, as a unified difference."""
    rows = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(rows).encode()


def test_the_fix_of_one_on_the_proof_of_another(workshop: Workshop) -> None:
    """Silenced, not silenced, or not known with the reason; tests beside it."""
    before = program(TWO)["prog.c"]
    commit(workshop.folder, program(TWO))
    repair = Repair(("prog.c",), ("prog.c",), ("./prog", "Makefile"), ())
    bundles = {"a": a_bundle(), "b": a_bundle(repair=repair)}
    right = difference("prog.c", before, before.replace("malloc(4)", "malloc(256)"))
    patches = {
        "right": b"a label\n\n" + right,
        "other": difference("prog.c", before, before.replace("size > 30", "size > 31")),
        "does not build": difference("prog.c", before, before.replace("malloc(4)", "malloc(")),
        "does not apply": right.replace(b"malloc(4)", b"malloc(5)"),
        "which is not there": right.replace(b"a/prog.c", b"a/../prog.c"),
        "changes nothing": b"",
        "no UTF-8": b"\xff",
        "longer than": b"x" * (1 << 21),
    }
    cross = HostCross(workshop.lab, bundles, patches, workshop.said.append)
    assert cross.silenced("a", "right") is True
    assert cross.tests_pass("right") is True
    assert cross.silenced("b", "other") is False
    assert HostCross(workshop.lab, {"a": a_bundle()}, patches, print).tests_pass("right") is None
    failing = a_bundle(repair=Repair(("prog.c",), ("prog.c",), ("false",), ()))
    cross_too = HostCross(workshop.lab, {"a": failing}, patches, workshop.said.append)
    assert cross_too.tests_pass("right") is False
    for fix in list(patches)[2:]:
        assert cross.silenced("a", fix) is None
        assert cross.tests_pass(fix) is None
        assert fix in workshop.said[-1]


def test_a_host_that_runs_no_boxes(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says so in words, with the cure, and nothing is counted."""

    def unusable(_: object) -> None:
        raise Unusable("bubblewrap is not installed: install the system package `bubblewrap`")

    monkeypatch.setattr(building, "planned", unusable)
    commit(workshop.folder, program(OVERFLOW))
    done, bench = check(a_bundle(), workshop.lab, "", None, None, workshop.said.append, now=NOW)
    assert bench is None
    assert "install the system package `bubblewrap`" in done.head.why
    assert done.head.verdict is ReplayVerdict.ENVIRONMENT_FAULT
