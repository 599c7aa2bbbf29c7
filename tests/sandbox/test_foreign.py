"""The proof of another provider's sandbox, tried on sandboxes whose truth is known."""

import asyncio
from collections.abc import Mapping

import pytest
from inspect_ai.util import ExecResult, SandboxEnvironment
from inspect_ai.util._sandbox.local import LocalSandboxEnvironment
from typing_extensions import override

from leadline.sandbox.box import Box
from leadline.sandbox.config import BoxConfig
from leadline.sandbox.evidence import Evidence
from leadline.sandbox.foreign import prove_environment
from leadline.sandbox.gvisor import runtime
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.sandbox.survey import Unusable

pytestmark = pytest.mark.sandbox


def of_box(tier: str, declared: str) -> Evidence:
    """The proof of a box of *tier*, looked at as if another provider had made it."""

    async def story() -> Evidence:
        async with await Box.start(BoxConfig(tier=tier)) as box:
            seen = BwrapSandboxEnvironment(box)
            return await prove_environment(
                seen, tier=declared, provider="other", run="r", shard="s"
            )

    return asyncio.run(story())


def failed(evidence: Evidence) -> set[str]:
    """Names of the checks that did not hold."""
    return {check.id for check in evidence.checks if not check.ok}


def test_a_sealed_sandbox_is_proved_by_looking_alone() -> None:
    """What no plan tells stands as unknown, so the record supports no box of ours."""
    evidence = of_box("shared-kernel", "shared-kernel")
    assert evidence.outcome == "proved", failed(evidence)
    assert (evidence.provider, evidence.tier) == ("other", "shared-kernel")
    assert (evidence.run, evidence.shard) == ("r", "s")
    assert evidence.box_digest == evidence.seal_digest == "unknown"
    assert len(evidence.checks) >= 20


def test_a_declared_tier_is_looked_at() -> None:
    """A box on the host's kernel is neither of the others, whatever is declared."""
    for declared in ("own-kernel", "own-machine"):
        evidence = of_box("shared-kernel", declared)
        assert failed(evidence) == {"kernel"}
        kernel = next(check for check in evidence.checks if check.id == "kernel")
        assert kernel.observed == "the host's"


def test_gvisor_is_known_by_what_it_says() -> None:
    """As it would be behind Docker or Kubernetes with that runtime."""
    try:
        runtime()
    except Unusable as error:
        pytest.skip(str(error))
    evidence = of_box("own-kernel", "own-kernel")
    assert evidence.outcome == "proved", failed(evidence)
    assert "kernel" in failed(of_box("own-kernel", "own-machine"))


def test_no_sandbox_at_all_is_found_out() -> None:
    """Inspect's `local` runs on the host: the canaries are reached."""

    async def story() -> Evidence:
        local = LocalSandboxEnvironment()
        try:
            return await prove_environment(local, tier="shared-kernel", provider="local")
        finally:
            local.directory.cleanup()

    evidence = asyncio.run(story())
    assert evidence.outcome == "refuted"
    assert {"canary.loopback4", "seccomp"} <= failed(evidence)


class Machine(BwrapSandboxEnvironment):
    """A box that says of its kernel what a machine's own would."""

    def __init__(self, box: Box, files: Mapping[str, str]) -> None:
        super().__init__(box)
        self.files = files

    @override
    async def exec(self, cmd: list[str], *rest: object, **more: object) -> ExecResult[str]:
        """As any box, but for the files given."""
        text = self.files.get(cmd[-1]) if cmd[0] == "cat" else None
        if text is not None:
            return ExecResult(success=True, returncode=0, stdout=text, stderr="")
        return await super().exec(cmd, *rest, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"/proc/sys/kernel/random/boot_id": "another\n", "/proc/version": "Linux 9"}, set()),
        ({"/proc/sys/kernel/random/boot_id": "", "/proc/version": "Linux 9"}, {"kernel"}),
    ],
    ids=["another start", "no word of it"],
)
def test_a_machine_is_known_by_a_start_of_its_own(
    files: Mapping[str, str], missing: set[str]
) -> None:
    """Its kernel was started on its own; where it does not say, it is unknown."""

    async def story() -> Evidence:
        async with await Box.start(BoxConfig()) as box:
            machine: SandboxEnvironment = Machine(box, files)
            return await prove_environment(machine, tier="own-machine", provider="other")

    assert failed(asyncio.run(story())) == missing


def test_what_cannot_be_looked_at_is_refused() -> None:
    """An unknown tier; a sandbox where nothing runs."""

    class Dead(LocalSandboxEnvironment):
        @override
        async def exec(self, *_: object, **__: object) -> ExecResult[str]:
            return ExecResult(success=False, returncode=1, stdout="", stderr="no shell")

    async def refused(tier: str) -> None:
        dead = Dead()
        try:
            await prove_environment(dead, tier=tier, provider="x")
        finally:
            dead.directory.cleanup()

    with pytest.raises(Unusable, match="no isolation tier"):
        asyncio.run(refused("roomy"))
    with pytest.raises(Unusable, match="no shell"):
        asyncio.run(refused("own-kernel"))
