"""A server in a process of its own, that tests kill and begin again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from identity.people import until
from leadline.client.uses import PREFIX
from ports import free_port


@dataclass
class Program:
    """`leadline serve` of the installation in *folder*, at a port that stays the same."""

    folder: Path
    port: int
    running: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Its own origin."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Begin it, until it answers."""
        words = ["--home", str(self.folder), "--listen", f"127.0.0.1:{self.port}", "--workers", "1"]
        argv = [sys.executable, "-m", "leadline", "serve", *words]
        self.running = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        until(self._answers, 300)

    def _answers(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}{PREFIX}/health"
            there = httpx.get(url, trust_env=False, timeout=10).is_success
        except httpx.TransportError:
            there = False
        return there

    def kill(self) -> None:
        """End it as nothing can hinder."""
        if self.running is not None:
            os.kill(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None


@contextmanager
def program(folder: Path) -> Iterator[Program]:
    """A server that is killed at the end at the latest."""
    made = Program(folder, free_port())
    try:
        made.start()
        yield made
    finally:
        made.kill()
