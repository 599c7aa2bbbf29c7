"""The provider as Inspect uses it, beyond what Inspect's own self-check covers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentSpec,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
)
from pydantic import BaseModel, ValidationError
from typing_extensions import override

from leadline.sandbox.box import Bind, Box, BoxConfig, identity
from leadline.sandbox.plan import make_plan
from leadline.sandbox.pool import Pool
from leadline.sandbox.provider import BwrapSandboxEnvironment, read_config

pytestmark = pytest.mark.sandbox
Provider = BwrapSandboxEnvironment


def sample(
    story: Callable[[dict[str, SandboxEnvironment]], Awaitable[None]],
    config: BoxConfig | str | None = None,
) -> None:
    """Run *story* in one sample of one task."""

    async def whole() -> None:
        await Provider.task_init("task", config)
        boxes = await Provider.sample_init("task", config, {})
        try:
            await story(boxes)
        finally:
            await Provider.sample_cleanup("task", config, boxes, interrupted=False)
            await Provider.task_cleanup("task", config, cleanup=True)

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("box.json", '{"disk_mb": 10, "env": {"A": "b"}}'),
        ("box.yaml", "disk_mb: 10\nenv: {A: b}\n"),
        ("box.yml", "disk_mb: 10\nenv:\n  A: b\n"),
        ("box.toml", 'disk_mb = 10\n[env]\nA = "b"\n'),
    ],
)
def test_a_configuration_file_is_read_by_its_ending(name: str, text: str, tmp_path: Path) -> None:
    """Each form gives the same box; an empty one gives the default."""
    (tmp_path / name).write_text(text)
    assert read_config(str(tmp_path / name)) == BoxConfig(disk_mb=10, env={"A": "b"})


def test_what_is_no_configuration_is_refused(tmp_path: Path) -> None:
    """Unknown endings, unknown fields, and another provider's model."""

    class Other(BaseModel):
        image: str = "x"

    (tmp_path / "box.yaml").write_text("")
    assert read_config(str(tmp_path / "box.yaml")) == read_config(None) == BoxConfig()
    (tmp_path / "box.json").write_text('{"privileged": true}')
    with pytest.raises(ValidationError, match="privileged"):
        read_config(str(tmp_path / "box.json"))
    with pytest.raises(ValueError, match="is one of"):
        read_config("compose.ini")
    with pytest.raises(TypeError, match="Other"):
        read_config(Other())


def test_a_configuration_comes_back_from_a_log() -> None:
    """Inspect writes it as JSON and reads it back through the provider; sets can hold it."""
    spec = SandboxEnvironmentSpec("bwrap", BoxConfig(binds=(Bind(source="/usr", target="/x"),)))
    again = SandboxEnvironmentSpec.model_validate(json.loads(spec.model_dump_json()))
    assert again.config == spec.config
    assert len({spec, again}) == 1


def test_each_host_of_a_sample_has_its_own_box() -> None:
    """Named, in order, apart."""

    async def story(boxes: dict[str, SandboxEnvironment]) -> None:
        assert list(boxes) == ["default", "server"]
        await boxes["server"].write_file("note", "for the server")
        with pytest.raises(FileNotFoundError):
            await boxes["default"].read_file("note")
        assert await boxes["server"].read_file("note") == "for the server"

    sample(story, BoxConfig(hosts=("default", "server")))


def test_a_sample_knows_what_its_box_is() -> None:
    """The identity is that of the configuration's plan: what an egress proof names."""

    async def story(boxes: dict[str, SandboxEnvironment]) -> None:
        box = boxes["default"].as_type(Provider)
        assert box.identity == identity(make_plan(BoxConfig(disk_mb=11)))

    sample(story, BoxConfig(disk_mb=11))


def test_texts_bytes_users_and_limits_pass_through() -> None:
    """Text is UTF-8, bytes are bytes, other users are refused, bounds raise Inspect's errors."""

    async def story(boxes: dict[str, SandboxEnvironment]) -> None:
        box = boxes["default"]
        done = await box.exec(["cat"], input="caf\u00e9", user="agent")
        assert (done.success, done.stdout) == (True, "caf\u00e9")
        assert (await box.exec(["cat"], input=b"\xff", user="1000")).stdout == "\ufffd"
        for user in ("root", "0", "other"):
            with pytest.raises(SandboxUserUnsupportedError, match="agent"):
                await box.exec(["id"], user=user)
        with pytest.raises(OutputLimitExceededError):
            await box.exec(["yes"])
        with pytest.raises(TimeoutError):
            await box.exec(["sleep", "9"], timeout=1)
        await box.write_file("b", b"\xff")
        assert await box.read_file("b", text=False) == b"\xff"
        with pytest.raises(UnicodeDecodeError):
            await box.read_file("b")
        with pytest.raises(NotImplementedError, match="entered"):
            await box.connection()

    sample(story)


def test_a_subject_that_takes_too_much_memory_is_told_so() -> None:
    """It is the subject's limit: an ordinary failed result, not an error of the sandbox."""

    async def story(boxes: dict[str, SandboxEnvironment]) -> None:
        bomb = "b=[]\nwhile 1: b.append(bytearray(b'x')*(8<<20))"
        done = await boxes["default"].exec(["python3", "-c", bomb], timeout=20)
        assert (done.success, done.returncode) == (False, 137)
        assert "over its memory limit" in done.stderr
        box = boxes["default"].as_type(Provider).box
        assert box.limits_hit == ("memory",)

    sample(story, BoxConfig(memory_mb=128))


def test_a_host_that_cannot_run_the_box_fails_the_task_before_any_sample() -> None:
    """There is nothing to fall back to."""
    config = BoxConfig(binds=(Bind(source="/does/not/exist", target="/x"),))
    with pytest.raises(SandboxUnavailableError, match="does/not/exist"):
        asyncio.run(Provider.task_init("task", config))


class OneBoxPool(Pool):
    """Gives one box, then says that the host is out of them."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Box] = []

    @override
    async def take(self, config: BoxConfig) -> Box:
        if self.given:
            raise SandboxUnavailableError("no more boxes")
        self.given.append(await super().take(config))
        return self.given[0]


def test_a_sample_whose_second_box_fails_leaves_no_first() -> None:
    """What was started for it is stopped."""

    class Short(BwrapSandboxEnvironment):
        pool = OneBoxPool()

    async def story() -> None:
        with pytest.raises(SandboxUnavailableError, match="no more"):
            await Short.sample_init("task", BoxConfig(hosts=("default", "b")), {})
        assert [box.running for box in Short.pool.given] == [False]

    asyncio.run(story())


def test_defaults_are_the_providers() -> None:
    """No file is looked for, many samples may run, services are polled often."""
    assert Provider.config_files() == []
    assert Provider.default_concurrency() is None
    assert Provider.default_polling_interval(None) == 0.2  # type: ignore[arg-type]
