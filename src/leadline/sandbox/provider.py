"""The `bwrap` sandbox provider: `inspect eval TASK --sandbox bwrap[:CONFIG]`.

A sample gets one box per host of its configuration, started for it and ended after it: without any
network, or with one of their own and no way out of it. CONFIG is a JSON, TOML or YAML file of `BoxConfig`'s fields. There is no fall-back: where
the host cannot run a box, the task stops with the cause and the cure.
"""

import asyncio
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NoReturn, cast, overload

import yaml  # type: ignore[import-untyped]
from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxConnection,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUserUnsupportedError,
    sandboxenv,
)
from pydantic import BaseModel
from typing_extensions import override

from leadline.sandbox.box import Box, Completed, Identity
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.hosts import Hosts, refuse_tier
from leadline.sandbox.network import Wires
from leadline.sandbox.pool import Pool

USERS = (None, "agent", "1000")
POLLING_SECONDS = 0.2
_READERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a sandbox: a command with its folder and input, or a file read or written."""

    kind: Literal["exec", "read", "write"]
    words: tuple[str, ...]
    cwd: str = ""
    data: bytes = b""


Observe = Callable[[Call], None]


def read_config(config: SandboxEnvironmentConfigType | None) -> BoxConfig:
    """The configuration of a task or sample, from nothing, a `BoxConfig` or the name of a file.

    Raises: TypeError or ValueError naming what was given; pydantic's ValidationError names the field.
    """
    if config is None:
        return BoxConfig()
    if isinstance(config, BoxConfig):
        return config
    if not isinstance(config, str):
        raise TypeError(
            f"the bwrap sandbox takes a BoxConfig or a file, not {type(config).__name__}"
        )
    path = Path(config)
    if path.suffix not in _READERS:
        raise ValueError(f"{config}: a sandbox configuration is one of {', '.join(_READERS)}")
    return BoxConfig.model_validate(_READERS[path.suffix](path.read_text(encoding="utf-8")) or {})


@sandboxenv(name="bwrap")
class BwrapSandboxEnvironment(SandboxEnvironment):
    """One host of a sample: a box, seen through Inspect's interface."""

    pool: ClassVar[Pool] = Pool()

    def __init__(self, box: Box, hosts: Hosts | None = None) -> None:
        super().__init__()
        self.box = box
        self.hosts = hosts  # every host of the sample, where they share a private network
        self.observe: Observe | None = None  # told of each call before it is made

    @property
    def identity(self) -> Identity:
        """What this sample's box is, to be compared with the proved configuration."""
        return self.box.identity

    @override
    @classmethod
    def default_concurrency(cls) -> int | None:
        """No limit of its own: a box is light, and `max_samples` bounds their number.

        Where a provider names a limit, Inspect puts a random sleep of up to a second before each
        sample, which was a fifth of a short sample's cost.
        """
        return None

    @override
    def default_polling_interval(self) -> float:
        return POLLING_SECONDS

    @override
    @classmethod
    def config_files(cls) -> list[str]:
        return []

    @override
    @classmethod
    def config_deserialize(cls, config: Mapping[str, object]) -> BaseModel:
        return BoxConfig.model_validate(config)

    @override
    @classmethod
    async def task_init(cls, task_name: str, config: SandboxEnvironmentConfigType | None) -> None:
        settled = read_config(config)
        if settled.network is not None:
            refuse_tier(settled)
            wires = await asyncio.to_thread(Wires.lay, settled.network)
            wires.cut()
            return
        async with await Box.start(settled):
            # One box for nothing: a host that cannot run any fails the task here, before a sample.
            cls.pool.open(settled)

    @override
    @classmethod
    async def task_cleanup(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, cleanup: bool
    ) -> None:
        settled = read_config(config)
        if settled.network is None:
            await cls.pool.close(settled)

    @override
    @classmethod
    async def sample_init(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        metadata: dict[str, str],
    ) -> dict[str, SandboxEnvironment]:
        settled = read_config(config)
        boxes: dict[str, SandboxEnvironment] = {}
        if settled.network is not None:
            hosts = await Hosts.start(settled)
            return {name: cls(hosts.boxes[name], hosts) for name in settled.hosts}
        try:
            for host in settled.hosts:
                boxes[host] = cls(await cls.pool.take(settled))
        except BaseException:
            await _stop(boxes)
            raise
        return boxes

    @override
    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        await _stop(environments)

    @override
    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        if user not in USERS:
            raise SandboxUserUnsupportedError(f"a box has one user, `agent` (1000), not {user!r}")
        stdin = input.encode() if isinstance(input, str) else input or b""
        if self.observe:
            self.observe(Call("exec", tuple(cmd), cwd or "", stdin))
        done = await self.box.exec(
            cmd,
            stdin=stdin,
            cwd=cwd,
            env=env,
            timeout=timeout,
            output_bytes_max=SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE,
        )
        return ExecResult(
            success=done.returncode == 0,
            returncode=done.returncode,
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace") + _explained(done),
        )

    @override
    async def write_file(self, file: str, contents: str | bytes) -> None:
        data = contents.encode() if isinstance(contents, str) else contents
        if self.observe:
            self.observe(Call("write", (file,), data=data))
        await self.box.write(file, data)

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...  # noqa: FBT002 - Inspect's

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    @override
    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        limits = SandboxEnvironmentLimits
        if self.observe:
            self.observe(Call("read", (file,)))
        try:
            data = await self.box.read(file, bytes_max=limits.MAX_READ_FILE_SIZE)
        except OutputLimitExceededError as error:
            raise OutputLimitExceededError(limits.MAX_READ_FILE_SIZE_STR, None) from error
        return data.decode() if text else data

    @override
    async def connection(self, *, user: str | None = None) -> SandboxConnection:
        _refuse_connection()


def _refuse_connection() -> NoReturn:
    # A process entered from outside (nsenter) would carry neither filter nor limits.
    raise NotImplementedError(
        "boxes cannot be entered from outside; use the sandbox's exec instead"
    )


def _explained(done: Completed) -> str:
    return f"\nended by the sandbox: over its {done.limit} limit\n" if done.limit else ""


async def _stop(environments: dict[str, SandboxEnvironment]) -> None:
    for environment in environments.values():
        own = cast("BwrapSandboxEnvironment", environment)
        await (own.hosts or own.box).stop()
