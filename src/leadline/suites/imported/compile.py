"""Challenge folders, built in sandboxes: once as they are and once with the repair.

Three forms, told apart by what lies there: a collection with a build of its own (``CMakeLists.txt``
above the challenges, which offers ``NAME`` and ``NAME_patched``); a challenge that is a CMake project
by itself, configured with and without ``PATCHED``; and a bare folder of ``src`` and ``lib``, for which
a project is written here, with AddressSanitizer where the program bears it. No build touches the host:
each has a box of its own, and a collection's common libraries are built once in another.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import Unavailable
from leadline.sandbox import box as sandbox
from leadline.sandbox.config import Bind, BoxConfig
from leadline.suites.imported.source import BuildTask

SECONDS = 300.0
POV_SECONDS = 20
POV_BYTES_MAX = 10 << 20
PROGRAM = "program"
SOURCE, BUILD, FIXED = "/source", "/box/build", "/box/fixed"
_TOOLS, _PACKAGES = ("cmake", "ninja", "clang", "tar"), "cmake ninja-build clang tar"
_COMMON = ("CMakeLists.txt", "include", "exclude", "cmake")
_ASAN = "-g -O0 -fsanitize=address -fno-omit-frame-pointer"
_PLAIN = "-g -O0 -fno-builtin -fno-stack-protector"
_COMPILERS = (
    *("-G", "Ninja", "-DCMAKE_C_COMPILER=clang", "-DCMAKE_CXX_COMPILER=clang++"),
    *("-DCMAKE_ASM_COMPILER=clang", "-DBUILD_SHARED_LIBS=OFF", "-DBUILD_STATIC_LIBS=ON"),
    "-DCMAKE_POLICY_VERSION_MINIMUM=3.5",
)
_PATCHED = "-DPATCHED " + " ".join(f"-DPATCHED_{number}" for number in range(1, 17))
_PROJECT = re.compile(r"^\s*project\s*\(", re.MULTILINE | re.IGNORECASE)
_SAFE = re.compile(r"[A-Za-z0-9_.+-]{1,120}")

# For a bare folder. A challenge's own CMakeLists may call buildCB(), as in cb-multios.
_PROJECT_TEXT = """\
cmake_minimum_required(VERSION 3.13)
project(challenge C CXX)
set(cb_path "{source}")
set(cb_id "{name}")
function(buildCB)
  file(GLOB_RECURSE found "${{cb_path}}/src/*.c" "${{cb_path}}/src/*.cc" "${{cb_path}}/src/*.cpp"
       "${{cb_path}}/lib/*.c" "${{cb_path}}/lib/*.cc" "${{cb_path}}/lib/*.cpp")
  foreach(variant "" "_patched")
    add_executable("${{cb_id}}${{variant}}" ${{found}})
    target_include_directories("${{cb_id}}${{variant}}" PRIVATE
      "${{cb_path}}/src" "${{cb_path}}/lib" "${{cb_path}}/include")
    target_link_libraries("${{cb_id}}${{variant}}" PRIVATE m)
  endforeach()
  target_compile_definitions("${{cb_id}}_patched" PRIVATE PATCHED)
  foreach(i RANGE 1 16)
    target_compile_definitions("${{cb_id}}_patched" PRIVATE "PATCHED_${{i}}")
  endforeach()
endfunction()
{body}
"""

# Runs a proof that is a program against the flawed build and keeps what it sent. The proof speaks to
# the program on its standard streams and negotiates on descriptor 3 what a register or page holds.
_RECORDER = """\
import os, socket, struct, subprocess, sys, threading
taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]  # so that neither end is descriptor 3
ours, theirs = socket.socketpair()
for one in taken:
    os.close(one)
os.dup2(theirs.fileno(), 3, True)
program, proof, out = sys.argv[1:]
quiet = subprocess.DEVNULL
flawed = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet)
sender = subprocess.Popen([proof], stdin=flawed.stdout, stdout=subprocess.PIPE, stderr=quiet, pass_fds=(3,))
flawed.stdout.close()
os.close(3)
theirs.close()
def exact(count):
    data = b""
    while len(data) < count:
        piece = ours.recv(count - len(data))
        if not piece:
            raise SystemExit
        data += piece
    return data
def negotiate():
    if struct.unpack("<I", exact(4))[0] == 1:
        exact(12)
        ours.sendall(struct.pack("<II", 0x41424344, 0x45464748))
    else:
        ours.sendall(struct.pack("<III", 0x4347C000, 4096, 4))
threading.Thread(target=negotiate, daemon=True).start()
with open(out, "wb") as kept:
    while True:
        data = os.read(sender.stdout.fileno(), 65536)
        if not data:
            break
        kept.write(data)
        kept.flush()
        try:
            flawed.stdin.write(data)
            flawed.stdin.flush()
        except BrokenPipeError:
            pass
"""


class Unbuilt(Exception):
    """The challenge does not build; the message is the end of what the tools said."""


@dataclass(frozen=True, slots=True)
class Built:
    """Both programs of a challenge, and whether AddressSanitizer is in them.

    *sent* is what those proofs that are programs sent, by their name.
    """

    flawed: bytes
    fixed: bytes
    sanitizer: bool
    sent: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """The common libraries of a collection, built: an archive of the build folder."""

    archive: bytes


def check_tools() -> None:
    """Raises: Unavailable, naming what is not installed of what builds need."""
    missing = [name for name in _TOOLS if shutil.which(name) is None]
    if missing:
        raise Unavailable(f"{', '.join(missing)} not installed; install Debian's {_PACKAGES}")


def excluded(root: Path) -> frozenset[str]:
    """The challenges that the collection's own build leaves out on Linux."""
    listed = root / "exclude" / "linux.txt"
    lines = listed.read_text(encoding="utf-8", errors="replace") if listed.is_file() else ""
    return frozenset(line.strip() for line in lines.splitlines() if line.strip())


async def build_shared(root: Path) -> Shared:
    """The common libraries of the collection at *root*.

    Raises: Unbuilt; Unavailable, if no box can be had.
    """
    async with await _box(_common_binds(root)) as box:
        await _run(box, ["cmake", "-S", SOURCE, "-B", BUILD, *_COMPILERS])
        await _run(box, ["cmake", "--build", BUILD])
        await _run(box, ["tar", "-C", "/box", "-czf", "/tmp/shared.tgz", "build"])  # noqa: S108
        return Shared(await box.read("/tmp/shared.tgz"))  # noqa: S108 -- inside the box


async def build(task: BuildTask, shared: Shared | None) -> Built:
    """Both programs of *task*.

    Raises: Unbuilt, with what the tools said last; Unavailable, if no box can be had.
    """
    if not _SAFE.fullmatch(task.id):
        raise Unbuilt(
            f"{task.id!r} is no name that make and CMake bear; use letters, digits, . + - and _"
        )
    if task.root is not None and shared is not None:
        return await _in_collection(task, task.root, shared)
    own = task.folder / "CMakeLists.txt"
    text = own.read_text(encoding="utf-8", errors="replace") if own.is_file() else ""
    if _PROJECT.search(text):
        return await _own_project(task, sanitized="fsanitize" in text)
    return await _bare(task, text)


async def _in_collection(task: BuildTask, root: Path, shared: Shared) -> Built:
    binds = [*_common_binds(root), Bind(source=str(task.folder), target=_at(task))]
    async with await _box(binds) as box:
        await box.write("/tmp/shared.tgz", shared.archive)  # noqa: S108 -- inside the box
        await _run(box, ["tar", "-C", "/box", "-xzf", "/tmp/shared.tgz"])  # noqa: S108
        await _run(box, ["cmake", "-S", SOURCE, "-B", BUILD, *_COMPILERS])
        await _run(box, ["cmake", "--build", BUILD, "--target", task.id, f"{task.id}_patched"])
        flawed = await _one(box, BUILD, task.id)
        fixed = await _one(box, BUILD, f"{task.id}_patched")
        sent = [
            (name, data)
            for name in _programs(task.folder)
            if (data := await _sent(box, task.id, flawed, name))
        ]
        return Built(
            await box.read(flawed), await box.read(fixed), sanitizer=False, sent=tuple(sent)
        )


def _programs(folder: Path) -> list[str]:
    """The proofs that are programs: folders ``pov_*`` with C in them."""
    return sorted(
        one.name
        for one in folder.glob("pov_*")
        if one.is_dir() and any(one.glob(f"*.{suffix}") for suffix in ("c", "cc", "cpp"))
    )


async def _sent(box: sandbox.Box, id_: str, flawed: str, name: str) -> bytes:
    """What the proof *name* sends to the flawed program; nothing where it does not build or run."""
    target = f"{id_}_{name}"
    done = await box.exec(["cmake", "--build", BUILD, "--target", target], timeout=SECONDS)
    if done.returncode != 0:
        return b""
    proof = await _one(box, BUILD, f"{name}.pov")
    await box.write("/box/record.py", _RECORDER.encode())
    # A proof that goes on waiting has sent what it had to send.
    record = ["timeout", "-s", "KILL", str(POV_SECONDS), "python3", "/box/record.py"]
    await box.exec([*record, flawed, proof, f"/box/{name}.sent"], timeout=SECONDS)
    try:
        return await box.read(f"/box/{name}.sent", bytes_max=POV_BYTES_MAX)
    except FileNotFoundError:
        return b""


async def _own_project(task: BuildTask, *, sanitized: bool) -> Built:
    flags = "-g" if sanitized else _ASAN
    built = await _twice(task, flags)
    if not sanitized and await _restless(built.flawed):
        return await _twice(task, _PLAIN)
    return Built(built.flawed, built.fixed, sanitizer=True)


async def _twice(task: BuildTask, flags: str) -> Built:
    """A project configured once as it is and once with the repair."""
    async with await _box([Bind(source=str(task.folder), target=_at(task))]) as box:
        plain = [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
        await _run(box, ["cmake", "-S", _at(task), "-B", BUILD, *_COMPILERS, *plain])
        await _run(box, ["cmake", "--build", BUILD])
        names = await _executables(box, BUILD)
        pairs = [name for name in names if f"{name}_patched" in names]
        if len(pairs) == 1:
            flawed, fixed = names[pairs[0]], names[f"{pairs[0]}_patched"]
        else:
            both = f"{flags} {_PATCHED}"
            more = ["-DPATCHED=ON", f"-DCMAKE_C_FLAGS={both}", f"-DCMAKE_CXX_FLAGS={both}"]
            await _run(box, ["cmake", "-S", _at(task), "-B", FIXED, *_COMPILERS, *more])
            await _run(box, ["cmake", "--build", FIXED])
            flawed = _only(names, task.id)
            fixed = _only(await _executables(box, FIXED), task.id)
        return Built(await box.read(flawed), await box.read(fixed), sanitizer=False)


async def _bare(task: BuildTask, own: str) -> Built:
    """A bare folder: with AddressSanitizer, or without where the program does not bear it."""
    try:
        built = await _written(task, own, _ASAN)
        if not await _restless(built.flawed):
            return Built(built.flawed, built.fixed, sanitizer=True)
    except Unbuilt:
        return await _written(task, own, _PLAIN)
    return await _written(task, own, _PLAIN)


async def _written(task: BuildTask, own: str, flags: str) -> Built:
    body = f'add_subdirectory("{_at(task)}" cb)' if own else "buildCB()"
    project = _PROJECT_TEXT.format(source=_at(task), name=task.id, body=body)
    async with await _box([Bind(source=str(task.folder), target=_at(task))]) as box:
        await box.write("/box/made/CMakeLists.txt", project.encode())
        given = [f"-DCMAKE_C_FLAGS={flags} -w", f"-DCMAKE_CXX_FLAGS={flags} -w"]
        await _run(box, ["cmake", "-S", "/box/made", "-B", BUILD, *_COMPILERS, *given])
        await _run(box, ["cmake", "--build", BUILD])
        flawed = await _one(box, BUILD, task.id)
        fixed = await _one(box, BUILD, f"{task.id}_patched")
        return Built(await box.read(flawed), await box.read(fixed), sanitizer=False)


async def _restless(program: bytes) -> bool:
    """Whether the sanitizer ends *program* already without any input: it does not bear it."""
    async with await _box([]) as box:
        await box.write("/box/program", program)
        await _run(box, ["chmod", "755", "/box/program"])
        done = await box.exec(
            ["timeout", "-s", "KILL", str(POV_SECONDS), "/box/program"],
            env={"ASAN_OPTIONS": "detect_leaks=0:symbolize=0:exitcode=99"},
            timeout=SECONDS,
        )
        return b"AddressSanitizer" in done.stderr


def _at(task: BuildTask) -> str:
    return f"{SOURCE}/challenges/{task.id}"


def _common_binds(root: Path) -> list[Bind]:
    return [
        Bind(source=str(root / name), target=f"{SOURCE}/{name}")
        for name in _COMMON
        if (root / name).exists()
    ]


async def _box(binds: Sequence[Bind]) -> sandbox.Box:
    config = BoxConfig(binds=tuple(binds), disk_mb=2048, memory_mb=3072, fsize_mb=1024)
    try:
        return await sandbox.Box.start(config)
    except (sandbox.Unusable, OSError) as error:
        raise Unavailable(f"no sandbox to build in: {error}") from error


async def _run(box: sandbox.Box, argv: Sequence[str]) -> None:
    try:
        done = await box.exec(list(argv), timeout=SECONDS)
    except TimeoutError:
        raise Unbuilt(f"{argv[0]} did not end within {SECONDS:g} s") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").split("\n")
        raise Unbuilt(f"{argv[0]} ended with {done.returncode}: {_telling(said)[:300]}")


def _telling(lines: Sequence[str]) -> str:
    """The first line that names an error, else the last that says anything."""
    errors = [line for line in lines if re.search(r"\berror\b|not found", line, re.IGNORECASE)]
    spoken = [line for line in lines if line.strip()]
    return (errors[:1] or spoken[-1:] or ["it said nothing"])[0].strip()


async def _executables(box: sandbox.Box, folder: str) -> dict[str, str]:
    """The programs below *folder*, by name; CMake's own trials left out."""
    find = ["find", folder, "-path", "*/CMakeFiles", "-prune", "-o", "-type", "f", "-perm", "-1"]
    done = await box.exec([*find, "-print"], timeout=SECONDS)
    paths = done.stdout.decode("utf-8", "replace").splitlines()
    return {path.rsplit("/", 1)[-1]: path for path in paths if not path.endswith((".so", ".a"))}


async def _one(box: sandbox.Box, folder: str, name: str) -> str:
    found = await _executables(box, folder)
    if name not in found:
        raise Unbuilt(f"the build made no program {name}")
    return found[name]


def _only(found: dict[str, str], name: str) -> str:
    if name in found:
        return found[name]
    if len(found) != 1:
        raise Unbuilt(f"the build made {len(found)} programs ({', '.join(sorted(found))}), not one")
    return next(iter(found.values()))
