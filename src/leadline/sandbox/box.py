"""A box: one bubblewrap sandbox with an exec server as its first process.

    async with await Box.start(BoxConfig()) as box:
        done = await box.exec(["sh", "-c", "echo hello"])

Invariants: every call has one absolute deadline; a call that is cancelled, times out or prints too
much has its process group killed; file operations run inside the box as its user, so links and
devices resolve against the box's own tree; when the host process or the box's socket goes, the
kernel ends every process of the box.
"""

import asyncio
import errno
import hashlib
import os
import shlex
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Literal, Self

from leadline.sandbox import bundle, slots
from leadline.sandbox.channel import Channel, Ended
from leadline.sandbox.config import Bind, BoxConfig, canonical
from leadline.sandbox.gvisor import Scales, end_tree, ended, runtime
from leadline.sandbox.kernel import KernelPlan, kernel_plan
from leadline.sandbox.network import Join
from leadline.sandbox.pipes import Pipes
from leadline.sandbox.plan import STAGE, Plan, exec_environment, inside, make_plan
from leadline.sandbox.survey import Unusable, python_binds, python_env, survey
from leadline.sandbox.ward import ADMISSION, NoWardenError
from leadline.sandbox.watchdog import WATCHDOG, Bounds, Watched, children, tree

__all__ = [
    "Bind",
    "Box",
    "BoxConfig",
    "Completed",
    "Identity",
    "Unusable",
    "python_binds",
    "python_env",
]

OUTPUT_BYTES_MAX = 10 << 20
FILE_BYTES_MAX = 100 << 20
CALLS_MAX = 64
HELD_PIPES_MAX = 128
ENTRY_BYTES = 4096  # what a kernel of a box's own may hold for one file or folder, name included
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 5.0
FILE_SECONDS_MAX = 180.0
BACKGROUND_SECONDS = 0.25  # how long a finished call waits for pipes that its children hold
_FROM_CHDIR, _FROM_INIT = 1000, 2000
_NOT_FOUND, _NOT_EXECUTABLE, _KILLED = 127, 126, 137

Limit = Literal["", "memory", "inodes", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Completed:
    """How a job ended: exit code or 128+signal, as a shell counts, and what it printed.

    *limit* names the bound of the box that ended it, if one did.
    """

    returncode: int
    stdout: bytes
    stderr: bytes
    limit: Limit = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a box is, by digest; two boxes of equal identity are the same to what runs inside.

    *seal* is the part that shuts it off: equal in boxes that differ in read-only binds alone.
    *driver* is the program that starts the box, with its release; for a kernel of the box's own also
    its platform and the digest of its bytes. *kernel* is the host's.
    """

    config: str
    template: str
    seal: str
    init: str
    seccomp: str
    kernel: str
    driver: str
    mode: str
    tier: str

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all of it, in hexadecimal: the box digest."""
        return hashlib.sha256(canonical(asdict(self))).hexdigest()


def planned(config: BoxConfig) -> Plan | KernelPlan:
    """How a box of *config* is started on this host.

    Raises: Unusable where this host cannot give the tier; FileNotFoundError for a missing rootfs.
    """
    if config.tier == "shared-kernel":
        return make_plan(config)
    return kernel_plan(config, survey(), runtime())


def identity(plan: Plan | KernelPlan) -> Identity:
    """The identity of every box that *plan* starts."""
    return Identity(
        config=plan.config.digest,
        template=plan.template_digest,
        seal=plan.seal_digest,
        init=plan.host.init_digest,
        seccomp=plan.host.seccomp_digest,
        kernel=plan.host.kernel,
        driver=plan.driver,
        mode=plan.host.mode,
        tier=plan.config.tier,
    )


def _unavailable(message: str) -> RuntimeError:
    # Imported when needed: Inspect takes seconds to import and most callers have it anyway.
    from inspect_ai.util import SandboxUnavailableError

    return SandboxUnavailableError(message)


def _output_limit(bytes_max: int, printed: bytes) -> Exception:
    from inspect_ai.util import OutputLimitExceededError

    shown = printed[:65_536].decode(errors="replace")
    return OutputLimitExceededError(f"{bytes_max / (1 << 20):g} MiB", shown)


def _in_memory(name: str, data: bytes) -> int:
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


_Started = tuple[subprocess.Popen[bytes], int, bundle.Bundle | None]


def _launch(plan: Plan | KernelPlan, control: int, uid: int | None, join: Join | None) -> _Started:
    """Start the box: its process, a descriptor of what it may complain, the folder it stands on."""
    if isinstance(plan, KernelPlan):
        return _launch_kernel(plan, control)
    return _launch_bwrap(plan, control, uid, join)


def _launch_bwrap(plan: Plan, control: int, uid: int | None, join: Join | None) -> _Started:
    complaints = os.memfd_create("complaints", os.MFD_CLOEXEC)
    contents = {"seccomp": plan.host.seccomp, "init": plan.host.init, **plan.data}
    fds = {name: _in_memory(name, data) for name, data in contents.items()}
    argv = [plan.host.bwrap, *plan.fill({**fds, "control": control})]
    if uid is not None:
        fds["stage"] = _in_memory("stage", plan.host.init)
        staged = plan.fill_stage({"uid": uid})
        argv = [f"/proc/self/fd/{fds['stage']}", "stage", str(uid), STAGE, *staged, "--", *argv]
    entered, held = ((), ()) if join is None else (join.argv, join.fds)
    try:
        process = subprocess.Popen(
            [*entered, *argv],
            pass_fds=(control, *fds.values(), *held),
            process_group=0,  # Ctrl-C is for the driver, which then ends its boxes in order
            stdin=subprocess.DEVNULL,
            stdout=complaints,
            stderr=complaints,
            env={},
            cwd="/",
        )
    except OSError:
        os.close(complaints)
        raise
    finally:
        for fd in fds.values():
            os.close(fd)
    return process, complaints, None


def _launch_kernel(plan: KernelPlan, control: int) -> _Started:
    bundle.swept()
    laid = bundle.made(plan)
    complaints = os.memfd_create("complaints", os.MFD_CLOEXEC)
    try:
        return bundle.start(plan, laid, control, complaints), complaints, laid
    except OSError:
        os.close(complaints)
        laid.remove()
        raise


class Box:
    """One running sandbox, for use on the event loop that started it; never reused."""

    def __init__(
        self, plan: Plan | KernelPlan, channel: Channel, process: subprocess.Popen[bytes]
    ) -> None:
        self.plan = plan
        self.config = plan.config
        self.identity = identity(plan)
        self.pid = process.pid
        self.pidfd = os.pidfd_open(process.pid)
        self._process = process
        self._channel = channel
        self._slot: slots.Slot | None = None
        self._bundle: bundle.Bundle | None = None
        self._scales = Scales(process.pid) if isinstance(plan, KernelPlan) else None
        self._calls = asyncio.Semaphore(CALLS_MAX)
        self._held: list[int] = []
        self._watched: Watched | None = None
        self._stopped = False

    @classmethod
    async def start(cls, config: BoxConfig) -> Self:
        """Start a box and wait until it answers, 20 s at most.

        Raises: Unusable where this host cannot run one; Inspect's SandboxUnavailableError with
        bubblewrap's own words if it did not start.
        """
        return await cls.start_plan(planned(config))

    @classmethod
    async def start_plan(cls, plan: Plan | KernelPlan, join: Join | None = None) -> Self:
        """Start a box as planned; `start` is this with the plan of a configuration.

        A box of a private network is started in *join*, its host's namespace.

        Raises: Unusable, if the plan needs such a namespace and none is given, or the reverse.
        """
        if plan.joined != (join is not None):
            raise Unusable("a box with a private network is started in it: use hosts.Hosts")
        own_uid = isinstance(plan, Plan) and plan.host.mode == "root"
        slot = slots.take() if own_uid else None
        host, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        channel = Channel(host)
        try:
            uid = slot.uid if slot else None
            process, complaints, laid = _launch(plan, child.fileno(), uid, join)
        except OSError:
            channel.close()
            if slot:
                slot.release(in_order=True)
            raise
        finally:
            child.close()
        box = cls(plan, channel, process)
        box._slot, box._bundle = slot, laid
        try:
            await box._answering(complaints)
        finally:
            os.close(complaints)
        weigh = box._scales.weigh if box._scales else None
        watched = Watched(box.pid, box.pidfd, box.bounds(), channel.kill_all, weigh=weigh)
        box._watched = WATCHDOG.watch(watched)
        try:
            await ADMISSION.admit("box", box.pids_to_end())
        except NoWardenError as error:
            await box.stop()
            raise _unavailable(str(error)) from error
        return box

    async def _answering(self, complaints: int) -> None:
        """Wait until the first process answers; a box that does not is stopped."""
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                await self._channel.ready
        except (Ended, TimeoutError) as error:
            await self.stop()
            words = os.pread(complaints, 4096, 0).decode(errors="replace").strip()
            raise _unavailable(
                f"the sandbox did not start: {words or type(error).__name__}"
            ) from error
        except asyncio.CancelledError:
            await self.stop()
            raise

    @property
    def uid(self) -> int | None:
        """The host uid that only this box runs as; None where boxes share the caller's."""
        return self._slot.uid if self._slot else None

    def pids_to_end(self) -> list[int]:
        """The processes whose end ends the box, the one to end first in front.

        Ending the first is enough; the others are named for a warden that leaves nothing to chance.
        """
        if self._scales is None:
            return [self.pid]
        return self._scales.processes()

    @property
    def inner_pid(self) -> int | None:
        """As the host numbers it: the first process, or the kernel that stands for the whole box."""
        if self._scales is None:
            return next(iter(children(self.pid)), None)
        self._scales.weigh()
        return self._scales.sandbox or None

    @property
    def running(self) -> bool:
        """Whether calls can still be made."""
        return not self._channel.ended

    def bounds(self) -> Bounds:
        """What the watchdog holds this box to; in root mode its mounts bound inodes themselves.

        A kernel of the box's own gives entries memory like anything else, and that is bounded.
        """
        own = self.plan.host.mode == "root" or self._scales is not None
        mounts = ("/tmp", "/var/tmp", "/dev/shm", self.config.workdir)  # noqa: S108 - inside the box
        config = self.config
        sizes_mb = config.disk_mb + 2 * config.tmp_mb + config.shm_mb
        files = (sizes_mb << 20) + config.inodes * ENTRY_BYTES
        return Bounds(config.memory_mb << 20, config.inodes, () if own else mounts, files)

    @property
    def limits_hit(self) -> tuple[Limit, ...]:
        """Which bounds ended everything in this box, in order; one entry each time."""
        return self._watched.hits if self._watched else ()

    @property
    def peak_memory_bytes(self) -> int:
        """The most memory the watchdog has seen this box hold."""
        return self._watched.peak_bytes if self._watched else 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def exec(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline kills the job, which a caller's scope cannot
        output_bytes_max: int = OUTPUT_BYTES_MAX,
    ) -> Completed:
        """Run *argv* in the box; *timeout* in seconds covers the whole call.

        Raises: TimeoutError; PermissionError if the program may not be executed; Inspect's
        OutputLimitExceededError past *output_bytes_max* on one output, and SandboxUnavailableError
        if the box has ended.
        """
        variables = exec_environment(self.config, env)
        folder = inside(self.config, cwd)
        words = [*argv, *(f"{name}={value}" for name, value in variables.items())]
        payload = _text(folder) + struct.pack("<II", len(argv), len(variables))
        payload += b"".join(map(_text, words))
        hits = len(self.limits_hit)
        status, out, err = await self._call(b"E", payload, stdin, timeout, output_bytes_max)
        if status < 0:
            return _not_run(status, argv[0], folder, out, err)
        fresh = self.limits_hit[hits:]
        return Completed(status, out, err, fresh[-1] if fresh and status == _KILLED else "")

    async def read(self, path: str, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
        """The contents of a regular file.

        Raises: OSError of the fitting class; Inspect's OutputLimitExceededError past *bytes_max*.
        """
        full = inside(self.config, path)
        status, out, _ = await self._call(b"R", _text(full), b"", FILE_SECONDS_MAX, bytes_max)
        _raise_for(status, path)
        return out

    async def write(self, path: str, data: bytes) -> None:
        """Replace or create a regular file, making the folders above it.

        Raises: OSError of the fitting class (IsADirectoryError, PermissionError, ...).
        """
        full = inside(self.config, path)
        status, _, _ = await self._call(b"W", _text(full), data, FILE_SECONDS_MAX, 1 << 16)
        _raise_for(status, path)

    def kill_all(self) -> None:
        """End every process in the box but its first; the box stays usable."""
        self._channel.kill_all()

    async def stop(self, patience: float = STOP_SECONDS_MAX) -> None:
        """End the box and wait until no process of it is left; a second call does nothing.

        One that does not end with its control socket in *patience* seconds is ended by force.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._watched:
            WATCHDOG.forget(self._watched)
        below = list(tree(self.pid)) if self._scales else []
        self._channel.close()
        for fd in self._held:
            os.close(fd)
        self._held.clear()
        try:
            async with asyncio.timeout(patience):
                await self._gone()
        except TimeoutError:
            self._kill()  # the first process did not end with its socket
        except asyncio.CancelledError:
            self._kill()
            raise
        finally:
            # Bubblewrap ends of itself only after everything in the box; killed, it may end before.
            in_order = self._process.wait() >= 0
            os.close(self.pidfd)
            if self._slot:
                self._slot.release(in_order=in_order)
            await ended(below)
            if self._bundle:
                self._bundle.remove()

    def _kill(self) -> None:
        if self._scales:
            end_tree(self.pid)
        else:
            self._process.kill()

    async def _gone(self) -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.pidfd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self.pidfd)

    async def _call(
        self, op: bytes, payload: bytes, stdin: bytes, seconds: float | None, bytes_max: int
    ) -> tuple[int, bytes, bytes]:
        async with asyncio.timeout(seconds), self._calls:
            if not self.running:
                raise _unavailable("the sandbox has ended")
            pipes = Pipes(stdin, bytes_max, self.uid, for_all=self._scales is not None)
            job, status = self._channel.submit(op, payload, pipes.ends)
            try:
                code = await self._outcome(status, pipes)
            except Ended as error:
                hit = self.limits_hit[-1:]
                why = f": over its {hit[0]} limit" if hit else ""
                raise _unavailable(f"{error}{why}") from error
            finally:
                if not status.done():
                    self._channel.kill(job)
                self._channel.forget(job)
                self._hold(pipes.finish())
        if pipes.overflowed:
            self._channel.kill(job)
            raise _output_limit(bytes_max, bytes(pipes.out.data))
        return code, bytes(pipes.out.data), bytes(pipes.err.data)

    @staticmethod
    async def _outcome(status: asyncio.Future[int], pipes: Pipes) -> int:
        """The job's status, or -1 as soon as its output has grown too long."""
        settled = asyncio.ensure_future(pipes.settled.wait())
        both: set[asyncio.Future[Any]] = {status, settled}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if pipes.overflowed:
                return -1
            await asyncio.wait({status})  # awaiting it itself would pass a cancellation on to it
            code = status.result()
            await asyncio.wait({settled}, timeout=BACKGROUND_SECONDS)
        finally:
            settled.cancel()
        return code

    def _hold(self, fds: list[int]) -> None:
        self._held += fds
        if self._stopped or len(self._held) > HELD_PIPES_MAX:
            excess = len(self._held) if self._stopped else len(self._held) - HELD_PIPES_MAX
            for fd in self._held[:excess]:
                os.close(fd)
            del self._held[:excess]


def _text(word: str) -> bytes:
    data = os.fsencode(word)
    if b"\0" in data:
        raise ValueError(f"a word for the box holds a NUL character: {word[:80]!r}")
    return data + b"\0"


def _not_run(status: int, program: str, folder: str, out: bytes, err: bytes) -> Completed:
    """What a shell would answer for a program that never ran.

    Raises: PermissionError; SandboxUnavailableError if no process could be made.
    """
    number = -status
    if number > _FROM_INIT:
        raise _unavailable(
            f"no process could be started in the sandbox: {os.strerror(number - _FROM_INIT)}"
        )
    if number > _FROM_CHDIR:
        words = f"cd: {folder}: {os.strerror(number - _FROM_CHDIR)}\n"
        return Completed(_NOT_EXECUTABLE, out, err + words.encode())
    if number == errno.EACCES:
        raise PermissionError(number, os.strerror(number), program)
    code = _NOT_FOUND if number == errno.ENOENT else _NOT_EXECUTABLE
    words = f"{shlex.quote(program)}: {os.strerror(number)}\n"
    return Completed(code, out, err + words.encode(errors="replace"))


def _raise_for(status: int, path: str) -> None:
    if status == 0:
        return
    number = -status
    if status > 0:
        raise _unavailable(
            f"the file operation on {path} was ended in the sandbox (status {status})"
        )
    if number > _FROM_INIT:
        raise _unavailable(
            f"no process could be started in the sandbox: {os.strerror(number - _FROM_INIT)}"
        )
    if number in (errno.EPERM, errno.EACCES, errno.EROFS):
        raise PermissionError(number, os.strerror(number), path)
    raise OSError(number, os.strerror(number), path)
