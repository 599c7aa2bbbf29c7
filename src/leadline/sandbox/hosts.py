"""The hosts of one sample in their private network: a box each, its services, and the proof.

    async with await Hosts.start(config) as hosts:
        done = await hosts.boxes["default"].exec(["true"])

Invariants: no box is handed out before every declared service answers and the network is proved to
be the declared one; services are started by the exec server of their own box, so that no host has a
hand in another; when the sample ends, or the process that started it, boxes, namespaces and links
go.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from leadline.sandbox import egress
from leadline.sandbox.box import Box, Completed
from leadline.sandbox.canaries import sockaddr
from leadline.sandbox.config import BoxConfig, Daemon, Network
from leadline.sandbox.network import Wires
from leadline.sandbox.plan import PROBE, make_plan
from leadline.sandbox.survey import Unusable
from leadline.sandbox.ward import ADMISSION

if TYPE_CHECKING:
    from leadline.sandbox.evidence import Evidence

READY_SECONDS_MAX = 30.0
_READY_POLL = 0.02
_LOG_BYTES = 2_000


class Hosts:
    """Every box of one sample, by host name; for use on the event loop that started it."""

    def __init__(self, config: BoxConfig, wires: Wires) -> None:
        assert config.network is not None  # noqa: S101 - `start` refuses it
        self.config = config
        self.network: Network = config.network
        self.wires = wires
        self.boxes: dict[str, Box] = {}
        self.started = 0.0  # Unix time at which the sample could begin
        self.proof: Evidence | None = None
        self._services: dict[tuple[str, int], asyncio.Task[Completed]] = {}

    @classmethod
    async def start(cls, config: BoxConfig, lay: Callable[[Network], Wires] = Wires.lay) -> Self:
        """*lay* the network, start every box and service, and prove the network.

        Raises: Unusable, with the cause and the cure, where this host cannot hold such a network;
        Inspect's SandboxUnavailableError, if a service does not answer or the proof fails.
        """
        if config.network is None:
            raise Unusable("the configuration names no network: start a Box instead")
        refuse_tier(config)
        wires = await asyncio.to_thread(lay, config.network)
        hosts = cls(config, wires)
        try:
            await ADMISSION.admit("network", [wires.pid])
            await hosts._start_boxes()
            await hosts._start_services()
            await hosts._prove()
        except BaseException:
            await hosts.stop()
            raise
        hosts.started = time.time()
        return hosts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def pids_to_end(self) -> list[int]:
        """The processes whose end ends the network and every box, the one that holds the links first."""
        return [self.wires.pid, *(pid for box in self.boxes.values() for pid in box.pids_to_end())]

    def ended(self) -> tuple[str, ...]:
        """Hosts of which a service has ended since it answered."""
        return tuple(sorted({host for (host, _), task in self._services.items() if task.done()}))

    async def stop(self) -> None:
        """End every box and take the network down; a second call does nothing."""
        try:
            await asyncio.gather(*(box.stop() for box in self.boxes.values()))
        finally:
            await asyncio.to_thread(self.wires.cut)
            # A service ends with its box, in whatever way: that is what stopping means.
            await asyncio.gather(*self._services.values(), return_exceptions=True)

    async def _start_boxes(self) -> None:
        async def start(name: str) -> None:
            plan = make_plan(self.config.of_host(name))
            self.boxes[name] = await Box.start_plan(plan, self.wires.join(name))

        started = await asyncio.gather(
            *(start(name) for name in self.config.hosts), return_exceptions=True
        )
        self.wires.forget()
        for outcome in started:
            if outcome is not None:
                raise outcome

    async def _start_services(self) -> None:
        for name, host in self.network.hosts.items():
            for number, service in enumerate(host.services):
                task = asyncio.create_task(self.boxes[name].exec(_words(service, number)))
                self._services[name, number] = task
        await asyncio.gather(*(self._ready(*key) for key in self._services))

    async def _ready(self, name: str, number: int) -> None:
        host, box = self.network.hosts[name], self.boxes[name]
        port = host.services[number].port
        asked = [f"1:{sockaddr(address, port).hex()}" for address in host.addresses.values()]
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline and not self._services[name, number].done():
            done = await box.exec([PROBE, *asked], timeout=READY_SECONDS_MAX)
            answers = egress.read_report(done.stdout.decode(errors="replace")).connects
            if 0 in answers.values():
                return
            await asyncio.sleep(_READY_POLL)
        words = await _tail(box, number)
        raise _unavailable(f"port {port} of host {name} does not answer: {words or 'no word'}")

    async def _prove(self) -> None:
        self.proof = await egress.prove_hosts(self.config, self.boxes)
        if not self.proof.ok:
            wrong = [check for check in self.proof.checks if not check.ok]
            shown = [f"{one.id}: {one.observed}, not {one.expected}" for one in wrong[:3]]
            raise _unavailable(
                f"the private network is not the declared one ({self.proof.outcome}): {'; '.join(shown)}"
            )


def refuse_tier(config: BoxConfig) -> None:
    """Raise Unusable, with the reason, where boxes of the tier asked for have no private network."""
    if config.tier != "shared-kernel":
        raise Unusable(
            f"private networks join boxes of tier shared-kernel only, not {config.tier}: the kernel of "
            "such a box brings a network stack of its own, which no driver here connects to others"
        )


def _unavailable(message: str) -> Exception:
    from inspect_ai.util import (
        SandboxUnavailableError,  # seconds to import, and others have it anyway
    )

    return SandboxUnavailableError(message)


def _words(service: Daemon, number: int) -> Sequence[str]:
    """The service, its output in a file of its own box."""
    return ("/bin/sh", "-c", f'exec "$@" >.service-{number}.log 2>&1', "sh", *service.argv)


async def _tail(box: Box, number: int) -> str:
    done = await box.exec(["tail", "-c", str(_LOG_BYTES), f".service-{number}.log"], timeout=5)
    return done.stdout.decode(errors="replace").strip()
