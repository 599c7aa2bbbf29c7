"""The egress proof of another provider's sandbox: Docker, Kubernetes or machines, through Inspect.

Such a sandbox is not started by us, so what it is cannot be read from a plan: its tier is *declared*
and then looked at from inside, by the same probe and the same files as a box's. The probe is written
into the sandbox and run there; the canaries are this host's. What only the host could see of a box
(its namespaces, the digests of its parts) stands as unknown in the record.
"""

import hashlib
import platform
import shlex
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadline.sandbox.box import Completed
from leadline.sandbox.canaries import Canary, canaries
from leadline.sandbox.egress import KERNELS, boot_id, look, tried, utc
from leadline.sandbox.evidence import Evidence
from leadline.sandbox.survey import Unusable, native

if TYPE_CHECKING:
    from inspect_ai.util import SandboxEnvironment

PROBE_AT = "/tmp/leadline-probe"  # noqa: S108 - inside the sandbox
SECONDS_MAX = 30
UNKNOWN = "unknown"


class _Seen:
    """Another provider's sandbox as the proof looks at one."""

    def __init__(self, environment: "SandboxEnvironment") -> None:
        self._environment = environment

    async def exec(self, argv: Sequence[str], *, timeout: float) -> Completed:  # noqa: ASYNC109 - as Box
        done = await self._environment.exec(list(argv), timeout=max(1, round(timeout)))
        return Completed(done.returncode, done.stdout.encode(), done.stderr.encode())

    async def read(self, path: str) -> bytes:
        # By a program: providers copy files by size, and files of /proc have none.
        done = await self.exec(["cat", path], timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise FileNotFoundError(path)
        return done.stdout


async def prove_environment(
    environment: "SandboxEnvironment", *, tier: str, provider: str, run: str = "", shard: str = ""
) -> Evidence:
    """Try every way out of a running sandbox that *provider* declares to be of *tier*.

    Raises: Unusable, if the tier is unknown or the probe cannot be run there.
    """
    if tier not in KERNELS:
        raise Unusable(f"{tier!r} is no isolation tier: use one of {', '.join(KERNELS)}")
    with canaries() as listeners:
        return await _proved(environment, listeners, tier, provider, (run, shard))


async def _proved(
    environment: "SandboxEnvironment",
    listeners: Sequence[Canary],
    tier: str,
    provider: str,
    about: tuple[str, str],
) -> Evidence:
    started, seen = time.time(), _Seen(environment)
    kernel, _, machine = (await _word(seen, "uname -r -m")).partition(" ")
    program = native(f"sbxprobe-{machine}")
    await environment.write_file(PROBE_AT, program)
    await _word(seen, f"chmod 0755 {shlex.quote(PROBE_AT)}")
    _, checks = await look(seen, tier, listeners, program=PROBE_AT)
    await _word(seen, f"rm {shlex.quote(PROBE_AT)}")
    own = native(f"sbxprobe-{platform.machine()}")
    controls = await tried(own, listeners)
    return Evidence(
        run=about[0],
        shard=about[1],
        host_boot_id=boot_id(),
        kernel=kernel,
        provider=provider,
        provider_version=UNKNOWN,
        box_digest=UNKNOWN,
        seal_digest=UNKNOWN,
        config_digest=UNKNOWN,
        image_digest=UNKNOWN,
        sbxinit_digest=UNKNOWN,
        seccomp_digest=UNKNOWN,
        probe_digest=hashlib.sha256(program).hexdigest(),
        mode=UNKNOWN,
        tier=tier,
        limits={},
        checks=tuple(checks),
        positive_controls=controls,
        started=utc(started),
        ended=utc(time.time()),
    )


async def _word(seen: _Seen, script: str) -> str:
    done = await seen.exec(["sh", "-c", script], timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise Unusable(
            f"the sandbox cannot be looked at: {script!r} ended with {done.returncode}: "
            f"{done.stderr.decode(errors='replace').strip()[:200]}"
        )
    return done.stdout.decode(errors="replace").strip()
