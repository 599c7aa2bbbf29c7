"""A box runs programs and keeps files as its interface says."""

import asyncio
import contextlib
import dataclasses
import os
import time
from pathlib import Path

import pytest
from inspect_ai.util import OutputLimitExceededError, SandboxUnavailableError

from leadline.sandbox.box import Box, Completed, python_binds, python_env
from leadline.sandbox.config import Bind, BoxConfig
from leadline.sandbox.plan import make_plan
from sandbox.boxes import answers, in_box, in_planned_box, sh

pytestmark = pytest.mark.sandbox


def test_a_program_gets_its_input_arguments_folder_and_variables() -> None:
    """What goes in arrives, what comes out is kept apart, and the code is the program's."""

    async def story(box: Box) -> None:
        await box.exec(["mkdir", "sub"])
        done = await box.exec(
            ["sh", "-c", 'cat; pwd; echo "$WHO $1" >&2; exit 7', "sh", "a b'\"$c"],
            stdin=b"line\n",
            cwd="sub",
            env={"WHO": "me"},
        )
        assert done == Completed(7, b"line\n/box/sub\n", b"me a b'\"$c\n")

    in_box(story)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["no-such-program"], 127, b"No such file"),
        (["/usr"], None, b""),
        (["/no/such"], 127, b"No such file"),
        (["sh", "-c", "kill -TERM $$"], 143, b""),
        ([""], 127, b"No such file"),
    ],
)
def test_what_cannot_run_answers_as_in_a_shell(
    argv: list[str], code: int | None, words: bytes
) -> None:
    """127 for what is not there, 128+signal for what was killed, an error for what may not run."""

    async def story(box: Box) -> None:
        if code is None:
            with pytest.raises(PermissionError):
                await box.exec(argv)
            return
        done = await box.exec(argv)
        assert done.returncode == code
        assert words in done.stderr

    in_box(story)


def test_a_program_cannot_pretend_that_it_could_not_run() -> None:
    """Exit code 126 with the words of a refusal is an ordinary outcome."""
    done = sh("echo Permission denied >&2; exit 126")
    assert (done.returncode, done.stderr) == (126, b"Permission denied\n")


def test_a_script_without_interpreter_line_is_run_by_sh() -> None:
    """As execvpe does."""

    async def story(box: Box) -> None:
        await box.write("script", b'echo "script $1"\n')
        await box.exec(["chmod", "+x", "script"])
        assert (await box.exec(["./script", "x"])).stdout == b"script x\n"
        found = await box.exec(["script", "y"], env={"PATH": "/none:/box:/usr/bin"})
        assert found.stdout == b"script y\n"

    in_box(story)


def test_a_missing_folder_is_named() -> None:
    """The call ends with 126 and says which folder."""

    async def story(box: Box) -> None:
        done = await box.exec(["true"], cwd="/nowhere")
        assert done.returncode == 126
        assert b"cd: /nowhere" in done.stderr

    in_box(story)


def test_one_deadline_covers_the_whole_call() -> None:
    """A program that closes its outputs early is still ended when its time is over, not later."""

    async def story(box: Box) -> float:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await box.exec(["sh", "-c", "exec >&- 2>&-; sleep 30"], timeout=1)
        took = time.monotonic() - begun
        await asyncio.sleep(0.1)
        listed = await box.exec(["sh", "-c", "cat /proc/[0-9]*/comm"])
        assert b"sleep" not in listed.stdout
        return took

    # A second deadline of its own, for the outputs or for the end, would make it two seconds.
    assert 0.9 < in_box(story) < 1.9


def test_a_cancelled_call_leaves_nothing_running() -> None:
    """Cancelling kills the program's group, wherever in the call it happens."""

    async def story(box: Box) -> None:
        for delay in (0.0, 0.001, 0.01, 0.2):
            call = asyncio.create_task(
                box.exec(["sh", "-c", "sleep 30 & sleep 30"], stdin=b"x" * (1 << 20))
            )
            await asyncio.sleep(delay)
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await call
        await asyncio.sleep(0.2)
        listed = await box.exec(["sh", "-c", "cat /proc/[0-9]*/comm"])
        assert b"sleep" not in listed.stdout
        assert await answers(box)

    in_box(story)


def test_a_cancelled_large_call_does_not_spoil_the_stream() -> None:
    """A request cut off half-way would make every later answer wrong."""

    async def story(box: Box) -> None:
        large = ["true", *["x" * 60_000] * 20]
        calls = [asyncio.create_task(box.exec(large)) for _ in range(8)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert await answers(box)

    in_box(story)


def test_many_calls_at_once_each_get_their_own_answer() -> None:
    """200 calls share one box, 64 at a time."""

    async def story(box: Box) -> None:
        calls = [box.exec(["sh", "-c", f"echo {n}; exit {n % 100}"]) for n in range(200)]
        for n, done in enumerate(await asyncio.gather(*calls)):
            assert (done.returncode, done.stdout) == (n % 100, b"%d\n" % n)

    in_box(story)


def test_large_input_output_and_files_pass_unchanged() -> None:
    """8 MiB through a program and 20 MiB through a file."""

    async def story(box: Box) -> None:
        data = os.urandom(8 << 20)
        assert (await box.exec(["cat"], stdin=data)).stdout == data
        big = os.urandom(20 << 20)
        await box.write("deep/er/file", big)
        assert await box.read("deep/er/file") == big
        await box.write("deep/er/file", b"short")
        assert await box.read("/box/deep/er/file") == b"short"

    in_box(story)


def test_a_program_that_ignores_its_input_is_no_error() -> None:
    """More input than a pipe holds, and nobody reads it."""
    done = in_box(lambda box: box.exec(["true"], stdin=b"x" * (1 << 20)))
    assert done == Completed(0, b"", b"")


def test_standard_streams_can_be_opened_by_name() -> None:
    """Programs that write to /dev/stdout and /dev/stderr and read /dev/stdin work."""

    async def story(box: Box) -> None:
        script = "cat /dev/stdin > /dev/stdout; echo err > /dev/stderr"
        done = await box.exec(["sh", "-c", script], stdin=b"in\n")
        assert done == Completed(0, b"in\n", b"err\n")

    in_box(story)


def test_a_background_process_does_not_hold_a_call_up() -> None:
    """The call ends at once, the process goes on, and printing does not kill it."""

    async def story(box: Box) -> None:
        begun = time.monotonic()
        done = await box.exec(
            [
                "sh",
                "-c",
                "(for i in 1 2 3 4 5 6 7 8; do echo x; sleep 0.1; done; echo > alive) & echo hi",
            ]
        )
        assert time.monotonic() - begun < 0.6
        assert done.stdout.startswith((b"hi\n", b"x\nhi\n"))
        await asyncio.sleep(1.2)
        assert await box.read("alive") == b"\n"

    in_box(story)


def test_files_are_refused_by_the_fitting_error() -> None:
    """Missing, folder, forbidden, device, FIFO, read-only."""

    async def story(box: Box) -> None:
        await box.exec(["sh", "-c", "mkfifo fifo; mkdir folder; echo x > secret; chmod 0 secret"])
        reads: tuple[tuple[str, type[OSError]], ...] = (
            ("none", FileNotFoundError),
            ("folder", IsADirectoryError),
            ("secret", PermissionError),
            ("/dev/zero", PermissionError),
            ("fifo", PermissionError),
        )
        for path, error in reads:
            with pytest.raises(error, match=path):
                await box.read(path)
        writes: tuple[tuple[str, type[OSError]], ...] = (
            ("folder", IsADirectoryError),
            ("secret", PermissionError),
            ("/dev/null", PermissionError),
            ("/usr/x", PermissionError),
            ("fifo", OSError),
        )
        for path, error in writes:
            with pytest.raises(error):
                await box.write(path, b"x")

    in_box(story)


def test_too_much_output_ends_the_program() -> None:
    """The bound is per output; memory of the host stays flat; the box goes on."""

    async def story(box: Box) -> None:
        with pytest.raises(OutputLimitExceededError):
            await box.exec(["sh", "-c", "yes"], output_bytes_max=100_000)
        with pytest.raises(OutputLimitExceededError):
            await box.exec(["sh", "-c", "yes >&2"], output_bytes_max=100_000)
        await box.write("file", b"x" * 2000)
        with pytest.raises(OutputLimitExceededError):
            await box.read("file", bytes_max=1000)
        exact = await box.exec(["head", "-c", "100000", "/dev/zero"], output_bytes_max=100_000)
        assert len(exact.stdout) == 100_000
        await asyncio.sleep(0.1)
        listed = await box.exec(["sh", "-c", "cat /proc/[0-9]*/comm"])
        assert b"yes" not in listed.stdout

    in_box(story)


def test_an_ended_box_says_so() -> None:
    """A call that is running when the box ends, and every later one, is unavailable."""

    async def story(box: Box) -> None:
        call = asyncio.create_task(box.exec(["sleep", "30"]))
        await asyncio.sleep(0.1)
        os.kill(box.pid, 9)
        with pytest.raises(SandboxUnavailableError):
            await call
        assert not box.running
        with pytest.raises(SandboxUnavailableError):
            await box.exec(["true"])

    in_box(story)


def test_words_that_cannot_be_passed_are_refused_before_anything_runs() -> None:
    """NUL characters, and arguments past the frame's bound."""

    async def story(box: Box) -> None:
        with pytest.raises(ValueError, match="NUL"):
            await box.exec(["echo", "a\0b"])
        with pytest.raises(ValueError, match="exceed"):
            await box.exec(["true", "x" * (17 << 20)])
        assert await answers(box)

    in_box(story)


def test_binds_are_read_only_and_reach_hidden_folders(tmp_path: Path) -> None:
    """A source below a folder that only its owner may enter works like any other."""
    hidden = tmp_path / "hidden"
    (hidden / "data").mkdir(parents=True)
    (hidden / "data" / "file").write_text("deep")
    (hidden / "data").chmod(0o755)
    hidden.chmod(0o700)
    config = BoxConfig(
        binds=(
            Bind(source=str(hidden / "data"), target="/task"),
            Bind(source=str(hidden / "data" / "file"), target="/one/file"),
        )
    )

    async def story(box: Box) -> None:
        assert await box.read("/task/file") == b"deep"
        assert await box.read("/one/file") == b"deep"
        with pytest.raises(PermissionError):
            await box.write("/task/file", b"x")
        assert (await box.exec(["touch", "/task/new"])).returncode != 0

    in_box(story, config)
    assert (hidden / "data" / "file").read_text() == "deep"


def test_the_running_interpreter_works_inside() -> None:
    """`python_binds` and `python_env` bring it along, with its extension modules."""
    config = BoxConfig(binds=python_binds(), env=python_env())
    script = "import ssl, sqlite3, ctypes, sys; print(sys.version_info[:2])"
    done = in_box(lambda box: box.exec(["python3", "-c", script]), config)
    assert done.returncode == 0, done.stderr


def test_an_image_can_be_the_root(tmp_path: Path) -> None:
    """An unpacked folder takes the place of the host's /usr; every mount of ours still exists."""
    image = tmp_path / "image"
    for folder in ("bin", "etc", "var/lib", "tmp"):
        (image / folder).mkdir(parents=True)
    (image / "etc" / "motd").write_text("from the image")
    (image / "bin" / "hello").write_bytes(b"")
    (image / "lib").symlink_to("usr/lib")

    async def story(box: Box) -> None:
        assert await box.read("/etc/motd") == b"from the image"
        assert b"ID=" in await box.read("/etc/os-release")
        await box.write("/box/x", b"1")
        await box.write("/var/tmp/x", b"1")
        with pytest.raises(FileNotFoundError):
            await box.read("/usr/bin/env")
        assert (await box.exec(["/run/sbx/probe"])).returncode == 0

    in_box(story, BoxConfig(rootfs=str(image)))


def test_a_box_that_cannot_start_says_what_bubblewrap_said() -> None:
    """The message is bubblewrap's own, and nothing is left behind."""
    config = BoxConfig(binds=(Bind(source="/does/not/exist", target="/x"),))
    with pytest.raises(SandboxUnavailableError, match="does/not/exist"):
        in_box(answers, config)


def test_equal_configurations_give_equal_identities() -> None:
    """And each thing that changes a box changes its digest."""
    first, second = make_plan(BoxConfig()), make_plan(BoxConfig(warm=3))

    async def digest(box: Box) -> str:
        return box.identity.digest

    same = in_planned_box(digest, first)
    assert same == in_planned_box(digest, second)
    assert same != in_box(digest, BoxConfig(disk_mb=100))
    assert same != in_box(digest, BoxConfig(env={"A": "b"}))


def descriptors() -> int:
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_stopping_twice_is_once_and_leaves_no_descriptor() -> None:
    """Boxes come and go without growing the host process."""

    async def story() -> tuple[int, int]:
        async with await Box.start(BoxConfig()) as box:
            await box.exec(["true"])
            await box.stop()
        before = descriptors()
        for _ in range(5):
            async with await Box.start(BoxConfig()) as box:
                await box.exec(["sh", "-c", "sleep 5 & yes | head -c 1000"])
                with pytest.raises(TimeoutError):
                    await box.exec(["sleep", "9"], timeout=0.02)
        return before, descriptors()

    before, after = asyncio.run(story())
    assert before == after


def test_too_many_words_are_the_callers_trouble() -> None:
    """As in a shell: exit status 126, and the box goes on."""

    async def story(box: Box) -> None:
        for words in (["x"] * 70_000, ["x" * 200_000]):
            done = await box.exec(["true", *words])
            assert done.returncode == 126
            assert b"Argument list too long" in done.stderr
        assert await answers(box)

    in_box(story)


def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    """Neither processes nor descriptors, whenever it happens."""

    async def story() -> tuple[int, int]:
        await (await Box.start(BoxConfig())).stop()
        before = descriptors()
        for delay in (0, 0.001, 0.003, 0.005):
            start = asyncio.create_task(Box.start(BoxConfig()))
            await asyncio.sleep(delay)
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await (await start).stop()
        return before, descriptors()

    before, after = asyncio.run(story())
    assert before == after


def test_a_bubblewrap_that_is_gone_is_an_error_of_its_own() -> None:
    """Nothing stays behind when the program cannot even be executed."""
    plan = make_plan(BoxConfig())
    gone = dataclasses.replace(plan, host=dataclasses.replace(plan.host, bwrap="/no/such/bwrap"))
    before = descriptors()
    with pytest.raises((SandboxUnavailableError, FileNotFoundError), match="/no/such/bwrap"):
        in_planned_box(answers, gone)
    assert descriptors() == before


def test_pipes_held_by_many_daemons_are_bounded() -> None:
    """Each call leaves a process that holds its outputs; the host keeps 128 of them at most."""

    async def story(box: Box) -> int:
        before = descriptors()
        for _ in range(5):
            calls = [box.exec(["sh", "-c", "sleep 60 &"]) for _ in range(20)]
            await asyncio.gather(*calls)
        assert await answers(box)
        return descriptors() - before

    assert 100 <= in_box(story, BoxConfig(nproc=400)) <= 130


def test_a_file_operation_that_is_killed_inside_says_so() -> None:
    """It is neither done nor an error of the file."""

    async def story(box: Box) -> None:
        await box.exec(["mkdir", "d"])
        write = asyncio.create_task(box.write("d/f", b"x" * (60 << 20)))
        await asyncio.sleep(0.005)
        box.kill_all()
        with pytest.raises(SandboxUnavailableError, match="ended in the sandbox"):
            await write
        assert await answers(box)

    in_box(story)


def test_a_file_too_large_for_its_place_is_an_error_of_the_file() -> None:
    """Past the bound on one file, and past the size of the mount."""

    async def story(box: Box) -> None:
        with pytest.raises(OSError, match="File too large"):
            await box.write("f", b"x" * (3 << 20))
        await box.exec(["rm", "f"])
        for name in ("a", "b", "c"):
            await box.write(name, b"x" * (2 << 20))
        with pytest.raises(OSError, match="No space"):
            await box.write("d", b"x" * (2 << 20))

    in_box(story, BoxConfig(fsize_mb=2, disk_mb=7))


def test_an_interrupt_at_the_terminal_is_not_the_boxes_business() -> None:
    """They are in no process group of the driver, so Ctrl-C leaves the ending to it."""

    async def group(box: Box) -> int:
        return os.getpgid(box.pid)

    assert in_box(group) != os.getpgid(0)
